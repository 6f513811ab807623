// The CharDelimiterSplit pre-tokenizer: the parts between occurrences of one character.
#include <memory>
#include <string>
#include <utility>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/tokenizer/literal_pattern.h"

namespace baton {
namespace {

class CharDelimiterPreTokenizer : public PreTokenizer {
 public:
  explicit CharDelimiterPreTokenizer(std::string delimiter) : pattern_(std::move(delimiter)) {}

  absl::Status Cut(PieceBuffer& pieces) const override {
    return CutByPattern(pattern_, SplitBehavior::kRemoved, false, pieces);
  }

 private:
  const LiteralPattern pattern_;
};

absl::StatusOr<std::unique_ptr<const PreTokenizer>> Make(const ComponentConfig& config,
                                                         const ComponentRegistry&) {
  ASSIGN_OR_RETURN(std::string delimiter, config.Char("delimiter"));
  return std::make_unique<CharDelimiterPreTokenizer>(std::move(delimiter));
}

}  // namespace

absl::Status Register_char_delimiter_split(ComponentRegistry& registry) {
  return registry.pre_tokenizers.Add("CharDelimiterSplit", Make);
}

}  // namespace baton
