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

typedef double eight_lanes __attribute__((ext_vector_type(8)));
typedef double four_lanes __attribute__((ext_vector_type(4)));
typedef double two_lanes __attribute__((ext_vector_type(2)));

/// The sum of the lanes, halves first.
INLINE double lanes_d(vd x) {
#if W == 16
  const eight_lanes half = x.lo + x.hi;
#else
  const vd half = x;
#endif
#if W >= 8
  const four_lanes quarter = half.lo + half.hi;
#else
  const four_lanes quarter = half;
#endif
  const two_lanes pair = quarter.lo + quarter.hi;
  return pair.x + pair.y;
}
INLINE double lanes_f(vf x) { return lanes_d(DOUBLES(x)); }

/// e^x for x ≤ 0
INLINE vd exp_falling_d(vd x) { return exp_d(x); }

typedef float eight_floats __attribute__((ext_vector_type(8)));
typedef float four_floats __attribute__((ext_vector_type(4)));

/// The largest lane that is a number.
INLINE double most_lane_d(vd x) {
  double most = x[0];
  for (int i = 1; i < W; i++) most = x[i] > most ? x[i] : most;
  return most;
}
INLINE double most_lane_f(vf x) {
#if W == 16
  const eight_floats half = x.lo > x.hi ? x.lo : x.hi;
#else
  const vf half = x;
#endif
#if W >= 8
  const four_floats quarter = half.lo > half.hi ? half.lo : half.hi;
#else
  const four_floats quarter = half;
#endif
  const float a = quarter.x > quarter.y ? quarter.x : quarter.y, b = quarter.z > quarter.w ? quarter.z : quarter.w;
  return a > b ? a : b;
}

/// Vectors added in one register before their sum goes to double.
enum { RUN = 64 };

/// most_of_row: the largest number; where there is a NaN, the sums of the row are NaN in any case.
/// What follows a row is fetched while it is worked on.
/// scale_row: y = x factor, past the caches between the first and the last address that allows it.
/// row_moments: mean and 1 / sqrt(variance + eps) of a row, first the mean, then what deviates from it.
#define ROW_PARTS(S)                                                                                         \
  INLINE void past_caches_##S(S##_t *at, v##S x) { __builtin_nontemporal_store(x, (v##S *)at); }             \
                                                                                                             \
  static void scale_row_##S(S##_t *y, const S##_t *x, int64_t n, double factor, int past_caches) {           \
    const v##S scale = (v##S)(S##_t)factor;                                                                  \
    int64_t i = 0;                                                                                           \
    if (past_caches) {                                                                                       \
      const int64_t uneven = (int64_t)((uintptr_t)y & (sizeof(v##S) - 1));                                   \
      i = uneven ? tarn_least(n, ((int64_t)sizeof(v##S) - uneven) / (int64_t)sizeof *y) : 0;                 \
      store_part_##S(y, load_part_##S(x, i) * scale, i);                                                     \
      for (; i + W <= n; i += W) past_caches_##S(y + i, load_##S(x + i) * scale);                            \
    }                                                                                                        \
    for (; i + W <= n; i += W) store_##S(y + i, load_##S(x + i) * scale);                                    \
    if (i < n) store_part_##S(y + i, load_part_##S(x + i, n - i) * scale, n - i);                            \
  }                                                                                                          \
                                                                                                             \
  INLINE double most_of_row_##S(const S##_t *x, int64_t n) {                                                 \
    v##S most[4];                                                                                            \
    for (int k = 0; k < 4; k++) most[k] = (v##S)(S##_t)-__builtin_inf();                                     \
    int64_t i = 0;                                                                                           \
    for (; i + 4 * W <= n; i += 4 * W) {                                                                     \
      for (int k = 0; k < 4; k++) {                                                                          \
        const v##S v = load_##S(x + i + k * W);                                                              \
        most[k] = v > most[k] ? v : most[k];                                                                 \
      }                                                                                                      \
    }                                                                                                        \
    for (; i + W <= n; i += W) most[0] = load_##S(x + i) > most[0] ? load_##S(x + i) : most[0];              \
    if (i < n && n >= W) {                                                                                   \
      const v##S v = load_##S(x + n - W);                                                                    \
      most[1] = v > most[1] ? v : most[1];                                                                   \
    }                                                                                                        \
    for (; n < W && i < n; i++) most[0][0] = x[i] > most[0][0] ? x[i] : most[0][0];                          \
    const v##S low = most[0] > most[1] ? most[0] : most[1], high = most[2] > most[3] ? most[2] : most[3];    \
    return most_lane_##S(low > high ? low : high);                                                           \
  }                                                                                                          \
                                                                                                             \
  INLINE void row_moments_##S(const S##_t *x, int64_t n, double eps, double *mean, double *rstd) {           \
    double total = 0, squares = 0;                                                                           \
    int64_t i = 0;                                                                                           \
    while (i + 4 * W <= n) {                                                                                 \
      v##S sums[4] = {0, 0, 0, 0};                                                                           \
      for (int run = 0; run < RUN && i + 4 * W <= n; run++, i += 4 * W) {                                    \
        for (int k = 0; k < 4; k++) sums[k] += load_##S(x + i + k * W);                                      \
      }                                                                                                      \
      total += lanes_##S((sums[0] + sums[1]) + (sums[2] + sums[3]));                                         \
    }                                                                                                        \
    for (; i < n; i++) total += x[i];                                                                        \
    *mean = total / (double)n;                                                                               \
    const v##S m = (v##S)(S##_t)*mean;                                                                       \
    i = 0;                                                                                                   \
    while (i + 4 * W <= n) {                                                                                 \
      v##S sums[4] = {0, 0, 0, 0};                                                                           \
      for (int run = 0; run < RUN && i + 4 * W <= n; run++, i += 4 * W) {                                    \
        for (int k = 0; k < 4; k++) {                                                                        \
          const v##S d = load_##S(x + i + k * W) - m;                                                        \
          sums[k] = madd_##S(d, d, sums[k]);                                                                 \
        }                                                                                                    \
      }                                                                                                      \
      squares += lanes_##S((sums[0] + sums[1]) + (sums[2] + sums[3]));                                       \
    }                                                                                                        \
    for (; i < n; i++) squares += ((double)x[i] - m[0]) * ((double)x[i] - m[0]);                             \
    *rstd = 1 / sqrt(squares / (double)n + eps);                                                             \
  }

ROW_PARTS(f)
ROW_PARTS(d)

#define ROWS(S)                                                                                              \
  static tarn_row_sums sum_row_##S(const void *px, int64_t n) {                                              \
    const S##_t *x = px;                                                                                     \
    const double most = most_of_row_##S(x, n);                                                               \
    tarn_row_sums sums = {most, 0, 0};                                                                       \
    const v##S m = (v##S)(S##_t)most;                                                                        \
    int64_t i = 0;                                                                                           \
    while (i + W <= n) {                                                                                     \
      v##S e = 0, difference = 0;                                                                            \
      for (int run = 0; run < RUN && i + W <= n; run++, i += W) {                                            \
        __builtin_prefetch(x + n + i);                                                                       \
        v##S d = load_##S(x + i) - m;                                                                        \
        e += exp_falling_##S(d);                                                                             \
        difference += d;                                                                                     \
      }                                                                                                      \
      sums.exponentials += lanes_##S(e);                                                                     \
      sums.differences += lanes_##S(difference);                                                             \
    }                                                                                                        \
    if (i < n) {                                                                                             \
      v##S d = load_part_##S(x + i, n - i) - m, e = exp_falling_##S(d);                                      \
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
    for (; i + W <= n; i += W) store_##S(y + i, exp_falling_##S(load_##S(x + i) - m) * a - b);               \
    if (i < n) store_part_##S(y + i, exp_falling_##S(load_part_##S(x + i, n - i) - m) * a - b, n - i);       \
  }                                                                                                          \
                                                                                                             \
  static void subtract_##S(void *py, const void *px, int64_t n, double first, double second) {               \
    const S##_t *x = px;                                                                                     \
    S##_t *y = py;                                                                                           \
    const v##S a = (v##S)(S##_t)first, b = (v##S)(S##_t)second;                                              \
    int64_t i = 0;                                                                                           \
    for (; i + W <= n; i += W) store_##S(y + i, load_##S(x + i) - a - b);                                    \
    if (i < n) store_part_##S(y + i, load_part_##S(x + i, n - i) - a - b, n - i);                            \
  }                                                                                                          \
                                                                                                             \
  static void softmax_row_##S(void *py, void *work, const void *px, int64_t n, int past_caches) {            \
    const S##_t *x = px;                                                                                     \
    S##_t *e = work;                                                                                         \
    double total = 0;                                                                                        \
    const double most = most_of_row_##S(x, n);                                                               \
    const v##S m = (v##S)(S##_t)most;                                                                        \
    int64_t i = 0;                                                                                           \
    while (i + 2 * W <= n) {                                                                                 \
      v##S sums[2] = {0, 0};                                                                                 \
      for (int run = 0; run < RUN && i + 2 * W <= n; run++, i += 2 * W) {                                    \
        __builtin_prefetch(x + n + i);                                                                       \
        __builtin_prefetch(x + n + i + W);                                                                   \
        const v##S first = exp_falling_##S(load_##S(x + i) - m), second = exp_falling_##S(load_##S(x + i + W) - m); \
        store_##S(e + i, first);                                                                             \
        store_##S(e + i + W, second);                                                                        \
        sums[0] += first;                                                                                    \
        sums[1] += second;                                                                                   \
      }                                                                                                      \
      total += lanes_##S(sums[0] + sums[1]);                                                                 \
    }                                                                                                        \
    for (; i < n; i += W) {                                                                                  \
      const int64_t count = n - i < W ? n - i : W;                                                           \
      const v##S last = exp_falling_##S(load_part_##S(x + i, count) - m);                                    \
      store_part_##S(e + i, last, count);                                                                    \
      for (int64_t j = 0; j < count; j++) total += last[j];                                                  \
    }                                                                                                        \
    scale_row_##S(py, e, n, 1 / total, past_caches);                                                         \
  }                                                                                                          \
                                                                                                             \
  static void normalize_row_##S(                                                                             \
    void *py, const void *px, int64_t n, const void *pg, const void *pb, double eps, int past_caches         \
  ) {                                                                                                        \
    const S##_t *x = px, *gamma = pg, *beta = pb;                                                            \
    S##_t *y = py;                                                                                           \
    double mean, rstd;                                                                                       \
    row_moments_##S(x, n, eps, &mean, &rstd);                                                                \
    const v##S m = (v##S)(S##_t)mean, scale = (v##S)(S##_t)rstd;                                             \
    int64_t i = 0;                                                                                           \
    if (past_caches && ((uintptr_t)y & 63) == 0 && gamma && beta) {                                          \
      for (; i + W <= n; i += W) {                                                                           \
        past_caches_##S(y + i, madd_##S((load_##S(x + i) - m) * scale, load_##S(gamma + i), load_##S(beta + i))); \
      }                                                                                                      \
    } else if (gamma && beta) {                                                                              \
      for (; i + W <= n; i += W) {                                                                           \
        store_##S(y + i, madd_##S((load_##S(x + i) - m) * scale, load_##S(gamma + i), load_##S(beta + i)));  \
      }                                                                                                      \
    }                                                                                                        \
    for (; i < n; i += W) {                                                                                  \
      const int64_t count = n - i < W ? n - i : W;                                                           \
      v##S v = (load_part_##S(x + i, count) - m) * scale;                                                    \
      const v##S factor = gamma ? load_part_##S(gamma + i, count) : (v##S)1;                                 \
      v = madd_##S(v, factor, beta ? load_part_##S(beta + i, count) : (v##S)0);                              \
      store_part_##S(y + i, v, count);                                                                       \
    }                                                                                                        \
  }                                                                                                          \
                                                                                                             \
  static void normalize_gradient_##S(                                                                        \
    void *pdx, const void *px, const void *pg, int64_t n, const void *pgamma, double eps                     \
  ) {                                                                                                        \
    const S##_t *x = px, *g = pg, *gamma = pgamma;                                                           \
    S##_t *dx = pdx;                                                                                         \
    double mean, rstd, total = 0, products = 0;                                                              \
    row_moments_##S(x, n, eps, &mean, &rstd);                                                                \
    const v##S m = (v##S)(S##_t)mean;                                                                        \
    int64_t i = 0;                                                                                           \
    while (i + W <= n) {                                                                                     \
      v##S sum = 0, product = 0;                                                                             \
      for (int run = 0; run < RUN && i + W <= n; run++, i += W) {                                            \
        const v##S h = gamma ? load_##S(g + i) * load_##S(gamma + i) : load_##S(g + i);                      \
        sum += h;                                                                                            \
        product = madd_##S(h, load_##S(x + i) - m, product);                                                 \
      }                                                                                                      \
      total += lanes_##S(sum);                                                                               \
      products += lanes_##S(product);                                                                        \
    }                                                                                                        \
    for (; i < n; i++) {                                                                                     \
      const double h = gamma ? (double)g[i] * gamma[i] : g[i];                                               \
      total += h;                                                                                            \
      products += h * ((double)x[i] - m[0]);                                                                 \
    }                                                                                                        \
    const v##S scale = (v##S)(S##_t)rstd, a = (v##S)(S##_t)(total / (double)n);                              \
    const v##S b = (v##S)(S##_t)(rstd * rstd * products / (double)n);                                        \
    for (i = 0; i < n; i += W) {                                                                             \
      const int64_t count = n - i < W ? n - i : W;                                                           \
      const int whole = count == W;                                                                          \
      v##S h = whole ? load_##S(g + i) : load_part_##S(g + i, count);                                        \
      if (gamma) h *= whole ? load_##S(gamma + i) : load_part_##S(gamma + i, count);                         \
      const v##S d = (whole ? load_##S(x + i) : load_part_##S(x + i, count)) - m;                            \
      const v##S v = (h - a - d * b) * scale;                                                                \
      if (whole) {                                                                                           \
        store_##S(dx + i, v);                                                                                \
      } else {                                                                                               \
        store_part_##S(dx + i, v, count);                                                                    \
      }                                                                                                      \
    }                                                                                                        \
  }

ROWS(f)
ROWS(d)

#endif
