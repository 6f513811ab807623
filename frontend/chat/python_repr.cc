#include "frontend/chat/python_repr.h"

#include <charconv>
#include <cmath>
#include <cstdio>

#include "frontend/chat/python_text.h"
#include "frontend/chat/render_context.h"
#include "frontend/chat/value_objects.h"

namespace baton::frontend::internal {
namespace {

constexpr int kDepthMax = 200;

void AppendStringRepr(std::string& out, std::string_view text) {
  const bool double_quotes =
      text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = double_quotes ? '"' : '\'';
  out.push_back(quote);
  for (size_t at = 0; at < text.size();) {
    const size_t length = SequenceLength(text, at);
    const char32_t c = CodePointAt(text, at);
    if (c == static_cast<char32_t>(quote) || c == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(c));
    } else if (c == '\n' || c == '\r' || c == '\t') {
      out.append(c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
    } else if (IsPrintable(c)) {
      out.append(text.substr(at, length));
    } else {
      char escape[12];
      std::snprintf(escape, sizeof(escape),
                    c < 0x100     ? "\\x%02x"
                    : c < 0x10000 ? "\\u%04x"
                                  : "\\U%08x",
                    static_cast<unsigned>(c));
      out.append(escape);
    }
    at += length;
  }
  out.push_back(quote);
}

void AppendItems(RenderContext& context, std::string& out, absl::Span<const Value> items,
                 int depth) {
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out.append(", ");
    AppendRepr(context, out, items[i], depth + 1);
  }
}

void AppendDict(RenderContext& context, std::string& out, const Dict& dict, int depth) {
  out.push_back('{');
  for (uint32_t i = 0; i < dict.size; ++i) {
    if (i > 0) out.append(", ");
    AppendRepr(context, out, dict.entries[i].key, depth + 1);
    out.append(": ");
    AppendRepr(context, out, dict.entries[i].value, depth + 1);
  }
  out.push_back('}');
}

void AppendView(RenderContext& context, std::string& out, const Value& view, int depth) {
  out.append(TypeName(view)).append("([");
  const Dict& dict = view.dict();
  for (uint32_t i = 0; i < dict.size; ++i) {
    if (i > 0) out.append(", ");
    const DictEntry& entry = dict.entries[i];
    if (view.view_kind() == DictViewKind::kItems) {
      AppendRepr(context, out, Value::Tuple({&entry.key, 2}), depth + 1);
    } else {
      AppendRepr(context, out, view.view_kind() == DictViewKind::kKeys ? entry.key : entry.value,
                 depth + 1);
    }
  }
  out.append("])");
}

void AppendRange(std::string& out, const RangeInfo& range) {
  out.append("range(").append(std::to_string(range.start)).append(", ");
  out.append(std::to_string(range.stop));
  if (range.step != 1) out.append(", ").append(std::to_string(range.step));
  out.push_back(')');
}

// Values without a textual form of their own print as Python objects do, less the address.
void AppendObject(std::string& out, const Value& value) {
  if (value.is(Kind::kMacro)) {
    const std::string_view name = MacroName(value.macro());
    if (name.empty()) {
      out.append("<Macro anonymous>");
    } else {
      out.append("<Macro '").append(name).append("'>");
    }
  } else if (value.is(Kind::kMethod)) {
    out.append("<built-in method ").append(MethodName(value.method())).append(" of ");
    out.append(TypeName(MethodSelf(value.method()))).append(" object>");
  } else {
    out.append("<").append(TypeName(value)).append(" object>");
  }
}

}  // namespace

std::string FloatRepr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char digits[40];
  const auto end =
      std::to_chars(digits, digits + sizeof(digits), value, std::chars_format::scientific);
  std::string_view text(digits, static_cast<size_t>(end.ptr - digits));
  const bool negative = text.front() == '-';
  if (negative) text.remove_prefix(1);
  const size_t e = text.find('e');
  int exponent = 0;
  const char* exponent_text = text.data() + e + 1 + (text[e + 1] == '+' ? 1 : 0);
  std::from_chars(exponent_text, text.data() + text.size(), exponent);
  std::string mantissa(text.substr(0, 1));
  if (e > 2) mantissa.append(text.substr(2, e - 2));

  std::string out = negative ? "-" : "";
  const int count = static_cast<int>(mantissa.size());
  if (exponent < -4 || exponent >= 16) {
    out.append(mantissa, 0, 1);
    if (count > 1) out.append(".").append(mantissa, 1);
    char tail[16];
    std::snprintf(tail, sizeof(tail), "e%c%02d", exponent < 0 ? '-' : '+', std::abs(exponent));
    return out.append(tail);
  }
  if (exponent < 0) {
    return out.append("0.").append(static_cast<size_t>(-exponent - 1), '0').append(mantissa);
  }
  if (count <= exponent + 1) {
    return out.append(mantissa).append(static_cast<size_t>(exponent + 1 - count), '0').append(".0");
  }
  const auto whole = static_cast<size_t>(exponent + 1);
  return out.append(mantissa, 0, whole).append(".").append(mantissa, whole);
}

std::string IntegerText(WideInt value) {
  if (value >= 0 && value > INT64_MAX) return std::to_string(static_cast<uint64_t>(value));
  return std::to_string(static_cast<int64_t>(value));
}

void AppendStr(RenderContext& context, std::string& out, const Value& value) {
  if (value.string()) {
    out.append(value.text());
  } else if (!value.undefined()) {
    AppendRepr(context, out, value);
  }
}

std::string Str(RenderContext& context, const Value& value) {
  std::string out;
  AppendStr(context, out, value);
  return out;
}

std::string_view StrIn(RenderContext& context, const Value& value) {
  if (value.string()) return value.text();
  return context.arena().Copy(Str(context, value));
}

void AppendRepr(RenderContext& context, std::string& out, const Value& value, int depth) {
  if (depth > kDepthMax) {
    out.append("...");
    return;
  }
  // A value is written as often as it occurs: the text may be far longer than what is in memory.
  const size_t own_bytes = value.string() ? value.text().size() : 0;
  if (!context.Spend(1 + static_cast<int64_t>(own_bytes >> 3)) ||
      !context.arena().Fits(out.size())) {
    context.Spend(context.limits().steps_max);
    return;
  }
  switch (value.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined:
      out.append("Undefined");
      break;
    case Kind::kNone:
      out.append("None");
      break;
    case Kind::kBool:
      out.append(value.bool_value() ? "True" : "False");
      break;
    case Kind::kInt:
    case Kind::kBigInt:
      out.append(IntegerText(value.integer()));
      break;
    case Kind::kFloat:
      out.append(FloatRepr(value.real()));
      break;
    case Kind::kString:
      if (value.markup()) out.append("Markup(");
      AppendStringRepr(out, value.text());
      if (value.markup()) out.append(")");
      break;
    case Kind::kList:
      out.push_back('[');
      AppendItems(context, out, value.items(), depth);
      out.push_back(']');
      break;
    case Kind::kTuple:
      out.push_back('(');
      AppendItems(context, out, value.items(), depth);
      out.append(value.items().size() == 1 ? ",)" : ")");
      break;
    case Kind::kDict:
      AppendDict(context, out, value.dict(), depth);
      break;
    case Kind::kDictView:
      AppendView(context, out, value, depth);
      break;
    case Kind::kRange:
      AppendRange(out, value.range());
      break;
    case Kind::kNamespace: {
      const NamespaceObject& object = value.name_space();
      out.append("<Namespace ");
      AppendDict(context, out, Dict{object.entries, object.size, nullptr, 0}, depth);
      out.push_back('>');
      break;
    }
    default:
      AppendObject(out, value);
  }
}

std::string ScalarRepr(const Value& value) {
  if (value.number())
    return value.is(Kind::kFloat) ? FloatRepr(value.real()) : IntegerText(value.integer());
  std::string out;
  if (value.string()) AppendStringRepr(out, value.text());
  return value.string() ? out : "...";
}

std::string Repr(RenderContext& context, const Value& value) {
  std::string out;
  AppendRepr(context, out, value);
  return out;
}

}  // namespace baton::frontend::internal
