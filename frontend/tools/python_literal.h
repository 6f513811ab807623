// Reads one Python literal byte by byte and writes it as JSON.
//
// Text, numbers, True, False, None, lists, tuples and dictionaries with text as keys; JSON's own
// words as well. Text streams; numbers and words come whole.
//
// Threading: thread-compatible. Bounds: literals nested deeper than 96 are invalid.
#pragma once

#include <cstdint>
#include <string>

#include "frontend/tools/json_reader.h"

namespace baton::frontend {

class PythonLiteral {
 public:
  using Step = JsonReader::Step;

  // Appends what the byte adds to the JSON.
  Step Push(char byte, std::string* json);

  // Appends the least that makes a whole value of what was appended until now.
  void Close(std::string* json);

 private:
  enum class State { kValue, kString, kEscape, kCode, kWord, kAfterValue, kKey, kColon };

  Step PushStructure(char byte, std::string* json);
  Step BeginValue(char byte, std::string* json);
  Step PushString(char byte, std::string* json);
  Step PushEscape(char byte, std::string* json);
  Step PushCode(char byte, std::string* json);
  Step PushWord(char byte, std::string* json);
  Step CloseContainer(std::string* json);
  Step LeaveValue();

  State state_ = State::kValue;
  std::string open_;      // '[', '(' and '{' around
  bool is_empty_ = true;  // of the innermost container
  bool in_key_ = false;
  char quote_ = '"';
  int code_left_ = 0;
  uint32_t code_ = 0;
  std::string word_;
};

}  // namespace baton::frontend
