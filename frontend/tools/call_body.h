// The inside of a tool call's markup: one or more calls in one notation, read byte by byte.
//
// A body is made when its opening marker has been seen and is fed until it says that it is over.
// Until it has told the sink of a call, its text may still turn out to be none.
//
// Threading: owned by one choice of one answer. Ownership: refers to the declared tools, which
// outlive it.
#pragma once

#include <string_view>

#include "frontend/tools/reply_sink.h"
#include "frontend/tools/tool_set.h"

namespace baton::frontend {

// Whether a call of a tool that was not declared is a call.
enum class Names { kAny, kDeclared };

class CallBody {
 public:
  enum class Step {
    kMore,
    kDone,        // the byte was the last
    kDoneBefore,  // the body was over before the byte
    kFailed,      // the byte, and what it held back, is none of the notation
  };

  virtual ~CallBody() = default;

  virtual Step Push(char byte, ReplySink& sink) = 0;

  // The text ended inside the body. Ends a call that needs nothing more but its closing marks.
  virtual void Finish(ReplyEnd end, ReplySink& sink) = 0;

  // A call has begun and can never end: its arguments become a whole object as they are. REQUIRES:
  // in_call().
  virtual void CloseArguments(ReplySink& sink) = 0;

  // True once a call has begun and its end has not come.
  bool in_call() const { return in_call_; }
  // How many calls have begun.
  int call_count() const { return call_count_; }

 protected:
  void Begin(std::string_view name, std::string_view id, ReplySink& sink) {
    in_call_ = true;
    ++call_count_;
    sink.OnCallBegin(name, id);
  }
  void End(ReplySink& sink) {
    in_call_ = false;
    sink.OnCallEnd();
  }

 private:
  bool in_call_ = false;
  int call_count_ = 0;
};

}  // namespace baton::frontend
