// Follows which part of a rewritten text comes from the front of the text it was made of, as
// Hugging Face's tokenizers account for it: every character that is put out either takes the place
// of the next one of the old text, or is inserted after it, or takes the place of several.
//
//   FrontTracer tracer(text, front);
//   for (each character put out) {
//     if (!tracer.Push(its bytes, its change)) break;
//   }
//   tracer.front();                      // so many bytes of the new text
//
// Threading: a value. Ownership: borrows the text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "common/text/unicode/utf8.h"

namespace baton {

class FrontTracer {
 public:
  // The first `front` bytes of `text`, whole characters, are its front.
  FrontTracer(std::string_view text, size_t front) : text_(text), front_before_(front) {}

  // `change` above 0: the character is inserted; 0: it takes the place of one; below: of that many
  // more. False from the first character on that does not come from the front.
  bool Push(size_t bytes, int change) {
    const bool inserted = change > 0;
    const bool from_front = inserted ? at_ == 0 || at_ - 1 < front_before_ : at_ < front_before_;
    if (!from_front) return false;
    front_ += bytes;
    for (int replaced = inserted ? 0 : 1 - change; replaced > 0 && at_ < text_.size(); --replaced) {
      at_ += DecodeChar(text_.substr(at_)).length;
    }
    return true;
  }

  size_t front() const { return front_; }

 private:
  std::string_view text_;
  size_t front_before_;
  size_t at_ = 0;     // what of the old text is accounted for
  size_t front_ = 0;  // of the new one
};

}  // namespace baton
