#include "frontend/chat/ast_walk.h"

namespace baton::frontend::internal {
namespace {

using ExpressionVisitor = std::function<void(Expression&)>;

void Visit(const ExpressionPtr& node, const ExpressionVisitor& visit) {
  if (node != nullptr) visit(*node);
}

void VisitArguments(CallArguments& arguments, const ExpressionVisitor& visit) {
  for (const ExpressionPtr& argument : arguments.positional) Visit(argument, visit);
  for (const auto& [name, argument] : arguments.keyword) Visit(argument, visit);
  Visit(arguments.star, visit);
  Visit(arguments.star_star, visit);
}

template <typename Node>
void VisitFiltered(Expression& node, const ExpressionVisitor& visit) {
  auto& filtered = static_cast<Node&>(node);
  Visit(filtered.input, visit);
  VisitArguments(filtered.arguments, visit);
}

void VisitTarget(Target& target, const ExpressionVisitor& visit) {
  if (target.object != nullptr) visit(*target.object);
  for (Target& part : target.parts) VisitTarget(part, visit);
}

}  // namespace

void ForEachChild(Expression& node, const ExpressionVisitor& visit) {
  switch (node.kind) {
    case ExpressionKind::kConstant:
    case ExpressionKind::kName:
      return;
    case ExpressionKind::kAttribute:
      return Visit(static_cast<AttributeExpression&>(node).object, visit);
    case ExpressionKind::kItem:
      Visit(static_cast<ItemExpression&>(node).object, visit);
      return Visit(static_cast<ItemExpression&>(node).index, visit);
    case ExpressionKind::kSlice: {
      auto& slice = static_cast<SliceExpression&>(node);
      for (const ExpressionPtr* part : {&slice.object, &slice.start, &slice.stop, &slice.step}) {
        Visit(*part, visit);
      }
      return;
    }
    case ExpressionKind::kCall:
      Visit(static_cast<CallExpression&>(node).callee, visit);
      return VisitArguments(static_cast<CallExpression&>(node).arguments, visit);
    case ExpressionKind::kFilter:
      return VisitFiltered<FilterExpression>(node, visit);
    case ExpressionKind::kTest:
      return VisitFiltered<TestExpression>(node, visit);
    case ExpressionKind::kBinary:
      Visit(static_cast<BinaryExpression&>(node).left, visit);
      return Visit(static_cast<BinaryExpression&>(node).right, visit);
    case ExpressionKind::kCompare: {
      auto& compare = static_cast<CompareExpression&>(node);
      Visit(compare.first, visit);
      for (const auto& [comparison, operand] : compare.rest) Visit(operand, visit);
      return;
    }
    case ExpressionKind::kConditional: {
      auto& conditional = static_cast<ConditionalExpression&>(node);
      Visit(conditional.condition, visit);
      Visit(conditional.when_true, visit);
      return Visit(conditional.when_false, visit);
    }
    case ExpressionKind::kDict:
      for (const auto& [key, value] : static_cast<DictExpression&>(node).entries) {
        Visit(key, visit);
        Visit(value, visit);
      }
      return;
    default:
      for (const ExpressionPtr& operand : static_cast<OperandsExpression&>(node).operands) {
        Visit(operand, visit);
      }
  }
}

void ForEachExpression(Statement& statement, const ExpressionVisitor& visit) {
  switch (statement.kind) {
    case StatementKind::kOutput:
      for (const OutputPart& part : static_cast<OutputStatement&>(statement).parts) {
        Visit(part.expression, visit);
      }
      return;
    case StatementKind::kFor:
      Visit(static_cast<ForStatement&>(statement).iterable, visit);
      return Visit(static_cast<ForStatement&>(statement).condition, visit);
    case StatementKind::kIf:
      for (const auto& [condition, body] : static_cast<IfStatement&>(statement).branches) {
        Visit(condition, visit);
      }
      return;
    case StatementKind::kSet:
      Visit(static_cast<SetStatement&>(statement).value, visit);
      return VisitTarget(static_cast<SetStatement&>(statement).target, visit);
    case StatementKind::kSetBlock:
      Visit(static_cast<SetBlockStatement&>(statement).filter, visit);
      return VisitTarget(static_cast<SetBlockStatement&>(statement).target, visit);
    case StatementKind::kMacro:
      for (const ExpressionPtr& value : static_cast<MacroStatement&>(statement).defaults) {
        Visit(value, visit);
      }
      return;
    case StatementKind::kCallBlock: {
      auto& block = static_cast<CallBlockStatement&>(statement);
      visit(*block.call);
      return ForEachExpression(*block.caller, visit);
    }
    case StatementKind::kFilterBlock:
      return Visit(static_cast<FilterBlockStatement&>(statement).filter, visit);
    case StatementKind::kWith:
      for (const auto& [target, value] : static_cast<WithStatement&>(statement).bindings) {
        Visit(value, visit);
      }
      return;
    case StatementKind::kScope:
    case StatementKind::kBreak:
    case StatementKind::kContinue:
      return;
  }
}

void ForEachBody(Statement& statement, const std::function<void(Body&)>& visit) {
  switch (statement.kind) {
    case StatementKind::kFor:
      visit(static_cast<ForStatement&>(statement).body);
      return visit(static_cast<ForStatement&>(statement).otherwise);
    case StatementKind::kIf:
      for (auto& [condition, body] : static_cast<IfStatement&>(statement).branches) visit(body);
      return visit(static_cast<IfStatement&>(statement).otherwise);
    case StatementKind::kSetBlock:
      return visit(static_cast<SetBlockStatement&>(statement).body);
    case StatementKind::kMacro:
      return visit(static_cast<MacroStatement&>(statement).body);
    case StatementKind::kCallBlock:
      return visit(static_cast<CallBlockStatement&>(statement).caller->body);
    case StatementKind::kFilterBlock:
      return visit(static_cast<FilterBlockStatement&>(statement).body);
    case StatementKind::kWith:
      return visit(static_cast<WithStatement&>(statement).body);
    case StatementKind::kScope:
      return visit(static_cast<ScopeStatement&>(statement).body);
    default:
      return;
  }
}

void Walk(const Body& body, const std::function<void(const Statement&)>& on_statement,
          const std::function<void(const Expression&)>& on_expression) {
  const ExpressionVisitor descend = [&](Expression& node) {
    on_expression(node);
    ForEachChild(node, descend);
  };
  for (const StatementPtr& statement : body) {
    if (on_statement) on_statement(*statement);
    if (on_expression) ForEachExpression(*statement, descend);
    ForEachBody(*statement, [&](Body& inner) { Walk(inner, on_statement, on_expression); });
  }
}

}  // namespace baton::frontend::internal
