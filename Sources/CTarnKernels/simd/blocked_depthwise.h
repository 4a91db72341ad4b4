// Depthwise convolution of rows of blocked pixels: a few neighbouring positions at a time, in registers.
#ifndef TARN_SIMD_BLOCKED_DEPTHWISE_H
#define TARN_SIMD_BLOCKED_DEPTHWISE_H

#include "../depthwise_kernels.h"
#include "math.h"
#include "types.h"

// MARK: Sums over taps

/// What the epilogue does to one vector.
INLINE vf depthwise_finish(vf sum, const tarn_epilogue *e, int64_t lane, const float *residual) {
  if (e->scale) sum = sum * load_f(e->scale + lane);
  if (e->shift) sum = sum + load_f(e->shift + lane);
  if (residual) sum = sum + load_f(residual);
  switch (e->activation) {
    case TARN_ACTIVATION_RELU: return sum < 0.0f ? (vf)0.0f : sum;
    case TARN_ACTIVATION_CLIP:
      sum = sum < e->low ? (vf)e->low : sum;
      return sum > e->high ? (vf)e->high : sum;
    case TARN_ACTIVATION_SILU: return sum * sigmoid_f(sum);
    default: return sum;
  }
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
  if (epilogue) {
#pragma clang loop unroll(full)
    for (int t = 0; t < count; t++) {
      sum[t] = depthwise_finish(sum[t], epilogue, lane, residual ? residual + t * y_column + lane : 0);
    }
  }
#pragma clang loop unroll(full)
  for (int t = 0; t < count; t++) store_f(y + t * y_column + lane, sum[t]);
}

INLINE void depthwise_rows(
  const tarn_depthwise_band *band, const float *weights, const tarn_epilogue *epilogue, float *y, int64_t y_row,
  int64_t y_column, int64_t kw, int64_t step, int64_t dilation
) {
  for (int64_t r = 0; r < band->n_rows; r++) {
    const float *const *rows = band->rows + r * band->row_step;
    for (int64_t lane = 0; lane < TARN_LANES; lane += W) {
      float *to = y + r * y_row;
      const float *residual = epilogue && epilogue->residual ? epilogue->residual + r * y_row : 0;
      int64_t q = 0;
#define DEPTHWISE_TILES(COUNT)                                                                                           \
  for (; q + COUNT <= band->n_columns; q += COUNT) {                                                           \
    depthwise_tile(                                                                                            \
      band, rows, band->start + q * step, weights, epilogue, to + q * y_column, y_column,                                    \
      residual ? residual + q * y_column : 0, lane, COUNT, kw, step, dilation);                                \
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
  float *to = totals + (first * band->kw + column) * TARN_LANES + lane;
#pragma clang loop unroll(full)
  for (int k = 0; k < kh * kw; k++) total[k] = load_f(to + (k / kw * band->kw + k % kw) * TARN_LANES);
  for (int64_t r = 0; r < band->n_rows; r++) {
    const float *const *rows = band->rows + r * band->row_step + first * band->row_dilation;
    const float *row[5];
#pragma clang loop unroll(full)
    for (int i = 0; i < kh; i++) row[i] = rows[i * band->row_dilation] + band->start + column * dilation + lane;
    const float *from = g + r * g_row + lane;
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
