// Where the headers of oneDNN were missing when this was built: no operation is found, and none can be run.
#include "library.h"

#if !TARN_DNN_MAJOR

#pragma clang diagnostic ignored "-Wunused-parameter"

struct tarn_dnn_op {
  const char *name;
};

const char *tarn_dnn_name(const tarn_dnn_op *op) { return op->name; }
int64_t tarn_dnn_pieces(const tarn_dnn_op *op) { return 0; }
int64_t tarn_dnn_packed_count(const tarn_dnn_op *op) { return 0; }
void tarn_dnn_release(const tarn_dnn_op *op) {}
int tarn_dnn_cached(void) { return 0; }

const tarn_dnn_op *tarn_dnn_convolution(const tarn_conv *conv, int pass, const tarn_dnn_options *options) {
  return NULL;
}
const tarn_dnn_op *tarn_dnn_matmul(
  int transpose_a, int transpose_b, int64_t batch, int64_t m, int64_t n, int64_t k, int64_t stride_a,
  int64_t stride_b, int constant_b)
{
  return NULL;
}
const tarn_dnn_op *tarn_dnn_pool(const tarn_window *window, int kind) { return NULL; }
const tarn_dnn_op *tarn_dnn_pool_gradient(const tarn_window *window, int kind) { return NULL; }
const tarn_dnn_op *tarn_dnn_batch_norm(
  int64_t n, int64_t c, int64_t h, int64_t w, float eps, int training, int relu)
{
  return NULL;
}
const tarn_dnn_op *tarn_dnn_batch_norm_gradient(int64_t n, int64_t c, int64_t h, int64_t w, float eps) { return NULL; }
const tarn_dnn_op *tarn_dnn_lrn(
  int64_t n, int64_t c, int64_t h, int64_t w, int64_t size, float alpha, float beta, float k)
{
  return NULL;
}
const tarn_dnn_op *tarn_dnn_recurrent(int cell, int64_t steps, int64_t batch, int64_t inputs, int64_t units) {
  return NULL;
}
const tarn_dnn_op *tarn_dnn_reorder(int64_t n, int64_t c, int64_t h, int64_t w, int to_plain) { return NULL; }

int tarn_dnn_pack(const tarn_dnn_op *op, const float *w, float *packed) { return TARN_DNN_ABSENT; }
int tarn_dnn_forward(
  const tarn_dnn_op *op, const float *x, const float *packed, const tarn_epilogue *epilogue, float *y)
{
  return TARN_DNN_ABSENT;
}
int tarn_dnn_input_gradient(const tarn_dnn_op *op, const float *g, const float *packed, float *dx) {
  return TARN_DNN_ABSENT;
}
int tarn_dnn_weight_gradient(const tarn_dnn_op *op, const float *x, const float *g, float *dw) {
  return TARN_DNN_ABSENT;
}
int tarn_dnn_multiply(const tarn_dnn_op *op, const float *a, const float *b, float *c) { return TARN_DNN_ABSENT; }
int tarn_dnn_pool_run(const tarn_dnn_op *op, const float *x, float *y) { return TARN_DNN_ABSENT; }
int tarn_dnn_pool_gradient_run(const tarn_dnn_op *op, const float *g, float *dx) { return TARN_DNN_ABSENT; }
int tarn_dnn_batch_norm_run(
  const tarn_dnn_op *op, const float *x, const float *scale, const float *shift, float *mean, float *variance,
  float *y)
{
  return TARN_DNN_ABSENT;
}
int tarn_dnn_batch_norm_gradient_run(
  const tarn_dnn_op *op, const float *x, const float *g, const float *scale, const float *mean, const float *variance,
  float *dx, float *dscale, float *dshift)
{
  return TARN_DNN_ABSENT;
}
int tarn_dnn_lrn_run(const tarn_dnn_op *op, const float *x, float *y) { return TARN_DNN_ABSENT; }
int tarn_dnn_recurrent_pack(
  const tarn_dnn_op *op, const float *w_x, const float *w_h, const float *b_x, const float *b_h, float *packed)
{
  return TARN_DNN_ABSENT;
}
int tarn_dnn_recurrent_run(
  const tarn_dnn_op *op, const float *x, const float *packed, const float *h0, const float *c0, float *h, float *h_last,
  float *c_last)
{
  return TARN_DNN_ABSENT;
}
int tarn_dnn_reorder_run(const tarn_dnn_op *op, const float *from, float *to) { return TARN_DNN_ABSENT; }

#endif
