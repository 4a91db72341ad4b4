// An operation: primitives for its pieces, and what of the caller's memory each piece has.
#ifndef TARN_DNN_OP_H
#define TARN_DNN_OP_H

#include <pthread.h>
#include <string.h>

#include "library.h"

#if TARN_DNN_MAJOR

enum { TARN_DNN_KEY_WORDS = 32, TARN_DNN_MOST_ARGUMENTS = 12, TARN_DNN_MOST_PACKED = 4 };

enum tarn_dnn_kind {
  TARN_DNN_CONVOLUTION_KIND,
  TARN_DNN_MATMUL_KIND,
  TARN_DNN_POOL_KIND,
  TARN_DNN_POOL_GRADIENT_KIND,
  TARN_DNN_NORM_KIND,
  TARN_DNN_NORM_GRADIENT_KIND,
  TARN_DNN_LRN_KIND,
  TARN_DNN_RECURRENT_KIND,
  TARN_DNN_REORDER_KIND,
};

/// Kind and geometry.
typedef struct {
  int64_t words[TARN_DNN_KEY_WORDS];
} tarn_dnn_key;

/// One argument of a primitive: from the caller's pointer number `operand`, `step` bytes further with each piece.
typedef struct {
  int argument, operand;
  int64_t step;
} tarn_dnn_argument;

/// A primitive for pieces of one size.
typedef struct {
  dnnl_primitive_desc_t description;
  dnnl_primitive_t primitive;
  tarn_dnn_layout layouts[TARN_DNN_MOST_ARGUMENTS];
  size_t scratch_bytes;
} tarn_dnn_part;

/// One operand that is packed beforehand: a reorder for each of `pieces`.
typedef struct {
  dnnl_primitive_desc_t description;
  dnnl_primitive_t primitive;
  tarn_dnn_layout from, to;
  int64_t pieces, from_step, to_bytes;
  /// Where it begins among the packed floats, in bytes.
  int64_t offset;
} tarn_dnn_packing;

struct tarn_dnn_op {
  tarn_dnn_key key;
  /// Guarded by the cache's lock.
  int references;
  uint64_t used;
  const tarn_dnn_library *dnn;
  const char *name;
  /// parts[0] serves all pieces but the last, parts[1] the last if it is smaller (else it has no primitive).
  tarn_dnn_part parts[2];
  int64_t pieces;
  int argument_count, packing_count;
  tarn_dnn_argument arguments[TARN_DNN_MOST_ARGUMENTS];
  tarn_dnn_packing packings[TARN_DNN_MOST_PACKED];
  int64_t packed_bytes;
  /// Layouts that descriptors refer to, or that arguments have.
  tarn_dnn_layouts layouts;
  /// What the kind needs besides (see its file).
  int64_t facts[12];
};

/// Fills in an operation from its key. A fault leaves it without a name.
typedef dnnl_status_t (*tarn_dnn_make)(tarn_dnn_op *op);

/// The operation with this key, made if there is none; null if oneDNN has no implementation but its reference.
const tarn_dnn_op *tarn_dnn_find(const tarn_dnn_key *key, tarn_dnn_make make);
void tarn_dnn_free_op(tarn_dnn_op *op);

/// Makes part `part` with the descriptor that `describe` makes, the scratchpad in the caller's hands. Reference
/// implementations are refused.
typedef dnnl_status_t (*tarn_dnn_describe)(tarn_dnn_maker *maker, tarn_dnn_layouts *all, const void *piece);
dnnl_status_t tarn_dnn_make_part(tarn_dnn_op *op, int part, tarn_dnn_describe describe, const void *piece);
/// Adds an argument (once part 0 is there; before part 1).
void tarn_dnn_add(tarn_dnn_op *op, int argument, int operand, int64_t step);
/// The layout that part 0 wants for an argument.
tarn_dnn_layout tarn_dnn_wanted(const tarn_dnn_op *op, int argument);
/// Adds a packed operand: `pieces` reorders of `from`, `from_step` bytes apart, to `to`.
dnnl_status_t tarn_dnn_add_packing(
  tarn_dnn_op *op, tarn_dnn_layout from, tarn_dnn_layout to, int64_t pieces, int64_t from_step);
/// Packs operand number `packing`.
int tarn_dnn_pack_one(const tarn_dnn_op *op, int packing, const void *from, void *packed);
/// Packs the weights of a convolution.
int tarn_dnn_pack_convolution(const tarn_dnn_op *op, const float *w, float *packed);

/// Runs all pieces. `operands` are numbered as the arguments say.
int tarn_dnn_run(const tarn_dnn_op *op, void *const *operands);
/// Runs piece number `piece` in the caller.
dnnl_status_t tarn_dnn_run_piece(const tarn_dnn_op *op, int64_t piece, void *const *operands);
/// One reorder in the caller.
dnnl_status_t tarn_dnn_reorder_once(
  const tarn_dnn_op *op, dnnl_primitive_t primitive, tarn_dnn_layout from, const void *source, tarn_dnn_layout to,
  void *target);

static inline int tarn_dnn_status_of(dnnl_status_t status) {
  return status == dnnl_success ? TARN_OK : TARN_DNN_REFUSED + (int)status;
}

static inline int64_t tarn_dnn_whole_blocks(int64_t c) { return (c + TARN_LANES - 1) / TARN_LANES * TARN_LANES; }

/// The largest number up to `most` that divides `count` into shares of at least `least`.
static inline int64_t tarn_dnn_shares(int64_t count, int64_t most, int64_t least) {
  int64_t shares = most;
  while (shares > 1 && (count % shares != 0 || count / shares < least)) shares--;
  return shares;
}

/// Cuts `n` images into at most `most` pieces of `*first`, the last of `*last`.
static inline int64_t tarn_dnn_cut_images(int64_t n, int64_t most, int64_t *first, int64_t *last) {
  *first = (n + most - 1) / most;
  int64_t pieces = (n + *first - 1) / *first;
  *last = n - (pieces - 1) * *first;
  return pieces;
}

/// The window of one axis: 0-based dilation and the padding past the end; false if no padding gives `count`.
static inline int tarn_dnn_window_fits(
  int64_t length, int64_t size, int64_t stride, int64_t low, int64_t dilation, int64_t count, int64_t *high)
{
  int64_t reach = (size - 1) * dilation + 1;
  *high = (count - 1) * stride + reach - length - low;
  if (*high < 0) *high = 0;
  return low >= 0 && low < reach && *high < reach && (length + low + *high - reach) / stride + 1 == count;
}

#endif
#endif
