// Between memory of every element type and registers.
#ifndef TARN_SIMD_CONVERT_H
#define TARN_SIMD_CONVERT_H

#include "types.h"

typedef uint8_t vu8 __attribute__((ext_vector_type(W)));
typedef int8_t vi8 __attribute__((ext_vector_type(W)));
typedef uint16_t vu16 __attribute__((ext_vector_type(W)));
typedef vu8 vu8_memory __attribute__((aligned(1), may_alias));
typedef vi8 vi8_memory __attribute__((aligned(1), may_alias));
typedef vu16 vu16_memory __attribute__((aligned(2), may_alias));

// MARK: Half precision

#if TARN_LEVEL > 0 || defined(__aarch64__)
typedef _Float16 vh __attribute__((ext_vector_type(W)));

INLINE vf half_to_float(vu16 h) { return __builtin_convertvector((vh)h, vf); }
INLINE vu16 float_to_half(vf x) { return (vu16)__builtin_convertvector(x, vh); }
#else
INLINE vf half_to_float(vu16 h) {
  vui bits = __builtin_convertvector(h, vui);
  vui magnitude = (bits & 0x7fff) << 13;
  // The multiplication moves the exponent, and makes denormals normal.
  vui y = (vui)((vf)magnitude * 0x1p112f);
  y = (vi)(bits & 0x7c00) == 0x7c00 ? magnitude | 0x7f800000 : y;
  return (vf)(y | (bits & 0x8000) << 16);
}

INLINE vu16 float_to_half(vf x) {
  vui bits = (vui)x & 0x7fffffff;
  vui sign = ((vui)x >> 16) & 0x8000;
  vui normal = (bits + 0xc8000fffu + ((bits >> 13) & 1)) >> 13;
  // Adding ½ puts the rounded fraction of a denormal into the low bits.
  vui denormal = (vui)((vf)bits + 0.5f) - 0x3f000000u;
  vui y = (vi)bits < 0x38800000 ? denormal : normal;
  y = (vi)bits >= 0x47800000 ? (vui)0x7c00 : y;
  y = (vi)bits > 0x7f800000 ? (vui)0x7e00 | (bits >> 13 & 0x3ff) : y;
  return __builtin_convertvector(y | sign, vu16);
}
#endif

INLINE vf brain_to_float(vu16 b) { return (vf)(__builtin_convertvector(b, vui) << 16); }

INLINE vu16 float_to_brain(vf x) {
  vui bits = (vui)x;
  vui y = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  y = x != x ? bits >> 16 | 0x40 : y;
  return __builtin_convertvector(y, vu16);
}

UNARY(round_f16, f, f, half_to_float(float_to_half(x)))
UNARY(round_bf16, f, f, brain_to_float(float_to_brain(x)))

// MARK: Loads

#define SAME_VECTOR(x) (x)

/// From memory type M (vectors V) to class R. Strides 1 and 0 have loops of their own.
#define LOAD(NAME, M, V, R, CONVERT)                                              \
  static void NAME(void *dst, const void *src, int64_t stride, int64_t n) {       \
    R##_t *d = dst;                                                               \
    const M *s = src;                                                             \
    int64_t i = 0;                                                                \
    if (stride == 1) {                                                            \
      for (; i + W <= n; i += W) store_##R(d + i, CONVERT(*(const V##_memory *)(s + i))); \
      if (i < n) {                                                                \
        V x = 0;                                                                  \
        memcpy(&x, s + i, (size_t)(n - i) * sizeof *s);                           \
        store_part_##R(d + i, CONVERT(x), n - i);                                 \
      }                                                                           \
    } else if (stride == 0) {                                                     \
      v##R x = CONVERT((V)s[0]);                                            \
      for (; i + W <= n; i += W) store_##R(d + i, x);                             \
      for (; i < n; i++) d[i] = x[0];                                             \
    } else {                                                                      \
      for (; i + W <= n; i += W) {                                                \
        V x;                                                                      \
        _Pragma("clang loop unroll(full)") for (int j = 0; j < W; j++) x[j] = s[(i + j) * stride]; \
        store_##R(d + i, CONVERT(x));                                             \
      }                                                                           \
      if (i < n) {                                                                \
        V x = 0;                                                                  \
        for (int64_t j = i; j < n; j++) x[j - i] = s[j * stride];                 \
        store_part_##R(d + i, CONVERT(x), n - i);                                 \
      }                                                                           \
    }                                                                             \
  }

LOAD(load_bool, uint8_t, vu8, i, INTS)
LOAD(load_i8, int8_t, vi8, i, INTS)
LOAD(load_i32, int32_t, vi, i, SAME_VECTOR)
LOAD(load_i64, int64_t, vl, l, SAME_VECTOR)
LOAD(load_f16, uint16_t, vu16, f, half_to_float)
LOAD(load_bf16, uint16_t, vu16, f, brain_to_float)
LOAD(load_f32, float, vf, f, SAME_VECTOR)
LOAD(load_f64, double, vd, d, SAME_VECTOR)

// MARK: Stores

INLINE vu8 int_to_bool(vi x) { return __builtin_convertvector((x != 0) & 1, vu8); }
INLINE vu8 int_to_byte(vi x) { return __builtin_convertvector(x, vu8); }

/// From class R to memory type M; `stride` is the memory's.
#define STORE(NAME, M, V, R, CONVERT)                                             \
  static void NAME(void *dst, const void *src, int64_t stride, int64_t n) {       \
    M *d = dst;                                                                   \
    const R##_t *s = src;                                                         \
    int64_t i = 0;                                                                \
    for (; i + W <= n; i += W) {                                                  \
      V x = CONVERT(load_##R(s + i));                                             \
      if (stride == 1) {                                                          \
        *(V##_memory *)(d + i) = x;                                               \
      } else {                                                                    \
        _Pragma("clang loop unroll(full)") for (int j = 0; j < W; j++) d[(i + j) * stride] = x[j]; \
      }                                                                           \
    }                                                                             \
    if (i < n) {                                                                  \
      V x = CONVERT(load_part_##R(s + i, n - i));                                 \
      for (int64_t j = i; j < n; j++) d[j * stride] = x[j - i];                   \
    }                                                                             \
  }

STORE(store_bool, uint8_t, vu8, i, int_to_bool)
STORE(store_byte, uint8_t, vu8, i, int_to_byte)
STORE(store_i32, int32_t, vi, i, SAME_VECTOR)
STORE(store_i64, int64_t, vl, l, SAME_VECTOR)
STORE(store_f16, uint16_t, vu16, f, float_to_half)
STORE(store_bf16, uint16_t, vu16, f, float_to_brain)
STORE(store_f32, float, vf, f, SAME_VECTOR)
STORE(store_f64, double, vd, d, SAME_VECTOR)

#define LOAD_TABLE \
  {load_bool, load_bool, load_i8, load_i32, load_i64, load_f16, load_bf16, load_f32, load_f64}
#define STORE_TABLE \
  {store_bool, store_byte, store_byte, store_i32, store_i64, store_f16, store_bf16, store_f32, store_f64}

/// Whole cache lines past the caches, the rest as usual. dst is 64-byte aligned.
static void stream(void *dst, const void *src, int64_t bytes) {
  char *d = dst;
  const char *s = src;
  int64_t i = 0;
  for (; i + (int64_t)sizeof(vf) <= bytes; i += sizeof(vf)) {
    __builtin_nontemporal_store(*(const vf_memory *)(s + i), (vf *)(d + i));
  }
  memcpy(d + i, s + i, (size_t)(bytes - i));
}

#endif
