#include "frontend/answer/token_offsets.h"

#include <algorithm>

namespace baton::frontend {
namespace {

// Counts characters while bytes go by.
class CharacterCounter {
 public:
  explicit CharacterCounter(std::string_view text) : text_(text) {}

  std::string_view rest() const { return text_.substr(bytes_); }
  // Of the next byte's character.
  size_t position() const { return IsInside(bytes_) ? characters_ - 1 : characters_; }
  // Characters that have begun.
  size_t count() const { return characters_; }

  void Advance(size_t bytes) {
    for (const size_t end = bytes_ + bytes; bytes_ < end; ++bytes_) {
      if (!IsInside(bytes_)) ++characters_;
    }
  }

 private:
  bool IsInside(size_t at) const {
    return at < text_.size() && (static_cast<unsigned char>(text_[at]) & 0xC0) == 0x80;
  }

  const std::string_view text_;
  size_t bytes_ = 0;
  size_t characters_ = 0;
};

// How many bytes of the text a token is; nothing if it is not what comes next.
std::optional<size_t> BytesOf(const Tokenizer& tokenizer, TokenId id, std::string_view rest,
                              bool at_front) {
  const std::string_view spelled =
      tokenizer.IsSpecial(id) ? tokenizer.TokenText(id) : tokenizer.TokenBytes(id);
  if (!spelled.empty() && rest.starts_with(spelled)) return spelled.size();
  if (tokenizer.IsSpecial(id)) return 0;  // put there
  // sentencepiece's models see a space before the text.
  if (at_front && spelled.starts_with(' ') && rest.starts_with(spelled.substr(1))) {
    return spelled.size() - 1;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::vector<TextSpan>> TokenOffsets(const Tokenizer& tokenizer,
                                                  std::span<const TokenId> ids,
                                                  std::string_view text) {
  std::vector<TextSpan> offsets;
  offsets.reserve(ids.size());
  CharacterCounter counter(text);
  for (const TokenId id : ids) {
    const bool at_front = counter.count() == 0;
    const auto bytes = BytesOf(tokenizer, id, counter.rest(), at_front);
    if (!bytes.has_value()) return std::nullopt;
    const bool was_put_there = *bytes == 0 && tokenizer.IsSpecial(id);
    const size_t begin = counter.position();
    counter.Advance(*bytes);
    offsets.push_back(was_put_there ? TextSpan()
                                    : TextSpan{begin, std::max(begin, counter.count())});
  }
  if (!counter.rest().empty()) return std::nullopt;
  return offsets;
}

}  // namespace baton::frontend
