// Pooling of blocked images.
#include <string.h>

#include "blocked_memory.h"

typedef struct {
  const struct tarn_blocked_memory *kernels;
  const tarn_window *window;
  const float *x, *g;
  float *y, *dx;
  int *status;
} pool_job;

static int64_t *room_for_rows(const pool_job *job) {
  int64_t *rows = tarn_scratch(TARN_SCRATCH_OFFSETS, (size_t)job->window->size[0] * sizeof *rows);
  if (!rows) __atomic_store_n(job->status, TARN_NO_MEMORY, __ATOMIC_RELAXED);
  return rows;
}

/// The image's rows that row i of the results reaches.
static tarn_window_rows rows_of(const tarn_window *w, int64_t i, int64_t *rows) {
  tarn_window_rows found = {.rows = rows};
  for (int64_t r = 0; r < w->size[0]; r++) {
    const int64_t row = i * w->stride[0] - w->low[0] + r * w->dilation[0];
    if (row >= 0 && row < w->h) rows[found.count++] = row;
  }
  return found;
}

// MARK: Forward: rows of results

static void pool(const pool_job *job, int64_t begin, int64_t end, int largest) {
  const tarn_window *w = job->window;
  int64_t *memory = room_for_rows(job);
  if (!memory) return;
  for (int64_t i = begin; i < end; i++) {
    const tarn_window_rows rows = rows_of(w, i % w->oh, memory);
    const float *image = job->x + i / w->oh * w->h * w->w * TARN_LANES;
    (largest ? job->kernels->largest : job->kernels->sum)(w, &rows, image, job->y + i * w->ow * TARN_LANES);
  }
}

static void largest_task(void *ctx, int64_t begin, int64_t end) { pool(ctx, begin, end, 1); }
static void sum_task(void *ctx, int64_t begin, int64_t end) { pool(ctx, begin, end, 0); }

// MARK: Backward: planes

/// Adds every row of g to the image; the image's rows become 0 just before they are reached.
static void spread_task(void *ctx, int64_t begin, int64_t end) {
  const pool_job *job = ctx;
  const tarn_window *w = job->window;
  int64_t *memory = room_for_rows(job);
  if (!memory) return;
  const int64_t row = w->w * TARN_LANES;
  for (int64_t plane = begin; plane < end; plane++) {
    const float *image = job->x ? job->x + plane * w->h * row : NULL;
    float *dx = job->dx + plane * w->h * row;
    int64_t cleared = 0;
    for (int64_t i = 0; i <= w->oh; i++) {
      const tarn_window_rows rows = i < w->oh ? rows_of(w, i, memory) : (tarn_window_rows){0};
      const int64_t needed = i == w->oh ? w->h : rows.count ? rows.rows[rows.count - 1] + 1 : 0;
      if (needed > cleared) {
        memset(dx + cleared * row, 0, (size_t)((needed - cleared) * row) * sizeof *dx);
        cleared = needed;
      }
      const float *g = job->g + (plane * w->oh + i) * w->ow * TARN_LANES;
      if (rows.count == 0) continue;
      if (image) {
        job->kernels->to_largest(w, &rows, image, g, dx);
      } else {
        job->kernels->spread(w, &rows, g, dx);
      }
    }
  }
}

// MARK: All

static int run(const tarn_window *w, pool_job job, int backward, tarn_task task) {
  if (w->stride[0] < 1 || w->stride[1] < 1 || w->dilation[0] < 1 || w->dilation[1] < 1) return TARN_BAD_ARGUMENT;
  int status = TARN_OK;
  job.kernels = tarn_level_now()->blocked_memory;
  job.window = w;
  job.status = &status;
  int64_t cost = tarn_greatest(1, w->ow * w->size[0] * w->size[1]);
  if (backward) cost = tarn_greatest(cost * w->oh, w->h * w->w);
  tarn_parallel(backward ? w->planes : w->planes * w->oh, tarn_greatest(1, 1024 / cost), task, &job);
  return status;
}

int tarn_blocked_max_pool(const tarn_window *window, const float *x, float *y) {
  return run(window, (pool_job){.x = x, .y = y}, 0, largest_task);
}

int tarn_blocked_max_pool_gradient(const tarn_window *window, const float *x, const float *g, float *dx) {
  return run(window, (pool_job){.x = x, .g = g, .dx = dx}, 1, spread_task);
}

int tarn_blocked_window_sum(const tarn_window *window, const float *x, float *y) {
  return run(window, (pool_job){.x = x, .y = y}, 0, sum_task);
}

int tarn_blocked_window_spread(const tarn_window *window, const float *g, float *dx) {
  return run(window, (pool_job){.g = g, .dx = dx}, 1, spread_task);
}
