// Reductions of one block. Floating values are added in float over short runs, then in double.
#ifndef TARN_SIMD_FOLD_H
#define TARN_SIMD_FOLD_H

#include "types.h"

static void sum_f(void *accumulator, const void *src, int64_t n) {
  const float *s = src;
  vf a = 0, b = 0, c = 0, e = 0;
  int64_t i = 0;
  for (; i + 4 * W <= n; i += 4 * W) {
    a += load_f(s + i);
    b += load_f(s + i + W);
    c += load_f(s + i + 2 * W);
    e += load_f(s + i + 3 * W);
  }
  for (; i + W <= n; i += W) a += load_f(s + i);
  if (i < n) b += load_part_f(s + i, n - i);
  vd wide = (DOUBLES(a) + DOUBLES(b)) + (DOUBLES(c) + DOUBLES(e));
  double total = 0;
  for (int j = 0; j < W; j++) total += wide[j];
  *(double *)accumulator += total;
}

/// Folds of class S whose accumulator has class R: EXPR of x (accumulated) and y (new).
#define FOLD(NAME, S, R, WIDEN, EXPR)                                          \
  static void NAME(void *accumulator, const void *src, int64_t n) {            \
    const S##_t *s = src;                                                      \
    R##_t *total = accumulator;                                                \
    int64_t i = 0;                                                             \
    if (n >= W) {                                                              \
      v##R x = WIDEN(load_##S(s));                                             \
      for (i = W; i + W <= n; i += W) {                                        \
        v##R y = WIDEN(load_##S(s + i));                                       \
        x = EXPR;                                                              \
      }                                                                        \
      v##R lanes = x;                                                          \
      x = (v##R)*total;                                                        \
      for (int j = 0; j < W; j++) {                                            \
        v##R y = (v##R)lanes[j];                                               \
        x = EXPR;                                                              \
      }                                                                        \
      *total = x[0];                                                           \
    }                                                                          \
    v##R x = (v##R)*total;                                                     \
    for (; i < n; i++) {                                                       \
      v##R y = (v##R)(R##_t)s[i];                                              \
      x = EXPR;                                                                \
    }                                                                          \
    *total = x[0];                                                             \
  }

FOLD(sum_d, d, d, SAME_VECTOR, x + y)
FOLD(sum_i, i, i, SAME_VECTOR, (vi)((vui)x + (vui)y))
FOLD(sum_l, l, l, SAME_VECTOR, (vl)((vul)x + (vul)y))
FOLD(product_f, f, d, DOUBLES, x * y)
FOLD(product_d, d, d, SAME_VECTOR, x * y)
FOLD(product_i, i, i, SAME_VECTOR, (vi)((vui)x * (vui)y))
FOLD(product_l, l, l, SAME_VECTOR, (vl)((vul)x * (vul)y))
FOLD(most_d, d, d, SAME_VECTOR, max_d(x, y))
FOLD(most_i, i, i, SAME_VECTOR, max_i(x, y))
FOLD(most_l, l, l, SAME_VECTOR, max_l(x, y))
FOLD(least_d, d, d, SAME_VECTOR, min_d(x, y))
FOLD(least_i, i, i, SAME_VECTOR, min_i(x, y))
FOLD(least_l, l, l, SAME_VECTOR, min_l(x, y))
/// Extremes of floats, in four registers side by side.
#define FLOAT_EXTREME(NAME, BETTER)                                            \
  static void NAME(void *accumulator, const void *src, int64_t n) {            \
    const float *s = src;                                                      \
    vf x = (vf)(float)*(double *)accumulator, a = x, b = x, c = x;             \
    int64_t i = 0;                                                             \
    for (; i + 4 * W <= n; i += 4 * W) {                                       \
      x = BETTER(load_f(s + i), x);                                            \
      a = BETTER(load_f(s + i + W), a);                                        \
      b = BETTER(load_f(s + i + 2 * W), b);                                    \
      c = BETTER(load_f(s + i + 3 * W), c);                                    \
    }                                                                          \
    for (; i + W <= n; i += W) x = BETTER(load_f(s + i), x);                   \
    x = BETTER(BETTER(x, a), BETTER(b, c));                                    \
    vf best = (vf)x[0];                                                        \
    for (int j = 1; j < W; j++) best = BETTER(best, (vf)x[j]);                 \
    for (; i < n; i++) best = BETTER(best, (vf)s[i]);                          \
    *(double *)accumulator = best[0];                                          \
  }

FLOAT_EXTREME(most_f, max_f)
FLOAT_EXTREME(least_f, min_f)

/// Rows too short for vectors: accumulators[r] from row r of n.
#define SHORT_FOLD(NAME, S, R, EXPR)                                           \
  static void NAME(void *accumulators, const void *src, int64_t rows, int64_t n) { \
    const S##_t *s = src;                                                      \
    R##_t *totals = accumulators;                                              \
    for (int64_t r = 0; r < rows; r++, s += n) {                               \
      R##_t x = totals[r];                                                     \
      for (int64_t j = 0; j < n; j++) {                                        \
        const R##_t y = s[j];                                                  \
        x = EXPR;                                                              \
      }                                                                        \
      totals[r] = x;                                                           \
    }                                                                          \
  }

#define FLOAT_SHORT_FOLDS(S)                                                   \
  SHORT_FOLD(sum_short_##S, S, d, x + y)                                       \
  SHORT_FOLD(product_short_##S, S, d, x *y)                                    \
  SHORT_FOLD(most_short_##S, S, d, x > y || x != x ? x : y)                    \
  SHORT_FOLD(least_short_##S, S, d, x < y || x != x ? x : y)
#define INTEGER_SHORT_FOLDS(S, U)                                              \
  SHORT_FOLD(sum_short_##S, S, S, (S##_t)((U)x + (U)y))                        \
  SHORT_FOLD(product_short_##S, S, S, (S##_t)((U)x * (U)y))                    \
  SHORT_FOLD(most_short_##S, S, S, x > y ? x : y)                              \
  SHORT_FOLD(least_short_##S, S, S, x < y ? x : y)

FLOAT_SHORT_FOLDS(f)
FLOAT_SHORT_FOLDS(d)
INTEGER_SHORT_FOLDS(i, uint32_t)
INTEGER_SHORT_FOLDS(l, uint64_t)

/// Rows of n added in float, `SHORT_RUN` at a time, then in double.
enum { SHORT_RUN = 16 };

static void sum_rows_f(void *accumulator, const void *src, int64_t rows, int64_t n) {
  double *total = accumulator;
  const float *s = src;
  for (int64_t r = 0; r < rows; r += SHORT_RUN) {
    int64_t run = rows - r < SHORT_RUN ? rows - r : SHORT_RUN;
    const float *row = s + r * n;
    int64_t j = 0;
    for (; j + W <= n; j += W) {
      vf x = load_f(row + j);
      for (int64_t k = 1; k < run; k++) x += load_f(row + k * n + j);
      store_d(total + j, load_d(total + j) + DOUBLES(x));
    }
    for (; j < n; j++) {
      float x = row[j];
      for (int64_t k = 1; k < run; k++) x += row[k * n + j];
      total[j] += x;
    }
  }
}

#define ROW_FOLD(NAME, S, R, WIDEN, EXPR)                                                    \
  static void NAME(void *accumulator, const void *src, int64_t rows, int64_t n) {            \
    R##_t *total = accumulator;                                                              \
    const S##_t *s = src;                                                                    \
    int64_t j = 0;                                                                           \
    for (; j + W <= n; j += W) {                                                             \
      v##R x = load_##R(total + j);                                                          \
      for (int64_t k = 0; k < rows; k++) {                                                   \
        v##R y = WIDEN(load_##S(s + k * n + j));                                             \
        x = EXPR;                                                                            \
      }                                                                                      \
      store_##R(total + j, x);                                                               \
    }                                                                                        \
    if (j < n) {                                                                             \
      v##R x = load_part_##R(total + j, n - j);                                              \
      for (int64_t k = 0; k < rows; k++) {                                                   \
        v##R y = WIDEN(load_part_##S(s + k * n + j, n - j));                                 \
        x = EXPR;                                                                            \
      }                                                                                      \
      store_part_##R(total + j, x, n - j);                                                   \
    }                                                                                        \
  }

ROW_FOLD(sum_rows_d, d, d, SAME_VECTOR, x + y)
ROW_FOLD(sum_rows_i, i, i, SAME_VECTOR, (vi)((vui)x + (vui)y))
ROW_FOLD(sum_rows_l, l, l, SAME_VECTOR, (vl)((vul)x + (vul)y))
ROW_FOLD(product_rows_f, f, d, DOUBLES, x * y)
ROW_FOLD(product_rows_d, d, d, SAME_VECTOR, x * y)
ROW_FOLD(product_rows_i, i, i, SAME_VECTOR, (vi)((vui)x * (vui)y))
ROW_FOLD(product_rows_l, l, l, SAME_VECTOR, (vl)((vul)x * (vul)y))
ROW_FOLD(most_rows_f, f, d, DOUBLES, max_d(x, y))
ROW_FOLD(most_rows_d, d, d, SAME_VECTOR, max_d(x, y))
ROW_FOLD(most_rows_i, i, i, SAME_VECTOR, max_i(x, y))
ROW_FOLD(most_rows_l, l, l, SAME_VECTOR, max_l(x, y))
ROW_FOLD(least_rows_f, f, d, DOUBLES, min_d(x, y))
ROW_FOLD(least_rows_d, d, d, SAME_VECTOR, min_d(x, y))
ROW_FOLD(least_rows_i, i, i, SAME_VECTOR, min_i(x, y))
ROW_FOLD(least_rows_l, l, l, SAME_VECTOR, min_l(x, y))

/// Four rows at a time, each read from end to end.
#define TAKE_ROWS(NAME, TOGETHER)                                                                              \
  static void NAME(float *accumulators, const float *src, int64_t ld, int64_t rows, int64_t n) {               \
    int64_t r = 0;                                                                                             \
    for (; r + 4 <= rows; r += 4) {                                                                            \
      const float *a = src + r * ld, *b = a + ld, *c = b + ld, *e = c + ld;                                    \
      int64_t j = 0;                                                                                           \
      for (; j + W <= n; j += W) {                                                                             \
        vf low = TOGETHER(load_f(a + j), load_f(b + j)), high = TOGETHER(load_f(c + j), load_f(e + j));        \
        store_f(accumulators + j, TOGETHER(TOGETHER(low, high), load_f(accumulators + j)));                    \
      }                                                                                                        \
      if (j < n) {                                                                                             \
        vf low = TOGETHER(load_part_f(a + j, n - j), load_part_f(b + j, n - j));                               \
        vf high = TOGETHER(load_part_f(c + j, n - j), load_part_f(e + j, n - j));                              \
        vf all = TOGETHER(TOGETHER(low, high), load_part_f(accumulators + j, n - j));                          \
        store_part_f(accumulators + j, all, n - j);                                                            \
      }                                                                                                        \
    }                                                                                                          \
    for (; r < rows; r++) {                                                                                    \
      const float *a = src + r * ld;                                                                           \
      int64_t j = 0;                                                                                           \
      for (; j + W <= n; j += W) {                                                                             \
        store_f(accumulators + j, TOGETHER(load_f(a + j), load_f(accumulators + j)));                          \
      }                                                                                                        \
      if (j < n) {                                                                                             \
        vf all = TOGETHER(load_part_f(a + j, n - j), load_part_f(accumulators + j, n - j));                    \
        store_part_f(accumulators + j, all, n - j);                                                            \
      }                                                                                                        \
    }                                                                                                          \
  }

INLINE vf plus_f(vf a, vf b) { return a + b; }
TAKE_ROWS(take_sums, plus_f)
TAKE_ROWS(take_most, max_f)
TAKE_ROWS(take_least, min_f)

#define TAKE_ROWS_TABLE {[TARN_REDUCE_SUM] = take_sums, [TARN_REDUCE_MAX] = take_most, [TARN_REDUCE_MIN] = take_least}
#define SHORT_FOLD_TABLE {ROW(sum_short), ROW(product_short), ROW(most_short), ROW(least_short)}
#define FOLD_TABLE {ROW(sum), ROW(product), ROW(most), ROW(least)}
#define ROW_FOLD_TABLE {ROW(sum_rows), ROW(product_rows), ROW(most_rows), ROW(least_rows)}

#endif
