// What `baton chat` and `baton complete` have in common: flags, the loop over a user's lines, and
// how a reply or an error is shown.
//
// Threading: used by main.
// Errors:    RunTalk prints one clear line on standard error and returns the exit status.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace baton::frontend {

struct TalkOptions {
  std::string url = "http://localhost:8000/v1";
  std::optional<std::string> model_name;
  std::optional<std::string> api_key;
  std::optional<std::string> system_prompt;
  std::optional<int64_t> max_tokens;
  std::optional<double> temperature;
  std::optional<std::string> quick;
  bool stats = false;
};

// One of the two ways to talk to a model.
class Talk {
 public:
  virtual ~Talk() = default;
  virtual std::string_view command() const = 0;      // "chat"
  virtual std::string_view summary() const = 0;      // of --help
  virtual std::string_view instruction() const = 0;  // shown before the first prompt
  virtual std::string path() const = 0;              // of the API
  virtual bool has_system_prompt() const = 0;
  // Called once, before the first request.
  virtual void Begin(const TalkOptions& options, const std::string& model) = 0;

  // The body of the request for one line of the user.
  virtual std::string Request(const std::string& line) = 0;
  // The reply to the last request, or what came of it; not called when the request failed.
  virtual void Replied(const std::string& text) = 0;
  // The last request failed: the conversation goes on as if it had not been made.
  virtual void Failed() = 0;
};

int RunTalk(Talk& talk, std::span<const std::string> arguments);

// A new conversation, and a new series of completions.
std::unique_ptr<Talk> NewChat();
std::unique_ptr<Talk> NewCompletions();

}  // namespace baton::frontend
