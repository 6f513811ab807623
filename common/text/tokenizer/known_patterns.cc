#include <memory>
#include <string>
#include <string_view>

#include "common/text/tokenizer/cased_pattern.h"
#include "common/text/tokenizer/cl100k_pattern.h"
#include "common/text/tokenizer/deepseek_pattern.h"
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

// Marks count as letters.
constexpr std::string_view kQwen35Regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kO200kRegex =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekkenRegex =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kDeepSeekRegex =
    "[!\"#$%&'()*+,\\-./"
    ":;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|"
    " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+";

// Files spell line ends as escapes or as themselves.
std::string WithEscapedLineEnds(std::string_view regex) {
  std::string result;
  for (const char c : regex) {
    if (c == '\r') {
      result += "\\r";
    } else if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace

std::unique_ptr<const SplitPattern> MakeKnownPattern(std::string_view spelled) {
  const std::string regex = WithEscapedLineEnds(spelled);
  if (regex == WithEscapedLineEnds(kDeepSeekRegex)) return std::make_unique<DeepSeekPattern>();
  if (regex == kO200kRegex) return std::make_unique<CasedPattern>(3, true);
  if (regex == kTekkenRegex) return std::make_unique<CasedPattern>(1, false);
  if (regex == kQwen35Regex) return std::make_unique<Cl100kPattern>(1, true);
  if (regex == kGpt2Regex) return std::make_unique<Gpt2Pattern>();
  if (regex == kLlama3Regex) return std::make_unique<Cl100kPattern>(3);
  if (regex == kQwen2Regex) return std::make_unique<Cl100kPattern>(1);
  return RunPattern::Compile(spelled);
}

}  // namespace baton
