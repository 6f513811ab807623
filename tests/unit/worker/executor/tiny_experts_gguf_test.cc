// The tiny models with experts as GGUF files: llama.cpp's names, stacks of experts, orders of rows.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/base/strings.h"
#include "tests/fakes/scratch_dir.h"
#include "tests/fakes/tiny_checkpoint.h"
#include "tests/unit/worker/executor/tiny_golden.h"

namespace baton::worker {
namespace {

std::string GgufName(const std::string& name) {
  return absl::StrReplaceAll(name, {{"model.embed_tokens", "token_embd"},
                                    {"model.layers.", "blk."},
                                    {"model.norm", "output_norm"},
                                    {"lm_head", "output"},
                                    {"self_attn.q_proj", "attn_q"},
                                    {"self_attn.k_proj", "attn_k"},
                                    {"self_attn.v_proj", "attn_v"},
                                    {"self_attn.o_proj", "attn_output"},
                                    {"self_attn.q_norm", "attn_q_norm"},
                                    {"self_attn.k_norm", "attn_k_norm"},
                                    {"self_attn.sinks", "attn_sinks.weight"},
                                    {"self_attn.q_a_proj", "attn_q_a"},
                                    {"self_attn.q_a_layernorm", "attn_q_a_norm"},
                                    {"self_attn.q_b_proj", "attn_q_b"},
                                    {"self_attn.kv_a_proj_with_mqa", "attn_kv_a_mqa"},
                                    {"self_attn.kv_a_layernorm", "attn_kv_a_norm"},
                                    {"self_attn.kv_b_proj", "attn_kv_b"},
                                    {"mlp.gate_proj", "ffn_gate"},
                                    {"mlp.up_proj", "ffn_up"},
                                    {"mlp.down_proj", "ffn_down"},
                                    {"mlp.gate.e_score_correction_bias", "exp_probs_b.bias"},
                                    {"mlp.gate.", "ffn_gate_inp."},
                                    {"mlp.router.", "ffn_gate_inp."},
                                    {"block_sparse_moe.gate.", "ffn_gate_inp."},
                                    {"mlp.shared_experts.gate_proj", "ffn_gate_shexp"},
                                    {"mlp.shared_experts.up_proj", "ffn_up_shexp"},
                                    {"mlp.shared_experts.down_proj", "ffn_down_shexp"},
                                    {"input_layernorm", "attn_norm"},
                                    {"post_attention_layernorm", "ffn_norm"}});
}

// "model.layers.2.mlp.experts.7.up_proj.weight" -> "blk.2.ffn_up_exps.weight"
std::string StackName(const std::string& name) {
  const std::vector<std::string> parts = absl::StrSplit(name, '.');
  const std::string& part = parts[6];
  const char* kind = part == "gate_proj" || part == "w1"   ? "gate"
                     : part == "down_proj" || part == "w2" ? "down"
                                                           : "up";
  return absl::StrCat("blk.", parts[2], ".ffn_", kind, "_exps.weight");
}

// Every second one of a row's numbers.
TinyTensor Alternate(const TinyTensor& from, std::string name, size_t first) {
  TinyTensor to{std::move(name), {from.shape[0], from.shape[1] / 2}, {}};
  for (size_t i = first; i < from.values.size(); i += 2) to.values.push_back(from.values[i]);
  return to;
}

// MXFP4 as GGUF has it, of every `step`-th row.
TinyFileTensor Mxfp4(const TinyFileTensor& blocks, const TinyFileTensor& scales, std::string name,
                     int64_t first, int64_t step) {
  const int64_t items = blocks.shape[0], rows = blocks.shape[1], row_blocks = blocks.shape[2];
  TinyFileTensor to{std::move(name), "", 39, {items, rows / step, row_blocks * 32}, {}};
  for (int64_t row = 0; row < items * rows; ++row) {
    if (row % step != first) continue;
    for (int64_t block = row * row_blocks; block < (row + 1) * row_blocks; ++block) {
      const auto at = static_cast<size_t>(block);
      to.bytes.push_back(scales.bytes[at]);
      const auto number = [&](size_t i) {
        const auto pair = static_cast<uint8_t>(blocks.bytes[at * 16 + i / 2]);
        return i % 2 == 0 ? pair & 15 : pair >> 4;
      };
      for (size_t i = 0; i < 16; ++i) {
        to.bytes.push_back(static_cast<char>(number(i) | number(i + 16) << 4));
      }
    }
  }
  return to;
}

class TinyExpertsGgufTest : public ::testing::Test {
 protected:
  // Tensors as they are, renamed; experts stacked.
  void AddRenamed(const Golden& golden, bool interleaved) {
    std::map<std::string, std::map<int, TinyFileTensor>> stacks;  // by expert
    for (const auto& [name, shape] : golden.tensors) {
      if (absl::StrContains(name, ".mlp.experts.") && golden.config["model_type"] == "gpt_oss") {
        continue;
      }
      TinyTensor tensor = tiny::Make(name, shape);
      if (absl::StrContains(name, ".experts.")) {
        const std::vector<std::string> parts = absl::StrSplit(name, '.');
        stacks[StackName(name)].emplace(std::stoi(parts[5]), TinyFloats(tensor));
        continue;
      }
      const bool turns = absl::StrContains(name, "q_proj") || absl::StrContains(name, "k_proj");
      if (interleaved && turns) tensor = tiny::Interleaved(std::move(tensor));
      tensor.name = GgufName(name);
      if (golden.config["model_type"] == "gpt_oss") {
        tensor.name = absl::StrReplaceAll(tensor.name, {{"ffn_norm", "post_attention_norm"}});
      }
      file_.Add(TinyFloats(tensor));
    }
    for (const auto& [name, experts] : stacks) {
      std::vector<TinyFileTensor> stack;
      for (const auto& [expert, tensor] : experts) stack.push_back(tensor);
      file_.Add(TinyStack(name, stack));
    }
  }

  void AddSizes(const Golden& golden, const std::string& arch) {
    const auto number = [&](const char* key) { return golden.config[key].get<uint32_t>(); };
    file_.AddKey("general.architecture", std::string_view(arch));
    file_.AddKey(arch + ".vocab_size", number("vocab_size"));
    file_.AddKey(arch + ".embedding_length", number("hidden_size"));
    file_.AddKey(arch + ".feed_forward_length", number("intermediate_size"));
    file_.AddKey(arch + ".block_count", number("num_hidden_layers"));
    file_.AddKey(arch + ".attention.head_count", number("num_attention_heads"));
    file_.AddKey(arch + ".context_length", number("max_position_embeddings"));
    file_.AddKey(arch + ".attention.layer_norm_rms_epsilon",
                 golden.config["rms_norm_eps"].get<float>());
    file_.AddKey(arch + ".rope.freq_base", 10000.0f);
    file_.AddKey(arch + ".expert_used_count", number("num_experts_per_tok"));
    file_.AddKey("tokenizer.ggml.eos_token_id", uint32_t{2});
  }

  void AddHeads(const Golden& golden, const std::string& arch) {
    const auto head_dim = golden.config["head_dim"].get<uint32_t>();
    file_.AddKey(arch + ".attention.head_count_kv",
                 golden.config["num_key_value_heads"].get<uint32_t>());
    file_.AddKey(arch + ".attention.key_length", head_dim);
    file_.AddKey(arch + ".attention.value_length", head_dim);
    file_.AddKey(arch + ".rope.dimension_count", head_dim);
  }

  void AddYarn(const std::string& arch) {
    file_.AddKey(arch + ".rope.scaling.type", std::string_view("yarn"));
    file_.AddKey(arch + ".rope.scaling.factor", 8.0f);
    file_.AddKey(arch + ".rope.scaling.original_context_length", uint32_t{64});
  }

  void AddLatentKeys(const Golden& golden, bool newer) {
    const auto number = [&](const char* key) { return golden.config[key].get<uint32_t>(); };
    const std::string arch = "deepseek2";
    const uint32_t row = number("kv_lora_rank") + number("qk_rope_head_dim");
    const uint32_t head = number("qk_nope_head_dim") + number("qk_rope_head_dim");
    file_.AddKey(arch + ".attention.head_count_kv", newer ? 1u : number("num_attention_heads"));
    file_.AddKey(arch + ".attention.kv_lora_rank", number("kv_lora_rank"));
    file_.AddKey(arch + ".attention.key_length", newer ? row : head);
    file_.AddKey(arch + ".attention.value_length", number(newer ? "kv_lora_rank" : "v_head_dim"));
    if (newer) {
      file_.AddKey(arch + ".attention.key_length_mla", head);
      file_.AddKey(arch + ".attention.value_length_mla", number("v_head_dim"));
    }
    file_.AddKey(arch + ".rope.dimension_count", number("qk_rope_head_dim"));
    file_.AddKey(arch + ".leading_dense_block_count", number("first_k_dense_replace"));
    file_.AddKey(arch + ".expert_count", number("n_routed_experts"));
    file_.AddKey(arch + ".expert_feed_forward_length", number("moe_intermediate_size"));
    file_.AddKey(arch + ".expert_shared_count", number("n_shared_experts"));
    file_.AddKey(arch + ".expert_weights_scale", 2.5f);
    file_.AddKey(arch + ".expert_weights_norm", golden.config["norm_topk_prob"].get<bool>());
    file_.AddKey(arch + ".expert_gating_func", uint32_t{2});
    file_.AddKey(arch + ".expert_group_count", number("n_group"));
    file_.AddKey(arch + ".expert_group_used_count", number("topk_group"));
  }

  void ExpectGolden(const Golden& golden) {
    const std::filesystem::path path = dir_.path() / "tiny.gguf";
    tiny::WriteFile(path, file_.Gguf());
    RankRig rig(path.string(), {});
    for (const GoldenPrompt& prompt : golden.prompts) {
      EXPECT_LE(Difference(LastLogits(rig, prompt.tokens, 128), prompt.logits), 1e-4f)
          << prompt.tokens.size() << " tokens";
    }
  }

  const ScratchDir dir_{"tiny-experts-gguf"};
  TinyFile file_;
};

TEST_F(TinyExpertsGgufTest, Qwen3Moe) {
  const Golden golden = ReadGolden("qwen3_moe");
  AddRenamed(golden, false);
  AddSizes(golden, "qwen3moe");
  AddHeads(golden, "qwen3moe");
  file_.AddKey("qwen3moe.expert_count", uint32_t{10});
  file_.AddKey("qwen3moe.expert_feed_forward_length", uint32_t{44});
  file_.AddKey("qwen3moe.leading_dense_block_count", uint32_t{1});
  ExpectGolden(golden);
}

TEST_F(TinyExpertsGgufTest, MixtralIsALlamaWithExperts) {
  const Golden golden = ReadGolden("mixtral");
  AddRenamed(golden, true);
  AddSizes(golden, "llama");
  AddHeads(golden, "llama");
  file_.AddKey("llama.expert_count", uint32_t{5});
  ExpectGolden(golden);
}

TEST_F(TinyExpertsGgufTest, GptOssInMxfp4) {
  const Golden golden = ReadGolden("gpt_oss_mxfp4");
  for (const auto& [name, shape] : golden.tensors) {
    if (!absl::StrContains(name, ".mlp.experts.") || name.ends_with("_scales")) continue;
    const std::vector<std::string> parts = absl::StrSplit(name, '.');
    const std::string at = absl::StrCat("blk.", parts[2], ".ffn_");
    if (name.ends_with("_bias")) {
      const TinyTensor tensor = tiny::Make(name, shape);
      if (name.ends_with("down_proj_bias")) {
        file_.Add(TinyFloats({at + "down_exps.bias", tensor.shape, tensor.values}));
        continue;
      }
      file_.Add(TinyFloats(Alternate(tensor, at + "gate_exps.bias", 0)));
      file_.Add(TinyFloats(Alternate(tensor, at + "up_exps.bias", 1)));
      continue;
    }
    const TinyFileTensor blocks = TinyFromName(name, shape);
    const TinyFileTensor scales = TinyFromName(absl::StrReplaceAll(name, {{"_blocks", "_scales"}}),
                                               {shape[0], shape[1], shape[2]});
    if (name.ends_with("down_proj_blocks")) {
      file_.Add(Mxfp4(blocks, scales, at + "down_exps.weight", 0, 1));
      continue;
    }
    file_.Add(Mxfp4(blocks, scales, at + "gate_exps.weight", 0, 2));
    file_.Add(Mxfp4(blocks, scales, at + "up_exps.weight", 1, 2));
  }
  AddRenamed(golden, false);
  AddSizes(golden, "gpt-oss");
  AddHeads(golden, "gpt-oss");
  AddYarn("gpt-oss");
  file_.AddKey("gpt-oss.rope.scaling.yarn_beta_fast", 8.0f);
  file_.AddKey("gpt-oss.expert_count", uint32_t{6});
  file_.AddKey("gpt-oss.expert_feed_forward_length", uint32_t{64});
  file_.AddKey("gpt-oss.attention.sliding_window", uint32_t{24});
  ExpectGolden(golden);
}

TEST_F(TinyExpertsGgufTest, DeepseekV3WithOneTensorForKeysAndValues) {
  const Golden golden = ReadGolden("deepseek_v3_plain_q");
  AddRenamed(golden, false);
  AddSizes(golden, "deepseek2");
  AddLatentKeys(golden, /*newer=*/false);
  ExpectGolden(golden);
}

// Keys by columns, one behind the other, then values.
TEST_F(TinyExpertsGgufTest, DeepseekV3WithKeysAndValuesApart) {
  Golden golden = ReadGolden("deepseek_v3_plain_q");
  const int64_t heads = 6, plain = 24, value = 20, rank = 48;
  std::vector<std::pair<std::string, std::vector<int64_t>>> others;
  for (const auto& [name, shape] : golden.tensors) {
    if (!absl::StrContains(name, "kv_b_proj")) {
      others.emplace_back(name, shape);
      continue;
    }
    const TinyTensor both = tiny::Make(name, shape);
    const std::vector<std::string> parts = absl::StrSplit(name, '.');
    TinyTensor keys{absl::StrCat("blk.", parts[2], ".attn_k_b.weight"), {heads, rank, plain}, {}};
    TinyTensor values{absl::StrCat("blk.", parts[2], ".attn_v_b.weight"), {heads, value, rank}, {}};
    for (int64_t head = 0; head < heads; ++head) {
      const float* from = both.values.data() + head * (plain + value) * rank;
      for (int64_t i = 0; i < rank * plain; ++i) {
        keys.values.push_back(from[i % plain * rank + i / plain]);
      }
      values.values.insert(values.values.end(), from + plain * rank, from + (plain + value) * rank);
    }
    file_.Add(TinyFloats(keys));
    file_.Add(TinyFloats(values));
  }
  const Golden whole = golden;
  golden.tensors = others;
  AddRenamed(golden, false);
  AddSizes(golden, "deepseek2");
  AddLatentKeys(golden, /*newer=*/true);
  ExpectGolden(whole);
}

}  // namespace
}  // namespace baton::worker
