// Convolution by Winograd's minimal filtering, forward and gradient of the input (Lavin and Gray, Fast algorithms for
// convolutional neural networks, 2016).
//
// Groups of tiles go through three steps: inputs are transformed, multiplied with the weights, and the products of a
// pair of blocks transformed into outputs at once. Either one thread takes a small group through all steps, so that
// everything but the weights stays in its second-level cache; or, where that would read many weights again and again,
// all threads share each step of a large group.
#include <string.h>

#include "winograd.h"

enum {
  /// Bytes of transformed inputs: of one thread's group, and of a shared one.
  OWN_BYTES = 320 << 10,
  SHARED_BYTES = 4 << 20,
  /// Tiles: the fewest of a thread's group for which it pays, the most, and how many groups there must be.
  FEWEST_OWN = 14,
  MOST_OWN = 56,
  FEWEST_GROUPS = 12,
  /// Tiles whose products one piece of work computes, and inputs it transforms.
  MOST_PRODUCTS = 64,
  MOST_INPUTS = 16,
  /// Input channels whose weights are packed side by side, and bytes of packed weights that go past the caches.
  PACKED_CHANNELS = 8,
  STREAMED_BYTES = 12 << 20,
  /// Up to so many tiles, and from so many bytes of packed weights on, weights are transformed as they are needed.
  FEW_TILES = 64,
  MANY_WEIGHTS = 3 << 20,
};

int tarn_winograd_takes(const tarn_conv *conv, int pass, int tile) {
  return pass >= TARN_PASS_FORWARD && pass <= TARN_PASS_WEIGHT_GRADIENT && (tile == 2 || tile == 4) &&
         conv->groups == 1 && conv->kh == 3 && conv->kw == 3 && conv->stride[0] == 1 && conv->stride[1] == 1 &&
         conv->dilation[0] == 1 && conv->dilation[1] == 1;
}

tarn_winograd_shape tarn_winograd_shape_of(const tarn_conv *conv, int pass, int tile) {
  tarn_winograd_shape s = {.which = tile == 4, .m = tile, .positions = (tile + 2) * (tile + 2), .n = conv->n};
  if (pass == TARN_PASS_INPUT_GRADIENT) {
    s.c = conv->o, s.h = conv->oh, s.w = conv->ow, s.o = conv->c, s.oh = conv->h, s.ow = conv->w;
    for (int axis = 0; axis < 2; axis++) s.low[axis] = 2 - conv->low[axis];
  } else {
    s.c = conv->c, s.h = conv->h, s.w = conv->w, s.o = conv->o, s.oh = conv->oh, s.ow = conv->ow;
    for (int axis = 0; axis < 2; axis++) s.low[axis] = conv->low[axis];
  }
  s.c_blocks = tarn_ceil_div(s.c, TARN_LANES);
  s.o_blocks = tarn_ceil_div(s.o, TARN_LANES);
  s.pairs = tarn_ceil_div(s.o_blocks, 2);
  s.across = tarn_ceil_div(s.ow, tile);
  s.each = tarn_ceil_div(s.oh, tile) * s.across;
  s.tiles = s.n * s.each;
  return s;
}

/// Where the weights of a pair of blocks begin.
static int64_t pair_offset(const tarn_winograd_shape *s, int64_t pair) {
  return pair * s->positions * s->c * 2 * TARN_LANES;
}

static int pair_blocks(const tarn_winograd_shape *s, int64_t pair) {
  return (int)tarn_least(2, s->o_blocks - 2 * pair);
}

int64_t tarn_winograd_packed_count(const tarn_conv *conv, int pass, int tile) {
  const tarn_winograd_shape s = tarn_winograd_shape_of(conv, pass, tile);
  return s.positions * s.c * s.o_blocks * TARN_LANES;
}

// MARK: Weights

typedef struct {
  tarn_winograd_shape shape;
  int turned;
  /// Whether the packed weights are too many for the caches.
  int streams;
  const float *w;
  float *packed;
} pack_job;

/// The 3 x 3 kernels from `count` input channels to sixteen outputs, [count, 9, 16]; the gradient turns them about.
static void take_taps(const pack_job *job, int64_t c, int64_t count, int64_t block, float *taps) {
  const tarn_winograd_shape *s = &job->shape;
  const tarn_pack_transposed transpose = tarn_level_now()->pack_transposed[0];
  const int64_t o = block * TARN_LANES, outputs = tarn_least(TARN_LANES, s->o - o);
  if (!job->turned) {
    if (outputs < TARN_LANES) memset(taps, 0, (size_t)(count * 9 * TARN_LANES) * sizeof *taps);
    transpose(taps, TARN_LANES, job->w + (o * s->c + c) * 9, s->c * 9, outputs, count * 9);
    return;
  }
  _Alignas(64) float lines[9 * TARN_LANES] = {0};
  for (int64_t i = 0; i < count; i++) {
    transpose(lines, TARN_LANES, job->w + ((c + i) * s->o + o) * 9, 9, outputs, 9);
    for (int tap = 0; tap < 9; tap++) {
      memcpy(taps + (i * 9 + tap) * TARN_LANES, lines + (8 - tap) * TARN_LANES, TARN_LANES * sizeof *taps);
    }
  }
}

/// Input channels `c` to `c + count` of a pair: transformed side by side in `panels`, then copied to their positions,
/// which lie far apart, in runs as long as possible.
static void pack_channels(const pack_job *job, int64_t pair, int64_t c, int64_t count, float *panels) {
  const tarn_winograd_shape *s = &job->shape;
  const tarn_level *level = tarn_level_now();
  const int blocks = pair_blocks(s, pair);
  const int64_t width = blocks * TARN_LANES;
  _Alignas(64) float taps[PACKED_CHANNELS * 9 * TARN_LANES];
  for (int b = 0; b < blocks; b++) {
    take_taps(job, c, count, 2 * pair + b, taps);
    for (int64_t i = 0; i < count; i++) {
      float *to = panels + i * width + b * TARN_LANES;
      level->winograd->weights[s->which](taps + i * 9 * TARN_LANES, to, count * width);
    }
  }
  const size_t bytes = (size_t)(count * width) * sizeof(float);
  for (int64_t p = 0; p < s->positions; p++) {
    float *to = job->packed + pair_offset(s, pair) + (p * s->c + c) * width;
    if (job->streams) {
      level->stream(to, panels + p * count * width, (int64_t)bytes);
    } else {
      memcpy(to, panels + p * count * width, bytes);
    }
  }
}

static void pack_task(void *ctx, int64_t begin, int64_t end) {
  const pack_job *job = ctx;
  const tarn_winograd_shape *s = &job->shape;
  const int64_t parts = tarn_ceil_div(s->c, PACKED_CHANNELS);
  _Alignas(64) float panels[36 * PACKED_CHANNELS * 2 * TARN_LANES];
  for (int64_t i = begin; i < end; i++) {
    const int64_t c = i % parts * PACKED_CHANNELS;
    pack_channels(job, i / parts, c, tarn_least(PACKED_CHANNELS, s->c - c), panels);
  }
}

int tarn_winograd_pack(const tarn_conv *conv, int pass, int tile, const float *w, float *packed) {
  if (!tarn_winograd_takes(conv, pass, tile)) return TARN_BAD_ARGUMENT;
  pack_job job = {
    .shape = tarn_winograd_shape_of(conv, pass, tile), .turned = pass == TARN_PASS_INPUT_GRADIENT,
    .streams = tarn_winograd_packed_count(conv, pass, tile) * 4 > STREAMED_BYTES, .w = w, .packed = packed};
  tarn_parallel(job.shape.pairs * tarn_ceil_div(job.shape.c, PACKED_CHANNELS), 2, pack_task, &job);
  return TARN_OK;
}

// MARK: Inputs

void tarn_winograd_transform(
  const tarn_winograd_shape *shape, tarn_winograd_spread spread, const float *images, int64_t planes, int64_t block,
  int64_t h, int64_t w, int64_t low_row, int64_t low_column, int64_t first, int64_t count, float *to, int64_t step
) {
  for (int64_t done = 0; done < count;) {
    const tarn_winograd_run run = tarn_winograd_run_at(shape, first + done, count - done);
    const tarn_winograd_source from = {
      images + (run.image * planes + block) * h * w * TARN_LANES, h, w, run.row - low_row, run.column - low_column};
    spread(&from, run.count, to + done * TARN_LANES, step);
    done += run.count;
  }
}

// MARK: Groups of tiles

typedef struct {
  tarn_winograd_shape shape;
  /// One of `packed` and `direct` is null.
  const float *x, *packed, *direct;
  const tarn_epilogue *epilogue;
  float *y;
  /// Tiles of a group.
  int64_t group;
  int *status;
} winograd_job;

/// Tiles `first` to `first + count`, cut into `parts` for each step.
typedef struct {
  const winograd_job *job;
  int64_t first, count, input_parts, parts;
  float *inputs;
  int64_t step;
} winograd_group;

/// A part's share of `count`: its first element; the next part's is its end.
static int64_t share(int64_t count, int64_t part, int64_t parts) { return count * part / parts; }

static void inputs_task(void *ctx, int64_t begin, int64_t end) {
  const winograd_group *group = ctx;
  const winograd_job *job = group->job;
  const tarn_winograd_shape *s = &job->shape;
  const tarn_winograd_spread spread = tarn_level_now()->winograd->input[s->which];
  for (int64_t i = begin; i < end; i++) {
    const int64_t block = i / group->input_parts, part = i % group->input_parts;
    const int64_t from = share(group->count, part, group->input_parts);
    const int64_t count = share(group->count, part + 1, group->input_parts) - from;
    tarn_winograd_transform(
      s, spread, job->x, s->c_blocks, block, s->h, s->w, s->low[0], s->low[1], group->first + from, count,
      group->inputs + (block * group->count + from) * TARN_LANES, group->step);
  }
}

static void store_products(
  const winograd_job *job, int64_t block, int64_t first, int64_t count, const float *products, int64_t step
) {
  const tarn_winograd_shape *s = &job->shape;
  const tarn_epilogue *epilogue = job->epilogue;
  const tarn_winograd_collect collect = tarn_level_now()->winograd->output[s->which];
  for (int64_t done = 0; done < count;) {
    const tarn_winograd_run run = tarn_winograd_run_at(s, first + done, count - done);
    const int64_t plane = (run.image * s->o_blocks + block) * s->oh * s->ow * TARN_LANES;
    const tarn_winograd_target to = {
      .data = job->y + plane, .residual = epilogue->residual ? epilogue->residual + plane : NULL,
      .scale = epilogue->scale ? epilogue->scale + block * TARN_LANES : NULL,
      .shift = epilogue->shift ? epilogue->shift + block * TARN_LANES : NULL, .h = s->oh, .w = s->ow, .row = run.row,
      .column = run.column, .epilogue = epilogue};
    collect(&to, run.count, products + done * TARN_LANES, step);
    done += run.count;
  }
}

/// A row of the positions of a pair's weights, transformed from the direct kernels' order: as packed ones, [position,
/// input channel, block of the pair, 16].
static void make_row(const winograd_job *job, int64_t pair, int row, float *weights) {
  const tarn_winograd_shape *s = &job->shape;
  const tarn_winograd_row transform = tarn_level_now()->winograd->weight_row[s->which];
  const int blocks = pair_blocks(s, pair);
  const int64_t width = blocks * TARN_LANES;
  for (int64_t c_block = 0; c_block < s->c_blocks; c_block++) {
    const int64_t c = c_block * TARN_LANES;
    for (int b = 0; b < blocks; b++) {
      const float *from = job->direct + ((2 * pair + b) * s->c_blocks + c_block) * 9 * TARN_LANES * TARN_LANES;
      transform(
        row, from, tarn_least(TARN_LANES, s->c - c), weights + c * width + b * TARN_LANES, width, s->c * width);
    }
  }
}

static void products_task(void *ctx, int64_t begin, int64_t end) {
  const winograd_group *group = ctx;
  const winograd_job *job = group->job;
  const tarn_winograd_shape *s = &job->shape;
  const struct tarn_winograd_kernels *kernels = tarn_level_now()->winograd;
  const int64_t step = tarn_winograd_step(2, tarn_ceil_div(group->count, group->parts));
  float *products = tarn_scratch(TARN_SCRATCH_WINOGRAD_OUTPUT, (size_t)(s->positions * step) * sizeof *products);
  const int side = s->m + 2;
  const size_t row_bytes = (size_t)(side * s->c * 2 * TARN_LANES) * sizeof(float);
  float *row = job->direct ? tarn_scratch(TARN_SCRATCH_WINOGRAD_WEIGHTS, row_bytes) : NULL;
  if (!products || (job->direct && !row)) {
    __atomic_store_n(job->status, TARN_NO_MEMORY, __ATOMIC_RELAXED);
    return;
  }
  for (int64_t i = begin; i < end; i++) {
    const int64_t pair = i / group->parts, part = i % group->parts;
    const int64_t from = share(group->count, part, group->parts);
    const int64_t count = share(group->count, part + 1, group->parts) - from;
    const int blocks = pair_blocks(s, pair);
    for (int64_t p = 0; p < s->positions; p++) {
      if (row && p % side == 0) make_row(job, pair, (int)(p / side), row);
      const float *first = row ? row : job->packed + pair_offset(s, pair);
      const int64_t position = row ? p % side : p;
      kernels->products(
        count, blocks, s->c, group->inputs + p * group->step + from * TARN_LANES, group->count * TARN_LANES,
        first + position * s->c * blocks * TARN_LANES, products + p * step, count * TARN_LANES);
    }
    for (int b = 0; b < blocks; b++) {
      store_products(
        job, 2 * pair + b, group->first + from, count, products + b * count * TARN_LANES, step);
    }
  }
}

/// Runs on all threads, or in the caller within another job.
static void groups_task(void *ctx, int64_t begin, int64_t end) {
  const winograd_job *job = ctx;
  const tarn_winograd_shape *s = &job->shape;
  for (int64_t i = begin; i < end; i++) {
    const int64_t first = i * job->group;
    winograd_group group = {.job = job, .first = first, .count = tarn_least(job->group, s->tiles - first)};
    group.input_parts = tarn_ceil_div(group.count, MOST_INPUTS);
    group.parts = tarn_ceil_div(group.count, MOST_PRODUCTS);
    group.step = tarn_winograd_step(s->c_blocks, group.count);
    group.inputs = tarn_scratch(TARN_SCRATCH_WINOGRAD_INPUT, (size_t)(s->positions * group.step) * sizeof(float));
    if (!group.inputs) {
      __atomic_store_n(job->status, TARN_NO_MEMORY, __ATOMIC_RELAXED);
      return;
    }
    tarn_parallel(s->c_blocks * group.input_parts, 1, inputs_task, &group);
    tarn_parallel(s->pairs * group.parts, 1, products_task, &group);
  }
}

/// Tiles of a group of at most `bytes` of transformed inputs, all groups having nearly the same size.
static int64_t group_tiles(const tarn_winograd_shape *s, int64_t bytes, int64_t most) {
  const int64_t tile = s->positions * tarn_greatest(1, s->c_blocks) * TARN_LANES * 4;
  const int64_t fitting = tarn_least(most, tarn_greatest(1, bytes / tile));
  return tarn_ceil_div(s->tiles, tarn_ceil_div(s->tiles, fitting));
}

static int run_tiles(winograd_job *job) {
  const tarn_winograd_shape *s = &job->shape;
  int status = TARN_OK;
  job->status = &status;
  if (s->tiles * s->o == 0) return TARN_OK;
  if (job->direct) {
    job->group = s->tiles;
    groups_task(job, 0, 1);
    return status;
  }
  job->group = group_tiles(s, OWN_BYTES, MOST_OWN);
  const int64_t groups = tarn_ceil_div(s->tiles, job->group);
  if (job->group >= FEWEST_OWN && groups >= FEWEST_GROUPS) {
    tarn_parallel(groups, 1, groups_task, job);
  } else {
    job->group = group_tiles(s, SHARED_BYTES, s->tiles);
    groups_task(job, 0, tarn_ceil_div(s->tiles, job->group));
  }
  return status;
}

int tarn_winograd_forward(
  const tarn_conv *conv, int tile, const float *x, const float *packed, const tarn_epilogue *epilogue, float *y
) {
  if (!tarn_winograd_takes(conv, TARN_PASS_FORWARD, tile)) return TARN_BAD_ARGUMENT;
  const tarn_epilogue none = {0};
  winograd_job job = {
    .shape = tarn_winograd_shape_of(conv, TARN_PASS_FORWARD, tile), .x = x, .packed = packed,
    .epilogue = epilogue ? epilogue : &none, .y = y};
  return run_tiles(&job);
}

int tarn_winograd_suits_direct(const tarn_conv *conv, int tile) {
  if (!tarn_winograd_takes(conv, TARN_PASS_FORWARD, tile)) return 0;
  return tarn_winograd_shape_of(conv, TARN_PASS_FORWARD, tile).tiles <= FEW_TILES &&
         tarn_winograd_packed_count(conv, TARN_PASS_FORWARD, tile) * 4 >= MANY_WEIGHTS;
}

int tarn_winograd_forward_direct(
  const tarn_conv *conv, int tile, const float *x, const float *packed, const tarn_epilogue *epilogue, float *y
) {
  if (!tarn_winograd_takes(conv, TARN_PASS_FORWARD, tile)) return TARN_BAD_ARGUMENT;
  const tarn_epilogue none = {0};
  winograd_job job = {
    .shape = tarn_winograd_shape_of(conv, TARN_PASS_FORWARD, tile), .x = x, .direct = packed,
    .epilogue = epilogue ? epilogue : &none, .y = y};
  return run_tiles(&job);
}

int tarn_winograd_input_gradient(const tarn_conv *conv, int tile, const float *g, const float *packed, float *dx) {
  if (!tarn_winograd_takes(conv, TARN_PASS_INPUT_GRADIENT, tile)) return TARN_BAD_ARGUMENT;
  const tarn_epilogue none = {0};
  winograd_job job = {
    .shape = tarn_winograd_shape_of(conv, TARN_PASS_INPUT_GRADIENT, tile), .x = g, .packed = packed,
    .epilogue = &none, .y = dx};
  return run_tiles(&job);
}
