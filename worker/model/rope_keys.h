// Readers of the keys that describe rotary positions.
//
// Threading: pure functions.
// Errors:    as JsonConfig and GgufMetadata; UNIMPLEMENTED, naming key and value, for a kind of
//            scaling that we do not know.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/gguf/gguf_metadata.h"
#include "worker/loader/bounded_json.h"
#include "worker/model/decoder_spec.h"

namespace baton::worker {

// What counts where the object of a rope says nothing.
struct RopeDefaults {
  double theta = 10000;
  double partial = 1;  // part of a head that turns
};

// The one rope of a model: transformers 5's rope_parameters, or rope_theta and rope_scaling before
// it, which win where a file has both. Raises max_positions where the scaling extends what the
// model was trained on.
// REQUIRES: spec.head_dim and spec.max_positions are set.
absl::Status ReadHfRope(const JsonConfig& config, DecoderSpec& spec);

// One of several: `rope` is its object in rope_parameters, or {} for the defaults.
absl::StatusOr<RopeConfig> ReadHfRopeObject(const JsonConfig& config, const JsonConfig& rope,
                                            const RopeDefaults& defaults, const DecoderSpec& spec);

// From `<architecture>.rope.*`. REQUIRES: spec.head_dim is set.
absl::Status ReadGgufRope(const GgufMetadata& metadata, std::string_view architecture,
                          DecoderSpec& spec);

// For families whose GGUF rows are in pairs: UNIMPLEMENTED unless all of a head turns, since how
// the pairs would lie otherwise, nobody says.
absl::Status RefusePartialPairs(const GgufMetadata& metadata, const DecoderSpec& spec);

}  // namespace baton::worker
