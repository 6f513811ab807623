// What is left of a row of logits, and how likely, against llama.cpp's own samplers and against the
// logits processors of transformers and vLLM: tests/golden/sampling.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/unit/common/text/text_test_data.h"
#include "tests/unit/worker/sampling/golden_params.h"
#include "worker/sampling/sampler.h"
#include "worker/sampling_params/infill_tokens.h"

namespace baton::worker {
namespace {

using Distribution = std::map<TokenId, double>;

// What the sampler drew from, as it reports it itself.
Distribution Drawn(const SampledToken& sampled) {
  Distribution drawn;
  for (const auto& [token, logprob] : sampled.logprob.top) {
    if (std::isfinite(logprob)) drawn[token] = std::exp(static_cast<double>(logprob));
  }
  return drawn;
}

// Within single precision: of the logits, by which a dynamic temperature multiplies its error.
// Tokens that are next to impossible may be there or not: e^-87 is where our weights end.
void ExpectSame(const Distribution& drawn, const nlohmann::json& left, const std::string& where) {
  Distribution expected;
  for (const auto& entry : left) expected[entry[0].get<TokenId>()] = entry[1].get<double>();
  for (const auto& [token, p] : expected) {
    const auto found = drawn.find(token);
    if (found == drawn.end()) {
      EXPECT_LT(p, 1e-12) << where << " token " << token << " was cut";
      continue;
    }
    EXPECT_NEAR(found->second / p, 1.0, 2e-5 * std::max(1.0, -std::log(p)))
        << where << " token " << token;
  }
  for (const auto& [token, p] : drawn) {
    EXPECT_TRUE(expected.contains(token) || p < 1e-12) << where << " token " << token << " is left";
  }
}

// Of a case that names the texts of its tokens.
std::shared_ptr<const InfillTokens> InfillTokensOf(const nlohmann::json& golden) {
  if (!golden.contains("texts")) return nullptr;
  const auto texts = golden["texts"].get<std::vector<std::string>>();
  return std::make_shared<InfillTokens>(std::vector<std::string_view>(texts.begin(), texts.end()),
                                        golden["end"].get<TokenId>());
}

void RunCase(const nlohmann::json& golden, const std::string& where) {
  SamplingParams params = ParamsOf(golden["params"]);
  params.order = OrderOf(golden);
  params.infill = InfillTokensOf(golden);
  params.post_sampling_probs = true;
  const auto history = golden["history"].get<std::vector<TokenId>>();
  const auto ends = golden.value("ends", std::vector<TokenId>());
  std::string state;
  for (size_t i = 0; i < golden["rows"].size(); ++i) {
    const auto row = golden["rows"][i].get<std::vector<float>>();
    params.logprobs = static_cast<int32_t>(row.size());
    Sampler sampler(static_cast<int32_t>(row.size()));
    SampleRequest request;
    request.params = &params;
    request.history = history;
    request.prompt_count = golden.value("prompt_count", static_cast<int32_t>(history.size()));
    request.stop_ids = ends;
    request.state = state;
    // The oracle drew a token by its own random numbers; the state goes on from that one.
    const nlohmann::json& result = golden["results"][i];
    SampledToken sampled = sampler.Sample(row, request);
    for (int draw = 0; !result["selected"].is_null() && draw < 100000; ++draw) {
      if (sampled.token == result["selected"].get<TokenId>()) break;
      ++params.seed;
      sampled = sampler.Sample(row, request);
    }
    ExpectSame(Drawn(sampled), result["left"], where + " row " + std::to_string(i));
    state = sampled.state;
  }
}

void RunAll(const std::string& name) {
  const nlohmann::json cases = nlohmann::json::parse(
      ReadFileForTest(BATON_SOURCE_DIR "/tests/golden/sampling/" + name), nullptr, false);
  ASSERT_TRUE(cases.is_array()) << name;
  for (size_t i = 0; i < cases.size(); ++i) {
    RunCase(cases[i],
            name + " case " + std::to_string(i) + " " + cases[i]["name"].get<std::string>());
  }
}

TEST(SamplerGolden, LlamaCpp) { RunAll("llama.json"); }
TEST(SamplerGolden, LlamaCppInfill) { RunAll("infill.json"); }
TEST(SamplerGolden, TransformersAndVllm) { RunAll("processors.json"); }

}  // namespace
}  // namespace baton::worker
