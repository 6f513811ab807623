// Models that take more than text: the configuration and the tensors of their text part, and what
// is left aside.

#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"
#include "tests/fakes/scratch_dir.h"
#include "tests/fakes/tiny_checkpoint.h"
#include "worker/model/architecture.h"

namespace baton::worker {
namespace {

// The tiny Llama's sizes as the text part of a Mistral that sees.
std::string Mistral3Config(const std::string& text_more = "", const std::string& more = "") {
  return R"({"architectures":["Mistral3ForConditionalGeneration"],"model_type":"mistral3",)" +
         more +
         R"("text_config":{"model_type":"mistral","vocab_size":261,"hidden_size":72,)"
         R"("intermediate_size":100,"num_hidden_layers":2,"num_attention_heads":6,)"
         R"("num_key_value_heads":2,"head_dim":32,"max_position_embeddings":512,)" +
         text_more + R"("rms_norm_eps":1e-5},"vision_config":{"model_type":"pixtral"}})";
}

class TextPartTest : public ::testing::Test {
 protected:
  // The tiny Llama's tensors with names that begin so.
  void Write(const std::string& config, const std::string& model, const std::string& head,
             const std::vector<std::string>& others = {}) {
    TinyFile file;
    for (TinyTensor tensor : TinyLlamaTensors()) {
      tensor.name = tensor.name.starts_with("model.") ? model + tensor.name.substr(6)
                                                      : head + tensor.name.substr(8);
      if (!head.empty() || tensor.name != "weight") file.Add(TinyFloats(tensor));
    }
    for (const std::string& name : others) file.Add(TinyFloats(tiny::Make(name, {4, 2})));
    tiny::WriteFile(dir_.path() / "config.json", config);
    tiny::WriteFile(dir_.path() / "model.safetensors", file.Safetensors());
  }

  struct Read {
    DecoderSpec spec;
    int64_t left_aside = 0;
  };

  absl::StatusOr<Read> Open() {
    const auto checkpoint = Checkpoint::Open(dir_.string());
    EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
    const auto registry = ArchitectureRegistry::Builtin();
    const auto architecture = registry->Find(*checkpoint);
    EXPECT_TRUE(architecture.ok()) << architecture.status();
    auto spec = ReadSpec(**architecture, *checkpoint);
    if (!spec.ok()) return spec.status();
    const WeightPlan plan(*spec, (*architecture)->names, *checkpoint);
    const absl::Status status = plan.CheckAgainst(checkpoint->tensors());
    if (!status.ok()) return status;
    return Read{*spec, plan.CountLeftAside(checkpoint->tensors())};
  }

  void ExpectFault(absl::StatusCode code, const std::string& message) {
    const absl::Status status = Open().status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_NE(status.message().find(message), absl::string_view::npos) << status;
  }

  const ScratchDir dir_{"text-part"};
};

TEST_F(TextPartTest, BothWaysToNameItsTensorsAreKnown) {
  Write(Mistral3Config(), "language_model.model.", "language_model.lm_head.",
        {"vision_tower.patch_conv.weight", "multi_modal_projector.linear_1.weight"});
  auto read = Open();
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->left_aside, 2);
  EXPECT_EQ(read->spec.head_dim, 32);
  Write(Mistral3Config(), "model.language_model.", "lm_head.",
        {"model.vision_tower.patch_conv.weight"});
  read = Open();
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->left_aside, 1);
  EXPECT_FALSE(read->spec.tied_embeddings);
}

TEST_F(TextPartTest, TheHeadIsTheEmbeddingWhereTheFileHoldsNone) {
  Write(Mistral3Config(R"("tie_word_embeddings":false,)"), "language_model.model.", "");
  const auto read = Open();
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(read->spec.tied_embeddings);
}

TEST_F(TextPartTest, TensorsOfNoPartAreNamed) {
  Write(Mistral3Config(), "language_model.model.", "language_model.lm_head.", {"audio_tower.x"});
  ExpectFault(absl::StatusCode::kInvalidArgument, "audio_tower.x");
}

TEST_F(TextPartTest, ConfigurationsThatDoNotFitAreNamed) {
  Write(R"({"architectures":["Mistral3ForConditionalGeneration"]})", "model.", "lm_head.");
  ExpectFault(absl::StatusCode::kInvalidArgument, "key=text_config is missing");
  Write(absl::StrReplaceAll(Mistral3Config(), {{R"("mistral")", R"("ministral3")"}}), "model.",
        "lm_head.");
  ExpectFault(absl::StatusCode::kUnimplemented,
              "read config.json text_config: model_type=ministral3 is not supported");
  Write(Mistral3Config("", R"("quantization_config":{"quant_method":"bitsandbytes"},)"), "model.",
        "lm_head.");
  ExpectFault(absl::StatusCode::kUnimplemented, "quantization_config=bitsandbytes");
}

TEST_F(TextPartTest, EndTokensMayStandWithTheText) {
  Write(Mistral3Config(R"("eos_token_id":[7,2],)"), "language_model.model.",
        "language_model.lm_head.");
  const auto checkpoint = Checkpoint::Open(dir_.string());
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ(checkpoint->end_token_ids(), (std::vector<TokenId>{2, 7}));
}

// Gemma 3 4B states five keys and leaves the others to the library.
TEST_F(TextPartTest, GemmaLeavesOutWhatTransformersKnows) {
  const auto config = JsonConfig::Parse(
      R"({"text_config": {"hidden_size": 2560, "intermediate_size": 10240,
          "model_type": "gemma3_text", "num_hidden_layers": 34, "sliding_window": 1024,
          "rope_scaling": {"factor": 8.0, "rope_type": "linear"}}})",
      "config.json");
  const auto registry = ArchitectureRegistry::Builtin();
  for (const Architecture& architecture : registry->architectures()) {
    if (architecture.hf_name != "Gemma3ForConditionalGeneration") continue;
    const auto spec = architecture.spec_from_hf(*config);
    ASSERT_TRUE(spec.ok()) << spec.status();
    EXPECT_EQ(spec->vocab_size, 262208);
    EXPECT_EQ(spec->hidden_size, 2560);
    EXPECT_EQ(spec->layer_count, 34);
    EXPECT_EQ(spec->head_count, 8);
    EXPECT_EQ(spec->kv_head_count, 4);
    EXPECT_EQ(spec->head_dim, 256);
    EXPECT_EQ(spec->max_positions, 131072);
    EXPECT_EQ(spec->layers[0].window, 1024);
    EXPECT_EQ(spec->layers[5].window, 0);
    EXPECT_DOUBLE_EQ(spec->attention_scale, 1.0 / 16);
    return;
  }
  ADD_FAILURE() << "not registered";
}

}  // namespace
}  // namespace baton::worker
