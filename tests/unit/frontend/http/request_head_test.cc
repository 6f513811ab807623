#include "frontend/http/request_head.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace baton::frontend {
namespace {

HeadFraming Framing(std::string_view head) {
  const auto checked = CheckHead(head, HeadLimits());
  const auto* error = std::get_if<HeadError>(&checked);
  EXPECT_EQ(error, nullptr) << (error != nullptr ? error->message : "");
  return error != nullptr ? HeadFraming() : std::get<HeadFraming>(checked);
}

int Refusal(std::string_view head, const HeadLimits& limits = {}) {
  const auto checked = CheckHead(head, limits);
  const auto* error = std::get_if<HeadError>(&checked);
  return error != nullptr ? error->status : 0;
}

TEST(RequestHeadTest, FindsTheEndHoweverTheBytesCome) {
  const std::string head = "GET / HTTP/1.1\r\nHost: t\r\n\r\n";
  const std::string buffer = head + "body\r\n\r\n";
  size_t scanned = 0;
  for (size_t size = 0; size < head.size(); ++size) {
    EXPECT_EQ(FindHeadEnd(std::string_view(buffer).substr(0, size), &scanned), std::nullopt);
  }
  EXPECT_EQ(FindHeadEnd(buffer, &scanned), head.size());
  scanned = 0;
  EXPECT_EQ(FindHeadEnd("GET / HTTP/1.1\n\nrest", &scanned), 16u);  // for CheckHead to refuse
}

TEST(RequestHeadTest, ReadsWhatFramesTheMessage) {
  const HeadFraming plain = Framing("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(plain.body, BodyKind::kNone);
  EXPECT_TRUE(plain.keep_alive);
  EXPECT_FALSE(plain.http_1_0);
  const HeadFraming length =
      Framing("POST / HTTP/1.1\r\nhost: t\r\ncontent-length:  42 \r\nExpect: 100-Continue\r\n\r\n");
  EXPECT_EQ(length.body, BodyKind::kLength);
  EXPECT_EQ(length.content_length, 42u);
  EXPECT_TRUE(length.expects_continue);
  EXPECT_EQ(Framing("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: Chunked\r\n\r\n").body,
            BodyKind::kChunked);
  EXPECT_EQ(Framing("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 000\r\n\r\n").body,
            BodyKind::kNone);
  EXPECT_TRUE(Framing("HEAD / HTTP/1.1\r\nHost: t\r\n\r\n").is_head_method);
}

TEST(RequestHeadTest, FollowsTheConnectionOptions) {
  EXPECT_FALSE(Framing("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_TRUE(Framing("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
  EXPECT_FALSE(Framing("GET / HTTP/1.1\r\nHost: t\r\nConnection: a, CLOSE\r\n\r\n").keep_alive);
  EXPECT_FALSE(
      Framing("GET / HTTP/1.1\r\nHost: t\r\nConnection: close, keep-alive\r\n\r\n").keep_alive);
}

TEST(RequestHeadTest, RefusesWithTheStatusThatFits) {
  EXPECT_EQ(Refusal("GET / HTTP/1.1\r\n\r\n"), 400);  // no Host
  EXPECT_EQ(Refusal("GET / HTTP/2.0\r\nHost: t\r\n\r\n"), 505);
  EXPECT_EQ(Refusal("GET / HTTP/11\r\nHost: t\r\n\r\n"), 400);
  EXPECT_EQ(Refusal("\r\n"), 400);
  EXPECT_EQ(Refusal("GET / HTTP/1.1\r\nHost: t\r\nExpect: x\r\n\r\n"), 417);
  EXPECT_EQ(Refusal("GET / HTTP/1.1\r\nHost: t\r\nContent-Encoding: br\r\n\r\n"), 415);
  EXPECT_EQ(Refusal("GET / HTTP/1.1\r\nHost: t\r\nContent-Length: 1234567890123456789\r\n\r\n"),
            413);
  EXPECT_EQ(Refusal("GET /long HTTP/1.1\r\nHost: t\r\n\r\n", {.target_bytes_max = 4}), 414);
  EXPECT_EQ(Refusal("GET / HTTP/1.1\r\nHost: t\r\nA: 1\r\n\r\n", {.header_count_max = 1}), 431);
}

TEST(RequestHeadTest, SurvivesDamagedHeads) {
  const std::string head =
      "POST /v1/x?y=z HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\nConnection: close\r\n\r\n";
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = head;
    for (int edits = 0; edits < 3; ++edits) {
      const size_t at = random() % damaged.size();
      if (random() % 2 == 0) {
        damaged[at] = static_cast<char>(random() % 256);
      } else {
        damaged.erase(at, 1 + random() % 3);
      }
    }
    size_t scanned = 0;
    const std::optional<size_t> size = FindHeadEnd(damaged, &scanned);
    if (!size.has_value()) continue;
    const auto checked = CheckHead(std::string_view(damaged).substr(0, *size), HeadLimits());
    const auto* error = std::get_if<HeadError>(&checked);
    EXPECT_TRUE(error == nullptr || error->status >= 400);
  }
}

}  // namespace
}  // namespace baton::frontend
