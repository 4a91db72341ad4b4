// What the drivers and the inner kernels of the weights' gradient share.
#ifndef TARN_WEIGHT_KERNELS_H
#define TARN_WEIGHT_KERNELS_H

#include <stdint.h>

/// Positions of some images: what x and g hold there. Strides in floats; g's columns are 16 apart.
typedef struct {
  const float *x, *g;
  int64_t images, rows, columns;
  int64_t x_image, x_row, x_column, g_image, g_row;
  int64_t g_block;
  /// In the totals: from one factor to the next, and from one block of outputs.
  int64_t total_factor, total_block;
  /// What to prefetch: a pixel with each position, `ahead_step` floats apart.
  const float *ahead;
  int64_t ahead_step;
  /// Of plain x: where the factors are, from the position's element on.
  const int64_t *offsets;
} tarn_weight_slab;

typedef struct tarn_weight_kernels {
  /// Factors of x and blocks of outputs that one call takes, at most.
  int factors, blocks;
  /// total[block total_block + i total_factor + lane] += sum over the slab of x[i] g[block g_block + lane], for
  /// i < `factors` and block < 1 or `blocks`.
  void (*one)(const tarn_weight_slab *slab, float *total);
  void (*several)(const tarn_weight_slab *slab, float *total);
  /// The same with x[offsets[i]], i < `stem_factors`, and 1, 2, … `stem_blocks` blocks.
  int stem_factors, stem_blocks;
  void (*stem[4])(const tarn_weight_slab *slab, float *total);
} tarn_weight_kernels;

#endif
