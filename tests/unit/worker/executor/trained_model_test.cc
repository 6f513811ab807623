// What the ways to hold weights cost on a model that was trained in floats
// (tests/golden/trained): bounds a little above the figures of its README, so that a quantiser that
// becomes worse is seen.

#include <gtest/gtest.h>

#include "tests/unit/worker/executor/divergence.h"
#include "tests/unit/worker/executor/tiny_golden.h"

namespace baton::worker {
namespace {

const std::string kFolder = std::string(BATON_SOURCE_DIR) + "/tests/golden/trained";

struct Bound {
  const char* name;
  RigOptions options;
  double mean_kl;
  double agreement;
};

TEST(TrainedModel, WaysToHoldWeightsCostNoMoreThanTheyDid) {
  std::ifstream file(kFolder + "/texts.json");
  const nlohmann::json texts = nlohmann::json::parse(file);
  const auto logits = [&](const RigOptions& options) {
    RankRig rig(kFolder, options);
    RankRig::Rows all;
    for (const auto& text : texts["prompts"]) {
      const auto tokens = text["tokens"].get<std::vector<TokenId>>();
      std::vector<int32_t> positions(tokens.size() / 4);
      for (size_t i = 0; i < positions.size(); ++i) positions[i] = static_cast<int32_t>(4 * i + 3);
      const RankRig::Rows rows = rig.Logits(tokens, positions, 4);
      all.insert(all.end(), rows.begin(), rows.end());
    }
    return all;
  };
  const RankRig::Rows exact = logits({});
  const DType bf16 = DType::kBf16;
  const Bound bounds[] = {
      {"bfloat16", {.dtype = bf16}, 3e-5, 0.99},
      {"int8", {.dtype = bf16, .quantization = Quantization::kInt8}, 3e-4, 0.985},
      {"int4", {.dtype = bf16, .quantization = Quantization::kInt4}, 6e-3, 0.95}};
  for (const Bound& bound : bounds) {
    const RankRig::Rows rows = logits(bound.options);
    Divergence sum;
    for (size_t i = 0; i < exact.size(); ++i) sum.Add(exact[i], rows[i]);
    std::cout << bound.name << ": mean KL " << sum.mean_kl() << ", worst " << sum.worst_kl()
              << ", top-1 " << 100 * sum.agreement() << " %" << std::endl;
    EXPECT_LE(sum.mean_kl(), bound.mean_kl) << bound.name;
    EXPECT_GE(sum.agreement(), bound.agreement) << bound.name;
  }
}

}  // namespace
}  // namespace baton::worker
