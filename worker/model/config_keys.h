// Readers of configuration keys that many architectures share.
//
// Threading: pure functions.
// Errors:    as JsonConfig and GgufMetadata; UNIMPLEMENTED, naming key and value, for a choice that
//            we do not know.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "common/gguf/gguf_metadata.h"
#include "worker/loader/bounded_json.h"
#include "worker/model/decoder_spec.h"

namespace baton::worker {

// vocab_size, hidden_size, ..., head_dim, attention_scale, the norm's epsilon, tied embeddings.
absl::Status ReadHfSizes(const JsonConfig& config, DecoderSpec& spec);

// UNIMPLEMENTED if the weights are quantised in a way that only the configuration tells.
absl::Status RefuseHfQuantization(const JsonConfig& config);

// The same sizes from `<architecture>.*`.
absl::Status ReadGgufSizes(const GgufMetadata& metadata, std::string_view architecture,
                           DecoderSpec& spec);

}  // namespace baton::worker
