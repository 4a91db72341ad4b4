// Batches of matrix products of every type.
#include <string.h>

#include "internal.h"

typedef struct {
  int dtype, transpose_a, transpose_b;
  int64_t batch, m, n, k, bytes;
  const char *a, *b;
  int64_t stride_a, stride_b;
  char *c;
  int *status;
} matmul;

static void note(const matmul *job, int status) {
  if (status) __atomic_store_n(job->status, status, __ATOMIC_RELAXED);
}

// MARK: Floating

static int is_half(int dtype) { return dtype == TARN_DTYPE_F16 || dtype == TARN_DTYPE_BF16; }

typedef struct {
  const matmul *job;
  const char *matrix, *vector;
  char *out;
  int64_t length;
  /// Whether the matrix is stored with the summed axis innermost.
  int dots;
} vector_job;

static void vector_task(void *ctx, int64_t begin, int64_t end) {
  const vector_job *v = ctx;
  const matmul *job = v->job;
  const tarn_level *level = tarn_level_now();
  const int wide = job->dtype == TARN_DTYPE_F64;
  const int64_t first = v->dots ? begin * job->k : begin;
  tarn_matrix_vector multiply = v->dots ? level->dots[wide] : level->combination[wide];
  multiply(
    v->out + begin * job->bytes, v->vector, v->matrix + first * job->bytes, v->dots ? job->k : v->length, end - begin,
    job->k);
}

/// One row of A or one column of B.
static void multiply_vector(const matmul *job, const char *a, const char *b, char *c) {
  vector_job v = {.job = job, .out = c};
  if (job->m == 1) {
    v.vector = a, v.matrix = b, v.length = job->n, v.dots = job->transpose_b;
  } else {
    v.vector = b, v.matrix = a, v.length = job->m, v.dots = !job->transpose_a;
  }
  // Pieces of whole groups of rows or whole lines.
  int64_t piece = tarn_ceil_div(tarn_greatest(64, 65536 / job->k), 64) * 64;
  tarn_parallel(v.length, tarn_least(piece, v.dots ? v.length : 2048), vector_task, &v);
}

/// The most rows of A for which packing B, stored [n, k], would cost more than it gives.
enum { FEW_ROWS = 128, FEW_ROWS_DEPTH = 384 };

typedef struct {
  const matmul *job;
  const tarn_level *level;
  const float *b;
  float *c;
  /// Panels [k, width] of A across.
  const float *packed;
  int64_t panels, width;
  /// Whether panels are two vectors wide.
  int is_wide;
} few_rows_job;

/// Tiles of C across: some rows of B, read where they lie, times all of A.
static void few_rows_task(void *ctx, int64_t begin, int64_t end) {
  const few_rows_job *few = ctx;
  const matmul *job = few->job;
  const int64_t mr = few->level->mr, width = few->width, k = job->k;
  const int64_t parts = tarn_ceil_div(k, FEW_ROWS_DEPTH), most = tarn_ceil_div(k, parts);
  // While a tile is made, each step of k fetches its share of the next one's rows.
  const int64_t fetched = tarn_ceil_div(mr, few->panels);
  _Alignas(64) float sums[TARN_MOST_TILE_ROWS * 2 * FEW_ROWS];
  for (int64_t j = begin * mr; j < tarn_least(end * mr, job->n); j += mr) {
    const int64_t rows = tarn_least(mr, job->n - j);
    const float *b = few->b + j * k, *ahead = b + mr * k;
    for (int64_t p = 0; p < k; p += most) {
      const int64_t depth = tarn_least(most, k - p);
      for (int64_t panel = 0; panel < few->panels; panel++) {
        few->level->row_tile[few->is_wide][rows - 1](
          depth, b + p, k, few->packed + (panel * k + p) * width, width, sums + panel * rows * width, width, p > 0,
          ahead, fetched);
        ahead += depth * fetched;
      }
    }
    for (int64_t panel = 0; panel < few->panels; panel++) {
      few->level->pack_transposed[0](
        few->c + panel * width * job->n + j, job->n, sums + panel * rows * width, width, rows,
        tarn_least(width, job->m - panel * width));
    }
  }
}

/// C = A B with few rows of A, as B transposed is read where it lies. Each sum is made in the order of `tarn_gemm_run`.
static int multiply_few_rows(const matmul *job, const tarn_matrix *a, const char *b, void *c) {
  few_rows_job few = {.job = job, .level = tarn_level_now(), .b = (const float *)b, .c = c};
  few.is_wide = 2 * job->m > few.level->nr[0];
  few.width = few.is_wide ? few.level->nr[0] : few.level->nr[0] / 2;
  few.panels = tarn_ceil_div(job->m, few.width);
  float *packed = tarn_scratch(TARN_SCRATCH_PACK_A, (size_t)(few.panels * few.width * job->k) * sizeof(float));
  if (!packed) return TARN_NO_MEMORY;
  for (int64_t panel = 0; panel < few.panels; panel++) {
    const int64_t first = panel * few.width;
    tarn_pack_matrix(
      a, first, tarn_least(few.width, job->m - first), 0, job->k, packed + first * job->k, few.width);
  }
  few.packed = packed;
  tarn_parallel(
    tarn_ceil_div(job->n, few.level->mr), tarn_greatest(1, 400000 / (job->m * job->k * few.level->mr)), few_rows_task, &few);
  return TARN_OK;
}

/// Elements of B from which on packing it for one panel of rows costs more than columns that are not there.
enum { LARGE_FACTOR = 1 << 17 };

/// Whether the rows of A are few, and fill panels well or are one panel for a large B.
static int has_few_rows(const matmul *job) {
  const tarn_level *level = tarn_level_now();
  const int64_t width = level->nr[0], padded = tarn_ceil_div(job->m, width) * width;
  const int fills = 8 * padded <= 9 * job->m, is_one = job->m <= width && job->n * job->k >= LARGE_FACTOR;
  return job->dtype == TARN_DTYPE_F32 && job->transpose_b && job->m <= FEW_ROWS && (fills || is_one) &&
         job->n >= 4 * level->mr && job->k >= 64;
}

static int multiply_matrix(const matmul *job, const char *a, const char *b, void *c) {
  tarn_matrix left = {a, job->transpose_a ? job->m : job->k, !job->transpose_a, job->dtype};
  tarn_matrix right = {b, job->transpose_b ? job->k : job->n, job->transpose_b, job->dtype};
  tarn_gemm gemm = {
    .wide = job->dtype == TARN_DTYPE_F64, .m = job->m, .n = job->n, .k = job->k, .pack_a = tarn_pack_matrix,
    .pack_b = tarn_pack_matrix, .a = &left, .b = &right, .c = c, .ld_c = job->n};
  if (has_few_rows(job)) return multiply_few_rows(job, &left, b, c);
  if (!job->transpose_b && !is_half(job->dtype)) gemm.plain_b = b, gemm.ld_b = job->n;
  return tarn_gemm_run(&gemm);
}

/// Results larger than this go past the caches.
enum { LARGE_PRODUCT = 8 << 20 };

/// Rows of products of a column and a row, of every matrix of the batch.
static void outer_task(void *ctx, int64_t begin, int64_t end) {
  const matmul *job = ctx;
  const tarn_level *level = tarn_level_now();
  const tarn_kernel multiply = level->ops[TARN_MUL][job->dtype == TARN_DTYPE_F64 ? TARN_F64 : TARN_F32];
  const int64_t bytes = job->n * job->bytes;
  const int streams = job->batch * job->m * bytes >= LARGE_PRODUCT && bytes % 64 == 0 && ((uintptr_t)job->c & 63) == 0;
  char *row = streams ? tarn_scratch(TARN_SCRATCH_TILE, (size_t)bytes) : NULL;
  for (int64_t i = begin; i < end; i++) {
    const char *a = job->a + (i / job->m * job->stride_a + i % job->m) * job->bytes;
    const char *b = job->b + i / job->m * job->stride_b * job->bytes;
    char *c = job->c + i * bytes;
    multiply(row ? row : c, a, b, b, job->n, 1);
    if (row) level->stream(c, row, bytes);
  }
}

typedef struct {
  int dtype;
  const float *from;
  char *to;
} narrowing;

static void narrow_task(void *ctx, int64_t begin, int64_t end) {
  const narrowing *job = ctx;
  tarn_level_now()->stores[job->dtype](job->to + begin * 2, job->from + begin, 1, end - begin);
}

static int multiply_half(const matmul *job, const char *a, const char *b, char *c) {
  float *wide = tarn_scratch(TARN_SCRATCH_TILE, (size_t)(job->m * job->n) * sizeof(float));
  if (!wide) return TARN_NO_MEMORY;
  int status = multiply_matrix(job, a, b, wide);
  narrowing finish = {job->dtype, wide, c};
  tarn_parallel(job->m * job->n, 32768, narrow_task, &finish);
  return status;
}

static void batch_task(void *ctx, int64_t begin, int64_t end) {
  const matmul *job = ctx;
  for (int64_t i = begin; i < end; i++) {
    const char *a = job->a + i * job->stride_a * job->bytes, *b = job->b + i * job->stride_b * job->bytes;
    char *c = job->c + i * job->m * job->n * job->bytes;
    if (is_half(job->dtype)) {
      note(job, multiply_half(job, a, b, c));
    } else if (job->m == 1 || job->n == 1) {
      multiply_vector(job, a, b, c);
    } else {
      note(job, multiply_matrix(job, a, b, c));
    }
  }
}

/// Products go to the threads whole if there are many or they are small, else one after another, each on all threads.
static void multiply_floating(matmul *job) {
  const int64_t work = job->m * job->n * job->k;
  if (job->k == 1 && !is_half(job->dtype)) {
    tarn_parallel(job->batch * job->m, tarn_greatest(1, 65536 / job->n), outer_task, job);
    return;
  }
  if (job->batch >= 4 * tarn_threads() || work < 65536) {
    tarn_parallel(job->batch, tarn_greatest(1, 65536 / tarn_greatest(work, 1)), batch_task, job);
  } else {
    batch_task(job, 0, job->batch);
  }
}

// MARK: Integer

/// Rows of C, each the sum of rows of B.
#define INTEGER_ROWS(T, U)                                                                                     \
  static void rows_##T(const matmul *job, const T *a, const T *b, T *c, int64_t i) {                           \
    const int64_t m = job->m, n = job->n, k = job->k;                                                          \
    c += i * n;                                                                                                \
    memset(c, 0, (size_t)n * sizeof *c);                                                                       \
    for (int64_t p = 0; p < k; p++) {                                                                          \
      U x = (U)(job->transpose_a ? a[p * m + i] : a[i * k + p]);                                               \
      if (job->transpose_b) {                                                                                  \
        for (int64_t j = 0; j < n; j++) c[j] = (T)((U)c[j] + x * (U)b[j * k + p]);                             \
      } else {                                                                                                 \
        for (int64_t j = 0; j < n; j++) c[j] = (T)((U)c[j] + x * (U)b[p * n + j]);                             \
      }                                                                                                        \
    }                                                                                                          \
  }

INTEGER_ROWS(uint8_t, uint32_t)
INTEGER_ROWS(int32_t, uint32_t)
INTEGER_ROWS(int64_t, uint64_t)

static void integer_task(void *ctx, int64_t begin, int64_t end) {
  const matmul *job = ctx;
  for (int64_t row = begin; row < end; row++) {
    const int64_t i = row / job->m;
    const void *a = job->a + i * job->stride_a * job->bytes, *b = job->b + i * job->stride_b * job->bytes;
    void *c = job->c + i * job->m * job->n * job->bytes;
    switch (job->bytes) {
      case 1:
        rows_uint8_t(job, a, b, c, row % job->m);
        break;
      case 4:
        rows_int32_t(job, a, b, c, row % job->m);
        break;
      default:
        rows_int64_t(job, a, b, c, row % job->m);
    }
  }
}

// MARK: All

int tarn_matmul(
  int dtype, int transpose_a, int transpose_b, int64_t batch, int64_t m, int64_t n, int64_t k, const void *a,
  int64_t stride_a, const void *b, int64_t stride_b, void *c
) {
  if (dtype <= TARN_DTYPE_BOOL || dtype > TARN_DTYPE_F64) return TARN_BAD_ARGUMENT;
  int status = TARN_OK;
  if (stride_b == 0 && !transpose_a && stride_a == m * k) {
    // Every batch has the same B, and their rows follow one another: one product.
    m *= batch;
    batch = batch > 0;
  }
  matmul job = {
    .dtype = dtype, .transpose_a = transpose_a, .transpose_b = transpose_b, .batch = batch, .m = m, .n = n, .k = k,
    .bytes = tarn_bytes_of(dtype), .a = a, .b = b, .stride_a = stride_a, .stride_b = stride_b, .c = c,
    .status = &status};
  if (batch <= 0 || m <= 0 || n <= 0) return TARN_OK;
  if (k <= 0) {
    memset(c, 0, (size_t)(batch * m * n * job.bytes));
  } else if (dtype >= TARN_DTYPE_F16) {
    multiply_floating(&job);
  } else {
    tarn_parallel(batch * m, tarn_greatest(1, 65536 / (n * k)), integer_task, &job);
  }
  return status;
}
