#include "worker/model/decoder_weights.h"

#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::worker {
namespace {

using Slot = WeightSlot;

// A part of a linear layer, and what its spans point into.
struct OwnedPart {
  LinearPart part;
  std::vector<int32_t> row_order;
  std::vector<float> bias;
};

// The row of a GGUF tensor that holds output `index`: its pairs lie next to each other.
int32_t PairedRow(int64_t index, int64_t head_dim) {
  const int64_t head = index / head_dim;
  const int64_t dim = index % head_dim;
  const int64_t half = head_dim / 2;
  return static_cast<int32_t>(head * head_dim + 2 * (dim % half) + dim / half);
}

// Packs one shard of a checkpoint; one use.
class WeightPacker {
 public:
  WeightPacker(const PackOptions& options, ComputeThreads& threads)
      : options_(options), threads_(threads) {
    for (const WeightRow& row : options_.plan->rows()) {
      const SourceTensor* tensor = options_.source->Find(row.name);
      if (tensor != nullptr) total_bytes_ += tensor->bytes.size();
    }
  }

  absl::StatusOr<DecoderWeights> PackAll() {
    DecoderWeights weights;
    ASSIGN_OR_RETURN(weights.embedding, Pack({Slot::kEmbedding}, LinearKind::kPlain));
    ASSIGN_OR_RETURN(weights.final_norm, Vector(Slot::kFinalNorm, -1));
    if (TensorOf(Slot::kRopeFactors, -1) != nullptr) {
      ASSIGN_OR_RETURN(weights.rope_factors, RopeFactors());
    }
    for (layer_ = 0; layer_ < options_.spec->layer_count; ++layer_) {
      ASSIGN_OR_RETURN(LayerWeights layer, PackLayer());
      weights.layers.push_back(std::move(layer));
    }
    layer_ = -1;
    if (!options_.spec->tied_embeddings) {
      ASSIGN_OR_RETURN(weights.head, Pack({Slot::kHead}, LinearKind::kPlain));
    }
    return weights;
  }

 private:
  // A weight and the bias that belongs to it.
  struct Place {
    Place(Slot weight_slot) : weight(weight_slot) {}  // NOLINT: a slot is a place without bias
    Place(Slot weight_slot, Slot bias_slot) : weight(weight_slot), bias(bias_slot) {}
    Slot weight;
    std::optional<Slot> bias;
  };

  absl::StatusOr<LayerWeights> PackLayer() {
    LayerWeights layer;
    ASSIGN_OR_RETURN(layer.attention_norm, Vector(Slot::kAttentionNorm, layer_));
    ASSIGN_OR_RETURN(layer.qkv, Pack({{Slot::kQuery, Slot::kQueryBias},
                                      {Slot::kKey, Slot::kKeyBias},
                                      {Slot::kValue, Slot::kValueBias}},
                                     LinearKind::kPlain));
    ASSIGN_OR_RETURN(layer.attention_out,
                     Pack({{Slot::kAttentionOut, Slot::kAttentionOutBias}}, LinearKind::kPlain));
    ASSIGN_OR_RETURN(layer.mlp_norm, Vector(Slot::kMlpNorm, layer_));
    ASSIGN_OR_RETURN(
        layer.gate_up,
        Pack({{Slot::kGate, Slot::kGateBias}, {Slot::kUp, Slot::kUpBias}}, LinearKind::kGatedSilu));
    ASSIGN_OR_RETURN(layer.down, Pack({{Slot::kDown, Slot::kDownBias}}, LinearKind::kPlain));
    return layer;
  }

  const SourceTensor* TensorOf(Slot slot, int32_t layer) const {
    const WeightRow* row = options_.plan->Find(slot, layer);
    return row == nullptr ? nullptr : options_.source->Find(row->name);
  }

  // A tensor of numbers that stay as they are, decoded.
  absl::StatusOr<std::vector<float>> Vector(Slot slot, int32_t layer) {
    const SourceTensor* tensor = TensorOf(slot, layer);
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
    Report(*tensor);
    return values;
  }

  // Frequencies are divided by them.
  absl::StatusOr<std::vector<float>> RopeFactors() {
    ASSIGN_OR_RETURN(std::vector<float> factors, Vector(Slot::kRopeFactors, -1));
    for (const float factor : factors) {
      if (std::isfinite(factor) && factor > 0) continue;
      const SourceTensor& tensor = *TensorOf(Slot::kRopeFactors, -1);
      return InvalidArgument(absl::StrCat("load ", ToAbsl(tensor.file),
                                          ": tensor=", ToAbsl(tensor.name), " holds ", factor,
                                          "/finite and above 0"));
    }
    return factors;
  }

  absl::StatusOr<PackedLinear> Pack(const std::vector<Place>& places, LinearKind kind) {
    std::vector<OwnedPart> owned;
    std::vector<LinearPart> parts;
    for (const Place& place : places) {
      ASSIGN_OR_RETURN(OwnedPart part, MakePart(place));
      owned.push_back(std::move(part));
    }
    for (const OwnedPart& part : owned) {
      parts.push_back(part.part);
      parts.back().row_order = part.row_order;
      parts.back().bias = part.bias;
    }
    absl::StatusOr<PackedLinear> packed =
        PackedLinear::Pack(parts, kind, options_.compute, threads_);
    const SourceTensor& first = *TensorOf(places.front().weight, LayerOf(places.front().weight));
    if (!packed.ok()) {
      return Annotate(packed.status(),
                      absl::StrCat("load ", ToAbsl(first.file), ": tensor=", ToAbsl(first.name)));
    }
    for (const Place& place : places) Report(*TensorOf(place.weight, LayerOf(place.weight)));
    return packed;
  }

  int32_t LayerOf(Slot slot) const { return slot >= Slot::kAttentionNorm ? layer_ : -1; }

  absl::StatusOr<OwnedPart> MakePart(const Place& place) {
    const WeightRow* row = options_.plan->Find(place.weight, LayerOf(place.weight));
    BATON_CHECK(row != nullptr) << "pack: slot=" << static_cast<int>(place.weight);
    const SourceTensor* tensor = options_.source->Find(row->name);
    BATON_CHECK(tensor != nullptr) << "pack: the plan was not checked";
    const Range outputs = OutputsOf(*row);
    const Range inputs = InputsOf(*row);
    OwnedPart owned;
    owned.part.format = *tensor->format;
    owned.part.data = reinterpret_cast<const std::byte*>(tensor->bytes.data());
    owned.part.row_bytes = tensor->bytes.size() / static_cast<size_t>(row->shape.dim(0));
    owned.part.rows = outputs.count;
    owned.part.col_begin = inputs.begin;
    owned.part.cols = inputs.count;
    if (row->transform == RowTransform::kPairsToHalves) {
      for (int64_t i = outputs.begin; i < outputs.end(); ++i) {
        owned.row_order.push_back(PairedRow(i, options_.spec->head_dim));
      }
    } else {
      owned.part.data += static_cast<size_t>(outputs.begin) * owned.part.row_bytes;
    }
    if (place.bias.has_value() && TensorOf(*place.bias, layer_) != nullptr) {
      ASSIGN_OR_RETURN(owned.bias, BiasOf(*place.bias, *row, outputs));
    }
    return owned;
  }

  // The bias of this shard's outputs. Where shards add up their results, the first one brings it.
  absl::StatusOr<std::vector<float>> BiasOf(Slot slot, const WeightRow& weight,
                                            const Range& outputs) {
    ASSIGN_OR_RETURN(const std::vector<float> whole, Vector(slot, layer_));
    if (weight.axis == ShardAxis::kInputs && options_.shard.rank != 0) return std::vector<float>();
    std::vector<float> bias;
    for (int64_t i = outputs.begin; i < outputs.end(); ++i) {
      const bool paired = weight.transform == RowTransform::kPairsToHalves;
      bias.push_back(
          whole[static_cast<size_t>(paired ? PairedRow(i, options_.spec->head_dim) : i)]);
    }
    return bias;
  }

  Range OutputsOf(const WeightRow& row) const {
    const int64_t total = row.shape.dim(0);
    if (row.axis == ShardAxis::kVocabulary) return options_.shard.ChunkOf(total);
    if (row.axis == ShardAxis::kOutputs) return options_.shard.SliceOf(total);
    return {0, total};
  }
  Range InputsOf(const WeightRow& row) const {
    const int64_t total = row.shape.dim(1);
    if (row.axis == ShardAxis::kInputs) return options_.shard.SliceOf(total);
    return {0, total};
  }

  void Report(const SourceTensor& tensor) {
    done_bytes_ += tensor.bytes.size();
    if (options_.progress) options_.progress(done_bytes_, total_bytes_);
  }

  const PackOptions& options_;
  ComputeThreads& threads_;
  int32_t layer_ = -1;
  uint64_t done_bytes_ = 0;
  uint64_t total_bytes_ = 0;
};

}  // namespace

uint64_t DecoderWeights::size_bytes() const {
  uint64_t bytes = embedding.size_bytes() + (head.has_value() ? head->size_bytes() : 0);
  for (const LayerWeights& layer : layers) {
    bytes += layer.qkv.size_bytes() + layer.attention_out.size_bytes() +
             layer.gate_up.size_bytes() + layer.down.size_bytes();
  }
  return bytes;
}

absl::Status CheckShard(const DecoderSpec& spec, const Shard& shard) {
  const auto refuse = [&](const char* what, int64_t count) {
    return InvalidArgument(absl::StrCat("shard model: ", what, "=", count, " cannot be cut into ",
                                        shard.size, " parts"));
  };
  if (spec.kv_head_count % shard.size != 0) return refuse("kv heads", spec.kv_head_count);
  if (spec.intermediate_size % shard.size != 0) {
    return refuse("intermediate_size", spec.intermediate_size);
  }
  const Shard last{shard.size - 1, shard.size};
  if (last.ChunkOf(spec.vocab_size).count < 1) return refuse("vocab_size", spec.vocab_size);
  return absl::OkStatus();
}

absl::StatusOr<DecoderWeights> PackWeights(const PackOptions& options, ComputeThreads& threads) {
  RETURN_IF_ERROR(CheckShard(*options.spec, options.shard));
  return WeightPacker(options, threads).PackAll();
}

}  // namespace baton::worker
