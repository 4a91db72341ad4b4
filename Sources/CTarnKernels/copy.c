// Strided copies: runs of memory, blocked transposes, and anything else.
#include <string.h>

#include "internal.h"

typedef struct {
  int rank;
  int64_t bytes, shape[TARN_MAX_RANK], to[TARN_MAX_RANK], from[TARN_MAX_RANK];
  char *dst;
  const char *src;
  /// Of a transpose: the axis along which the source is contiguous, and its length in tiles.
  int across;
  int64_t tiles;
} copy;

enum { TILE = 16 };

// MARK: Axes

static int64_t magnitude(int64_t x) { return x < 0 ? -x : x; }

/// Axes longer than 1, the output's longest step first; neighbours that both sides step through evenly become one.
static copy normalized(
  int64_t bytes, int rank, const int64_t *shape, char *dst, const int64_t *to, const char *src, const int64_t *from
) {
  copy c = {.bytes = bytes, .dst = dst, .src = src, .across = -1};
  for (int i = 0; i < rank; i++) {
    if (shape[i] == 1) continue;
    int at = c.rank++;
    for (; at > 0 && magnitude(c.to[at - 1]) < magnitude(to[i]); at--) {
      c.shape[at] = c.shape[at - 1], c.to[at] = c.to[at - 1], c.from[at] = c.from[at - 1];
    }
    c.shape[at] = shape[i], c.to[at] = to[i], c.from[at] = from[i];
  }
  for (int i = c.rank - 2; i >= 0; i--) {
    if (c.to[i] != c.to[i + 1] * c.shape[i + 1] || c.from[i] != c.from[i + 1] * c.shape[i + 1]) continue;
    c.shape[i + 1] *= c.shape[i];
    for (int j = i; j + 1 < c.rank; j++) {
      c.shape[j] = c.shape[j + 1], c.to[j] = c.to[j + 1], c.from[j] = c.from[j + 1];
    }
    c.rank--;
  }
  if (c.rank == 0) {
    c.rank = 1;
    c.shape[0] = c.to[0] = c.from[0] = 1;
  }
  return c;
}

// MARK: Rows

#define COPY_ROWS(T)                                                                                             \
  static void copy_rows_##T(T *d, int64_t d_row, int64_t d_step, const T *s, int64_t s_row, int64_t s_step,      \
                            int64_t rows, int64_t n) {                                                           \
    for (int64_t r = 0; r < rows; r++, d += d_row, s += s_row) {                                                 \
      if (d_step == 1 && s_step == 1 && n >= 16) {                                                               \
        memcpy(d, s, (size_t)n * sizeof(T));                                                                     \
      } else if (d_step == 1 && s_step == 0) {                                                                   \
        for (int64_t i = 0; i < n; i++) d[i] = *s;                                                               \
      } else if (d_step == 1) {                                                                                  \
        for (int64_t i = 0; i < n; i++) d[i] = s[i * s_step];                                                    \
      } else {                                                                                                   \
        for (int64_t i = 0; i < n; i++) d[i * d_step] = s[i * s_step];                                           \
      }                                                                                                          \
    }                                                                                                            \
  }

COPY_ROWS(uint8_t)
COPY_ROWS(uint16_t)
COPY_ROWS(uint32_t)
COPY_ROWS(uint64_t)

static void copy_some_rows(const copy *c, int64_t to, int64_t from, int64_t rows) {
  const int last = c->rank - 1;
  const int64_t d_row = last ? c->to[last - 1] : 0, s_row = last ? c->from[last - 1] : 0;
  const int64_t n = c->shape[last], d_step = c->to[last], s_step = c->from[last];
  char *d = c->dst + to * c->bytes;
  const char *s = c->src + from * c->bytes;
  switch (c->bytes) {
    case 1:
      copy_rows_uint8_t((uint8_t *)d, d_row, d_step, (const uint8_t *)s, s_row, s_step, rows, n);
      break;
    case 2:
      copy_rows_uint16_t((uint16_t *)d, d_row, d_step, (const uint16_t *)s, s_row, s_step, rows, n);
      break;
    case 4:
      copy_rows_uint32_t((uint32_t *)d, d_row, d_step, (const uint32_t *)s, s_row, s_step, rows, n);
      break;
    default:
      copy_rows_uint64_t((uint64_t *)d, d_row, d_step, (const uint64_t *)s, s_row, s_step, rows, n);
  }
}

/// Rows begin … end - 1, counted over all axes but the last.
static void copy_rows_task(void *ctx, int64_t begin, int64_t end) {
  const copy *c = ctx;
  const int second = c->rank - 2;
  while (begin < end) {
    int64_t to = 0, from = 0, rest = begin, along = 0;
    for (int axis = second; axis >= 0; axis--) {
      int64_t index = axis ? rest % c->shape[axis] : rest;
      rest /= c->shape[axis];
      if (axis == second) along = index;
      to += index * c->to[axis];
      from += index * c->from[axis];
    }
    int64_t rows = second < 0 ? 1 : tarn_least(end - begin, c->shape[second] - along);
    copy_some_rows(c, to, from, rows);
    begin += rows;
  }
}

// MARK: Runs

static void copy_run_task(void *ctx, int64_t begin, int64_t end) {
  const copy *c = ctx;
  char *d = c->dst + begin * c->bytes;
  const char *s = c->src + begin * c->bytes;
  int64_t bytes = (end - begin) * c->bytes;
  if (c->shape[0] * c->bytes >= (8 << 20) && ((uintptr_t)d & 63) == 0) {
    tarn_level_now()->stream(d, s, bytes);
  } else {
    memcpy(d, s, (size_t)bytes);
  }
}

// MARK: Transposes

typedef uint32_t four __attribute__((ext_vector_type(4)));
typedef four four_memory __attribute__((aligned(4), may_alias));

/// d[i d_row + j] = s[j s_row + i] for i, j < 4
static inline void transpose_four(uint32_t *d, int64_t d_row, const uint32_t *s, int64_t s_row) {
  four a = *(const four_memory *)s, b = *(const four_memory *)(s + s_row);
  four c = *(const four_memory *)(s + 2 * s_row), e = *(const four_memory *)(s + 3 * s_row);
  four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  four ce_low = __builtin_shufflevector(c, e, 0, 4, 1, 5), ce_high = __builtin_shufflevector(c, e, 2, 6, 3, 7);
  *(four_memory *)d = __builtin_shufflevector(ab_low, ce_low, 0, 1, 4, 5);
  *(four_memory *)(d + d_row) = __builtin_shufflevector(ab_low, ce_low, 2, 3, 6, 7);
  *(four_memory *)(d + 2 * d_row) = __builtin_shufflevector(ab_high, ce_high, 0, 1, 4, 5);
  *(four_memory *)(d + 3 * d_row) = __builtin_shufflevector(ab_high, ce_high, 2, 3, 6, 7);
}

#define TRANSPOSE(T)                                                                                           \
  static void transpose_##T(T *d, int64_t d_row, const T *s, int64_t s_row, int64_t rows, int64_t columns) {   \
    for (int64_t i = 0; i < rows; i++) {                                                                       \
      for (int64_t j = 0; j < columns; j++) d[i * d_row + j] = s[j * s_row + i];                               \
    }                                                                                                          \
  }

TRANSPOSE(uint8_t)
TRANSPOSE(uint16_t)
TRANSPOSE(uint32_t)
TRANSPOSE(uint64_t)

static void transpose_tile(
  int64_t bytes, char *d, int64_t d_row, const char *s, int64_t s_row, int64_t rows, int64_t columns
) {
  switch (bytes) {
    case 1:
      transpose_uint8_t((uint8_t *)d, d_row, (const uint8_t *)s, s_row, rows, columns);
      break;
    case 2:
      transpose_uint16_t((uint16_t *)d, d_row, (const uint16_t *)s, s_row, rows, columns);
      break;
    case 4:
      if (rows == TILE && columns == TILE) {
        for (int i = 0; i < TILE; i += 4) {
          for (int j = 0; j < TILE; j += 4) {
            transpose_four((uint32_t *)d + i * d_row + j, d_row, (const uint32_t *)s + j * s_row + i, s_row);
          }
        }
      } else {
        transpose_uint32_t((uint32_t *)d, d_row, (const uint32_t *)s, s_row, rows, columns);
      }
      break;
    default:
      transpose_uint64_t((uint64_t *)d, d_row, (const uint64_t *)s, s_row, rows, columns);
  }
}

/// Strips begin … end - 1: each is one tile high and a whole row long, counted over all axes but the last.
static void transpose_task(void *ctx, int64_t begin, int64_t end) {
  const copy *c = ctx;
  const int last = c->rank - 1;
  for (int64_t strip = begin; strip < end; strip++) {
    int64_t to = 0, from = 0, rest = strip, rows = 0;
    for (int axis = last - 1; axis >= 0; axis--) {
      int64_t count = axis == c->across ? c->tiles : c->shape[axis];
      int64_t index = rest % count;
      rest /= count;
      if (axis == c->across) {
        index *= TILE;
        rows = tarn_least(TILE, c->shape[axis] - index);
      }
      to += index * c->to[axis];
      from += index * c->from[axis];
    }
    for (int64_t j = 0; j < c->shape[last]; j += TILE) {
      transpose_tile(
        c->bytes, c->dst + (to + j) * c->bytes, c->to[c->across], c->src + (from + j * c->from[last]) * c->bytes,
        c->from[last], rows, tarn_least(TILE, c->shape[last] - j));
    }
  }
}

static int transposed_axis(const copy *c) {
  const int last = c->rank - 1;
  if (c->to[last] != 1 || c->from[last] == 1 || c->from[last] == 0) return -1;
  for (int axis = 0; axis < last; axis++) {
    if (c->from[axis] == 1 && c->shape[axis] >= 4 && c->shape[last] >= 4) return axis;
  }
  return -1;
}

// MARK: All

void tarn_copy_strided(
  int64_t element_bytes, int rank, const int64_t *shape, char *dst, const int64_t *dst_strides, const char *src,
  const int64_t *src_strides
) {
  copy c = normalized(element_bytes, rank, shape, dst, dst_strides, src, src_strides);
  const int last = c.rank - 1;
  const int64_t piece = (128 << 10) / element_bytes;
  if (c.rank == 1 && c.to[0] == 1 && c.from[0] == 1) {
    tarn_parallel(c.shape[0], piece, copy_run_task, &c);
    return;
  }
  int64_t rows = 1;
  for (int axis = 0; axis < last; axis++) rows *= c.shape[axis];
  c.across = transposed_axis(&c);
  if (c.across >= 0) {
    c.tiles = tarn_ceil_div(c.shape[c.across], TILE);
    int64_t strips = rows / c.shape[c.across] * c.tiles;
    tarn_parallel(strips, tarn_greatest(1, piece / (c.shape[last] * TILE)), transpose_task, &c);
    return;
  }
  tarn_parallel(rows, tarn_greatest(1, piece / c.shape[last]), copy_rows_task, &c);
}
