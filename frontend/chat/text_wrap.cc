#include "frontend/chat/text_wrap.h"

#include <algorithm>
#include <string>

#include "frontend/chat/python_text.h"
#include "frontend/chat/value.h"

namespace baton::frontend::internal {
namespace {

// Blanks at which textwrap parts words; other white space of Unicode is a letter to it.
bool IsBlank(char32_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsLetter(char32_t c) { return IsWordLetter(c) && !IsDecimal(c); }
bool IsWordOrMark(char32_t c) {
  return IsWordLetter(c) || (c < 0x80 && std::string_view("!\"'&.,?").find(static_cast<char>(c)) !=
                                             std::string_view::npos);
}

// Parts a text into words, the parts of hyphenated words, dashes and white space.
class ChunkSplitter {
 public:
  ChunkSplitter(std::string_view text, bool on_hyphens) : text_(text), on_hyphens_(on_hyphens) {
    for (size_t at = 0; at < text.size(); at += SequenceLength(text, at)) {
      points_.push_back(CodePointAt(text, at));
      offsets_.push_back(at);
    }
    offsets_.push_back(text.size());
  }

  std::vector<std::string_view> Split() const {
    std::vector<std::string_view> chunks;
    for (size_t at = 0; at < points_.size();) {
      const size_t end = ChunkEnd(at);
      chunks.push_back(text_.substr(offsets_[at], offsets_[end] - offsets_[at]));
      at = end;
    }
    return chunks;
  }

 private:
  char32_t At(size_t index) const { return index < points_.size() ? points_[index] : 0; }

  size_t ChunkEnd(size_t at) const {
    if (IsBlank(points_[at])) {
      while (at < points_.size() && IsBlank(points_[at])) ++at;
      return at;
    }
    if (on_hyphens_ && at > 0 && IsWordOrMark(points_[at - 1])) {
      const size_t dash = DashEnd(at);
      if (dash != at) return dash;
    }
    for (size_t end = at + 1;; ++end) {
      if (end == points_.size() || IsBlank(points_[end])) return end;
      if (!on_hyphens_ || points_[end] != '-') continue;
      if (PartsCompound(end)) return end + 1;
      if (IsWordOrMark(points_[end - 1]) && DashEnd(end) != end) return end;
    }
  }

  // The end of two or more hyphens before a word; `at` when there are none.
  size_t DashEnd(size_t at) const {
    size_t end = at;
    while (At(end) == '-') ++end;
    return end >= at + 2 && IsWordLetter(At(end)) ? end : at;
  }

  // The hyphen at `at` stands between the letters of a compound: "long-term", "e-mail", "x-y-z".
  bool PartsCompound(size_t at) const {
    const bool after_letters = at >= 2 && IsLetter(points_[at - 1]) && IsLetter(points_[at - 2]);
    const bool after_one = at >= 3 && IsWordOrMark(points_[at - 1]) && points_[at - 2] == '-' &&
                           IsLetter(points_[at - 3]);
    if (!after_letters && !after_one) return false;
    if (!IsLetter(At(at + 1))) return false;
    return IsLetter(At(at + 2)) || (At(at + 2) == '-' && IsLetter(At(at + 3)));
  }

  const std::string_view text_;
  const bool on_hyphens_;
  std::vector<char32_t> points_;
  std::vector<size_t> offsets_;  // of each code point, and the end
};

bool IsWhite(std::string_view text) { return StripLeft(text).empty(); }

// Fills lines with chunks.
class LineFiller {
 public:
  LineFiller(std::vector<std::string_view> chunks, const WrapOptions& options)
      : options_(options), chunks_(std::move(chunks)) {}

  std::vector<std::string_view> Fill() {
    TakeLength();
    while (next_ < chunks_.size()) FillLine();
    return std::move(lines_);
  }

 private:
  void TakeLength() {
    if (next_ == chunks_.size()) return;
    length_ = static_cast<int64_t>(CodePointCount(chunks_[next_]));
    const std::string_view inked = StripRight(chunks_[next_]);
    ink_end_ = inked.data() + inked.size();
  }
  // Whether what is left of the chunk is nothing but white space.
  bool IsRestWhite() const { return ink_end_ <= chunks_[next_].data(); }

  void Advance() {
    ++next_;
    TakeLength();
  }

  void FillLine() {
    std::vector<std::string_view> line;
    int64_t used = 0;
    if (!lines_.empty() && IsRestWhite()) Advance();
    for (; next_ < chunks_.size() && used + length_ <= options_.width; Advance()) {
      line.push_back(chunks_[next_]);
      used += length_;
    }
    if (next_ < chunks_.size() && length_ > options_.width) PlaceLongWord(line, used);
    if (!line.empty() && IsWhite(line.back())) line.pop_back();
    if (line.empty()) return;
    const char* const begin = line.front().data();
    const char* const end = line.back().data() + line.back().size();
    lines_.emplace_back(begin, static_cast<size_t>(end - begin));
  }

  void PlaceLongWord(std::vector<std::string_view>& line, int64_t used) {
    std::string_view& chunk = chunks_[next_];
    if (!options_.break_long_words) {
      if (!line.empty()) return;
      line.push_back(chunk);
      return Advance();
    }
    const auto room = static_cast<size_t>(options_.width - used);
    size_t bytes = ByteOffset(chunk, room);
    if (options_.break_on_hyphens) {
      const std::string_view fits = chunk.substr(0, bytes);
      const size_t hyphen = fits.rfind('-');
      const size_t other = fits.find_first_not_of('-');
      if (hyphen != std::string_view::npos && other < hyphen) bytes = hyphen + 1;
    }
    const std::string_view part = chunk.substr(0, bytes);
    line.push_back(part);
    chunk.remove_prefix(bytes);
    length_ -= static_cast<int64_t>(CodePointCount(part));
  }

  const WrapOptions options_;
  std::vector<std::string_view> chunks_;
  size_t next_ = 0;                // the first chunk that is on no line yet
  int64_t length_ = 0;             // its code points
  const char* ink_end_ = nullptr;  // behind its last letter that is no white space
  std::vector<std::string_view> lines_;
};

}  // namespace

std::vector<std::string_view> WrapText(std::string_view text, const WrapOptions& options) {
  return LineFiller(ChunkSplitter(text, options.break_on_hyphens).Split(), options).Fill();
}

}  // namespace baton::frontend::internal
