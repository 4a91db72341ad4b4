// Winograd's minimal filtering: what its drivers and the kernels of a SIMD level share.
//
// A tile of m x m outputs comes from t x t inputs, t = m + 2: with one small matrix for each of the t * t positions,
//   Y = A^T [ sum over input channels of (G w G^T) * (B^T x B) ] A.
// Positions are numbered row by row. Transformed inputs lie [position, block of channels, tile, 16], transformed
// weights [pair of blocks of outputs, position, input channel, block of the pair, 16].
#ifndef TARN_WINOGRAD_H
#define TARN_WINOGRAD_H

#include "include/tarn_blocked.h"
#include "internal.h"

/// A plane of sixteen channels, and the pixel where a row of tiles begins; outside the plane it is 0.
typedef struct {
  const float *data;
  int64_t h, w, row, column;
} tarn_winograd_source;

/// Where a row of tiles of one block of channels goes.
typedef struct {
  float *data;
  /// Of this plane and block; null as in the epilogue.
  const float *residual, *scale, *shift;
  int64_t h, w, row, column;
  const tarn_epilogue *epilogue;
} tarn_winograd_target;

/// `count` tiles beside each other: position p of tile i goes to to[p * step + i * 16].
typedef void (*tarn_winograd_spread)(const tarn_winograd_source *from, int64_t count, float *to, int64_t step);
typedef void (*tarn_winograd_collect)(const tarn_winograd_target *to, int64_t count, const float *from, int64_t step);
/// Sixteen 3 x 3 kernels to their positions, to[p * step], and back; taps lie [9, 16].
typedef void (*tarn_winograd_taps)(const float *from, float *to, int64_t step);
/// Row `row` of the positions of `count` times sixteen kernels, from the direct kernels' order [9, 16, 16]: position p of
/// the row goes, for the i-th, to to[p * step + i * next].
typedef void (*tarn_winograd_row)(int row, const float *from, int64_t count, float *to, int64_t next, int64_t step);

/// [0]: tile 2, [1]: tile 4.
struct tarn_winograd_kernels {
  /// B^T x B, A g A^T, and A^T y A with the epilogue.
  tarn_winograd_spread input[2], gradient[2];
  tarn_winograd_collect output[2];
  /// G w G^T, and G^T u G from u[p * step].
  tarn_winograd_taps weights[2], weight_gradient[2];
  /// The same as `weights`, a row at a time.
  tarn_winograd_row weight_row[2];
  /// One position: products of `tiles` tiles, [blocks, tiles, 16], with weights of 1 or 2 blocks of outputs.
  /// `v_step` and `y_step`: floats from block to block.
  void (*products)(
    int64_t tiles, int blocks, int64_t channels, const float *v, int64_t v_step, const float *u, float *y,
    int64_t y_step);
  /// One position: sums[c, block, 16] = or += sum over tiles of v[tile, c] * g[block, tile, 16] for sixteen c, `blocks`
  /// blocks. What lies at ahead[0] and ahead[1], sixteen floats a tile, is needed next.
  void (*sums)(
    int64_t tiles, int64_t blocks, const float *v, const float *g, int64_t g_step, float *sums, int64_t sums_step,
    int accumulate, const float *const ahead[2]);
};

/// A convolution seen as tiles: `c` channels of [h, w] go to `o` channels of [oh, ow].
typedef struct {
  int which, m, positions;
  int64_t n, c, h, w, o, oh, ow, low[2];
  int64_t c_blocks, o_blocks, pairs;
  /// Tiles of a row, of an image, and of all.
  int64_t across, each, tiles;
} tarn_winograd_shape;

tarn_winograd_shape tarn_winograd_shape_of(const tarn_conv *conv, int pass, int tile);

typedef struct {
  int64_t image, row, column, count;
} tarn_winograd_run;
/// The tiles from `tile` on that lie beside each other, at most `most`.
static inline tarn_winograd_run tarn_winograd_run_at(const tarn_winograd_shape *shape, int64_t tile, int64_t most) {
  const int64_t image = tile / shape->each, rest = tile % shape->each;
  const int64_t row = rest / shape->across, column = rest % shape->across;
  return (tarn_winograd_run){
    image, row * shape->m, column * shape->m, tarn_least(most, shape->across - column)};
}

/// Transforms `count` tiles of block `block`; `planes` blocks of [h, w] make an image.
void tarn_winograd_transform(
  const tarn_winograd_shape *shape, tarn_winograd_spread spread, const float *images, int64_t planes, int64_t block,
  int64_t h, int64_t w, int64_t low_row, int64_t low_column, int64_t first, int64_t count, float *to, int64_t step);

/// Floats from position to position: one line more than it takes, so that positions do not meet in the caches.
static inline int64_t tarn_winograd_step(int64_t blocks, int64_t tiles) { return (blocks * tiles + 1) * TARN_LANES; }

#endif
