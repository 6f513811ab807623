// A real router on loopback, watching scripted workers over real gRPC.
#include <condition_variable>
#include <deque>
#include <mutex>

#include "baton/v1/router.grpc.pb.h"
#include "baton/v1/worker.grpc.pb.h"
#include "common/kv/block_hash.h"
#include "common/rpc/channel.h"
#include "common/rpc/rpc_server.h"
#include "gtest/gtest.h"
#include "router/app.h"

namespace baton::router {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);

// A worker that says what a test tells it to.
class ScriptedWorker final : public v1::Worker::Service {
 public:
  explicit ScriptedWorker(std::string id, int port = 0) : id_(std::move(id)) { Listen(port); }
  ~ScriptedWorker() override { Leave(); }

  void Listen(int port) {
    {
      std::lock_guard lock(mutex_);
      leaving_ = false;
      ++epoch_;
    }
    server_ = RpcServer::Start({.listen = {.host = "127.0.0.1", .port = port}}, {this}).value();
    port_ = server_->port();
  }

  void Leave() {
    {
      std::lock_guard lock(mutex_);
      leaving_ = true;
      frames_.clear();
    }
    changed_.notify_all();
    server_.reset();
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }

  void Say(v1::WatchFrame frame) {
    std::lock_guard lock(mutex_);
    frames_.push_back(std::move(frame));
    changed_.notify_all();
  }

  void SetResident(std::vector<uint64_t> hashes) {
    std::lock_guard lock(mutex_);
    resident_ = std::move(hashes);
  }

  int watches() const {
    std::lock_guard lock(mutex_);
    return watches_;
  }

  grpc::Status Watch(grpc::ServerContext* context, const v1::WatchRequest*,
                     grpc::ServerWriter<v1::WatchFrame>* writer) override {
    std::unique_lock lock(mutex_);
    ++watches_;
    v1::WatchFrame hello;
    v1::WorkerDescription& worker = *hello.mutable_hello()->mutable_worker();
    worker.set_worker_id(id_);
    worker.set_epoch(epoch_);
    worker.set_block_hash_scheme(std::string(kBlockHashScheme));
    worker.set_block_size(64);
    worker.set_block_count(1000);
    worker.mutable_model()->set_name("llama");
    worker.mutable_model()->set_card_digest("digest");
    worker.mutable_model()->set_max_model_len(4096);
    writer->Write(hello);
    v1::WatchFrame snapshot;
    for (const uint64_t hash : resident_) snapshot.mutable_snapshot()->add_hashes(hash);
    snapshot.mutable_snapshot()->set_last(true);
    writer->Write(snapshot);
    while (!leaving_ && !context->IsCancelled()) {
      if (frames_.empty()) {
        changed_.wait_for(lock, std::chrono::milliseconds(5));
        continue;
      }
      const v1::WatchFrame frame = std::move(frames_.front());
      frames_.pop_front();
      writer->Write(frame);
    }
    return grpc::Status::OK;
  }

  grpc::Status FetchModelCard(grpc::ServerContext*, const v1::FetchModelCardRequest*,
                              grpc::ServerWriter<v1::ModelCardChunk>* writer) override {
    v1::ModelCardChunk chunk;
    chunk.mutable_header()->set_card_digest("digest");
    writer->Write(chunk);
    for (int i = 0; i < 3; ++i) {
      chunk.mutable_piece()->set_file("tokenizer.json");
      chunk.mutable_piece()->set_data(std::string(100000, static_cast<char>('a' + i)));
      writer->Write(chunk);
    }
    return grpc::Status::OK;
  }

 private:
  const std::string id_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<v1::WatchFrame> frames_;
  std::vector<uint64_t> resident_;
  bool leaving_ = false;
  uint64_t epoch_ = 0;
  int watches_ = 0;
  std::unique_ptr<RpcServer> server_;
};

class RouterServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    RouterOptions options;
    options.workers = {a_.address(), b_.address()};
    options.listen = "127.0.0.1:0";
    options.admin_listen = "127.0.0.1:0";
    app_ = App::Start(options, RealClock()).value();
    stub_ = v1::Router::NewStub(MakeChannel("127.0.0.1:" + std::to_string(app_->port())));
  }

  void TearDown() override { EXPECT_TRUE(app_->Stop()); }

  v1::RouteReply Route(const v1::RouteRequest& request) {
    grpc::ClientContext context;
    v1::RouteReply reply;
    const grpc::Status status = stub_->Route(&context, request, &reply);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return reply;
  }

  v1::Explanation Explain(const v1::RouteRequest& request) {
    grpc::ClientContext context;
    v1::Explanation reply;
    EXPECT_TRUE(stub_->Explain(&context, request, &reply).ok());
    return reply;
  }

  // Asks until `accept` likes the explanation; fails at the end of its patience.
  template <typename Accept>
  void ExplainUntil(const v1::RouteRequest& request, Accept accept) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < end) {
      if (accept(Explain(request))) return;
    }
    FAIL() << Explain(request).DebugString();
  }

  static int Scored(const v1::Explanation& explanation) {
    int scored = 0;
    for (const auto& candidate : explanation.candidates())
      scored += candidate.excluded_by().empty();
    return scored;
  }

  void WaitForBoth() {
    ExplainUntil(Request(), [](const auto& e) { return Scored(e) == 2; });
  }

  static v1::RouteRequest Request() {
    v1::RouteRequest request;
    request.set_model("llama");
    request.set_prompt_tokens(300);
    for (uint64_t hash : {101, 102, 103, 104}) request.add_block_hashes(hash);
    return request;
  }

  ScriptedWorker a_{"a"};
  ScriptedWorker b_{"b"};
  std::unique_ptr<App> app_;
  std::unique_ptr<v1::Router::Stub> stub_;
};

TEST_F(RouterServiceTest, TheHolderOfThePrefixIsChosen) {
  WaitForBoth();
  v1::WatchFrame blocks;
  blocks.mutable_blocks()->set_seq(1);
  for (uint64_t hash : {101, 102, 103}) blocks.mutable_blocks()->add_stored(hash);
  b_.Say(blocks);
  ExplainUntil(Request(),
               [](const auto& e) { return e.reply().placement().decode_matched_blocks() == 3; });
  const v1::RouteReply reply = Route(Request());
  EXPECT_EQ(reply.placement().decode().worker_id(), "b");
  EXPECT_EQ(reply.placement().decode().address(), b_.address());
  EXPECT_EQ(reply.placement().decode().epoch(), 1u);
  EXPECT_NE(reply.placement().lease(), 0u);
}

TEST_F(RouterServiceTest, AWorkerThatLeavesIsNoCandidateAndItsReturnIsANewEpoch) {
  WaitForBoth();
  const int port = a_.port();
  a_.Leave();
  ExplainUntil(Request(), [](const auto& e) { return Scored(e) == 1; });
  a_.SetResident({101, 102, 103, 104});
  a_.Listen(port);
  ExplainUntil(Request(), [](const auto& e) { return Scored(e) == 2; });
  const v1::RouteReply reply = Route(Request());
  EXPECT_EQ(reply.placement().decode().worker_id(), "a");
  EXPECT_EQ(reply.placement().decode().epoch(), 2u);
}

TEST_F(RouterServiceTest, AGapReconnectsAndTakesANewSnapshot) {
  WaitForBoth();
  a_.SetResident({101, 102});
  v1::WatchFrame gap;
  gap.mutable_blocks()->set_seq(7);
  a_.Say(gap);
  ExplainUntil(Request(), [](const auto& e) {
    return Scored(e) == 2 && e.reply().placement().decode_matched_blocks() == 2;
  });
  EXPECT_EQ(a_.watches(), 2);
}

TEST_F(RouterServiceTest, DrainingWorkersTakeNothingNew) {
  WaitForBoth();
  v1::WatchFrame drain;
  drain.mutable_drain()->set_reason("test");
  a_.Say(drain);
  b_.Say(drain);
  ExplainUntil(Request(), [](const auto& e) { return Scored(e) == 0; });
  const v1::RouteReply reply = Route(Request());
  EXPECT_EQ(reply.reject().code(), v1::RouteReply::Reject::CODE_NO_WORKER);
  EXPECT_GT(reply.reject().retry_after_ms(), 0u);
}

TEST_F(RouterServiceTest, UnknownModelsAreRejectedAndKnownOnesListed) {
  WaitForBoth();
  v1::RouteRequest request = Request();
  request.set_model("gpt");
  EXPECT_EQ(Route(request).reject().code(), v1::RouteReply::Reject::CODE_MODEL_NOT_FOUND);
  grpc::ClientContext context;
  v1::ListModelsReply models;
  ASSERT_TRUE(stub_->ListModels(&context, {}, &models).ok());
  ASSERT_EQ(models.models_size(), 1);
  EXPECT_EQ(models.models(0).model().name(), "llama");
  EXPECT_EQ(models.models(0).ready_workers(), 2u);
  EXPECT_EQ(models.models(0).block_size(), 64u);
}

TEST_F(RouterServiceTest, ReservationsSpreadABurstUntilAbandoned) {
  WaitForBoth();
  std::map<std::string, int> placed;
  std::vector<uint64_t> leases;
  for (int i = 0; i < 10; ++i) {
    const v1::RouteReply reply = Route(Request());
    ++placed[reply.placement().decode().worker_id()];
    leases.push_back(reply.placement().lease());
  }
  EXPECT_EQ(placed["a"], 5);
  for (const uint64_t lease : leases) {
    grpc::ClientContext context;
    v1::AbandonRequest abandon;
    v1::AbandonReply done;
    abandon.set_lease(lease);
    EXPECT_TRUE(stub_->Abandon(&context, abandon, &done).ok());
  }
  const v1::Explanation after = Explain(Request());
  for (const auto& candidate : after.candidates()) {
    EXPECT_EQ(candidate.terms().at("waiting_prefill_tokens"), 0);
  }
}

TEST_F(RouterServiceTest, ModelCardsArePassedOnWhole) {
  WaitForBoth();
  grpc::ClientContext context;
  v1::FetchModelCardRequest request;
  request.set_model("llama");
  auto reader = stub_->FetchModelCard(&context, request);
  v1::ModelCardChunk chunk;
  size_t bytes = 0;
  int chunks = 0;
  while (reader->Read(&chunk)) {
    ++chunks;
    bytes += chunk.piece().data().size();
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(chunks, 4);
  EXPECT_EQ(bytes, 300000u);
  grpc::ClientContext other;
  request.set_model("gpt");
  auto refused = stub_->FetchModelCard(&other, request);
  EXPECT_FALSE(refused->Read(&chunk));
  EXPECT_EQ(refused->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace baton::router
