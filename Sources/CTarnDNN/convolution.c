// Convolution: pieces of images, or of channels where there is one image.
#include "op.h"

#include <stdlib.h>

#if TARN_DNN_MAJOR

// What the key holds, and what `facts` does.
enum { KIND, N, C, H, W, O, KH, KW, OH, OW, STRIDE, LOW = STRIDE + 2, DILATION = LOW + 2, GROUPS = DILATION + 2, PASS,
       ALGORITHM, CONSTANT, EXTRAS, ACTIVATION, BOUNDS };
enum { BY_CHANNELS, CHANNELS_IN, CHANNELS_OUT, GRADIENT_BYTES };
// The caller's pointers.
enum { SOURCE, WEIGHTS, TARGET, SCALE, SHIFT };

/// One piece's geometry, in whole blocks.
typedef struct {
  int64_t n, groups, c, o;
  /// Channels of a row of the weights that the caller has.
  int64_t all_c;
  dnnl_dims_t strides, dilations, low, high;
  /// Fixed, or null for what oneDNN likes best.
  tarn_dnn_layout weights;
  const int64_t *key;
} piece_geometry;

static int is_depthwise(const int64_t *key) { return key[C] == key[GROUPS] && key[O] == key[GROUPS] && key[C] > 1; }
static int is_stem(const int64_t *key) { return key[C] <= 4 && key[GROUPS] == 1; }

/// oneDNN wants the padding at both ends; false if there is none that gives this size.
static int set_window(piece_geometry *piece, const int64_t *key) {
  for (int axis = 0; axis < 2; axis++) {
    piece->strides[axis] = key[STRIDE + axis];
    piece->dilations[axis] = key[DILATION + axis] - 1;
    piece->low[axis] = key[LOW + axis];
    if (!tarn_dnn_window_fits(
          key[H + axis], key[KH + axis], key[STRIDE + axis], key[LOW + axis], key[DILATION + axis], key[OH + axis],
          &piece->high[axis])) {
      return 0;
    }
  }
  return 1;
}

/// Whether the conventions of the interface allow it.
static int is_taken(const int64_t *key) {
  for (int i = N; i <= OW; i++) {
    if (key[i] <= 0) return 0;
  }
  if (is_depthwise(key)) return 1;
  int64_t groups = key[GROUPS];
  if (groups > 1) return key[C] % (groups * TARN_LANES) == 0 && key[O] % (groups * TARN_LANES) == 0;
  if (key[PASS] == TARN_PASS_FORWARD) return is_stem(key) || key[C] % TARN_LANES == 0;
  if (key[PASS] == TARN_PASS_INPUT_GRADIENT) return !is_stem(key) && key[O] % TARN_LANES == 0;
  return 1;
}

/// The whole operation as one piece.
static piece_geometry whole(const int64_t *key) {
  piece_geometry piece = {.n = key[N], .groups = key[GROUPS], .c = key[C], .o = key[O], .key = key};
  if (is_depthwise(key)) {
    piece.groups = piece.c = piece.o = tarn_dnn_whole_blocks(key[C]);
  } else {
    if (!is_stem(key)) piece.c = tarn_dnn_whole_blocks(key[C]);
    piece.o = tarn_dnn_whole_blocks(key[O]);
  }
  piece.all_c = piece.c / piece.groups;
  return piece;
}

/// The most pieces. Winograd reads all its weights, nine to one, in each: where they are large, fewer.
static int64_t most_pieces(const int64_t *key) {
  return key[ALGORITHM] != TARN_DNN_DIRECT && key[C] * key[O] > 64 * 64 && key[GROUPS] == 1 ? 2 : 4;
}

/// Cuts the operation: `*first` for all pieces but the last, `*last`; the number of pieces depends on the shape alone.
static int64_t cut(const int64_t *key, piece_geometry *first, piece_geometry *last) {
  int64_t most = most_pieces(key), pieces;
  *first = *last = whole(key);
  if (key[N] > 1) return tarn_dnn_cut_images(key[N], most, &first->n, &last->n);
  if (is_depthwise(key)) {
    pieces = tarn_dnn_shares(first->groups / TARN_LANES, most, 1);
    first->groups = first->c = first->o = first->groups / pieces;
  } else if (key[GROUPS] > 1) {
    pieces = tarn_dnn_shares(first->groups, most, 1);
    first->groups /= pieces, first->c /= pieces, first->o /= pieces;
  } else {
    int64_t *channels = key[PASS] == TARN_PASS_INPUT_GRADIENT ? &first->c : &first->o;
    pieces = tarn_dnn_shares(*channels / TARN_LANES, most, 4);
    *channels /= pieces;
  }
  *last = *first;
  return pieces;
}

// MARK: Layouts

static tarn_dnn_layout image_layout(tarn_dnn_layouts *all, int64_t n, int64_t c, int64_t h, int64_t w) {
  dnnl_dims_t dims = {n, c, h, w};
  return tarn_dnn_tagged(all, 4, dims, c < TARN_LANES ? dnnl_nchw : dnnl_nChw16c);
}

static tarn_dnn_layout weight_layout(tarn_dnn_layouts *all, const piece_geometry *piece) {
  int64_t g = piece->groups, kh = piece->key[KH], kw = piece->key[KW];
  if (g > 1) {
    dnnl_dims_t dims = {g, piece->o / g, piece->c / g, kh, kw};
    return tarn_dnn_tagged(all, 5, dims, dnnl_format_tag_any);
  }
  dnnl_dims_t dims = {piece->o, piece->c, kh, kw};
  return tarn_dnn_tagged(all, 4, dims, dnnl_format_tag_any);
}

/// Weights as the caller has them, of one piece.
static tarn_dnn_layout plain_weights(tarn_dnn_layouts *all, const piece_geometry *piece) {
  int64_t g = piece->groups, kh = piece->key[KH], kw = piece->key[KW];
  if (g > 1) {
    dnnl_dims_t dims = {g, piece->o / g, piece->c / g, kh, kw};
    return tarn_dnn_tagged(all, 5, dims, dnnl_goihw);
  }
  dnnl_dims_t dims = {piece->o, piece->c, kh, kw}, strides = {piece->all_c * kh * kw, kh * kw, kw, 1};
  return tarn_dnn_strided(all, 4, dims, strides);
}

// MARK: Epilogue

static dnnl_status_t append_activation(dnnl_post_ops_t chain, const tarn_dnn_library *dnn, const int64_t *key) {
  float bounds[2];
  memcpy(bounds, &key[BOUNDS], sizeof bounds);
  dnnl_alg_kind_t kind = dnnl_eltwise_relu;
  float alpha = 0, beta = 0;
  switch (key[ACTIVATION]) {
    case TARN_ACTIVATION_NONE: return dnnl_success;
    case TARN_ACTIVATION_CLIP: kind = dnnl_eltwise_clip, alpha = bounds[0], beta = bounds[1]; break;
    case TARN_ACTIVATION_SILU: kind = dnnl_eltwise_swish, alpha = 1; break;
    default: break;
  }
#if TARN_DNN_MAJOR == 2
  return dnn->dnnl_post_ops_append_eltwise(chain, 1, kind, alpha, beta);
#else
  return dnn->dnnl_post_ops_append_eltwise(chain, kind, alpha, beta);
#endif
}

static dnnl_status_t append_sum(dnnl_post_ops_t chain, const tarn_dnn_library *dnn) {
#if TARN_DNN_MAJOR == 2
  return dnn->dnnl_post_ops_append_sum(chain, 1);
#else
  return dnn->dnnl_post_ops_append_sum(chain, 1, 0, dnnl_f32);
#endif
}

/// scale and shift (without a scale the shift is the bias), sum, activation.
static dnnl_status_t set_epilogue(tarn_dnn_maker *maker, const int64_t *key, tarn_dnn_layout per_channel) {
  const tarn_dnn_library *dnn = maker->dnn;
  dnnl_post_ops_t chain = NULL;
  dnnl_status_t status = dnn->dnnl_post_ops_create(&chain);
  if (status != dnnl_success) return status;
  if (key[EXTRAS] & TARN_DNN_SCALE) {
    status = dnn->dnnl_post_ops_append_binary(chain, dnnl_binary_mul, per_channel);
    if (status == dnnl_success && key[EXTRAS] & TARN_DNN_SHIFT) {
      status = dnn->dnnl_post_ops_append_binary(chain, dnnl_binary_add, per_channel);
    }
  }
  if (status == dnnl_success && key[EXTRAS] & TARN_DNN_RESIDUAL) status = append_sum(chain, dnn);
  if (status == dnnl_success) status = append_activation(chain, dnn, key);
  if (status == dnnl_success) status = dnn->dnnl_primitive_attr_set_post_ops(maker->attributes, chain);
  dnn->dnnl_post_ops_destroy(chain);
  return status;
}

// MARK: Making

static dnnl_status_t describe(tarn_dnn_maker *maker, tarn_dnn_layouts *all, const void *argument) {
  const piece_geometry *piece = argument;
  const int64_t *key = piece->key;
  tarn_dnn_layout weights = piece->weights ? piece->weights : weight_layout(all, piece);
  static const dnnl_alg_kind_t algorithms[] = {
    dnnl_convolution_direct, dnnl_convolution_winograd, dnnl_convolution_auto};
  dnnl_alg_kind_t algorithm = algorithms[key[ALGORITHM]];
  // Its Winograd gives wrong input gradients where the two ends of an axis are padded differently.
  if (piece->low[0] != piece->high[0] || piece->low[1] != piece->high[1]) {
    if (algorithm == dnnl_convolution_winograd) return dnnl_unimplemented;
    algorithm = dnnl_convolution_direct;
  }
  tarn_dnn_layout x = image_layout(all, piece->n, piece->c, key[H], key[W]);
  tarn_dnn_layout y = image_layout(all, piece->n, piece->o, key[OH], key[OW]);
  if (!x || !y || !weights) return all->status;
  if (key[PASS] == TARN_PASS_INPUT_GRADIENT) {
    return TARN_DNN_BACKWARD(
      maker, dnnl_convolution_desc_t, dilated_convolution_backward_data, convolution_backward_data, NULL, algorithm, x,
      weights, y, piece->strides, piece->dilations, piece->low, piece->high);
  }
  if (key[PASS] == TARN_PASS_WEIGHT_GRADIENT) {
    return TARN_DNN_BACKWARD(
      maker, dnnl_convolution_desc_t, dilated_convolution_backward_weights, convolution_backward_weights, NULL,
      algorithm, x, weights, NULL, y, piece->strides, piece->dilations, piece->low, piece->high);
  }
  dnnl_dims_t channels = {piece->o}, broadcast = {1, piece->o, 1, 1};
  int has_bias = (key[EXTRAS] & (TARN_DNN_SCALE | TARN_DNN_SHIFT)) == TARN_DNN_SHIFT;
  tarn_dnn_layout bias = has_bias ? tarn_dnn_tagged(all, 1, channels, dnnl_a) : NULL;
  dnnl_status_t status = set_epilogue(maker, key, tarn_dnn_tagged(all, 4, broadcast, dnnl_nchw));
  if (status != dnnl_success) return status;
  return TARN_DNN_FORWARD(
    maker, dnnl_convolution_desc_t, dilated_convolution_forward, convolution_forward,
    key[CONSTANT] ? dnnl_forward_inference : dnnl_forward_training, algorithm, x, weights, bias, y, piece->strides,
    piece->dilations, piece->low, piece->high);
}

/// An argument that holds something for each channel of the result, in post-op number `post_op`.
static void add_per_channel(tarn_dnn_op *op, const piece_geometry *piece, int post_op, int operand) {
  int at = op->argument_count;
  dnnl_dims_t broadcast = {1, piece->o, 1, 1};
  tarn_dnn_add(
    op, DNNL_ARG_ATTR_MULTIPLE_POST_OP(post_op) | DNNL_ARG_SRC_1, operand,
    op->facts[BY_CHANNELS] ? piece->o * (int64_t)sizeof(float) : 0);
  op->parts[0].layouts[at] = tarn_dnn_tagged(&op->layouts, 4, broadcast, dnnl_nchw);
}

static void add_arguments(tarn_dnn_op *op, const piece_geometry *piece) {
  const int64_t *key = op->key.words;
  const int pass = (int)key[PASS], by_channels = (int)op->facts[BY_CHANNELS];
  const int64_t size = sizeof(float);
  int one_group = key[GROUPS] == 1;
  int64_t x_step = piece->n * piece->c * key[H] * key[W] * size;
  int64_t y_step = piece->n * piece->o * key[OH] * key[OW] * size;
  // Pieces of channels of one group share the other side.
  if (by_channels && one_group && pass == TARN_PASS_INPUT_GRADIENT) y_step = 0;
  if (by_channels && one_group && pass != TARN_PASS_INPUT_GRADIENT) x_step = 0;
  int64_t w_step = by_channels ? op->packings[0].to_bytes : 0;
  if (pass == TARN_PASS_FORWARD) {
    tarn_dnn_add(op, DNNL_ARG_SRC, SOURCE, x_step);
    tarn_dnn_add(op, DNNL_ARG_WEIGHTS, WEIGHTS, w_step);
    tarn_dnn_add(op, DNNL_ARG_DST, TARGET, y_step);
    if (key[EXTRAS] & TARN_DNN_SCALE) {
      add_per_channel(op, piece, 0, SCALE);
      if (key[EXTRAS] & TARN_DNN_SHIFT) add_per_channel(op, piece, 1, SHIFT);
    } else if (key[EXTRAS] & TARN_DNN_SHIFT) {
      tarn_dnn_add(op, DNNL_ARG_BIAS, SHIFT, by_channels ? piece->o * size : 0);
    }
  } else if (pass == TARN_PASS_INPUT_GRADIENT) {
    tarn_dnn_add(op, DNNL_ARG_DIFF_DST, SOURCE, y_step);
    tarn_dnn_add(op, DNNL_ARG_WEIGHTS, WEIGHTS, w_step);
    tarn_dnn_add(op, DNNL_ARG_DIFF_SRC, TARGET, x_step);
  } else {
    tarn_dnn_add(op, DNNL_ARG_SRC, SOURCE, x_step);
    tarn_dnn_add(op, DNNL_ARG_DIFF_DST, WEIGHTS, y_step);
    tarn_dnn_add(op, DNNL_ARG_DIFF_WEIGHTS, TARGET, op->facts[GRADIENT_BYTES]);
  }
}

/// The reorder between plain weights and those of a piece: for weight gradients it goes the other way.
static dnnl_status_t make_packing(tarn_dnn_op *op, const piece_geometry *piece) {
  const int64_t *key = op->key.words;
  int64_t taps = key[KH] * key[KW] * (int64_t)sizeof(float);
  int64_t pieces = op->facts[BY_CHANNELS] ? op->pieces : 1;
  tarn_dnn_layout plain = plain_weights(&op->layouts, piece);
  if (!plain) return op->layouts.status;
  int64_t step = piece->o * (piece->c / piece->groups) * taps;
  if (key[GROUPS] == 1 && key[PASS] == TARN_PASS_INPUT_GRADIENT) step = piece->c * taps;
  if (key[PASS] != TARN_PASS_WEIGHT_GRADIENT) {
    return tarn_dnn_add_packing(op, plain, tarn_dnn_wanted(op, DNNL_ARG_WEIGHTS), pieces, step);
  }
  tarn_dnn_layout gradient = tarn_dnn_wanted(op, DNNL_ARG_DIFF_WEIGHTS);
  op->facts[GRADIENT_BYTES] = ((int64_t)op->dnn->dnnl_memory_desc_get_size(gradient) + 63) / 64 * 64;
  dnnl_status_t status = tarn_dnn_add_packing(op, gradient, plain, pieces, op->facts[GRADIENT_BYTES]);
  if (status == dnnl_success) op->packings[0].to_bytes = step;
  op->packed_bytes = 0;
  return status;
}

static dnnl_status_t make(tarn_dnn_op *op) {
  const int64_t *key = op->key.words;
  piece_geometry first, last, all = whole(key);
  op->pieces = cut(key, &first, &last);
  op->facts[BY_CHANNELS] = key[N] == 1;
  op->facts[CHANNELS_IN] = all.c;
  op->facts[CHANNELS_OUT] = all.o;
  if (!set_window(&first, key) || !set_window(&last, key)) return dnnl_unimplemented;
  dnnl_status_t status = tarn_dnn_make_part(op, 0, describe, &first);
  if (status == dnnl_success) status = make_packing(op, &first);
  if (status != dnnl_success) return status;
  add_arguments(op, &first);
  if (last.n == first.n) return dnnl_success;
  int weights = key[PASS] == TARN_PASS_WEIGHT_GRADIENT ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS;
  last.weights = tarn_dnn_wanted(op, weights);
  return tarn_dnn_make_part(op, 1, describe, &last);
}

const tarn_dnn_op *tarn_dnn_convolution(const tarn_conv *conv, int pass, const tarn_dnn_options *options) {
  tarn_dnn_key key = {{TARN_DNN_CONVOLUTION_KIND, conv->n, conv->c, conv->h, conv->w, conv->o, conv->kh, conv->kw,
                       conv->oh, conv->ow, conv->stride[0], conv->stride[1], conv->low[0], conv->low[1],
                       conv->dilation[0], conv->dilation[1], conv->groups, pass, options->algorithm}};
  if (options->algorithm < 0 || options->algorithm > TARN_DNN_AUTO || !is_taken(key.words)) return NULL;
  if (pass == TARN_PASS_FORWARD) {
    key.words[CONSTANT] = options->constant_weights;
    key.words[EXTRAS] = options->extras;
    key.words[ACTIVATION] = options->activation;
    float bounds[2] = {options->low, options->high};
    if (options->activation == TARN_ACTIVATION_CLIP) memcpy(&key.words[BOUNDS], bounds, sizeof bounds);
  }
  return tarn_dnn_find(&key, make);
}

// MARK: Running

static int is_convolution(const tarn_dnn_op *op, int pass) {
  return op->key.words[KIND] == TARN_DNN_CONVOLUTION_KIND && op->key.words[PASS] == pass;
}

/// Floats of plain weights in whole blocks; 0 if that is what the caller has.
static int64_t widened_count(const tarn_dnn_op *op) {
  const int64_t *key = op->key.words;
  int64_t c = op->facts[CHANNELS_IN], o = op->facts[CHANNELS_OUT];
  if (c == key[C] && o == key[O]) return 0;
  return o * (key[GROUPS] > 1 ? 1 : c) * key[KH] * key[KW];
}

/// Copies weights [o, c] taps between the caller's memory and that of whole blocks.
static void copy_weights(const tarn_dnn_op *op, const float *from, float *to, int widens) {
  const int64_t *key = op->key.words, taps = key[KH] * key[KW];
  int64_t narrow = (key[GROUPS] > 1 ? 1 : key[C]) * taps;
  int64_t wide = (key[GROUPS] > 1 ? 1 : op->facts[CHANNELS_IN]) * taps;
  for (int64_t o = 0; o < key[O]; o++) {
    memcpy(to + o * (widens ? wide : narrow), from + o * (widens ? narrow : wide), (size_t)narrow * sizeof(float));
  }
}

int tarn_dnn_pack_convolution(const tarn_dnn_op *op, const float *w, float *packed) {
  int64_t count = widened_count(op);
  if (count == 0) return tarn_dnn_pack_one(op, 0, w, packed);
  float *widened = calloc((size_t)count, sizeof(float));
  if (!widened) return TARN_NO_MEMORY;
  copy_weights(op, w, widened, 1);
  int status = tarn_dnn_pack_one(op, 0, widened, packed);
  free(widened);
  return status;
}

static int fits(const tarn_dnn_op *op, const tarn_epilogue *epilogue) {
  static const tarn_epilogue none;
  const int64_t *key = op->key.words;
  const tarn_epilogue *e = epilogue ? epilogue : &none;
  int64_t extras = (e->scale ? TARN_DNN_SCALE : 0) | (e->shift ? TARN_DNN_SHIFT : 0) |
                   (e->residual ? TARN_DNN_RESIDUAL : 0);
  if (extras != key[EXTRAS] || e->activation != key[ACTIVATION]) return 0;
  if (e->activation != TARN_ACTIVATION_CLIP) return 1;
  float bounds[2] = {e->low, e->high};
  return memcmp(bounds, &key[BOUNDS], sizeof bounds) == 0;
}

typedef struct {
  const char *from;
  char *to;
} copy_job;

static void copy_bytes(void *ctx, int64_t begin, int64_t end) {
  copy_job *job = ctx;
  memcpy(job->to + begin, job->from + begin, (size_t)(end - begin));
}

int tarn_dnn_forward(
  const tarn_dnn_op *op, const float *x, const float *packed, const tarn_epilogue *epilogue, float *y)
{
  if (!is_convolution(op, TARN_PASS_FORWARD) || !fits(op, epilogue)) return TARN_DNN_MISMATCH;
  const int64_t *key = op->key.words;
  if (epilogue && epilogue->residual && epilogue->residual != y) {
    copy_job job = {(const char *)epilogue->residual, (char *)y};
    tarn_parallel(
      key[N] * op->facts[CHANNELS_OUT] * key[OH] * key[OW] * (int64_t)sizeof(float), 1 << 18, copy_bytes, &job);
  }
  void *operands[] = {(void *)x, (void *)packed, y, epilogue ? (void *)epilogue->scale : NULL,
                      epilogue ? (void *)epilogue->shift : NULL};
  return tarn_dnn_run(op, operands);
}

int tarn_dnn_input_gradient(const tarn_dnn_op *op, const float *g, const float *packed, float *dx) {
  if (!is_convolution(op, TARN_PASS_INPUT_GRADIENT)) return TARN_DNN_MISMATCH;
  void *operands[] = {(void *)g, (void *)packed, dx};
  return tarn_dnn_run(op, operands);
}

typedef struct {
  float *sums;
  int64_t pieces, step;
} sum_job;

/// The gradients of all pieces, in their order.
static void sum_range(void *ctx, int64_t begin, int64_t end) {
  sum_job *job = ctx;
  for (int64_t piece = 1; piece < job->pieces; piece++) {
    const float *from = job->sums + piece * job->step;
    for (int64_t i = begin; i < end; i++) job->sums[i] += from[i];
  }
}

int tarn_dnn_weight_gradient(const tarn_dnn_op *op, const float *x, const float *g, float *dw) {
  if (!is_convolution(op, TARN_PASS_WEIGHT_GRADIENT)) return TARN_DNN_MISMATCH;
  int64_t bytes = op->facts[GRADIENT_BYTES], widened = widened_count(op);
  char *gradients = tarn_thread_memory(1, op->pieces * bytes + widened * (int64_t)sizeof(float));
  if (!gradients) return TARN_NO_MEMORY;
  void *operands[] = {(void *)x, (void *)g, gradients};
  int status = tarn_dnn_run(op, operands);
  if (status != TARN_OK) return status;
  if (!op->facts[BY_CHANNELS] && op->pieces > 1) {
    sum_job job = {(float *)gradients, op->pieces, bytes / (int64_t)sizeof(float)};
    tarn_parallel(job.step, 1 << 14, sum_range, &job);
  }
  if (widened == 0) return tarn_dnn_pack_one(op, 0, gradients, dw);
  float *plain = (float *)(gradients + op->pieces * bytes);
  status = tarn_dnn_pack_one(op, 0, gradients, plain);
  copy_weights(op, plain, dw, 0);
  return status;
}

#endif
