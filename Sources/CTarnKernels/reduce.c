// Reduces a loop's register over some axes.
//
// Axes are put in the order: kept ones that lie outside, reduced ones, kept ones that lie inside every reduced axis.
// With no inner kept axis each result is the fold of a run of blocks ("rows"); otherwise rows of results are
// accumulated ("columns"). Many elements per result are cut into parts of a fixed size, and the parts combined in
// order.
#include <string.h>

#include "internal.h"

/// Elements that one task reduces at least, where there are enough.
enum { PART = 65536 };
/// Rows up to this length are folded element by element.
enum { SHORT_ROW = 24 };
/// Rows of results up to this length share a block; longer ones go in pieces of at most MOST_COLUMNS, and are cut
/// further if there would be too few tasks.
enum { NARROW = TARN_BLOCK / 2, MOST_COLUMNS = 4096, LEAST_COLUMNS = 1024, ENOUGH_TASKS = 16 };
/// Rows that a task of a wide reduction takes at least, so that its sums are few beside what it reads.
enum { LEAST_ROWS = 128 };

/// Groups of axes, in the order they are run through.
enum { OUTER = 0, REDUCED = 1, INNER = 2 };

typedef struct {
  const tarn_plan *plan;
  /// Number of elements in each of the three groups of axes.
  int64_t outer, reduced, inner;
  /// Parts of the reduced elements, and elements in each but the last.
  int64_t parts, part;
  /// Column blocks of the inner elements, and elements in each but the last.
  int64_t column_blocks, columns;
  int reduction, cls;
  int64_t bytes;
  /// [outer, parts, inner] of the accumulating type.
  char *partials;
  tarn_plan_operand *result;
  /// What is reduced, where blocks would be put together of runs of memory of this many elements; else null.
  const tarn_plan_operand *plain;
  int64_t plain_run;
  int *status;
} reduction_job;

// MARK: Accumulators: f64 for floating classes, else the class itself

static int accumulator_class(int cls) { return cls == TARN_F32 ? TARN_F64 : cls; }

static tarn_scalar neutral(int reduction, int cls) {
  const double infinity = __builtin_inf();
  const int64_t most = cls == TARN_I32 ? INT32_MAX : INT64_MAX;
  switch (reduction) {
    case TARN_REDUCE_SUM:
      return (tarn_scalar){0, 0};
    case TARN_REDUCE_PRODUCT:
      return (tarn_scalar){1, 1};
    case TARN_REDUCE_MAX:
      return (tarn_scalar){-infinity, -most - 1};
    default:
      return (tarn_scalar){infinity, most};
  }
}

static void reset(const reduction_job *job, char *accumulators, int64_t n) {
  tarn_scalar value = neutral(job->reduction, job->cls);
  for (int64_t i = 0; i < n; i++) {
    switch (job->cls) {
      case TARN_I32:
        ((int32_t *)accumulators)[i] = (int32_t)value.integer;
        break;
      case TARN_I64:
        ((int64_t *)accumulators)[i] = value.integer;
        break;
      default:
        ((double *)accumulators)[i] = value.real;
    }
  }
}

/// Where result `first` goes, counted over the kept axes; `run` of them follow each other, `step` apart.
static int64_t place_of(const reduction_job *job, int64_t first, int64_t *run, int64_t *step) {
  const tarn_plan *plan = job->plan;
  int64_t offset = 0;
  int innermost = 1;
  *run = 1, *step = 1;
  for (int axis = plan->rank - 1; axis >= 0; axis--) {
    if (plan->group[axis] == REDUCED) continue;
    int64_t index = first % plan->shape[axis];
    first /= plan->shape[axis];
    offset += index * job->result->strides[axis];
    if (innermost) *run = plan->shape[axis] - index, *step = job->result->strides[axis];
    innermost = 0;
  }
  return offset;
}

/// n accumulators, the first being result `first` in the order of the kept axes, to the result's memory.
static void store_results(const reduction_job *job, const char *accumulators, int64_t first, int64_t n) {
  const tarn_plan_operand *result = job->result;
  const tarn_transfer store = job->plan->level->stores[result->dtype];
  float narrow[256];
  while (n > 0) {
    int64_t run, step, offset = place_of(job, first, &run, &step);
    run = tarn_least(run, tarn_least(n, 256));
    const void *source = accumulators;
    if (job->cls == TARN_F32) {
      for (int64_t i = 0; i < run; i++) narrow[i] = (float)((const double *)accumulators)[i];
      source = narrow;
    }
    store(result->base + offset * result->size, source, step, run);
    accumulators += run * job->bytes;
    first += run;
    n -= run;
  }
}

static char *partial(const reduction_job *job, int64_t outer, int64_t part) {
  return job->partials + ((outer * job->parts + part) * job->inner) * job->bytes;
}

// MARK: Rows

/// Reduces [position, end), all of one result.
static void fold_run(const reduction_job *job, void **values, int64_t position, int64_t end, char *accumulator) {
  const tarn_fold fold = job->plan->level->folds[job->reduction][job->cls];
  while (position < end) {
    int64_t n = tarn_plan_extent(job->plan, position, end);
    tarn_plan_block(job->plan, values, position, n);
    fold(accumulator, values[job->plan->result], n);
    position += n;
  }
}

/// Results begin … end - 1, several to a block.
static void fold_short_rows(const reduction_job *job, void **values, int64_t begin, int64_t end) {
  const tarn_plan *plan = job->plan;
  const tarn_fold fold = plan->level->folds[job->reduction][job->cls];
  const int64_t rows = tarn_greatest(1, tarn_least(128, TARN_BLOCK / job->reduced));
  const int64_t bytes = tarn_class_bytes(job->cls);
  _Alignas(64) char accumulators[128 * 8];
  for (; begin < end; begin += rows) {
    int64_t n = tarn_least(rows, end - begin);
    tarn_plan_block(plan, values, begin * job->reduced, n * job->reduced);
    reset(job, accumulators, n);
    const char *value = values[plan->result];
    if (job->reduced <= SHORT_ROW) {
      plan->level->short_folds[job->reduction][job->cls](accumulators, value, n, job->reduced);
    } else {
      for (int64_t r = 0; r < n; r++) {
        fold(accumulators + r * job->bytes, value + r * job->reduced * bytes, job->reduced);
      }
    }
    store_results(job, accumulators, begin, n);
  }
}

static void rows_task(void *ctx, int64_t begin, int64_t end) {
  const reduction_job *job = ctx;
  void **values = tarn_plan_begin(job->plan);
  if (!values) {
    __atomic_store_n(job->status, TARN_NO_MEMORY, __ATOMIC_RELAXED);
    return;
  }
  if (!job->partials && !job->plan->by_rows && job->reduced <= TARN_BLOCK) {
    fold_short_rows(job, values, begin, end);
    return;
  }
  for (int64_t i = begin; i < end; i++) {
    int64_t outer = i / job->parts, part = i % job->parts;
    int64_t from = part * job->part, to = tarn_least(job->reduced, from + job->part);
    _Alignas(8) char accumulator[8];
    reset(job, accumulator, 1);
    fold_run(job, values, outer * job->reduced + from, outer * job->reduced + to, accumulator);
    if (job->partials) {
      memcpy(partial(job, outer, part), accumulator, (size_t)job->bytes);
    } else {
      store_results(job, accumulator, outer, 1);
    }
  }
}

// MARK: Columns

/// Runs shorter than this are gathered into blocks first.
enum { SHORT_PLAIN_RUN = 64 };

/// Kept and reduced axes of an image may follow one another in memory although they cannot merge.
static void find_plain(reduction_job *job) {
  const tarn_plan *plan = job->plan;
  if (plan->result >= plan->n_inputs || job->inner > NARROW) return;
  const tarn_plan_operand *input = &plan->inputs[plan->result];
  if (input->access != TARN_SEGMENTS || input->kind != TARN_MEMORY || !tarn_is_native(input->dtype)) return;
  int64_t run = 1;
  for (int axis = plan->rank - 1; axis >= 0 && input->strides[axis] == run; axis--) run *= plan->shape[axis];
  if (run < SHORT_PLAIN_RUN || run % job->inner) return;
  job->plain = input;
  job->plain_run = run;
}

/// Where the element of a position lies, and how many follow it.
static const char *plain_at(const reduction_job *job, int64_t position, int64_t *count) {
  const tarn_plan *plan = job->plan;
  int64_t offset = 0;
  *count = job->plain_run - position % job->plain_run;
  for (int axis = plan->rank - 1; axis >= 0; axis--) {
    offset += position % plan->shape[axis] * job->plain->strides[axis];
    position /= plan->shape[axis];
  }
  return job->plain->base + offset * job->plain->size;
}

/// Rows of `job->inner` results that share a block.
static void fold_narrow_columns(
  const reduction_job *job, void **values, int64_t position, int64_t rows, char *accumulators
) {
  const tarn_plan *plan = job->plan;
  const tarn_fold_rows fold = plan->level->row_folds[job->reduction][job->cls];
  const int64_t together = TARN_BLOCK / job->inner;
  if (job->plain) {
    for (int64_t row = 0, n; row < rows; row += n) {
      const char *at = plain_at(job, position + row * job->inner, &n);
      n = tarn_least(n / job->inner, rows - row);
      fold(accumulators, at, n, job->inner);
    }
    return;
  }
  for (int64_t row = 0; row < rows; row += together) {
    int64_t n = tarn_least(together, rows - row);
    tarn_plan_block(plan, values, position + row * job->inner, n * job->inner);
    fold(accumulators, values[plan->result], n, job->inner);
  }
}

/// Rows that are added in float before their sum goes to double.
enum { FLOAT_ROWS = 32 };

/// Floats in memory as they are reduced, element 0 of the loop first; null if they have to be computed.
static const float *plain_floats(const tarn_plan *plan) {
  if (plan->n_steps > 0 || plan->result >= plan->n_inputs) return NULL;
  const tarn_plan_operand *input = &plan->inputs[plan->result];
  return input->access == TARN_FLAT_IN_PLACE ? (const float *)input->base : NULL;
}

/// As `fold_wide_columns`, but a few rows at a time go into floats, which lie in the first-level cache.
static void fold_float_columns(
  const reduction_job *job, void **values, int64_t position, int64_t rows, int64_t columns, char *accumulators,
  float *floats
) {
  const tarn_plan *plan = job->plan;
  const tarn_take_rows take = plan->level->take_rows[job->reduction];
  const float *plain = plain_floats(plan);
  for (int64_t row = 0; row < rows; row += FLOAT_ROWS) {
    const int64_t run = tarn_least(FLOAT_ROWS, rows - row);
    const float start = (float)neutral(job->reduction, TARN_F32).real;
    for (int64_t j = 0; j < columns; j++) floats[j] = start;
    if (plain) take(floats, plain + position + row * job->inner, job->inner, run, columns);
    for (int64_t r = plain ? run : 0; r < run; r++) {
      const int64_t first = position + (row + r) * job->inner;
      for (int64_t done = 0, n; done < columns; done += n) {
        n = tarn_plan_extent(plan, first + done, first + columns);
        tarn_plan_block(plan, values, first + done, n);
        take(floats + done, values[plan->result], 0, 1, n);
      }
    }
    plan->level->row_folds[job->reduction][TARN_F32](accumulators, floats, 1, columns);
  }
}

static void fold_wide_columns(
  const reduction_job *job, void **values, int64_t position, int64_t rows, int64_t columns, char *accumulators
) {
  const tarn_plan *plan = job->plan;
  const tarn_fold_rows fold = plan->level->row_folds[job->reduction][job->cls];
  for (int64_t row = 0; row < rows; row++, position += job->inner) {
    for (int64_t done = 0, n; done < columns; done += n) {
      n = tarn_plan_extent(plan, position + done, position + columns);
      tarn_plan_block(plan, values, position + done, n);
      fold(accumulators + done * job->bytes, values[plan->result], 1, n);
    }
  }
}

static void columns_task(void *ctx, int64_t begin, int64_t end) {
  const reduction_job *job = ctx;
  void **values = tarn_plan_begin(job->plan);
  if (!values) {
    __atomic_store_n(job->status, TARN_NO_MEMORY, __ATOMIC_RELAXED);
    return;
  }
  _Alignas(64) char accumulators[MOST_COLUMNS * 8];
  _Alignas(64) float floats[MOST_COLUMNS];
  for (int64_t i = begin; i < end; i++) {
    int64_t block = i % job->column_blocks, rest = i / job->column_blocks;
    int64_t part = rest % job->parts, outer = rest / job->parts;
    int64_t column = block * job->columns, columns = tarn_least(job->columns, job->inner - column);
    int64_t row = part * job->part, rows = tarn_least(job->part, job->reduced - row);
    int64_t position = (outer * job->reduced + row) * job->inner + column;
    reset(job, accumulators, columns);
    if (job->inner <= NARROW && !job->plan->by_rows) {
      fold_narrow_columns(job, values, position, rows, accumulators);
    } else if (job->cls == TARN_F32 && job->plan->level->take_rows[job->reduction]) {
      fold_float_columns(job, values, position, rows, columns, accumulators, floats);
    } else {
      fold_wide_columns(job, values, position, rows, columns, accumulators);
    }
    if (job->partials) {
      memcpy(partial(job, outer, part) + column * job->bytes, accumulators, (size_t)(columns * job->bytes));
    } else {
      store_results(job, accumulators, outer * job->inner + column, columns);
    }
  }
}

// MARK: Combining

/// Puts the parts of outer results begin … end - 1 together, the first part first.
static void combine_task(void *ctx, int64_t begin, int64_t end) {
  const reduction_job *job = ctx;
  const tarn_fold_rows fold = job->plan->level->row_folds[job->reduction][accumulator_class(job->cls)];
  for (int64_t outer = begin; outer < end; outer++) {
    char *total = partial(job, outer, 0);
    fold(total, total + job->inner * job->bytes, job->parts - 1, job->inner);
    store_results(job, total, outer * job->inner, job->inner);
  }
}

// MARK: Axes

typedef struct {
  int order[TARN_MAX_RANK], group[TARN_MAX_RANK];
} arrangement;

/// Whether a kept axis lies inside a reduced one in the memory of the input with most elements, though not in its shape:
/// channels of blocked images, columns of a transposed matrix.
static int lies_inside(const tarn_loop *loop, int axis, int reduced) {
  int64_t most = 0, step = 0, around = 0;
  for (int i = 0; i < loop->n_inputs; i++) {
    const tarn_operand *input = &loop->inputs[i];
    int64_t elements = 1;
    for (int j = 0; j < loop->rank; j++) elements *= input->strides[j] ? loop->shape[j] : 1;
    if (input->kind != TARN_MEMORY || elements <= most) continue;
    most = elements, step = input->strides[axis], around = input->strides[reduced];
  }
  return step != 0 && (step < 0 ? -step : step) < (around < 0 ? -around : around);
}

static arrangement arrange(const tarn_loop *loop, uint32_t mask) {
  arrangement a;
  int last_reduced = -1, n = 0;
  for (int axis = 0; axis < loop->rank; axis++) {
    if ((mask >> axis & 1) && loop->shape[axis] > 1) last_reduced = axis;
  }
  for (int group = OUTER; group <= INNER; group++) {
    for (int axis = 0; axis < loop->rank; axis++) {
      const int outside = axis < last_reduced && !lies_inside(loop, axis, last_reduced);
      const int its = mask >> axis & 1 ? REDUCED : outside ? OUTER : INNER;
      if (its != group) continue;
      a.group[n] = group;
      a.order[n++] = axis;
    }
  }
  return a;
}

/// A reduced axis of length 0: results are neutral.
static int store_neutral(const tarn_loop *loop, uint32_t mask, int reduction, void *const *pointers) {
  const tarn_operand *output = loop->outputs;
  int cls = tarn_class_of(output->dtype);
  if (cls < 0) return TARN_BAD_ARGUMENT;
  tarn_const constant = {.reg = 0, .cls = (uint8_t)cls, .scalar = 0};
  tarn_operand result = *output;
  result.reg = 0;
  tarn_loop fill = {
    .rank = loop->rank, .n_outputs = 1, .n_consts = 1, .n_regs = 1, .outputs = &result, .consts = &constant};
  for (int axis = 0; axis < loop->rank; axis++) fill.shape[axis] = mask >> axis & 1 ? 1 : loop->shape[axis];
  tarn_scalar value = neutral(reduction, cls);
  if (reduction == TARN_REDUCE_MAX || reduction == TARN_REDUCE_MIN) {
    const int most = reduction == TARN_REDUCE_MIN;
    if (output->dtype == TARN_DTYPE_BOOL) value.integer = most;
    if (output->dtype == TARN_DTYPE_U8) value.integer = most ? UINT8_MAX : 0;
    if (output->dtype == TARN_DTYPE_I8) value.integer = most ? INT8_MAX : INT8_MIN;
  }
  return tarn_loop_run(&fill, pointers, &value);
}

static void split_work(reduction_job *job) {
  const tarn_plan *plan = job->plan;
  job->outer = job->reduced = job->inner = 1;
  for (int axis = 0; axis < plan->rank; axis++) {
    int64_t *counts[] = {&job->outer, &job->reduced, &job->inner};
    *counts[plan->group[axis]] *= plan->shape[axis];
  }
  const int wide = job->inner > NARROW || (plan->by_rows && job->inner > 1);
  job->columns = wide ? tarn_least(job->inner, MOST_COLUMNS) : job->inner;
  job->part = tarn_greatest(wide ? LEAST_ROWS : 1, PART / job->columns);
  if (job->inner == 1 && plan->by_rows) job->part = tarn_ceil_div(job->part, plan->inner) * plan->inner;
  job->parts = tarn_ceil_div(job->reduced, job->part);
  while (wide && job->columns > LEAST_COLUMNS &&
         job->outer * job->parts * tarn_ceil_div(job->inner, job->columns) < ENOUGH_TASKS) {
    job->columns = tarn_greatest(LEAST_COLUMNS, job->columns / 2);
  }
  job->column_blocks = tarn_ceil_div(job->inner, job->columns);
  // Splitting is for want of results: with enough of them, one task does a result whole.
  if (job->outer * job->column_blocks >= 64 || job->reduced < 2 * job->part) {
    job->parts = 1;
    job->part = job->reduced;
  }
}

int tarn_reduce_run(
  const tarn_loop *loop, uint32_t reduced_axes, int reduction, void *const *pointers, const tarn_scalar *scalars
) {
  if (loop->rank < 0 || loop->rank > TARN_MAX_RANK || loop->n_outputs != 1) return TARN_BAD_ARGUMENT;
  if (reduction < 0 || reduction > TARN_REDUCE_MIN) return TARN_BAD_ARGUMENT;
  int nothing = 0;
  for (int axis = 0; axis < loop->rank; axis++) {
    if (loop->shape[axis] > 0) continue;
    if (!(reduced_axes >> axis & 1)) return TARN_OK;
    nothing = 1;
  }
  if (nothing) return store_neutral(loop, reduced_axes, reduction, pointers);
  arrangement axes = arrange(loop, reduced_axes);
  tarn_plan *plan;
  int status = tarn_plan_make(&plan, loop, axes.order, axes.group, 1, pointers, scalars);
  if (status) return status;
  reduction_job job = {
    .plan = plan, .reduction = reduction, .cls = plan->result_class, .result = plan->outputs, .status = &status};
  job.bytes = tarn_class_bytes(accumulator_class(job.cls));
  split_work(&job);
  find_plain(&job);
  if (job.parts > 1) {
    job.partials = tarn_scratch(TARN_SCRATCH_PARTIALS, (size_t)(job.outer * job.parts * job.inner * job.bytes));
    if (!job.partials) return TARN_NO_MEMORY;
  }
  int64_t task = tarn_least(job.part, job.reduced) * job.columns;
  int64_t grain = tarn_greatest(1, plan->grain / task);
  if (job.inner == 1) {
    tarn_parallel(job.outer * job.parts, grain, rows_task, &job);
  } else {
    tarn_parallel(job.outer * job.parts * job.column_blocks, grain, columns_task, &job);
  }
  if (status == TARN_OK && job.parts > 1) tarn_parallel(job.outer, 1, combine_task, &job);
  return status;
}
