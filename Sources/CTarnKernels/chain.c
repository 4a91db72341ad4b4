// Finds loops that are chains, and runs them without a plan: each element is read once and written once.
#include "internal.h"

// MARK: Operands

/// A value that is no result: memory, or one element.
typedef struct {
  const float *memory;
  float one;
} chain_value;

enum { MOST_VALUES = TARN_CHAIN_MOST_INPUTS + TARN_CHAIN_MOST_CONSTS, MOST_REGISTERS = 64 };

typedef struct {
  const tarn_loop *loop;
  int64_t total;
  chain_value values[MOST_VALUES];
  /// Of each register the value, LATEST or NOTHING.
  int8_t value_of[MOST_REGISTERS];
} chain_state;

enum { LATEST = -1, NOTHING = -2 };

static int has_strides(const tarn_loop *loop, const int64_t *strides, int flat) {
  int64_t expected = flat;
  for (int i = loop->rank - 1; i >= 0; i--) {
    if (loop->shape[i] == 1) continue;
    if (strides[i] != expected) return 0;
    expected *= loop->shape[i];
  }
  return 1;
}

static float *place(const tarn_operand *operand, void *const *pointers) {
  return (float *)pointers[operand->pointer] + operand->offset;
}

static int read_values(chain_state *s, tarn_chain *chain, void *const *pointers, const tarn_scalar *scalars) {
  const tarn_loop *loop = s->loop;
  int n = 0;
  for (int i = 0; i < loop->n_inputs; i++, n++) {
    const tarn_operand *input = &loop->inputs[i];
    if (input->kind != TARN_MEMORY || input->dtype != TARN_DTYPE_F32 || input->reg >= loop->n_regs) return 0;
    const float *memory = place(input, pointers);
    if (has_strides(loop, input->strides, 1)) {
      s->values[n] = (chain_value){.memory = memory};
      // Where the output lies over the input, it lies in the same place.
      if (memory != chain->out && memory < chain->out + s->total && chain->out < memory + s->total) return 0;
    } else if (has_strides(loop, input->strides, 0)) {
      s->values[n] = (chain_value){.one = *memory};
    } else {
      return 0;
    }
    s->value_of[input->reg] = (int8_t)n;
  }
  for (int i = 0; i < loop->n_consts; i++, n++) {
    if (loop->consts[i].cls != TARN_F32 || loop->consts[i].reg >= loop->n_regs) return 0;
    s->values[n] = (chain_value){.one = (float)scalars[loop->consts[i].scalar].real};
    s->value_of[loop->consts[i].reg] = (int8_t)n;
  }
  return 1;
}

// MARK: Steps

static int unary_code(int op) {
  switch (op) {
    case TARN_RELU:
      return TARN_CHAIN_RELU;
    case TARN_NEG:
      return TARN_CHAIN_NEG;
    case TARN_ABS:
      return TARN_CHAIN_ABS;
    case TARN_SQRT:
      return TARN_CHAIN_SQRT;
    case TARN_RECIPROCAL:
      return TARN_CHAIN_RECIPROCAL;
    default:
      return -1;
  }
}

static int binary_op(int op) {
  switch (op) {
    case TARN_ADD:
      return TARN_CHAIN_ADD;
    case TARN_SUB:
      return TARN_CHAIN_SUB;
    case TARN_MUL:
      return TARN_CHAIN_MUL;
    case TARN_DIV:
      return TARN_CHAIN_DIV;
    case TARN_MAX:
      return TARN_CHAIN_MAX;
    case TARN_MIN:
      return TARN_CHAIN_MIN;
    default:
      return -1;
  }
}

static int make_binary(const chain_state *s, tarn_chain_step *step, int op, const int *operands) {
  if (op < 0) return 0;
  if (operands[0] == LATEST && operands[1] == LATEST) {
    step->code = TARN_CHAIN_CODE(op, TARN_CHAIN_WITH_ITSELF);
    return 1;
  }
  const int on_the_left = operands[0] != LATEST;
  const chain_value *value = &s->values[operands[on_the_left ? 0 : 1]];
  const int form = value->memory ? TARN_CHAIN_WITH_MANY : TARN_CHAIN_WITH_ONE;
  step->code = TARN_CHAIN_CODE(op, form + on_the_left);
  step->p = value->memory;
  step->one = value->one;
  return 1;
}

static int make_madd(const chain_state *s, tarn_chain_step *step, const int *operands) {
  const int added = operands[2] == LATEST;
  if ((operands[0] == LATEST) + (operands[1] == LATEST) + added != 1) return 0;
  const int first = operands[0] == LATEST ? operands[1] : operands[0], second = added ? operands[1] : operands[2];
  const chain_value *p = &s->values[first], *q = &s->values[second];
  step->code = TARN_CHAIN_CODE(TARN_CHAIN_MADD, !p->memory + 2 * !q->memory + 4 * added);
  step->p = p->memory, step->q = q->memory;
  step->one = p->one, step->other = q->one;
  return 1;
}

/// Adds an instruction, of whose operands one at least is the result so far.
static int make_step(const chain_state *s, tarn_chain *chain, const tarn_instr *instr, const int *operands) {
  tarn_chain_step *step = &chain->steps[chain->n_steps++];
  switch (tarn_operand_count(instr->op)) {
    case 1:
      step->code = unary_code(instr->op);
      return step->code >= 0;
    case 2:
      return make_binary(s, step, binary_op(instr->op), operands);
    default:
      return instr->op == TARN_FMA && make_madd(s, step, operands);
  }
}

/// The first instruction begins with an operand that is read from memory.
static int begin(chain_state *s, tarn_chain *chain, int *operands, int count) {
  for (int j = 0; j < count; j++) {
    if (!s->values[operands[j]].memory) continue;
    chain->first = s->values[operands[j]].memory;
    operands[j] = LATEST;
    return 1;
  }
  return 0;
}

static int make_steps(chain_state *s, tarn_chain *chain) {
  const tarn_loop *loop = s->loop;
  for (int i = 0; i < loop->n_instrs; i++) {
    const tarn_instr *instr = &loop->instrs[i];
    if (instr->cls != TARN_F32 || instr->op >= TARN_OP_COUNT) return 0;
    const uint16_t registers[3] = {instr->a, instr->b, instr->c};
    int operands[3] = {NOTHING, NOTHING, NOTHING}, latest = 0;
    const int count = tarn_operand_count(instr->op);
    for (int j = 0; j < count; j++) {
      if (registers[j] >= loop->n_regs || s->value_of[registers[j]] == NOTHING) return 0;
      operands[j] = s->value_of[registers[j]];
      latest += operands[j] == LATEST;
    }
    if (i == 0 ? !begin(s, chain, operands, count) : latest == 0) return 0;
    if (!make_step(s, chain, instr, operands)) return 0;
    // The result before this one is gone.
    if (i > 0) s->value_of[loop->instrs[i - 1].dst] = NOTHING;
    if (instr->dst >= loop->n_regs) return 0;
    s->value_of[instr->dst] = LATEST;
  }
  return loop->outputs[0].reg == loop->instrs[loop->n_instrs - 1].dst;
}

// MARK: Running

typedef struct {
  const tarn_level *level;
  const tarn_chain *chain;
} chain_job;

static void chain_task(void *ctx, int64_t begin, int64_t end) {
  const chain_job *job = ctx;
  job->level->chain(job->chain, begin, end);
}

/// Elements of a piece of work.
enum { CHAIN_GRAIN = 32768 };

int tarn_chain_run(const tarn_loop *loop, void *const *pointers, const tarn_scalar *scalars) {
  if (loop->n_outputs != 1 || loop->n_instrs < 1 || loop->n_instrs > TARN_CHAIN_MOST_STEPS || loop->n_inputs < 1 ||
      loop->n_inputs > TARN_CHAIN_MOST_INPUTS || loop->n_consts > TARN_CHAIN_MOST_CONSTS ||
      loop->n_regs > MOST_REGISTERS) {
    return 0;
  }
  const tarn_operand *output = loop->outputs;
  if (output->dtype != TARN_DTYPE_F32 || !has_strides(loop, output->strides, 1)) return 0;
  chain_state state;
  state.loop = loop;
  state.total = 1;
  for (int i = 0; i < loop->rank; i++) state.total *= loop->shape[i];
  for (int i = 0; i < loop->n_regs; i++) state.value_of[i] = NOTHING;
  tarn_chain chain;
  chain.out = place(output, pointers);
  chain.n_steps = 0;
  chain.streams = state.total * (int64_t)sizeof(float) >= TARN_LARGE && ((uintptr_t)chain.out & 63) == 0;
  if (!read_values(&state, &chain, pointers, scalars) || !make_steps(&state, &chain)) return 0;
  chain_job job = {tarn_level_now(), &chain};
  tarn_parallel(state.total, CHAIN_GRAIN, chain_task, &job);
  return 1;
}
