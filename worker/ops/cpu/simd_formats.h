// What the kernels need beyond a Simd type: element formats, and the exponential.
#pragma once

#include <cstdint>

#include "worker/ops/activation.h"

namespace baton::worker::cpu {

namespace {

// Elements in bf16: each lane of a load holds two neighbours of the summed dimension.
template <class S>
struct Bf16Format {
  using Element = uint16_t;
  using Weights = typename S::I;
  using Input = typename S::Pair;
  static constexpr int kPack = 2;

  static Weights Load(const Element* from) { return S::LoadPairs(from); }
  static Weights FirstOfPack(Weights weights) { return S::EvenOnly(weights); }
  static Input Broadcast(const Element* from) { return S::BroadcastPair(from); }
  static typename S::F MulAdd(typename S::F sum, Weights weights, Input x) {
    return S::DotPairs(sum, weights, x);
  }
  static void Store(Element* to, typename S::F value) { S::StoreBf16(to, value); }
  static typename S::F LoadWide(const Element* from) { return S::LoadBf16(from); }
};

template <class S>
struct F32Format {
  using Element = float;
  using Weights = typename S::F;
  using Input = typename S::F;
  static constexpr int kPack = 1;

  static Weights Load(const Element* from) { return S::Load(from); }
  static Weights FirstOfPack(Weights weights) { return weights; }
  static Input Broadcast(const Element* from) { return S::Set(*from); }
  static typename S::F MulAdd(typename S::F sum, Weights weights, Input x) {
    return S::MulAdd(weights, x, sum);
  }
  static void Store(Element* to, typename S::F value) { S::Store(to, value); }
  static typename S::F LoadWide(const Element* from) { return S::Load(from); }
};

inline constexpr float kLog2E = 1.44269504f;

// 2^x to 2 units in the last place; exactly 1 for 0, and at most
// 2^-127 from there down. REQUIRES: x < 128.
template <class S>
inline typename S::F Exp2(typename S::F x) {
  using F = typename S::F;
  x = S::Max(x, S::Set(-127.0f));
  const F whole = S::Round(x);
  const F rest = x - whole;  // [-0.5, 0.5]; the series of 2^rest, ln(2)^k / k!
  F sum = S::Set(1.5252734e-5f);
  sum = S::MulAdd(sum, rest, S::Set(1.5403530e-4f));
  sum = S::MulAdd(sum, rest, S::Set(1.3333558e-3f));
  sum = S::MulAdd(sum, rest, S::Set(9.6181291e-3f));
  sum = S::MulAdd(sum, rest, S::Set(5.5504109e-2f));
  sum = S::MulAdd(sum, rest, S::Set(2.4022651e-1f));
  sum = S::MulAdd(sum, rest, S::Set(6.9314718e-1f));
  sum = S::MulAdd(sum, rest, S::Set(1.0f));
  return S::Scale(sum, whole);
}

// The same of one number.
template <class S>
inline float Exp2Of(float x) {
  float lanes[S::kLanes];
  S::Store(lanes, Exp2<S>(S::Set(x)));
  return lanes[0];
}

// tanh(x) to 2 units of 2^-24.
template <class S>
inline typename S::F Tanh(typename S::F x) {
  // 1 - 2 / (1 + e^(2x)), the exponent kept from overflow.
  const typename S::F limit = S::Set(60.0f);
  const typename S::F exponent = S::Zero() - S::Max(S::Zero() - limit, S::Set(-2 * kLog2E) * x);
  return S::Set(1.0f) - S::Set(2.0f) / (S::Set(1.0f) + Exp2<S>(exponent));
}

// erf(x), to 1.5e-7 (Abramowitz and Stegun 7.1.26).
template <class S>
inline typename S::F Erf(typename S::F x) {
  using F = typename S::F;
  const F zero = S::Zero();
  const F size = S::Max(x, zero - x);
  const F t = S::Set(1.0f) / S::MulAdd(S::Set(0.3275911f), size, S::Set(1.0f));
  F sum = S::Set(1.061405429f);
  sum = S::MulAdd(sum, t, S::Set(-1.453152027f));
  sum = S::MulAdd(sum, t, S::Set(1.421413741f));
  sum = S::MulAdd(sum, t, S::Set(-0.284496736f));
  sum = S::MulAdd(sum, t, S::Set(0.254829592f));
  const F tail = sum * t * Exp2<S>(zero - S::Set(kLog2E) * size * size);
  // The sign of x: x / |x|, and 0 for what is next to nothing.
  const F sign = x / S::Max(size, S::Set(1e-30f));
  return sign * (S::Set(1.0f) - tail);
}

// x / (1 + 2^(-x log2 e)), the exponent kept from overflow.
template <class S>
inline typename S::F Silu(typename S::F x) {
  const typename S::F exponent = S::Zero() - S::Max(S::Set(-126.0f), S::Set(kLog2E) * x);
  return x / (S::Set(1.0f) + Exp2<S>(exponent));
}

// Any of them, out of line: the path of most models stays lean without the rarer ones.
template <class S>
__attribute__((noinline)) typename S::F Activate(typename S::F x, Activation activation) {
  using F = typename S::F;
  const F half = S::Set(0.5f);
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kSilu:
      return Silu<S>(x);
    case Activation::kClampedSwiglu:  // not of a gate alone
      return x;
    case Activation::kGeluTanh: {
      const F inner = S::Set(0.797884561f) * S::MulAdd(S::Set(0.044715f) * x * x, x, x);
      return half * x * (S::Set(1.0f) + Tanh<S>(inner));
    }
    case Activation::kGeluErf:
      return half * x * (S::Set(1.0f) + Erf<S>(S::Set(0.707106781f) * x));
  }
  return x;
}

// A gate g and u, kept to g <= limit and |u| <= limit: (u + 1) g / (1 + e^-1.702g).
template <class S>
__attribute__((noinline)) typename S::F ClampedSwiglu(typename S::F gate, typename S::F up,
                                                      float limit) {
  using F = typename S::F;
  const auto at_most = [&](F x) { return S::Zero() - S::Max(S::Zero() - x, S::Set(-limit)); };
  gate = at_most(gate);
  up = S::Max(at_most(up), S::Set(-limit));
  const F exponent = S::Zero() - S::Max(S::Set(-126.0f), S::Set(1.702f * kLog2E) * gate);
  return (up + S::Set(1.0f)) * gate / (S::Set(1.0f) + Exp2<S>(exponent));
}

// Stores the lanes below `count`.
template <class Format, class S>
inline void StoreSome(typename Format::Element* to, typename S::F value, int64_t count) {
  if (count >= S::kLanes) {
    Format::Store(to, value);
    return;
  }
  typename Format::Element lanes[S::kLanes];
  Format::Store(lanes, value);
  for (int64_t i = 0; i < count; ++i) to[i] = lanes[i];
}

// Loads `count` floats and zeros.
template <class S>
inline typename S::F LoadSome(const float* from, int64_t count) {
  if (count >= S::kLanes) return S::Load(from);
  float lanes[S::kLanes] = {};
  for (int64_t i = 0; i < count; ++i) lanes[i] = from[i];
  return S::Load(lanes);
}

}  // namespace

}  // namespace baton::worker::cpu
