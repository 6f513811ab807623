// The syntax tree of a template: expressions and statements, with names resolved to slots.
//
// Variables live in numbered slots of an Activation (the template's, or one per macro call). A
// block that opens a scope owns a range of slots, emptied on entry; a name that may be bound in
// several enclosing scopes lists its slots from the inside out, and falls back to the render's
// context. So no lookup by string happens while rendering.
//
// Threading: immutable once the resolver has run. Ownership: a node owns its children.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "frontend/chat/operators.h"
#include "frontend/chat/value.h"

namespace baton::frontend::internal {

// The implementation of a filter or test; the first positional argument is the value.
using FilterFunction = absl::StatusOr<Value> (*)(RenderContext&, const Value&, const Arguments&);
using TestFunction = absl::StatusOr<bool> (*)(RenderContext&, const Value&, const Arguments&);

enum class ExpressionKind : uint8_t {
  kConstant,
  kName,
  kAttribute,
  kItem,
  kSlice,
  kCall,
  kFilter,
  kTest,
  kBinary,
  kCompare,
  kAnd,
  kOr,
  kNot,
  kNegate,
  kPosate,
  kConcat,
  kConditional,
  kList,
  kTuple,
  kDict,
};

struct Expression {
  Expression(ExpressionKind kind, int line) : kind(kind), line(line) {}
  virtual ~Expression() = default;
  const ExpressionKind kind;
  const int line;
  int height = 1;  // of the tree below; bounded by the parser
};
using ExpressionPtr = std::unique_ptr<Expression>;

struct ConstantExpression : Expression {
  ConstantExpression(int line, Value value)
      : Expression(ExpressionKind::kConstant, line), value(value) {}
  ConstantExpression(int line, std::string text_value)
      : Expression(ExpressionKind::kConstant, line), text(std::move(text_value)) {
    value = Value::String(text);
  }
  std::string text;  // what a string value points to
  Value value;
};

// A slot `up` activations outwards.
struct SlotReference {
  uint16_t up;
  uint16_t slot;
};

struct NameExpression : Expression {
  NameExpression(int line, std::string name)
      : Expression(ExpressionKind::kName, line), name(std::move(name)) {}
  std::string name;
  std::vector<SlotReference> slots;  // from the innermost scope outwards
  uint32_t context_index = 0;        // into the context variables of the template
};

struct AttributeExpression : Expression {
  AttributeExpression(int line, ExpressionPtr object, std::string name)
      : Expression(ExpressionKind::kAttribute, line),
        object(std::move(object)),
        name(std::move(name)),
        methods(FindMethods(this->name)) {}
  ExpressionPtr object;
  std::string name;
  const MethodSet* methods;
};

struct ItemExpression : Expression {
  ItemExpression(int line, ExpressionPtr object, ExpressionPtr index)
      : Expression(ExpressionKind::kItem, line),
        object(std::move(object)),
        index(std::move(index)) {}
  ExpressionPtr object;
  ExpressionPtr index;
};

struct SliceExpression : Expression {
  SliceExpression(int line, ExpressionPtr object, ExpressionPtr start, ExpressionPtr stop,
                  ExpressionPtr step)
      : Expression(ExpressionKind::kSlice, line),
        object(std::move(object)),
        start(std::move(start)),
        stop(std::move(stop)),
        step(std::move(step)) {}
  ExpressionPtr object;
  ExpressionPtr start;  // each may be null
  ExpressionPtr stop;
  ExpressionPtr step;
};

struct CallArguments {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> keyword;
  ExpressionPtr star;       // *args, or null
  ExpressionPtr star_star;  // **kwargs, or null
};

struct CallExpression : Expression {
  CallExpression(int line, ExpressionPtr callee, CallArguments arguments)
      : Expression(ExpressionKind::kCall, line),
        callee(std::move(callee)),
        arguments(std::move(arguments)) {}
  ExpressionPtr callee;
  CallArguments arguments;
};

struct FilterExpression : Expression {
  FilterExpression(int line, ExpressionPtr input, std::string name, CallArguments arguments)
      : Expression(ExpressionKind::kFilter, line),
        input(std::move(input)),
        name(std::move(name)),
        arguments(std::move(arguments)) {}
  ExpressionPtr input;  // null: the text of a filter block
  std::string name;
  CallArguments arguments;
  FilterFunction function = nullptr;  // null: unknown, an error when evaluated
};

struct TestExpression : Expression {
  TestExpression(int line, ExpressionPtr input, std::string name, CallArguments arguments)
      : Expression(ExpressionKind::kTest, line),
        input(std::move(input)),
        name(std::move(name)),
        arguments(std::move(arguments)) {}
  ExpressionPtr input;
  std::string name;
  CallArguments arguments;
  TestFunction function = nullptr;
};

struct BinaryExpression : Expression {
  BinaryExpression(int line, BinaryOperator op, ExpressionPtr left, ExpressionPtr right)
      : Expression(ExpressionKind::kBinary, line),
        op(op),
        left(std::move(left)),
        right(std::move(right)) {}
  BinaryOperator op;
  ExpressionPtr left;
  ExpressionPtr right;
};

// a < b <= c: each operand is evaluated once, and only while the chain holds.
struct CompareExpression : Expression {
  CompareExpression(int line, ExpressionPtr first)
      : Expression(ExpressionKind::kCompare, line), first(std::move(first)) {}
  ExpressionPtr first;
  std::vector<std::pair<Comparison, ExpressionPtr>> rest;
};

// `and`, `or` (two operands), `not` and the signs (one), `~`, lists and tuples (any number).
struct OperandsExpression : Expression {
  using Expression::Expression;
  std::vector<ExpressionPtr> operands;
};

struct ConditionalExpression : Expression {
  ConditionalExpression(int line, ExpressionPtr condition, ExpressionPtr when_true,
                        ExpressionPtr when_false)
      : Expression(ExpressionKind::kConditional, line),
        condition(std::move(condition)),
        when_true(std::move(when_true)),
        when_false(std::move(when_false)) {}
  ExpressionPtr condition;
  ExpressionPtr when_true;
  ExpressionPtr when_false;  // may be null
};

struct DictExpression : Expression {
  explicit DictExpression(int line) : Expression(ExpressionKind::kDict, line) {}
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> entries;
};

enum class StatementKind : uint8_t {
  kOutput,
  kFor,
  kIf,
  kSet,
  kSetBlock,
  kMacro,
  kCallBlock,
  kFilterBlock,
  kWith,
  kScope,
  kBreak,
  kContinue,
};

struct Statement {
  Statement(StatementKind kind, int line) : kind(kind), line(line) {}
  virtual ~Statement() = default;
  const StatementKind kind;
  const int line;
};
using StatementPtr = std::unique_ptr<Statement>;
using Body = std::vector<StatementPtr>;

// The slots that a scope owns, [first, last), emptied when it is entered.
struct SlotRange {
  uint16_t first = 0;
  uint16_t last = 0;
};

// What an assignment stores into.
struct Target {
  enum class Kind { kName, kAttribute, kTuple };
  Kind kind = Kind::kName;
  int line = 0;
  std::string name;                        // the variable, or the namespace
  std::string attribute;                   // kAttribute
  std::vector<Target> parts;               // kTuple
  uint16_t slot = 0;                       // kName
  std::unique_ptr<NameExpression> object;  // kAttribute: the namespace
};

struct OutputPart {
  std::string text;          // literal text, when expression is null
  ExpressionPtr expression;  // or a value to print
};

struct OutputStatement : Statement {
  explicit OutputStatement(int line) : Statement(StatementKind::kOutput, line) {}
  std::vector<OutputPart> parts;
};

struct ForStatement : Statement {
  explicit ForStatement(int line) : Statement(StatementKind::kFor, line) {}
  Target target;
  ExpressionPtr iterable;
  ExpressionPtr condition;  // the loop's `if`, or null
  Target condition_target;  // the loop variable as the condition sees it
  bool recursive = false;
  Body body;
  Body otherwise;
  SlotRange slots;            // of the body
  SlotRange condition_slots;  // of the condition
  SlotRange otherwise_slots;
  int loop_slot = -1;  // of the variable `loop`; -1 when the body does not mention it
};

struct IfStatement : Statement {
  explicit IfStatement(int line) : Statement(StatementKind::kIf, line) {}
  std::vector<std::pair<ExpressionPtr, Body>> branches;  // if and elif
  Body otherwise;
};

struct SetStatement : Statement {
  explicit SetStatement(int line) : Statement(StatementKind::kSet, line) {}
  Target target;
  ExpressionPtr value;
};

struct SetBlockStatement : Statement {
  explicit SetBlockStatement(int line) : Statement(StatementKind::kSetBlock, line) {}
  Target target;
  ExpressionPtr filter;  // a chain of filters with a null input at its root, or null
  Body body;
  SlotRange slots;
};

struct MacroStatement : Statement {
  explicit MacroStatement(int line, StatementKind kind = StatementKind::kMacro)
      : Statement(kind, line) {}
  std::string name;
  std::vector<std::string> parameters;  // parameter i lives in slot i
  std::vector<ExpressionPtr> defaults;  // of the last parameters
  Body body;
  Target target;  // where the macro itself is stored
  uint16_t slot_count = 0;
  int varargs_slot = -1;  // -1 when the body does not mention it
  int kwargs_slot = -1;
  int caller_slot = -1;
};

struct CallBlockStatement : Statement {
  explicit CallBlockStatement(int line)
      : Statement(StatementKind::kCallBlock, line),
        caller(std::make_unique<MacroStatement>(line)) {}
  std::unique_ptr<CallExpression> call;
  std::unique_ptr<MacroStatement> caller;  // has no name
};

struct FilterBlockStatement : Statement {
  explicit FilterBlockStatement(int line) : Statement(StatementKind::kFilterBlock, line) {}
  ExpressionPtr filter;
  Body body;
  SlotRange slots;
};

struct WithStatement : Statement {
  explicit WithStatement(int line) : Statement(StatementKind::kWith, line) {}
  std::vector<std::pair<Target, ExpressionPtr>> bindings;
  Body body;
  SlotRange slots;
};

// {% block %} and {% generation %}: a scope and nothing else.
struct ScopeStatement : Statement {
  explicit ScopeStatement(int line) : Statement(StatementKind::kScope, line) {}
  Body body;
  SlotRange slots;
};

// The variables of one running template or macro.
struct Activation {
  Activation* parent;  // the activation in which the macro was defined
  absl::Span<Value> slots;
};

// A compiled template.
struct TemplateTree {
  Body body;
  uint16_t slot_count = 0;
  std::vector<std::string> context_names;  // what the template may read from the render's context
};

}  // namespace baton::frontend::internal
