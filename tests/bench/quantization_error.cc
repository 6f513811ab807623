// What each way to hold weights, and keys and values, costs in accuracy: the mean Kullback-Leibler
// divergence of the next token's distribution from that of exact float32, and how often the most
// likely token is the same.
//
//   build/release/bin/quantization_error MODEL GOLDEN.json             the ways of --quantization
//   build/release/bin/quantization_error MODEL GOLDEN.json FILE ...    the model in other formats
//
// The texts are the prompts and continuations of a golden file of tests/golden/model; the reference
// is computed here, from MODEL, dequantised exactly. A FILE is measured twice: its weights alone,
// dequantised to float32, and as it runs by default. tests/bench/format_error.py makes such files.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "tests/unit/worker/executor/divergence.h"
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

Rows AllLogits(RankRig& rig, const std::vector<TokenId>& tokens) {
  std::vector<int32_t> positions(tokens.size());
  std::iota(positions.begin(), positions.end(), 0);
  return rig.Logits(tokens, positions, 1);
}

struct Mode {
  std::string name;
  std::string path;
  RigOptions options;
};

RigOptions AsItRuns() {
  return {.dtype = DType::kBf16, .quantization = Quantization::kAsCheckpoint};
}

std::vector<Mode> ModesOf(const char* model, absl::Span<char* const> files) {
  std::vector<Mode> modes;
  for (const char* file : files) {
    const std::string name = std::filesystem::path(file).stem().string();
    modes.push_back({name + ", weights alone", file, {.dtype = DType::kF32}});
    modes.push_back({name, file, AsItRuns()});
  }
  if (!modes.empty()) return modes;
  return {{"bfloat16", model, {.dtype = DType::kBf16}},
          {"bfloat16 --kv-cache-dtype int8",
           model,
           {.dtype = DType::kBf16, .kv_format = KvFormat::kInt8}},
          {"bfloat16 --kv-cache-dtype fp8",
           model,
           {.dtype = DType::kBf16, .kv_format = KvFormat::kFp8}},
          {"bfloat16 --quantization auto", model, AsItRuns()},
          {"bfloat16 --quantization int8",
           model,
           {.dtype = DType::kBf16, .quantization = Quantization::kInt8}},
          {"bfloat16 --quantization int4",
           model,
           {.dtype = DType::kBf16, .quantization = Quantization::kInt4}}};
}

void Report(const char* model, const char* golden, const std::vector<Mode>& modes) {
  const std::vector<std::vector<TokenId>> texts = ReadTexts(golden);
  std::vector<Rows> exact;
  {
    RankRig rig(model, {.dtype = DType::kF32});
    for (const std::vector<TokenId>& tokens : texts) exact.push_back(AllLogits(rig, tokens));
  }
  std::printf("%-36s %10s %10s %8s\n", "", "mean KL", "worst KL", "top-1 %");
  for (const Mode& mode : modes) {
    RankRig rig(mode.path, mode.options);
    Divergence sum;
    for (size_t t = 0; t < texts.size(); ++t) {
      const Rows rows = AllLogits(rig, texts[t]);
      for (size_t i = 0; i < rows.size(); ++i) sum.Add(exact[t][i], rows[i]);
    }
    std::printf("%-36s %10.2e %10.2e %8.2f\n", mode.name.c_str(), sum.mean_kl(), sum.worst_kl(),
                100 * sum.agreement());
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace baton::worker

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s MODEL GOLDEN.json [FILE ...]\n", argv[0]);
    return 2;
  }
  const absl::Span<char* const> files(argv + 3, static_cast<size_t>(argc - 3));
  baton::worker::Report(argv[1], argv[2], baton::worker::ModesOf(argv[1], files));
}
