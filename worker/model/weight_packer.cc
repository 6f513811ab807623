#include "worker/model/weight_packer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::worker {

WeightPacker::WeightPacker(const PackOptions& options, ComputeThreads& threads)
    : options_(options), threads_(threads) {
  for (const WeightRow& row : options_.plan->rows()) {
    const SourceTensor* tensor = options_.source->Find(row.name);
    if (tensor != nullptr && row.first_row == 0) total_bytes_ += tensor->bytes.size();
  }
}

const WeightRow* WeightPacker::RowOf(WeightSlot slot, int32_t layer) const {
  return options_.plan->Find(slot, OfLayer(slot) ? layer : -1);
}

const SourceTensor* WeightPacker::TensorOf(WeightSlot slot, int32_t layer) const {
  const WeightRow* row = RowOf(slot, layer);
  return row == nullptr ? nullptr : options_.source->Find(row->name);
}

std::string WeightPacker::Describe(WeightSlot slot, int32_t layer) const {
  const SourceTensor& tensor = *TensorOf(slot, layer);
  return absl::StrCat("load ", ToAbsl(tensor.file), ": tensor=", ToAbsl(tensor.name));
}

absl::StatusOr<std::vector<float>> WeightPacker::Vector(WeightSlot slot, int32_t layer) {
  const WeightRow* row = RowOf(slot, layer);
  BATON_CHECK(row != nullptr) << "pack: slot=" << static_cast<int>(slot);
  ASSIGN_OR_RETURN(const std::vector<float> whole, WholeVector(*row));
  const Range part = OutputsOf(*row);
  std::vector<float> values;
  for (int64_t i = part.begin; i < part.end(); ++i) {
    const float value = whole[static_cast<size_t>(FileRowOf(*row, i))];
    values.push_back(row->plus_one ? 1.0f + value : value);
  }
  return values;
}

absl::StatusOr<std::vector<float>> WeightPacker::VectorIfAny(WeightSlot slot, int32_t layer) {
  if (!Has(slot, layer)) return std::vector<float>();
  return Vector(slot, layer);
}

// All numbers of the tensor that holds a row of the plan.
absl::StatusOr<std::vector<float>> WeightPacker::WholeVector(const WeightRow& row) {
  const SourceTensor* tensor = options_.source->Find(row.name);
  BATON_CHECK(tensor != nullptr) << "pack: the plan was not checked";
  const int64_t count = tensor->shape.element_count();
  if (count % InfoOf(*tensor->format).block_elements != 0) {
    return Unimplemented(absl::StrCat("load ", ToAbsl(tensor->file),
                                      ": tensor=", ToAbsl(tensor->name), " of type ",
                                      ToAbsl(tensor->dtype), " is not supported here"));
  }
  std::vector<float> values(static_cast<size_t>(count));
  DecodeElements(*tensor->format, reinterpret_cast<const std::byte*>(tensor->bytes.data()), 0,
                 count, values.data());
  if (row.first_row == 0) Report(tensor->bytes.size());
  return values;
}

absl::StatusOr<PackedLinear> WeightPacker::Pack(const std::vector<Place>& places, LinearKind kind,
                                                int32_t layer) {
  std::vector<OwnedPart> owned;
  std::vector<LinearPart> parts;
  for (const Place& place : places) {
    ASSIGN_OR_RETURN(OwnedPart part, MakePart(place, layer));
    owned.push_back(std::move(part));
  }
  for (const OwnedPart& part : owned) {
    parts.push_back(part.part);
    parts.back().row_order = part.row_order;
    parts.back().bias = part.bias;
  }
  absl::StatusOr<PackedLinear> packed = PackedLinear::Pack(parts, kind, options_.compute, threads_,
                                                           QuantizationOf(places.front().weight));
  if (!packed.ok()) return Annotate(packed.status(), Describe(places.front().weight, layer));
  for (const Place& place : places) {
    if (RowOf(place.weight, layer)->first_row != 0) continue;
    Report(TensorOf(place.weight, layer)->bytes.size());
  }
  return packed;
}

Quantization WeightPacker::QuantizationOf(WeightSlot slot) const {
  const bool vocabulary = slot == WeightSlot::kEmbedding || slot == WeightSlot::kHead;
  return vocabulary && options_.quantization == Quantization::kInt4 ? Quantization::kInt8
                                                                    : options_.quantization;
}

absl::StatusOr<WeightPacker::OwnedPart> WeightPacker::MakePart(const Place& place, int32_t layer) {
  const WeightRow* row = RowOf(place.weight, layer);
  BATON_CHECK(row != nullptr) << "pack: slot=" << static_cast<int>(place.weight);
  const SourceTensor* tensor = options_.source->Find(row->name);
  BATON_CHECK(tensor != nullptr) << "pack: the plan was not checked";
  const Range outputs = OutputsOf(*row);
  const int64_t cols = row->shape.dim(1);
  const Range inputs =
      row->axis == ShardAxis::kInputs ? options_.shard.SliceOf(cols) : Range{0, cols};
  OwnedPart owned;
  owned.part.format = *tensor->format;
  owned.part.data = reinterpret_cast<const std::byte*>(tensor->bytes.data());
  owned.part.row_bytes = tensor->bytes.size() / static_cast<size_t>(row->tensor_shape.dim(0));
  owned.part.rows = outputs.count;
  owned.part.col_begin = inputs.begin;
  owned.part.cols = inputs.count;
  if (row->transform == RowTransform::kPairsToHalves) {
    for (int64_t i = outputs.begin; i < outputs.end(); ++i) {
      owned.row_order.push_back(static_cast<int32_t>(FileRowOf(*row, i)));
    }
  } else {
    owned.part.data += static_cast<size_t>(row->first_row + outputs.begin) * owned.part.row_bytes;
  }
  if (place.bias.has_value() && Has(*place.bias, layer)) {
    ASSIGN_OR_RETURN(owned.bias, BiasOf(*row, *RowOf(*place.bias, layer)));
  }
  return owned;
}

// The bias of this shard's outputs. Where shards add up their results, the first one brings it.
absl::StatusOr<std::vector<float>> WeightPacker::BiasOf(const WeightRow& weight,
                                                        const WeightRow& bias) {
  ASSIGN_OR_RETURN(const std::vector<float> whole, WholeVector(bias));
  if (weight.axis == ShardAxis::kInputs && options_.shard.rank != 0) return std::vector<float>();
  const Range outputs = OutputsOf(weight);
  std::vector<float> values;
  for (int64_t i = outputs.begin; i < outputs.end(); ++i) {
    values.push_back(whole[static_cast<size_t>(FileRowOf(bias, i))]);
  }
  return values;
}

// The row of the tensor that holds output `output` of a weight.
int64_t WeightPacker::FileRowOf(const WeightRow& row, int64_t output) const {
  if (row.transform == RowTransform::kNone) return row.first_row + output;
  const int64_t head_dim = options_.spec->head_dim;
  const int64_t turning = options_.spec->ropes.front().rotary_dim;
  const int64_t dim = output % head_dim;
  if (dim >= turning) return row.first_row + output;
  const int64_t half = turning / 2;
  return row.first_row + output - dim + 2 * (dim % half) + dim / half;
}

Range WeightPacker::OutputsOf(const WeightRow& row) const {
  const int64_t total = row.shape.dim(0);
  if (row.axis == ShardAxis::kVocabulary) return options_.shard.ChunkOf(total);
  if (row.axis == ShardAxis::kOutputs) return options_.shard.SliceOf(total);
  return {0, total};
}

void WeightPacker::Report(uint64_t bytes) {
  done_bytes_ += bytes;
  if (options_.progress) options_.progress(done_bytes_, total_bytes_);
}

}  // namespace baton::worker
