// Recurrent layers forwards: one layer, one direction.
#include "op.h"

#include <stdlib.h>

#if TARN_DNN_MAJOR

enum { KIND, CELL, STEPS, BATCH, INPUTS, UNITS };
enum { X, W_X, W_H, BIAS, H_FIRST, C_FIRST, H, H_LAST, C_LAST };
/// Where the bias begins among the packed floats.
enum { BIAS_OFFSET };

static int64_t gates_of(const int64_t *key) {
  return key[CELL] == TARN_DNN_LSTM ? 4 : key[CELL] == TARN_DNN_GRU ? 3 : 1;
}

/// A GRU whose candidate has a recurrent bias of its own has four.
static int64_t biases_of(const int64_t *key) { return key[CELL] == TARN_DNN_GRU ? 4 : gates_of(key); }

static dnnl_status_t describe(tarn_dnn_maker *maker, tarn_dnn_layouts *all, const void *argument) {
  const int64_t *key = argument;
  int64_t gates = gates_of(key);
  dnnl_dims_t x_dims = {key[STEPS], key[BATCH], key[INPUTS]}, h_dims = {key[STEPS], key[BATCH], key[UNITS]};
  dnnl_dims_t state_dims = {1, 1, key[BATCH], key[UNITS]}, bias_dims = {1, 1, biases_of(key), key[UNITS]};
  dnnl_dims_t w_x_dims = {1, 1, key[INPUTS], gates, key[UNITS]}, w_h_dims = {1, 1, key[UNITS], gates, key[UNITS]};
  tarn_dnn_layout x = tarn_dnn_tagged(all, 3, x_dims, dnnl_tnc), h = tarn_dnn_tagged(all, 3, h_dims, dnnl_tnc);
  tarn_dnn_layout state = tarn_dnn_tagged(all, 4, state_dims, dnnl_ldnc);
  tarn_dnn_layout w_x = tarn_dnn_tagged(all, 5, w_x_dims, dnnl_format_tag_any);
  tarn_dnn_layout w_h = tarn_dnn_tagged(all, 5, w_h_dims, dnnl_format_tag_any);
  tarn_dnn_layout bias = tarn_dnn_tagged(all, 4, bias_dims, dnnl_ldgo);
  if (all->status != dnnl_success) return all->status;
  const dnnl_prop_kind_t direction = dnnl_forward_inference;
  const dnnl_rnn_direction_t order = dnnl_unidirectional_left2right;
  if (key[CELL] == TARN_DNN_LSTM) {
#if TARN_DNN_MAJOR == 2
    return TARN_DNN_FORWARD(
      maker, dnnl_rnn_desc_t, lstm_forward, , direction, order, x, state, state, w_x, w_h, bias, h, state, state, 0);
#else
    return TARN_DNN_FORWARD(
      maker, , , lstm_forward, direction, order, x, state, state, w_x, w_h, NULL, NULL, bias, h, state, state, 0);
#endif
  }
  if (key[CELL] == TARN_DNN_GRU) {
    return TARN_DNN_FORWARD(
      maker, dnnl_rnn_desc_t, lbr_gru_forward, lbr_gru_forward, direction, order, x, state, w_x, w_h, bias, h, state,
      0);
  }
  dnnl_alg_kind_t activation = key[CELL] == TARN_DNN_RELU ? dnnl_eltwise_relu : dnnl_eltwise_tanh;
  return TARN_DNN_FORWARD(
    maker, dnnl_rnn_desc_t, vanilla_rnn_forward, vanilla_rnn_forward, direction, activation, order, x, state, w_x, w_h,
    bias, h, state, 0, 0, 0);
}

static dnnl_status_t make(tarn_dnn_op *op) {
  const int64_t *key = op->key.words;
  dnnl_status_t status = tarn_dnn_make_part(op, 0, describe, key);
  dnnl_dims_t w_x_dims = {1, 1, key[INPUTS], gates_of(key), key[UNITS]};
  dnnl_dims_t w_h_dims = {1, 1, key[UNITS], gates_of(key), key[UNITS]};
  tarn_dnn_layout w_x = tarn_dnn_tagged(&op->layouts, 5, w_x_dims, dnnl_ldgoi);
  tarn_dnn_layout w_h = tarn_dnn_tagged(&op->layouts, 5, w_h_dims, dnnl_ldgoi);
  if (status == dnnl_success) {
    status = tarn_dnn_add_packing(op, w_x, tarn_dnn_wanted(op, DNNL_ARG_WEIGHTS_LAYER), 1, 0);
  }
  if (status == dnnl_success) {
    status = tarn_dnn_add_packing(op, w_h, tarn_dnn_wanted(op, DNNL_ARG_WEIGHTS_ITER), 1, 0);
  }
  if (status != dnnl_success) return status;
  op->facts[BIAS_OFFSET] = op->packed_bytes;
  op->packed_bytes += biases_of(key) * key[UNITS] * (int64_t)sizeof(float);
  tarn_dnn_add(op, DNNL_ARG_SRC_LAYER, X, 0);
  tarn_dnn_add(op, DNNL_ARG_WEIGHTS_LAYER, W_X, 0);
  tarn_dnn_add(op, DNNL_ARG_WEIGHTS_ITER, W_H, 0);
  tarn_dnn_add(op, DNNL_ARG_BIAS, BIAS, 0);
  tarn_dnn_add(op, DNNL_ARG_SRC_ITER, H_FIRST, 0);
  tarn_dnn_add(op, DNNL_ARG_DST_LAYER, H, 0);
  tarn_dnn_add(op, DNNL_ARG_DST_ITER, H_LAST, 0);
  if (key[CELL] == TARN_DNN_LSTM) {
    tarn_dnn_add(op, DNNL_ARG_SRC_ITER_C, C_FIRST, 0);
    tarn_dnn_add(op, DNNL_ARG_DST_ITER_C, C_LAST, 0);
  }
  return dnnl_success;
}

const tarn_dnn_op *tarn_dnn_recurrent(int cell, int64_t steps, int64_t batch, int64_t inputs, int64_t units) {
  if (cell < TARN_DNN_TANH || cell > TARN_DNN_GRU) return NULL;
  if (steps <= 0 || batch <= 0 || inputs <= 0 || units <= 0) return NULL;
  tarn_dnn_key key = {{TARN_DNN_RECURRENT_KIND, cell, steps, batch, inputs, units}};
  return tarn_dnn_find(&key, make);
}

/// The gates of a GRU as oneDNN has them: z before r.
static int pack_gates(const tarn_dnn_op *op, int number, const float *w, int64_t width, float *packed) {
  const int64_t *key = op->key.words, gate = key[UNITS] * width;
  if (key[CELL] != TARN_DNN_GRU) return tarn_dnn_pack_one(op, number, w, packed);
  float *turned = malloc((size_t)(3 * gate) * sizeof(float));
  if (!turned) return TARN_NO_MEMORY;
  memcpy(turned, w + gate, (size_t)gate * sizeof(float));
  memcpy(turned + gate, w, (size_t)gate * sizeof(float));
  memcpy(turned + 2 * gate, w + 2 * gate, (size_t)gate * sizeof(float));
  int status = tarn_dnn_pack_one(op, number, turned, packed);
  free(turned);
  return status;
}

static void pack_biases(const int64_t *key, const float *b_x, const float *b_h, float *bias) {
  int64_t units = key[UNITS], gates = gates_of(key);
  int is_gru = key[CELL] == TARN_DNN_GRU;
  for (int64_t gate = 0; gate < gates; gate++) {
    const float *of_x = b_x ? b_x + gate * units : NULL, *of_h = b_h ? b_h + gate * units : NULL;
    float *to = bias + (is_gru && gate < 2 ? 1 - gate : gate) * units;
    int is_candidate = is_gru && gate == 2;
    for (int64_t i = 0; i < units; i++) {
      to[i] = (of_x ? of_x[i] : 0) + (of_h && !is_candidate ? of_h[i] : 0);
      if (is_candidate) to[units + i] = of_h ? of_h[i] : 0;
    }
  }
}

int tarn_dnn_recurrent_pack(
  const tarn_dnn_op *op, const float *w_x, const float *w_h, const float *b_x, const float *b_h, float *packed)
{
  const int64_t *key = op->key.words;
  if (key[KIND] != TARN_DNN_RECURRENT_KIND) return TARN_DNN_MISMATCH;
  int status = pack_gates(op, 0, w_x, key[INPUTS], packed);
  if (status == TARN_OK) status = pack_gates(op, 1, w_h, key[UNITS], packed);
  pack_biases(key, b_x, b_h, packed + op->facts[BIAS_OFFSET] / (int64_t)sizeof(float));
  return status;
}

int tarn_dnn_recurrent_run(
  const tarn_dnn_op *op, const float *x, const float *packed, const float *h0, const float *c0, float *h, float *h_last,
  float *c_last)
{
  if (op->key.words[KIND] != TARN_DNN_RECURRENT_KIND) return TARN_DNN_MISMATCH;
  char *memory = (char *)packed;
  void *operands[] = {(void *)x, memory + op->packings[0].offset, memory + op->packings[1].offset,
                      memory + op->facts[BIAS_OFFSET], (void *)h0, (void *)c0, h, h_last, c_last};
  return tarn_dnn_run(op, operands);
}

#endif
