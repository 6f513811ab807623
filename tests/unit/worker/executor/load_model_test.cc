// Loading by path and running through the executor, as the worker does it.

#include "worker/executor/load_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "tests/fakes/scratch_dir.h"
#include "tests/fakes/tiny_llama.h"
#include "tests/unit/worker/executor/model_path.h"
#include "worker/executor/warm_up.h"
#include "worker/sampling_params/sampling_params.h"

namespace baton::worker {
namespace {

LoadOptions TinyLoad(const std::string& path) {
  LoadOptions options;
  options.path = path;
  options.dtype = ComputeType::kFloat32;
  options.threads = 2;
  options.max_num_seqs = 4;
  return options;
}

// Continues a prompt greedily, one step a token, on blocks from 0 on.
std::vector<TokenId> Generate(ModelExecutor& executor, std::vector<TokenId> tokens, int count,
                              const SamplingParams& params) {
  const size_t prompt_count = tokens.size();
  for (int i = 0; i < count; ++i) {
    const auto first = i == 0 ? 0 : static_cast<int32_t>(tokens.size()) - 1;
    StepPlan plan;
    plan.step = static_cast<uint64_t>(i);
    plan.tokens.assign(tokens.begin() + first, tokens.end());
    const auto block_count = static_cast<int32_t>(tokens.size()) / executor.info().block_size + 1;
    for (int32_t block = 0; block < block_count; ++block) plan.blocks.push_back(BlockId(block));
    plan.rows.push_back({.sequence = SequenceId(1),
                         .first_position = first,
                         .token_begin = 0,
                         .token_count = static_cast<int32_t>(plan.tokens.size()),
                         .block_begin = 0,
                         .block_count = block_count,
                         .logits = true});
    plan.samples.push_back({.row = 0,
                            .sequence = SequenceId(1),
                            .params = &params,
                            .choice = 0,
                            .output_position = i,
                            .history = tokens,
                            .prompt_count = static_cast<int32_t>(prompt_count),
                            .stop_ids = {}});
    EXPECT_TRUE(executor.Begin(plan).ok());
    const absl::StatusOr<StepResult> result = executor.Finish();
    EXPECT_TRUE(result.ok()) << result.status();
    if (!result.ok()) return {};
    tokens.push_back(result->samples.front().token);
  }
  return {tokens.begin() + static_cast<std::ptrdiff_t>(prompt_count), tokens.end()};
}

SamplingParams Greedy() {
  SamplingParams params;
  params.temperature = 0;
  return params;
}

TEST(LoadModel, StatesTheModelAndReportsProgress) {
  const ScratchDir dir("load-states");
  WriteTinyLlama(dir.path());
  LoadOptions options = TinyLoad(dir.string());
  std::vector<uint64_t> done;
  uint64_t total = 0;
  options.progress = [&](uint64_t done_bytes, uint64_t total_bytes) {
    done.push_back(done_bytes);
    total = total_bytes;
  };
  const absl::StatusOr<LoadedModel> model = LoadModel(options);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
  EXPECT_EQ(done.back(), total);
  EXPECT_EQ(model->loaded_bytes, total);
  EXPECT_EQ(model->end_token_ids, (std::vector<TokenId>{2, 7}));
  EXPECT_EQ(model->max_model_len, 512);
  EXPECT_EQ(model->architecture, "LlamaForCausalLM");
  EXPECT_EQ(model->dtype, "float32");
  ASSERT_EQ(model->files.size(), 2u);
  EXPECT_EQ(model->files[0].name, "config.json");
  const ExecutorInfo& info = model->executor->info();
  EXPECT_EQ(info.block_size, 64);
  EXPECT_EQ(info.block_count, 4 * 512 / 64);
  EXPECT_EQ(info.vocab_size, 261);
  EXPECT_NE(info.numerics_id.find("/float32/cpu-"), std::string::npos) << info.numerics_id;
}

TEST(LoadModel, TheDigestNamesTheWeights) {
  const ScratchDir dir("load-digest");
  WriteTinyLlama(dir.path());
  const uint64_t one = LoadModel(TinyLoad(dir.string()))->digest;
  EXPECT_EQ(LoadModel(TinyLoad(dir.string()))->digest, one);
  std::vector<TinyTensor> tensors = TinyLlamaTensors();
  tensors.back().values[3] += 0.5f;
  tiny::WriteFile(dir.path() / "model.safetensors", TinySafetensors(tensors, TinyDtype::kF32));
  EXPECT_NE(LoadModel(TinyLoad(dir.string()))->digest, one);
}

TEST(LoadModel, ACacheThatIsTooSmallShortensSequencesOrIsRefused) {
  const ScratchDir dir("load-cache");
  WriteTinyLlama(dir.path());
  LoadOptions options = TinyLoad(dir.string());
  const uint64_t block_bytes = LoadModel(options)->executor->info().kv_bytes_per_block;
  options.kv_cache_memory_bytes = 3 * block_bytes;
  EXPECT_EQ(LoadModel(options)->max_model_len, 3 * 64);
  options.max_model_len = 200;
  const absl::Status status = LoadModel(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("max_model_len=200 needs 4"), absl::string_view::npos) << status;
}

TEST(LoadModel, TheCacheHasATypeOfItsOwn) {
  const ScratchDir dir("load-cache-type");
  WriteTinyLlama(dir.path());
  LoadOptions options = TinyLoad(dir.string());
  const absl::StatusOr<LoadedModel> plain = LoadModel(options);
  EXPECT_EQ(plain->kv_cache_dtype, "float32");
  const ExecutorInfo& info = plain->executor->info();
  for (const char* name : {"bf16", "int8", "fp8"}) {
    options.kv_cache_dtype = *ParseKvCacheType(name);
    const absl::StatusOr<LoadedModel> small = LoadModel(options);
    ASSERT_TRUE(small.ok()) << small.status();
    EXPECT_LT(small->executor->info().kv_bytes_per_block, info.kv_bytes_per_block);
    EXPECT_NE(small->executor->info().numerics_id, info.numerics_id);
    EXPECT_NE(small->executor->info().kv_layout, info.kv_layout);
    EXPECT_NE(small->executor->info().numerics_id.find("+kv-" + small->kv_cache_dtype),
              std::string::npos);
  }
  options.dtype = ComputeType::kBfloat16;
  options.kv_cache_dtype = KvCacheType::kBfloat16;
  EXPECT_EQ(LoadModel(options)->executor->info().numerics_id.find("+kv"), std::string::npos);
  options.kv_cache_dtype = KvCacheType::kFloat32;
  EXPECT_EQ(LoadModel(options).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ParseKvCacheType("fp8_e4m3"), KvCacheType::kFp8);
  EXPECT_EQ(ParseKvCacheType("int4"), std::nullopt);
}

TEST(LoadModel, OptionsThatDoNotFitTheModelAreNamed) {
  const ScratchDir dir("load-options");
  WriteTinyLlama(dir.path());
  const auto expect = [&](const std::function<void(LoadOptions&)>& change, const char* message) {
    LoadOptions options = TinyLoad(dir.string());
    change(options);
    const absl::Status status = LoadModel(options).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_NE(status.message().find(message), absl::string_view::npos) << status;
  };
  expect([](LoadOptions& o) { o.max_model_len = 600; }, "max_model_len=600");
  expect([](LoadOptions& o) { o.tensor_parallel_size = 4; }, "heads=6 cannot be cut into 4");
  expect([](LoadOptions& o) { o.block_size = 40; }, "block");
  expect([](LoadOptions& o) { o.threads = -1; }, "threads=-1");
  expect([](LoadOptions& o) { o.workers_on_host = 0; }, "workers_on_host=0");
  expect([](LoadOptions& o) { o.workers_on_host = 1 << 30; }, "holds 0 blocks");
  LoadOptions nowhere = TinyLoad(dir.string() + "/nothing");
  EXPECT_EQ(LoadModel(nowhere).status().code(), absl::StatusCode::kNotFound);
}

TEST(LoadModel, RopeFactorsMustBeFiniteAndPositive) {
  const ScratchDir dir("load-rope");
  const std::filesystem::path path = dir.path() / "tiny.gguf";
  for (const float wrong : {0.0f, -1.0f, std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()}) {
    std::string file = TinyLlamaGguf();  // ends with the factors
    std::memcpy(file.data() + file.size() - sizeof(wrong), &wrong, sizeof(wrong));
    tiny::WriteFile(path, file);
    const absl::Status status = LoadModel(TinyLoad(path.string())).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_NE(status.message().find("tensor=rope_freqs.weight holds"), absl::string_view::npos)
        << status;
  }
}

// A model whose logits are NaN: its final norm is.
void WriteSickLlama(const ScratchDir& dir) {
  WriteTinyLlama(dir.path());
  std::vector<TinyTensor> tensors = TinyLlamaTensors();
  for (TinyTensor& tensor : tensors) {
    if (tensor.name == "model.norm.weight") tensor.values[0] = std::nanf("");
  }
  tiny::WriteFile(dir.path() / "model.safetensors", TinySafetensors(tensors, TinyDtype::kF32));
}

TEST(WarmUp, RunsAModelAndRefusesOneThatCannotCompute) {
  const ScratchDir dir("warm-up");
  WriteTinyLlama(dir.path());
  LoadOptions options = TinyLoad(dir.string());
  for (const int32_t max_model_len : {0, 1, 2, 100}) {
    options.max_model_len = max_model_len;
    const absl::StatusOr<LoadedModel> model = LoadModel(options);
    ASSERT_TRUE(model.ok()) << model.status();
    EXPECT_TRUE(WarmUp(*model->executor).ok()) << max_model_len;
  }
  const ScratchDir sick("warm-up-sick");
  WriteSickLlama(sick);
  const absl::StatusOr<LoadedModel> model = LoadModel(TinyLoad(sick.string()));
  ASSERT_TRUE(model.ok()) << model.status();
  const absl::Status status = WarmUp(*model->executor);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
  EXPECT_NE(status.message().find("warm up"), absl::string_view::npos) << status;
}

TEST(LocalExecutor, LogitsThatAreNoNumbersFailTheirStepAndBreakNothing) {
  const ScratchDir dir("executor-nan");
  WriteSickLlama(dir);
  for (const int ranks : {1, 2}) {
    LoadOptions options = TinyLoad(dir.string());
    options.tensor_parallel_size = ranks;
    options.on_broken = [](const absl::Status& reason) { ADD_FAILURE() << reason; };
    const absl::StatusOr<LoadedModel> model = LoadModel(options);
    ASSERT_TRUE(model.ok()) << model.status();
    const SamplingParams greedy = Greedy();
    StepPlan plan;
    plan.step = 41;
    plan.tokens = {1, 2};
    plan.blocks = {BlockId(0)};
    plan.rows.push_back(
        {.sequence = SequenceId(9), .token_count = 2, .block_count = 1, .logits = true});
    ASSERT_TRUE(model->executor->Begin(plan).ok());
    EXPECT_TRUE(model->executor->Finish().ok()) << "nothing is sampled";
    plan.samples.push_back({.sequence = SequenceId(9), .params = &greedy, .history = plan.tokens});
    ASSERT_TRUE(model->executor->Begin(plan).ok());
    const absl::Status status = model->executor->Finish().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
    EXPECT_NE(status.message().find("step 41: sequence=9 has logits"), absl::string_view::npos)
        << status;
  }
}

TEST(LocalExecutor, TellsOnceThatItsGroupOfRanksIsBroken) {
  const ScratchDir dir("executor-broken");
  WriteTinyLlama(dir.path());
  LoadOptions options = TinyLoad(dir.string());
  std::vector<absl::Status> told;
  options.on_broken = [&](const absl::Status& reason) { told.push_back(reason); };
  StepPlan wrong;
  wrong.tokens = {1};
  wrong.rows.push_back({.token_count = 2, .block_count = 0});
  for (const int ranks : {1, 2}) {
    options.tensor_parallel_size = ranks;
    const absl::StatusOr<LoadedModel> model = LoadModel(options);
    ASSERT_TRUE(model.ok()) << model.status();
    ASSERT_TRUE(WarmUp(*model->executor).ok());
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(model->executor->Begin(wrong).ok());
      EXPECT_FALSE(model->executor->Finish().ok());
    }
    EXPECT_EQ(WarmUp(*model->executor).ok(), ranks == 1);
    EXPECT_EQ(told.size(), ranks == 1 ? 0u : 1u);
  }
}

TEST(LocalExecutor, SamplesTheSameOnOneRankAndOnTwo) {
  const ScratchDir dir("executor-ranks");
  WriteTinyLlama(dir.path());
  LoadOptions options = TinyLoad(dir.string());
  const absl::StatusOr<LoadedModel> one = LoadModel(options);
  options.tensor_parallel_size = 2;
  const absl::StatusOr<LoadedModel> two = LoadModel(options);
  ASSERT_TRUE(one.ok() && two.ok()) << two.status();
  const std::vector<TokenId> tokens = Generate(*one->executor, {5, 6, 7, 8}, 80, Greedy());
  EXPECT_EQ(Generate(*two->executor, {5, 6, 7, 8}, 80, Greedy()), tokens);
}

TEST(LocalExecutor, RefusesAPlanThatDoesNotHoldTogetherAndGoesOn) {
  const ScratchDir dir("executor-plan");
  WriteTinyLlama(dir.path());
  const absl::StatusOr<LoadedModel> model = LoadModel(TinyLoad(dir.string()));
  ASSERT_TRUE(model.ok()) << model.status();
  ModelExecutor& executor = *model->executor;
  const auto expect = [&](const std::function<void(StepPlan&)>& change, const char* message) {
    StepPlan plan;
    plan.tokens = {1, 2};
    plan.blocks = {BlockId(0)};
    plan.rows.push_back(
        {.sequence = SequenceId(9), .token_count = 2, .block_count = 1, .logits = true});
    change(plan);
    ASSERT_TRUE(executor.Begin(plan).ok());
    EXPECT_FALSE(executor.Begin(plan).ok()) << "one step at a time";
    const absl::Status status = executor.Finish().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
    EXPECT_NE(status.message().find(message), absl::string_view::npos) << status;
  };
  expect([](StepPlan& p) { p.tokens[1] = 261; }, "beyond the vocabulary");
  expect([](StepPlan& p) { p.rows[0].token_count = 3; }, "tokens outside");
  expect([](StepPlan& p) { p.rows[0].block_count = 2; }, "blocks outside");
  expect([](StepPlan& p) { p.rows[0].first_position = 63; }, "positions outside");
  expect([](StepPlan& p) { p.blocks[0] = BlockId(1 << 20); }, "does not exist");
  expect([](StepPlan& p) { p.copies.push_back({BlockId(0), BlockId(-1), 1}); }, "copy of block=0");
  expect([](StepPlan& p) { p.samples.push_back({.row = 1}); }, "has no logits");
  EXPECT_EQ(executor.Finish().status().code(), absl::StatusCode::kInternal) << "none was begun";
  EXPECT_EQ(Generate(executor, {5, 6}, 3, Greedy()).size(), 3u);
}

// The chat of tests/golden/model/make_real_model.py's first prompt.
const std::vector<TokenId>& CapitalOfJapan() {
  static const std::vector<TokenId> tokens = {
      1,   9690, 198, 2683, 359,   253,  5356, 5646, 11173, 3365, 3511, 308,  34519,
      28,  7018, 411, 407,  19712, 8182, 2,    198,  1,     4093, 198,  1780, 314,
      260, 3575, 282, 3085, 47,    2,    198,  1,    520,   9531, 198};
  return tokens;
}

TEST(LoadModel, SmolLm2LoadsFastAndKnowsTheCapitalOfJapan) {
  const std::string path = SmolLm2Path();
  BATON_SKIP_WITHOUT_SMOLLM2(path);
  const std::pair<ComputeType, WeightChoice> choices[] = {
      {ComputeType::kFloat32, WeightChoice::kAuto},
      {ComputeType::kBfloat16, WeightChoice::kNone},
      {ComputeType::kBfloat16, WeightChoice::kAuto},
      {ComputeType::kFloat32, WeightChoice::kInt8},
      {ComputeType::kBfloat16, WeightChoice::kInt4}};
  for (const auto& [dtype, quantization] : choices) {
    LoadOptions options;
    options.path = path;
    options.dtype = dtype;
    options.quantization = quantization;
    const absl::StatusOr<LoadedModel> model = LoadModel(options);
    ASSERT_TRUE(model.ok()) << model.status();
    std::cout << model->executor->info().numerics_id << ": " << model->weight_bytes / 1000000
              << " MB loaded in " << ToSeconds(model->load_time) << " s, cache of "
              << model->executor->info().block_count << " blocks" << std::endl;
    EXPECT_EQ(model->end_token_ids, std::vector<TokenId>{2});
    const std::vector<TokenId> reply = Generate(*model->executor, CapitalOfJapan(), 8, Greedy());
    // "The capital of Japan is Tokyo.<|im_end|>"
    EXPECT_EQ(reply, (std::vector<TokenId>{504, 3575, 282, 3085, 314, 19081, 30, 2}));
  }
}

}  // namespace
}  // namespace baton::worker
