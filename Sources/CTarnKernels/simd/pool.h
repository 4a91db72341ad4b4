// Windows of 2×2 elements, 2 apart: two rows of the image give one of results.
#ifndef TARN_SIMD_POOL_H
#define TARN_SIMD_POOL_H

#include "types.h"

#define EVEN_16 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define EVEN_8 0, 2, 4, 6, 8, 10, 12, 14
#define EVEN_4 0, 2, 4, 6
#define ODD_16 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#define ODD_8 1, 3, 5, 7, 9, 11, 13, 15
#define ODD_4 1, 3, 5, 7
#define LOW_16 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define LOW_8 0, 8, 1, 9, 2, 10, 3, 11
#define LOW_4 0, 4, 1, 5
#define HIGH_16 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define HIGH_8 4, 12, 5, 13, 6, 14, 7, 15
#define HIGH_4 2, 6, 3, 7

/// The larger, the first of equals; NaN wins, the first of them.
#define REPLACES(v, old) (((v) > (old)) | (((v) != (v)) & ((old) == (old))))

#define EVEN_PART(a, b, N) __builtin_shufflevector(a, b, EVEN_##N)
#define ODD_PART(a, b, N) __builtin_shufflevector(a, b, ODD_##N)

/// N windows at j, of rows x0 and x1: their elements a, b above c, d; `second`, `fourth` and `lower` lead to the largest.
#define LARGEST_OF_PAIRS(V, N)                                                                               \
  const V u = *(const V *)(x0 + 2 * j), v = *(const V *)(x0 + 2 * j + N);                                    \
  const V s = *(const V *)(x1 + 2 * j), t = *(const V *)(x1 + 2 * j + N);                                    \
  const V a = EVEN_PART(u, v, N), b = ODD_PART(u, v, N), c = EVEN_PART(s, t, N), d = ODD_PART(s, t, N);      \
  const __typeof__(a > b) second = REPLACES(b, a), fourth = REPLACES(d, c);                                  \
  const V top = second ? b : a, low = fourth ? d : c;                                                        \
  const __typeof__(a > b) lower = REPLACES(low, top);

#define POOL_STRIP(S, N)                                                                                     \
  typedef S##_t strip_##S##_##N __attribute__((ext_vector_type(N), aligned(sizeof(S##_t)), may_alias));      \
                                                                                                             \
  INLINE void pool_strip_##S##_##N(S##_t *y, const S##_t *x0, const S##_t *x1, int64_t j) {                  \
    LARGEST_OF_PAIRS(strip_##S##_##N, N)                                                                     \
    *(strip_##S##_##N *)(y + j) = lower ? low : top;                                                         \
  }                                                                                                          \
                                                                                                             \
  INLINE void unpool_strip_##S##_##N(                                                                        \
    S##_t *d0, S##_t *d1, const S##_t *x0, const S##_t *x1, const S##_t *g, int64_t j                        \
  ) {                                                                                                        \
    LARGEST_OF_PAIRS(strip_##S##_##N, N)                                                                     \
    const strip_##S##_##N all = *(const strip_##S##_##N *)(g + j), none = 0;                                 \
    const strip_##S##_##N above = lower ? none : all, below = lower ? all : none;                            \
    const strip_##S##_##N ga = second ? none : above, gb = second ? above : none;                            \
    const strip_##S##_##N gc = fourth ? none : below, gd = fourth ? below : none;                            \
    *(strip_##S##_##N *)(d0 + 2 * j) = __builtin_shufflevector(ga, gb, LOW_##N);                             \
    *(strip_##S##_##N *)(d0 + 2 * j + N) = __builtin_shufflevector(ga, gb, HIGH_##N);                        \
    *(strip_##S##_##N *)(d1 + 2 * j) = __builtin_shufflevector(gc, gd, LOW_##N);                             \
    *(strip_##S##_##N *)(d1 + 2 * j + N) = __builtin_shufflevector(gc, gd, HIGH_##N);                        \
  }                                                                                                          \
                                                                                                             \
  INLINE void choose_strip_##S##_##N(                                                                        \
    S##_t *y, const S##_t *x0, const S##_t *x1, const S##_t *t0, const S##_t *t1, int64_t j                  \
  ) {                                                                                                        \
    LARGEST_OF_PAIRS(strip_##S##_##N, N)                                                                     \
    const strip_##S##_##N p = *(const strip_##S##_##N *)(t0 + 2 * j), q = *(const strip_##S##_##N *)(t0 + 2 * j + N); \
    const strip_##S##_##N m = *(const strip_##S##_##N *)(t1 + 2 * j), n = *(const strip_##S##_##N *)(t1 + 2 * j + N); \
    const strip_##S##_##N above = second ? ODD_PART(p, q, N) : EVEN_PART(p, q, N);                           \
    const strip_##S##_##N below = fourth ? ODD_PART(m, n, N) : EVEN_PART(m, n, N);                           \
    *(strip_##S##_##N *)(y + j) = lower ? below : above;                                                     \
  }

/// Strips of N from 0 to n ≥ N; the last may overlap the one before it.
#define STRIPS(N, ACTION)                                          \
  for (int64_t j = 0;; j = j + 2 * N <= n ? j + N : n - N) {       \
    ACTION;                                                        \
    if (j == n - N) return;                                        \
  }
#define ALL_STRIPS(NAME, S, ...)                                             \
  {                                                                          \
    if (n >= 16) STRIPS(16, NAME##_##S##_16(__VA_ARGS__, j))                 \
    if (n >= 8) STRIPS(8, NAME##_##S##_8(__VA_ARGS__, j))                    \
    if (n >= 4) STRIPS(4, NAME##_##S##_4(__VA_ARGS__, j))                    \
  }

/// Where the largest of a window is: bit 0 to the right, bit 1 below.
#define PLACE_OF_LARGEST(S)                                                                                  \
  INLINE int place_of_largest_##S(const S##_t *x0, const S##_t *x1) {                                        \
    const int second = REPLACES(x0[1], x0[0]), fourth = REPLACES(x1[1], x1[0]);                              \
    return REPLACES(x1[fourth], x0[second]) ? 2 + fourth : second;                                           \
  }

#define POOL_PAIRS(S)                                                                                        \
  POOL_STRIP(S, 16)                                                                                          \
  POOL_STRIP(S, 8)                                                                                           \
  POOL_STRIP(S, 4)                                                                                           \
  PLACE_OF_LARGEST(S)                                                                                        \
                                                                                                             \
  static void pool_pairs_##S(void *py, const void *p0, const void *p1, int64_t n) {                          \
    S##_t *y = py;                                                                                           \
    const S##_t *x0 = p0, *x1 = p1;                                                                          \
    ALL_STRIPS(pool_strip, S, y, x0, x1)                                                                     \
    for (int64_t j = 0; j < n; j++) {                                                                        \
      const int place = place_of_largest_##S(x0 + 2 * j, x1 + 2 * j);                                        \
      y[j] = (place & 2 ? x1 : x0)[2 * j + (place & 1)];                                                     \
    }                                                                                                        \
  }                                                                                                          \
                                                                                                             \
  static void unpool_pairs_##S(                                                                              \
    void *pd0, void *pd1, const void *p0, const void *p1, const void *pg, int64_t n                          \
  ) {                                                                                                        \
    S##_t *d0 = pd0, *d1 = pd1;                                                                              \
    const S##_t *x0 = p0, *x1 = p1, *g = pg;                                                                 \
    ALL_STRIPS(unpool_strip, S, d0, d1, x0, x1, g)                                                           \
    for (int64_t j = 0; j < n; j++) {                                                                        \
      const int place = place_of_largest_##S(x0 + 2 * j, x1 + 2 * j);                                        \
      for (int i = 0; i < 2; i++) d0[2 * j + i] = place == i ? g[j] : 0;                                     \
      for (int i = 0; i < 2; i++) d1[2 * j + i] = place == i + 2 ? g[j] : 0;                                 \
    }                                                                                                        \
  }                                                                                                          \
                                                                                                             \
  static void choose_pairs_##S(                                                                              \
    void *py, const void *p0, const void *p1, const void *pt0, const void *pt1, int64_t n                    \
  ) {                                                                                                        \
    S##_t *y = py;                                                                                           \
    const S##_t *x0 = p0, *x1 = p1, *t0 = pt0, *t1 = pt1;                                                    \
    ALL_STRIPS(choose_strip, S, y, x0, x1, t0, t1)                                                           \
    for (int64_t j = 0; j < n; j++) {                                                                        \
      const int place = place_of_largest_##S(x0 + 2 * j, x1 + 2 * j);                                        \
      y[j] = (place & 2 ? t1 : t0)[2 * j + (place & 1)];                                                     \
    }                                                                                                        \
  }

POOL_PAIRS(f)
POOL_PAIRS(d)

#endif
