// Which tensors of a checkpoint make up which weights of a decoder: the same plan for safetensors
// and GGUF, for a whole model and for one shard of it.
//
// An architecture file lists patterns: a slot, and the names that the two worlds give it. The plan
// is their expansion over layers with what follows from the spec: shape, shard axis, row transform.
//
//   ASSIGN_OR_RETURN(WeightPlan plan, WeightPlan::Make(spec, patterns, kSafetensors));
//   RETURN_IF_ERROR(plan.CheckAgainst(source));       // missing, misshaped, unused
//   const SourceTensor* q = source.Find(plan.Find(WeightSlot::kQuery, 3)->name);
//
// Threading: immutable after Make.
// Ownership: owns names; borrows nothing.
// Errors:    INVALID_ARGUMENT naming file and tensor, for tensors that are missing, have another
//            shape, or that no row of the plan uses; UNIMPLEMENTED for a type that cannot be read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "worker/loader/tensor_source.h"
#include "worker/model/decoder_spec.h"
#include "worker/tensor/shape.h"

namespace baton::worker {

// The places that a decoder has for weights.
enum class WeightSlot : uint8_t {
  kEmbedding,
  kHead,
  kFinalNorm,
  kRopeFactors,  // GGUF's way to state rope scaling: frequencies are divided by it
  kRopeShortFactors,
  kRopeLongFactors,
  kAttentionNorm,  // the first of a layer's
  kAttentionPostNorm,
  kQuery,
  kKey,
  kValue,
  kQueryBias,
  kKeyBias,
  kValueBias,
  kQueryNorm,
  kKeyNorm,
  kSinks,
  kAttentionOut,
  kAttentionOutBias,
  kMlpNorm,
  kMlpPostNorm,
  kGate,
  kUp,
  kDown,
  kGateBias,
  kUpBias,
  kDownBias,
};

// Whether each layer has a weight of its own in this slot.
constexpr bool OfLayer(WeightSlot slot) { return slot >= WeightSlot::kAttentionNorm; }

enum class CheckpointKind : uint8_t { kSafetensors, kGguf };

// Along which dimension a shard takes its part. Outputs are rows of the tensor.
enum class ShardAxis : uint8_t { kNone, kOutputs, kInputs, kVocabulary };

enum class RowTransform : uint8_t {
  kNone,
  // The file keeps a head's rotating pairs next to each other; ours lie half of the turning dims
  // apart: (i, i + d/2).
  kPairsToHalves,
};

// Whether a tensor holds one weight, or several, one below the other: q, k, v, or gate, up.
enum class Fusion : uint8_t { kAlone, kFused };

// One line of an architecture's list. In names of a layer's tensor, '#' stands for its number; an
// empty name: that world has no such tensor.
struct WeightPattern {
  WeightSlot slot;
  std::string_view safetensors_name;
  std::string_view gguf_name;
  RowTransform gguf_rows = RowTransform::kNone;
  Fusion fusion = Fusion::kAlone;  // in both worlds
};

// How an architecture names its tensors.
struct WeightNames {
  absl::Span<const WeightPattern> patterns = {};
  // Endings of tensors that a checkpoint may hold and nobody needs: buffers of older releases.
  absl::Span<const std::string_view> ignored_suffixes = {};
  // A family's names that it shares with others; `patterns` go before them, slot by slot.
  absl::Span<const WeightPattern> base = {};

  std::vector<WeightPattern> All() const;
};

struct WeightRow {
  WeightSlot slot = WeightSlot::kEmbedding;
  int32_t layer = -1;  // -1: of no layer
  std::string name;
  Shape shape;            // of this weight
  Shape tensor_shape;     // of the tensor that holds it, larger if that holds others too
  int64_t first_row = 0;  // where it begins there
  ShardAxis axis = ShardAxis::kNone;
  RowTransform transform = RowTransform::kNone;
  bool plus_one = false;  // a norm's weights that the file holds minus one
  bool required = true;
};

class WeightPlan {
 public:
  WeightPlan(const DecoderSpec& spec, const WeightNames& names, CheckpointKind kind);

  absl::Span<const WeightRow> rows() const { return rows_; }

  // nullptr when this model has no such weight.
  const WeightRow* Find(WeightSlot slot, int32_t layer = -1) const;

  absl::Status CheckAgainst(const TensorSource& source) const;

 private:
  void AddRow(const DecoderSpec& spec, const WeightPattern& pattern, CheckpointKind kind,
              int32_t layer);
  absl::Status CheckRow(const WeightRow& row, const TensorSource& source) const;
  absl::Status CheckNoneUnused(const TensorSource& source) const;

  std::vector<WeightRow> rows_;
  absl::flat_hash_map<std::pair<int32_t, WeightSlot>, size_t> index_;  // -> position in rows_
  absl::Span<const std::string_view> ignored_suffixes_;
};

}  // namespace baton::worker
