// Real models against what transformers computed from the same dequantised weights
// (tests/golden/model/make_real_model.py): SmolLM2-135M, and under --full Qwen2.5-Coder-0.5B.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/unit/worker/executor/model_path.h"
#include "tests/unit/worker/executor/rank_rig.h"

namespace baton::worker {
namespace {

struct GoldenRow {
  int32_t position = 0;
  double logsumexp = 0;
  std::vector<TokenId> tokens;  // the 20 most likely, in order
  std::vector<double> logprobs;
};

struct GoldenPrompt {
  std::vector<TokenId> tokens;
  std::vector<GoldenRow> rows;
  std::vector<TokenId> greedy;
  std::vector<double> gaps;  // between the two largest logits, before each greedy token
};

struct RealModel {
  const char* name;    // of deploy/models.sh
  const char* file;    // that it fetches
  const char* golden;  // of tests/golden/model
  bool full_only;      // takes minutes
};

std::vector<GoldenPrompt> ReadGolden(const RealModel& model) {
  std::ifstream file(std::string(BATON_SOURCE_DIR) + "/tests/golden/model/" + model.golden);
  const nlohmann::json golden = nlohmann::json::parse(file);
  std::vector<GoldenPrompt> prompts;
  for (const auto& from : golden["prompts"]) {
    GoldenPrompt prompt{from["tokens"], {}, from["greedy"], from["gaps"]};
    for (const auto& row : from["rows"]) {
      prompt.rows.push_back({row["position"], row["logsumexp"], row["tokens"], row["logprobs"]});
    }
    prompts.push_back(std::move(prompt));
  }
  return prompts;
}

double LogSumExp(const std::vector<float>& logits) {
  const double max = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - max);
  return max + std::log(sum);
}

double RelativeError(double got, double expected) {
  return std::abs(got - expected) / std::max(1.0, std::abs(expected));
}

class RealModelTest : public ::testing::TestWithParam<RealModel> {
 protected:
  void SetUp() override {
    const char* full = std::getenv("BATON_TEST_FULL");
    if (GetParam().full_only && (full == nullptr || *full == '\0')) {
      GTEST_SKIP() << GetParam().name << " runs under tests/run.sh --full (BATON_TEST_FULL=1)";
    }
    if (path_.empty()) {
      GTEST_SKIP() << GetParam().name << " is not there: run deploy/models.sh " << GetParam().name
                   << ", or set BATON_MODELS to the folder that holds it";
    }
  }

  // Walks the reference's continuation, each step with the reference's own tokens before it, and
  // counts the places where ours differs though the reference was sure by more than `gap_min`.
  static int GreedyDifferences(RankRig& rig, const GoldenPrompt& prompt, double gap_min) {
    std::vector<TokenId> tokens = prompt.tokens;
    tokens.insert(tokens.end(), prompt.greedy.begin(), prompt.greedy.end());
    const RankRig::Sequence sequence = rig.Place(tokens, 0);
    const auto count = static_cast<int32_t>(prompt.tokens.size());
    int differences = 0;
    for (int32_t i = 0; i < static_cast<int32_t>(prompt.greedy.size()); ++i) {
      const RankRig::Run run =
          i == 0 ? RankRig::Run{&sequence, 0, count} : RankRig::Run{&sequence, count + i - 1, 1};
      const std::vector<float> logits = rig.Step({run}).front();
      const auto best =
          static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
      const auto at = static_cast<size_t>(i);
      if (best != prompt.greedy[at] && prompt.gaps[at] > gap_min) ++differences;
    }
    return differences;
  }

  // The largest relative error of log-probabilities and of their normaliser.
  static double WorstError(RankRig& rig, const std::vector<GoldenPrompt>& prompts) {
    double worst = 0;
    for (const GoldenPrompt& prompt : prompts) worst = std::max(worst, WorstErrorOf(rig, prompt));
    std::cout << "largest relative error: " << worst << std::endl;
    return worst;
  }

  static double WorstErrorOf(RankRig& rig, const GoldenPrompt& prompt) {
    double worst = 0;
    std::vector<int32_t> positions;
    for (const GoldenRow& row : prompt.rows) positions.push_back(row.position);
    const RankRig::Rows logits = rig.Logits(prompt.tokens, positions, 512);
    for (size_t i = 0; i < logits.size(); ++i) {
      const GoldenRow& row = prompt.rows[i];
      const double logsumexp = LogSumExp(logits[i]);
      worst = std::max(worst, RelativeError(logsumexp, row.logsumexp));
      for (size_t k = 0; k < row.tokens.size(); ++k) {
        const double logprob = logits[i][row.tokens[k]] - logsumexp;
        worst = std::max(worst, RelativeError(logprob, row.logprobs[k]));
      }
    }
    return worst;
  }

  const std::string path_ = RealModelPath(GetParam().name, GetParam().file);
};

TEST_P(RealModelTest, Float32LogprobsAreThoseOfTransformers) {
  RankRig rig(path_, {.dtype = DType::kF32});
  EXPECT_LE(WorstError(rig, ReadGolden(GetParam())), 1e-4);
}

// Weights as the file holds them, inputs of 8 bits.
TEST_P(RealModelTest, QuantizedContinuationsAreTheSameWhereTheReferenceIsSure) {
  RankRig rig(path_, {.dtype = DType::kBf16, .quantization = Quantization::kAsCheckpoint});
  for (const GoldenPrompt& prompt : ReadGolden(GetParam())) {
    EXPECT_EQ(GreedyDifferences(rig, prompt, 0.5), 0);
  }
}

TEST_P(RealModelTest, Float32ContinuationsAreThoseOfTransformers) {
  RankRig rig(path_, {.dtype = DType::kF32});
  for (const GoldenPrompt& prompt : ReadGolden(GetParam())) {
    EXPECT_EQ(GreedyDifferences(rig, prompt, 1e-3), 0);
  }
}

TEST_P(RealModelTest, Bfloat16ContinuationsAreTheSameWhereTheReferenceIsSure) {
  RankRig rig(path_, {.dtype = DType::kBf16});
  for (const GoldenPrompt& prompt : ReadGolden(GetParam())) {
    EXPECT_EQ(GreedyDifferences(rig, prompt, 0.1), 0);
  }
}

TEST_P(RealModelTest, ChunksAndTheBatchChangeNoBit) {
  const std::vector<GoldenPrompt> prompts = ReadGolden(GetParam());
  const std::pair<DType, Quantization> forms[] = {{DType::kF32, Quantization::kNone},
                                                  {DType::kBf16, Quantization::kNone},
                                                  {DType::kBf16, Quantization::kAsCheckpoint}};
  for (const auto& [dtype, quantization] : forms) {
    RankRig rig(path_, {.dtype = dtype, .quantization = quantization});
    std::vector<RankRig::Sequence> sequences;
    for (const GoldenPrompt& prompt : prompts) {
      sequences.push_back(rig.Place(prompt.tokens, static_cast<int32_t>(4 * sequences.size())));
    }
    RankRig::Rows alone;
    std::vector<RankRig::Run> together;
    for (const RankRig::Sequence& sequence : sequences) {
      const auto count = static_cast<int32_t>(sequence.tokens.size());
      alone.push_back(rig.Logits(sequence.tokens, {count - 1}, 16).front());
      together.push_back({&sequence, 0, count});
    }
    EXPECT_EQ(rig.Step(together), alone) << NameOf(dtype);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Models, RealModelTest,
    ::testing::Values(RealModel{"smollm2-135m", "SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2.json",
                                /*full_only=*/false},
                      RealModel{"qwen2.5-coder-0.5b", "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
                                "qwen2.5-coder.json", /*full_only=*/true}),
    [](const auto& info) { return info.param.full_only ? "Qwen2Coder" : "SmolLm2"; });

void PrintTo(const RealModel& model, std::ostream* out) { *out << model.name; }

}  // namespace
}  // namespace baton::worker
