// Passes over blocked images with numbers per channel, and the sums of batch normalisation over plain ones.
#include <math.h>

#include "include/tarn_blocked.h"
#include "internal.h"

/// Pixels of one piece of work.
enum { PIECE = 1024 };

typedef struct {
  const tarn_level *level;
  int64_t blocks, pixels, pieces;
  const float *x, *other, *a, *b, *c;
  const tarn_epilogue *epilogue;
  float *y;
} image_work;

/// The pixels and the block of channels of piece `index`.
static int64_t piece_of(const image_work *work, int64_t index, int64_t *block, int64_t *count) {
  const int64_t plane = index / work->pieces, first = index % work->pieces * PIECE;
  *block = plane % work->blocks * TARN_LANES;
  *count = tarn_least(PIECE, work->pixels - first);
  return (plane * work->pixels + first) * TARN_LANES;
}

static void silu(const tarn_level *level, float *y, int64_t n) {
  float gate[TARN_BLOCK];
  for (int64_t i = 0; i < n; i += TARN_BLOCK) {
    const int64_t count = tarn_least(TARN_BLOCK, n - i);
    level->ops[TARN_SIGMOID][TARN_F32](gate, y + i, NULL, NULL, count, 0);
    level->ops[TARN_MUL][TARN_F32](y + i, y + i, gate, NULL, count, 0);
  }
}

static void affine_task(void *ctx, int64_t begin, int64_t end) {
  const image_work *work = ctx;
  const tarn_epilogue *e = work->epilogue;
  for (int64_t index = begin; index < end; index++) {
    int64_t block, count;
    const int64_t at = piece_of(work, index, &block, &count);
    work->level->affine_pixels(
      work->y + at, work->x + at, e->scale ? e->scale + block : NULL, e->shift ? e->shift + block : NULL,
      e->residual ? e->residual + at : NULL, e->activation, e->low, e->high, count);
    if (e->activation == TARN_ACTIVATION_SILU) silu(work->level, work->y + at, count * TARN_LANES);
  }
}

int tarn_blocked_affine(
  int64_t n, int64_t blocks, int64_t pixels, const float *x, const tarn_epilogue *epilogue, float *y
) {
  image_work work = {
    .level = tarn_level_now(), .blocks = blocks, .pixels = pixels, .pieces = tarn_ceil_div(pixels, PIECE), .x = x,
    .epilogue = epilogue, .y = y};
  tarn_parallel(n * blocks * work.pieces, tarn_greatest(1, 4 * PIECE / tarn_greatest(1, pixels)), affine_task, &work);
  return TARN_OK;
}

static void blend_task(void *ctx, int64_t begin, int64_t end) {
  const image_work *work = ctx;
  for (int64_t index = begin; index < end; index++) {
    int64_t block, count;
    const int64_t at = piece_of(work, index, &block, &count);
    work->level->blend_pixels(
      work->y + at, work->x + at, work->other + at, work->a + block, work->b + block, work->c + block, count);
  }
}

int tarn_blocked_blend(
  int64_t n, int64_t blocks, int64_t pixels, const float *x, const float *y, const float *a, const float *b,
  const float *c, float *z
) {
  image_work work = {
    .level = tarn_level_now(), .blocks = blocks, .pixels = pixels, .pieces = tarn_ceil_div(pixels, PIECE), .x = x,
    .other = y, .a = a, .b = b, .c = c, .y = z};
  tarn_parallel(n * blocks * work.pieces, tarn_greatest(1, 4 * PIECE / tarn_greatest(1, pixels)), blend_task, &work);
  return TARN_OK;
}

// MARK: Plain images

typedef struct {
  int64_t n, c, pixels;
  const float *g, *x, *moments;
  double epsilon;
  float *table;
} plain_work;

static void moments_task(void *ctx, int64_t begin, int64_t end) {
  const plain_work *work = ctx;
  const double count = (double)(work->n * work->pixels);
  for (int64_t channel = begin; channel < end; channel++) {
    double sum = 0, squares = 0;
    for (int64_t n = 0; n < work->n; n++) {
      const float *x = work->x + (n * work->c + channel) * work->pixels;
      for (int64_t i = 0; i < work->pixels; i++) sum += x[i];
    }
    const double mean = sum / count;
    for (int64_t n = 0; n < work->n; n++) {
      const float *x = work->x + (n * work->c + channel) * work->pixels;
      for (int64_t i = 0; i < work->pixels; i++) squares += (x[i] - mean) * (x[i] - mean);
    }
    work->table[channel] = (float)mean;
    work->table[work->c + channel] = (float)(squares / count);
  }
}

int tarn_batch_moments(int64_t n, int64_t c, int64_t pixels, const float *x, float *moments) {
  plain_work work = {.n = n, .c = c, .pixels = pixels, .x = x, .table = moments};
  tarn_parallel(c, tarn_greatest(1, 16384 / tarn_greatest(1, n * pixels)), moments_task, &work);
  return TARN_OK;
}

static void sums_task(void *ctx, int64_t begin, int64_t end) {
  const plain_work *work = ctx;
  for (int64_t channel = begin; channel < end; channel++) {
    const double mean = work->moments[channel];
    const double rstd = 1 / sqrt(work->moments[work->c + channel] + work->epsilon);
    double sum = 0, product = 0;
    for (int64_t n = 0; n < work->n; n++) {
      const int64_t at = (n * work->c + channel) * work->pixels;
      for (int64_t i = 0; i < work->pixels; i++) {
        sum += work->g[at + i];
        product += work->g[at + i] * (work->x[at + i] - mean);
      }
    }
    work->table[channel] = (float)sum;
    work->table[work->c + channel] = (float)(product * rstd);
  }
}

int tarn_batch_gradient_sums(
  int64_t n, int64_t c, int64_t pixels, const float *g, const float *x, const float *moments, double epsilon,
  float *sums
) {
  plain_work work = {
    .n = n, .c = c, .pixels = pixels, .g = g, .x = x, .moments = moments, .epsilon = epsilon, .table = sums};
  tarn_parallel(c, tarn_greatest(1, 16384 / tarn_greatest(1, n * pixels)), sums_task, &work);
  return TARN_OK;
}
