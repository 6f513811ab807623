#include "frontend/chat/expression_parser.h"

#include <algorithm>

#include "common/base/status_macros.h"
#include "frontend/chat/ast_walk.h"

namespace baton::frontend::internal {
namespace {

template <typename Node, typename... Args>
absl::StatusOr<ExpressionPtr> Make(Args&&... args) {
  return Measured(std::make_unique<Node>(std::forward<Args>(args)...));
}

struct OperatorName {
  std::string_view text;
  BinaryOperator op;
};

template <size_t N>
const OperatorName* FindOperator(const OperatorName (&names)[N], const Token& token) {
  for (const OperatorName& name : names) {
    if (token.IsOperator(name.text)) return &name;
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<ExpressionPtr> Measured(ExpressionPtr node) {
  int below = 0;
  ForEachChild(*node, [&below](Expression& child) { below = std::max(below, child.height); });
  node->height = below + 1;
  if (node->height <= ExpressionParser::kHeightMax) return node;
  return SyntaxError(node->line, "expression is nested too deeply");
}

const Token& ExpressionParser::Next() {
  const Token& token = tokens_[position_];
  if (position_ + 1 < tokens_.size()) ++position_;
  return token;
}

bool ExpressionParser::SkipName(std::string_view name) {
  if (!Current().IsName(name)) return false;
  Next();
  return true;
}

bool ExpressionParser::SkipOperator(std::string_view op) {
  if (!Current().IsOperator(op)) return false;
  Next();
  return true;
}

absl::Status ExpressionParser::Unexpected(std::string_view expected) const {
  if (Current().type == TokenType::kEnd) {
    return SyntaxError(Current().line,
                       "unexpected end of template, expected '" + std::string(expected) + "'.");
  }
  return SyntaxError(Current().line, "expected token '" + std::string(expected) + "', got '" +
                                         Describe(Current()) + "'");
}

absl::Status ExpressionParser::ExpectOperator(std::string_view op) {
  if (!Current().IsOperator(op)) return Unexpected(op);
  Next();
  return absl::OkStatus();
}

absl::Status ExpressionParser::Expect(TokenType type) {
  if (Current().type != type) return Unexpected(Describe(Token{type, 0, ""}));
  Next();
  return absl::OkStatus();
}

absl::StatusOr<std::string> ExpressionParser::ExpectName() {
  if (Current().type != TokenType::kName) return Unexpected("name");
  return Next().text;
}

absl::Status ExpressionParser::CheckDepth() const {
  if (depth_ <= kHeightMax) return absl::OkStatus();
  return SyntaxError(Current().line, "template is nested too deeply");
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseExpression(bool with_conditional) {
  const DepthGuard guard(depth_);
  RETURN_IF_ERROR(CheckDepth());
  return with_conditional ? ParseConditional() : ParseOr();
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseConditional() {
  const DepthGuard guard(depth_);
  RETURN_IF_ERROR(CheckDepth());
  int line = Current().line;
  ASSIGN_OR_RETURN(ExpressionPtr node, ParseOr());
  while (SkipName("if")) {
    ASSIGN_OR_RETURN(ExpressionPtr condition, ParseOr());
    ExpressionPtr otherwise;
    if (SkipName("else")) {
      ASSIGN_OR_RETURN(otherwise, ParseConditional());
    }
    ASSIGN_OR_RETURN(node, Make<ConditionalExpression>(line, std::move(condition), std::move(node),
                                                       std::move(otherwise)));
    line = Current().line;
  }
  return node;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::MakeLogic(ExpressionKind kind, int line,
                                                          ExpressionPtr left, ExpressionPtr right) {
  auto node = std::make_unique<OperandsExpression>(kind, line);
  node->operands.push_back(std::move(left));
  if (right != nullptr) node->operands.push_back(std::move(right));
  return Measured(std::move(node));
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseOr() {
  const int line = Current().line;
  ASSIGN_OR_RETURN(ExpressionPtr left, ParseAnd());
  while (SkipName("or")) {
    ASSIGN_OR_RETURN(ExpressionPtr right, ParseAnd());
    ASSIGN_OR_RETURN(left, MakeLogic(ExpressionKind::kOr, line, std::move(left), std::move(right)));
  }
  return left;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseAnd() {
  const int line = Current().line;
  ASSIGN_OR_RETURN(ExpressionPtr left, ParseNot());
  while (SkipName("and")) {
    ASSIGN_OR_RETURN(ExpressionPtr right, ParseNot());
    ASSIGN_OR_RETURN(left,
                     MakeLogic(ExpressionKind::kAnd, line, std::move(left), std::move(right)));
  }
  return left;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseNot() {
  if (!Current().IsName("not")) return ParseCompare();
  const DepthGuard guard(depth_);
  RETURN_IF_ERROR(CheckDepth());
  const int line = Next().line;
  ASSIGN_OR_RETURN(ExpressionPtr operand, ParseNot());
  return MakeLogic(ExpressionKind::kNot, line, std::move(operand), nullptr);
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseCompare() {
  constexpr std::pair<std::string_view, Comparison> kComparisons[] = {
      {"==", Comparison::kEqual},  {"!=", Comparison::kNotEqual},
      {"<", Comparison::kLess},    {"<=", Comparison::kLessEqual},
      {">", Comparison::kGreater}, {">=", Comparison::kGreaterEqual}};
  const int line = Current().line;
  ASSIGN_OR_RETURN(ExpressionPtr first, ParseSum());
  std::unique_ptr<CompareExpression> chain;
  while (true) {
    const auto* found = std::find_if(std::begin(kComparisons), std::end(kComparisons),
                                     [&](const auto& c) { return Current().IsOperator(c.first); });
    Comparison comparison = Comparison::kIn;
    if (found != std::end(kComparisons)) {
      comparison = found->second;
      Next();
    } else if (SkipName("in")) {
      comparison = Comparison::kIn;
    } else if (Current().IsName("not") && Look().IsName("in")) {
      comparison = Comparison::kNotIn;
      Next();
      Next();
    } else {
      break;
    }
    ASSIGN_OR_RETURN(ExpressionPtr operand, ParseSum());
    if (chain == nullptr) chain = std::make_unique<CompareExpression>(line, std::move(first));
    chain->rest.emplace_back(comparison, std::move(operand));
  }
  if (chain == nullptr) return first;
  return Measured(std::move(chain));
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseSum() {
  constexpr OperatorName kNames[] = {{"+", BinaryOperator::kAdd}, {"-", BinaryOperator::kSub}};
  const int line = Current().line;
  ASSIGN_OR_RETURN(ExpressionPtr left, ParseConcat());
  while (const OperatorName* name = FindOperator(kNames, Current())) {
    Next();
    ASSIGN_OR_RETURN(ExpressionPtr right, ParseConcat());
    ASSIGN_OR_RETURN(left,
                     Make<BinaryExpression>(line, name->op, std::move(left), std::move(right)));
  }
  return left;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseConcat() {
  const int line = Current().line;
  ASSIGN_OR_RETURN(ExpressionPtr first, ParseProduct());
  if (!Current().IsOperator("~")) return first;
  auto node = std::make_unique<OperandsExpression>(ExpressionKind::kConcat, line);
  node->operands.push_back(std::move(first));
  while (SkipOperator("~")) {
    ASSIGN_OR_RETURN(ExpressionPtr next, ParseProduct());
    node->operands.push_back(std::move(next));
  }
  return Measured(std::move(node));
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseProduct() {
  constexpr OperatorName kNames[] = {{"*", BinaryOperator::kMul},
                                     {"/", BinaryOperator::kDiv},
                                     {"//", BinaryOperator::kFloorDiv},
                                     {"%", BinaryOperator::kMod}};
  const int line = Current().line;
  ASSIGN_OR_RETURN(ExpressionPtr left, ParsePower());
  while (const OperatorName* name = FindOperator(kNames, Current())) {
    Next();
    ASSIGN_OR_RETURN(ExpressionPtr right, ParsePower());
    ASSIGN_OR_RETURN(left,
                     Make<BinaryExpression>(line, name->op, std::move(left), std::move(right)));
  }
  return left;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParsePower() {
  const int line = Current().line;
  ASSIGN_OR_RETURN(ExpressionPtr left, ParseUnary(/*with_filter=*/true));
  while (SkipOperator("**")) {
    ASSIGN_OR_RETURN(ExpressionPtr right, ParseUnary(/*with_filter=*/true));
    ASSIGN_OR_RETURN(left, Make<BinaryExpression>(line, BinaryOperator::kPow, std::move(left),
                                                  std::move(right)));
  }
  return left;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseUnary(bool with_filter) {
  const DepthGuard guard(depth_);
  RETURN_IF_ERROR(CheckDepth());
  ExpressionPtr node;
  const int line = Current().line;
  if (Current().IsOperator("-") || Current().IsOperator("+")) {
    const bool negative = Next().text == "-";
    ASSIGN_OR_RETURN(ExpressionPtr operand, ParseUnary(/*with_filter=*/false));
    ASSIGN_OR_RETURN(node, MakeLogic(negative ? ExpressionKind::kNegate : ExpressionKind::kPosate,
                                     line, std::move(operand), nullptr));
  } else {
    ASSIGN_OR_RETURN(node, ParsePrimary());
  }
  ASSIGN_OR_RETURN(node, ParsePostfix(std::move(node)));
  if (!with_filter) return node;
  return ParseFilterChain(std::move(node));
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParsePrimary() {
  const Token& token = Current();
  const int line = token.line;
  switch (token.type) {
    case TokenType::kName: {
      Next();
      const std::string& name = token.text;
      if (name == "true" || name == "True")
        return Make<ConstantExpression>(line, Value::Bool(true));
      if (name == "false" || name == "False") {
        return Make<ConstantExpression>(line, Value::Bool(false));
      }
      if (name == "none" || name == "None") return Make<ConstantExpression>(line, Value::None());
      return Make<NameExpression>(line, name);
    }
    case TokenType::kString: {
      std::string text;
      while (Current().type == TokenType::kString) text.append(Next().text);
      return Make<ConstantExpression>(line, std::move(text));
    }
    case TokenType::kInteger:
      Next();
      return Make<ConstantExpression>(line, Value::Int(token.integer));
    case TokenType::kFloat:
      Next();
      return Make<ConstantExpression>(line, Value::Float(token.real));
    default:
      break;
  }
  if (SkipOperator("(")) {
    ASSIGN_OR_RETURN(ExpressionPtr node, ParseTuple(/*with_conditional=*/true, "",
                                                    /*parenthesized=*/true));
    RETURN_IF_ERROR(ExpectOperator(")"));
    return node;
  }
  if (token.IsOperator("[")) return ParseList();
  if (token.IsOperator("{")) return ParseDict();
  return SyntaxError(line, "unexpected '" + Describe(token) + "'");
}

bool ExpressionParser::AtTupleEnd(std::string_view end_name) const {
  const Token& token = Current();
  return token.type == TokenType::kVariableEnd || token.type == TokenType::kBlockEnd ||
         token.IsOperator(")") || (!end_name.empty() && token.IsName(end_name));
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseTuple(bool with_conditional,
                                                           std::string_view end_name,
                                                           bool parenthesized) {
  const int line = Current().line;
  auto tuple = std::make_unique<OperandsExpression>(ExpressionKind::kTuple, line);
  bool is_tuple = false;
  while (!AtTupleEnd(end_name)) {
    ASSIGN_OR_RETURN(ExpressionPtr item, ParseExpression(with_conditional));
    tuple->operands.push_back(std::move(item));
    if (!Current().IsOperator(",")) break;
    Next();
    is_tuple = true;
  }
  if (!is_tuple) {
    if (!tuple->operands.empty()) return std::move(tuple->operands.front());
    if (!parenthesized) {
      return SyntaxError(Current().line,
                         "Expected an expression, got '" + Describe(Current()) + "'");
    }
  }
  return Measured(std::move(tuple));
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseList() {
  auto list = std::make_unique<OperandsExpression>(ExpressionKind::kList, Next().line);
  while (!Current().IsOperator("]")) {
    if (!list->operands.empty()) RETURN_IF_ERROR(ExpectOperator(","));
    if (Current().IsOperator("]")) break;
    ASSIGN_OR_RETURN(ExpressionPtr item, ParseExpression());
    list->operands.push_back(std::move(item));
  }
  Next();
  return Measured(std::move(list));
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseDict() {
  auto dict = std::make_unique<DictExpression>(Next().line);
  while (!Current().IsOperator("}")) {
    if (!dict->entries.empty()) RETURN_IF_ERROR(ExpectOperator(","));
    if (Current().IsOperator("}")) break;
    ASSIGN_OR_RETURN(ExpressionPtr key, ParseExpression());
    RETURN_IF_ERROR(ExpectOperator(":"));
    ASSIGN_OR_RETURN(ExpressionPtr value, ParseExpression());
    dict->entries.emplace_back(std::move(key), std::move(value));
  }
  Next();
  return Measured(std::move(dict));
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParsePostfix(ExpressionPtr node) {
  while (true) {
    if (Current().IsOperator(".") || Current().IsOperator("[")) {
      ASSIGN_OR_RETURN(node, ParseSubscript(std::move(node)));
    } else if (Current().IsOperator("(")) {
      ASSIGN_OR_RETURN(node, ParseCall(std::move(node)));
    } else {
      return node;
    }
  }
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseFilterChain(ExpressionPtr node) {
  while (true) {
    if (Current().IsOperator("|")) {
      ASSIGN_OR_RETURN(node, ParseFilters(std::move(node)));
    } else if (Current().IsName("is")) {
      ASSIGN_OR_RETURN(node, ParseTest(std::move(node)));
    } else if (Current().IsOperator("(")) {
      ASSIGN_OR_RETURN(node, ParseCall(std::move(node)));
    } else {
      return node;
    }
  }
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseSubscript(ExpressionPtr node) {
  const int line = Current().line;
  if (SkipOperator("[")) return ParseBracketed(std::move(node), line);
  Next();  // the dot
  const Token& name = Next();
  if (name.type == TokenType::kName) {
    return Make<AttributeExpression>(line, std::move(node), name.text);
  }
  if (name.type != TokenType::kInteger) return SyntaxError(name.line, "expected name or number");
  ASSIGN_OR_RETURN(ExpressionPtr index, Make<ConstantExpression>(line, Value::Int(name.integer)));
  return Make<ItemExpression>(line, std::move(node), std::move(index));
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseBracketed(ExpressionPtr node, int line) {
  ExpressionPtr parts[3];
  int colons = 0;
  while (!Current().IsOperator("]")) {
    if (Current().IsOperator(",")) {
      if (colons > 0 || parts[0] == nullptr) {
        return SyntaxError(Current().line, "an index of several slices is not supported");
      }
      ASSIGN_OR_RETURN(ExpressionPtr index, ParseTupleIndex(std::move(parts[0]), line));
      return Make<ItemExpression>(line, std::move(node), std::move(index));
    }
    if (Current().IsOperator(":")) {
      if (++colons > 2) return Unexpected("]");
      Next();
      continue;
    }
    if (parts[colons] != nullptr) return Unexpected("]");
    ASSIGN_OR_RETURN(parts[colons], ParseExpression());
  }
  Next();
  if (colons > 0) {
    return Make<SliceExpression>(line, std::move(node), std::move(parts[0]), std::move(parts[1]),
                                 std::move(parts[2]));
  }
  if (parts[0] == nullptr) return SyntaxError(line, "expected an index, got ']'");
  return Make<ItemExpression>(line, std::move(node), std::move(parts[0]));
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseTupleIndex(ExpressionPtr first, int line) {
  auto tuple = std::make_unique<OperandsExpression>(ExpressionKind::kTuple, line);
  tuple->operands.push_back(std::move(first));
  while (!SkipOperator("]")) {
    RETURN_IF_ERROR(ExpectOperator(","));
    ASSIGN_OR_RETURN(ExpressionPtr item, ParseExpression());
    tuple->operands.push_back(std::move(item));
  }
  return tuple;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseCall(ExpressionPtr node) {
  const int line = Current().line;
  ASSIGN_OR_RETURN(CallArguments arguments, ParseCallArguments());
  return Make<CallExpression>(line, std::move(node), std::move(arguments));
}

absl::StatusOr<CallArguments> ExpressionParser::ParseCallArguments() {
  const int line = Current().line;
  RETURN_IF_ERROR(ExpectOperator("("));
  CallArguments arguments;
  bool first = true;
  while (!Current().IsOperator(")")) {
    if (!first) {
      RETURN_IF_ERROR(ExpectOperator(","));
      if (Current().IsOperator(")")) break;
    }
    RETURN_IF_ERROR(ParseCallArgument(arguments, line));
    first = false;
  }
  Next();
  return arguments;
}

absl::Status ExpressionParser::ParseCallArgument(CallArguments& arguments, int line) {
  const bool named = Current().type == TokenType::kName && Look().IsOperator("=");
  const bool star = Current().IsOperator("*");
  const bool star_star = Current().IsOperator("**");
  const bool plain = !named && !star && !star_star;
  if (arguments.star_star != nullptr || (star && arguments.star != nullptr) ||
      (plain && (arguments.star != nullptr || !arguments.keyword.empty()))) {
    return SyntaxError(line, "invalid syntax for function call expression");
  }
  for (const auto& [given, value] : arguments.keyword) {
    if (named && given == Current().text) {
      return SyntaxError(line, "keyword argument repeated: " + given);
    }
  }
  std::string name;
  if (named) {
    name = Next().text;
    Next();
  } else if (!plain) {
    Next();
  }
  ASSIGN_OR_RETURN(ExpressionPtr value, ParseExpression());
  if (named) {
    arguments.keyword.emplace_back(std::move(name), std::move(value));
  } else if (star) {
    arguments.star = std::move(value);
  } else if (star_star) {
    arguments.star_star = std::move(value);
  } else {
    arguments.positional.push_back(std::move(value));
  }
  return absl::OkStatus();
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseFilters(ExpressionPtr input,
                                                             bool start_inline) {
  while (Current().IsOperator("|") || start_inline) {
    if (!start_inline) Next();
    start_inline = false;
    const int line = Current().line;
    ASSIGN_OR_RETURN(std::string name, ExpectName());
    while (SkipOperator(".")) {
      ASSIGN_OR_RETURN(const std::string part, ExpectName());
      name.append(".").append(part);
    }
    CallArguments arguments;
    if (Current().IsOperator("(")) {
      ASSIGN_OR_RETURN(arguments, ParseCallArguments());
    }
    ASSIGN_OR_RETURN(input, Make<FilterExpression>(line, std::move(input), std::move(name),
                                                   std::move(arguments)));
  }
  return input;
}

bool ExpressionParser::AtTestArgument() const {
  const Token& token = Current();
  switch (token.type) {
    case TokenType::kName:
      return token.text != "else" && token.text != "or" && token.text != "and";
    case TokenType::kString:
    case TokenType::kInteger:
    case TokenType::kFloat:
      return true;
    default:
      return token.IsOperator("[") || token.IsOperator("{");
  }
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseTest(ExpressionPtr node) {
  const int line = Next().line;
  const bool negated = SkipName("not");
  ASSIGN_OR_RETURN(std::string name, ExpectName());
  while (SkipOperator(".")) {
    ASSIGN_OR_RETURN(const std::string part, ExpectName());
    name.append(".").append(part);
  }
  CallArguments arguments;
  if (Current().IsOperator("(")) {
    ASSIGN_OR_RETURN(arguments, ParseCallArguments());
  } else if (AtTestArgument()) {
    if (Current().IsName("is")) {
      return SyntaxError(Current().line, "You cannot chain multiple tests with is");
    }
    ASSIGN_OR_RETURN(ExpressionPtr argument, ParsePrimary());
    ASSIGN_OR_RETURN(argument, ParsePostfix(std::move(argument)));
    arguments.positional.push_back(std::move(argument));
  }
  ASSIGN_OR_RETURN(ExpressionPtr test, Make<TestExpression>(line, std::move(node), std::move(name),
                                                            std::move(arguments)));
  if (!negated) return test;
  return MakeLogic(ExpressionKind::kNot, line, std::move(test), nullptr);
}

}  // namespace baton::frontend::internal
