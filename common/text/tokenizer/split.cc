// The Split pre-tokenizer: cuts by an expression or a literal string.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/tokenizer/literal_pattern.h"
#include "common/text/tokenizer/split_pattern.h"

namespace baton {
namespace {

class SplitPreTokenizer : public PreTokenizer {
 public:
  SplitPreTokenizer(std::unique_ptr<const SplitPattern> pattern, SplitBehavior behavior,
                    bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}

  absl::Status Cut(PieceBuffer& pieces) const override {
    return CutByPattern(*pattern_, behavior_, invert_, pieces);
  }

 private:
  const std::unique_ptr<const SplitPattern> pattern_;
  const SplitBehavior behavior_;
  const bool invert_;
};

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

absl::StatusOr<std::unique_ptr<const SplitPattern>> MakePattern(const ComponentConfig& config) {
  ASSIGN_OR_RETURN(const ComponentConfig pattern, config.Object("pattern"));
  std::string regex;  // an empty string is an expression that matches everywhere
  if (pattern.Has("String")) {
    ASSIGN_OR_RETURN(std::string literal, pattern.String("String"));
    if (!literal.empty()) return std::make_unique<LiteralPattern>(std::move(literal));
  } else {
    ASSIGN_OR_RETURN(regex, pattern.String("Regex"));
  }
  std::unique_ptr<const SplitPattern> known = MakeKnownPattern(regex);
  if (known != nullptr) return known;
  auto compiled = MakeOnigPattern(regex);
  if (!compiled.ok()) return pattern.Invalid(ToStd(compiled.status().message()));
  return compiled;
}

absl::Status Register_split(ComponentRegistry& registry) {
  return registry.pre_tokenizers.Add("Split", Make);
}

}  // namespace baton
