#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/ids.h"
#include "worker/device/buffer.h"
#include "worker/device/compute_threads.h"
#include "worker/tensor/kv_layout.h"

namespace baton::worker {

// The bytes of the KV cache: where block `id` of layer `l` lies. Which ids are in use, and by whom,
// is the block pool's affair.
//
//   ASSIGN_OR_RETURN(KvStorage kv, KvStorage::Create(layout, layer_count, block_count));
//   Attention({.kv = kv.Layer(7), ...}, slice);
//
// Memory: block after block, in each its layers in order, so that a block in use costs its own
// bytes only. Pages become real when a block is first written; they are small ones, because a huge
// one is cleared whole by the first token that falls into it.
//
// Threading: thread-compatible; writers of distinct blocks, or distinct tokens of a block, need no
//            lock. In the worker the executor writes and the transfer reads blocks that it leases.
// Ownership: owns the bytes; views are valid until it dies, a move leaves them valid.
// Errors:    RESOURCE_EXHAUSTED from Create; INVALID_ARGUMENT for a count < 1.
class KvStorage {
 public:
  static absl::StatusOr<KvStorage> Create(const KvLayout& layout, int32_t layer_count,
                                          int32_t block_count);

  const KvLayout& layout() const { return layout_; }
  int32_t layer_count() const { return layer_count_; }
  int32_t block_count() const { return block_count_; }

  // Of one block in all layers.
  size_t block_bytes() const { return layout_.block_bytes() * static_cast<size_t>(layer_count_); }

  KvLayerView Layer(int32_t layer);

  // The bytes of one block, in all layers or in one: what transfer sends and receives.
  absl::Span<std::byte> BlockBytes(BlockId block);
  absl::Span<std::byte> BlockBytes(int32_t layer, BlockId block);

  // This thread's part of copying all tokens of a block, in every layer. A thread copies the same
  // bytes of each block, so copies may follow each other without Sync. REQUIRES: from != to.
  void CopyBlock(BlockId from, BlockId to, const ComputeSlice& slice);

 private:
  KvStorage(const KvLayout& layout, int32_t layer_count, int32_t block_count, Buffer bytes);

  KvLayout layout_;
  int32_t layer_count_;
  int32_t block_count_;
  Buffer bytes_;
};

}  // namespace baton::worker
