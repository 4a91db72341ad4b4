// Recurrent cells: a tile of products whose rows are read where they lie, and the arithmetic of the gates.
#ifndef TARN_SIMD_RECURRENT_H
#define TARN_SIMD_RECURRENT_H

#include "gemm.h"
#include "math.h"

/// ROWS x WIDE vectors of C = or += rows of A, `lda` apart, times rows of B, `ldb` apart. Meanwhile `ahead` is fetched.
#define ROW_TILE(ROWS, WIDE)                                                                                 \
  static void row_tile_##WIDE##_##ROWS(                                                                      \
    int64_t k, const float *a, int64_t lda, const float *b, int64_t ldb, float *c, int64_t ldc,              \
    int accumulate, const float *ahead, int64_t ahead_step                                                   \
  ) {                                                                                                        \
    vf sums[ROWS][WIDE];                                                                                     \
    UNROLLED for (int i = 0; i < ROWS; i++) {                                                                \
      UNROLLED for (int j = 0; j < WIDE; j++) sums[i][j] = 0;                                                \
    }                                                                                                        \
    for (int64_t p = 0; p < k; p++, b += ldb, ahead += ahead_step) {                                         \
      __builtin_prefetch(ahead, 0, 2);                                                                       \
      vf y[WIDE];                                                                                            \
      UNROLLED for (int j = 0; j < WIDE; j++) y[j] = load_f(b + j * W);                                      \
      UNROLLED for (int i = 0; i < ROWS; i++) {                                                              \
        const vf x = a[i * lda + p];                                                                         \
        UNROLLED for (int j = 0; j < WIDE; j++) sums[i][j] = madd_f(x, y[j], sums[i][j]);                    \
      }                                                                                                      \
    }                                                                                                        \
    UNROLLED for (int i = 0; i < ROWS; i++) {                                                                \
      UNROLLED for (int j = 0; j < WIDE; j++) {                                                              \
        float *at = c + i * ldc + j * W;                                                                     \
        store_f(at, accumulate ? load_f(at) + sums[i][j] : sums[i][j]);                                      \
      }                                                                                                      \
    }                                                                                                        \
  }

// clang-format off
#define ROW_TILES(WIDE) ROW_TILE(1, WIDE) ROW_TILE(2, WIDE) ROW_TILE(3, WIDE) ROW_TILE(4, WIDE)
#define ROW_TILES_TO_6(WIDE) ROW_TILE(5, WIDE) ROW_TILE(6, WIDE)
#define ROW_TILES_TO_8(WIDE) ROW_TILE(7, WIDE) ROW_TILE(8, WIDE)
#define ROW_TILES_TO_14(WIDE)                                                                                \
  ROW_TILE(9, WIDE) ROW_TILE(10, WIDE) ROW_TILE(11, WIDE) ROW_TILE(12, WIDE) ROW_TILE(13, WIDE) ROW_TILE(14, WIDE)
#define ROW_NAMES(WIDE) row_tile_##WIDE##_1, row_tile_##WIDE##_2, row_tile_##WIDE##_3, row_tile_##WIDE##_4
#define ROW_NAMES_TO_6(WIDE) ROW_NAMES(WIDE), row_tile_##WIDE##_5, row_tile_##WIDE##_6
#define ROW_NAMES_TO_8(WIDE) ROW_NAMES_TO_6(WIDE), row_tile_##WIDE##_7, row_tile_##WIDE##_8
#define ROW_NAMES_TO_14(WIDE)                                                                                \
  ROW_NAMES_TO_8(WIDE), row_tile_##WIDE##_9, row_tile_##WIDE##_10, row_tile_##WIDE##_11, row_tile_##WIDE##_12, \
  row_tile_##WIDE##_13, row_tile_##WIDE##_14

ROW_TILES(1) ROW_TILES(2)
#if TARN_LEVEL == 2
ROW_TILES_TO_6(1) ROW_TILES_TO_6(2) ROW_TILES_TO_8(1) ROW_TILES_TO_8(2) ROW_TILES_TO_14(1) ROW_TILES_TO_14(2)
#define ROW_TILE_TABLE {{ROW_NAMES_TO_14(1)}, {ROW_NAMES_TO_14(2)}}
#elif TARN_LEVEL == 1
ROW_TILES_TO_6(1) ROW_TILES_TO_6(2)
#define ROW_TILE_TABLE {{ROW_NAMES_TO_6(1)}, {ROW_NAMES_TO_6(2)}}
#elif defined(__aarch64__)
ROW_TILES_TO_6(1) ROW_TILES_TO_6(2) ROW_TILES_TO_8(1) ROW_TILES_TO_8(2)
#define ROW_TILE_TABLE {{ROW_NAMES_TO_8(1)}, {ROW_NAMES_TO_8(2)}}
#else
#define ROW_TILE_TABLE {{ROW_NAMES(1)}, {ROW_NAMES(2)}}
#endif
// clang-format on

// MARK: Gates
//
// Each function does `cell->n` units of one row, a vector at a time from unit i on; of the last there may be only n.

INLINE vf at(const float *p, int64_t i, int64_t n) { return n == W ? load_f(p + i) : load_part_f(p + i, n); }
INLINE void put(float *p, int64_t i, int64_t n, vf x) {
  if (n == W) {
    store_f(p + i, x);
  } else {
    store_part_f(p + i, x, n);
  }
}

/// The function of a whole row. The copy lets the compiler know that stores do not change where things lie.
#define EACH_VECTOR(NAME, CELL)                                             \
  static void NAME(const CELL *of) {                                        \
    const CELL cell = *of;                                                  \
    int64_t i = 0;                                                          \
    for (; i + W <= cell.n; i += W) NAME##_vector(&cell, i, W);             \
    if (i < cell.n) NAME##_vector(&cell, i, cell.n - i);                    \
  }

/// 1 / x to 1 ulp, for x between 2^-120 and 2^120.
INLINE vf reciprocal(vf x) {
#if TARN_LEVEL == 2
  typedef float machine __attribute__((vector_size(64)));
  const machine zero = {0};
  const vf near = (vf)__builtin_ia32_rcp14ps512_mask((machine)x, zero, (unsigned short)-1);
  return madd_f(near, madd_f(-x, near, (vf)1.0f), near);
#else
  return 1.0f / x;
#endif
}

/// x within ± most; NaN stays.
INLINE vf within(vf x, float most) {
  x = x < -most ? (vf)-most : x;
  return x > most ? (vf)most : x;
}

/// 2^k for whole numbers k between -126 and 127.
INLINE vf whole_power(vf k) {
#if TARN_LEVEL == 2
  return scale_f((vf)1.0f, k);
#else
  return power_of_two_f(INTS(k));
#endif
}

// Gates do without the ends that `sigmoid_f` and `tanh_f` keep: beyond ±80 a sigmoid stays as it is there, 1.8e-35.

/// 1 / (1 + e^-x): 3 ulp.
INLINE vf gate_sigmoid(vf x) {
  vf k, p = reduced_expm1_f(-within(x, 80.0f), &k);
  return reciprocal(scale_f(p + 1.0f, k) + 1.0f);
}

/// tanh x = t / (t + 2), t = e^2x - 1: 4 ulp.
INLINE vf gate_tanh(vf x) {
  x = within(x, 10.0f);
  vf k, p = reduced_expm1_f(x + x, &k);
  const vf power = whole_power(k), t = madd_f(p, power, power - 1.0f);
  return t * reciprocal(t + 2.0f);
}

/// U h + x + b of one gate.
INLINE vf gate_input(const tarn_cell *cell, int gate, int64_t i, int64_t n) {
  const int64_t there = gate * cell->step;
  return at(cell->sums + gate * cell->sums_step, i, n) + at(cell->inputs + there, i, n) + at(cell->bias + there, i, n);
}

INLINE void put_gate(const tarn_cell *cell, int gate, int64_t i, int64_t n, vf x) {
  put(cell->gates + gate * cell->step, i, n, x);
}

INLINE void put_h(const tarn_cell *cell, int64_t i, int64_t n, vf h) {
  put(cell->h, i, n, h);
  put(cell->operand, i, n, h);
}

/// The gates and c of a vector.
INLINE void lstm_gates_vector(const tarn_cell *cell, int64_t i, int64_t n) {
  const vf in = gate_sigmoid(gate_input(cell, 0, i, n)), forget = gate_sigmoid(gate_input(cell, 1, i, n));
  const vf g = gate_tanh(gate_input(cell, 2, i, n)), out = gate_sigmoid(gate_input(cell, 3, i, n));
  put_gate(cell, 0, i, n, in), put_gate(cell, 1, i, n, forget), put_gate(cell, 2, i, n, g), put_gate(cell, 3, i, n, out);
  put(cell->c, i, n, madd_f(forget, at(cell->c_before, i, n), in * g));
}

INLINE void lstm_hidden_vector(const tarn_cell *cell, int64_t i, int64_t n) {
  put_h(cell, i, n, at(cell->gates + 3 * cell->step, i, n) * gate_tanh(at(cell->c, i, n)));
}

EACH_VECTOR(lstm_gates, tarn_cell)
EACH_VECTOR(lstm_hidden, tarn_cell)

/// In two passes: what waits for c would keep the processor from the gates of the next vector.
static void lstm_forward(const tarn_cell *cell) {
  lstm_gates(cell);
  lstm_hidden(cell);
}

INLINE void gru_forward_vector(const tarn_cell *cell, int64_t i, int64_t n) {
  const vf r = gate_sigmoid(gate_input(cell, 0, i, n)), z = gate_sigmoid(gate_input(cell, 1, i, n));
  const vf met = at(cell->sums + 2 * cell->sums_step, i, n) + at(cell->bias_n, i, n);
  const vf x = at(cell->inputs + 2 * cell->step, i, n) + at(cell->bias + 2 * cell->step, i, n);
  const vf new = gate_tanh(madd_f(r, met, x));
  put_gate(cell, 0, i, n, r), put_gate(cell, 1, i, n, z), put_gate(cell, 2, i, n, new), put_gate(cell, 3, i, n, met);
  put_h(cell, i, n, madd_f(z, at(cell->h_before, i, n) - new, new));
}
EACH_VECTOR(gru_forward, tarn_cell)

/// r and z, and r h for the product that n needs.
INLINE void gru_gates_forward_vector(const tarn_cell *cell, int64_t i, int64_t n) {
  const vf r = gate_sigmoid(gate_input(cell, 0, i, n)), z = gate_sigmoid(gate_input(cell, 1, i, n));
  const vf met = r * at(cell->h_before, i, n);
  put_gate(cell, 0, i, n, r), put_gate(cell, 1, i, n, z), put_gate(cell, 3, i, n, met);
  put(cell->operand, i, n, met);
}
EACH_VECTOR(gru_gates_forward, tarn_cell)

/// n from U (r h).
INLINE void gru_new_forward_vector(const tarn_cell *cell, int64_t i, int64_t n) {
  const vf new = gate_tanh(gate_input(cell, 2, i, n)), z = at(cell->gates + cell->step, i, n);
  put_gate(cell, 2, i, n, new);
  put_h(cell, i, n, madd_f(z, at(cell->h_before, i, n) - new, new));
}
EACH_VECTOR(gru_new_forward, tarn_cell)

INLINE void rnn_tanh_forward_vector(const tarn_cell *cell, int64_t i, int64_t n) {
  put_h(cell, i, n, gate_tanh(gate_input(cell, 0, i, n)));
}
EACH_VECTOR(rnn_tanh_forward, tarn_cell)

INLINE void rnn_relu_forward_vector(const tarn_cell *cell, int64_t i, int64_t n) {
  put_h(cell, i, n, max_f(gate_input(cell, 0, i, n), (vf)0.0f));
}
EACH_VECTOR(rnn_relu_forward, tarn_cell)

// MARK: Their derivatives

/// The gradient of a gate's input: written out, and for the products.
INLINE void put_slope(const tarn_cell_slope *cell, int gate, int64_t i, int64_t n, vf x) {
  put(cell->slopes + gate * cell->step, i, n, x);
  put(cell->operand + gate * cell->step, i, n, x);
}

INLINE vf slope_gate(const tarn_cell_slope *cell, int gate, int64_t i, int64_t n) {
  return at(cell->gates + gate * cell->step, i, n);
}

INLINE void lstm_backward_vector(const tarn_cell_slope *cell, int64_t i, int64_t n) {
  const vf in = slope_gate(cell, 0, i, n), forget = slope_gate(cell, 1, i, n);
  const vf g = slope_gate(cell, 2, i, n), out = slope_gate(cell, 3, i, n);
  const vf squashed = gate_tanh(at(cell->c, i, n)), dh = at(cell->dh, i, n) + at(cell->g, i, n);
  const vf dc = madd_f(dh * out, 1.0f - squashed * squashed, at(cell->dc, i, n));
  put_slope(cell, 0, i, n, dc * g * in * (1.0f - in));
  put_slope(cell, 1, i, n, dc * at(cell->c_before, i, n) * forget * (1.0f - forget));
  put_slope(cell, 2, i, n, dc * in * (1.0f - g * g));
  put_slope(cell, 3, i, n, dh * squashed * out * (1.0f - out));
  put(cell->dc, i, n, dc * forget);
  put(cell->dh, i, n, (vf)0.0f);
}
EACH_VECTOR(lstm_backward, tarn_cell_slope)

INLINE void gru_backward_vector(const tarn_cell_slope *cell, int64_t i, int64_t n) {
  const vf r = slope_gate(cell, 0, i, n), z = slope_gate(cell, 1, i, n), new = slope_gate(cell, 2, i, n);
  const vf dh = at(cell->dh, i, n) + at(cell->g, i, n);
  const vf dn = dh * (1.0f - z) * (1.0f - new * new);
  put_slope(cell, 0, i, n, dn * slope_gate(cell, 3, i, n) * r * (1.0f - r));
  put_slope(cell, 1, i, n, dh * (at(cell->h_before, i, n) - new) * z * (1.0f - z));
  put(cell->slopes + 2 * cell->step, i, n, dn);
  put(cell->met_slopes, i, n, dn * r);
  put(cell->operand + 2 * cell->step, i, n, dn * r);
  put(cell->dh, i, n, dh * z);
}
EACH_VECTOR(gru_backward, tarn_cell_slope)

/// z and n, and what of h goes past r; the product with U then gives the gradient of r h.
INLINE void gru_new_backward_vector(const tarn_cell_slope *cell, int64_t i, int64_t n) {
  const vf z = slope_gate(cell, 1, i, n), new = slope_gate(cell, 2, i, n);
  const vf dh = at(cell->dh, i, n) + at(cell->g, i, n);
  put_slope(cell, 1, i, n, dh * (at(cell->h_before, i, n) - new) * z * (1.0f - z));
  put_slope(cell, 2, i, n, dh * (1.0f - z) * (1.0f - new * new));
  put(cell->dh, i, n, dh * z);
}
EACH_VECTOR(gru_new_backward, tarn_cell_slope)

/// r, from the gradient of r h, in `dc`.
INLINE void gru_gates_backward_vector(const tarn_cell_slope *cell, int64_t i, int64_t n) {
  const vf r = slope_gate(cell, 0, i, n), met = at(cell->dc, i, n);
  put_slope(cell, 0, i, n, met * at(cell->h_before, i, n) * r * (1.0f - r));
  put(cell->dh, i, n, madd_f(met, r, at(cell->dh, i, n)));
}
EACH_VECTOR(gru_gates_backward, tarn_cell_slope)

INLINE void rnn_tanh_backward_vector(const tarn_cell_slope *cell, int64_t i, int64_t n) {
  const vf h = at(cell->h, i, n);
  put_slope(cell, 0, i, n, (at(cell->dh, i, n) + at(cell->g, i, n)) * (1.0f - h * h));
  put(cell->dh, i, n, (vf)0.0f);
}
EACH_VECTOR(rnn_tanh_backward, tarn_cell_slope)

INLINE void rnn_relu_backward_vector(const tarn_cell_slope *cell, int64_t i, int64_t n) {
  const vf dh = at(cell->dh, i, n) + at(cell->g, i, n);
  put_slope(cell, 0, i, n, at(cell->h, i, n) > 0 ? dh : (vf)0.0f);
  put(cell->dh, i, n, (vf)0.0f);
}
EACH_VECTOR(rnn_relu_backward, tarn_cell_slope)

#define CELL_TABLE {lstm_forward, gru_forward, gru_gates_forward, rnn_tanh_forward, rnn_relu_forward}
#define CELL_SLOPE_TABLE {lstm_backward, gru_backward, gru_new_backward, rnn_tanh_backward, rnn_relu_backward}

#endif
