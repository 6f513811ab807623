// The functions that every template can call.
#include <ctime>
#include <string>

#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "frontend/chat/filters.h"
#include "frontend/chat/operators.h"
#include "frontend/chat/python_repr.h"
#include "frontend/chat/render_context.h"

namespace baton::frontend::internal {
namespace {

using Result = absl::StatusOr<Value>;

Result Range(RenderContext& context, void*, const Arguments& arguments) {
  Value bound[3];
  RETURN_IF_ERROR(
      BindArguments("range", arguments, {"start", "stop", "step"}, 1, absl::MakeSpan(bound)));
  RangeInfo range{0, 0, 1};
  int64_t* const fields[3] = {&range.start, &range.stop, &range.step};
  for (int i = 0; i < 3; ++i) {
    if (bound[i].missing()) continue;
    if (bound[i].undefined()) return UndefinedError(bound[i]);
    constexpr WideInt kFar = WideInt{1} << 40;
    if (!bound[i].integral()) {
      return TypeError({"'", TypeName(bound[i]), "' object cannot be interpreted as an integer"});
    }
    *fields[i] = static_cast<int64_t>(std::clamp<WideInt>(bound[i].integer(), -kFar, kFar));
  }
  if (bound[1].missing()) {
    range.stop = range.start;
    range.start = 0;
  }
  if (range.step == 0) return ValueError({"range() arg 3 must not be zero"});
  if (range.Length() > context.limits().range_items_max) {
    return PythonError("OverflowError",
                       {"Range too big. The sandbox blocks ranges larger than MAX_RANGE (",
                        std::to_string(context.limits().range_items_max), ")."});
  }
  return Value::Of(context.arena().New<RangeInfo>(range));
}

// The dict that dict(mapping or pairs, **names) makes.
Result MakeDict(RenderContext& context, void*, const Arguments& arguments) {
  if (arguments.positional.size() > 1) {
    return TypeError(
        {"dict expected at most 1 argument, got ", std::to_string(arguments.positional.size())});
  }
  DictBuilder dict(context, arguments.keyword.size() + 4);
  if (!arguments.positional.empty()) {
    const Value& source = arguments.positional[0];
    const bool mapping = source.is(Kind::kDict);
    ASSIGN_OR_RETURN(
        Cursor cursor,
        Cursor::Over(mapping ? Value::DictView(&source.dict(), DictViewKind::kItems) : source));
    while (true) {
      ASSIGN_OR_RETURN(const Value item, cursor.Next(context));
      if (item.missing()) break;
      ASSIGN_OR_RETURN(const absl::Span<const Value> pair, Collect(context, item));
      if (pair.size() != 2) {
        return ValueError({"dictionary update sequence element has length ",
                           std::to_string(pair.size()), "; 2 is required"});
      }
      if (!Hashable(context, pair[0]))
        return TypeError({"unhashable type: '", TypeName(pair[0]), "'"});
      dict.Set(pair[0], pair[1]);
    }
  }
  for (const KeywordArgument& k : arguments.keyword) dict.Set(Value::String(k.name), k.value);
  return dict.Build();
}

Result MakeNamespace(RenderContext& context, void*, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const Value dict, MakeDict(context, nullptr, arguments));
  auto* object = context.arena().New<NamespaceObject>();
  for (uint32_t i = 0; i < dict.dict().size; ++i) {
    const DictEntry& entry = dict.dict().entries[i];
    RETURN_IF_ERROR(context.Charge(1 + (i >> 3)));  // a namespace is searched from its beginning
    if (entry.key.string()) object->Set(context.arena(), entry.key.text(), entry.value);
  }
  return Value::Of(object);
}

Result RaiseException(RenderContext& context, void*, const Arguments& arguments) {
  Value message;
  RETURN_IF_ERROR(
      BindArguments("raise_exception", arguments, {"message"}, 1, absl::MakeSpan(&message, 1)));
  context.raised = true;
  return InvalidArgument(Str(context, message));
}

Result StrftimeNow(RenderContext& context, void*, const Arguments& arguments) {
  Value format;
  RETURN_IF_ERROR(
      BindArguments("strftime_now", arguments, {"format"}, 1, absl::MakeSpan(&format, 1)));
  if (!format.string()) {
    return TypeError({"strftime() argument 1 must be str, not ", TypeName(format)});
  }
  if (format.text().size() > 4096) return ValueError({"the format of strftime_now is too long"});
  const auto seconds = static_cast<std::time_t>(UnixSeconds(context.now()));
  std::tm local = {};
  localtime_r(&seconds, &local);
  // A trailing mark makes an empty result different from one that does not fit.
  const std::string pattern = std::string(format.text()) + "|";
  std::string text(pattern.size() * 8 + 256, '\0');
  const size_t length = std::strftime(text.data(), text.size(), pattern.c_str(), &local);
  if (length == 0) return ValueError({"strftime_now makes too much text"});
  return NewText(context, std::string_view(text).substr(0, length - 1));
}

struct JoinerState {
  Value separator;
  bool used = false;
};

Result NextSeparator(RenderContext&, void* state, const Arguments&) {
  auto& joiner = *static_cast<JoinerState*>(state);
  if (joiner.used) return joiner.separator;
  joiner.used = true;
  return Value::String("");
}

// joiner(sep): nothing the first time, then the separator.
Result MakeJoiner(RenderContext& context, void*, const Arguments& arguments) {
  Value separator;
  RETURN_IF_ERROR(BindArguments("joiner", arguments, {"sep"}, 0, absl::MakeSpan(&separator, 1)));
  auto* state = context.arena().New<JoinerState>();
  state->separator = separator.missing() ? Value::String(", ") : separator;
  return Value::Of(context.arena().New<Function>(Function{"joiner", &NextSeparator, state}));
}

struct CyclerState {
  absl::Span<const Value> items;
  size_t position = 0;
  NamespaceObject* object = nullptr;

  void Show(RenderContext& context) { object->Set(context.arena(), "current", items[position]); }
};

Result NextOfCycle(RenderContext& context, void* state, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("next", arguments, {}, 0, {}));
  auto& cycler = *static_cast<CyclerState*>(state);
  const Value item = cycler.items[cycler.position];
  cycler.position = (cycler.position + 1) % cycler.items.size();
  cycler.Show(context);
  return item;
}

Result ResetCycle(RenderContext& context, void* state, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("reset", arguments, {}, 0, {}));
  auto& cycler = *static_cast<CyclerState*>(state);
  cycler.position = 0;
  cycler.Show(context);
  return Value::None();
}

// cycler(items…): an object with next(), reset() and current.
Result MakeCycler(RenderContext& context, void*, const Arguments& arguments) {
  if (!arguments.keyword.empty()) {
    return TypeError(
        {"Cycler.__init__() got an unexpected keyword argument '", arguments.keyword[0].name, "'"});
  }
  const size_t count = arguments.positional.size();
  if (count == 0) return PythonError("RuntimeError", {"at least one item has to be provided"});
  Value* items = context.arena().AllocateArray<Value>(count);
  std::copy(arguments.positional.begin(), arguments.positional.end(), items);
  auto* state = context.arena().New<CyclerState>();
  state->items = {items, count};
  state->object = context.arena().New<NamespaceObject>();
  const auto add = [&](const char* name, auto function) {
    state->object->Set(context.arena(), name,
                       Value::Of(context.arena().New<Function>(Function{name, function, state})));
  };
  add("next", &NextOfCycle);
  add("reset", &ResetCycle);
  state->Show(context);
  return Value::Of(state->object);
}

// The words of Jinja's lipsum are drawn at random.
Result Lipsum(RenderContext&, void*, const Arguments&) {
  return PythonError("NotImplementedError",
                     {"lipsum() makes random text: the prompt of a request may not depend on "
                      "chance"});
}

constexpr Function kFunctions[] = {
    {"cycler", &MakeCycler},
    {"dict", &MakeDict},
    {"joiner", &MakeJoiner},
    {"lipsum", &Lipsum},
    {"namespace", &MakeNamespace},
    {"raise_exception", &RaiseException},
    {"range", &Range},
    {"strftime_now", &StrftimeNow},
};

}  // namespace

absl::Span<const Function> GlobalFunctions() { return kFunctions; }

}  // namespace baton::frontend::internal
