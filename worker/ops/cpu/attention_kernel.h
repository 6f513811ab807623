// Attention of a tile of queries against one kv head; see ../attention.h for the order of sums and
// ../../tensor/kv_layout.h for the memory.
//
// Both products are small matrix products over packed weights: scores over keys, where a vector
// holds tokens, then sums over values, where it holds dims. Exponents are to base 2.
#pragma once

#include "worker/ops/cpu/kernel_table.h"
#include "worker/ops/cpu/kv_tile.h"
#include "worker/ops/cpu/simd_formats.h"

namespace baton::worker::cpu {

namespace {

inline constexpr float kMinusInfinity = -__builtin_inff();

// scores[r][0 .. kTileTokens) for R rows; groups without tokens are left as they are.
template <class S, class Format, int R>
void ScoreTile(const AttentionTask& task, const KvTile& tile,
               const typename Format::Element* const* q, float* scores) {
  using Element = typename Format::Element;
  constexpr int kVecs = kGroupTokens / S::kLanes;  // one group at a time, or more in registers
  constexpr int kGroups = S::kLanes == kGroupTokens ? kTileGroups : 1;
  const int64_t step = tile.key_step;
  const int packs = task.head_dim / Format::kPack;
  for (int group = 0; group < kTileGroups && tile.keys[group] != nullptr; group += kGroups) {
    typename S::F sum[R][kGroups * kVecs];
    for (int r = 0; r < R; ++r) {
      for (int v = 0; v < kGroups * kVecs; ++v) sum[r][v] = S::Zero();
    }
    const Element* keys[kGroups];
    for (int g = 0; g < kGroups; ++g) {
      // Past the last token any valid place will do: those scores are never looked at.
      const unsigned char* place = tile.keys[group + g];
      keys[g] = reinterpret_cast<const Element*>(place != nullptr ? place : tile.keys[group]);
    }
    for (int pack = 0; pack < packs; ++pack) {
      if (tile.next != nullptr) {
        const auto offset = static_cast<int64_t>(sizeof(Element)) * pack * step;
        for (int g = 0; g < kGroups; ++g) FetchLine(tile.next->keys[group + g], offset);
      }
      typename Format::Weights w[kGroups * kVecs];
      for (int g = 0; g < kGroups; ++g) {
        for (int v = 0; v < kVecs; ++v) {
          w[g * kVecs + v] = Format::Load(keys[g] + pack * step + v * S::kLanes * Format::kPack);
        }
      }
      for (int r = 0; r < R; ++r) {
        const typename Format::Input input = Format::Broadcast(q[r] + pack * Format::kPack);
        for (int v = 0; v < kGroups * kVecs; ++v) {
          sum[r][v] = Format::MulAdd(sum[r][v], w[v], input);
        }
      }
    }
    for (int r = 0; r < R; ++r) {
      for (int v = 0; v < kGroups * kVecs; ++v) {
        S::Store(scores + r * kTileTokens + group * kGroupTokens + v * S::kLanes, sum[r][v]);
      }
    }
  }
}

// Brings each token's scale to the scores of its key.
template <class S>
__attribute__((noinline)) void ScaleScores(int rows, const float* scales, float* scores) {
  for (int i = 0; i < rows * kTileTokens; i += S::kLanes) {
    S::Store(scores + i, S::Load(scores + i) * S::Load(scales + i % kTileTokens));
  }
}

struct ScoreScale {
  float scale;
  float soft_cap;  // 0: none
};

// Bounds the scores of a tile where a model does so. Apart from the others' path, to keep that
// lean.
template <class S>
__attribute__((noinline)) void CapScores(const ScoreScale& by, int count, float* scores) {
  for (int i = 0; i < count; i += S::kLanes) {
    const typename S::F score = S::Load(scores + i) * S::Set(by.scale / by.soft_cap);
    S::Store(scores + i, Tanh<S>(score) * S::Set(by.soft_cap / by.scale));
  }
}

// The tokens of a tile that a row sees.
struct Seen {
  int begin;
  int end;
};

// One row of online softmax over the seen scores of a tile: leaves the weights, times the values'
// scales if there are any, brings maximum and sum up to date, returns the factor for what was
// summed before.
template <class S, class Format>
float WeighRow(float scale, const float* scores, Seen seen, const float* value_scales,
               typename Format::Element* weights, float* state) {
  float* maximum = state;
  float* sum = state + 1;
  using F = typename S::F;
  constexpr int kVecs = kTileTokens / S::kLanes;
  if (seen.end <= seen.begin) {
    for (int v = 0; v < kVecs; ++v) Format::Store(weights + v * S::kLanes, S::Zero());
    return 1.0f;
  }
  const F lowest = S::Set(kMinusInfinity);
  F values[kVecs];
  F most = lowest;
  for (int v = 0; v < kVecs; ++v) {
    const F scaled = S::Load(scores + v * S::kLanes) * S::Set(scale);
    values[v] = S::Blend(seen.end - v * S::kLanes, scaled, lowest);
    if (seen.begin > 0) values[v] = S::Blend(seen.begin - v * S::kLanes, lowest, values[v]);
    most = S::Max(most, values[v]);
  }
  const float tile_maximum = S::MaxOf(most);
  const float new_maximum = *maximum < tile_maximum ? tile_maximum : *maximum;
  F total = S::Zero();
  for (int v = 0; v < kVecs; ++v) {
    const F power = Exp2<S>(values[v] - S::Set(new_maximum));
    F weight = S::Blend(seen.end - v * S::kLanes, power, S::Zero());
    if (seen.begin > 0) weight = S::Blend(seen.begin - v * S::kLanes, S::Zero(), weight);
    total = total + weight;
    if (value_scales != nullptr) {
      const F scaled = weight * S::Load(value_scales + v * S::kLanes);
      // A token that is not seen may have a scale that is no number.
      weight = S::Blend(seen.end - v * S::kLanes, scaled, S::Zero());
    }
    Format::Store(weights + v * S::kLanes, weight);
  }
  const float factor = *maximum == kMinusInfinity ? 0.0f : Exp2Of<S>(*maximum - new_maximum);
  *sum = *sum * factor + S::SumOf(total);
  *maximum = new_maximum;
  return factor;
}

// state[r] = state[r] * factor[r] + weights[r] * values, for V vectors of dims from `dim` on.
template <class S, class Format, int R, int V>
void AddValues(const AttentionTask& task, const KvTile& tile, int token_count,
               const typename Format::Element* weights, const float* factors, int dim,
               float* const* states) {
  using Element = typename Format::Element;
  constexpr int kPack = Format::kPack;
  typename S::F sum[R][V];
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) {
      sum[r][v] = S::Load(states[r] + dim + v * S::kLanes) * S::Set(factors[r]);
    }
  }
  const auto add = [&](const Element* values, int token, bool first_only) {
    typename Format::Weights w[V];
    for (int v = 0; v < V; ++v) {
      w[v] = Format::Load(values + v * S::kLanes * kPack);
      if (first_only) w[v] = Format::FirstOfPack(w[v]);
    }
    for (int r = 0; r < R; ++r) {
      const typename Format::Input input = Format::Broadcast(weights + r * kTileTokens + token);
      for (int v = 0; v < V; ++v) sum[r][v] = Format::MulAdd(sum[r][v], w[v], input);
    }
  };
  const int64_t step = static_cast<int64_t>(task.padded_head_dim) * kPack;
  for (int token = tile.first_token; token < token_count;) {
    const Element* values =
        reinterpret_cast<const Element*>(tile.values[token / kGroupTokens]) + dim * kPack;
    const int group_end = (token / kGroupTokens + 1) * kGroupTokens;
    const int end = group_end < token_count ? group_end : token_count;
    const unsigned char* next =
        tile.next == nullptr ? nullptr : tile.next->values[token / kGroupTokens];
    int64_t offset = static_cast<int64_t>(sizeof(Element)) * dim * kPack;
    for (; token + kPack <= end; token += kPack, values += step) {
      for (int v = 0; v < V; ++v) {
        FetchLine(next, offset + static_cast<int64_t>(sizeof(Element)) * kPack * S::kLanes * v);
      }
      offset += static_cast<int64_t>(sizeof(Element)) * step;
      add(values, token, false);
    }
    if (token < end) {  // half a pair: what is beside the last token is nobody's
      add(values, token, true);
      token = end;
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) S::Store(states[r] + dim + v * S::kLanes, sum[r][v]);
  }
}

// R rows against a tile of which they see seen[r], nothing from token_count on.
template <class S, class Format, int R>
void AttendTile(const AttentionTask& task, const KvTile& tile, int token_count, const Seen* seen,
                const typename Format::Element* const* q, float* const* states) {
  using Element = typename Format::Element;
  alignas(64) float scores[R * kTileTokens];
  alignas(64) Element weights[R * kTileTokens];
  float factors[R];
  ScoreTile<S, Format, R>(task, tile, q, scores);
  if (tile.key_scales != nullptr) ScaleScores<S>(R, tile.key_scales, scores);
  if (task.soft_cap != 0) CapScores<S>({task.scale, task.soft_cap}, R * kTileTokens, scores);
  for (int r = 0; r < R; ++r) {
    factors[r] = WeighRow<S, Format>(task.scale * kLog2E, scores + r * kTileTokens, seen[r],
                                     tile.value_scales, weights + r * kTileTokens,
                                     states[r] + task.padded_head_dim);
  }
  constexpr int kVecs = S::kTileVecs;
  int dim = 0;
  for (; dim + kVecs * S::kLanes <= task.padded_head_dim; dim += kVecs * S::kLanes) {
    AddValues<S, Format, R, kVecs>(task, tile, token_count, weights, factors, dim, states);
  }
  if constexpr (kVecs * S::kLanes > kGroupTokens) {  // the padding's unit
    constexpr int kRest = kGroupTokens / S::kLanes;
    for (; dim < task.padded_head_dim; dim += kGroupTokens) {
      AddValues<S, Format, R, kRest>(task, tile, token_count, weights, factors, dim, states);
    }
  }
}

template <class S, class Format>
using TileKernel = void (*)(const AttentionTask&, const KvTile&, int, const Seen*,
                            const typename Format::Element* const*, float* const*);

template <class S, class Format>
TileKernel<S, Format> TileKernelFor(int rows) {
  switch (rows) {
    case 1:
      return AttendTile<S, Format, 1>;
    case 2:
      return AttendTile<S, Format, 2>;
    case 3:
      return AttendTile<S, Format, 3>;
    case 4:
      return AttendTile<S, Format, 4>;
    default:
      break;
  }
  if constexpr (S::kTileRows > 4) {
    return rows == 5 ? AttendTile<S, Format, 5> : AttendTile<S, Format, 6>;
  }
  __builtin_trap();
}

// The first position that a query at `position` sees.
inline int SeenFrom(const AttentionTask& task, int position) {
  return task.window == 0 || position < task.window ? 0 : position - task.window + 1;
}

// One split: the partial result of every row that sees any of its tokens.
template <class S, class Format>
void AttendSplit(const AttentionTask& task, int split) {
  using Element = typename Format::Element;
  const int rows = task.query_count * task.group;
  for (int row = 0; row < rows; ++row) {
    float* state = task.partials + static_cast<int64_t>(row) * task.state_floats;
    for (int i = 0; i < task.padded_head_dim; ++i) state[i] = 0.0f;
    state[task.padded_head_dim] = kMinusInfinity;
    state[task.padded_head_dim + 1] = 0.0f;
  }
  const int seen_end = task.first_position + task.query_count;  // by the last query
  const int split_begin = split * kSplitTokens;
  const int split_end =
      split_begin + kSplitTokens < seen_end ? split_begin + kSplitTokens : seen_end;
  // Tiles that are outside of everybody's window are not read.
  const int seen_begin = SeenFrom(task, task.first_position);
  const int first_tile = seen_begin / kTileTokens * kTileTokens;
  const int begin = split_begin < first_tile ? first_tile : split_begin;
  const bool plain = task.format == KvFormat::kPlain;
  KvTile next{};
  if (plain) {
    next = FindTile<Format::kPack>(task, {begin, split_end - begin, seen_begin}, sizeof(Element));
  }
  for (int token = begin; token < split_end; token += kTileTokens) {
    const int tile_tokens = split_end - token < kTileTokens ? split_end - token : kTileTokens;
    KvTile tile = plain ? next : WidenTile<Format>(task, {token, tile_tokens, seen_begin});
    // What follows this split is fetched too: it is the next piece's.
    if (plain && token + kTileTokens < seen_end) {
      const int behind = token + kTileTokens;
      next =
          FindTile<Format::kPack>(task, {behind, seen_end - behind, seen_begin}, sizeof(Element));
      tile.next = &next;
    }
    for (int row = 0; row < rows;) {
      const int left = rows - row;
      const int taken = left < S::kTileRows ? left : S::kTileRows;
      const Element* q[S::kTileRows];
      float* states[S::kTileRows];
      Seen seen[S::kTileRows];
      int most = 0;
      for (int r = 0; r < taken; ++r) {
        const int query = (row + r) / task.group;
        q[r] = static_cast<const Element*>(task.q) + query * task.q_stride +
               (row + r) % task.group * task.head_dim;
        states[r] = task.partials + static_cast<int64_t>(row + r) * task.state_floats;
        const int position = task.first_position + query;
        const int end = position + 1 - token;
        seen[r] = {SeenFrom(task, position) - token, end < tile_tokens ? end : tile_tokens};
        if (seen[r].begin < seen[r].end && seen[r].end > most) most = seen[r].end;
      }
      if (most > 0) TileKernelFor<S, Format>(taken)(task, tile, most, seen, q, states);
      tile.next = nullptr;
      row += taken;
    }
  }
}

// total = total joined with partial; into an empty total, a copy.
template <class S>
void JoinState(const float* partial, int dims, bool empty, float* total) {
  const float maximum = partial[dims];
  if (empty) {
    for (int i = 0; i < dims + 2; ++i) total[i] = partial[i];
    return;
  }
  const float joined = total[dims] < maximum ? maximum : total[dims];
  const float old_factor = Exp2Of<S>(total[dims] - joined);
  const float new_factor = Exp2Of<S>(maximum - joined);
  for (int i = 0; i < dims; i += S::kLanes) {
    const typename S::F added = S::Load(partial + i) * S::Set(new_factor);
    S::Store(total + i, S::MulAdd(S::Load(total + i), S::Set(old_factor), added));
  }
  total[dims + 1] = total[dims + 1] * old_factor + partial[dims + 1] * new_factor;
  total[dims] = joined;
}

// One over the sum of weights, in units of the largest of them; a sink is one more weight.
template <class S>
float InverseSum(const float* state, int dims, const float* sink) {
  if (sink == nullptr) return 1.0f / state[dims + 1];
  const float exponent = *sink * kLog2E;
  const float most = state[dims] < exponent ? exponent : state[dims];
  const float factor = Exp2Of<S>(state[dims] - most);
  return factor / (state[dims + 1] * factor + Exp2Of<S>(exponent - most));
}

template <class S, class Out>
void WriteQuotient(const float* state, int head_dim, float factor, void* to) {
  auto* out = static_cast<typename Out::Element*>(to);
  const typename S::F inverse = S::Set(factor);
  for (int i = 0; i < head_dim; i += S::kLanes) {
    StoreSome<Out, S>(out + i, S::Load(state + i) * inverse, head_dim - i);
  }
}

template <class S>
void FinishState(const float* state, int head_dim, int dims, const float* sink, bool bf16,
                 void* out) {
  const float factor = InverseSum<S>(state, dims, sink);
  if (bf16) {
    WriteQuotient<S, Bf16Format<S>>(state, head_dim, factor, out);
  } else {
    WriteQuotient<S, F32Format<S>>(state, head_dim, factor, out);
  }
}

template <class S, class Format>
void AttentionKernel(const AttentionTask& task) {
  if (task.out == nullptr) {
    AttendSplit<S, Format>(task, task.split_begin);
    return;
  }
  const int rows = task.query_count * task.group;
  const int dims = task.padded_head_dim;
  for (int split = task.split_begin; split < task.split_end; ++split) {
    AttendSplit<S, Format>(task, split);
    for (int row = 0; row < rows; ++row) {
      // Early queries may see nothing of the last split, late ones nothing of the first.
      const int position = task.first_position + row / task.group;
      const int first_split = SeenFrom(task, position) / kSplitTokens;
      if (split < first_split || split * kSplitTokens > position) continue;
      const int64_t at = static_cast<int64_t>(row) * task.state_floats;
      JoinState<S>(task.partials + at, dims, split == first_split, task.totals + at);
    }
  }
  for (int row = 0; row < rows; ++row) {
    const int64_t element = row / task.group * task.out_stride + row % task.group * task.head_dim;
    const size_t bytes = task.out_bf16 ? sizeof(uint16_t) : sizeof(float);
    const float* sink = task.sinks == nullptr ? nullptr : task.sinks + row % task.group;
    FinishState<S>(task.totals + static_cast<int64_t>(row) * task.state_floats, task.head_dim, dims,
                   sink, task.out_bf16,
                   static_cast<unsigned char*>(task.out) + static_cast<size_t>(element) * bytes);
  }
}

template <class S>
void AttentionJoinKernel(const AttentionJoinTask& task) {
  for (int i = 0; i < task.partial_count; ++i) {
    JoinState<S>(task.first + i * task.partial_stride, task.padded_head_dim, i == 0, task.total);
  }
  FinishState<S>(task.total, task.head_dim, task.padded_head_dim, task.sink, task.out_bf16,
                 task.out);
}

}  // namespace

}  // namespace baton::worker::cpu
