// Matrix products, in pieces of the batch, of rows, or of columns where rows are few.
#include "op.h"

#if TARN_DNN_MAJOR

enum { KIND, TRANSPOSE_A, TRANSPOSE_B, BATCH, M, N, K, STRIDE_A, STRIDE_B, CONSTANT_B };
enum { FIRST, SECOND, PRODUCT };

typedef struct {
  const int64_t *key;
  int64_t batch, m, n;
} product;

/// A matrix [rows, columns] for each of the batch, or one for all; its rows or columns are `ld` apart.
static tarn_dnn_layout matrix(
  tarn_dnn_layouts *all, int64_t batch, int64_t stride, int64_t rows, int64_t columns, int64_t ld, int transposed)
{
  dnnl_dims_t dims = {stride == 0 ? 1 : batch, rows, columns};
  dnnl_dims_t strides = {stride == 0 ? rows * columns : stride, transposed ? 1 : ld, transposed ? ld : 1};
  if (batch == 1) return tarn_dnn_strided(all, 2, dims + 1, strides + 1);
  return tarn_dnn_strided(all, 3, dims, strides);
}

static tarn_dnn_layout plain_b(tarn_dnn_layouts *all, const product *p) {
  const int64_t *key = p->key;
  return matrix(all, p->batch, key[STRIDE_B], key[K], p->n, key[TRANSPOSE_B] ? key[K] : key[N], (int)key[TRANSPOSE_B]);
}

static dnnl_status_t describe(tarn_dnn_maker *maker, tarn_dnn_layouts *all, const void *argument) {
  const product *p = argument;
  const int64_t *key = p->key;
  dnnl_dims_t packed = {1, key[K], p->n};
  int skip = p->batch == 1;
  tarn_dnn_layout a =
    matrix(all, p->batch, key[STRIDE_A], p->m, key[K], key[TRANSPOSE_A] ? key[M] : key[K], (int)key[TRANSPOSE_A]);
  tarn_dnn_layout b =
    key[CONSTANT_B] ? tarn_dnn_tagged(all, 3 - skip, packed + skip, dnnl_format_tag_any) : plain_b(all, p);
  tarn_dnn_layout c = matrix(all, p->batch, key[M] * key[N], p->m, p->n, key[N], 0);
  if (!a || !b || !c) return all->status;
  return TARN_DNN_FORWARD(maker, dnnl_matmul_desc_t, matmul, matmul, a, b, NULL, c);
}

static dnnl_status_t make(tarn_dnn_op *op) {
  enum { MOST = 4 };
  const int64_t *key = op->key.words, size = sizeof(float);
  product p = {key, key[BATCH], key[M], key[N]};
  int64_t step_a = 0, step_b = 0, step_c, step_packed = 0;
  if (key[BATCH] > 1) {
    op->pieces = tarn_dnn_shares(key[BATCH], MOST, 1);
    p.batch /= op->pieces;
    step_a = p.batch * key[STRIDE_A], step_b = p.batch * key[STRIDE_B], step_c = p.batch * key[M] * key[N];
  } else if (key[M] >= 64) {
    op->pieces = tarn_dnn_shares(key[M], MOST, 16);
    p.m /= op->pieces;
    step_a = p.m * (key[TRANSPOSE_A] ? 1 : key[K]), step_c = p.m * key[N];
  } else {
    op->pieces = tarn_dnn_shares(key[N], MOST, 64);
    p.n /= op->pieces;
    step_b = p.n * (key[TRANSPOSE_B] ? key[K] : 1), step_c = p.n;
  }
  dnnl_status_t status = tarn_dnn_make_part(op, 0, describe, &p);
  if (status == dnnl_success && key[CONSTANT_B]) {
    int64_t packs = step_b > 0 ? op->pieces : 1;
    tarn_dnn_layout b = plain_b(&op->layouts, &p);
    status = tarn_dnn_add_packing(op, b, tarn_dnn_wanted(op, DNNL_ARG_WEIGHTS), packs, step_b * size);
    if (status == dnnl_success && step_b > 0) step_packed = op->packings[0].to_bytes;
  }
  if (status != dnnl_success) return status;
  tarn_dnn_add(op, DNNL_ARG_SRC, FIRST, step_a * size);
  tarn_dnn_add(op, DNNL_ARG_WEIGHTS, SECOND, key[CONSTANT_B] ? step_packed : step_b * size);
  tarn_dnn_add(op, DNNL_ARG_DST, PRODUCT, step_c * size);
  return dnnl_success;
}

const tarn_dnn_op *tarn_dnn_matmul(
  int transpose_a, int transpose_b, int64_t batch, int64_t m, int64_t n, int64_t k, int64_t stride_a,
  int64_t stride_b, int constant_b)
{
  if (batch <= 0 || m <= 0 || n <= 0 || k <= 0 || (constant_b && batch > 1 && stride_b != 0)) return NULL;
  tarn_dnn_key key = {{TARN_DNN_MATMUL_KIND, transpose_a != 0, transpose_b != 0, batch, m, n, k,
                       batch > 1 ? stride_a : 0, batch > 1 ? stride_b : 0, constant_b != 0}};
  return tarn_dnn_find(&key, make);
}

int tarn_dnn_multiply(const tarn_dnn_op *op, const float *a, const float *b, float *c) {
  if (op->key.words[KIND] != TARN_DNN_MATMUL_KIND) return TARN_DNN_MISMATCH;
  void *operands[] = {(void *)a, (void *)b, c};
  return tarn_dnn_run(op, operands);
}

#endif
