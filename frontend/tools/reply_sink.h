// What a model's reply consists of, as it becomes certain: reasoning, content, tool calls.
//
// Pieces of one kind belong together in the order they come; nothing is ever taken back. A call
// that has begun is followed by its arguments and, if they were complete and valid JSON, by its
// end; a call whose end does not come is broken or cut off. Arguments are valid JSON also of a
// broken call, which keeps what was valid of them.
//
// Threading: owned by one choice of one answer.
#pragma once

#include <string_view>

namespace baton::frontend {

class ReplySink {
 public:
  virtual ~ReplySink() = default;

  virtual void OnReasoning(std::string_view text) = 0;
  virtual void OnContent(std::string_view text) = 0;
  // `id` is the one that the model wrote, or empty.
  virtual void OnCallBegin(std::string_view name, std::string_view id) = 0;
  virtual void OnArguments(std::string_view json) = 0;
  virtual void OnCallEnd() = 0;
};

// How a reply ended: by the model's own word, or in the middle of something.
enum class ReplyEnd { kStopped, kCut };

// Takes a part of a reply's text and passes on what it is. Text comes in any pieces of whole
// characters; what the sink hears, put together, does not depend on where the pieces end.
class ReplySplitter {
 public:
  virtual ~ReplySplitter() = default;
  virtual void Push(std::string_view text) = 0;
  // No more text will come. Called once.
  virtual void Finish(ReplyEnd end) = 0;
  // Who takes the text and the end from now on: the one behind this, once this does nothing but
  // pass on.
  virtual ReplySplitter* successor() { return this; }
  // The text is in the middle of reasoning.
  virtual bool in_reasoning() const { return false; }
};

}  // namespace baton::frontend
