// Packs one shard's part of a checkpoint's weights: what every kind of layer asks for its own.
//
//   ASSIGN_OR_RETURN(weights.norm, packer.Vector(WeightSlot::kMlpNorm, layer));
//   ASSIGN_OR_RETURN(weights.down, packer.Pack({{WeightSlot::kDown, WeightSlot::kDownBias}},
//                                              LinearKind::kPlain, layer));
//
// Threading: thread-compatible; packing uses all of `threads`.
// Ownership: borrows the options' spec, plan and source; results own their bytes.
// Errors:    those of PackedLinear::Pack, with file and tensor before them; INVALID_ARGUMENT for
//            numbers that cannot be.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/device/compute_threads.h"
#include "worker/loader/tensor_source.h"
#include "worker/model/decoder_spec.h"
#include "worker/model/relaid_rows.h"
#include "worker/model/weight_plan.h"
#include "worker/ops/packed_linear.h"
#include "worker/parallel/shard.h"
#include "worker/tensor/dtype.h"

namespace baton::worker {

struct PackOptions {
  const DecoderSpec* spec = nullptr;
  const WeightPlan* plan = nullptr;  // checked against `source`
  const TensorSource* source = nullptr;
  Shard shard;
  DType compute = DType::kF32;  // kF32 or kBf16
  // Of linear layers. Embedding and head take 8 bits where the others take 4.
  Quantization quantization = Quantization::kNone;
  // Called after each tensor with the bytes of the checkpoint packed so far, and all there are.
  std::function<void(uint64_t done_bytes, uint64_t total_bytes)> progress;
};

class WeightPacker {
 public:
  // A weight, and the bias that belongs to it where a checkpoint has one.
  struct Place {
    Place(WeightSlot weight_slot) : weight(weight_slot) {}  // NOLINT: a slot is a place
    Place(WeightSlot weight_slot, WeightSlot bias_slot) : weight(weight_slot), bias(bias_slot) {}
    WeightSlot weight;
    std::optional<WeightSlot> bias;
  };

  WeightPacker(const PackOptions& options, ComputeThreads& threads);

  const DecoderSpec& spec() const { return *options_.spec; }
  const Shard& shard() const { return options_.shard; }
  ComputeThreads& threads() { return threads_; }
  DType compute() const { return options_.compute; }

  bool Has(WeightSlot slot, int32_t layer = -1) const { return TensorOf(slot, layer) != nullptr; }

  // For messages: "load <file>: tensor=<name>". REQUIRES: Has(slot, layer).
  std::string Describe(WeightSlot slot, int32_t layer = -1, int32_t item = -1) const;

  // A tensor of numbers that ops read as they are: norms, sinks, factors. This shard's part of it.
  absl::StatusOr<std::vector<float>> Vector(WeightSlot slot, int32_t layer = -1);
  // The same; nothing if this model has no such weight.
  absl::StatusOr<std::vector<float>> VectorIfAny(WeightSlot slot, int32_t layer = -1);

  // The places' weights and biases as one layer.
  // Of one item, where each expert or head has a weight of its own.
  absl::StatusOr<PackedLinear> Pack(const std::vector<Place>& places, LinearKind kind,
                                    int32_t layer = -1, int32_t item = -1);

 private:
  // A part of a linear layer, and what its spans point into.
  struct OwnedPart {
    LinearPart part;
    std::vector<int32_t> row_order;
    std::vector<float> bias;
    std::vector<float> floats;     // what was laid out anew
    std::vector<std::byte> bytes;  // likewise
  };

  const WeightRow* RowOf(WeightSlot slot, int32_t layer, int32_t item = -1) const;
  const SourceTensor* TensorOf(WeightSlot slot, int32_t layer, int32_t item = -1) const;
  const SourceTensor& TensorOf(const WeightRow& row) const;
  absl::StatusOr<std::vector<float>> WholeVector(const WeightRow& row, int32_t item);
  absl::StatusOr<OwnedPart> MakePart(const Place& place, int32_t layer, int32_t item);
  bool CutsBlocks(const WeightRow& row) const;
  FileRows RowsOf(const WeightRow& row, int32_t item) const;
  void PointAtRows(const WeightRow& row, int32_t item, OwnedPart& owned) const;
  void CopyRows(const WeightRow& row, int32_t item, OwnedPart& owned);
  void CopyColumns(const WeightRow& row, int32_t item, OwnedPart& owned);
  static void PointAtFloats(OwnedPart& owned);
  absl::Status CopyMxfp4(const WeightRow& row, int32_t item, OwnedPart& owned);
  absl::StatusOr<std::vector<float>> BiasOf(const WeightRow& weight, const WeightRow& bias,
                                            int32_t item);
  Quantization QuantizationOf(WeightSlot slot) const;
  int64_t FileRowOf(const WeightRow& row, int64_t output) const;
  Range OutputsOf(const WeightRow& row) const;
  Range InputsOf(const WeightRow& row) const;
  void ReportItem(const WeightRow& row);
  void Report(uint64_t bytes);

  const PackOptions& options_;
  ComputeThreads& threads_;
  uint64_t done_bytes_ = 0;
  uint64_t total_bytes_ = 0;
};

}  // namespace baton::worker
