// baton-worker as a process, with SmolLM2, over gRPC: what a direct client sees, and the promise
// that a request's text does not depend on what runs beside it.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "baton/v1/inference.grpc.pb.h"
#include "baton/v1/worker.grpc.pb.h"
#include "common/gguf/gguf_file.h"
#include "common/rpc/status_codec.h"
#include "common/text/tokenizer/tokenizer.h"
#include "tests/integration/worker/worker_process.h"
#include "tests/unit/worker/executor/model_path.h"

namespace baton::worker {
namespace {

using ::testing::HasSubstr;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kPromptCount = 8;  // each token costs tenfold; the full proof runs on the release
#else
constexpr int kPromptCount = 64;
#endif
constexpr uint32_t kOutputTokens = 12;

using Texts = std::vector<std::vector<TokenId>>;

std::vector<std::string> Arguments(std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"--model=" + SmolLm2Path(), "--served-model-name=smol"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// Request `index` of the proof: lengths from 5 to 320 tokens, with shared beginnings, every second
// one random, some with penalties.
v1::GenerateRequest ProofRequest(int index, const std::string& salt) {
  v1::GenerateRequest request;
  const int length = 5 + (index * 37) % 160 + (index % 8 == 0 ? 155 : 0);
  for (int i = 0; i < length; ++i) {
    const int family = index % 3;
    const int shared = 24;
    const int token =
        i < shared ? 1000 + 13 * i + family : 2000 + (index * 7919 + i * 104729) % 40000;
    request.mutable_tokens()->add_ids(static_cast<uint32_t>(token));
  }
  v1::SamplingParams& sampling = *request.mutable_sampling();
  sampling.set_max_tokens(kOutputTokens);
  sampling.set_ignore_eos(true);
  sampling.set_seed(static_cast<uint64_t>(index) + 7);
  sampling.set_temperature(index % 2 == 0 ? 0.0f : 0.9f);
  if (index % 4 == 1) sampling.set_top_p(0.9f);
  if (index % 4 == 3) sampling.set_top_k(40);
  if (index % 5 == 0) sampling.set_repetition_penalty(1.1f);
  request.set_cache_salt(salt);
  return request;
}

class Client {
 public:
  explicit Client(const WorkerProcess& process)
      : channel_(process.Channel()),
        inference_(v1::Inference::NewStub(channel_)),
        worker_(v1::Worker::NewStub(channel_)) {}

  std::unique_ptr<grpc::ClientContext> NewContext() {
    auto context = std::make_unique<grpc::ClientContext>();
    context->set_wait_for_ready(true);
    context->set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(10));
    return context;
  }

  std::vector<TokenId> Generate(const v1::GenerateRequest& request, uint32_t* cached = nullptr) {
    const auto context = NewContext();
    auto stream = inference_->Generate(context.get(), request);
    v1::GenerateEvent event;
    std::vector<TokenId> tokens;
    while (stream->Read(&event)) {
      if (event.has_accepted() && cached != nullptr) *cached = event.accepted().cached_tokens();
      tokens.insert(tokens.end(), event.tokens().ids().begin(), event.tokens().ids().end());
    }
    const grpc::Status status = stream->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    return tokens;
  }

  // All requests at once, through one session.
  Texts Together(const std::vector<v1::GenerateRequest>& requests) {
    const auto context = NewContext();
    auto stream = inference_->Session(context.get());
    for (size_t call = 0; call < requests.size(); ++call) {
      v1::SessionCommand command;
      command.mutable_submit()->set_call(call);
      *command.mutable_submit()->mutable_request() = requests[call];
      EXPECT_TRUE(stream->Write(command));
    }
    stream->WritesDone();
    Texts texts(requests.size());
    size_t finished = 0;
    v1::SessionFrame frame;
    while (stream->Read(&frame)) {
      for (const auto& entry : frame.tokens()) {
        auto& into = texts[entry.call()];
        into.insert(into.end(), entry.tokens().ids().begin(), entry.tokens().ids().end());
      }
      for (const auto& entry : frame.failed()) ADD_FAILURE() << entry.message();
      finished += static_cast<size_t>(frame.finished_size());
    }
    EXPECT_TRUE(stream->Finish().ok());
    EXPECT_EQ(finished, requests.size());
    return texts;
  }

  v1::WorkerDescription Describe() {
    const auto context = NewContext();
    v1::WorkerDescription description;
    EXPECT_TRUE(worker_->Describe(context.get(), {}, &description).ok());
    return description;
  }

  std::map<std::string, std::string> FetchCard() {
    const auto context = NewContext();
    auto stream = worker_->FetchModelCard(context.get(), {});
    std::map<std::string, std::string> files;
    v1::ModelCardChunk chunk;
    while (stream->Read(&chunk)) {
      if (chunk.has_piece()) files[chunk.piece().file()] += chunk.piece().data();
    }
    EXPECT_TRUE(stream->Finish().ok());
    return files;
  }

  std::shared_ptr<grpc::Channel> channel() { return channel_; }
  v1::Inference::Stub& inference() { return *inference_; }
  v1::Worker::Stub& worker() { return *worker_; }

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::Inference::Stub> inference_;
  const std::unique_ptr<v1::Worker::Stub> worker_;
};

std::vector<v1::GenerateRequest> ProofRequests(const std::string& salt) {
  std::vector<v1::GenerateRequest> requests;
  for (int i = 0; i < kPromptCount; ++i) requests.push_back(ProofRequest(i, salt));
  return requests;
}

void ExpectEqual(const Texts& texts, const Texts& expected, const std::string& what) {
  ASSERT_EQ(texts.size(), expected.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(texts[i].size(), kOutputTokens) << what << ": prompt " << i;
    EXPECT_EQ(texts[i], expected[i]) << what << ": prompt " << i;
  }
}

TEST(BatonWorker, SameTextWhateverTheBatch) {
  BATON_SKIP_WITHOUT_SMOLLM2(SmolLm2Path());
  Texts alone;
  {
    WorkerProcess process(Arguments({"--max-num-seqs=64", "--max-num-batched-tokens=512"}));
    Client client(process);
    for (int i = 0; i < kPromptCount; ++i) {
      uint32_t cached = 1;
      alone.push_back(client.Generate(ProofRequest(i, "alone" + std::to_string(i)), &cached));
      EXPECT_EQ(cached, 0u) << "cold";
    }
    ExpectEqual(client.Together(ProofRequests("together")), alone, "together, chunks of 512");
    ExpectEqual(client.Together(ProofRequests("together")), alone, "prefixes hot");
    EXPECT_GT(process.Metric("vllm:prefix_cache_hits_total{engine=\"0\",model_name=\"smol\"}"), 0);
    EXPECT_EQ(process.Metric("vllm:num_preemptions_total{engine=\"0\",model_name=\"smol\"}"), 0);
    EXPECT_EQ(process.Signal(SIGTERM), 0);
  }
  {
    WorkerProcess process(Arguments({"--max-num-seqs=16", "--max-num-batched-tokens=16"}));
    Client client(process);
    ExpectEqual(client.Together(ProofRequests("chunks")), alone, "chunks of 16");
  }
  {
    // 24 blocks of 16 tokens: one long sequence nearly fills the cache.
    WorkerProcess process(
        Arguments({"--max-num-seqs=16", "--max-num-batched-tokens=64", "--block-size=16",
                   "--max-model-len=384", "--kv-cache-memory-bytes=8847360"}));
    Client client(process);
    EXPECT_EQ(client.Describe().block_count(), 24u);
    ExpectEqual(client.Together(ProofRequests("")), alone, "preempted");
    if (kPromptCount >= 64) {  // fewer may all fit
      EXPECT_GT(process.Metric("vllm:num_preemptions_total{engine=\"0\",model_name=\"smol\"}"), 0);
    }
  }
}

class BatonWorkerTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!SmolLm2Path().empty()) process_ = new WorkerProcess(Arguments({"--max-num-seqs=8"}));
  }
  static void TearDownTestSuite() {
    delete process_;
    process_ = nullptr;
  }
  void SetUp() override { BATON_SKIP_WITHOUT_SMOLLM2(SmolLm2Path()); }

  static WorkerProcess* process_;
};

WorkerProcess* BatonWorkerTest::process_ = nullptr;

TEST_F(BatonWorkerTest, AnswersATextPromptWithTokyo) {
  Client client(*process_);
  const std::map<std::string, std::string> card = client.FetchCard();
  ASSERT_TRUE(card.contains("metadata.gguf"));
  const auto file = GgufFile::Parse(card.at("metadata.gguf"), "card");
  ASSERT_TRUE(file.ok()) << file.status();
  const auto tokenizer = Tokenizer::FromGguf(file->metadata());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  v1::GenerateRequest request;
  request.set_model("smol");
  request.set_text(
      "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
      "<|im_end|>\n<|im_start|>user\nWhat is the capital of Japan?<|im_end|>\n"
      "<|im_start|>assistant\n");
  request.mutable_sampling()->set_temperature(0);
  request.mutable_sampling()->set_max_tokens(40);
  const std::vector<TokenId> tokens = client.Generate(request);
  EXPECT_THAT((*tokenizer)->Decode(tokens, SpecialTokens::kSkip), HasSubstr("Tokyo"));
  EXPECT_LT(tokens.size(), 40u) << "the end of turn ends it";
}

TEST_F(BatonWorkerTest, ChoicesAndLogprobs) {
  Client client(*process_);
  v1::GenerateRequest request = ProofRequest(1, "n");
  request.set_n(3);
  request.mutable_sampling()->set_logprobs(5);
  const auto context = client.NewContext();
  auto stream = client.inference().Generate(context.get(), request);
  std::map<uint32_t, std::vector<TokenId>> texts;
  v1::GenerateEvent event;
  while (stream->Read(&event)) {
    const v1::Tokens& tokens = event.tokens();
    if (!event.has_tokens()) continue;
    EXPECT_EQ(tokens.logprobs().top_count(), 5u);
    EXPECT_EQ(tokens.logprobs().sampled_size(), tokens.ids_size());
    EXPECT_EQ(tokens.logprobs().top_size(), 5 * tokens.ids_size());
    for (float logprob : tokens.logprobs().sampled()) EXPECT_LE(logprob, 0.0f);
    auto& into = texts[tokens.choice()];
    into.insert(into.end(), tokens.ids().begin(), tokens.ids().end());
  }
  EXPECT_TRUE(stream->Finish().ok());
  ASSERT_EQ(texts.size(), 3u);
  EXPECT_NE(texts[0], texts[1]);
  // A choice resumed elsewhere goes on with the same text.
  v1::GenerateRequest resumed = ProofRequest(1, "elsewhere");
  for (size_t i = 0; i < 5; ++i) resumed.mutable_tokens()->add_ids(texts[2][i]);
  resumed.set_resumed_tokens(5);
  resumed.set_choice_offset(2);
  EXPECT_EQ(client.Generate(resumed), std::vector<TokenId>(texts[2].begin() + 5, texts[2].end()));
}

TEST_F(BatonWorkerTest, CancelledCallsGiveTheirBlocksBack) {
  Client client(*process_);
  const auto watch_context = client.NewContext();
  auto watch = client.worker().Watch(watch_context.get(), {});
  const auto read_load = [&](auto wanted) {
    v1::WatchFrame frame;
    while (watch->Read(&frame)) {
      if (frame.has_load() && wanted(frame.load())) return true;
    }
    return false;
  };
  const auto context = client.NewContext();
  auto stream = client.inference().Session(context.get());
  for (uint64_t call = 0; call < 6; ++call) {
    v1::SessionCommand command;
    command.mutable_submit()->set_call(call);
    *command.mutable_submit()->mutable_request() = ProofRequest(static_cast<int>(call), "cancel");
    command.mutable_submit()->mutable_request()->mutable_sampling()->set_max_tokens(4000);
    ASSERT_TRUE(stream->Write(command));
  }
  EXPECT_TRUE(read_load([](const auto& load) { return load.running() == 6; }));
  v1::SessionCommand cancel;
  cancel.mutable_cancel()->set_call(3);
  ASSERT_TRUE(stream->Write(cancel));
  EXPECT_TRUE(read_load([](const auto& load) { return load.running() == 5; }));
  cancel.mutable_cancel()->set_call(4);
  cancel.mutable_cancel()->set_choice(0);
  ASSERT_TRUE(stream->Write(cancel));
  EXPECT_TRUE(read_load([](const auto& load) { return load.running() == 4; }));
  context->TryCancel();  // the rest goes with the stream
  EXPECT_TRUE(read_load([](const auto& load) {
    return load.running() == 0 && load.waiting() == 0 && load.blocks_active() == 0;
  }));
  watch_context->TryCancel();
}

TEST_F(BatonWorkerTest, DescribesItselfAndItsHealth) {
  Client client(*process_);
  const v1::WorkerDescription description = client.Describe();
  EXPECT_EQ(description.model().name(), "smol");
  EXPECT_EQ(description.model().vocab_size(), 49152u);
  EXPECT_EQ(description.block_size(), 64u);
  EXPECT_NE(description.epoch(), 0u);
  EXPECT_THAT(process_->Get("/readyz"), HasSubstr("200"));
  EXPECT_THAT(process_->Get("/startupz"), HasSubstr("\"state\":\"ready\""));
  v1::GenerateRequest stale = ProofRequest(0, "");
  stale.set_epoch(description.epoch() + 1);
  const auto context = client.NewContext();
  auto stream = client.inference().Generate(context.get(), stale);
  v1::GenerateEvent event;
  EXPECT_FALSE(stream->Read(&event));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::ABORTED);
}

// What grpcurl does first: asks the reflection service for the names of the others. Its messages
// are written by hand, as the distribution has no generated code for them.
TEST_F(BatonWorkerTest, ListsItsServicesByReflection) {
  Client client(*process_);
  grpc::GenericStub stub(client.channel());
  const auto context = client.NewContext();
  grpc::CompletionQueue queue;
  auto call = stub.PrepareCall(
      context.get(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  const auto wait = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  call->StartCall(nullptr);
  ASSERT_TRUE(wait());
  const std::string list_services("\x3a\x00", 2);  // field 7, an empty string
  const grpc::Slice slice(list_services);
  call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
  ASSERT_TRUE(wait());
  grpc::ByteBuffer answer;
  call->Read(&answer, nullptr);
  ASSERT_TRUE(wait());
  std::vector<grpc::Slice> slices;
  ASSERT_TRUE(answer.Dump(&slices).ok());
  std::string bytes;
  for (const grpc::Slice& part : slices) {
    bytes.append(reinterpret_cast<const char*>(part.begin()), part.size());
  }
  EXPECT_THAT(bytes, HasSubstr("baton.v1.Inference"));
  EXPECT_THAT(bytes, HasSubstr("baton.v1.Worker"));
  EXPECT_THAT(bytes, HasSubstr("grpc.health.v1.Health"));
  context->TryCancel();
  grpc::Status status;
  call->Finish(&status, nullptr);
  wait();
}

// SIGTERM: what runs may end until the drain's deadline, then it is told, and the process ends with
// 0.
TEST(BatonWorker, TerminationDrainsThenTellsEverybody) {
  BATON_SKIP_WITHOUT_SMOLLM2(SmolLm2Path());
  WorkerProcess process(Arguments({"--max-num-seqs=4"}));
  Client client(process);
  v1::GenerateRequest request = ProofRequest(2, "");
  request.mutable_sampling()->set_max_tokens(8000);
  const auto context = client.NewContext();
  auto stream = client.inference().Generate(context.get(), request);
  v1::GenerateEvent event;
  while (stream->Read(&event) && !event.has_tokens()) {
  }
  ASSERT_TRUE(event.has_tokens());
  int exit_status = -1;
  std::thread stopper([&] { exit_status = process.Signal(SIGTERM); });
  while (stream->Read(&event)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  stopper.join();
  EXPECT_EQ(exit_status, 0);
}

TEST(BatonWorker, SaysWhatIsWrongWithItsFlags) {
  for (const auto& [flag, word] : std::map<std::string, std::string>{
           {"--model=/nowhere", "nowhere"}, {"--max-num-seqs=0", "max-num-seqs"}}) {
    const std::string command = std::string(BATON_BINARY_DIR "/bin/baton-worker ") +
                                "--listen=127.0.0.1:0 --admin-listen=127.0.0.1:0 --model=x " +
                                flag + " --log-level=error 2>&1";
    FILE* pipe = popen(command.c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    std::string output(4096, '\0');
    output.resize(fread(output.data(), 1, output.size(), pipe));
    EXPECT_NE(pclose(pipe), 0);
    EXPECT_THAT(output, HasSubstr(word));
  }
}

// A prompt's step takes longer than the limit: for the watchdog no other than one that hangs.
TEST(BatonWorker, AStepBeyondItsLimitEndsTheProcess) {
  BATON_SKIP_WITHOUT_SMOLLM2(SmolLm2Path());
  WorkerProcess process(Arguments({"--step-timeout=5ms"}));
  const auto stub = v1::Inference::NewStub(process.Channel());
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  v1::GenerateRequest request = ProofRequest(8, "");
  auto stream = stub->Generate(&context, request);
  v1::GenerateEvent event;
  while (stream->Read(&event)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(process.WaitForExit(), 70);
}

}  // namespace
}  // namespace baton::worker
