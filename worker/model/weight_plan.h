// Which tensors of a checkpoint make up which weights of a decoder: the same plan for safetensors
// and GGUF, for a whole model and for one shard of it.
//
// An architecture file lists patterns: a slot, and the names that the two worlds give it. The plan
// is their expansion over layers with what follows from the spec: shape, shard axis, row transform.
//
//   const WeightPlan plan(spec, names, checkpoint);
//   RETURN_IF_ERROR(plan.CheckAgainst(checkpoint.tensors()));  // missing, misshaped, unused
//   const SourceTensor* q = checkpoint.tensors().Find(plan.Find(WeightSlot::kQuery, 3)->name);
//
// Threading: immutable.
// Ownership: owns names; borrows nothing.
// Errors:    INVALID_ARGUMENT naming file and tensor, for tensors that are missing, have another
//            shape, or that no row of the plan uses; UNIMPLEMENTED for a type that cannot be read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "worker/loader/checkpoint.h"
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
  // Latent attention; kKeyUp and kValueUp are one for each head.
  kQueryDown,
  kQueryLatentNorm,
  kQueryUp,
  kLatentDown,
  kLatentNorm,
  kKeyUp,
  kValueUp,
  // Experts; those named so are one for each.
  kRouter,
  kRouterBias,
  kRouterCorrection,
  kExpertGate,
  kExpertUp,
  kExpertDown,
  kExpertGateBias,
  kExpertUpBias,
  kExpertDownBias,
  kSharedGate,
  kSharedUp,
  kSharedDown,
};

// Whether each layer has a weight of its own in this slot.
constexpr bool OfLayer(WeightSlot slot) { return slot >= WeightSlot::kAttentionNorm; }

// Along which dimension a shard takes its part. Outputs are rows of the tensor; those of kv heads
// may be shared by ranks.
enum class ShardAxis : uint8_t { kNone, kOutputs, kKvHeads, kInputs, kVocabulary };

enum class RowTransform : uint8_t {
  kNone,
  // The file keeps a head's rotating pairs next to each other; ours lie half of the turning dims
  // apart: (i, i + d/2).
  kPairsToHalves,
};

// Whether a tensor holds one weight, or several: q, k, v, or gate, up.
enum class Fusion : uint8_t {
  kAlone,
  kFused,   // one below the other
  kInTurn,  // a row of gate, a row of up, ...
};

// How one tensor holds a weight of each item, experts or heads.
enum class Stacking : uint8_t {
  kNone,     // it does not
  kRows,     // [items, rows, cols]: an item below the other
  kColumns,  // [items, cols, rows]: outputs are columns
  kMxfp4,    // [items, rows, cols / 32, 16], with scales [items, rows, cols / 32] in a tensor whose
             // name ends in _scales instead of _blocks
};

// One line of an architecture's list. In names of a layer's tensor, '#' stands for its number and
// '@' for an item's; an empty name: that world has no such tensor. Of several lines for one slot,
// the first counts whose tensor the checkpoint holds.
struct WeightPattern {
  WeightSlot slot;
  std::string_view safetensors_name;
  std::string_view gguf_name;
  RowTransform gguf_rows = RowTransform::kNone;
  Fusion fusion = Fusion::kAlone;  // in both worlds
  Stacking stacking = Stacking::kNone;
};

// Where a checkpoint of a model that takes more than text keeps its text part: there names begin
// with these instead of "model." and "lm_head.".
struct TextPart {
  std::string_view model;
  std::string_view head;
};

// How an architecture names its tensors.
struct WeightNames {
  absl::Span<const WeightPattern> patterns = {};
  // A family's names that it shares with others; `patterns` go before them, slot by slot.
  absl::Span<const WeightPattern> base = {};
  // Of safetensors. Empty: the whole model is text. The first counts that the checkpoint holds.
  absl::Span<const TextPart> text_parts = {};
  // Beginnings of the tensors of other parts, which are left aside.
  absl::Span<const std::string_view> other_parts = {};

  std::vector<WeightPattern> All() const;
};

// Which rows of each head turn by rotary angles: `dims` of them, from `begin` on.
struct TurningRows {
  int64_t head_dim = 0;
  int64_t begin = 0;
  int64_t dims = 0;
};

struct WeightRow {
  WeightSlot slot = WeightSlot::kEmbedding;
  int32_t layer = -1;  // -1: of no layer
  int32_t item = -1;   // -1: of no item, or of all of them
  std::string name;
  std::string scales_name;  // kMxfp4's other tensor
  Shape shape;              // of this weight, of one item
  Shape tensor_shape;       // of the tensor that holds it, larger if that holds others too
  Stacking stacking = Stacking::kNone;
  int32_t item_count = 1;  // in the tensor
  int64_t item_rows = 0;   // of the tensor, from one item to the next
  int64_t first_row = 0;   // where it begins there, or in an item; a column of kColumns
  int64_t row_step = 1;
  TurningRows turning;
  ShardAxis axis = ShardAxis::kNone;
  RowTransform transform = RowTransform::kNone;
  bool plus_one = false;  // a norm's weights that the file holds minus one
  bool required = true;
};

class WeightPlan {
 public:
  // What `checkpoint` holds decides between lines for one slot; nothing of it is kept.
  WeightPlan(const DecoderSpec& spec, const WeightNames& names, const Checkpoint& checkpoint);

  absl::Span<const WeightRow> rows() const { return rows_; }

  // nullptr when this model has no such weight.
  const WeightRow* Find(WeightSlot slot, int32_t layer = -1, int32_t item = -1) const;

  absl::Status CheckAgainst(const TensorSource& source) const;

  // Tensors of parts that take something else than text; they are not loaded.
  int64_t CountLeftAside(const TensorSource& source) const;

 private:
  std::string NameOf(const WeightPattern& pattern, int32_t layer, int32_t item) const;
  std::string_view NameIn(const WeightPattern& pattern) const;
  bool Counts(absl::Span<const WeightPattern> patterns, const WeightPattern& pattern, int32_t layer,
              const TensorSource& source) const;
  void AddRows(const DecoderSpec& spec, const WeightPattern& pattern, int32_t layer);
  absl::Status CheckRow(const WeightRow& row, const TensorSource& source) const;
  absl::Status CheckScales(const WeightRow& row, const SourceTensor& blocks,
                           const TensorSource& source) const;
  bool Ignores(std::string_view name) const;
  bool LeavesAside(std::string_view name) const;
  absl::Status CheckNoneUnused(const TensorSource& source) const;

  const bool gguf_;
  const absl::Span<const std::string_view> other_parts_;
  std::optional<TextPart> text_part_;
  std::vector<WeightRow> rows_;
  // (layer, slot, item) -> position in rows_
  absl::flat_hash_map<std::tuple<int32_t, WeightSlot, int32_t>, size_t> index_;
  std::vector<std::string> ignored_prefixes_;  // of layers that are not run
};

}  // namespace baton::worker
