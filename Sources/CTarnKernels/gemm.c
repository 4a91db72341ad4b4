// Matrix products from packed panels (Goto and van de Geijn, 2008).
//
// k is cut into blocks, and for each block all panels of B (up to a number of columns), then of A, are packed in
// parallel; then tiles of C are computed in parallel. k is never shared out, so threads do not change the bits.
#include <string.h>

#include "internal.h"

enum {
  /// Elements of k in a block: a panel of A stays in the first-level cache.
  DEPTH_F32 = 384,
  DEPTH_F64 = 256,
  /// Rows of A and columns of B packed at a time.
  MOST_ROWS = 2016,
  MOST_COLUMNS = 4096,
  /// A task's part of C, at most: its panels of B stay in the second-level cache.
  TASK_ROWS = 112,
  TASK_COLUMNS = 256,
};

typedef struct {
  const tarn_gemm *gemm;
  const tarn_level *level;
  int64_t bytes, mr, nr, padded_rows, most_depth;
  /// The block in hand.
  int64_t row, rows, column, columns, p, depth;
  char *a, *b;
  /// B is read where it lies.
  int in_place;
  int64_t task_rows, task_columns, row_tasks, tasks;
} gemm_job;

// MARK: Packing

static void pack_contiguous(
  const tarn_matrix *matrix, int64_t bytes, const char *src, int64_t count, int64_t k, char *dst, int64_t width
) {
  const tarn_level *level = tarn_level_now();
  const int same = matrix->dtype == TARN_DTYPE_F32 || matrix->dtype == TARN_DTYPE_F64;
  const int64_t step = matrix->ld * tarn_bytes_of(matrix->dtype), row = width * bytes, used = count * bytes;
  for (int64_t p = 0; p < k; p++, dst += row, src += step) {
    if (same) {
      memcpy(dst, src, (size_t)used);
    } else {
      level->loads[matrix->dtype](dst, src, 1, count);
    }
    if (count < width) memset(dst + used, 0, (size_t)(row - used));
  }
}

static void pack_across_converted(
  const tarn_matrix *matrix, const char *src, int64_t count, int64_t k, float *dst, int64_t width
) {
  const tarn_level *level = tarn_level_now();
  float run[256];
  for (int64_t p = 0; p < k; p += 256) {
    int64_t n = tarn_least(256, k - p);
    for (int64_t j = 0; j < count; j++) {
      level->loads[matrix->dtype](run, src + (j * matrix->ld + p) * 2, 1, n);
      for (int64_t q = 0; q < n; q++) dst[(p + q) * width + j] = run[q];
    }
  }
}

void tarn_pack_matrix(
  const void *source, int64_t first, int64_t count, int64_t p0, int64_t k, void *dst, int64_t width
) {
  const tarn_matrix *matrix = source;
  const int wide = matrix->dtype == TARN_DTYPE_F64;
  const int64_t bytes = wide ? 8 : 4, element = tarn_bytes_of(matrix->dtype);
  const char *data = matrix->data;
  if (!matrix->across) {
    pack_contiguous(matrix, bytes, data + (p0 * matrix->ld + first) * element, count, k, dst, width);
    return;
  }
  if (count < width) memset(dst, 0, (size_t)(k * width * bytes));
  data += (first * matrix->ld + p0) * element;
  if (element == bytes) {
    tarn_level_now()->pack_transposed[wide](dst, width, data, matrix->ld, count, k);
  } else {
    pack_across_converted(matrix, data, count, k, dst, width);
  }
}

/// Panels of a matrix whose columns follow one another, as many as are whole. Returns how many columns that is.
static int64_t pack_whole_panels(
  const tarn_matrix *matrix, int64_t first, int64_t count, int64_t p0, int64_t k, void *dst, int64_t width
) {
  const tarn_level *level = tarn_level_now();
  const int wide = matrix->dtype == TARN_DTYPE_F64, columns = width == level->nr[wide];
  if (matrix->across || (!wide && matrix->dtype != TARN_DTYPE_F32) || (!columns && width != level->mr)) return 0;
  const char *from = (const char *)matrix->data + (p0 * matrix->ld + first) * (wide ? 8 : 4);
  level->pack_panels[wide][columns](dst, from, matrix->ld, count / width, k);
  return count / width * width;
}

/// Rows of A or columns of B from `first` on, `count` of them: panels of `width`.
static void pack(
  const gemm_job *job, tarn_pack one, const void *source, int64_t first, int64_t count, char *panels, int64_t width
) {
  const int64_t k = job->depth, bytes = k * job->bytes;
  int64_t done = 0;
  if (one == tarn_pack_matrix) done = pack_whole_panels(source, first, count, job->p, k, panels, width);
  for (; done < count; done += width) {
    one(source, first + done, tarn_least(width, count - done), job->p, k, panels + done * bytes, width);
  }
}

static void pack_a_task(void *ctx, int64_t begin, int64_t end) {
  const gemm_job *job = ctx;
  const int64_t first = begin * job->mr, last = tarn_least(end * job->mr, job->rows);
  pack(
    job, job->gemm->pack_a, job->gemm->a, job->row + first, last - first, job->a + first * job->depth * job->bytes,
    job->mr);
}

static void pack_b_task(void *ctx, int64_t begin, int64_t end) {
  const gemm_job *job = ctx;
  const int64_t first = begin * job->nr, last = tarn_least(end * job->nr, job->columns);
  pack(
    job, job->gemm->pack_b, job->gemm->b, job->column + first, last - first,
    job->b + first * job->depth * job->bytes, job->nr);
}

// MARK: Tiles

static void tile_task(void *ctx, int64_t begin, int64_t end) {
  const gemm_job *job = ctx;
  const tarn_gemm *gemm = job->gemm;
  const int accumulate = gemm->accumulate || job->p > 0;
  for (int64_t task = begin; task < end; task++) {
    const int64_t i0 = task % job->row_tasks * job->task_rows, j0 = task / job->row_tasks * job->task_columns;
    const int64_t i1 = tarn_least(i0 + job->task_rows, job->rows);
    const int64_t j1 = tarn_least(j0 + job->task_columns, job->columns);
    for (int64_t i = i0; i < i1; i += job->mr) {
      const tarn_tile tile = job->level->tile[gemm->wide][tarn_least(job->mr, i1 - i) - 1];
      const char *a = job->a + i * job->depth * job->bytes;
      for (int64_t j = j0; j < j1; j += job->nr) {
        const char *b = job->b + j * job->depth * job->bytes;
        int64_t step = job->nr;
        if (job->in_place && job->column + j + job->nr <= gemm->n) {
          b = (const char *)gemm->plain_b + (job->p * gemm->ld_b + job->column + j) * job->bytes;
          step = gemm->ld_b;
        }
        char *c = (char *)gemm->c + ((job->row + i) * gemm->ld_c + job->column + j) * job->bytes;
        tile(job->depth, a, job->mr, b, step, c, gemm->ld_c, tarn_least(job->nr, job->columns - j), accumulate);
      }
    }
  }
}

/// Smaller tasks where there would be too few for the threads.
static void choose_tasks(gemm_job *job) {
  const int64_t wanted = 3 * tarn_threads();
  job->task_rows = tarn_greatest(job->mr, TASK_ROWS / job->mr * job->mr);
  job->task_columns = TASK_COLUMNS;
  for (;;) {
    job->row_tasks = tarn_ceil_div(job->rows, job->task_rows);
    job->tasks = tarn_ceil_div(job->columns, job->task_columns) * job->row_tasks;
    if (tarn_threads() == 1 || job->tasks >= wanted) return;
    if (job->task_columns > 2 * job->nr && job->columns > job->task_columns / 2) {
      job->task_columns = tarn_ceil_div(job->task_columns / 2, job->nr) * job->nr;
    } else if (job->task_rows > job->mr && job->rows > job->mr) {
      job->task_rows = tarn_ceil_div(job->task_rows / 2, job->mr) * job->mr;
    } else {
      return;
    }
  }
}

static void pack_rows(gemm_job *job) {
  tarn_parallel(
    tarn_ceil_div(job->rows, job->mr), tarn_greatest(4, 32768 / (job->mr * job->depth)), pack_a_task, job);
}

static void multiply_block(gemm_job *job) {
  // Below this many multiplications threads cost more than they give.
  const int together = job->rows * job->columns * job->depth >= 32768;
  if (job->gemm->packed_a) {
    job->a = (char *)job->gemm->packed_a + (job->p * job->padded_rows + job->row * job->depth) * job->bytes;
  } else {
    pack_rows(job);
  }
  choose_tasks(job);
  tarn_parallel(job->tasks, together ? 1 : job->tasks, tile_task, job);
}

static void pack_columns(gemm_job *job) {
  const int64_t panels = tarn_ceil_div(job->columns, job->nr);
  if (!job->in_place) {
    tarn_parallel(panels, tarn_greatest(4, 32768 / (job->nr * job->depth)), pack_b_task, job);
  } else if (job->columns % job->nr) {
    pack_b_task(job, panels - 1, panels);
  }
}

static gemm_job prepared(const tarn_gemm *gemm) {
  gemm_job job = {.gemm = gemm, .level = tarn_level_now(), .bytes = gemm->wide ? 8 : 4};
  const int64_t most_depth = gemm->wide ? DEPTH_F64 : DEPTH_F32;
  job.mr = job.level->mr;
  job.nr = job.level->nr[gemm->wide];
  job.padded_rows = tarn_ceil_div(gemm->m, job.mr) * job.mr;
  job.most_depth = tarn_ceil_div(gemm->k, tarn_ceil_div(gemm->k, most_depth));
  return job;
}

size_t tarn_gemm_packed_bytes(const tarn_gemm *gemm) {
  gemm_job job = prepared(gemm);
  return (size_t)(job.padded_rows * gemm->k * job.bytes);
}

void tarn_gemm_pack_a(const tarn_gemm *gemm, void *packed) {
  gemm_job job = prepared(gemm);
  job.rows = gemm->m;
  for (job.p = 0; job.p < gemm->k; job.p += job.most_depth) {
    job.depth = tarn_least(job.most_depth, gemm->k - job.p);
    job.a = (char *)packed + job.p * job.padded_rows * job.bytes;
    pack_rows(&job);
  }
}

/// `count` in as few equal parts of whole panels as have at most `most`.
static int64_t equal_part(int64_t count, int64_t most, int64_t panel) {
  return tarn_ceil_div(tarn_ceil_div(count, tarn_ceil_div(count, most)), panel) * panel;
}

int tarn_gemm_run(const tarn_gemm *gemm) {
  gemm_job job = prepared(gemm);
  // Packing B pays from the third panel of A on.
  job.in_place = gemm->plain_b && gemm->m <= 2 * job.mr;
  const int64_t depth = job.most_depth;
  const int64_t rows = equal_part(gemm->m, MOST_ROWS, job.mr), columns = equal_part(gemm->n, MOST_COLUMNS, job.nr);
  if (!gemm->packed_a) {
    job.a = tarn_scratch(TARN_SCRATCH_PACK_A, (size_t)(rows * depth * job.bytes));
    if (!job.a) return TARN_NO_MEMORY;
  }
  job.b = tarn_scratch(TARN_SCRATCH_PACK_B, (size_t)(columns * depth * job.bytes));
  if (!job.b) return TARN_NO_MEMORY;
  for (job.column = 0; job.column < gemm->n; job.column += columns) {
    job.columns = tarn_least(columns, gemm->n - job.column);
    for (job.p = 0; job.p < gemm->k; job.p += depth) {
      job.depth = tarn_least(depth, gemm->k - job.p);
      pack_columns(&job);
      for (job.row = 0; job.row < gemm->m; job.row += rows) {
        job.rows = tarn_least(rows, gemm->m - job.row);
        multiply_block(&job);
      }
    }
  }
  return TARN_OK;
}
