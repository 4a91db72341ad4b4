// Sums of outer products: sixteen outputs' gradients times single elements of x, over positions, in registers.
#ifndef TARN_SIMD_WEIGHT_GRADIENT_H
#define TARN_SIMD_WEIGHT_GRADIENT_H

#include "../weight_kernels.h"
#include "types.h"

#if TARN_LEVEL == 2
enum { WEIGHT_FACTORS = 8, WEIGHT_BLOCKS = 2, STEM_FACTORS = 6 };
#elif TARN_LEVEL == 1
enum { WEIGHT_FACTORS = 4, WEIGHT_BLOCKS = 1, STEM_FACTORS = 4 };
#else
enum { WEIGHT_FACTORS = 2, WEIGHT_BLOCKS = 1, STEM_FACTORS = 2 };
#endif

/// Vectors of a block.
enum { WEIGHT_PARTS = 16 / W };

/// `factors`, `blocks` and `scattered`, whether the factors are at offsets, are constants.
INLINE void weight_outer(
  const tarn_weight_slab *s, float *total, const int factors, const int blocks, const int scattered
) {
  int64_t offsets[16];
#pragma clang loop unroll(full)
  for (int i = 0; i < factors; i++) offsets[i] = scattered ? s->offsets[i] : i;
  vf sum[16][4];
  const int vectors = blocks * WEIGHT_PARTS;
#pragma clang loop unroll(full)
  for (int i = 0; i < factors; i++) {
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) sum[i][v] = 0;
  }
  const float *ahead = s->ahead;
  const int64_t x_column = s->x_column, g_block = s->g_block, columns = s->columns;
  for (int64_t image = 0; image < s->images; image++) {
    for (int64_t row = 0; row < s->rows; row++) {
      const float *x = s->x + image * s->x_image + row * s->x_row;
      const float *g = s->g + image * s->g_image + row * s->g_row;
      for (int64_t column = 0; column < columns; column++, x += x_column, g += 16) {
        __builtin_prefetch(ahead, 0, 2);
        ahead += s->ahead_step;
        vf factor[4];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) factor[v] = load_f(g + v / WEIGHT_PARTS * g_block + v % WEIGHT_PARTS * W);
#pragma clang loop unroll(full)
        for (int i = 0; i < factors; i++) {
#pragma clang loop unroll(full)
          for (int v = 0; v < vectors; v++) sum[i][v] = madd_f((vf)x[offsets[i]], factor[v], sum[i][v]);
        }
      }
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < factors; i++) {
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      float *to = total + v / WEIGHT_PARTS * s->total_block + i * s->total_factor + v % WEIGHT_PARTS * W;
      store_f(to, load_f(to) + sum[i][v]);
    }
  }
}

static void weight_one(const tarn_weight_slab *slab, float *total) { weight_outer(slab, total, WEIGHT_FACTORS, 1, 0); }
static void weight_several(const tarn_weight_slab *slab, float *total) {
  weight_outer(slab, total, WEIGHT_FACTORS, WEIGHT_BLOCKS, 0);
}

static void weight_stem_1(const tarn_weight_slab *slab, float *total) { weight_outer(slab, total, STEM_FACTORS, 1, 1); }
#if TARN_LEVEL == 2
static void weight_stem_2(const tarn_weight_slab *slab, float *total) { weight_outer(slab, total, STEM_FACTORS, 2, 1); }
static void weight_stem_3(const tarn_weight_slab *slab, float *total) { weight_outer(slab, total, STEM_FACTORS, 3, 1); }
static void weight_stem_4(const tarn_weight_slab *slab, float *total) { weight_outer(slab, total, STEM_FACTORS, 4, 1); }
#define WEIGHT_STEMS 4, {weight_stem_1, weight_stem_2, weight_stem_3, weight_stem_4}
#else
#define WEIGHT_STEMS 1, {weight_stem_1}
#endif

static const tarn_weight_kernels weight_kernels = {
  WEIGHT_FACTORS, WEIGHT_BLOCKS, weight_one, weight_several, STEM_FACTORS, WEIGHT_STEMS};

#endif
