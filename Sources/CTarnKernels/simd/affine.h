// Numbers per channel applied to the pixels of one block of channels.
#ifndef TARN_SIMD_AFFINE_H
#define TARN_SIMD_AFFINE_H

#include "math.h"

typedef float lanes_t __attribute__((vector_size(64)));
typedef lanes_t lanes_memory __attribute__((aligned(4), may_alias));
typedef int32_t lane_bits_t __attribute__((vector_size(64)));

INLINE lanes_t lanes_at(const float *p) { return *(const lanes_memory *)p; }

INLINE lanes_t lanes_where(lane_bits_t mask, lanes_t a, lanes_t b) {
  return (lanes_t)((mask & (lane_bits_t)a) | (~mask & (lane_bits_t)b));
}

/// max(a, low) that keeps NaN.
INLINE lanes_t lanes_above(lanes_t a, lanes_t low) { return lanes_where(a < low, low, a); }
INLINE lanes_t lanes_below(lanes_t a, lanes_t high) { return lanes_where(a > high, high, a); }

static void affine_pixels(
  float *y, const float *x, const float *scale, const float *shift, const float *residual, int activation, float low,
  float high, int64_t pixels
) {
  const lanes_t one = {0}, s = scale ? lanes_at(scale) : one + 1, t = shift ? lanes_at(shift) : one;
  for (int64_t i = 0; i < pixels * 16; i += 16) {
    lanes_t a = lanes_at(x + i) * s + t;
    if (residual) a += lanes_at(residual + i);
    if (activation == TARN_ACTIVATION_RELU) a = lanes_above(a, one);
    if (activation == TARN_ACTIVATION_CLIP) a = lanes_below(lanes_above(a, one + low), one + high);
    *(lanes_memory *)(y + i) = a;
  }
}

static void blend_pixels(
  float *z, const float *x, const float *y, const float *a, const float *b, const float *c, int64_t pixels
) {
  const lanes_t s = lanes_at(a), t = lanes_at(b), u = lanes_at(c);
  for (int64_t i = 0; i < pixels * 16; i += 16) {
    *(lanes_memory *)(z + i) = lanes_at(x + i) * s + (lanes_at(y + i) * t + u);
  }
}

#endif
