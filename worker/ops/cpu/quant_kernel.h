// The product of quantised weights and rows of int8; see ../quantized_panels.h for the bytes.
//
// A group of 32 inputs is summed in integers, exactly, then scaled and added to the float sums of
// its column, group after group. So a row's bits are those of its own sums in one order, whatever
// the tile, the batch or the cut of K.
#pragma once

#include "worker/ops/cpu/kernel_table.h"
#include "worker/ops/cpu/linear_kernel.h"
#include "worker/ops/cpu/simd_formats.h"

namespace baton::worker::cpu {

namespace {

inline constexpr int kGroupInputs = 32;
inline constexpr int kQuadsPerGroup = kGroupInputs / 4;
inline constexpr int kQuadBytes = kPanelCols * 4;
inline constexpr int kHalvesBytes = kPanelCols * 2;
inline constexpr int64_t kChunkGroups = 32;  // of a panel's weights stay in the cache meanwhile

// How codes of so many bits lie in a group.
template <int kCodeBits, bool kHasTable = false, bool kHalfGroups = false>
struct CodeForm {
  static constexpr int kBits = kCodeBits;
  static constexpr bool kTable = kHasTable;
  static constexpr int kScales = kHalfGroups ? 2 : 1;
  static constexpr int kPlanes = kBits == 8 ? 0 : kBits - 4;

  // The codes of one quad of inputs, of S::kLanes columns from `col` on.
  template <class S>
  static typename S::I Load(const unsigned char* planes, int quad, int col,
                            const unsigned char* table) {
    const unsigned char* codes = planes + kPlanes * kPanelCols * kGroupInputs / 8;
    if constexpr (kBits == 8) return S::LoadCodes(codes + quad * kQuadBytes + col * 4);
    const typename S::I both = S::LoadCodes(codes + quad / 2 * kQuadBytes + col * 4);
    typename S::I value = quad % 2 == 0 ? S::LowNibbles(both) : S::HighNibbles(both);
    if constexpr (kTable) value = S::LookUp(table, value);
    const unsigned char* plane = planes + (quad * kPanelCols + col) / 2;
    if constexpr (kPlanes > 0) value = S::template AddPlane<16>(value, plane);
    if constexpr (kPlanes > 1) value = S::template AddPlane<32>(value, plane + kQuadBytes);
    return value;
  }
};

// Some rows, from some group on.
struct QuantRows {
  const signed char* values;
  const QuantGroup* groups;
  int64_t group_stride;  // groups of a row
};

// sums[r][0 .. V * kLanes) of the columns from `col` on, over `count` groups.
template <class S, class Form, int R, int V>
void MultiplyGroups(const QuantPanel& panel, const unsigned char* group, int col,
                    const QuantRows& x, int64_t count, float* sums, bool add) {
  using F = typename S::F;
  using I = typename S::I;
  constexpr int kQuads = kQuadsPerGroup / Form::kScales;
  const int64_t value_stride = x.group_stride * kGroupInputs;
  F sum[R][V];
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) {
      sum[r][v] = add ? S::Load(sums + r * kPanelCols + v * S::kLanes) : S::Zero();
    }
  }
  for (int64_t g = 0; g < count; ++g, group += panel.group_bytes) {
    const unsigned char* least = group + Form::kScales * kHalvesBytes;
    const unsigned char* planes = least + (panel.has_least ? kHalvesBytes : 0);
    const signed char* values = x.values + g * kGroupInputs;
    for (int part = 0; part < Form::kScales; ++part) {
      I dot[R][V];
      for (int r = 0; r < R; ++r) {
        const QuantGroup& row = x.groups[r * x.group_stride + g];
        int32_t row_sum = part == 0 ? row.low_sum : row.high_sum;
        if constexpr (Form::kScales == 1) row_sum += row.high_sum;
        for (int v = 0; v < V; ++v) dot[r][v] = S::SetInt(-panel.zero * row_sum);
      }
#pragma GCC unroll 8
      for (int q = 0; q < kQuads; ++q) {
        const int quad = part * kQuads + q;
        I codes[V];
        for (int v = 0; v < V; ++v) {
          codes[v] = Form::template Load<S>(planes, quad, col + v * S::kLanes, panel.table);
        }
        for (int r = 0; r < R; ++r) {
          const typename S::Quad input = S::BroadcastQuad(values + r * value_stride + 4 * quad);
          for (int v = 0; v < V; ++v) dot[r][v] = S::DotQuads(dot[r][v], codes[v], input);
        }
      }
      for (int v = 0; v < V; ++v) {
        const F scale = S::LoadHalves(group + part * kHalvesBytes + 2 * (col + v * S::kLanes));
        for (int r = 0; r < R; ++r) {
          const F both = scale * S::Set(x.groups[r * x.group_stride + g].scale);
          sum[r][v] = S::MulAdd(S::ToFloat(dot[r][v]), both, sum[r][v]);
        }
      }
    }
    if (!panel.has_least) continue;
    for (int v = 0; v < V; ++v) {
      const F offset = S::LoadHalves(least + 2 * (col + v * S::kLanes));
      for (int r = 0; r < R; ++r) {
        sum[r][v] = S::MulAdd(offset, S::Set(x.groups[r * x.group_stride + g].sum), sum[r][v]);
      }
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) S::Store(sums + r * kPanelCols + v * S::kLanes, sum[r][v]);
  }
}

// The columns [col_begin, col_end) of a panel, for R rows.
template <class S, class Form, int R>
void MultiplyColumns(const QuantPanel& panel, const unsigned char* group, const QuantRows& x,
                     int64_t count, int col_begin, int col_end, float* sums, bool add) {
  constexpr int kVecs = R == 1 ? S::kRowVecs : 2;
  constexpr int kCols = kVecs * S::kLanes;
  int col = col_begin;
  for (; col + kCols <= col_end; col += kCols) {
    MultiplyGroups<S, Form, R, kVecs>(panel, group, col, x, count, sums + col, add);
  }
  if constexpr (kCols > kUnitCols) {
    if (col < col_end) {
      MultiplyGroups<S, Form, R, kUnitCols / S::kLanes>(panel, group, col, x, count, sums + col,
                                                        add);
    }
  }
}

using ColumnsKernel = void (*)(const QuantPanel&, const unsigned char*, const QuantRows&, int64_t,
                               int, int, float*, bool);

template <class S, class Form>
ColumnsKernel ColumnsKernelFor(int64_t rows) {
  if (rows == 1) return MultiplyColumns<S, Form, 1>;
  if (rows == 2) return MultiplyColumns<S, Form, 2>;
  if constexpr (S::kQuantRows > 2) {
    if (rows == 3) return MultiplyColumns<S, Form, 3>;
    if (rows == 4) return MultiplyColumns<S, Form, 4>;
    if (rows == 5) return MultiplyColumns<S, Form, 5>;
    return MultiplyColumns<S, Form, 6>;
  }
  __builtin_trap();
}

template <class S>
ColumnsKernel ColumnsKernelFor(const QuantPanel& panel, int64_t rows) {
  if (panel.bits == 8) return ColumnsKernelFor<S, CodeForm<8>>(rows);
  if (panel.bits == 6) return ColumnsKernelFor<S, CodeForm<6, false, true>>(rows);
  if (panel.bits == 5) return ColumnsKernelFor<S, CodeForm<5>>(rows);
  if (panel.table != nullptr) return ColumnsKernelFor<S, CodeForm<4, true>>(rows);
  return ColumnsKernelFor<S, CodeForm<4>>(rows);
}

template <class S>
void MultiplyQuantPanel(const QuantLinearTask& task, int64_t panel_index, int col_begin,
                        int col_end) {
  const LinearTask& linear = task.linear;
  const QuantPanel& panel = task.panels[panel_index];
  alignas(64) float sums[kRowBlock * kPanelCols];
  for (int64_t block = 0; block < linear.rows; block += kRowBlock) {
    const int64_t rows = linear.rows - block < kRowBlock ? linear.rows - block : kRowBlock;
    const int64_t passes = (rows + S::kQuantRows - 1) / S::kQuantRows;
    for (int64_t begin = 0; begin < task.group_count; begin += kChunkGroups) {
      const int64_t left = task.group_count - begin;
      for (int64_t pass = 0; pass < passes; ++pass) {
        const int64_t row = rows * pass / passes;
        const int64_t row_end = rows * (pass + 1) / passes;
        const int64_t first = (block + row) * task.group_count + begin;
        const QuantRows x = {task.values + first * kGroupInputs, task.groups + first,
                             task.group_count};
        ColumnsKernelFor<S>(panel, row_end - row)(panel, panel.groups + begin * panel.group_bytes,
                                                  x, left < kChunkGroups ? left : kChunkGroups,
                                                  col_begin, col_end, sums + row * kPanelCols,
                                                  begin > 0);
      }
    }
    for (int64_t row = 0; row < rows; ++row) {
      const float* row_sums = sums + row * kPanelCols;
      if (linear.out_bf16) {
        FinishRow<S, Bf16Format<S>>(linear, row_sums, block + row, panel_index, col_begin, col_end);
      } else {
        FinishRow<S, F32Format<S>>(linear, row_sums, block + row, panel_index, col_begin, col_end);
      }
    }
  }
}

template <class S>
void QuantLinearKernel(const QuantLinearTask& task) {
  constexpr int64_t kUnits = kPanelCols / kUnitCols;
  for (int64_t unit = task.linear.unit_begin; unit < task.linear.unit_end;) {
    const int64_t panel = unit / kUnits;
    const int64_t panel_end = (panel + 1) * kUnits;
    const int64_t end = panel_end < task.linear.unit_end ? panel_end : task.linear.unit_end;
    const int64_t first = panel * kUnits;
    MultiplyQuantPanel<S>(task, panel, static_cast<int>(unit - first) * kUnitCols,
                          static_cast<int>(end - first) * kUnitCols);
    unit = end;
  }
}

// One group: to the nearest of 127 steps up to the largest of its numbers, ties to even.
inline void QuantizeGroup(const float* x, signed char* values, QuantGroup* group) {
  int32_t bits[kGroupInputs];
  __builtin_memcpy(bits, x, sizeof(bits));
  int32_t largest = 0;  // magnitudes compare like their bits; a NaN is above all
  for (int i = 0; i < kGroupInputs; ++i) {
    const int32_t magnitude = bits[i] & 0x7fffffff;
    largest = magnitude > largest ? magnitude : largest;
  }
  float limit;
  __builtin_memcpy(&limit, &largest, sizeof(limit));
  const float inverse = limit < 1e-30f ? 0.0f : 127.0f / limit;
  constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: its last bits are whole numbers
  int32_t quants[kGroupInputs];
  for (int i = 0; i < kGroupInputs; ++i) {
    const float shifted = x[i] * inverse + kMagic;
    uint32_t whole;
    __builtin_memcpy(&whole, &shifted, sizeof(shifted));
    const auto quant = static_cast<int32_t>(whole - 0x4b400000u);
    quants[i] = quant < -127 ? -127 : quant > 127 ? 127 : quant;  // else of a NaN, anything
    values[i] = static_cast<signed char>(quants[i]);
  }
  int32_t sums[2] = {0, 0};
  for (int i = 0; i < kGroupInputs / 2; ++i) {
    sums[0] += quants[i];
    sums[1] += quants[i + kGroupInputs / 2];
  }
  group->scale = limit < 1e-30f ? 0.0f : limit / 127.0f;
  group->sum = group->scale * static_cast<float>(sums[0] + sums[1]);
  group->low_sum = sums[0];
  group->high_sum = sums[1];
}

inline float InputAt(const QuantizeTask& task, int64_t index) {
  if (!task.x_bf16) return static_cast<const float*>(task.x)[index];
  const uint32_t wide = static_cast<uint32_t>(static_cast<const uint16_t*>(task.x)[index]) << 16;
  float value;
  __builtin_memcpy(&value, &wide, sizeof(value));
  return value;
}

inline void QuantizeKernel(const QuantizeTask& task) {
  float x[kGroupInputs];
  for (int64_t row = 0; row < task.rows; ++row) {
    for (int64_t group = 0; group < task.group_count; ++group) {
      const int64_t first = group * kGroupInputs;
      const int64_t left = task.inputs - first;
      const int64_t at = row * task.x_stride + first;
      if (left >= kGroupInputs) {
        for (int i = 0; i < kGroupInputs; ++i) x[i] = InputAt(task, at + i);
      } else {
        for (int i = 0; i < kGroupInputs; ++i) x[i] = i < left ? InputAt(task, at + i) : 0.0f;
      }
      const int64_t to = row * task.group_count + group;
      QuantizeGroup(x, task.values + to * kGroupInputs, task.groups + to);
    }
  }
}

}  // namespace

}  // namespace baton::worker::cpu
