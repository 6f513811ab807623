// What each way to hold weights costs in accuracy: the mean Kullback-Leibler divergence of the next
// token's distribution from that of exact float32, and how often the most likely token is the same.
//
//   build/release/bin/quantization_error MODEL GOLDEN.json
//
// The texts are the prompts and continuations of a golden file of tests/golden/model; the reference
// is computed here, from the same checkpoint, dequantised exactly.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "tests/unit/worker/executor/rank_rig.h"

namespace baton::worker {
namespace {

using Rows = RankRig::Rows;

std::vector<std::vector<TokenId>> ReadTexts(const char* path) {
  std::ifstream file(path);
  BATON_CHECK(file.good()) << "no golden file " << path;
  const nlohmann::json golden = nlohmann::json::parse(file);
  std::vector<std::vector<TokenId>> texts;
  for (const auto& prompt : golden["prompts"]) {
    std::vector<TokenId> tokens = prompt["tokens"];
    const std::vector<TokenId> greedy = prompt["greedy"];
    tokens.insert(tokens.end(), greedy.begin(), greedy.end());
    texts.push_back(std::move(tokens));
  }
  return texts;
}

std::vector<double> LogSoftmax(const std::vector<float>& logits) {
  const double max = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - max);
  std::vector<double> result(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) result[i] = logits[i] - max - std::log(sum);
  return result;
}

struct Difference {
  double kl = 0;
  double kl_max = 0;
  int64_t same_best = 0;
  int64_t positions = 0;
};

void Compare(const std::vector<float>& exact, const std::vector<float>& other, Difference& sum) {
  const std::vector<double> p = LogSoftmax(exact);
  const std::vector<double> q = LogSoftmax(other);
  double kl = 0;
  for (size_t i = 0; i < p.size(); ++i) kl += std::exp(p[i]) * (p[i] - q[i]);
  sum.kl += kl;
  sum.kl_max = std::max(sum.kl_max, kl);
  const auto best = [](const std::vector<double>& v) {
    return std::max_element(v.begin(), v.end()) - v.begin();
  };
  if (best(p) == best(q)) ++sum.same_best;
  ++sum.positions;
}

Rows AllLogits(RankRig& rig, const std::vector<TokenId>& tokens) {
  std::vector<int32_t> positions(tokens.size());
  std::iota(positions.begin(), positions.end(), 0);
  return rig.Logits(tokens, positions, 1);
}

struct Mode {
  const char* name;
  RigOptions options;
};

void Report(const char* model, const char* golden) {
  const Mode modes[] = {
      {"bfloat16", {.dtype = DType::kBf16}},
      {"bfloat16 --quantization auto",
       {.dtype = DType::kBf16, .quantization = Quantization::kAsCheckpoint}},
      {"bfloat16 --quantization int8",
       {.dtype = DType::kBf16, .quantization = Quantization::kInt8}},
      {"bfloat16 --quantization int4",
       {.dtype = DType::kBf16, .quantization = Quantization::kInt4}},
  };
  const std::vector<std::vector<TokenId>> texts = ReadTexts(golden);
  std::vector<Rows> exact;
  {
    RankRig rig(model, {.dtype = DType::kF32});
    for (const std::vector<TokenId>& tokens : texts) exact.push_back(AllLogits(rig, tokens));
  }
  std::printf("%-32s %10s %10s %8s\n", "", "mean KL", "worst KL", "top-1 %");
  for (const Mode& mode : modes) {
    RankRig rig(model, mode.options);
    Difference sum;
    for (size_t t = 0; t < texts.size(); ++t) {
      const Rows rows = AllLogits(rig, texts[t]);
      for (size_t i = 0; i < rows.size(); ++i) Compare(exact[t][i], rows[i], sum);
    }
    const auto positions = static_cast<double>(sum.positions);
    std::printf("%-32s %10.2e %10.2e %8.2f\n", mode.name, sum.kl / positions, sum.kl_max,
                100.0 * static_cast<double>(sum.same_best) / positions);
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace baton::worker

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s MODEL GOLDEN.json\n", argv[0]);
    return 2;
  }
  baton::worker::Report(argv[1], argv[2]);
}
