// A client of an OpenAI-compatible server: lists models and streams replies.
//
//   OpenAiClient client({.base_url = "http://localhost:8000/v1", .api_key = key}, interrupt);
//   ASSIGN_OR_RETURN(const std::string model, client.FirstModel());
//   ASSIGN_OR_RETURN(const auto end, client.Stream("/chat/completions", body, on_piece));
//
// Threading: used by main; blocks in its calls, and gives up when Ctrl-C is pressed.
// Ownership: the interrupt outlives the client. A server on this machine is reached without proxy.
// Errors:    UNAVAILABLE (nothing answers, or the stream was cut), NOT_FOUND (404),
//            UNAUTHENTICATED (401, 403), RESOURCE_EXHAUSTED (429), INVALID_ARGUMENT (other 4xx),
//            INTERNAL (5xx); the message is the server's.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "frontend/cli/interrupt_signal.h"
#include "frontend/cli/reply.h"

namespace baton::frontend {

struct OpenAiEndpoint {
  std::string base_url;  // "http://localhost:8000/v1"
  std::string api_key;   // sent as a bearer token
};

class OpenAiClient {
 public:
  enum class StreamEnd { kComplete, kInterrupted };
  using OnPiece = std::function<void(const ReplyPiece&)>;

  OpenAiClient(OpenAiEndpoint endpoint, InterruptSignal& interrupt);
  ~OpenAiClient();

  OpenAiClient(const OpenAiClient&) = delete;
  OpenAiClient& operator=(const OpenAiClient&) = delete;

  // The first model that the server lists.
  absl::StatusOr<std::string> FirstModel();

  // Sends `body` to `path` and hands out the pieces of the reply as they come.
  absl::StatusOr<StreamEnd> Stream(const std::string& path, const std::string& body,
                                   const OnPiece& on_piece);

 private:
  class Transfer;

  const OpenAiEndpoint endpoint_;
  InterruptSignal& interrupt_;
};

}  // namespace baton::frontend
