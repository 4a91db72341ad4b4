// Chains of float32 instructions, with the result so far in registers.
#ifndef TARN_SIMD_CHAIN_H
#define TARN_SIMD_CHAIN_H

#include "math.h"
#include "types.h"

/// Vectors of a group: what one instruction works on at a time. Through memory few, so that loads and stores alternate.
enum { CHAIN_GROUP = 8, CHAIN_STREAMED_GROUP = 2 };
#define CHAIN_VECTORS _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++)

INLINE vf chain_operand(const float *p, int64_t count) { return count >= W ? load_f(p) : load_part_f(p, count); }

#define CHAIN_UNARY(OP, EXPR)           \
  case OP:                              \
    CHAIN_VECTORS {                       \
      vf x = sum[v];                    \
      sum[v] = EXPR;                    \
    }                                   \
    break;

#define CHAIN_FORM(OP, FORM, X, Y, EXPR) \
  case TARN_CHAIN_CODE(OP, FORM):        \
    CHAIN_VECTORS {                        \
      vf x = X, y = Y;                   \
      sum[v] = EXPR;                     \
    }                                    \
    break;

#define IN_PLACE(P) chain_operand((P) + at + v * W, count)

#define CHAIN_BINARY(OP, EXPR)                                                      \
  CHAIN_FORM(OP, TARN_CHAIN_WITH_MANY, sum[v], IN_PLACE(step->p), EXPR)             \
  CHAIN_FORM(OP, TARN_CHAIN_MANY_WITH, IN_PLACE(step->p), sum[v], EXPR)             \
  CHAIN_FORM(OP, TARN_CHAIN_WITH_ONE, sum[v], (vf)step->one, EXPR)                  \
  CHAIN_FORM(OP, TARN_CHAIN_ONE_WITH, (vf)step->one, sum[v], EXPR)                  \
  CHAIN_FORM(OP, TARN_CHAIN_WITH_ITSELF, sum[v], sum[v], EXPR)

#define CHAIN_MADD(FORM, X, Y, Z)                 \
  case TARN_CHAIN_CODE(TARN_CHAIN_MADD, FORM):    \
    CHAIN_VECTORS sum[v] = madd_f(X, Y, Z);         \
    break;

#define MANY_P IN_PLACE(step->p)
#define MANY_Q IN_PLACE(step->q)
#define ONE_P ((vf)step->one)
#define ONE_Q ((vf)step->other)

/// `vectors` vectors from element `at` on; of the last, `count` elements.
INLINE void chain_group(const tarn_chain *chain, int64_t at, const int vectors, int64_t count) {
  vf sum[CHAIN_GROUP];
  CHAIN_VECTORS sum[v] = IN_PLACE(chain->first);
  const tarn_chain_step *end = chain->steps + chain->n_steps;
  for (const tarn_chain_step *step = chain->steps; step < end; step++) {
    switch (step->code) {
      CHAIN_BINARY(TARN_CHAIN_ADD, x + y)
      CHAIN_BINARY(TARN_CHAIN_SUB, x - y)
      CHAIN_BINARY(TARN_CHAIN_MUL, x * y)
      CHAIN_BINARY(TARN_CHAIN_DIV, x / y)
      CHAIN_BINARY(TARN_CHAIN_MAX, max_f(x, y))
      CHAIN_BINARY(TARN_CHAIN_MIN, min_f(x, y))
      CHAIN_MADD(0, sum[v], MANY_P, MANY_Q)
      CHAIN_MADD(1, sum[v], ONE_P, MANY_Q)
      CHAIN_MADD(2, sum[v], MANY_P, ONE_Q)
      CHAIN_MADD(3, sum[v], ONE_P, ONE_Q)
      CHAIN_MADD(4, MANY_P, MANY_Q, sum[v])
      CHAIN_MADD(5, ONE_P, MANY_Q, sum[v])
      CHAIN_MADD(6, MANY_P, ONE_Q, sum[v])
      CHAIN_MADD(7, ONE_P, ONE_Q, sum[v])
      CHAIN_UNARY(TARN_CHAIN_RELU, x < 0 ? (vf)0 : x)
      CHAIN_UNARY(TARN_CHAIN_NEG, -x)
      CHAIN_UNARY(TARN_CHAIN_ABS, __builtin_elementwise_abs(x))
      CHAIN_UNARY(TARN_CHAIN_SQRT, __builtin_elementwise_sqrt(x))
      CHAIN_UNARY(TARN_CHAIN_RECIPROCAL, 1 / x)
    }
  }
  float *out = chain->out + at;
  if (chain->streams && count >= W) {
    CHAIN_VECTORS __builtin_nontemporal_store(sum[v], (vf *)(out + v * W));
  } else if (count >= W) {
    CHAIN_VECTORS store_f(out + v * W, sum[v]);
  } else {
    store_part_f(out, sum[0], count);
  }
}

static void run_chain(const tarn_chain *chain, int64_t begin, int64_t end) {
  const int64_t group = CHAIN_GROUP * W, streamed = CHAIN_STREAMED_GROUP * W;
  if (chain->streams) {
    for (; begin + streamed <= end; begin += streamed) chain_group(chain, begin, CHAIN_STREAMED_GROUP, W);
  }
  for (; begin + group <= end; begin += group) chain_group(chain, begin, CHAIN_GROUP, W);
  for (; begin + W <= end; begin += W) chain_group(chain, begin, 1, W);
  if (begin < end) chain_group(chain, begin, 1, end - begin);
}

#endif
