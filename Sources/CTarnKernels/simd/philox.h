// Philox 4x32-10: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#ifndef TARN_SIMD_PHILOX_H
#define TARN_SIMD_PHILOX_H

#include "types.h"

typedef uint32_t four_u __attribute__((ext_vector_type(4)));
typedef four_u four_u_memory __attribute__((aligned(4), may_alias));

typedef uint64_t pairs __attribute__((ext_vector_type(W / 2)));

/// Both halves of each lane's product with a constant: even lanes and odd lanes as 64-bit products, put together.
INLINE void multiply_words(vui x, uint32_t factor, vui *high, vui *low) {
  const pairs low_half = (pairs)0xffffffffu;
  pairs even = ((pairs)x & low_half) * (uint64_t)factor, odd = ((pairs)x >> 32) * (uint64_t)factor;
  *high = (vui)(even >> 32 | (odd & ~low_half));
  *low = (vui)((even & low_half) | odd << 32);
}

/// W blocks side by side; words[j][i] is word j of the block in lane i.
INLINE void philox_lanes(uint64_t key, uint64_t stream, vul block, vui words[4]) {
  vui a = __builtin_convertvector(block, vui), b = __builtin_convertvector(block >> 32, vui);
  vui c = (vui)(uint32_t)stream, e = (vui)(uint32_t)(stream >> 32);
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int round = 0; round < 10; round++) {
    vui high_a, low_a, high_c, low_c;
    multiply_words(a, 0xd2511f53u, &high_a, &low_a);
    multiply_words(c, 0xcd9e8d57u, &high_c, &low_c);
    a = high_c ^ b ^ k0;
    b = low_c;
    c = high_a ^ e ^ k1;
    e = low_a;
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  words[0] = a, words[1] = b, words[2] = c, words[3] = e;
}

static void philox(uint64_t key, uint64_t stream, uint64_t first, int64_t n, uint32_t *out) {
  vul lane;
  for (int i = 0; i < W; i++) lane[i] = (uint64_t)i;
  for (int64_t i = 0; i < n; i += W) {
    vui words[4];
    philox_lanes(key, stream, lane + (first + (uint64_t)i), words);
    uint32_t rows[4][W];
    memcpy(rows, words, sizeof rows);
    for (int j = 0; j < W; j += 4, out += 16) {
      four_u a = *(four_u_memory *)&rows[0][j], b = *(four_u_memory *)&rows[1][j];
      four_u c = *(four_u_memory *)&rows[2][j], e = *(four_u_memory *)&rows[3][j];
      four_u ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
      four_u ce = __builtin_shufflevector(c, e, 0, 4, 1, 5), ce2 = __builtin_shufflevector(c, e, 2, 6, 3, 7);
      *(four_u_memory *)out = __builtin_shufflevector(ab, ce, 0, 1, 4, 5);
      *(four_u_memory *)(out + 4) = __builtin_shufflevector(ab, ce, 2, 3, 6, 7);
      *(four_u_memory *)(out + 8) = __builtin_shufflevector(ab2, ce2, 0, 1, 4, 5);
      *(four_u_memory *)(out + 12) = __builtin_shufflevector(ab2, ce2, 2, 3, 6, 7);
    }
  }
}

#endif
