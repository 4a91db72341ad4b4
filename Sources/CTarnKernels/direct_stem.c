// Convolution of plain images of few channels into blocked ones: the first layers of networks. One lane of a block of
// inputs would be in use; here every channel of every tap is a term of its own.
//
// Packed weights are [output blocks, c, kh, kw, 16 outputs].
#include <string.h>

#include "direct_tile.h"

enum { MOST_STEM_CHANNELS = 4 };

int tarn_stem_takes(const tarn_conv *conv, int pass) {
  if (pass != TARN_PASS_FORWARD && pass != TARN_PASS_WEIGHT_GRADIENT) return 0;
  return conv->groups == 1 && conv->c <= MOST_STEM_CHANNELS && tarn_conv_check(TARN_DTYPE_F32, conv) == TARN_OK;
}

int64_t tarn_stem_packed_count(const tarn_conv *conv) {
  return tarn_ceil_div(conv->o, TARN_LANES) * conv->c * conv->kh * conv->kw * TARN_LANES;
}

int tarn_stem_pack(const tarn_conv *conv, const float *w, float *packed) {
  if (!tarn_stem_takes(conv, TARN_PASS_FORWARD)) return TARN_BAD_ARGUMENT;
  const int64_t terms = conv->c * conv->kh * conv->kw;
  memset(packed, 0, (size_t)tarn_stem_packed_count(conv) * sizeof *packed);
  for (int64_t o = 0; o < conv->o; o++) {
    float *to = packed + o / TARN_LANES * terms * TARN_LANES + o % TARN_LANES;
    for (int64_t t = 0; t < terms; t++) to[t * TARN_LANES] = w[o * terms + t];
  }
  return TARN_OK;
}

int tarn_stem_forward(
  const tarn_conv *conv, const float *x, const float *packed, const tarn_epilogue *epilogue, float *y
) {
  if (!tarn_stem_takes(conv, TARN_PASS_FORWARD)) return TARN_BAD_ARGUMENT;
  int64_t *memory = tarn_scratch(
    TARN_SCRATCH_DIRECT_AXES, (size_t)tarn_direct_axis_memory(conv->kh + conv->kw) * sizeof *memory);
  if (!memory) return TARN_NO_MEMORY;
  const int64_t taps = conv->kh * conv->kw;
  tarn_direct_grid grid = {
    .rows = tarn_direct_forward_axis(conv, 0, memory),
    .columns = tarn_direct_forward_axis(conv, 1, memory + tarn_direct_axis_memory(conv->kh)),
    .n = conv->n, .groups = 1, .c = conv->c, .planes = conv->c, .pixel_floats = 1,
    .o_blocks = tarn_ceil_div(conv->o, TARN_LANES), .w_block = taps * TARN_LANES,
    .w_out = conv->c * taps * TARN_LANES, .w_tap = TARN_LANES, .kernel_columns = conv->kw, .x = x, .w = packed, .y = y,
    .epilogue = epilogue};
  return tarn_direct_run(&grid);
}
