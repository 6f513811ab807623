// `baton complete`: text that a served model goes on with; each line is a prompt of its own.
#include <nlohmann/json.hpp>

#include "common/json/json.h"
#include "frontend/cli/command.h"
#include "frontend/cli/talk.h"

namespace baton::frontend {
namespace {

class Completion final : public Talk {
 public:
  std::string_view command() const override { return "complete"; }
  std::string_view summary() const override {
    return "Lets a model that is served go on with a text.";
  }
  std::string_view instruction() const override { return "Please enter prompt to complete:"; }
  std::string path() const override { return "/completions"; }
  bool has_system_prompt() const override { return false; }

  void Begin(const TalkOptions& options, const std::string& model) override {
    request_ = {{"model", model}, {"stream", true}};
    if (options.max_tokens.has_value()) request_["max_tokens"] = *options.max_tokens;
    if (options.temperature.has_value()) request_["temperature"] = *options.temperature;
    if (options.stats) request_["stream_options"] = {{"include_usage", true}};
  }

  std::string Request(const std::string& line) override {
    request_["prompt"] = line;
    return SerializeJson(request_);
  }

  void Replied(const std::string&) override {}
  void Failed() override {}

 private:
  Json request_;
};

}  // namespace

std::unique_ptr<Talk> NewCompletions() { return std::make_unique<Completion>(); }

int Run_complete(std::span<const std::string> arguments) {
  return RunTalk(*NewCompletions(), arguments);
}

}  // namespace baton::frontend
