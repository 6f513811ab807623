// Sixteen floats at a time, bf16 products by instruction; see simd_plain.h for the interface. Needs
// -mavx512f and -mavx512bf16.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace baton::worker::cpu {

namespace {

struct Avx512Simd {
  using F = __m512;
  using I = __m512i;
  using Pair = __m512i;

  static constexpr int kLanes = 16;
  static constexpr int kTileRows = 6;
  static constexpr int kTileVecs = 4;
  static constexpr int kRowVecs = 4;

  static F Zero() { return _mm512_setzero_ps(); }
  static F Set(float value) { return _mm512_set1_ps(value); }
  static F Load(const float* from) { return _mm512_loadu_ps(from); }
  static void Store(float* to, F value) { _mm512_storeu_ps(to, value); }
  static F Max(F a, F b) { return _mm512_max_ps(a, b); }
  static F MulAdd(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }

  static F Blend(int count, F value, F other) {
    const unsigned keep = count >= kLanes ? 0xffffu : count <= 0 ? 0u : (1u << count) - 1u;
    return _mm512_mask_blend_ps(static_cast<__mmask16>(keep), other, value);
  }
  static float MaxOf(F value) { return _mm512_reduce_max_ps(value); }
  static float SumOf(F value) { return _mm512_reduce_add_ps(value); }

  static F Scale(F value, F exponent) { return _mm512_scalef_ps(value, exponent); }
  static F Round(F value) {
    return _mm512_roundscale_ps(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }

  static I LoadPairs(const uint16_t* from) { return _mm512_loadu_si512(from); }
  static I EvenOnly(I pairs) { return _mm512_and_si512(pairs, _mm512_set1_epi32(0xffff)); }
  static Pair BroadcastPair(const uint16_t* from) {
    int32_t bits;
    __builtin_memcpy(&bits, from, sizeof(bits));
    return _mm512_set1_epi32(bits);
  }
  static F DotPairs(F sum, I weights, Pair x) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(weights),
                            reinterpret_cast<__m512bh>(x));
  }
  static F LoadBf16(const uint16_t* from) {
    __m256i narrow;
    __builtin_memcpy(&narrow, from, sizeof(narrow));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(narrow), 16));
  }

  using Quad = __m512i;
  static constexpr int kQuantRows = 6;
  static I LoadCodes(const unsigned char* from) { return _mm512_loadu_si512(from); }
  static I SetInt(int32_t value) { return _mm512_set1_epi32(value); }
  static I LowNibbles(I codes) { return _mm512_and_si512(codes, _mm512_set1_epi8(15)); }
  static I HighNibbles(I codes) { return LowNibbles(_mm512_srli_epi16(codes, 4)); }
  static I LookUp(const unsigned char* table, I codes) {
    __m128i bytes;
    __builtin_memcpy(&bytes, table, sizeof(bytes));
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(bytes), codes);
  }
  template <int kValue>
  static I AddPlane(I codes, const unsigned char* plane) {
    __mmask64 mask;
    __builtin_memcpy(&mask, plane, sizeof(mask));
    return _mm512_mask_add_epi8(codes, mask, codes, _mm512_set1_epi8(kValue));
  }
  static Quad BroadcastQuad(const signed char* from) {
    int32_t bits;
    __builtin_memcpy(&bits, from, sizeof(bits));
    return _mm512_set1_epi32(bits);
  }
  static I DotQuads(I sum, I codes, Quad x) { return _mm512_dpbusd_epi32(sum, codes, x); }
  static F ToFloat(I value) { return _mm512_cvtepi32_ps(value); }
  static F LoadHalves(const unsigned char* from) {
    __m256i halves;
    __builtin_memcpy(&halves, from, sizeof(halves));
    return _mm512_cvtph_ps(halves);
  }

  static void StoreBf16(uint16_t* to, F value) {
    const __m256bh narrow = _mm512_cvtneps_pbh(value);
    __builtin_memcpy(to, &narrow, sizeof(narrow));
  }
};

}  // namespace

}  // namespace baton::worker::cpu
