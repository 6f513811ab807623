// How the keys and values of one block of tokens lie in memory, in one layer. Chosen for the CPU's
// attention kernel, agreed upon by whoever appends, attends, copies or sends them.
//
// A block of one layer holds, for each kv head, its keys and then, for each kv head, its values:
//
//   bf16: keys   [head][head_dim / 2][block_tokens][2]    a vector of tokens meets a pair of dims
//         values [head][block_tokens / 2][head_dim'][2]   a vector of dims meets a pair of tokens
//   f32:  keys   [head][head_dim][block_tokens]
//         values [head][block_tokens][head_dim']
//
// A format other than kPlain keeps smaller elements in the same order, which the attention kernel
// widens tile by tile. kInt8 has scales behind the values, f32: [head][block_tokens] of keys, then
// of values; a number is its scale times its element.
//
// A latent layout (multi-head latent attention) has one row for each token instead, of which the
// first latent_dim elements are key and value of all heads and the others key alone. kInt8 has
// scales behind the rows: [block_tokens] of the latent elements, then of the others:
//
//   [block_tokens][head_dim]
//
// head_dim' is head_dim rounded up to a multiple of 16; the extra columns are never read back.
// Head ranges are contiguous in keys and in values, which is what a reshard by heads needs.
//
// Threading: plain values. Ownership: KvLayerView points into a KvStorage, which outlives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "worker/tensor/dtype.h"
#include "worker/tensor/kv_format.h"

namespace baton::worker {

// What is kept, by name: the compute type's, if it is kPlain.
std::string_view NameOf(KvFormat format, DType compute);

struct KvLayout {
  DType dtype = DType::kBf16;  // of queries, and of elements in kPlain
  int32_t block_tokens = 0;
  int32_t kv_heads = 0;
  int32_t head_dim = 0;
  int32_t latent_dim = 0;  // 0: keys and values for each head
  KvFormat format = KvFormat::kPlain;

  // Checks the four: kBf16 or kF32, 16 to 128 tokens in steps of 16, head_dim 8 to 512
  // in steps of 8.
  // INVALID_ARGUMENT names the one that is wrong.
  static absl::StatusOr<KvLayout> Make(DType dtype, int32_t block_tokens, int32_t kv_heads,
                                       int32_t head_dim, KvFormat format = KvFormat::kPlain);
  // Rows of latent_dim + rotary_dim: both multiples of 16, at most 512 and 256.
  static absl::StatusOr<KvLayout> MakeLatent(DType dtype, int32_t block_tokens, int32_t latent_dim,
                                             int32_t rotary_dim,
                                             KvFormat format = KvFormat::kPlain);

  int32_t padded_head_dim() const { return (head_dim + 15) / 16 * 16; }

  size_t element_bytes() const {
    if (format == KvFormat::kPlain) return SizeOf(dtype);
    return format == KvFormat::kBf16 ? 2 : 1;
  }
  bool has_scales() const { return format == KvFormat::kInt8; }

  // Bytes of one head's keys in a block; its values take as many.
  size_t head_bytes() const {
    return static_cast<size_t>(block_tokens) * static_cast<size_t>(padded_head_dim()) *
           element_bytes();
  }
  size_t keys_bytes() const { return static_cast<size_t>(kv_heads) * head_bytes(); }
  // Bytes of the scales of all heads' keys; those of values take as many.
  size_t scales_bytes() const {
    return has_scales()
               ? static_cast<size_t>(kv_heads) * static_cast<size_t>(block_tokens) * sizeof(float)
               : 0;
  }
  // In one layer.
  size_t block_bytes() const {
    return (latent_dim > 0 ? 1 : 2) * keys_bytes() + 2 * scales_bytes();
  }

  // What two caches that exchange blocks must have in common, in words.
  std::string Describe() const;

  friend bool operator==(const KvLayout&, const KvLayout&) = default;
};

// The blocks of one layer, each `block_stride` bytes behind the one before: other layers may lie
// between them.
struct KvLayerView {
  std::byte* data = nullptr;
  KvLayout layout;
  size_t block_stride = 0;  // at least layout.block_bytes()

  std::byte* Block(BlockId block) const {
    return data + static_cast<size_t>(block.value()) * block_stride;
  }
  std::byte* Keys(BlockId block, int head) const {
    return Block(block) + static_cast<size_t>(head) * layout.head_bytes();
  }
  std::byte* Values(BlockId block, int head) const {
    return Keys(block, head) + layout.keys_bytes();
  }
  // The scales of a head's keys, and of its values, one for each token. REQUIRES: has_scales().
  float* KeyScales(BlockId block, int head) const {
    return reinterpret_cast<float*>(Block(block) + 2 * layout.keys_bytes()) +
           head * layout.block_tokens;
  }
  float* ValueScales(BlockId block, int head) const {
    return KeyScales(block, head + layout.kv_heads);
  }
  // The row of a token. REQUIRES: a latent layout.
  std::byte* Latent(BlockId block, int32_t offset) const {
    return Block(block) + static_cast<size_t>(offset) * static_cast<size_t>(layout.head_dim) *
                              layout.element_bytes();
  }
  // The scale of a token's latent elements; that of the others is block_tokens behind it.
  // REQUIRES: a latent layout, and has_scales().
  float* LatentScale(BlockId block, int32_t offset) const {
    return reinterpret_cast<float*>(Block(block) + layout.keys_bytes()) + offset;
  }
};

}  // namespace baton::worker
