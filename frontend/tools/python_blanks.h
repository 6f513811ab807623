// What stands between Python's tokens inside of brackets: white space, comments, and a backslash at
// the end of a line.
//
// Threading: thread-compatible.
#pragma once

namespace baton::frontend {

class PythonBlanks {
 public:
  enum class Byte { kToken, kBlank, kInvalid };

  Byte Read(char byte) {
    switch (place_) {
      case Place::kComment:
        if (byte == '\n') place_ = Place::kBetween;
        return Byte::kBlank;
      case Place::kLineEnd:
        if (byte == '\r') return Byte::kBlank;
        place_ = Place::kBetween;
        return byte == '\n' ? Byte::kBlank : Byte::kInvalid;
      case Place::kBetween:
        break;
    }
    if (byte == '#') place_ = Place::kComment;
    if (byte == '\\') place_ = Place::kLineEnd;
    const bool space = byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t' || byte == '\f';
    return space || place_ != Place::kBetween ? Byte::kBlank : Byte::kToken;
  }

 private:
  enum class Place { kBetween, kComment, kLineEnd };

  Place place_ = Place::kBetween;
};

}  // namespace baton::frontend
