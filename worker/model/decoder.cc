#include "worker/model/decoder.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "worker/ops/elementwise.h"
#include "worker/ops/embedding.h"
#include "worker/ops/linear.h"
#include "worker/ops/rms_norm.h"
#include "worker/ops/rope.h"
#include "worker/tensor/float_conversions.h"

namespace baton::worker {
namespace {

std::vector<std::vector<float>> Frequencies(const DecoderSpec& spec, const DecoderWeights& weights,
                                            int32_t longest) {
  std::vector<std::vector<float>> all;
  for (RopeConfig rope : spec.ropes) {
    if (auto* lists = std::get_if<LongRopeScaling>(&rope.scaling); lists != nullptr) {
      if (lists->short_factors.empty()) lists->short_factors = weights.rope_short_factors;
      if (lists->long_factors.empty()) lists->long_factors = weights.rope_long_factors;
    }
    std::vector<float>& frequencies = all.emplace_back(RopeFrequencies(rope, longest));
    if (all.size() > 1) continue;
    for (size_t i = 0; i < weights.rope_factors.size(); ++i) {
      frequencies[i] /= weights.rope_factors[i];
    }
  }
  return all;
}

// As a model of this type holds it: Gemma's root of the width is rounded like a weight.
float Rounded(double value, DType compute) {
  const auto single = static_cast<float>(value);
  return compute == DType::kBf16 ? ToFloat(ToBf16(single)) : single;
}

absl::Span<float> Flat(const Matrix& matrix) {
  return {matrix.row<float>(0), static_cast<size_t>(matrix.rows() * matrix.cols())};
}

}  // namespace

Decoder::Decoder(const DecoderSpec& spec, DecoderWeights weights, Shard shard, DType compute,
                 int32_t longest)
    : spec_(spec),
      placement_(PlaceLayers(spec)),
      weights_(std::move(weights)),
      shard_(shard),
      compute_(compute),
      vocabulary_(shard.ChunkOf(spec.vocab_size)),
      embedding_scale_(Rounded(spec.embedding_scale, compute)),
      attention_(spec_, placement_, shard, compute, Frequencies(spec_, weights_, longest)),
      mlp_(spec_, shard, compute) {
  if (spec_.attention == AttentionKind::kLatent) {
    latent_.emplace(spec_, shard, compute, Frequencies(spec_, weights_, longest).front());
  }
  const auto sparse = [](const LayerSpec& layer) {
    return layer.feed_forward == FeedForwardKind::kExperts;
  };
  if (std::any_of(spec_.layers.begin(), spec_.layers.end(), sparse)) {
    moe_.emplace(spec_, shard, compute);
  }
}

absl::StatusOr<ConstMatrix> Decoder::Forward(const DecoderBatch& batch, KvStorage& kv,
                                             ComputeThreads& threads, Communicator& communicator) {
  BATON_CHECK(batch.positions.size() == batch.tokens.size() &&
              static_cast<int32_t>(batch.tables.size()) == placement_.table_count() &&
              kv.layer_count() == placement_.layers_per_block)
      << "decoder: tokens=" << batch.tokens.size() << " tables=" << batch.tables.size()
      << " layers=" << kv.layer_count();
  if (batch.tokens.empty()) return ConstMatrix();
  RETURN_IF_ERROR(Prepare(batch, kv, threads.thread_count()));
  if (shard_.whole()) {
    RunWhole(batch, kv, threads);
    return ConstMatrix(x_.logits);
  }
  RETURN_IF_ERROR(RunSharded(batch, kv, threads, communicator));
  return GatherLogits(communicator);
}

absl::Status Decoder::Prepare(const DecoderBatch& batch, const KvStorage& kv, int thread_count) {
  const auto rows = static_cast<int64_t>(batch.tokens.size());
  const auto logit_rows = static_cast<int64_t>(batch.logit_rows.size());
  ASSIGN_OR_RETURN(x_.hidden, hidden_.Take(DType::kF32, rows, spec_.hidden_size));
  ASSIGN_OR_RETURN(x_.normed, normed_.Take(compute_, rows, spec_.hidden_size));
  if (NormFollows()) {
    ASSIGN_OR_RETURN(x_.added, added_.Take(DType::kF32, rows, spec_.hidden_size));
  }
  ASSIGN_OR_RETURN(x_.last, last_.Take(compute_, logit_rows, spec_.hidden_size));
  ASSIGN_OR_RETURN(x_.logits,
                   logits_.Take(DType::kF32, logit_rows, shard_.ChunkSizeOf(spec_.vocab_size)));
  if (latent_.has_value()) {
    RETURN_IF_ERROR(latent_->Prepare(batch, kv.layout(), thread_count));
  } else {
    RETURN_IF_ERROR(attention_.Prepare(batch, kv.layout(), thread_count));
  }
  RETURN_IF_ERROR(mlp_.Prepare(batch));
  if (moe_.has_value()) RETURN_IF_ERROR(moe_->Prepare(batch));
  MapTokens(batch.tokens);
  return absl::OkStatus();
}

void Decoder::MapTokens(absl::Span<const TokenId> tokens) {
  shard_tokens_.clear();
  foreign_rows_.clear();
  for (const TokenId token : tokens) {
    const int64_t local = int64_t{token} - vocabulary_.begin;
    const bool ours = local >= 0 && local < vocabulary_.count;
    if (!ours) foreign_rows_.push_back(static_cast<int32_t>(shard_tokens_.size()));
    shard_tokens_.push_back(ours ? static_cast<TokenId>(local) : 0);
  }
  BATON_CHECK(!shard_.whole() || foreign_rows_.empty()) << "decoder: a token beyond vocab_size";
}

void Decoder::RunWhole(const DecoderBatch& batch, KvStorage& kv, ComputeThreads& threads) {
  threads.Run([&](const ComputeSlice& slice) {
    Embed(batch, slice);
    for (int32_t layer = 0; layer < spec_.layer_count; ++layer) {
      StartAttend(layer, slice);
      Attend(batch, layer, kv, slice);
      EndAttend(layer, slice);
      FeedForward(layer, slice);
      EndFeedForward(layer, slice);
    }
    Project(batch, slice);
  });
}

absl::Status Decoder::RunSharded(const DecoderBatch& batch, KvStorage& kv, ComputeThreads& threads,
                                 Communicator& communicator) {
  threads.Run([&](const ComputeSlice& slice) { Embed(batch, slice); });
  for (const int32_t row : foreign_rows_) {
    std::fill_n(x_.hidden.row<float>(row), spec_.hidden_size, 0.0f);
  }
  RETURN_IF_ERROR(communicator.AllReduceSum(Flat(x_.hidden)));
  for (int32_t layer = 0; layer < spec_.layer_count; ++layer) {
    RETURN_IF_ERROR(AttendSharded(batch, layer, kv, threads, communicator));
    RETURN_IF_ERROR(communicator.AllReduceSum(Flat(SublayerOut())));
    threads.Run([&](const ComputeSlice& slice) {
      EndAttend(layer, slice);
      FeedForward(layer, slice);
    });
    RETURN_IF_ERROR(communicator.AllReduceSum(Flat(SublayerOut())));
    threads.Run([&](const ComputeSlice& slice) { EndFeedForward(layer, slice); });
  }
  threads.Run([&](const ComputeSlice& slice) { Project(batch, slice); });
  return absl::OkStatus();
}

absl::Status Decoder::AttendSharded(const DecoderBatch& batch, int32_t layer, KvStorage& kv,
                                    ComputeThreads& threads, Communicator& communicator) {
  const absl::Span<float> sums = attention_.SquareSums();
  if (sums.empty()) {
    threads.Run([&](const ComputeSlice& slice) {
      StartAttend(layer, slice);
      Attend(batch, layer, kv, slice);
    });
    return absl::OkStatus();
  }
  threads.Run([&](const ComputeSlice& slice) { StartAttend(layer, slice); });
  RETURN_IF_ERROR(communicator.AllReduceSum(sums));
  threads.Run([&](const ComputeSlice& slice) { Attend(batch, layer, kv, slice); });
  return absl::OkStatus();
}

void Decoder::Embed(const DecoderBatch& batch, const ComputeSlice& slice) {
  Embedding({.tokens = shard_tokens_,
             .table = &weights_.embedding,
             .out = x_.hidden,
             .scale = embedding_scale_},
            slice);
  if (latent_.has_value()) {
    latent_->Turn(batch, slice);
  } else {
    attention_.Turn(batch, slice);
  }
  slice.Sync();
  Show(tap_, -1, "embedding", x_.hidden, slice);
}

// Gives the sublayer its input.
void Decoder::StartSublayer(const std::vector<float>& norm, const ComputeSlice& slice) {
  if (norm.empty()) {
    Convert({.x = x_.hidden, .out = x_.normed}, slice);
  } else {
    RmsNorm({.x = x_.hidden,
             .weight = norm,
             .epsilon = static_cast<float>(spec_.norm_epsilon),
             .out = x_.normed},
            slice);
  }
  slice.Sync();
}

// Where a sublayer's result goes: with norms in front alone, straight into the residual stream,
// which the first rank brings and all ranks sum.
SublayerIo Decoder::Io() const {
  SublayerIo io{.x = x_.normed, .out = SublayerOut()};
  if (!NormFollows() && shard_.rank == 0) io.residual = x_.hidden;
  io.scale = static_cast<float>(spec_.residual_scale);
  return io;
}

// Where a norm follows the sublayer: its result, normed, goes into the residual stream.
void Decoder::EndSublayer(const std::vector<float>& post_norm, const ComputeSlice& slice) {
  if (!NormFollows()) return;
  RmsNorm({.x = x_.added,
           .weight = post_norm,
           .epsilon = static_cast<float>(spec_.norm_epsilon),
           .out = x_.hidden,
           .residual = x_.hidden},
          slice);
  slice.Sync();
}

void Decoder::StartAttend(int32_t layer, const ComputeSlice& slice) {
  const LayerWeights& weights = WeightsOf(layer);
  StartSublayer(weights.attention_norm, slice);
  Show(tap_, layer, "attention_input", x_.normed, slice);
  if (spec_.attention == AttentionKind::kGrouped) {
    attention_.Project(x_.normed, layer, weights.attention, tap_, slice);
  }
}

void Decoder::Attend(const DecoderBatch& batch, int32_t layer, KvStorage& kv,
                     const ComputeSlice& slice) {
  const LayerWeights& weights = WeightsOf(layer);
  const KvLayerView cache = kv.Layer(placement_.layers[static_cast<size_t>(layer)].slot);
  switch (spec_.attention) {
    case AttentionKind::kGrouped:
      attention_.Run(Io(), batch, layer, weights.attention, cache, tap_, slice);
      break;
    case AttentionKind::kLatent:
      latent_->Run(Io(), batch, layer, weights.latent, cache, tap_, slice);
      break;
  }
}

void Decoder::EndAttend(int32_t layer, const ComputeSlice& slice) {
  EndSublayer(WeightsOf(layer).attention_post_norm, slice);
  Show(tap_, layer, "after_attention", x_.hidden, slice);
}

void Decoder::FeedForward(int32_t layer, const ComputeSlice& slice) {
  const LayerWeights& weights = WeightsOf(layer);
  StartSublayer(weights.mlp_norm, slice);
  Show(tap_, layer, "mlp_input", x_.normed, slice);
  switch (spec_.layers[static_cast<size_t>(layer)].feed_forward) {
    case FeedForwardKind::kDense:
      mlp_.Run(Io(), layer, weights.mlp, tap_, slice);
      break;
    case FeedForwardKind::kExperts:
      moe_->Run(Io(), layer, weights.moe, tap_, slice);
      break;
  }
}

void Decoder::EndFeedForward(int32_t layer, const ComputeSlice& slice) {
  EndSublayer(WeightsOf(layer).mlp_post_norm, slice);
  Show(tap_, layer, "output", x_.hidden, slice);
}

void Decoder::Project(const DecoderBatch& batch, const ComputeSlice& slice) {
  if (batch.logit_rows.empty()) return;
  RmsNorm({.x = x_.hidden,
           .weight = weights_.final_norm,
           .epsilon = static_cast<float>(spec_.norm_epsilon),
           .out = x_.last,
           .rows = batch.logit_rows},
          slice);
  slice.Sync();
  Show(tap_, -1, "final_norm", x_.last, slice);
  const Matrix logits = x_.logits.Cols(0, vocabulary_.count);
  Linear({.x = x_.last,
          .weights = &weights_.head_table(),
          .out = logits,
          .scale = static_cast<float>(spec_.logit_scale)},
         slice);
  slice.Sync();
  if (spec_.logit_soft_cap != 0) {
    SoftCap({.x = logits, .cap = static_cast<float>(spec_.logit_soft_cap)}, slice);
    slice.Sync();
  }
  Show(tap_, -1, "logits", logits, slice);
}

absl::StatusOr<ConstMatrix> Decoder::GatherLogits(Communicator& communicator) {
  const int64_t rows = x_.logits.rows();
  if (rows == 0) return ConstMatrix();
  ASSIGN_OR_RETURN(const Matrix gathered,
                   gathered_.Take(DType::kF32, rows * shard_.size, x_.logits.cols()));
  RETURN_IF_ERROR(communicator.AllGather(Flat(x_.logits), Flat(gathered)));
  ASSIGN_OR_RETURN(const Matrix whole, whole_logits_.Take(DType::kF32, rows, spec_.vocab_size));
  if (shard_.rank != 0) return ConstMatrix(whole);
  for (int rank = 0; rank < shard_.size; ++rank) {
    const Range chunk = Shard{rank, shard_.size}.ChunkOf(spec_.vocab_size);
    for (int64_t row = 0; row < rows; ++row) {
      std::copy_n(gathered.row<float>(rank * rows + row), chunk.count,
                  whole.row<float>(row) + chunk.begin);
    }
  }
  return ConstMatrix(whole);
}

absl::StatusOr<KvLayout> MakeKvLayout(const DecoderSpec& spec, const Shard& shard, DType dtype,
                                      int32_t block_tokens, KvFormat format) {
  if (spec.attention == AttentionKind::kLatent) {
    return KvLayout::MakeLatent(dtype, block_tokens, spec.latent.kv_rank, spec.latent.rotary_dim,
                                format);
  }
  return KvLayout::Make(dtype, block_tokens,
                        static_cast<int32_t>(shard.KvHeadsOf(spec.kv_head_count).count),
                        spec.head_dim, format);
}

}  // namespace baton::worker
