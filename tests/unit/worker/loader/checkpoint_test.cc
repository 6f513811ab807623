#include "worker/loader/checkpoint.h"

#include <gtest/gtest.h>

#include "tests/fakes/scratch_dir.h"
#include "tests/fakes/tiny_llama.h"
#include "worker/loader/read_ahead.h"

namespace baton::worker {
namespace {

class CheckpointTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& bytes) {
    tiny::WriteFile(dir_.path() / name, bytes);
  }
  void ExpectFault(absl::StatusCode code, const std::string& message) {
    const absl::Status status = Checkpoint::Open(dir_.string()).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_NE(status.message().find(message), absl::string_view::npos) << status;
  }
  const ScratchDir dir_{"checkpoint"};
};

TEST_F(CheckpointTest, ADirectoryGivesConfigurationTensorsAndCardFiles) {
  WriteTinyLlama(dir_.path());
  Write("tokenizer.json", "{}");
  Write("chat_template.jinja", "{{ messages }}");
  std::filesystem::create_directory(dir_.path() / "additional_chat_templates");
  Write("additional_chat_templates/tool_use.jinja", "{{ tools }}");
  Write("additional_chat_templates/README.md", "");
  auto checkpoint = Checkpoint::Open(dir_.string());
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ(checkpoint->architecture(), "LlamaForCausalLM");
  EXPECT_EQ(checkpoint->end_token_ids(), (std::vector<TokenId>{2, 7}));
  ASSERT_NE(checkpoint->hf_config(), nullptr);
  EXPECT_EQ(checkpoint->gguf_metadata(), nullptr);
  EXPECT_EQ(*checkpoint->hf_config()->GetInt("hidden_size"), 72);
  std::vector<std::string> names;
  for (const ModelFile& file : checkpoint->TakeModelFiles()) names.push_back(file.name);
  EXPECT_EQ(names, (std::vector<std::string>{"config.json", "generation_config.json",
                                             "tokenizer.json", "chat_template.jinja",
                                             "additional_chat_templates/tool_use.jinja"}));
}

TEST_F(CheckpointTest, WithoutGenerationConfigTheConfigEndsReplies) {
  WriteTinyLlama(dir_.path());
  std::filesystem::remove(dir_.path() / "generation_config.json");
  EXPECT_EQ(Checkpoint::Open(dir_.string())->end_token_ids(), std::vector<TokenId>{2});
}

TEST_F(CheckpointTest, AGgufFileIsFoundByItsFolderToo) {
  WriteTinyLlamaGguf(dir_.path() / "tiny.gguf");
  for (const std::string& path : {dir_.string(), (dir_.path() / "tiny.gguf").string()}) {
    auto checkpoint = Checkpoint::Open(path);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    EXPECT_EQ(checkpoint->architecture(), "llama");
    EXPECT_EQ(checkpoint->end_token_ids(), std::vector<TokenId>{2});
    ASSERT_NE(checkpoint->gguf_metadata(), nullptr);
    const SourceTensor* q = checkpoint->tensors().Find("blk.0.attn_q.weight");
    ASSERT_NE(q, nullptr);
    EXPECT_EQ(q->shape, (Shape{192, 72}));
    const auto files = checkpoint->TakeModelFiles();
    ASSERT_EQ(files.size(), 1u);
    EXPECT_EQ(files[0].name, kGgufMetadataName);
    EXPECT_EQ(files[0].bytes.substr(0, 4), "GGUF");
  }
  Write("config.json", TinyLlamaConfig());  // of the original, whose weights are elsewhere
  Write("mmproj-model-f16.gguf", "");
  EXPECT_EQ(Checkpoint::Open(dir_.string())->architecture(), "llama");
  std::filesystem::remove(dir_.path() / "config.json");
  WriteTinyLlamaGguf(dir_.path() / "second.gguf");
  ExpectFault(absl::StatusCode::kInvalidArgument, "several GGUF files");
}

TEST_F(CheckpointTest, WhatIsNoCheckpointIsSaidSo) {
  ExpectFault(absl::StatusCode::kNotFound, "neither config.json nor a GGUF file");
  Write("config.json", "{");
  ExpectFault(absl::StatusCode::kInvalidArgument, "read config.json: malformed JSON");
  Write("config.json", R"({"architectures":[]})");
  ExpectFault(absl::StatusCode::kInvalidArgument, "key=architectures is missing");
  Write("config.json", R"({"architectures":"LlamaForCausalLM"})");
  ExpectFault(absl::StatusCode::kInvalidArgument, "key=architectures is string/array");
  Write("config.json", R"({"architectures":["LlamaForCausalLM"],"eos_token_id":-4})");
  ExpectFault(absl::StatusCode::kInvalidArgument, "eos_token_id=-4 is no token");
  Write("config.json", R"({"architectures":["LlamaForCausalLM"],"eos_token_id":"x"})");
  ExpectFault(absl::StatusCode::kInvalidArgument, "key=eos_token_id is string/integer");
  Write("config.json", R"({"architectures":["LlamaForCausalLM"]})");
  ExpectFault(absl::StatusCode::kNotFound, "model.safetensors");
  EXPECT_EQ(Checkpoint::Open(dir_.string() + "/none").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(CheckpointTest, DigestsTellConfigurationsNamesAndBytesApart) {
  WriteTinyLlama(dir_.path());
  const uint64_t one = Checkpoint::Open(dir_.string())->digest();
  EXPECT_EQ(Checkpoint::Open(dir_.string())->digest(), one);
  WriteTinyLlama(dir_.path(), {.old_config = true});
  EXPECT_NE(Checkpoint::Open(dir_.string())->digest(), one);
  WriteTinyLlama(dir_.path(), {.dtype = TinyDtype::kBf16});
  EXPECT_NE(Checkpoint::Open(dir_.string())->digest(), one);
}

TEST(JsonConfig, TypedAccessNamesFileAndKey) {
  const auto config = JsonConfig::Parse(
      R"({"i":3,"f":2.5,"b":true,"s":"x","n":null,"l":[1,2],"big":18446744073709551615,)"
      R"("o":{"k":1}})",
      "config.json");
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(*config->GetInt("i"), 3);
  EXPECT_EQ(*config->GetFloat("i"), 3.0);
  EXPECT_EQ(*config->GetIntOr("n", 9), 9);
  EXPECT_EQ(*config->GetInts("l"), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(*config->GetInts("i"), std::vector<int64_t>{3});
  EXPECT_EQ(config->GetInt("n").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(config->GetInt("f").status().message(), "read config.json: key=f is number/integer");
  EXPECT_FALSE(config->GetInt("big").ok());
  EXPECT_FALSE(config->GetBoolOr("s", false).ok());
  EXPECT_FALSE(config->GetStringOr("b", "").ok());
  EXPECT_FALSE(config->GetObject("l").ok());
  const auto object = config->GetObject("o");
  ASSERT_TRUE(object.ok() && object->has_value());
  EXPECT_EQ((*object)->GetInt("z").status().message(), "read config.json o: key=z is missing");
}

TEST(ReadAhead, TouchesWhatItIsGivenAndEnds) {
  const std::string bytes(3 * ReadAhead::kChunkBytes + 17, 'x');
  { const ReadAhead all({bytes, std::string_view(), std::string_view(bytes).substr(5, 1)}, 3); }
  SUCCEED() << "it joined";
}

}  // namespace
}  // namespace baton::worker
