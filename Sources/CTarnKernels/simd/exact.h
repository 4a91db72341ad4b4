// Scalar functions that no vector form is worth writing for.
#ifndef TARN_SIMD_EXACT_H
#define TARN_SIMD_EXACT_H

#include "types.h"

INLINE float remainder_f(float x, float y) {
  float r = fmodf(x, y);
  return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

INLINE double remainder_d(double x, double y) {
  double r = fmod(x, y);
  return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

INLINE float floordiv_f(float x, float y) { return (float)floor((double)x / (double)y); }
INLINE double floordiv_d(double x, double y) { return floor(x / y); }

#define INTEGER_FUNCTIONS(S, U)                                                                     \
  INLINE S##_t divide_##S(S##_t x, S##_t y) {                                                       \
    return y == 0 ? 0 : y == -1 ? (S##_t)(0 - (U)x) : x / y;                                        \
  }                                                                                                 \
  INLINE S##_t remainder_##S(S##_t x, S##_t y) {                                                    \
    if (y == 0 || y == -1) return 0;                                                                \
    S##_t r = x % y;                                                                                \
    return r != 0 && (r < 0) != (y < 0) ? r + y : r;                                                \
  }                                                                                                 \
  INLINE S##_t floordiv_##S(S##_t x, S##_t y) {                                                     \
    S##_t q = divide_##S(x, y);                                                                     \
    return y != 0 && y != -1 && x % y != 0 && (x < 0) != (y < 0) ? q - 1 : q;                       \
  }                                                                                                 \
  INLINE S##_t pow_##S(S##_t x, S##_t y) {                                                          \
    if (y < 0) return x == 1 ? 1 : x == -1 ? (y & 1 ? -1 : 1) : 0;                                  \
    U result = 1, square = (U)x;                                                                    \
    for (; y; y >>= 1, square *= square) {                                                          \
      if (y & 1) result *= square;                                                                  \
    }                                                                                               \
    return (S##_t)result;                                                                           \
  }

INTEGER_FUNCTIONS(i, uint32_t)
INTEGER_FUNCTIONS(l, uint64_t)

/// Inverse of erf: a start that is right to 1e-2, then Halley's steps on erf, or on erfc near the ends.
INLINE double erfinv_d(double x) {
  double a = fabs(x);
  if (a >= 1) return a == 1 ? copysign((double)__builtin_inf(), x) : __builtin_nan("");
  if (x != x || x == 0) return x;
  double w = log1p(-a * a), h = 4.3307467508 + w / 2;
  double y = sqrt(sqrt(h * h - w / 0.147) - h);
  for (int i = 0; i < 4; i++) {
    double e = a < 0.5 ? erf(y) - a : (1 - a) - erfc(y);
    double u = e / (1.1283791670955126 * exp(-y * y));
    y -= u / (1 + y * u);
  }
  return copysign(y, x);
}

INLINE double gelu_d(double x) { return 0.5 * x * (1 + erf(x * 0.70710678118654752)); }
INLINE double gelu_slope_d(double x) {
  const double bounded = x > 40 ? 40 : x < -40 ? -40 : x;
  return 0.5 * (1 + erf(x * 0.70710678118654752)) + 0.3989422804014327 * bounded * exp(-0.5 * x * x);
}

INLINE double sigmoid_d(double x) {
  double e = exp(-fabs(x));
  return x != x ? x : (x >= 0 ? 1 : e) / (1 + e);
}

#endif
