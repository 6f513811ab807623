// Paged attention against the machine's bounds: for decoding, bytes of keys and values per second
// as a part of the read bandwidth; for prompts, operations per second as a part of the peak. Each
// run walks over several layers' caches, as a model does.
//
//   attention_bench --benchmark_filter=Decode      BATON_BENCH_THREADS=2
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

#include "common/base/check.h"
#include "common/base/clock.h"
#include "tests/bench/cpu_probe.h"
#include "worker/kv_storage/kv_storage.h"
#include "worker/ops/attention.h"
#include "worker/ops/rope_append.h"

namespace baton::worker {
namespace {

struct Model {
  const char* name;
  int32_t heads, kv_heads, head_dim, layers;
};

constexpr Model kSmolLm2{"SmolLM2", 9, 3, 64, 30};
constexpr Model kLlama8B{"Llama8B", 32, 8, 128, 4};

ComputeThreads& Threads() {
  static auto* const threads = [] {
    const char* set = std::getenv("BATON_BENCH_THREADS");
    const int count = set != nullptr ? std::max(1, std::atoi(set)) : 2;
    return new ComputeThreads({.thread_count = count, .pin = true});
  }();
  return *threads;
}

// `sequences` of `context` tokens each, of which the last `rows` are queries.
class Batch {
 public:
  Batch(const Model& model, DType dtype, int32_t sequences, int32_t context, int32_t rows)
      : model_(model),
        layout_(*KvLayout::Make(dtype, 64, model.kv_heads, model.head_dim)),
        row_count_(sequences * rows),
        blocks_per_sequence_((context + 63) / 64),
        storage_(*KvStorage::Create(layout_, model.layers, sequences * blocks_per_sequence_)),
        q_bytes_(static_cast<size_t>(row_count_ * cols()) * SizeOf(dtype)),
        out_bytes_(q_bytes_.size()) {
    for (int32_t i = 0; i < sequences * blocks_per_sequence_; ++i) blocks_.push_back(BlockId(i));
    for (int32_t layer = 0; layer < model.layers; ++layer) {  // makes the pages real
      for (const BlockId block : blocks_) {
        const absl::Span<std::byte> bytes = storage_.BlockBytes(layer, block);
        std::fill(bytes.begin(), bytes.end(), std::byte{0x3c});
      }
    }
    for (int32_t i = 0; i < sequences; ++i) {
      runs_.push_back(
          {i * rows, rows, context - rows,
           absl::MakeConstSpan(blocks_).subspan(static_cast<size_t>(i * blocks_per_sequence_),
                                                static_cast<size_t>(blocks_per_sequence_))});
    }
    plan_.Build(runs_, model.heads, layout_, Threads().thread_count());
  }

  void Run() {
    Threads().Run([&](const ComputeSlice& slice) {
      for (int32_t layer = 0; layer < model_.layers; ++layer) {
        Attention({.q = View(q_bytes_),
                   .kv = storage_.Layer(layer),
                   .plan = &plan_,
                   .scale = 1 / std::sqrt(static_cast<float>(model_.head_dim)),
                   .out = View(out_bytes_)},
                  slice);
        slice.Sync();
      }
    });
  }

  // Read once by a perfect kernel.
  double KvBytes() const {
    double tokens = 0;
    for (const AttentionRun& run : runs_) tokens += run.first_position + run.row_count;
    return tokens * 2 * model_.kv_heads * model_.head_dim * model_.layers *
           static_cast<double>(SizeOf(layout_.dtype));
  }

  double Flops() const {
    double pairs = 0;
    for (const AttentionRun& run : runs_) {
      pairs += run.row_count * (run.first_position + 0.5 * (run.row_count + 1));
    }
    return pairs * 4 * model_.heads * model_.head_dim * model_.layers;
  }

 private:
  int64_t cols() const { return int64_t{model_.heads} * model_.head_dim; }
  Matrix View(std::vector<std::byte>& bytes) {
    return {bytes.data(), layout_.dtype, row_count_, cols(), cols()};
  }

  Model model_;
  KvLayout layout_;
  int32_t row_count_;
  int32_t blocks_per_sequence_;
  KvStorage storage_;
  std::vector<std::byte> q_bytes_;
  std::vector<std::byte> out_bytes_;
  std::vector<BlockId> blocks_;
  std::vector<AttentionRun> runs_;
  AttentionPlan plan_;
};

void BM_Attention(benchmark::State& state, Model model, DType dtype, int32_t sequences,
                  int32_t context, int32_t rows) {
  Batch batch(model, dtype, sequences, context, rows);
  const double before = ReadBandwidth(Threads());
  const double peak = PeakFlops(Threads(), dtype);
  int64_t steps = 0;
  const MonotonicTime start = RealClock().Now();
  for (auto _ : state) {
    batch.Run();
    ++steps;
  }
  const double seconds = ToSeconds(RealClock().Now() - start) / static_cast<double>(steps);
  const double probe = std::max(before, ReadBandwidth(Threads()));
  state.counters["GB/s"] = batch.KvBytes() / seconds / 1e9;
  state.counters["%bw"] = 100 * batch.KvBytes() / seconds / probe;
  state.counters["GF/s"] = batch.Flops() / seconds / 1e9;
  state.counters["%peak"] = 100 * batch.Flops() / seconds / peak;
}

void BM_RopeAppend(benchmark::State& state, DType dtype, int32_t rows) {
  const KvLayout layout = *KvLayout::Make(dtype, 64, kSmolLm2.kv_heads, kSmolLm2.head_dim);
  KvStorage storage = *KvStorage::Create(layout, 1, rows / 64 + 1);
  std::vector<float> qkv(static_cast<size_t>(rows) * 960, 0.5f);
  std::vector<float> cos_sin(static_cast<size_t>(rows) * 64, 0.5f);
  std::vector<std::byte> q(static_cast<size_t>(rows) * 576 * SizeOf(dtype));
  std::vector<KvSlot> slots;
  for (int32_t row = 0; row < rows; ++row) slots.push_back({BlockId(row / 64), row % 64});
  for (auto _ : state) {
    Threads().Run([&](const ComputeSlice& slice) {
      RopeAppend({.qkv = Matrix(qkv.data(), rows, 960),
                  .cos_sin = Matrix(cos_sin.data(), rows, 64),
                  .slots = slots,
                  .q = Matrix(q.data(), dtype, rows, 576, 576),
                  .kv = storage.Layer(0)},
                 slice);
    });
  }
  state.SetItemsProcessed(state.iterations() * rows);
}

void Register() {
  for (const DType dtype : {DType::kBf16, DType::kF32}) {
    const std::string type = dtype == DType::kBf16 ? "bf16/" : "f32/";
    for (const Model& model : {kSmolLm2, kLlama8B}) {
      const auto add = [&](const std::string& name, int32_t sequences, int32_t context,
                           int32_t rows) {
        benchmark::RegisterBenchmark((name + "/" + type + model.name).c_str(), BM_Attention, model,
                                     dtype, sequences, context, rows)
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond)
            ->MinTime(0.2);
      };
      add("Decode/batch1/context256", 1, 256, 1);
      add("Decode/batch1/context4096", 1, 4096, 1);
      add("Decode/batch8/context512", 8, 512, 1);
      add("Prompt/512", 1, 512, 512);
      add("Prompt/512of4096", 1, 4096, 512);
    }
    for (const int32_t rows : {1, 512}) {
      benchmark::RegisterBenchmark(("RopeAppend/" + type + std::to_string(rows)).c_str(),
                                   BM_RopeAppend, dtype, rows)
          ->UseRealTime();
    }
  }
}

}  // namespace
}  // namespace baton::worker

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  baton::worker::Register();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
