// What the drivers and the inner kernels of depthwise convolution on blocked images share.
#ifndef TARN_DEPTHWISE_KERNELS_H
#define TARN_DEPTHWISE_KERNELS_H

#include "include/tarn_blocked.h"

/// Some output rows of one block of channels, read from rows of pixels with margins, so that every tap lies inside.
typedef struct {
  /// Tap (i, j) of position (r, q) is the pixel at rows[r row_step + i row_dilation] + start + q step + j dilation.
  const float *const *rows;
  int64_t row_step, row_dilation, start, step, dilation;
  int64_t kh, kw, n_rows, n_columns;
  /// Pixels to prefetch for each position, one after another from `ahead` on.
  const float *ahead;
  int64_t ahead_pixels;
} tarn_depthwise_band;

typedef struct tarn_depthwise_kernels {
  /// y[r y_row + q y_column] = sum over the taps of weights[kh, kw, 16] times the pixel there. The epilogue (or null)
  /// begins at this block, its residual at y.
  void (*sums)(
    const tarn_depthwise_band *band, const float *weights, const tarn_epilogue *epilogue, float *y, int64_t y_row,
    int64_t y_column);
  /// totals[kh, kw, 16] += sum over the positions of g[r g_row + 16 q] times the pixel there.
  void (*products)(const tarn_depthwise_band *band, const float *g, int64_t g_row, float *totals);
} tarn_depthwise_kernels;

#endif
