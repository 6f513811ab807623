// Attention over latent rows: every head reads the same row of a token, whole as its key and up to
// latent_dim as its value. See ../latent_attention.h for the order of sums.
//
// Rows are widened to f32 as they are loaded, so scores, weights and sums are f32 for every cache;
// those of a cache that keeps smaller elements are widened before, a tile at a time.
#pragma once

#include <type_traits>

#include "worker/ops/cpu/attention_kernel.h"
#include "worker/ops/cpu/kernel_table.h"
#include "worker/ops/cpu/kv_formats.h"
#include "worker/ops/cpu/simd_formats.h"

namespace baton::worker::cpu {

namespace {

inline constexpr int kScoreTokens = 4;  // whose scores are summed at a time

// (query, head) rows whose sums fit the registers together with kScoreTokens.
template <class S>
inline constexpr int kLatentRows = S::kLanes == 16 ? 4 : 2;

// Where the tokens of a tile lie.
template <class Element>
struct LatentTile {
  const Element* tokens[kTileTokens];
  int count;
};

// The bytes of the block that holds a token, from `base` of block 0 on.
inline const unsigned char* BlockOf(const LatentTask& task, const unsigned char* base, int token) {
  return base + static_cast<size_t>(task.blocks[token / task.block_tokens]) * task.block_bytes;
}

template <class Element>
LatentTile<Element> FindLatents(const LatentTask& task, int first_token, int count) {
  LatentTile<Element> tile;
  tile.count = count;
  for (int i = 0; i < count; ++i) {
    const int token = first_token + i;
    tile.tokens[i] = reinterpret_cast<const Element*>(BlockOf(task, task.latents, token)) +
                     static_cast<int64_t>(token % task.block_tokens) * task.row_dim;
  }
  return tile;
}

inline void ScaleRow(float* row, int count, float scale) {
  for (int i = 0; i < count; ++i) row[i] *= scale;
}

// The same of a cache that keeps smaller elements, widened into the thread's scratch.
template <class Codec>
LatentTile<float> WidenLatents(const LatentTask& task, int first_token, int count) {
  LatentTile<float> tile;
  tile.count = count;
  for (int i = 0; i < count; ++i) {
    const int token = first_token + i;
    const int offset = token % task.block_tokens;
    float* row = task.tile + static_cast<int64_t>(i) * task.row_dim;
    WidenSome<Codec>(BlockOf(task, task.latents, token) +
                         static_cast<int64_t>(offset) * task.row_dim * Codec::kBytes,
                     task.row_dim, row);
    if (task.latent_scales != nullptr) {
      const auto* scales =
          reinterpret_cast<const float*>(BlockOf(task, task.latent_scales, token)) + offset;
      ScaleRow(row, task.latent_dim, scales[0]);
      ScaleRow(row + task.latent_dim, task.row_dim - task.latent_dim, scales[task.block_tokens]);
    }
    tile.tokens[i] = row;
  }
  return tile;
}

// A tile as the kernel of `Element` reads it.
template <class Element>
LatentTile<Element> TakeLatents(const LatentTask& task, int first_token, int count) {
  if constexpr (std::is_same_v<Element, float>) {
    if (task.format == KvFormat::kInt8) return WidenLatents<Int8Codec>(task, first_token, count);
    if (task.format == KvFormat::kFp8) return WidenLatents<Fp8Codec>(task, first_token, count);
    if (task.format == KvFormat::kBf16) return WidenLatents<Bf16Codec>(task, first_token, count);
  }
  return FindLatents<Element>(task, first_token, count);
}

// scores[r][t] of R rows and the first `count` tokens.
template <class S, class Format, int R>
void ScoreLatents(const LatentTask& task, const LatentTile<typename Format::Element>& tile,
                  int count, const float* const* q, float* scores) {
  for (int token = 0; token < count; token += kScoreTokens) {
    const typename Format::Element* rows[kScoreTokens];
    for (int t = 0; t < kScoreTokens; ++t) {
      // Past the last token any will do: those scores are never looked at.
      rows[t] = tile.tokens[token + t < count ? token + t : token];
    }
    typename S::F sum[R][kScoreTokens];
    for (int r = 0; r < R; ++r) {
      for (int t = 0; t < kScoreTokens; ++t) sum[r][t] = S::Zero();
    }
    for (int dim = 0; dim < task.row_dim; dim += S::kLanes) {
      typename S::F key[kScoreTokens];
      for (int t = 0; t < kScoreTokens; ++t) key[t] = Format::LoadWide(rows[t] + dim);
      for (int r = 0; r < R; ++r) {
        const typename S::F query = S::Load(q[r] + dim);
        for (int t = 0; t < kScoreTokens; ++t) sum[r][t] = S::MulAdd(query, key[t], sum[r][t]);
      }
    }
    for (int r = 0; r < R; ++r) {
      for (int t = 0; t < kScoreTokens; ++t) {
        scores[r * kTileTokens + token + t] = S::SumOf(sum[r][t]);
      }
    }
  }
}

// states[r] = states[r] * factors[r] + weights[r] * latents, for V vectors of dims from `dim` on.
template <class S, class Format, int R, int V>
void AddLatents(const LatentTile<typename Format::Element>& tile, int count, const float* weights,
                const float* factors, int dim, float* const* states) {
  typename S::F sum[R][V];
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) {
      sum[r][v] = S::Load(states[r] + dim + v * S::kLanes) * S::Set(factors[r]);
    }
  }
  for (int token = 0; token < count; ++token) {
    typename S::F value[V];
    for (int v = 0; v < V; ++v) {
      value[v] = Format::LoadWide(tile.tokens[token] + dim + v * S::kLanes);
    }
    for (int r = 0; r < R; ++r) {
      const typename S::F weight = S::Set(weights[r * kTileTokens + token]);
      for (int v = 0; v < V; ++v) sum[r][v] = S::MulAdd(weight, value[v], sum[r][v]);
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) S::Store(states[r] + dim + v * S::kLanes, sum[r][v]);
  }
}

// R rows against a tile of which they see counts[r] tokens, the most of them `count`.
template <class S, class Format, int R>
void AttendLatents(const LatentTask& task, const LatentTile<typename Format::Element>& tile,
                   int count, const int* counts, const float* const* q, float* const* states) {
  alignas(64) float scores[R * kTileTokens];
  alignas(64) float weights[R * kTileTokens];
  float factors[R];
  ScoreLatents<S, Format, R>(task, tile, count, q, scores);
  for (int r = 0; r < R; ++r) {
    float* maximum = states[r] + task.latent_dim;
    factors[r] =
        WeighRow<S, F32Format<S>>(task.scale * kLog2E, scores + r * kTileTokens, {0, counts[r]},
                                  /*value_scales=*/nullptr, weights + r * kTileTokens, maximum);
  }
  constexpr int kUnitVecs = kGroupTokens / S::kLanes;  // 16 dims
  constexpr int kVecs = kUnitVecs < 4 ? 4 : kUnitVecs;
  int dim = 0;
  for (; dim + kVecs * S::kLanes <= task.latent_dim; dim += kVecs * S::kLanes) {
    AddLatents<S, Format, R, kVecs>(tile, count, weights, factors, dim, states);
  }
  if constexpr (kVecs > kUnitVecs) {
    for (; dim < task.latent_dim; dim += kUnitVecs * S::kLanes) {
      AddLatents<S, Format, R, kUnitVecs>(tile, count, weights, factors, dim, states);
    }
  }
}

// One tile for all rows of the piece that see any of it.
template <class S, class Format>
void AttendLatentTile(const LatentTask& task, const LatentTile<typename Format::Element>& tile,
                      int first_token) {
  constexpr int kRows = kLatentRows<S>;
  const int rows = task.query_count * task.group;
  for (int row = 0; row < rows;) {
    const int taken = rows - row < kRows ? 1 : kRows;
    const float* q[kRows];
    float* states[kRows];
    int counts[kRows];
    int most = 0;
    for (int r = 0; r < taken; ++r) {
      const int query = (row + r) / task.group;
      q[r] = task.q + query * task.q_stride +
             static_cast<int64_t>((row + r) % task.group) * task.row_dim;
      states[r] = task.partials + static_cast<int64_t>(row + r) * task.state_floats;
      const int seen = task.first_position + query + 1 - first_token;
      counts[r] = seen < tile.count ? seen : tile.count;
      if (counts[r] > most) most = counts[r];
    }
    if (most > 0) {
      (taken == 1 ? AttendLatents<S, Format, 1>
                  : AttendLatents<S, Format, kRows>)(task, tile, most, counts, q, states);
    }
    row += taken;
  }
}

// One split: the partial result of every row that sees any of its tokens.
template <class S, class Format>
void AttendLatentSplit(const LatentTask& task, int split) {
  const int rows = task.query_count * task.group;
  for (int row = 0; row < rows; ++row) {
    float* state = task.partials + static_cast<int64_t>(row) * task.state_floats;
    for (int i = 0; i < task.latent_dim; ++i) state[i] = 0.0f;
    state[task.latent_dim] = kMinusInfinity;
    state[task.latent_dim + 1] = 0.0f;
  }
  const int seen_end = task.first_position + task.query_count;  // by the last query
  const int split_begin = split * kSplitTokens;
  const int split_end =
      split_begin + kSplitTokens < seen_end ? split_begin + kSplitTokens : seen_end;
  for (int token = split_begin; token < split_end; token += kTileTokens) {
    const int count = split_end - token < kTileTokens ? split_end - token : kTileTokens;
    AttendLatentTile<S, Format>(task, TakeLatents<typename Format::Element>(task, token, count),
                                token);
  }
}

template <class S, class Format>
void LatentKernel(const LatentTask& task) {
  if (task.out == nullptr) {
    AttendLatentSplit<S, Format>(task, task.split_begin);
    return;
  }
  const int rows = task.query_count * task.group;
  const int dims = task.latent_dim;
  for (int split = task.split_begin; split < task.split_end; ++split) {
    AttendLatentSplit<S, Format>(task, split);
    for (int row = 0; row < rows; ++row) {
      // Early queries may see nothing of the last split.
      if (split * kSplitTokens > task.first_position + row / task.group) continue;
      const int64_t at = static_cast<int64_t>(row) * task.state_floats;
      JoinState<S>(task.partials + at, dims, split == task.split_begin, task.totals + at);
    }
  }
  for (int row = 0; row < rows; ++row) {
    const int64_t element =
        row / task.group * task.out_stride + static_cast<int64_t>(row % task.group) * dims;
    const size_t bytes = task.out_bf16 ? sizeof(uint16_t) : sizeof(float);
    FinishState<S>(task.totals + static_cast<int64_t>(row) * task.state_floats, dims, dims, nullptr,
                   task.out_bf16,
                   static_cast<unsigned char*>(task.out) + static_cast<size_t>(element) * bytes);
  }
}

}  // namespace

}  // namespace baton::worker::cpu
