// Kernels on blocked images that move memory rather than compute: what a SIMD level provides.
#ifndef TARN_BLOCKED_MEMORY_H
#define TARN_BLOCKED_MEMORY_H

#include "include/tarn_blocked.h"
#include "internal.h"

/// The rows of the image that one row of a window's results reaches, from the uppermost.
typedef struct {
  const int64_t *rows;
  int64_t count;
} tarn_window_rows;

struct tarn_blocked_memory {
  /// [channels, pixels], rows `ld` apart, to [pixels, 16] and back; channels ≤ 16.
  void (*block)(float *blocked, const float *x, int64_t ld, int64_t channels, int64_t pixels);
  void (*unblock)(float *x, int64_t ld, const float *blocked, int64_t channels, int64_t pixels);

  /// y, a row of results, from an image.
  void (*largest)(const tarn_window *window, const tarn_window_rows *rows, const float *image, float *y);
  void (*sum)(const tarn_window *window, const tarn_window_rows *rows, const float *image, float *y);
  /// dx, an image, gains a row of g.
  void (*to_largest)(
    const tarn_window *window, const tarn_window_rows *rows, const float *image, const float *g, float *dx);
  void (*spread)(const tarn_window *window, const tarn_window_rows *rows, const float *g, float *dx);

  /// Takes `pixels` more pixels into the mean and the sum of squared deviations of `seen` pixels.
  void (*moments)(int64_t seen, int64_t pixels, const float *x, double *mean, double *squares);
  /// Adds to the sums of g and of g (x - mean) rstd.
  void (*gradient_sums)(
    int64_t pixels, const float *g, const float *x, const float *mean, const float *rstd, double *sum_g,
    double *sum_gx);
};

#endif
