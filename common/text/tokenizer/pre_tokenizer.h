// The second stage: cuts text into the pieces that no token may cross.
//
// Threading: implementations are immutable and thread-safe; a PieceBuffer belongs to one call.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

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
  // Starts over with one piece: all of `text`, which outlives its use here.
  void Reset(std::string_view text) {
    text_ = text;
    pieces_.clear();
    if (!text.empty()) pieces_.push_back({0, static_cast<uint32_t>(text.size())});
  }

  std::string_view text() const { return text_; }
  const std::vector<Piece>& pieces() const { return pieces_; }
  std::string_view TextOf(Piece piece) const {
    return {text_.data() + piece.begin, piece.end - piece.begin};
  }

  // Replaces every piece by those that `cut(text of the piece, its begin, out)` appends to `out`,
  // in offsets of the whole text. Empty ones are not to be appended.
  template <typename Cut>
  void Recut(Cut&& cut) {
    next_.clear();
    for (const Piece piece : pieces_) cut(TextOf(piece), piece.begin, next_);
    std::swap(pieces_, next_);
  }

 private:
  std::string_view text_;
  std::vector<Piece> pieces_;
  std::vector<Piece> next_;
};

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;

  // Cuts the pieces further.
  virtual void Cut(PieceBuffer& pieces) const = 0;

  // True when what comes out stands for bytes, as with ByteLevel. The stand-in letters that the
  // files use for bytes never exist at run time: the model reads the bytes themselves.
  virtual bool byte_level() const { return false; }
};

}  // namespace baton
