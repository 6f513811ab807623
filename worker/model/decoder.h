// Runs a decoder-only transformer over the rows of one engine step: any of them, told apart by
// their DecoderSpec.
//
//   ASSIGN_OR_RETURN(ConstMatrix logits, decoder.Forward(batch, kv, threads, communicator));
//
// A row of logits has the same bits whatever else is in the batch, however its sequence was cut
// into steps, and wherever its keys and values came from.
//
// Threading: thread-compatible; Forward from the thread that owns `threads`.
// Ownership: owns weights and activations; the logits are valid until the next Forward.
// Errors:    those of the communicator, and RESOURCE_EXHAUSTED without memory for activations. The
//            blocks that the step would have written then hold anything.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/ids.h"
#include "worker/device/buffer.h"
#include "worker/device/compute_threads.h"
#include "worker/kv_storage/kv_storage.h"
#include "worker/model/decoder_spec.h"
#include "worker/model/decoder_weights.h"
#include "worker/ops/attention.h"
#include "worker/ops/rope_append.h"
#include "worker/parallel/communicator.h"
#include "worker/tensor/matrix.h"

namespace baton::worker {

// The tokens of a step, row after row. Parallel spans have one entry for each token.
struct DecoderBatch {
  absl::Span<const TokenId> tokens;  // each < vocab_size
  absl::Span<const int32_t> positions;
  absl::Span<const KvSlot> slots;
  absl::Span<const AttentionRun> runs;
  absl::Span<const int32_t> logit_rows;  // indexes of tokens, ascending
};

class Decoder {
 public:
  // `weights` are the shard's part of a model of this spec, packed for `compute`.
  Decoder(const DecoderSpec& spec, DecoderWeights weights, Shard shard, DType compute);

  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  const DecoderSpec& spec() const { return spec_; }
  uint64_t weight_bytes() const { return weights_.size_bytes(); }

  // How this shard's keys and values lie. `block_tokens` as KvLayout::Make allows.
  absl::StatusOr<KvLayout> MakeKvLayout(int32_t block_tokens) const;

  // f32 [logit_rows, vocab_size] on rank 0; on other ranks the content is unspecified.
  // REQUIRES: `kv` has this decoder's layout and layers; the communicator is this shard's.
  absl::StatusOr<ConstMatrix> Forward(const DecoderBatch& batch, KvStorage& kv,
                                      ComputeThreads& threads, Communicator& communicator);

 private:
  // Memory that grows to the largest step seen.
  class Scratch {
   public:
    // A dense matrix in it. What was there before is lost.
    absl::StatusOr<Matrix> Take(DType dtype, int64_t rows, int64_t cols);

   private:
    Buffer buffer_;
  };
  // The activations of the step under way.
  struct Activations {
    Matrix hidden;  // f32: the residual stream
    Matrix normed;  // compute type, like q, attended and inner
    Matrix qkv;     // f32
    Matrix q;
    Matrix attended;
    Matrix inner;
    Matrix cos_sin;  // f32
    Matrix last;     // normed rows that give logits
    Matrix logits;   // f32, this shard's chunk of the vocabulary
  };

  absl::Status Prepare(const DecoderBatch& batch, const KvStorage& kv, int thread_count);
  void MapTokens(absl::Span<const TokenId> tokens);

  // Parts of a step; every thread of a region runs them. Each ends with a Sync.
  void Embed(const DecoderBatch& batch, const ComputeSlice& slice);
  void Attend(const DecoderBatch& batch, int32_t layer, KvStorage& kv, const ComputeSlice& slice);
  void FeedForward(int32_t layer, const ComputeSlice& slice);
  void Project(const DecoderBatch& batch, const ComputeSlice& slice);

  // The whole step on one rank, in one region; and on several, a region between two exchanges.
  void RunWhole(const DecoderBatch& batch, KvStorage& kv, ComputeThreads& threads);
  absl::Status RunSharded(const DecoderBatch& batch, KvStorage& kv, ComputeThreads& threads,
                          Communicator& communicator);
  absl::StatusOr<ConstMatrix> GatherLogits(Communicator& communicator);

  // What a sublayer adds to: the first rank brings the residual stream, all ranks sum.
  ConstMatrix Residual() const { return shard_.rank == 0 ? ConstMatrix(x_.hidden) : ConstMatrix(); }

  // Constant after construction.
  const DecoderSpec spec_;
  const DecoderWeights weights_;
  const Shard shard_;
  const DType compute_;
  const Range vocabulary_;  // of this shard
  std::vector<float> rope_frequencies_;

  // Of the step under way.
  Activations x_;
  AttentionPlan attention_plan_;
  std::vector<TokenId> shard_tokens_;  // rows of the shard's embedding; foreign ones are row 0
  std::vector<int32_t> foreign_rows_;
  Scratch hidden_, normed_, qkv_, q_, attended_, inner_, cos_sin_, last_, logits_, gathered_,
      whole_logits_;
};

}  // namespace baton::worker
