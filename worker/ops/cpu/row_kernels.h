// Kernels that work on one row: the norm, and turning and storing queries, keys and values. See
// ../rms_norm.h and ../rope_append.h.
#pragma once

#include "worker/ops/cpu/kernel_table.h"
#include "worker/ops/cpu/kv_formats.h"
#include "worker/ops/cpu/simd_formats.h"

namespace baton::worker::cpu {

namespace {

// The sum of the squares of x + add, which is stored in x if there is an add. Always in the same
// order: four vectors in turn, then their sum.
template <class S>
float SumOfSquares(float* x, const float* add, int64_t size) {
  typename S::F sums[4] = {S::Zero(), S::Zero(), S::Zero(), S::Zero()};
  for (int64_t i = 0, turn = 0; i < size; i += S::kLanes, ++turn) {
    typename S::F value = LoadSome<S>(x + i, size - i);
    if (add != nullptr) {
      value = value + LoadSome<S>(add + i, size - i);
      StoreSome<F32Format<S>, S>(x + i, value, size - i);
    }
    sums[turn & 3] = S::MulAdd(value, value, sums[turn & 3]);
  }
  return S::SumOf((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

template <class S, class Out>
void ScaleRow(const RmsNormTask& task, float factor) {
  auto* out = static_cast<typename Out::Element*>(task.out);
  for (int64_t i = 0; i < task.size; i += S::kLanes) {
    const int64_t left = task.size - i;
    const typename S::F value = LoadSome<S>(task.x + i, left) * S::Set(factor);
    typename S::F result = value * LoadSome<S>(task.weight + i, left);
    if (task.residual != nullptr) result = result + LoadSome<S>(task.residual + i, left);
    StoreSome<Out, S>(out + i, result, left);
  }
}

template <class S>
void RmsNormKernel(const RmsNormTask& task) {
  const float mean = SumOfSquares<S>(task.x, task.add, task.size) / static_cast<float>(task.size);
  const float factor = 1.0f / __builtin_sqrtf(mean + task.epsilon);
  if (task.out_bf16) {
    ScaleRow<S, Bf16Format<S>>(task, factor);
  } else {
    ScaleRow<S, F32Format<S>>(task, factor);
  }
}

// Norms one head, if there is a norm, and turns it. `out` may not be `in`.
template <class S>
void TurnHead(const RopeAppendTask& task, const float* in, const float* norm, float* out) {
  const int rotary_dim = task.rotary_dim;
  const int head_dim = task.head_dim;
  const float* cos_sin = task.cos_sin;
  alignas(64) float normed[kHeadDimMax];
  if (norm != nullptr) {
    __builtin_memcpy(normed, in, static_cast<size_t>(head_dim) * sizeof(float));
    RmsNormKernel<S>({.x = normed,
                      .add = nullptr,
                      .weight = norm,
                      .residual = nullptr,
                      .out = normed,
                      .size = head_dim,
                      .epsilon = task.norm_epsilon,
                      .out_bf16 = false});
    in = normed;
  }
  const int half = rotary_dim / 2;
  const float* cosines = cos_sin;
  const float* sines = cos_sin + half;
  for (int i = 0; i < half; ++i) {
    out[i] = in[i] * cosines[i] - in[i + half] * sines[i];
    out[i + half] = in[i + half] * cosines[i] + in[i] * sines[i];
  }
  for (int i = rotary_dim; i < head_dim; ++i) out[i] = in[i];
}

// x = cap * tanh(x / cap).
template <class S>
void SoftCapKernel(float* x, int64_t count, float cap) {
  for (int64_t i = 0; i < count; i += S::kLanes) {
    const int64_t left = count - i;
    const typename S::F value = LoadSome<S>(x + i, left) / S::Set(cap);
    // What is no number stays none.
    const typename S::F capped = Tanh<S>(value) * S::Set(cap) + (value - value);
    StoreSome<F32Format<S>, S>(x + i, capped, left);
  }
}

template <class S, class Format>
void ConvertHead(const float* in, int head_dim, typename Format::Element* out) {
  for (int i = 0; i < head_dim; i += S::kLanes) {
    StoreSome<Format, S>(out + i, LoadSome<S>(in + i, head_dim - i), head_dim - i);
  }
}

// Puts the elements of a token's key, or value, to their places: `step` elements from one pack of
// dims to the next. What lies between may be other threads'.
inline void Scatter(const unsigned char* from, int packs, int pack_bytes, int64_t step_bytes,
                    unsigned char* to) {
  for (int i = 0; i < packs; ++i) {
    __builtin_memcpy(to + i * step_bytes, from + i * pack_bytes, static_cast<size_t>(pack_bytes));
  }
}

// A token's key and value in a smaller format; kPack is that of the layout's order.
template <int kPack>
void AppendNarrow(const RopeAppendTask& task, const float* key) {
  const int bytes = task.format == KvFormat::kBf16 ? 2 : 1;
  const int dim = task.head_dim;
  alignas(64) unsigned char codes[2 * kHeadDimMax];
  const float key_scale = NarrowHead(task.format, key, dim, codes);
  Scatter(codes, dim / kPack, kPack * bytes, int64_t{kPack} * bytes * task.block_tokens,
          static_cast<unsigned char*>(task.keys) + task.slot * kPack * bytes);
  const float value_scale = NarrowHead(task.format, task.value, dim, codes);
  const int64_t row = int64_t{task.slot / kPack} * task.padded_head_dim * kPack;
  Scatter(codes, dim, bytes, int64_t{kPack} * bytes,
          static_cast<unsigned char*>(task.values) + (row + task.slot % kPack) * bytes);
  if (task.key_scale != nullptr) *task.key_scale = key_scale;
  if (task.value_scale != nullptr) *task.value_scale = value_scale;
}

template <class S, class Format>
void RopeAppendKernel(const RopeAppendTask& task) {
  using Element = typename Format::Element;
  constexpr int kPack = Format::kPack;
  alignas(64) float turned[kHeadDimMax];
  alignas(64) Element converted[kHeadDimMax];
  const int dim = task.head_dim;
  auto* q = static_cast<Element*>(task.q_out);
  for (int head = 0; head < task.group; ++head) {
    TurnHead<S>(task, task.queries + head * dim, task.q_norm, turned);
    ConvertHead<S, Format>(turned, dim, q + head * dim);
  }
  TurnHead<S>(task, task.key, task.k_norm, turned);
  if (task.format != KvFormat::kPlain) {
    AppendNarrow<kPack>(task, turned);
    return;
  }
  ConvertHead<S, Format>(turned, dim, converted);
  Element* key = static_cast<Element*>(task.keys) + task.slot * kPack;
  for (int i = 0; i < dim; i += kPack) {
    __builtin_memcpy(key + i * task.block_tokens, converted + i, kPack * sizeof(Element));
  }
  // The neighbour of a pair may be another thread's: element by element.
  ConvertHead<S, Format>(task.value, dim, converted);
  Element* value = static_cast<Element*>(task.values) +
                   task.slot / kPack * task.padded_head_dim * kPack + task.slot % kPack;
  for (int i = 0; i < dim; ++i) value[i * kPack] = converted[i];
}

}  // namespace

}  // namespace baton::worker::cpu
