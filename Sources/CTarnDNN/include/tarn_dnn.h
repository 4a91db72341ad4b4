/// oneDNN, if it is there: convolution, matrix products, pooling, normalisation and recurrent layers, on the same
/// memory and by the same conventions as the kernels of tarn_blocked.h, so that one can be timed against the other.
///
/// The library is opened at run time, and nothing here needs it: without it (or with TARN_ONEDNN=off) no operation is
/// found, and `tarn_dnn_state` says why. Its own threads are never used: an operation is cut into pieces by its
/// shape alone, and the pieces are run by `tarn_parallel`, so results have the same bits at any number of threads.
///
/// An operation is looked up (or made) by its geometry, then run any number of times, from any thread:
///
///     const tarn_dnn_op *op = tarn_dnn_convolution(&conv, TARN_PASS_FORWARD, &options);  // null: oneDNN has none
///     float *packed = aligned_alloc(64, tarn_dnn_packed_count(op) * sizeof(float));
///     tarn_dnn_pack(op, w, packed);
///     tarn_dnn_forward(op, x, packed, &epilogue, y);
///     tarn_dnn_release(op);
///
/// Unlike the own kernels, oneDNN's ReLU, clip and maximum may turn NaN into a number.
#ifndef TARN_DNN_H
#define TARN_DNN_H

#include "tarn_blocked.h"

#ifdef __cplusplus
extern "C" {
#endif

// MARK: The library

enum tarn_dnn_status {
  /// There is no oneDNN; see `tarn_dnn_state`.
  TARN_DNN_ABSENT = 32,
  /// Not what the operation was made for.
  TARN_DNN_MISMATCH = 33,
  /// oneDNN refused; its own status is added to this.
  TARN_DNN_REFUSED = 40,
};

/// 1 if oneDNN can be used. The first call opens it.
int tarn_dnn_works(void);
/// What was found, in words: its version, or why it cannot be used and what to do.
const char *tarn_dnn_state(void);
/// "2.6.3", or "" if there is none.
const char *tarn_dnn_version(void);
/// A status of this header or of tarn_kernels.h in words.
const char *tarn_dnn_status_text(int status);

// MARK: Operations

typedef struct tarn_dnn_op tarn_dnn_op;

/// oneDNN's name of the implementation, such as "jit_wino_4x3:avx512_core".
const char *tarn_dnn_name(const tarn_dnn_op *op);
/// Pieces that threads can share.
int64_t tarn_dnn_pieces(const tarn_dnn_op *op);
/// Floats of the packed weights; 0 if there are none.
int64_t tarn_dnn_packed_count(const tarn_dnn_op *op);
int tarn_dnn_pack(const tarn_dnn_op *op, const float *w, float *packed);
/// Every operation that was found has to be released once. Null is fine.
void tarn_dnn_release(const tarn_dnn_op *op);
/// Operations kept for the next that asks for the same geometry, and the most that are.
int tarn_dnn_cached(void);
enum { TARN_DNN_MOST_CACHED = 1024 };

// MARK: Convolution; the transposed one is the input gradient

enum tarn_dnn_algorithm { TARN_DNN_DIRECT = 0, TARN_DNN_WINOGRAD = 1, TARN_DNN_AUTO = 2 };
enum tarn_dnn_extra { TARN_DNN_SCALE = 1, TARN_DNN_SHIFT = 2, TARN_DNN_RESIDUAL = 4 };

typedef struct {
  int32_t algorithm;
  /// Whether the weights stay the same over many runs: packing may cost more and running less.
  int32_t constant_weights;
  /// What the epilogue of a forward pass has: a sum of `tarn_dnn_extra`, and an activation.
  int32_t extras;
  int32_t activation;
  float low, high;
} tarn_dnn_options;

/// One group, groups of whole blocks, or depthwise (c = o = groups). x and y blocked, but x plain if c ≤ 4 and
/// groups = 1. Sums run over whole blocks, so the forward pass wants c, and the input gradient o, a multiple of 16.
const tarn_dnn_op *tarn_dnn_convolution(const tarn_conv *conv, int pass, const tarn_dnn_options *options);
/// `epilogue` has just what `options` said.
int tarn_dnn_forward(
  const tarn_dnn_op *op, const float *x, const float *packed, const tarn_epilogue *epilogue, float *y);
int tarn_dnn_input_gradient(const tarn_dnn_op *op, const float *g, const float *packed, float *dx);
/// dw plain.
int tarn_dnn_weight_gradient(const tarn_dnn_op *op, const float *x, const float *g, float *dw);

// MARK: Matrix products: the conventions of `tarn_matmul`, f32

/// C[b] = A[b] B[b]. With `constant_b` (one B for the whole batch) B is packed beforehand: `tarn_dnn_pack(op, b, …)`.
const tarn_dnn_op *tarn_dnn_matmul(
  int transpose_a, int transpose_b, int64_t batch, int64_t m, int64_t n, int64_t k, int64_t stride_a,
  int64_t stride_b, int constant_b);
int tarn_dnn_multiply(const tarn_dnn_op *op, const float *a, const float *b, float *c);
/// An inner product y [n, o] = x [n, c] w' with w [o, c] packed is `tarn_dnn_matmul(0, 1, 1, n, o, c, 0, 0, 1)`.

// MARK: Pooling of blocked images: `planes` is n times the blocks of channels

enum tarn_dnn_pooling {
  TARN_DNN_MAX = 0,
  /// Divides by the size of the window.
  TARN_DNN_AVERAGE = 1,
  /// Divides by what of the window lies inside the image.
  TARN_DNN_AVERAGE_INSIDE = 2,
};
const tarn_dnn_op *tarn_dnn_pool(const tarn_window *window, int kind);
int tarn_dnn_pool_run(const tarn_dnn_op *op, const float *x, float *y);
/// Of the averages only.
const tarn_dnn_op *tarn_dnn_pool_gradient(const tarn_window *window, int kind);
int tarn_dnn_pool_gradient_run(const tarn_dnn_op *op, const float *g, float *dx);

// MARK: Normalisation of blocked images

/// Over n and the pixels, per channel (c a multiple of 16): y = (x - mean) / sqrt(variance + eps) scale + shift, then
/// ReLU if `relu` (not in training). `training`: mean and variance [c] are results, else operands.
const tarn_dnn_op *tarn_dnn_batch_norm(
  int64_t n, int64_t c, int64_t h, int64_t w, float eps, int training, int relu);
int tarn_dnn_batch_norm_run(
  const tarn_dnn_op *op, const float *x, const float *scale, const float *shift, float *mean, float *variance,
  float *y);
/// dx, dscale and dshift of the above in training, without ReLU.
const tarn_dnn_op *tarn_dnn_batch_norm_gradient(int64_t n, int64_t c, int64_t h, int64_t w, float eps);
int tarn_dnn_batch_norm_gradient_run(
  const tarn_dnn_op *op, const float *x, const float *g, const float *scale, const float *mean, const float *variance,
  float *dx, float *dscale, float *dshift);
/// y = x (k + alpha / size sum of x² over `size` neighbouring channels)^-beta (c a multiple of 16).
const tarn_dnn_op *tarn_dnn_lrn(
  int64_t n, int64_t c, int64_t h, int64_t w, int64_t size, float alpha, float beta, float k);
int tarn_dnn_lrn_run(const tarn_dnn_op *op, const float *x, float *y);

// MARK: Recurrent layers: one layer, one direction, x [steps, batch, inputs], h [steps, batch, units]

enum tarn_dnn_cell { TARN_DNN_TANH = 0, TARN_DNN_RELU = 1, TARN_DNN_LSTM = 2, TARN_DNN_GRU = 3 };

/// Gates in PyTorch's order and with its formulae (LSTM: i, f, g, o; GRU: r, z, n, the candidate's recurrent bias
/// inside): w_x [gates units, inputs], w_h [gates units, units], the two biases [gates units] each or both null.
const tarn_dnn_op *tarn_dnn_recurrent(int cell, int64_t steps, int64_t batch, int64_t inputs, int64_t units);
/// Packs both matrices and the biases.
int tarn_dnn_recurrent_pack(
  const tarn_dnn_op *op, const float *w_x, const float *w_h, const float *b_x, const float *b_h, float *packed);
/// h0 and c0 [batch, units] (c of an LSTM only); h_last and c_last receive the last state.
int tarn_dnn_recurrent_run(
  const tarn_dnn_op *op, const float *x, const float *packed, const float *h0, const float *c0, float *h, float *h_last,
  float *c_last);

// MARK: Layout

/// Plain [n, c, pixels] to blocked and back, c a multiple of 16: oneDNN's reorder.
const tarn_dnn_op *tarn_dnn_reorder(int64_t n, int64_t c, int64_t h, int64_t w, int to_plain);
int tarn_dnn_reorder_run(const tarn_dnn_op *op, const float *from, float *to);

#ifdef __cplusplus
}
#endif
#endif
