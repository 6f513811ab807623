// How fast a model prefills and decodes, next to what the machine can do: tokens per second through
// the executor, as the engine drives it.
//
//   BATON_BENCH_MODEL=path/to/model.gguf build/release/bin/decode_bench
//
// Decode reports the share of the memory bandwidth (measured right before) that reading the weights
// once per step takes; the rest is cache, logits and waiting.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/base/check.h"
#include "common/base/clock.h"
#include "tests/bench/cpu_probe.h"
#include "worker/device/compute_threads.h"
#include "worker/executor/load_model.h"

namespace baton::worker {
namespace {

std::string ModelPath() {
  if (const char* path = std::getenv("BATON_BENCH_MODEL")) return path;
  const char* models = std::getenv("BATON_MODELS");
  const char* home = std::getenv("HOME");
  const std::filesystem::path root =
      models != nullptr ? models
                        : std::string(home != nullptr ? home : "") + "/.cache/baton/models";
  return (root / "smollm2-135m").string();
}

// The model, loaded once.
struct Bench {
  LoadedModel model;
  SamplingParams greedy;
  DType dtype = DType::kF32;
  double head_weights = 0;
  double layer_weights = 0;
};

// Matrices of the checkpoint; the embedding counts once, as the head.
void CountWeights(const std::string& path, Bench& bench) {
  const absl::StatusOr<Checkpoint> checkpoint = Checkpoint::Open(path);
  BATON_CHECK(checkpoint.ok()) << checkpoint.status().ToString();
  for (const SourceTensor& tensor : checkpoint->tensors().tensors()) {
    if (tensor.shape.rank() < 2) continue;
    const auto count = static_cast<double>(tensor.shape.element_count());
    const bool vocabulary = tensor.shape.dim(0) == bench.model.executor->info().vocab_size;
    if (vocabulary) {
      bench.head_weights = count;
    } else {
      bench.layer_weights += count;
    }
  }
}

Bench& TheBench() {
  static Bench* bench = [] {
    LoadOptions options;
    options.path = ModelPath();
    if (const char* dtype = std::getenv("BATON_BENCH_DTYPE")) {
      options.dtype = ParseComputeType(dtype).value_or(ComputeType::kAuto);
    }
    if (const char* quantization = std::getenv("BATON_BENCH_QUANTIZATION")) {
      options.quantization = ParseWeightChoice(quantization).value_or(WeightChoice::kAuto);
    }
    if (const char* threads = std::getenv("BATON_BENCH_THREADS")) options.threads = atoi(threads);
    absl::StatusOr<LoadedModel> model = LoadModel(options);
    BATON_CHECK(model.ok()) << model.status().ToString();
    std::cerr << options.path << ": " << model->executor->info().numerics_id << ", loaded in "
              << ToSeconds(model->load_time) << " s\n";
    auto* made = new Bench{std::move(*model), {}};
    made->greedy.temperature = 0;
    made->dtype = made->model.dtype == NameOf(DType::kBf16) ? DType::kBf16 : DType::kF32;
    CountWeights(options.path, *made);
    return made;
  }();
  return *bench;
}

// What reading memory gives right now, on threads that are gone when the model runs.
double ProbeBandwidth() {
  ComputeThreads threads(
      {.thread_count = static_cast<int>(std::thread::hardware_concurrency()), .name = "probe"});
  return ReadBandwidth(threads);
}

double ProbeFlops(DType dtype) {
  ComputeThreads threads(
      {.thread_count = static_cast<int>(std::thread::hardware_concurrency()), .name = "probe"});
  return PeakFlops(threads, dtype);
}

// One row for each sequence: `count` tokens from `first` on, each sequence on blocks of its own.
StepPlan MakePlan(const Bench& bench, int sequences, int32_t first, int32_t count,
                  const std::vector<TokenId>& history) {
  const ExecutorInfo& info = bench.model.executor->info();
  const int32_t blocks_each = (first + count + info.block_size - 1) / info.block_size;
  StepPlan plan;
  for (int32_t s = 0; s < sequences; ++s) {
    plan.rows.push_back({.sequence = SequenceId(static_cast<uint64_t>(s)),
                         .first_position = first,
                         .token_begin = static_cast<int32_t>(plan.tokens.size()),
                         .token_count = count,
                         .block_begin = static_cast<int32_t>(plan.blocks.size()),
                         .block_count = blocks_each,
                         .logits = true});
    for (int32_t i = 0; i < count; ++i) {
      plan.tokens.push_back(static_cast<TokenId>((s * 131 + (first + i) * 17) % info.vocab_size));
    }
    for (int32_t table = 0; table < TableCount(info.kv_groups); ++table) {
      const int32_t begin = (table * sequences + s) * 16;
      for (int32_t b = 0; b < blocks_each; ++b) plan.blocks.push_back(BlockId(begin + b));
    }
    plan.samples.push_back({.row = s,
                            .sequence = SequenceId(static_cast<uint64_t>(s)),
                            .params = &bench.greedy,
                            .choice = 0,
                            .output_position = 0,
                            .history = history,
                            .prompt_count = 1,
                            .stop_ids = {}});
  }
  return plan;
}

void RunStep(ModelExecutor& executor, const StepPlan& plan) {
  BATON_CHECK(executor.Begin(plan).ok());
  const absl::StatusOr<StepResult> result = executor.Finish();
  BATON_CHECK(result.ok()) << result.status().ToString();
  benchmark::DoNotOptimize(result->samples.data());
}

void BM_Prefill(benchmark::State& state) {
  Bench& bench = TheBench();
  const auto count = static_cast<int32_t>(state.range(0));
  const std::vector<TokenId> history = {1};
  const StepPlan plan = MakePlan(bench, 1, 0, count, history);
  const double peak = ProbeFlops(bench.dtype);
  RunStep(*bench.model.executor, plan);
  const MonotonicTime start = RealClock().Now();
  for (auto _ : state) RunStep(*bench.model.executor, plan);
  const double step =
      ToSeconds(RealClock().Now() - start) / static_cast<double>(state.iterations());
  // Products alone: two operations for each weight and token, the head for one token only.
  const double head = 2.0 * bench.head_weights;
  const double work = 2.0 * bench.layer_weights * count + head;
  state.counters["peak_GFLOP/s"] = peak / 1e9;
  state.counters["of_bound_%"] = 100.0 * work / peak / step;
  state.counters["tokens/s"] = benchmark::Counter(static_cast<double>(state.iterations()) * count,
                                                  benchmark::Counter::kIsRate);
}
BENCHMARK(BM_Prefill)->Arg(256)->Arg(512)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_Decode(benchmark::State& state) {
  Bench& bench = TheBench();
  const auto batch = static_cast<int>(state.range(0));
  constexpr int32_t kContext = 128;
  const std::vector<TokenId> history = {1};
  const double bandwidth = ProbeBandwidth();
  RunStep(*bench.model.executor, MakePlan(bench, batch, 0, kContext, history));
  const StepPlan plan = MakePlan(bench, batch, kContext, 1, history);
  const MonotonicTime start = RealClock().Now();
  for (auto _ : state) RunStep(*bench.model.executor, plan);
  const double step =
      ToSeconds(RealClock().Now() - start) / static_cast<double>(state.iterations());
  state.counters["tokens/s"] = benchmark::Counter(static_cast<double>(state.iterations()) * batch,
                                                  benchmark::Counter::kIsRate);
  state.counters["probe_GB/s"] = bandwidth / 1e9;
  state.counters["of_bound_%"] =
      100.0 * static_cast<double>(bench.model.weight_bytes) / bandwidth / step;
}
BENCHMARK(BM_Decode)->Arg(1)->Arg(4)->Arg(8)->Arg(16)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace baton::worker

BENCHMARK_MAIN();
