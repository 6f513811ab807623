// Runs a model over one prompt and keeps what every layer makes of it, to find where two runs part:
// with tests/golden/model/dump_layers.py, which does the same to transformers and compares.
//
//   baton-worker dump --model DIR --tokens 1,2,3 --output ours.safetensors
//
// Threading: thread-compatible; computes on threads of its own.
// Errors:    those of loading; INVALID_ARGUMENT for tokens that the model does not have.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "worker/executor/load_model.h"

namespace baton::worker {

struct DumpOptions {
  std::string model;
  std::vector<TokenId> tokens;
  ComputeType dtype = ComputeType::kFloat32;
  int threads = 1;
};

// One intermediate result, in f32.
struct DumpedValues {
  std::string name;  // "embedding", "3.attended", ..., in the order of the forward pass
  int64_t rows = 0;
  int64_t cols = 0;
  std::vector<float> values;
};

absl::StatusOr<std::vector<DumpedValues>> DumpLayers(const DumpOptions& options);

// As a safetensors file.
absl::Status WriteDump(const std::vector<DumpedValues>& dump, const std::string& path);

}  // namespace baton::worker
