// Pins what we rely on in the library, and what we work around: an update shows here first.
#include "frontend/http/httplib_parser.h"

#include <gtest/gtest.h>

namespace baton::frontend {
namespace {

TEST(HttplibParserTest, ParsesAHead) {
  HttplibParser parser;
  const auto request = parser.Parse(
      "POST /a%20b/c?x=%41&y HTTP/1.1\r\nHost: h\r\nX-A: one\r\nx-a:  two \r\nB: c:d\r\n\r\n");
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->method, "POST");
  EXPECT_EQ(request->path, "/a b/c");
  EXPECT_EQ(request->query, "x=%41&y");
  EXPECT_EQ(FindHeader(request->headers, "host"), "h");
  EXPECT_EQ(FindHeader(request->headers, "x-a"), "one");
  EXPECT_EQ(FindHeader(request->headers, "b"), "c:d");
  EXPECT_EQ(request->headers.size(), 4u);
}

TEST(HttplibParserTest, KeepsPercentSignsInHeaders) {
  HttplibParser parser;
  const auto request =
      parser.Parse("GET / HTTP/1.1\r\nHost: h\r\nA: %0d%0aX: y%25%u0041+%\r\n\r\n");
  EXPECT_EQ(FindHeader(request->headers, "a"), "%0d%0aX: y%25%u0041+%");
  EXPECT_FALSE(FindHeader(request->headers, "x").has_value());
}

TEST(HttplibParserTest, LeavesOutWhatIsDangerous) {
  HttplibParser parser;
  std::string ranges = "bytes=0-1";
  while (ranges.size() < 7900) ranges += ",2-3";
  const auto request = parser.Parse("GET / HTTP/1.1\r\nHost: h\r\nRange: " + ranges +
                                    "\r\nremote_addr: 6.6.6.6\r\nLOCAL_PORT: 1\r\n\r\n");
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->headers.size(), 1u);
}

TEST(HttplibParserTest, TakesEveryFormOfTarget) {
  HttplibParser parser;
  EXPECT_EQ(parser.Parse("GET http://h:1/a?b HTTP/1.1\r\nHost: h\r\n\r\n")->path, "/a");
  EXPECT_EQ(parser.Parse("GET http://h HTTP/1.1\r\nHost: h\r\n\r\n")->path, "/");
  EXPECT_EQ(parser.Parse("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n")->path, "*");
  EXPECT_EQ(parser.Parse("GET /a?b#c HTTP/1.1\r\nHost: h\r\n\r\n")->query, "b");
  EXPECT_EQ(parser.Parse("BREW /a HTTP/1.1\r\nHost: h\r\n\r\n")->method, "BREW");
  EXPECT_EQ(parser.Parse("BREW /a HTTP/1.1\r\nHost: h\r\n\r\n")->path, "/a");
}

TEST(HttplibParserTest, TakesLinesUpToOurOwnLimits) {
  HttplibParser parser;
  EXPECT_TRUE(parser.Parse("GET /" + std::string(7999, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_TRUE(
      parser.Parse("GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(7997, 'x') + "\r\n\r\n"));
}

}  // namespace
}  // namespace baton::frontend
