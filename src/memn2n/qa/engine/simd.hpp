// Vectors of MEMN2N_WIDTH floats (4 by default), by the vector extension of GCC and Clang.
// Everything has internal linkage, because this is compiled once for each instruction set.
#pragma once

#ifndef MEMN2N_WIDTH
#define MEMN2N_WIDTH 4
#endif

#include <cstdint>
#include <cstring>
#include <utility>

#if MEMN2N_WIDTH > 4
#include <immintrin.h>
#endif

// For the innermost functions of the attention, of which GCC would inline fewer the larger the whole kernel is. With
// AVX-512 this gains nothing, and it would change which products GCC fuses with sums, and so the last bits of results.
#if MEMN2N_WIDTH < 16
#define MEMN2N_INLINE __attribute__((always_inline))
#else
#define MEMN2N_INLINE
#endif

namespace memn2n {
namespace {

constexpr int W = MEMN2N_WIDTH;

typedef float V __attribute__((vector_size(W * 4)));
typedef int32_t VI __attribute__((vector_size(W * 4)));
typedef float Unaligned __attribute__((vector_size(W * 4), aligned(4)));  // may overlay floats at any address

inline V load(const float* p) { return *reinterpret_cast<const Unaligned*>(p); }
inline void store(float* p, V v) { *reinterpret_cast<Unaligned*>(p) = v; }
inline V all(float x) { return x - V{}; }

// Reads and writes only the first n floats of a vector: the end of a row that is not padded.
struct Tail {
  int n;
#if MEMN2N_WIDTH == 16
  __mmask16 mask;
  explicit Tail(int count) : n(count), mask(static_cast<__mmask16>((1u << count) - 1)) {}
  V get(const float* p) const { return (V)_mm512_maskz_loadu_ps(mask, p); }
  void put(float* p, V v) const { _mm512_mask_storeu_ps(p, mask, (__m512)v); }
#elif MEMN2N_WIDTH == 8
  __m256i mask;
  explicit Tail(int count) : n(count) {
    int32_t lanes[8];
    for (int i = 0; i < 8; ++i) lanes[i] = i < count ? -1 : 0;
    mask = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(lanes));
  }
  V get(const float* p) const { return (V)_mm256_maskload_ps(p, mask); }
  void put(float* p, V v) const {  // masked stores are slow
    if (n == W) return store(p, v);
    for (int i = 0; i < n; ++i) p[i] = v[i];
  }
#else
  explicit Tail(int count) : n(count) {}
  V get(const float* p) const {
    if (n == W) return load(p);
    V v{};
    for (int i = 0; i < n; ++i) v[i] = p[i];
    return v;
  }
  void put(float* p, V v) const {
    if (n == W) return store(p, v);
    for (int i = 0; i < n; ++i) p[i] = v[i];
  }
#endif
};

// exp(x) with a relative error of 2e-7. Results below 1e-38 become 1e-38; NaN stays NaN.
inline V exp(V x) {
  x = x > 88.0f ? all(88.0f) : x;
  x = x < -87.0f ? all(-87.0f) : x;
  const V n = (x * 1.44269504f + 12582912.0f) - 12582912.0f;  // rounded: 12582912 is 1.5 * 2^23
  const V r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  V y = all(1.9875691500e-4f);  // minimax polynomial with the coefficients of the Cephes library
  y = y * r + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * (r * r) + r + 1.0f;
  const VI power = (__builtin_convertvector(n == n ? n : V{}, VI) + 127) << 23;
  return y * (V)power;
}

inline float sum(V v) {
  float lanes[W];
  store(lanes, v);
  for (int half = W / 2; half; half /= 2)
    for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  return lanes[0];
}

// a and b consist of groups of 2 * G elements. Takes the first (Half = 0) or second (Half = 1) half of each group, the
// groups of a first.
template <int G, int Half, int... L>
inline V halves(V a, V b, std::integer_sequence<int, L...>) {
  constexpr auto from = [](int lane) {
    const int group = lane / G, groups = W / (2 * G);
    return (group < groups ? 0 : W) + (group % groups) * 2 * G + lane % G + Half * G;
  };
#if defined(__clang__)
  return __builtin_shufflevector(a, b, from(L)...);
#else
  return __builtin_shuffle(a, b, VI{from(L)...});
#endif
}

// Adds the two halves of each group of a and b: groups of 2 * G elements become groups of G.
template <int G>
inline V fold(V a, V b) {
  constexpr auto lanes = std::make_integer_sequence<int, W>{};
  return halves<G, 0>(a, b, lanes) + halves<G, 1>(a, b, lanes);
}

// Element i of the result is sum(vector(i)). vector(i) is called for i = First, First + 1, ... in order.
template <int N, int First, class F>
MEMN2N_INLINE inline V sums(const F& vector) {
  if constexpr (N == 1)
    return vector(First);
  else
    return fold<W / N>(sums<N / 2, First>(vector), sums<N / 2, First + N / 2>(vector));
}

}  // namespace
}  // namespace memn2n
