// Parses the expressions of the template language; the statement parser builds on it.
//
// The grammar and its corner cases are Jinja's: filters bind tighter than arithmetic, `is` takes
// one unparenthesised argument, `a if b` may lack its else.
//
// Threading: thread-compatible. Ownership: borrows the tokens.
// Errors:    INVALID_ARGUMENT "line <n>: ..."; also for trees higher than kHeightMax.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "frontend/chat/ast.h"
#include "frontend/chat/lexer.h"

namespace baton::frontend::internal {

class ExpressionParser {
 public:
  static constexpr int kHeightMax = 200;

  explicit ExpressionParser(const std::vector<Token>& tokens) : tokens_(tokens) {}

  // A whole expression; `with_conditional` allows `a if b else c`.
  absl::StatusOr<ExpressionPtr> ParseExpression(bool with_conditional = true);

  // One expression, or a tuple of several with commas between. `end_name` is a name that ends the
  // tuple ("recursive"), `parenthesized` allows the empty tuple.
  absl::StatusOr<ExpressionPtr> ParseTuple(bool with_conditional, std::string_view end_name = "",
                                           bool parenthesized = false);

  // Filters behind `input`, which may be null. `start_inline`: the first one has no pipe.
  absl::StatusOr<ExpressionPtr> ParseFilters(ExpressionPtr input, bool start_inline = false);

 protected:
  const Token& Current() const { return tokens_[position_]; }
  const Token& Look() const { return tokens_[std::min(position_ + 1, tokens_.size() - 1)]; }
  const Token& Next();
  bool SkipName(std::string_view name);
  bool SkipOperator(std::string_view op);
  absl::Status ExpectOperator(std::string_view op);
  absl::Status Expect(TokenType type);
  absl::StatusOr<std::string> ExpectName();
  absl::Status Unexpected(std::string_view expected) const;

  // Counts one level of recursion while it lives.
  class DepthGuard {
   public:
    explicit DepthGuard(int& depth) : depth_(++depth) {}
    ~DepthGuard() { --depth_; }

   private:
    int& depth_;
  };
  absl::Status CheckDepth() const;
  int depth_ = 0;

 private:
  absl::StatusOr<ExpressionPtr> ParseConditional();
  absl::StatusOr<ExpressionPtr> ParseOr();
  absl::StatusOr<ExpressionPtr> ParseAnd();
  absl::StatusOr<ExpressionPtr> ParseNot();
  absl::StatusOr<ExpressionPtr> ParseCompare();
  absl::StatusOr<ExpressionPtr> ParseSum();
  absl::StatusOr<ExpressionPtr> ParseConcat();
  absl::StatusOr<ExpressionPtr> ParseProduct();
  absl::StatusOr<ExpressionPtr> ParsePower();
  absl::StatusOr<ExpressionPtr> ParseUnary(bool with_filter);
  absl::StatusOr<ExpressionPtr> ParsePrimary();
  absl::StatusOr<ExpressionPtr> ParseList();
  absl::StatusOr<ExpressionPtr> ParseDict();
  absl::StatusOr<ExpressionPtr> ParsePostfix(ExpressionPtr node);
  absl::StatusOr<ExpressionPtr> ParseFilterChain(ExpressionPtr node);
  absl::StatusOr<ExpressionPtr> ParseSubscript(ExpressionPtr node);
  absl::StatusOr<ExpressionPtr> ParseBracketed(ExpressionPtr node, int line);
  absl::StatusOr<ExpressionPtr> ParseTupleIndex(ExpressionPtr first, int line);
  absl::StatusOr<ExpressionPtr> ParseTest(ExpressionPtr node);
  absl::StatusOr<ExpressionPtr> ParseCall(ExpressionPtr node);
  absl::StatusOr<CallArguments> ParseCallArguments();
  absl::Status ParseCallArgument(CallArguments& arguments, int line);
  absl::StatusOr<ExpressionPtr> MakeLogic(ExpressionKind kind, int line, ExpressionPtr left,
                                          ExpressionPtr right);
  bool AtTupleEnd(std::string_view end_name) const;
  bool AtTestArgument() const;

  const std::vector<Token>& tokens_;
  size_t position_ = 0;
};

// Sets the node's height from its children; an error when the tree is too high.
absl::StatusOr<ExpressionPtr> Measured(ExpressionPtr node);

}  // namespace baton::frontend::internal
