// What the drivers of direct convolution and its tiles share.
#ifndef TARN_DIRECT_TILE_H
#define TARN_DIRECT_TILE_H

#include "include/tarn_blocked.h"
#include "internal.h"

/// A tile of outputs: some blocks of channels by some pixels of one row, or of two rows.
///
/// y[b][pixel] = epilogue of the sum over channels p < c and taps t of
/// x[p / 16 * x_block + x_taps[t] + pixel * 16 + p % 16] times the vector of sixteen outputs at
/// w[b * w_out + p / 16 * w_block + w_taps[t] + p % 16 * 16]
///
/// The stem's tile has no channels, and neighbouring pixels are neighbouring floats.
typedef struct {
  int64_t c, taps;
  const int64_t *x_taps, *w_taps;
  const float *x, *w;
  /// From one row of the tile to the next, and from block to block of input channels.
  int64_t x_row, x_block;
  /// From block to block of input and of output channels.
  int64_t w_block, w_out;
  /// Weights to fetch: two cache lines with every four channels, each time so many floats further on.
  const float *ahead;
  int64_t ahead_step;
  /// Sums begun before, and where to leave sums that are not complete: [blocks][pixels][16], or null.
  const float *from;
  float *to;
  float *y;
  int64_t y_pixel, y_row, y_block;
  /// The epilogue: of y's layout, or null; [blocks][16], or null.
  const float *residual, *scale, *shift;
  float low, high;
  int clips, silu;
  /// Whether y is written past the caches.
  int streams;
} tarn_direct_tile;

typedef void (*tarn_direct_kernel)(const tarn_direct_tile *tile);

enum { TARN_DIRECT_MOST_BLOCKS = 2, TARN_DIRECT_MOST_PIXELS = 14 };

struct tarn_direct_kernels {
  /// The most blocks and pixels a tile has.
  int blocks, pixels;
  /// Of `blocks - 1`, `rows - 1`, columns - 1; null past the limits.
  tarn_direct_kernel tiles[TARN_DIRECT_MOST_BLOCKS][2][TARN_DIRECT_MOST_PIXELS];
  /// Of blocks - 1, columns - 1.
  tarn_direct_kernel stem[TARN_DIRECT_MOST_BLOCKS][TARN_DIRECT_MOST_PIXELS];
  /// to[i] = x[i * stride], i < n: of floats and of blocks.
  void (*copy[2])(float *to, const float *x, int64_t n, int64_t stride);
};

/// One axis of outputs and what they read: output `start + i * step`, i < count, reads input i * stride + offsets[t]
/// for each tap t, 0 outside.
typedef struct {
  int64_t count, start, step, stride;
  /// Lengths of the whole axis of x and of y.
  int64_t x_size, y_size;
  /// The taps that some output reads within x, and the element of the kernel that each is; in increasing or decreasing
  /// order.
  int64_t taps;
  int64_t *offsets, *elements;
  /// How inputs are laid out where they are copied: those with the same remainder modulo the stride together, in slots.
  /// Tap t of output i reads place i + shifts[t] of slot slots[t].
  int64_t *slots, *shifts;
  /// Of each slot, the input that its first place holds.
  int64_t *first;
  int64_t slot_count, reach;
} tarn_direct_axis;

/// A convolution whose outputs form a grid.
typedef struct {
  tarn_direct_axis rows, columns;
  /// c: input channels of a group. Floats of an input pixel: 16, or 1 if x is plain (then all channels are planes).
  int64_t n, groups, c, planes, pixel_floats, o_blocks;
  /// Floats from block to block of input and of output channels, and from tap to tap; columns of the kernel.
  int64_t w_block, w_out, w_tap, kernel_columns;
  const float *x, *w;
  float *y;
  const tarn_epilogue *epilogue;
} tarn_direct_grid;

/// Elements of memory that `tarn_direct_axis_of` takes for an axis of so many taps.
static inline int64_t tarn_direct_axis_memory(int64_t taps) { return 5 * taps; }
/// An axis with its taps yet to be added.
tarn_direct_axis tarn_direct_axis_of(int64_t most_taps, int64_t *memory);
/// Adds a tap if some output reads it within x.
void tarn_direct_axis_add(tarn_direct_axis *axis, int64_t element, int64_t offset);
/// An axis of forward convolution.
tarn_direct_axis tarn_direct_forward_axis(const tarn_conv *conv, int axis, int64_t *memory);
/// Runs on all threads. Returns a status.
int tarn_direct_run(const tarn_direct_grid *grid);

#endif
