// Splits a template into tokens as Jinja does with trim_blocks and lstrip_blocks.
//
// Threading: pure function. Ownership: tokens own their text.
// Errors:    INVALID_ARGUMENT "line <n>: <what Jinja says>".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace baton::frontend::internal {

enum class TokenType : uint8_t {
  kData,  // literal text
  kVariableBegin,
  kVariableEnd,
  kBlockBegin,
  kBlockEnd,
  kName,
  kString,
  kInteger,
  kFloat,
  kOperator,  // `text` is the operator
  kEnd,
};

struct Token {
  TokenType type;
  int line;
  std::string text;  // unescaped for kString
  int64_t integer = 0;
  double real = 0;

  bool IsOperator(std::string_view op) const { return type == TokenType::kOperator && text == op; }
  bool IsName(std::string_view name) const { return type == TokenType::kName && text == name; }
};

// The last token is always kEnd.
absl::StatusOr<std::vector<Token>> Tokenize(std::string_view source);

// How an error message names the token.
std::string Describe(const Token& token);

// An error of the template itself, at `line`.
absl::Status SyntaxError(int line, std::string_view message);

}  // namespace baton::frontend::internal
