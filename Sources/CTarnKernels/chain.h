// Loops of float32 that are one chain of instructions: each takes the result of the one before.
#ifndef TARN_CHAIN_H
#define TARN_CHAIN_H

#include <stdint.h>

enum { TARN_CHAIN_MOST_STEPS = 12, TARN_CHAIN_MOST_INPUTS = 8, TARN_CHAIN_MOST_CONSTS = 8 };

/// How an operand of two stands to the result so far: many elements or one, on its right or on its left.
enum tarn_chain_form {
  TARN_CHAIN_WITH_MANY,
  TARN_CHAIN_MANY_WITH,
  TARN_CHAIN_WITH_ONE,
  TARN_CHAIN_ONE_WITH,
  TARN_CHAIN_WITH_ITSELF,
};

enum tarn_chain_op {
  TARN_CHAIN_RELU,
  TARN_CHAIN_NEG,
  TARN_CHAIN_ABS,
  TARN_CHAIN_SQRT,
  TARN_CHAIN_RECIPROCAL,
  // From here on each op has a code for every form.
  TARN_CHAIN_ADD,
  TARN_CHAIN_SUB,
  TARN_CHAIN_MUL,
  TARN_CHAIN_DIV,
  TARN_CHAIN_MAX,
  TARN_CHAIN_MIN,
  /// Forms: 1, the first other operand is one element; 2, the second is; 4, the result so far is the addend.
  TARN_CHAIN_MADD,
};

#define TARN_CHAIN_CODE(op, form) (TARN_CHAIN_ADD + ((op) - TARN_CHAIN_ADD) * 5 + (form))

/// What is done to the result so far with elements p[i] and q[i], or with `one` and `other`.
typedef struct {
  int code;
  float one, other;
  const float *p, *q;
} tarn_chain_step;

/// out[i] = the result of all steps, which begin with first[i].
typedef struct {
  const float *first;
  float *out;
  int n_steps;
  /// Whether results go past the caches; `out` is 64-byte aligned then. The processor alone fetches inputs best.
  int streams;
  tarn_chain_step steps[TARN_CHAIN_MOST_STEPS];
} tarn_chain;

#endif
