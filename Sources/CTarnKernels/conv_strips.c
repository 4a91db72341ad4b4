// Convolution of few channels, without matrix products.
//
// A padded image is one long row: an element of the kernel is a distance in it, and the sums of neighbouring positions
// stand in one vector. What is summed for the positions between one row of results and the next is left out.
#include <string.h>

#include "internal.h"

enum {
  MOST_OUTPUTS = 32,
  /// Bytes of a padded band of an image: half of a second-level cache.
  BAND_BYTES = 262144,
  /// Fewer bands than this are cut further, for the threads.
  FEWEST_BANDS = 8,
};

static int64_t rounded_up(int64_t n, int64_t step) { return tarn_ceil_div(n, step) * step; }

/// As `tarn_grid_pad`, for short rows and one thread.
static void pad_image(const tarn_grid *grid, const tarn_level *level, int wide, const char *image, char *padded) {
  const int64_t bytes = wide ? 8 : 4, plane = grid->h * grid->w, padded_plane = grid->padded_h * grid->padded_w;
  const int64_t top = tarn_greatest(0, -grid->origin[0]), left = tarn_greatest(0, -grid->origin[1]);
  const int64_t rows = tarn_least(grid->padded_h, grid->h - grid->origin[0]) - top;
  const int64_t columns = tarn_least(grid->padded_w, grid->w - grid->origin[1]) - left;
  if (rows < grid->padded_h || columns < grid->padded_w) {
    memset(padded, 0, (size_t)(grid->channels * padded_plane * bytes));
  }
  if (rows <= 0 || columns <= 0) return;
  image += ((top + grid->origin[0]) * grid->w + left + grid->origin[1]) * bytes;
  padded += (top * grid->padded_w + left) * bytes;
  for (int64_t c = 0; c < grid->channels; c++) {
    level->gather_rows[wide](
      padded + c * padded_plane * bytes, grid->padded_w, image + c * plane * bytes, grid->w, rows, columns);
  }
}

// MARK: Sums over taps

typedef struct {
  const tarn_strips *of;
  const tarn_level *level;
  tarn_grid band;
  int64_t bytes, bands, outputs, tiles;
  const int64_t *offsets;
  const char *packed;
  int64_t packed_group;
  int *status;
} strips_job;

int tarn_strips_suit(const tarn_grid *grid, int64_t m, int64_t k) {
  const int64_t taps = k / tarn_greatest(1, grid->channels);
  return grid->stride[0] == 1 && grid->stride[1] == 1 && taps > 1 && m <= MOST_OUTPUTS &&
         2 * grid->columns >= grid->padded_w;
}

static void tap_offsets(const tarn_grid *grid, int64_t *out) {
  for (int64_t c = 0; c < grid->channels; c++) {
    for (int64_t i = 0; i < grid->count[0]; i++) {
      for (int64_t j = 0; j < grid->count[1]; j++) {
        const int64_t y = grid->offsets[0][i] - grid->origin[0], x = grid->offsets[1][j] - grid->origin[1];
        *out++ = (c * grid->padded_h + y) * grid->padded_w + x;
      }
    }
  }
}

/// [tile][tap][output of the tile] from [output][tap].
static void pack_weights(const strips_job *job, const char *weights, char *packed) {
  const tarn_strips *of = job->of;
  for (int64_t first = 0; first < of->m; first += job->outputs) {
    const int64_t count = tarn_least(job->outputs, of->m - first);
    const int64_t shape[2] = {of->k, count}, into[2] = {count, 1}, from[2] = {1, of->k};
    tarn_copy_strided(
      job->bytes, 2, shape, packed + first * of->k * job->bytes, into, weights + first * of->k * job->bytes, from);
  }
}

static int run_band(const strips_job *job, int64_t image, int64_t group, int64_t band) {
  const tarn_strips *of = job->of;
  tarn_grid grid = job->band;
  const int64_t first = band * grid.rows, rows = tarn_least(grid.rows, of->grid->rows - first);
  grid.origin[0] += first;
  const int64_t n = (rows - 1) * grid.padded_w + grid.columns, ld = n + 128;
  char *padded = tarn_scratch(TARN_SCRATCH_IMAGE, (size_t)(tarn_grid_elements(&grid) * job->bytes));
  char *sums = tarn_scratch(TARN_SCRATCH_TILE, (size_t)(job->outputs * ld * job->bytes));
  if (!padded || !sums) return TARN_NO_MEMORY;
  const char *source = of->source + image * of->source_image + group * of->source_group;
  pad_image(&grid, job->level, of->wide, source, padded);
  const char *packed = job->packed + group * job->packed_group;
  const int64_t plane = of->grid->rows * grid.columns * job->bytes;
  char *out = of->out + image * of->out_image + group * of->out_group + first * grid.columns * job->bytes;
  for (int64_t o = 0; o < of->m; o += job->outputs) {
    const int64_t count = tarn_least(job->outputs, of->m - o);
    job->level->strip_sums[of->wide][count - 1](
      padded, job->offsets, packed + o * of->k * job->bytes, of->k, sums, ld, n);
    for (int64_t i = 0; i < count; i++) {
      job->level->gather_rows[of->wide](
        out + (o + i) * plane, grid.columns, sums + i * ld * job->bytes, grid.padded_w, rows, grid.columns);
    }
  }
  return TARN_OK;
}

static void bands_task(void *ctx, int64_t begin, int64_t end) {
  const strips_job *job = ctx;
  for (int64_t i = begin; i < end; i++) {
    const int64_t whole = i / job->bands;
    int status = run_band(job, whole / job->of->groups, whole % job->of->groups, i % job->bands);
    if (status) __atomic_store_n(job->status, status, __ATOMIC_RELAXED);
  }
}

/// Bands of rows that fit the cache, and enough of them.
static void choose_bands(strips_job *job) {
  const tarn_grid *grid = job->of->grid;
  const int64_t halo = grid->padded_h - grid->rows, row = grid->channels * grid->padded_w * job->bytes;
  int64_t rows = tarn_greatest(BAND_BYTES / row - halo, tarn_greatest(4, halo));
  const int64_t wanted = tarn_ceil_div(FEWEST_BANDS, job->of->images * job->of->groups);
  rows = tarn_least(rows, tarn_greatest(tarn_ceil_div(grid->rows, wanted), tarn_greatest(4, halo)));
  job->bands = tarn_ceil_div(grid->rows, rows);
  job->band = *grid;
  job->band.rows = tarn_ceil_div(grid->rows, job->bands);
  job->bands = tarn_ceil_div(grid->rows, job->band.rows);
  job->band.padded_h = job->band.rows + halo;
}

int tarn_strips_run(const tarn_strips *of) {
  int status = TARN_OK;
  strips_job job = {.of = of, .level = tarn_level_now(), .bytes = of->wide ? 8 : 4, .status = &status};
  job.tiles = tarn_ceil_div(of->m, job.level->strip_outputs);
  job.outputs = tarn_ceil_div(of->m, job.tiles);
  job.packed_group = of->m * of->k * job.bytes;
  char *packed = tarn_scratch(TARN_SCRATCH_WEIGHTS, (size_t)(job.packed_group * of->groups));
  int64_t *offsets = tarn_scratch(TARN_SCRATCH_TABLES, (size_t)of->k * sizeof *offsets);
  if (!packed || !offsets) return TARN_NO_MEMORY;
  for (int64_t i = 0; i < of->groups; i++) {
    pack_weights(&job, of->weights + i * of->weights_group, packed + i * job.packed_group);
  }
  choose_bands(&job);
  tap_offsets(&job.band, offsets);
  job.packed = packed;
  job.offsets = offsets;
  const int64_t work = of->m * of->k * job.band.rows * job.band.padded_w;
  tarn_parallel(of->images * of->groups * job.bands, tarn_greatest(1, 500000 / work), bands_task, &job);
  return status;
}

// MARK: Gradient of the weights

enum {
  MOST_SUMS = 4096,
  MOST_PARTS = 8,
  /// Bytes of g that a tile goes through at a time, to stay in the first-level cache.
  TILE_BYTES = 24576,
};

typedef struct {
  const tarn_conv *conv;
  const tarn_grid *grid;
  const tarn_level *level;
  int wide;
  /// Elements of a vector, of a padded image, and of g's row as long as that.
  int64_t bytes, lanes, x_image, n, ld_g;
  int64_t k, taps, outputs;
  /// Images at a time, images of a part, parts.
  int64_t images, each, parts;
  const int64_t *offsets;
  const char *x, *g;
  char *sums, *dw;
  int *status, *finite;
} weights_job;

int tarn_strips_suit_weights(const tarn_conv *conv, const tarn_grid *grid) {
  return conv->groups == 1 && grid->stride[0] == 1 && grid->stride[1] == 1 && conv->kh * conv->kw > 1 &&
         conv->o * conv->c * conv->kh * conv->kw <= MOST_SUMS && 2 * grid->columns >= grid->padded_w;
}

/// The images' x with margins and g with zeros between its rows.
static int lay_out(const weights_job *job, int64_t first, int64_t images, char *x, char *g) {
  const tarn_conv *conv = job->conv;
  const tarn_grid *grid = job->grid;
  const int64_t used = conv->c * grid->padded_h * grid->padded_w, x_from = conv->c * conv->h * conv->w * job->bytes;
  const int64_t plane = conv->oh * conv->ow * job->bytes;
  int finite = 1;
  for (int64_t i = 0; i < images; i++) {
    char *at = x + i * job->x_image * job->bytes;
    pad_image(grid, job->level, job->wide, job->x + (first + i) * x_from, at);
    memset(at + used * job->bytes, 0, (size_t)((job->x_image - used) * job->bytes));
    finite &= job->level->all_finite[job->wide](at, used);
    for (int64_t o = 0; o < conv->o; o++) {
      job->level->spread_rows[job->wide](
        g + (i * conv->o + o) * job->ld_g * job->bytes, grid->padded_w,
        job->g + ((first + i) * conv->o + o) * plane, conv->oh, conv->ow, job->ld_g - job->n);
    }
  }
  return finite;
}

static void sum_images(const weights_job *job, int64_t images, const char *x, const char *g, char *sums) {
  const int64_t vector = job->lanes * job->bytes;
  for (int64_t o = 0; o < job->conv->o; o += job->outputs) {
    const int64_t count = tarn_least(job->outputs, job->conv->o - o);
    for (int64_t t = 0; t < job->k; t += job->taps) {
      const tarn_strip_products_of of = {
        .x = x, .g = g + o * job->ld_g * job->bytes, .sums = sums + (o * job->k + t) * vector,
        .offsets = job->offsets + t, .images = images, .x_image = job->x_image,
        .g_image = job->conv->o * job->ld_g, .ld_g = job->ld_g, .ld = job->k, .n = job->n};
      job->level->strip_products[job->wide][count - 1](&of, tarn_least(job->taps, job->k - t));
    }
  }
}

static void sum_part(const weights_job *job, int64_t part) {
  const int64_t bytes = job->bytes, g_image = job->conv->o * job->ld_g;
  char *x = tarn_scratch(TARN_SCRATCH_IMAGE, (size_t)(job->images * job->x_image * bytes));
  char *g = tarn_scratch(TARN_SCRATCH_TILE, (size_t)((job->images * g_image + 64) * bytes));
  if (!x || !g) {
    __atomic_store_n(job->status, TARN_NO_MEMORY, __ATOMIC_RELAXED);
    return;
  }
  const int64_t size = job->conv->o * job->k * job->lanes * bytes;
  char *sums = job->sums + part * size;
  memset(sums, 0, (size_t)size);
  const int64_t last = tarn_least(job->conv->n, (part + 1) * job->each);
  for (int64_t i = part * job->each; i < last; i += job->images) {
    const int64_t images = tarn_least(job->images, last - i);
    if (!lay_out(job, i, images, x, g)) __atomic_store_n(job->finite, 0, __ATOMIC_RELAXED);
    sum_images(job, images, x, g, sums);
  }
}

static void parts_task(void *ctx, int64_t begin, int64_t end) {
  for (int64_t part = begin; part < end; part++) sum_part(ctx, part);
}

/// The parts' vectors added, then each vector's lanes.
static void combine_task(void *ctx, int64_t begin, int64_t end) {
  const weights_job *job = ctx;
  const int64_t all = job->conv->o * job->k * job->lanes, from = begin * job->lanes, n = (end - begin) * job->lanes;
  char *total = job->sums + from * job->bytes;
  for (int64_t part = 1; part < job->parts; part++) {
    const char *more = total + part * all * job->bytes;
    job->level->ops[TARN_ADD][job->wide ? TARN_F64 : TARN_F32](total, total, more, more, n, 0);
  }
  job->level->lane_sums[job->wide](job->dw + begin * job->bytes, total, end - begin);
}

int tarn_strips_weights(
  int wide, const tarn_conv *conv, const tarn_grid *grid, const void *x, const void *g, void *dw, int *done
) {
  int status = TARN_OK;
  weights_job job = {
    .conv = conv, .grid = grid, .level = tarn_level_now(), .wide = wide, .bytes = wide ? 8 : 4, .x = x, .g = g,
    .dw = dw, .status = &status, .finite = done};
  job.lanes = job.level->nr[wide] / 2;
  job.x_image = rounded_up(tarn_grid_elements(grid), job.lanes);
  job.n = (grid->rows - 1) * grid->padded_w + grid->columns;
  job.ld_g = rounded_up(job.n, job.lanes);
  job.k = conv->c * conv->kh * conv->kw;
  job.taps = tarn_ceil_div(job.k, tarn_ceil_div(job.k, job.level->product_taps));
  job.outputs = tarn_ceil_div(conv->o, tarn_ceil_div(conv->o, TARN_PRODUCT_OUTPUTS));
  job.each = tarn_ceil_div(conv->n, MOST_PARTS);
  job.parts = tarn_ceil_div(conv->n, job.each);
  job.images = tarn_least(job.each, tarn_greatest(1, TILE_BYTES / (job.outputs * job.ld_g * job.bytes)));
  int64_t *offsets = tarn_scratch(TARN_SCRATCH_TABLES, (size_t)job.k * sizeof *offsets);
  const int64_t sums = job.parts * conv->o * job.k * job.lanes;
  job.sums = tarn_scratch(TARN_SCRATCH_PARTIALS, (size_t)(sums * job.bytes));
  if (!offsets || !job.sums) return TARN_NO_MEMORY;
  tap_offsets(grid, offsets);
  job.offsets = offsets;
  *done = 1;
  tarn_parallel(job.parts, 1, parts_task, &job);
  if (status || !*done) return status;
  tarn_parallel(conv->o * job.k, 512, combine_task, &job);
  return status;
}
