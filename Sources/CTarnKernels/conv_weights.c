// Gradient of the weights: a matrix product over all output positions.
//
// x is first put in the order [image, y, x, channel], with margins; then the row of the right factor that belongs to a
// position is a few runs of memory, one for each element of the kernel. Images are shared out in parts of a fixed
// number, whose sums are added in order.
#include <string.h>

#include "internal.h"

enum {
  /// Positions that one product sums over at least, where there are enough images.
  ENOUGH_POSITIONS = 384,
  MOST_PARTS = 16,
  /// Weights up to this number are summed in parts; more of them share the threads within a product.
  MOST_WEIGHTS_IN_PARTS = 262144,
};

typedef struct {
  const tarn_conv *conv;
  tarn_grid grid;
  int wide;
  int64_t bytes, channels, outputs, positions, weights;
  const char *x, *g;
  /// Images of one product, products of one part, parts.
  int64_t images, products, parts;
  const int64_t *rows;
  char *partials;
  int *status;
} weight_job;

// MARK: x with the channel innermost

static int64_t image_elements(const weight_job *job) {
  return job->grid.padded_h * job->grid.padded_w * job->channels;
}

static void put_image(const weight_job *job, int64_t image, char *to) {
  const tarn_grid *grid = &job->grid;
  const tarn_conv *conv = job->conv;
  const int64_t low_y = tarn_greatest(0, -grid->origin[0]), low_x = tarn_greatest(0, -grid->origin[1]);
  const int64_t high_y = tarn_least(grid->padded_h, conv->h - grid->origin[0]);
  const int64_t high_x = tarn_least(grid->padded_w, conv->w - grid->origin[1]);
  if (low_y > 0 || low_x > 0 || high_y < grid->padded_h || high_x < grid->padded_w) {
    memset(to, 0, (size_t)(image_elements(job) * job->bytes));
  }
  if (high_y <= low_y || high_x <= low_x) return;
  const int64_t shape[3] = {high_y - low_y, high_x - low_x, job->channels};
  const int64_t into[3] = {grid->padded_w * job->channels, job->channels, 1};
  const int64_t from[3] = {conv->w, 1, conv->h * conv->w};
  const int64_t first = (low_y + grid->origin[0]) * conv->w + low_x + grid->origin[1];
  tarn_copy_strided(
    job->bytes, 3, shape, to + (low_y * grid->padded_w + low_x) * job->channels * job->bytes, into,
    job->x + (image * conv->c * conv->h * conv->w + first) * job->bytes, from);
}

/// Where each position of `job->images` images starts.
static void fill_positions(const weight_job *job, int64_t *rows) {
  const tarn_grid *grid = &job->grid;
  for (int64_t image = 0; image < job->images; image++) {
    for (int64_t y = 0; y < grid->rows; y++) {
      for (int64_t x = 0; x < grid->columns; x++) {
        *rows++ = image * image_elements(job) +
                  (y * grid->stride[0] * grid->padded_w + x * grid->stride[1]) * job->channels;
      }
    }
  }
}

// MARK: Packing

typedef struct {
  const weight_job *job;
  const char *data;
} factor;

/// Rows of g, whose positions lie within each image.
static void pack_outputs(
  const void *source, int64_t first, int64_t count, int64_t p0, int64_t k, void *dst, int64_t width
) {
  const factor *f = source;
  const weight_job *job = f->job;
  char *d = dst;
  if (count < width) memset(dst, 0, (size_t)(k * width * job->bytes));
  for (int64_t p = p0, n; p < p0 + k; p += n) {
    const int64_t image = p / job->positions, position = p % job->positions;
    n = tarn_least(p0 + k - p, job->positions - position);
    const int64_t at = (image * job->conv->o + first) * job->positions + position;
    tarn_level_now()->pack_transposed[job->wide](
      d + (p - p0) * width * job->bytes, width, f->data + at * job->bytes, job->positions, count, n);
  }
}

/// Columns (vertical tap, horizontal tap, channel) of the image.
static void pack_columns(
  const void *source, int64_t first, int64_t count, int64_t p0, int64_t k, void *dst, int64_t width
) {
  const factor *f = source;
  const weight_job *job = f->job;
  const tarn_grid *grid = &job->grid;
  tarn_run runs[64];
  int n_runs = 0;
  for (int64_t at = 0, length; at < count; at += length) {
    const int64_t tap = (first + at) / job->channels, channel = (first + at) % job->channels;
    const int64_t y = grid->offsets[0][tap / grid->count[1]] - grid->origin[0];
    const int64_t x = grid->offsets[1][tap % grid->count[1]] - grid->origin[1];
    const int64_t offset = (y * grid->padded_w + x) * job->channels + channel;
    length = tarn_least(count - at, job->channels - channel);
    tarn_run *before = n_runs ? &runs[n_runs - 1] : NULL;
    if (before && before->offset + before->length == offset) {
      before->length += length;
    } else {
      runs[n_runs++] = (tarn_run){at, length, offset};
    }
  }
  tarn_level_now()->gather[job->wide](dst, width, f->data, job->rows + p0, k, runs, n_runs, 1);
}

// MARK: Sums

static int sum_product(const weight_job *job, int64_t first, int64_t images, char *out, int accumulate) {
  const int64_t elements = image_elements(job);
  char *padded = tarn_scratch(TARN_SCRATCH_IMAGE, (size_t)((elements * images + 128) * job->bytes));
  if (!padded) return TARN_NO_MEMORY;
  for (int64_t i = 0; i < images; i++) put_image(job, first + i, padded + i * elements * job->bytes);
  const int64_t g_image = job->conv->o * job->positions * job->bytes;
  factor left = {job, job->g + first * g_image}, right = {job, padded};
  tarn_gemm gemm = {
    .wide = job->wide, .m = job->outputs, .n = job->weights / job->outputs, .k = images * job->positions,
    .pack_a = pack_outputs, .pack_b = pack_columns, .a = &left, .b = &right, .c = out,
    .ld_c = job->weights / job->outputs, .accumulate = accumulate};
  return tarn_gemm_run(&gemm);
}

static void parts_task(void *ctx, int64_t begin, int64_t end) {
  const weight_job *job = ctx;
  const int64_t each = job->images * job->products;
  for (int64_t part = begin; part < end; part++) {
    const int64_t first = part * each, last = tarn_least(job->conv->n, first + each);
    for (int64_t image = first; image < last; image += job->images) {
      int status = sum_product(
        job, image, tarn_least(job->images, last - image), job->partials + part * job->weights * job->bytes,
        image > first);
      if (status) __atomic_store_n(job->status, status, __ATOMIC_RELAXED);
    }
  }
}

static void combine_task(void *ctx, int64_t begin, int64_t end) {
  const weight_job *job = ctx;
  for (int64_t part = 1; part < job->parts; part++) {
    if (job->wide) {
      double *total = (double *)job->partials, *more = total + part * job->weights;
      for (int64_t i = begin; i < end; i++) total[i] += more[i];
    } else {
      float *total = (float *)job->partials, *more = total + part * job->weights;
      for (int64_t i = begin; i < end; i++) total[i] += more[i];
    }
  }
}

/// The weights of one group: `job->x`, `job->g` and `dw` are at its first channel.
static int sum_group(weight_job *job, char *dw) {
  if (job->parts > 1) {
    tarn_parallel(job->parts, 1, parts_task, job);
    tarn_parallel(job->weights, 4096, combine_task, job);
  } else {
    parts_task(job, 0, 1);
  }
  const int64_t taps = job->grid.count[0] * job->grid.count[1];
  const int64_t shape[3] = {job->outputs, job->channels, taps};
  const int64_t into[3] = {job->channels * taps, taps, 1}, from[3] = {job->channels * taps, 1, job->channels};
  tarn_copy_strided(job->bytes, 3, shape, dw, into, job->partials, from);
  return *job->status;
}

int tarn_conv2d_weight_gradient(int dtype, const tarn_conv *conv, const void *x, const void *g, void *dw) {
  if (tarn_conv_check(dtype, conv)) return TARN_BAD_ARGUMENT;
  int status = TARN_OK;
  weight_job job = {.conv = conv, .wide = dtype == TARN_DTYPE_F64, .x = x, .g = g, .status = &status};
  job.bytes = job.wide ? 8 : 4;
  job.channels = conv->c / conv->groups;
  job.outputs = conv->o / conv->groups;
  job.positions = conv->oh * conv->ow;
  job.weights = job.outputs * job.channels * conv->kh * conv->kw;
  if (job.weights == 0) return TARN_OK;
  if (conv->n * job.positions == 0) {
    memset(dw, 0, (size_t)(conv->groups * job.weights * job.bytes));
    return TARN_OK;
  }
  if (tarn_is_depthwise(conv)) return tarn_depthwise_weight_gradient(job.wide, conv, x, g, dw);
  int64_t *offsets = tarn_scratch(TARN_SCRATCH_OFFSETS, (size_t)(conv->kh + conv->kw) * sizeof *offsets);
  if (!offsets) return TARN_NO_MEMORY;
  for (int64_t i = 0; i < conv->kh; i++) offsets[i] = i * conv->dilation[0] - conv->low[0];
  for (int64_t j = 0; j < conv->kw; j++) offsets[conv->kh + j] = j * conv->dilation[1] - conv->low[1];
  job.grid = (tarn_grid){
    .channels = job.channels, .h = conv->h, .w = conv->w, .rows = conv->oh, .columns = conv->ow,
    .stride = {conv->stride[0], conv->stride[1]}, .count = {conv->kh, conv->kw},
    .offsets = {offsets, offsets + conv->kh}};
  tarn_grid_measure(&job.grid);
  if (tarn_strips_suit_weights(conv, &job.grid)) {
    int done;
    status = tarn_strips_weights(job.wide, conv, &job.grid, x, g, dw, &done);
    if (status || done) return status;
  }
  job.images = tarn_least(conv->n, tarn_ceil_div(ENOUGH_POSITIONS, job.positions));
  const int64_t products = tarn_ceil_div(conv->n, job.images);
  const int64_t most = job.weights <= MOST_WEIGHTS_IN_PARTS ? MOST_PARTS : 1;
  job.products = tarn_ceil_div(products, most);
  job.parts = tarn_ceil_div(products, job.products);
  int64_t *rows = tarn_scratch(TARN_SCRATCH_TABLES, (size_t)(job.images * job.positions) * sizeof *rows);
  job.partials = tarn_scratch(TARN_SCRATCH_PARTIALS, (size_t)(job.parts * job.weights * job.bytes));
  if (!rows || !job.partials) return TARN_NO_MEMORY;
  fill_positions(&job, rows);
  job.rows = rows;
  for (int64_t group = 0; group < conv->groups && status == TARN_OK; group++) {
    job.x = (const char *)x + group * job.channels * conv->h * conv->w * job.bytes;
    job.g = (const char *)g + group * job.outputs * job.positions * job.bytes;
    status = sum_group(&job, (char *)dw + group * job.weights * job.bytes);
  }
  return status;
}
