// Tiny random models with experts against what transformers computed for them, in every form that
// their checkpoints have, and against themselves: other chunks, batches, block sizes, ranks.

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/fakes/scratch_dir.h"
#include "tests/fakes/tiny_checkpoint.h"
#include "tests/unit/worker/executor/tiny_golden.h"

namespace baton::worker {
namespace {

class TinyExpertsTest : public ::testing::TestWithParam<const char*> {
 protected:
  std::string Write(TinyDtype dtype = TinyDtype::kF32) {
    tiny::WriteFile(dir_.path() / "config.json", golden_.config.dump());
    TinyFile file;
    for (const auto& [name, shape] : golden_.tensors) file.Add(TinyFromName(name, shape, dtype));
    tiny::WriteFile(dir_.path() / "model.safetensors", file.Safetensors());
    return dir_.string();
  }

  void ExpectGolden(const std::string& path, const RigOptions& options, float tolerance) {
    RankRig rig(path, options);
    for (const GoldenPrompt& prompt : golden_.prompts) {
      EXPECT_LE(Difference(LastLogits(rig, prompt.tokens, 128), prompt.logits), tolerance)
          << prompt.tokens.size() << " tokens";
    }
  }

  const ScratchDir dir_{"tiny-experts"};
  const Golden golden_ = ReadGolden(GetParam());
};

TEST_P(TinyExpertsTest, GivesTheLogitsOfTransformers) { ExpectGolden(Write(), {}, 1e-4f); }

TEST_P(TinyExpertsTest, SoDoesEveryInstructionSet) {
  const std::string path = Write();
  for (const CpuIsa isa : kCpuIsas) {
    if (!SupportsCpuIsa(isa)) continue;
    SCOPED_TRACE(std::string(NameOf(isa)));
    ExpectGolden(path, {.isa = isa}, 1e-4f);
  }
}

TEST_P(TinyExpertsTest, ContinuesAsTransformersDoes) {
  RankRig rig(Write(), {});
  std::vector<TokenId> tokens = golden_.prompts[1].tokens;
  const size_t prompt = tokens.size();
  for (size_t i = 0; i < golden_.greedy.size(); ++i) {
    const std::vector<float> logits = LastLogits(rig, tokens, 64);
    tokens.push_back(
        static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
  }
  EXPECT_EQ(std::vector<TokenId>(tokens.begin() + static_cast<int64_t>(prompt), tokens.end()),
            golden_.greedy);
}

// An expert that is chosen otherwise, for a score rounded otherwise, changes more than rounding
// does.
TEST_P(TinyExpertsTest, Bfloat16IsNear) {
  ExpectGolden(Write(TinyDtype::kBf16), {.dtype = DType::kBf16}, 0.3f);
}

TEST_P(TinyExpertsTest, TwoRanksGiveTheLogitsOfOne) {
  ExpectGolden(Write(), {.threads = 1, .ranks = 2}, 1e-4f);
}

TEST_P(TinyExpertsTest, ChunksThreadsAndBlocksChangeNoBit) {
  const std::string path = Write();
  const std::vector<TokenId>& tokens = golden_.prompts.back().tokens;
  for (const DType dtype : {DType::kF32, DType::kBf16}) {
    RankRig rig(path, {.dtype = dtype});
    const std::vector<float> whole = LastLogits(rig, tokens, 512);
    for (const int32_t chunk : {7, 64, 299}) {
      EXPECT_EQ(LastLogits(rig, tokens, chunk), whole) << "chunk " << chunk;
    }
    const std::vector<TokenId>& few = golden_.prompts[2].tokens;
    EXPECT_EQ(LastLogits(rig, few, 1), LastLogits(rig, few, 512)) << "token by token";
    for (const int32_t block_size : {16, 128}) {
      RankRig other(path, {.dtype = dtype, .threads = 3, .block_size = block_size});
      EXPECT_EQ(LastLogits(other, tokens, 100), whole) << "block size " << block_size;
    }
  }
}

TEST_P(TinyExpertsTest, TheBatchChangesNoBit) {
  RankRig rig(Write(), {.dtype = DType::kBf16, .block_count = 256});
  std::vector<RankRig::Sequence> sequences;
  for (int i = 0; i < 10; ++i) {
    const std::vector<TokenId>& from = golden_.prompts.back().tokens;
    const auto length = 3 + i * 17;
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

TEST_P(TinyExpertsTest, APrefixOfAnotherSequenceChangesNoBit) {
  RankRig rig(Write(), {.dtype = DType::kBf16});
  const std::vector<TokenId>& tokens = golden_.prompts.back().tokens;
  const RankRig::Sequence first = rig.Place(tokens, 0);
  const auto count = static_cast<int32_t>(tokens.size());
  const RankRig::Rows cold = rig.Step({{&first, 0, count}});
  RankRig::Sequence second = rig.Place(tokens, 20);
  std::copy_n(first.blocks.begin(), 4, second.blocks.begin());
  EXPECT_EQ(rig.Step({{&second, 256, count - 256}}), cold);
}

INSTANTIATE_TEST_SUITE_P(Models, TinyExpertsTest,
                         ::testing::Values("qwen3_moe", "mixtral", "gpt_oss", "gpt_oss_mxfp4",
                                           "deepseek_v3", "deepseek_v3_plain_q"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace baton::worker
