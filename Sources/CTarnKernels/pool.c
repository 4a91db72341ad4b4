// Pooling windows, row by row: each element of the window is taken for a whole row of results at a time.
#include <string.h>

#include "internal.h"

typedef struct {
  const tarn_window *window;
  const void *from, *other;
  void *to;
  int *status;
} pool_job;

/// The outputs [first, last) whose input position output * stride + shift lies in [0, size).
static void reach(int64_t size, int64_t outputs, int64_t stride, int64_t shift, int64_t *first, int64_t *last) {
  *first = shift >= 0 ? 0 : tarn_ceil_div(-shift, stride);
  *last = size <= shift ? 0 : tarn_least(outputs, (size - 1 - shift) / stride + 1);
}

/// 2×2 elements, 2 apart, all of them within the plane.
static int is_in_pairs(const tarn_window *w) {
  return w->size[0] == 2 && w->size[1] == 2 && w->stride[0] == 2 && w->stride[1] == 2 && w->low[0] == 0 &&
         w->low[1] == 0 && w->dilation[0] == 1 && w->dilation[1] == 1 && 2 * w->oh <= w->h && 2 * w->ow <= w->w;
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

/// Null if there is no memory, which is noted.
static void *scratch_of(const pool_job *job, size_t bytes) {
  void *memory = tarn_scratch(TARN_SCRATCH_TILE, bytes);
  if (!memory) __atomic_store_n(job->status, TARN_NO_MEMORY, __ATOMIC_RELAXED);
  return memory;
}

#define POOL_TASKS(T)                                                                                          \
  static void largest_task_##T(void *ctx, int64_t begin, int64_t end) {                                        \
    const pool_job *job = ctx;                                                                                 \
    const tarn_window *w = job->window;                                                                        \
    for (int64_t p = begin; p < end; p++) {                                                                    \
      T *plane = (T *)job->to + p * w->oh * w->ow;                                                             \
      if (is_in_pairs(w)) {                                                                                    \
        const T *x = (const T *)job->from + p * w->h * w->w;                                                   \
        for (int64_t i = 0; i < w->oh; i++, x += 2 * w->w) {                                                   \
          tarn_level_now()->pool_pairs[sizeof(T) == 8](plane + i * w->ow, x, x + w->w, w->ow);                 \
        }                                                                                                      \
        continue;                                                                                              \
      }                                                                                                        \
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
  /** Of each window of a plane, the place of its largest element. */                                         \
  static void find_places_##T(const tarn_window *w, const T *x, int32_t *plane, T *best) {                     \
    const int64_t size = w->oh * w->ow;                                                                        \
    memset(plane, -1, (size_t)size * sizeof *plane);                                                           \
    EVERY_ROW(int32_t, const T, plane, x,                                                                      \
              place_row_##T(out, best + (out - plane), in, (int32_t)at, w->stride[1], n))                      \
    for (int64_t i = 0; i < size; i++) plane[i] = plane[i] < 0 ? 0 : plane[i];                                 \
  }                                                                                                            \
  static void place_task_##T(void *ctx, int64_t begin, int64_t end) {                                          \
    const pool_job *job = ctx;                                                                                 \
    const tarn_window *w = job->window;                                                                        \
    const int64_t size = w->oh * w->ow;                                                                        \
    T *best = scratch_of(job, (size_t)size * sizeof(T));                                                       \
    for (int64_t p = begin; p < end && best; p++) {                                                            \
      find_places_##T(w, (const T *)job->from + p * w->h * w->w, (int32_t *)job->to + p * size, best);         \
    }                                                                                                          \
  }                                                                                                            \
  static void gradient_task_##T(void *ctx, int64_t begin, int64_t end) {                                       \
    const pool_job *job = ctx;                                                                                 \
    const tarn_window *w = job->window;                                                                        \
    const int64_t size = w->oh * w->ow;                                                                        \
    T *best = scratch_of(job, (size_t)size * (sizeof(T) + sizeof(int32_t)));                                   \
    int32_t *places = (int32_t *)(best + size);                                                                \
    for (int64_t p = begin; p < end && best; p++) {                                                            \
      const T *x = (const T *)job->from + p * w->h * w->w, *g = (const T *)job->other + p * size;              \
      T *dx = (T *)job->to + p * w->h * w->w;                                                                  \
      if (!is_in_pairs(w) || w->h != 2 * w->oh || w->w != 2 * w->ow) {                                         \
        memset(dx, 0, (size_t)(w->h * w->w) * sizeof(T));                                                      \
      }                                                                                                        \
      if (is_in_pairs(w)) {                                                                                    \
        for (int64_t i = 0; i < w->oh; i++, x += 2 * w->w, dx += 2 * w->w) {                                   \
          tarn_level_now()->unpool_pairs[sizeof(T) == 8](dx, dx + w->w, x, x + w->w, g + i * w->ow, w->ow);    \
        }                                                                                                      \
        continue;                                                                                              \
      }                                                                                                        \
      find_places_##T(w, x, places, best);                                                                     \
      for (int64_t i = 0; i < size; i++) dx[places[i]] += g[i];                                                \
    }                                                                                                          \
  }                                                                                                            \
  static void choice_task_##T(void *ctx, int64_t begin, int64_t end) {                                         \
    const pool_job *job = ctx;                                                                                 \
    const tarn_window *w = job->window;                                                                        \
    const int64_t size = w->oh * w->ow;                                                                        \
    T *best = scratch_of(job, (size_t)size * (sizeof(T) + sizeof(int32_t)));                                   \
    int32_t *places = (int32_t *)(best + size);                                                                \
    for (int64_t p = begin; p < end && best; p++) {                                                            \
      const T *x = (const T *)job->from + p * w->h * w->w, *t = (const T *)job->other + p * w->h * w->w;       \
      T *y = (T *)job->to + p * size;                                                                          \
      if (is_in_pairs(w)) {                                                                                    \
        for (int64_t i = 0; i < w->oh; i++, x += 2 * w->w, t += 2 * w->w) {                                    \
          tarn_level_now()->choose_pairs[sizeof(T) == 8](y + i * w->ow, x, x + w->w, t, t + w->w, w->ow);      \
        }                                                                                                      \
        continue;                                                                                              \
      }                                                                                                        \
      find_places_##T(w, x, places, best);                                                                     \
      for (int64_t i = 0; i < size; i++) y[i] = t[places[i]];                                                  \
    }                                                                                                          \
  }

POOL_TASKS(float)
POOL_TASKS(double)

// MARK: All

static int run_with(
  int dtype, const tarn_window *w, const void *from, const void *other, void *to, tarn_task for_float,
  tarn_task for_double
) {
  if (dtype != TARN_DTYPE_F32 && dtype != TARN_DTYPE_F64) return TARN_BAD_ARGUMENT;
  if (w->stride[0] < 1 || w->stride[1] < 1 || w->h * w->w > INT32_MAX) return TARN_BAD_ARGUMENT;
  int status = TARN_OK;
  pool_job job = {.window = w, .from = from, .other = other, .to = to, .status = &status};
  const int64_t work = tarn_greatest(1, w->oh * w->ow * w->size[0] * w->size[1]);
  tarn_parallel(w->planes, tarn_greatest(1, 16384 / work), dtype == TARN_DTYPE_F32 ? for_float : for_double, &job);
  return status;
}

static int run(int dtype, const tarn_window *w, const void *from, void *to, tarn_task for_float, tarn_task for_double) {
  return run_with(dtype, w, from, NULL, to, for_float, for_double);
}

int tarn_window_argmax(int dtype, const tarn_window *window, const void *x, int32_t *out) {
  return run(dtype, window, x, out, place_task_float, place_task_double);
}

int tarn_max_pool(int dtype, const tarn_window *window, const void *x, void *y) {
  return run(dtype, window, x, y, largest_task_float, largest_task_double);
}

int tarn_max_pool_gradient(int dtype, const tarn_window *window, const void *x, const void *g, void *dx) {
  if (window->h * window->w == 0) return TARN_OK;
  return run_with(dtype, window, x, g, dx, gradient_task_float, gradient_task_double);
}

int tarn_max_pool_choice(int dtype, const tarn_window *window, const void *x, const void *t, void *y) {
  if (window->h * window->w == 0) {
    memset(y, 0, (size_t)(window->planes * window->oh * window->ow) * (dtype == TARN_DTYPE_F64 ? 8 : 4));
    return TARN_OK;
  }
  return run_with(dtype, window, x, t, y, choice_task_float, choice_task_double);
}

int tarn_window_sum(int dtype, const tarn_window *window, const void *x, void *y) {
  return run(dtype, window, x, y, sum_task_float, sum_task_double);
}

int tarn_window_spread(int dtype, const tarn_window *window, const void *g, void *dx) {
  return run(dtype, window, g, dx, spread_task_float, spread_task_double);
}
