// The expression half of Evaluator.
#include <algorithm>
#include <vector>

#include "common/base/status_macros.h"
#include "frontend/chat/evaluator.h"
#include "frontend/chat/operators.h"
#include "frontend/chat/python_repr.h"
#include "frontend/chat/value_objects.h"

namespace baton::frontend::internal {

absl::StatusOr<Value> Evaluator::Evaluate(const Expression& node, Activation& activation) {
  if (node.kind == ExpressionKind::kConstant) {
    return static_cast<const ConstantExpression&>(node).value;
  }
  if (node.kind == ExpressionKind::kName) {
    RETURN_IF_ERROR(context_.Charge(1));
    return LookUp(static_cast<const NameExpression&>(node), activation);
  }
  context_.line = node.line;
  if (++context_.depth > context_.limits().depth_max) {
    return PythonError("RecursionError", {"maximum recursion depth exceeded"});
  }
  RETURN_IF_ERROR(context_.Charge(1));
  absl::StatusOr<Value> value = EvaluateInner(node, activation);
  --context_.depth;
  return value;
}

absl::StatusOr<Value> Evaluator::EvaluateInner(const Expression& node, Activation& activation) {
  switch (node.kind) {
    case ExpressionKind::kAttribute: {
      const auto& attribute = static_cast<const AttributeExpression&>(node);
      ASSIGN_OR_RETURN(const Value object, Evaluate(*attribute.object, activation));
      return GetAttribute(context_, object, attribute.name, attribute.methods);
    }
    case ExpressionKind::kItem: {
      const auto& item = static_cast<const ItemExpression&>(node);
      ASSIGN_OR_RETURN(const Value object, Evaluate(*item.object, activation));
      ASSIGN_OR_RETURN(const Value index, Evaluate(*item.index, activation));
      return GetItem(context_, object, index);
    }
    case ExpressionKind::kSlice:
      return EvaluateSlice(static_cast<const SliceExpression&>(node), activation);
    case ExpressionKind::kCall:
      return EvaluateCall(static_cast<const CallExpression&>(node), activation, Value());
    case ExpressionKind::kFilter:
      return EvaluateFilter(static_cast<const FilterExpression&>(node), activation);
    case ExpressionKind::kTest:
      return EvaluateTest(static_cast<const TestExpression&>(node), activation);
    case ExpressionKind::kBinary: {
      const auto& binary = static_cast<const BinaryExpression&>(node);
      ASSIGN_OR_RETURN(const Value left, Evaluate(*binary.left, activation));
      ASSIGN_OR_RETURN(const Value right, Evaluate(*binary.right, activation));
      return Apply(context_, binary.op, left, right);
    }
    case ExpressionKind::kCompare:
      return EvaluateCompare(static_cast<const CompareExpression&>(node), activation);
    case ExpressionKind::kConditional:
      return EvaluateConditional(static_cast<const ConditionalExpression&>(node), activation);
    case ExpressionKind::kDict:
      return EvaluateDict(static_cast<const DictExpression&>(node), activation);
    case ExpressionKind::kConcat:
      return EvaluateConcat(static_cast<const OperandsExpression&>(node), activation);
    default:
      return EvaluateOperands(static_cast<const OperandsExpression&>(node), activation);
  }
}

Value Evaluator::LookUp(const NameExpression& name, Activation& activation) {
  for (const SlotReference& reference : name.slots) {
    Activation* owner = &activation;
    for (uint16_t up = reference.up; up > 0; --up) owner = owner->parent;
    const Value& value = owner->slots[reference.slot];
    if (!value.missing()) return value;
  }
  const Value& value = variables_[name.context_index];
  if (!value.missing()) return value;
  return MakeUndefined(context_, Value(), Value::String(name.name));
}

absl::StatusOr<Value> Evaluator::EvaluateSlice(const SliceExpression& slice,
                                               Activation& activation) {
  ASSIGN_OR_RETURN(const Value object, Evaluate(*slice.object, activation));
  const ExpressionPtr* const parts[3] = {&slice.start, &slice.stop, &slice.step};
  Value bounds[3];
  for (int i = 0; i < 3; ++i) {
    if (*parts[i] == nullptr) continue;
    ASSIGN_OR_RETURN(bounds[i], Evaluate(**parts[i], activation));
  }
  return GetSlice(context_, object, bounds[0], bounds[1], bounds[2]);
}

absl::StatusOr<Value> Evaluator::EvaluateCompare(const CompareExpression& compare,
                                                 Activation& activation) {
  ASSIGN_OR_RETURN(Value left, Evaluate(*compare.first, activation));
  for (const auto& [comparison, operand] : compare.rest) {
    ASSIGN_OR_RETURN(const Value right, Evaluate(*operand, activation));
    ASSIGN_OR_RETURN(const bool holds, Compare(context_, comparison, left, right));
    if (!holds) return Value::Bool(false);
    left = right;
  }
  return Value::Bool(true);
}

absl::StatusOr<Value> Evaluator::EvaluateConcat(const OperandsExpression& concat,
                                                Activation& activation) {
  ASSIGN_OR_RETURN(const Value first, Evaluate(*concat.operands[0], activation));
  std::string_view text = StrIn(context_, first);
  for (size_t i = 1; i < concat.operands.size(); ++i) {
    ASSIGN_OR_RETURN(const Value next, Evaluate(*concat.operands[i], activation));
    const std::string_view more = StrIn(context_, next);
    RETURN_IF_ERROR(context_.ChargeText(more.size()));
    text = context_.arena().Concat(text, more);
  }
  return Value::String(text);
}

absl::StatusOr<Value> Evaluator::EvaluateOperands(const OperandsExpression& node,
                                                  Activation& activation) {
  if (node.kind == ExpressionKind::kList || node.kind == ExpressionKind::kTuple) {
    const size_t count = node.operands.size();
    Value* items = context_.arena().AllocateArray<Value>(count);
    for (size_t i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(items[i], Evaluate(*node.operands[i], activation));
    }
    return node.kind == ExpressionKind::kList ? Value::List({items, count})
                                              : Value::Tuple({items, count});
  }
  ASSIGN_OR_RETURN(const Value first, Evaluate(*node.operands[0], activation));
  switch (node.kind) {
    case ExpressionKind::kAnd:
      return Truthy(first) ? Evaluate(*node.operands[1], activation) : first;
    case ExpressionKind::kOr:
      return Truthy(first) ? first : Evaluate(*node.operands[1], activation);
    case ExpressionKind::kNot:
      return Value::Bool(!Truthy(first));
    case ExpressionKind::kNegate:
      return Negate(first);
    default:
      return Posate(first);
  }
}

absl::StatusOr<Value> Evaluator::EvaluateConditional(const ConditionalExpression& node,
                                                     Activation& activation) {
  ASSIGN_OR_RETURN(const Value condition, Evaluate(*node.condition, activation));
  if (Truthy(condition)) return Evaluate(*node.when_true, activation);
  if (node.when_false != nullptr) return Evaluate(*node.when_false, activation);
  return MakeUndefinedHint(context_,
                           Joined({"the inline if-expression on line ", std::to_string(node.line),
                                   " evaluated to false and no else section was defined."}));
}

absl::StatusOr<Value> Evaluator::EvaluateDict(const DictExpression& node, Activation& activation) {
  DictBuilder dict(context_, node.entries.size());
  for (const auto& [key_node, value_node] : node.entries) {
    ASSIGN_OR_RETURN(const Value key, Evaluate(*key_node, activation));
    ASSIGN_OR_RETURN(const Value value, Evaluate(*value_node, activation));
    if (!Hashable(context_, key)) return TypeError({"unhashable type: '", TypeName(key), "'"});
    dict.Set(key, value);
  }
  return dict.Build();
}

absl::StatusOr<Value> Evaluator::EvaluateFilter(const FilterExpression& filter,
                                                Activation& activation) {
  Value input = filter_input_;
  if (filter.input != nullptr) {
    ASSIGN_OR_RETURN(input, Evaluate(*filter.input, activation));
  }
  if (filter.function == nullptr) {
    return PythonError("TemplateRuntimeError", {"No filter named '", filter.name, "' found."});
  }
  EvaluatedArguments arguments;
  RETURN_IF_ERROR(EvaluateArguments(filter.arguments, activation, arguments));
  return filter.function(context_, input, arguments.view());
}

absl::StatusOr<Value> Evaluator::EvaluateTest(const TestExpression& test, Activation& activation) {
  ASSIGN_OR_RETURN(const Value input, Evaluate(*test.input, activation));
  if (test.function == nullptr) {
    return PythonError("TemplateRuntimeError", {"No test named '", test.name, "' found."});
  }
  EvaluatedArguments arguments;
  RETURN_IF_ERROR(EvaluateArguments(test.arguments, activation, arguments));
  ASSIGN_OR_RETURN(const bool holds, test.function(context_, input, arguments.view()));
  return Value::Bool(holds);
}

absl::StatusOr<Value> Evaluator::EvaluateCall(const CallExpression& call, Activation& activation,
                                              const Value& caller) {
  EvaluatedArguments arguments;
  Value callee;
  if (call.callee->kind == ExpressionKind::kAttribute) {
    const auto& attribute = static_cast<const AttributeExpression&>(*call.callee);
    ASSIGN_OR_RETURN(const Value object, Evaluate(*attribute.object, activation));
    // The usual method call needs no bound method.
    const Method* method = nullptr;
    if (attribute.methods != nullptr && !attribute.methods->Hidden(object)) {
      method = attribute.methods->For(object);
    }
    if (method != nullptr && caller.missing()) {
      RETURN_IF_ERROR(EvaluateArguments(call.arguments, activation, arguments));
      context_.line = call.line;
      return CallMethod(context_, *method, object, arguments.view());
    }
    ASSIGN_OR_RETURN(callee, GetAttribute(context_, object, attribute.name, attribute.methods));
  } else {
    ASSIGN_OR_RETURN(callee, Evaluate(*call.callee, activation));
  }
  RETURN_IF_ERROR(EvaluateArguments(call.arguments, activation, arguments));
  if (!caller.missing()) arguments.keyword.push_back(KeywordArgument{"caller", caller});
  context_.line = call.line;
  return Call(callee, arguments.view());
}

absl::Status Evaluator::EvaluateArguments(const CallArguments& arguments, Activation& activation,
                                          EvaluatedArguments& out) {
  for (const ExpressionPtr& node : arguments.positional) {
    ASSIGN_OR_RETURN(const Value value, Evaluate(*node, activation));
    out.positional.push_back(value);
  }
  for (const auto& [name, node] : arguments.keyword) {
    ASSIGN_OR_RETURN(const Value value, Evaluate(*node, activation));
    out.keyword.push_back(KeywordArgument{name, value});
  }
  if (arguments.star != nullptr) {
    ASSIGN_OR_RETURN(const Value more, Evaluate(*arguments.star, activation));
    ASSIGN_OR_RETURN(const absl::Span<const Value> items, Collect(context_, more));
    out.positional.insert(out.positional.end(), items.begin(), items.end());
  }
  if (arguments.star_star != nullptr) {
    ASSIGN_OR_RETURN(const Value more, Evaluate(*arguments.star_star, activation));
    if (!more.is(Kind::kDict)) {
      return TypeError({"argument after ** must be a mapping, not ", TypeName(more)});
    }
    for (uint32_t i = 0; i < more.dict().size; ++i) {
      const DictEntry& entry = more.dict().entries[i];
      if (!entry.key.string()) return TypeError({"keywords must be strings"});
      out.keyword.push_back(KeywordArgument{entry.key.text(), entry.value});
    }
  }
  return absl::OkStatus();
}

}  // namespace baton::frontend::internal
