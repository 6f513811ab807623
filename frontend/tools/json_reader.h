// Reads one JSON value byte by byte, and copies it as valid JSON.
//
// What models write and JSON forbids, but means one thing only, is copied as what it means: raw
// control characters in strings, escapes that JSON does not have, strings in single quotes, a comma
// behind the last item, Python's words, and NaN, which is null. Everything else that is no JSON
// ends the reading; what was copied until then is the beginning of a valid value, which Close ends.
//
//   JsonReader reader;
//   for (char byte : text) if (reader.Push(byte, &copy) != JsonReader::Step::kMore) break;
//
// Threading: thread-compatible. Bounds: values nested deeper than kDepthMax are invalid.
#pragma once

#include <cstddef>
#include <string>

namespace baton::frontend {

class JsonReader {
 public:
  static constexpr size_t kDepthMax = 96;

  enum class Step {
    kMore,       // the byte is part of the value
    kEnd,        // the byte is the value's last
    kEndBefore,  // the value, a number or a word, ended before the byte
    kInvalid,    // no value continues with this byte
  };

  // Appends what the byte adds to the value, white space included.
  Step Push(char byte, std::string* copy);

  // True when the value is complete should the text end here: numbers have no last byte.
  bool CompleteAtEnd() const;

  // Appends the least that makes a whole value of what was copied. REQUIRES: something was.
  void Close(std::string* copy);

 private:
  enum class State {
    kValue,       // white space, then a value
    kFirstItem,   // after '[': a value or ']'
    kFirstKey,    // after '{': a key or '}'
    kKey,         // after ',' in an object
    kColon,       // after a key
    kAfterValue,  // ',' or the end of the container
    kString,
    kEscape,
    kHex,
    kWord,
    kNumber,
    kDone,
  };
  enum class Number { kMinus, kZero, kInteger, kPoint, kFraction, kExponent, kSign, kPower };

  Step PushStructure(char byte, std::string* copy);
  Step PushString(char byte, std::string* copy);
  Step PushScalar(char byte, std::string* copy);
  Step PushCode(char byte, std::string* copy);
  Step PushEscaped(char byte, std::string* copy);
  Step PushWord(char byte, std::string* copy);
  bool BeginValue(char byte, std::string* copy);
  bool AdvanceNumber(char byte);
  bool NumberIsWhole() const;
  // A value is over; false when it was the outermost.
  bool LeaveValue();

  State state_ = State::kValue;
  Number number_ = Number::kZero;
  bool in_key_ = false;
  char quote_ = '"';
  std::string code_;   // hexadecimal digits of an escape
  std::string word_;   // as far as it is read
  std::string comma_;  // and white space behind it; not copied before the next item
  std::string open_;   // '{' and '[' around
};

}  // namespace baton::frontend
