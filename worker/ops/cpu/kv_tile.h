// Tiles of keys and values as the attention kernels read them: found in the paged cache where it is
// kept in the compute type, else widened into the thread's scratch. See ../../tensor/kv_layout.h
// for the memory.
#pragma once

#include "worker/ops/cpu/kernel_table.h"
#include "worker/ops/cpu/kv_formats.h"

namespace baton::worker::cpu {

namespace {

inline constexpr int kGroupTokens = 16;  // a block holds whole groups of so many tokens
inline constexpr int kTileGroups = kTileTokens / kGroupTokens;

// Where the groups of a tile lie; those behind the last token are null. So is `next`, or it is the
// tile that follows: the first rows to use this one fetch it.
struct KvTile {
  const unsigned char* keys[kTileGroups];
  const unsigned char* values[kTileGroups];
  const KvTile* next;
  int first_token;            // the first that anybody sees, rounded down to a group
  int64_t key_step;           // elements from one pack of dims to the next
  const float* key_scales;    // of each token, or null
  const float* value_scales;  // likewise
};

// Fetches the line of the next tile that corresponds to `offset` bytes in a group of this one.
inline void FetchLine(const unsigned char* group, int64_t offset) {
  if (group != nullptr) __builtin_prefetch(group + offset, 0, 2);
}

// Where a tile's tokens are to be found, and from which position on.
struct TileRange {
  int first_token;
  int token_count;
  int seen_begin;
};

// The first token of a group. Blocks that lie wholly before `seen_begin` may be gone: for scores
// that nobody looks at, any valid place will do.
inline int TokenOf(const TileRange& range, int group) {
  const int token = range.first_token + group * kGroupTokens;
  return token < range.seen_begin ? range.seen_begin / kGroupTokens * kGroupTokens : token;
}

template <int kPack>
KvTile FindTile(const AttentionTask& task, const TileRange& range, size_t element_bytes) {
  KvTile tile{};
  const int unseen = range.seen_begin - range.first_token;
  tile.first_token = unseen > 0 ? unseen / kGroupTokens * kGroupTokens : 0;
  tile.key_step = static_cast<int64_t>(task.block_tokens) * kPack;
  for (int group = 0; group < kTileGroups && group * kGroupTokens < range.token_count; ++group) {
    const int token = TokenOf(range, group);
    const size_t block = static_cast<size_t>(task.blocks[token / task.block_tokens]);
    const auto offset = static_cast<size_t>(token % task.block_tokens) * element_bytes;
    tile.keys[group] = task.keys + block * task.block_bytes;
    tile.values[group] = task.values + block * task.block_bytes;
    // Keys: packs of dims of neighbouring tokens; values: whole rows of dims.
    tile.keys[group] += offset * kPack;
    tile.values[group] += offset * static_cast<size_t>(task.padded_head_dim);
  }
  return tile;
}

// A tile's elements in the compute type, one key pack of all tokens behind the other.
template <class Format, class Codec>
void WidenElements(const AttentionTask& task, const KvTile& from, KvTile& to) {
  using Element = typename Format::Element;
  constexpr int kPack = Format::kPack;
  auto* keys = static_cast<Element*>(task.tile);
  Element* values = keys + kTileTokens * task.padded_head_dim;
  to.key_step = kTileTokens * kPack;
  for (int group = 0; group < kTileGroups && from.keys[group] != nullptr; ++group) {
    Element* group_keys = keys + group * kGroupTokens * kPack;
    for (int pack = 0; pack < task.head_dim / kPack; ++pack) {
      WidenSome<Codec>(from.keys[group] + pack * from.key_step * Codec::kBytes,
                       kGroupTokens * kPack, group_keys + pack * to.key_step);
    }
    Element* group_values = values + group * kGroupTokens * task.padded_head_dim;
    WidenSome<Codec>(from.values[group], kGroupTokens * task.padded_head_dim, group_values);
    to.keys[group] = reinterpret_cast<const unsigned char*>(group_keys);
    to.values[group] = reinterpret_cast<const unsigned char*>(group_values);
  }
}

// The scales of a tile's tokens, side by side.
inline void CollectScales(const AttentionTask& task, const TileRange& range, float* scales) {
  for (int group = 0; group < kTileGroups && group * kGroupTokens < range.token_count; ++group) {
    const int token = TokenOf(range, group);
    const size_t offset =
        static_cast<size_t>(task.blocks[token / task.block_tokens]) * task.block_bytes +
        static_cast<size_t>(token % task.block_tokens) * sizeof(float);
    constexpr size_t kBytes = kGroupTokens * sizeof(float);
    float* of_group = scales + group * kGroupTokens;
    __builtin_memcpy(of_group, task.key_scales + offset, kBytes);
    __builtin_memcpy(of_group + kTileTokens, task.value_scales + offset, kBytes);
  }
}

// A tile of a cache that keeps smaller elements, widened into the thread's scratch.
template <class Format>
__attribute__((noinline)) KvTile WidenTile(const AttentionTask& task, const TileRange& range) {
  constexpr int kPack = Format::kPack;
  const size_t bytes = task.format == KvFormat::kBf16 ? 2 : 1;
  const KvTile from = FindTile<kPack>(task, range, bytes);
  KvTile tile{};
  tile.first_token = from.first_token;
  if (task.format == KvFormat::kInt8) {
    WidenElements<Format, Int8Codec>(task, from, tile);
    auto* elements = static_cast<typename Format::Element*>(task.tile);
    auto* scales = reinterpret_cast<float*>(elements + 2 * kTileTokens * task.padded_head_dim);
    CollectScales(task, range, scales);
    tile.key_scales = scales;
    tile.value_scales = scales + kTileTokens;
  } else if (task.format == KvFormat::kFp8) {
    WidenElements<Format, Fp8Codec>(task, from, tile);
  } else {
    WidenElements<Format, Bf16Codec>(task, from, tile);
  }
  return tile;
}

}  // namespace

}  // namespace baton::worker::cpu
