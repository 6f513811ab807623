#include "frontend/request/token_pieces.h"

#include <simdjson.h>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/text/unicode/utf8.h"
#include "frontend/json/json_writer.h"

namespace baton::frontend {
namespace {

// Tokens next to each other are one piece.
void AddToken(TokenId id, PromptInput& prompt) {
  if (prompt.empty() || !std::holds_alternative<std::vector<TokenId>>(prompt.back())) {
    prompt.emplace_back(std::vector<TokenId>());
  }
  std::get<std::vector<TokenId>>(prompt.back()).push_back(id);
}

}  // namespace

std::optional<PromptInput> ReadMixedPrompt(const JsonField& field) {
  if (field.value().is_string()) return PromptInput{*field.String()};
  PromptInput prompt;
  bool good = true;
  const bool is_list = field.VisitItems([&](const JsonField& item) {
    if (item.value().is_string()) {
      prompt.emplace_back(*item.String());
    } else if (const auto id = item.IntInRange(0, UINT32_MAX)) {
      AddToken(static_cast<TokenId>(*id), prompt);
    } else {
      good = false;
    }
  });
  return is_list && good ? std::optional(std::move(prompt)) : std::nullopt;
}

absl::StatusOr<std::vector<TokenId>> EncodeMixedPrompt(const PromptInput& prompt,
                                                       const Tokenizer& tokenizer,
                                                       EncodeOptions options) {
  std::vector<TokenId> all;
  for (const PromptPiece& piece : prompt) {
    if (const std::string* text = std::get_if<std::string>(&piece)) {
      ASSIGN_OR_RETURN(const std::vector<TokenId> ids, tokenizer.Encode(*text, options));
      all.insert(all.end(), ids.begin(), ids.end());
    } else {
      const auto& ids = std::get<std::vector<TokenId>>(piece);
      RETURN_IF_ERROR(CheckTokenIds(ids, tokenizer.vocab_size()));
      all.insert(all.end(), ids.begin(), ids.end());
    }
    options.add_special_tokens = false;
  }
  return all;
}

absl::Status CheckTokenIds(std::span<const TokenId> ids, size_t vocab_size) {
  for (const TokenId id : ids) {
    if (id >= vocab_size) {
      return InvalidArgument(absl::StrCat("Token id ", id, " is out of vocabulary"));
    }
  }
  return absl::OkStatus();
}

void AppendTokenPieces(const Tokenizer& tokenizer, std::span<const TokenId> ids, std::string* out) {
  *out += '[';
  for (size_t i = 0; i < ids.size(); ++i) {
    absl::StrAppend(out, i > 0 ? "," : "", "{\"id\":", ids[i], ",\"piece\":");
    const std::string_view bytes = tokenizer.TokenBytes(ids[i]);
    if (IsValidUtf8(bytes)) {
      AppendJsonString(bytes, out);
    } else {
      for (size_t j = 0; j < bytes.size(); ++j) {
        absl::StrAppend(out, j > 0 ? "," : "[", static_cast<unsigned char>(bytes[j]));
      }
      *out += ']';
    }
    *out += '}';
  }
  *out += ']';
}

}  // namespace baton::frontend
