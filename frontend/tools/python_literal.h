// Reads one Python literal byte by byte and writes it as JSON, as vLLM's parsers read it.
//
// Text with its prefixes, triple quotes and pieces side by side, numbers, True, False, None, lists,
// tuples, sets (as lists) and dictionaries, between them white space, comments and lines that go
// on; JSON's own words as well. Bytes, expressions and names are invalid. Text streams; numbers and
// words come whole, and what a brace or a parenthesis opens is held until it shows what that is.
//
// Threading: thread-compatible. Bounds: literals nested deeper than 96 are invalid.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "frontend/tools/json_reader.h"
#include "frontend/tools/python_blanks.h"

namespace baton::frontend {

class PythonLiteral {
 public:
  using Step = JsonReader::Step;

  // Appends what the byte adds to the JSON.
  Step Push(char byte, std::string* json);

  // Appends the least that makes a whole value of what was appended until now.
  void Close(std::string* json);

 private:
  enum class State {
    kItem,       // of a list, or the value itself
    kKey,        // of a dictionary
    kDictValue,  // behind a colon
    kSign,
    kWord,    // a number, a name, the prefix of text
    kQuotes,  // those that open text
    kText,
    kEscape,
    kCode,   // of \x, \u, \U
    kOctal,  // of \101
    kAfterText,
    kAfterValue,
    kColon,
  };
  enum class Shape {
    kList,
    kTuple,
    kDict,
    kSet,
    kParenthesis,
    kBrace
  };  // the last two: not yet clear
  enum class Part { kText, kWord, kOther };
  struct Container {
    Shape shape;
    size_t held_at;  // of its opener
    int count = 0;   // items that are complete
  };

  Step Advance(char byte);
  Step BeginValue(char byte);
  Step Open(char byte);
  Step BeginText(char quote, bool joins);
  void BeginItem();
  Step PushSign(char byte);
  Step PushWord(char byte);
  Step PushQuotes(char byte);
  Step PushText(char byte);
  Step PushEscape(char byte);
  Step PushCode(char byte);
  Step PushOctal(char byte);
  Step PushAfterText(char byte);
  Step PushAfterValue(char byte);
  Step PushColon(char byte);
  Step CloseContainer(char byte);
  Step LeaveValue(Part part);
  void AppendText(char byte);
  void AppendCode(uint32_t code);
  bool TakesFormatBrace(char byte);

  State state_ = State::kItem;
  State place_ = State::kItem;  // kItem, kKey or kDictValue: where the text or word stands
  PythonBlanks blanks_;
  std::vector<Container> open_;
  int unclear_ = 0;   // of the open ones
  std::string held_;  // JSON that is not handed out yet
  Part last_ = Part::kOther;

  std::string word_;
  bool negative_ = false;
  bool joins_ = false;  // the word stands behind text: it can only be a prefix

  char quote_ = '"';
  int quotes_ = 0;     // that opened the text: 1 or 3
  int quote_run_ = 0;  // quotes that may close it
  bool raw_ = false;
  bool format_ = false;
  char brace_ = '\0';  // the first of two in formatted text
  int code_left_ = 0;
  uint32_t code_ = 0;
};

}  // namespace baton::frontend
