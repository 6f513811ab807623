// Four floats at a time in whatever way the compiler's baseline offers. The interface of all Simd
// types, which the kernels are written against.
#pragma once

#include <cstdint>

namespace baton::worker::cpu {

namespace {

struct PlainSimd {
  using F = float __attribute__((vector_size(16)));
  using I = int32_t __attribute__((vector_size(16)));
  struct Pair {  // two numbers, each in every lane
    F even, odd;
  };

  static constexpr int kLanes = 4;
  // Register tiles: rows, and vectors for many rows and for one.
  static constexpr int kTileRows = 4;
  static constexpr int kTileVecs = 2;
  static constexpr int kRowVecs = 4;

  static F Zero() { return F{}; }
  static F Set(float value) { return F{value, value, value, value}; }
  static F Load(const float* from) {
    F value;
    __builtin_memcpy(&value, from, sizeof(value));
    return value;
  }
  static void Store(float* to, F value) { __builtin_memcpy(to, &value, sizeof(value)); }
  static F Max(F a, F b) {
    const I less = a < b;
    return Bits((Bits(b) & less) | (Bits(a) & ~less));
  }
  static F MulAdd(F a, F b, F c) { return a * b + c; }

  // The lanes below `count` of `value`, and of `other` above.
  static F Blend(int count, F value, F other) {
    const I keep = I{0, 1, 2, 3} < I{count, count, count, count};
    return Bits((Bits(value) & keep) | (Bits(other) & ~keep));
  }
  static float MaxOf(F value) {
    const F two = Max(value, __builtin_shuffle(value, I{2, 3, 0, 1}));
    return two[0] < two[1] ? two[1] : two[0];
  }
  static float SumOf(F value) { return (value[0] + value[2]) + (value[1] + value[3]); }

  // value * 2^exponent for integral exponents from -127, which gives 0, to 127.
  static F Scale(F value, F exponent) {
    const I shifted = (__builtin_convertvector(exponent, I) + 127) << 23;
    return value * Bits(shifted);
  }
  static F Round(F value) {
    const F magic = Set(12582912.0f);  // 1.5 * 2^23 leaves no room for a fraction
    return (value + magic) - magic;
  }

  // bf16, two to a lane.
  static I LoadPairs(const uint16_t* from) {
    I value;
    __builtin_memcpy(&value, from, sizeof(value));
    return value;
  }
  static I EvenOnly(I pairs) { return pairs & 0xffff; }
  static Pair BroadcastPair(const uint16_t* from) {
    return {Set(Widen(from[0])), Set(Widen(from[1]))};
  }
  static F DotPairs(F sum, I weights, Pair x) {
    const F even = Bits(weights << 16);
    const F odd = Bits(weights & static_cast<int32_t>(0xffff0000));
    return MulAdd(odd, x.odd, MulAdd(even, x.even, sum));
  }
  static F LoadBf16(const uint16_t* from) {
    return F{Widen(from[0]), Widen(from[1]), Widen(from[2]), Widen(from[3])};
  }

  // Codes: bytes, four neighbours of the summed dimension to a lane. Nibbles are taken from bytes,
  // or looked up in a table of 16; a plane adds kValue to the bytes whose bit is set.
  struct Quad {
    int32_t value[4];
  };
  static constexpr int kQuantRows = 2;
  static I LoadCodes(const unsigned char* from) {
    I value;
    __builtin_memcpy(&value, from, sizeof(value));
    return value;
  }
  static I SetInt(int32_t value) { return I{value, value, value, value}; }
  static I LowNibbles(I codes) { return codes & 0x0f0f0f0f; }
  static I HighNibbles(I codes) { return LowNibbles(codes >> 4); }
  static I LookUp(const unsigned char* table, I codes) {
    unsigned char bytes[16];
    __builtin_memcpy(bytes, &codes, sizeof(bytes));
    for (unsigned char& byte : bytes) byte = table[byte];
    return LoadCodes(bytes);
  }
  template <int kValue>
  static I AddPlane(I codes, const unsigned char* plane) {
    unsigned char bytes[16];
    __builtin_memcpy(bytes, &codes, sizeof(bytes));
    for (int i = 0; i < 16; ++i) {
      bytes[i] = static_cast<unsigned char>(bytes[i] + (plane[i / 8] >> i % 8 & 1) * kValue);
    }
    return LoadCodes(bytes);
  }
  static Quad BroadcastQuad(const signed char* from) {
    return {{from[0], from[1], from[2], from[3]}};
  }
  // sum + codes[0] x[0] + ... + codes[3] x[3], codes without sign.
  static I DotQuads(I sum, I codes, Quad x) {
    for (int i = 0; i < 4; ++i) sum = sum + (codes >> 8 * i & 0xff) * x.value[i];
    return sum;
  }
  static F ToFloat(I value) { return __builtin_convertvector(value, F); }
  static F LoadHalves(const unsigned char* from) {
    return F{Half(from), Half(from + 2), Half(from + 4), Half(from + 6)};
  }

  static void StoreBf16(uint16_t* to, F value) {
    for (int i = 0; i < kLanes; ++i) to[i] = Narrow(value[i]);
  }

 private:
  static F Bits(I value) { return reinterpret_cast<F>(value); }
  static I Bits(F value) { return reinterpret_cast<I>(value); }
  // An f16 without infinities: its exponent is off by 112, which a product sets right.
  static float Half(const unsigned char* from) {
    const uint32_t bits = from[0] | static_cast<uint32_t>(from[1]) << 8;
    const uint32_t magnitude = (bits & 0x7fffu) << 13;
    float value;
    __builtin_memcpy(&value, &magnitude, sizeof(value));
    value *= 0x1p112f;
    return (bits & 0x8000u) != 0 ? -value : value;
  }
  static float Widen(uint16_t bits) {
    const uint32_t wide = static_cast<uint32_t>(bits) << 16;
    float value;
    __builtin_memcpy(&value, &wide, sizeof(value));
    return value;
  }
  static uint16_t Narrow(float value) {
    uint32_t bits;
    __builtin_memcpy(&bits, &value, sizeof(bits));
    if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
    return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
  }
};

}  // namespace

}  // namespace baton::worker::cpu
