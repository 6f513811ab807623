// Every architecture of the build behind the scheduler: a request's text is the same alone, among
// others, in small chunks, on a hot prefix, and in a cache so small that it is preempted; and a
// model with windows runs where only what they have left behind makes room.
//
// A new architecture joins by its golden file, as in architecture_conformance_test.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "common/kv/block_hash.h"
#include "tests/fakes/scratch_dir.h"
#include "tests/fakes/tiny_model.h"
#include "worker/engine/scheduler.h"
#include "worker/executor/load_model.h"

namespace baton::worker {
namespace {

namespace fs = std::filesystem;

constexpr int32_t kBlockSize = 16;
constexpr int32_t kSmallStep = 24;
constexpr int32_t kOutput = 10;
constexpr int32_t kLongOutput = 44;

fs::path ArchitecturesDir() {
  return fs::path(BATON_SOURCE_DIR) / "tests/golden/model/architectures";
}

std::vector<std::string> Models() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(ArchitecturesDir())) {
    names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

using Texts = std::map<uint64_t, std::vector<TokenId>>;

// A model with a scheduler of its own.
class Engine {
 public:
  Engine(const LoadOptions& options, int32_t step_tokens) {
    absl::StatusOr<LoadedModel> model = LoadModel(options);
    BATON_CHECK(model.ok()) << model.status().ToString();
    model_ = *std::move(model);
    SchedulerRegistry registry;
    BATON_CHECK(RegisterBuiltinSchedulers(registry).ok());
    const ExecutorInfo& info = model_.executor->info();
    config_ = {.block_size = info.block_size,
               .block_count = info.block_count,
               .kv_groups = info.kv_groups,
               .prefix_key = 1234567,
               .max_model_len = model_.max_model_len,
               .max_num_seqs = 8,
               .max_num_batched_tokens = step_tokens,
               .end_token_ids = {},
               .policy = *registry.Find("fcfs")};
    Restart();
  }

  // Forgets what is cached; the blocks keep what they hold.
  void Restart() { scheduler_ = std::make_unique<Scheduler>(config_); }

  const ExecutorInfo& info() const { return model_.executor->info(); }
  const EngineCounters& counters() const { return scheduler_->counters(); }

  Texts Run(const std::vector<GenerationRequest>& requests) {
    for (GenerationRequest request : requests) {
      request.key = RequestKey(++last_key_);
      names_[last_key_] = request.params.seed;
      scheduler_->Add(std::move(request));
    }
    Texts texts;
    while (scheduler_->has_work()) Step(texts);
    scheduler_->CheckIntegrity();
    return texts;
  }

 private:
  void Step(Texts& texts) {
    const StepPlan& plan = scheduler_->Plan();
    if (!plan.empty()) {
      absl::Status begun = model_.executor->Begin(plan);
      BATON_CHECK(begun.ok()) << begun.ToString();
      absl::StatusOr<StepResult> result = model_.executor->Finish();
      BATON_CHECK(result.ok()) << result.status().ToString();
      scheduler_->Commit(*std::move(result));
    }
    StepEvents events;
    scheduler_->TakeEvents(events);
    BATON_CHECK(events.failed.empty()) << events.failed.front().status.ToString();
    for (const auto& event : events.tokens) {
      texts[names_[event.request->key.value()]].push_back(event.sampled.token);
    }
  }

  LoadedModel model_;
  SchedulerConfig config_;
  std::unique_ptr<Scheduler> scheduler_;
  uint64_t last_key_ = 0;
  std::map<uint64_t, uint64_t> names_;  // by key
};

class EngineConformance : public ::testing::TestWithParam<std::string> {
 protected:
  EngineConformance() {
    model_.WriteDirectory(dir_.path(), "config", TinyDtype::kF32);
    const auto& prompts = model_.golden()["prompts"];
    longest_ = prompts[prompts.size() - 1]["tokens"].get<std::vector<TokenId>>();
    const auto& config = model_.golden()["config"];
    const auto& text = config.contains("text_config") ? config["text_config"] : config;
    const auto positions = text.value("max_position_embeddings", longest_.size() + kOutput);
    longest_.resize(std::min(longest_.size(), positions - kOutput));
  }

  LoadOptions Options(ComputeType dtype, int32_t step_tokens) const {
    LoadOptions options;
    options.path = dir_.string();
    options.dtype = dtype;
    options.kv_cache_dtype = kv_cache_dtype_;
    options.max_model_len = static_cast<int32_t>(longest_.size()) + kOutput;
    options.max_num_seqs = 8;
    options.max_num_batched_tokens = step_tokens;
    options.block_size = kBlockSize;
    options.threads = 2;
    return options;
  }

  // Named by its seed.
  static GenerationRequest RequestOf(uint64_t name, std::vector<TokenId> prompt,
                                     int32_t output = kOutput) {
    GenerationRequest request;
    request.chain_root = BlockHash(1);
    request.block_hashes = HashBlocks(request.chain_root, prompt, kBlockSize);
    request.prompt = std::move(prompt);
    request.params.max_tokens = output;
    request.params.temperature = 0.9f;
    request.params.seed = name;
    return request;
  }

  // Of the longest prompt, as far as it goes.
  std::vector<TokenId> Part(size_t begin, size_t end) const {
    const absl::Span<const TokenId> part =
        absl::MakeConstSpan(longest_).subspan(begin, std::min(end, longest_.size()) - begin);
    return {part.begin(), part.end()};
  }

  // The longest prompt there is, some that begin like it, some that do not, and many that grow.
  std::vector<GenerationRequest> Requests() const {
    std::vector<GenerationRequest> requests;
    requests.push_back(RequestOf(1, longest_));
    requests.push_back(RequestOf(2, Part(0, longest_.size() - 11)));
    requests.push_back(RequestOf(3, Part(5, 22)));
    requests.push_back(RequestOf(4, Part(0, 128)));
    requests.push_back(RequestOf(5, Part(40, longest_.size() * 5 / 6)));
    requests.push_back(RequestOf(6, longest_));
    for (uint64_t i = 0; i < 8; ++i) {
      requests.push_back(RequestOf(11 + i, Part(i, 17 + 2 * i), kLongOutput));
    }
    return requests;
  }

  // The smallest cache that the longest sequence fits into, computed in small steps.
  LoadOptions Tightest(ComputeType dtype, const ExecutorInfo& info) const {
    LoadOptions options = Options(dtype, kSmallStep);
    const int64_t blocks = BlocksMax(info.kv_groups, kBlockSize, options.max_model_len, kSmallStep);
    options.kv_cache_memory_bytes = static_cast<uint64_t>(blocks) * info.kv_bytes_per_block;
    return options;
  }

  void ExpectOneText(ComputeType dtype) {
    const std::vector<GenerationRequest> requests = Requests();
    Texts alone;
    Engine roomy(Options(dtype, 512), 512);
    for (const GenerationRequest& request : requests) {
      alone.merge(roomy.Run({request}));
      roomy.Restart();
    }
    EXPECT_EQ(roomy.Run(requests), alone) << "together";
    const uint64_t hits = roomy.counters().prefix_hit_tokens;
    EXPECT_EQ(roomy.Run(requests), alone) << "on a hot prefix";
    EXPECT_GT(roomy.counters().prefix_hit_tokens, hits + 2 * longest_.size());
    Engine chunked(Options(dtype, kSmallStep), kSmallStep);
    EXPECT_EQ(chunked.Run(requests), alone) << "in small chunks";
    Engine tight(Tightest(dtype, roomy.info()), kSmallStep);
    EXPECT_EQ(tight.Run(requests), alone) << "where all cannot run at once";
    EXPECT_GT(tight.counters().preemptions, 0u);
    EXPECT_EQ(tight.Run(requests), alone) << "again, on what is left in the cache";
    ExpectThatWindowsMakeRoom(tight.info());
  }

  void ExpectThatWindowsMakeRoom(const ExecutorInfo& info) const {
    const KvGroups& groups = info.kv_groups;
    const bool windows = std::any_of(groups.begin(), groups.end(), [&](const KvGroup& group) {
      return group.window > 0 && group.window < 100;
    });
    if (!windows) return;
    const auto tokens = static_cast<int32_t>(longest_.size());
    const int32_t everything = TableCount(groups) * ((tokens + kBlockSize - 1) / kBlockSize);
    EXPECT_LT(info.block_count, everything) << "the longest prompt alone has more blocks";
  }

  KvCacheType kv_cache_dtype_ = KvCacheType::kAuto;
  const ScratchDir dir_{"engine_conformance"};
  const TinyModel model_ = TinyModel::Read(ArchitecturesDir() / (GetParam() + ".json"));
  std::vector<TokenId> longest_;
};

TEST_P(EngineConformance, OneTextHoweverItIsServed) { ExpectOneText(ComputeType::kFloat32); }

TEST_P(EngineConformance, SoItIsInBfloat16) { ExpectOneText(ComputeType::kBfloat16); }

INSTANTIATE_TEST_SUITE_P(Models, EngineConformance, ::testing::ValuesIn(Models()),
                         [](const auto& info) { return info.param; });

class SmallerCacheConformance : public EngineConformance {};

TEST_P(SmallerCacheConformance, OneTextOnACacheOfInt8) {
  kv_cache_dtype_ = KvCacheType::kInt8;
  ExpectOneText(ComputeType::kBfloat16);
}

TEST_P(SmallerCacheConformance, OneTextOnACacheOfFp8) {
  kv_cache_dtype_ = KvCacheType::kFp8;
  ExpectOneText(ComputeType::kFloat32);
}

INSTANTIATE_TEST_SUITE_P(Models, SmallerCacheConformance, ::testing::Values("gemma3", "llama2"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace baton::worker
