// RouterClient and WorkerSessions against real gRPC servers in this process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>

#include "common/base/status.h"
#include "common/rpc/channel.h"
#include "frontend/client/router_client.h"
#include "frontend/client/session.h"
#include "frontend/client/worker_sessions.h"
#include "tests/fakes/fake_backend.h"

namespace baton::frontend {
namespace {

// Collects a call's events; Wait returns when it is over.
class Listener : public WorkerCallListener {
 public:
  explicit Listener(int choices) : choices_left_(choices) {}

  void OnAccepted(v1::Accepted) override {
    std::lock_guard lock(mutex_);
    ++accepted_;
  }
  void OnTokens(v1::Tokens&& tokens, std::optional<v1::Finished>&& finished) override {
    std::lock_guard lock(mutex_);
    for (const uint32_t id : tokens.ids()) text_ += static_cast<char>(id);
    changed_.notify_all();
    if (finished.has_value()) EndLocked();
  }
  void OnFinished(v1::Finished) override {
    std::lock_guard lock(mutex_);
    EndLocked();
  }
  void OnFailed(absl::Status status) override {
    std::lock_guard lock(mutex_);
    status_ = std::move(status);
    choices_left_ = 1;
    EndLocked();
  }

  absl::Status Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return choices_left_ == 0; });
    return status_;
  }
  std::string WaitForText(size_t length) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return text_.size() >= length; });
    return text_;
  }

 private:
  void EndLocked() {
    --choices_left_;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
  absl::Status status_;
  int accepted_ = 0;
  int choices_left_;
};

v1::GenerateRequest Request(uint32_t max_tokens, uint64_t seed, uint32_t n = 1) {
  v1::GenerateRequest request;
  request.mutable_sampling()->set_max_tokens(max_tokens);
  request.mutable_sampling()->set_seed(seed);
  request.set_n(n);
  return request;
}

class FrontendClientTest : public ::testing::Test {
 protected:
  WorkerSessions sessions_{[](const std::string& address) { return MakeChannel(address); },
                           RealClock()};
};

TEST_F(FrontendClientTest, ManyCallsShareOneSession) {
  FakeWorker worker("w");
  std::vector<std::shared_ptr<Listener>> listeners;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    listeners.push_back(std::make_shared<Listener>(1));
    sessions_.Submit(worker.ref(), Request(20, seed), listeners.back());
  }
  for (uint64_t seed = 0; seed < 50; ++seed) {
    EXPECT_TRUE(listeners[seed]->Wait().ok());
    EXPECT_EQ(listeners[seed]->WaitForText(20), FormulaText(seed, 0, 20));
  }
  EXPECT_EQ(sessions_.session_count(), 1u);
}

TEST_F(FrontendClientTest, ACallOfSeveralChoicesEndsWithTheLast) {
  FakeWorker worker("w");
  const auto listener = std::make_shared<Listener>(3);
  sessions_.Submit(worker.ref(), Request(4, 1, 3), listener);
  EXPECT_TRUE(listener->Wait().ok());
  EXPECT_EQ(listener->WaitForText(12).size(), 12u);
}

// Answers two calls with one frame: the second call's last token stands between tokens of the first
// call, which has two choices and two entries of the first one.
class OneFrameWorker final : public v1::Inference::Service {
 public:
  OneFrameWorker() : server_(ServeFake(*this)) {}
  ~OneFrameWorker() override { server_->Shutdown(RealClock().Now()); }

  grpc::Status Session(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::SessionFrame, v1::SessionCommand>* stream) override {
    uint64_t calls[2] = {};
    v1::SessionCommand command;
    for (uint64_t& call : calls) {
      if (!stream->Read(&command)) return grpc::Status::OK;
      call = command.submit().call();
    }
    v1::SessionFrame frame;
    for (const auto& [call, choice, token] :
         {std::tuple(0, 0, 'a'), {1, 0, 'x'}, {0, 1, 'p'}, {0, 0, 'b'}, {0, 1, 'q'}}) {
      auto& entry = *frame.add_tokens();
      entry.set_call(calls[call]);
      entry.mutable_tokens()->set_choice(static_cast<uint32_t>(choice));
      entry.mutable_tokens()->add_ids(static_cast<uint32_t>(token));
    }
    for (const auto& [call, choice] : {std::pair(0, 0), {1, 0}}) {
      auto& entry = *frame.add_finished();
      entry.set_call(calls[call]);
      entry.mutable_finished()->set_choice(static_cast<uint32_t>(choice));
    }
    stream->Write(frame);
    while (stream->Read(&command)) {
    }
    return grpc::Status::OK;
  }

  v1::WorkerRef ref() const {
    v1::WorkerRef ref;
    ref.set_address("127.0.0.1:" + std::to_string(server_->port()));
    return ref;
  }

 private:
  const std::unique_ptr<RpcServer> server_;
};

// Writes down what it hears: "a" for a token, "b." for a token with its choice's end.
class Scribe : public WorkerCallListener {
 public:
  void OnAccepted(v1::Accepted) override {}
  void OnTokens(v1::Tokens&& tokens, std::optional<v1::Finished>&& finished) override {
    std::lock_guard lock(mutex_);
    heard_ += static_cast<char>(tokens.ids(0));
    if (finished.has_value()) heard_ += '.';
    changed_.notify_all();
  }
  void OnFinished(v1::Finished) override { ADD_FAILURE() << "an end without its token"; }
  void OnFailed(absl::Status) override {}

  std::string WaitFor(size_t length) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return heard_.size() >= length; });
    return heard_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string heard_;
};

TEST_F(FrontendClientTest, AnEndGoesOutWithTheLastTokenOfItsChoice) {
  OneFrameWorker worker;
  const auto first = std::make_shared<Scribe>();
  const auto second = std::make_shared<Scribe>();
  const auto call = sessions_.Submit(worker.ref(), Request(9, 1, 2), first);
  sessions_.Submit(worker.ref(), Request(9, 2), second);
  EXPECT_EQ(first->WaitFor(5), "apb.q");
  EXPECT_EQ(second->WaitFor(2), "x.");
  call->Cancel();
}

TEST_F(FrontendClientTest, ARefusalNamesTheParameterAsClientsDo) {
  FakeWorker worker("w");
  v1::SessionFrame::CallFailed refusal;
  refusal.set_code(3);
  refusal.set_field("sampling.min_p");
  refusal.set_message("sampling.min_p is 7; it must be from 0 to 1");
  worker.RefuseAll(refusal);
  const auto listener = std::make_shared<Listener>(1);
  sessions_.Submit(worker.ref(), Request(4, 1), listener);
  const absl::Status status = listener->Wait();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_EQ(Field(status), "min_p");
  EXPECT_EQ(status.message(), "min_p is 7; it must be from 0 to 1");
}

TEST_F(FrontendClientTest, ADeadSessionFailsItsCallsAndIsReplaced) {
  FakeWorker worker("w");
  worker.DieAfter(3);
  const auto lost = std::make_shared<Listener>(1);
  sessions_.Submit(worker.ref(), Request(10, 1), lost);
  EXPECT_TRUE(absl::IsUnavailable(lost->Wait()));
  absl::Status status = Unavailable("");
  // The old session may still be seen as alive for a moment.
  for (int i = 0; i < 100 && !status.ok(); ++i) {
    const auto next = std::make_shared<Listener>(1);
    sessions_.Submit(worker.ref(), Request(10, 1), next);
    status = next->Wait();
  }
  EXPECT_TRUE(status.ok());
}

TEST_F(FrontendClientTest, AWorkerThatIsNotThereIsUnavailable) {
  v1::WorkerRef nobody;
  nobody.set_address("127.0.0.1:1");
  const auto listener = std::make_shared<Listener>(1);
  sessions_.Submit(nobody, Request(1, 1), listener);
  const absl::Status lost = listener->Wait();
  EXPECT_TRUE(absl::IsUnavailable(lost));
  // Clients of the API read it: no addresses.
  EXPECT_EQ(lost.message().find("127.0.0.1"), absl::string_view::npos) << lost;
}

TEST_F(FrontendClientTest, AnotherEpochIsAborted) {
  FakeWorker worker("w", 5);
  v1::WorkerRef stale = worker.ref();
  stale.set_epoch(4);
  const auto listener = std::make_shared<Listener>(1);
  sessions_.Submit(stale, Request(1, 1), listener);
  EXPECT_TRUE(absl::IsAborted(listener->Wait()));
  const auto good = std::make_shared<Listener>(1);
  sessions_.Submit(worker.ref(), Request(1, 1), good);
  EXPECT_TRUE(good->Wait().ok());
  EXPECT_EQ(sessions_.session_count(), 2u);  // two processes, as far as we know
}

TEST_F(FrontendClientTest, ACancelledCallIsHeardAtTheWorker) {
  FakeWorker worker("w");
  worker.HangAfterFirstToken();
  const auto listener = std::make_shared<Listener>(1);
  const auto call = sessions_.Submit(worker.ref(), Request(10, 1), listener);
  listener->WaitForText(1);
  call->Cancel();
  call->Cancel();
  // A call that comes after the cancellation proves that it arrived: commands keep their order.
  const auto next = std::make_shared<Listener>(1);
  const auto other = sessions_.Submit(worker.ref(), Request(10, 2), next);
  next->WaitForText(1);
  EXPECT_EQ(worker.cancels(), 1);
  other->Cancel();
}

TEST_F(FrontendClientTest, CloseFailsWhatIsOpenAndWhatComes) {
  FakeWorker worker("w");
  worker.HangAfterFirstToken();
  const auto open = std::make_shared<Listener>(1);
  sessions_.Submit(worker.ref(), Request(10, 1), open);
  open->WaitForText(1);
  sessions_.Close();
  EXPECT_TRUE(absl::IsUnavailable(open->Wait()));
  const auto late = std::make_shared<Listener>(1);
  sessions_.Submit(worker.ref(), Request(10, 1), late);
  EXPECT_TRUE(absl::IsUnavailable(late->Wait()));
  sessions_.Join();
}

absl::StatusOr<v1::RouteReply> RouteOnce(RouterClient& client) {
  std::promise<absl::StatusOr<v1::RouteReply>> promise;
  client.Route({}, [&promise](absl::StatusOr<v1::RouteReply> reply) {
    promise.set_value(std::move(reply));
  });
  return promise.get_future().get();
}

TEST_F(FrontendClientTest, ADeadRouterIsPassedOver) {
  FakeWorker worker("w");
  FakeRouter router({&worker});
  RouterClient client({"127.0.0.1:1", router.address()}, RealClock());
  for (int i = 0; i < 4; ++i) {
    const auto reply = RouteOnce(client);
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->placement().decode().worker_id(), "w");
  }
  EXPECT_TRUE(client.ListModels().ok());
}

TEST_F(FrontendClientTest, NoRouterIsUnavailableWithARetryTime) {
  RouterClient client({"127.0.0.1:1"}, RealClock());
  const auto reply = RouteOnce(client);
  EXPECT_TRUE(absl::IsUnavailable(reply.status()));
  EXPECT_EQ(reply.status().message(), "no router answered (UNAVAILABLE)");
  EXPECT_TRUE(RetryAfter(reply.status()).has_value());
  client.Close();
  EXPECT_FALSE(RouteOnce(client).ok());
}

TEST_F(FrontendClientTest, CardsArriveWhole) {
  FakeRouter router({});
  RouterClient client({router.address()}, RealClock());
  const auto card = client.FetchModelCard({});
  ASSERT_TRUE(card.ok()) << card.status();
  EXPECT_EQ(card->files, ByteModelCard().files);
  EXPECT_EQ(card->model.name(), "byte-model");
}

}  // namespace
}  // namespace baton::frontend
