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

const WeightRow* WeightPacker::RowOf(WeightSlot slot, int32_t layer, int32_t item) const {
  return options_.plan->Find(slot, OfLayer(slot) ? layer : -1, item);
}

const SourceTensor* WeightPacker::TensorOf(WeightSlot slot, int32_t layer, int32_t item) const {
  const WeightRow* row = RowOf(slot, layer, item);
  return row == nullptr ? nullptr : options_.source->Find(row->name);
}

std::string WeightPacker::Describe(WeightSlot slot, int32_t layer, int32_t item) const {
  const SourceTensor& tensor = *TensorOf(slot, layer, item);
  return absl::StrCat("load ", ToAbsl(tensor.file), ": tensor=", ToAbsl(tensor.name));
}

absl::StatusOr<std::vector<float>> WeightPacker::Vector(WeightSlot slot, int32_t layer) {
  const WeightRow* row = RowOf(slot, layer);
  BATON_CHECK(row != nullptr) << "pack: slot=" << static_cast<int>(slot);
  ASSIGN_OR_RETURN(const std::vector<float> whole, WholeVector(*row, 0));
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

// All numbers of the tensor that holds a row of the plan, or of one item of it.
absl::StatusOr<std::vector<float>> WeightPacker::WholeVector(const WeightRow& row, int32_t item) {
  const SourceTensor* tensor = options_.source->Find(row.name);
  BATON_CHECK(tensor != nullptr) << "pack: the plan was not checked";
  const int64_t count = tensor->shape.element_count() / row.item_count;
  const int64_t first = row.item_count > 1 ? count * item : 0;
  if (count % InfoOf(*tensor->format).block_elements != 0) {
    return Unimplemented(absl::StrCat("load ", ToAbsl(tensor->file),
                                      ": tensor=", ToAbsl(tensor->name), " of type ",
                                      ToAbsl(tensor->dtype), " is not supported here"));
  }
  std::vector<float> values(static_cast<size_t>(count));
  DecodeElements(*tensor->format, reinterpret_cast<const std::byte*>(tensor->bytes.data()), first,
                 count, values.data());
  ReportItem(row);
  return values;
}

absl::StatusOr<PackedLinear> WeightPacker::Pack(const std::vector<Place>& places, LinearKind kind,
                                                int32_t layer, int32_t item) {
  std::vector<OwnedPart> owned;
  std::vector<LinearPart> parts;
  for (const Place& place : places) {
    ASSIGN_OR_RETURN(OwnedPart part, MakePart(place, layer, item));
    owned.push_back(std::move(part));
  }
  for (const OwnedPart& part : owned) {
    parts.push_back(part.part);
    parts.back().row_order = part.row_order;
    parts.back().bias = part.bias;
  }
  absl::StatusOr<PackedLinear> packed = PackedLinear::Pack(parts, kind, options_.compute, threads_,
                                                           QuantizationOf(places.front().weight));
  if (!packed.ok()) return Annotate(packed.status(), Describe(places.front().weight, layer, item));
  for (const Place& place : places) ReportItem(*RowOf(place.weight, layer, item));
  return packed;
}

Quantization WeightPacker::QuantizationOf(WeightSlot slot) const {
  // A router is small, and a choice that it rounds is a different model.
  if (slot == WeightSlot::kRouter) return Quantization::kNone;
  const bool vocabulary = slot == WeightSlot::kEmbedding || slot == WeightSlot::kHead;
  return vocabulary && options_.quantization == Quantization::kInt4 ? Quantization::kInt8
                                                                    : options_.quantization;
}

absl::StatusOr<WeightPacker::OwnedPart> WeightPacker::MakePart(const Place& place, int32_t layer,
                                                               int32_t item) {
  const WeightRow* row = RowOf(place.weight, layer, item);
  BATON_CHECK(row != nullptr) << "pack: slot=" << static_cast<int>(place.weight);
  const int32_t of_tensor = row->item_count > 1 ? item : 0;
  OwnedPart owned;
  owned.part.rows = OutputsOf(*row).count;
  owned.part.cols = InputsOf(*row).count;
  switch (row->stacking) {
    case Stacking::kNone:
    case Stacking::kRows:
      if (CutsBlocks(*row)) {
        CopyRows(*row, of_tensor, owned);
      } else {
        PointAtRows(*row, of_tensor, owned);
      }
      break;
    case Stacking::kColumns:
      CopyColumns(*row, of_tensor, owned);
      break;
    case Stacking::kMxfp4:
      RETURN_IF_ERROR(CopyMxfp4(*row, of_tensor, owned));
      break;
  }
  if (place.bias.has_value() && Has(*place.bias, layer)) {
    ASSIGN_OR_RETURN(owned.bias, BiasOf(*row, *RowOf(*place.bias, layer, item), item));
  }
  return owned;
}

const SourceTensor& WeightPacker::TensorOf(const WeightRow& row) const {
  const SourceTensor* tensor = options_.source->Find(row.name);
  BATON_CHECK(tensor != nullptr) << "pack: the plan was not checked";
  return *tensor;
}

// Rows are read where they lie.
void WeightPacker::PointAtRows(const WeightRow& row, int32_t item, OwnedPart& owned) const {
  const FileRows rows = RowsOf(row, item);
  const Range outputs = OutputsOf(row);
  owned.part.format = rows.format;
  owned.part.row_bytes = rows.row_bytes;
  owned.part.data = rows.data;
  owned.part.col_begin = InputsOf(row).begin;
  if (row.transform == RowTransform::kNone && row.row_step == 1) {
    owned.part.data += static_cast<size_t>(row.first_row + outputs.begin) * owned.part.row_bytes;
    return;
  }
  for (int64_t i = outputs.begin; i < outputs.end(); ++i) {
    owned.row_order.push_back(static_cast<int32_t>(FileRowOf(row, i)));
  }
}

// Whether this shard's inputs begin or end inside a block.
bool WeightPacker::CutsBlocks(const WeightRow& row) const {
  const Range inputs = InputsOf(row);
  const int64_t block = InfoOf(*TensorOf(row).format).block_elements;
  return inputs.begin % block != 0 || inputs.count % block != 0;
}

// The rows of the tensor that holds `row`, from those of `item` on.
FileRows WeightPacker::RowsOf(const WeightRow& row, int32_t item) const {
  const SourceTensor& tensor = TensorOf(row);
  const int64_t cols = tensor.shape.dim(tensor.shape.rank() - 1);
  FileRows rows{.format = *tensor.format, .cols = cols};
  rows.row_bytes = tensor.bytes.size() / static_cast<size_t>(tensor.shape.element_count() / cols);
  rows.data = reinterpret_cast<const std::byte*>(tensor.bytes.data()) +
              static_cast<size_t>(item * row.item_rows) * rows.row_bytes;
  return rows;
}

void WeightPacker::CopyRows(const WeightRow& row, int32_t item, OwnedPart& owned) {
  owned.floats = TakeRows(
      RowsOf(row, item), OutputsOf(row), InputsOf(row),
      [&](int64_t output) { return FileRowOf(row, output); }, threads_);
  PointAtFloats(owned);
}

void WeightPacker::CopyColumns(const WeightRow& row, int32_t item, OwnedPart& owned) {
  owned.floats = TakeColumns(
      RowsOf(row, item), OutputsOf(row), InputsOf(row),
      [&](int64_t output) { return FileRowOf(row, output); }, threads_);
  PointAtFloats(owned);
}

void WeightPacker::PointAtFloats(OwnedPart& owned) {
  owned.part.format = WeightFormat::kF32;
  owned.part.data = reinterpret_cast<const std::byte*>(owned.floats.data());
  owned.part.row_bytes = RowBytes(WeightFormat::kF32, owned.part.cols);
}

absl::Status WeightPacker::CopyMxfp4(const WeightRow& row, int32_t item, OwnedPart& owned) {
  const SourceTensor* scales = options_.source->Find(row.scales_name);
  BATON_CHECK(scales != nullptr) << "pack: the plan was not checked";
  const Range inputs = InputsOf(row);
  const int64_t block = InfoOf(WeightFormat::kMXFP4).block_elements;
  if (inputs.begin % block != 0 || inputs.count % block != 0) {
    return InvalidArgument(absl::StrCat("load ", ToAbsl(scales->file), ": tensor=", row.name,
                                        ": cols=", inputs.count, " cut blocks of ", block));
  }
  SplitMxfp4 from{.row_blocks = row.shape.dim(1) / block};
  const auto before = static_cast<size_t>(item * row.item_rows * from.row_blocks);
  from.blocks = reinterpret_cast<const std::byte*>(TensorOf(row).bytes.data()) + before * 16;
  from.scales = reinterpret_cast<const std::byte*>(scales->bytes.data()) + before;
  owned.bytes = JoinMxfp4(
      from, OutputsOf(row), inputs, [&](int64_t output) { return FileRowOf(row, output); },
      threads_);
  owned.part.format = WeightFormat::kMXFP4;
  owned.part.data = owned.bytes.data();
  owned.part.row_bytes = RowBytes(WeightFormat::kMXFP4, owned.part.cols);
  return absl::OkStatus();
}

// The bias of this shard's outputs. Where shards add up their results, the first one brings it.
absl::StatusOr<std::vector<float>> WeightPacker::BiasOf(const WeightRow& weight,
                                                        const WeightRow& bias, int32_t item) {
  ASSIGN_OR_RETURN(const std::vector<float> whole, WholeVector(bias, item));
  if (weight.axis == ShardAxis::kInputs && options_.shard.rank != 0) return std::vector<float>();
  const Range outputs = OutputsOf(weight);
  std::vector<float> values;
  for (int64_t i = outputs.begin; i < outputs.end(); ++i) {
    values.push_back(whole[static_cast<size_t>(FileRowOf(bias, i))]);
  }
  return values;
}

// The row of the tensor, or of an item of it, that holds output `output` of a weight.
int64_t WeightPacker::FileRowOf(const WeightRow& row, int64_t output) const {
  const TurningRows& turning = row.turning;
  if (row.transform == RowTransform::kPairsToHalves && turning.dims > 0) {
    const int64_t dim = output % turning.head_dim - turning.begin;
    const int64_t half = turning.dims / 2;
    if (dim >= 0 && dim < turning.dims) output += 2 * (dim % half) + dim / half - dim;
  }
  return row.first_row + row.row_step * output;
}

Range WeightPacker::OutputsOf(const WeightRow& row) const {
  const int64_t total = row.shape.dim(0);
  if (row.axis == ShardAxis::kVocabulary) return options_.shard.ChunkOf(total);
  if (row.axis == ShardAxis::kOutputs) return options_.shard.SliceOf(total);
  if (row.axis == ShardAxis::kKvHeads) {
    const Range heads = options_.shard.KvHeadsOf(spec().kv_head_count);
    return {heads.begin * spec().head_dim, heads.count * spec().head_dim};
  }
  return {0, total};
}

Range WeightPacker::InputsOf(const WeightRow& row) const {
  const int64_t cols = row.shape.dim(1);
  return row.axis == ShardAxis::kInputs ? options_.shard.SliceOf(cols) : Range{0, cols};
}

// A tensor of several weights counts with the first of them, an item of it with its part.
void WeightPacker::ReportItem(const WeightRow& row) {
  if (row.first_row != 0) return;
  Report(TensorOf(row).bytes.size() / static_cast<uint64_t>(row.item_count));
}

void WeightPacker::Report(uint64_t bytes) {
  done_bytes_ += bytes;
  if (options_.progress) options_.progress(done_bytes_, total_bytes_);
}

}  // namespace baton::worker
