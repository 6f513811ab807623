// One reply of a model as the chat and completion APIs stream it, and what the terminal shows of
// it.
//
// Threading: thread-compatible. Errors: INVALID_ARGUMENT for a payload that is no chunk; the error
// that a server put into the stream comes back with its message.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"

namespace baton::frontend {

// What one chunk of the stream adds.
struct ReplyPiece {
  std::string text;
  std::string reasoning;
  std::optional<int64_t> completion_tokens;  // of the usage chunk
};

// Reads the payload of one event of either API.
absl::StatusOr<ReplyPiece> ParseReplyPiece(std::string_view payload);

// The message of an error body in any of the shapes that servers use; the body itself, cut short,
// when it has none.
std::string ErrorMessage(std::string_view body);

// Writes a reply piece by piece: reasoning between <think> marks, then the text, then a newline.
// Control characters of the model do not reach a terminal.
class ReplyPrinter {
 public:
  // Made when the request is sent: times count from here.
  ReplyPrinter(std::ostream& out, bool terminal, Clock& clock);

  void Add(const ReplyPiece& piece);

  // Ends the reply; with `stats`, time to first token and tokens per second follow. A reply that
  // was stopped has no count of the server: its pieces are counted.
  void Finish(bool stats);

  const std::string& text() const { return text_; }

 private:
  void Write(std::string_view text);

  std::ostream& out_;
  const bool terminal_;
  Clock& clock_;
  const MonotonicTime start_;
  std::optional<Duration> to_first_token_;
  bool reasoning_ = false;
  std::optional<int64_t> completion_tokens_;  // as the server counts them
  int64_t pieces_ = 0;                        // with text
  std::string text_;
};

}  // namespace baton::frontend
