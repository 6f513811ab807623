// Replace in its two places: every match of an expression or string becomes a fixed text, in what
// is normalized or in each token that is decoded.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/tokenizer/split_pattern.h"

namespace baton {
namespace {

constexpr size_t kDecodedTokenBytesMax = size_t{64} << 10;

class Replacement {
 public:
  Replacement(std::unique_ptr<const SplitPattern> pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}

  // Returns `text` when nothing matches, else a view of `storage`. INVALID_ARGUMENT when the result
  // has more than `bytes_max` bytes.
  absl::StatusOr<std::string_view> Apply(std::string_view text, size_t bytes_max,
                                         std::string& storage) const {
    std::vector<Piece> matches;
    if (!text.empty()) RETURN_IF_ERROR(pattern_->AppendMatches(text, 0, matches));
    if (matches.empty()) return text;
    storage.clear();
    size_t at = 0;
    for (const Piece match : matches) {
      storage.append(text.substr(at, match.begin - at)).append(content_);
      at = match.end;
      if (storage.size() > bytes_max) {
        return InvalidArgument(
            absl::StrCat("tokenize: Replace makes ", text.size(), " bytes more than ", bytes_max));
      }
    }
    storage.append(text.substr(at));
    return std::string_view(storage);
  }

  // What is put in comes from where the last character came from that it replaces.
  size_t FrontAfter(std::string_view text, size_t front) const {
    std::vector<Piece> matches;
    if (text.empty() || !pattern_->AppendMatches(text, 0, matches).ok()) return front;
    size_t result = 0;
    size_t at = 0;
    for (const Piece match : matches) {
      if (match.begin > front) break;
      result += match.begin - at;
      at = match.end;
      if (match.end > front) return result;
      result += content_.size();
    }
    return result + front - at;
  }

 private:
  std::unique_ptr<const SplitPattern> pattern_;
  std::string content_;
};

class ReplaceNormalizer : public Normalizer {
 public:
  explicit ReplaceNormalizer(Replacement replacement) : replacement_(std::move(replacement)) {}

  absl::StatusOr<std::string_view> Normalize(std::string_view text,
                                             std::string& storage) const override {
    return replacement_.Apply(text, NormalizedBytesMax(text.size()), storage);
  }
  size_t FrontAfter(std::string_view text, size_t front) const override {
    return replacement_.FrontAfter(text, front);
  }

 private:
  const Replacement replacement_;
};

class ReplaceDecoder : public TokenDecoder {
 public:
  explicit ReplaceDecoder(Replacement replacement) : replacement_(std::move(replacement)) {}

  void Decode(std::vector<std::string>& tokens) const override {
    std::string storage;
    for (std::string& token : tokens) {
      // A token on which the expression gives up, or that gets too long, stays as it is.
      const auto result = replacement_.Apply(token, kDecodedTokenBytesMax, storage);
      if (result.ok() && result->data() != token.data()) token = std::string(*result);
    }
  }
  DecodeScope scope() const override { return DecodeScope::kToken; }

 private:
  const Replacement replacement_;
};

absl::StatusOr<Replacement> MakeReplacement(const ComponentConfig& config) {
  ASSIGN_OR_RETURN(std::unique_ptr<const SplitPattern> pattern, MakePattern(config));
  ASSIGN_OR_RETURN(std::string content, config.String("content"));
  return Replacement(std::move(pattern), std::move(content));
}

absl::StatusOr<std::unique_ptr<const Normalizer>> MakeNormalizer(const ComponentConfig& config,
                                                                 const ComponentRegistry&) {
  ASSIGN_OR_RETURN(Replacement replacement, MakeReplacement(config));
  return std::make_unique<ReplaceNormalizer>(std::move(replacement));
}

absl::StatusOr<std::unique_ptr<const TokenDecoder>> MakeDecoder(const ComponentConfig& config,
                                                                const ComponentRegistry&) {
  ASSIGN_OR_RETURN(Replacement replacement, MakeReplacement(config));
  return std::make_unique<ReplaceDecoder>(std::move(replacement));
}

}  // namespace

absl::Status Register_replace(ComponentRegistry& registry) {
  RETURN_IF_ERROR(registry.normalizers.Add("Replace", MakeNormalizer));
  return registry.decoders.Add("Replace", MakeDecoder);
}

}  // namespace baton
