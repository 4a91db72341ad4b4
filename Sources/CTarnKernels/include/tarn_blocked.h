/// Kernels on blocked images: f32 tensors whose channels lie in blocks of sixteen, so that one vector holds sixteen
/// channels of a pixel.
///
/// A blocked [n, c, h, w] is stored [n, ceil(c / 16), h, w, 16]. Lanes past c may hold anything, NaN included: no kernel
/// lets them into another lane, and what a kernel writes there does not matter. Addresses are multiples of 64.
/// For the rest the conventions of tarn_kernels.h hold; results have the same bits at any number of threads.
#ifndef TARN_BLOCKED_H
#define TARN_BLOCKED_H

#include "tarn_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Channels of a block.
enum { TARN_LANES = 16 };

/// Which of the three faces of a convolution; the raw values of `ConvolutionPass`.
enum tarn_pass { TARN_PASS_FORWARD = 0, TARN_PASS_INPUT_GRADIENT = 1, TARN_PASS_WEIGHT_GRADIENT = 2 };

enum tarn_activation {
  TARN_ACTIVATION_NONE = 0,
  /// max(a, 0); NaN stays NaN.
  TARN_ACTIVATION_RELU,
  /// a between `low` and `high`
  TARN_ACTIVATION_CLIP,
  /// a sigmoid(a)
  TARN_ACTIVATION_SILU,
};

/// What happens to a sum before it is stored: y = activation(sum * scale[channel] + shift[channel] + residual).
typedef struct {
  /// One blocked pixel each, [ceil(o / 16), 16]; null for 1 and 0.
  const float *scale, *shift;
  /// Blocked, of y's shape; null for 0. It may be y itself.
  const float *residual;
  int32_t activation;
  float low, high;
} tarn_epilogue;

// MARK: Layout

/// Plain [n, c, pixels] to blocked (lanes past c become 0) and back.
int tarn_block(int64_t n, int64_t c, int64_t pixels, const float *x, float *blocked);
int tarn_unblock(int64_t n, int64_t c, int64_t pixels, const float *blocked, float *x);

// MARK: Convolution, direct: x, y, g, dx blocked; w and dw plain [o, c / groups, kh, kw]
// Any size, stride, padding and dilation; one group, or groups of whole blocks on both sides.

/// 1 if the kernel does this convolution (pass: `tarn_pass`).
int tarn_direct_takes(const tarn_conv *conv, int pass);
/// Floats of the packed weights, for the first two passes.
int64_t tarn_direct_packed_count(const tarn_conv *conv, int pass);
int tarn_direct_pack(const tarn_conv *conv, int pass, const float *w, float *packed);
/// The plain weights again.
int tarn_direct_unpack(const tarn_conv *conv, int pass, const float *packed, float *w);
int tarn_direct_forward(
  const tarn_conv *conv, const float *x, const float *packed, const tarn_epilogue *epilogue, float *y);
int tarn_direct_input_gradient(const tarn_conv *conv, const float *g, const float *packed, float *dx);
int tarn_direct_weight_gradient(const tarn_conv *conv, const float *x, const float *g, float *dw);

// MARK: Convolution of few channels (c ≤ 4, one group): x plain, y and g blocked

int tarn_stem_takes(const tarn_conv *conv, int pass);
int64_t tarn_stem_packed_count(const tarn_conv *conv);
int tarn_stem_pack(const tarn_conv *conv, const float *w, float *packed);
int tarn_stem_forward(
  const tarn_conv *conv, const float *x, const float *packed, const tarn_epilogue *epilogue, float *y);
int tarn_stem_weight_gradient(const tarn_conv *conv, const float *x, const float *g, float *dw);

// MARK: Convolution, depthwise: c = o = groups; everything blocked but w and dw [c, 1, kh, kw]

int tarn_blocked_depthwise_takes(const tarn_conv *conv, int pass);
int64_t tarn_blocked_depthwise_packed_count(const tarn_conv *conv);
int tarn_blocked_depthwise_pack(const tarn_conv *conv, const float *w, float *packed);
int tarn_blocked_depthwise_forward(
  const tarn_conv *conv, const float *x, const float *packed, const tarn_epilogue *epilogue, float *y);
int tarn_blocked_depthwise_input_gradient(const tarn_conv *conv, const float *g, const float *packed, float *dx);
int tarn_blocked_depthwise_weight_gradient(const tarn_conv *conv, const float *x, const float *g, float *dw);

// MARK: Convolution by Winograd's minimal filtering (Lavin and Gray, 2016): 3 x 3, stride 1, no dilation, one group

// Sums and differences of inputs are multiplied, so an infinite or NaN input makes every output of its tiles NaN.
// Largest errors seen, over the largest result: 1e-6 with tiles of 2, 4e-6 with tiles of 4 (512 channels).

/// `tile`: outputs a tile has along each axis, 2 or 4.
int tarn_winograd_takes(const tarn_conv *conv, int pass, int tile);
/// 16 / 9 or 4 times the weights, for the first two passes.
int64_t tarn_winograd_packed_count(const tarn_conv *conv, int pass, int tile);
int tarn_winograd_pack(const tarn_conv *conv, int pass, int tile, const float *w, float *packed);
/// `epilogue` may be null.
int tarn_winograd_forward(
  const tarn_conv *conv, int tile, const float *x, const float *packed, const tarn_epilogue *epilogue, float *y);
/// The same from weights as `tarn_direct_pack` leaves them, transformed as they are needed: no memory but theirs, and a
/// little more work for each call.
int tarn_winograd_forward_direct(
  const tarn_conv *conv, int tile, const float *x, const float *packed, const tarn_epilogue *epilogue, float *y);
/// 1 if that is the better trade: each call reads the weights once, and there are many.
int tarn_winograd_suits_direct(const tarn_conv *conv, int tile);
int tarn_winograd_input_gradient(const tarn_conv *conv, int tile, const float *g, const float *packed, float *dx);
int tarn_winograd_weight_gradient(const tarn_conv *conv, int tile, const float *x, const float *g, float *dw);

// MARK: Pooling: `planes` of the window is n times the blocks of channels

int tarn_blocked_max_pool(const tarn_window *window, const float *x, float *y);
/// g goes to the first largest element of each window (NaN wins); where windows overlap, it adds up.
int tarn_blocked_max_pool_gradient(const tarn_window *window, const float *x, const float *g, float *dx);
int tarn_blocked_window_sum(const tarn_window *window, const float *x, float *y);
int tarn_blocked_window_spread(const tarn_window *window, const float *g, float *dx);

// MARK: Batch normalisation over n and the pixels, per channel; [blocks, 16] each: mean, variance, sums

/// Mean and (biased) variance in one pass over x, without cancellation.
int tarn_blocked_moments(int64_t n, int64_t blocks, int64_t pixels, const float *x, float *mean, float *variance);
/// The sums of g and of g (x - mean) rstd.
int tarn_blocked_gradient_sums(
  int64_t n, int64_t blocks, int64_t pixels, const float *g, const float *x, const float *mean, const float *rstd,
  float *sum_g, float *sum_gx);

// MARK: Passes with numbers per channel, [blocks, 16] each

/// y = activation(x * scale + shift + residual); y may be x or the residual.
int tarn_blocked_affine(
  int64_t n, int64_t blocks, int64_t pixels, const float *x, const tarn_epilogue *epilogue, float *y);
/// z = a x + b y + c; z may be x or y.
int tarn_blocked_blend(
  int64_t n, int64_t blocks, int64_t pixels, const float *x, const float *y, const float *a, const float *b,
  const float *c, float *z);

// MARK: Batch normalisation of plain [n, c, pixels]; tables are [2, c]

/// Mean and (biased) variance.
int tarn_batch_moments(int64_t n, int64_t c, int64_t pixels, const float *x, float *moments);
/// sum of g and of g (x - mean) / sqrt(variance + epsilon)
int tarn_batch_gradient_sums(
  int64_t n, int64_t c, int64_t pixels, const float *g, const float *x, const float *moments, double epsilon,
  float *sums);

#ifdef __cplusplus
}
#endif
#endif
