#include "frontend/http/exchange.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"

namespace baton::frontend {
namespace {

using Progress = Exchange::Progress;

class ExchangeTest : public ::testing::Test {
 protected:
  std::shared_ptr<Exchange> Make(Exchange::Traits traits = {.stream_buffer_bytes_max = 1000}) {
    return std::make_shared<Exchange>(traits, inbox_, 7);
  }

  std::string Take(Exchange& exchange, Progress expected) {
    std::string bytes;
    EXPECT_EQ(exchange.TakeOutput(&bytes), expected);
    exchange.NoticeSent(bytes.size());
    return bytes;
  }

  size_t ReadyCount() {
    NetInbox::Batch batch;
    inbox_->Take(&batch);
    return batch.ready.size();
  }

  FakeClock clock_;
  std::shared_ptr<NetInbox> inbox_ = std::make_shared<NetInbox>(clock_);
};

TEST_F(ExchangeTest, ManyWritesMakeOneReadyMark) {
  const auto exchange = Make();
  exchange->BeginStream(200, {});
  EXPECT_TRUE(exchange->Write("abc"));
  EXPECT_TRUE(exchange->Write(""));
  EXPECT_TRUE(exchange->Write(std::string(16, 'x')));
  EXPECT_EQ(ReadyCount(), 1u);
  const std::string bytes = Take(*exchange, Progress::kOpen);
  EXPECT_TRUE(bytes.ends_with("\r\n\r\n3\r\nabc\r\n10\r\nxxxxxxxxxxxxxxxx\r\n"));
  exchange->Finish();
  EXPECT_EQ(ReadyCount(), 1u);
  EXPECT_EQ(Take(*exchange, Progress::kComplete), "0\r\n\r\n");
  EXPECT_TRUE(exchange->keep_alive());
}

TEST_F(ExchangeTest, OverflowsAtItsLimitButTakesOneBigChunk) {
  const auto exchange = Make();
  exchange->BeginStream(200, {});
  Take(*exchange, Progress::kOpen);
  EXPECT_TRUE(exchange->Write(std::string(5000, 'x')));
  EXPECT_FALSE(exchange->Write("y"));
  EXPECT_FALSE(exchange->Write("z"));
  exchange->Finish();
  Take(*exchange, Progress::kOverflowed);
}

TEST_F(ExchangeTest, AGoneClientSilencesTheMaker) {
  const auto exchange = Make();
  int gone = 0;
  exchange->OnGone([&gone] { ++gone; });
  exchange->NoticeGone();
  exchange->NoticeGone();
  EXPECT_EQ(gone, 1);
  exchange->BeginStream(200, {});
  EXPECT_FALSE(exchange->Write("x"));
  exchange->Finish();
  EXPECT_EQ(ReadyCount(), 0u);
}

TEST_F(ExchangeTest, AClientThatLeavesAfterTheAnswerIsNoNews) {
  const auto exchange = Make();
  int gone = 0;
  exchange->OnGone([&gone] { ++gone; });
  exchange->Respond({200, {}, "all"});
  exchange->NoticeGone();
  EXPECT_EQ(gone, 0);
}

TEST_F(ExchangeTest, AbandonedMeansAnErrorOrACut) {
  const auto waiting = Make();
  waiting->Abandon({500, {}, "sorry"});
  EXPECT_TRUE(Take(*waiting, Progress::kComplete).ends_with("content-length: 5\r\n\r\nsorry"));
  const auto streaming = Make();
  streaming->BeginStream(200, {});
  streaming->Abandon({500, {}, "sorry"});
  EXPECT_EQ(Take(*streaming, Progress::kAbandoned).find("sorry"), std::string::npos);
  const auto complete = Make();
  complete->Respond({200, {}, ""});
  complete->Abandon({500, {}, "sorry"});
  EXPECT_EQ(complete->status(), 200);
}

TEST_F(ExchangeTest, DrainingAnswersCloseTheConnection) {
  const auto exchange = Make();
  inbox_->PostCommand(NetInbox::kDrain);
  exchange->Respond({200, {}, ""});
  EXPECT_NE(Take(*exchange, Progress::kComplete).find("connection: close\r\n"), std::string::npos);
  EXPECT_FALSE(exchange->keep_alive());
}

TEST_F(ExchangeTest, AnswersWithoutBodySendNone) {
  const auto empty = Make();
  empty->Respond({204, {}, "ignored"});
  EXPECT_TRUE(Take(*empty, Progress::kComplete).ends_with("GMT\r\n\r\n"));
  const auto head = Make({.is_head_method = true, .stream_buffer_bytes_max = 10});
  head->Respond({200, {}, "12345"});
  EXPECT_TRUE(Take(*head, Progress::kComplete).ends_with("content-length: 5\r\n\r\n"));
}

}  // namespace
}  // namespace baton::frontend
