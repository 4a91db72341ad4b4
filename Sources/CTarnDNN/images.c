// Pooling, normalisation and reorders of blocked images, in pieces of images.
#include "op.h"

#if TARN_DNN_MAJOR

enum { MOST_PIECES = 4 };

/// Images [n, c, h, w] of a piece, and the operation's key.
typedef struct {
  const int64_t *key;
  int64_t n, c;
  dnnl_primitive_desc_t hint;
} images;

static tarn_dnn_layout layout_of(tarn_dnn_layouts *all, const images *piece, int64_t h, int64_t w, int is_plain) {
  dnnl_dims_t dims = {piece->n, piece->c, h, w};
  return tarn_dnn_tagged(all, 4, dims, is_plain ? dnnl_nchw : dnnl_nChw16c);
}

static int64_t bytes_of(const images *piece, int64_t h, int64_t w) {
  return piece->n * piece->c * h * w * (int64_t)sizeof(float);
}

/// Makes both parts for n images, cut. `*first` is left as the piece of part 0.
static dnnl_status_t make_cut(tarn_dnn_op *op, int64_t n, images *first, tarn_dnn_describe describe) {
  images last = *first;
  op->pieces = tarn_dnn_cut_images(n, MOST_PIECES, &first->n, &last.n);
  dnnl_status_t status = tarn_dnn_make_part(op, 0, describe, first);
  if (status == dnnl_success && last.n != first->n) status = tarn_dnn_make_part(op, 1, describe, &last);
  return status;
}

/// Says of part 1 what layouts its arguments have, once all are there.
static dnnl_status_t settle(tarn_dnn_op *op) {
  for (int i = 0; i < op->argument_count && op->parts[1].primitive; i++) {
    op->parts[1].layouts[i] = op->dnn->dnnl_primitive_desc_query_md(
      op->parts[1].description, dnnl_query_exec_arg_md, op->arguments[i].argument);
  }
  return dnnl_success;
}

static int run(const tarn_dnn_op *op, int kind, void *const *operands) {
  return op->key.words[0] == kind ? tarn_dnn_run(op, operands) : TARN_DNN_MISMATCH;
}

// MARK: Pooling

enum { PLANES = 1, H, W, OH, OW, SIZE, STRIDE = SIZE + 2, LOW = STRIDE + 2, DILATION = LOW + 2,
       POOLING = DILATION + 2 };

static dnnl_status_t describe_pool(
  tarn_dnn_maker *maker, tarn_dnn_layouts *all, const images *piece, dnnl_prop_kind_t direction)
{
  static const dnnl_alg_kind_t algorithms[] = {
    dnnl_pooling_max, dnnl_pooling_avg_include_padding, dnnl_pooling_avg_exclude_padding};
  const int64_t *key = piece->key;
  dnnl_alg_kind_t algorithm = algorithms[key[POOLING]];
  dnnl_dims_t high, dilations = {key[DILATION] - 1, key[DILATION + 1] - 1};
  for (int axis = 0; axis < 2; axis++) {
    if (!tarn_dnn_window_fits(
          key[H + axis], key[SIZE + axis], key[STRIDE + axis], key[LOW + axis], key[DILATION + axis], key[OH + axis],
          &high[axis])) {
      return dnnl_unimplemented;
    }
  }
  tarn_dnn_layout x = layout_of(all, piece, key[H], key[W], 0), y = layout_of(all, piece, key[OH], key[OW], 0);
  if (!x || !y) return all->status;
  if (direction == dnnl_backward_data) {
    return TARN_DNN_BACKWARD(
      maker, dnnl_pooling_v2_desc_t, pooling_v2_backward, pooling_backward, piece->hint, algorithm, x, y, key + STRIDE,
      key + SIZE, dilations, key + LOW, high);
  }
  return TARN_DNN_FORWARD(
    maker, dnnl_pooling_v2_desc_t, pooling_v2_forward, pooling_forward, direction, algorithm, x, y, key + STRIDE,
    key + SIZE, dilations, key + LOW, high);
}

static dnnl_status_t pool_forward(tarn_dnn_maker *maker, tarn_dnn_layouts *all, const void *piece) {
  return describe_pool(maker, all, piece, dnnl_forward_inference);
}

static dnnl_status_t pool_backward(tarn_dnn_maker *maker, tarn_dnn_layouts *all, const void *argument) {
  images piece = *(const images *)argument;
  tarn_dnn_maker forward = *maker;
  dnnl_status_t status = describe_pool(&forward, all, &piece, dnnl_forward_training);
  if (status != dnnl_success) return status;
  piece.hint = forward.made;
  status = describe_pool(maker, all, &piece, dnnl_backward_data);
  maker->dnn->dnnl_primitive_desc_destroy(forward.made);
  return status;
}

static dnnl_status_t make_pool(tarn_dnn_op *op) {
  const int64_t *key = op->key.words;
  int is_gradient = key[0] == TARN_DNN_POOL_GRADIENT_KIND;
  images piece = {.key = key, .c = TARN_LANES};
  dnnl_status_t status = make_cut(op, key[PLANES], &piece, is_gradient ? pool_backward : pool_forward);
  if (status != dnnl_success) return status;
  int64_t x_step = bytes_of(&piece, key[H], key[W]), y_step = bytes_of(&piece, key[OH], key[OW]);
  tarn_dnn_add(op, is_gradient ? DNNL_ARG_DIFF_DST : DNNL_ARG_SRC, 0, is_gradient ? y_step : x_step);
  tarn_dnn_add(op, is_gradient ? DNNL_ARG_DIFF_SRC : DNNL_ARG_DST, 1, is_gradient ? x_step : y_step);
  return settle(op);
}

static const tarn_dnn_op *find_pool(const tarn_window *v, int kind, int pooling) {
  tarn_dnn_key key = {{kind, v->planes, v->h, v->w, v->oh, v->ow, v->size[0], v->size[1], v->stride[0], v->stride[1],
                       v->low[0], v->low[1], v->dilation[0], v->dilation[1], pooling}};
  for (int i = PLANES; i <= OW; i++) {
    if (key.words[i] <= 0) return NULL;
  }
  return tarn_dnn_find(&key, make_pool);
}

const tarn_dnn_op *tarn_dnn_pool(const tarn_window *window, int kind) {
  return kind < TARN_DNN_MAX || kind > TARN_DNN_AVERAGE_INSIDE ? NULL : find_pool(window, TARN_DNN_POOL_KIND, kind);
}

const tarn_dnn_op *tarn_dnn_pool_gradient(const tarn_window *window, int kind) {
  if (kind != TARN_DNN_AVERAGE && kind != TARN_DNN_AVERAGE_INSIDE) return NULL;
  return find_pool(window, TARN_DNN_POOL_GRADIENT_KIND, kind);
}

int tarn_dnn_pool_run(const tarn_dnn_op *op, const float *x, float *y) {
  void *operands[] = {(void *)x, y};
  return run(op, TARN_DNN_POOL_KIND, operands);
}

int tarn_dnn_pool_gradient_run(const tarn_dnn_op *op, const float *g, float *dx) {
  void *operands[] = {(void *)g, dx};
  return run(op, TARN_DNN_POOL_GRADIENT_KIND, operands);
}

// MARK: Keys of images

enum { N = 1, C, HEIGHT, WIDTH, EXTRA, TRAINING, RELU };

static int has_whole_blocks(int64_t n, int64_t c, int64_t h, int64_t w) {
  return n > 0 && h > 0 && w > 0 && c > 0 && c % TARN_LANES == 0;
}

static float float_at(const int64_t *key, int word) {
  float value;
  memcpy(&value, &key[word], sizeof value);
  return value;
}

static int64_t word_of(float value) {
  int64_t word = 0;
  memcpy(&word, &value, sizeof value);
  return word;
}

// MARK: Batch normalisation

static dnnl_status_t describe_norm(
  tarn_dnn_maker *maker, tarn_dnn_layouts *all, const images *piece, dnnl_prop_kind_t direction)
{
  const int64_t *key = piece->key;
  float eps = float_at(key, EXTRA);
  unsigned flags = dnnl_use_scale | dnnl_use_shift;
  if (!key[TRAINING]) flags |= dnnl_use_global_stats;
  if (key[RELU]) flags |= dnnl_fuse_norm_relu;
  tarn_dnn_layout x = layout_of(all, piece, key[HEIGHT], key[WIDTH], 0);
  if (!x) return all->status;
#if TARN_DNN_MAJOR == 2
  if (direction == dnnl_backward) {
    return TARN_DNN_BACKWARD(
      maker, dnnl_batch_normalization_desc_t, batch_normalization_backward, , piece->hint, direction, x, x, eps, flags);
  }
  return TARN_DNN_FORWARD(
    maker, dnnl_batch_normalization_desc_t, batch_normalization_forward, , direction, x, eps, flags);
#else
  if (direction == dnnl_backward) {
    return TARN_DNN_BACKWARD(
      maker, , , batch_normalization_backward, piece->hint, direction, x, x, x, eps, flags);
  }
  return TARN_DNN_FORWARD(maker, , , batch_normalization_forward, direction, x, x, eps, flags);
#endif
}

static dnnl_status_t norm_forward(tarn_dnn_maker *maker, tarn_dnn_layouts *all, const void *argument) {
  const images *piece = argument;
  return describe_norm(
    maker, all, piece, piece->key[TRAINING] ? dnnl_forward_training : dnnl_forward_inference);
}

static dnnl_status_t norm_backward(tarn_dnn_maker *maker, tarn_dnn_layouts *all, const void *argument) {
  images piece = *(const images *)argument;
  tarn_dnn_maker forward = *maker;
  dnnl_status_t status = describe_norm(&forward, all, &piece, dnnl_forward_training);
  if (status != dnnl_success) return status;
  piece.hint = forward.made;
  status = describe_norm(maker, all, &piece, dnnl_backward);
  maker->dnn->dnnl_primitive_desc_destroy(forward.made);
  return status;
}

enum { NORM_X, NORM_SCALE, NORM_SHIFT, NORM_MEAN, NORM_VARIANCE, NORM_Y, NORM_G, NORM_DX, NORM_DSCALE, NORM_DSHIFT };

/// Sums over all images make one piece of them; with one image, and with given statistics, there are several.
static dnnl_status_t make_norm(tarn_dnn_op *op) {
  const int64_t *key = op->key.words;
  int is_gradient = key[0] == TARN_DNN_NORM_GRADIENT_KIND;
  images piece = {.key = key, .n = key[N], .c = key[C]};
  dnnl_status_t status;
  int by_channels = key[N] == 1;
  if (key[TRAINING] || by_channels) {
    op->pieces = by_channels ? tarn_dnn_shares(key[C] / TARN_LANES, MOST_PIECES, 1) : 1;
    piece.c /= op->pieces;
    status = tarn_dnn_make_part(op, 0, is_gradient ? norm_backward : norm_forward, &piece);
  } else {
    status = make_cut(op, key[N], &piece, norm_forward);
  }
  if (status != dnnl_success) return status;
  int64_t step = bytes_of(&piece, key[HEIGHT], key[WIDTH]), few = by_channels ? piece.c * (int64_t)sizeof(float) : 0;
  tarn_dnn_add(op, DNNL_ARG_SRC, NORM_X, step);
  tarn_dnn_add(op, DNNL_ARG_SCALE, NORM_SCALE, few);
  tarn_dnn_add(op, DNNL_ARG_MEAN, NORM_MEAN, few);
  tarn_dnn_add(op, DNNL_ARG_VARIANCE, NORM_VARIANCE, few);
  if (is_gradient) {
    tarn_dnn_add(op, DNNL_ARG_DIFF_DST, NORM_G, step);
    tarn_dnn_add(op, DNNL_ARG_DIFF_SRC, NORM_DX, step);
    tarn_dnn_add(op, DNNL_ARG_DIFF_SCALE, NORM_DSCALE, few);
    tarn_dnn_add(op, DNNL_ARG_DIFF_SHIFT, NORM_DSHIFT, few);
#if TARN_DNN_MAJOR == 2
    // It wants to see the shift too, but does not read it.
    tarn_dnn_add(op, DNNL_ARG_SHIFT, NORM_SCALE, few);
#endif
  } else {
    tarn_dnn_add(op, DNNL_ARG_SHIFT, NORM_SHIFT, few);
    tarn_dnn_add(op, DNNL_ARG_DST, NORM_Y, step);
  }
  return settle(op);
}

const tarn_dnn_op *tarn_dnn_batch_norm(
  int64_t n, int64_t c, int64_t h, int64_t w, float eps, int training, int relu)
{
  tarn_dnn_key key = {{TARN_DNN_NORM_KIND, n, c, h, w, word_of(eps), training != 0, relu != 0}};
  return has_whole_blocks(n, c, h, w) && !(training && relu) ? tarn_dnn_find(&key, make_norm) : NULL;
}

int tarn_dnn_batch_norm_run(
  const tarn_dnn_op *op, const float *x, const float *scale, const float *shift, float *mean, float *variance,
  float *y)
{
  void *operands[] = {(void *)x, (void *)scale, (void *)shift, mean, variance, y};
  return run(op, TARN_DNN_NORM_KIND, operands);
}

const tarn_dnn_op *tarn_dnn_batch_norm_gradient(int64_t n, int64_t c, int64_t h, int64_t w, float eps) {
  tarn_dnn_key key = {{TARN_DNN_NORM_GRADIENT_KIND, n, c, h, w, word_of(eps), 1}};
  return has_whole_blocks(n, c, h, w) ? tarn_dnn_find(&key, make_norm) : NULL;
}

int tarn_dnn_batch_norm_gradient_run(
  const tarn_dnn_op *op, const float *x, const float *g, const float *scale, const float *mean, const float *variance,
  float *dx, float *dscale, float *dshift)
{
  void *operands[] = {(void *)x, (void *)scale, NULL, (void *)mean, (void *)variance, NULL, (void *)g, dx, dscale,
                      dshift};
  return run(op, TARN_DNN_NORM_GRADIENT_KIND, operands);
}

// MARK: Local response normalisation

enum { LRN_ALPHA = EXTRA + 1, LRN_BETA, LRN_K };

static dnnl_status_t describe_lrn(tarn_dnn_maker *maker, tarn_dnn_layouts *all, const void *argument) {
  const images *piece = argument;
  const int64_t *key = piece->key;
  float alpha = float_at(key, LRN_ALPHA), beta = float_at(key, LRN_BETA), k = float_at(key, LRN_K);
  tarn_dnn_layout x = layout_of(all, piece, key[HEIGHT], key[WIDTH], 0);
  if (!x) return all->status;
#if TARN_DNN_MAJOR == 2
  return TARN_DNN_FORWARD(
    maker, dnnl_lrn_desc_t, lrn_forward, , dnnl_forward_inference, dnnl_lrn_across_channels, x, key[EXTRA], alpha, beta,
    k);
#else
  return TARN_DNN_FORWARD(
    maker, , , lrn_forward, dnnl_forward_inference, dnnl_lrn_across_channels, x, x, key[EXTRA], alpha, beta, k);
#endif
}

static dnnl_status_t make_lrn(tarn_dnn_op *op) {
  const int64_t *key = op->key.words;
  images piece = {.key = key, .c = key[C]};
  dnnl_status_t status = make_cut(op, key[N], &piece, describe_lrn);
  if (status != dnnl_success) return status;
  tarn_dnn_add(op, DNNL_ARG_SRC, 0, bytes_of(&piece, key[HEIGHT], key[WIDTH]));
  tarn_dnn_add(op, DNNL_ARG_DST, 1, bytes_of(&piece, key[HEIGHT], key[WIDTH]));
  return settle(op);
}

const tarn_dnn_op *tarn_dnn_lrn(
  int64_t n, int64_t c, int64_t h, int64_t w, int64_t size, float alpha, float beta, float k)
{
  tarn_dnn_key key = {{TARN_DNN_LRN_KIND, n, c, h, w, size, word_of(alpha), word_of(beta), word_of(k)}};
  return has_whole_blocks(n, c, h, w) && size > 0 ? tarn_dnn_find(&key, make_lrn) : NULL;
}

int tarn_dnn_lrn_run(const tarn_dnn_op *op, const float *x, float *y) {
  void *operands[] = {(void *)x, y};
  return run(op, TARN_DNN_LRN_KIND, operands);
}

// MARK: Reorder

static dnnl_status_t describe_reorder(tarn_dnn_maker *maker, tarn_dnn_layouts *all, const void *argument) {
  const images *piece = argument;
  const int64_t *key = piece->key;
  tarn_dnn_layout from = layout_of(all, piece, key[HEIGHT], key[WIDTH], !key[EXTRA]);
  tarn_dnn_layout to = layout_of(all, piece, key[HEIGHT], key[WIDTH], (int)key[EXTRA]);
  if (!from || !to) return all->status;
  const tarn_dnn_library *dnn = maker->dnn;
  return dnn->dnnl_reorder_primitive_desc_create(&maker->made, from, dnn->engine, to, dnn->engine, maker->attributes);
}

static dnnl_status_t make_reorder(tarn_dnn_op *op) {
  const int64_t *key = op->key.words;
  images piece = {.key = key, .c = key[C]};
  dnnl_status_t status = make_cut(op, key[N], &piece, describe_reorder);
  if (status != dnnl_success) return status;
  tarn_dnn_add(op, DNNL_ARG_FROM, 0, bytes_of(&piece, key[HEIGHT], key[WIDTH]));
  tarn_dnn_add(op, DNNL_ARG_TO, 1, bytes_of(&piece, key[HEIGHT], key[WIDTH]));
  return settle(op);
}

const tarn_dnn_op *tarn_dnn_reorder(int64_t n, int64_t c, int64_t h, int64_t w, int to_plain) {
  tarn_dnn_key key = {{TARN_DNN_REORDER_KIND, n, c, h, w, to_plain != 0}};
  return has_whole_blocks(n, c, h, w) ? tarn_dnn_find(&key, make_reorder) : NULL;
}

int tarn_dnn_reorder_run(const tarn_dnn_op *op, const float *from, float *to) {
  void *operands[] = {(void *)from, to};
  return run(op, TARN_DNN_REORDER_KIND, operands);
}

#endif
