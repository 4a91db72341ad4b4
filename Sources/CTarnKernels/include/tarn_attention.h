// Scaled dot-product attention of several heads over sequences (Vaswani et al., 2017), in tiles: the weights never lie in
// memory as a whole (Milakov and Gimelshein, 2018; Dao et al., 2022).
#ifndef TARN_ATTENTION_H
#define TARN_ATTENTION_H

#include <stdint.h>

enum { TARN_MASK_NONE, TARN_MASK_TRUTH, TARN_MASK_ADDED };

/// Distances in elements of a tensor [batch, heads, places, …], whose last axis lies together.
typedef struct {
  int64_t batch, head, place;
} tarn_heads;

typedef struct {
  /// A query sees no key after its own place; the last query stands at the last key, and there are as many keys at least.
  int causal;
  int mask_kind;
  float scale;
  /// `width` is that of queries and keys, `depth` that of values.
  int64_t batch, heads, queries, keys, width, depth;
  tarn_heads q, k, v;
  /// Of the result and its gradient, [batch, heads, queries, depth].
  tarn_heads y, g;
  /// Of the mask [batch, heads, queries, keys]: bytes, not 0 where a query may look, or floats that are added.
  tarn_heads mask;
  int64_t mask_key;
} tarn_attention;

/// y = softmax(q kᵀ scale + mask) v, and the logarithm of the sum of each row's exponentials, [batch, heads, queries].
/// A query that may look at no key of a truth mask gets zeros, and an infinite logarithm.
int tarn_attention_forward(
  const tarn_attention *shape, const float *q, const float *k, const float *v, const void *mask, float *y,
  float *logarithms);

/// Gradients of q, k and v from that of the result, as far apart as `d` says of each.
int tarn_attention_backward(
  const tarn_attention *shape, const float *q, const float *k, const float *v, const void *mask, const float *y,
  const float *logarithms, const float *g, const tarn_heads d[3], float *dq, float *dk, float *dv);

#endif
