// The small pieces that read or write a line: headers, ids, response heads, events.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "frontend/http/http_types.h"
#include "frontend/http/request_id.h"
#include "frontend/http/response_head.h"
#include "frontend/http/sse_writer.h"

namespace baton::frontend {
namespace {

TEST(HttpTypesTest, FindsTheFirstHeaderOfAName) {
  const HttpHeaders headers = {{"A", "1"}, {"b", "2"}, {"a", "3"}};
  EXPECT_EQ(FindHeader(headers, "a"), "1");
  EXPECT_EQ(FindHeader(headers, "B"), "2");
  EXPECT_EQ(FindHeader(headers, "c"), std::nullopt);
  EXPECT_TRUE(EqualsIgnoringCase("x-[A", "X-[a"));
  EXPECT_FALSE(EqualsIgnoringCase("[", "{"));
}

TEST(RequestIdTest, TakesGoodIdsAndReplacesOthers) {
  EXPECT_EQ(RequestIdOf({{"X-Request-Id", "id-1"}}), "id-1");
  for (const std::string& bad : {std::string(), std::string("a b"), std::string("a\x7f"),
                                 std::string("\xc3\xa9"), std::string(257, 'x')}) {
    EXPECT_EQ(RequestIdOf({{"X-Request-Id", bad}}).size(), 32u);
  }
  EXPECT_NE(NewRequestId(), NewRequestId());
  EXPECT_EQ(NewRequestId().find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(ResponseHeadTest, RendersTheHead) {
  std::string out;
  AppendResponseHead(200, {{"content-type", "text/plain"}}, {{"x-a", "1"}},
                     {.body = ResponseBody::kLength,
                      .content_length = 7,
                      .keep_alive = true,
                      .now = WallTime(std::chrono::seconds(784111777))},
                     &out);
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "content-type: text/plain\r\nx-a: 1\r\ncontent-length: 7\r\n\r\n");
}

TEST(ResponseHeadTest, HandlersCannotBreakTheFraming) {
  std::string out;
  AppendResponseHead(599, {{"Content-Length", "1"}, {"x", "a\r\nSet-Cookie: b"}, {"y\n", "c"}}, {},
                     {.body = ResponseBody::kChunked, .keep_alive = false}, &out);
  EXPECT_NE(out.find("HTTP/1.1 599 Unknown\r\n"), std::string::npos);
  EXPECT_EQ(out.find("ontent-"), std::string::npos);
  EXPECT_NE(out.find("\r\nx: aSet-Cookie: b\r\ny: c\r\n"), std::string::npos);
  EXPECT_NE(out.find("transfer-encoding: chunked\r\nconnection: close\r\n\r\n"), std::string::npos);
}

class RecordingSink final : public ResponseSink {
 public:
  void Respond(HttpResponse) override {}
  void BeginStream(int status, HttpHeaders headers) override {
    text += std::to_string(status) + " ";
    for (const auto& [name, value] : headers) text += name + "=" + value + ";";
    text += "\n";
  }
  bool Write(std::string_view bytes) override {
    text += bytes;
    return !gone;
  }
  void Finish() override { text += "<end>"; }
  void OnGone(std::function<void()>) override {}

  std::string text;
  bool gone = false;
};

TEST(SseWriterTest, FramesEvents) {
  const auto sink = std::make_shared<RecordingSink>();
  SseWriter events(sink);
  events.Begin({{"x-a", "1"}});
  EXPECT_TRUE(events.Data("{}"));
  EXPECT_TRUE(events.Event("message_start", "a\nb\r\nc\rd"));
  EXPECT_TRUE(events.Comment("ping\ndata: forged"));
  events.Done();
  EXPECT_EQ(sink->text,
            "200 content-type=text/event-stream; charset=utf-8;cache-control=no-cache;"
            "x-accel-buffering=no;x-a=1;\n"
            "data: {}\n\n"
            "event: message_start\ndata: a\ndata: b\ndata: c\ndata: d\n\n"
            ": ping\n\n"
            "data: [DONE]\n\n<end>");
  sink->gone = true;
  EXPECT_FALSE(events.Data("late"));
}

}  // namespace
}  // namespace baton::frontend
