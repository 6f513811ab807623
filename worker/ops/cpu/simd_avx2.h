// Eight floats at a time; see simd_plain.h for the interface. Needs -mavx2 -mfma.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace baton::worker::cpu {

namespace {

struct Avx2Simd {
  using F = __m256;
  using I = __m256i;
  struct Pair {
    F even, odd;
  };

  static constexpr int kLanes = 8;
  static constexpr int kTileRows = 4;
  static constexpr int kTileVecs = 2;
  static constexpr int kRowVecs = 4;

  static F Zero() { return _mm256_setzero_ps(); }
  static F Set(float value) { return _mm256_set1_ps(value); }
  static F Load(const float* from) { return _mm256_loadu_ps(from); }
  static void Store(float* to, F value) { _mm256_storeu_ps(to, value); }
  static F Max(F a, F b) { return _mm256_max_ps(a, b); }
  static F MulAdd(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }

  static F Blend(int count, F value, F other) {
    const I lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const I keep = _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane);
    return _mm256_blendv_ps(other, value, _mm256_castsi256_ps(keep));
  }
  static float MaxOf(F value) {
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(value), _mm256_extractf128_ps(value, 1));
    four = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
  }
  static float SumOf(F value) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(value), _mm256_extractf128_ps(value, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
  }

  static F Scale(F value, F exponent) {
    const I biased = _mm256_add_epi32(_mm256_cvtps_epi32(exponent), _mm256_set1_epi32(127));
    return _mm256_mul_ps(value, _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23)));
  }
  static F Round(F value) {
    return _mm256_round_ps(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }

  static I LoadPairs(const uint16_t* from) {
    return _mm256_loadu_si256(reinterpret_cast<const I*>(from));
  }
  static I EvenOnly(I pairs) { return _mm256_and_si256(pairs, _mm256_set1_epi32(0xffff)); }
  static Pair BroadcastPair(const uint16_t* from) {
    int32_t bits;
    __builtin_memcpy(&bits, from, sizeof(bits));
    const I both = _mm256_set1_epi32(bits);
    return {Even(both), Odd(both)};
  }
  static F DotPairs(F sum, I weights, Pair x) {
    return MulAdd(Odd(weights), x.odd, MulAdd(Even(weights), x.even, sum));
  }
  static F LoadBf16(const uint16_t* from) {
    __m128i narrow;
    __builtin_memcpy(&narrow, from, sizeof(narrow));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(narrow), 16));
  }

  struct Quad {  // bytes 0 and 2, and 1 and 3, as 16-bit numbers
    I even, odd;
  };
  static constexpr int kQuantRows = 2;
  static I LoadCodes(const unsigned char* from) {
    return _mm256_loadu_si256(reinterpret_cast<const I*>(from));
  }
  static I SetInt(int32_t value) { return _mm256_set1_epi32(value); }
  static I LowNibbles(I codes) { return _mm256_and_si256(codes, _mm256_set1_epi8(15)); }
  static I HighNibbles(I codes) { return LowNibbles(_mm256_srli_epi16(codes, 4)); }
  static I LookUp(const unsigned char* table, I codes) {
    __m128i bytes;
    __builtin_memcpy(&bytes, table, sizeof(bytes));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), codes);
  }
  template <int kValue>
  static I AddPlane(I codes, const unsigned char* plane) {
    int32_t bits;
    __builtin_memcpy(&bits, plane, sizeof(bits));
    const I byte_of = _mm256_setr_epi64x(0x0000000000000000, 0x0101010101010101, 0x0202020202020202,
                                         0x0303030303030303);
    const I bit_of = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201u));
    const I spread = _mm256_shuffle_epi8(_mm256_set1_epi32(bits), byte_of);
    const I set = _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit_of), bit_of);
    return _mm256_or_si256(codes, _mm256_and_si256(set, _mm256_set1_epi8(kValue)));
  }
  static Quad BroadcastQuad(const signed char* from) {
    int32_t bits;
    __builtin_memcpy(&bits, from, sizeof(bits));
    const I both = _mm256_set1_epi32(bits);
    return {_mm256_srai_epi16(_mm256_slli_epi16(both, 8), 8), _mm256_srai_epi16(both, 8)};
  }
  static I DotQuads(I sum, I codes, Quad x) {
    const I even = _mm256_and_si256(codes, _mm256_set1_epi16(0xff));
    const I odd = _mm256_srli_epi16(codes, 8);
    const I dot = _mm256_add_epi32(_mm256_madd_epi16(even, x.even), _mm256_madd_epi16(odd, x.odd));
    return _mm256_add_epi32(sum, dot);
  }
  static F ToFloat(I value) { return _mm256_cvtepi32_ps(value); }
  static F LoadHalves(const unsigned char* from) {
    __m128i halves;
    __builtin_memcpy(&halves, from, sizeof(halves));
    return _mm256_cvtph_ps(halves);
  }

  static void StoreBf16(uint16_t* to, F value) {
    const I bits = _mm256_castps_si256(value);
    const I odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const I bias = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
    const I rounded = _mm256_srli_epi32(_mm256_add_epi32(bits, bias), 16);
    const I quiet = _mm256_or_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(0x40));
    const F nan = _mm256_cmp_ps(value, value, _CMP_UNORD_Q);
    const I result = _mm256_blendv_epi8(rounded, quiet, _mm256_castps_si256(nan));
    const __m128i narrow =
        _mm_packus_epi32(_mm256_castsi256_si128(result), _mm256_extracti128_si256(result, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), narrow);
  }

 private:
  static F Even(I pairs) { return _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16)); }
  static F Odd(I pairs) {
    return _mm256_castsi256_ps(
        _mm256_and_si256(pairs, _mm256_set1_epi32(static_cast<int32_t>(0xffff0000))));
  }
};

}  // namespace

}  // namespace baton::worker::cpu
