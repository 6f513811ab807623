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
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/ids.h"
#include "worker/device/compute_threads.h"
#include "worker/kv_storage/kv_storage.h"
#include "worker/model/attention_layer.h"
#include "worker/model/decoder_spec.h"
#include "worker/model/decoder_weights.h"
#include "worker/model/kv_placement.h"
#include "worker/model/latent_layer.h"
#include "worker/model/mlp_layer.h"
#include "worker/model/moe_layer.h"
#include "worker/model/step.h"
#include "worker/parallel/communicator.h"
#include "worker/tensor/matrix.h"

namespace baton::worker {

class Decoder {
 public:
  // `weights` are the shard's part of a model of this spec, packed for `compute`. `longest`: tokens
  // of the longest sequence that will come, which some rope scalings depend on.
  Decoder(const DecoderSpec& spec, DecoderWeights weights, Shard shard, DType compute,
          int32_t longest);

  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  const DecoderSpec& spec() const { return spec_; }
  const KvPlacement& placement() const { return placement_; }
  uint64_t weight_bytes() const { return weights_.size_bytes(); }

  // Shows intermediate results of the steps that follow: for dumps, never while serving.
  void SetTap(ActivationTap tap) { tap_ = std::move(tap); }

  // f32 [logit_rows, vocab_size] on rank 0; on other ranks the content is unspecified.
  // REQUIRES: `kv` has this decoder's layout and its placement's layers; the communicator is this
  // shard's.
  absl::StatusOr<ConstMatrix> Forward(const DecoderBatch& batch, KvStorage& kv,
                                      ComputeThreads& threads, Communicator& communicator);

 private:
  // The activations of the step under way that sublayers share.
  struct Activations {
    Matrix hidden;  // f32: the residual stream
    Matrix normed;  // compute type: what a sublayer reads
    Matrix added;   // f32: what a sublayer gives, where a norm follows it
    Matrix last;    // normed rows that give logits, compute type
    Matrix logits;  // f32, this shard's chunk of the vocabulary
  };

  absl::Status Prepare(const DecoderBatch& batch, const KvStorage& kv, int thread_count);
  void MapTokens(absl::Span<const TokenId> tokens);

  // Parts of a step; every thread of a region runs them. Each ends with a Sync. Ranks exchange
  // SublayerOut between a sublayer and its end, and what attention asks for after its start.
  void Embed(const DecoderBatch& batch, const ComputeSlice& slice);
  void StartAttend(int32_t layer, const ComputeSlice& slice);
  void Attend(const DecoderBatch& batch, int32_t layer, KvStorage& kv, const ComputeSlice& slice);
  void EndAttend(int32_t layer, const ComputeSlice& slice);
  void FeedForward(int32_t layer, const ComputeSlice& slice);
  void EndFeedForward(int32_t layer, const ComputeSlice& slice);
  void Project(const DecoderBatch& batch, const ComputeSlice& slice);

  void StartSublayer(const std::vector<float>& norm, const ComputeSlice& slice);
  SublayerIo Io() const;
  void EndSublayer(const std::vector<float>& post_norm, const ComputeSlice& slice);

  // The whole step on one rank, in one region; and on several, a region between two exchanges.
  void RunWhole(const DecoderBatch& batch, KvStorage& kv, ComputeThreads& threads);
  absl::Status RunSharded(const DecoderBatch& batch, KvStorage& kv, ComputeThreads& threads,
                          Communicator& communicator);
  absl::Status AttendSharded(const DecoderBatch& batch, int32_t layer, KvStorage& kv,
                             ComputeThreads& threads, Communicator& communicator);
  absl::StatusOr<ConstMatrix> GatherLogits(Communicator& communicator);

  bool NormFollows() const { return spec_.norm_placement != NormPlacement::kPre; }
  const Matrix& SublayerOut() const { return NormFollows() ? x_.added : x_.hidden; }
  const LayerWeights& WeightsOf(int32_t layer) const {
    return weights_.layers[static_cast<size_t>(layer)];
  }

  // Constant after construction.
  const DecoderSpec spec_;
  const KvPlacement placement_;
  const DecoderWeights weights_;
  const Shard shard_;
  const DType compute_;
  const Range vocabulary_;  // of this shard
  const float embedding_scale_;
  ActivationTap tap_;

  // Of the step under way.
  Activations x_;
  AttentionLayer attention_;
  std::optional<LatentLayer> latent_;  // instead of it
  MlpLayer mlp_;
  std::optional<MoeLayer> moe_;
  std::vector<TokenId> shard_tokens_;  // rows of the shard's embedding; foreign ones are row 0
  std::vector<int32_t> foreign_rows_;
  Scratch hidden_, normed_, added_, last_, logits_, gathered_, whole_logits_;
};

// How a shard's keys and values lie. `block_tokens` as KvLayout::Make allows. UNIMPLEMENTED for
// latents in another format than kPlain.
absl::StatusOr<KvLayout> MakeKvLayout(const DecoderSpec& spec, const Shard& shard, DType dtype,
                                      int32_t block_tokens, KvFormat format = KvFormat::kPlain);

}  // namespace baton::worker
