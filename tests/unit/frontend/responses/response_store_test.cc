#include "frontend/responses/response_store.h"

#include <gtest/gtest.h>

#include "tests/fakes/recording_sink.h"

namespace baton::frontend {
namespace {

StoredResponse::Begin Named(const std::string& id) {
  return {.id = id, .json = "{}", .input_items_json = "[1,2]", .earlier_items_json = "[0]"};
}

TEST(ResponseStoreTest, ForgetsWhatWasNotTouchedForLongest) {
  ResponseStore store({.responses_max = 2});
  for (const char* id : {"a", "b"}) (*store.Add(Named(id)))->Conclude("{}", "[]");
  ASSERT_NE(store.Find("a"), nullptr);
  (*store.Add(Named("c")))->Conclude("{}", "[]");
  EXPECT_NE(store.Find("a"), nullptr);
  EXPECT_EQ(store.Find("b"), nullptr);
  EXPECT_NE(store.Remove("a"), nullptr);
  EXPECT_EQ(store.Remove("a"), nullptr);
}

TEST(ResponseStoreTest, KeepsWhatIsBeingMadeAndSaysThatItIsFull) {
  ResponseStore store({.responses_max = 1});
  const auto running = *store.Add(Named("a"));
  EXPECT_EQ(store.Add(Named("b")).status().code(), absl::StatusCode::kResourceExhausted);
  running->Conclude("{}", "[]");
  EXPECT_TRUE(store.Add(Named("b")).ok());
}

TEST(ResponseStoreTest, IsBoundedByBytes) {
  ResponseStore store({.responses_max = 100, .bytes_max = 1000});
  for (int i = 0; i < 50; ++i) {
    (*store.Add(Named(std::to_string(i))))->Conclude(std::string(400, 'x'), "[]");
  }
  EXPECT_EQ(store.Find("40"), nullptr);
  EXPECT_NE(store.Find("49"), nullptr);
}

TEST(StoredResponseTest, JoinsTheConversation) {
  StoredResponse response(Named("a"));
  EXPECT_EQ(response.ConversationJson(), "[0,1,2]");
  response.Conclude("{}", "[3]");
  EXPECT_EQ(response.ConversationJson(), "[0,1,2,3]");
}

TEST(StoredResponseTest, FollowersGetThePastAndTheRest) {
  StoredResponse response(Named("a"));
  response.AppendEvents("data: 0\n\ndata: 1\n\n");
  const auto all = std::make_shared<RecordingSink>();
  const auto later = std::make_shared<RecordingSink>();
  response.Follow(-1, all);
  response.Follow(0, later);
  response.AppendEvents("data: 2\n\n");
  response.End("{}");
  EXPECT_EQ(all->response.body, "data: 0\n\ndata: 1\n\ndata: 2\n\n");
  EXPECT_EQ(later->response.body, "data: 1\n\ndata: 2\n\n");
  EXPECT_TRUE(all->ends == 1);
  const auto afterwards = std::make_shared<RecordingSink>();
  response.Follow(1, afterwards);
  EXPECT_EQ(afterwards->response.body, "data: 2\n\n");
  EXPECT_TRUE(afterwards->ends == 1);
}

StoredResponse::Begin InBackground() {
  return {.id = "a",
          .json = "{\"status\":\"queued\"}",
          .input_items_json = "[]",
          .earlier_items_json = "",
          .background = true};
}

TEST(StoredResponseTest, WhoFollowsIsToldOfACancellation) {
  StoredResponse response(InBackground());
  response.AppendEvents("data: 0\n\n");
  const auto follower = std::make_shared<RecordingSink>();
  response.Follow(0, follower);
  EXPECT_TRUE(response.Cancel("{\"status\":\"cancelled\"}"));
  response.AppendEvents("data: too late\n\n");
  constexpr const char* kLast =
      "event: response.incomplete\ndata: {\"type\":\"response.incomplete\",\"sequence_number\":1,"
      "\"response\":{\"status\":\"cancelled\"}}\n\n";
  EXPECT_EQ(follower->response.body, kLast);
  EXPECT_EQ(follower->ends, 1);
  const auto afterwards = std::make_shared<RecordingSink>();
  response.Follow(0, afterwards);
  EXPECT_EQ(afterwards->response.body, kLast);
}

TEST(StoredResponseTest, AFailureBeforeTheFirstEventIsAStreamToo) {
  StoredResponse response(InBackground());
  response.End("{\"status\":\"failed\"}");
  const auto follower = std::make_shared<RecordingSink>();
  response.Follow(-1, follower);
  EXPECT_EQ(follower->response.body,
            "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,"
            "\"response\":{\"status\":\"queued\"}}\n\n"
            "event: response.failed\ndata: {\"type\":\"response.failed\",\"sequence_number\":1,"
            "\"response\":{\"status\":\"failed\"}}\n\n");
}

TEST(StoredResponseTest, IsCancelledOnce) {
  StoredResponse response(Named("a"));
  int cancelled = 0;
  response.SetCancel([&cancelled] { ++cancelled; });
  EXPECT_TRUE(response.Cancel("{\"status\":\"cancelled\"}"));
  EXPECT_FALSE(response.Cancel("{}"));
  response.Conclude("{}", "[9]");
  EXPECT_EQ(response.Json(), "{\"status\":\"cancelled\"}");
  EXPECT_EQ(cancelled, 1);
}

}  // namespace
}  // namespace baton::frontend
