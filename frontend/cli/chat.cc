// `baton chat`: a conversation with a served model; all of it is sent with every message.
#include <nlohmann/json.hpp>

#include "common/json/json.h"
#include "frontend/cli/command.h"
#include "frontend/cli/talk.h"

namespace baton::frontend {
namespace {

class Chat final : public Talk {
 public:
  std::string_view command() const override { return "chat"; }
  std::string_view summary() const override { return "Talks to a model that is served."; }
  std::string_view instruction() const override {
    return "Please enter a message for the chat model:";
  }
  std::string path() const override { return "/chat/completions"; }
  bool has_system_prompt() const override { return true; }

  void Begin(const TalkOptions& options, const std::string& model) override {
    request_ = {{"model", model}, {"stream", true}, {"messages", Json::array()}};
    if (options.max_tokens.has_value()) request_["max_tokens"] = *options.max_tokens;
    if (options.temperature.has_value()) request_["temperature"] = *options.temperature;
    if (options.stats) request_["stream_options"] = {{"include_usage", true}};
    if (options.system_prompt.has_value()) AddMessage("system", *options.system_prompt);
  }

  std::string Request(const std::string& line) override {
    AddMessage("user", line);
    return SerializeJson(request_);
  }

  void Replied(const std::string& text) override { AddMessage("assistant", text); }

  void Failed() override {
    Json& messages = request_["messages"];
    messages.erase(messages.size() - 1);
  }

 private:
  void AddMessage(const char* role, const std::string& content) {
    request_["messages"].push_back({{"role", role}, {"content", content}});
  }

  Json request_;
};

}  // namespace

std::unique_ptr<Talk> NewChat() { return std::make_unique<Chat>(); }

int Run_chat(std::span<const std::string> arguments) { return RunTalk(*NewChat(), arguments); }

}  // namespace baton::frontend
