// A call whose arguments stand one by one between tags:
//
//   <function=NAME><parameter=KEY>VALUE</parameter></function>
//   NAME<arg_key>KEY</arg_key><arg_value>VALUE</arg_value></tool_call>
//
// Values are plain text; the tool's schema says what they are as JSON. Text streams, everything
// else waits for its end. What stands between two arguments and is no tag is noise.
//
// Threading, Ownership: as CallBody; refers to its notation, which outlives it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "frontend/tools/call_body.h"

namespace baton::frontend {

struct TaggedNotation {
  std::string_view before_name = {};             // "<function="
  std::span<const std::string_view> after_name;  // ">"; a tag of an argument or the end stays
  std::string_view before_key;
  std::string_view after_key;
  std::string_view before_value = {};  // nothing: the value follows its key
  std::string_view after_value;
  std::span<const std::string_view> ends;  // of the call
  // Ends of the call that also end a value whose own end the model forgot. Others may be part of
  // it.
  std::span<const std::string_view> ends_in_value = {};
  bool trims_newlines = false;  // one in front of a value and one behind it
};

class TaggedArguments : public CallBody {
 public:
  // `named`: the opening marker included what stands before the name.
  TaggedArguments(const TaggedNotation& notation, const ToolSet& tools, bool named);

  Step Push(char byte, ReplySink& sink) override;
  void Finish(ReplyEnd end, ReplySink& sink) override;
  void CloseArguments(ReplySink& sink) override;

 private:
  enum class State { kBeforeName, kName, kBetween, kKey, kBeforeValue, kValue };

  Step PushBeforeName(char byte);
  Step PushName(char byte, ReplySink& sink);
  Step PushBetween(char byte, ReplySink& sink);
  Step PushKey(char byte, ReplySink& sink);
  Step PushValue(char byte, ReplySink& sink);
  Step EndCall(ReplySink& sink);
  void BeginValue(ReplySink& sink);
  void StreamValue(ReplySink& sink);
  void EndValue(ReplySink& sink);
  // The tag that `held_` ends with, or nothing.
  std::string_view TagAtEnd(std::span<const std::string_view> tags) const;

  const TaggedNotation& notation_;
  const ToolSet& tools_;
  State state_;
  std::string held_;  // read, its meaning not known
  std::string name_;
  std::string key_;
  std::string value_;  // waiting for its end
  bool streams_ = false;
  bool at_value_start_ = false;
  bool has_arguments_ = false;
};

}  // namespace baton::frontend
