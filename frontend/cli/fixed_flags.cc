#include "frontend/cli/fixed_flags.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/strings.h"

namespace baton::frontend {
namespace {

struct FixedSwitch {
  const char* name;
  bool value;
  const char* why;
};

constexpr FixedSwitch kSwitches[] = {
    {"disable-log-requests", true, "requests are never logged"},
    {"disable-log-stats", true, "figures are at /metrics only"},
    {"disable-uvicorn-access-log", true, "requests are never logged"},
    {"enable-chunked-prefill", true, "prompts are always computed in chunks"},
    {"enable-log-requests", false, "requests are never logged"},
    {"enable-prefix-caching", true, "prefixes are always cached"},
    {"enable-server-load-tracking", true, "/load is always served"},
    {"enforce-eager", true, "nothing is captured or compiled"},
    {"trust-remote-code", false, "code in checkpoints is never run"},
};

struct FixedText {
  const char* name;
  const char* values;  // words that are taken, with a space between; none: any, without effect
  const char* why;
};

constexpr FixedText kTexts[] = {
    {"api-server-count", "", "one frontend serves with all its threads"},
    {"gpu-memory-utilization", "", "--kv-cache-memory-bytes sizes the KV cache"},
    {"load-format", "auto safetensors gguf", "the files tell their format"},
    {"logprobs-mode", "raw_logprobs", "log-probabilities are those of the model"},
    {"pipeline-parallel-size", "1", "layers are not spread over workers"},
    {"runner", "auto generate", "models generate text"},
    {"stream-interval", "1", "every token is streamed"},
    {"structured-outputs-config", "", "there is one engine for constraints"},
    {"swap-space", "", "what is preempted is computed again"},
    {"task", "auto generate", "models generate text"},
    {"tokenizer-mode", "auto", "the files tell their kind"},
    {"uvicorn-log-level", "", "--log-level is for all programs"},
};

bool IsWordOf(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

}  // namespace

void FixedFlags::AddTo(OptionTable& table) {
  for (const FixedSwitch& flag : kSwitches) {
    switches_[flag.name] = flag.value;
    table.Add({.name = flag.name, .help = flag.why, .hidden = true}, switches_[flag.name]);
  }
  for (const FixedText& flag : kTexts) {
    table.Add({.name = flag.name, .help = flag.why, .hidden = true}, texts_[flag.name]);
  }
}

absl::StatusOr<std::vector<std::string>> FixedFlags::Notes() const {
  std::vector<std::string> notes;
  for (const FixedSwitch& flag : kSwitches) {
    if (switches_.at(flag.name) == flag.value) continue;
    notes.push_back(absl::StrCat("--", flag.value ? "no-" : "", flag.name,
                                 " changes nothing here: ", flag.why));
  }
  for (const FixedText& flag : kTexts) {
    const std::optional<std::string>& value = texts_.at(flag.name);
    if (!value.has_value() || IsWordOf(flag.values, *value)) continue;
    if (*flag.values != '\0') {
      return InvalidArgument(
          absl::StrCat("--", flag.name, " ", *value, " cannot be served: ", flag.why));
    }
    notes.push_back(absl::StrCat("--", flag.name, " changes nothing here: ", flag.why));
  }
  return notes;
}

}  // namespace baton::frontend
