// The matrix product over packed panels; see ../linear.h for what it computes and in which order.
//
// A register tile holds R rows by V vectors of columns. The weights of a chunk of K stay in the
// second-level cache while row tiles pass over them; with several passes, the first two fetch the
// next chunk, so that memory works while the sums do.
#pragma once

#include "worker/ops/cpu/kernel_table.h"
#include "worker/ops/cpu/simd_formats.h"

namespace baton::worker::cpu {

namespace {

// Sums restart at these many inputs: oneDNN's choice, which gives equal bits.
inline int64_t ChunkInputs(int64_t inputs) { return inputs <= 1024 ? 512 : 1024; }

inline constexpr int kLineBytes = 64;
inline constexpr int kFetchLines = 2;

inline constexpr int kRowBlock = 96;  // rows whose sums are kept at a time; a multiple of tiles

// sums[r][0 .. V * kLanes) (+)= x[r][k] * weights[k][...], over `steps` packs of k.
// With a prefetch, kFetchLines lines of what comes next are fetched at each step.
template <class S, class Format, int R, int V, bool kPrefetch>
void MultiplyTile(const typename Format::Element* weights, const typename Format::Element* x,
                  int64_t x_stride, int64_t steps, const unsigned char* prefetch, float* sums,
                  bool add) {
  typename S::F sum[R][V];
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) sum[r][v] = S::Zero();
  }
  for (int64_t k = 0; k < steps; ++k) {
    if constexpr (kPrefetch) {
      for (int line = 0; line < kFetchLines; ++line) {
        __builtin_prefetch(prefetch + kLineBytes * (kFetchLines * k + line), 0, 2);
      }
    }
    typename Format::Weights w[V];
    for (int v = 0; v < V; ++v) w[v] = Format::Load(weights + v * S::kLanes * Format::kPack);
    for (int r = 0; r < R; ++r) {
      const typename Format::Input input = Format::Broadcast(x + r * x_stride + k * Format::kPack);
      for (int v = 0; v < V; ++v) sum[r][v] = Format::MulAdd(sum[r][v], w[v], input);
    }
    weights += kPanelCols * Format::kPack;
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) {
      float* to = sums + r * kPanelCols + v * S::kLanes;
      S::Store(to, add ? S::Load(to) + sum[r][v] : sum[r][v]);
    }
  }
}

// One chunk of K of the columns [col_begin, col_end) of a panel, for `rows` <= kTileRows rows.
template <class S, class Format, int R>
void MultiplyRows(const typename Format::Element* weights, const typename Format::Element* x,
                  int64_t x_stride, int64_t steps, const unsigned char* prefetch, int col_begin,
                  int col_end, float* sums, bool add) {
  constexpr int kVecs = R == 1 ? S::kRowVecs : S::kTileVecs;
  constexpr int kCols = kVecs * S::kLanes;
  int col = col_begin;
  for (; col + kCols <= col_end; col += kCols) {
    const auto* w = weights + col * Format::kPack;
    if (prefetch != nullptr && col == col_begin) {
      MultiplyTile<S, Format, R, kVecs, true>(w, x, x_stride, steps, prefetch, sums + col, add);
    } else {
      MultiplyTile<S, Format, R, kVecs, false>(w, x, x_stride, steps, nullptr, sums + col, add);
    }
  }
  if constexpr (kCols > kUnitCols) {
    constexpr int kUnitVecs = kUnitCols / S::kLanes;
    if (col < col_end) {
      MultiplyTile<S, Format, R, kUnitVecs, false>(weights + col * Format::kPack, x, x_stride,
                                                   steps, nullptr, sums + col, add);
    }
  }
}

template <class S, class Format>
using RowsKernel = void (*)(const typename Format::Element*, const typename Format::Element*,
                            int64_t, int64_t, const unsigned char*, int, int, float*, bool);

template <class S, class Format>
RowsKernel<S, Format> RowsKernelFor(int64_t rows) {
  switch (rows) {
    case 1:
      return MultiplyRows<S, Format, 1>;
    case 2:
      return MultiplyRows<S, Format, 2>;
    case 3:
      return MultiplyRows<S, Format, 3>;
    case 4:
      return MultiplyRows<S, Format, 4>;
    default:
      break;
  }
  if constexpr (S::kTileRows > 4) {
    return rows == 5 ? MultiplyRows<S, Format, 5> : MultiplyRows<S, Format, 6>;
  }
  __builtin_trap();
}

// What lies between the sums of a panel and the result: bias, activation, gate, scale, residual,
// rounding.
template <class S, class Out>
void FinishRow(const LinearTask& task, const float* sums, int64_t row, int64_t panel, int col_begin,
               int col_end) {
  using F = typename S::F;
  auto* out = static_cast<typename Out::Element*>(task.out) + row * task.out_stride;
  const float* bias = task.bias == nullptr ? nullptr : task.bias + panel * kPanelCols;
  const int64_t first = task.gated ? panel * kUnitCols : panel * kPanelCols;
  const int end = task.gated ? kUnitCols : col_end;
  for (int col = task.gated ? 0 : col_begin; col < end; col += S::kLanes) {
    const int64_t left = task.outputs - (first + col);
    if (left <= 0) return;
    F value = S::Load(sums + col);
    if (bias != nullptr) value = value + S::Load(bias + col);
    const bool clamped = task.activation == Activation::kClampedSwiglu;  // gate and up together
    if (task.activation == Activation::kSilu) {
      value = Silu<S>(value);
    } else if (task.activation != Activation::kNone && !clamped) {
      value = Activate<S>(value, task.activation);
    }
    if (task.gated) {
      F up = S::Load(sums + kUnitCols + col);
      if (bias != nullptr) up = up + S::Load(bias + kUnitCols + col);
      value = clamped ? ClampedSwiglu<S>(value, up, task.activation_limit) : value * up;
    }
    value = value * S::Set(task.scale);
    if (task.residual != nullptr) {
      value = value + LoadSome<S>(task.residual + row * task.residual_stride + first + col, left);
    }
    StoreSome<Out, S>(out + first + col, value, left);
  }
}

template <class S, class Format>
void MultiplyPanel(const LinearTask& task, int64_t panel, int col_begin, int col_end,
                   bool more_panels) {
  using Element = typename Format::Element;
  const auto* weights =
      static_cast<const Element*>(task.weights) + panel * task.inputs * kPanelCols;
  const int64_t chunk_inputs = ChunkInputs(task.inputs);
  alignas(64) float sums[kRowBlock * kPanelCols];
  for (int64_t block = 0; block < task.rows; block += kRowBlock) {
    const int64_t rows = task.rows - block < kRowBlock ? task.rows - block : kRowBlock;
    const int64_t passes = (rows + S::kTileRows - 1) / S::kTileRows;
    for (int64_t begin = 0; begin < task.inputs; begin += chunk_inputs) {
      const int64_t left = task.inputs - begin;
      const int64_t inputs = left < chunk_inputs ? left : chunk_inputs;
      const int64_t steps = inputs / Format::kPack;
      const Element* chunk = weights + begin * kPanelCols;
      const auto* next = reinterpret_cast<const unsigned char*>(chunk + inputs * kPanelCols);
      const bool fetch = passes > 1 && block == 0 && (left > inputs || more_panels);
      for (int64_t pass = 0; pass < passes; ++pass) {
        const int64_t row = rows * pass / passes;
        const int64_t row_end = rows * (pass + 1) / passes;
        RowsKernelFor<S, Format>(row_end - row)(
            chunk, static_cast<const Element*>(task.x) + (block + row) * task.x_stride + begin,
            task.x_stride, steps,
            fetch && pass < 2 ? next + pass * steps * kFetchLines * kLineBytes : nullptr, col_begin,
            col_end, sums + row * kPanelCols, begin > 0);
      }
    }
    for (int64_t row = 0; row < rows; ++row) {
      const float* row_sums = sums + row * kPanelCols;
      if (task.out_bf16) {
        FinishRow<S, Bf16Format<S>>(task, row_sums, block + row, panel, col_begin, col_end);
      } else {
        FinishRow<S, F32Format<S>>(task, row_sums, block + row, panel, col_begin, col_end);
      }
    }
  }
}

template <class S, class Format>
void LinearKernel(const LinearTask& task) {
  constexpr int64_t kUnits = kPanelCols / kUnitCols;
  for (int64_t unit = task.unit_begin; unit < task.unit_end;) {
    const int64_t panel = unit / kUnits;
    const int64_t panel_end = (panel + 1) * kUnits;
    const int64_t end = panel_end < task.unit_end ? panel_end : task.unit_end;
    const int64_t first = panel * kUnits;
    MultiplyPanel<S, Format>(task, panel, static_cast<int>(unit - first) * kUnitCols,
                             static_cast<int>(end - first) * kUnitCols, end < task.unit_end);
    unit = end;
  }
}

}  // namespace

}  // namespace baton::worker::cpu
