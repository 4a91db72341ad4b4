// Rows of images: gathered into panels for matrix products, or combined directly.
#ifndef TARN_SIMD_CONV_H
#define TARN_SIMD_CONV_H

#include "gemm.h"
#include "types.h"

#if W == 16
#define EVEN_F 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define EVEN_D 0, 2, 4, 6, 8, 10, 12, 14
#elif W == 8
#define EVEN_F 0, 2, 4, 6, 8, 10, 12, 14
#define EVEN_D 0, 2, 4, 6
#else
#define EVEN_F 0, 2, 4, 6
#define EVEN_D 0, 2
#endif

#define IMAGE_ROWS(S, EVEN)                                                                                  \
  INLINE vr_##S at_##S(const S##_t *p) { return *(const vr_##S##_memory *)p; }                               \
                                                                                                             \
  /** x[0], x[2], x[4], … */                                                                                 \
  INLINE vr_##S even_##S(const S##_t *x) {                                                                   \
    enum { LANES = sizeof(vr_##S) / sizeof(S##_t) };                                                         \
    return __builtin_shufflevector(at_##S(x), at_##S(x + LANES), EVEN);                                      \
  }                                                                                                          \
                                                                                                             \
  INLINE void gather_row_##S(                                                                                \
    S##_t *d, const S##_t *s, const tarn_run *runs, int n_runs, int64_t step, int exact                      \
  ) {                                                                                                        \
    enum { LANES = sizeof(vr_##S) / sizeof(S##_t) };                                                         \
    for (int r = 0; r < n_runs; r++) {                                                                       \
      S##_t *to = d + runs[r].at;                                                                            \
      const S##_t *from = s + runs[r].offset;                                                                \
      const int64_t n = runs[r].length;                                                                      \
      if (exact || step > 2) {                                                                               \
        for (int64_t i = 0; i < n; i++) to[i] = from[i * step];                                              \
      } else if (step == 1) {                                                                                \
        for (int64_t i = 0; i < n; i += LANES) *(vr_##S##_memory *)(to + i) = at_##S(from + i);              \
      } else {                                                                                               \
        for (int64_t i = 0; i < n; i += LANES) *(vr_##S##_memory *)(to + i) = even_##S(from + 2 * i);        \
      }                                                                                                      \
    }                                                                                                        \
  }                                                                                                          \
                                                                                                             \
  static void gather_##S(                                                                                    \
    void *dst, int64_t width, const void *image, const int64_t *rows, int64_t k, const tarn_run *runs, int n_runs, \
    int64_t step                                                                                             \
  ) {                                                                                                        \
    S##_t *d = dst;                                                                                          \
    for (int64_t p = 0; p + 1 < k; p++) {                                                                    \
      gather_row_##S(d + p * width, (const S##_t *)image + rows[p], runs, n_runs, step, 0);                  \
    }                                                                                                        \
    gather_row_##S(d + (k - 1) * width, (const S##_t *)image + rows[k - 1], runs, n_runs, step, 1);          \
  }                                                                                                          \
                                                                                                             \
  static void taps_##S(                                                                                      \
    void *py, const void *px, const int64_t *offsets, const void *pw, int64_t n_taps, int64_t n, int64_t step, \
    int accumulate                                                                                           \
  ) {                                                                                                        \
    enum { LANES = sizeof(vr_##S) / sizeof(S##_t) };                                                         \
    S##_t *y = py;                                                                                           \
    const S##_t *x = px, *w = pw;                                                                            \
    int64_t i = 0;                                                                                           \
    if (step <= 2) {                                                                                         \
      for (; i < n; i += LANES) {                                                                            \
        vr_##S sum = 0;                                                                                      \
        if (step == 1) {                                                                                     \
          for (int64_t t = 0; t < n_taps; t++) sum = MULTIPLY_ADD((vr_##S)w[t], at_##S(x + offsets[t] + i), sum); \
        } else {                                                                                             \
          for (int64_t t = 0; t < n_taps; t++) {                                                             \
            sum = MULTIPLY_ADD((vr_##S)w[t], even_##S(x + offsets[t] + 2 * i), sum);                         \
          }                                                                                                  \
        }                                                                                                    \
        const int64_t rest = n - i < LANES ? n - i : LANES;                                                  \
        if (rest == LANES) {                                                                                 \
          vr_##S##_memory *at = (vr_##S##_memory *)(y + i);                                                  \
          *at = accumulate ? *at + sum : sum;                                                                \
        } else {                                                                                             \
          for (int64_t j = 0; j < rest; j++) y[i + j] = accumulate ? y[i + j] + sum[j] : sum[j];             \
        }                                                                                                    \
      }                                                                                                      \
    }                                                                                                        \
    for (; i < n; i++) {                                                                                     \
      S##_t sum = 0;                                                                                         \
      for (int64_t t = 0; t < n_taps; t++) sum += w[t] * x[offsets[t] + i * step];                           \
      y[i] = accumulate ? y[i] + sum : sum;                                                                  \
    }                                                                                                        \
  }                                                                                                          \
                                                                                                             \
  static void tap_sums_##S(                                                                                  \
    double *sums, const void *pg, const void *px, const int64_t *offsets, int64_t n_taps, int64_t n, int64_t step \
  ) {                                                                                                        \
    enum { LANES = sizeof(vr_##S) / sizeof(S##_t) };                                                         \
    const S##_t *g = pg, *x = px;                                                                            \
    for (int64_t t = 0; t < n_taps; t++) {                                                                   \
      const S##_t *from = x + offsets[t];                                                                    \
      int64_t i = 0;                                                                                         \
      double total = 0;                                                                                      \
      if (step <= 2 && n >= LANES) {                                                                         \
        vr_##S sum = 0;                                                                                      \
        for (; i + LANES <= n; i += LANES) {                                                                 \
          sum = MULTIPLY_ADD(at_##S(g + i), step == 1 ? at_##S(from + i) : even_##S(from + 2 * i), sum);     \
        }                                                                                                    \
        for (int j = 0; j < LANES; j++) total += sum[j];                                                     \
      }                                                                                                      \
      for (; i < n; i++) total += (double)g[i] * from[i * step];                                             \
      sums[t] += total;                                                                                      \
    }                                                                                                        \
  }

IMAGE_ROWS(f, EVEN_F)
IMAGE_ROWS(d, EVEN_D)

#endif
