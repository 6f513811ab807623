// What a config.json may leave out, as transformers fills it in, and what it must not ask for.

#include <gtest/gtest.h>

#include "worker/model/architecture.h"

namespace baton::worker {
namespace {

absl::StatusOr<DecoderSpec> ReadSpecOf(std::string_view name, const std::string& more) {
  const auto config = JsonConfig::Parse(
      R"({"vocab_size":100,"hidden_size":64,"intermediate_size":96,"num_hidden_layers":2,)"
      R"("num_attention_heads":32)" +
          more + "}",
      "config.json");
  EXPECT_TRUE(config.ok()) << config.status();
  const auto registry = ArchitectureRegistry::Builtin();
  for (const Architecture& architecture : registry->architectures()) {
    if (architecture.hf_name != name) continue;
    return architecture.spec_from_hf(config->WithDefaults(architecture.hf_defaults));
  }
  return absl::NotFoundError(std::string(name));
}

DecoderSpec SpecOf(std::string_view name, const std::string& more) {
  const auto spec = ReadSpecOf(name, more);
  EXPECT_TRUE(spec.ok()) << spec.status();
  return spec.value_or(DecoderSpec());
}

TEST(HfDefaults, AreOfTheFamily) {
  const DecoderSpec gemma = SpecOf("Gemma2ForCausalLM", "");
  EXPECT_EQ(gemma.attention_soft_cap, 50);
  EXPECT_EQ(gemma.logit_soft_cap, 30);
  EXPECT_EQ(gemma.layers[0].window, 4096);
  EXPECT_EQ(gemma.layers[1].window, 0);
  EXPECT_EQ(gemma.head_dim, 256);
  EXPECT_EQ(gemma.kv_head_count, 4);
  EXPECT_TRUE(gemma.tied_embeddings);

  const DecoderSpec mistral = SpecOf("MistralForCausalLM", "");
  EXPECT_EQ(mistral.layers[0].window, 4096);
  EXPECT_EQ(mistral.max_positions, 131072);
  EXPECT_EQ(mistral.norm_epsilon, 1e-6);

  const DecoderSpec mixtral = SpecOf("MixtralForCausalLM", "");
  EXPECT_EQ(mixtral.ropes[0].theta, 1e6);
  EXPECT_EQ(mixtral.norm_epsilon, 1e-5);

  const DecoderSpec qwen = SpecOf("Qwen2ForCausalLM", "");
  EXPECT_EQ(qwen.layers[1].window, 0);
  EXPECT_EQ(qwen.max_positions, 32768);

  const DecoderSpec gpt_oss = SpecOf("GptOssForCausalLM", "");
  const auto* yarn = std::get_if<YarnRopeScaling>(&gpt_oss.ropes[0].scaling);
  ASSERT_NE(yarn, nullptr);
  EXPECT_EQ(yarn->factor, 32);
  EXPECT_FALSE(yarn->truncate);
  EXPECT_EQ(gpt_oss.ropes[0].theta, 150000);
}

TEST(HfDefaults, DoNotReplaceNull) {
  const DecoderSpec gemma = SpecOf(
      "Gemma2ForCausalLM", R"(,"attn_logit_softcapping":null,"final_logit_softcapping":null)");
  EXPECT_EQ(gemma.attention_soft_cap, 0);
  EXPECT_EQ(gemma.logit_soft_cap, 0);
  EXPECT_EQ(SpecOf("MistralForCausalLM", R"(,"sliding_window":null)").layers[0].window, 0);
  EXPECT_EQ(SpecOf("DeepseekV3ForCausalLM", R"(,"q_lora_rank":null)").latent.q_rank, 0);
}

TEST(HfDefaults, AKeyWins) {
  const DecoderSpec mixtral =
      SpecOf("MixtralForCausalLM", R"(,"rope_theta":5e5,"rms_norm_eps":1e-3)");
  EXPECT_EQ(mixtral.ropes[0].theta, 5e5);
  EXPECT_EQ(mixtral.norm_epsilon, 1e-3);
  // The older spelling, over the newer one's default.
  const DecoderSpec gpt_oss =
      SpecOf("GptOssForCausalLM", R"(,"rope_scaling":{"rope_type":"linear","factor":2})");
  EXPECT_TRUE(std::holds_alternative<LinearRopeScaling>(gpt_oss.ropes[0].scaling));
}

// What would change the answers is read or refused, never passed over.
TEST(HfConfig, NamesWhatAFamilyDoesNotDo) {
  const std::tuple<const char*, const char*, const char*> refusals[] = {
      {"MixtralForCausalLM", R"(,"hidden_act":"relu")", "hidden_act=relu"},
      {"Qwen3MoeForCausalLM", R"(,"hidden_act":"relu")", "hidden_act=relu"},
      {"DeepseekV3ForCausalLM", R"(,"hidden_act":"relu")", "hidden_act=relu"},
      {"DeepseekV3ForCausalLM", R"(,"scoring_func":"softmax")", "scoring_func=softmax"},
      {"Gemma3ForCausalLM", R"(,"use_bidirectional_attention":true)",
       "use_bidirectional_attention=true"}};
  for (const auto& [name, more, message] : refusals) {
    const absl::Status status = ReadSpecOf(name, more).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented) << name;
    EXPECT_NE(status.message().find(message), absl::string_view::npos) << status;
  }
}

// Its configurations have the key, but nobody caps the scores.
TEST(HfDefaults, Gemma3CapsNoScores) {
  EXPECT_EQ(SpecOf("Gemma3ForCausalLM", R"(,"attn_logit_softcapping":20)").attention_soft_cap, 0);
}

}  // namespace
}  // namespace baton::worker
