#include "common/constraint/token_vocabulary.h"

#include <llguidance.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton {
namespace {

// Marks a token as markup: text never contains this byte.
constexpr char kMarkup = '\xFF';
constexpr uint32_t kByteCount = 256;

}  // namespace

struct TokenVocabulary::TokenList {
  std::string bytes;
  std::vector<uint32_t> lengths;

  void Add(std::string_view prefix, std::string_view text) {
    bytes.append(prefix).append(text);
    lengths.push_back(static_cast<uint32_t>(prefix.size() + text.size()));
  }
  void AddMarkup(std::string_view name) { Add(std::string_view(&kMarkup, 1), name); }
};

TokenVocabulary::TokenVocabulary(const Tokenizer& tokenizer, Options options)
    : options_(std::move(options)), tokenizer_(tokenizer) {}

TokenVocabulary::~TokenVocabulary() { llg_free_tokenizer(handle_); }

absl::StatusOr<std::unique_ptr<const TokenVocabulary>> TokenVocabulary::Create(
    const Tokenizer& tokenizer, Options options) {
  std::unique_ptr<TokenVocabulary> vocabulary(new TokenVocabulary(tokenizer, std::move(options)));
  RETURN_IF_ERROR(vocabulary->Load(vocabulary->ListTokens(/*with_bytes=*/true)));
  return vocabulary;
}

// Ordinary tokens are left empty; the 256 bytes stand behind the last id.
absl::StatusOr<std::unique_ptr<const TokenVocabulary>> TokenVocabulary::ForChecks(
    const Tokenizer& tokenizer, Options options) {
  std::unique_ptr<TokenVocabulary> vocabulary(new TokenVocabulary(tokenizer, std::move(options)));
  TokenList tokens = vocabulary->ListTokens(/*with_bytes=*/false);
  for (uint32_t byte = 0; byte < kByteCount; ++byte) {
    const char text = static_cast<char>(byte);
    tokens.Add({}, {&text, 1});
  }
  RETURN_IF_ERROR(vocabulary->Load(tokens));
  return vocabulary;
}

TokenVocabulary::TokenList TokenVocabulary::ListTokens(bool with_bytes) const {
  TokenList tokens;
  for (TokenId id = 0; id < size(); ++id) {
    if (IsMarkup(id)) {
      tokens.AddMarkup(tokenizer_.TokenText(id));
    } else if (with_bytes) {
      tokens.Add({}, tokenizer_.TokenBytes(id));
    } else {
      tokens.Add({}, {});
    }
  }
  return tokens;
}

// End tokens are none that text is made of, whatever the tokenizer calls them.
bool TokenVocabulary::IsMarkup(TokenId id) const {
  const std::vector<TokenId>& ends = options_.end_ids;
  return id < tokenizer_.vocab_size() &&
         (tokenizer_.IsSpecial(id) || std::find(ends.begin(), ends.end(), id) != ends.end());
}

absl::Status TokenVocabulary::Load(const TokenList& tokens) {
  const std::vector<TokenId>& ends = options_.end_ids;
  if (options_.size == 0 || ends.empty()) {
    return InvalidArgument(absl::StrCat("load vocabulary: tokens=", options_.size,
                                        " end_tokens=", ends.size(), ", both must be above 0"));
  }
  const auto out_of_range =
      std::find_if(ends.begin(), ends.end(), [this](TokenId id) { return id >= options_.size; });
  if (out_of_range != ends.end()) {
    return InvalidArgument(
        absl::StrCat("load vocabulary: end token ", *out_of_range, " of ", options_.size));
  }
  token_count_ = tokens.lengths.size();
  LlgTokenizerInitV2 init = {};
  init.struct_size = sizeof(init);
  init.vocab_size = static_cast<uint32_t>(tokens.lengths.size());
  init.tok_eos = ends.front();
  init.tok_eos_extra = ends.data() + 1;
  init.tok_eos_extra_count = static_cast<uint32_t>(ends.size() - 1);
  init.token_lens = tokens.lengths.data();
  init.token_bytes = reinterpret_cast<const uint8_t*>(tokens.bytes.data());
  // Only forced tokens need a real one, and we draw every token from the model.
  init.use_approximate_greedy_tokenize_fn = true;
  std::array<char, 512> error{};
  handle_ = llg_new_tokenizer_v2(&init, error.data(), error.size());
  if (handle_ == nullptr) return InvalidArgument(absl::StrCat("load vocabulary: ", error.data()));
  return absl::OkStatus();
}

std::optional<std::string> TokenVocabulary::Reference(std::string_view token_text) const {
  const std::optional<TokenId> id = tokenizer_.FindToken(token_text);
  if (!id.has_value() || *id >= options_.size) return std::nullopt;
  return absl::StrCat("<[", *id, "]>");
}

}  // namespace baton
