// Quantised checkpoints against what tests/golden/quantized/make_golden.py computed, bit for bit.
#include "worker/loader/quantized_source.h"

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fakes/scratch_dir.h"
#include "worker/loader/checkpoint.h"
#include "worker/loader/safetensors_source.h"

namespace baton::worker {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const fs::path kGolden = fs::path(BATON_SOURCE_DIR) / "tests/golden/quantized";

std::vector<float> Floats(const SourceTensor& tensor) {
  std::vector<float> values(static_cast<size_t>(tensor.shape.element_count()));
  DecodeElements(*tensor.format, reinterpret_cast<const std::byte*>(tensor.bytes.data()), 0,
                 tensor.shape.element_count(), values.data());
  return values;
}

struct Golden {
  const char* name;
  WeightFormat format;  // that holds the weight in memory
};

class QuantizedSourceTest : public testing::TestWithParam<Golden> {};

TEST_P(QuantizedSourceTest, GivesTheExpectedFloats) {
  const fs::path folder = kGolden / GetParam().name;
  const absl::StatusOr<Checkpoint> checkpoint = Checkpoint::Open(folder.string());
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  const ScratchDir dir("quantized-expected");
  fs::copy_file(folder / "expected.safetensors", dir.path() / "model.safetensors");
  const auto expected = SafetensorsSource::Open(dir.string());
  ASSERT_TRUE(expected.ok()) << expected.status();
  ASSERT_EQ(checkpoint->tensors().tensors().size(), (*expected)->tensors().size());
  for (const SourceTensor& tensor : (*expected)->tensors()) {
    const SourceTensor* found = checkpoint->tensors().Find(tensor.name);
    ASSERT_NE(found, nullptr) << tensor.name;
    EXPECT_EQ(found->shape, tensor.shape);
    EXPECT_EQ(Floats(*found), Floats(tensor)) << tensor.name;
    if (tensor.name.ends_with("_proj.weight")) {
      EXPECT_EQ(found->format, GetParam().format);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, QuantizedSourceTest,
                         testing::Values(Golden{"w4a16_group", WeightFormat::kGroupedI4},
                                         Golden{"w4a16_asymmetric", WeightFormat::kGroupedI5},
                                         Golden{"w4a16_actorder", WeightFormat::kF32},
                                         Golden{"w8a16_group", WeightFormat::kGroupedI8},
                                         Golden{"int8_channel", WeightFormat::kGroupedI8},
                                         Golden{"fp8_tensor", WeightFormat::kGroupedF8},
                                         Golden{"fp8_channel", WeightFormat::kGroupedF8},
                                         Golden{"fp8_blocks", WeightFormat::kGroupedF8},
                                         Golden{"fp8_block_structure", WeightFormat::kGroupedF8},
                                         Golden{"gptq", WeightFormat::kGroupedI4},
                                         Golden{"gptq_v2_asymmetric", WeightFormat::kGroupedI5},
                                         Golden{"gptq_desc_act", WeightFormat::kF32},
                                         Golden{"gptq_8bit", WeightFormat::kGroupedI8},
                                         Golden{"awq", WeightFormat::kGroupedI5}),
                         [](const auto& info) { return std::string(info.param.name); });

// The checkpoint of `golden` with another quantization_config.
absl::StatusOr<Checkpoint> OpenWith(const char* golden, const std::string& quantization) {
  const ScratchDir dir("quantized-other");
  fs::path tensors = kGolden / golden;
  tensors = fs::is_directory(tensors) ? tensors / "model.safetensors"
                                      : fs::path(tensors.string() + ".safetensors");
  fs::copy_file(tensors, dir.path() / "model.safetensors");
  std::ofstream(dir.path() / "config.json")
      << R"({"architectures": ["LlamaForCausalLM"], "quantization_config": )" << quantization
      << "}";
  return Checkpoint::Open(dir.string());
}

std::string ErrorWith(const char* golden, const std::string& quantization) {
  return OpenWith(golden, quantization).status().ToString();
}

// The same tensors under the names that other quantisers give to what they did.
TEST(QuantizedSource, ReadsOtherSpellings) {
  const std::tuple<const char*, const char*> spellings[] = {
      {"awq", R"({"quant_method": "awq", "w_bit": 4, "q_group_size": 32, "zero_point": true})"},
      {"awq", R"({"quant_method": "auto-round", "bits": 4,
                  "packing_format": "auto_round:auto_awq"})"},
      {"gptq", R"({"quant_method": "auto-round", "bits": 4})"},
      // "dynamic" rules give some modules another number of bits.
      {"gptq_8bit", R"({"quant_method": "gptq", "bits": 4, "dynamic": {"+:.*": {"bits": 8}}})"},
      {"fp8_tensor", R"({"quant_method": "modelopt", "quant_algo": "FP8"})"}};
  for (const auto& [golden, quantization] : spellings) {
    const auto expected = Checkpoint::Open((kGolden / golden).string());
    const auto got = OpenWith(golden, quantization);
    ASSERT_TRUE(got.ok()) << quantization << ": " << got.status();
    for (const SourceTensor& tensor : expected->tensors().tensors()) {
      const SourceTensor* found = got->tensors().Find(tensor.name);
      ASSERT_NE(found, nullptr) << tensor.name;
      EXPECT_EQ(Floats(*found), Floats(tensor)) << quantization << ": " << tensor.name;
    }
  }
}

TEST(QuantizedSource, RefusesByNameWhatItDoesNotKnow) {
  EXPECT_THAT(ErrorWith("gptq", R"({"quant_method": "gptq", "bits": 3})"),
              HasSubstr("quantization_config.bits=3 is not supported"));
  EXPECT_THAT(ErrorWith("gptq", R"({"quant_method": "gptq"})"), HasSubstr("bits"));
  EXPECT_THAT(
      ErrorWith("gptq", R"({"quant_method": "gptq", "bits": 4, "checkpoint_format": "marlin"})"),
      HasSubstr("checkpoint_format=marlin"));
  EXPECT_THAT(ErrorWith("gptq", R"({"quant_method": "modelopt", "quant_algo": "NVFP4"})"),
              HasSubstr("quantization_config.quant_algo=NVFP4 is not supported"));
  EXPECT_THAT(ErrorWith("gptq", R"({"quant_method": "auto-round", "bits": 4,
                                    "packing_format": "auto_round:exllamav2"})"),
              HasSubstr("packing_format=auto_round:exllamav2"));
  EXPECT_THAT(ErrorWith("awq", R"({"quant_method": "awq", "bits": 4, "version": "gemv"})"),
              HasSubstr("version=gemv"));
  EXPECT_THAT(
      ErrorWith("w4a16_group", R"({"quant_method": "compressed-tensors", "format": "marlin-24"})"),
      HasSubstr("format=marlin-24"));
}

TEST(QuantizedSource, RefusesTensorsThatDoNotFitTogether) {
  EXPECT_THAT(ErrorWith("awq", R"({"quant_method": "gptq", "bits": 4})"),
              HasSubstr("tensor=model.layers.0.mlp.up_proj."));
  EXPECT_THAT(ErrorWith("w4a16_group", R"({"quant_method": "gptq", "bits": 4})"),
              HasSubstr("tensor=model.layers.0.mlp.up_proj.weight"));
  EXPECT_THAT(
      ErrorWith("gptq", R"({"quant_method": "compressed-tensors", "format": "pack-quantized"})"),
      HasSubstr("weight_shape"));
}

// Five outputs have no whole word of zero points: nothing is read past the tensor.
TEST(QuantizedSource, RefusesOutputsThatFillNoWord) {
  EXPECT_THAT(ErrorWith("../../fuzz/corpus/safetensors/gptq_five_outputs",
                        R"({"quant_method": "gptq", "bits": 4})"),
              HasSubstr("tensor=a.qweight is I32[8, 5]/outputs that fill words"));
}

}  // namespace
}  // namespace baton::worker
