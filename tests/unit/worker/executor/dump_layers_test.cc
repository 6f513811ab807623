#include "worker/executor/dump_layers.h"

#include <gtest/gtest.h>

#include "tests/fakes/scratch_dir.h"
#include "tests/fakes/tiny_llama.h"
#include "tests/fakes/tiny_model.h"
#include "worker/loader/checkpoint.h"

namespace baton::worker {
namespace {

class DumpLayersTest : public ::testing::Test {
 protected:
  DumpLayersTest() { WriteTinyLlama(dir_.path()); }
  const ScratchDir dir_{"dump"};
};

TEST_F(DumpLayersTest, ShowsEveryLayerInTheOrderOfThePass) {
  const auto dump = DumpLayers({.model = dir_.string(), .tokens = {3, 4, 5}, .threads = 2});
  ASSERT_TRUE(dump.ok()) << dump.status();
  std::vector<std::string> names;
  for (const DumpedValues& values : *dump) {
    names.push_back(values.name);
    EXPECT_EQ(values.rows, 3) << values.name;
    EXPECT_EQ(static_cast<int64_t>(values.values.size()), 3 * values.cols) << values.name;
  }
  std::vector<std::string> expected = {"embedding"};
  for (const std::string layer : {"0.", "1."}) {
    for (const char* part : {"attention_input", "qkv", "attended", "after_attention", "mlp_input",
                             "inner", "output"}) {
      expected.push_back(layer + part);
    }
  }
  expected.insert(expected.end(), {"final_norm", "logits"});
  EXPECT_EQ(names, expected);
}

TEST_F(DumpLayersTest, WritesAFileThatReadersOfCheckpointsRead) {
  const auto dump = DumpLayers({.model = dir_.string(), .tokens = {3}});
  ASSERT_TRUE(dump.ok()) << dump.status();
  const std::filesystem::path out = dir_.path() / "dump" / "model.safetensors";
  std::filesystem::create_directory(out.parent_path());
  tiny::WriteFile(out.parent_path() / "config.json", TinyLlamaConfig());
  ASSERT_TRUE(WriteDump(*dump, out.string()).ok());
  const auto read = Checkpoint::Open(out.parent_path().string());
  ASSERT_TRUE(read.ok()) << read.status();
  const SourceTensor* logits = read->tensors().Find("logits");
  ASSERT_NE(logits, nullptr);
  EXPECT_EQ(std::memcmp(logits->bytes.data(), dump->back().values.data(), logits->bytes.size()), 0);
}

// Its experts have other names than in the released files.
TEST_F(DumpLayersTest, ReadsTheNamesThatTheCheckpointHas) {
  const std::filesystem::path golden =
      std::filesystem::path(BATON_SOURCE_DIR) / "tests/golden/model/architectures/gpt_oss.json";
  TinyModel::Read(golden).WriteDirectory(dir_.path());
  const auto dump = DumpLayers({.model = dir_.string(), .tokens = {3, 4}});
  EXPECT_TRUE(dump.ok()) << dump.status();
}

TEST_F(DumpLayersTest, RefusesTokensThatTheModelDoesNotHave) {
  EXPECT_EQ(DumpLayers({.model = dir_.string(), .tokens = {}}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(DumpLayers({.model = dir_.string(), .tokens = {99999}}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(WriteDump({}, "/nowhere/at/all").ok());
}

}  // namespace
}  // namespace baton::worker
