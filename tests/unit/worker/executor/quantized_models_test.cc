// Whole models in every quantised format of safetensors, and one GGUF file of all its types,
// against what transformers computed for their dequantised weights
// (tests/golden/quantized/make_models.py), against the same model in plain floats, and as they run
// by default.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "tests/fakes/scratch_dir.h"
#include "tests/fakes/tiny_checkpoint.h"
#include "tests/unit/worker/executor/tiny_golden.h"
#include "worker/executor/load_model.h"

namespace baton::worker {
namespace {

namespace fs = std::filesystem;

const fs::path kModels = fs::path(BATON_SOURCE_DIR) / "tests/golden/quantized/models";

// What a worker holds of each by default: floats where inputs are shuffled or fp8 is multiplied.
const std::map<std::string, bool>& StaysQuantized() {
  static const std::map<std::string, bool> models = {{"awq", true},
                                                     {"fp8_blocks", false},
                                                     {"fp8_blocks_deepseek_v3", false},
                                                     {"fp8_channel", false},
                                                     {"fp8_tensor", false},
                                                     {"gguf_mixed", true},
                                                     {"gptq", true},
                                                     {"gptq_8bit", true},
                                                     {"gptq_desc_act", false},
                                                     {"int8", true},
                                                     {"w4a16", true},
                                                     {"w4a16_actorder", false},
                                                     {"w4a16_asymmetric", true},
                                                     {"w8a16", true}};
  return models;
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const auto& [name, stays] : StaysQuantized()) names.push_back(name);
  return names;
}

class QuantizedModelTest : public ::testing::TestWithParam<std::string> {
 protected:
  std::vector<TokenId> Tokens(size_t prompt) const {
    return golden_["prompts"][prompt]["tokens"].get<std::vector<TokenId>>();
  }

  float WorstDifference(RankRig& rig) const {
    float worst = 0;
    for (const auto& prompt : golden_["prompts"]) {
      const auto tokens = prompt["tokens"].get<std::vector<TokenId>>();
      const auto expected = prompt["logits"].get<std::vector<float>>();
      worst = std::max(worst, Difference(LastLogits(rig, tokens, 128), expected));
    }
    return worst;
  }

  // The same model, its weights decoded to f32.
  std::string WritePlain() const {
    Checkpoint checkpoint = ValueOrDie(Checkpoint::Open(path_));
    TinyFile file;
    for (const SourceTensor& from : checkpoint.tensors().tensors()) {
      TinyTensor to{std::string(from.name), {}, {}};
      for (int i = 0; i < from.shape.rank(); ++i) to.shape.push_back(from.shape.dim(i));
      to.values.resize(static_cast<size_t>(from.shape.element_count()));
      DecodeElements(*from.format, reinterpret_cast<const std::byte*>(from.bytes.data()), 0,
                     from.shape.element_count(), to.values.data());
      file.Add(TinyFloats(to));
    }
    const std::vector<ModelFile> files = checkpoint.TakeModelFiles();
    if (checkpoint.hf_config() == nullptr) {
      file.TakeKeys(files.front().bytes);
      tiny::WriteFile(dir_.path() / "model.gguf", file.Gguf());
      return dir_.string();
    }
    nlohmann::json config = nlohmann::json::parse(files.front().bytes);
    config.erase("quantization_config");
    tiny::WriteFile(dir_.path() / "config.json", config.dump());
    tiny::WriteFile(dir_.path() / "model.safetensors", file.Safetensors());
    return dir_.string();
  }

  static nlohmann::json ReadJson(const fs::path& path) {
    std::ifstream file(path);
    return nlohmann::json::parse(file);
  }

  const ScratchDir dir_{"quantized-models"};
  const std::string path_ = (kModels / GetParam()).string();
  const nlohmann::json golden_ = ReadJson(kModels / GetParam() / "golden.json");
};

TEST_P(QuantizedModelTest, GivesTheLogitsOfTransformers) {
  RankRig rig(path_, {});
  EXPECT_LE(WorstDifference(rig), 1e-4f);
}

TEST_P(QuantizedModelTest, ContinuesAsTransformersDoes) {
  RankRig rig(path_, {});
  std::vector<TokenId> tokens = Tokens(1);
  for (const TokenId expected : golden_["greedy"].get<std::vector<TokenId>>()) {
    const std::vector<float> logits = LastLogits(rig, tokens, 64);
    const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
    EXPECT_EQ(best, expected) << "after " << tokens.size() << " tokens";
    tokens.push_back(expected);
  }
}

TEST_P(QuantizedModelTest, WithoutQuantizationItIsThePlainModelBitForBit) {
  const std::string plain = WritePlain();
  for (const DType dtype : {DType::kF32, DType::kBf16}) {
    RankRig quantized(path_, {.dtype = dtype});
    RankRig floats(plain, {.dtype = dtype});
    for (size_t prompt = 0; prompt < golden_["prompts"].size(); ++prompt) {
      EXPECT_EQ(LastLogits(quantized, Tokens(prompt), 128), LastLogits(floats, Tokens(prompt), 128))
          << NameOf(dtype) << ", " << Tokens(prompt).size() << " tokens";
    }
  }
}

// Inputs are rounded to 8 bits as well.
TEST_P(QuantizedModelTest, AsItRunsByDefaultItIsNear) {
  RankRig rig(path_, {.dtype = DType::kBf16, .quantization = Quantization::kAsCheckpoint});
  const float worst = WorstDifference(rig);
  std::cout << GetParam() << ": " << worst << " of the largest logit" << std::endl;
  EXPECT_LE(worst, 0.12f);
}

TEST_P(QuantizedModelTest, AutoKeepsWhatTheFileHolds) {
  LoadOptions options;
  options.path = path_;
  options.dtype = ComputeType::kBfloat16;
  options.threads = 2;
  const LoadedModel loaded = ValueOrDie(LoadModel(options));
  const std::string& numerics = loaded.executor->info().numerics_id;
  const bool stays = numerics.find("+quantized") != std::string::npos;
  EXPECT_EQ(stays, StaysQuantized().at(GetParam())) << numerics;
  options.quantization = WeightChoice::kNone;
  const uint64_t plain_bytes = ValueOrDie(LoadModel(options)).weight_bytes;
  EXPECT_EQ(loaded.weight_bytes < plain_bytes, stays);
}

TEST_P(QuantizedModelTest, ChunksThreadsAndBlocksChangeNoBit) {
  const RigOptions options{.dtype = DType::kBf16, .quantization = Quantization::kAsCheckpoint};
  RankRig rig(path_, options);
  const std::vector<TokenId> tokens = Tokens(3);
  const std::vector<float> whole = LastLogits(rig, tokens, 512);
  for (const int32_t chunk : {7, 64, 299}) {
    EXPECT_EQ(LastLogits(rig, tokens, chunk), whole) << "chunk " << chunk;
  }
  RigOptions other = options;
  other.block_size = 16;
  other.threads = 1;
  RankRig blocks(path_, other);
  EXPECT_EQ(LastLogits(blocks, tokens, 100), whole);
}

TEST_P(QuantizedModelTest, TwoRanksGiveTheLogitsOfOne) {
  RankRig rig(path_, {.threads = 1, .ranks = 2});
  EXPECT_LE(WorstDifference(rig), 1e-4f);
}

INSTANTIATE_TEST_SUITE_P(Models, QuantizedModelTest, ::testing::ValuesIn(Names()),
                         [](const auto& info) { return info.param; });

TEST(QuantizedModels, AllOfThemAreTested) {
  for (const auto& entry : fs::directory_iterator(kModels)) {
    EXPECT_TRUE(StaysQuantized().contains(entry.path().filename())) << entry.path();
  }
}

}  // namespace
}  // namespace baton::worker
