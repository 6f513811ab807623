// Readers of the keys that describe experts.
//
// Threading: pure functions.
// Errors:    as JsonConfig and GgufMetadata.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "common/gguf/gguf_metadata.h"
#include "worker/loader/bounded_json.h"
#include "worker/model/decoder_spec.h"

namespace baton::worker {

// How many experts there are, under any of the three names for it, and how many a token goes to.
absl::Status ReadHfExperts(const JsonConfig& config, DecoderSpec& spec);

// Numbers and width of experts from `<architecture>.*`, and which layers have them: those behind
// the leading dense ones. REQUIRES: spec's sizes are set.
absl::Status ReadGgufExperts(const GgufMetadata& metadata, std::string_view architecture,
                             DecoderSpec& spec);

}  // namespace baton::worker
