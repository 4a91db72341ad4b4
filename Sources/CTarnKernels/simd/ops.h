// The instructions of element-wise loops over one block.
#ifndef TARN_SIMD_OPS_H
#define TARN_SIMD_OPS_H

#include "exact.h"
#include "math.h"
#include "types.h"

#define PARAMETERS void *dst, const void *pa, const void *pb, const void *pc, int64_t n, unsigned scalars
#define UNUSED_PARAMETERS (void)pa, (void)pb, (void)pc, (void)scalars

/// From class S to class R, of x.
#define UNARY(NAME, S, R, EXPR)                           \
  static void NAME(PARAMETERS) {                          \
    UNUSED_PARAMETERS;                                    \
    const S##_t *a = pa;                                  \
    R##_t *d = dst;                                       \
    int64_t i = 0;                                        \
    for (; i + W <= n; i += W) {                          \
      v##S x = load_##S(a + i);                           \
      store_##R(d + i, EXPR);                             \
    }                                                     \
    if (i < n) {                                          \
      v##S x = load_part_##S(a + i, n - i);               \
      store_part_##R(d + i, EXPR, n - i);                 \
    }                                                     \
  }

#define BINARY_LOOP(S, R, X, X_PART, Y, Y_PART, EXPR)     \
  {                                                       \
    int64_t i = 0;                                        \
    for (; i + W <= n; i += W) {                          \
      v##S x = X, y = Y;                                  \
      store_##R(d + i, EXPR);                             \
    }                                                     \
    if (i < n) {                                          \
      v##S x = X_PART, y = Y_PART;                        \
      store_part_##R(d + i, EXPR, n - i);                 \
    }                                                     \
  }

/// Of x and y; either may be one number.
#define BINARY(NAME, S, R, EXPR)                                                                              \
  static void NAME(PARAMETERS) {                                                                              \
    UNUSED_PARAMETERS;                                                                                        \
    const S##_t *a = pa, *b = pb;                                                                             \
    R##_t *d = dst;                                                                                           \
    if (scalars & 2) {                                                                                        \
      v##S one = (v##S)b[0];                                                                                  \
      if (scalars & 1) {                                                                                      \
        v##S other = (v##S)a[0];                                                                              \
        BINARY_LOOP(S, R, other, other, one, one, EXPR)                                                       \
      } else {                                                                                                \
        BINARY_LOOP(S, R, load_##S(a + i), load_part_##S(a + i, n - i), one, one, EXPR)                       \
      }                                                                                                       \
    } else if (scalars & 1) {                                                                                 \
      v##S one = (v##S)a[0];                                                                                  \
      BINARY_LOOP(S, R, one, one, load_##S(b + i), load_part_##S(b + i, n - i), EXPR)                         \
    } else {                                                                                                  \
      BINARY_LOOP(                                                                                            \
        S, R, load_##S(a + i), load_part_##S(a + i, n - i), load_##S(b + i), load_part_##S(b + i, n - i), EXPR) \
    }                                                                                                         \
  }

/// One element after another.
#define SCALAR_UNARY(NAME, S, EXPR)                       \
  static void NAME(PARAMETERS) {                          \
    UNUSED_PARAMETERS;                                    \
    const S##_t *a = pa;                                  \
    S##_t *d = dst;                                       \
    for (int64_t i = 0; i < n; i++) {                     \
      S##_t x = a[i];                                     \
      d[i] = EXPR;                                        \
    }                                                     \
  }

#define SCALAR_BINARY(NAME, S, EXPR)                      \
  static void NAME(PARAMETERS) {                          \
    UNUSED_PARAMETERS;                                    \
    const S##_t *a = pa, *b = pb;                         \
    S##_t *d = dst;                                       \
    for (int64_t i = 0; i < n; i++) {                     \
      S##_t x = a[i], y = b[i];                           \
      d[i] = EXPR;                                        \
    }                                                     \
  }

/// d = a ? b : c, a being i32; b and c may be one number each.
#define SELECT(NAME, S, MASK)                                                       \
  static void NAME(PARAMETERS) {                                                    \
    const i_t *a = pa;                                                              \
    const S##_t *b = pb, *c = pc;                                                   \
    S##_t *d = dst;                                                                 \
    v##S one_b = (v##S)b[0], one_c = (v##S)c[0];                                    \
    int64_t i = 0;                                                                  \
    for (; i + W <= n; i += W) {                                                    \
      vi m = load_i(a + i) != 0;                                                    \
      v##S x = scalars & 2 ? one_b : load_##S(b + i), y = scalars & 4 ? one_c : load_##S(c + i); \
      store_##S(d + i, MASK(m) ? x : y);                                            \
    }                                                                               \
    for (; i < n; i++) d[i] = a[i] ? (scalars & 2 ? one_b[0] : b[i]) : (scalars & 4 ? one_c[0] : c[i]); \
  }
#define SAME(m) (m)

#define MADD(NAME, S, EXPR)                                                                     \
  static void NAME(PARAMETERS) {                                                                \
    const S##_t *a = pa, *b = pb, *c = pc;                                                      \
    S##_t *d = dst;                                                                             \
    v##S one_b = (v##S)b[0], one_c = (v##S)c[0], one_a = (v##S)a[0];                            \
    int64_t i = 0;                                                                              \
    for (; i + W <= n; i += W) {                                                                \
      v##S x = scalars & 1 ? one_a : load_##S(a + i), y = scalars & 2 ? one_b : load_##S(b + i); \
      v##S z = scalars & 4 ? one_c : load_##S(c + i);                                           \
      store_##S(d + i, EXPR);                                                                   \
    }                                                                                           \
    if (i < n) {                                                                                \
      v##S x = scalars & 1 ? one_a : load_part_##S(a + i, n - i);                               \
      v##S y = scalars & 2 ? one_b : load_part_##S(b + i, n - i);                               \
      v##S z = scalars & 4 ? one_c : load_part_##S(c + i, n - i);                               \
      store_part_##S(d + i, EXPR, n - i);                                                       \
    }                                                                                           \
  }

// MARK: Floating

#define FLOATING_OPS(S)                                                          \
  UNARY(neg_##S, S, S, -x)                                                       \
  UNARY(abs_##S##_op, S, S, __builtin_elementwise_abs(x))                        \
  UNARY(sign_##S, S, S, x > 0 ? (v##S)1 : (x < 0 ? (v##S)-1 : x))                \
  UNARY(sqrt_##S, S, S, __builtin_elementwise_sqrt(x))                           \
  UNARY(rsqrt_##S, S, S, 1 / __builtin_elementwise_sqrt(x))                      \
  UNARY(reciprocal_##S, S, S, 1 / x)                                             \
  UNARY(relu_##S, S, S, x < 0 ? (v##S)0 : x)                                     \
  UNARY(floor_##S, S, S, __builtin_elementwise_floor(x))                         \
  UNARY(ceil_##S, S, S, __builtin_elementwise_ceil(x))                           \
  UNARY(round_##S, S, S, __builtin_elementwise_rint(x))                     \
  BINARY(add_##S, S, S, x + y)                                                   \
  BINARY(sub_##S, S, S, x - y)                                                   \
  BINARY(mul_##S, S, S, x * y)                                                   \
  BINARY(div_##S, S, S, x / y)                                                   \
  BINARY(max_##S##_op, S, S, max_##S(x, y))                                      \
  BINARY(min_##S##_op, S, S, min_##S(x, y))                                      \
  SCALAR_BINARY(remainder_##S##_op, S, remainder_##S(x, y))                      \
  SCALAR_BINARY(floordiv_##S##_op, S, floordiv_##S(x, y))                        \
  MADD(madd_##S##_op, S, madd_##S(x, y, z))

FLOATING_OPS(f)
FLOATING_OPS(d)
SELECT(select_f, f, SAME)
SELECT(select_d, d, LONGS)

UNARY(exp_f_op, f, f, exp_f(x))
UNARY(expm1_f_op, f, f, expm1_f(x))
UNARY(log_f_op, f, f, log_f(x))
UNARY(log1p_f_op, f, f, log1p_f(x))
UNARY(sin_f_op, f, f, sin_f(x))
UNARY(cos_f_op, f, f, cos_f(x))
UNARY(tan_f_op, f, f, tan_f(x))
UNARY(tanh_f_op, f, f, tanh_f(x))
UNARY(erf_f_op, f, f, erf_f(x))
UNARY(erfinv_f_op, f, f, erfinv_f(x))
UNARY(sigmoid_f_op, f, f, sigmoid_f(x))
UNARY(gelu_f_op, f, f, gelu_f(x))
UNARY(gelu_slope_f_op, f, f, gelu_slope_f(x))
BINARY(pow_f_op, f, f, pow_f(x, y))
SCALAR_UNARY(asin_f_op, f, asinf(x))
SCALAR_UNARY(acos_f_op, f, acosf(x))
SCALAR_UNARY(atan_f_op, f, atanf(x))
SCALAR_BINARY(atan2_f_op, f, atan2f(x, y))

SCALAR_UNARY(exp_d_op, d, exp(x))
SCALAR_UNARY(expm1_d_op, d, expm1(x))
SCALAR_UNARY(log_d_op, d, log(x))
SCALAR_UNARY(log1p_d_op, d, log1p(x))
SCALAR_UNARY(sin_d_op, d, sin(x))
SCALAR_UNARY(cos_d_op, d, cos(x))
SCALAR_UNARY(tan_d_op, d, tan(x))
SCALAR_UNARY(tanh_d_op, d, tanh(x))
SCALAR_UNARY(erf_d_op, d, erf(x))
SCALAR_UNARY(erfinv_d_op, d, erfinv_d(x))
SCALAR_UNARY(sigmoid_d_op, d, sigmoid_d(x))
SCALAR_UNARY(gelu_d_op, d, gelu_d(x))
SCALAR_UNARY(gelu_slope_d_op, d, gelu_slope_d(x))
SCALAR_BINARY(pow_d_op, d, pow(x, y))
SCALAR_UNARY(asin_d_op, d, asin(x))
SCALAR_UNARY(acos_d_op, d, acos(x))
SCALAR_UNARY(atan_d_op, d, atan(x))
SCALAR_BINARY(atan2_d_op, d, atan2(x, y))

// MARK: Integer

#define INTEGER_OPS(S, U)                                                        \
  UNARY(neg_##S, S, S, (v##S)(0 - (U)x))                                         \
  UNARY(abs_##S##_op, S, S, x < 0 ? (v##S)(0 - (U)x) : x)                        \
  UNARY(sign_##S, S, S, (v##S)(x < 0) - (v##S)(x > 0))                           \
  UNARY(relu_##S, S, S, x > 0 ? x : (v##S)0)                                     \
  UNARY(not_##S, S, S, (v##S)(x == 0) & 1)                                       \
  UNARY(complement_##S, S, S, ~x)                                                \
  UNARY(same_##S, S, S, x)                                                       \
  BINARY(add_##S, S, S, (v##S)((U)x + (U)y))                                     \
  BINARY(sub_##S, S, S, (v##S)((U)x - (U)y))                                     \
  BINARY(mul_##S, S, S, (v##S)((U)x * (U)y))                                     \
  BINARY(max_##S##_op, S, S, max_##S(x, y))                                      \
  BINARY(min_##S##_op, S, S, min_##S(x, y))                                      \
  BINARY(and_##S, S, S, x & y)                                                   \
  BINARY(or_##S, S, S, x | y)                                                    \
  BINARY(xor_##S, S, S, x ^ y)                                                   \
  SCALAR_BINARY(div_##S, S, divide_##S(x, y))                                    \
  SCALAR_BINARY(pow_##S##_op, S, pow_##S(x, y))                                  \
  SCALAR_BINARY(remainder_##S##_op, S, remainder_##S(x, y))                      \
  SCALAR_BINARY(floordiv_##S##_op, S, floordiv_##S(x, y))                        \
  MADD(madd_##S##_op, S, (v##S)((U)x * (U)y + (U)z))

INTEGER_OPS(i, vui)
INTEGER_OPS(l, vul)
SELECT(select_i, i, SAME)
SELECT(select_l, l, LONGS)

// MARK: Comparison and conversion

#define COMPARISONS(S, MASK)                          \
  BINARY(eq_##S, S, i, MASK(x == y) & 1)              \
  BINARY(ne_##S, S, i, MASK(x != y) & 1)              \
  BINARY(lt_##S, S, i, MASK(x < y) & 1)               \
  BINARY(le_##S, S, i, MASK(x <= y) & 1)              \
  UNARY(bool_##S, S, i, MASK(x != 0) & 1)
COMPARISONS(f, SAME)
COMPARISONS(d, INTS)
COMPARISONS(i, SAME)
COMPARISONS(l, INTS)

// Towards zero, saturated, NaN to 0: what lies outside is replaced before it is converted.

INLINE vi float_to_int(vf x) {
  vi y = INTS(((x < 2147483648.0f) & (x >= -2147483648.0f)) ? x : (vf)0);
  y = x >= 2147483648.0f ? (vi)INT32_MAX : y;
  return x < -2147483648.0f ? (vi)INT32_MIN : y;
}
INLINE vl double_to_long(vd x) {
  vl y = LONGS(((x < 0x1p63) & (x >= -0x1p63)) ? x : (vd)0);
  y = x >= 0x1p63 ? (vl)INT64_MAX : y;
  return x < -0x1p63 ? (vl)INT64_MIN : y;
}
INLINE vi double_to_int(vd x) {
  x = x != x ? (vd)0 : x;
  x = x > 2147483647.0 ? (vd)2147483647.0 : x;
  return INTS(x < -2147483648.0 ? (vd)-2147483648.0 : x);
}

UNARY(float_to_float, f, f, x)
UNARY(float_to_double, f, d, DOUBLES(x))
UNARY(float_to_int_op, f, i, float_to_int(x))
UNARY(float_to_long, f, l, double_to_long(DOUBLES(x)))
UNARY(double_to_float, d, f, FLOATS(x))
UNARY(double_to_double, d, d, x)
UNARY(double_to_int_op, d, i, double_to_int(x))
UNARY(double_to_long_op, d, l, double_to_long(x))
UNARY(int_to_float, i, f, FLOATS(x))
UNARY(int_to_double, i, d, DOUBLES(x))
UNARY(int_to_long, i, l, LONGS(x))
UNARY(long_to_float, l, f, FLOATS(x))
UNARY(long_to_double, l, d, DOUBLES(x))
UNARY(long_to_int, l, i, INTS(x))
UNARY(wrap_u8, i, i, x & 255)
UNARY(wrap_i8, i, i, (vi)((vui)x << 24) >> 24)

#define FLOAT_ROW(NAME) {NAME##_f, NAME##_d, 0, 0}
#define FLOAT_OP_ROW(NAME) {NAME##_f_op, NAME##_d_op, 0, 0}
#define INTEGER_ROW(NAME) {0, 0, NAME##_i, NAME##_l}
#define ROW(NAME) {NAME##_f, NAME##_d, NAME##_i, NAME##_l}
#define OP_ROW(NAME) {NAME##_f_op, NAME##_d_op, NAME##_i_op, NAME##_l_op}

#define OP_TABLE                                                                                      \
  {                                                                                                   \
    [TARN_NEG] = ROW(neg), [TARN_ABS] = OP_ROW(abs), [TARN_SIGN] = ROW(sign),                         \
    [TARN_EXP] = FLOAT_OP_ROW(exp), [TARN_EXPM1] = FLOAT_OP_ROW(expm1), [TARN_LOG] = FLOAT_OP_ROW(log), \
    [TARN_LOG1P] = FLOAT_OP_ROW(log1p), [TARN_SQRT] = FLOAT_ROW(sqrt), [TARN_RSQRT] = FLOAT_ROW(rsqrt), \
    [TARN_RECIPROCAL] = FLOAT_ROW(reciprocal), [TARN_SIN] = FLOAT_OP_ROW(sin),                        \
    [TARN_COS] = FLOAT_OP_ROW(cos), [TARN_TAN] = FLOAT_OP_ROW(tan), [TARN_ASIN] = FLOAT_OP_ROW(asin), \
    [TARN_ACOS] = FLOAT_OP_ROW(acos), [TARN_ATAN] = FLOAT_OP_ROW(atan), [TARN_TANH] = FLOAT_OP_ROW(tanh), \
    [TARN_ERF] = FLOAT_OP_ROW(erf), [TARN_ERFINV] = FLOAT_OP_ROW(erfinv),                             \
    [TARN_GELU] = FLOAT_OP_ROW(gelu), [TARN_GELU_SLOPE] = FLOAT_OP_ROW(gelu_slope),                   \
    [TARN_SIGMOID] = FLOAT_OP_ROW(sigmoid), [TARN_RELU] = ROW(relu),                                  \
    [TARN_FLOOR] = {floor_f, floor_d, same_i, same_l}, [TARN_CEIL] = {ceil_f, ceil_d, same_i, same_l}, \
    [TARN_ROUND] = {round_f, round_d, same_i, same_l}, [TARN_NOT] = INTEGER_ROW(not),                 \
    [TARN_COMPLEMENT] = INTEGER_ROW(complement), [TARN_ADD] = ROW(add), [TARN_SUB] = ROW(sub),        \
    [TARN_MUL] = ROW(mul), [TARN_DIV] = ROW(div), [TARN_POW] = OP_ROW(pow), [TARN_MAX] = OP_ROW(max), \
    [TARN_MIN] = OP_ROW(min), [TARN_ATAN2] = FLOAT_OP_ROW(atan2),                                     \
    [TARN_REMAINDER] = OP_ROW(remainder), [TARN_FLOORDIV] = OP_ROW(floordiv),                         \
    [TARN_AND] = INTEGER_ROW(and), [TARN_OR] = INTEGER_ROW(or), [TARN_XOR] = INTEGER_ROW(xor),        \
    [TARN_EQ] = ROW(eq), [TARN_NE] = ROW(ne), [TARN_LT] = ROW(lt), [TARN_LE] = ROW(le),               \
    [TARN_SELECT] = ROW(select), [TARN_FMA] = OP_ROW(madd),                                           \
    [TARN_CAST_F32] = {float_to_float, double_to_float, int_to_float, long_to_float},                 \
    [TARN_CAST_F64] = {float_to_double, double_to_double, int_to_double, long_to_double},             \
    [TARN_CAST_I32] = {float_to_int_op, double_to_int_op, same_i, long_to_int},                       \
    [TARN_CAST_I64] = {float_to_long, double_to_long_op, int_to_long, same_l},                        \
    [TARN_CAST_BOOL] = ROW(bool), [TARN_WRAP_U8] = {0, 0, wrap_u8, 0}, [TARN_WRAP_I8] = {0, 0, wrap_i8, 0}, \
    [TARN_ROUND_F16] = {round_f16, 0, 0, 0}, [TARN_ROUND_BF16] = {round_bf16, 0, 0, 0},               \
  }

#endif
