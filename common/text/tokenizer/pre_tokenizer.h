// The second stage: cuts text into the pieces that no token may cross.
//
// Threading: implementations are immutable and thread-safe; a PieceBuffer belongs to one call.
// Errors:    INVALID_ARGUMENT when an expression takes too many steps on this text, or it outgrows
//            the offsets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace baton {

// A part of a text, by byte offsets.
struct Piece {
  uint32_t begin;
  uint32_t end;
  friend bool operator==(Piece, Piece) = default;
};

// A text and its pieces, in order. Reused between calls, so that cutting allocates nothing once
// warm. REQUIRES: texts are shorter than 4 GiB.
class PieceBuffer {
 public:
  // Starts over with one piece: all of `text`, which outlives its use here. Its first `front`
  // bytes, whole characters, come from the first character of the original text.
  void Reset(std::string_view text, size_t front = 0) {
    text_ = text;
    front_ = front;
    pieces_.clear();
    if (!text.empty()) pieces_.push_back({0, static_cast<uint32_t>(text.size())});
  }

  std::string_view text() const { return text_; }
  const std::vector<Piece>& pieces() const { return pieces_; }
  std::string_view TextOf(Piece piece) const {
    return {text_.data() + piece.begin, piece.end - piece.begin};
  }

  // True for a piece that begins with what the original text begins with.
  bool IsFront(Piece piece) const { return piece.begin < front_; }

  // Replaces every piece by those that `cut(text of the piece, its begin, out)` appends to `out`,
  // in offsets of the whole text. Empty ones are not to be appended.
  template <typename Cut>
  void Recut(Cut&& cut) {
    next_.clear();
    for (const Piece piece : pieces_) cut(TextOf(piece), piece.begin, next_);
    std::swap(pieces_, next_);
  }

  // Replaces the text of every piece by what `rewrite(text of the piece, is front, out)` appends to
  // `out`, a string of all; each character becomes the same wherever it stands, but for what may be
  // put before the first. Empty ones vanish.
  template <typename Rewrite>
  absl::Status RewritePieces(Rewrite&& rewrite) {
    spare_.clear();
    next_.clear();
    size_t front = 0;
    for (const Piece piece : pieces_) {
      const size_t begin = spare_.size();
      rewrite(TextOf(piece), IsFront(piece), spare_);
      if (spare_.size() > kTextBytesMax) {
        return absl::InvalidArgumentError("tokenize: pre-tokenizers make the text too long");
      }
      const size_t end = spare_.size();
      if (end > begin) next_.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
      if (!IsFront(piece)) continue;
      front = end;
      if (piece.end <= front_) continue;
      rewrite(TextOf({piece.begin, static_cast<uint32_t>(front_)}), true, spare_);
      front = begin + spare_.size() - end;
      spare_.resize(end);
    }
    std::swap(pieces_, next_);
    std::swap(storage_, spare_);
    text_ = storage_;
    front_ = front;
    return absl::OkStatus();
  }

 private:
  static constexpr size_t kTextBytesMax = size_t{3} << 30;

  std::string_view text_;
  size_t front_ = 0;
  std::vector<Piece> pieces_;
  std::vector<Piece> next_;
  std::string storage_;  // what text_ views once it was rewritten
  std::string spare_;
};

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;

  // Cuts the pieces further, or rewrites them.
  virtual absl::Status Cut(PieceBuffer& pieces) const = 0;

  // True when what comes out stands for bytes, as with ByteLevel. The stand-in letters that the
  // files use for bytes need not exist at run time: the model reads the bytes themselves.
  virtual bool byte_level() const { return false; }

  // True when it asks which pieces are the front.
  virtual bool marks_front() const { return false; }
};

}  // namespace baton
