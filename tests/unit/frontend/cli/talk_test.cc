// The requests of `baton chat` and `baton complete`, and both commands against a scripted server.
#include "frontend/cli/talk.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "frontend/cli/line_reader.h"
#include "tests/unit/frontend/cli/scripted_server.h"

namespace baton::frontend {
namespace {

TEST(ChatTest, SendsTheWholeConversation) {
  const std::unique_ptr<Talk> chat = NewChat();
  TalkOptions options;
  options.system_prompt = "Be brief.";
  options.max_tokens = 5;
  options.temperature = 0.0;
  options.stats = true;
  chat->Begin(options, "m");
  EXPECT_EQ(chat->Request("hi"),
            R"({"max_tokens":5,"messages":[{"content":"Be brief.","role":"system"},)"
            R"({"content":"hi","role":"user"}],"model":"m","stream":true,)"
            R"("stream_options":{"include_usage":true},"temperature":0.0})");
  chat->Failed();
  chat->Request("hello");
  chat->Replied("Hi.");
  EXPECT_EQ(chat->Request("more"),
            R"({"max_tokens":5,"messages":[{"content":"Be brief.","role":"system"},)"
            R"({"content":"hello","role":"user"},{"content":"Hi.","role":"assistant"},)"
            R"({"content":"more","role":"user"}],"model":"m","stream":true,)"
            R"("stream_options":{"include_usage":true},"temperature":0.0})");
}

TEST(CompletionTest, EachPromptStandsAlone) {
  const std::unique_ptr<Talk> completions = NewCompletions();
  completions->Begin(TalkOptions(), "m");
  completions->Request("one");
  completions->Replied("two");
  EXPECT_EQ(completions->Request("three"), R"({"model":"m","prompt":"three","stream":true})");
}

int Quick(Talk& talk, const std::string& url, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"--url", url, "-q", "hi"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return RunTalk(talk, arguments);
}

TEST(TalkTest, QuickPrintsOneReply) {
  ScriptedServer server({Answer(200, R"({"data":[{"id":"m"}]})"),
                         EventStream("data: {\"choices\":[{\"delta\":{\"content\":\"Yes\"}}]}\n\n"
                                     "data: [DONE]\n\n")});
  testing::internal::CaptureStdout();
  EXPECT_EQ(Quick(*NewChat(), server.url()), 0);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "Using model: m\nYes\n");
}

TEST(TalkTest, FailuresAreOneLineAndStatusOne) {
  ScriptedServer server({Answer(404, R"({"error":{"message":"no model gpt-nope"}})")});
  testing::internal::CaptureStderr();
  EXPECT_EQ(Quick(*NewChat(), server.url(), {"--model-name", "gpt-nope"}), 1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "baton chat: no model gpt-nope\n");

  const int port = ListenSocket::Open({.host = "127.0.0.1", .port = 0})->port();
  testing::internal::CaptureStderr();
  EXPECT_EQ(Quick(*NewCompletions(), "http://127.0.0.1:" + std::to_string(port)), 1);
  const std::string error = testing::internal::GetCapturedStderr();
  EXPECT_EQ(error.find("baton complete: cannot reach"), 0u) << error;
  EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 1) << error;
}

TEST(TalkTest, UnknownFlagsAreNamed) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(Quick(*NewChat(), "http://127.0.0.1:1", {"--max-token", "3"}), 2);
  const std::string error = testing::internal::GetCapturedStderr();
  EXPECT_NE(error.find("max-tokens"), std::string::npos) << error;
}

TEST(PipeReaderTest, SplitsLinesAndEnds) {
  int pipe_fds[2];
  ASSERT_EQ(pipe(pipe_fds), 0);
  const std::string text = "one\r\n\nthree";
  ASSERT_EQ(write(pipe_fds[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  close(pipe_fds[1]);
  InterruptSignal interrupt;
  const std::unique_ptr<LineReader> reader = OpenPipeReader(pipe_fds[0], interrupt);
  testing::internal::CaptureStdout();
  EXPECT_EQ(reader->Next().text, "one");
  EXPECT_EQ(reader->Next().text, "");
  EXPECT_EQ(reader->Next().text, "three");
  EXPECT_EQ(reader->Next().kind, LineReader::Kind::kEnd);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "> > > > \n");
  close(pipe_fds[0]);
}

}  // namespace
}  // namespace baton::frontend
