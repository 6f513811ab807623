// Runs a compiled template: statements write text, expressions make values.
//
//   Evaluator evaluator(context, tree, variables);
//   ASSIGN_OR_RETURN(std::string text, evaluator.Run());
//
// `variables[i]` is the value of tree.context_names[i], kMissing when the render has none.
//
// Threading: owned by the render. Ownership: borrows everything for the call.
// Errors:    INVALID_ARGUMENT; RenderContext::line says where.
#pragma once

#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "frontend/chat/ast.h"
#include "frontend/chat/render_context.h"

namespace baton::frontend::internal {

class Evaluator {
 public:
  Evaluator(RenderContext& context, const TemplateTree& tree, absl::Span<const Value> variables)
      : context_(context), tree_(tree), variables_(variables) {}

  absl::StatusOr<std::string> Run();

 private:
  // How a statement ended.
  enum class Flow { kNormal, kBreak, kContinue };
  struct Captured {
    Value text;
    Flow flow;  // not normal: the loop around goes on without the text
  };
  class ConditionFilter;
  class DepthGuard;

  // The arguments of a call after evaluation.
  struct EvaluatedArguments {
    absl::InlinedVector<Value, 6> positional;
    absl::InlinedVector<KeywordArgument, 4> keyword;
    Arguments view() const { return Arguments{positional, keyword}; }
  };

  // Statements.
  absl::StatusOr<Flow> ExecuteBody(const Body& body, Activation& activation);
  absl::StatusOr<Flow> Execute(const Statement& statement, Activation& activation);
  absl::Status ExecuteOutput(const OutputStatement& output, Activation& activation);
  absl::StatusOr<Flow> ExecuteIf(const IfStatement& branch, Activation& activation);
  absl::StatusOr<Flow> ExecuteFor(const ForStatement& loop, const Value& iterable, int depth0,
                                  Activation& activation);
  absl::StatusOr<Flow> ExecuteSetBlock(const SetBlockStatement& block, Activation& activation);
  absl::StatusOr<Flow> ExecuteWith(const WithStatement& with, Activation& activation);
  absl::Status ExecuteCallBlock(const CallBlockStatement& block, Activation& activation);
  absl::StatusOr<Flow> ExecuteFilterBlock(const FilterBlockStatement& block,
                                          Activation& activation);
  absl::Status Assign(const Target& target, const Value& value, Activation& activation);
  // Runs `body` and returns what it wrote.
  absl::StatusOr<Captured> Capture(const Body& body, Activation& activation);
  absl::Status Write(std::string_view text);
  absl::Status WriteValue(const Value& value);

  // Expressions.
  absl::StatusOr<Value> Evaluate(const Expression& node, Activation& activation);
  absl::StatusOr<Value> EvaluateInner(const Expression& node, Activation& activation);
  Value LookUp(const NameExpression& name, Activation& activation);
  absl::StatusOr<Value> EvaluateSlice(const SliceExpression& slice, Activation& activation);
  absl::StatusOr<Value> EvaluateCompare(const CompareExpression& compare, Activation& activation);
  absl::StatusOr<Value> EvaluateConcat(const OperandsExpression& concat, Activation& activation);
  absl::StatusOr<Value> EvaluateOperands(const OperandsExpression& node, Activation& activation);
  absl::StatusOr<Value> EvaluateConditional(const ConditionalExpression& node,
                                            Activation& activation);
  absl::StatusOr<Value> EvaluateDict(const DictExpression& node, Activation& activation);
  absl::StatusOr<Value> EvaluateFilter(const FilterExpression& filter, Activation& activation);
  absl::StatusOr<Value> EvaluateTest(const TestExpression& test, Activation& activation);
  absl::StatusOr<Value> EvaluateCall(const CallExpression& call, Activation& activation,
                                     const Value& caller);
  absl::Status EvaluateArguments(const CallArguments& arguments, Activation& activation,
                                 EvaluatedArguments& out);

  // Calls.
  absl::StatusOr<Value> Call(const Value& callee, const Arguments& arguments);
  absl::StatusOr<Value> CallMacro(const MacroClosure& closure, const Arguments& arguments);
  absl::Status BindMacro(const MacroStatement& macro, const Arguments& arguments,
                         Activation& activation);
  absl::Status FillDefaults(const MacroStatement& macro, Activation& activation);
  absl::StatusOr<Value> CallLoop(LoopState& loop, const Arguments& arguments);
  Activation* NewActivation(size_t slot_count, Activation* parent);

  RenderContext& context_;
  const TemplateTree& tree_;
  const absl::Span<const Value> variables_;
  std::string* output_ = nullptr;
  Value filter_input_;  // the text that a filter block or set block hands to its filters
};

}  // namespace baton::frontend::internal
