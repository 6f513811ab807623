// Breakers of DRY as tokens, proven by what DRY then subtracts: against llama.cpp with the same
// vocabulary, tests/golden/sampling/dry.json.
#include "worker/service/dry_breaker_cache.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "tests/unit/common/text/text_test_data.h"
#include "tests/unit/worker/sampling/golden_params.h"
#include "worker/sampling/sampler_stage.h"

namespace baton::worker {
namespace {

constexpr size_t kVocab = 49152;

std::map<TokenId, float> PenaltiesOf(const SamplingParams& params,
                                     const std::vector<TokenId>& history) {
  const std::vector<float> zeros(kVocab, 0.0f);
  Candidates candidates(static_cast<int32_t>(kVocab));
  candidates.Reset(zeros);
  SampleRequest request;
  request.params = &params;
  request.history = history;
  const auto order = ParseSamplerOrder({"dry"});
  AllSamplerStages()[order->front()].apply(request, candidates);
  std::map<TokenId, float> penalties;
  for (size_t token = 0; token < kVocab; ++token) {
    const float logit = candidates.logits()[token];
    if (logit != 0) penalties[static_cast<TokenId>(token)] = -logit;
  }
  return penalties;
}

TEST(DryBreakerCache, PenaltiesAreThoseOfLlamaCpp) {
  const std::string model = ModelFileForTest("smollm2-135m", ".gguf");
  if (model.empty()) GTEST_SKIP() << "model smollm2-135m is absent: deploy/models.sh smollm2-135m";
  const auto tokenizer = LoadTokenizerForTest(model);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  DryBreakerCache cache(**tokenizer);
  const nlohmann::json cases = nlohmann::json::parse(
      ReadFileForTest(BATON_SOURCE_DIR "/tests/golden/sampling/dry.json"), nullptr, false);
  ASSERT_TRUE(cases.is_array());
  for (const nlohmann::json& golden : cases) {
    SamplingParams params = ParamsOf(golden["params"]);
    const auto strings = golden["breakers"].get<std::vector<std::string>>();
    if (!strings.empty()) params.dry.breakers = cache.Make(strings);
    std::map<TokenId, float> expected;
    for (const auto& entry : golden["penalties"]) {
      expected[entry[0].get<TokenId>()] = entry[1].get<float>();
    }
    EXPECT_EQ(PenaltiesOf(params, golden["history"].get<std::vector<TokenId>>()), expected)
        << golden["text"] << golden["breakers"];
  }
}

TEST(DryBreakerCache, KeepsWhatItMade) {
  const std::string model = ModelFileForTest("smollm2-135m", ".gguf");
  if (model.empty()) GTEST_SKIP() << "model smollm2-135m is absent: deploy/models.sh smollm2-135m";
  const auto tokenizer = LoadTokenizerForTest(model);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  DryBreakerCache cache(**tokenizer);
  EXPECT_EQ(cache.Find({"x"}), nullptr);
  const auto made = cache.Make({"x"});
  EXPECT_EQ(cache.Find({"x"}), made);
  for (size_t i = 0; i <= DryBreakerCache::kEntriesMax; ++i) cache.Make({std::string(1 + i, 'y')});
  EXPECT_EQ(cache.Find({"x"}), nullptr) << "the number of entries is bounded";
  EXPECT_NE(made->head_count(), 0u) << "who holds one keeps it";
}

}  // namespace
}  // namespace baton::worker
