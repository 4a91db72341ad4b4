// Vectors of one SIMD level. Each level's .c file defines TARN_LEVEL and includes these headers once.
//
// Every vector type has W lanes, so values of different element types go lane by lane into one another;
// a vector of doubles takes two registers.
#ifndef TARN_SIMD_TYPES_H
#define TARN_SIMD_TYPES_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../internal.h"

#if TARN_LEVEL == 2
#define W 16
#elif TARN_LEVEL == 1
#define W 8
#else
#define W 4
#endif

#if TARN_LEVEL > 0 || defined(__ARM_FEATURE_FMA)
#define TARN_HAS_FMA 1
#else
#define TARN_HAS_FMA 0
#endif

// Vectors wider than a register pass only between functions that are inlined: no calling convention is at stake.
#pragma clang diagnostic ignored "-Wpsabi"

#define INLINE static inline __attribute__((always_inline, unused))

typedef float f_t;
typedef double d_t;
typedef int32_t i_t;
typedef int64_t l_t;

typedef float vf __attribute__((ext_vector_type(W)));
typedef double vd __attribute__((ext_vector_type(W)));
typedef int32_t vi __attribute__((ext_vector_type(W)));
typedef uint32_t vui __attribute__((ext_vector_type(W)));
typedef int64_t vl __attribute__((ext_vector_type(W)));
typedef uint64_t vul __attribute__((ext_vector_type(W)));

// The same in memory, at any element's address.
typedef vf vf_memory __attribute__((aligned(4), may_alias));
typedef vd vd_memory __attribute__((aligned(8), may_alias));
typedef vi vi_memory __attribute__((aligned(4), may_alias));
typedef vl vl_memory __attribute__((aligned(8), may_alias));

#define MEMORY_ACCESS(S)                                                                  \
  INLINE v##S load_##S(const S##_t *p) { return *(const v##S##_memory *)p; }              \
  INLINE void store_##S(S##_t *p, v##S x) { *(v##S##_memory *)p = x; }                    \
  INLINE v##S load_part_##S(const S##_t *p, int64_t count) {                              \
    v##S x = 0;                                                                           \
    memcpy(&x, p, (size_t)count * sizeof *p);                                             \
    return x;                                                                             \
  }                                                                                       \
  INLINE void store_part_##S(S##_t *p, v##S x, int64_t count) { memcpy(p, &x, (size_t)count * sizeof *p); }

MEMORY_ACCESS(f)
MEMORY_ACCESS(d)
MEMORY_ACCESS(i)
MEMORY_ACCESS(l)

#define FLOATS(x) __builtin_convertvector(x, vf)
#define DOUBLES(x) __builtin_convertvector(x, vd)
#define INTS(x) __builtin_convertvector(x, vi)
#define LONGS(x) __builtin_convertvector(x, vl)

// a * b + c
INLINE vf madd_f(vf a, vf b, vf c) {
#if TARN_HAS_FMA
  return __builtin_elementwise_fma(a, b, c);
#else
  return a * b + c;
#endif
}

INLINE vd madd_d(vd a, vd b, vd c) {
#if TARN_HAS_FMA
  return __builtin_elementwise_fma(a, b, c);
#else
  return a * b + c;
#endif
}

// Floating maximum and minimum that keep NaN.
INLINE vf max_f(vf a, vf b) { return ((a > b) | (a != a)) ? a : b; }
INLINE vf min_f(vf a, vf b) { return ((a < b) | (a != a)) ? a : b; }
INLINE vd max_d(vd a, vd b) { return ((a > b) | (a != a)) ? a : b; }
INLINE vd min_d(vd a, vd b) { return ((a < b) | (a != a)) ? a : b; }
INLINE vi max_i(vi a, vi b) { return a > b ? a : b; }
INLINE vi min_i(vi a, vi b) { return a < b ? a : b; }
INLINE vl max_l(vl a, vl b) { return a > b ? a : b; }
INLINE vl min_l(vl a, vl b) { return a < b ? a : b; }

// 1 in the lanes where any bit of the mask is set.
INLINE int any_i(vi mask) { return __builtin_reduce_or(mask) != 0; }

#endif
