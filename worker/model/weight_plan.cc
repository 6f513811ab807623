#include "worker/model/weight_plan.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/check.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::worker {
namespace {

constexpr size_t kNamesInErrorMax = 3;

// What follows from a slot alone.
struct SlotShape {
  Shape shape;
  ShardAxis axis = ShardAxis::kNone;
  bool present = true;   // in a model of this spec
  bool required = true;  // a model of this spec cannot do without
};

SlotShape QkNormShape(const DecoderSpec& s, int64_t projection_size) {
  if (s.qk_norm == QkNorm::kWholeProjection) return {{projection_size}, ShardAxis::kOutputs};
  return {{s.head_dim}, ShardAxis::kNone, s.qk_norm == QkNorm::kPerHead};
}

SlotShape ShapeOf(WeightSlot slot, const DecoderSpec& s) {
  const int64_t hidden = s.hidden_size;
  const int64_t inner = s.intermediate_size;
  switch (slot) {
    case WeightSlot::kEmbedding:
      return {{s.vocab_size, hidden}, ShardAxis::kVocabulary};
    case WeightSlot::kHead:
      // A tied model may bring the copy; it is the embedding that counts.
      return {{s.vocab_size, hidden}, ShardAxis::kVocabulary, true, !s.tied_embeddings};
    case WeightSlot::kRopeFactors:
    case WeightSlot::kRopeShortFactors:
    case WeightSlot::kRopeLongFactors:
      return {{s.ropes.front().rotary_dim / 2}, ShardAxis::kNone, true, false};
    case WeightSlot::kFinalNorm:
      return {{hidden}};
    case WeightSlot::kAttentionNorm:
    case WeightSlot::kMlpNorm:
      return {{hidden}, ShardAxis::kNone, s.norm_placement != NormPlacement::kPost};
    case WeightSlot::kAttentionPostNorm:
    case WeightSlot::kMlpPostNorm:
      return {{hidden}, ShardAxis::kNone, s.norm_placement != NormPlacement::kPre};
    case WeightSlot::kQueryNorm:
      return QkNormShape(s, s.q_size());
    case WeightSlot::kKeyNorm:
      return QkNormShape(s, s.kv_size());
    case WeightSlot::kSinks:
      return {{s.head_count}, ShardAxis::kOutputs, s.attention_sinks};
    case WeightSlot::kQuery:
      return {{s.q_size(), hidden}, ShardAxis::kOutputs};
    case WeightSlot::kKey:
    case WeightSlot::kValue:
      return {{s.kv_size(), hidden}, ShardAxis::kOutputs};
    case WeightSlot::kQueryBias:
      return {{s.q_size()}, ShardAxis::kOutputs, s.qkv_bias};
    case WeightSlot::kKeyBias:
    case WeightSlot::kValueBias:
      return {{s.kv_size()}, ShardAxis::kOutputs, s.qkv_bias};
    case WeightSlot::kAttentionOut:
      return {{hidden, s.q_size()}, ShardAxis::kInputs};
    case WeightSlot::kAttentionOutBias:
      return {{hidden}, ShardAxis::kNone, s.attention_out_bias};
    case WeightSlot::kGate:
    case WeightSlot::kUp:
      return {{inner, hidden}, ShardAxis::kOutputs};
    case WeightSlot::kGateBias:
    case WeightSlot::kUpBias:
      return {{inner}, ShardAxis::kOutputs, s.mlp_bias};
    case WeightSlot::kDown:
      return {{hidden, inner}, ShardAxis::kInputs};
    case WeightSlot::kDownBias:
      return {{hidden}, ShardAxis::kNone, s.mlp_bias};
  }
  return {};
}

bool IsNorm(WeightSlot slot) {
  switch (slot) {
    case WeightSlot::kFinalNorm:
    case WeightSlot::kAttentionNorm:
    case WeightSlot::kAttentionPostNorm:
    case WeightSlot::kMlpNorm:
    case WeightSlot::kMlpPostNorm:
    case WeightSlot::kQueryNorm:
    case WeightSlot::kKeyNorm:
      return true;
    default:
      return false;
  }
}

bool Turns(WeightSlot slot) {
  return slot == WeightSlot::kQuery || slot == WeightSlot::kKey || slot == WeightSlot::kQueryBias ||
         slot == WeightSlot::kKeyBias || slot == WeightSlot::kQueryNorm ||
         slot == WeightSlot::kKeyNorm;
}

// Rows of the tensor that holds `slot` and its fellows, and those above it.
struct FusedRows {
  int64_t total = 0;
  int64_t above = 0;
};

FusedRows FusedRowsOf(WeightSlot slot, const DecoderSpec& s) {
  const int64_t q = s.q_size();
  const int64_t kv = s.kv_size();
  const int64_t inner = s.intermediate_size;
  switch (slot) {
    case WeightSlot::kQuery:
    case WeightSlot::kQueryBias:
      return {q + 2 * kv, 0};
    case WeightSlot::kKey:
    case WeightSlot::kKeyBias:
      return {q + 2 * kv, q};
    case WeightSlot::kValue:
    case WeightSlot::kValueBias:
      return {q + 2 * kv, q + kv};
    case WeightSlot::kGate:
    case WeightSlot::kGateBias:
      return {2 * inner, 0};
    case WeightSlot::kUp:
    case WeightSlot::kUpBias:
      return {2 * inner, inner};
    default:
      BATON_CHECK(false) << "weight plan: slot=" << static_cast<int>(slot) << " is never fused";
      return {};
  }
}

}  // namespace

std::vector<WeightPattern> WeightNames::All() const {
  std::vector<WeightPattern> all(patterns.begin(), patterns.end());
  for (const WeightPattern& pattern : base) {
    const bool replaced =
        std::any_of(patterns.begin(), patterns.end(),
                    [&](const WeightPattern& own) { return own.slot == pattern.slot; });
    if (!replaced) all.push_back(pattern);
  }
  return all;
}

WeightPlan::WeightPlan(const DecoderSpec& spec, const WeightNames& names, CheckpointKind kind)
    : ignored_suffixes_(names.ignored_suffixes) {
  for (const WeightPattern& pattern : names.All()) {
    if (!OfLayer(pattern.slot)) {
      AddRow(spec, pattern, kind, -1);
      continue;
    }
    for (int32_t layer = 0; layer < spec.layer_count; ++layer) AddRow(spec, pattern, kind, layer);
  }
}

void WeightPlan::AddRow(const DecoderSpec& spec, const WeightPattern& pattern, CheckpointKind kind,
                        int32_t layer) {
  const bool gguf = kind == CheckpointKind::kGguf;
  const std::string_view name = gguf ? pattern.gguf_name : pattern.safetensors_name;
  const SlotShape shape = ShapeOf(pattern.slot, spec);
  if (name.empty() || !shape.present) return;
  WeightRow row{.slot = pattern.slot,
                .layer = layer,
                .name = absl::StrReplaceAll(ToAbsl(name), {{"#", absl::StrCat(layer)}}),
                .shape = shape.shape,
                .tensor_shape = shape.shape,
                .axis = shape.axis,
                .transform = gguf ? pattern.gguf_rows : RowTransform::kNone,
                .plus_one = !gguf && spec.norm == NormKind::kRmsPlusOne && IsNorm(pattern.slot),
                .required = shape.required};
  if (!gguf && spec.rope_layout == RopeLayout::kInterleaved && Turns(pattern.slot)) {
    row.transform = RowTransform::kPairsToHalves;
  }
  if (pattern.fusion == Fusion::kFused) {
    const FusedRows rows = FusedRowsOf(pattern.slot, spec);
    row.first_row = rows.above;
    row.tensor_shape =
        row.shape.rank() == 1 ? Shape({rows.total}) : Shape({rows.total, row.shape.dim(1)});
  }
  index_.emplace(std::pair(layer, pattern.slot), rows_.size());
  rows_.push_back(std::move(row));
}

const WeightRow* WeightPlan::Find(WeightSlot slot, int32_t layer) const {
  const auto at = index_.find(std::pair(layer, slot));
  return at == index_.end() ? nullptr : &rows_[at->second];
}

absl::Status WeightPlan::CheckAgainst(const TensorSource& source) const {
  for (const WeightRow& row : rows_) RETURN_IF_ERROR(CheckRow(row, source));
  return CheckNoneUnused(source);
}

absl::Status WeightPlan::CheckRow(const WeightRow& row, const TensorSource& source) const {
  const SourceTensor* tensor = source.Find(row.name);
  if (tensor == nullptr) {
    if (!row.required) return absl::OkStatus();
    return InvalidArgument(
        absl::StrCat("load ", ToAbsl(source.description()), ": tensor=", row.name, " is missing"));
  }
  if (!(tensor->shape == row.tensor_shape)) {
    return InvalidArgument(absl::StrCat("load ", ToAbsl(tensor->file), ": tensor=", row.name,
                                        " has shape ", tensor->shape.ToString(), "/",
                                        row.tensor_shape.ToString()));
  }
  if (!tensor->format.has_value()) {
    return Unimplemented(absl::StrCat("load ", ToAbsl(tensor->file), ": tensor=", row.name,
                                      " has type ", ToAbsl(tensor->dtype),
                                      ", which is not supported"));
  }
  return absl::OkStatus();
}

absl::Status WeightPlan::CheckNoneUnused(const TensorSource& source) const {
  absl::flat_hash_set<std::string> used;
  for (const WeightRow& row : rows_) used.insert(row.name);
  size_t unused_count = 0;
  std::string names;
  for (const SourceTensor& tensor : source.tensors()) {
    const bool ignored =
        std::any_of(ignored_suffixes_.begin(), ignored_suffixes_.end(),
                    [&](std::string_view suffix) { return tensor.name.ends_with(suffix); });
    if (ignored || used.contains(ToAbsl(tensor.name))) continue;
    if (++unused_count > kNamesInErrorMax) continue;
    absl::StrAppend(&names, names.empty() ? "" : ", ", ToAbsl(tensor.name));
  }
  if (unused_count == 0) return absl::OkStatus();
  return InvalidArgument(absl::StrCat("load ", ToAbsl(source.description()), ": ", unused_count,
                                      " tensors belong to no weight of this architecture: ", names,
                                      unused_count > kNamesInErrorMax ? ", ..." : ""));
}

}  // namespace baton::worker
