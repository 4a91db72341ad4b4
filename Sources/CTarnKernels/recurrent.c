// Recurrent layers over whole sequences.
//
// Rows of the batch do not meet in the recurrence: each thread takes its rows through all steps without waiting for
// others. The weights are packed once and stay in cache; gates are computed where their sums have just been made.
#include <string.h>

#include "internal.h"

enum {
  /// Below as many rows over all steps, packing the weights costs more than it gives.
  FEW_ROWS = 16,
  /// Between the rows of operands, so that they do not fall on the same cache lines.
  MARGIN = 16,
};

typedef struct {
  const tarn_recurrence *shape;
  const tarn_level *level;
  int gates;
  int64_t hidden, plane, width, blocks;
  const float *inputs, *weights, *bias, *bias_n, *h0, *c0, *g;
  const int64_t *lengths;
  float *states, *gradients, *packed;
  int *status;
} layer;

static int gates_of(int kind) { return kind == TARN_LSTM ? 4 : kind == TARN_GRU || kind == TARN_GRU_RESET_BEFORE ? 3 : 1; }
/// Planes kept of each step's gates.
static int kept_of(int kind) { return gates_of(kind) == 1 ? 0 : 4; }

int64_t tarn_recurrent_states(const tarn_recurrence *r) {
  const int64_t cells = r->kind == TARN_LSTM ? r->steps + 1 : 0;
  return (r->steps + 1 + cells + kept_of(r->kind) * r->steps) * r->batch * r->hidden;
}

int64_t tarn_recurrent_gradients(const tarn_recurrence *r) {
  const int64_t met = r->kind == TARN_GRU ? r->steps : 0, starts = r->kind == TARN_LSTM ? 2 : 1;
  return (gates_of(r->kind) * r->steps + met + starts) * r->batch * r->hidden;
}

static layer prepared(const tarn_recurrence *r) {
  layer job = {.shape = r, .level = tarn_level_now(), .gates = gates_of(r->kind), .hidden = r->hidden};
  job.plane = r->batch * r->hidden;
  job.width = job.level->nr[0];
  job.blocks = tarn_ceil_div(r->hidden, job.width);
  return job;
}

// MARK: What lies where

/// The time of the s-th step.
static int64_t time_of(const layer *job, int64_t s) { return job->shape->reverse ? job->shape->steps - 1 - s : s; }
static int64_t plane_before(const layer *job, int64_t t) { return job->shape->reverse ? t + 1 : t; }
static int64_t plane_after(const layer *job, int64_t t) { return job->shape->reverse ? t : t + 1; }

static float *h_plane(const layer *job, int64_t plane, int64_t row) {
  return job->states + plane * job->plane + row * job->hidden;
}

/// c before the s-th step, or after all.
static float *c_plane(const layer *job, int64_t s, int64_t row) {
  const int64_t steps = job->shape->steps, later = s == steps ? 0 : 1 + time_of(job, s);
  return h_plane(job, steps + 1 + later, row);
}

static float *gates_at(const layer *job, int64_t t, int64_t row) {
  const int64_t steps = job->shape->steps, planes = job->shape->kind == TARN_LSTM ? 2 * steps + 2 : steps + 1;
  return job->states + planes * job->plane + (t * job->shape->batch + row) * 4 * job->hidden;
}

static int is_over(const layer *job, int64_t t, int64_t row) { return job->lengths && t >= job->lengths[row]; }

static void note(const layer *job, int status) { __atomic_store_n(job->status, status, __ATOMIC_RELAXED); }

/// Rows per task. The bits do not depend on it.
static int64_t rows_per_task(const layer *job) {
  const tarn_recurrence *r = job->shape;
  const int64_t work = r->steps * r->batch * job->gates * r->hidden * r->hidden;
  return work < 262144 ? r->batch : tarn_ceil_div(r->batch, tarn_threads());
}

// MARK: Weights

/// Blocks of units, each with a panel [hidden, width] for every gate.
static void pack_forward(void *ctx, int64_t begin, int64_t end) {
  const layer *job = ctx;
  for (int64_t panel = begin; panel < end; panel++) {
    const int64_t unit = panel / job->gates * job->width, gate = panel % job->gates;
    tarn_matrix matrix = {job->weights + gate * job->hidden * job->hidden, job->hidden, 1, TARN_DTYPE_F32};
    tarn_pack_matrix(
      &matrix, unit, tarn_least(job->width, job->hidden - unit), 0, job->hidden,
      job->packed + panel * job->hidden * job->width, job->width);
  }
}

/// Panels [gates * hidden, width] of the columns of the weights.
static void pack_backward(void *ctx, int64_t begin, int64_t end) {
  const layer *job = ctx;
  const int64_t depth = job->gates * job->hidden;
  tarn_matrix matrix = {job->weights, job->hidden, 0, TARN_DTYPE_F32};
  for (int64_t panel = begin; panel < end; panel++) {
    const int64_t unit = panel * job->width;
    tarn_pack_matrix(
      &matrix, unit, tarn_least(job->width, job->hidden - unit), 0, depth, job->packed + panel * depth * job->width,
      job->width);
  }
}

static int pack_weights(layer *job, tarn_task task, int64_t panels) {
  const int64_t floats = job->blocks * job->gates * job->hidden * job->width;
  job->packed = tarn_scratch(TARN_SCRATCH_RECURRENT_WEIGHTS, (size_t)floats * sizeof(float));
  if (!job->packed) return TARN_NO_MEMORY;
  tarn_parallel(panels, tarn_greatest(1, panels * 32768 / tarn_greatest(1, floats)), task, job);
  return TARN_OK;
}

/// The weights of a wide layer do not stay in the second-level cache: while tiles are made with the panels of one block,
/// each fetches its part of the next one's, so many floats for each row of a panel.
static int64_t fetched_by_tile(const layer *job, int64_t rows) {
  return tarn_greatest(1, job->width / tarn_ceil_div(rows, job->level->mr));
}

// MARK: Forward

/// The rows of one task, and the memory it works in.
typedef struct {
  const layer *job;
  int64_t row, rows, s, t, ld;
  /// What this step multiplies, what the next one will, and r h.
  float *operand, *next, *met;
  float *sums;
} forward_rows;

static tarn_cell cell_of(const forward_rows *f, int64_t i, int64_t unit, int64_t n) {
  const layer *job = f->job;
  const int64_t row = f->row + i, input = (f->t * job->shape->batch + row) * job->gates * job->hidden;
  tarn_cell cell = {
    .n = n, .step = job->hidden, .inputs = job->inputs + input + unit, .bias = job->bias + unit,
    .h_before = h_plane(job, plane_before(job, f->t), row) + unit,
    .h = h_plane(job, plane_after(job, f->t), row) + unit, .operand = f->next + i * f->ld + unit};
  if (job->bias_n) cell.bias_n = job->bias_n + unit;
  if (kept_of(job->shape->kind)) cell.gates = gates_at(job, f->t, row) + unit;
  if (job->shape->kind == TARN_LSTM) {
    cell.c_before = c_plane(job, f->s, row) + unit;
    cell.c = c_plane(job, f->s + 1, row) + unit;
  }
  return cell;
}

/// The same units of the next row.
static void advance(tarn_cell *cell, const forward_rows *f) {
  const layer *job = f->job;
  const int64_t hidden = job->hidden;
  cell->inputs += job->gates * hidden;
  cell->h_before += hidden, cell->h += hidden, cell->operand += f->ld;
  if (cell->gates) cell->gates += 4 * hidden;
  if (cell->c) cell->c_before += hidden, cell->c += hidden;
}

static void fetch(const layer *job, const float *at) {
  __builtin_prefetch(at);
  if (job->width > 16) __builtin_prefetch(at + 16);
}

static void fetch_to_write(const layer *job, const float *at) {
  __builtin_prefetch(at, 1);
  if (job->width > 16) __builtin_prefetch(at + 16, 1);
}

/// Fetches what one gate of a tile will read and write, while products are made: rows lie far apart, and come from
/// memory.
static void fetch_gate(const forward_rows *f, int64_t first, int64_t count, int64_t unit, int gate) {
  const layer *job = f->job;
  const int64_t row = job->gates * job->hidden;
  const float *inputs = job->inputs + (f->t * job->shape->batch + f->row + first) * row + unit + gate * job->hidden;
  const int kept = kept_of(job->shape->kind) != 0, is_lstm = job->shape->kind == TARN_LSTM;
  for (int64_t i = 0; i < count; i++) {
    const int64_t r = f->row + first + i;
    fetch(job, inputs + i * row);
    if (kept) fetch_to_write(job, gates_at(job, f->t, r) + unit + gate * job->hidden);
    if (gate == 0) fetch_to_write(job, h_plane(job, plane_after(job, f->t), r) + unit);
    if (gate == 1 && is_lstm) fetch_to_write(job, c_plane(job, f->s + 1, r) + unit);
  }
}

/// Gates from `from` to `to` of all units: products of `operand`, and `step` on their sums; r h goes to `met`.
static void step_gates(const forward_rows *f, const float *operand, int from, int to, tarn_cell_step step, float *met) {
  const layer *job = f->job;
  const int64_t k = job->hidden, ldc = (to - from) * job->width, fetched = fetched_by_tile(job, f->rows);
  for (int64_t block = 0; block < job->blocks; block++) {
    const int64_t unit = block * job->width, n = tarn_least(job->width, job->hidden - unit);
    const float *ahead = job->packed + ((block + 1) % job->blocks * job->gates + from) * k * job->width;
    EACH_TILE(job->level, f->rows, first, count) {
      for (int gate = from; gate < to; gate++) {
        fetch_gate(f, first, count, unit, gate);
        job->level->row_tile[1][count - 1](
          k, operand + first * f->ld, f->ld, job->packed + (block * job->gates + gate) * k * job->width, job->width,
          f->sums + (gate - from) * job->width, ldc, 0, ahead, fetched);
        ahead += k * fetched;
      }
      tarn_cell cell = cell_of(f, first, unit, n);
      cell.sums = f->sums - from * job->width, cell.sums_step = job->width;
      if (met) cell.operand = met + first * f->ld + unit;
      for (int64_t i = first; i < first + count; i++, advance(&cell, f), cell.sums += ldc) {
        if (!is_over(job, f->t, f->row + i)) step(&cell);
      }
    }
  }
}

/// The same for few rows, from the weights as they are.
static void step_gates_directly(
  const forward_rows *f, const float *operand, int from, int to, tarn_cell_step step, float *met
) {
  const layer *job = f->job;
  const int64_t k = job->hidden;
  for (int64_t i = 0; i < f->rows; i++) {
    if (is_over(job, f->t, f->row + i)) continue;
    job->level->dots[0](f->sums, operand + i * f->ld, job->weights + from * k * k, k, (to - from) * k, k);
    tarn_cell cell = cell_of(f, i, 0, k);
    cell.sums = f->sums - from * k, cell.sums_step = k;
    if (met) cell.operand = met + i * f->ld;
    step(&cell);
  }
}

static void forward_step(const forward_rows *f) {
  const layer *job = f->job;
  void (*run)(const forward_rows *, const float *, int, int, tarn_cell_step, float *) =
    job->packed ? step_gates : step_gates_directly;
  const int kind = job->shape->kind;
  if (kind == TARN_GRU_RESET_BEFORE) {
    run(f, f->operand, 0, 2, job->level->cell[kind], f->met);
    run(f, f->met, 2, 3, job->level->gru_new, NULL);
  } else {
    run(f, f->operand, 0, job->gates, job->level->cell[kind], NULL);
  }
  // Rows whose sequence is over stand still.
  const size_t bytes = (size_t)job->hidden * sizeof(float);
  for (int64_t i = 0; i < f->rows; i++) {
    if (!is_over(job, f->t, f->row + i)) continue;
    const tarn_cell cell = cell_of(f, i, 0, job->hidden);
    memcpy(cell.h, cell.h_before, bytes);
    memcpy(cell.operand, cell.h_before, bytes);
    if (cell.c) memcpy(cell.c, cell.c_before, bytes);
    if (cell.gates) memset(cell.gates, 0, 4 * bytes);
  }
}

static void forward_task(void *ctx, int64_t begin, int64_t end) {
  const layer *job = ctx;
  forward_rows f = {.job = job, .row = begin, .rows = end - begin};
  f.ld = job->blocks * job->width + MARGIN;
  const int64_t operand = f.rows * f.ld, sums = job->gates * job->blocks * job->width * (job->packed ? job->level->mr : 1);
  float *memory = tarn_scratch(TARN_SCRATCH_RECURRENT, (size_t)(3 * operand + sums) * sizeof(float));
  if (!memory) return note(job, TARN_NO_MEMORY);
  f.operand = memory, f.next = memory + operand, f.met = memory + 2 * operand, f.sums = memory + 3 * operand;
  const int64_t start = job->shape->reverse ? job->shape->steps : 0;
  const size_t bytes = (size_t)job->hidden * sizeof(float);
  for (int64_t i = 0; i < f.rows; i++) {
    const float *h = job->h0 + (begin + i) * job->hidden;
    memcpy(h_plane(job, start, begin + i), h, bytes);
    memcpy(f.operand + i * f.ld, h, bytes);
    if (job->c0) memcpy(c_plane(job, 0, begin + i), job->c0 + (begin + i) * job->hidden, bytes);
  }
  for (f.s = 0; f.s < job->shape->steps; f.s++) {
    f.t = time_of(job, f.s);
    forward_step(&f);
    float *swap = f.operand;
    f.operand = f.next, f.next = swap;
  }
}

static int is_sound(const tarn_recurrence *r) {
  return r->kind >= 0 && r->kind < TARN_CELL_KINDS && r->steps >= 0 && r->batch >= 0 && r->hidden >= 0;
}

int tarn_recurrent_forward(
  const tarn_recurrence *r, const float *inputs, const float *weights, const float *bias, const float *bias_n,
  const float *h, const float *c, const int64_t *lengths, float *states
) {
  if (!is_sound(r)) return TARN_BAD_ARGUMENT;
  if (r->batch == 0 || r->hidden == 0) return TARN_OK;
  int status = TARN_OK;
  layer job = prepared(r);
  job.inputs = inputs, job.weights = weights, job.bias = bias, job.bias_n = bias_n, job.h0 = h, job.c0 = c;
  job.lengths = lengths, job.states = states, job.status = &status;
  if (r->steps * r->batch >= FEW_ROWS && pack_weights(&job, pack_forward, job.blocks * job.gates)) return TARN_NO_MEMORY;
  tarn_parallel(r->batch, rows_per_task(&job), forward_task, &job);
  return status;
}

// MARK: Backward

typedef struct {
  const layer *job;
  int64_t row, rows, s, t, ld, ldc;
  float *operand, *dh, *dc;
} backward_rows;

static tarn_cell_slope slope_of(const backward_rows *b, int64_t i) {
  const layer *job = b->job;
  const int64_t row = b->row + i, at = b->t * job->shape->batch + row;
  const int kind = job->shape->kind;
  tarn_cell_slope cell = {
    .n = job->hidden, .step = job->hidden,
    .g = job->g + plane_after(job, b->t) * job->plane + row * job->hidden,
    .h_before = h_plane(job, plane_before(job, b->t), row), .h = h_plane(job, plane_after(job, b->t), row),
    .dh = b->dh + i * b->ldc, .dc = b->dc + i * b->ldc, .operand = b->operand + i * b->ld,
    .slopes = job->gradients + at * job->gates * job->hidden};
  if (kept_of(kind)) cell.gates = gates_at(job, b->t, row);
  if (kind == TARN_GRU) cell.met_slopes = job->gradients + 3 * job->shape->steps * job->plane + at * job->hidden;
  if (kind == TARN_LSTM) cell.c_before = c_plane(job, b->s, row), cell.c = c_plane(job, b->s + 1, row);
  return cell;
}

/// A sequence that is over passes the gradient of its state on.
static void pass(const tarn_cell_slope *cell, int gates) {
  const size_t bytes = (size_t)cell->n * sizeof(float);
  for (int64_t j = 0; j < cell->n; j++) cell->dh[j] += cell->g[j];
  memset(cell->slopes, 0, (size_t)gates * bytes);
  memset(cell->operand, 0, (size_t)gates * bytes);
  if (cell->met_slopes) memset(cell->met_slopes, 0, bytes);
}

/// out = or += operand times the weights of gates `from` to `to`.
static void multiply_gates(const backward_rows *b, int from, int to, float *out, int accumulate) {
  const layer *job = b->job;
  const int64_t skipped = from * job->hidden, depth = job->gates * job->hidden, k = (to - from) * job->hidden;
  const int64_t fetched = fetched_by_tile(job, b->rows);
  for (int64_t block = 0; block < job->blocks; block++) {
    const float *panel = job->packed + (block * depth + skipped) * job->width;
    const float *ahead = job->packed + ((block + 1) % job->blocks * depth + skipped) * job->width;
    EACH_TILE(job->level, b->rows, first, count) {
      job->level->row_tile[1][count - 1](
        k, b->operand + first * b->ld + skipped, b->ld, panel, job->width, out + first * b->ldc + block * job->width,
        b->ldc, accumulate, ahead, fetched);
      ahead += k * fetched;
    }
  }
}

/// Fetches what a row of gates will read and write. Rows lie far apart, and come from memory.
static void fetch_slopes(const backward_rows *b, int64_t i) {
  const tarn_cell_slope cell = slope_of(b, i);
  const int gates = b->job->gates;
  for (int64_t j = 0; j < cell.n; j += 16) {
    __builtin_prefetch(cell.g + j);
    if (cell.c_before) __builtin_prefetch(cell.c_before + j);
    for (int gate = 0; gate < gates; gate++) {
      if (cell.gates) __builtin_prefetch(cell.gates + gate * cell.step + j);
      __builtin_prefetch(cell.slopes + gate * cell.step + j, 1);
    }
  }
}

static void backward_step(const backward_rows *b) {
  const layer *job = b->job;
  const int kind = job->shape->kind, is_early = kind == TARN_GRU_RESET_BEFORE;
  for (int64_t i = 0; i < b->rows; i++) {
    const tarn_cell_slope cell = slope_of(b, i);
    if (i + 1 < b->rows) fetch_slopes(b, i + 1);
    if (is_over(job, b->t, b->row + i)) {
      pass(&cell, job->gates);
    } else {
      job->level->cell_slope[kind](&cell);
    }
  }
  if (is_early) {
    multiply_gates(b, 2, 3, b->dc, 0);
    for (int64_t i = 0; i < b->rows; i++) {
      const tarn_cell_slope cell = slope_of(b, i);
      if (!is_over(job, b->t, b->row + i)) job->level->gru_reset(&cell);
    }
  }
  multiply_gates(b, 0, is_early ? 2 : job->gates, b->dh, 1);
}

static void finish_backward(const backward_rows *b) {
  const layer *job = b->job;
  const tarn_recurrence *r = job->shape;
  const int64_t met = r->kind == TARN_GRU ? r->steps : 0, start = r->reverse ? r->steps : 0;
  float *dh0 = job->gradients + (job->gates * r->steps + met) * job->plane;
  for (int64_t i = 0; i < b->rows; i++) {
    const int64_t at = (b->row + i) * job->hidden;
    const float *g = job->g + start * job->plane + at;
    for (int64_t j = 0; j < job->hidden; j++) dh0[at + j] = b->dh[i * b->ldc + j] + g[j];
    if (r->kind == TARN_LSTM) {
      memcpy(dh0 + job->plane + at, b->dc + i * b->ldc, (size_t)job->hidden * sizeof(float));
    }
  }
}

static void backward_task(void *ctx, int64_t begin, int64_t end) {
  const layer *job = ctx;
  const tarn_recurrence *r = job->shape;
  backward_rows b = {.job = job, .row = begin, .rows = end - begin};
  b.ldc = job->blocks * job->width;
  b.ld = job->gates * job->hidden + MARGIN;
  float *memory = tarn_scratch(TARN_SCRATCH_RECURRENT, (size_t)(b.rows * (b.ld + 2 * b.ldc)) * sizeof(float));
  if (!memory) return note(job, TARN_NO_MEMORY);
  b.dh = memory, b.dc = memory + b.rows * b.ldc, b.operand = memory + 2 * b.rows * b.ldc;
  memset(b.dh, 0, (size_t)(2 * b.rows * b.ldc) * sizeof(float));
  if (r->kind == TARN_LSTM) {
    const float *g = job->g + (r->steps + 1) * job->plane + begin * job->hidden;
    for (int64_t i = 0; i < b.rows; i++) {
      memcpy(b.dc + i * b.ldc, g + i * job->hidden, (size_t)job->hidden * sizeof(float));
    }
  }
  for (b.s = r->steps - 1; b.s >= 0; b.s--) {
    b.t = time_of(job, b.s);
    backward_step(&b);
  }
  finish_backward(&b);
}

int tarn_recurrent_backward(
  const tarn_recurrence *r, const float *g, const float *states, const float *weights, const int64_t *lengths,
  float *gradients
) {
  if (!is_sound(r)) return TARN_BAD_ARGUMENT;
  if (r->batch == 0 || r->hidden == 0) return TARN_OK;
  int status = TARN_OK;
  layer job = prepared(r);
  job.g = g, job.states = (float *)states, job.weights = weights, job.lengths = lengths, job.gradients = gradients;
  job.status = &status;
  if (pack_weights(&job, pack_backward, job.blocks)) return TARN_NO_MEMORY;
  tarn_parallel(r->batch, rows_per_task(&job), backward_task, &job);
  return status;
}
