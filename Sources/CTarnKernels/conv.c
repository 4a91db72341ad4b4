// Convolution as matrix products whose right factor is gathered from the image panel by panel.
//
// The gradient of the input is itself a convolution of g for each phase of the stride: the positions of x with the same
// remainder all see the same elements of the kernel.
#include <string.h>

#include "internal.h"

// MARK: Grids

void tarn_grid_measure(tarn_grid *grid) {
  int64_t size[2];
  for (int axis = 0; axis < 2; axis++) {
    const int64_t last = (axis == 0 ? grid->rows : grid->columns) - 1;
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (int64_t t = 0; t < grid->count[axis]; t++) {
      low = tarn_least(low, grid->offsets[axis][t]);
      high = tarn_greatest(high, grid->offsets[axis][t]);
    }
    grid->origin[axis] = low;
    size[axis] = last * grid->stride[axis] + high - low + 1;
  }
  grid->padded_h = size[0];
  grid->padded_w = size[1];
}

int64_t tarn_grid_elements(const tarn_grid *grid) { return grid->channels * grid->padded_h * grid->padded_w + 128; }

typedef struct {
  const tarn_grid *grid;
  int64_t bytes;
  const char *image;
  char *padded;
} pad_job;

static void pad_task(void *ctx, int64_t begin, int64_t end) {
  const pad_job *job = ctx;
  const tarn_grid *grid = job->grid;
  const int64_t bytes = job->bytes, row = grid->padded_w * bytes;
  // Columns of the padded image that exist.
  const int64_t left = tarn_least(grid->padded_w, tarn_greatest(0, -grid->origin[1]));
  const int64_t right = tarn_greatest(left, tarn_least(grid->padded_w, grid->w - grid->origin[1]));
  for (int64_t i = begin * grid->padded_h; i < end * grid->padded_h; i++) {
    const int64_t channel = i / grid->padded_h, y = i % grid->padded_h + grid->origin[0];
    char *d = job->padded + i * row;
    if (y < 0 || y >= grid->h || left == right) {
      memset(d, 0, (size_t)row);
      continue;
    }
    const char *s = job->image + ((channel * grid->h + y) * grid->w + left + grid->origin[1]) * bytes;
    memset(d, 0, (size_t)(left * bytes));
    memcpy(d + left * bytes, s, (size_t)((right - left) * bytes));
    memset(d + right * bytes, 0, (size_t)((grid->padded_w - right) * bytes));
  }
}

void tarn_grid_pad(const tarn_grid *grid, int64_t bytes, const void *image, void *padded) {
  pad_job job = {grid, bytes, image, padded};
  tarn_parallel(
    grid->channels, tarn_greatest(1, 32768 / (grid->padded_h * grid->padded_w)), pad_task, &job);
}

// MARK: Panels

typedef struct {
  const tarn_grid *grid;
  int wide;
  /// Of each row of the matrix (channel, vertical tap, horizontal tap): where it starts in the padded image.
  const int64_t *rows;
  const void *padded;
} gathering;

static void pack_gathered(
  const void *source, int64_t first, int64_t count, int64_t p0, int64_t k, void *dst, int64_t width
) {
  const gathering *from = source;
  const tarn_grid *grid = from->grid;
  tarn_run runs[64];
  int n_runs = 0;
  for (int64_t at = 0; at < count; n_runs++) {
    const int64_t row = (first + at) / grid->columns, column = (first + at) % grid->columns;
    const int64_t length = tarn_least(count - at, grid->columns - column);
    runs[n_runs] = (tarn_run){at, length, row * grid->stride[0] * grid->padded_w + column * grid->stride[1]};
    at += length;
  }
  tarn_level_now()->gather[from->wide](dst, width, from->padded, from->rows + p0, k, runs, n_runs, grid->stride[1]);
}

static void fill_rows(const tarn_grid *grid, int64_t *rows) {
  for (int64_t c = 0; c < grid->channels; c++) {
    for (int64_t i = 0; i < grid->count[0]; i++) {
      for (int64_t j = 0; j < grid->count[1]; j++) {
        const int64_t y = grid->offsets[0][i] - grid->origin[0], x = grid->offsets[1][j] - grid->origin[1];
        *rows++ = (c * grid->padded_h + y) * grid->padded_w + x;
      }
    }
  }
}

// MARK: One grid over all images

typedef struct {
  const tarn_grid *grid;
  int wide;
  int64_t bytes, images, groups, m, k;
  /// Bytes from image to image of the source, and from group to group.
  const char *source;
  int64_t source_image, source_group;
  const char *packed;
  size_t packed_group;
  const int64_t *rows;
  /// Whether the matrix is the image itself: one tap, no margin, no stride.
  int plain;
  char *out;
  int64_t out_image, out_group;
  /// If results are spread: output row length, distance between rows, elements and channels.
  int spread;
  int64_t out_channel, out_row, out_step;
  int *status;
} grid_job;

static void spread_results(const grid_job *job, const char *from, char *to) {
  const tarn_grid *grid = job->grid;
  const int64_t shape[3] = {job->m, grid->rows, grid->columns};
  const int64_t dense[3] = {grid->rows * grid->columns, grid->columns, 1};
  const int64_t strides[3] = {job->out_channel, job->out_row, job->out_step};
  tarn_copy_strided(job->bytes, 3, shape, to, strides, from, dense);
}

static int run_image(const grid_job *job, int64_t image, int64_t group) {
  const tarn_grid *grid = job->grid;
  const char *source = job->source + image * job->source_image + group * job->source_group;
  char *out = job->out + image * job->out_image + group * job->out_group;
  const int64_t pixels = grid->rows * grid->columns;
  gathering from = {.grid = grid, .wide = job->wide, .rows = job->rows};
  tarn_matrix plain = {source, pixels, 0, job->wide ? TARN_DTYPE_F64 : TARN_DTYPE_F32};
  tarn_gemm gemm = {
    .wide = job->wide, .m = job->m, .n = pixels, .k = job->k, .c = out, .ld_c = pixels,
    .packed_a = job->packed + (size_t)group * job->packed_group};
  if (job->plain) {
    gemm.b = &plain, gemm.pack_b = tarn_pack_matrix, gemm.plain_b = source, gemm.ld_b = pixels;
  } else {
    char *padded = tarn_scratch(TARN_SCRATCH_IMAGE, (size_t)(tarn_grid_elements(grid) * job->bytes));
    if (!padded) return TARN_NO_MEMORY;
    tarn_grid_pad(grid, job->bytes, source, padded);
    from.padded = padded;
    gemm.b = &from, gemm.pack_b = pack_gathered;
  }
  if (job->spread) {
    gemm.c = tarn_scratch(TARN_SCRATCH_TILE, (size_t)(job->m * pixels * job->bytes));
    if (!gemm.c) return TARN_NO_MEMORY;
  }
  int status = tarn_gemm_run(&gemm);
  if (status == TARN_OK && job->spread) spread_results(job, gemm.c, out);
  return status;
}

static void images_task(void *ctx, int64_t begin, int64_t end) {
  const grid_job *job = ctx;
  for (int64_t i = begin; i < end; i++) {
    int status = run_image(job, i / job->groups, i % job->groups);
    if (status) __atomic_store_n(job->status, status, __ATOMIC_RELAXED);
  }
}

/// `weights`: of each group, the packer's source of the left factor.
static int run_grid(grid_job *job, const tarn_matrix *weights) {
  int status = TARN_OK;
  const tarn_grid *grid = job->grid;
  job->status = &status;
  job->plain = job->k == grid->channels && grid->stride[0] == 1 && grid->stride[1] == 1 && grid->origin[0] == 0 &&
               grid->origin[1] == 0 && grid->rows == grid->h && grid->columns == grid->w;
  tarn_gemm shape = {.wide = job->wide, .m = job->m, .k = job->k, .pack_a = tarn_pack_matrix};
  job->packed_group = tarn_gemm_packed_bytes(&shape);
  char *packed = tarn_scratch(TARN_SCRATCH_WEIGHTS, job->packed_group * (size_t)job->groups);
  int64_t *rows = tarn_scratch(TARN_SCRATCH_TABLES, (size_t)job->k * sizeof *rows);
  if (!packed || !rows) return TARN_NO_MEMORY;
  for (int64_t group = 0; group < job->groups; group++) {
    shape.a = &weights[group];
    tarn_gemm_pack_a(&shape, packed + (size_t)group * job->packed_group);
  }
  fill_rows(grid, rows);
  job->packed = packed;
  job->rows = rows;
  const int64_t pieces = job->images * job->groups, threads = tarn_threads();
  if (pieces >= 4 * threads || pieces % threads == 0) {
    tarn_parallel(pieces, 1, images_task, job);
  } else {
    images_task(job, 0, pieces);
  }
  return status;
}

// MARK: Forward

enum { MOST_GROUPS_AT_ONCE = 64 };

int tarn_conv_check(int dtype, const tarn_conv *c) {
  if (dtype != TARN_DTYPE_F32 && dtype != TARN_DTYPE_F64) return TARN_BAD_ARGUMENT;
  if (c->groups < 1 || c->c % c->groups || c->o % c->groups) return TARN_BAD_ARGUMENT;
  if (c->stride[0] < 1 || c->stride[1] < 1 || c->dilation[0] < 1 || c->dilation[1] < 1) return TARN_BAD_ARGUMENT;
  return TARN_OK;
}

/// All groups, some at a time. Each group's weights are one matrix [m, k], `weights_group` bytes apart.
static int run_groups(grid_job job, int64_t groups, const char *weights, int64_t weights_group) {
  if (!job.spread && tarn_strips_suit(job.grid, job.m, job.k)) {
    const tarn_strips strips = {
      .grid = job.grid, .wide = job.wide, .images = job.images, .groups = groups, .m = job.m, .k = job.k,
      .source = job.source, .weights = weights, .out = job.out, .source_image = job.source_image,
      .source_group = job.source_group, .weights_group = weights_group, .out_image = job.out_image,
      .out_group = job.out_group};
    return tarn_strips_run(&strips);
  }
  tarn_matrix left[MOST_GROUPS_AT_ONCE];
  for (int64_t first = 0; first < groups; first += MOST_GROUPS_AT_ONCE) {
    grid_job some = job;
    some.groups = tarn_least(MOST_GROUPS_AT_ONCE, groups - first);
    some.source += first * job.source_group;
    some.out += first * job.out_group;
    for (int64_t i = 0; i < some.groups; i++) {
      left[i] = (tarn_matrix){
        weights + (first + i) * weights_group, job.k, 1, job.wide ? TARN_DTYPE_F64 : TARN_DTYPE_F32};
    }
    int status = run_grid(&some, left);
    if (status) return status;
  }
  return TARN_OK;
}

int tarn_conv2d_forward(int dtype, const tarn_conv *conv, const void *x, const void *w, void *y) {
  if (tarn_conv_check(dtype, conv)) return TARN_BAD_ARGUMENT;
  const int wide = dtype == TARN_DTYPE_F64;
  const int64_t bytes = wide ? 8 : 4, channels = conv->c / conv->groups, outputs = conv->o / conv->groups;
  const int64_t pixels = conv->oh * conv->ow, taps = conv->kh * conv->kw;
  if (conv->n * conv->o * pixels == 0) return TARN_OK;
  if (channels * taps == 0) {
    memset(y, 0, (size_t)(conv->n * conv->o * pixels * bytes));
    return TARN_OK;
  }
  if (tarn_is_depthwise(conv)) return tarn_depthwise_forward(wide, conv, x, w, y);
  int64_t *offsets = tarn_scratch(TARN_SCRATCH_OFFSETS, (size_t)(conv->kh + conv->kw) * sizeof *offsets);
  if (!offsets) return TARN_NO_MEMORY;
  for (int64_t i = 0; i < conv->kh; i++) offsets[i] = i * conv->dilation[0] - conv->low[0];
  for (int64_t j = 0; j < conv->kw; j++) offsets[conv->kh + j] = j * conv->dilation[1] - conv->low[1];
  tarn_grid grid = {
    .channels = channels, .h = conv->h, .w = conv->w, .rows = conv->oh, .columns = conv->ow,
    .stride = {conv->stride[0], conv->stride[1]}, .count = {conv->kh, conv->kw},
    .offsets = {offsets, offsets + conv->kh}};
  tarn_grid_measure(&grid);
  grid_job job = {
    .grid = &grid, .wide = wide, .bytes = bytes, .images = conv->n, .m = outputs, .k = channels * taps, .source = x,
    .source_image = conv->c * conv->h * conv->w * bytes, .source_group = channels * conv->h * conv->w * bytes, .out = y,
    .out_image = conv->o * pixels * bytes, .out_group = outputs * pixels * bytes};
  return run_groups(job, conv->groups, w, outputs * channels * taps * bytes);
}

// MARK: Gradient of the input

tarn_phase tarn_phase_of(const tarn_conv *conv, int axis, int64_t start, int64_t *memory) {
  const int64_t size = axis ? conv->w : conv->h, kernel = axis ? conv->kw : conv->kh;
  tarn_phase p = {.start = start, .length = tarn_ceil_div(size - start, conv->stride[axis])};
  p.taps = memory;
  p.offsets = memory + kernel;
  for (int64_t t = 0; t < kernel; t++) {
    const int64_t distance = start + conv->low[axis] - t * conv->dilation[axis];
    if (distance % conv->stride[axis]) continue;
    p.taps[p.count] = t;
    p.offsets[p.count++] = distance / conv->stride[axis];
  }
  return p;
}

/// Weights of one phase, all groups: [c, o, taps] from [o, c, kh, kw]. A phase's elements of the kernel are evenly
/// spaced.
static void turn_weights(
  const tarn_conv *conv, int64_t bytes, const tarn_phase *y, const tarn_phase *x, const char *w, char *out
) {
  const int64_t channels = conv->c / conv->groups, outputs = conv->o / conv->groups, taps = conv->kh * conv->kw;
  const int64_t count = y->count * x->count;
  const int64_t shape[5] = {conv->groups, channels, outputs, y->count, x->count};
  const int64_t into[5] = {channels * outputs * count, outputs * count, count, x->count, 1};
  const int64_t step_y = y->count > 1 ? y->taps[1] - y->taps[0] : 1;
  const int64_t step_x = x->count > 1 ? x->taps[1] - x->taps[0] : 1;
  const int64_t from[5] = {outputs * channels * taps, taps, channels * taps, step_y * conv->kw, step_x};
  tarn_copy_strided(bytes, 5, shape, out, into, w + (y->taps[0] * conv->kw + x->taps[0]) * bytes, from);
}

static int run_phase(
  int wide, const tarn_conv *conv, const tarn_phase *py, const tarn_phase *px, const void *g, const void *w, char *dx
) {
  const int64_t bytes = wide ? 8 : 4, channels = conv->c / conv->groups, outputs = conv->o / conv->groups;
  const int64_t k = outputs * py->count * px->count;
  char *turned = tarn_scratch(TARN_SCRATCH_TURNED, (size_t)(conv->c * k * bytes));
  if (!turned) return TARN_NO_MEMORY;
  turn_weights(conv, bytes, py, px, w, turned);
  tarn_grid grid = {
    .channels = outputs, .h = conv->oh, .w = conv->ow, .rows = py->length, .columns = px->length, .stride = {1, 1},
    .count = {py->count, px->count}, .offsets = {py->offsets, px->offsets}};
  tarn_grid_measure(&grid);
  const int64_t plane = conv->h * conv->w, pixels = conv->oh * conv->ow;
  grid_job job = {
    .grid = &grid, .wide = wide, .bytes = bytes, .images = conv->n, .m = channels, .k = k, .source = g,
    .source_image = conv->o * pixels * bytes, .source_group = outputs * pixels * bytes,
    .out = dx + (py->start * conv->w + px->start) * bytes, .out_image = conv->c * plane * bytes,
    .out_group = channels * plane * bytes, .spread = conv->stride[0] > 1 || conv->stride[1] > 1, .out_channel = plane,
    .out_row = conv->stride[0] * conv->w, .out_step = conv->stride[1]};
  return run_groups(job, conv->groups, turned, channels * k * bytes);
}

int tarn_conv2d_input_gradient(int dtype, const tarn_conv *conv, const void *g, const void *w, void *dx) {
  if (tarn_conv_check(dtype, conv)) return TARN_BAD_ARGUMENT;
  const int wide = dtype == TARN_DTYPE_F64;
  const int64_t bytes = wide ? 8 : 4, all = conv->n * conv->c * conv->h * conv->w;
  if (all == 0) return TARN_OK;
  const int nothing = conv->o * conv->oh * conv->ow * conv->kh * conv->kw == 0;
  // Positions that no element of the kernel reaches are 0.
  const int gaps = conv->stride[0] > conv->kh || conv->stride[1] > conv->kw;
  if (nothing || gaps || conv->dilation[0] > 1 || conv->dilation[1] > 1) {
    memset(dx, 0, (size_t)(all * bytes));
    if (nothing) return TARN_OK;
  }
  if (tarn_is_depthwise(conv)) return tarn_depthwise_input_gradient(wide, conv, g, w, dx);
  int64_t *memory = tarn_scratch(TARN_SCRATCH_OFFSETS, (size_t)(2 * (conv->kh + conv->kw)) * sizeof *memory);
  if (!memory) return TARN_NO_MEMORY;
  for (int64_t i = 0; i < tarn_least(conv->stride[0], conv->h); i++) {
    tarn_phase py = tarn_phase_of(conv, 0, i, memory);
    for (int64_t j = 0; j < tarn_least(conv->stride[1], conv->w); j++) {
      tarn_phase px = tarn_phase_of(conv, 1, j, memory + 2 * conv->kh);
      if (py.count == 0 || px.count == 0) continue;
      int status = run_phase(wide, conv, &py, &px, g, w, dx);
      if (status) return status;
    }
  }
  return TARN_OK;
}
