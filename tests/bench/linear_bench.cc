// Linear layers against the machine's bounds: bytes of weights per second as a part of the read
// bandwidth, operations per second as a part of the register peak, both measured just before and
// after. Weights are as many copies as it takes to come from memory.
//
//   linear_bench --benchmark_filter=Linear/bf16      BATON_BENCH_THREADS=2
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "common/base/check.h"
#include "common/base/clock.h"
#include "tests/bench/cpu_probe.h"
#include "worker/ops/linear.h"

namespace baton::worker {
namespace {

constexpr size_t kWeightBytes = size_t{200} << 20;

int ThreadCount() {
  const char* set = std::getenv("BATON_BENCH_THREADS");
  return set != nullptr ? std::max(1, std::atoi(set)) : 2;
}

ComputeThreads& Threads() {
  static auto* const threads = new ComputeThreads({.thread_count = ThreadCount(), .pin = true});
  return *threads;
}

PackedLinear Weights(int64_t inputs, int64_t outputs, LinearKind kind, DType dtype) {
  static const std::vector<float> values(size_t{64} << 20, 0.01f);
  const LinearPart part{.format = WeightFormat::kF32,
                        .data = reinterpret_cast<const std::byte*>(values.data()),
                        .row_bytes = static_cast<size_t>(inputs) * sizeof(float),
                        .rows = outputs,
                        .cols = inputs};
  std::vector<LinearPart> parts(kind == LinearKind::kGated ? 2 : 1, part);
  absl::StatusOr<PackedLinear> packed = PackedLinear::Pack(parts, kind, dtype, Threads());
  BATON_CHECK(packed.ok()) << packed.status().ToString();
  return *std::move(packed);
}

struct Activations {
  Activations(int64_t rows, int64_t inputs, int64_t outputs, DType dtype)
      : x_bytes(static_cast<size_t>(rows * inputs) * SizeOf(dtype)),
        sums(static_cast<size_t>(rows * outputs)),
        x(x_bytes.data(), dtype, rows, inputs, inputs),
        out(sums.data(), rows, outputs) {}

  std::vector<std::byte> x_bytes;
  std::vector<float> sums;
  Matrix x;
  Matrix out;
};

// Runs `step` until the benchmark has enough; reports against both bounds.
template <typename Step>
void Measure(benchmark::State& state, DType dtype, double bytes, double flops, const Step& step) {
  const double before = ReadBandwidth(Threads());
  const double peak = PeakFlops(Threads(), dtype);
  int64_t steps = 0;
  const MonotonicTime start = RealClock().Now();
  for (auto _ : state) step(steps++);
  const double seconds = ToSeconds(RealClock().Now() - start) / static_cast<double>(steps);
  const double after = ReadBandwidth(Threads());
  state.counters["GB/s"] = bytes / seconds / 1e9;
  state.counters["probe"] = before / 1e9;
  state.counters["probe_after"] = after / 1e9;
  state.counters["%bw"] = 100 * bytes / seconds / std::max(before, after);
  state.counters["GF/s"] = flops / seconds / 1e9;
  state.counters["%peak"] = 100 * flops / seconds / peak;
}

void BM_Linear(benchmark::State& state, int64_t inputs, int64_t outputs, int64_t rows,
               DType dtype) {
  const size_t bytes = static_cast<size_t>(inputs * outputs) * SizeOf(dtype);
  std::vector<PackedLinear> copies;
  const size_t wanted = rows >= 128 ? 4 : kWeightBytes / bytes + 1;
  while (copies.size() < wanted) {
    copies.push_back(Weights(inputs, outputs, LinearKind::kPlain, dtype));
  }
  Activations data(rows, inputs, outputs, dtype);
  // Enough products in a step for the fork and join not to count.
  Measure(state, dtype, static_cast<double>(bytes * copies.size()),
          2.0 * static_cast<double>(inputs * outputs * rows) * static_cast<double>(copies.size()),
          [&](int64_t) {
            Threads().Run([&](const ComputeSlice& slice) {
              for (const PackedLinear& weights : copies) {
                Linear({.x = data.x, .weights = &weights, .out = data.out}, slice);
                slice.Sync();
              }
            });
          });
}

// The products of a whole forward pass of SmolLM2-135M.
void BM_SmolLm2(benchmark::State& state, int64_t rows, DType dtype) {
  struct Layer {
    PackedLinear qkv, o, gate_up, down;
  };
  constexpr int64_t kHidden = 576, kFfn = 1536, kVocabulary = 49152;
  std::vector<Layer> layers;
  for (int i = 0; i < 30; ++i) {
    layers.push_back({Weights(kHidden, 960, LinearKind::kPlain, dtype),
                      Weights(kHidden, kHidden, LinearKind::kPlain, dtype),
                      Weights(kHidden, kFfn, LinearKind::kGated, dtype),
                      Weights(kFfn, kHidden, LinearKind::kPlain, dtype)});
  }
  const PackedLinear head = Weights(kHidden, kVocabulary, LinearKind::kPlain, dtype);
  Activations qkv(rows, kHidden, 960, dtype), o(rows, kHidden, kHidden, dtype),
      gate_up(rows, kHidden, kFfn, dtype), down(rows, kFfn, kHidden, dtype);
  const int64_t head_rows = rows > 64 ? 1 : rows;  // a prompt needs its last token's
  Activations logits(head_rows, kHidden, kVocabulary, dtype);
  const double weights = 30.0 * kHidden * (960 + kHidden + 3 * kFfn);
  const double head_weights = double{kHidden} * kVocabulary;
  Measure(state, dtype, (weights + head_weights) * static_cast<double>(SizeOf(dtype)),
          2 * (weights * static_cast<double>(rows) + head_weights * static_cast<double>(head_rows)),
          [&](int64_t) {
            Threads().Run([&](const ComputeSlice& slice) {
              const auto run = [&](const PackedLinear& layer, Activations& data) {
                Linear({.x = data.x, .weights = &layer, .out = data.out}, slice);
                slice.Sync();
              };
              for (const Layer& layer : layers) {
                run(layer.qkv, qkv);
                run(layer.o, o);
                run(layer.gate_up, gate_up);
                run(layer.down, down);
              }
              run(head, logits);
            });
          });
  state.counters["tokens/s"] =
      benchmark::Counter(static_cast<double>(rows), benchmark::Counter::kIsIterationInvariantRate);
}

void BM_ForkJoin(benchmark::State& state) {
  for (auto _ : state) Threads().Run([](const ComputeSlice&) {});
}

// A thousand of them.
void BM_Sync(benchmark::State& state) {
  for (auto _ : state) {
    Threads().Run([](const ComputeSlice& slice) {
      for (int i = 0; i < 1000; ++i) slice.Sync();
    });
  }
}

void Register() {
  for (const DType dtype : {DType::kBf16, DType::kF32}) {
    const std::string type = dtype == DType::kBf16 ? "bf16/" : "f32/";
    for (const auto& [inputs, outputs] : std::vector<std::pair<int64_t, int64_t>>{
             {576, 960}, {576, 3072}, {1536, 576}, {2048, 3072}}) {
      for (const int64_t rows : {1, 2, 4, 8, 16, 32, 128, 512}) {
        benchmark::RegisterBenchmark(("Linear/" + type + std::to_string(inputs) + "x" +
                                      std::to_string(outputs) + "/M" + std::to_string(rows))
                                         .c_str(),
                                     BM_Linear, inputs, outputs, rows, dtype)
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond)
            ->MinTime(0.2);
      }
    }
    for (const int64_t rows : {1, 8, 32, 512}) {
      benchmark::RegisterBenchmark(("SmolLM2/" + type + "M" + std::to_string(rows)).c_str(),
                                   BM_SmolLm2, rows, dtype)
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond)
          ->MinTime(0.4);
    }
  }
  benchmark::RegisterBenchmark("ForkJoin", BM_ForkJoin)->UseRealTime();
  benchmark::RegisterBenchmark("Sync1000", BM_Sync)->UseRealTime();
}

}  // namespace
}  // namespace baton::worker

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  baton::worker::Register();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
