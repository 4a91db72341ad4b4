// Convolution of one input channel a group, plane by plane.
#include <string.h>

#include "internal.h"

typedef struct {
  const tarn_conv *conv;
  int wide;
  int64_t bytes, multiplier;
  tarn_grid grid;
  const int64_t *taps;
  const char *x, *w, *g;
  char *out;
  int *status;
} depthwise_job;

static void note(const depthwise_job *job, int status) {
  if (status) __atomic_store_n(job->status, status, __ATOMIC_RELAXED);
}

/// A padded plane in the calling thread's scratch memory.
static char *padded_plane(const tarn_grid *grid, int64_t bytes, const char *plane) {
  char *padded = tarn_scratch(TARN_SCRATCH_IMAGE, (size_t)(tarn_grid_elements(grid) * bytes));
  if (padded) tarn_grid_pad(grid, bytes, plane, padded);
  return padded;
}

static void tap_offsets(const tarn_grid *grid, int64_t *out) {
  for (int64_t i = 0; i < grid->count[0]; i++) {
    for (int64_t j = 0; j < grid->count[1]; j++) {
      *out++ = (grid->offsets[0][i] - grid->origin[0]) * grid->padded_w + grid->offsets[1][j] - grid->origin[1];
    }
  }
}

/// The grid of the forward pass over one plane.
static int prepare(depthwise_job *job, int wide, const tarn_conv *conv) {
  const int64_t kh = conv->kh, kw = conv->kw;
  int64_t *offsets = tarn_scratch(TARN_SCRATCH_OFFSETS, (size_t)(kh + kw + kh * kw) * sizeof *offsets);
  if (!offsets) return TARN_NO_MEMORY;
  for (int64_t i = 0; i < kh; i++) offsets[i] = i * conv->dilation[0] - conv->low[0];
  for (int64_t j = 0; j < kw; j++) offsets[kh + j] = j * conv->dilation[1] - conv->low[1];
  job->conv = conv;
  job->wide = wide;
  job->bytes = wide ? 8 : 4;
  job->multiplier = conv->o / conv->c;
  job->grid = (tarn_grid){
    .channels = 1, .h = conv->h, .w = conv->w, .rows = conv->oh, .columns = conv->ow,
    .stride = {conv->stride[0], conv->stride[1]}, .count = {kh, kw}, .offsets = {offsets, offsets + kh}};
  tarn_grid_measure(&job->grid);
  tap_offsets(&job->grid, offsets + kh + kw);
  job->taps = offsets + kh + kw;
  return TARN_OK;
}

/// Planes that make up a worthwhile piece of work.
static int64_t plane_grain(const tarn_conv *conv) {
  return tarn_greatest(1, 32768 / tarn_greatest(1, conv->oh * conv->ow * conv->kh * conv->kw));
}

// MARK: Forward

static void forward_task(void *ctx, int64_t begin, int64_t end) {
  const depthwise_job *job = ctx;
  const tarn_conv *conv = job->conv;
  const tarn_grid *grid = &job->grid;
  const int64_t taps = conv->kh * conv->kw;
  for (int64_t i = begin; i < end; i++) {
    const int64_t image = i / conv->o, o = i % conv->o;
    const int64_t plane = image * conv->c + o / job->multiplier;
    const char *padded = padded_plane(grid, job->bytes, job->x + plane * conv->h * conv->w * job->bytes);
    if (!padded) {
      note(job, TARN_NO_MEMORY);
      return;
    }
    for (int64_t y = 0; y < conv->oh; y++) {
      tarn_level_now()->taps[job->wide](
        job->out + (i * conv->oh + y) * conv->ow * job->bytes,
        padded + y * grid->stride[0] * grid->padded_w * job->bytes, job->taps, job->w + o * taps * job->bytes, taps,
        conv->ow, grid->stride[1], 0);
    }
  }
}

int tarn_depthwise_forward(int wide, const tarn_conv *conv, const void *x, const void *w, void *y) {
  int status = TARN_OK;
  depthwise_job job = {.x = x, .w = w, .out = y, .status = &status};
  if (prepare(&job, wide, conv)) return TARN_NO_MEMORY;
  tarn_parallel(conv->n * conv->o, plane_grain(conv), forward_task, &job);
  return status;
}

// MARK: Gradient of the input

/// Adds the planes of g that came from one plane of x, at the positions of one phase.
static int spread_phase(const depthwise_job *job, int64_t plane, const tarn_phase *py, const tarn_phase *px) {
  const tarn_conv *conv = job->conv;
  const int64_t bytes = job->bytes, image = plane / conv->c, channel = plane % conv->c, n_taps = py->count * px->count;
  tarn_grid grid = {
    .channels = 1, .h = conv->oh, .w = conv->ow, .rows = py->length, .columns = px->length, .stride = {1, 1},
    .count = {py->count, px->count}, .offsets = {py->offsets, px->offsets}};
  tarn_grid_measure(&grid);
  const int64_t size = py->length * px->length;
  char *sums = tarn_scratch(TARN_SCRATCH_TILE, (size_t)((size + n_taps) * bytes));
  int64_t *offsets = tarn_scratch(TARN_SCRATCH_TABLES, (size_t)n_taps * sizeof *offsets);
  if (!sums || !offsets) return TARN_NO_MEMORY;
  char *weights = sums + size * bytes;
  tap_offsets(&grid, offsets);
  for (int64_t m = 0; m < job->multiplier; m++) {
    const int64_t o = channel * job->multiplier + m;
    const char *padded = padded_plane(&grid, bytes, job->g + (image * conv->o + o) * conv->oh * conv->ow * bytes);
    if (!padded) return TARN_NO_MEMORY;
    for (int64_t t = 0; t < n_taps; t++) {
      const int64_t tap = py->taps[t / px->count] * conv->kw + px->taps[t % px->count];
      memcpy(weights + t * bytes, job->w + (o * conv->kh * conv->kw + tap) * bytes, (size_t)bytes);
    }
    for (int64_t y = 0; y < py->length; y++) {
      tarn_level_now()->taps[job->wide](
        sums + y * px->length * bytes, padded + y * grid.padded_w * bytes, offsets, weights, n_taps, px->length, 1,
        m > 0);
    }
  }
  const int64_t shape[2] = {py->length, px->length};
  const int64_t into[2] = {conv->stride[0] * conv->w, conv->stride[1]}, from[2] = {px->length, 1};
  tarn_copy_strided(
    bytes, 2, shape, job->out + ((plane * conv->h + py->start) * conv->w + px->start) * bytes, into, sums, from);
  return TARN_OK;
}

static void input_task(void *ctx, int64_t begin, int64_t end) {
  const depthwise_job *job = ctx;
  const tarn_conv *conv = job->conv;
  int64_t *memory = tarn_scratch(TARN_SCRATCH_OFFSETS, (size_t)(2 * (conv->kh + conv->kw)) * sizeof *memory);
  if (!memory) {
    note(job, TARN_NO_MEMORY);
    return;
  }
  for (int64_t i = 0; i < tarn_least(conv->stride[0], conv->h); i++) {
    const tarn_phase py = tarn_phase_of(conv, 0, i, memory);
    for (int64_t j = 0; j < tarn_least(conv->stride[1], conv->w); j++) {
      const tarn_phase px = tarn_phase_of(conv, 1, j, memory + 2 * conv->kh);
      if (py.count == 0 || px.count == 0) continue;
      for (int64_t plane = begin; plane < end; plane++) note(job, spread_phase(job, plane, &py, &px));
    }
  }
}

int tarn_depthwise_input_gradient(int wide, const tarn_conv *conv, const void *g, const void *w, void *dx) {
  int status = TARN_OK;
  depthwise_job job = {
    .conv = conv, .wide = wide, .bytes = wide ? 8 : 4, .multiplier = conv->o / conv->c, .g = g, .w = w, .out = dx,
    .status = &status};
  tarn_parallel(conv->n * conv->c, plane_grain(conv), input_task, &job);
  return status;
}

// MARK: Gradient of the weights

static void weights_task(void *ctx, int64_t begin, int64_t end) {
  const depthwise_job *job = ctx;
  const tarn_conv *conv = job->conv;
  const tarn_grid *grid = &job->grid;
  const int64_t taps = conv->kh * conv->kw;
  double *sums = tarn_scratch(TARN_SCRATCH_TABLES, (size_t)taps * sizeof *sums);
  if (!sums) {
    note(job, TARN_NO_MEMORY);
    return;
  }
  for (int64_t o = begin; o < end; o++) {
    memset(sums, 0, (size_t)taps * sizeof *sums);
    for (int64_t image = 0; image < conv->n; image++) {
      const int64_t plane = image * conv->c + o / job->multiplier;
      const char *padded = padded_plane(grid, job->bytes, job->x + plane * conv->h * conv->w * job->bytes);
      if (!padded) {
        note(job, TARN_NO_MEMORY);
        return;
      }
      for (int64_t y = 0; y < conv->oh; y++) {
        tarn_level_now()->tap_sums[job->wide](
          sums, job->g + (((image * conv->o + o) * conv->oh) + y) * conv->ow * job->bytes,
          padded + y * grid->stride[0] * grid->padded_w * job->bytes, job->taps, taps, conv->ow, grid->stride[1]);
      }
    }
    for (int64_t t = 0; t < taps; t++) {
      if (job->wide) {
        ((double *)job->out)[o * taps + t] = sums[t];
      } else {
        ((float *)job->out)[o * taps + t] = (float)sums[t];
      }
    }
  }
}

int tarn_depthwise_weight_gradient(int wide, const tarn_conv *conv, const void *x, const void *g, void *dw) {
  int status = TARN_OK;
  depthwise_job job = {.x = x, .g = g, .out = dw, .status = &status};
  if (prepare(&job, wide, conv)) return TARN_NO_MEMORY;
  tarn_parallel(conv->o, 1, weights_task, &job);
  return status;
}
