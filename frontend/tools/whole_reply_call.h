// Notices a reply that is nothing but one call, written as a bare JSON object: in a code fence or
// between tags of another model or with nothing around it. Small models often leave their family's
// markers out.
//
//   ```json
//   {"name": "get_weather", "arguments": {"city": "Oslo"}}
//   ```
//
// The text is held while it can still be that, which ends at the first byte that does not fit: a
// key that no call has, a tool that was not declared, words around the object. It then goes on to
// the next splitter as if nothing had happened. At the end of the reply the arguments must fit the
// tool's schema.
//
// Threading: owned by one choice of one answer. Ownership: tools, sink and next outlive it.
// Bounds: holds 256 KB at most.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "frontend/tools/json_calls.h"
#include "frontend/tools/reply_sink.h"
#include "frontend/tools/tool_format.h"

namespace baton::frontend {

class WholeReplyCall : public ReplySplitter {
 public:
  // `format` is the notation that `next` reads: its own markers are left to it.
  WholeReplyCall(const ToolFormat& format, const ToolSet& tools, ReplySink& sink,
                 ReplySplitter& next);
  ~WholeReplyCall() override;

  void Push(std::string_view text) override;
  void Finish(ReplyEnd end) override;
  ReplySplitter* successor() override { return state_ == State::kPassing ? &next_ : this; }

 private:
  static constexpr size_t kHeldBytesMax = 256 << 10;

  enum class State { kBefore, kTag, kFence, kObject, kAfter, kPassing };

  struct Recorder;

  // What comes next after `byte`; kPassing if the reply is no such call.
  State Feed(char byte);
  State Before(char byte);
  State Inside(char byte);
  State After(char byte);
  void Pass();

  const ToolFormat& format_;
  const ToolSet& tools_;
  ReplySink& sink_;
  ReplySplitter& next_;

  State state_ = State::kBefore;
  std::string held_;
  std::string tag_;  // "<tools>", or as much as there is of it
  bool fenced_ = false;
  std::string tail_;  // behind the object, without white space
  std::unique_ptr<JsonCalls> object_;
  std::unique_ptr<Recorder> recorder_;
};

}  // namespace baton::frontend
