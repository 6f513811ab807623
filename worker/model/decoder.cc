#include "worker/model/decoder.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/base/status_macros.h"
#include "worker/ops/embedding.h"
#include "worker/ops/linear.h"
#include "worker/ops/rms_norm.h"
#include "worker/ops/rope.h"

namespace baton::worker {
namespace {

std::vector<float> Frequencies(const DecoderSpec& spec, const std::vector<float>& factors) {
  std::vector<float> frequencies = RopeFrequencies(spec.rope);
  const auto linear = static_cast<float>(spec.rope_linear_factor);
  for (size_t i = 0; i < frequencies.size(); ++i) {
    frequencies[i] /= linear;
    if (!factors.empty()) frequencies[i] /= factors[i];
  }
  return frequencies;
}

absl::Span<float> Flat(const Matrix& matrix) {
  return {matrix.row<float>(0), static_cast<size_t>(matrix.rows() * matrix.cols())};
}

}  // namespace

Decoder::Decoder(const DecoderSpec& spec, DecoderWeights weights, Shard shard, DType compute)
    : spec_(spec),
      weights_(std::move(weights)),
      shard_(shard),
      compute_(compute),
      vocabulary_(shard.ChunkOf(spec.vocab_size)),
      rope_frequencies_(Frequencies(spec_, weights_.rope_factors)) {}

absl::StatusOr<KvLayout> Decoder::MakeKvLayout(int32_t block_tokens) const {
  return KvLayout::Make(compute_, block_tokens, spec_.kv_head_count / shard_.size, spec_.head_dim);
}

absl::StatusOr<ConstMatrix> Decoder::Forward(const DecoderBatch& batch, KvStorage& kv,
                                             ComputeThreads& threads, Communicator& communicator) {
  BATON_CHECK(batch.positions.size() == batch.tokens.size() &&
              batch.slots.size() == batch.tokens.size())
      << "decoder: tokens=" << batch.tokens.size();
  if (batch.tokens.empty()) return ConstMatrix();
  RETURN_IF_ERROR(Prepare(batch, kv, threads.thread_count()));
  if (shard_.whole()) {
    RunWhole(batch, kv, threads);
    return ConstMatrix(x_.logits);
  }
  RETURN_IF_ERROR(RunSharded(batch, kv, threads, communicator));
  return GatherLogits(communicator);
}

absl::StatusOr<Matrix> Decoder::Scratch::Take(DType dtype, int64_t rows, int64_t cols) {
  const size_t bytes = static_cast<size_t>(rows * cols) * SizeOf(dtype);
  if (buffer_.size_bytes() < bytes) {
    buffer_ = Buffer();  // first free, then allocate: the old content is not needed
    ASSIGN_OR_RETURN(buffer_, Buffer::Allocate(bytes + bytes / 4));
  }
  return Matrix(buffer_.data(), dtype, rows, cols, cols);
}

absl::Status Decoder::Prepare(const DecoderBatch& batch, const KvStorage& kv, int thread_count) {
  const auto rows = static_cast<int64_t>(batch.tokens.size());
  const auto logit_rows = static_cast<int64_t>(batch.logit_rows.size());
  const int64_t q_size = spec_.q_size() / shard_.size;
  const int64_t kv_size = spec_.kv_size() / shard_.size;
  ASSIGN_OR_RETURN(x_.hidden, hidden_.Take(DType::kF32, rows, spec_.hidden_size));
  ASSIGN_OR_RETURN(x_.normed, normed_.Take(compute_, rows, spec_.hidden_size));
  ASSIGN_OR_RETURN(x_.qkv, qkv_.Take(DType::kF32, rows, q_size + 2 * kv_size));
  ASSIGN_OR_RETURN(x_.q, q_.Take(compute_, rows, q_size));
  ASSIGN_OR_RETURN(x_.attended, attended_.Take(compute_, rows, q_size));
  ASSIGN_OR_RETURN(x_.inner, inner_.Take(compute_, rows, spec_.intermediate_size / shard_.size));
  ASSIGN_OR_RETURN(x_.cos_sin, cos_sin_.Take(DType::kF32, rows, spec_.rope.rotary_dim));
  ASSIGN_OR_RETURN(x_.last, last_.Take(compute_, logit_rows, spec_.hidden_size));
  ASSIGN_OR_RETURN(x_.logits,
                   logits_.Take(DType::kF32, logit_rows, shard_.ChunkSizeOf(spec_.vocab_size)));
  attention_plan_.Build(batch.runs, spec_.head_count / shard_.size, kv.layout(), thread_count);
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
      Attend(batch, layer, kv, slice);
      FeedForward(layer, slice);
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
    threads.Run([&](const ComputeSlice& slice) { Attend(batch, layer, kv, slice); });
    RETURN_IF_ERROR(communicator.AllReduceSum(Flat(x_.hidden)));
    threads.Run([&](const ComputeSlice& slice) { FeedForward(layer, slice); });
    RETURN_IF_ERROR(communicator.AllReduceSum(Flat(x_.hidden)));
  }
  threads.Run([&](const ComputeSlice& slice) { Project(batch, slice); });
  return absl::OkStatus();
}

void Decoder::Embed(const DecoderBatch& batch, const ComputeSlice& slice) {
  Embedding({.tokens = shard_tokens_, .table = &weights_.embedding, .out = x_.hidden}, slice);
  RopeAngles(
      {.frequencies = rope_frequencies_, .positions = batch.positions, .cos_sin = x_.cos_sin},
      slice);
  slice.Sync();
}

void Decoder::Attend(const DecoderBatch& batch, int32_t layer, KvStorage& kv,
                     const ComputeSlice& slice) {
  const LayerWeights& weights = weights_.layers[static_cast<size_t>(layer)];
  const KvLayerView cache = kv.Layer(layer);
  RmsNorm({.x = x_.hidden,
           .weight = weights.attention_norm,
           .epsilon = static_cast<float>(spec_.norm_epsilon),
           .out = x_.normed},
          slice);
  slice.Sync();
  Linear({.x = x_.normed, .weights = &weights.qkv, .out = x_.qkv}, slice);
  slice.Sync();
  RopeAppend({.qkv = x_.qkv, .cos_sin = x_.cos_sin, .slots = batch.slots, .q = x_.q, .kv = cache},
             slice);
  slice.Sync();
  Attention({.q = x_.q,
             .kv = cache,
             .plan = &attention_plan_,
             .scale = static_cast<float>(spec_.attention_scale),
             .out = x_.attended},
            slice);
  slice.Sync();
  Linear({.x = x_.attended,
          .weights = &weights.attention_out,
          .out = x_.hidden,
          .residual = Residual()},
         slice);
  slice.Sync();
}

void Decoder::FeedForward(int32_t layer, const ComputeSlice& slice) {
  const LayerWeights& weights = weights_.layers[static_cast<size_t>(layer)];
  RmsNorm({.x = x_.hidden,
           .weight = weights.mlp_norm,
           .epsilon = static_cast<float>(spec_.norm_epsilon),
           .out = x_.normed},
          slice);
  slice.Sync();
  Linear({.x = x_.normed, .weights = &weights.gate_up, .out = x_.inner}, slice);
  slice.Sync();
  Linear({.x = x_.inner, .weights = &weights.down, .out = x_.hidden, .residual = Residual()},
         slice);
  slice.Sync();
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
  Linear({.x = x_.last,
          .weights = &weights_.head_table(),
          .out = x_.logits.Cols(0, vocabulary_.count)},
         slice);
  slice.Sync();
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

}  // namespace baton::worker
