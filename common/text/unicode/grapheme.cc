#include "common/text/unicode/grapheme.h"

#include <cstdint>

#include "common/text/unicode/code_point_runs.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

constexpr uint32_t kBreakRuns[] = {
#include "common/text/unicode/grapheme_breaks.inc"
};

// In the order of generate_reference_tables.py. kExtend and kLinker may stand inside an Indic
// conjunct, kPlainExtend may not. Hangul syllables are told apart by arithmetic.
enum class Break : uint8_t {
  kOther,
  kCr,
  kLf,
  kControl,
  kExtend,
  kLinker,
  kPlainExtend,
  kZwj,
  kRegional,
  kPrepend,
  kSpacingMark,
  kL,
  kV,
  kT,
  kPictographic,
  kConsonant,
  kLv,
  kLvt,
};

Break BreakOf(char32_t code) {
  if (code >= 0xAC00 && code < 0xD7A4) {
    return (code - 0xAC00) % 28 == 0 ? Break::kLv : Break::kLvt;
  }
  static const CodePointBytes table(kBreakRuns);
  return static_cast<Break>(table[code]);
}

bool IsControl(Break value) {
  return value == Break::kCr || value == Break::kLf || value == Break::kControl;
}

bool HangulJoins(Break left, Break right) {
  if (left == Break::kL) {
    return right == Break::kL || right == Break::kV || right == Break::kLv || right == Break::kLvt;
  }
  if (left == Break::kLv || left == Break::kV) return right == Break::kV || right == Break::kT;
  return (left == Break::kLvt || left == Break::kT) && right == Break::kT;
}

// What the rules remember of the cluster so far.
class ClusterState {
 public:
  explicit ClusterState(Break first) : last_(first) { Remember(first); }

  // Whether a character of this class goes on with the cluster; if so it becomes its last.
  bool Takes(Break next) {
    if (!Joins(next)) return false;
    last_ = next;
    Remember(next);
    return true;
  }

 private:
  bool Joins(Break next) const {
    if (last_ == Break::kCr && next == Break::kLf) return true;
    if (IsControl(last_) || IsControl(next)) return false;
    if (HangulJoins(last_, next)) return true;
    switch (next) {
      case Break::kExtend:
      case Break::kLinker:
      case Break::kPlainExtend:
      case Break::kZwj:
      case Break::kSpacingMark:
        return true;
      case Break::kConsonant:
        return last_ == Break::kPrepend || (conjunct_ && linked_);
      case Break::kPictographic:
        return last_ == Break::kPrepend || (pictographic_ && last_ == Break::kZwj);
      case Break::kRegional:
        return last_ == Break::kPrepend || (last_ == Break::kRegional && regional_odd_);
      default:
        return last_ == Break::kPrepend;
    }
  }

  void Remember(Break value) {
    const bool extends = value == Break::kExtend || value == Break::kLinker || value == Break::kZwj;
    if (value == Break::kConsonant) {
      conjunct_ = true;
      linked_ = false;
    } else if (!extends) {
      conjunct_ = false;
    } else if (value == Break::kLinker) {
      linked_ = true;
    }
    if (value == Break::kPictographic) {
      pictographic_ = true;
    } else if (!extends && value != Break::kPlainExtend) {
      pictographic_ = false;
    }
    regional_odd_ = value == Break::kRegional && !regional_odd_;
  }

  Break last_;
  bool conjunct_ = false;      // a consonant, then only extending characters
  bool linked_ = false;        // a linker among those
  bool pictographic_ = false;  // an emoji, then only extending characters
  bool regional_odd_ = false;  // half a flag
};

}  // namespace

size_t GraphemeLength(std::string_view text) {
  const Utf8Char first = DecodeChar(text);
  size_t length = first.length;
  ClusterState state(BreakOf(first.code));
  while (length < text.size()) {
    const Utf8Char next = DecodeChar(text.substr(length));
    if (!state.Takes(BreakOf(next.code))) break;
    length += next.length;
  }
  return length;
}

}  // namespace baton
