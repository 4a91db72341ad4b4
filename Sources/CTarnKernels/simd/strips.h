// Convolution of few channels: sums over taps for strips of positions that lie one after another.
#ifndef TARN_SIMD_STRIPS_H
#define TARN_SIMD_STRIPS_H

#include "gemm.h"

/// OUTPUTS rows of WIDE vectors: y[o * ld + i] = sum over t of w[t * OUTPUTS + o] * x[offsets[t] + i].
#define STRIP_BODY(S, OUTPUTS, WIDE)                                                                         \
  {                                                                                                          \
    enum { LANES = sizeof(vr_##S) / sizeof(S##_t) };                                                         \
    vr_##S sums[OUTPUTS][WIDE];                                                                              \
    UNROLLED for (int o = 0; o < OUTPUTS; o++) {                                                             \
      UNROLLED for (int j = 0; j < WIDE; j++) sums[o][j] = 0;                                                \
    }                                                                                                        \
    for (int64_t t = 0; t < n_taps; t++) {                                                                   \
      vr_##S at[WIDE];                                                                                       \
      UNROLLED for (int j = 0; j < WIDE; j++) at[j] = *(const vr_##S##_memory *)(x + offsets[t] + j * LANES); \
      UNROLLED for (int o = 0; o < OUTPUTS; o++) {                                                           \
        const vr_##S weight = (vr_##S)w[t * OUTPUTS + o];                                                    \
        UNROLLED for (int j = 0; j < WIDE; j++) sums[o][j] = MULTIPLY_ADD(weight, at[j], sums[o][j]);        \
      }                                                                                                      \
    }                                                                                                        \
    UNROLLED for (int o = 0; o < OUTPUTS; o++) {                                                             \
      UNROLLED for (int j = 0; j < WIDE; j++) *(vr_##S##_memory *)(y + o * ld + j * LANES) = sums[o][j];     \
    }                                                                                                        \
  }

#define STRIP(S, OUTPUTS, WIDE)                                                                              \
  static void strip_sums_##S##_##OUTPUTS(                                                                    \
    const void *px, const int64_t *offsets, const void *pw, int64_t n_taps, void *py, int64_t ld, int64_t n  \
  ) {                                                                                                        \
    enum { LANES = sizeof(vr_##S) / sizeof(S##_t) };                                                         \
    const S##_t *x = px, *w = pw;                                                                            \
    S##_t *y = py;                                                                                           \
    for (; n > (WIDE - 1) * LANES; n -= WIDE * LANES, x += WIDE * LANES, y += WIDE * LANES) {                \
      STRIP_BODY(S, OUTPUTS, WIDE)                                                                           \
    }                                                                                                        \
    for (; n > LANES; n -= 2 * LANES, x += 2 * LANES, y += 2 * LANES) STRIP_BODY(S, OUTPUTS, 2)              \
    if (n > 0) STRIP_BODY(S, OUTPUTS, 1)                                                                     \
  }

/// OUTPUTS x TAPS sums over images and strips of g[o * ld_g + i] * x[offsets[t] + i]: added to vectors of `sums`, the
/// taps of an output one after another, outputs `ld` vectors apart.
#define PRODUCT_BODY(S, OUTPUTS, TAPS)                                                                       \
  {                                                                                                          \
    vr_##S all[OUTPUTS][TAPS];                                                                               \
    UNROLLED for (int o = 0; o < OUTPUTS; o++) {                                                             \
      UNROLLED for (int t = 0; t < TAPS; t++) all[o][t] = *(const vr_##S##_memory *)(sums + (o * ld + t) * LANES); \
    }                                                                                                        \
    for (int64_t image = 0; image < images; image++) {                                                       \
      const S##_t *from = x + image * x_image, *with = g + image * g_image;                                  \
      for (int64_t i = 0; i < n; i += LANES) {                                                               \
        vr_##S factor[OUTPUTS];                                                                              \
        UNROLLED for (int o = 0; o < OUTPUTS; o++) factor[o] = *(const vr_##S##_memory *)(with + o * ld_g + i); \
        UNROLLED for (int t = 0; t < TAPS; t++) {                                                            \
          const vr_##S at = *(const vr_##S##_memory *)(from + offsets[t] + i);                               \
          UNROLLED for (int o = 0; o < OUTPUTS; o++) all[o][t] = MULTIPLY_ADD(factor[o], at, all[o][t]);     \
        }                                                                                                    \
      }                                                                                                      \
    }                                                                                                        \
    UNROLLED for (int o = 0; o < OUTPUTS; o++) {                                                             \
      UNROLLED for (int t = 0; t < TAPS; t++) *(vr_##S##_memory *)(sums + (o * ld + t) * LANES) = all[o][t]; \
    }                                                                                                        \
  }

#define PRODUCT_CASE(S, OUTPUTS, TAPS) \
  case TAPS: PRODUCT_BODY(S, OUTPUTS, TAPS) break;

#if TARN_LEVEL == 2
enum { STRIP_OUTPUTS = 8, STRIP_WIDE = 6, PRODUCT_TAPS = 6 };
#define PRODUCT_CASES(S, OUTPUTS)                                                                            \
  PRODUCT_CASE(S, OUTPUTS, 1) PRODUCT_CASE(S, OUTPUTS, 2) PRODUCT_CASE(S, OUTPUTS, 3)                        \
  PRODUCT_CASE(S, OUTPUTS, 4) PRODUCT_CASE(S, OUTPUTS, 5) PRODUCT_CASE(S, OUTPUTS, 6)
#else
enum { STRIP_OUTPUTS = 4, STRIP_WIDE = 3, PRODUCT_TAPS = 2 };
#define PRODUCT_CASES(S, OUTPUTS) PRODUCT_CASE(S, OUTPUTS, 1) PRODUCT_CASE(S, OUTPUTS, 2)
#endif

#define PRODUCT(S, OUTPUTS)                                                                                  \
  static void strip_products_##S##_##OUTPUTS(const tarn_strip_products_of *p, int64_t n_taps) {                 \
    enum { LANES = sizeof(vr_##S) / sizeof(S##_t) };                                                         \
    const S##_t *x = p->x, *g = p->g;                                                                        \
    S##_t *sums = p->sums;                                                                                   \
    const int64_t *offsets = p->offsets;                                                                     \
    const int64_t images = p->images, x_image = p->x_image, g_image = p->g_image, ld_g = p->ld_g, ld = p->ld, n = p->n; \
    switch (n_taps) { PRODUCT_CASES(S, OUTPUTS) }                                                            \
  }

typedef unsigned char bytes_64 __attribute__((ext_vector_type(64), aligned(1), may_alias));
typedef unsigned char bytes_32 __attribute__((ext_vector_type(32), aligned(1), may_alias));
typedef unsigned char bytes_16 __attribute__((ext_vector_type(16), aligned(1), may_alias));

/// From `BYTES` up: pieces of that size, the last of which may overlap the one before it.
#define COPY_PIECES(BYTES)                                                     \
  if (n >= BYTES) {                                                            \
    for (int64_t i = 0; i + BYTES < n; i += BYTES) {                           \
      *(bytes_##BYTES *)(to + i) = *(const bytes_##BYTES *)(from + i);         \
    }                                                                          \
    *(bytes_##BYTES *)(to + n - BYTES) = *(const bytes_##BYTES *)(from + n - BYTES); \
    return;                                                                    \
  }

/// A short row: faster than a call.
INLINE void copy_row(char *to, const char *from, int64_t n) {
  COPY_PIECES(64)
  COPY_PIECES(32)
  COPY_PIECES(16)
  for (int64_t i = 0; i < n; i += 4) memcpy(to + i, from + i, 4);
}

/// Rows of `columns` elements, `from` and `to` apart; `spread` also puts zeros between them, and `end` after the last.
#define STRIP_ROWS(S)                                                                                        \
  static void gather_rows_##S(void *py, int64_t to, const void *px, int64_t from, int64_t rows, int64_t columns) { \
    for (int64_t i = 0; i < rows; i++) {                                                                     \
      copy_row((char *)((S##_t *)py + i * to), (const char *)((const S##_t *)px + i * from),                 \
               columns * (int64_t)sizeof(S##_t));                                                            \
    }                                                                                                        \
  }                                                                                                          \
                                                                                                             \
  static void spread_rows_##S(void *py, int64_t to, const void *px, int64_t rows, int64_t columns, int64_t end) { \
    enum { LANES = sizeof(vr_##S) / sizeof(S##_t) };                                                         \
    S##_t *y = py;                                                                                           \
    const S##_t *x = px;                                                                                     \
    for (int64_t i = 0; i < rows; i++, x += columns, y += to) {                                              \
      copy_row((char *)y, (const char *)x, columns * (int64_t)sizeof(S##_t));                                \
      const int64_t gap = i + 1 < rows ? to - columns : end;                                                 \
      for (int64_t j = 0; j < gap; j += LANES) *(vr_##S##_memory *)(y + columns + j) = (vr_##S)(S##_t)0;     \
    }                                                                                                        \
  }                                                                                                          \
                                                                                                             \
  /** Whether none of n elements (up to a whole vector is read) is infinite or NaN. */                       \
  static int all_finite_##S(const void *px, int64_t n) {                                                     \
    enum { LANES = sizeof(vr_##S) / sizeof(S##_t) };                                                         \
    const S##_t *x = px;                                                                                     \
    vr_##S zero = 0;                                                                                         \
    for (int64_t i = 0; i < n; i += LANES) {                                                                 \
      const vr_##S v = *(const vr_##S##_memory *)(x + i);                                                    \
      zero += v - v;                                                                                         \
    }                                                                                                        \
    int finite = 1;                                                                                          \
    for (int j = 0; j < LANES; j++) finite &= zero[j] == 0;                                                  \
    return finite;                                                                                           \
  }

// clang-format off
#define STRIPS_OF(S)                                                                                         \
  STRIP(S, 1, STRIP_WIDE) STRIP(S, 2, STRIP_WIDE) STRIP(S, 3, STRIP_WIDE) STRIP(S, 4, STRIP_WIDE)            \
  PRODUCT(S, 1) PRODUCT(S, 2) PRODUCT(S, 3) PRODUCT(S, 4)                                                    \
  STRIP_ROWS(S)                                                                                              \
  /** out[i] = the sum of the lanes of vector i. */                                                          \
  static void lane_sums_##S(void *out, const void *vectors, int64_t n) {                                     \
    enum { LANES = sizeof(vr_##S) / sizeof(S##_t) };                                                         \
    for (int64_t i = 0; i < n; i++) {                                                                        \
      double sum = 0;                                                                                        \
      for (int64_t j = 0; j < LANES; j++) sum += ((const S##_t *)vectors)[i * LANES + j];                    \
      ((S##_t *)out)[i] = (S##_t)sum;                                                                        \
    }                                                                                                        \
  }
STRIPS_OF(f)
STRIPS_OF(d)
#define STRIP_NAMES(S) strip_sums_##S##_1, strip_sums_##S##_2, strip_sums_##S##_3, strip_sums_##S##_4
#define PRODUCT_NAMES(S) strip_products_##S##_1, strip_products_##S##_2, strip_products_##S##_3, strip_products_##S##_4
#if TARN_LEVEL == 2
#define STRIPS_TO_8(S) STRIP(S, 5, 4) STRIP(S, 6, 4) STRIP(S, 7, 3) STRIP(S, 8, 3)
STRIPS_TO_8(f)
STRIPS_TO_8(d)
#define STRIP_NAMES_TO_8(S) \
  STRIP_NAMES(S), strip_sums_##S##_5, strip_sums_##S##_6, strip_sums_##S##_7, strip_sums_##S##_8
#define STRIP_TABLE {{STRIP_NAMES_TO_8(f)}, {STRIP_NAMES_TO_8(d)}}
#else
#define STRIP_TABLE {{STRIP_NAMES(f)}, {STRIP_NAMES(d)}}
#endif
#define PRODUCT_TABLE {{PRODUCT_NAMES(f)}, {PRODUCT_NAMES(d)}}
// clang-format on

#endif
