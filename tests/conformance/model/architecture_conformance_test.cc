// Every architecture of the build against what transformers computed for tiny random models of it,
// through safetensors and through GGUF, and against itself: bits may depend on nothing but the
// sequence.
//
// A new architecture joins by its golden file in tests/golden/model/architectures, which
// make_tiny_models.py or make_tiny_experts.py writes; one without fails here.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "tests/fakes/scratch_dir.h"
#include "tests/fakes/tiny_model.h"
#include "tests/unit/worker/executor/rank_rig.h"

namespace baton::worker {
namespace {

namespace fs = std::filesystem;

fs::path GoldenDir() { return fs::path(BATON_SOURCE_DIR) / "tests/golden/model"; }

std::vector<std::string> Models() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(GoldenDir() / "architectures")) {
    names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The largest difference, in parts of the largest logit.
float Difference(const std::vector<float>& got, const std::vector<float>& expected) {
  float largest = got.size() == expected.size() ? 0 : INFINITY;
  float scale = 0;
  for (size_t i = 0; i < got.size() && i < expected.size(); ++i) {
    const float difference = std::abs(got[i] - expected[i]);
    if (!(difference <= largest)) largest = difference;  // keeps a NaN
    scale = std::max(scale, std::abs(expected[i]));
  }
  return largest / scale;
}

std::vector<float> LastLogits(RankRig& rig, const std::vector<TokenId>& tokens, int32_t chunk) {
  return rig.Logits(tokens, {static_cast<int32_t>(tokens.size()) - 1}, chunk).front();
}

class ArchitectureTest : public ::testing::TestWithParam<std::string> {
 protected:
  std::string Write(const char* config = "config", TinyDtype dtype = TinyDtype::kF32) {
    model_.WriteDirectory(dir_.path(), config, dtype);
    return dir_.string();
  }
  std::string WriteGguf() {
    model_.WriteGguf(dir_.path() / "tiny.gguf");
    return (dir_.path() / "tiny.gguf").string();
  }

  std::vector<TokenId> Tokens(size_t prompt) const {
    return model_.golden()["prompts"][prompt]["tokens"].get<std::vector<TokenId>>();
  }
  std::vector<TokenId> LongestPrompt() const {
    return Tokens(model_.golden()["prompts"].size() - 1);
  }

  // Transformers chooses the frequencies that depend on the length for each pass.
  static bool LengthMatters(const RankRig& rig) {
    return std::any_of(rig.spec().ropes.begin(), rig.spec().ropes.end(), DependsOnLength);
  }

  void ExpectGolden(const std::string& path, RigOptions options, float tolerance) {
    auto rig = std::make_unique<RankRig>(path, options);
    for (const auto& prompt : model_.golden()["prompts"]) {
      const auto tokens = prompt["tokens"].get<std::vector<TokenId>>();
      if (LengthMatters(*rig)) {
        options.max_model_len = static_cast<int32_t>(tokens.size());
        rig = std::make_unique<RankRig>(path, options);
      }
      const auto expected = prompt["logits"].get<std::vector<float>>();
      EXPECT_LE(Difference(LastLogits(*rig, tokens, 128), expected), tolerance)
          << tokens.size() << " tokens";
    }
  }

  void ExpectGreedy(const std::string& path) {
    const auto expected = model_.golden()["greedy"].get<std::vector<TokenId>>();
    std::vector<TokenId> tokens = Tokens(1);
    const size_t prompt = tokens.size();
    RankRig rig(path, {.max_model_len = static_cast<int32_t>(prompt + expected.size())});
    const RankRig::Sequence room = rig.Place(std::vector<TokenId>(prompt + expected.size()), 0);
    RankRig::Sequence sequence{tokens, room.blocks};
    int32_t computed = 0;
    while (sequence.tokens.size() < prompt + expected.size()) {
      const auto count = static_cast<int32_t>(sequence.tokens.size());
      const std::vector<float> logits = rig.Step({{&sequence, computed, count - computed}}).front();
      computed = count;
      sequence.tokens.push_back(
          static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
    }
    const auto drawn = sequence.tokens.begin() + static_cast<int64_t>(prompt);
    EXPECT_EQ(std::vector<TokenId>(drawn, sequence.tokens.end()), expected);
  }

  const ScratchDir dir_{"architecture"};
  const TinyModel model_ = TinyModel::Read(GoldenDir() / "architectures" / (GetParam() + ".json"));
};

TEST_P(ArchitectureTest, GivesTheLogitsOfTransformers) { ExpectGolden(Write(), {}, 1e-4f); }

TEST_P(ArchitectureTest, SoDoesTheConfigurationOfTransformers4) {
  ExpectGolden(Write("old_config"), {}, 1e-4f);
}

TEST_P(ArchitectureTest, SoDoesGguf) {
  if (!model_.has_gguf()) GTEST_SKIP() << "llama.cpp converts no such model";
  ExpectGolden(WriteGguf(), {}, 1e-4f);
}

TEST_P(ArchitectureTest, SoDoesEveryInstructionSet) {
  const std::string path = Write();
  for (const CpuIsa isa : kCpuIsas) {
    if (!SupportsCpuIsa(isa)) continue;
    SCOPED_TRACE(std::string(NameOf(isa)));
    ExpectGolden(path, {.isa = isa}, 1e-4f);
  }
}

// An expert that is chosen otherwise, for a score rounded otherwise, changes more than rounding
// does.
TEST_P(ArchitectureTest, Bfloat16IsNear) {
  const std::string path = Write("config", TinyDtype::kBf16);
  const RankRig rig(path, {});
  const bool experts = rig.spec().moe.routing.expert_count > 0;
  ExpectGolden(path, {.dtype = DType::kBf16}, experts ? 0.1f : 0.05f);
}

TEST_P(ArchitectureTest, TwoRanksGiveTheLogitsOfOne) {
  ExpectGolden(Write(), {.threads = 1, .ranks = 2}, 1e-4f);
}

TEST_P(ArchitectureTest, OnTwoRanksChunksAndThreadsChangeNoBit) {
  const std::string path = Write();
  const std::vector<TokenId> tokens = LongestPrompt();
  RankRig rig(path, {.dtype = DType::kBf16, .threads = 1, .ranks = 2});
  const std::vector<float> whole = LastLogits(rig, tokens, 512);
  for (const int32_t chunk : {7, 64}) {
    EXPECT_EQ(LastLogits(rig, tokens, chunk), whole) << "chunk " << chunk;
  }
  RankRig other(path, {.dtype = DType::kBf16, .threads = 2, .ranks = 2, .block_size = 16});
  EXPECT_EQ(LastLogits(other, tokens, 100), whole);
}

TEST_P(ArchitectureTest, ContinuesAsTransformersDoes) {
  ExpectGreedy(Write());
  if (model_.has_gguf()) ExpectGreedy(WriteGguf());
}

TEST_P(ArchitectureTest, ChunksThreadsAndBlocksChangeNoBit) {
  const std::string path = Write();
  const std::vector<TokenId> tokens = LongestPrompt();
  for (const DType dtype : {DType::kF32, DType::kBf16}) {
    RankRig rig(path, {.dtype = dtype});
    const std::vector<float> whole = LastLogits(rig, tokens, 512);
    for (const int32_t chunk : {1, 7, 64, 299}) {
      EXPECT_EQ(LastLogits(rig, tokens, chunk), whole) << "chunk " << chunk;
    }
    for (const int32_t block_size : {16, 128}) {
      RankRig other(path, {.dtype = dtype, .threads = 1, .block_size = block_size});
      EXPECT_EQ(LastLogits(other, tokens, 100), whole) << "block size " << block_size;
    }
  }
}

TEST_P(ArchitectureTest, TheBatchAndSharedPrefixesChangeNoBit) {
  const std::string path = Write();
  const std::vector<TokenId> from = LongestPrompt();
  for (const DType dtype : {DType::kF32, DType::kBf16}) {
    RankRig rig(path, {.dtype = dtype, .block_count = 128});
    std::vector<RankRig::Sequence> sequences;
    for (int i = 0; i < 8; ++i) {
      sequences.push_back(rig.Place({from.begin() + i, from.begin() + i + 3 + i * 40}, 8 * i));
    }
    RankRig::Rows alone;
    std::vector<RankRig::Run> together;
    for (const RankRig::Sequence& sequence : sequences) {
      together.push_back({&sequence, 0, static_cast<int32_t>(sequence.tokens.size())});
      alone.push_back(rig.Step({together.back()}).front());
    }
    std::reverse(together.begin(), together.end());
    std::reverse(alone.begin(), alone.end());
    EXPECT_EQ(rig.Step(together), alone);
    // Another sequence shares the first four blocks of one that was computed before.
    RankRig::Sequence first = rig.Place(from, 64);
    const RankRig::Rows cold = rig.Step({{&first, 0, 300}});
    RankRig::Sequence second = rig.Place(from, 96);
    rig.ShareBlocks(first, 4, second);
    EXPECT_EQ(rig.Step({{&second, 256, 44}}), cold);
  }
}

// Blocks behind a window are taken away after each step; what was in them is overwritten by others.
TEST_P(ArchitectureTest, WhatIsBehindAWindowIsNotRead) {
  const std::string path = Write();
  const std::vector<TokenId> tokens = LongestPrompt();
  const auto size = static_cast<int32_t>(tokens.size());
  if (RankRig(path, {}).placement().groups.back().window == 0) GTEST_SKIP() << "has no windows";
  for (const DType dtype : {DType::kF32, DType::kBf16}) {
    for (const int32_t block_size : {16, 64}) {
      RankRig rig(path, {.dtype = dtype, .block_size = block_size});
      const std::vector<float> whole = LastLogits(rig, tokens, 512);
      RankRig::Sequence sequence = rig.Place(tokens, 32);
      RankRig::Rows rows;
      for (int32_t at = 0; at < size; at += 50) {
        rig.DropUnseen(at, sequence);
        rows = rig.Step({{&sequence, at, std::min(50, size - at)}});
      }
      EXPECT_EQ(rows.front(), whole) << "block size " << block_size;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ArchitectureTest, ::testing::ValuesIn(Models()),
                         [](const auto& info) { return info.param; });

// One head of queries for each of six ranks, three of which share a head of keys and values: with
// biases, and with norms over all heads.
TEST(ManyRanks, ShareTheHeadsOfKeysAndValues) {
  for (const char* name : {"qwen2", "olmo2"}) {
    std::ifstream file(GoldenDir() / "architectures" / (std::string(name) + ".json"));
    nlohmann::json golden = nlohmann::json::parse(file);
    golden["config"]["intermediate_size"] = 96;
    for (const auto& [tensor, shape] : golden["tensors"].items()) {
      const bool down = tensor.find("down_proj") != std::string::npos;
      if (tensor.find(".mlp.") != std::string::npos) shape[down ? 1 : 0] = 96;
    }
    const ScratchDir dir("many-ranks");
    tiny::WriteFile(dir.path() / "golden.json", golden.dump());
    TinyModel::Read(dir.path() / "golden.json").WriteDirectory(dir.path());
    const std::vector<TokenId> tokens = golden["prompts"].back()["tokens"];
    RankRig one(dir.string(), {});
    RankRig six(dir.string(), {.threads = 1, .ranks = 6});
    EXPECT_LE(Difference(LastLogits(six, tokens, 128), LastLogits(one, tokens, 128)), 1e-4f)
        << name;
  }
}

TEST(Registration, EveryArchitectureHasAGolden) {
  std::set<std::string> proven;
  for (const auto& entry : fs::recursive_directory_iterator(GoldenDir())) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream file(entry.path());
    const nlohmann::json golden = nlohmann::json::parse(file);
    if (!golden.contains("config")) continue;
    for (const auto& name : golden["config"]["architectures"]) proven.insert(name);
  }
  const ArchitectureRegistry registry = ValueOrDie(ArchitectureRegistry::Builtin());
  for (const Architecture& architecture : registry.architectures()) {
    EXPECT_TRUE(proven.contains(std::string(architecture.hf_name))) << architecture.hf_name;
  }
}

}  // namespace
}  // namespace baton::worker
