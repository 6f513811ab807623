// Writes a small random Llama as a checkpoint: real files for tests that need a model and no
// download. The weights are those of tests/golden/model/make_tiny_llama.py, bit for bit, in every
// format: f32, f16 and bf16 hold the same numbers.
//
//   WriteTinyLlama(dir, {.dtype = TinyDtype::kBf16, .shard_count = 3});
//   WriteTinyLlamaGguf(dir / "tiny.gguf");
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

namespace baton {

struct TinyTensor {
  std::string name;
  std::vector<int64_t> shape;
  std::vector<float> values;
};

enum class TinyDtype { kF32, kF16, kBf16 };

struct TinyOptions {
  TinyDtype dtype = TinyDtype::kF32;
  int shard_count = 1;
  bool biases = false;      // on every linear layer but the head
  bool old_config = false;  // rope_theta and rope_scaling, as transformers 4 writes them
};

namespace tiny {

inline constexpr int kVocab = 261, kHidden = 72, kInner = 100, kLayers = 2, kHeads = 6,
                     kKvHeads = 2, kHeadDim = 32;

// splitmix64 from the FNV-1a of a name: the top byte of each number.
inline std::vector<int> Bytes(std::string_view name, int64_t count) {
  uint64_t seed = 0xCBF29CE484222325u;
  for (const char c : name) seed = (seed ^ static_cast<uint8_t>(c)) * 0x100000001B3u;
  std::vector<int> bytes;
  for (int64_t i = 1; i <= count; ++i) {
    uint64_t x = static_cast<uint64_t>(i) * 0x9E3779B97F4A7C15u + seed;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    bytes.push_back(static_cast<int>((x ^ (x >> 31)) >> 56));
  }
  return bytes;
}

// To the nearest bf16, ties to even.
inline uint16_t Bf16Bits(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
inline float FromBf16(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

// Exact for our weights: normal numbers with few bits.
inline uint16_t F16Bits(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffu) == 0) return static_cast<uint16_t>(bits >> 16);
  const uint32_t exponent = ((bits >> 23) & 0xffu) - 112;
  return static_cast<uint16_t>(((bits >> 16) & 0x8000u) | (exponent << 10) |
                               ((bits >> 13) & 0x3ffu));
}

inline TinyTensor Make(std::string name, std::vector<int64_t> shape) {
  int64_t count = 1;
  for (const int64_t dim : shape) count *= dim;
  const bool norm = name.ends_with("norm.weight");
  std::vector<float> values;
  for (const int byte : Bytes(name, count)) {
    const float value = static_cast<float>(byte - 128) / 512.0f;
    values.push_back(norm ? FromBf16(Bf16Bits(1.0f + value)) : value);
  }
  return {std::move(name), std::move(shape), std::move(values)};
}

inline std::string Encode(const TinyTensor& tensor, TinyDtype dtype) {
  std::string bytes;
  for (const float value : tensor.values) {
    const uint32_t word = dtype == TinyDtype::kF32   ? std::bit_cast<uint32_t>(value)
                          : dtype == TinyDtype::kF16 ? F16Bits(value)
                                                     : Bf16Bits(value);
    bytes.append(reinterpret_cast<const char*>(&word), dtype == TinyDtype::kF32 ? 4 : 2);
  }
  return bytes;
}

inline void WriteFile(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

template <typename T>
void Append(std::string& to, T value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

inline void AppendString(std::string& to, std::string_view text) {
  Append<uint64_t>(to, text.size());
  to.append(text);
}

// One GGUF key of an integer, a float or a string.
inline void AppendKey(std::string& to, std::string_view key, uint32_t value) {
  AppendString(to, key);
  Append<uint32_t>(to, 4);
  Append(to, value);
}
inline void AppendKey(std::string& to, std::string_view key, float value) {
  AppendString(to, key);
  Append<uint32_t>(to, 6);
  Append(to, value);
}
inline void AppendKey(std::string& to, std::string_view key, std::string_view value) {
  AppendString(to, key);
  Append<uint32_t>(to, 8);
  AppendString(to, value);
}

// GGUF's order of the rows of Q and K: the two halves of a head interleaved.
inline TinyTensor Interleaved(TinyTensor tensor) {
  const std::vector<float> from = tensor.values;
  const int64_t cols = tensor.shape[1];
  for (int64_t row = 0; row < tensor.shape[0]; ++row) {
    const int64_t head = row / kHeadDim;
    const int64_t dim = row % kHeadDim;
    const int64_t source = head * kHeadDim + dim % 2 * (kHeadDim / 2) + dim / 2;
    std::copy_n(from.begin() + source * cols, cols, tensor.values.begin() + row * cols);
  }
  return tensor;
}

// llama.cpp's way to say "llama3" rope scaling.
inline TinyTensor RopeFactors() {
  TinyTensor tensor{"rope_freqs.weight", {kHeadDim / 2}, {}};
  for (int i = 0; i < kHeadDim / 2; ++i) {
    const double wavelength = 2 * std::numbers::pi * std::pow(10000.0, 2.0 * i / kHeadDim);
    const double smooth = (64 / wavelength - 1) / (4 - 1);
    const double factor = wavelength < 64.0 / 4   ? 1
                          : wavelength > 64.0 / 1 ? 8
                                                  : 1 / ((1 - smooth) / 8 + smooth);
    tensor.values.push_back(static_cast<float>(factor));
  }
  return tensor;
}

}  // namespace tiny

inline std::vector<TinyTensor> TinyLlamaTensors(bool biases = false) {
  using namespace tiny;
  std::vector<TinyTensor> tensors;
  tensors.push_back(Make("model.embed_tokens.weight", {kVocab, kHidden}));
  for (int layer = 0; layer < kLayers; ++layer) {
    const std::string at = "model.layers." + std::to_string(layer) + ".";
    tensors.push_back(Make(at + "input_layernorm.weight", {kHidden}));
    tensors.push_back(Make(at + "self_attn.q_proj.weight", {kHeads * kHeadDim, kHidden}));
    tensors.push_back(Make(at + "self_attn.k_proj.weight", {kKvHeads * kHeadDim, kHidden}));
    tensors.push_back(Make(at + "self_attn.v_proj.weight", {kKvHeads * kHeadDim, kHidden}));
    tensors.push_back(Make(at + "self_attn.o_proj.weight", {kHidden, kHeads * kHeadDim}));
    tensors.push_back(Make(at + "post_attention_layernorm.weight", {kHidden}));
    tensors.push_back(Make(at + "mlp.gate_proj.weight", {kInner, kHidden}));
    tensors.push_back(Make(at + "mlp.up_proj.weight", {kInner, kHidden}));
    tensors.push_back(Make(at + "mlp.down_proj.weight", {kHidden, kInner}));
    if (!biases) continue;
    tensors.push_back(Make(at + "self_attn.q_proj.bias", {kHeads * kHeadDim}));
    tensors.push_back(Make(at + "self_attn.k_proj.bias", {kKvHeads * kHeadDim}));
    tensors.push_back(Make(at + "self_attn.v_proj.bias", {kKvHeads * kHeadDim}));
    tensors.push_back(Make(at + "self_attn.o_proj.bias", {kHidden}));
    tensors.push_back(Make(at + "mlp.gate_proj.bias", {kInner}));
    tensors.push_back(Make(at + "mlp.up_proj.bias", {kInner}));
    tensors.push_back(Make(at + "mlp.down_proj.bias", {kHidden}));
  }
  tensors.push_back(Make("model.norm.weight", {kHidden}));
  tensors.push_back(Make("lm_head.weight", {kVocab, kHidden}));
  return tensors;
}

inline std::string TinyLlamaConfig(const TinyOptions& options = {}) {
  const std::string scaling =
      R"("rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,)"
      R"("original_max_position_embeddings":64})";
  const std::string rope = options.old_config
                               ? R"("rope_theta":10000.0,"rope_scaling":{)" + scaling
                               : R"("rope_parameters":{"rope_theta":10000.0,)" + scaling;
  const std::string biases =
      options.biases ? R"("attention_bias":true,"mlp_bias":true,)" : std::string();
  return R"({"architectures":["LlamaForCausalLM"],"model_type":"llama","vocab_size":261,)"
         R"("hidden_size":72,"intermediate_size":100,"num_hidden_layers":2,)"
         R"("num_attention_heads":6,"num_key_value_heads":2,"head_dim":32,)"
         R"("max_position_embeddings":512,"rms_norm_eps":1e-05,"tie_word_embeddings":false,)"
         R"("hidden_act":"silu","bos_token_id":1,"eos_token_id":2,)" +
         biases + rope + "}";
}

// One safetensors file.
inline std::string TinySafetensors(const std::vector<TinyTensor>& tensors, TinyDtype dtype) {
  const std::string name = dtype == TinyDtype::kF32   ? "F32"
                           : dtype == TinyDtype::kF16 ? "F16"
                                                      : "BF16";
  std::string header = R"({"__metadata__":{"format":"pt"})";
  std::string data;
  for (const TinyTensor& tensor : tensors) {
    std::string shape;
    for (const int64_t dim : tensor.shape) {
      shape += (shape.empty() ? "" : ",") + std::to_string(dim);
    }
    const size_t begin = data.size();
    data += tiny::Encode(tensor, dtype);
    header += ",\"" + tensor.name + "\":{\"dtype\":\"" + name + "\",\"shape\":[" + shape +
              "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(data.size()) +
              "]}";
  }
  header += "}";
  std::string file;
  tiny::Append<uint64_t>(file, header.size());
  return file + header + data;
}

// A Hugging Face directory without a tokenizer. `dir` must exist.
inline void WriteTinyLlama(const std::filesystem::path& dir, const TinyOptions& options = {}) {
  tiny::WriteFile(dir / "config.json", TinyLlamaConfig(options));
  tiny::WriteFile(dir / "generation_config.json", R"({"eos_token_id":[2,7]})");
  const std::vector<TinyTensor> tensors = TinyLlamaTensors(options.biases);
  if (options.shard_count == 1) {
    tiny::WriteFile(dir / "model.safetensors", TinySafetensors(tensors, options.dtype));
    return;
  }
  std::string index;
  for (int shard = 0; shard < options.shard_count; ++shard) {
    const std::string file = "model-" + std::to_string(shard) + ".safetensors";
    std::vector<TinyTensor> part;
    for (size_t i = static_cast<size_t>(shard); i < tensors.size();
         i += static_cast<size_t>(options.shard_count)) {
      part.push_back(tensors[i]);
      index += (index.empty() ? "\"" : ",\"") + tensors[i].name + "\":\"" + file + "\"";
    }
    tiny::WriteFile(dir / file, TinySafetensors(part, options.dtype));
  }
  tiny::WriteFile(dir / "model.safetensors.index.json", "{\"weight_map\":{" + index + "}}");
}

// The name that llama.cpp gives to a tensor.
inline std::string TinyGgufName(std::string name) {
  const std::pair<std::string_view, std::string_view> renames[] = {
      {"model.embed_tokens", "token_embd"},    {"model.layers.", "blk."},
      {"model.norm", "output_norm"},           {"lm_head", "output"},
      {"self_attn.q_proj", "attn_q"},          {"self_attn.k_proj", "attn_k"},
      {"self_attn.v_proj", "attn_v"},          {"self_attn.o_proj", "attn_output"},
      {"mlp.gate_proj", "ffn_gate"},           {"mlp.up_proj", "ffn_up"},
      {"mlp.down_proj", "ffn_down"},           {"input_layernorm", "attn_norm"},
      {"post_attention_layernorm", "ffn_norm"}};
  for (const auto& [from, to] : renames) {
    const size_t at = name.find(from);
    if (at != std::string::npos) name.replace(at, from.size(), to);
  }
  return name;
}

// A GGUF file of these f32 tensors behind `key_count` keys.
inline std::string TinyGgufFile(uint64_t key_count, const std::string& keys,
                                const std::vector<TinyTensor>& tensors) {
  using namespace tiny;
  std::string infos;
  std::string data;
  for (const TinyTensor& tensor : tensors) {
    AppendString(infos, tensor.name);
    Append(infos, static_cast<uint32_t>(tensor.shape.size()));
    for (size_t i = tensor.shape.size(); i-- > 0;)
      Append<uint64_t>(infos, static_cast<uint64_t>(tensor.shape[i]));
    Append<uint32_t>(infos, 0);
    Append<uint64_t>(infos, data.size());
    data += Encode(tensor, TinyDtype::kF32);
    data.resize((data.size() + 31) / 32 * 32);
  }
  std::string file = "GGUF";
  Append<uint32_t>(file, 3);
  Append<uint64_t>(file, tensors.size());
  Append<uint64_t>(file, key_count);
  file += keys + infos;
  file.resize((file.size() + 31) / 32 * 32);
  return file + data;
}

// The tiny Llama's tensors as llama.cpp names them, Q and K in its order of rows.
inline std::vector<TinyTensor> TinyLlamaGgufTensors() {
  using namespace tiny;
  std::vector<TinyTensor> tensors = TinyLlamaTensors();
  tensors.push_back(RopeFactors());
  for (TinyTensor& tensor : tensors) {
    const bool rotates = tensor.name.find("q_proj") != std::string::npos ||
                         tensor.name.find("k_proj") != std::string::npos;
    if (rotates) tensor = Interleaved(std::move(tensor));
    tensor.name = TinyGgufName(tensor.name);
  }
  return tensors;
}

inline constexpr uint64_t kTinyLlamaGgufKeyCount = 14;

inline std::string TinyLlamaGgufKeys() {
  using namespace tiny;
  std::string keys;
  AppendKey(keys, "general.architecture", std::string_view("llama"));
  AppendKey(keys, "llama.vocab_size", uint32_t{kVocab});
  AppendKey(keys, "llama.embedding_length", uint32_t{kHidden});
  AppendKey(keys, "llama.feed_forward_length", uint32_t{kInner});
  AppendKey(keys, "llama.block_count", uint32_t{kLayers});
  AppendKey(keys, "llama.attention.head_count", uint32_t{kHeads});
  AppendKey(keys, "llama.attention.head_count_kv", uint32_t{kKvHeads});
  AppendKey(keys, "llama.attention.key_length", uint32_t{kHeadDim});
  AppendKey(keys, "llama.attention.value_length", uint32_t{kHeadDim});
  AppendKey(keys, "llama.context_length", uint32_t{512});
  AppendKey(keys, "llama.rope.freq_base", 10000.0f);
  AppendKey(keys, "llama.rope.dimension_count", uint32_t{kHeadDim});
  AppendKey(keys, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
  AppendKey(keys, "tokenizer.ggml.eos_token_id", uint32_t{2});
  return keys;
}

// The same model as a GGUF file, in f32 with Q and K in GGUF's row order, without a tokenizer.
inline std::string TinyLlamaGguf() {
  return TinyGgufFile(kTinyLlamaGgufKeyCount, TinyLlamaGgufKeys(), TinyLlamaGgufTensors());
}

inline void WriteTinyLlamaGguf(const std::filesystem::path& path) {
  tiny::WriteFile(path, TinyLlamaGguf());
}

}  // namespace baton
