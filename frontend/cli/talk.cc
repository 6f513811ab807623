#include "frontend/cli/talk.h"

#include <unistd.h>

#include <iostream>
#include <memory>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/config/config_source.h"
#include "common/config/program.h"
#include "frontend/cli/interrupt_signal.h"
#include "frontend/cli/line_reader.h"
#include "frontend/cli/openai_client.h"
#include "frontend/cli/reply.h"

namespace baton::frontend {
namespace {

void DescribeOptions(OptionTable& table, const Talk& talk, TalkOptions& options) {
  table.Add({.name = "url", .help = "Address of the API."}, options.url);
  table.Add({.name = "model-name", .help = "The model. Default: the first that the server lists."},
            options.model_name);
  table.Add({.name = "api-key", .help = "Shown to the server. Default: $OPENAI_API_KEY."},
            options.api_key);
  if (talk.has_system_prompt()) {
    table.Add({.name = "system-prompt", .help = "First message of the conversation."},
              options.system_prompt);
  }
  table.Add({.name = "max-tokens", .help = "Bound on the length of a reply."}, options.max_tokens);
  table.Add({.name = "temperature", .help = "Of sampling. Default: the server's own."},
            options.temperature);
  table.Add({.name = "quick",
             .help = "Send this one text, print the reply, and end.",
             .value_name = "TEXT",
             .aliases = {"q"}},
            options.quick);
  table.Add({.name = "stats", .help = "Print time to first token and speed after each reply."},
            options.stats);
}

// Whether talking can go on after a request that failed so.
bool IsFatal(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kNotFound ||
         status.code() == absl::StatusCode::kUnauthenticated;
}

class Session {
 public:
  Session(Talk& talk, const TalkOptions& options)
      : talk_(talk),
        options_(options),
        client_({.base_url = options.url, .api_key = ApiKey(options)}, interrupt_) {}

  int Run() {
    std::string model = options_.model_name.value_or("");
    if (model.empty()) {
      absl::StatusOr<std::string> first = client_.FirstModel();
      if (first.status().code() == absl::StatusCode::kCancelled) return 0;
      if (!first.ok()) return Fail(first.status());
      model = *std::move(first);
    }
    talk_.Begin(options_, model);
    std::cout << "Using model: " << model << std::endl;
    if (options_.quick.has_value()) {
      const absl::Status sent = Exchange(*options_.quick);
      return sent.ok() ? 0 : Fail(sent);
    }
    std::cout << talk_.instruction() << std::endl;
    const std::unique_ptr<LineReader> reader = OpenLineReader(interrupt_);
    while (true) {
      const LineReader::Line line = reader->Next();
      if (line.kind == LineReader::Kind::kEnd) return 0;
      if (line.text.empty()) continue;
      const absl::Status sent = Exchange(line.text);
      if (!sent.ok() && IsFatal(sent)) return Fail(sent);
      if (!sent.ok()) Fail(sent);
    }
  }

 private:
  static std::string ApiKey(const TalkOptions& options) {
    if (options.api_key.has_value()) return *options.api_key;
    return ProcessEnvironment()("OPENAI_API_KEY").value_or("EMPTY");
  }

  // Sends one line and shows the reply.
  absl::Status Exchange(const std::string& line) {
    const std::string body = talk_.Request(line);
    interrupt_.Take();  // an old Ctrl-C is not for this reply
    ReplyPrinter printer(std::cout, isatty(STDOUT_FILENO) == 1, RealClock());
    const absl::StatusOr<OpenAiClient::StreamEnd> end = client_.Stream(
        talk_.path(), body, [&printer](const ReplyPiece& piece) { printer.Add(piece); });
    if (!end.ok()) {
      if (!printer.text().empty()) std::cout << std::endl;
      talk_.Failed();
      return end.status();
    }
    printer.Finish(options_.stats);
    talk_.Replied(printer.text());
    return absl::OkStatus();
  }

  int Fail(const absl::Status& status) const {
    return baton::Fail("baton " + std::string(talk_.command()), status);
  }

  Talk& talk_;
  const TalkOptions& options_;
  InterruptSignal interrupt_;
  OpenAiClient client_;
};

}  // namespace

int RunTalk(Talk& talk, std::span<const std::string> arguments) {
  TalkOptions options;
  OptionTable table("baton " + std::string(talk.command()), std::string(talk.summary()));
  DescribeOptions(table, talk, options);
  if (const auto status = ReadOptions(table, arguments)) return *status;
  return Session(talk, options).Run();
}

}  // namespace baton::frontend
