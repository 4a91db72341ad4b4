// Pooling windows, row by row: each element of the window is taken for a whole row of results at a time.
#include <string.h>

#include "internal.h"

typedef struct {
  const tarn_window *window;
  const void *from;
  void *to;
  int *status;
} pool_job;

/// The outputs [first, last) whose input position output * stride + shift lies in [0, size).
static void reach(int64_t size, int64_t outputs, int64_t stride, int64_t shift, int64_t *first, int64_t *last) {
  *first = shift >= 0 ? 0 : tarn_ceil_div(-shift, stride);
  *last = size <= shift ? 0 : tarn_least(outputs, (size - 1 - shift) / stride + 1);
}

// MARK: Rows of results

#define POOL_ROWS(T)                                                                                           \
  static void largest_row_##T(T *y, const T *x, int64_t stride, int64_t n) {                                   \
    for (int64_t j = 0; j < n; j++) {                                                                          \
      T v = x[j * stride];                                                                                     \
      y[j] = ((v > y[j]) | (v != v)) ? v : y[j];                                                               \
    }                                                                                                          \
  }                                                                                                            \
  static void sum_row_##T(T *y, const T *x, int64_t stride, int64_t n) {                                       \
    for (int64_t j = 0; j < n; j++) y[j] += x[j * stride];                                                     \
  }                                                                                                            \
  static void spread_row_##T(T *dx, const T *g, int64_t stride, int64_t n) {                                   \
    for (int64_t j = 0; j < n; j++) dx[j * stride] += g[j];                                                    \
  }                                                                                                            \
  static void place_row_##T(int32_t *places, T *best, const T *x, int32_t place, int64_t stride, int64_t n) {  \
    for (int64_t j = 0; j < n; j++) {                                                                          \
      T v = x[j * stride], old = best[j];                                                                      \
      int better = (places[j] < 0) | (v > old) | ((v != v) & (old == old));                                    \
      best[j] = better ? v : old;                                                                              \
      places[j] = better ? place + (int32_t)(j * stride) : places[j];                                          \
    }                                                                                                          \
  }

POOL_ROWS(float)
POOL_ROWS(double)

// MARK: Planes

/// For every element (r, s) of the window and every row of results: ACTION with `out` and `in` at the first results
/// it reaches, n of them.
#define EVERY_ROW(T_OUT, T_IN, out_plane, in_plane, ACTION)                                                    \
  for (int64_t i = 0; i < w->oh; i++) {                                                                        \
    for (int64_t r = 0; r < w->size[0]; r++) {                                                                 \
      const int64_t y = i * w->stride[0] - w->low[0] + r * w->dilation[0];                                     \
      if (y < 0 || y >= w->h) continue;                                                                        \
      for (int64_t s = 0; s < w->size[1]; s++) {                                                               \
        const int64_t shift = s * w->dilation[1] - w->low[1];                                                  \
        int64_t first, last;                                                                                   \
        reach(w->w, w->ow, w->stride[1], shift, &first, &last);                                                \
        if (first >= last) continue;                                                                           \
        const int64_t n = last - first, at = y * w->w + first * w->stride[1] + shift;                          \
        T_OUT *out = (out_plane) + i * w->ow + first;                                                          \
        T_IN *in = (in_plane) + at;                                                                            \
        ACTION;                                                                                                \
      }                                                                                                        \
    }                                                                                                          \
  }

#define POOL_TASKS(T)                                                                                          \
  static void largest_task_##T(void *ctx, int64_t begin, int64_t end) {                                        \
    const pool_job *job = ctx;                                                                                 \
    const tarn_window *w = job->window;                                                                        \
    for (int64_t p = begin; p < end; p++) {                                                                    \
      T *plane = (T *)job->to + p * w->oh * w->ow;                                                             \
      for (int64_t i = 0; i < w->oh * w->ow; i++) plane[i] = (T)-__builtin_inf();                              \
      EVERY_ROW(T, const T, plane, (const T *)job->from + p * w->h * w->w,                                     \
                largest_row_##T(out, in, w->stride[1], n))                                                     \
    }                                                                                                          \
  }                                                                                                            \
  static void sum_task_##T(void *ctx, int64_t begin, int64_t end) {                                            \
    const pool_job *job = ctx;                                                                                 \
    const tarn_window *w = job->window;                                                                        \
    for (int64_t p = begin; p < end; p++) {                                                                    \
      T *plane = (T *)job->to + p * w->oh * w->ow;                                                             \
      memset(plane, 0, (size_t)(w->oh * w->ow) * sizeof(T));                                                   \
      EVERY_ROW(T, const T, plane, (const T *)job->from + p * w->h * w->w,                                     \
                sum_row_##T(out, in, w->stride[1], n))                                                         \
    }                                                                                                          \
  }                                                                                                            \
  static void spread_task_##T(void *ctx, int64_t begin, int64_t end) {                                         \
    const pool_job *job = ctx;                                                                                 \
    const tarn_window *w = job->window;                                                                        \
    for (int64_t p = begin; p < end; p++) {                                                                    \
      T *plane = (T *)job->to + p * w->h * w->w;                                                               \
      memset(plane, 0, (size_t)(w->h * w->w) * sizeof(T));                                                     \
      EVERY_ROW(const T, T, (const T *)job->from + p * w->oh * w->ow, plane,                                   \
                spread_row_##T(in, out, w->stride[1], n))                                                      \
    }                                                                                                          \
  }                                                                                                            \
  static void place_task_##T(void *ctx, int64_t begin, int64_t end) {                                          \
    const pool_job *job = ctx;                                                                                 \
    const tarn_window *w = job->window;                                                                        \
    const int64_t size = w->oh * w->ow;                                                                        \
    T *best = tarn_scratch(TARN_SCRATCH_TILE, (size_t)size * sizeof(T));                                       \
    if (!best) {                                                                                               \
      __atomic_store_n(job->status, TARN_NO_MEMORY, __ATOMIC_RELAXED);                                         \
      return;                                                                                                  \
    }                                                                                                          \
    for (int64_t p = begin; p < end; p++) {                                                                    \
      int32_t *plane = (int32_t *)job->to + p * size;                                                          \
      memset(plane, -1, (size_t)size * sizeof *plane);                                                         \
      EVERY_ROW(int32_t, const T, plane, (const T *)job->from + p * w->h * w->w,                               \
                place_row_##T(out, best + (out - plane), in, (int32_t)at, w->stride[1], n))                    \
      for (int64_t i = 0; i < size; i++) plane[i] = plane[i] < 0 ? 0 : plane[i];                               \
    }                                                                                                          \
  }

POOL_TASKS(float)
POOL_TASKS(double)

// MARK: All

static int run(int dtype, const tarn_window *w, const void *from, void *to, tarn_task for_float, tarn_task for_double) {
  if (dtype != TARN_DTYPE_F32 && dtype != TARN_DTYPE_F64) return TARN_BAD_ARGUMENT;
  if (w->stride[0] < 1 || w->stride[1] < 1 || w->h * w->w > INT32_MAX) return TARN_BAD_ARGUMENT;
  int status = TARN_OK;
  pool_job job = {w, from, to, &status};
  const int64_t work = tarn_greatest(1, w->oh * w->ow * w->size[0] * w->size[1]);
  tarn_parallel(w->planes, tarn_greatest(1, 16384 / work), dtype == TARN_DTYPE_F32 ? for_float : for_double, &job);
  return status;
}

int tarn_window_argmax(int dtype, const tarn_window *window, const void *x, int32_t *out) {
  return run(dtype, window, x, out, place_task_float, place_task_double);
}

int tarn_max_pool(int dtype, const tarn_window *window, const void *x, void *y) {
  return run(dtype, window, x, y, largest_task_float, largest_task_double);
}

int tarn_window_sum(int dtype, const tarn_window *window, const void *x, void *y) {
  return run(dtype, window, x, y, sum_task_float, sum_task_double);
}

int tarn_window_spread(int dtype, const tarn_window *window, const void *g, void *dx) {
  return run(dtype, window, g, dx, spread_task_float, spread_task_double);
}
