// What a pre-tokenizer cuts text by: the regular expressions found in tokenizer.json. Each known
// one is hand-written code (10 to 30 times as fast as an expression engine, and exact in its
// Unicode level); the engine of the reference serves the rest.
//
// Threading: implementations are immutable and thread-safe.
// Errors:    INVALID_ARGUMENT when an expression takes too many steps on a text.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/text/tokenizer/component_config.h"
#include "common/text/tokenizer/pre_tokenizer.h"

namespace baton {

class SplitPattern {
 public:
  virtual ~SplitPattern() = default;

  // Appends the matches in `text`, leftmost first, shifted by `base`. Empty ones only from
  // expressions that have no code of their own. REQUIRES: text is not empty.
  virtual absl::Status AppendMatches(std::string_view text, uint32_t base,
                                     std::vector<Piece>& matches) const = 0;
};

// What becomes of matches and of the text between them; named as in tokenizer.json.
enum class SplitBehavior {
  kRemoved,
  kIsolated,
  kMergedWithPrevious,
  kMergedWithNext,
  kContiguous,
};

std::optional<SplitBehavior> ParseSplitBehavior(std::string_view name);

// Cuts every piece by the pattern. With `invert`, what does not match counts as match.
absl::Status CutByPattern(const SplitPattern& pattern, SplitBehavior behavior, bool invert,
                          PieceBuffer& pieces);

// From the member `pattern` of a component: {"String": …} or {"Regex": …}.
absl::StatusOr<std::unique_ptr<const SplitPattern>> MakePattern(const ComponentConfig& config);

// The code for an expression, spelled exactly as in the file; nullptr when there is none.
std::unique_ptr<const SplitPattern> MakeKnownPattern(std::string_view regex);

// Any expression, in Ruby's syntax, by Oniguruma. INVALID_ARGUMENT when it does not compile.
absl::StatusOr<std::unique_ptr<const SplitPattern>> MakeOnigPattern(std::string_view regex);

// The expression of GPT-2, which the ByteLevel component uses without naming it.
inline constexpr std::string_view kGpt2Regex =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

}  // namespace baton
