#include "common/text/tokenizer/run_pattern.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

constexpr std::array<std::pair<std::string_view, CategorySet>, 13> kCategoryNames = {{
    {"L", kLetters},
    {"N", kNumbers},
    {"M", kMarks},
    {"P", kPunctuation},
    {"S", kSymbols},
    {"Ll", SetOf(Category::kLl)},
    {"Lm", SetOf(Category::kLm)},
    {"Lo", SetOf(Category::kLo)},
    {"Lt", SetOf(Category::kLt)},
    {"Lu", SetOf(Category::kLu)},
    {"Nd", SetOf(Category::kNd)},
    {"Nl", SetOf(Category::kNl)},
    {"No", SetOf(Category::kNo)},
}};

bool Consume(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

// Reads an expression front to back; every method answers false or nothing for what it does not
// know.
//
// Threading: used by one call of Compile.
class RunPatternParser {
 public:
  explicit RunPatternParser(std::string_view regex) : rest_(regex) {}

  bool Parse(RunPattern& pattern) {
    if (Consume(rest_, "\\s?")) pattern.lead_ = RunPattern::Lead::kWhiteSpace;
    if (Consume(rest_, " ?")) pattern.lead_ = RunPattern::Lead::kSpace;
    const std::string_view before = rest_;
    if (!ParseSet(pattern.set_)) return false;
    const std::string_view set_text = before.substr(0, before.size() - rest_.size());
    if (!ParseQuantifier(set_text, pattern)) return false;
    pattern.at_end_ = Consume(rest_, "$");
    if (pattern.at_end_ && (pattern.lead_ != RunPattern::Lead::kNone || pattern.count_min_ != 1)) {
      return false;
    }
    std::sort(pattern.set_.ranges.begin(), pattern.set_.ranges.end(),
              [](const CharSet::Range& a, const CharSet::Range& b) { return a.first < b.first; });
    return rest_.empty();
  }

 private:
  bool ParseSet(CharSet& set) {
    if (!Consume(rest_, "[")) return ParseClass(set);
    if (rest_.substr(0, 1) == "^") return false;
    while (!rest_.empty() && rest_[0] != ']') {
      if (ParseClass(set)) continue;
      const std::optional<char32_t> first = ParseLiteral();
      if (!first) return false;
      char32_t last = *first;
      if (rest_.size() >= 2 && rest_[0] == '-' && rest_[1] != ']') {
        rest_.remove_prefix(1);
        const std::optional<char32_t> end = ParseLiteral();
        if (!end || *end < *first) return false;
        last = *end;
      }
      set.ranges.push_back({*first, last});
    }
    return Consume(rest_, "]");
  }

  // `\s` or `\p{…}`.
  bool ParseClass(CharSet& set) {
    if (Consume(rest_, "\\s")) {
      set.white_space = true;
      return true;
    }
    if (rest_.substr(0, 3) != "\\p{") return false;
    const size_t close = rest_.find('}');
    if (close == std::string_view::npos) return false;
    const std::string_view name = rest_.substr(3, close - 3);
    for (const auto& [known, categories] : kCategoryNames) {
      if (known != name) continue;
      set.categories |= categories;
      rest_.remove_prefix(close + 1);
      return true;
    }
    return false;
  }

  std::optional<char32_t> ParseLiteral() {
    if (rest_.empty() || rest_[0] == '[' || rest_.substr(0, 2) == "&&") return std::nullopt;
    if (rest_[0] == '\\') {
      rest_.remove_prefix(1);
      if (Consume(rest_, "r")) return U'\r';
      if (Consume(rest_, "n")) return U'\n';
      if (Consume(rest_, "t")) return U'\t';
      const bool punctuation =
          !rest_.empty() && static_cast<unsigned char>(rest_[0]) < 0x80 &&
          PropertiesOf(static_cast<unsigned char>(rest_[0])).Is(kPunctuation | kSymbols);
      if (!punctuation) return std::nullopt;
    }
    const Utf8Char next = DecodeChar(rest_);
    if (!next.valid) return std::nullopt;
    rest_.remove_prefix(next.length);
    return next.code;
  }

  bool ParseQuantifier(std::string_view set_text, RunPattern& pattern) {
    if (Consume(rest_, "+")) return true;
    pattern.count_max_ = 1;
    if (!Consume(rest_, "{")) {
      while (Consume(rest_, set_text)) ++pattern.count_max_;
      pattern.count_min_ = pattern.count_max_;
      return true;
    }
    const std::optional<uint32_t> first = ParseCount();
    if (!first) return false;
    pattern.count_min_ = pattern.count_max_ = *first;
    if (Consume(rest_, ",")) {
      const std::optional<uint32_t> second = ParseCount();
      if (!second) return false;
      pattern.count_max_ = *second;
    }
    return pattern.count_min_ >= 1 && pattern.count_max_ >= pattern.count_min_ &&
           Consume(rest_, "}");
  }

  std::optional<uint32_t> ParseCount() {
    uint32_t value = 0;
    size_t digits = 0;
    while (digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9' && digits < 6) {
      value = value * 10 + static_cast<uint32_t>(rest_[digits] - '0');
      ++digits;
    }
    rest_.remove_prefix(digits);
    if (digits == 0) return std::nullopt;
    return value;
  }

  std::string_view rest_;
};

bool CharSet::Contains(char32_t code) const {
  const CharProperties properties = PropertiesOf(code);
  if (properties.Is(categories) || (white_space && properties.white_space())) return true;
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), code,
                       [](char32_t value, const Range& range) { return value < range.first; });
  return after != ranges.begin() && code <= std::prev(after)->last;
}

std::unique_ptr<const RunPattern> RunPattern::Compile(std::string_view regex) {
  std::unique_ptr<RunPattern> pattern(new RunPattern());
  if (!RunPatternParser(regex).Parse(*pattern)) return nullptr;
  return pattern;
}

size_t RunPattern::RunEnd(std::string_view text, size_t at) const {
  const size_t begin = at;
  uint32_t count = 0;
  while (at < text.size() && count < count_max_) {
    const Utf8Char next = DecodeChar(text.substr(at));
    if (!set_.Contains(next.code)) break;
    at += next.length;
    ++count;
  }
  return count < count_min_ ? begin : at;
}

size_t RunPattern::MatchEnd(std::string_view text, size_t at) const {
  if (lead_ != Lead::kNone) {
    const Utf8Char first = DecodeChar(text.substr(at));
    const bool is_lead =
        lead_ == Lead::kSpace ? first.code == U' ' : PropertiesOf(first.code).white_space();
    if (is_lead) {
      const size_t run = at + first.length;
      if (const size_t end = RunEnd(text, run); end > run) return end;
    }
  }
  return RunEnd(text, at);
}

void RunPattern::AppendTrailingRun(std::string_view text, uint32_t base,
                                   std::vector<Piece>& matches) const {
  size_t begin = text.size();
  while (begin > 0) {
    const Utf8Char last = DecodeLastChar(text.substr(0, begin));
    if (!set_.Contains(last.code)) break;
    begin -= last.length;
  }
  if (begin == text.size()) return;
  matches.push_back(
      {base + static_cast<uint32_t>(begin), base + static_cast<uint32_t>(text.size())});
}

absl::Status RunPattern::AppendMatches(std::string_view text, uint32_t base,
                                       std::vector<Piece>& matches) const {
  if (at_end_) {
    AppendTrailingRun(text, base, matches);
    return absl::OkStatus();
  }
  for (size_t at = 0; at < text.size();) {
    const size_t end = MatchEnd(text, at);
    if (end > at) {
      matches.push_back({base + static_cast<uint32_t>(at), base + static_cast<uint32_t>(end)});
      at = end;
    } else {
      at += DecodeChar(text.substr(at)).length;
    }
  }
  return absl::OkStatus();
}

}  // namespace baton
