// The services over a real gRPC connection, with an executor that tests can hold still.
#include "worker/service/worker_service.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/obs/metrics.h"
#include "common/rpc/channel.h"
#include "common/rpc/rpc_server.h"
#include "common/rpc/status_codec.h"
#include "tests/fakes/fake_executor.h"
#include "tests/unit/worker/engine/scheduler_fixture.h"
#include "worker/service/inference_service.h"

namespace baton::worker {
namespace {

using ::testing::SizeIs;

class WorkerServiceTest : public ::testing::Test {
 protected:
  WorkerServiceTest()
      : model_(MakeModel()),
        card_(std::vector<ModelCard::File>{{"config.json", "{}"}}),
        metrics_(registry_),
        executor_({}),
        hub_(RealClock(), registry_),
        engine_(
            {.scheduler = ConfigOf({}), .limits = {.max_requests = 64, .max_prompt_tokens = 4096}},
            executor_, RealClock(), {&hub_}),
        intake_(model_, engine_, nullptr),
        inference_({.intake = intake_,
                    .engine = engine_,
                    .clock = RealClock(),
                    .epoch = model_.epoch,
                    .metrics = metrics_,
                    .frames_waiting_max = 1}),
        worker_(model_, card_, hub_, engine_, RealClock(), [this] {
          engine_.StopAdmission(Unavailable("draining"));
          hub_.Drain("test");
        }) {
    hub_.Begin(model_.description, engine_);
    ListenAddress listen;
    listen.host = "127.0.0.1";
    auto server = RpcServer::Start({.listen = listen}, {&inference_, &worker_});
    BATON_CHECK(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = MakeChannel("127.0.0.1:" + std::to_string(server_->port()));
    inference_stub_ = v1::Inference::NewStub(channel_);
    worker_stub_ = v1::Worker::NewStub(channel_);
  }

  ~WorkerServiceTest() override {
    executor_.OpenGate();
    engine_.CancelAll(Unavailable("the test is over"));
    intake_.Stop();
    worker_.Stop();
    hub_.Stop();
    server_->Shutdown(RealClock().Now() + std::chrono::seconds(5));
    engine_.Stop();
  }

  static ServedModel MakeModel() {
    ServedModel model;
    model.names = {"fake"};
    model.digest = 1;
    model.vocab_size = 50;
    model.block_size = 4;
    model.max_model_len = 128;
    model.epoch = Epoch(99);
    model.description.set_worker_id("w0");
    model.description.set_epoch(99);
    model.description.mutable_model()->set_name("fake");
    return model;
  }

  static v1::GenerateRequest RequestMessage(int prompt_tokens, uint32_t max_tokens,
                                            uint64_t seed = 1) {
    v1::GenerateRequest message;
    for (TokenId id : Counted(3, prompt_tokens)) message.mutable_tokens()->add_ids(id);
    message.mutable_sampling()->set_max_tokens(max_tokens);
    message.mutable_sampling()->set_ignore_eos(true);
    message.mutable_sampling()->set_seed(seed);
    return message;
  }

  static std::vector<TokenId> Expected(int prompt_tokens, int32_t max_tokens, uint64_t seed = 1,
                                       int32_t choice = 0) {
    GenerationRequest request = worker::RequestOf(1, Counted(3, prompt_tokens), max_tokens);
    request.params.ignore_eos = true;
    request.params.seed = seed;
    return Alone(request, choice, 128);
  }

  MetricsRegistry registry_;
  const ServedModel model_;
  const ModelCard card_;
  InferenceMetrics metrics_;
  FakeExecutor executor_;
  WatchHub hub_;
  EngineLoop engine_;
  RequestIntake intake_;
  InferenceService inference_;
  WorkerService worker_;
  std::unique_ptr<RpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Inference::Stub> inference_stub_;
  std::unique_ptr<v1::Worker::Stub> worker_stub_;
};

// What a session has been told, by call and choice.
struct Heard {
  std::map<std::pair<uint64_t, uint32_t>, std::vector<TokenId>> tokens;
  std::map<std::pair<uint64_t, uint32_t>, v1::FinishReason> finished;
  std::map<uint64_t, v1::SessionFrame::CallFailed> failed;

  void Add(const v1::SessionFrame& frame) {
    for (const auto& entry : frame.tokens()) {
      auto& into = tokens[{entry.call(), entry.tokens().choice()}];
      into.insert(into.end(), entry.tokens().ids().begin(), entry.tokens().ids().end());
    }
    for (const auto& entry : frame.finished()) {
      const bool fresh = finished
                             .emplace(std::make_pair(entry.call(), entry.finished().choice()),
                                      entry.finished().reason())
                             .second;
      EXPECT_TRUE(fresh) << "finished twice: call=" << entry.call();
    }
    for (const auto& entry : frame.failed()) failed[entry.call()] = entry;
  }
};

TEST_F(WorkerServiceTest, GenerateStreamsEventsThenEnds) {
  grpc::ClientContext context;
  v1::GenerateRequest request = RequestMessage(10, 6);
  request.set_n(2);
  auto stream = inference_stub_->Generate(&context, request);
  v1::GenerateEvent event;
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_EQ(event.accepted().prompt_tokens(), 10u);
  EXPECT_EQ(event.accepted().epoch(), 99u);
  std::map<uint32_t, std::vector<TokenId>> tokens;
  int finished = 0;
  while (stream->Read(&event)) {
    auto& into = tokens[event.tokens().choice()];
    if (event.has_tokens()) {
      into.insert(into.end(), event.tokens().ids().begin(), event.tokens().ids().end());
    }
    finished += event.has_finished();
  }
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(tokens[0], Expected(10, 6, 1, 0));
  EXPECT_EQ(tokens[1], Expected(10, 6, 1, 1));
  EXPECT_EQ(finished, 2);
}

TEST_F(WorkerServiceTest, GenerateRefusesNamingTheField) {
  grpc::ClientContext context;
  v1::GenerateRequest request = RequestMessage(10, 6);
  request.mutable_sampling()->set_top_p(7);
  auto stream = inference_stub_->Generate(&context, request);
  v1::GenerateEvent event;
  EXPECT_FALSE(stream->Read(&event));
  const absl::Status status = FromGrpcStatus(stream->Finish());
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_EQ(Field(status), "sampling.top_p");
}

TEST_F(WorkerServiceTest, SessionRunsManyCallsAndEndsWhenTheLastIsDone) {
  grpc::ClientContext context;
  auto stream = inference_stub_->Session(&context);
  for (uint64_t call = 1; call <= 20; ++call) {
    v1::SessionCommand command;
    command.mutable_submit()->set_call(call);
    *command.mutable_submit()->mutable_request() = RequestMessage(static_cast<int>(call), 5, call);
    ASSERT_TRUE(stream->Write(command));
  }
  v1::SessionCommand bad;
  bad.mutable_submit()->set_call(21);
  *bad.mutable_submit()->mutable_request() = RequestMessage(5, 1000);
  ASSERT_TRUE(stream->Write(bad));
  stream->WritesDone();
  Heard heard;
  v1::SessionFrame frame;
  while (stream->Read(&frame)) heard.Add(frame);
  EXPECT_TRUE(stream->Finish().ok());
  for (uint64_t call = 1; call <= 20; ++call) {
    const auto where = std::make_pair(call, 0u);
    EXPECT_EQ(heard.tokens[where], Expected(static_cast<int>(call), 5, call));
    EXPECT_EQ(heard.finished[where], v1::FINISH_REASON_LENGTH);
  }
  ASSERT_TRUE(heard.failed.contains(21));
  EXPECT_EQ(heard.failed[21].field(), "sampling.max_tokens");
}

TEST_F(WorkerServiceTest, CancelEndsACallAndLeavesTheOthers) {
  executor_.CloseGate();
  grpc::ClientContext context;
  auto stream = inference_stub_->Session(&context);
  for (uint64_t call : {1, 2}) {
    v1::SessionCommand command;
    command.mutable_submit()->set_call(call);
    *command.mutable_submit()->mutable_request() = RequestMessage(5, call == 1 ? 100 : 4, call);
    ASSERT_TRUE(stream->Write(command));
  }
  executor_.WaitForBegun(1);
  v1::SessionCommand cancel;
  cancel.mutable_cancel()->set_call(1);
  ASSERT_TRUE(stream->Write(cancel));
  stream->WritesDone();
  executor_.OpenGate();
  Heard heard;
  v1::SessionFrame frame;
  while (stream->Read(&frame)) heard.Add(frame);
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ((heard.tokens[{2, 0}]), Expected(5, 4, 2));
  EXPECT_EQ(heard.finished.size(), 2u);
}

TEST_F(WorkerServiceTest, AClientThatLeavesCancelsItsCalls) {
  executor_.CloseGate();
  {
    grpc::ClientContext context;
    auto stream = inference_stub_->Session(&context);
    v1::SessionCommand command;
    command.mutable_submit()->set_call(1);
    *command.mutable_submit()->mutable_request() = RequestMessage(5, 100);
    ASSERT_TRUE(stream->Write(command));
    executor_.WaitForBegun(1);
    context.TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  {
    grpc::ClientContext context;
    auto stream = inference_stub_->Generate(&context, RequestMessage(5, 100));
    context.TryCancel();
    EXPECT_FALSE(stream->Finish().ok());
  }
  executor_.OpenGate();
  EXPECT_TRUE(engine_.WaitUntilIdle(RealClock().Now() + std::chrono::seconds(20)));
}

// A peer that writes and never reads: one waiting frame, merged until it is large, then the end.
TEST_F(WorkerServiceTest, APeerThatNeverReadsIsCutOff) {
  grpc::ClientContext context;
  auto stream = inference_stub_->Session(&context);
  uint64_t call = 0;
  while (metrics_.slow_peers_total.Value() == 0) {
    v1::SessionCommand command;
    command.mutable_submit()->set_call(++call);
    *command.mutable_submit()->mutable_request() = RequestMessage(5, 100, call);
    if (!stream->Write(command)) break;
    ASSERT_LT(call, 1000000u);
  }
  v1::SessionFrame frame;
  while (stream->Read(&frame)) {
  }
  const grpc::StatusCode code = stream->Finish().error_code();
  EXPECT_TRUE(code == grpc::StatusCode::RESOURCE_EXHAUSTED || code == grpc::StatusCode::CANCELLED)
      << code;
  EXPECT_EQ(metrics_.slow_peers_total.Value(), 1);
  EXPECT_TRUE(engine_.WaitUntilIdle(RealClock().Now() + std::chrono::seconds(20)));
}

TEST_F(WorkerServiceTest, DeadlinesAreTheCallsOwn) {
  executor_.CloseGate();
  grpc::ClientContext context;
  auto stream = inference_stub_->Session(&context);
  v1::SessionCommand command;
  command.mutable_submit()->set_call(1);
  command.mutable_submit()->set_deadline_ms(1);
  *command.mutable_submit()->mutable_request() = RequestMessage(5, 100);
  ASSERT_TRUE(stream->Write(command));
  stream->WritesDone();
  executor_.OpenGate();
  Heard heard;
  v1::SessionFrame frame;
  while (stream->Read(&frame)) heard.Add(frame);
  // 100 steps of the fake may be faster than a millisecond; then it has finished.
  if (heard.failed.contains(1)) {
    EXPECT_EQ(heard.failed[1].code(), static_cast<int>(grpc::StatusCode::DEADLINE_EXCEEDED));
  } else {
    EXPECT_THAT((heard.tokens[{1, 0}]), SizeIs(100));
  }
}

TEST_F(WorkerServiceTest, AReusedCallNumberBreaksTheSession) {
  executor_.CloseGate();
  grpc::ClientContext context;
  auto stream = inference_stub_->Session(&context);
  v1::SessionCommand command;
  command.mutable_submit()->set_call(1);
  *command.mutable_submit()->mutable_request() = RequestMessage(5, 100);
  ASSERT_TRUE(stream->Write(command));
  executor_.WaitForBegun(1);
  stream->Write(command);
  v1::SessionFrame frame;
  while (stream->Read(&frame)) {
  }
  EXPECT_FALSE(stream->Finish().ok());
  executor_.OpenGate();
  EXPECT_TRUE(engine_.WaitUntilIdle(RealClock().Now() + std::chrono::seconds(20)));
}

TEST_F(WorkerServiceTest, DescribesItselfAndHandsItsCardOut) {
  grpc::ClientContext context;
  v1::WorkerDescription description;
  ASSERT_TRUE(worker_stub_->Describe(&context, {}, &description).ok());
  EXPECT_EQ(description.worker_id(), "w0");
  grpc::ClientContext card_context;
  auto stream = worker_stub_->FetchModelCard(&card_context, {});
  v1::ModelCardChunk chunk;
  ASSERT_TRUE(stream->Read(&chunk));
  EXPECT_EQ(chunk.header().card_digest(), card_.digest());
  ASSERT_TRUE(stream->Read(&chunk));
  EXPECT_EQ(chunk.piece().data(), "{}");
  EXPECT_FALSE(stream->Read(&chunk));
  EXPECT_TRUE(stream->Finish().ok());
  grpc::ClientContext other_context;
  v1::FetchModelCardRequest old;
  old.set_card_digest("0000");
  auto refused = worker_stub_->FetchModelCard(&other_context, old);
  EXPECT_FALSE(refused->Read(&chunk));
  EXPECT_EQ(refused->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

// A watcher that applies what it is told holds what the engine holds, from whenever it came.
TEST_F(WorkerServiceTest, WatchersMirrorTheCacheAndSeeTheLoad) {
  const auto generate = [&](int prompt, uint64_t lease) {
    grpc::ClientContext context;
    v1::GenerateRequest request = RequestMessage(prompt, 3);
    request.set_lease(lease);
    auto stream = inference_stub_->Generate(&context, request);
    v1::GenerateEvent event;
    while (stream->Read(&event)) {
    }
    EXPECT_TRUE(stream->Finish().ok());
  };
  generate(20, 0);
  grpc::ClientContext context;
  auto watch = worker_stub_->Watch(&context, {});
  v1::WatchFrame frame;
  ASSERT_TRUE(watch->Read(&frame));
  ASSERT_TRUE(frame.has_hello());
  EXPECT_EQ(frame.hello().worker().worker_id(), "w0");
  std::set<uint64_t> mirror;
  bool snapshot = false;
  uint64_t seq = 0;
  std::set<uint64_t> admitted, finished;
  const auto read = [&] {
    ASSERT_TRUE(watch->Read(&frame));
    if (frame.has_snapshot()) {
      mirror.insert(frame.snapshot().hashes().begin(), frame.snapshot().hashes().end());
      seq = frame.snapshot().as_of_seq();
      snapshot = frame.snapshot().last();
    }
    if (frame.has_blocks()) {
      EXPECT_TRUE(snapshot);
      EXPECT_EQ(frame.blocks().seq(), ++seq);
      mirror.insert(frame.blocks().stored().begin(), frame.blocks().stored().end());
      for (uint64_t hash : frame.blocks().removed()) EXPECT_EQ(mirror.erase(hash), 1u);
    }
    for (uint64_t lease : frame.load().admitted_leases()) admitted.insert(lease);
    for (uint64_t lease : frame.load().finished_leases()) finished.insert(lease);
  };
  while (!snapshot) read();
  EXPECT_THAT(mirror, SizeIs(5));
  for (int i = 1; i <= 5; ++i) generate(30 + i, static_cast<uint64_t>(i));
  while (finished.size() < 5) read();
  EXPECT_EQ(admitted, finished);
  grpc::ClientContext second_context;
  auto second = worker_stub_->Watch(&second_context, {});
  std::set<uint64_t> fresh;
  uint64_t as_of = 0;
  while (second->Read(&frame)) {
    if (!frame.has_snapshot()) continue;
    fresh.insert(frame.snapshot().hashes().begin(), frame.snapshot().hashes().end());
    as_of = frame.snapshot().as_of_seq();
    if (frame.snapshot().last()) break;
  }
  while (seq < as_of) read();
  EXPECT_EQ(mirror, fresh);
  context.TryCancel();
  second_context.TryCancel();
}

TEST_F(WorkerServiceTest, DrainRefusesTellsWatchersAndWaits) {
  executor_.CloseGate();
  grpc::ClientContext watch_context;
  auto watch = worker_stub_->Watch(&watch_context, {});
  grpc::ClientContext context;
  auto stream = inference_stub_->Generate(&context, RequestMessage(5, 3));
  executor_.WaitForBegun(1);
  {
    grpc::ClientContext drain_context;
    v1::DrainRequest request;
    request.set_deadline_ms(1);
    v1::DrainReply reply;
    ASSERT_TRUE(worker_stub_->Drain(&drain_context, request, &reply).ok());
    EXPECT_EQ(reply.unfinished(), 1u);
  }
  v1::WatchFrame frame;
  while (watch->Read(&frame) && !frame.has_drain()) {
  }
  EXPECT_TRUE(frame.has_drain());
  watch_context.TryCancel();
  grpc::ClientContext late_context;
  auto late = inference_stub_->Generate(&late_context, RequestMessage(5, 3));
  EXPECT_EQ(late->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  executor_.OpenGate();
  grpc::ClientContext drain_context;
  v1::DrainRequest request;
  request.set_deadline_ms(20000);
  v1::DrainReply reply;
  ASSERT_TRUE(worker_stub_->Drain(&drain_context, request, &reply).ok());
  EXPECT_EQ(reply.unfinished(), 0u);
  v1::GenerateEvent event;
  while (stream->Read(&event)) {
  }
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace baton::worker
