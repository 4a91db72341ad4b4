// Attention: what is done to tiles of scores between products. Rows are keys, lanes queries, two vectors a row.
#ifndef TARN_SIMD_ATTENTION_H
#define TARN_SIMD_ATTENTION_H

#include <float.h>

#include "../attention_kernels.h"
#include "gemm.h"
#include "math.h"
#include "rows.h"

static void attention_weigh(float *scores, int64_t keys, int vectors, float *most, float *sums, float *factor) {
  for (int v = 0; v < vectors; v++) {
    float *x = scores + v * W;
    const vf before = load_f(most + v * W);
    vf m[2] = {before, before};
    int64_t j = 0;
    for (; j + 2 <= keys; j += 2) {
      const vf a = load_f(x + 2 * W * j), b = load_f(x + 2 * W * (j + 1));
      m[0] = a > m[0] ? a : m[0];
      m[1] = b > m[1] ? b : m[1];
    }
    if (j < keys) {
      const vf a = load_f(x + 2 * W * j);
      m[0] = a > m[0] ? a : m[0];
    }
    const vf now = m[0] > m[1] ? m[0] : m[1];
    vf sum[2] = {0, 0};
    for (j = 0; j + 2 <= keys; j += 2) {
      const vf a = exp_falling_f(load_f(x + 2 * W * j) - now), b = exp_falling_f(load_f(x + 2 * W * (j + 1)) - now);
      store_f(x + 2 * W * j, a);
      store_f(x + 2 * W * (j + 1), b);
      sum[0] += a;
      sum[1] += b;
    }
    if (j < keys) {
      const vf a = exp_falling_f(load_f(x + 2 * W * j) - now);
      store_f(x + 2 * W * j, a);
      sum[0] += a;
    }
    const vf kept = exp_falling_f(before - now);
    store_f(most + v * W, now);
    store_f(factor + v * W, kept);
    store_f(sums + v * W, madd_f(load_f(sums + v * W), kept, sum[0] + sum[1]));
  }
}

static void attention_rescale(float *x, int64_t rows, int vectors, const float *factor) {
  for (int v = 0; v < vectors; v++) {
    const vf by = load_f(factor + v * W);
    for (int64_t i = 0; i < rows; i++) store_f(x + 2 * W * i + v * W, load_f(x + 2 * W * i + v * W) * by);
  }
}

static void attention_finish(const float *most, const float *sums, int zeros, float *factor, float *logarithms) {
  for (int v = 0; v < 2; v++) {
    const vf sum = load_f(sums + v * W);
    const vi none = sum == 0 ? (vi)(zeros ? -1 : 0) : (vi)0;
    store_f(factor + v * W, none ? (vf)0 : 1.0f / sum);
    store_f(logarithms + v * W, none ? (vf)infinity_f : load_f(most + v * W) + log_f(sum));
  }
}

static void attention_hide(float *scores, int64_t keys, int vectors, int64_t reach) {
  vi lane;
  for (int i = 0; i < W; i++) lane[i] = i;
  for (int64_t j = tarn_greatest(0, reach + 1); j < keys; j++) {
    for (int v = 0; v < vectors; v++) {
      float *x = scores + 2 * W * j + v * W;
      store_f(x, lane + v * W < (int32_t)(j - reach) ? (vf)-infinity_f : load_f(x));
    }
  }
}

static void attention_add(float *scores, const float *mask, int64_t keys, int vectors) {
  for (int64_t j = 0; j < keys; j++) {
    for (int v = 0; v < vectors; v++) {
      const int64_t i = 2 * W * j + v * W;
      store_f(scores + i, load_f(scores + i) + load_f(mask + i));
    }
  }
}

static void attention_weights(float *scores, int64_t keys, int vectors, const float *logarithms) {
  for (int v = 0; v < vectors; v++) {
    const vf by = load_f(logarithms + v * W);
    for (int64_t j = 0; j < keys; j++) {
      float *x = scores + 2 * W * j + v * W;
      store_f(x, exp_falling_f(load_f(x) - by));
    }
  }
}

static void attention_slopes(float *slopes, const float *weights, int64_t keys, int vectors, const float *means) {
  for (int v = 0; v < vectors; v++) {
    const vf mean = load_f(means + v * W);
    for (int64_t j = 0; j < keys; j++) {
      const int64_t i = 2 * W * j + v * W;
      store_f(slopes + i, load_f(weights + i) * (load_f(slopes + i) - mean));
    }
  }
}

static float attention_dot(const float *a, const float *b, int64_t n) {
  vf sum = 0;
  int64_t i = 0;
  for (; i + W <= n; i += W) sum = madd_f(load_f(a + i), load_f(b + i), sum);
  if (i < n) sum = madd_f(load_part_f(a + i, n - i), load_part_f(b + i, n - i), sum);
  return (float)lanes_f(sum);
}

static void attention_unseen(float *y, const uint8_t *x, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] = x[i] ? 0 : -infinity_f;
}

static const tarn_attention_kernels attention_kernels = {
  .weigh = attention_weigh, .rescale = attention_rescale, .finish = attention_finish,
  .hide = attention_hide, .add = attention_add, .weights = attention_weights, .slopes = attention_slopes,
  .dot = attention_dot, .unseen = attention_unseen};

#endif
