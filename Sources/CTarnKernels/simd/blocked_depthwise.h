// Depthwise convolution of rows of blocked pixels: a few neighbouring positions at a time, in registers.
#ifndef TARN_SIMD_BLOCKED_DEPTHWISE_H
#define TARN_SIMD_BLOCKED_DEPTHWISE_H

#include "../depthwise_kernels.h"
#include "math.h"
#include "types.h"

// MARK: Sums over taps

/// What the epilogue does to `count` sums, a constant.
INLINE void depthwise_finish(
  vf *sum, int count, const tarn_epilogue *e, int64_t lane, const float *residual, int64_t column
) {
#define EACH(...)                                                                                              \
  _Pragma("clang loop unroll(full)") for (int t = 0; t < count; t++) sum[t] = __VA_ARGS__
  if (e->scale) {
    const vf scale = load_f(e->scale + lane);
    EACH(sum[t] * scale);
  }
  if (e->shift) {
    const vf shift = load_f(e->shift + lane);
    EACH(sum[t] + shift);
  }
  if (residual) EACH(sum[t] + load_f(residual + t * column + lane));
  const vf low = e->low, high = e->high;
  switch (e->activation) {
    case TARN_ACTIVATION_RELU: EACH(sum[t] < 0.0f ? (vf)0.0f : sum[t]); break;
    case TARN_ACTIVATION_CLIP:
      EACH(sum[t] < low ? low : sum[t]);
      EACH(sum[t] > high ? high : sum[t]);
      break;
    case TARN_ACTIVATION_SILU: EACH(sum[t] * sigmoid_f(sum[t])); break;
    default: break;
  }
#undef EACH
}

/// `count` positions of one row; kw, step and dilation are constants where it pays.
INLINE void depthwise_tile(
  const tarn_depthwise_band *band, const float *const *rows, int64_t at, const float *weights,
  const tarn_epilogue *epilogue, float *y, int64_t y_column, const float *residual, int64_t lane, int count, int64_t kw,
  int64_t step, int64_t dilation
) {
  vf sum[8];
#pragma clang loop unroll(full)
  for (int t = 0; t < count; t++) sum[t] = 0;
  for (int64_t i = 0; i < band->kh; i++) {
    const float *row = rows[i * band->row_dilation] + at + lane;
    const float *w = weights + i * kw * TARN_LANES + lane;
    for (int64_t j = 0; j < kw; j++) {
      const vf weight = load_f(w + j * TARN_LANES);
#pragma clang loop unroll(full)
      for (int t = 0; t < count; t++) sum[t] = madd_f(weight, load_f(row + j * dilation + t * step), sum[t]);
    }
  }
  if (epilogue) depthwise_finish(sum, count, epilogue, lane, residual, y_column);
#pragma clang loop unroll(full)
  for (int t = 0; t < count; t++) store_f(y + t * y_column + lane, sum[t]);
}

/// Pixels between what is written and what is made ready to be written.
enum { DEPTHWISE_AHEAD = 192 };

/// Brings in what the next band reads, a little with every tile: copying would wait for it.
INLINE const float *depthwise_prefetch(const float *ahead, int64_t pixels) {
  for (int64_t i = 0; i < pixels; i++) __builtin_prefetch(ahead + i * TARN_LANES, 0, 3);
  return ahead + pixels * TARN_LANES;
}

INLINE void depthwise_rows(
  const tarn_depthwise_band *band, const float *weights, const tarn_epilogue *epilogue, float *y, int64_t y_row,
  int64_t y_column, int64_t kw, int64_t step, int64_t dilation
) {
  const float *ahead = band->ahead;
  for (int64_t r = 0; r < band->n_rows; r++) {
    const float *const *rows = band->rows + r * band->row_step;
    for (int64_t lane = 0; lane < TARN_LANES; lane += W) {
      float *to = y + r * y_row;
      const float *residual = epilogue && epilogue->residual ? epilogue->residual + r * y_row : 0;
      int64_t q = 0;
#define DEPTHWISE_TILES(COUNT)                                                                                \
  for (; q + COUNT <= band->n_columns; q += COUNT) {                                                          \
    if (lane == 0) {                                                                                          \
      ahead = depthwise_prefetch(ahead, COUNT * band->ahead_pixels);                                          \
      for (int t = 0; t < COUNT; t++) {                                                                       \
        __builtin_prefetch(to + (q + t) * y_column + DEPTHWISE_AHEAD * TARN_LANES, 1, 3);                     \
      }                                                                                                       \
    }                                                                                                         \
    depthwise_tile(                                                                                           \
      band, rows, band->start + q * step, weights, epilogue, to + q * y_column, y_column,                     \
      residual ? residual + q * y_column : 0, lane, COUNT, kw, step, dilation);                               \
  }
      DEPTHWISE_TILES(7)
      DEPTHWISE_TILES(4)
      DEPTHWISE_TILES(2)
      DEPTHWISE_TILES(1)
#undef DEPTHWISE_TILES
    }
  }
}

#define DEPTHWISE_ROWS(NAME, KW, STEP, DILATION)                                                               \
  static void NAME(                                                                                            \
    const tarn_depthwise_band *band, const float *weights, const tarn_epilogue *epilogue, float *y,            \
    int64_t y_row, int64_t y_column                                                                            \
  ) {                                                                                                          \
    depthwise_rows(band, weights, epilogue, y, y_row, y_column, KW, STEP, DILATION);                           \
  }

DEPTHWISE_ROWS(depthwise_1_1, 1, TARN_LANES, 0)
DEPTHWISE_ROWS(depthwise_2_1, 2, TARN_LANES, TARN_LANES)
DEPTHWISE_ROWS(depthwise_3_1, 3, TARN_LANES, TARN_LANES)
DEPTHWISE_ROWS(depthwise_3_2, 3, 2 * TARN_LANES, TARN_LANES)
DEPTHWISE_ROWS(depthwise_5_1, 5, TARN_LANES, TARN_LANES)
DEPTHWISE_ROWS(depthwise_5_2, 5, 2 * TARN_LANES, TARN_LANES)
DEPTHWISE_ROWS(depthwise_any, band->kw, band->step, band->dilation)

static void depthwise_sums(
  const tarn_depthwise_band *band, const float *weights, const tarn_epilogue *epilogue, float *y, int64_t y_row,
  int64_t y_column
) {
  const int64_t step = band->step / TARN_LANES;
  const int near = band->dilation == TARN_LANES;
  if (step == 1 && band->kw == 1) {
    depthwise_1_1(band, weights, epilogue, y, y_row, y_column);
  } else if (near && step == 1 && band->kw == 2) {
    depthwise_2_1(band, weights, epilogue, y, y_row, y_column);
  } else if (near && step == 1 && band->kw == 3) {
    depthwise_3_1(band, weights, epilogue, y, y_row, y_column);
  } else if (near && step == 2 && band->kw == 3) {
    depthwise_3_2(band, weights, epilogue, y, y_row, y_column);
  } else if (near && step == 1 && band->kw == 5) {
    depthwise_5_1(band, weights, epilogue, y, y_row, y_column);
  } else if (near && step == 2 && band->kw == 5) {
    depthwise_5_2(band, weights, epilogue, y, y_row, y_column);
  } else {
    depthwise_any(band, weights, epilogue, y, y_row, y_column);
  }
}

// MARK: Products with the gradient

/// Adds up `kh` x `kw` taps, from tap (first, column) on, over all positions; constants, at most 25 taps.
INLINE void depthwise_add(
  const tarn_depthwise_band *band, const float *g, int64_t g_row, float *totals, int64_t lane, int64_t first,
  int64_t column, int kh, int kw, int64_t step, int64_t dilation
) {
  vf total[25];
  const float *ahead = band->ahead;
  float *to = totals + (first * band->kw + column) * TARN_LANES + lane;
#pragma clang loop unroll(full)
  for (int k = 0; k < kh * kw; k++) total[k] = load_f(to + (k / kw * band->kw + k % kw) * TARN_LANES);
  for (int64_t r = 0; r < band->n_rows; r++) {
    const float *const *rows = band->rows + r * band->row_step + first * band->row_dilation;
    const float *row[5];
#pragma clang loop unroll(full)
    for (int i = 0; i < kh; i++) row[i] = rows[i * band->row_dilation] + band->start + column * dilation + lane;
    const float *from = g + r * g_row + lane;
    if (lane == 0) ahead = depthwise_prefetch(ahead, band->n_columns * band->ahead_pixels);
#pragma clang loop unroll_count(2)
    for (int64_t q = 0; q < band->n_columns; q++) {
      const vf factor = load_f(from + q * TARN_LANES);
#pragma clang loop unroll(full)
      for (int k = 0; k < kh * kw; k++) {
        total[k] = madd_f(factor, load_f(row[k / kw] + q * step + k % kw * dilation), total[k]);
      }
    }
  }
#pragma clang loop unroll(full)
  for (int k = 0; k < kh * kw; k++) store_f(to + (k / kw * band->kw + k % kw) * TARN_LANES, total[k]);
}

static void depthwise_products(const tarn_depthwise_band *band, const float *g, int64_t g_row, float *totals) {
  const int near = band->dilation == TARN_LANES;
  const int64_t step = band->step / TARN_LANES;
  for (int64_t lane = 0; lane < TARN_LANES; lane += W) {
    if (near && band->kh == 3 && band->kw == 3 && step == 1) {
      depthwise_add(band, g, g_row, totals, lane, 0, 0, 3, 3, TARN_LANES, TARN_LANES);
    } else if (near && band->kh == 3 && band->kw == 3 && step == 2) {
      depthwise_add(band, g, g_row, totals, lane, 0, 0, 3, 3, 2 * TARN_LANES, TARN_LANES);
#if TARN_LEVEL == 2
    } else if (near && band->kh == 5 && band->kw == 5) {
      depthwise_add(band, g, g_row, totals, lane, 0, 0, 5, 5, band->step, TARN_LANES);
#endif
    } else {
      for (int64_t i = 0; i < band->kh; i++) {
        int64_t j = 0;
        for (; j + 5 <= band->kw; j += 5) {
          depthwise_add(band, g, g_row, totals, lane, i, j, 1, 5, band->step, band->dilation);
        }
        for (; j + 3 <= band->kw; j += 3) {
          depthwise_add(band, g, g_row, totals, lane, i, j, 1, 3, band->step, band->dilation);
        }
        for (; j < band->kw; j++) {
          depthwise_add(band, g, g_row, totals, lane, i, j, 1, 1, band->step, band->dilation);
        }
      }
    }
  }
}

static const tarn_depthwise_kernels depthwise_kernels = {depthwise_sums, depthwise_products};

#endif
