// The tiny random Llama against what transformers computed for it, and against itself: in other
// formats, chunks, batches, block sizes and on two ranks.

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/fakes/scratch_dir.h"
#include "tests/fakes/tiny_llama.h"
#include "tests/unit/worker/executor/rank_rig.h"

namespace baton::worker {
namespace {

struct GoldenPrompt {
  std::vector<TokenId> tokens;
  std::vector<float> logits;  // of the last position
};

std::vector<GoldenPrompt> ReadGolden(const char* model) {
  std::ifstream file(std::string(BATON_SOURCE_DIR) + "/tests/golden/model/tiny_llama.json");
  const nlohmann::json golden = nlohmann::json::parse(file);
  std::vector<GoldenPrompt> prompts;
  for (const auto& prompt : golden[model]) {
    prompts.push_back({prompt["tokens"], prompt["logits"]});
  }
  return prompts;
}

const std::vector<GoldenPrompt>& GoldenPrompts() {
  static const auto* prompts = new std::vector<GoldenPrompt>(ReadGolden("prompts"));
  return *prompts;
}

float LargestDifference(const std::vector<float>& a, const std::vector<float>& b) {
  float largest = a.size() == b.size() ? 0 : INFINITY;
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    const float difference = std::abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;  // keeps a NaN
  }
  return largest;
}

std::vector<float> LastLogits(RankRig& rig, const std::vector<TokenId>& tokens, int32_t chunk) {
  const auto last = static_cast<int32_t>(tokens.size()) - 1;
  return rig.Logits(tokens, {last}, chunk).front();
}

class TinyLlamaTest : public ::testing::Test {
 protected:
  std::string Write(const TinyOptions& options = {}) {
    WriteTinyLlama(dir_.path(), options);
    return dir_.string();
  }

  void ExpectGolden(const std::string& path, const RigOptions& options, float tolerance,
                    const std::vector<GoldenPrompt>& prompts = GoldenPrompts()) {
    RankRig rig(path, options);
    for (const GoldenPrompt& prompt : prompts) {
      const std::vector<float> logits = LastLogits(rig, prompt.tokens, 128);
      EXPECT_LE(LargestDifference(logits, prompt.logits), tolerance)
          << prompt.tokens.size() << " tokens";
    }
  }

  const ScratchDir dir_{"tiny-llama"};
};

TEST_F(TinyLlamaTest, EveryFormatGivesTheLogitsOfTransformers) {
  for (const TinyDtype dtype : {TinyDtype::kF32, TinyDtype::kF16, TinyDtype::kBf16}) {
    SCOPED_TRACE(static_cast<int>(dtype));
    ExpectGolden(Write({.dtype = dtype}), {}, 1e-4f);
  }
}

TEST_F(TinyLlamaTest, ShardsAndTheOlderConfigGiveThemToo) {
  ExpectGolden(Write({.shard_count = 3, .old_config = true}), {}, 1e-4f);
}

TEST_F(TinyLlamaTest, SoDoesGgufWithItsOwnOrderOfRowsAndItsOwnRopeScaling) {
  const std::filesystem::path path = dir_.path() / "tiny.gguf";
  WriteTinyLlamaGguf(path);
  ExpectGolden(path.string(), {}, 1e-4f);
}

TEST_F(TinyLlamaTest, SoDoesEveryInstructionSet) {
  const std::string path = Write();
  for (const CpuIsa isa : kCpuIsas) {
    if (!SupportsCpuIsa(isa)) continue;
    SCOPED_TRACE(std::string(NameOf(isa)));
    ExpectGolden(path, {.isa = isa}, 1e-4f);
  }
}

TEST_F(TinyLlamaTest, Bfloat16IsNear) {
  ExpectGolden(Write({.dtype = TinyDtype::kBf16}), {.dtype = DType::kBf16}, 0.15f);
}

TEST_F(TinyLlamaTest, TwoRanksGiveTheLogitsOfOne) {
  const std::string path = Write();
  ExpectGolden(path, {.threads = 1, .ranks = 2}, 1e-4f);
  ExpectGolden(path, {.dtype = DType::kBf16, .threads = 1, .ranks = 2}, 0.15f);
}

TEST_F(TinyLlamaTest, BiasesAreAddedOnceOnOneRankAndOnTwo) {
  const std::string path = Write({.biases = true});
  const std::vector<GoldenPrompt> biased = ReadGolden("biased");
  ASSERT_EQ(biased.size(), 1u);
  EXPECT_GT(LargestDifference(biased[0].logits, GoldenPrompts()[1].logits), 0.1f);
  ExpectGolden(path, {}, 1e-4f, biased);
  ExpectGolden(path, {.threads = 1, .ranks = 2}, 1e-4f, biased);
}

// Bits may depend on nothing but the sequence.
class TinyLlamaInvarianceTest : public TinyLlamaTest,
                                public ::testing::WithParamInterface<DType> {};

TEST_P(TinyLlamaInvarianceTest, ChunksThreadsAndBlocksChangeNoBit) {
  const std::string path = Write();
  const std::vector<TokenId>& tokens = GoldenPrompts().back().tokens;
  RankRig rig(path, {.dtype = GetParam()});
  const std::vector<float> whole = LastLogits(rig, tokens, 512);
  for (const int32_t chunk : {1, 7, 16, 64, 299}) {
    EXPECT_EQ(LastLogits(rig, tokens, chunk), whole) << "chunk " << chunk;
  }
  for (const int32_t block_size : {16, 128}) {
    RankRig other(path, {.dtype = GetParam(), .threads = 1, .block_size = block_size});
    EXPECT_EQ(LastLogits(other, tokens, 100), whole) << "block size " << block_size;
  }
}

TEST_P(TinyLlamaInvarianceTest, TheBatchChangesNoBit) {
  RankRig rig(Write(), {.dtype = GetParam(), .block_count = 256});
  std::vector<RankRig::Sequence> sequences;
  for (int i = 0; i < 24; ++i) {
    const std::vector<TokenId>& from = GoldenPrompts().back().tokens;
    const auto length = 3 + i * 11;
    sequences.push_back(rig.Place({from.begin() + i, from.begin() + i + length}, 10 * i));
  }
  RankRig::Rows alone;
  std::vector<RankRig::Run> together;
  for (const RankRig::Sequence& sequence : sequences) {
    const RankRig::Run run{&sequence, 0, static_cast<int32_t>(sequence.tokens.size())};
    alone.push_back(rig.Step({run}).front());
    together.push_back(run);
  }
  EXPECT_EQ(rig.Step(together), alone);
  std::reverse(together.begin(), together.end());
  std::reverse(alone.begin(), alone.end());
  EXPECT_EQ(rig.Step(together), alone);
}

TEST_P(TinyLlamaInvarianceTest, APrefixOfAnotherSequenceChangesNoBit) {
  RankRig rig(Write(), {.dtype = GetParam()});
  const std::vector<TokenId>& tokens = GoldenPrompts().back().tokens;
  const RankRig::Sequence first = rig.Place(tokens, 0);
  const auto count = static_cast<int32_t>(tokens.size());
  const RankRig::Rows cold = rig.Step({{&first, 0, count}});
  // The second one shares four blocks and computes only what follows them.
  RankRig::Sequence second = rig.Place(tokens, 20);
  std::copy_n(first.blocks.begin(), 4, second.blocks.begin());
  EXPECT_EQ(rig.Step({{&second, 256, count - 256}}), cold);
}

TEST_P(TinyLlamaInvarianceTest, AForkReadsItsOwnCopy) {
  RankRig rig(Write(), {.dtype = GetParam()});
  const std::vector<TokenId>& tokens = GoldenPrompts().back().tokens;
  const RankRig::Sequence parent = rig.Place({tokens.begin(), tokens.begin() + 100}, 0);
  const RankRig::Rows before = rig.Step({{&parent, 0, 99, false}, {&parent, 99, 1}});

  // A child with another 100th token, its second block a copy of the parent's.
  RankRig::Sequence child = parent;
  child.tokens.back() = 5;
  child.blocks[1] = BlockId(9);
  StepPlan plan;
  plan.copies.push_back({.from = BlockId(1), .to = BlockId(9), .token_count = 99 - 64});
  plan.rows.push_back({.sequence = SequenceId(2),
                       .first_position = 99,
                       .token_count = 1,
                       .block_count = 2,
                       .logits = true});
  plan.tokens = {5};
  plan.blocks = child.blocks;
  const RankRig::Rows forked = rig.RunPlan(plan);

  EXPECT_EQ(rig.Step({{&parent, 99, 1}}), before);
  const RankRig::Sequence fresh = rig.Place(child.tokens, 30);
  EXPECT_EQ(rig.Step({{&fresh, 0, 100}}), forked);
}

INSTANTIATE_TEST_SUITE_P(Types, TinyLlamaInvarianceTest,
                         ::testing::Values(DType::kF32, DType::kBf16),
                         [](const auto& info) { return std::string(NameOf(info.param)); });

}  // namespace
}  // namespace baton::worker
