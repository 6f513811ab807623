// What our generic decoder must be told to run a family of models: how to read its configuration,
// and what its tensors are called.
//
// To add one: a file here that defines Register_<name>, and its line in architectures.def. Nothing
// else changes; the conformance tests run over the list.
//
// Threading: built at start, immutable afterwards.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/gguf/gguf_metadata.h"
#include "worker/loader/bounded_json.h"
#include "worker/loader/checkpoint.h"
#include "worker/model/decoder_spec.h"
#include "worker/model/weight_plan.h"

namespace baton::worker {

struct Architecture {
  std::string_view hf_name = {};    // in "architectures" of config.json; empty: not in that world
  std::string_view gguf_name = {};  // general.architecture; empty: not in that world
  absl::StatusOr<DecoderSpec> (*spec_from_hf)(const JsonConfig&) = nullptr;
  absl::StatusOr<DecoderSpec> (*spec_from_gguf)(const GgufMetadata&) = nullptr;
  WeightNames names = {};  // views of static data
  // What transformers takes for the keys that a config.json leaves out: a JSON object, sizes aside.
  std::string_view hf_defaults = "{}";
};

// The architectures of this build.
//
// Errors: ALREADY_EXISTS from Add for a name that is taken.
class ArchitectureRegistry {
 public:
  // All those in architectures.def.
  static absl::StatusOr<ArchitectureRegistry> Builtin();

  absl::Status Add(const Architecture& architecture);

  const std::vector<Architecture>& architectures() const { return architectures_; }

  // The one that a checkpoint names. UNIMPLEMENTED, listing those we know, for another.
  absl::StatusOr<const Architecture*> Find(const Checkpoint& checkpoint) const;

 private:
  std::vector<Architecture> architectures_;
};

// The spec of a checkpoint, read by `architecture`, with its sizes checked.
absl::StatusOr<DecoderSpec> ReadSpec(const Architecture& architecture,
                                     const Checkpoint& checkpoint);

}  // namespace baton::worker
