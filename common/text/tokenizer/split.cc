// The Split pre-tokenizer: cuts by an expression or a literal string.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/tokenizer/split_pattern.h"

namespace baton {
namespace {

class LiteralPattern : public SplitPattern {
 public:
  explicit LiteralPattern(std::string literal) : literal_(std::move(literal)) {}

  void AppendMatches(std::string_view text, uint32_t base,
                     std::vector<Piece>& matches) const override {
    for (size_t at = text.find(literal_); at != std::string_view::npos;
         at = text.find(literal_, at + literal_.size())) {
      matches.push_back(
          {base + static_cast<uint32_t>(at), base + static_cast<uint32_t>(at + literal_.size())});
    }
  }

 private:
  const std::string literal_;
};

class SplitPreTokenizer : public PreTokenizer {
 public:
  SplitPreTokenizer(std::unique_ptr<const SplitPattern> pattern, SplitBehavior behavior,
                    bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}

  void Cut(PieceBuffer& pieces) const override {
    CutByPattern(*pattern_, behavior_, invert_, pieces);
  }

 private:
  const std::unique_ptr<const SplitPattern> pattern_;
  const SplitBehavior behavior_;
  const bool invert_;
};

absl::StatusOr<std::unique_ptr<const SplitPattern>> MakePattern(const ComponentConfig& config) {
  ASSIGN_OR_RETURN(const ComponentConfig pattern, config.Object("pattern"));
  if (pattern.Has("String")) {
    ASSIGN_OR_RETURN(std::string literal, pattern.String("String"));
    if (literal.empty()) return pattern.Unsupported("an empty string as pattern");
    return std::make_unique<LiteralPattern>(std::move(literal));
  }
  ASSIGN_OR_RETURN(const std::string regex, pattern.String("Regex"));
  std::unique_ptr<const SplitPattern> known = MakeKnownPattern(regex);
  if (known == nullptr) return pattern.Unsupported("unknown expression " + regex);
  return known;
}

absl::StatusOr<std::unique_ptr<const PreTokenizer>> Make(const ComponentConfig& config,
                                                         const ComponentRegistry&) {
  ASSIGN_OR_RETURN(std::unique_ptr<const SplitPattern> pattern, MakePattern(config));
  ASSIGN_OR_RETURN(const std::string name, config.String("behavior"));
  ASSIGN_OR_RETURN(const bool invert, config.BoolOr("invert", false));
  const std::optional<SplitBehavior> behavior = ParseSplitBehavior(name);
  if (!behavior) return config.Invalid("unknown behavior " + name);
  return std::make_unique<SplitPreTokenizer>(std::move(pattern), *behavior, invert);
}

}  // namespace

absl::Status Register_split(ComponentRegistry& registry) {
  return registry.pre_tokenizers.Add("Split", Make);
}

}  // namespace baton
