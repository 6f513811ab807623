#include <memory>
#include <string_view>

#include "common/text/tokenizer/cl100k_pattern.h"
#include "common/text/tokenizer/gpt2_pattern.h"
#include "common/text/tokenizer/run_pattern.h"
#include "common/text/tokenizer/split_pattern.h"

namespace baton {
namespace {

// Each expression exactly as tokenizer.json files spell it.
constexpr std::string_view kLlama3Regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2Regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

}  // namespace

std::unique_ptr<const SplitPattern> MakeKnownPattern(std::string_view regex) {
  if (regex == kGpt2Regex) return std::make_unique<Gpt2Pattern>();
  if (regex == kLlama3Regex) return std::make_unique<Cl100kPattern>(3);
  if (regex == kQwen2Regex) return std::make_unique<Cl100kPattern>(1);
  return RunPattern::Compile(regex);
}

}  // namespace baton
