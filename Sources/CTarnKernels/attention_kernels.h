// What attention needs of a SIMD level.
#ifndef TARN_ATTENTION_KERNELS_H
#define TARN_ATTENTION_KERNELS_H

#include "internal.h"

/// Tiles of scores have a row for each key and a lane for each query: `vectors` of a row count, out of two.
typedef struct tarn_attention_kernels {
  /// Takes scores to exp(score - most), `most` and `sums` being kept from keys before; what those made is to be
  /// multiplied by `factor`.
  void (*weigh)(float *scores, int64_t keys, int vectors, float *most, float *sums, float *factor);
  /// rows *= factor
  void (*rescale)(float *x, int64_t rows, int vectors, const float *factor);
  /// factor = 1 / sums, or 0 of a sum of 0 if `zeros`; logarithms = most + log(sums), then infinite.
  void (*finish)(const float *most, const float *sums, int zeros, float *factor, float *logarithms);
  /// -infinity to lanes i of rows j > reach + i.
  void (*hide)(float *scores, int64_t keys, int vectors, int64_t reach);
  void (*add)(float *scores, const float *mask, int64_t keys, int vectors);
  /// scores = exp(scores - logarithms)
  void (*weights)(float *scores, int64_t keys, int vectors, const float *logarithms);
  /// slopes = weights * (slopes - means)
  void (*slopes)(float *slopes, const float *weights, int64_t keys, int vectors, const float *means);
  float (*dot)(const float *a, const float *b, int64_t n);
  /// y = 0 where x, else -infinity.
  void (*unseen)(float *y, const uint8_t *x, int64_t n);
} tarn_attention_kernels;

#endif
