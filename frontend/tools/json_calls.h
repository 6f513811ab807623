// Calls as JSON objects with a name and arguments: one, or a list of them.
//
//   {"name": "get_weather", "arguments": {"city": "Oslo"}}
//
// `parameters` means `arguments`, an `id` is the call's own, and a `function` may stand around name
// and arguments, or be the name. Arguments may be JSON inside a string; none are {}. They stream
// from the moment that the name is known.
//
// Threading, Ownership: as CallBody.
#pragma once

#include <string>
#include <string_view>

#include "frontend/tools/call_body.h"
#include "frontend/tools/json_reader.h"

namespace baton::frontend {

class JsonCalls : public CallBody {
 public:
  JsonCalls(const ToolSet& tools, Names names) : tools_(tools), names_(names) {}

  Step Push(char byte, ReplySink& sink) override;
  void Finish(ReplyEnd end, ReplySink& sink) override;
  void CloseArguments(ReplySink& sink) override;

 private:
  enum class State {
    kStart,       // a call or a list
    kItem,        // in a list: a call
    kFirstKey,    // after '{'
    kKey,         // reading it
    kColon,       // after it
    kValue,       // before the value
    kInValue,     // reading it
    kAfterValue,  // ',' or '}'
    kNextKey,     // after ','
    kAfterCall,   // in a list: ',' or ']'
  };
  enum class Member { kName, kArguments, kId, kWrapper, kOther };

  Step PushBetween(char byte, ReplySink& sink);
  Step PushKey(char byte);
  Step BeginValue(char byte, ReplySink& sink);
  Step PushValue(char byte, ReplySink& sink);
  Step EndValue(ReplySink& sink);
  Step EndObject(ReplySink& sink);
  Step EndWithoutBrackets(char byte, ReplySink& sink);
  bool NameFits() const;
  void StreamArguments(ReplySink& sink);

  const ToolSet& tools_;
  const Names names_;
  State state_ = State::kStart;
  bool in_list_ = false;
  int wrappers_ = 0;  // open "function" objects

  Member member_ = Member::kOther;
  JsonReader reader_;
  std::string piece_;  // of a key or value, not passed on
  std::string name_;
  std::string id_;
  std::string arguments_;  // complete, but not passed on
  bool has_arguments_ = false;
  bool streaming_ = false;
};

}  // namespace baton::frontend
