#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "baton/v1/router.grpc.pb.h"
#include "baton/v1/worker.grpc.pb.h"
#include "common/concurrency/bounded_queue.h"
#include "common/rpc/bounded_write_reactor.h"
#include "common/rpc/channel.h"
#include "common/rpc/rpc_server.h"

namespace baton {
namespace {

using std::chrono::seconds;

class Models final : public v1::Router::CallbackService {
 public:
  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* context,
                                       const v1::ListModelsRequest*,
                                       v1::ListModelsReply* reply) override {
    reply->add_models()->mutable_model()->set_name(std::string(payload_bytes_, 'm'));
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  size_t payload_bytes_ = 1;
};

class WatchStream final
    : public BoundedWriteReactor<v1::WatchFrame, grpc::ServerWriteReactor<v1::WatchFrame>> {
 public:
  WatchStream(grpc::CallbackServerContext* context, size_t queue_length_max,
              std::atomic<int>& ended)
      : BoundedWriteReactor(context, queue_length_max), ended_(ended) {}

 private:
  void OnEnded() override { ++ended_; }
  std::atomic<int>& ended_;
};

class Watched final : public v1::Worker::CallbackService {
 public:
  grpc::ServerWriteReactor<v1::WatchFrame>* Watch(grpc::CallbackServerContext* context,
                                                  const v1::WatchRequest*) override {
    auto stream = std::make_shared<WatchStream>(context, 64, ended_);
    stream->KeepAlive();
    EXPECT_EQ(streams_.TryPush(stream), PushResult::kPushed);
    return stream.get();
  }

  std::atomic<int> ended_{0};
  BoundedQueue<std::shared_ptr<WatchStream>> streams_{4};
};

v1::WatchFrame LoadFrame(uint32_t running) {
  v1::WatchFrame frame;
  frame.mutable_load()->set_running(running);
  return frame;
}

class RpcTest : public testing::Test {
 protected:
  void Start(const RpcServer::Options& options) {
    absl::StatusOr<std::unique_ptr<RpcServer>> server =
        RpcServer::Start(options, {&models_, &watched_});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = MakeChannel(HostPort("127.0.0.1", server_->port()), {.own_connection = true});
  }

  grpc::Status ListModels(v1::ListModelsReply& reply) {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    context.set_deadline(std::chrono::system_clock::now() + seconds(10));
    return v1::Router::NewStub(channel_)->ListModels(&context, {}, &reply);
  }

  // Opens a Watch and returns both of its ends.
  std::unique_ptr<grpc::ClientReader<v1::WatchFrame>> Watch(grpc::ClientContext& context,
                                                            std::shared_ptr<WatchStream>& stream) {
    auto reader = v1::Worker::NewStub(channel_)->Watch(&context, {});
    stream = *watched_.streams_.Pop();
    return reader;
  }

  Models models_;
  Watched watched_;
  std::unique_ptr<RpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

const RpcServer::Options kAnyPort = {.listen = {.host = "127.0.0.1", .port = 0}};

TEST_F(RpcTest, ServesOnAFreePortAndRefusesATakenOne) {
  Start(kAnyPort);
  v1::ListModelsReply reply;
  ASSERT_TRUE(ListModels(reply).ok());
  EXPECT_EQ(reply.models(0).model().name(), "m");
  const absl::StatusOr<std::unique_ptr<RpcServer>> second =
      RpcServer::Start({.listen = {.host = "127.0.0.1", .port = server_->port()}}, {&models_});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(RpcTest, ServesOnAnInheritedSocket) {
  absl::StatusOr<ListenSocket> parent = ListenSocket::Open({.host = "127.0.0.1", .port = 0});
  ASSERT_TRUE(parent.ok());
  RpcServer::Options options;
  options.listen.inherited_fd = dup(parent->fd());
  Start(options);
  EXPECT_EQ(server_->port(), parent->port());
  v1::ListModelsReply reply;
  EXPECT_TRUE(ListModels(reply).ok());
}

TEST_F(RpcTest, MessagesBeyondGrpcsDefaultLimitPass) {
  models_.payload_bytes_ = size_t{8} << 20;
  Start(kAnyPort);
  v1::ListModelsReply reply;
  const grpc::Status status = ListModels(reply);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(reply.models(0).model().name().size(), size_t{8} << 20);
}

TEST_F(RpcTest, ShutdownEndsCallsAtTheDeadlineAndRefusesNewOnes) {
  Start(kAnyPort);
  grpc::ClientContext context;
  std::shared_ptr<WatchStream> stream;
  auto reader = Watch(context, stream);
  server_->Shutdown(RealClock().Now());
  v1::WatchFrame frame;
  EXPECT_FALSE(reader->Read(&frame));
  EXPECT_FALSE(reader->Finish().ok());
  EXPECT_EQ(watched_.ended_, 1);
  v1::ListModelsReply reply;
  grpc::ClientContext late;
  EXPECT_EQ(v1::Router::NewStub(channel_)->ListModels(&late, {}, &reply).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(RpcTest, StreamDeliversInOrderAndEndsWithItsStatus) {
  Start(kAnyPort);
  grpc::ClientContext context;
  std::shared_ptr<WatchStream> stream;
  auto reader = Watch(context, stream);
  for (uint32_t i = 0; i < 20; ++i) {
    ASSERT_EQ(stream->Write(LoadFrame(i)), PushResult::kPushed);
  }
  stream->End(grpc::Status(grpc::StatusCode::ABORTED, "stale epoch"));
  stream->End(grpc::Status::OK);
  EXPECT_EQ(stream->Write(LoadFrame(0)), PushResult::kClosed);
  v1::WatchFrame frame;
  for (uint32_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(reader->Read(&frame));
    EXPECT_EQ(frame.load().running(), i);
  }
  EXPECT_FALSE(reader->Read(&frame));
  EXPECT_EQ(reader->Finish().error_message(), "stale epoch");
}

// A watcher that does not read fills its queue and is cut off; the writer never waits.
TEST_F(RpcTest, SlowReaderIsCutOff) {
  Start(kAnyPort);
  grpc::ClientContext context;
  std::shared_ptr<WatchStream> stream;
  auto reader = Watch(context, stream);
  v1::WatchFrame big;
  big.mutable_snapshot()->mutable_hashes()->Resize(100'000, 7);
  PushResult result = PushResult::kPushed;
  for (int i = 0; i < 10'000 && result == PushResult::kPushed; ++i) result = stream->Write(big);
  ASSERT_EQ(result, PushResult::kFull);
  stream->CutOff(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "slow"));
  stream->CutOff(grpc::Status::OK);
  v1::WatchFrame frame;
  while (reader->Read(&frame)) {
  }
  EXPECT_FALSE(reader->Finish().ok());
}

TEST_F(RpcTest, AClientThatLeavesEndsTheStream) {
  Start(kAnyPort);
  grpc::ClientContext context;
  std::shared_ptr<WatchStream> stream;
  auto reader = Watch(context, stream);
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  server_->Shutdown(RealClock().Now() + seconds(5));  // returns early: no call is left
  EXPECT_EQ(watched_.ended_, 1);
  EXPECT_EQ(stream->Write(LoadFrame(1)), PushResult::kClosed);
}

}  // namespace
}  // namespace baton
