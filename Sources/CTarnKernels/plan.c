// Makes a loop ready to run: merges axes, decides how each input is read, and places registers.
#include <string.h>

#include "internal.h"

// MARK: Axes

typedef struct {
  int rank;
  int64_t shape[TARN_MAX_RANK];
  int from[TARN_MAX_RANK];
  int group[TARN_MAX_RANK];
} axes;

/// Axes longer than 1, in the order wanted.
static axes kept_axes(const tarn_loop *loop, const int *order, const int *group) {
  axes kept = {0};
  for (int i = 0; i < loop->rank; i++) {
    int axis = order ? order[i] : i;
    if (loop->shape[axis] == 1) continue;
    kept.from[kept.rank] = axis;
    kept.group[kept.rank] = group ? group[i] : 0;
    kept.shape[kept.rank++] = loop->shape[axis];
  }
  return kept;
}

static void take_strides(tarn_plan_operand *operand, const tarn_operand *given, const axes *kept) {
  for (int i = 0; i < kept->rank; i++) operand->strides[i] = given->strides[kept->from[i]];
}

static int can_merge(const tarn_plan *plan, const axes *kept, int outer, int count_outputs) {
  if (kept->group[outer] != kept->group[outer + 1]) return 0;
  int64_t length = kept->shape[outer + 1];
  for (int i = 0; i < plan->n_inputs; i++) {
    const int64_t *s = plan->inputs[i].strides;
    if (s[outer] != s[outer + 1] * length) return 0;
  }
  for (int i = 0; i < count_outputs; i++) {
    const int64_t *s = plan->outputs[i].strides;
    if (s[outer] != s[outer + 1] * length) return 0;
  }
  return 1;
}

static void drop_axis(int64_t *values, int axis, int rank) {
  for (int i = axis; i + 1 < rank; i++) values[i] = values[i + 1];
}

/// Neighbouring axes that every operand steps through evenly become one.
static void merge_axes(tarn_plan *plan, axes *kept, int n_outputs) {
  for (int outer = kept->rank - 2; outer >= 0; outer--) {
    if (!can_merge(plan, kept, outer, n_outputs)) continue;
    kept->shape[outer + 1] *= kept->shape[outer];
    drop_axis(kept->shape, outer, kept->rank);
    for (int i = outer; i + 1 < kept->rank; i++) kept->group[i] = kept->group[i + 1];
    for (int i = 0; i < plan->n_inputs; i++) drop_axis(plan->inputs[i].strides, outer, kept->rank);
    for (int i = 0; i < n_outputs; i++) drop_axis(plan->outputs[i].strides, outer, kept->rank);
    kept->rank--;
  }
  plan->rank = kept->rank;
  plan->total = 1;
  for (int i = 0; i < kept->rank; i++) {
    plan->shape[i] = kept->shape[i];
    plan->group[i] = kept->group[i];
    plan->total *= kept->shape[i];
  }
  plan->inner = kept->rank ? kept->shape[kept->rank - 1] : 1;
}

// MARK: Access

static int is_flat(const tarn_plan *plan, const tarn_plan_operand *operand) {
  int64_t expected = 1;
  for (int i = plan->rank - 1; i >= 0; i--) {
    if (operand->strides[i] != expected) return 0;
    expected *= plan->shape[i];
  }
  return operand->kind != TARN_IOTA;
}

static int is_single(const tarn_plan *plan, const tarn_plan_operand *operand) {
  for (int i = 0; i < plan->rank; i++) {
    if (operand->strides[i] != 0) return 0;
  }
  return 1;
}

static int row_access(const tarn_plan *plan, const tarn_plan_operand *operand) {
  int64_t stride = operand->strides[plan->rank - 1];
  if (stride == 0) return TARN_ROW_SINGLE;
  return stride == 1 && operand->kind == TARN_MEMORY && tarn_is_native(operand->dtype) ? TARN_ROW_IN_PLACE : TARN_ROW;
}

/// Rows shorter than this are read several at a time.
enum { LONG_ROW = 400 };

/// Whether an operand that is read or written as it lies is too large for the caches.
static int is_from_memory(const tarn_plan *plan, int n_outputs) {
  for (int i = 0; i < plan->n_inputs; i++) {
    const tarn_plan_operand *input = &plan->inputs[i];
    if (input->access == TARN_FLAT_IN_PLACE && plan->total * input->size >= TARN_LARGE) return 1;
  }
  for (int i = 0; i < n_outputs; i++) {
    const tarn_plan_operand *output = &plan->outputs[i];
    if (output->access == TARN_FLAT && plan->total * output->size >= TARN_LARGE) return 1;
  }
  return 0;
}

static void choose_access(tarn_plan *plan, int n_outputs) {
  int uneven = 0;
  for (int i = 0; i < plan->n_inputs; i++) {
    tarn_plan_operand *input = &plan->inputs[i];
    if (is_single(plan, input)) {
      input->access = TARN_SINGLE;
    } else if (is_flat(plan, input)) {
      const int lies_there = input->kind == TARN_MEMORY && tarn_is_native(input->dtype);
      input->access = lies_there ? TARN_FLAT_IN_PLACE : TARN_FLAT;
    } else {
      input->access = TARN_SEGMENTS;
      uneven = 1;
    }
  }
  for (int i = 0; i < n_outputs; i++) {
    tarn_plan_operand *output = &plan->outputs[i];
    output->access = is_flat(plan, output) ? TARN_FLAT : TARN_SEGMENTS;
    uneven |= output->access == TARN_SEGMENTS;
  }
  plan->by_rows = uneven && plan->inner >= LONG_ROW;
  plan->from_memory = is_from_memory(plan, n_outputs);
  plan->block = plan->from_memory ? TARN_SMALL_BLOCK : TARN_BLOCK;
  if (!plan->by_rows) return;
  plan->block = tarn_ceil_div(plan->inner, tarn_ceil_div(plan->inner, plan->block));
  for (int i = 0; i < plan->n_inputs; i++) {
    tarn_plan_operand *input = &plan->inputs[i];
    if (input->access == TARN_SEGMENTS) input->access = (uint8_t)row_access(plan, input);
  }
  for (int i = 0; i < n_outputs; i++) {
    if (plan->outputs[i].access == TARN_SEGMENTS) plan->outputs[i].access = TARN_ROW;
  }
}

// MARK: Values and registers

typedef struct {
  tarn_plan *plan;
  const tarn_loop *loop;
  /// Of each register, the value it holds; of each value, its class, last reader and buffer.
  int32_t *value_of, *last_use, *buffer_of;
  uint8_t *cls;
  /// Buffers given back, of 4 and of 8 bytes an element.
  int32_t *spare[2];
  int n_spare[2];
  int64_t bytes;
} placement;

static int32_t take_buffer(placement *p, int cls) {
  int wide = tarn_class_bytes(cls) == 8;
  if (p->n_spare[wide] > 0) return p->spare[wide][--p->n_spare[wide]];
  int32_t buffer = (int32_t)p->bytes;
  p->bytes += TARN_BLOCK * tarn_class_bytes(cls);
  return buffer;
}

static void give_buffer(placement *p, int32_t value) {
  int wide = tarn_class_bytes(p->cls[value]) == 8;
  if (p->buffer_of[value] >= 0) p->spare[wide][p->n_spare[wide]++] = p->buffer_of[value];
  p->buffer_of[value] = -1;
}

/// A buffer for the whole loop: a block, or one element with room for a vector.
static int32_t keep_buffer(placement *p, int cls, int filled) {
  int32_t buffer = (int32_t)p->bytes;
  p->bytes += filled ? TARN_BLOCK * tarn_class_bytes(cls) : 64;
  return buffer;
}

static int32_t operand_register(const tarn_instr *instr, int i) {
  return i == 0 ? instr->a : i == 1 ? instr->b : instr->c;
}

static int32_t *step_operand(tarn_plan_step *step, int i) { return i == 0 ? &step->a : i == 1 ? &step->b : &step->c; }

static int is_single_value(const tarn_plan *plan, int32_t value) {
  if (value < plan->n_inputs) {
    int access = plan->inputs[value].access;
    return access == TARN_SINGLE || access == TARN_ROW_SINGLE;
  }
  return value < plan->n_inputs + plan->n_consts;
}

static void must_fill(tarn_plan *plan, int32_t value) {
  if (value < plan->n_inputs) {
    plan->inputs[value].filled = 1;
  } else if (value < plan->n_inputs + plan->n_consts) {
    plan->const_filled[value - plan->n_inputs] = 1;
  }
}

static int define(placement *p, int32_t reg, int32_t value, int cls) {
  if (reg >= p->loop->n_regs || cls < 0) return TARN_BAD_ARGUMENT;
  p->value_of[reg] = value;
  p->cls[value] = (uint8_t)cls;
  p->last_use[value] = -1;
  p->buffer_of[value] = -1;
  return TARN_OK;
}

/// Numbers the values, checks classes, and finds each value's last reader. The instructions become steps.
static int number_values(placement *p) {
  tarn_plan *plan = p->plan;
  const tarn_loop *loop = p->loop;
  for (int32_t i = 0; i < loop->n_regs; i++) p->value_of[i] = -1;
  int32_t value = 0;
  for (int i = 0; i < plan->n_inputs; i++, value++) {
    plan->inputs[i].value = value;
    if (define(p, loop->inputs[i].reg, value, plan->inputs[i].cls)) return TARN_BAD_ARGUMENT;
  }
  for (int i = 0; i < plan->n_consts; i++, value++) {
    if (loop->consts[i].cls > 3 || define(p, loop->consts[i].reg, value, loop->consts[i].cls)) return TARN_BAD_ARGUMENT;
  }
  for (int i = 0; i < loop->n_instrs; i++, value++) {
    const tarn_instr *instr = &loop->instrs[i];
    if (!tarn_op_exists(instr->op, instr->cls)) return TARN_BAD_ARGUMENT;
    tarn_plan_step *step = &plan->steps[i];
    *step = (tarn_plan_step){.kernel = plan->level->ops[instr->op][instr->cls], .load = -1, .direct = -1};
    unsigned takes_single = tarn_scalar_operands(instr->op, instr->cls);
    for (int j = 0; j < tarn_operand_count(instr->op); j++) {
      int32_t reg = operand_register(instr, j);
      if (reg >= loop->n_regs || p->value_of[reg] < 0) return TARN_BAD_ARGUMENT;
      int32_t operand = p->value_of[reg];
      if (p->cls[operand] != tarn_operand_class(instr, j)) return TARN_BAD_ARGUMENT;
      p->last_use[operand] = i;
      *step_operand(step, j) = operand;
      if (!is_single_value(plan, operand)) continue;
      if (takes_single & (1u << j)) {
        step->scalars |= (uint8_t)(1u << j);
      } else {
        must_fill(plan, operand);
      }
    }
    for (int j = tarn_operand_count(instr->op); j < 3; j++) *step_operand(step, j) = step->a;
    step->dst = value;
    if (define(p, instr->dst, value, tarn_result_class(instr))) return TARN_BAD_ARGUMENT;
  }
  for (int i = 0; i < loop->n_outputs; i++) {
    int32_t reg = loop->outputs[i].reg;
    if (reg >= loop->n_regs || p->value_of[reg] < 0) return TARN_BAD_ARGUMENT;
    int32_t result = p->value_of[reg];
    if (p->cls[result] != plan->outputs[i].cls) return TARN_BAD_ARGUMENT;
    plan->outputs[i].value = result;
    p->last_use[result] = loop->n_instrs;
    must_fill(plan, result);
  }
  return TARN_OK;
}

// MARK: Writing at once

static int overlap(const tarn_plan *plan, const tarn_plan_operand *a, const tarn_plan_operand *b) {
  if (a->kind != TARN_MEMORY || b->kind != TARN_MEMORY) return 0;
  const tarn_plan_operand *both[2] = {a, b};
  const char *low[2], *high[2];
  for (int i = 0; i < 2; i++) {
    low[i] = high[i] = both[i]->base;
    for (int axis = 0; axis < plan->rank; axis++) {
      int64_t reach = (plan->shape[axis] - 1) * both[i]->strides[axis] * both[i]->size;
      if (reach < 0) low[i] += reach;
      if (reach > 0) high[i] += reach;
    }
    high[i] += both[i]->size;
  }
  return low[0] < high[1] && low[1] < high[0];
}

/// Whether the value of step i may go straight to the output's memory: no later step may still read what was there.
static int may_write_at_once(const placement *p, int i, const tarn_plan_operand *output) {
  const tarn_plan *plan = p->plan;
  if (output->access == TARN_SEGMENTS || !tarn_is_native(output->dtype)) return 0;
  if (output->access == TARN_ROW && output->strides[plan->rank - 1] != 1) return 0;
  for (int j = 0; j < plan->n_inputs; j++) {
    if (p->last_use[j] > i && overlap(plan, &plan->inputs[j], output)) return 0;
  }
  return 1;
}

static int streams(const tarn_plan *plan, const tarn_plan_operand *output) {
  return output->access == TARN_FLAT && tarn_is_native(output->dtype) && plan->total * output->size >= TARN_LARGE;
}

// MARK: Steps

static void load_before(placement *p, int32_t value, int *n_steps, tarn_plan_step *steps) {
  tarn_plan_operand *input = &p->plan->inputs[value];
  input->buffer = take_buffer(p, input->cls);
  p->buffer_of[value] = input->buffer;
  steps[(*n_steps)++] = (tarn_plan_step){.load = value, .direct = -1, .buffer = input->buffer};
}

static int needs_load(const placement *p, int32_t value) {
  if (value >= p->plan->n_inputs || p->buffer_of[value] >= 0) return 0;
  switch (p->plan->inputs[value].access) {
    case TARN_FLAT:
    case TARN_ROW:
    case TARN_ROW_SINGLE:
    case TARN_SEGMENTS:
      return 1;
    default:
      return 0;
  }
}

static int is_temporary(const placement *p, int32_t value) {
  return value < p->plan->n_inputs ? p->plan->inputs[value].access != TARN_SINGLE
                                   : value >= p->plan->n_inputs + p->plan->n_consts;
}

static void release_operands(placement *p, const tarn_plan_step *step, int i, int same_size_as) {
  const int32_t operands[3] = {step->a, step->b, step->c};
  for (int j = 0; j < 3; j++) {
    int32_t value = operands[j];
    if (p->last_use[value] != i || !is_temporary(p, value)) continue;
    if (same_size_as >= 0) {
      // One element is still read while the result is written.
      if (is_single_value(p->plan, value)) continue;
      if (tarn_class_bytes(p->cls[value]) != tarn_class_bytes(same_size_as)) continue;
    }
    give_buffer(p, value);
  }
}

/// Puts loads before their first reader, gives every value a buffer, and reuses those no longer read.
static void place_registers(placement *p, int n_instrs, int n_outputs) {
  tarn_plan *plan = p->plan;
  tarn_plan_step *steps = plan->steps + n_instrs;
  int n_steps = 0;
  for (int i = 0; i < plan->n_inputs; i++) {
    tarn_plan_operand *input = &plan->inputs[i];
    if (input->access == TARN_SINGLE) input->buffer = keep_buffer(p, input->cls, input->filled);
  }
  for (int i = 0; i < plan->n_consts; i++) {
    plan->const_buffers[i] = keep_buffer(p, plan->consts[i].cls, plan->const_filled[i]);
  }
  for (int i = 0; i < n_instrs; i++) {
    tarn_plan_step step = plan->steps[i];
    const int32_t operands[3] = {step.a, step.b, step.c};
    for (int j = 0; j < 3; j++) {
      if (needs_load(p, operands[j])) load_before(p, operands[j], &n_steps, steps);
    }
    for (int j = 0; j < n_outputs && step.direct < 0; j++) {
      const tarn_plan_operand *output = &plan->outputs[j];
      if (output->value == step.dst && !streams(plan, output) && may_write_at_once(p, i, output)) step.direct = j;
    }
    release_operands(p, &step, i, p->cls[step.dst]);
    if (step.direct < 0) {
      step.buffer = p->buffer_of[step.dst] = take_buffer(p, p->cls[step.dst]);
    }
    release_operands(p, &step, i, -1);
    if (p->last_use[step.dst] < 0) give_buffer(p, step.dst);
    steps[n_steps++] = step;
  }
  for (int j = 0; j < p->loop->n_outputs; j++) {
    int32_t value = plan->outputs[j].value;
    if (needs_load(p, value)) load_before(p, value, &n_steps, steps);
  }
  plan->steps = steps;
  plan->n_steps = n_steps;
  plan->register_bytes = p->bytes;
}

// MARK: Making

static void *cut(char **memory, int64_t bytes) {
  void *piece = *memory;
  *memory += (bytes + 15) / 16 * 16;
  return piece;
}

static int describe(tarn_plan_operand *operand, const tarn_operand *given, void *const *pointers, const axes *kept) {
  int cls = tarn_class_of(given->dtype);
  if (cls < 0) return TARN_BAD_ARGUMENT;
  *operand = (tarn_plan_operand){
    .dtype = given->dtype, .kind = given->kind, .cls = (uint8_t)cls, .size = tarn_bytes_of(given->dtype),
    .start = given->offset, .buffer = -1};
  if (given->kind == TARN_MEMORY) operand->base = (char *)pointers[given->pointer] + given->offset * operand->size;
  if (given->kind == TARN_RANDOM) {
    if (given->dtype != TARN_DTYPE_F32) return TARN_BAD_ARGUMENT;
    operand->base = (char *)pointers[given->pointer] + given->offset * 8;
  }
  take_strides(operand, given, kept);
  return TARN_OK;
}

/// Of a random number, as `tarn_op_cost`.
enum { RANDOM_COST = 6 };

static int64_t work_grain(const tarn_loop *loop) {
  int64_t cost = loop->n_inputs + loop->n_outputs;
  for (int i = 0; i < loop->n_inputs; i++) cost += loop->inputs[i].kind == TARN_RANDOM ? RANDOM_COST : 0;
  for (int i = 0; i < loop->n_instrs; i++) cost += tarn_op_cost(loop->instrs[i].op, loop->instrs[i].cls);
  int64_t grain = (int64_t)32768 * 8 / tarn_greatest(cost, 1) / TARN_BLOCK * TARN_BLOCK;
  return tarn_least(32768, tarn_greatest(grain, 2 * TARN_BLOCK));
}

int tarn_plan_make(
  tarn_plan **made, const tarn_loop *loop, const int *order, const int *group, int reduces, void *const *pointers,
  const tarn_scalar *scalars
) {
  int64_t n_values = (int64_t)loop->n_inputs + loop->n_consts + loop->n_instrs;
  int64_t n_operands = loop->n_inputs + loop->n_outputs;
  int64_t bytes = (int64_t)sizeof(tarn_plan) + n_operands * (int64_t)sizeof(tarn_plan_operand) +
                  (n_values + loop->n_instrs + loop->n_outputs) * (int64_t)sizeof(tarn_plan_step) + loop->n_consts * 8 +
                  loop->n_regs * 4 + n_values * 24 + 1024;
  if (loop->rank < 0 || loop->rank > TARN_MAX_RANK || bytes > 1 << 26) return TARN_BAD_ARGUMENT;
  char *memory = tarn_scratch(TARN_SCRATCH_PLAN, (size_t)bytes);
  if (!memory) return TARN_NO_MEMORY;
  tarn_plan *plan = cut(&memory, sizeof *plan);
  memset(plan, 0, sizeof *plan);
  plan->level = tarn_level_now();
  plan->n_inputs = loop->n_inputs;
  plan->n_outputs = reduces ? 0 : loop->n_outputs;
  plan->n_consts = loop->n_consts;
  plan->n_values = (int)n_values;
  plan->consts = loop->consts;
  plan->scalars = scalars;
  plan->inputs = cut(&memory, loop->n_inputs * (int64_t)sizeof(tarn_plan_operand));
  plan->outputs = cut(&memory, loop->n_outputs * (int64_t)sizeof(tarn_plan_operand));
  plan->steps = cut(&memory, (n_values + loop->n_instrs + loop->n_outputs) * (int64_t)sizeof(tarn_plan_step));
  plan->const_buffers = cut(&memory, loop->n_consts * 4);
  plan->const_filled = cut(&memory, loop->n_consts);
  memset(plan->const_filled, 0, (size_t)loop->n_consts);

  axes kept = kept_axes(loop, order, group);
  for (int i = 0; i < loop->n_inputs; i++) {
    if (describe(&plan->inputs[i], &loop->inputs[i], pointers, &kept)) return TARN_BAD_ARGUMENT;
  }
  for (int i = 0; i < loop->n_outputs; i++) {
    if (describe(&plan->outputs[i], &loop->outputs[i], pointers, &kept)) return TARN_BAD_ARGUMENT;
  }
  // A result's strides count when it is reduced too: they tell where each kept index goes.
  merge_axes(plan, &kept, loop->n_outputs);
  choose_access(plan, plan->n_outputs);
  plan->grain = work_grain(loop);

  placement p = {.plan = plan, .loop = loop};
  p.value_of = cut(&memory, loop->n_regs * 4);
  p.last_use = cut(&memory, n_values * 4);
  p.buffer_of = cut(&memory, n_values * 4);
  p.spare[0] = cut(&memory, n_values * 4);
  p.spare[1] = cut(&memory, n_values * 4);
  p.cls = cut(&memory, n_values);
  int status = number_values(&p);
  if (status) return status;
  place_registers(&p, loop->n_instrs, plan->n_outputs);
  if (reduces) {
    plan->result = plan->outputs[0].value;
    plan->result_class = plan->outputs[0].cls;
  }
  *made = plan;
  return TARN_OK;
}
