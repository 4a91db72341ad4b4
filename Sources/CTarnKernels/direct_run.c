// Runs a direct convolution: cuts the grid of outputs into pieces, and pieces into tiles.
//
// A piece reads x in place where every tap of every output lies within it and neighbours follow each other. Otherwise
// it copies its part of x into scratch memory, with zeros around it and the columns sorted by their remainder modulo
// the stride, so that tiles know neither borders nor strides.
#include <string.h>

#include "direct_tile.h"

typedef struct {
  const tarn_direct_grid *grid;
  const struct tarn_direct_kernels *kernels;
  int in_place;
  /// Of a row: its tiles, each of `tile_columns` pixels but for the first few, which have one more.
  int64_t row_tiles, tile_columns, wider_tiles;
  int64_t tile_rows;
  /// Units are tiles of the only row, or groups of `tile_rows` rows.
  int flat;
  int64_t units, piece_units, unit_pieces;
  /// Blocks of outputs, by pieces.
  int64_t piece_blocks, block_pieces;
  /// Channels summed before the next tile is begun.
  int64_t chunk;
  /// Floats from row to row of outputs, and from plane to plane, where x is read; places of a slot of rows.
  int64_t x_row, x_plane, slot_rows;
  int64_t taps;
  int64_t *x_taps, *w_taps;
  /// Copies of x for all pieces, so many of each image, where several pieces share one; else null.
  float *shared;
  int64_t copies;
  int streams;
  int *status;
} direct_job;

// MARK: Where x is read

/// Sorts the taps of an axis into slots.
static void sort_taps(tarn_direct_axis *axis) {
  if (axis->taps == 0) return;
  int64_t low = axis->offsets[0];
  for (int64_t t = 1; t < axis->taps; t++) low = tarn_least(low, axis->offsets[t]);
  for (int64_t t = 0; t < axis->taps; t++) {
    const int64_t distance = axis->offsets[t] - low, first = low + distance % axis->stride;
    int64_t slot = 0;
    while (slot < axis->slot_count && axis->first[slot] != first) slot++;
    if (slot == axis->slot_count) axis->first[axis->slot_count++] = first;
    axis->slots[t] = slot;
    axis->shifts[t] = distance / axis->stride;
    axis->reach = tarn_greatest(axis->reach, axis->shifts[t]);
  }
}

static int lies_within(const tarn_direct_axis *axis) {
  for (int64_t t = 0; t < axis->taps; t++) {
    const int64_t first = axis->offsets[t], last = first + (axis->count - 1) * axis->stride;
    if (first < 0 || last >= axis->x_size) return 0;
  }
  return 1;
}

/// One place of a tap: floats from the first output's.
static int64_t tap_offset(const direct_job *job, int64_t row, int64_t column) {
  const tarn_direct_axis *rows = &job->grid->rows, *columns = &job->grid->columns;
  const int64_t floats = job->grid->pixel_floats;
  if (job->in_place) return (rows->offsets[row] * columns->x_size + columns->offsets[column]) * floats;
  const int64_t width = columns->count + columns->reach;
  return (rows->slots[row] * job->slot_rows + rows->shifts[row]) * job->x_row +
         (columns->slots[column] * width + columns->shifts[column]) * floats;
}

static int fill_taps(direct_job *job) {
  const tarn_direct_grid *grid = job->grid;
  const int64_t planes = grid->pixel_floats == 1 ? grid->planes : 1;
  const int64_t most = planes * grid->rows.taps * grid->columns.taps;
  job->x_taps = tarn_scratch(TARN_SCRATCH_DIRECT_TAPS, (size_t)(2 * most) * sizeof *job->x_taps);
  if (!job->x_taps) return TARN_NO_MEMORY;
  job->w_taps = job->x_taps + most;
  for (int64_t plane = 0; plane < planes; plane++) {
    for (int64_t i = 0; i < grid->rows.taps; i++) {
      for (int64_t j = 0; j < grid->columns.taps; j++) {
        const int64_t element = grid->rows.elements[i] * grid->kernel_columns + grid->columns.elements[j];
        job->x_taps[job->taps] = plane * job->x_plane + tap_offset(job, i, j);
        job->w_taps[job->taps++] = plane * grid->w_block + element * grid->w_tap;
      }
    }
  }
  return TARN_OK;
}

static inline void fill_zeros(float *to, int64_t count) {
  for (int64_t i = 0; i < count; i++) to[i] = 0;
}

/// One slot of a row: places 0 ..< width hold x[first + i * stride], 0 outside.
static void copy_slot(const direct_job *job, int64_t slot, const float *x, float *to) {
  const tarn_direct_axis *columns = &job->grid->columns;
  const int64_t floats = job->grid->pixel_floats, stride = columns->stride, at = columns->first[slot];
  const int64_t width = columns->count + columns->reach;
  const int64_t end = at >= columns->x_size ? 0 : tarn_least(width, tarn_ceil_div(columns->x_size - at, stride));
  const int64_t begin = tarn_least(end, at < 0 ? tarn_ceil_div(-at, stride) : 0);
  fill_zeros(to, begin * floats);
  job->kernels->copy[floats > 1](to + begin * floats, x + (at + begin * stride) * floats, end - begin, stride);
  fill_zeros(to + end * floats, (width - end) * floats);
}

/// What outputs of `count` rows from `first` on read of a plane.
static void copy_plane(const direct_job *job, const float *x, int64_t first, int64_t count, float *to) {
  const tarn_direct_axis *rows = &job->grid->rows, *columns = &job->grid->columns;
  const int64_t floats = job->grid->pixel_floats, slot_floats = (columns->count + columns->reach) * floats;
  for (int64_t slot = 0; slot < rows->slot_count; slot++) {
    for (int64_t i = 0; i < count + rows->reach; i++) {
      const int64_t row = rows->first[slot] + (first + i) * rows->stride;
      float *line = to + (slot * job->slot_rows + i) * job->x_row;
      if (row < 0 || row >= rows->x_size) {
        memset(line, 0, (size_t)job->x_row * sizeof *line);
        continue;
      }
      for (int64_t s = 0; s < columns->slot_count; s++) {
        copy_slot(job, s, x + row * columns->x_size * floats, line + s * slot_floats);
      }
    }
  }
}

/// Plane `i % planes` of what piece `i / planes` reads.
static void copy_task(void *ctx, int64_t begin, int64_t end) {
  const direct_job *job = ctx;
  const tarn_direct_grid *grid = job->grid;
  const int64_t rows = job->flat ? 1 : job->piece_units * job->tile_rows;
  for (int64_t i = begin; i < end; i++) {
    const int64_t piece = i / grid->planes, image = piece / job->copies, plane = i % grid->planes;
    const int64_t first = piece % job->copies * rows;
    const float *x = grid->x + (image * grid->planes + plane) * grid->rows.x_size * grid->columns.x_size *
                               grid->pixel_floats;
    copy_plane(job, x, first, tarn_least(rows, grid->rows.count - first), job->shared + i * job->x_plane);
  }
}

// MARK: Limits

enum {
  /// Bytes of weights that stay in the second-level cache beside what else a piece needs: if there are more, rather
  /// the weights are shared out than the image.
  KEPT_WEIGHTS = 256 << 10,
  /// Bytes of x and y from which on the start of y has left the last cache when its end is written.
  LAST_CACHE = 32 << 20,
  /// Bytes of x that a piece reads.
  PIECE_IMAGE = 256 << 10,
  /// Bytes of weights used by all tiles of a piece in turn.
  CHUNK_WEIGHTS = 160 << 10,
  /// Tiles that fetch the next weights between them, if there are as many; more than the second use the weights long
  /// enough without.
  FETCHING_TILES = 4,
  MOST_FETCHING = 32,
  /// Pieces for the threads to share, and the least products of one.
  MOST_PIECES = 32,
  LEAST_PRODUCTS = 250000,
};

// MARK: Tiles

typedef struct {
  const direct_job *job;
  tarn_direct_tile tile;
  /// Of the group and the image; x begins with the piece's first row.
  const float *x, *w;
  float *y, *sums;
  const float *residual, *scale, *shift;
  int64_t first_row, first_tile, end_row, end_tile, first_block, end_block;
} direct_piece;

/// Tiles of a row differ by no more than a pixel.
static inline int64_t first_column(const direct_job *job, int64_t tile) {
  return tile * job->tile_columns + tarn_least(tile, job->wider_tiles);
}

static void run_tile(direct_piece *p, int64_t row, int64_t column, int64_t count, int64_t block) {
  const direct_job *job = p->job;
  const tarn_direct_grid *grid = job->grid;
  tarn_direct_tile *t = &p->tile;
  const int64_t rows = tarn_least(job->tile_rows, p->end_row - row);
  const int64_t blocks = tarn_least(job->kernels->blocks, p->end_block - block);
  t->x += (row - p->first_row) * job->x_row + column * grid->pixel_floats;
  t->w += block * grid->w_out;
  const int64_t y_row = grid->rows.start + row * grid->rows.step;
  const int64_t y_column = grid->columns.start + column * grid->columns.step;
  const int64_t y = block * t->y_block + (y_row * grid->columns.y_size + y_column) * TARN_LANES;
  t->y = p->y + y;
  t->residual = p->residual ? p->residual + y : NULL;
  t->scale = p->scale ? p->scale + block * TARN_LANES : NULL;
  t->shift = p->shift ? p->shift + block * TARN_LANES : NULL;
  if (grid->pixel_floats == 1) job->kernels->stem[blocks - 1][count - 1](t);
  else job->kernels->tiles[blocks - 1][rows - 1][count - 1](t);
}

/// Weights come from memory, and where images are small few tiles use them: while some are used, each tile fetches a
/// part of those that this thread will use next. Pieces are taken in turn.
static void fetch_ahead(direct_piece *p, int64_t block, int64_t tile, int64_t tiles) {
  const direct_job *job = p->job;
  const tarn_direct_grid *grid = job->grid;
  const int64_t floats = job->kernels->blocks * grid->w_out, parts = tarn_least(tiles, FETCHING_TILES);
  int64_t next = block + job->kernels->blocks;
  if (next >= p->end_block) next = p->first_block + tarn_threads() * job->piece_blocks;
  const int pays = tile < parts && tiles <= MOST_FETCHING && job->chunk >= grid->c &&
                   floats * (int64_t)sizeof(float) <= CHUNK_WEIGHTS;
  p->tile.ahead = pays ? p->w + next * grid->w_out + tile * (floats / parts) : p->w + block * grid->w_out;
  p->tile.ahead_step = pays ? 2 * TARN_LANES * FETCHING_TILES / parts : 0;
}

/// All tiles with the sums over channels from `begin` on to those before `end`.
static void run_chunk(direct_piece *p, int64_t block, int64_t begin, int64_t end) {
  const direct_job *job = p->job;
  const tarn_direct_grid *grid = job->grid;
  const int64_t columns = grid->columns.count;
  p->tile.c = end - begin;
  const int64_t tiles = tarn_ceil_div(p->end_row - p->first_row, job->tile_rows) * (p->end_tile - p->first_tile);
  int64_t tile = 0;
  for (int64_t row = p->first_row; row < p->end_row; row += job->tile_rows) {
    for (int64_t i = p->first_tile; i < p->end_tile; i++) {
      const int64_t column = first_column(job, i), next = first_column(job, i + 1);
      float *sums = p->sums + ((row - p->first_row) * columns + column) * job->kernels->blocks * TARN_LANES;
      p->tile.from = begin > 0 ? sums : NULL;
      p->tile.to = end < grid->c ? sums : NULL;
      p->tile.x = p->x + begin / TARN_LANES * job->x_plane;
      p->tile.w = p->w + begin / TARN_LANES * grid->w_block;
      fetch_ahead(p, block, tile++, tiles);
      run_tile(p, row, column, next - column, block);
    }
  }
}

/// All tiles use some weights before the next weights are read.
static void run_piece(direct_piece *p) {
  const direct_job *job = p->job;
  const int64_t c = job->grid->c;
  for (int64_t block = p->first_block; block < p->end_block; block += job->kernels->blocks) {
    for (int64_t begin = 0; begin == 0 || begin < c; begin += job->chunk) {
      run_chunk(p, block, begin, tarn_least(c, begin + job->chunk));
    }
  }
}

// MARK: Pieces

/// Sets what the piece reads. Returns a status.
static int begin_piece(direct_piece *p, const float *x, const float *shared) {
  const direct_job *job = p->job;
  const int64_t rows = p->end_row - p->first_row;
  p->x = x + p->first_row * job->x_row;
  if (shared) {
    p->x = shared;
  } else if (!job->in_place) {
    const size_t floats = (size_t)(job->grid->planes * job->x_plane + TARN_LANES);
    float *copy = tarn_scratch(TARN_SCRATCH_DIRECT_IMAGE, floats * sizeof *copy);
    if (!copy) return TARN_NO_MEMORY;
    const int64_t plane = job->grid->rows.x_size * job->grid->columns.x_size * job->grid->pixel_floats;
    for (int64_t i = 0; i < job->grid->planes; i++) {
      copy_plane(job, x + i * plane, p->first_row, rows, copy + i * job->x_plane);
    }
    p->x = copy;
  }
  if (job->chunk < job->grid->c) {
    const size_t floats = (size_t)(rows * job->grid->columns.count * job->kernels->blocks * TARN_LANES);
    p->sums = tarn_scratch(TARN_SCRATCH_DIRECT_SUMS, floats * sizeof *p->sums);
    if (!p->sums) return TARN_NO_MEMORY;
  }
  return TARN_OK;
}

static void direct_task(void *ctx, int64_t begin, int64_t end) {
  const direct_job *job = ctx;
  const tarn_direct_grid *grid = job->grid;
  const tarn_direct_axis *rows = &grid->rows, *columns = &grid->columns;
  const tarn_epilogue *epilogue = grid->epilogue;
  const int64_t y_block = rows->y_size * columns->y_size * TARN_LANES;
  const int64_t x_group = grid->planes * rows->x_size * columns->x_size * grid->pixel_floats;
  for (int64_t i = begin; i < end; i++) {
    // Pieces that share weights follow each other.
    const int64_t unit = i % job->unit_pieces * job->piece_units, image = i / job->unit_pieces % grid->n;
    const int64_t block = i / (job->unit_pieces * grid->n) % job->block_pieces * job->piece_blocks;
    const int64_t group = i / (job->unit_pieces * grid->n * job->block_pieces);
    const int64_t unit_end = tarn_least(job->units, unit + job->piece_units);
    const int64_t y = (image * grid->groups + group) * grid->o_blocks * y_block;
    const int64_t first_output = group * grid->o_blocks * TARN_LANES;
    direct_piece p = {
      .job = job, .w = grid->w + group * grid->o_blocks * grid->w_out, .y = grid->y + y, .first_block = block,
      .end_block = tarn_least(grid->o_blocks, block + job->piece_blocks),
      .first_row = job->flat ? 0 : unit * job->tile_rows,
      .end_row = job->flat ? 1 : tarn_least(rows->count, unit_end * job->tile_rows),
      .first_tile = job->flat ? unit : 0, .end_tile = job->flat ? unit_end : job->row_tiles};
    p.tile = (tarn_direct_tile){
      .c = grid->c, .taps = job->taps, .x_taps = job->x_taps, .w_taps = job->w_taps, .x_row = job->x_row,
      .x_block = job->x_plane, .w_block = grid->w_block, .w_out = grid->w_out, .y_pixel = columns->step * TARN_LANES,
      .y_row = rows->step * columns->y_size * TARN_LANES, .y_block = y_block, .high = __builtin_inff(),
      .streams = job->streams};
    if (epilogue) {
      p.residual = epilogue->residual ? epilogue->residual + y : NULL;
      p.scale = epilogue->scale ? epilogue->scale + first_output : NULL;
      p.shift = epilogue->shift ? epilogue->shift + first_output : NULL;
      if (epilogue->activation == TARN_ACTIVATION_CLIP) p.tile.low = epilogue->low, p.tile.high = epilogue->high;
      p.tile.clips =
        epilogue->activation == TARN_ACTIVATION_RELU || epilogue->activation == TARN_ACTIVATION_CLIP;
      p.tile.silu = epilogue->activation == TARN_ACTIVATION_SILU;
    }
    const int64_t source = image * grid->groups + group;
    const int64_t copy = source * job->copies + i % job->copies;
    const float *shared = job->shared ? job->shared + copy * grid->planes * job->x_plane : NULL;
    const int status = begin_piece(&p, grid->x + source * x_group, shared);
    if (status) *job->status = status;
    else run_piece(&p);
  }
}

// MARK: Cutting

static void cut_tiles(direct_job *job, tarn_direct_axis *rows, tarn_direct_axis *columns) {
  const int64_t most = job->kernels->pixels;
  if (job->in_place && rows->taps == 1 && columns->taps == 1 && rows->count == rows->x_size &&
      columns->count == columns->x_size && rows->count == rows->y_size && columns->count == columns->y_size) {
    // One long row of pixels.
    columns->count = columns->x_size = columns->y_size = rows->count * columns->count;
    rows->count = rows->x_size = rows->y_size = 1;
    columns->step = 1;
  }
  job->flat = rows->count == 1;
  job->row_tiles = tarn_ceil_div(columns->count, most);
  job->tile_columns = columns->count / job->row_tiles;
  job->wider_tiles = columns->count % job->row_tiles;
  job->tile_rows = job->grid->pixel_floats > 1 && rows->count > 1 && 2 * columns->count <= most ? 2 : 1;
  job->units = job->flat ? job->row_tiles : tarn_ceil_div(rows->count, job->tile_rows);
}

static void cut_pieces(direct_job *job) {
  const tarn_direct_grid *grid = job->grid;
  const tarn_direct_axis *rows = &grid->rows, *columns = &grid->columns;
  const int64_t terms = grid->c * tarn_greatest(1, rows->taps * columns->taps);
  const int64_t weights = terms * grid->o_blocks * TARN_LANES * 4;
  const int64_t unit_pixels = job->flat ? job->kernels->pixels : job->tile_rows * columns->count;
  const int64_t pixel_inputs = job->in_place ? 1 : rows->slot_count * columns->slot_count;
  const int64_t unit_bytes = unit_pixels * pixel_inputs * grid->planes * grid->pixel_floats * 4;
  const int64_t images = grid->n * grid->groups, block_steps = tarn_ceil_div(grid->o_blocks, job->kernels->blocks);
  const int64_t products = unit_pixels * terms * grid->o_blocks * TARN_LANES;
  const int64_t wanted =
    tarn_greatest(1, tarn_least(MOST_PIECES, images * job->units * products / LEAST_PRODUCTS));
  int64_t most = tarn_least(job->units, tarn_greatest(1, PIECE_IMAGE / tarn_greatest(1, unit_bytes)));
  if (weights <= KEPT_WEIGHTS) most = tarn_least(most, tarn_greatest(1, images * job->units / wanted));
  job->unit_pieces = tarn_ceil_div(job->units, most);
  job->piece_units = tarn_ceil_div(job->units, job->unit_pieces);
  job->unit_pieces = tarn_ceil_div(job->units, job->piece_units);
  const int64_t split = tarn_least(block_steps, tarn_ceil_div(wanted, job->unit_pieces * images));
  job->piece_blocks = tarn_ceil_div(block_steps, split) * job->kernels->blocks;
  job->block_pieces = tarn_ceil_div(grid->o_blocks, job->piece_blocks);
  job->chunk = tarn_greatest(1, grid->c);
  const int64_t block_weights = rows->taps * columns->taps * TARN_LANES * TARN_LANES * 4 * job->kernels->blocks;
  if (block_weights * grid->planes > 2 * CHUNK_WEIGHTS && grid->pixel_floats > 1) {
    const int64_t chunks = tarn_ceil_div(block_weights * grid->planes, CHUNK_WEIGHTS);
    job->chunk = tarn_ceil_div(grid->planes, chunks) * TARN_LANES;
  }
}

int tarn_direct_run(const tarn_direct_grid *given) {
  tarn_direct_grid grid = *given;
  tarn_direct_axis *rows = &grid.rows, *columns = &grid.columns;
  if (grid.n <= 0 || grid.o_blocks <= 0 || rows->count <= 0 || columns->count <= 0) return TARN_OK;
  int status = TARN_OK;
  direct_job job = {.grid = &grid, .kernels = tarn_level_now()->direct, .status = &status};
  sort_taps(rows);
  sort_taps(columns);
  job.in_place = columns->stride == 1 && lies_within(rows) && lies_within(columns);
  cut_tiles(&job, rows, columns);
  cut_pieces(&job);
  if (job.in_place) {
    job.x_row = rows->stride * columns->x_size * grid.pixel_floats;
    job.x_plane = rows->x_size * columns->x_size * grid.pixel_floats;
  } else {
    job.slot_rows = (job.flat ? 1 : job.piece_units * job.tile_rows) + rows->reach;
    job.x_row = columns->slot_count * (columns->count + columns->reach) * grid.pixel_floats;
    job.x_plane = rows->slot_count * job.slot_rows * job.x_row;
  }
  const tarn_epilogue *epilogue = grid.epilogue;
  const int64_t y_bytes = grid.n * grid.groups * grid.o_blocks * rows->count * columns->count * TARN_LANES * 4;
  const int64_t x_bytes = grid.n * grid.groups * grid.planes * rows->x_size * columns->x_size * grid.pixel_floats * 4;
  const int read_again = epilogue && (epilogue->residual == grid.y || epilogue->activation == TARN_ACTIVATION_SILU);
  job.streams = x_bytes + y_bytes > LAST_CACHE && !read_again;
  status = fill_taps(&job);
  if (status) return status;
  job.copies = job.flat ? 1 : job.unit_pieces;
  if (!job.in_place && job.block_pieces * job.unit_pieces > job.copies) {
    const int64_t planes = grid.n * grid.groups * job.copies * grid.planes;
    job.shared = tarn_scratch(TARN_SCRATCH_DIRECT_SHARED, (size_t)(planes * job.x_plane + TARN_LANES) * sizeof(float));
    if (!job.shared) return TARN_NO_MEMORY;
    tarn_parallel(planes, tarn_greatest(1, 16384 / tarn_greatest(1, job.x_plane)), copy_task, &job);
  }
  tarn_parallel(grid.groups * job.block_pieces * grid.n * job.unit_pieces, 1, direct_task, &job);
  return status;
}
