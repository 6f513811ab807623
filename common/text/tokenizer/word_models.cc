#include "common/text/tokenizer/word_models.h"

#include "common/base/status.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

absl::Status UnknownWord() {
  return InvalidArgument("tokenize: a word outside the vocabulary, and so is unk_token");
}

bool HasMoreChars(std::string_view text, uint64_t count_max) {
  if (text.size() <= count_max) return false;
  uint64_t count = 0;
  for (size_t at = 0; at < text.size() && count <= count_max; ++count) {
    at += DecodeChar(text.substr(at)).length;
  }
  return count > count_max;
}

}  // namespace

bool WordPieceModel::AppendWord(std::string_view word, std::string& buffer,
                                std::vector<TokenId>& ids) const {
  const size_t count = ids.size();
  for (size_t begin = 0; begin < word.size();) {
    buffer.assign(begin == 0 ? "" : options_.continuing_prefix).append(word.substr(begin));
    size_t end = word.size();
    TokenId id = tokens_.Find(buffer);
    while (id == kNoToken) {
      const size_t last = DecodeLastChar(word.substr(begin, end - begin)).length;
      end -= last;
      if (end <= begin) {
        ids.resize(count);
        return false;
      }
      buffer.resize(buffer.size() - last);
      id = tokens_.Find(buffer);
    }
    ids.push_back(id);
    begin = end;
  }
  return true;
}

absl::Status WordPieceModel::Encode(const PieceBuffer& pieces, std::vector<TokenId>& ids) const {
  std::string buffer;
  for (const Piece piece : pieces.pieces()) {
    const std::string_view word = pieces.TextOf(piece);
    if (!HasMoreChars(word, options_.word_chars_max) && AppendWord(word, buffer, ids)) continue;
    if (!options_.unk_id) return UnknownWord();
    ids.push_back(*options_.unk_id);
  }
  return absl::OkStatus();
}

absl::Status WordLevelModel::Encode(const PieceBuffer& pieces, std::vector<TokenId>& ids) const {
  for (const Piece piece : pieces.pieces()) {
    const TokenId id = tokens_.Find(pieces.TextOf(piece));
    if (id == kNoToken && !unk_id_) return UnknownWord();
    ids.push_back(id != kNoToken ? id : *unk_id_);
  }
  return absl::OkStatus();
}

}  // namespace baton
