#include "frontend/cli/reply.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "frontend/cli/sse_events.h"
#include "tests/fakes/fake_clock.h"

namespace baton::frontend {
namespace {

TEST(SseEventsTest, AnyPiecesGiveTheSamePayloads) {
  const std::string stream =
      "data: one\n\nevent: x\ndata:two\r\n\r\n: comment\n\ndata: \n\ndata: [DONE]\n\n";
  const std::vector<std::string> expected = {"one", "two", "", "[DONE]"};
  for (size_t size = 1; size <= stream.size(); ++size) {
    SseEvents events;
    std::vector<std::string> payloads;
    for (size_t at = 0; at < stream.size(); at += size) {
      for (std::string& payload : events.Consume(std::string_view(stream).substr(at, size))) {
        payloads.push_back(std::move(payload));
      }
    }
    EXPECT_EQ(payloads, expected) << size;
  }
}

TEST(SseEventsTest, AnEndlessLineIsDropped) {
  SseEvents events;
  const std::string piece(SseEvents::kLineBytesMax / 2 + 1, 'x');
  events.Consume(piece);
  EXPECT_FALSE(events.overflowed());
  EXPECT_TRUE(events.Consume(piece).empty());
  EXPECT_TRUE(events.overflowed());
}

TEST(ReplyPieceTest, ReadsChunksOfBothApis) {
  EXPECT_EQ(ParseReplyPiece(R"({"choices":[{"delta":{"content":"a"}}]})")->text, "a");
  EXPECT_EQ(ParseReplyPiece(R"({"choices":[{"text":"b","index":0}]})")->text, "b");
  EXPECT_EQ(ParseReplyPiece(R"({"choices":[{"delta":{"reasoning":"r"}}]})")->reasoning, "r");
  EXPECT_EQ(ParseReplyPiece(R"({"choices":[{"delta":{"reasoning_content":"r"}}]})")->reasoning,
            "r");
  EXPECT_EQ(ParseReplyPiece(R"({"choices":[],"usage":{"completion_tokens":7}})")->completion_tokens,
            7);
  for (const char* empty : {"{}", R"({"choices":[]})", R"({"choices":[{"delta":{}}]})",
                            R"({"choices":[{"delta":null}]})", R"({"choices":[5]})",
                            R"({"choices":[{"delta":{"content":null}}],"usage":null})"}) {
    const auto piece = ParseReplyPiece(empty);
    ASSERT_TRUE(piece.ok()) << empty;
    EXPECT_EQ(piece->text + piece->reasoning, "") << empty;
  }
  for (const char* bad : {"", "{", "[]", "5", R"({"error":{"message":"m"}})"}) {
    EXPECT_FALSE(ParseReplyPiece(bad).ok()) << bad;
  }
}

TEST(ReplyPrinterTest, ShowsReasoningTextAndStats) {
  FakeClock clock;
  std::ostringstream out;
  ReplyPrinter printer(out, /*terminal=*/false, clock);
  clock.Advance(std::chrono::milliseconds(250));
  printer.Add({.text = "", .reasoning = "hm", .completion_tokens = {}});
  printer.Add({.text = "", .reasoning = "!", .completion_tokens = {}});
  printer.Add({.text = "Yes", .reasoning = "", .completion_tokens = {}});
  clock.Advance(std::chrono::milliseconds(750));
  printer.Add({.text = ".", .reasoning = "", .completion_tokens = 8});
  printer.Finish(/*stats=*/true);
  EXPECT_EQ(out.str(),
            "<think>\nhm!\n</think>\nYes.\nTTFT: 250.00 ms\n"
            "TPS:  8.00 tokens/s (8 tokens in 1.00s)\n");
  EXPECT_EQ(printer.text(), "Yes.");
}

TEST(ReplyPrinterTest, AReplyThatWasStoppedCountsItsPieces) {
  FakeClock clock;
  std::ostringstream out;
  ReplyPrinter printer(out, /*terminal=*/false, clock);
  clock.Advance(std::chrono::milliseconds(500));
  printer.Add({.text = "On", .reasoning = "", .completion_tokens = {}});
  printer.Add({.text = "ce", .reasoning = "", .completion_tokens = {}});
  printer.Finish(/*stats=*/true);
  EXPECT_EQ(out.str(), "Once\nTTFT: 500.00 ms\nTPS:  4.00 tokens/s (about 2 tokens in 0.50s)\n");
}

TEST(ReplyPrinterTest, NothingSaidHasNoStats) {
  FakeClock clock;
  std::ostringstream out;
  ReplyPrinter printer(out, /*terminal=*/false, clock);
  printer.Finish(/*stats=*/true);
  EXPECT_EQ(out.str(), "\n");
}

TEST(ReplyPrinterTest, ATerminalSeesNoControlCharacters) {
  FakeClock clock;
  std::ostringstream out;
  ReplyPrinter printer(out, /*terminal=*/true, clock);
  printer.Add({.text = "a\x1b[31m\tb\n\x07\u00e9", .reasoning = "", .completion_tokens = {}});
  EXPECT_EQ(out.str(), "a[31m\tb\n\u00e9");
  EXPECT_EQ(printer.text(), "a\x1b[31m\tb\n\x07\u00e9");
}

}  // namespace
}  // namespace baton::frontend
