// Runs element-wise loops block by block.
#include <string.h>

#include "internal.h"

// MARK: Places

/// The index along each axis of an element of the loop.
static void index_of(const tarn_plan *plan, int64_t position, int64_t *index) {
  for (int axis = plan->rank - 1; axis > 0; axis--) {
    index[axis] = position % plan->shape[axis];
    position /= plan->shape[axis];
  }
  index[0] = position;
}

static int64_t offset_at(const tarn_plan *plan, const int64_t *strides, const int64_t *index) {
  int64_t offset = 0;
  for (int axis = 0; axis < plan->rank; axis++) offset += index[axis] * strides[axis];
  return offset;
}

/// Moves to the start of the next row: gives the change of offset.
static int64_t next_row(const tarn_plan *plan, const int64_t *strides, int64_t *index) {
  int64_t change = 0;
  for (int axis = plan->rank - 2; axis >= 0; axis--) {
    change += strides[axis];
    if (++index[axis] < plan->shape[axis]) break;
    change -= plan->shape[axis] * strides[axis];
    index[axis] = 0;
  }
  return change;
}

// MARK: Reading and writing

static void count_up(int cls, void *dst, int64_t start, int64_t stride, int64_t n) {
  switch (cls) {
    case TARN_F32:
      for (int64_t i = 0; i < n; i++) ((float *)dst)[i] = (float)(start + i * stride);
      break;
    case TARN_F64:
      for (int64_t i = 0; i < n; i++) ((double *)dst)[i] = (double)(start + i * stride);
      break;
    case TARN_I32:
      for (int64_t i = 0; i < n; i++) ((int32_t *)dst)[i] = (int32_t)(start + i * stride);
      break;
    default:
      for (int64_t i = 0; i < n; i++) ((int64_t *)dst)[i] = start + i * stride;
  }
}

/// n elements from `offset` on, `stride` apart, into a register.
static void load_run(
  const tarn_plan *plan, const tarn_plan_operand *input, void *dst, int64_t offset, int64_t stride, int64_t n
) {
  if (input->kind == TARN_IOTA) {
    count_up(input->cls, dst, input->start + offset, stride, n);
  } else if (input->kind == TARN_RANDOM) {
    tarn_random_run((const uint64_t *)input->base, offset, stride, n, dst);
  } else {
    plan->level->loads[input->dtype](dst, input->base + offset * input->size, stride, n);
  }
}

static void load_segments(
  const tarn_plan *plan, const tarn_plan_operand *input, char *dst, int64_t position, int64_t n
) {
  int64_t index[TARN_MAX_RANK];
  index_of(plan, position, index);
  const int last = plan->rank - 1;
  const int64_t stride = input->strides[last], bytes = tarn_class_bytes(input->cls);
  int64_t offset = offset_at(plan, input->strides, index);
  int64_t run = tarn_least(n, plan->inner - index[last]);
  load_run(plan, input, dst, offset, stride, run);
  offset -= index[last] * stride;
  for (int64_t done = run; done < n; done += run) {
    offset += next_row(plan, input->strides, index);
    run = tarn_least(n - done, plan->inner);
    load_run(plan, input, dst + done * bytes, offset, stride, run);
  }
}

static void store_segments(
  const tarn_plan *plan, const tarn_plan_operand *output, const char *src, int64_t position, int64_t n
) {
  int64_t index[TARN_MAX_RANK];
  index_of(plan, position, index);
  const int last = plan->rank - 1;
  const int64_t stride = output->strides[last], bytes = tarn_class_bytes(output->cls);
  const tarn_transfer store = plan->level->stores[output->dtype];
  int64_t offset = offset_at(plan, output->strides, index);
  int64_t run = tarn_least(n, plan->inner - index[last]);
  store(output->base + offset * output->size, src, stride, run);
  offset -= index[last] * stride;
  for (int64_t done = run; done < n; done += run) {
    offset += next_row(plan, output->strides, index);
    run = tarn_least(n - done, plan->inner);
    store(output->base + offset * output->size, src + done * bytes, stride, run);
  }
}

static void store_output(
  const tarn_plan *plan, const tarn_plan_operand *output, const void *value, int64_t position, const int64_t *index,
  int64_t n
) {
  if (output->access == TARN_SEGMENTS) {
    store_segments(plan, output, value, position, n);
    return;
  }
  int64_t offset = position, stride = 1;
  if (output->access == TARN_ROW) {
    offset = offset_at(plan, output->strides, index);
    stride = output->strides[plan->rank - 1];
  }
  char *dst = output->base + offset * output->size;
  if (dst == value) return;
  if (stride == 1 && tarn_is_native(output->dtype) && ((uintptr_t)dst & 63) == 0 &&
      plan->total * output->size >= TARN_LARGE) {
    plan->level->stream(dst, value, n * output->size);
  } else {
    plan->level->stores[output->dtype](dst, value, stride, n);
  }
}

// MARK: Blocks

static void fill(int cls, void *dst, tarn_scalar scalar, int64_t n) {
  switch (cls) {
    case TARN_F32:
      for (int64_t i = 0; i < n; i++) ((float *)dst)[i] = (float)scalar.real;
      break;
    case TARN_F64:
      for (int64_t i = 0; i < n; i++) ((double *)dst)[i] = scalar.real;
      break;
    case TARN_I32:
      for (int64_t i = 0; i < n; i++) ((int32_t *)dst)[i] = (int32_t)scalar.integer;
      break;
    default:
      for (int64_t i = 0; i < n; i++) ((int64_t *)dst)[i] = scalar.integer;
  }
}

void **tarn_plan_begin(const tarn_plan *plan) {
  int64_t table = ((int64_t)plan->n_values * (int64_t)sizeof(void *) + 127) / 64 * 64;
  char *memory = tarn_scratch(TARN_SCRATCH_REGISTERS, (size_t)(table + plan->register_bytes));
  if (!memory) return NULL;
  void **values = (void **)memory;
  char *registers = memory + table;
  for (int i = 0; i < plan->n_inputs; i++) {
    const tarn_plan_operand *input = &plan->inputs[i];
    values[i] = input->buffer >= 0 ? registers + input->buffer : NULL;
    if (input->access == TARN_SINGLE) load_run(plan, input, values[i], 0, 0, input->filled ? plan->block : 1);
  }
  for (int i = 0; i < plan->n_consts; i++) {
    void *value = values[plan->n_inputs + i] = registers + plan->const_buffers[i];
    fill(plan->consts[i].cls, value, plan->scalars[plan->consts[i].scalar], plan->const_filled[i] ? plan->block : 1);
  }
  for (int i = 0; i < plan->n_steps; i++) {
    const tarn_plan_step *step = &plan->steps[i];
    if (step->load < 0 && step->direct < 0) values[step->dst] = registers + step->buffer;
  }
  return values;
}

static void load_input(
  const tarn_plan *plan, const tarn_plan_operand *input, void *dst, int64_t position, const int64_t *index, int64_t n
) {
  const int last = plan->rank - 1;
  switch (input->access) {
    case TARN_FLAT:
      load_run(plan, input, dst, position, 1, n);
      break;
    case TARN_ROW:
      load_run(plan, input, dst, offset_at(plan, input->strides, index), input->strides[last], n);
      break;
    case TARN_ROW_SINGLE:
      load_run(plan, input, dst, offset_at(plan, input->strides, index), 0, input->filled ? n : 1);
      break;
    default:
      load_segments(plan, input, dst, position, n);
  }
}

/// Bytes from what is read to what is fetched.
enum { FETCH_AHEAD = 4096 };

static void fetch_ahead(const tarn_plan *plan, int64_t position, int64_t n) {
  for (int i = 0; i < plan->n_inputs; i++) {
    const tarn_plan_operand *input = &plan->inputs[i];
    if (input->access != TARN_FLAT_IN_PLACE) continue;
    const char *from = input->base + position * input->size + FETCH_AHEAD;
    for (int64_t byte = 0; byte < n * input->size; byte += 64) __builtin_prefetch(from + byte);
  }
}

void tarn_plan_block(const tarn_plan *plan, void **values, int64_t position, int64_t n) {
  int64_t index[TARN_MAX_RANK] = {0};
  if (plan->by_rows) index_of(plan, position, index);
  if (plan->from_memory) fetch_ahead(plan, position, n);
  for (int i = 0; i < plan->n_inputs; i++) {
    const tarn_plan_operand *input = &plan->inputs[i];
    if (input->access == TARN_FLAT_IN_PLACE) values[i] = input->base + position * input->size;
    if (input->access == TARN_ROW_IN_PLACE) {
      values[i] = input->base + offset_at(plan, input->strides, index) * input->size;
    }
  }
  for (int i = 0; i < plan->n_steps; i++) {
    const tarn_plan_step *step = &plan->steps[i];
    if (step->load >= 0) {
      load_input(plan, &plan->inputs[step->load], values[step->load], position, index, n);
      continue;
    }
    if (step->direct >= 0) {
      const tarn_plan_operand *output = &plan->outputs[step->direct];
      int64_t offset = output->access == TARN_FLAT ? position : offset_at(plan, output->strides, index);
      values[step->dst] = output->base + offset * output->size;
    }
    step->kernel(values[step->dst], values[step->a], values[step->b], values[step->c], n, step->scalars);
  }
  // What is copied from an input goes first: another output may be written over that input.
  for (int copies = 1; copies >= 0; copies--) {
    for (int i = 0; i < plan->n_outputs; i++) {
      const tarn_plan_operand *output = &plan->outputs[i];
      if ((output->value < plan->n_inputs) != copies) continue;
      store_output(plan, output, values[output->value], position, index, n);
    }
  }
}

// MARK: The whole loop

typedef struct {
  const tarn_plan *plan;
  int *status;
} loop_job;

static void run_blocks(void *ctx, int64_t begin, int64_t end) {
  const loop_job *job = ctx;
  void **values = tarn_plan_begin(job->plan);
  if (!values) {
    __atomic_store_n(job->status, TARN_NO_MEMORY, __ATOMIC_RELAXED);
    return;
  }
  while (begin < end) {
    int64_t n = tarn_plan_extent(job->plan, begin, end);
    tarn_plan_block(job->plan, values, begin, n);
    begin += n;
  }
}

static int is_copy(const tarn_loop *loop) {
  if (loop->n_instrs != 0 || loop->n_inputs != 1 || loop->n_outputs != 1) return 0;
  const tarn_operand *input = loop->inputs, *output = loop->outputs;
  return input->kind == TARN_MEMORY && input->dtype == output->dtype && input->reg == output->reg &&
         tarn_class_of(input->dtype) >= 0;
}

static void run_copy(const tarn_loop *loop, void *const *pointers) {
  const tarn_operand *input = loop->inputs, *output = loop->outputs;
  int64_t bytes = tarn_bytes_of(input->dtype);
  tarn_copy_strided(
    bytes, loop->rank, loop->shape, (char *)pointers[output->pointer] + output->offset * bytes, output->strides,
    (const char *)pointers[input->pointer] + input->offset * bytes, input->strides);
}

int tarn_loop_run(const tarn_loop *loop, void *const *pointers, const tarn_scalar *scalars) {
  if (loop->rank < 0 || loop->rank > TARN_MAX_RANK) return TARN_BAD_ARGUMENT;
  for (int i = 0; i < loop->rank; i++) {
    if (loop->shape[i] == 0) return TARN_OK;
  }
  if (is_copy(loop)) {
    run_copy(loop, pointers);
    return TARN_OK;
  }
  if (tarn_chain_run(loop, pointers, scalars)) return TARN_OK;
  tarn_plan *plan;
  int status = tarn_plan_make(&plan, loop, NULL, NULL, 0, pointers, scalars);
  if (status) return status;
  loop_job job = {plan, &status};
  tarn_parallel(plan->total, plan->grain, run_blocks, &job);
  return status;
}
