#include "frontend/chat/evaluator.h"

#include <algorithm>

#include "common/base/status_macros.h"
#include "frontend/chat/loop_state.h"
#include "frontend/chat/operators.h"
#include "frontend/chat/python_repr.h"

namespace baton::frontend::internal {
namespace {

// As Python's repr: the body of a call block has no name.
std::string QuotedName(const MacroStatement& macro) {
  return macro.name.empty() ? "None" : "'" + macro.name + "'";
}

void Empty(Activation& activation, const SlotRange& range) {
  for (size_t slot = range.first; slot < range.last; ++slot) activation.slots[slot] = Value();
}

}  // namespace

// Counts one level of nesting while it lives; status() is an error past the limit.
class Evaluator::DepthGuard {
 public:
  explicit DepthGuard(RenderContext& context) : context_(context) { ++context_.depth; }
  ~DepthGuard() { --context_.depth; }
  absl::Status status() const {
    if (context_.depth <= context_.limits().depth_max) return context_.Charge(1);
    return PythonError("RecursionError", {"maximum recursion depth exceeded"});
  }

 private:
  RenderContext& context_;
};

// Evaluates the `if` of a loop for one item, in slots of its own.
class Evaluator::ConditionFilter final : public LoopFilter {
 public:
  ConditionFilter(Evaluator& evaluator, const ForStatement& loop, Activation& activation)
      : evaluator_(evaluator), loop_(loop), activation_(activation) {}

  absl::StatusOr<bool> Passes(const Value& item) override {
    Empty(activation_, loop_.condition_slots);
    RETURN_IF_ERROR(evaluator_.Assign(loop_.condition_target, item, activation_));
    ASSIGN_OR_RETURN(const Value passes, evaluator_.Evaluate(*loop_.condition, activation_));
    return Truthy(passes);
  }

 private:
  Evaluator& evaluator_;
  const ForStatement& loop_;
  Activation& activation_;
};

absl::StatusOr<std::string> Evaluator::Run() {
  std::string text;
  output_ = &text;
  Activation* root = NewActivation(tree_.slot_count, nullptr);
  RETURN_IF_ERROR(ExecuteBody(tree_.body, *root).status());
  RETURN_IF_ERROR(context_.Charge(0));  // a walk that stopped at the end of the budget was the last
  return text;
}

Activation* Evaluator::NewActivation(size_t slot_count, Activation* parent) {
  Value* slots = context_.arena().AllocateArray<Value>(slot_count);
  std::fill_n(slots, slot_count, Value());
  return context_.arena().New<Activation>(Activation{parent, {slots, slot_count}});
}

absl::Status Evaluator::Write(std::string_view text) {
  if (output_->size() + text.size() > context_.limits().output_bytes_max) {
    return PythonError("limit exceeded",
                       {"the template writes more than ",
                        std::to_string(context_.limits().output_bytes_max), " bytes"});
  }
  output_->append(text);
  return absl::OkStatus();
}

absl::Status Evaluator::WriteValue(const Value& value) {
  if (value.string()) return Write(value.text());
  if (value.undefined()) return absl::OkStatus();
  return Write(Str(context_, value));
}

absl::StatusOr<Evaluator::Flow> Evaluator::ExecuteBody(const Body& body, Activation& activation) {
  const DepthGuard guard(context_);
  RETURN_IF_ERROR(guard.status());
  for (const StatementPtr& statement : body) {
    context_.line = statement->line;
    ASSIGN_OR_RETURN(const Flow flow, Execute(*statement, activation));
    if (flow != Flow::kNormal) return flow;
  }
  return Flow::kNormal;
}

absl::StatusOr<Evaluator::Flow> Evaluator::Execute(const Statement& statement,
                                                   Activation& activation) {
  switch (statement.kind) {
    case StatementKind::kOutput:
      RETURN_IF_ERROR(ExecuteOutput(static_cast<const OutputStatement&>(statement), activation));
      return Flow::kNormal;
    case StatementKind::kFor: {
      const auto& loop = static_cast<const ForStatement&>(statement);
      ASSIGN_OR_RETURN(const Value iterable, Evaluate(*loop.iterable, activation));
      return ExecuteFor(loop, iterable, 0, activation);
    }
    case StatementKind::kIf:
      return ExecuteIf(static_cast<const IfStatement&>(statement), activation);
    case StatementKind::kSet: {
      const auto& assignment = static_cast<const SetStatement&>(statement);
      ASSIGN_OR_RETURN(const Value value, Evaluate(*assignment.value, activation));
      RETURN_IF_ERROR(Assign(assignment.target, value, activation));
      return Flow::kNormal;
    }
    case StatementKind::kSetBlock:
      return ExecuteSetBlock(static_cast<const SetBlockStatement&>(statement), activation);
    case StatementKind::kMacro: {
      const auto& macro = static_cast<const MacroStatement&>(statement);
      const auto* closure = context_.arena().New<MacroClosure>(MacroClosure{&macro, &activation});
      RETURN_IF_ERROR(Assign(macro.target, Value::Of(closure), activation));
      return Flow::kNormal;
    }
    case StatementKind::kCallBlock:
      RETURN_IF_ERROR(
          ExecuteCallBlock(static_cast<const CallBlockStatement&>(statement), activation));
      return Flow::kNormal;
    case StatementKind::kFilterBlock:
      return ExecuteFilterBlock(static_cast<const FilterBlockStatement&>(statement), activation);
    case StatementKind::kWith:
      return ExecuteWith(static_cast<const WithStatement&>(statement), activation);
    case StatementKind::kScope: {
      const auto& scope = static_cast<const ScopeStatement&>(statement);
      Empty(activation, scope.slots);
      return ExecuteBody(scope.body, activation);
    }
    case StatementKind::kBreak:
      return Flow::kBreak;
    case StatementKind::kContinue:
      return Flow::kContinue;
  }
  return Flow::kNormal;
}

absl::Status Evaluator::ExecuteOutput(const OutputStatement& output, Activation& activation) {
  for (const OutputPart& part : output.parts) {
    if (part.expression == nullptr) {
      RETURN_IF_ERROR(Write(part.text));
      continue;
    }
    ASSIGN_OR_RETURN(const Value value, Evaluate(*part.expression, activation));
    RETURN_IF_ERROR(WriteValue(value));
  }
  return absl::OkStatus();
}

absl::StatusOr<Evaluator::Flow> Evaluator::ExecuteIf(const IfStatement& branch,
                                                     Activation& activation) {
  for (const auto& [condition, body] : branch.branches) {
    ASSIGN_OR_RETURN(const Value holds, Evaluate(*condition, activation));
    if (Truthy(holds)) return ExecuteBody(body, activation);
  }
  return ExecuteBody(branch.otherwise, activation);
}

absl::StatusOr<Evaluator::Flow> Evaluator::ExecuteFor(const ForStatement& loop,
                                                      const Value& iterable, int depth0,
                                                      Activation& activation) {
  ASSIGN_OR_RETURN(const Cursor cursor, Cursor::Over(iterable));
  ConditionFilter* filter = nullptr;
  if (loop.condition != nullptr) {
    filter = context_.arena().New<ConditionFilter>(*this, loop, activation);
  }
  auto* state =
      context_.arena().New<LoopState>(iterable, cursor, filter, &loop, &activation, depth0);
  bool finished_one = false;
  while (true) {
    ASSIGN_OR_RETURN(const Value item, state->Advance(context_));
    if (item.missing()) break;
    Empty(activation, loop.slots);
    if (loop.loop_slot >= 0)
      activation.slots[static_cast<size_t>(loop.loop_slot)] = Value::Of(state);
    RETURN_IF_ERROR(Assign(loop.target, item, activation));
    ASSIGN_OR_RETURN(const Flow flow, ExecuteBody(loop.body, activation));
    if (flow == Flow::kBreak) break;
    // As in Jinja, an iteration that `continue` cut short does not count against the else branch.
    if (flow == Flow::kNormal) finished_one = true;
  }
  if (finished_one || loop.otherwise.empty()) return Flow::kNormal;
  Empty(activation, loop.otherwise_slots);
  return ExecuteBody(loop.otherwise, activation);
}

absl::StatusOr<Evaluator::Captured> Evaluator::Capture(const Body& body, Activation& activation) {
  std::string text;
  std::string* const outer = output_;
  output_ = &text;
  const absl::StatusOr<Flow> flow = ExecuteBody(body, activation);
  output_ = outer;
  RETURN_IF_ERROR(flow.status());
  return Captured{Value::String(context_.arena().Copy(text)), *flow};
}

absl::StatusOr<Evaluator::Flow> Evaluator::ExecuteSetBlock(const SetBlockStatement& block,
                                                           Activation& activation) {
  Empty(activation, block.slots);
  ASSIGN_OR_RETURN(const Captured captured, Capture(block.body, activation));
  if (captured.flow != Flow::kNormal) return captured.flow;
  Value value = captured.text;
  if (block.filter != nullptr) {
    filter_input_ = value;
    ASSIGN_OR_RETURN(value, Evaluate(*block.filter, activation));
  }
  RETURN_IF_ERROR(Assign(block.target, value, activation));
  return Flow::kNormal;
}

absl::StatusOr<Evaluator::Flow> Evaluator::ExecuteWith(const WithStatement& with,
                                                       Activation& activation) {
  std::vector<Value> values;
  for (const auto& [target, expression] : with.bindings) {
    ASSIGN_OR_RETURN(const Value value, Evaluate(*expression, activation));
    values.push_back(value);
  }
  Empty(activation, with.slots);
  for (size_t i = 0; i < values.size(); ++i) {
    RETURN_IF_ERROR(Assign(with.bindings[i].first, values[i], activation));
  }
  return ExecuteBody(with.body, activation);
}

absl::Status Evaluator::ExecuteCallBlock(const CallBlockStatement& block, Activation& activation) {
  const auto* closure =
      context_.arena().New<MacroClosure>(MacroClosure{block.caller.get(), &activation});
  ASSIGN_OR_RETURN(const Value text, EvaluateCall(*block.call, activation, Value::Of(closure)));
  return WriteValue(text);
}

absl::StatusOr<Evaluator::Flow> Evaluator::ExecuteFilterBlock(const FilterBlockStatement& block,
                                                              Activation& activation) {
  Empty(activation, block.slots);
  ASSIGN_OR_RETURN(const Captured captured, Capture(block.body, activation));
  if (captured.flow != Flow::kNormal) return captured.flow;
  filter_input_ = captured.text;
  ASSIGN_OR_RETURN(const Value text, Evaluate(*block.filter, activation));
  if (!text.string()) {
    return TypeError({"sequence item 0: expected str instance, ", TypeName(text), " found"});
  }
  RETURN_IF_ERROR(Write(text.text()));
  return Flow::kNormal;
}

absl::Status Evaluator::Assign(const Target& target, const Value& value, Activation& activation) {
  switch (target.kind) {
    case Target::Kind::kName:
      activation.slots[target.slot] = value;
      return absl::OkStatus();
    case Target::Kind::kAttribute: {
      const Value object = LookUp(*target.object, activation);
      if (!object.is(Kind::kNamespace)) {
        return PythonError("TemplateRuntimeError",
                           {"cannot assign attribute on non-namespace object"});
      }
      object.name_space().Set(context_.arena(), target.attribute, value);
      return absl::OkStatus();
    }
    case Target::Kind::kTuple: {
      absl::StatusOr<Cursor> cursor = Cursor::Over(value);
      if (!cursor.ok()) {
        return TypeError({"cannot unpack non-iterable ", TypeName(value), " object"});
      }
      const std::string wanted = std::to_string(target.parts.size());
      for (size_t i = 0; i < target.parts.size(); ++i) {
        ASSIGN_OR_RETURN(const Value item, cursor->Next(context_));
        if (item.missing()) {
          return ValueError(
              {"not enough values to unpack (expected ", wanted, ", got ", std::to_string(i), ")"});
        }
        RETURN_IF_ERROR(Assign(target.parts[i], item, activation));
      }
      ASSIGN_OR_RETURN(const Value extra, cursor->Next(context_));
      if (extra.missing()) return absl::OkStatus();
      return ValueError({"too many values to unpack (expected ", wanted, ")"});
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Value> Evaluator::Call(const Value& callee, const Arguments& arguments) {
  switch (callee.kind()) {
    case Kind::kFunction:
      return callee.function().call(context_, callee.function().state, arguments);
    case Kind::kMacro:
      return CallMacro(callee.macro(), arguments);
    case Kind::kMethod:
      return CallMethod(context_, *callee.method().method, callee.method().self, arguments);
    case Kind::kLoop:
      return CallLoop(callee.loop(), arguments);
    case Kind::kUndefined:
      return UndefinedError(callee);
    default:
      return TypeError({"'", TypeName(callee), "' object is not callable"});
  }
}

absl::StatusOr<Value> Evaluator::CallLoop(LoopState& loop, const Arguments& arguments) {
  if (!loop.statement->recursive) {
    return TypeError({"The loop must have the 'recursive' marker to be called recursively."});
  }
  Value iterable;
  RETURN_IF_ERROR(BindArguments("loop", arguments, {"iterable"}, 1, absl::MakeSpan(&iterable, 1)));
  const DepthGuard guard(context_);
  RETURN_IF_ERROR(guard.status());
  // The inner run uses the slots of the outer one, which goes on afterwards.
  Activation& activation = *loop.activation;
  const std::vector<Value> saved(activation.slots.begin(), activation.slots.end());
  std::string text;
  std::string* const outer = output_;
  output_ = &text;
  const absl::Status status =
      ExecuteFor(*loop.statement, iterable, loop.depth0 + 1, activation).status();
  output_ = outer;
  std::copy(saved.begin(), saved.end(), activation.slots.begin());
  RETURN_IF_ERROR(status);
  return Value::String(context_.arena().Copy(text));
}

absl::StatusOr<Value> Evaluator::CallMacro(const MacroClosure& closure,
                                           const Arguments& arguments) {
  const MacroStatement& macro = *closure.macro;
  Activation* activation = NewActivation(macro.slot_count, closure.defined_in);
  RETURN_IF_ERROR(BindMacro(macro, arguments, *activation));
  RETURN_IF_ERROR(FillDefaults(macro, *activation));
  ASSIGN_OR_RETURN(const Captured captured, Capture(macro.body, *activation));
  return captured.text;
}

absl::Status Evaluator::BindMacro(const MacroStatement& macro, const Arguments& arguments,
                                  Activation& activation) {
  const size_t count = macro.parameters.size();
  const size_t given = std::min(count, arguments.positional.size());
  std::copy_n(arguments.positional.begin(), given, activation.slots.begin());
  DictBuilder unknown(context_, macro.kwargs_slot >= 0 ? arguments.keyword.size() : 0);
  for (const KeywordArgument& keyword : arguments.keyword) {
    const auto parameter = std::find(macro.parameters.begin() + static_cast<ptrdiff_t>(given),
                                     macro.parameters.end(), keyword.name);
    if (parameter != macro.parameters.end()) {
      activation.slots[static_cast<size_t>(parameter - macro.parameters.begin())] = keyword.value;
    } else if (macro.caller_slot >= 0 && keyword.name == "caller") {
      activation.slots[static_cast<size_t>(macro.caller_slot)] = keyword.value;
    } else if (macro.kwargs_slot >= 0) {
      unknown.Set(Value::String(keyword.name), keyword.value);
    } else {
      return TypeError(
          {"macro ", QuotedName(macro), " takes no keyword argument '", keyword.name, "'"});
    }
  }
  if (macro.kwargs_slot >= 0)
    activation.slots[static_cast<size_t>(macro.kwargs_slot)] = unknown.Build();
  if (macro.varargs_slot >= 0) {
    const size_t extra = arguments.positional.size() - given;
    Value* items = context_.arena().AllocateArray<Value>(extra);
    std::copy(arguments.positional.begin() + static_cast<ptrdiff_t>(given),
              arguments.positional.end(), items);
    activation.slots[static_cast<size_t>(macro.varargs_slot)] = Value::Tuple({items, extra});
  } else if (arguments.positional.size() > count) {
    return TypeError({"macro ", QuotedName(macro), " takes not more than ", std::to_string(count),
                      " argument(s)"});
  }
  return absl::OkStatus();
}

absl::Status Evaluator::FillDefaults(const MacroStatement& macro, Activation& activation) {
  const size_t count = macro.parameters.size();
  const size_t without_default = count - macro.defaults.size();
  for (size_t i = 0; i < count; ++i) {
    if (!activation.slots[i].missing()) continue;
    if (i < without_default) {
      activation.slots[i] = MakeUndefinedHint(
          context_, Joined({"parameter '", macro.parameters[i], "' was not provided"}));
    } else {
      ASSIGN_OR_RETURN(activation.slots[i],
                       Evaluate(*macro.defaults[i - without_default], activation));
    }
  }
  if (macro.caller_slot >= 0 &&
      activation.slots[static_cast<size_t>(macro.caller_slot)].missing()) {
    activation.slots[static_cast<size_t>(macro.caller_slot)] =
        MakeUndefinedHint(context_, "No caller defined");
  }
  return absl::OkStatus();
}

}  // namespace baton::frontend::internal
