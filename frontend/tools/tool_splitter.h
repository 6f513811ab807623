// Tells the calls of a reply from its text, by the table of one notation.
//
// Text passes at once but for what could still become markup, and white space, which belongs to
// markup if that follows. What began like a call and is none is text. A call whose arguments turn
// out to be no JSON after it was announced has those until there, closed, and never ends; what
// follows is text.
//
// Threading: owned by one choice of one answer. Ownership: format, tools and sink outlive it.
// Bounds: a call that has not begun after 256 KB is text.
#pragma once

#include <bitset>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/tools/call_body.h"
#include "frontend/tools/reply_sink.h"
#include "frontend/tools/tool_format.h"

namespace baton::frontend {

class ToolSplitter : public ReplySplitter {
 public:
  ToolSplitter(const ToolFormat& format, const ToolSet& tools, ReplySink& sink);

  void Push(std::string_view text) override;
  void Finish(ReplyEnd end) override;

 private:
  static constexpr size_t kUndecidedBytesMax = 256 << 10;
  static constexpr size_t kReadAgainBytesMax = 8 << 10;

  enum class Marker { kOpener, kSection, kCloser };

  // How many bytes at the beginning of `text` are text for sure, and no white space.
  size_t PlainBytes(std::string_view text) const;
  void OnPlain(std::string_view text);
  void Feed(char byte);
  void FeedText(char byte);
  void FeedBody(char byte);
  // Acts on pending_ until it is empty or the beginning of a marker.
  void Resolve();
  void OnMarker(Marker kind, std::string_view marker);
  void OnTextByte(char byte);
  void BeginBody(std::string_view opener);
  void OnBodyFailed();
  bool IsBareBeginning(char byte) const;

  const ToolFormat& format_;
  const ToolSet& tools_;
  ReplySink& sink_;

  std::unique_ptr<CallBody> body_;
  bool opening_ = false;  // between an opener and its body's first byte
  bool text_seen_ = false;
  bool after_call_ = false;
  bool any_call_ = false;
  std::string pending_;             // the beginning of a marker
  std::string space_;               // white space that may belong to markup
  std::bitset<256> special_bytes_;  // all that may be more than text

  std::string_view opener_;
  size_t opener_bytes_ = 0;  // of undecided_
  std::string undecided_;    // read since the opener or the last call, in none yet
};

}  // namespace baton::frontend
