// The gradient of the weights of a convolution of few, plain channels: every element of the kernels of all channels
// times the blocked gradient, summed over positions.
//
// Rows of x get margins of zeros, a few at a time. Each piece of work sums over some rows of positions of all images,
// and the pieces' sums are added in order.
#include <string.h>

#include "include/tarn_blocked.h"
#include "internal.h"
#include "weight_kernels.h"

/// Positions that all weights use while they are in the cache, and the most pieces.
enum { SLAB_POSITIONS = 224, MOST_PIECES = 32 };

typedef struct {
  const tarn_conv *conv;
  const float *x, *g;
  float *totals, *dw;
  /// Of a band of rows: images' rows with margins, their size; columns of positions taken at once.
  int64_t rows, padded_h, padded_w, columns;
  /// Bands of an image, bands of a piece, pieces.
  int64_t image_bands, piece_bands, pieces;
  /// Elements of a kernel over all channels, rounded up to whole calls; blocks of outputs.
  int64_t weights, rounded, blocks;
  const int64_t *offsets;
  int *status;
} stem_job;

/// Copies the rows that positions in row `first` and following read, with margins, as [c, padded_h, padded_w].
static void pad_band(const stem_job *job, int64_t image, int64_t first, float *padded) {
  const tarn_conv *conv = job->conv;
  const int64_t top = first * conv->stride[0] - conv->low[0];
  const int64_t left = tarn_least(job->padded_w, tarn_greatest(0, conv->low[1]));
  const int64_t from = tarn_greatest(0, -conv->low[1]);
  const int64_t count = tarn_greatest(0, tarn_least(conv->w - from, job->padded_w - left));
  for (int64_t c = 0; c < conv->c; c++) {
    for (int64_t row = 0; row < job->padded_h; row++) {
      float *to = padded + (c * job->padded_h + row) * job->padded_w;
      const int64_t y = top + row;
      const int64_t kept = y < 0 || y >= conv->h ? 0 : count, before = kept ? left : 0;
      memset(to, 0, (size_t)before * sizeof *to);
      if (kept) memcpy(to + before, job->x + ((image * conv->c + c) * conv->h + y) * conv->w + from, (size_t)kept * 4);
      memset(to + before + kept, 0, (size_t)(job->padded_w - before - kept) * sizeof *to);
    }
  }
}

/// Adds a band to totals[block, weight, 16].
static void add_band(const stem_job *job, int64_t image, int64_t first, const float *padded, float *totals) {
  const tarn_conv *conv = job->conv;
  const tarn_weight_kernels *kernels = tarn_level_now()->weight_gradient;
  const int64_t plane = conv->oh * conv->ow * TARN_LANES;
  tarn_weight_slab slab = {
    .images = 1, .rows = tarn_least(job->rows, conv->oh - first), .x_row = conv->stride[0] * job->padded_w,
    .x_column = conv->stride[1], .g_row = conv->ow * TARN_LANES, .g_block = plane,
    .total_factor = TARN_LANES, .total_block = job->rounded * TARN_LANES};
  for (int64_t column = 0; column < conv->ow; column += job->columns) {
    slab.columns = tarn_least(job->columns, conv->ow - column);
    slab.x = padded + column * conv->stride[1];
    for (int64_t block = 0, taken; block < job->blocks; block += taken) {
      taken = tarn_least(kernels->stem_blocks, job->blocks - block);
      slab.g = job->g + (image * job->blocks + block) * plane + (first * conv->ow + column) * TARN_LANES;
      for (int64_t weight = 0; weight < job->weights; weight += kernels->stem_factors) {
        slab.offsets = job->offsets + weight;
        // The first calls fetch a block each of the next band.
        const int64_t call = weight / kernels->stem_factors;
        slab.ahead = call < taken ? slab.g + call * plane + slab.rows * slab.g_row : slab.x;
        slab.ahead_step = call < taken ? TARN_LANES : 0;
        kernels->stem[taken - 1](&slab, totals + (block * job->rounded + weight) * TARN_LANES);
      }
    }
  }
}

static void stem_task(void *ctx, int64_t begin, int64_t end) {
  const stem_job *job = ctx;
  const int64_t size = job->conv->c * job->padded_h * job->padded_w;
  float *padded = tarn_scratch(TARN_SCRATCH_MARGINS, (size_t)size * sizeof *padded);
  if (!padded) {
    __atomic_store_n(job->status, TARN_NO_MEMORY, __ATOMIC_RELAXED);
    return;
  }
  const int64_t sums = job->blocks * job->rounded * TARN_LANES;
  for (int64_t piece = begin; piece < end; piece++) {
    float *totals = job->totals + piece * sums;
    memset(totals, 0, (size_t)sums * sizeof *totals);
    const int64_t last = tarn_least(job->conv->n * job->image_bands, (piece + 1) * job->piece_bands);
    for (int64_t band = piece * job->piece_bands; band < last; band++) {
      const int64_t image = band / job->image_bands, first = band % job->image_bands * job->rows;
      pad_band(job, image, first, padded);
      add_band(job, image, first, padded, totals);
    }
  }
}

static void combine_task(void *ctx, int64_t begin, int64_t end) {
  const stem_job *job = ctx;
  const int64_t sums = job->blocks * job->rounded * TARN_LANES;
  for (int64_t o = begin; o < end; o++) {
    const float *from = job->totals + o / TARN_LANES * job->rounded * TARN_LANES + o % TARN_LANES;
    for (int64_t weight = 0; weight < job->weights; weight++) {
      float sum = 0;
      for (int64_t piece = 0; piece < job->pieces; piece++) sum += from[piece * sums + weight * TARN_LANES];
      job->dw[o * job->weights + weight] = sum;
    }
  }
}

/// Offsets of all elements of the kernels within a band, repeating the first up to whole calls.
static void fill_offsets(const stem_job *job, int64_t *offsets) {
  const tarn_conv *conv = job->conv;
  for (int64_t weight = 0; weight < job->rounded; weight++) {
    const int64_t k = weight < job->weights ? weight : 0;
    const int64_t c = k / (conv->kh * conv->kw), i = k / conv->kw % conv->kh, j = k % conv->kw;
    offsets[weight] = (c * job->padded_h + i * conv->dilation[0]) * job->padded_w + j * conv->dilation[1];
  }
}

int tarn_stem_weight_gradient(const tarn_conv *conv, const float *x, const float *g, float *dw) {
  if (!tarn_stem_takes(conv, TARN_PASS_WEIGHT_GRADIENT)) return TARN_BAD_ARGUMENT;
  int status = TARN_OK;
  stem_job job = {.conv = conv, .x = x, .g = g, .dw = dw, .status = &status};
  job.weights = conv->c * conv->kh * conv->kw;
  if (conv->o * job.weights == 0) return TARN_OK;
  if (conv->n * conv->oh * conv->ow == 0) {
    memset(dw, 0, (size_t)(conv->o * job.weights) * sizeof *dw);
    return TARN_OK;
  }
  const int64_t factors = tarn_level_now()->weight_gradient->stem_factors;
  job.rounded = tarn_ceil_div(job.weights, factors) * factors;
  job.blocks = tarn_ceil_div(conv->o, TARN_LANES);
  job.columns = tarn_ceil_div(conv->ow, tarn_ceil_div(conv->ow, SLAB_POSITIONS));
  job.rows = tarn_greatest(1, tarn_least(conv->oh, SLAB_POSITIONS / conv->ow));
  job.padded_h = (job.rows - 1) * conv->stride[0] + (conv->kh - 1) * conv->dilation[0] + 1;
  job.padded_w = (conv->ow - 1) * conv->stride[1] + (conv->kw - 1) * conv->dilation[1] + 1;
  job.image_bands = tarn_ceil_div(conv->oh, job.rows);
  job.piece_bands = tarn_ceil_div(conv->n * job.image_bands, MOST_PIECES);
  job.pieces = tarn_ceil_div(conv->n * job.image_bands, job.piece_bands);
  int64_t *offsets = tarn_scratch(TARN_SCRATCH_TABLES, (size_t)job.rounded * sizeof *offsets);
  const int64_t sums = job.pieces * job.blocks * job.rounded * TARN_LANES;
  job.totals = tarn_scratch(TARN_SCRATCH_WEIGHT_SUMS, (size_t)sums * sizeof *job.totals);
  if (!offsets || !job.totals) return TARN_NO_MEMORY;
  fill_offsets(&job, offsets);
  job.offsets = offsets;
  tarn_parallel(job.pieces, 1, stem_task, &job);
  tarn_parallel(conv->o, 16, combine_task, &job);
  return status;
}
