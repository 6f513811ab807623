// Expressions without code of their own, by Oniguruma: the engine and the syntax of the reference.
// Debian's has the character classes of Unicode 14, the reference those of 16; newer characters
// count as unassigned here.
#include <oniguruma.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/strings.h"
#include "common/text/tokenizer/split_pattern.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

// What one search may cost. A text that needs more is refused, so that no expression hangs a
// thread.
constexpr unsigned long kRetriesInMatchMax = 1'000'000;
constexpr unsigned long kRetriesInSearchMax = 10'000'000;
constexpr unsigned int kStackEntriesMax = 1'000'000;
constexpr size_t kRegexBytesMax = size_t{64} << 10;

const OnigUChar* Bytes(std::string_view text) {
  return reinterpret_cast<const OnigUChar*>(text.data());
}

std::string ErrorText(int code, const OnigErrorInfo* info) {
  OnigUChar text[ONIG_MAX_ERROR_MESSAGE_LEN] = {};
  const int length = info != nullptr ? onig_error_code_to_str(text, code, info)
                                     : onig_error_code_to_str(text, code);
  return std::string(reinterpret_cast<const char*>(text), static_cast<size_t>(length));
}

struct RegionDeleter {
  void operator()(OnigRegion* region) const { onig_region_free(region, 1); }
};
struct MatchParamDeleter {
  void operator()(OnigMatchParam* param) const { onig_free_match_param(param); }
};

class OnigPattern : public SplitPattern {
 public:
  explicit OnigPattern(OnigRegex regex) : regex_(regex) {}
  OnigPattern(const OnigPattern&) = delete;
  OnigPattern& operator=(const OnigPattern&) = delete;
  ~OnigPattern() override { onig_free(regex_); }

  absl::Status AppendMatches(std::string_view text, uint32_t base,
                             std::vector<Piece>& matches) const override {
    const std::unique_ptr<OnigRegion, RegionDeleter> region(onig_region_new());
    const std::unique_ptr<OnigMatchParam, MatchParamDeleter> param(onig_new_match_param());
    onig_initialize_match_param(param.get());
    onig_set_retry_limit_in_match_of_match_param(param.get(), kRetriesInMatchMax);
    onig_set_retry_limit_in_search_of_match_param(param.get(), kRetriesInSearchMax);
    onig_set_match_stack_limit_size_of_match_param(param.get(), kStackEntriesMax);
    // The engine trusts its input to be UTF-8 and would read past the end of what is not.
    const bool valid = IsValidUtf8(text);
    std::string repaired;
    if (!valid) {
      repaired = WithoutInvalidBytes(text);
      text = repaired;
    }
    const OnigUChar* const begin = Bytes(text);
    const OnigUChar* const end = begin + text.size();
    size_t at = 0;
    size_t last_end = SIZE_MAX;
    while (at <= text.size()) {
      const int found = onig_search_with_param(regex_, begin, end, begin + at, end, region.get(),
                                               ONIG_OPTION_NONE, param.get());
      if (found == ONIG_MISMATCH) break;
      if (found < 0) {
        return InvalidArgument(
            absl::StrCat("tokenize: the model's split expression: ", ErrorText(found, nullptr)));
      }
      const auto match_begin = static_cast<size_t>(region->beg[0]);
      const auto match_end = static_cast<size_t>(region->end[0]);
      // No empty match right after another.
      if (match_begin == match_end && match_end == last_end) {
        at += at < text.size() ? DecodeChar(text.substr(at)).length : 1;
        continue;
      }
      at = last_end = match_end;
      matches.push_back(
          {base + static_cast<uint32_t>(match_begin), base + static_cast<uint32_t>(match_end)});
    }
    return absl::OkStatus();
  }

 private:
  // As long as `text`, with a control character for each byte that is not UTF-8.
  static std::string WithoutInvalidBytes(std::string_view text) {
    std::string result(text);
    for (size_t at = 0; at < text.size();) {
      const Utf8Char next = DecodeChar(text.substr(at));
      for (uint32_t i = 0; !next.valid && i < next.length; ++i) result[at + i] = '\x1A';
      at += next.length;
    }
    return result;
  }

  const OnigRegex regex_;
};

void InitializeOnce() {
  static std::once_flag once;
  std::call_once(once, [] {
    OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
    onig_initialize(encodings, 1);
  });
}

}  // namespace

absl::StatusOr<std::unique_ptr<const SplitPattern>> MakeOnigPattern(std::string_view regex) {
  InitializeOnce();
  if (regex.size() > kRegexBytesMax || !IsValidUtf8(regex)) {
    return InvalidArgument(
        absl::StrCat("expression of ", regex.size(), " bytes is too long or not UTF-8"));
  }
  OnigRegex compiled = nullptr;
  OnigErrorInfo info = {};
  const int code = onig_new(&compiled, Bytes(regex), Bytes(regex) + regex.size(), ONIG_OPTION_NONE,
                            ONIG_ENCODING_UTF8, ONIG_SYNTAX_RUBY, &info);
  if (code != ONIG_NORMAL) {
    return InvalidArgument(
        absl::StrCat("expression ", ToAbsl(regex), " does not compile: ", ErrorText(code, &info)));
  }
  return std::make_unique<OnigPattern>(compiled);
}

}  // namespace baton
