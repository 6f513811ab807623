#include "frontend/chat/parser.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status_macros.h"
#include "frontend/chat/expression_parser.h"
#include "frontend/chat/lexer.h"
#include "frontend/chat/resolver.h"

namespace baton::frontend::internal {
namespace {

using EndTags = std::initializer_list<std::string_view>;

class StatementParser : private ExpressionParser {
 public:
  explicit StatementParser(const std::vector<Token>& tokens) : ExpressionParser(tokens) {}

  // Statements up to the end of the template.
  absl::StatusOr<Body> ParseAll() { return ParseUntil({}); }

 private:
  // Statements until a tag of `end_tags`, which is left as the current token; with no end tags,
  // until the end of the template.
  absl::StatusOr<Body> ParseUntil(EndTags end_tags);
  absl::StatusOr<Body> ParseBlock(EndTags end_tags);
  absl::StatusOr<Body> ParseClosedBlock(std::string_view end_tag);
  // The same of a body that runs as a function: no loop around it is one inside.
  absl::StatusOr<Body> ParseFunctionBody(std::string_view end_tag);
  absl::StatusOr<StatementPtr> ParseStatement(EndTags end_tags);

  absl::StatusOr<StatementPtr> ParseFor(int line);
  absl::StatusOr<StatementPtr> ParseIf(int line);
  absl::StatusOr<StatementPtr> ParseSet(int line);
  absl::StatusOr<StatementPtr> ParseMacro(int line);
  absl::StatusOr<StatementPtr> ParseCallBlock(int line);
  absl::StatusOr<StatementPtr> ParseFilterBlock(int line);
  absl::StatusOr<StatementPtr> ParseWith(int line);
  absl::StatusOr<StatementPtr> ParseNamedBlock(int line);
  absl::StatusOr<StatementPtr> ParsePrint(int line);
  absl::Status ParseSignature(MacroStatement& macro);

  absl::StatusOr<Target> ParseTargets(std::string_view end_name, bool with_namespace);
  absl::StatusOr<Target> ParseTarget(bool with_namespace);
  absl::StatusOr<Target> ParseNameTarget();

  int loops_ = 0;  // around the statement, in its function
};

absl::StatusOr<Body> StatementParser::ParseUntil(EndTags end_tags) {
  const DepthGuard guard(depth_);
  RETURN_IF_ERROR(CheckDepth());
  Body body;
  std::unique_ptr<OutputStatement> output;
  const auto flush = [&] {
    if (output != nullptr) body.push_back(std::move(output));
    output = nullptr;
  };
  while (Current().type != TokenType::kEnd) {
    const Token& token = Next();
    if (token.type == TokenType::kBlockBegin) {
      flush();
      const bool at_end = std::any_of(end_tags.begin(), end_tags.end(),
                                      [&](std::string_view tag) { return Current().IsName(tag); });
      if (at_end) return body;
      ASSIGN_OR_RETURN(StatementPtr statement, ParseStatement(end_tags));
      body.push_back(std::move(statement));
      RETURN_IF_ERROR(Expect(TokenType::kBlockEnd));
      continue;
    }
    if (output == nullptr) output = std::make_unique<OutputStatement>(token.line);
    if (token.type == TokenType::kData) {
      output->parts.push_back(OutputPart{token.text, nullptr});
      continue;
    }
    ASSIGN_OR_RETURN(ExpressionPtr value, ParseTuple(/*with_conditional=*/true));
    output->parts.push_back(OutputPart{"", std::move(value)});
    RETURN_IF_ERROR(Expect(TokenType::kVariableEnd));
  }
  flush();
  if (end_tags.size() == 0) return body;
  std::string wanted;
  for (const std::string_view tag : end_tags) {
    wanted.append(wanted.empty() ? "'" : " or '").append(tag).append("'");
  }
  return SyntaxError(
      Current().line,
      "Unexpected end of template. Jinja was looking for the following tags: " + wanted + ".");
}

absl::StatusOr<Body> StatementParser::ParseBlock(EndTags end_tags) {
  SkipOperator(":");
  RETURN_IF_ERROR(Expect(TokenType::kBlockEnd));
  return ParseUntil(end_tags);
}

absl::StatusOr<Body> StatementParser::ParseClosedBlock(std::string_view end_tag) {
  ASSIGN_OR_RETURN(Body body, ParseBlock({end_tag}));
  Next();  // the end tag
  return body;
}

absl::StatusOr<Body> StatementParser::ParseFunctionBody(std::string_view end_tag) {
  const int loops = std::exchange(loops_, 0);
  absl::StatusOr<Body> body = ParseClosedBlock(end_tag);
  loops_ = loops;
  return body;
}

absl::StatusOr<StatementPtr> StatementParser::ParseStatement(EndTags end_tags) {
  const Token& tag = Current();
  if (tag.type != TokenType::kName) return SyntaxError(tag.line, "tag name expected");
  Next();
  const int line = tag.line;
  if (tag.text == "for") return ParseFor(line);
  if (tag.text == "if") return ParseIf(line);
  if (tag.text == "set") return ParseSet(line);
  if (tag.text == "macro") return ParseMacro(line);
  if (tag.text == "call") return ParseCallBlock(line);
  if (tag.text == "filter") return ParseFilterBlock(line);
  if (tag.text == "with") return ParseWith(line);
  if (tag.text == "block") return ParseNamedBlock(line);
  if (tag.text == "print") return ParsePrint(line);
  if ((tag.text == "break" || tag.text == "continue") && loops_ == 0) {
    return SyntaxError(line, "'" + tag.text + "' outside loop");
  }
  if (tag.text == "break") return std::make_unique<Statement>(StatementKind::kBreak, line);
  if (tag.text == "continue") return std::make_unique<Statement>(StatementKind::kContinue, line);
  if (tag.text == "generation") {
    auto scope = std::make_unique<ScopeStatement>(line);
    ASSIGN_OR_RETURN(scope->body, ParseFunctionBody("endgeneration"));
    return scope;
  }
  for (const std::string_view other : {"include", "import", "from", "extends", "autoescape"}) {
    if (tag.text == other) {
      return SyntaxError(line, "the tag '" + tag.text + "' is not available in chat templates");
    }
  }
  std::string message = "Encountered unknown tag '" + tag.text + "'.";
  if (end_tags.size() > 0) {
    message.append(" Jinja was looking for the tag '").append(*end_tags.begin()).append("'.");
  }
  return SyntaxError(line, message);
}

absl::StatusOr<Target> StatementParser::ParseNameTarget() {
  Target target;
  target.line = Current().line;
  ASSIGN_OR_RETURN(target.name, ExpectName());
  for (const std::string_view word : {"true", "false", "none", "True", "False", "None"}) {
    if (target.name == word) return SyntaxError(target.line, "can't assign to 'const'");
  }
  return target;
}

absl::StatusOr<Target> StatementParser::ParseTarget(bool with_namespace) {
  if (SkipOperator("(")) {
    const DepthGuard guard(depth_);
    RETURN_IF_ERROR(CheckDepth());
    ASSIGN_OR_RETURN(Target target, ParseTargets("", /*with_namespace=*/false));
    RETURN_IF_ERROR(ExpectOperator(")"));
    return target;
  }
  ASSIGN_OR_RETURN(Target target, ParseNameTarget());
  if (with_namespace && SkipOperator(".")) {
    target.kind = Target::Kind::kAttribute;
    ASSIGN_OR_RETURN(target.attribute, ExpectName());
    target.object = std::make_unique<NameExpression>(target.line, target.name);
  }
  return target;
}

absl::StatusOr<Target> StatementParser::ParseTargets(std::string_view end_name,
                                                     bool with_namespace) {
  Target tuple;
  tuple.kind = Target::Kind::kTuple;
  tuple.line = Current().line;
  bool is_tuple = false;
  while (Current().type != TokenType::kBlockEnd && !Current().IsOperator(")") &&
         (end_name.empty() || !Current().IsName(end_name))) {
    ASSIGN_OR_RETURN(Target part, ParseTarget(with_namespace));
    tuple.parts.push_back(std::move(part));
    if (!SkipOperator(",")) break;
    is_tuple = true;
  }
  if (is_tuple) return tuple;
  if (tuple.parts.empty()) return Unexpected("name");
  return std::move(tuple.parts.front());
}

absl::StatusOr<StatementPtr> StatementParser::ParseFor(int line) {
  auto loop = std::make_unique<ForStatement>(line);
  ASSIGN_OR_RETURN(loop->target, ParseTargets("in", /*with_namespace=*/false));
  if (!SkipName("in")) return Unexpected("in");
  ASSIGN_OR_RETURN(loop->iterable, ParseTuple(/*with_conditional=*/false, "recursive"));
  if (SkipName("if")) {
    ASSIGN_OR_RETURN(loop->condition, ParseExpression());
  }
  loop->recursive = SkipName("recursive");
  ++loops_;
  ASSIGN_OR_RETURN(loop->body, ParseBlock({"endfor", "else"}));
  --loops_;
  if (Next().text == "else") {
    ASSIGN_OR_RETURN(loop->otherwise, ParseClosedBlock("endfor"));
  }
  return loop;
}

absl::StatusOr<StatementPtr> StatementParser::ParseIf(int line) {
  auto node = std::make_unique<IfStatement>(line);
  while (true) {
    ASSIGN_OR_RETURN(ExpressionPtr condition, ParseTuple(/*with_conditional=*/false));
    ASSIGN_OR_RETURN(Body body, ParseBlock({"elif", "else", "endif"}));
    node->branches.emplace_back(std::move(condition), std::move(body));
    const std::string& tag = Next().text;
    if (tag == "elif") continue;
    if (tag == "else") {
      ASSIGN_OR_RETURN(node->otherwise, ParseClosedBlock("endif"));
    }
    return node;
  }
}

absl::StatusOr<StatementPtr> StatementParser::ParseSet(int line) {
  ASSIGN_OR_RETURN(Target target, ParseTargets("", /*with_namespace=*/true));
  if (SkipOperator("=")) {
    auto assignment = std::make_unique<SetStatement>(line);
    assignment->target = std::move(target);
    ASSIGN_OR_RETURN(assignment->value, ParseTuple(/*with_conditional=*/true));
    return assignment;
  }
  auto block = std::make_unique<SetBlockStatement>(line);
  block->target = std::move(target);
  ASSIGN_OR_RETURN(block->filter, ParseFilters(nullptr));
  ASSIGN_OR_RETURN(block->body, ParseClosedBlock("endset"));
  return block;
}

absl::Status StatementParser::ParseSignature(MacroStatement& macro) {
  RETURN_IF_ERROR(ExpectOperator("("));
  while (!Current().IsOperator(")")) {
    if (!macro.parameters.empty()) RETURN_IF_ERROR(ExpectOperator(","));
    ASSIGN_OR_RETURN(Target parameter, ParseNameTarget());
    if (SkipOperator("=")) {
      ASSIGN_OR_RETURN(ExpressionPtr value, ParseExpression());
      macro.defaults.push_back(std::move(value));
    } else if (!macro.defaults.empty()) {
      return SyntaxError(Current().line, "non-default argument follows default argument");
    }
    macro.parameters.push_back(std::move(parameter.name));
  }
  Next();
  return absl::OkStatus();
}

absl::StatusOr<StatementPtr> StatementParser::ParseMacro(int line) {
  auto macro = std::make_unique<MacroStatement>(line);
  ASSIGN_OR_RETURN(macro->target, ParseNameTarget());
  macro->name = macro->target.name;
  RETURN_IF_ERROR(ParseSignature(*macro));
  ASSIGN_OR_RETURN(macro->body, ParseFunctionBody("endmacro"));
  return macro;
}

absl::StatusOr<StatementPtr> StatementParser::ParseCallBlock(int line) {
  auto block = std::make_unique<CallBlockStatement>(line);
  if (Current().IsOperator("(")) RETURN_IF_ERROR(ParseSignature(*block->caller));
  ASSIGN_OR_RETURN(ExpressionPtr call, ParseExpression());
  if (call->kind != ExpressionKind::kCall) return SyntaxError(line, "expected call");
  block->call.reset(static_cast<CallExpression*>(call.release()));
  ASSIGN_OR_RETURN(block->caller->body, ParseFunctionBody("endcall"));
  return block;
}

absl::StatusOr<StatementPtr> StatementParser::ParseFilterBlock(int line) {
  auto block = std::make_unique<FilterBlockStatement>(line);
  ASSIGN_OR_RETURN(block->filter, ParseFilters(nullptr, /*start_inline=*/true));
  ASSIGN_OR_RETURN(block->body, ParseClosedBlock("endfilter"));
  return block;
}

absl::StatusOr<StatementPtr> StatementParser::ParseWith(int line) {
  auto with = std::make_unique<WithStatement>(line);
  while (Current().type != TokenType::kBlockEnd) {
    if (!with->bindings.empty()) RETURN_IF_ERROR(ExpectOperator(","));
    ASSIGN_OR_RETURN(Target target, ParseTargets("", /*with_namespace=*/false));
    RETURN_IF_ERROR(ExpectOperator("="));
    ASSIGN_OR_RETURN(ExpressionPtr value, ParseExpression());
    with->bindings.emplace_back(std::move(target), std::move(value));
  }
  ASSIGN_OR_RETURN(with->body, ParseClosedBlock("endwith"));
  return with;
}

absl::StatusOr<StatementPtr> StatementParser::ParseNamedBlock(int line) {
  auto scope = std::make_unique<ScopeStatement>(line);
  ASSIGN_OR_RETURN(const std::string name, ExpectName());
  while (SkipName("scoped") || SkipName("required")) {
  }
  ASSIGN_OR_RETURN(scope->body, ParseFunctionBody("endblock"));
  SkipName(name);
  return scope;
}

absl::StatusOr<StatementPtr> StatementParser::ParsePrint(int line) {
  auto output = std::make_unique<OutputStatement>(line);
  while (Current().type != TokenType::kBlockEnd) {
    if (!output->parts.empty()) RETURN_IF_ERROR(ExpectOperator(","));
    ASSIGN_OR_RETURN(ExpressionPtr value, ParseExpression());
    output->parts.push_back(OutputPart{"", std::move(value)});
  }
  return output;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TemplateTree>> ParseTemplate(std::string_view source) {
  ASSIGN_OR_RETURN(const std::vector<Token> tokens, Tokenize(source));
  auto tree = std::make_unique<TemplateTree>();
  ASSIGN_OR_RETURN(tree->body, StatementParser(tokens).ParseAll());
  RETURN_IF_ERROR(ResolveNames(*tree));
  return tree;
}

}  // namespace baton::frontend::internal
