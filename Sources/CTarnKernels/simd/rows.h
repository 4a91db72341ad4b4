// Rows of a matrix: sums of exponentials, normalisation.
#ifndef TARN_SIMD_ROWS_H
#define TARN_SIMD_ROWS_H

#include "fold.h"
#include "math.h"
#include "types.h"

INLINE vd exp_d(vd x) {
  for (int i = 0; i < W; i++) x[i] = exp(x[i]);
  return x;
}

/// The sum of the lanes, in their order, in double.
INLINE double lanes_f(vf x) {
  vd wide = DOUBLES(x);
  double total = 0;
  for (int i = 0; i < W; i++) total += wide[i];
  return total;
}
INLINE double lanes_d(vd x) {
  double total = 0;
  for (int i = 0; i < W; i++) total += x[i];
  return total;
}

/// Vectors added in one register before their sum goes to double.
enum { RUN = 64 };

#define ROWS(S)                                                                                              \
  static tarn_row_sums sum_row_##S(const void *px, int64_t n) {                                              \
    const S##_t *x = px;                                                                                     \
    double most = -__builtin_inf();                                                                          \
    most_##S(&most, x, n);                                                                                   \
    tarn_row_sums sums = {most, 0, 0};                                                                       \
    const v##S m = (v##S)(S##_t)most;                                                                        \
    int64_t i = 0;                                                                                           \
    while (i + W <= n) {                                                                                     \
      v##S e = 0, difference = 0;                                                                            \
      for (int run = 0; run < RUN && i + W <= n; run++, i += W) {                                            \
        v##S d = load_##S(x + i) - m;                                                                        \
        e += exp_##S(d);                                                                                     \
        difference += d;                                                                                     \
      }                                                                                                      \
      sums.exponentials += lanes_##S(e);                                                                     \
      sums.differences += lanes_##S(difference);                                                             \
    }                                                                                                        \
    if (i < n) {                                                                                             \
      v##S d = load_part_##S(x + i, n - i) - m, e = exp_##S(d);                                              \
      for (int64_t j = 0; j < n - i; j++) {                                                                  \
        sums.exponentials += e[j];                                                                           \
        sums.differences += d[j];                                                                            \
      }                                                                                                      \
    }                                                                                                        \
    return sums;                                                                                             \
  }                                                                                                          \
                                                                                                             \
  static void exponentials_##S(void *py, const void *px, int64_t n, double most, double scale, double shift) { \
    const S##_t *x = px;                                                                                     \
    S##_t *y = py;                                                                                           \
    const v##S m = (v##S)(S##_t)most, a = (v##S)(S##_t)scale, b = (v##S)(S##_t)shift;                        \
    int64_t i = 0;                                                                                           \
    for (; i + W <= n; i += W) store_##S(y + i, exp_##S(load_##S(x + i) - m) * a - b);                       \
    if (i < n) store_part_##S(y + i, exp_##S(load_part_##S(x + i, n - i) - m) * a - b, n - i);               \
  }                                                                                                          \
                                                                                                             \
  static void subtract_##S(void *py, const void *px, int64_t n, double subtracted) {                         \
    const S##_t *x = px;                                                                                     \
    S##_t *y = py;                                                                                           \
    const v##S m = (v##S)(S##_t)subtracted;                                                                  \
    int64_t i = 0;                                                                                           \
    for (; i + W <= n; i += W) store_##S(y + i, load_##S(x + i) - m);                                        \
    if (i < n) store_part_##S(y + i, load_part_##S(x + i, n - i) - m, n - i);                                \
  }                                                                                                          \
                                                                                                             \
  static void normalize_row_##S(                                                                             \
    void *py, const void *px, int64_t n, const void *pg, const void *pb, double eps                          \
  ) {                                                                                                        \
    const S##_t *x = px, *gamma = pg, *beta = pb;                                                            \
    S##_t *y = py;                                                                                           \
    double total = 0, squares = 0;                                                                           \
    for (int64_t i = 0; i < n; i += 1024) sum_##S(&total, x + i, n - i < 1024 ? n - i : 1024);               \
    const v##S mean = (v##S)(S##_t)(total / (double)n);                                                      \
    int64_t i = 0;                                                                                           \
    while (i + W <= n) {                                                                                     \
      v##S sum = 0;                                                                                          \
      for (int run = 0; run < RUN && i + W <= n; run++, i += W) {                                            \
        v##S d = load_##S(x + i) - mean;                                                                     \
        sum += d * d;                                                                                        \
      }                                                                                                      \
      squares += lanes_##S(sum);                                                                             \
    }                                                                                                        \
    for (; i < n; i++) squares += ((double)x[i] - mean[0]) * ((double)x[i] - mean[0]);                       \
    const v##S scale = (v##S)(S##_t)(1 / sqrt(squares / (double)n + eps));                                   \
    for (i = 0; i < n; i += W) {                                                                             \
      const int64_t rest = n - i;                                                                            \
      const int whole = rest >= W;                                                                           \
      v##S v = ((whole ? load_##S(x + i) : load_part_##S(x + i, rest)) - mean) * scale;                      \
      if (gamma) v *= whole ? load_##S(gamma + i) : load_part_##S(gamma + i, rest);                          \
      if (beta) v += whole ? load_##S(beta + i) : load_part_##S(beta + i, rest);                             \
      if (whole) {                                                                                           \
        store_##S(y + i, v);                                                                                 \
      } else {                                                                                               \
        store_part_##S(y + i, v, rest);                                                                      \
      }                                                                                                      \
    }                                                                                                        \
  }

ROWS(f)
ROWS(d)

#endif
