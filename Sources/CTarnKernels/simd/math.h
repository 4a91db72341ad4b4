// Elementary functions of float vectors. The bounds are the largest errors seen against double precision, rounded up,
// in units in the last place: over every 17th float for one argument, over ten million pairs for pow, at every level.
// NaN stays NaN, infinities and zeros go where C's functions send them, denormals count in full.
#ifndef TARN_SIMD_MATH_H
#define TARN_SIMD_MATH_H

#include "types.h"

static const float infinity_f = __builtin_inff();
static const float nan_f = __builtin_nanf("");

/// c[0] + c[1] x + …
#define POLYNOMIAL(MADD, V, x, ...)                                           \
  ({                                                                          \
    static const double c_[] = {__VA_ARGS__};                                 \
    V p_ = (V)0 + (__typeof__(((V)0)[0]))c_[sizeof c_ / sizeof *c_ - 1];      \
    _Pragma("clang loop unroll(full)") for (int j_ = (int)(sizeof c_ / sizeof *c_) - 2; j_ >= 0; j_--) { \
      p_ = MADD(p_, x, (V)0 + (__typeof__(((V)0)[0]))c_[j_]);                 \
    }                                                                         \
    p_;                                                                       \
  })
#define POLY_F(x, ...) POLYNOMIAL(madd_f, vf, x, __VA_ARGS__)
#define POLY_D(x, ...) POLYNOMIAL(madd_d, vd, x, __VA_ARGS__)

INLINE vf copysign_f(vf magnitude, vf sign) {
  return (vf)(((vi)magnitude & 0x7fffffff) | ((vi)sign & (int32_t)0x80000000));
}
INLINE vf abs_f(vf x) { return (vf)((vi)x & 0x7fffffff); }

/// 2^n for -126 ≤ n ≤ 127.
INLINE vf power_of_two_f(vi n) { return (vf)((vui)(n + 127) << 23); }

/// x = k log 2 + r: gives expm1(r), |r| ≤ log 2 / 2, and the whole number k; |k| < 2^22.
INLINE vf reduced_expm1_f(vf x, vf *k) {
  // The sum's last place is 1.
  *k = madd_f(x, (vf)1.44269504f, (vf)12582912.0f) - 12582912.0f;
  vf r = madd_f(*k, (vf)-0.693359375f, x);
  r = madd_f(*k, (vf)2.12194440e-4f, r);
  vf q = POLY_F(r, 0.499999934, 0.166665204, 0.0416683908, 0.0083687453, 0.00138145402);
  return madd_f(r * r, q, r);
}

INLINE vf clamp_exponent_f(vf x) {
  x = x > 88.9f ? (vf)88.9f : x;
  return x < -105.0f ? (vf)-105.0f : x;
}

/// y 2^k, rounded once, for a whole number k between -160 and 130.
INLINE vf scale_f(vf y, vf k) {
#if TARN_LEVEL == 2
  typedef float machine __attribute__((vector_size(64)));
  const machine zero = {0};
  return (vf)__builtin_ia32_scalefps512_mask((machine)y, (machine)k, zero, (unsigned short)-1, 4);
#else
  const vi n = INTS(k), half = n >> 1;
  return y * power_of_two_f(half) * power_of_two_f(n - half);
#endif
}

/// e^x: 1 ulp.
INLINE vf exp_f(vf x) {
  vf k, e = reduced_expm1_f(clamp_exponent_f(x), &k) + 1.0f;
  return scale_f(e, k);
}

/// The same for x ≤ 0.
INLINE vf exp_falling_f(vf x) {
  vf k, e = reduced_expm1_f(x < -105.0f ? (vf)-105.0f : x, &k) + 1.0f;
  return scale_f(e, k);
}

/// e^x - 1: 2 ulp.
INLINE vf expm1_f(vf x) {
  vf k, p = reduced_expm1_f(clamp_exponent_f(x), &k);
  vi n = INTS(k < -60.0f ? (vf)-60.0f : k);
  vf scale = power_of_two_f(n - 1);
  vf y = madd_f(p, scale, scale - 0.5f) * 2.0f;
  return abs_f(x) < 1e-8f ? x : y;
}

/// log m and the exponent: x = m 2^e with m in [√½, √2), for positive normal x. Gives f = m - 1.
INLINE vf split_f(vf x, vf *e) {
  vi bits = (vi)x - 0x3f3504f3;
  *e = FLOATS(bits >> 23);
  return (vf)((bits & 0x7fffff) + 0x3f3504f3) - 1.0f;
}

INLINE vf log_parts_f(vf f, vf e, vf extra) {
  vf p = POLY_F(
    f, -0.499999883, 0.333333256, -0.250015865, 0.200019838, -0.166089977, 0.141815661, -0.132434715, 0.129064076,
    -0.0762303385);
  vf low = madd_f(f * f, p, madd_f(e, (vf)-2.12194440e-4f, extra));
  return madd_f(e, (vf)0.693359375f, low + f);
}

INLINE vf log_ends_f(vf x, vf y) {
  y = x == infinity_f ? x : y;
  y = x == 0 ? (vf)-infinity_f : y;
  return ((x < 0) | (x != x)) ? (vf)nan_f : y;
}

/// log x: 1 ulp.
INLINE vf log_f(vf x) {
  vi small = x < 1.17549435e-38f;
  vf e, f = split_f(small ? x * 8388608.0f : x, &e);
  e = small ? e - 23.0f : e;
  return log_ends_f(x, log_parts_f(f, e, (vf)0));
}

/// log(1 + x): 1 ulp.
INLINE vf log1p_f(vf x) {
  vf u = x + 1.0f;
  // What the rounding of u lost, as a part of u.
  vf lost = u > 2.0f ? 1.0f - (u - x) : x - (u - 1.0f);
  vf e, f = split_f(u, &e);
  vf y = log_ends_f(u, log_parts_f(f, e, lost / u));
  return abs_f(x) < 1e-8f ? x : y;
}

/// Hyperbolic tangent: 3 ulp.
INLINE vf tanh_f(vf x) {
  vf magnitude = abs_f(x);
  vf t = expm1_f(2.0f * (magnitude > 10.0f ? (vf)10.0f : magnitude));
  vf y = t / (t + 2.0f);
  return copysign_f(magnitude < 1e-4f ? magnitude : y, x);
}

/// 1 / (1 + e^-x): 3 ulp, to the smallest denormal.
INLINE vf sigmoid_f(vf x) {
  vf e = exp_falling_f(-abs_f(x));
  vf y = (x >= 0 ? (vf)1.0f : e) / (1.0f + e);
  return x != x ? x : y;
}

/// Error function: 3 ulp.
INLINE vf erf_f(vf x) {
  vf a = abs_f(x);
  vf z = a * a;
  vf small = x * POLY_F(
    z, 1.12837917, -0.37612635, 0.11283715, -0.0268605085, 0.00520385921, -0.000817563965, 8.51310491e-05);
  vf b = a > 4.0f ? (vf)4.0f : a;
  vf large = 1.0f - exp_falling_f(-POLY_F(
    b, -0.000169203376, 1.1294884, 0.63340087, 0.108220362, -0.0250806016, 0.00415624894, -0.000431392269,
    2.08285005e-05));
  return x != x ? x : (a < 0.9f ? small : copysign_f(large, x));
}

/// x Φ(x) = x (1 + erf(x / √2)) / 2: 3 ulp of x.
INLINE vf gelu_f(vf x) {
  const vf half = 0.5f * x;
  return madd_f(half, erf_f(x * 0.707106781f), half);
}

/// Its derivative, Φ(x) + x φ(x): 4 ulp of 1.
INLINE vf gelu_slope_f(vf x) {
  const vf density = 0.398942280f * exp_falling_f(-0.5f * x * x);
  // What is 0 of an infinite x would not be.
  const vf bounded = x > 20.0f ? (vf)20.0f : x < -20.0f ? (vf)-20.0f : x;
  return madd_f(bounded, density, madd_f((vf)0.5f, erf_f(x * 0.707106781f), (vf)0.5f));
}

/// Inverse of erf on (-1, 1): 3 ulp.
INLINE vf erfinv_f(vf x) {
  vf a = abs_f(x);
  vf w = -log_f((1.0f - a) * (1.0f + a));
  w = a < 0.3f ? -log1p_f(-x * x) : w;
  vf t = w - 2.5f;
  vf middle = POLY_F(
    t, 1.50140936, 0.246640286, -0.00417738678, -0.00125274188, 0.000218344439, -4.96334457e-06, -3.4627046e-06,
    4.66169921e-07, 2.32326324e-08, -8.79100078e-09);
  vf s = __builtin_elementwise_sqrt(w) - 3.0f;
  vf tail = POLY_F(
    s, 2.83297682, 1.0016748, 0.00944417667, -0.00763470734, 0.00569617298, -0.00360946874, 0.00146159436,
    -3.30030838e-05, -0.000291019489, 9.85000586e-05);
  vf y = x * (w < 5.0f ? middle : tail);
  y = a == 1.0f ? copysign_f((vf)infinity_f, x) : y;
  return a > 1.0f ? (vf)nan_f : y;
}

// MARK: Angles

/// x = n π/2 + r, |r| ≤ π/4, for |x| ≤ 2^20; π/2 in three parts, whose first products are exact.
INLINE vd reduced_angle(vf x, vi *n) {
  vd wide = DOUBLES(x);
  vd t = wide * 0.63661977236758134 + 6755399441055744.0;
  *n = INTS((vl)t);
  vd k = t - 6755399441055744.0;
  vd r = madd_d(k, (vd)-0x1.921fb544p+0, wide);
  r = madd_d(k, (vd)-0x1.0b4611a6p-34, r);
  return madd_d(k, (vd)-0x1.3198a2e037073p-69, r);
}

enum { ANGLE_SIN, ANGLE_COS, ANGLE_TAN };

/// Angles that are too large for the reduction, one by one.
static __attribute__((noinline)) vf large_angles(vf x, vf y, int kind) {
  for (int i = 0; i < W; i++) {
    if (fabsf(x[i]) > 1048576.0f) y[i] = kind == ANGLE_SIN ? sinf(x[i]) : kind == ANGLE_COS ? cosf(x[i]) : tanf(x[i]);
  }
  return y;
}

INLINE vf sin_or_cos_f(vf x, int kind) {
  vi n;
  vf r = FLOATS(reduced_angle(x, &n));
  vf z = r * r;
  vf sine = madd_f(r * z, POLY_F(z, -0.166666546, 0.00833216029, -0.000195152173), r);
  vf cosine = madd_f(z * z, POLY_F(z, 0.0416666457, -0.00138873156, 2.44330819e-05), madd_f(z, (vf)-0.5f, (vf)1.0f));
  if (kind == ANGLE_COS) n = n + 1;
  vf y = (n & 1) != 0 ? cosine : sine;
  y = (vf)((vui)y ^ ((vui)(n & 2) << 30));
  if (any_i(abs_f(x) > 1048576.0f)) y = large_angles(x, y, kind);
  return y;
}

/// Sine: 2 ulp.
INLINE vf sin_f(vf x) {
  vf y = sin_or_cos_f(x, ANGLE_SIN);
  return abs_f(x) < 1e-4f ? x : y;
}
/// Cosine: 2 ulp.
INLINE vf cos_f(vf x) { return sin_or_cos_f(x, ANGLE_COS); }

/// Tangent: 2 ulp, from sine and cosine in double.
INLINE vf tan_f(vf x) {
  vi n;
  vd r = reduced_angle(x, &n);
  vd z = r * r;
  vd s = r * POLY_D(z, 1, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800);
  vd c = POLY_D(z, 1, -0.5, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600);
  vl odd = LONGS((n & 1) != 0);
  vf y = FLOATS((odd ? -c : s) / (odd ? s : c));
  if (any_i(abs_f(x) > 1048576.0f)) y = large_angles(x, y, ANGLE_TAN);
  return abs_f(x) < 1e-4f ? x : y;
}

// MARK: Powers

/// log2 of positive finite doubles that are normal: atanh series of (m - 1) / (m + 1), relative error below 1e-11.
INLINE vd log2_d(vd x) {
  vl bits = (vl)x - 0x3fe6a09e667f3bcd;
  vd e = DOUBLES(INTS(bits >> 52));
  vd m = (vd)((bits & 0xfffffffffffff) + 0x3fe6a09e667f3bcd);
  vd s = (m - 1.0) / (m + 1.0);
  vd p = POLY_D(s * s, 1, 1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11, 1.0 / 13, 1.0 / 15);
  return madd_d(s * 2.8853900817779268, p, e);
}

/// 2^t for |t| ≤ 1000, relative error below 1e-11.
INLINE vd exp2_d(vd t) {
  vd shifted = t + 6755399441055744.0;
  vd g = (t - (shifted - 6755399441055744.0)) * 0.69314718055994531;
  vd p = POLY_D(
    g, 1, 1, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800);
  return (vd)((vul)p + ((vul)shifted << 52));
}

/// x^y as C's pow: 1 ulp.
INLINE vf pow_f(vf x, vf y) {
  vf a = abs_f(x);
  vd l = log2_d(DOUBLES(a));
  l = LONGS(a == 0) ? (vd)-__builtin_inf() : l;
  l = LONGS(a == infinity_f) ? (vd)__builtin_inf() : l;
  l = LONGS(a == 1.0f) ? (vd)0 : l;
  vd t = DOUBLES(y) * l;
  t = t > 400.0 ? (vd)400.0 : t;
  t = t < -400.0 ? (vd)-400.0 : t;
  vd wide = exp2_d(t);
  vf z = FLOATS(wide);
  z = ((x != x) | (y != y)) ? (vf)nan_f : z;
  vi unit = (y == 0) | (x == 1.0f) | ((a == 1.0f) & (abs_f(y) == infinity_f));
  z = unit ? (vf)1.0f : z;
  vi whole = __builtin_elementwise_floor(y) == y;
  vf half = y * 0.5f;
  vi odd = whole & (__builtin_elementwise_floor(half) != half) & (abs_f(y) < infinity_f);
  vi negative = (vi)x < 0;
  z = (negative & odd & (x == x)) ? (vf)((vui)z | 0x80000000u) : z;
  return ((x < 0) & (a != infinity_f) & (whole == 0) & (y == y)) ? (vf)nan_f : z;
}

#endif
