// Recurrent layers over whole sequences: LSTM, GRU and plain networks, forward and backward through time.
#ifndef TARN_RECURRENT_H
#define TARN_RECURRENT_H

#include <stdint.h>

enum {
  /// i, f, g, o: c' = f c + i g, h' = o tanh c' (Hochreiter and Schmidhuber, 1997).
  TARN_LSTM,
  /// r, z, n = tanh(x + r (U h + b)): h' = (1 - z) n + z h (Cho et al., 2014, as in cuDNN).
  TARN_GRU,
  /// The same with n = tanh(x + U (r h)).
  TARN_GRU_RESET_BEFORE,
  /// h' = tanh(x + U h), or relu.
  TARN_RNN_TANH,
  TARN_RNN_RELU,
  TARN_CELL_KINDS,
};

/// One direction of one layer over sequences.
typedef struct {
  int kind;
  /// Steps are taken from the last to the first.
  int reverse;
  int64_t steps, batch, hidden;
} tarn_recurrence;

/// Floats of what `tarn_recurrent_forward` writes. All of it is planes [batch, hidden], G the number of gates:
///   steps + 1   h: before the first step and after each, in the order of time (the start comes last if reversed)
///   LSTM only:
///   1           c after all steps
///   steps       c before the step at each time
///   G steps     LSTM: the gates at each time, [batch, G, hidden]
///   4 steps     GRU: r, z, n and what r met: U h + b, or r h
int64_t tarn_recurrent_states(const tarn_recurrence *recurrence);
/// Floats of what `tarn_recurrent_backward` writes:
///   G steps     the gradient of the inputs, [steps, batch, G, hidden]
///   steps       GRU only: that of U h + b in n, [steps, batch, hidden]
///   1           that of h before the first step
///   1           LSTM only: that of c before it
int64_t tarn_recurrent_gradients(const tarn_recurrence *recurrence);

/// `inputs` [steps, batch, G hidden] are the products with the input weights; `bias` [G hidden] is added to them.
/// `weights` [G hidden, hidden] multiply h, and `bias_n` [hidden] of a GRU is added to that in n. `c` is an LSTM's.
/// Rows with `lengths` stand still at times from their length on; it may be null.
int tarn_recurrent_forward(
  const tarn_recurrence *recurrence, const float *inputs, const float *weights, const float *bias,
  const float *bias_n, const float *h, const float *c, const int64_t *lengths, float *states);

/// `g` is the gradient of the planes of h, and for an LSTM of the one after them, c's last.
int tarn_recurrent_backward(
  const tarn_recurrence *recurrence, const float *g, const float *states, const float *weights,
  const int64_t *lengths, float *gradients);

#endif
