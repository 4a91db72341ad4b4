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
  /// Of a tile: its rows. Of a row: its tiles.
  int64_t tile_rows, row_tiles;
  /// Units are tiles of the only row, or groups of `tile_rows` rows.
  int flat;
  int64_t units, piece_units, unit_pieces;
  /// Blocks of outputs, by pieces.
  int64_t piece_blocks, block_pieces;
  /// Whether all tiles of a piece use some weights before the next weights are read.
  int weights_first;
  /// Channels summed before the next tile is begun.
  int64_t chunk;
  /// Floats from row to row of outputs, and from plane to plane, where x is read; places of a slot of rows.
  int64_t x_row, x_plane, slot_rows;
  int64_t taps;
  int64_t *x_taps, *w_taps;
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

/// One slot of a row: places 0 ..< width hold x[first + i * stride], 0 outside.
static void copy_slot(const tarn_direct_axis *columns, int64_t slot, int64_t floats, const float *x, float *to) {
  const int64_t width = columns->count + columns->reach, stride = columns->stride, at = columns->first[slot];
  const int64_t end = at >= columns->x_size ? 0 : tarn_least(width, tarn_ceil_div(columns->x_size - at, stride));
  const int64_t begin = tarn_least(end, at < 0 ? tarn_ceil_div(-at, stride) : 0);
  memset(to, 0, (size_t)(begin * floats) * sizeof *to);
  if (stride == 1) {
    memcpy(to + begin * floats, x + (at + begin) * floats, (size_t)((end - begin) * floats) * sizeof *to);
  } else if (floats == 1) {
    for (int64_t i = begin; i < end; i++) to[i] = x[at + i * stride];
  } else {
    for (int64_t i = begin; i < end; i++) {
      memcpy(to + i * TARN_LANES, x + (at + i * stride) * TARN_LANES, TARN_LANES * sizeof *to);
    }
  }
  memset(to + end * floats, 0, (size_t)((width - end) * floats) * sizeof *to);
}

/// What outputs of `count` rows from `first` on read, of all planes.
static void copy_image(const direct_job *job, const float *x, int64_t first, int64_t count, float *to) {
  const tarn_direct_axis *rows = &job->grid->rows, *columns = &job->grid->columns;
  const int64_t floats = job->grid->pixel_floats, slot_floats = (columns->count + columns->reach) * floats;
  for (int64_t plane = 0; plane < job->grid->planes; plane++) {
    const float *image = x + plane * rows->x_size * columns->x_size * floats;
    for (int64_t slot = 0; slot < rows->slot_count; slot++) {
      for (int64_t i = 0; i < count + rows->reach; i++) {
        const int64_t row = rows->first[slot] + (first + i) * rows->stride;
        float *line = to + plane * job->x_plane + (slot * job->slot_rows + i) * job->x_row;
        if (row < 0 || row >= rows->x_size) {
          memset(line, 0, (size_t)job->x_row * sizeof *line);
          continue;
        }
        for (int64_t s = 0; s < columns->slot_count; s++) {
          copy_slot(columns, s, floats, image + row * columns->x_size * floats, line + s * slot_floats);
        }
      }
    }
  }
}

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

static void run_tile(direct_piece *p, int64_t row, int64_t column, int64_t count, int64_t block) {
  const direct_job *job = p->job;
  const tarn_direct_grid *grid = job->grid;
  tarn_direct_tile *t = &p->tile;
  const int64_t rows = tarn_least(job->tile_rows, p->end_row - row);
  const int64_t blocks = tarn_least(job->kernels->blocks, p->end_block - block);
  t->x += (row - p->first_row) * job->x_row + column * grid->pixel_floats;
  t->w += block * grid->w_out;
  const int64_t y = block * t->y_block + (grid->rows.start + row * grid->rows.step) * grid->columns.y_size * TARN_LANES +
                    (grid->columns.start + column * grid->columns.step) * TARN_LANES;
  t->y = p->y + y;
  t->residual = p->residual ? p->residual + y : NULL;
  t->scale = p->scale ? p->scale + block * TARN_LANES : NULL;
  t->shift = p->shift ? p->shift + block * TARN_LANES : NULL;
  if (grid->pixel_floats == 1) job->kernels->stem[blocks - 1][count - 1](t);
  else job->kernels->tiles[blocks - 1][rows - 1][count - 1](t);
}

/// The tile's sum over all channels.
static void run_whole(direct_piece *p, int64_t row, int64_t column, int64_t count, int64_t block) {
  p->tile.x = p->x;
  p->tile.w = p->w;
  run_tile(p, row, column, count, block);
}

/// All tiles with the sums over channels from `begin` on to those before `end`.
static void run_chunk(direct_piece *p, int64_t block, int64_t begin, int64_t end) {
  const direct_job *job = p->job;
  const tarn_direct_grid *grid = job->grid;
  const int64_t columns = grid->columns.count;
  p->tile.c = end - begin;
  for (int64_t row = p->first_row; row < p->end_row; row += job->tile_rows) {
    for (int64_t i = p->first_tile; i < p->end_tile; i++) {
      const int64_t column = i * columns / job->row_tiles, next = (i + 1) * columns / job->row_tiles;
      float *sums = p->sums + ((row - p->first_row) * columns + column) * job->kernels->blocks * TARN_LANES;
      p->tile.from = begin > 0 ? sums : NULL;
      p->tile.to = end < grid->c ? sums : NULL;
      p->tile.x = p->x + begin / TARN_LANES * job->x_plane;
      p->tile.w = p->w + begin / TARN_LANES * grid->w_block;
      run_tile(p, row, column, next - column, block);
    }
  }
}

static void run_piece(direct_piece *p) {
  const direct_job *job = p->job;
  const int64_t columns = job->grid->columns.count, c = job->grid->c, blocks = job->kernels->blocks;
  if (job->weights_first) {
    for (int64_t block = p->first_block; block < p->end_block; block += blocks) {
      for (int64_t begin = 0; begin == 0 || begin < c; begin += job->chunk) {
        run_chunk(p, block, begin, tarn_least(c, begin + job->chunk));
      }
    }
    return;
  }
  for (int64_t row = p->first_row; row < p->end_row; row += job->tile_rows) {
    for (int64_t i = p->first_tile; i < p->end_tile; i++) {
      const int64_t column = i * columns / job->row_tiles, next = (i + 1) * columns / job->row_tiles;
      for (int64_t block = p->first_block; block < p->end_block; block += blocks) {
        run_whole(p, row, column, next - column, block);
      }
    }
  }
}

// MARK: Pieces

/// Sets what the piece reads. Returns a status.
static int begin_piece(direct_piece *p, const float *x) {
  const direct_job *job = p->job;
  const int64_t rows = p->end_row - p->first_row;
  p->x = x + p->first_row * job->x_row;
  if (!job->in_place) {
    const size_t floats = (size_t)(job->grid->planes * job->x_plane + TARN_LANES);
    float *copy = tarn_scratch(TARN_SCRATCH_DIRECT_IMAGE, floats * sizeof *copy);
    if (!copy) return TARN_NO_MEMORY;
    copy_image(job, x, p->first_row, rows, copy);
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
      .y_row = rows->step * columns->y_size * TARN_LANES, .y_block = y_block, .low = -__builtin_inff(),
      .high = __builtin_inff()};
    if (epilogue) {
      p.residual = epilogue->residual ? epilogue->residual + y : NULL;
      p.scale = epilogue->scale ? epilogue->scale + first_output : NULL;
      p.shift = epilogue->shift ? epilogue->shift + first_output : NULL;
      if (epilogue->activation == TARN_ACTIVATION_RELU) p.tile.low = 0;
      if (epilogue->activation == TARN_ACTIVATION_CLIP) p.tile.low = epilogue->low, p.tile.high = epilogue->high;
      p.tile.silu = epilogue->activation == TARN_ACTIVATION_SILU;
    }
    const int status = begin_piece(&p, grid->x + (image * grid->groups + group) * x_group);
    if (status) *job->status = status;
    else run_piece(&p);
  }
}

// MARK: Cutting

enum {
  /// Bytes of weights that stay in the second-level cache beside what else a piece needs.
  KEPT_WEIGHTS = 256 << 10,
  /// Bytes of x that a piece reads.
  PIECE_IMAGE = 256 << 10,
  /// Bytes of weights used by all tiles of a piece in turn.
  CHUNK_WEIGHTS = 160 << 10,
  /// Pieces for the threads to share, and the least products of one.
  MOST_PIECES = 32,
  LEAST_PRODUCTS = 250000,
};

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
  job->weights_first = weights > KEPT_WEIGHTS;
  int64_t most = tarn_least(job->units, tarn_greatest(1, PIECE_IMAGE / tarn_greatest(1, unit_bytes)));
  if (!job->weights_first) most = tarn_least(most, tarn_greatest(1, images * job->units / wanted));
  job->unit_pieces = tarn_ceil_div(job->units, most);
  job->piece_units = tarn_ceil_div(job->units, job->unit_pieces);
  job->unit_pieces = tarn_ceil_div(job->units, job->piece_units);
  const int64_t split = tarn_least(block_steps, tarn_ceil_div(wanted, job->unit_pieces * images));
  job->piece_blocks = tarn_ceil_div(block_steps, split) * job->kernels->blocks;
  job->block_pieces = tarn_ceil_div(grid->o_blocks, job->piece_blocks);
  job->chunk = grid->c;
  const int64_t block_weights = rows->taps * columns->taps * TARN_LANES * TARN_LANES * 4 * job->kernels->blocks;
  if (job->weights_first && block_weights * grid->planes > 2 * CHUNK_WEIGHTS && grid->pixel_floats > 1) {
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
  status = fill_taps(&job);
  if (status) return status;
  tarn_parallel(grid.groups * job.block_pieces * grid.n * job.unit_pieces, 1, direct_task, &job);
  return status;
}
