// Blocked images: layout, pooling, batch normalisation. A pixel of sixteen channels is one vector at every level.
#ifndef TARN_SIMD_BLOCKED_H
#define TARN_SIMD_BLOCKED_H

#include "../blocked_memory.h"
#include "transpose.h"
#include "types.h"

typedef int32_t pi __attribute__((ext_vector_type(16)));
typedef double pd __attribute__((ext_vector_type(16)));
typedef pd pd_memory __attribute__((aligned(8), may_alias));

INLINE pf load_pixel(const float *p) { return *(const pf_memory *)p; }
INLINE void store_pixel(float *p, pf x) { *(pf_memory *)p = x; }
INLINE pd load_wide(const double *p) { return *(const pd_memory *)p; }
INLINE void store_wide(double *p, pd x) { *(pd_memory *)p = x; }
INLINE pd widen(pf x) { return __builtin_convertvector(x, pd); }

/// a * b + c
INLINE pf madd_p(pf a, pf b, pf c) {
#if TARN_HAS_FMA
  return __builtin_elementwise_fma(a, b, c);
#else
  return a * b + c;
#endif
}

// MARK: Layout

/// Sixteen pixels, given whether all sixteen channels are there.
INLINE void block_tile(float *blocked, const float *x, int64_t ld, int64_t channels, int whole) {
  pf v[16];
  UNROLL for (int i = 0; i < 16; i++) v[i] = whole || i < channels ? load_pixel(x + i * ld) : (pf)0;
  transpose(v);
  UNROLL for (int i = 0; i < 16; i++) store_pixel(blocked + i * 16, v[i]);
}

INLINE void unblock_tile(float *x, int64_t ld, const float *blocked, int64_t channels, int whole) {
  pf v[16];
  UNROLL for (int i = 0; i < 16; i++) v[i] = load_pixel(blocked + i * 16);
  transpose(v);
  UNROLL for (int i = 0; i < 16; i++) {
    if (whole || i < channels) store_pixel(x + i * ld, v[i]);
  }
}

static void block(float *blocked, const float *x, int64_t ld, int64_t channels, int64_t pixels) {
  if (pixels < 16) {
    for (int64_t p = 0; p < pixels; p++) {
      for (int64_t i = 0; i < 16; i++) blocked[p * 16 + i] = i < channels ? x[i * ld + p] : 0;
    }
    return;
  }
  for (int64_t next = 0; next < pixels; next += 16) {
    // The last tile may take pixels of the one before it again.
    const int64_t p = tarn_least(next, pixels - 16);
    if (channels == 16) {
      block_tile(blocked + p * 16, x + p, ld, 16, 1);
    } else {
      block_tile(blocked + p * 16, x + p, ld, channels, 0);
    }
  }
}

static void unblock(float *x, int64_t ld, const float *blocked, int64_t channels, int64_t pixels) {
  if (pixels < 16) {
    for (int64_t i = 0; i < channels; i++) {
      for (int64_t p = 0; p < pixels; p++) x[i * ld + p] = blocked[p * 16 + i];
    }
    return;
  }
  for (int64_t next = 0; next < pixels; next += 16) {
    const int64_t p = tarn_least(next, pixels - 16);
    if (channels == 16) {
      unblock_tile(x + p, ld, blocked + p * 16, 16, 1);
    } else {
      unblock_tile(x + p, ld, blocked + p * 16, channels, 0);
    }
  }
}

// MARK: Pooling

/// The elements [first, last) of the window along a row that lie within the image, for one result; `at` is the column
/// of the first of them.
typedef struct {
  int64_t first, last, at;
} window_columns;

INLINE window_columns columns_of(const tarn_window *w, int64_t j) {
  const int64_t at = j * w->stride[1] - w->low[1], step = w->dilation[1];
  if (at >= 0 && at + (w->size[1] - 1) * step < w->w) return (window_columns){0, w->size[1], at};
  const int64_t first = at >= 0 ? 0 : (step - 1 - at) / step;
  const int64_t last = at >= w->w ? 0 : tarn_least(w->size[1], (w->w - 1 - at) / step + 1);
  return (window_columns){first, last, at + first * step};
}

/// Where a result's elements begin in row r of those it reaches.
INLINE int64_t place_in(const tarn_window *w, const tarn_window_rows *rows, int64_t r, window_columns columns) {
  return (rows->rows[r] * w->w + columns.at) * 16;
}

/// ACTION(n), n being how many columns the result reaches: the usual numbers as constants, so that loops unroll.
#define FOR_COUNT(columns, ACTION)                              \
  switch ((columns).last - (columns).first) {                   \
    case 2: ACTION(2); break;                                   \
    case 3: ACTION(3); break;                                   \
    default: ACTION((columns).last - (columns).first);          \
  }

INLINE pf largest_of(
  const tarn_window *w, const tarn_window_rows *rows, const float *image, window_columns columns, int64_t count
) {
  const int64_t step = w->dilation[1] * 16;
  pf most = -__builtin_inff(), not_a_number = 0;
  for (int64_t r = 0; r < rows->count; r++) {
    const float *x = image + place_in(w, rows, r, columns);
    for (int64_t s = 0; s < count; s++) {
      const pf v = load_pixel(x + s * step);
      not_a_number = v != v ? v : not_a_number;
      most = v > most ? v : most;
    }
  }
  return not_a_number != not_a_number ? not_a_number : most;
}

static void largest(const tarn_window *w, const tarn_window_rows *rows, const float *image, float *y) {
  for (int64_t j = 0; j < w->ow; j++) {
    const window_columns columns = columns_of(w, j);
#define LARGEST(n) store_pixel(y + j * 16, largest_of(w, rows, image, columns, n))
    FOR_COUNT(columns, LARGEST)
#undef LARGEST
  }
}

static void sum_window(const tarn_window *w, const tarn_window_rows *rows, const float *image, float *y) {
  const int64_t step = w->dilation[1] * 16;
  for (int64_t j = 0; j < w->ow; j++) {
    const window_columns columns = columns_of(w, j);
    pf total = 0;
    for (int64_t r = 0; r < rows->count; r++) {
      const float *x = image + place_in(w, rows, r, columns);
      pf sum = 0;
      for (int64_t s = columns.first; s < columns.last; s++, x += step) sum += load_pixel(x);
      total += sum;
    }
    store_pixel(y + j * 16, total);
  }
}

/// Adds g to the first largest of the elements.
INLINE void add_to_largest(
  const tarn_window *w, const tarn_window_rows *rows, const float *image, window_columns columns, int64_t count, pf g,
  float *dx
) {
  if (rows->count == 0 || count <= 0) return;
  const int64_t step = w->dilation[1] * 16;
  pf most = load_pixel(image + place_in(w, rows, 0, columns));
  pi place = 0;
  int32_t number = 0;
  for (int64_t r = 0; r < rows->count; r++) {
    const float *x = image + place_in(w, rows, r, columns);
    for (int64_t s = 0; s < count; s++, number++) {
      const pf v = load_pixel(x + s * step);
      // Larger, or the first NaN.
      const pi better = ~(v <= most) & (most == most);
      most = better ? v : most;
      place = better ? (pi)number : place;
    }
  }
  number = 0;
  for (int64_t r = 0; r < rows->count; r++) {
    float *to = dx + place_in(w, rows, r, columns);
    for (int64_t s = 0; s < count; s++, number++) {
      store_pixel(to + s * step, load_pixel(to + s * step) + (place == number ? g : (pf)0));
    }
  }
}

static void to_largest(
  const tarn_window *w, const tarn_window_rows *rows, const float *image, const float *g, float *dx
) {
  for (int64_t j = 0; j < w->ow; j++) {
    const window_columns columns = columns_of(w, j);
    const pf from = load_pixel(g + j * 16);
#define ADD(n) add_to_largest(w, rows, image, columns, n, from, dx)
    FOR_COUNT(columns, ADD)
#undef ADD
  }
}

static void spread_window(const tarn_window *w, const tarn_window_rows *rows, const float *g, float *dx) {
  const int64_t step = w->dilation[1] * 16;
  for (int64_t j = 0; j < w->ow; j++) {
    const window_columns columns = columns_of(w, j);
    const pf from = load_pixel(g + j * 16);
    for (int64_t r = 0; r < rows->count; r++) {
      float *to = dx + place_in(w, rows, r, columns);
      for (int64_t s = columns.first; s < columns.last; s++, to += step) store_pixel(to, load_pixel(to) + from);
    }
  }
}

// MARK: Batch normalisation

/// Pixels that are added in single precision, in four sums, before they go to double; they stay in the first cache.
enum { NORM_RUN = 256 };

/// Mean and squared deviations of up to NORM_RUN pixels.
INLINE void moments_of_run(int64_t n, const float *x, pd *mean, pd *squares) {
  pf sums[4] = {0, 0, 0, 0};
  int64_t p = 0;
  for (; p + 4 <= n; p += 4) {
    UNROLL for (int i = 0; i < 4; i++) sums[i] += load_pixel(x + (p + i) * 16);
  }
  for (; p < n; p++) sums[0] += load_pixel(x + p * 16);
  // Deviations from a number close to the mean, and what that number misses.
  const pf middle = ((sums[0] + sums[1]) + (sums[2] + sums[3])) / (float)n;
  pf offs[4] = {0, 0, 0, 0}, deviations[4] = {0, 0, 0, 0};
  for (p = 0; p + 4 <= n; p += 4) {
    UNROLL for (int i = 0; i < 4; i++) {
      pf d = load_pixel(x + (p + i) * 16) - middle;
      offs[i] += d;
      deviations[i] = madd_p(d, d, deviations[i]);
    }
  }
  for (; p < n; p++) {
    pf d = load_pixel(x + p * 16) - middle;
    offs[0] += d;
    deviations[0] = madd_p(d, d, deviations[0]);
  }
  const pd off = widen((offs[0] + offs[1]) + (offs[2] + offs[3])) / (double)n;
  *mean = widen(middle) + off;
  *squares = widen((deviations[0] + deviations[1]) + (deviations[2] + deviations[3])) - off * off * (double)n;
}

static void moments(int64_t seen, int64_t pixels, const float *x, double *mean, double *squares) {
  pd total_mean = load_wide(mean), total_squares = load_wide(squares);
  for (int64_t p = 0; p < pixels; p += NORM_RUN) {
    const int64_t n = tarn_least(NORM_RUN, pixels - p);
    pd run_mean, run_squares;
    moments_of_run(n, x + p * 16, &run_mean, &run_squares);
    const double share = (double)n / (double)(seen + n), weight = (double)seen * share;
    const pd apart = run_mean - total_mean;
    total_mean = seen == 0 ? run_mean : total_mean + apart * share;
    total_squares += run_squares + (seen == 0 ? (pd)0 : apart * apart * weight);
    seen += n;
  }
  store_wide(mean, total_mean);
  store_wide(squares, total_squares);
}

static void gradient_sums(
  int64_t pixels, const float *g, const float *x, const float *means, const float *rstd, double *sum_g, double *sum_gx
) {
  const pf mean = load_pixel(means);
  pd total = 0, total_product = 0;
  for (int64_t start = 0; start < pixels; start += NORM_RUN) {
    const int64_t end = tarn_least(pixels, start + NORM_RUN);
    pf sums[4] = {0, 0, 0, 0}, products[4] = {0, 0, 0, 0};
    int64_t p = start;
    for (; p + 4 <= end; p += 4) {
      UNROLL for (int i = 0; i < 4; i++) {
        const pf v = load_pixel(g + (p + i) * 16);
        sums[i] += v;
        products[i] = madd_p(v, load_pixel(x + (p + i) * 16) - mean, products[i]);
      }
    }
    for (; p < end; p++) {
      const pf v = load_pixel(g + p * 16);
      sums[0] += v;
      products[0] = madd_p(v, load_pixel(x + p * 16) - mean, products[0]);
    }
    total += widen((sums[0] + sums[1]) + (sums[2] + sums[3]));
    total_product += widen((products[0] + products[1]) + (products[2] + products[3]));
  }
  store_wide(sum_g, load_wide(sum_g) + total);
  store_wide(sum_gx, load_wide(sum_gx) + total_product * widen(load_pixel(rstd)));
}

static const struct tarn_blocked_memory blocked_memory = {
  .block = block, .unblock = unblock, .largest = largest, .sum = sum_window, .to_largest = to_largest,
  .spread = spread_window, .moments = moments, .gradient_sums = gradient_sums,
};

#endif
