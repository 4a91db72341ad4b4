// Winograd's minimal filtering: transforms of tiles, lane by lane, and the products between them.
//
// Points 0, ±1 and infinity for tiles of 2, and 0, ±P, ±Q and infinity for tiles of 4.
#ifndef TARN_SIMD_WINOGRAD_H
#define TARN_SIMD_WINOGRAD_H

#include "../winograd.h"
#include "gemm.h"
#include "math.h"
#include "types.h"

/// Sixteen channels of a pixel.
typedef float vb __attribute__((ext_vector_type(16)));

#define WINOGRAD_P 0.6875
#define WINOGRAD_Q 1.5
static const float winograd_p = (float)WINOGRAD_P, winograd_q = (float)WINOGRAD_Q;
static const float winograd_p2 = (float)(WINOGRAD_P * WINOGRAD_P), winograd_q2 = (float)(WINOGRAD_Q * WINOGRAD_Q);
static const float winograd_p3 = (float)(WINOGRAD_P * WINOGRAD_P * WINOGRAD_P);
static const float winograd_q3 = (float)(WINOGRAD_Q * WINOGRAD_Q * WINOGRAD_Q);
static const float winograd_pq = (float)(WINOGRAD_P * WINOGRAD_P * WINOGRAD_Q * WINOGRAD_Q);
static const float winograd_sum = (float)(WINOGRAD_P * WINOGRAD_P + WINOGRAD_Q * WINOGRAD_Q);
/// 1 / the product of the distances to the other points.
static const float winograd_n0 = (float)(1 / (WINOGRAD_P * WINOGRAD_P * WINOGRAD_Q * WINOGRAD_Q));
static const float winograd_np =
  (float)(0.5 / (WINOGRAD_P * WINOGRAD_P * (WINOGRAD_P * WINOGRAD_P - WINOGRAD_Q * WINOGRAD_Q)));
static const float winograd_nq =
  (float)(0.5 / (WINOGRAD_Q * WINOGRAD_Q * (WINOGRAD_Q * WINOGRAD_Q - WINOGRAD_P * WINOGRAD_P)));

INLINE vb wmadd(vb a, vb b, vb c) { return MULTIPLY_ADD(a, b, c); }
INLINE vb wmadd1(float a, vb b, vb c) { return wmadd((vb)a, b, c); }

// MARK: Along one axis: x[0], x[step], … to y[0], y[1], …

/// B^T x
INLINE void winograd_b(const int m, const vb *x, const int step, vb *y) {
  const vb x0 = x[0], x1 = x[step], x2 = x[2 * step], x3 = x[3 * step];
  if (m == 2) {
    y[0] = x0 - x2;
    y[1] = x1 + x2;
    y[2] = x2 - x1;
    y[3] = x3 - x1;
    return;
  }
  const vb x4 = x[4 * step], x5 = x[5 * step];
  const vb even_p = wmadd1(-winograd_q2, x2, x4), odd_p = wmadd1(-winograd_q2, x1, x3);
  const vb even_q = wmadd1(-winograd_p2, x2, x4), odd_q = wmadd1(-winograd_p2, x1, x3);
  y[0] = wmadd1(winograd_pq, x0, wmadd1(-winograd_sum, x2, x4));
  y[1] = wmadd1(winograd_p, odd_p, even_p);
  y[2] = wmadd1(-winograd_p, odd_p, even_p);
  y[3] = wmadd1(winograd_q, odd_q, even_q);
  y[4] = wmadd1(-winograd_q, odd_q, even_q);
  y[5] = wmadd1(winograd_pq, x1, wmadd1(-winograd_sum, x3, x5));
}

/// A^T x
INLINE void winograd_a(const int m, const vb *x, const int step, vb *y) {
  const vb even_p = x[step] + x[2 * step], odd_p = x[step] - x[2 * step];
  if (m == 2) {
    y[0] = x[0] + even_p;
    y[1] = odd_p + x[3 * step];
    return;
  }
  const vb even_q = x[3 * step] + x[4 * step], odd_q = x[3 * step] - x[4 * step];
  y[0] = x[0] + even_p + even_q;
  y[1] = wmadd1(winograd_q, odd_q, winograd_p * odd_p);
  y[2] = wmadd1(winograd_q2, even_q, winograd_p2 * even_p);
  y[3] = wmadd1(winograd_q3, odd_q, wmadd1(winograd_p3, odd_p, x[5 * step]));
}

/// A x
INLINE void winograd_a_transposed(const int m, const vb *x, const int step, vb *y) {
  const vb x0 = x[0], x1 = x[step];
  y[0] = x0;
  if (m == 2) {
    y[1] = x0 + x1;
    y[2] = x0 - x1;
    y[3] = x1;
    return;
  }
  const vb x2 = x[2 * step], x3 = x[3 * step];
  const vb even_p = wmadd1(winograd_p2, x2, x0), odd_p = wmadd1(winograd_p2, x3, x1);
  const vb even_q = wmadd1(winograd_q2, x2, x0), odd_q = wmadd1(winograd_q2, x3, x1);
  y[1] = wmadd1(winograd_p, odd_p, even_p);
  y[2] = wmadd1(-winograd_p, odd_p, even_p);
  y[3] = wmadd1(winograd_q, odd_q, even_q);
  y[4] = wmadd1(-winograd_q, odd_q, even_q);
  y[5] = x3;
}

/// G x
INLINE void winograd_g(const int m, const vb *x, const int step, vb *y) {
  const vb x0 = x[0], x1 = x[step], x2 = x[2 * step];
  if (m == 2) {
    const vb even = (x0 + x2) * 0.5f;
    y[0] = x0;
    y[1] = wmadd1(0.5f, x1, even);
    y[2] = wmadd1(-0.5f, x1, even);
    y[3] = x2;
    return;
  }
  const vb even_p = wmadd1(winograd_p2, x2, x0) * winograd_np, even_q = wmadd1(winograd_q2, x2, x0) * winograd_nq;
  y[0] = x0 * winograd_n0;
  y[1] = wmadd1(winograd_p * winograd_np, x1, even_p);
  y[2] = wmadd1(-winograd_p * winograd_np, x1, even_p);
  y[3] = wmadd1(winograd_q * winograd_nq, x1, even_q);
  y[4] = wmadd1(-winograd_q * winograd_nq, x1, even_q);
  y[5] = x2;
}

/// G^T x
INLINE void winograd_g_transposed(const int m, const vb *x, const int step, vb *y) {
  const vb even_p = x[step] + x[2 * step], odd_p = x[step] - x[2 * step];
  if (m == 2) {
    y[0] = wmadd1(0.5f, even_p, x[0]);
    y[1] = 0.5f * odd_p;
    y[2] = wmadd1(0.5f, even_p, x[3 * step]);
    return;
  }
  const vb even_q = x[3 * step] + x[4 * step], odd_q = x[3 * step] - x[4 * step];
  y[0] = wmadd1(winograd_n0, x[0], wmadd1(winograd_np, even_p, winograd_nq * even_q));
  y[1] = wmadd1(winograd_p * winograd_np, odd_p, winograd_q * winograd_nq * odd_q);
  y[2] = wmadd1(winograd_p2 * winograd_np, even_p, wmadd1(winograd_q2 * winograd_nq, even_q, x[5 * step]));
}

// MARK: Tiles in

/// `of_gradient`: A x A^T of m x m pixels; otherwise B^T x B of (m + 2) x (m + 2).
INLINE void winograd_tile(
  const int m, const int of_gradient, const float *x, int64_t row_step, float *to, int64_t step
) {
  const int t = m + 2, size = of_gradient ? m : t;
  vb half[36], line[6];
  UNROLLED for (int i = 0; i < size; i++) {
    UNROLLED for (int j = 0; j < size; j++) line[j] = *(const vb *)(x + i * row_step + j * TARN_LANES);
    if (of_gradient) {
      winograd_a_transposed(m, line, 1, half + i * t);
    } else {
      winograd_b(m, line, 1, half + i * t);
    }
  }
  UNROLLED for (int j = 0; j < t; j++) {
    if (of_gradient) {
      winograd_a_transposed(m, half + j, t, line);
    } else {
      winograd_b(m, half + j, t, line);
    }
    UNROLLED for (int i = 0; i < t; i++) *(vb *)(to + (i * t + j) * step) = line[i];
  }
}

INLINE void winograd_spread(
  const int m, const int of_gradient, const tarn_winograd_source *from, int64_t count, float *to, int64_t step
) {
  const int size = of_gradient ? m : m + 2;
  const int64_t row_step = from->w * TARN_LANES;
  const int rows_inside = from->row >= 0 && from->row + size <= from->h;
  // What the tiles below read besides these.
  const int64_t below = from->row + size, rows_below = tarn_greatest(0, tarn_least(m, from->h - below));
  for (int64_t i = 0; i < count; i++) {
    const int64_t column = from->column + i * m;
    for (int64_t r = 0; r < rows_below; r++) {
      const float *next = from->data + (below + r) * row_step + column * TARN_LANES;
      UNROLLED for (int j = 0; j < m; j++) __builtin_prefetch(next + j * TARN_LANES);
    }
    if (rows_inside && column >= 0 && column + size <= from->w) {
      const float *x = from->data + from->row * row_step + column * TARN_LANES;
      winograd_tile(m, of_gradient, x, row_step, to + i * TARN_LANES, step);
      continue;
    }
    vb inside[36];
    for (int64_t r = 0; r < size; r++) {
      const int64_t y = from->row + r;
      for (int64_t c = 0; c < size; c++) {
        const int64_t x = column + c;
        const int is_inside = y >= 0 && y < from->h && x >= 0 && x < from->w;
        inside[r * size + c] = is_inside ? *(const vb *)(from->data + y * row_step + x * TARN_LANES) : (vb)0.0f;
      }
    }
    winograd_tile(m, of_gradient, (const float *)inside, size * TARN_LANES, to + i * TARN_LANES, step);
  }
}

// MARK: Tiles out

INLINE vb winograd_silu(vb x) {
  vf parts[TARN_LANES / W];
  memcpy(parts, &x, sizeof x);
  UNROLLED for (int i = 0; i < TARN_LANES / W; i++) parts[i] *= sigmoid_f(parts[i]);
  memcpy(&x, parts, sizeof x);
  return x;
}

INLINE vb winograd_activate(const tarn_epilogue *epilogue, vb x) {
  switch (epilogue->activation) {
  case TARN_ACTIVATION_RELU: return x < 0.0f ? (vb)0.0f : x;
  case TARN_ACTIVATION_CLIP:
    x = x < epilogue->low ? (vb)epilogue->low : x;
    return x > epilogue->high ? (vb)epilogue->high : x;
  case TARN_ACTIVATION_SILU: return winograd_silu(x);
  default: return x;
  }
}

/// Rows and columns of the tile that exist: `rows`, `columns`.
INLINE void winograd_collect_tile(
  const int m, const tarn_winograd_target *to, int64_t at, int64_t rows, int64_t columns, const float *from,
  int64_t step
) {
  const int t = m + 2;
  const vb scale = to->scale ? *(const vb *)to->scale : (vb)1.0f;
  const vb shift = to->shift ? *(const vb *)to->shift : (vb)0.0f;
  vb half[24], line[6];
  UNROLLED for (int j = 0; j < t; j++) {
    UNROLLED for (int i = 0; i < t; i++) line[i] = *(const vb *)(from + (i * t + j) * step);
    vb column[4];
    winograd_a(m, line, 1, column);
    UNROLLED for (int i = 0; i < m; i++) half[i * t + j] = column[i];
  }
  UNROLLED for (int i = 0; i < m; i++) {
    if (i >= rows) return;
    const int64_t row = (at + i * to->w) * TARN_LANES;
    winograd_a(m, half + i * t, 1, line);
    UNROLLED for (int j = 0; j < m; j++) {
      if (j >= columns) break;
      vb y = wmadd(line[j], scale, shift);
      if (to->residual) y += *(const vb *)(to->residual + row + j * TARN_LANES);
      *(vb *)(to->data + row + j * TARN_LANES) = winograd_activate(to->epilogue, y);
    }
  }
}

INLINE void winograd_collect(
  const int m, const tarn_winograd_target *to, int64_t count, const float *from, int64_t step
) {
  const int64_t rows = tarn_least(m, to->h - to->row);
  for (int64_t i = 0; i < count; i++) {
    const int64_t column = to->column + i * m;
    winograd_collect_tile(
      m, to, to->row * to->w + column, rows, tarn_least(m, to->w - column), from + i * TARN_LANES, step);
  }
}

// MARK: Weights

INLINE void winograd_weights(const int m, const float *from, float *to, int64_t step) {
  const int t = m + 2;
  const vb *taps = (const vb *)from;
  vb half[18], line[6];
  UNROLLED for (int j = 0; j < 3; j++) {
    winograd_g(m, taps + j, 3, line);
    UNROLLED for (int i = 0; i < t; i++) half[i * 3 + j] = line[i];
  }
  UNROLLED for (int i = 0; i < t; i++) {
    winograd_g(m, half + i * 3, 1, line);
    UNROLLED for (int j = 0; j < t; j++) *(vb *)(to + (i * t + j) * step) = line[j];
  }
}

INLINE void winograd_weight_row(
  const int m, const int row, const float *from, int64_t count, float *to, int64_t next, int64_t step
) {
  for (int64_t i = 0; i < count; i++) {
    const vb *taps = (const vb *)(from + i * TARN_LANES);
    vb half[3], line[6];
    UNROLLED for (int j = 0; j < 3; j++) {
      winograd_g(m, taps + j * TARN_LANES, 3 * TARN_LANES, line);
      half[j] = line[row];
    }
    winograd_g(m, half, 1, line);
    UNROLLED for (int j = 0; j < m + 2; j++) *(vb *)(to + j * step + i * next) = line[j];
  }
}

INLINE void winograd_weight_gradient(const int m, const float *from, float *to, int64_t step) {
  const int t = m + 2;
  vb half[18], line[6];
  UNROLLED for (int j = 0; j < t; j++) {
    UNROLLED for (int i = 0; i < t; i++) line[i] = *(const vb *)(from + (i * t + j) * step);
    vb column[3];
    winograd_g_transposed(m, line, 1, column);
    UNROLLED for (int i = 0; i < 3; i++) half[i * t + j] = column[i];
  }
  UNROLLED for (int i = 0; i < 3; i++) winograd_g_transposed(m, half + i * t, 1, (vb *)to + 3 * i);
}

#define WINOGRAD_OF(M)                                                                                       \
  static void winograd_input_##M(const tarn_winograd_source *from, int64_t count, float *to, int64_t step) { \
    winograd_spread(M, 0, from, count, to, step);                                                            \
  }                                                                                                          \
  static void winograd_gradient_##M(const tarn_winograd_source *from, int64_t count, float *to, int64_t step) { \
    winograd_spread(M, 1, from, count, to, step);                                                            \
  }                                                                                                          \
  static void winograd_output_##M(                                                                           \
    const tarn_winograd_target *to, int64_t count, const float *from, int64_t step                           \
  ) {                                                                                                        \
    winograd_collect(M, to, count, from, step);                                                              \
  }                                                                                                          \
  static void winograd_weights_##M(const float *from, float *to, int64_t step) {                             \
    winograd_weights(M, from, to, step);                                                                     \
  }                                                                                                          \
  static void winograd_weight_row_##M(                                                                       \
    int row, const float *from, int64_t count, float *to, int64_t next, int64_t step) {                      \
    switch (row) {                                                                                           \
      case 0: winograd_weight_row(M, 0, from, count, to, next, step); break;                                 \
      case 1: winograd_weight_row(M, 1, from, count, to, next, step); break;                                 \
      case 2: winograd_weight_row(M, 2, from, count, to, next, step); break;                                 \
      case 3: winograd_weight_row(M, 3, from, count, to, next, step); break;                                 \
      case 4: winograd_weight_row(M, M + 2 > 4 ? 4 : 0, from, count, to, next, step); break;                 \
      case 5: winograd_weight_row(M, M + 2 > 5 ? 5 : 0, from, count, to, next, step); break;                 \
    }                                                                                                        \
  }                                                                                                          \
  static void winograd_weight_gradient_##M(const float *from, float *to, int64_t step) {                     \
    winograd_weight_gradient(M, from, to, step);                                                             \
  }
WINOGRAD_OF(2)
WINOGRAD_OF(4)

// MARK: Products

// Tiles and blocks of outputs whose sums stay in registers.
#if TARN_LEVEL == 2
#define WINOGRAD_ROWS(CASE) \
  CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14)
enum { WINOGRAD_MOST_ROWS = 14, WINOGRAD_WIDE = 2 };
#elif TARN_LEVEL == 1
#define WINOGRAD_ROWS(CASE) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
enum { WINOGRAD_MOST_ROWS = 6, WINOGRAD_WIDE = 1 };
#else
#define WINOGRAD_ROWS(CASE) CASE(1) CASE(2)
enum { WINOGRAD_MOST_ROWS = 2, WINOGRAD_WIDE = 1 };
#endif

/// `u_step`: floats of u from channel to channel. Each channel also calls for the line at `ahead`, which moves on.
INLINE void winograd_rows(
  const int rows, const int wide, int64_t channels, const float *v, int64_t v_step, const float *u, int64_t u_step,
  float *y, int64_t y_step, const float *ahead, int64_t ahead_step
) {
  vb sums[WINOGRAD_MOST_ROWS][WINOGRAD_WIDE];
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int j = 0; j < wide; j++) sums[r][j] = 0;
  }
  for (int64_t c = 0; c < channels; c += TARN_LANES, v += v_step) {
    const float *end = v + tarn_least(TARN_LANES, channels - c);
    for (const float *at = v; at < end; at++, u += u_step, ahead += ahead_step) {
      __builtin_prefetch(ahead, 0, 2);
      vb weights[WINOGRAD_WIDE];
      UNROLLED for (int j = 0; j < wide; j++) weights[j] = *(const vb *)(u + j * TARN_LANES);
      UNROLLED for (int r = 0; r < rows; r++) {
        const vb value = (vb)at[r * TARN_LANES];
        UNROLLED for (int j = 0; j < wide; j++) sums[r][j] = wmadd(value, weights[j], sums[r][j]);
      }
    }
  }
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int j = 0; j < wide; j++) *(vb *)(y + j * y_step + r * TARN_LANES) = sums[r][j];
  }
}

/// All tiles, in parts of nearly the same size, with `wide` blocks.
///
/// The fewer tiles, the more it is memory that takes the time, so weights are called for early. Beside a first part
/// that waits for memory there are others that need none: each calls for a share of the weights of the next position.
/// A single part calls for its own, every second line, which brings its neighbour.
INLINE void winograd_strip(
  const int wide, int64_t tiles, int64_t channels, const float *v, int64_t v_step, const float *u, int64_t u_step,
  float *y, int64_t y_step
) {
  int64_t parts = tarn_ceil_div(tiles, WINOGRAD_MOST_ROWS);
  const int64_t ahead_step = parts > 1 ? TARN_LANES : u_step;
  const float *ahead = u + (parts > 1 ? channels : 64) * u_step;
  for (; parts > 0; parts--) {
    const int64_t rows = tarn_ceil_div(tiles, parts);
    switch (rows) {
#define CASE(R) \
  case R: winograd_rows(R, wide, channels, v, v_step, u, u_step, y, y_step, ahead, ahead_step); break;
      WINOGRAD_ROWS(CASE)
#undef CASE
    }
    tiles -= rows;
    v += rows * TARN_LANES;
    y += rows * TARN_LANES;
    ahead += channels * ahead_step;
  }
}

static void winograd_products(
  int64_t tiles, int blocks, int64_t channels, const float *v, int64_t v_step, const float *u, float *y, int64_t y_step
) {
  if (WINOGRAD_WIDE == 2 && blocks == 2) {
    winograd_strip(WINOGRAD_WIDE, tiles, channels, v, v_step, u, 2 * TARN_LANES, y, y_step);
    return;
  }
  for (int b = 0; b < blocks; b++) {
    winograd_strip(1, tiles, channels, v, v_step, u + b * TARN_LANES, blocks * TARN_LANES, y + b * y_step, y_step);
  }
}

// Channels and blocks whose sums over tiles stay in registers.
#if TARN_LEVEL == 2
enum { WINOGRAD_SUM_ROWS = 8, WINOGRAD_SUM_WIDE = 2 };
#elif TARN_LEVEL == 1
enum { WINOGRAD_SUM_ROWS = 4, WINOGRAD_SUM_WIDE = 1 };
#else
enum { WINOGRAD_SUM_ROWS = 2, WINOGRAD_SUM_WIDE = 1 };
#endif

/// Each tile also calls for the line at `ahead`, which moves on.
INLINE void winograd_sum_rows(
  const int wide, int64_t tiles, const float *v, const float *g, int64_t g_step, float *sums, int64_t sums_step,
  int accumulate, const float *ahead, int64_t ahead_step
) {
  vb own[WINOGRAD_SUM_ROWS][WINOGRAD_SUM_WIDE];
  UNROLLED for (int r = 0; r < WINOGRAD_SUM_ROWS; r++) {
    UNROLLED for (int j = 0; j < wide; j++) own[r][j] = 0;
  }
  for (int64_t i = 0; i < tiles; i++, v += TARN_LANES, g += TARN_LANES, ahead += ahead_step) {
    __builtin_prefetch(ahead, 0, 2);
    vb gradient[WINOGRAD_SUM_WIDE];
    UNROLLED for (int j = 0; j < wide; j++) gradient[j] = *(const vb *)(g + j * g_step);
    UNROLLED for (int r = 0; r < WINOGRAD_SUM_ROWS; r++) {
      const vb value = (vb)v[r];
      UNROLLED for (int j = 0; j < wide; j++) own[r][j] = wmadd(value, gradient[j], own[r][j]);
    }
  }
  UNROLLED for (int r = 0; r < WINOGRAD_SUM_ROWS; r++) {
    UNROLLED for (int j = 0; j < wide; j++) {
      vb *at = (vb *)(sums + r * sums_step + j * TARN_LANES);
      *at = accumulate ? *at + own[r][j] : own[r][j];
    }
  }
}

static void winograd_sums(
  int64_t tiles, int64_t blocks, const float *v, const float *g, int64_t g_step, float *sums, int64_t sums_step,
  int accumulate, const float *const ahead[2]
) {
  int call = 0;
  for (int64_t b = 0; b < blocks;) {
    const int wide = blocks - b < WINOGRAD_SUM_WIDE ? 1 : WINOGRAD_SUM_WIDE;
    for (int r = 0; r < TARN_LANES; r += WINOGRAD_SUM_ROWS, call++) {
      const float *next = call < 2 ? ahead[call] : v;
      const int64_t next_step = call < 2 ? TARN_LANES : 0;
      float *to = sums + r * sums_step + b * TARN_LANES;
      if (wide == 1) {
        winograd_sum_rows(1, tiles, v + r, g + b * g_step, g_step, to, sums_step, accumulate, next, next_step);
      } else {
        winograd_sum_rows(
          WINOGRAD_SUM_WIDE, tiles, v + r, g + b * g_step, g_step, to, sums_step, accumulate, next, next_step);
      }
    }
    b += wide;
  }
}

static const struct tarn_winograd_kernels winograd_kernels = {
  .input = {winograd_input_2, winograd_input_4}, .gradient = {winograd_gradient_2, winograd_gradient_4},
  .output = {winograd_output_2, winograd_output_4}, .weights = {winograd_weights_2, winograd_weights_4},
  .weight_gradient = {winograd_weight_gradient_2, winograd_weight_gradient_4},
  .weight_row = {winograd_weight_row_2, winograd_weight_row_4}, .products = winograd_products,
  .sums = winograd_sums};

#endif
