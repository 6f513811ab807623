// From a checkpoint's configuration to a spec and a weight plan, and what is refused on the way.

#include <gtest/gtest.h>

#include <functional>

#include "tests/fakes/scratch_dir.h"
#include "tests/fakes/tiny_llama.h"
#include "worker/model/architecture.h"
#include "worker/model/decoder_weights.h"

namespace baton::worker {
namespace {

absl::StatusOr<DecoderSpec> SpecOf(const std::string& config) {
  const absl::StatusOr<JsonConfig> parsed = JsonConfig::Parse(config, "config.json");
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  const auto registry = ArchitectureRegistry::Builtin();
  for (const Architecture& architecture : registry->architectures()) {
    if (architecture.hf_name != "LlamaForCausalLM") continue;
    absl::StatusOr<DecoderSpec> spec = architecture.spec_from_hf(*parsed);
    if (!spec.ok()) return spec;
    absl::Status status = CheckSizes(*spec);
    if (status.ok()) status = CheckSupported(*spec);
    if (!status.ok()) return status;
    return spec;
  }
  return absl::NotFoundError("llama");
}

// The tiny configuration with `from` replaced by `to`.
std::string Changed(const std::string& from, const std::string& to) {
  std::string config = TinyLlamaConfig();
  const size_t at = config.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return config.replace(at, from.size(), to);
}

TEST(LlamaSpec, BothSpellingsOfRopeGiveTheSame) {
  for (const bool old_config : {false, true}) {
    const auto spec = SpecOf(TinyLlamaConfig({.old_config = old_config}));
    ASSERT_TRUE(spec.ok()) << spec.status();
    EXPECT_EQ(spec->head_count, 6);
    EXPECT_EQ(spec->kv_head_count, 2);
    EXPECT_EQ(spec->head_dim, 32);
    ASSERT_EQ(spec->ropes.size(), 1u);
    EXPECT_EQ(spec->ropes[0].rotary_dim, 32);
    EXPECT_EQ(spec->ropes[0].theta, 10000.0);
    const auto* llama3 = std::get_if<Llama3RopeScaling>(&spec->ropes[0].scaling);
    ASSERT_NE(llama3, nullptr);
    EXPECT_EQ(llama3->original_max_positions, 64);
    EXPECT_FALSE(spec->tied_embeddings);
  }
}

TEST(LlamaSpec, DefaultsAreThoseOfTransformers) {
  const auto spec =
      SpecOf(R"({"vocab_size":100,"hidden_size":64,"intermediate_size":128,"num_hidden_layers":1,)"
             R"("num_attention_heads":4})");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->kv_head_count, 4);
  EXPECT_EQ(spec->head_dim, 16);
  EXPECT_EQ(spec->max_positions, 2048);
  EXPECT_EQ(spec->ropes[0].theta, 10000.0);
  EXPECT_FLOAT_EQ(static_cast<float>(spec->norm_epsilon), 1e-6f);
  EXPECT_DOUBLE_EQ(spec->attention_scale, 0.25);
}

TEST(LlamaSpec, WhatIsNotSupportedIsNamed) {
  const auto expect = [](const std::string& config, const std::string& message) {
    const absl::Status status = SpecOf(config).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented) << status;
    EXPECT_NE(status.message().find(message), absl::string_view::npos) << status;
  };
  expect(Changed("\"llama3\"", "\"mrope\""), "rope_type=mrope");
  expect(Changed("\"silu\"", "\"relu\""), "hidden_act=relu");
  expect(Changed("\"hidden_act\"", R"("quantization_config":{"quant_method":"aqlm"},"hidden_act")"),
         "quantization_config=aqlm");
  expect(Changed("\"head_dim\":32", "\"head_dim\":12"), "multiple of 8");
}

TEST(LlamaSpec, SizesThatCannotBeAreNamed) {
  const auto expect = [](const std::string& config, const std::string& message) {
    const absl::Status status = SpecOf(config).status();
    EXPECT_FALSE(status.ok());
    EXPECT_NE(status.message().find(message), absl::string_view::npos) << status;
  };
  expect(Changed("\"hidden_size\":72", "\"hidden_size\":-72"), "key=hidden_size is -72");
  expect(Changed("\"hidden_size\":72", "\"hidden_size\":0"), "hidden_size=0");
  expect(Changed("\"hidden_size\":72,", ""), "key=hidden_size is missing");
  expect(Changed("\"hidden_size\":72", "\"hidden_size\":\"72\""), "string/integer");
  expect(Changed("\"num_attention_heads\":6", "\"num_attention_heads\":0"), "heads=0");
  expect(Changed("\"num_key_value_heads\":2", "\"num_key_value_heads\":4"),
         "heads=6 is no multiple");
  expect(Changed("\"num_key_value_heads\":2", "\"num_key_value_heads\":7"), "kv heads=7");
  expect(Changed("\"num_hidden_layers\":2", "\"num_hidden_layers\":99999999999"), "99999999999");
  expect(Changed("\"num_hidden_layers\":2", "\"num_hidden_layers\":2000000"), "layers=2000000");
  expect(Changed("1e-05", "0"), "epsilon=0");
  expect(Changed("\"factor\":8.0", "\"factor\":-8.0"), "factor=-8");
  expect(Changed("\"factor\":8.0,", ""), "key=factor is missing");
  expect(Changed("\"high_freq_factor\":4.0", "\"high_freq_factor\":1.0"), "high_freq_factor");
}

// The plan of weights has rows for each.
TEST(CheckSizes, ExpertsOfAllLayersAreBounded) {
  DecoderSpec spec = *SpecOf(TinyLlamaConfig());
  ASSERT_TRUE(SetLayerCount(4096, spec).ok());
  for (LayerSpec& layer : spec.layers) layer.feed_forward = FeedForwardKind::kExperts;
  spec.moe.expert_size = 8;
  spec.moe.routing.expert_count = 32;
  spec.moe.routing.experts_per_token = 1;
  EXPECT_TRUE(CheckSizes(spec).ok()) << CheckSizes(spec);
  spec.moe.routing.expert_count = 33;
  EXPECT_NE(CheckSizes(spec).message().find("layers times experts=135168"),
            absl::string_view::npos);
}

// What a GGUF file says after `from`, somewhere in its metadata, was replaced by as many bytes.
absl::Status GgufStatus(const std::string& from, const std::string& to) {
  EXPECT_EQ(from.size(), to.size());
  const ScratchDir dir("gguf-spec");
  std::string file = TinyLlamaGguf();
  const size_t at = file.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  tiny::WriteFile(dir.path() / "tiny.gguf", file.replace(at, from.size(), to));
  const auto checkpoint = Checkpoint::Open(dir.string());
  if (!checkpoint.ok()) return checkpoint.status();
  const auto registry = ArchitectureRegistry::Builtin();
  const auto architecture = registry->Find(*checkpoint);
  if (!architecture.ok()) return architecture.status();
  return ReadSpec(**architecture, *checkpoint).status();
}

TEST(LlamaSpec, GgufKeysThatAreMissingOrWrongAreNamed) {
  const auto expect = [](const absl::Status& status, const std::string& message) {
    EXPECT_FALSE(status.ok());
    EXPECT_NE(status.message().find(message), absl::string_view::npos) << status;
  };
  const auto number = [](uint32_t value) {
    std::string raw;
    tiny::Append<uint32_t>(raw, 4);
    tiny::Append(raw, value);
    return raw;
  };
  expect(GgufStatus("llama.block_count", "llama.block_clown"), "llama.block_count");
  expect(GgufStatus("llama.block_count" + number(2), "llama.block_count" + number(0)), "layers=0");
  expect(GgufStatus("llama.block_count" + number(2), "llama.block_count" + number(0xffffffff)),
         "llama.block_count is 4294967295");
  expect(GgufStatus("value_length" + number(32), "value_length" + number(16)),
         "value_length=16 unlike key_length");
  expect(GgufStatus("dimension_count" + number(32), "dimension_count" + number(16)),
         "dimension_count=16 of head_dim=32");
  std::string key;
  tiny::AppendString(key, "general.architecture");
  const std::string type("\x08\0\0\0", 4);
  std::string llama;
  tiny::AppendString(llama, "llama");
  std::string mamba;
  tiny::AppendString(mamba, "mamba");
  expect(GgufStatus(key + type + llama, key + type + mamba), "architecture=mamba");
}

TEST(Architecture, AnUnknownOneListsThoseWeKnow) {
  const ScratchDir dir("architecture");
  WriteTinyLlama(dir.path());
  tiny::WriteFile(dir.path() / "config.json", Changed("LlamaForCausalLM", "MambaForCausalLM"));
  const auto checkpoint = Checkpoint::Open(dir.string());
  const absl::Status status = ArchitectureRegistry::Builtin()->Find(*checkpoint).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  for (const char* part : {"MambaForCausalLM is not supported; known: ", "LlamaForCausalLM"}) {
    EXPECT_NE(status.message().find(part), absl::string_view::npos) << status;
  }
}

TEST(Architecture, NamesAreTakenOnce) {
  auto registry = ArchitectureRegistry::Builtin();
  ASSERT_TRUE(registry.ok());
  EXPECT_EQ(registry->Add({.hf_name = "LlamaForCausalLM"}).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(registry->Add({.gguf_name = "llama"}).code(), absl::StatusCode::kAlreadyExists);
}

class WeightPlanTest : public ::testing::Test {
 protected:
  // Checks the plan against the tiny model's tensors after `change`.
  absl::Status Check(const std::function<void(std::vector<TinyTensor>&)>& change,
                     const std::string& config = TinyLlamaConfig()) {
    tiny::WriteFile(dir_.path() / "config.json", config);
    std::vector<TinyTensor> tensors = TinyLlamaTensors();
    change(tensors);
    tiny::WriteFile(dir_.path() / "model.safetensors", TinySafetensors(tensors, TinyDtype::kF32));
    const auto checkpoint = Checkpoint::Open(dir_.string());
    const auto registry = ArchitectureRegistry::Builtin();
    const auto architecture = registry->Find(*checkpoint);
    const auto spec = ReadSpec(**architecture, *checkpoint);
    if (!spec.ok()) return spec.status();
    const WeightPlan plan(*spec, (*architecture)->names, *checkpoint);
    return plan.CheckAgainst(checkpoint->tensors());
  }
  void ExpectFault(const absl::Status& status, const std::string& message) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find(message), absl::string_view::npos) << status;
  }

  const ScratchDir dir_{"weight-plan"};
};

TEST_F(WeightPlanTest, TheTinyModelFits) {
  EXPECT_TRUE(Check([](auto&) {}).ok());
}

TEST_F(WeightPlanTest, WhatIsMissingIsNamed) {
  ExpectFault(Check([](auto& tensors) { tensors.erase(tensors.begin() + 3); }),
              "tensor=model.layers.0.self_attn.k_proj.weight is missing");
  ExpectFault(Check([](auto& tensors) { tensors.pop_back(); }), "tensor=lm_head.weight is missing");
}

TEST_F(WeightPlanTest, ATiedModelNeedsNoHeadAndMayHaveOne) {
  const std::string tied = Changed("\"tie_word_embeddings\":false", "\"tie_word_embeddings\":true");
  EXPECT_TRUE(Check([](auto& tensors) { tensors.pop_back(); }, tied).ok());
  EXPECT_TRUE(Check([](auto&) {}, tied).ok());
}

// As transformers has it: a head that was trained apart counts, whatever the configuration says.
TEST_F(WeightPlanTest, AHeadUnlikeTheEmbeddingIsNotTied) {
  const std::string config =
      Changed("\"tie_word_embeddings\":false", "\"tie_word_embeddings\":true");
  const auto tied = [&](bool equal) {
    const absl::Status status = Check(
        [&](auto& tensors) {
          if (equal) tensors.back().values = tensors.front().values;
        },
        config);
    EXPECT_TRUE(status.ok()) << status;
    const auto checkpoint = Checkpoint::Open(dir_.string());
    const auto registry = ArchitectureRegistry::Builtin();
    return ReadSpec(**registry->Find(*checkpoint), *checkpoint)->tied_embeddings;
  };
  EXPECT_TRUE(tied(true));
  EXPECT_FALSE(tied(false));
}

TEST_F(WeightPlanTest, WhatHasAnotherShapeIsNamed) {
  ExpectFault(Check([](auto& tensors) {
                tensors[9] = tiny::Make(tensors[9].name, {100, 72});
              }),
              "load model.safetensors: tensor=model.layers.0.mlp.down_proj.weight has shape "
              "[100, 72]/[72, 100]");
}

TEST_F(WeightPlanTest, WhatNobodyUsesIsNamedUnlessItIsKnownToBeIdle) {
  ExpectFault(Check([](auto& tensors) {
                tensors.push_back(tiny::Make("model.layers.0.self_attn.q_proj.bias", {192}));
              }),
              "1 tensors belong to no weight of this architecture: "
              "model.layers.0.self_attn.q_proj.bias");
  EXPECT_TRUE(Check([](auto& tensors) {
                tensors.push_back(tiny::Make("model.layers.0.self_attn.rotary_emb.inv_freq", {16}));
              }).ok());
}

TEST_F(WeightPlanTest, BiasesAreWeightsWhereTheConfigurationSaysSo) {
  const std::string biased = Changed("\"hidden_act\"", R"("attention_bias":true,"hidden_act")");
  ExpectFault(Check([](auto&) {}, biased), "q_proj.bias is missing");
  EXPECT_TRUE(Check(
                  [](auto& tensors) {
                    for (const std::string layer : {"0", "1"}) {
                      const std::string at = "model.layers." + layer + ".self_attn.";
                      tensors.push_back(tiny::Make(at + "q_proj.bias", {192}));
                      tensors.push_back(tiny::Make(at + "k_proj.bias", {64}));
                      tensors.push_back(tiny::Make(at + "v_proj.bias", {64}));
                      tensors.push_back(tiny::Make(at + "o_proj.bias", {72}));
                    }
                  },
                  biased)
                  .ok());
}

TEST(CheckShard, WhatCannotBeCutIsNamed) {
  DecoderSpec spec = *SpecOf(TinyLlamaConfig());
  EXPECT_TRUE(CheckShard(spec, {0, 2}).ok());
  EXPECT_EQ(CheckShard(spec, {0, 4}).message(), "shard model: heads=6 cannot be cut into 4 parts");
  spec.intermediate_size = 101;
  EXPECT_EQ(CheckShard(spec, {0, 2}).message(),
            "shard model: intermediate_size=101 cannot be cut into 2 parts");
}

TEST(CheckSupported, EveryFieldThatWeDoNotDoIsRefused) {
  const DecoderSpec llama = *SpecOf(TinyLlamaConfig());
  const auto expect = [&](const std::function<void(DecoderSpec&)>& change) {
    DecoderSpec spec = llama;
    change(spec);
    EXPECT_EQ(CheckSupported(spec).code(), absl::StatusCode::kUnimplemented);
  };
  EXPECT_TRUE(CheckSupported(llama).ok());
  expect([](DecoderSpec& s) { s.norm = NormKind::kLayer; });
  expect([](DecoderSpec& s) { s.gated_mlp = false; });
}

}  // namespace
}  // namespace baton::worker
