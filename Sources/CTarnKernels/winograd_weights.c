// Gradient of the weights by Winograd's minimal filtering:
//   dw = G^T [ sum over tiles of (B^T x B) * (A g A^T) ] G.
//
// The inner sums are a matrix product over the tiles at each position. They are computed for ranges of channels and
// outputs, small enough to stay in the second-level cache; groups of tiles add up in their order.
#include <string.h>

#include "winograd.h"

enum {
  /// Of a group: the most tiles, so that a block of them stays in the first-level cache, and bytes, for the third.
  GROUP_TILES = 192,
  GROUP_BYTES = 12 << 20,
  /// Blocks of channels and of outputs in a range.
  RANGE = 4,
  /// With fewer ranges, threads share positions.
  FEWEST_RANGES = 12,
  MOST_TRANSFORMED = 16,
};

typedef struct {
  tarn_winograd_shape shape;
  const float *x, *g;
  float *dw;
  /// Transformed tiles of the current group: of x, then of g.
  float *inputs, *gradients;
  int64_t input_step, gradient_step, first, count, parts;
  /// The sums of all ranges; null if every range is finished by the thread that computes it.
  float *sums;
  int64_t c_ranges, o_ranges;
  int *status;
} weights_job;

/// The sums of a range: [position, channel, block of outputs, 16].
enum { SUMS_STEP = (RANGE * TARN_LANES * RANGE + 1) * TARN_LANES };

typedef struct {
  int64_t index, c0, c_blocks, o0, o_blocks;
} weights_range;

static weights_range range_at(const weights_job *job, int64_t index) {
  const tarn_winograd_shape *s = &job->shape;
  weights_range r = {.index = index, .c0 = index / job->o_ranges * RANGE, .o0 = index % job->o_ranges * RANGE};
  r.c_blocks = tarn_least(RANGE, s->c_blocks - r.c0);
  r.o_blocks = tarn_least(RANGE, s->o_blocks - r.o0);
  return r;
}

static void transform_task(void *ctx, int64_t begin, int64_t end) {
  const weights_job *job = ctx;
  const tarn_winograd_shape *s = &job->shape;
  const struct tarn_winograd_kernels *kernels = tarn_level_now()->winograd;
  for (int64_t i = begin; i < end; i++) {
    const int64_t part = i % job->parts, block = i / job->parts;
    const int64_t from = job->count * part / job->parts, count = job->count * (part + 1) / job->parts - from;
    if (block < s->c_blocks) {
      tarn_winograd_transform(
        s, kernels->input[s->which], job->x, s->c_blocks, block, s->h, s->w, s->low[0], s->low[1], job->first + from,
        count, job->inputs + (block * job->count + from) * TARN_LANES, job->input_step);
    } else {
      const int64_t o_block = block - s->c_blocks;
      tarn_winograd_transform(
        s, kernels->gradient[s->which], job->g, s->o_blocks, o_block, s->oh, s->ow, 0, 0, job->first + from, count,
        job->gradients + (o_block * job->count + from) * TARN_LANES, job->gradient_step);
    }
  }
}

static void sum_position(const weights_job *job, const weights_range *range, int64_t position, float *sums) {
  const struct tarn_winograd_kernels *kernels = tarn_level_now()->winograd;
  const int64_t block_step = job->count * TARN_LANES, row = range->o_blocks * TARN_LANES;
  const float *v = job->inputs + position * job->input_step + range->c0 * block_step;
  const float *g = job->gradients + position * job->gradient_step + range->o0 * block_step;
  sums += position * SUMS_STEP;
  for (int64_t b = 0; b < range->c_blocks; b++) {
    const float *ahead[] = {v + job->input_step + b * block_step, g + job->gradient_step + b * block_step};
    kernels->sums(
      job->count, range->o_blocks, v + b * block_step, g, block_step, sums + b * TARN_LANES * row, row,
      job->first > 0, ahead);
  }
}

/// Transforms channel `c` of the range, all its outputs.
static void finish_channel(const weights_job *job, const weights_range *range, int64_t c, const float *sums) {
  const tarn_winograd_shape *s = &job->shape;
  const tarn_winograd_taps transform = tarn_level_now()->winograd->weight_gradient[s->which];
  const int64_t channel = range->c0 * TARN_LANES + c;
  _Alignas(64) float taps[9 * TARN_LANES];
  for (int64_t b = 0; b < range->o_blocks; b++) {
    transform(sums + (c * range->o_blocks + b) * TARN_LANES, taps, SUMS_STEP);
    const int64_t o = (range->o0 + b) * TARN_LANES, lanes = tarn_least(TARN_LANES, s->o - o);
    for (int64_t lane = 0; lane < lanes; lane++) {
      float *to = job->dw + ((o + lane) * s->c + channel) * 9;
      for (int tap = 0; tap < 9; tap++) to[tap] = taps[tap * TARN_LANES + lane];
    }
  }
}

static int64_t range_channels(const weights_job *job, const weights_range *range) {
  return tarn_least(range->c_blocks * TARN_LANES, job->shape.c - range->c0 * TARN_LANES);
}

static int is_last(const weights_job *job) { return job->first + job->count == job->shape.tiles; }

static float *sums_of(const weights_job *job, int64_t range) {
  return job->sums + range * job->shape.positions * SUMS_STEP;
}

/// Whole ranges, each by one thread.
static void ranges_task(void *ctx, int64_t begin, int64_t end) {
  const weights_job *job = ctx;
  const int64_t positions = job->shape.positions;
  for (int64_t i = begin; i < end; i++) {
    const weights_range range = range_at(job, i);
    float *sums = job->sums
                    ? sums_of(job, i)
                    : tarn_scratch(TARN_SCRATCH_WINOGRAD_OUTPUT, (size_t)(positions * SUMS_STEP) * sizeof *sums);
    if (!sums) {
      __atomic_store_n(job->status, TARN_NO_MEMORY, __ATOMIC_RELAXED);
      return;
    }
    for (int64_t p = 0; p < positions; p++) sum_position(job, &range, p, sums);
    if (!is_last(job)) continue;
    const int64_t channels = range_channels(job, &range);
    for (int64_t c = 0; c < channels; c++) finish_channel(job, &range, c, sums);
  }
}

static void positions_task(void *ctx, int64_t begin, int64_t end) {
  const weights_job *job = ctx;
  for (int64_t i = begin; i < end; i++) {
    const weights_range range = range_at(job, i / job->shape.positions);
    sum_position(job, &range, i % job->shape.positions, sums_of(job, range.index));
  }
}

static void finish_task(void *ctx, int64_t begin, int64_t end) {
  const weights_job *job = ctx;
  for (int64_t i = begin; i < end; i++) {
    const int64_t c_range = i / (RANGE * TARN_LANES), c = i % (RANGE * TARN_LANES);
    for (int64_t o_range = 0; o_range < job->o_ranges; o_range++) {
      const weights_range range = range_at(job, c_range * job->o_ranges + o_range);
      finish_channel(job, &range, c, sums_of(job, range.index));
    }
  }
}

static int run_groups(weights_job *job, int64_t group) {
  const tarn_winograd_shape *s = &job->shape;
  const int64_t ranges = job->c_ranges * job->o_ranges;
  const int shared = ranges < FEWEST_RANGES;
  int status = TARN_OK;
  job->status = &status;
  if (shared || group < s->tiles) {
    job->sums = tarn_scratch(
      TARN_SCRATCH_WINOGRAD_SUMS, (size_t)(ranges * s->positions * SUMS_STEP) * sizeof *job->sums);
    if (!job->sums) return TARN_NO_MEMORY;
  }
  for (job->first = 0; job->first < s->tiles; job->first += group) {
    job->count = tarn_least(group, s->tiles - job->first);
    job->parts = tarn_ceil_div(job->count, MOST_TRANSFORMED);
    job->input_step = tarn_winograd_step(s->c_blocks, job->count);
    job->gradient_step = tarn_winograd_step(s->o_blocks, job->count);
    job->gradients = job->inputs + s->positions * job->input_step;
    tarn_parallel((s->c_blocks + s->o_blocks) * job->parts, 1, transform_task, job);
    if (shared) {
      tarn_parallel(ranges * s->positions, 1, positions_task, job);
    } else {
      tarn_parallel(ranges, 1, ranges_task, job);
    }
  }
  if (shared) tarn_parallel(s->c, 4, finish_task, job);
  return status;
}

int tarn_winograd_weight_gradient(const tarn_conv *conv, int tile, const float *x, const float *g, float *dw) {
  if (!tarn_winograd_takes(conv, TARN_PASS_WEIGHT_GRADIENT, tile)) return TARN_BAD_ARGUMENT;
  weights_job job = {
    .shape = tarn_winograd_shape_of(conv, TARN_PASS_WEIGHT_GRADIENT, tile), .x = x, .g = g, .dw = dw};
  const tarn_winograd_shape *s = &job.shape;
  if (s->c * s->o == 0) return TARN_OK;
  if (s->tiles == 0) {
    memset(dw, 0, (size_t)(s->c * s->o * 9) * sizeof *dw);
    return TARN_OK;
  }
  job.c_ranges = tarn_ceil_div(s->c_blocks, RANGE);
  job.o_ranges = tarn_ceil_div(s->o_blocks, RANGE);
  const int64_t blocks = s->c_blocks + s->o_blocks, tile_bytes = s->positions * blocks * TARN_LANES * 4;
  const int64_t fitting = tarn_least(GROUP_TILES, tarn_greatest(1, GROUP_BYTES / tile_bytes));
  const int64_t group = tarn_ceil_div(s->tiles, tarn_ceil_div(s->tiles, fitting));
  const int64_t floats = s->positions * (tarn_winograd_step(blocks, group) + TARN_LANES);
  job.inputs = tarn_scratch(TARN_SCRATCH_WINOGRAD_INPUT, (size_t)floats * sizeof(float));
  if (!job.inputs) return TARN_NO_MEMORY;
  return run_groups(&job, group);
}
