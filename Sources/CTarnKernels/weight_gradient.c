// The gradient of a convolution's weights from blocked images: for each element of the kernel, the outer products of
// sixteen inputs and sixteen outputs, summed over the positions that it takes inside the image.
//
// The positions are gone through in slabs that stay in the first-level cache while all taps use them. A piece of work
// has some blocks of inputs, some of outputs and some of the slabs; its sums stay in the second-level cache.
#include <string.h>

#include "include/tarn_blocked.h"
#include "internal.h"
#include "weight_kernels.h"

enum {
  PAIR = TARN_LANES * TARN_LANES,
  /// Bytes that a slab's images and a piece's sums should take.
  SLAB_BYTES = 40960,
  SUM_BYTES = 262144,
  /// Columns of a slab: of several rows, or of one.
  SLAB_COLUMNS = 64,
  LINE_COLUMNS = 192,
  /// The fewest pieces that positions are not divided among.
  ENOUGH_PIECES = 16,
};

/// Positions for which a tap lies inside the image.
typedef struct {
  int64_t begin, end;
} tap_range;

typedef struct {
  tarn_conv conv;
  const float *x, *g;
  float *dw, *partials;
  /// Of a group: channels, and their blocks.
  int64_t c, o, c_blocks, o_blocks, taps;
  /// Of a piece: blocks; how many pieces there are along inputs and outputs; floats of its sums.
  int64_t c_piece, o_piece, c_pieces, o_pieces, sums;
  /// Of a slab: images, rows, columns; how many slabs there are along each.
  int64_t images, rows, columns, image_slabs, row_slabs, column_slabs;
  int64_t chunks, chunk_slabs;
  const tap_range *y_ranges, *x_ranges;
  int *status;
} weight_job;

// MARK: Plans

/// A 1 x 1 convolution that takes every element is one over a single row.
static void flatten(tarn_conv *conv) {
  const int plain = conv->kh == 1 && conv->kw == 1 && conv->stride[0] == 1 && conv->stride[1] == 1 &&
                    conv->low[0] == 0 && conv->low[1] == 0 && conv->oh == conv->h && conv->ow == conv->w;
  if (!plain) return;
  conv->w *= conv->h;
  conv->ow *= conv->oh;
  conv->h = conv->oh = 1;
}

static void fill_ranges(const tarn_conv *conv, int axis, tap_range *ranges) {
  const int64_t taps = axis == 0 ? conv->kh : conv->kw, size = axis == 0 ? conv->h : conv->w;
  const int64_t positions = axis == 0 ? conv->oh : conv->ow, stride = conv->stride[axis];
  for (int64_t k = 0; k < taps; k++) {
    const int64_t offset = k * conv->dilation[axis] - conv->low[axis];
    const int64_t begin = offset < 0 ? tarn_ceil_div(-offset, stride) : 0;
    const int64_t end = offset < size ? (size - 1 - offset) / stride + 1 : 0;
    ranges[k] = (tap_range){begin, tarn_least(end, positions)};
  }
}

static int64_t slab_bytes(const tarn_conv *conv, int64_t rows, int64_t columns) {
  const int64_t y = tarn_least(conv->h, (rows - 1) * conv->stride[0] + (conv->kh - 1) * conv->dilation[0] + 1);
  const int64_t x = tarn_least(conv->w, (columns - 1) * conv->stride[1] + (conv->kw - 1) * conv->dilation[1] + 1);
  return (2 * rows * columns + (conv->kh * conv->kw == 1 ? rows * columns : y * x)) * TARN_LANES * 4;
}

static void plan_slabs(weight_job *job) {
  const tarn_conv *conv = &job->conv;
  const int64_t most = conv->oh == 1 ? LINE_COLUMNS : SLAB_COLUMNS;
  job->columns = tarn_ceil_div(conv->ow, tarn_ceil_div(conv->ow, most));
  job->rows = 1;
  while (job->rows < conv->oh && slab_bytes(conv, job->rows + 1, job->columns) <= SLAB_BYTES) job->rows++;
  job->rows = tarn_ceil_div(conv->oh, tarn_ceil_div(conv->oh, job->rows));
  job->images = 1;
  if (job->rows == conv->oh && job->columns == conv->ow) {
    job->images = tarn_greatest(1, tarn_least(conv->n, SLAB_BYTES / slab_bytes(conv, job->rows, job->columns)));
  }
  job->image_slabs = tarn_ceil_div(conv->n, job->images);
  job->row_slabs = tarn_ceil_div(conv->oh, job->rows);
  job->column_slabs = tarn_ceil_div(conv->ow, job->columns);
}

static void plan_pieces(weight_job *job) {
  job->c_piece = job->o_piece = 8;
  while (job->c_piece * job->o_piece * job->taps * PAIR * 4 > SUM_BYTES && job->c_piece > 1) {
    *(job->c_piece >= job->o_piece ? &job->c_piece : &job->o_piece) /= 2;
  }
  job->c_piece = tarn_least(job->c_piece, job->c_blocks);
  job->o_piece = tarn_least(job->o_piece, job->o_blocks);
  job->c_pieces = tarn_ceil_div(job->c_blocks, job->c_piece);
  job->o_pieces = tarn_ceil_div(job->o_blocks, job->o_piece);
  job->sums = job->c_piece * job->o_piece * job->taps * PAIR;
  const int64_t slabs = job->image_slabs * job->row_slabs * job->column_slabs;
  const int64_t pieces = job->conv.groups * job->c_pieces * job->o_pieces;
  job->chunk_slabs = tarn_ceil_div(slabs, tarn_least(slabs, tarn_ceil_div(ENOUGH_PIECES, pieces)));
  job->chunks = tarn_ceil_div(slabs, job->chunk_slabs);
}

/// The blocks of a piece: the group's first ones, then where the piece begins and ends within the group.
typedef struct {
  int64_t group, c_begin, c_end, o_begin, o_end;
} piece_blocks;

static piece_blocks blocks_of(const weight_job *job, int64_t piece) {
  const int64_t o = piece % job->o_pieces * job->o_piece;
  const int64_t c = piece / job->o_pieces % job->c_pieces * job->c_piece;
  return (piece_blocks){
    piece / job->o_pieces / job->c_pieces, c, tarn_least(job->c_blocks, c + job->c_piece), o,
    tarn_least(job->o_blocks, o + job->o_piece)};
}

// MARK: Slabs

/// Where a slab lies.
typedef struct {
  int64_t image, images, y_begin, y_end, x_begin, x_end;
} slab_bounds;

static slab_bounds bounds_of(const weight_job *job, int64_t slab) {
  const tarn_conv *conv = &job->conv;
  const int64_t x = slab % job->column_slabs * job->columns;
  const int64_t y = slab / job->column_slabs % job->row_slabs * job->rows;
  const int64_t image = slab / job->column_slabs / job->row_slabs * job->images;
  return (slab_bounds){
    image, tarn_least(job->images, conv->n - image), y, tarn_least(conv->oh, y + job->rows), x,
    tarn_least(conv->ow, x + job->columns)};
}

// MARK: What the next slab reads

/// `lines` pixels, `pixel` floats apart, for each image, block and row.
typedef struct {
  const float *base;
  int64_t count[3], step[3], index[3], lines, pixel, offset;
} region;

typedef struct {
  region regions[2];
  int at;
} reader;

/// Makes runs that follow each other one.
static void merge(region *r) {
  for (int axis = 2; axis >= 0; axis--) {
    if (r->step[axis] != r->lines * r->pixel) break;
    r->lines *= r->count[axis];
    r->count[axis] = 1;
  }
}

/// The elements of x that positions of one axis of a slab read.
static tap_range reach_of(const tarn_conv *conv, int axis, int64_t begin, int64_t end) {
  const int64_t size = axis == 0 ? conv->h : conv->w, taps = axis == 0 ? conv->kh : conv->kw;
  const int64_t last = (end - 1) * conv->stride[axis] + (taps - 1) * conv->dilation[axis] - conv->low[axis];
  return (tap_range){
    tarn_greatest(0, begin * conv->stride[axis] - conv->low[axis]), tarn_least(size, last + 1)};
}

static reader reader_of(const weight_job *job, const piece_blocks *blocks, int64_t slab) {
  const tarn_conv *conv = &job->conv;
  const slab_bounds at = bounds_of(job, slab);
  const int64_t x_blocks = job->c_blocks * conv->groups, g_blocks = job->o_blocks * conv->groups;
  const int64_t x_plane = conv->h * conv->w * TARN_LANES, g_plane = conv->oh * conv->ow * TARN_LANES;
  const int64_t x_block = at.image * x_blocks + blocks->group * job->c_blocks + blocks->c_begin;
  const int64_t g_block = at.image * g_blocks + blocks->group * job->o_blocks + blocks->o_begin;
  const tap_range y = reach_of(conv, 0, at.y_begin, at.y_end), x = reach_of(conv, 1, at.x_begin, at.x_end);
  // Where there is one tap, a stride leaves pixels out.
  const int64_t skip_y = conv->kh == 1 ? conv->stride[0] : 1, skip_x = conv->kw == 1 ? conv->stride[1] : 1;
  reader result = {.regions = {
    {.base = job->x + x_block * x_plane + (y.begin * conv->w + x.begin) * TARN_LANES,
     .count = {at.images, blocks->c_end - blocks->c_begin, tarn_ceil_div(y.end - y.begin, skip_y)},
     .step = {x_blocks * x_plane, x_plane, skip_y * conv->w * TARN_LANES},
     .lines = tarn_ceil_div(x.end - x.begin, skip_x), .pixel = skip_x * TARN_LANES},
    {.base = job->g + g_block * g_plane + (at.y_begin * conv->ow + at.x_begin) * TARN_LANES,
     .count = {at.images, blocks->o_end - blocks->o_begin, at.y_end - at.y_begin},
     .step = {g_blocks * g_plane, g_plane, conv->ow * TARN_LANES}, .lines = at.x_end - at.x_begin,
     .pixel = TARN_LANES}}};
  if (y.begin >= y.end || x.begin >= x.end) result.at = 1;
  for (int i = 0; i < 2; i++) merge(&result.regions[i]);
  return result;
}

/// Gives a call on `positions` as many pixels to prefetch, or none if all are taken.
static void read_ahead(reader *from, int64_t positions, tarn_weight_slab *slab) {
  slab->ahead = slab->x;
  slab->ahead_step = 0;
  if (from->at == 2) return;
  region *r = &from->regions[from->at];
  slab->ahead = r->base + r->offset * r->pixel;
  for (int axis = 0; axis < 3; axis++) slab->ahead += r->index[axis] * r->step[axis];
  slab->ahead_step = r->pixel;
  r->offset += positions;
  if (r->offset < r->lines) return;
  r->offset = 0;
  for (int axis = 2; axis >= 0; axis--) {
    if (++r->index[axis] < r->count[axis]) return;
    r->index[axis] = 0;
  }
  from->at++;
}

// MARK: Sums

/// Adds all taps of one block of inputs and one or several of outputs to totals[o block, 16, tap, 16].
static void add_taps(
  const weight_job *job, const slab_bounds *at, int64_t x_block, int64_t g_block, int64_t channels, int several,
  reader *next, float *totals
) {
  const tarn_conv *conv = &job->conv;
  const tarn_weight_kernels *kernels = tarn_level_now()->weight_gradient;
  const int64_t x_blocks = job->c_blocks * conv->groups, g_blocks = job->o_blocks * conv->groups;
  const int64_t x_plane = conv->h * conv->w * TARN_LANES, g_plane = conv->oh * conv->ow * TARN_LANES;
  tarn_weight_slab slab = {
    .images = at->images, .x_image = x_blocks * x_plane, .g_image = g_blocks * g_plane,
    .x_row = conv->stride[0] * conv->w * TARN_LANES, .g_row = conv->ow * TARN_LANES,
    .x_column = conv->stride[1] * TARN_LANES, .g_block = g_plane, .total_factor = job->taps * TARN_LANES,
    .total_block = job->taps * PAIR};
  for (int64_t i = 0; i < conv->kh; i++) {
    const int64_t y = tarn_greatest(at->y_begin, job->y_ranges[i].begin);
    slab.rows = tarn_least(at->y_end, job->y_ranges[i].end) - y;
    if (slab.rows <= 0) continue;
    for (int64_t j = 0; j < conv->kw; j++) {
      const int64_t x = tarn_greatest(at->x_begin, job->x_ranges[j].begin);
      slab.columns = tarn_least(at->x_end, job->x_ranges[j].end) - x;
      if (slab.columns <= 0) continue;
      const int64_t x_y = y * conv->stride[0] + i * conv->dilation[0] - conv->low[0];
      const int64_t x_x = x * conv->stride[1] + j * conv->dilation[1] - conv->low[1];
      slab.g = job->g + (at->image * g_blocks + g_block) * g_plane + (y * conv->ow + x) * TARN_LANES;
      const float *from =
        job->x + (at->image * x_blocks + x_block) * x_plane + (x_y * conv->w + x_x) * TARN_LANES;
      for (int64_t first = 0; first < channels; first += kernels->factors) {
        slab.x = from + first;
        read_ahead(next, slab.images * slab.rows * slab.columns, &slab);
        (several ? kernels->several : kernels->one)(
          &slab, totals + (first * job->taps + i * conv->kw + j) * TARN_LANES);
      }
    }
  }
}

/// Sums of a piece over the slabs of a chunk: [c block, o block, 16, tap, 16].
static void sum_piece(const weight_job *job, int64_t piece, int64_t chunk, float *totals) {
  const piece_blocks blocks = blocks_of(job, piece);
  const int64_t most = tarn_level_now()->weight_gradient->blocks;
  const int64_t slabs = job->image_slabs * job->row_slabs * job->column_slabs;
  memset(totals, 0, (size_t)job->sums * sizeof *totals);
  const int64_t last = tarn_least(slabs, (chunk + 1) * job->chunk_slabs);
  for (int64_t s = chunk * job->chunk_slabs; s < last; s++) {
    const slab_bounds at = bounds_of(job, s);
    reader next = {.at = 2};
    if (s + 1 < last) next = reader_of(job, &blocks, s + 1);
    for (int64_t o = blocks.o_begin, taken; o < blocks.o_end; o += taken) {
      taken = o + most <= blocks.o_end ? most : 1;
      for (int64_t c = blocks.c_begin; c < blocks.c_end; c++) {
        const int64_t pair = (c - blocks.c_begin) * job->o_piece + o - blocks.o_begin;
        add_taps(
          job, &at, blocks.group * job->c_blocks + c, blocks.group * job->o_blocks + o,
          tarn_least(TARN_LANES, job->c - c * TARN_LANES), taken > 1, &next,
          totals + pair * job->taps * PAIR);
      }
    }
  }
}

/// Puts sums [16, tap, 16] of a pair of blocks where the weights are.
static void write_pair(const weight_job *job, int64_t group, int64_t c, int64_t o, const float *totals) {
  const int64_t inputs = tarn_least(TARN_LANES, job->c - c * TARN_LANES);
  const int64_t outputs = tarn_least(TARN_LANES, job->o - o * TARN_LANES);
  float *to = job->dw + ((group * job->o + o * TARN_LANES) * job->c + c * TARN_LANES) * job->taps;
  tarn_level_now()->pack_transposed[0](to, job->c * job->taps, totals, TARN_LANES, inputs * job->taps, outputs);
}

static void write_piece(const weight_job *job, int64_t piece, const float *totals) {
  const piece_blocks blocks = blocks_of(job, piece);
  for (int64_t c = blocks.c_begin; c < blocks.c_end; c++) {
    for (int64_t o = blocks.o_begin; o < blocks.o_end; o++) {
      const int64_t pair = (c - blocks.c_begin) * job->o_piece + o - blocks.o_begin;
      write_pair(job, blocks.group, c, o, totals + pair * job->taps * PAIR);
    }
  }
}

// MARK: Tasks

static void whole_task(void *ctx, int64_t begin, int64_t end) {
  const weight_job *job = ctx;
  float *totals = tarn_scratch(TARN_SCRATCH_MARGINS, (size_t)job->sums * sizeof *totals);
  if (!totals) {
    __atomic_store_n(job->status, TARN_NO_MEMORY, __ATOMIC_RELAXED);
    return;
  }
  for (int64_t piece = begin; piece < end; piece++) {
    sum_piece(job, piece, 0, totals);
    write_piece(job, piece, totals);
  }
}

static void chunk_task(void *ctx, int64_t begin, int64_t end) {
  const weight_job *job = ctx;
  for (int64_t i = begin; i < end; i++) {
    sum_piece(job, i / job->chunks, i % job->chunks, job->partials + i * job->sums);
  }
}

/// Adds the chunks of pairs of blocks to the first one.
static void combine_task(void *ctx, int64_t begin, int64_t end) {
  const weight_job *job = ctx;
  const int64_t pairs = job->c_piece * job->o_piece, size = job->taps * PAIR;
  for (int64_t i = begin; i < end; i++) {
    const piece_blocks blocks = blocks_of(job, i / pairs);
    const int64_t c = blocks.c_begin + i % pairs / job->o_piece, o = blocks.o_begin + i % pairs % job->o_piece;
    if (c >= blocks.c_end || o >= blocks.o_end) continue;
    float *total = job->partials + i / pairs * job->chunks * job->sums + i % pairs * size;
    for (int64_t chunk = 1; chunk < job->chunks; chunk++) {
      const float *more = total + chunk * job->sums;
      for (int64_t k = 0; k < size; k++) total[k] += more[k];
    }
    write_pair(job, blocks.group, c, o, total);
  }
}

int tarn_direct_weight_gradient(const tarn_conv *conv, const float *x, const float *g, float *dw) {
  if (!tarn_direct_takes(conv, TARN_PASS_WEIGHT_GRADIENT)) return TARN_BAD_ARGUMENT;
  int status = TARN_OK;
  weight_job job = {
    .conv = *conv, .x = x, .g = g, .dw = dw, .c = conv->c / conv->groups, .o = conv->o / conv->groups,
    .taps = conv->kh * conv->kw, .status = &status};
  const int64_t weights = conv->o * job.c * job.taps;
  if (weights == 0) return TARN_OK;
  if (conv->n * conv->oh * conv->ow == 0) {
    memset(dw, 0, (size_t)weights * sizeof *dw);
    return TARN_OK;
  }
  flatten(&job.conv);
  job.c_blocks = tarn_ceil_div(job.c, TARN_LANES);
  job.o_blocks = tarn_ceil_div(job.o, TARN_LANES);
  tap_range *ranges = tarn_scratch(TARN_SCRATCH_TABLES, (size_t)(conv->kh + conv->kw) * sizeof *ranges);
  if (!ranges) return TARN_NO_MEMORY;
  fill_ranges(&job.conv, 0, ranges);
  fill_ranges(&job.conv, 1, ranges + conv->kh);
  job.y_ranges = ranges;
  job.x_ranges = ranges + conv->kh;
  plan_slabs(&job);
  plan_pieces(&job);
  const int64_t pieces = conv->groups * job.c_pieces * job.o_pieces;
  if (job.chunks == 1) {
    tarn_parallel(pieces, 1, whole_task, &job);
    return status;
  }
  job.partials =
    tarn_scratch(TARN_SCRATCH_WEIGHT_SUMS, (size_t)(pieces * job.chunks * job.sums) * sizeof *job.partials);
  if (!job.partials) return TARN_NO_MEMORY;
  tarn_parallel(pieces * job.chunks, 1, chunk_task, &job);
  tarn_parallel(pieces * job.c_piece * job.o_piece, 1, combine_task, &job);
  return status;
}
