// What a smaller KV cache costs on a real model, SmolLM2-135M: the divergence of the next token's
// distribution from the one that a cache of the compute type gives, all else equal.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

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

std::vector<double> LogSoftmax(const std::vector<float>& logits) {
  const double max = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - max);
  std::vector<double> result(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) result[i] = logits[i] - max - std::log(sum);
  return result;
}

struct Cost {
  double mean_kl = 0;
  double same_best = 0;  // share
};

Cost CostOf(const RankRig::Rows& exact, const RankRig::Rows& other) {
  Cost cost;
  for (size_t row = 0; row < exact.size(); ++row) {
    const std::vector<double> p = LogSoftmax(exact[row]);
    const std::vector<double> q = LogSoftmax(other[row]);
    for (size_t i = 0; i < p.size(); ++i) cost.mean_kl += std::exp(p[i]) * (p[i] - q[i]);
    const auto best = [](const auto& v) {
      return std::max_element(v.begin(), v.end()) - v.begin();
    };
    cost.same_best += best(p) == best(q) ? 1 : 0;
  }
  cost.mean_kl /= static_cast<double>(exact.size());
  cost.same_best /= static_cast<double>(exact.size());
  return cost;
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
  const Cost int8 = CostOf(plain, logits(KvFormat::kInt8));
  const Cost fp8 = CostOf(plain, logits(KvFormat::kFp8));
  std::cout << positions.size() << " positions in a context of " << text.size()
            << " tokens, against a cache of bfloat16: int8 KL " << int8.mean_kl << ", best token "
            << 100 * int8.same_best << " %; fp8 KL " << fp8.mean_kl << ", best token "
            << 100 * fp8.same_best << " %" << std::endl;
  EXPECT_LT(int8.mean_kl, 3e-3);
  EXPECT_GT(int8.same_best, 0.95);
  EXPECT_LT(fp8.mean_kl, 3e-2);
  EXPECT_GT(fp8.same_best, 0.85);
}

}  // namespace
}  // namespace baton::worker
