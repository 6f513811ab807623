#include "worker/model/config_keys.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "worker/loader/quantized_source.h"

namespace baton::worker {
namespace {

absl::StatusOr<int32_t> ToSize(int64_t value, std::string_view source, std::string_view key) {
  if (value >= 0 && value <= INT32_MAX) return static_cast<int32_t>(value);
  return InvalidArgument(
      absl::StrCat("read ", ToAbsl(source), ": key=", ToAbsl(key), " is ", value, "/a size"));
}

absl::Status Refuse(const JsonConfig& config, std::string_view key, std::string_view value) {
  return Unimplemented(absl::StrCat("read ", config.source(), ": ", ToAbsl(key), "=", ToAbsl(value),
                                    " is not supported"));
}

absl::StatusOr<int32_t> GgufVocabSize(const GgufMetadata& metadata, const std::string& key) {
  if (metadata.Has(key)) return GgufSize(metadata, key);
  ASSIGN_OR_RETURN(const GgufStringArray tokens, metadata.GetStrings("tokenizer.ggml.tokens"));
  return ToSize(static_cast<int64_t>(tokens.size()), metadata.source(), "tokenizer.ggml.tokens");
}

double DefaultScale(int32_t head_dim) { return 1.0 / std::sqrt(static_cast<double>(head_dim)); }

}  // namespace

absl::StatusOr<int32_t> HfSize(const JsonConfig& config, std::string_view key) {
  ASSIGN_OR_RETURN(const int64_t value, config.GetInt(key));
  return ToSize(value, config.source(), key);
}

absl::StatusOr<int32_t> HfSizeOr(const JsonConfig& config, std::string_view key, int32_t fallback) {
  ASSIGN_OR_RETURN(const int64_t value, config.GetIntOr(key, fallback));
  return ToSize(value, config.source(), key);
}

absl::StatusOr<int32_t> GgufSize(const GgufMetadata& metadata, const std::string& key) {
  ASSIGN_OR_RETURN(const int64_t value, metadata.GetInt(key));
  return ToSize(value, metadata.source(), key);
}

absl::StatusOr<int32_t> GgufSizeOr(const GgufMetadata& metadata, const std::string& key,
                                   int32_t fallback) {
  if (!metadata.Has(key)) return fallback;
  return GgufSize(metadata, key);
}

absl::Status ReadHfSizes(const JsonConfig& config, DecoderSpec& spec) {
  ASSIGN_OR_RETURN(spec.vocab_size, HfSize(config, "vocab_size"));
  ASSIGN_OR_RETURN(spec.hidden_size, HfSize(config, "hidden_size"));
  ASSIGN_OR_RETURN(spec.intermediate_size, HfSize(config, "intermediate_size"));
  ASSIGN_OR_RETURN(const int32_t layer_count, HfSize(config, "num_hidden_layers"));
  RETURN_IF_ERROR(SetLayerCount(layer_count, spec));
  ASSIGN_OR_RETURN(spec.head_count, HfSize(config, "num_attention_heads"));
  ASSIGN_OR_RETURN(spec.kv_head_count, HfSizeOr(config, "num_key_value_heads", spec.head_count));
  const int32_t even_dim = spec.head_count > 0 ? spec.hidden_size / spec.head_count : 0;
  ASSIGN_OR_RETURN(spec.head_dim, HfSizeOr(config, "head_dim", even_dim));
  ASSIGN_OR_RETURN(spec.max_positions, HfSizeOr(config, "max_position_embeddings", 2048));
  ASSIGN_OR_RETURN(spec.norm_epsilon, config.GetFloatOr("rms_norm_eps", 1e-6));
  ASSIGN_OR_RETURN(spec.tied_embeddings, config.GetBoolOr("tie_word_embeddings", false));
  spec.attention_scale = DefaultScale(spec.head_dim);
  return absl::OkStatus();
}

absl::Status ReadHfActivation(const JsonConfig& config, std::string_view key, DecoderSpec& spec) {
  if (!config.Has(key)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string name, config.GetString(key));
  if (name == "silu" || name == "swish") {
    spec.activation = Activation::kSilu;
  } else if (name == "gelu_pytorch_tanh" || name == "gelu_new") {
    spec.activation = Activation::kGeluTanh;
  } else if (name == "gelu") {
    spec.activation = Activation::kGeluErf;
  } else {
    return Refuse(config, key, name);
  }
  return absl::OkStatus();
}

absl::Status ReadHfWindows(const JsonConfig& config, const LayerPredicate& slides,
                           DecoderSpec& spec) {
  ASSIGN_OR_RETURN(const int32_t window, HfSizeOr(config, "sliding_window", 0));
  if (window == 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<std::string> types, config.GetStrings("layer_types"));
  if (!types.empty() && types.size() != spec.layers.size()) {
    return InvalidArgument(absl::StrCat("read ", config.source(), ": key=layer_types has ",
                                        types.size(), "/", spec.layers.size(), " layers"));
  }
  for (int32_t layer = 0; layer < spec.layer_count; ++layer) {
    const auto index = static_cast<size_t>(layer);
    if (!types.empty() && types[index] != "sliding_attention" && types[index] != "full_attention") {
      return Refuse(config, "layer_types", types[index]);
    }
    const bool slide = types.empty() ? slides(layer) : types[index] == "sliding_attention";
    if (slide) spec.layers[index].window = window;
  }
  return absl::OkStatus();
}

absl::Status ReadHfUpperWindows(const JsonConfig& config, DecoderSpec& spec) {
  ASSIGN_OR_RETURN(const bool windows, config.GetBoolOr("use_sliding_window", false));
  if (!windows) return absl::OkStatus();
  ASSIGN_OR_RETURN(const int64_t full_layers, config.GetIntOr("max_window_layers", 28));
  return ReadHfWindows(
      config, [&](int32_t layer) { return layer >= full_layers; }, spec);
}

absl::Status ReadHfAttentionBias(const JsonConfig& config, DecoderSpec& spec) {
  ASSIGN_OR_RETURN(spec.qkv_bias, config.GetBoolOr("attention_bias", false));
  spec.attention_out_bias = spec.qkv_bias;
  return absl::OkStatus();
}

absl::Status RefuseHfQuantization(const JsonConfig& config, std::string_view known) {
  ASSIGN_OR_RETURN(const std::optional<JsonConfig> quantization,
                   config.GetObject("quantization_config"));
  if (!quantization.has_value()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string method, quantization->GetStringOr("quant_method", "unknown"));
  if (IsUnpackedMethod(method)) return absl::OkStatus();  // the loader gives plain tensors
  if (method == known) return absl::OkStatus();
  return Refuse(config, "quantization_config", method);
}

absl::StatusOr<JsonConfig> ReadHfTextConfig(const JsonConfig& config, std::string_view model_type,
                                            std::string_view defaults) {
  RETURN_IF_ERROR(RefuseHfQuantization(config));
  ASSIGN_OR_RETURN(const std::optional<JsonConfig> text, config.GetObject("text_config"));
  if (!text.has_value()) {
    return InvalidArgument(absl::StrCat("read ", config.source(), ": key=text_config is missing"));
  }
  ASSIGN_OR_RETURN(const std::string type, text->GetStringOr("model_type", model_type));
  if (type != model_type) return Refuse(*text, "model_type", type);
  return text->WithDefaults(defaults);
}

absl::Status ReadGgufSizes(const GgufMetadata& metadata, std::string_view architecture,
                           DecoderSpec& spec) {
  const std::string prefix = absl::StrCat(ToAbsl(architecture), ".");
  ASSIGN_OR_RETURN(spec.vocab_size, GgufVocabSize(metadata, prefix + "vocab_size"));
  ASSIGN_OR_RETURN(spec.hidden_size, GgufSize(metadata, prefix + "embedding_length"));
  ASSIGN_OR_RETURN(spec.intermediate_size, GgufSize(metadata, prefix + "feed_forward_length"));
  ASSIGN_OR_RETURN(const int32_t layer_count, GgufSize(metadata, prefix + "block_count"));
  RETURN_IF_ERROR(SetLayerCount(layer_count, spec));
  ASSIGN_OR_RETURN(spec.head_count, GgufSize(metadata, prefix + "attention.head_count"));
  ASSIGN_OR_RETURN(spec.kv_head_count,
                   GgufSizeOr(metadata, prefix + "attention.head_count_kv", spec.head_count));
  const int32_t even_dim = spec.head_count > 0 ? spec.hidden_size / spec.head_count : 0;
  ASSIGN_OR_RETURN(spec.head_dim, GgufSizeOr(metadata, prefix + "attention.key_length", even_dim));
  ASSIGN_OR_RETURN(const int32_t value_dim,
                   GgufSizeOr(metadata, prefix + "attention.value_length", spec.head_dim));
  // Where keys are latents, both are the cache's row: see deepseek_v3.cc.
  if (value_dim != spec.head_dim && !metadata.Has(prefix + "attention.kv_lora_rank")) {
    return Unimplemented(absl::StrCat("read ", metadata.source(), ": ", prefix,
                                      "attention.value_length=", value_dim,
                                      " unlike key_length is not supported"));
  }
  ASSIGN_OR_RETURN(spec.max_positions, GgufSize(metadata, prefix + "context_length"));
  ASSIGN_OR_RETURN(spec.norm_epsilon,
                   metadata.GetFloat(prefix + "attention.layer_norm_rms_epsilon"));
  spec.attention_scale = DefaultScale(spec.head_dim);
  return absl::OkStatus();
}

absl::Status ReadGgufWindows(const GgufMetadata& metadata, std::string_view architecture,
                             const LayerPredicate& slides, DecoderSpec& spec) {
  const std::string key = absl::StrCat(ToAbsl(architecture), ".attention.sliding_window");
  ASSIGN_OR_RETURN(const int32_t window, GgufSizeOr(metadata, key, 0));
  for (int32_t layer = 0; layer < spec.layer_count; ++layer) {
    if (slides(layer)) spec.layers[static_cast<size_t>(layer)].window = window;
  }
  return absl::OkStatus();
}

}  // namespace baton::worker
