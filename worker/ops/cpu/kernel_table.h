// The seam between ops and the files that are compiled once per instruction set: plain structs and
// functions. What is included there may hold no inline function of ours or of the library, lest the
// linker keep a copy that only newer processors can run.
//
// Threading: tables are constant; kernels may run on any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "worker/ops/activation.h"
#include "worker/tensor/kv_format.h"

namespace baton::worker::cpu {

// 32-column units [unit_begin, unit_end) of y = x W^T; see ../linear.h and ../packed_linear.h.
struct LinearTask {
  const void* x;
  int64_t x_stride;  // elements, as all strides here
  int64_t rows;
  const void* weights;
  int64_t inputs;
  int64_t outputs;
  const float* bias;      // or nullptr
  const float* residual;  // or nullptr
  int64_t residual_stride;
  void* out;
  int64_t out_stride;
  float scale;
  int64_t unit_begin;
  int64_t unit_end;
  bool out_bf16;
  bool gated;
  Activation activation;
  float activation_limit;
};

// 64 columns of quantised weights; see ../quantized_panels.h.
struct QuantPanel {
  const unsigned char* groups;  // the first one
  int64_t group_bytes;
  const unsigned char* table;  // of 16 numbers + 128 that 4-bit codes stand for, or nullptr
  int32_t bits;                // 4, 5, 6 or 8
  int32_t zero;                // code of 0, where there is no least value
  bool has_least;
  bool half_groups;  // a scale for 16 inputs
};

// 32 inputs of one row, in 8 bits: x = scale * q.
struct QuantGroup {
  float scale;
  float sum;         // of x, after rounding
  int32_t low_sum;   // of q, first 16
  int32_t high_sum;  // of q, last 16
};

// Rows to int8 in groups of 32, the last one filled up with zeros.
struct QuantizeTask {
  const void* x;
  int64_t x_stride;
  int64_t rows;
  int64_t inputs;
  int64_t group_count;
  signed char* values;  // [rows][group_count * 32]
  QuantGroup* groups;   // [rows][group_count]
  bool x_bf16;
};

// The product with quantised weights and rows; `linear` without its x and weights.
struct QuantLinearTask {
  LinearTask linear;
  const QuantPanel* panels;
  int64_t group_count;
  const signed char* values;
  const QuantGroup* groups;
};

struct RmsNormTask {
  float* x;
  const float* add;  // or nullptr
  const float* weight;
  const float* residual;  // or nullptr: added to the result
  void* out;
  int64_t size;
  float epsilon;
  bool out_bf16;
};

// One row and one kv head with its queries; see ../rope_append.h.
struct RopeAppendTask {
  const float* queries;  // group * head_dim
  const float* key;
  const float* value;
  const float* cos_sin;
  const float* q_norm;  // head_dim weights, or nullptr
  const float* k_norm;
  void* q_out;
  void* keys;          // of the head in the block
  void* values;        // likewise
  float* key_scale;    // of the token, or nullptr
  float* value_scale;  // likewise
  KvFormat format;
  int32_t group;
  int32_t head_dim;
  int32_t padded_head_dim;
  int32_t rotary_dim;
  int32_t block_tokens;
  int32_t slot;  // token in the block
  float norm_epsilon;
};

// A piece of an AttentionPlan; see ../attention.h. Its rows are (query, head of the group) pairs.
struct AttentionTask {
  const void* q;  // first query, first head of the group
  int64_t q_stride;
  const int32_t* blocks;
  const unsigned char* keys;          // of the kv head in block 0
  const unsigned char* values;        // likewise
  const unsigned char* key_scales;    // likewise, or nullptr
  const unsigned char* value_scales;  // likewise
  KvFormat format;
  size_t block_bytes;  // from one block of this layer to the next
  void* tile;          // scratch of a tile, unless kPlain
  float* totals;       // scratch of rows * state_floats
  float* partials;     // rows * state_floats: scratch, or where the result is wanted
  void* out;           // nullptr: leave the partial results of the only split in `partials`
  int64_t out_stride;
  int32_t state_floats;  // padded_head_dim sums, maximum, sum of weights, fill
  int32_t query_count;
  int32_t group;
  int32_t head_dim;
  int32_t padded_head_dim;
  int32_t block_tokens;
  int32_t first_position;  // of the first query
  int32_t split_begin;
  int32_t split_end;
  float scale;
  int32_t window;      // tokens that a query sees, its own included; 0: all
  float soft_cap;      // 0: none
  const float* sinks;  // of the group's heads, or nullptr
  bool out_bf16;
};

// A piece of the AttentionPlan of latent rows; see ../latent_attention.h. Its rows are (query, head
// of the group) pairs, its states as AttentionTask's with latent_dim sums.
struct LatentTask {
  const float* q;  // first query, first head of the group
  int64_t q_stride;
  const int32_t* blocks;
  const unsigned char* latents;        // of block 0
  const unsigned char* latent_scales;  // likewise; nullptr: none
  size_t block_bytes;                  // from one block of this layer to the next
  float* tile;                         // where rows are widened; unused by KvFormat::kPlain
  float* totals;
  float* partials;
  void* out;  // nullptr: leave the partial results of the only split in `partials`
  int64_t out_stride;
  int32_t state_floats;
  int32_t query_count;
  int32_t group;
  int32_t latent_dim;  // of values; a multiple of 16, as row_dim
  int32_t row_dim;     // of keys
  int32_t block_tokens;
  KvFormat format;         // of latents; all but kPlain are for latent_f32
  int32_t first_position;  // of the first query
  int32_t split_begin;
  int32_t split_end;
  float scale;
  bool out_bf16;
};

// Joins the partial results of one row, in order, and writes the quotient.
struct AttentionJoinTask {
  const float* first;
  int64_t partial_stride;  // floats from one split's state to the next's
  int32_t partial_count;
  float* total;       // scratch of state_floats
  const float* sink;  // of the row's head, or nullptr
  void* out;
  int32_t head_dim;
  int32_t padded_head_dim;
  bool out_bf16;
};

struct KernelTable {
  void (*linear_bf16)(const LinearTask&);
  void (*linear_f32)(const LinearTask&);
  void (*linear_quant)(const QuantLinearTask&);
  void (*quantize_rows)(const QuantizeTask&);
  void (*rms_norm)(const RmsNormTask&);
  void (*rope_append_bf16)(const RopeAppendTask&);
  void (*rope_append_f32)(const RopeAppendTask&);
  void (*attention_bf16)(const AttentionTask&);
  void (*attention_f32)(const AttentionTask&);
  void (*attention_join)(const AttentionJoinTask&);
  void (*latent_bf16)(const LatentTask&);
  void (*latent_f32)(const LatentTask&);
  void (*soft_cap)(float* x, int64_t count, float cap);
};

// Sizes that the kernels and their callers agree upon.
inline constexpr int kPanelCols = 64;
inline constexpr int kUnitCols = 32;
inline constexpr int kTileTokens = 64;
inline constexpr int kSplitTokens = 512;
inline constexpr int kHeadDimMax = 512;

extern const KernelTable kPlainKernels;
#if defined(__x86_64__)
extern const KernelTable kAvx2Kernels;
extern const KernelTable kAvx512Kernels;
#endif

}  // namespace baton::worker::cpu
