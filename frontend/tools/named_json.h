// Calls whose name stands before their arguments: `name<separator>{json}`.
//
// Threading, Ownership: as CallBody; refers to its notation, which outlives it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "frontend/tools/call_body.h"
#include "frontend/tools/json_reader.h"

namespace baton::frontend {

struct NamedJsonNotation {
  // Stands before the name, if anything does: "function<｜tool▁sep｜>".
  std::string_view before_name = {};
  // The first of these ends the name. "{" is also the first byte of the arguments.
  std::span<const std::string_view> after_name;
  // Stands before the arguments' '{', if anything does: "```json".
  std::string_view before_arguments = {};
  // Says what the text in front of the separator is, and may set the call's id.
  void (*split_name)(std::string& name, std::string& id) = nullptr;
};

class NamedJson : public CallBody {
 public:
  explicit NamedJson(const NamedJsonNotation& notation) : notation_(notation) {}

  Step Push(char byte, ReplySink& sink) override;
  void Finish(ReplyEnd end, ReplySink& sink) override;
  void CloseArguments(ReplySink& sink) override;

 private:
  enum class State { kName, kBeforeArguments, kArguments };

  Step PushName(char byte, ReplySink& sink);
  Step EndName(std::string_view separator, ReplySink& sink);
  Step PushBefore(char byte, ReplySink& sink);
  Step PushArguments(char byte, ReplySink& sink);

  const NamedJsonNotation& notation_;
  State state_ = State::kName;
  std::string text_;  // of the name, or between it and the arguments
  std::string piece_;
  JsonReader reader_;
};

}  // namespace baton::frontend
