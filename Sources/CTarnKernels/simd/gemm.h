// Register tiles of matrix products.
//
// A is packed in panels of MR rows, B in panels of NR columns, both k by k. A tile keeps MR x NR sums in registers;
// each element of C adds its products in the order of k, so its bits do not depend on the tiling.
#ifndef TARN_SIMD_GEMM_H
#define TARN_SIMD_GEMM_H

#include "types.h"

#if TARN_LEVEL == 2
enum { MR = 14, NR_F = 32, NR_D = 16 };
#elif TARN_LEVEL == 1
enum { MR = 6, NR_F = 16, NR_D = 8 };
#elif defined(__aarch64__)
enum { MR = 8, NR_F = 8, NR_D = 4 };
#else
enum { MR = 4, NR_F = 8, NR_D = 4 };
#endif

/// The register type of doubles here: one machine register.
typedef double vr_d __attribute__((ext_vector_type(W / 2)));
typedef vr_d vr_d_memory __attribute__((aligned(8), may_alias));
typedef vf vr_f;
typedef vf_memory vr_f_memory;

#define TILE(S, NR)                                                                                     \
  static void tile_##S(                                                                                 \
    int64_t k, const void *pa, const void *pb, void *pc, int64_t ld_c, int64_t m, int64_t n, int accumulate) { \
    enum { LANES = sizeof(vr_##S) / sizeof(S##_t) };                                                    \
    const S##_t *a = pa, *b = pb;                                                                       \
    S##_t *c = pc;                                                                                      \
    vr_##S sums[MR][2];                                                                                 \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < MR; i++) sums[i][0] = sums[i][1] = 0;        \
    for (int i = 0; i < m; i++) __builtin_prefetch(c + i * ld_c, 1);                                    \
    for (int64_t p = 0; p < k; p++) {                                                                   \
      vr_##S b0 = *(const vr_##S##_memory *)b, b1 = *(const vr_##S##_memory *)(b + LANES);              \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < MR; i++) {                                 \
        vr_##S x = (vr_##S)a[i];                                                                        \
        sums[i][0] = MULTIPLY_ADD(x, b0, sums[i][0]);                                                   \
        sums[i][1] = MULTIPLY_ADD(x, b1, sums[i][1]);                                                   \
      }                                                                                                 \
      a += MR;                                                                                          \
      b += NR;                                                                                          \
    }                                                                                                   \
    if (m == MR && n == NR) {                                                                           \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < MR; i++) {                                 \
        vr_##S##_memory *row = (vr_##S##_memory *)(c + i * ld_c);                                       \
        if (accumulate) {                                                                               \
          sums[i][0] += row[0];                                                                         \
          sums[i][1] += *(vr_##S##_memory *)(c + i * ld_c + LANES);                                     \
        }                                                                                               \
        row[0] = sums[i][0];                                                                            \
        *(vr_##S##_memory *)(c + i * ld_c + LANES) = sums[i][1];                                        \
      }                                                                                                 \
      return;                                                                                           \
    }                                                                                                   \
    S##_t spill[MR][NR];                                                                                \
    memcpy(spill, sums, sizeof spill);                                                                  \
    for (int64_t i = 0; i < m; i++) {                                                                   \
      for (int64_t j = 0; j < n; j++) {                                                                 \
        c[i * ld_c + j] = accumulate ? c[i * ld_c + j] + spill[i][j] : spill[i][j];                     \
      }                                                                                                 \
    }                                                                                                   \
  }

#if TARN_HAS_FMA
#define MULTIPLY_ADD(x, y, z) __builtin_elementwise_fma(x, y, z)
#else
#define MULTIPLY_ADD(x, y, z) ((x) * (y) + (z))
#endif

TILE(f, NR_F)
TILE(d, NR_D)

#endif
