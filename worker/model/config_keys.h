// Readers of configuration keys that many architectures share.
//
// Threading: pure functions.
// Errors:    as JsonConfig and GgufMetadata; UNIMPLEMENTED, naming key and value, for a choice that
//            we do not know.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/gguf/gguf_metadata.h"
#include "worker/loader/bounded_json.h"
#include "worker/model/decoder_spec.h"

namespace baton::worker {

// vocab_size, hidden_size, ..., head_dim, attention_scale, the norm's epsilon, tied embeddings.
absl::Status ReadHfSizes(const JsonConfig& config, DecoderSpec& spec);

// spec.activation, from the name under `key`; as it is where there is none.
absl::Status ReadHfActivation(const JsonConfig& config, std::string_view key, DecoderSpec& spec);

// Windows of layers: `sliding_window` for those that layer_types, or `slides` where there is no
// such list, says. A configuration without a sliding_window has none.
using LayerPredicate = std::function<bool(int32_t layer)>;
absl::Status ReadHfWindows(const JsonConfig& config, const LayerPredicate& slides,
                           DecoderSpec& spec);

// Qwen's: in layers from max_window_layers on, if use_sliding_window is set.
absl::Status ReadHfUpperWindows(const JsonConfig& config, DecoderSpec& spec);

// attention_bias: of queries, keys, values and of the product behind attention.
absl::Status ReadHfAttentionBias(const JsonConfig& config, DecoderSpec& spec);

// UNIMPLEMENTED if the weights are quantised in a way that only the configuration tells, other than
// `known`.
absl::Status RefuseHfQuantization(const JsonConfig& config, std::string_view known = {});

// Of a model that takes more than text: text_config, which must be of `model_type`, with `defaults`
// (a JSON object) for keys that it leaves out.
absl::StatusOr<JsonConfig> ReadHfTextConfig(const JsonConfig& config, std::string_view model_type,
                                            std::string_view defaults);

// An integer that may be a size.
absl::StatusOr<int32_t> HfSize(const JsonConfig& config, std::string_view key);
absl::StatusOr<int32_t> HfSizeOr(const JsonConfig& config, std::string_view key, int32_t fallback);
absl::StatusOr<int32_t> GgufSize(const GgufMetadata& metadata, const std::string& key);
absl::StatusOr<int32_t> GgufSizeOr(const GgufMetadata& metadata, const std::string& key,
                                   int32_t fallback);

// What ReadHfSizes reads, from `<architecture>.*`.
absl::Status ReadGgufSizes(const GgufMetadata& metadata, std::string_view architecture,
                           DecoderSpec& spec);

// `<architecture>.attention.sliding_window` for the layers that slide; none without the key.
absl::Status ReadGgufWindows(const GgufMetadata& metadata, std::string_view architecture,
                             const LayerPredicate& slides, DecoderSpec& spec);

}  // namespace baton::worker
