#include "frontend/http/chunked_body.h"

#include <gtest/gtest.h>

#include <string>

namespace baton::frontend {
namespace {

using State = ChunkedBody::State;

TEST(ChunkedBodyTest, DecodesWhereverTheInputIsCut) {
  const std::string coded = "3\r\nabc\r\nA ;x=y\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n";
  const std::string input = coded + "GET /next";
  for (size_t first = 0; first <= coded.size(); ++first) {
    for (size_t second = first; second <= coded.size(); ++second) {
      ChunkedBody decoder(100);
      std::string body;
      std::string_view rest = input;
      size_t used = 0;
      for (const size_t end : {first, second, input.size()}) {
        used += decoder.Consume(rest.substr(used, end - used), &body);
      }
      ASSERT_EQ(decoder.state(), State::kDone);
      ASSERT_EQ(body, "abc0123456789");
      ASSERT_EQ(used, coded.size());
    }
  }
}

TEST(ChunkedBodyTest, StopsAtItsLimit) {
  ChunkedBody exact(5);
  std::string body;
  exact.Consume("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", &body);
  EXPECT_EQ(exact.state(), State::kDone);
  ChunkedBody over(5);
  body.clear();
  over.Consume("3\r\nabc\r\n3\r\ndef\r\n", &body);
  EXPECT_EQ(over.state(), State::kTooLarge);
  EXPECT_EQ(body, "abc");
  ChunkedBody claimed(5);
  claimed.Consume("fffffffffffffff\r\n", &body);
  EXPECT_EQ(claimed.state(), State::kTooLarge);
}

TEST(ChunkedBodyTest, RefusesEndlessLinesAndTrailers) {
  ChunkedBody line(5);
  std::string body;
  line.Consume("1;" + std::string(2000, 'x'), &body);
  EXPECT_EQ(line.state(), State::kMalformed);
  ChunkedBody trailers(5);
  trailers.Consume("0\r\n", &body);
  for (int i = 0; i < 10'000 && trailers.state() == State::kReading; ++i) {
    trailers.Consume("X-Trailer: 1\r\n", &body);
  }
  EXPECT_EQ(trailers.state(), State::kMalformed);
}

}  // namespace
}  // namespace baton::frontend
