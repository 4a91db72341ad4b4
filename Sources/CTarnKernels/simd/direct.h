// Tiles of direct convolution: sums of a few blocks of channels by a row of pixels stay in registers.
#ifndef TARN_SIMD_DIRECT_H
#define TARN_SIMD_DIRECT_H

#include "../direct_tile.h"
#include "gemm.h"
#include "math.h"

#if TARN_LEVEL == 2
enum { DIRECT_BLOCKS = 2, DIRECT_PIXELS = 14 };
#elif TARN_LEVEL == 1 || defined(__aarch64__)
enum { DIRECT_BLOCKS = 1, DIRECT_PIXELS = 6 };
#else
enum { DIRECT_BLOCKS = 1, DIRECT_PIXELS = 3 };
#endif

// A block of channels of one pixel.
typedef float v16 __attribute__((ext_vector_type(16)));
typedef v16 v16_memory __attribute__((aligned(4), may_alias));

#define LOAD_16(p) (*(const v16_memory *)(p))
#define STORE_16(p, v) (*(v16_memory *)(p) = (v))

/// a sigmoid(a) of sixteen floats
static __attribute__((noinline)) void direct_silu(float *y) {
  for (int i = 0; i < 16; i += W) {
    vf a = load_f(y + i);
    store_f(y + i, a * sigmoid_f(a));
  }
}

/// Adds the products of one input channel.
INLINE void direct_lane(
  v16 sums[DIRECT_BLOCKS][DIRECT_PIXELS], const float *x, int64_t x_row, const float *w, int64_t w_out,
  const int blocks, const int rows, const int columns, const int step
) {
  v16 weights[DIRECT_BLOCKS];
  UNROLLED for (int b = 0; b < blocks; b++) weights[b] = LOAD_16(w + b * w_out);
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int j = 0; j < columns; j++) {
      const v16 pixel = (v16)x[r * x_row + j * step];
      UNROLLED for (int b = 0; b < blocks; b++) {
        sums[b][r * columns + j] = MULTIPLY_ADD(weights[b], pixel, sums[b][r * columns + j]);
      }
    }
  }
}

/// Leaves sums that are not complete.
INLINE void direct_leave(
  float *to, v16 sums[DIRECT_BLOCKS][DIRECT_PIXELS], const int blocks, const int pixels
) {
  UNROLLED for (int b = 0; b < blocks; b++) {
    UNROLLED for (int i = 0; i < pixels; i++) STORE_16(to + (b * pixels + i) * 16, sums[b][i]);
  }
}

#define EACH_SUM(...)                                                                                        \
  UNROLLED for (int b = 0; b < blocks; b++) {                                                                \
    UNROLLED for (int r = 0; r < rows; r++) {                                                                \
      UNROLLED for (int j = 0; j < columns; j++) {                                                           \
        v16 *sum = &sums[b][r * columns + j];                                                                \
        const int64_t at = b * y_block + r * y_row + j * y_pixel;                                            \
        __VA_ARGS__                                                                                          \
      }                                                                                                      \
    }                                                                                                        \
  }

INLINE void direct_finish(
  const tarn_direct_tile *t, v16 sums[DIRECT_BLOCKS][DIRECT_PIXELS], const int blocks, const int rows,
  const int columns
) {
  if (t->to) {
    direct_leave(t->to, sums, blocks, rows * columns);
    return;
  }
  if (t->scale || t->shift) {
    UNROLLED for (int b = 0; b < blocks; b++) {
      const v16 scale = t->scale ? LOAD_16(t->scale + b * 16) : (v16)1.0f;
      const v16 shift = t->shift ? LOAD_16(t->shift + b * 16) : (v16)0.0f;
      UNROLLED for (int i = 0; i < rows * columns; i++) sums[b][i] = MULTIPLY_ADD(sums[b][i], scale, shift);
    }
  }
  const int64_t y_block = t->y_block, y_row = t->y_row, y_pixel = t->y_pixel;
  if (t->residual) {
    const float *residual = t->residual;
    EACH_SUM(*sum += LOAD_16(residual + at);)
  }
  if (t->clips) {
    const v16 low = (v16)t->low, high = (v16)t->high;
    EACH_SUM((void)at; *sum = low > *sum ? low : *sum; *sum = high < *sum ? high : *sum;)
  }
  float *y = t->y;
  const int silu = t->silu;
  if (t->streams) {
    EACH_SUM(__builtin_nontemporal_store(*sum, (v16 *)(y + at));)
  } else {
    EACH_SUM(STORE_16(y + at, *sum);)
  }
  if (silu) {
    EACH_SUM((void)sum; direct_silu(y + at);)
  }
}

INLINE void direct_begin(
  const tarn_direct_tile *t, v16 sums[DIRECT_BLOCKS][DIRECT_PIXELS], const int blocks, const int pixels
) {
  const float *from = t->from;
  if (from) {
    UNROLLED for (int b = 0; b < blocks; b++) {
      UNROLLED for (int i = 0; i < pixels; i++) sums[b][i] = LOAD_16(from + (b * pixels + i) * 16);
    }
  } else {
    UNROLLED for (int b = 0; b < blocks; b++) {
      UNROLLED for (int i = 0; i < pixels; i++) sums[b][i] = (v16)0.0f;
    }
  }
}

INLINE void direct_tile(const tarn_direct_tile *t, const int blocks, const int rows, const int columns) {
  v16 sums[DIRECT_BLOCKS][DIRECT_PIXELS];
  direct_begin(t, sums, blocks, rows * columns);
  const int64_t x_row = t->x_row, w_out = t->w_out, ahead_step = t->ahead_step;
  const float *ahead = t->ahead;
  for (int64_t p = 0; p < t->c; p += 16) {
    const int64_t lanes = t->c - p < 16 ? t->c - p : 16, fours = lanes & ~(int64_t)3;
    const float *x_block = t->x + p / 16 * t->x_block, *w_block = t->w + p / 16 * t->w_block;
    for (int64_t tap = 0; tap < t->taps; tap++) {
      const float *x = x_block + t->x_taps[tap], *w = w_block + t->w_taps[tap];
      for (const float *end = x + fours; x < end; x += 4, w += 64, ahead += ahead_step) {
        __builtin_prefetch(ahead, 0, 2), __builtin_prefetch(ahead + 16, 0, 2);
        UNROLLED for (int i = 0; i < 4; i++) {
          direct_lane(sums, x + i, x_row, w + i * 16, w_out, blocks, rows, columns, 16);
        }
      }
      for (const float *end = x + (lanes - fours); x < end; x++, w += 16) {
        direct_lane(sums, x, x_row, w, w_out, blocks, rows, columns, 16);
      }
    }
  }
  direct_finish(t, sums, blocks, rows, columns);
}

INLINE void direct_stem_tile(const tarn_direct_tile *t, const int blocks, const int columns) {
  v16 sums[DIRECT_BLOCKS][DIRECT_PIXELS];
  direct_begin(t, sums, blocks, columns);
  const float *x = t->x, *w = t->w;
  const int64_t w_out = t->w_out;
  for (int64_t tap = 0; tap < t->taps; tap++) {
    direct_lane(sums, x + t->x_taps[tap], 0, w + t->w_taps[tap], w_out, blocks, 1, columns, 1);
  }
  direct_finish(t, sums, blocks, 1, columns);
}

// MARK: Copies

/// to[i] = x[i * stride], of blocks.
static void direct_copy_blocks(float *to, const float *x, int64_t n, int64_t stride) {
  for (int64_t i = 0; i < n; i++) STORE_16(to + i * 16, LOAD_16(x + i * stride * 16));
}

/// Sixteen floats, every second one from x on; no other float past the last is read.
INLINE v16 direct_every_second(const float *x) {
  const v16 a = LOAD_16(x), b = LOAD_16(x + 15);
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31);
}

/// to[i] = x[i * stride], of floats.
static void direct_copy_floats(float *to, const float *x, int64_t n, int64_t stride) {
  if (n < 16 || stride > 2) {
    for (int64_t i = 0; i < n; i++) to[i] = x[i * stride];
    return;
  }
  // The last vector overlaps the one before.
  for (int64_t i = 0; i < n; i = i + 32 > n && i + 16 < n ? n - 16 : i + 16) {
    STORE_16(to + i, stride == 1 ? LOAD_16(x + i) : direct_every_second(x + i * 2));
  }
}

// clang-format off
#define DIRECT_TILE(B, R, C)                                                                                 \
  static void direct_##B##_##R##_##C(const tarn_direct_tile *t) { direct_tile(t, B, R, C); }
#define DIRECT_STEM(B, C)                                                                                    \
  static void direct_stem_##B##_##C(const tarn_direct_tile *t) { direct_stem_tile(t, B, C); }
#define DIRECT_3(B)                                                                                          \
  DIRECT_TILE(B, 1, 1) DIRECT_TILE(B, 1, 2) DIRECT_TILE(B, 1, 3) DIRECT_TILE(B, 2, 1)                        \
  DIRECT_STEM(B, 1) DIRECT_STEM(B, 2) DIRECT_STEM(B, 3)
#define DIRECT_6(B)                                                                                          \
  DIRECT_3(B) DIRECT_TILE(B, 1, 4) DIRECT_TILE(B, 1, 5) DIRECT_TILE(B, 1, 6) DIRECT_TILE(B, 2, 2)            \
  DIRECT_TILE(B, 2, 3) DIRECT_STEM(B, 4) DIRECT_STEM(B, 5) DIRECT_STEM(B, 6)
#define DIRECT_14(B)                                                                                         \
  DIRECT_6(B) DIRECT_TILE(B, 1, 7) DIRECT_TILE(B, 1, 8) DIRECT_TILE(B, 1, 9) DIRECT_TILE(B, 1, 10)           \
  DIRECT_TILE(B, 1, 11) DIRECT_TILE(B, 1, 12) DIRECT_TILE(B, 1, 13) DIRECT_TILE(B, 1, 14)                    \
  DIRECT_TILE(B, 2, 4) DIRECT_TILE(B, 2, 5) DIRECT_TILE(B, 2, 6) DIRECT_TILE(B, 2, 7)                        \
  DIRECT_STEM(B, 7) DIRECT_STEM(B, 8) DIRECT_STEM(B, 9) DIRECT_STEM(B, 10) DIRECT_STEM(B, 11)                \
  DIRECT_STEM(B, 12) DIRECT_STEM(B, 13) DIRECT_STEM(B, 14)
#define DIRECT_NAMES_3(P) P##1, P##2, P##3
#define DIRECT_NAMES_6(P) DIRECT_NAMES_3(P), P##4, P##5, P##6
#define DIRECT_NAMES_7(P) DIRECT_NAMES_6(P), P##7
#define DIRECT_NAMES_14(P) DIRECT_NAMES_7(P), P##8, P##9, P##10, P##11, P##12, P##13, P##14

#if TARN_LEVEL == 2
DIRECT_14(1) DIRECT_14(2)
#define DIRECT_TABLES                                                                                        \
  .tiles = {{{DIRECT_NAMES_14(direct_1_1_)}, {DIRECT_NAMES_7(direct_1_2_)}},                                 \
            {{DIRECT_NAMES_14(direct_2_1_)}, {DIRECT_NAMES_7(direct_2_2_)}}},                                \
  .stem = {{DIRECT_NAMES_14(direct_stem_1_)}, {DIRECT_NAMES_14(direct_stem_2_)}}
#elif TARN_LEVEL == 1 || defined(__aarch64__)
DIRECT_6(1)
#define DIRECT_TABLES                                                                                        \
  .tiles = {{{DIRECT_NAMES_6(direct_1_1_)}, {DIRECT_NAMES_3(direct_1_2_)}}},                                 \
  .stem = {{DIRECT_NAMES_6(direct_stem_1_)}}
#else
DIRECT_3(1)
#define DIRECT_TABLES                                                                                        \
  .tiles = {{{DIRECT_NAMES_3(direct_1_1_)}, {direct_1_2_1}}}, .stem = {{DIRECT_NAMES_3(direct_stem_1_)}}
#endif
// clang-format on

static const struct tarn_direct_kernels direct_kernels = {
  .blocks = DIRECT_BLOCKS, .pixels = DIRECT_PIXELS, .copy = {direct_copy_floats, direct_copy_blocks}, DIRECT_TABLES};

#endif
