// Everything that tells one decoder-only transformer from another, as data: the generic decoder
// runs any of them, an architecture file fills one in.
//
// Fields describe what models of this kind do, also what our decoder does not do yet: those are
// refused by name when a decoder is made (CheckSupported), never ignored.
//
// Threading: plain data, immutable once a decoder holds it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "worker/ops/activation.h"
#include "worker/ops/moe_routing.h"
#include "worker/ops/rope.h"

namespace baton::worker {

enum class NormPlacement {
  kPre,       // x += f(norm(x)): Llama and most
  kPost,      // x += norm(f(x)): OLMo 2
  kSandwich,  // x += norm(f(norm(x))): Gemma 2 and 3
};
enum class NormKind { kRms, kRmsPlusOne, kLayer };  // plus one: weights are stored minus one
enum class QkNorm { kNone, kPerHead, kWholeProjection };
enum class RopeLayout { kHalfSplit, kInterleaved };

// What a layer does between its norms; each kind has a file of its own.
enum class AttentionKind : uint8_t { kGrouped, kLatent };
enum class FeedForwardKind : uint8_t { kDense, kExperts };

inline constexpr int32_t kNoRope = -1;

// Where one layer may differ from the next.
struct LayerSpec {
  int32_t window = 0;  // positions that it sees, its own included; 0: all
  int32_t rope = 0;    // into DecoderSpec::ropes, or kNoRope: it knows no positions
  FeedForwardKind feed_forward = FeedForwardKind::kDense;
};

// Attention over latents (DeepSeek V2 and V3): what a head's queries, keys and values are made of.
struct LatentSpec {
  int32_t q_rank = 0;      // 0: queries come straight from the input
  int32_t kv_rank = 0;     // what the cache keeps of a token, besides the turned key
  int32_t plain_dim = 0;   // of a head's queries and keys, without position
  int32_t rotary_dim = 0;  // the rest of them, which turns; keys share it
  int32_t value_dim = 0;
};

// Experts, in layers that have them.
struct MoeSpec {
  MoeRouting routing;
  int32_t expert_size = 0;  // columns of one
  int32_t shared_size = 0;  // of all those that answer every row; 0: none
  bool router_bias = false;
  bool expert_bias = false;
  bool correction = false;  // of the router's choice
};

struct DecoderSpec {
  std::string architecture;  // as the checkpoint names it

  // Sizes.
  int32_t vocab_size = 0;
  int32_t hidden_size = 0;
  int32_t intermediate_size = 0;
  int32_t layer_count = 0;
  int32_t head_count = 0;
  int32_t kv_head_count = 0;
  int32_t head_dim = 0;
  int32_t max_positions = 0;
  // What a worker serves unless told otherwise, where longer sequences change the short ones; 0:
  // all.
  int32_t unchanged_positions = 0;
  std::vector<LayerSpec> layers;   // layer_count of them
  int32_t unused_layer_count = 0;  // that a checkpoint holds behind them, and nobody runs

  // Norms.
  NormKind norm = NormKind::kRms;
  NormPlacement norm_placement = NormPlacement::kPre;
  double norm_epsilon = 1e-5;
  QkNorm qk_norm = QkNorm::kNone;

  // Attention.
  AttentionKind attention = AttentionKind::kGrouped;
  std::vector<RopeConfig> ropes = std::vector<RopeConfig>(1);
  RopeLayout rope_layout = RopeLayout::kHalfSplit;
  double attention_scale = 0;     // head_dim^-0.5 in most
  double attention_soft_cap = 0;  // 0: none
  bool attention_sinks = false;
  LatentSpec latent;  // of AttentionKind::kLatent; head_dim is then that of queries

  // Biases.
  bool qkv_bias = false;
  bool attention_out_bias = false;
  bool mlp_bias = false;

  // Feed-forward.
  Activation activation = Activation::kSilu;
  double activation_limit = 0;  // of Activation::kClampedSwiglu
  bool gated_mlp = true;
  MoeSpec moe;

  // The residual stream and its ends.
  bool tied_embeddings = false;
  double embedding_scale = 1;
  double residual_scale = 1;  // of what a sublayer adds
  double logit_scale = 1;
  double logit_soft_cap = 0;  // 0: none

  int32_t usual_positions() const {
    return unchanged_positions > 0 ? unchanged_positions : max_positions;
  }
  int64_t q_size() const { return int64_t{head_count} * head_dim; }
  int64_t kv_size() const { return int64_t{kv_head_count} * head_dim; }
};

// Makes `count` layers that are all alike. INVALID_ARGUMENT for a count that cannot be.
absl::Status SetLayerCount(int64_t count, DecoderSpec& spec);

// INVALID_ARGUMENT unless sizes are positive, bounded and fit together: what is read from a file is
// checked here, and nowhere later.
absl::Status CheckSizes(const DecoderSpec& spec);

// UNIMPLEMENTED, naming the field, if our decoder does not do what the spec asks for.
absl::Status CheckSupported(const DecoderSpec& spec);

}  // namespace baton::worker
