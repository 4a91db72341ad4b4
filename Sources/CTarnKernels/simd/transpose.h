// Sixteen vectors of sixteen floats, turned about.
#ifndef TARN_SIMD_TRANSPOSE_H
#define TARN_SIMD_TRANSPOSE_H

#include "types.h"

typedef float pf __attribute__((ext_vector_type(16)));
typedef pf pf_memory __attribute__((aligned(4), may_alias));

#define UNROLL _Pragma("clang loop unroll(full)")

/// Sixteen vectors as the rows of a matrix: its transpose.
INLINE void transpose(pf v[16]) {
  pf t[16];
  UNROLL for (int i = 0; i < 16; i += 2) {
    t[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
    t[i + 1] = __builtin_shufflevector(v[i], v[i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
  }
  UNROLL for (int i = 0; i < 16; i += 4) {
    UNROLL for (int j = 0; j < 2; j++) {
      pf a = t[i + j], b = t[i + j + 2];
      v[i + 2 * j] = __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
      v[i + 2 * j + 1] = __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    }
  }
  // Quarters of vectors are in order now: v[4 i + j] has columns j, 4 + j, 8 + j, 12 + j of rows 4 i … 4 i + 3.
  UNROLL for (int j = 0; j < 4; j++) {
    pf a = v[j], b = v[4 + j], c = v[8 + j], d = v[12 + j];
    pf ab = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    pf cd = __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    pf ab2 = __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    pf cd2 = __builtin_shufflevector(c, d, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    t[j] = __builtin_shufflevector(ab, cd, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
    t[4 + j] = __builtin_shufflevector(ab, cd, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    t[8 + j] = __builtin_shufflevector(ab2, cd2, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
    t[12 + j] = __builtin_shufflevector(ab2, cd2, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
  }
  UNROLL for (int i = 0; i < 16; i++) v[i] = t[i];
}

#endif
