// The pre-tokenizers Punctuation and BertPreTokenizer, which cuts at white space first.
#include <memory>
#include <optional>
#include <string>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/char_pattern.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/unicode/char_properties.h"
#include "common/text/unicode/reference_properties.h"

namespace baton {
namespace {

bool IsPunctuation(char32_t code) { return ReferencePropertiesOf(code).punctuation(); }
bool IsWhiteSpace(char32_t code) { return PropertiesOf(code).white_space(); }

class PunctuationPreTokenizer : public PreTokenizer {
 public:
  explicit PunctuationPreTokenizer(SplitBehavior behavior) : behavior_(behavior) {}

  absl::Status Cut(PieceBuffer& pieces) const override {
    return CutByPattern(CharPattern(IsPunctuation), behavior_, false, pieces);
  }

 private:
  const SplitBehavior behavior_;
};

class BertPreTokenizer : public PreTokenizer {
 public:
  absl::Status Cut(PieceBuffer& pieces) const override {
    RETURN_IF_ERROR(
        CutByPattern(CharPattern(IsWhiteSpace), SplitBehavior::kRemoved, false, pieces));
    return CutByPattern(CharPattern(IsPunctuation), SplitBehavior::kIsolated, false, pieces);
  }
};

absl::StatusOr<std::unique_ptr<const PreTokenizer>> MakePunctuation(const ComponentConfig& config,
                                                                    const ComponentRegistry&) {
  ASSIGN_OR_RETURN(const std::string name, config.StringOr("behavior", "Isolated"));
  const std::optional<SplitBehavior> behavior = ParseSplitBehavior(name);
  if (!behavior) return config.Invalid("unknown behavior " + name);
  return std::make_unique<PunctuationPreTokenizer>(*behavior);
}

absl::StatusOr<std::unique_ptr<const PreTokenizer>> MakeBert(const ComponentConfig&,
                                                             const ComponentRegistry&) {
  return std::make_unique<BertPreTokenizer>();
}

}  // namespace

absl::Status Register_punctuation(ComponentRegistry& registry) {
  RETURN_IF_ERROR(registry.pre_tokenizers.Add("Punctuation", MakePunctuation));
  return registry.pre_tokenizers.Add("BertPreTokenizer", MakeBert);
}

}  // namespace baton
