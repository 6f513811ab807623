// Calls as a Python list: [get_weather(city="Oslo", days=3), now()]
//
// Threading, Ownership: as CallBody.
#pragma once

#include <string>

#include "frontend/tools/call_body.h"
#include "frontend/tools/python_blanks.h"
#include "frontend/tools/python_literal.h"

namespace baton::frontend {

class PythonCalls : public CallBody {
 public:
  PythonCalls(const ToolSet& tools, Names names) : tools_(tools), names_(names) {}

  Step Push(char byte, ReplySink& sink) override;
  void Finish(ReplyEnd end, ReplySink& sink) override;
  void CloseArguments(ReplySink& sink) override;

 private:
  enum class State { kStart, kItem, kName, kKey, kValue, kAfterValue, kAfterCall };

  Step PushName(char byte);
  Step PushKey(char byte, ReplySink& sink);
  Step PushValue(char byte, ReplySink& sink);
  Step EndCall(ReplySink& sink);

  const ToolSet& tools_;
  const Names names_;
  State state_ = State::kStart;
  std::string word_;  // being read: a function's name or a keyword
  std::string name_;  // of the call, which begins with its first value
  std::string key_;   // of the value, before any of that is known
  bool has_arguments_ = false;
  PythonBlanks blanks_;
  PythonLiteral literal_;
  std::string piece_;
};

}  // namespace baton::frontend
