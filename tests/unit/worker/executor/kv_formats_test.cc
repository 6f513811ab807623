// What a smaller KV cache costs on a real model, SmolLM2-135M: the divergence of the next token's
// distribution from the one that a cache of the compute type gives, all else equal.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "tests/fakes/scratch_dir.h"
#include "tests/fakes/tiny_model.h"
#include "tests/unit/worker/executor/divergence.h"
#include "tests/unit/worker/executor/model_path.h"
#include "tests/unit/worker/executor/rank_rig.h"

namespace baton::worker {
namespace {

// All prompts of the golden file, one behind the other: a context of some hundred tokens.
std::vector<TokenId> LongText() {
  std::ifstream file(std::string(BATON_SOURCE_DIR) + "/tests/golden/model/smollm2.json");
  const nlohmann::json golden = nlohmann::json::parse(file);
  std::vector<TokenId> text;
  for (const auto& prompt : golden["prompts"]) {
    for (const char* part : {"tokens", "greedy"}) {
      const std::vector<TokenId> tokens = prompt[part];
      text.insert(text.end(), tokens.begin(), tokens.end());
    }
  }
  text.resize(std::min<size_t>(text.size(), 500));
  return text;
}

Divergence Compare(const RankRig::Rows& exact, const RankRig::Rows& other) {
  Divergence divergence;
  for (size_t row = 0; row < exact.size(); ++row) divergence.Add(exact[row], other[row]);
  return divergence;
}

TEST(KvFormats, CostLittleOnSmolLm2) {
  const std::string path = SmolLm2Path();
  BATON_SKIP_WITHOUT_SMOLLM2(path);
  const std::vector<TokenId> text = LongText();
  std::vector<int32_t> positions;
  for (int32_t at = 9; at < static_cast<int32_t>(text.size()); at += 10) positions.push_back(at);
  const auto logits = [&](KvFormat format) {
    RankRig rig(path, {.dtype = DType::kBf16, .kv_format = format});
    return rig.Logits(text, positions, 512);
  };
  const RankRig::Rows plain = logits(KvFormat::kPlain);
  const Divergence int8 = Compare(plain, logits(KvFormat::kInt8));
  const Divergence fp8 = Compare(plain, logits(KvFormat::kFp8));
  std::cout << positions.size() << " positions in a context of " << text.size()
            << " tokens, against a cache of bfloat16: int8 KL " << int8.mean_kl() << ", best token "
            << 100 * int8.agreement() << " %; fp8 KL " << fp8.mean_kl() << ", best token "
            << 100 * fp8.agreement() << " %" << std::endl;
  EXPECT_LT(int8.mean_kl(), 3e-3);
  EXPECT_GT(int8.agreement(), 0.95);
  EXPECT_LT(fp8.mean_kl(), 3e-2);
  EXPECT_GT(fp8.agreement(), 0.85);
}

// Latents, on a tiny DeepSeek of random weights: int8 has a scale for a token's latent and one for
// its turned key.
TEST(KvFormats, CostLittleWithLatents) {
  const ScratchDir dir("kv-formats");
  const TinyModel model = TinyModel::Read(std::filesystem::path(BATON_SOURCE_DIR) /
                                          "tests/golden/model/architectures/deepseek_v3.json");
  model.WriteDirectory(dir.path());
  const std::vector<TokenId> text = model.golden()["prompts"].back()["tokens"];
  std::vector<int32_t> positions(text.size());
  std::iota(positions.begin(), positions.end(), 0);
  for (const DType dtype : {DType::kF32, DType::kBf16}) {
    const auto logits = [&](KvFormat format) {
      RankRig rig(dir.string(), {.dtype = dtype, .kv_format = format});
      return rig.Logits(text, positions, 64);
    };
    const RankRig::Rows plain = logits(KvFormat::kPlain);
    const Divergence int8 = Compare(plain, logits(KvFormat::kInt8));
    const Divergence fp8 = Compare(plain, logits(KvFormat::kFp8));
    std::cout << positions.size() << " positions, against latents of " << NameOf(dtype)
              << ": int8 KL " << int8.mean_kl() << ", best token " << 100 * int8.agreement()
              << " %; fp8 KL " << fp8.mean_kl() << ", best token " << 100 * fp8.agreement() << " %"
              << std::endl;
    // Random weights have no favourite: many tokens are nearly as good as the best.
    EXPECT_LT(int8.mean_kl(), 2e-2);
    EXPECT_GT(int8.agreement(), 0.85);
    EXPECT_LT(fp8.mean_kl(), 6e-2);
    EXPECT_GT(fp8.agreement(), 0.7);
  }
}

}  // namespace
}  // namespace baton::worker
