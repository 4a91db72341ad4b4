// Functions of the rows of a matrix: softmax, cross-entropy, layer normalisation.
#include <math.h>

#include "internal.h"

typedef struct {
  const tarn_level *level;
  int wide, wide_labels;
  /// Whether y is too large for the caches.
  int past_caches;
  int64_t n, bytes;
  const char *x, *g, *gamma, *beta;
  const void *labels;
  double smoothing, eps;
  char *y;
} row_job;

static int is_float(int dtype) { return dtype == TARN_DTYPE_F32 || dtype == TARN_DTYPE_F64; }

static row_job job_for(int dtype, int64_t n) {
  return (row_job){
    .level = tarn_level_now(), .wide = dtype == TARN_DTYPE_F64, .n = n, .bytes = dtype == TARN_DTYPE_F64 ? 8 : 4};
}

static void run(const row_job *job, int64_t rows, tarn_task task) {
  tarn_parallel(rows, tarn_greatest(1, 8192 / tarn_greatest(1, job->n)), task, (void *)job);
}

static double value(const row_job *job, const void *at, int64_t i) {
  return job->wide ? ((const double *)at)[i] : ((const float *)at)[i];
}

static void put(const row_job *job, void *at, int64_t i, double x) {
  if (job->wide) {
    ((double *)at)[i] = x;
  } else {
    ((float *)at)[i] = (float)x;
  }
}

// MARK: Softmax

static void log_softmax_task(void *ctx, int64_t begin, int64_t end) {
  const row_job *job = ctx;
  for (int64_t r = begin; r < end; r++) {
    const char *x = job->x + r * job->n * job->bytes;
    const tarn_row_sums sums = job->level->sum_row[job->wide](x, job->n);
    // The larger of two numbers is subtracted first, so that nothing is lost with large logits.
    job->level->subtract[job->wide](
      job->y + r * job->n * job->bytes, x, job->n, sums.most, log(sums.exponentials));
  }
}

static void softmax_task(void *ctx, int64_t begin, int64_t end) {
  const row_job *job = ctx;
  void *work = job->past_caches ? tarn_scratch(TARN_SCRATCH_TILE, (size_t)(job->n * job->bytes)) : NULL;
  for (int64_t r = begin; r < end; r++) {
    const int64_t at = r * job->n * job->bytes;
    job->level->softmax_row[job->wide](job->y + at, work ? work : job->y + at, job->x + at, job->n, work != NULL);
  }
}

int tarn_softmax(int dtype, int64_t rows, int64_t n, const void *x, void *y, int logarithm) {
  if (!is_float(dtype)) return TARN_BAD_ARGUMENT;
  row_job job = job_for(dtype, n);
  job.x = x, job.y = y, job.past_caches = rows * n * job.bytes >= TARN_LARGE;
  run(&job, rows, logarithm ? log_softmax_task : softmax_task);
  return TARN_OK;
}

// MARK: Cross-entropy

static int64_t label_at(const row_job *job, int64_t r) {
  return job->wide_labels ? ((const int64_t *)job->labels)[r] : ((const int32_t *)job->labels)[r];
}

static int check_labels(const row_job *job, int64_t rows, int64_t *bad) {
  for (int64_t r = 0; r < rows; r++) {
    const int64_t label = label_at(job, r);
    if (label >= 0 && label < job->n) continue;
    if (bad) *bad = label;
    return TARN_BAD_INDEX;
  }
  return TARN_OK;
}

static void loss_task(void *ctx, int64_t begin, int64_t end) {
  const row_job *job = ctx;
  for (int64_t r = begin; r < end; r++) {
    const char *x = job->x + r * job->n * job->bytes;
    const tarn_row_sums sums = job->level->sum_row[job->wide](x, job->n);
    double loss = log(sums.exponentials) - (1 - job->smoothing) * (value(job, x, label_at(job, r)) - sums.most);
    if (job->smoothing != 0) loss -= job->smoothing / (double)job->n * sums.differences;
    put(job, job->y, r, loss);
  }
}

static void loss_gradient_task(void *ctx, int64_t begin, int64_t end) {
  const row_job *job = ctx;
  for (int64_t r = begin; r < end; r++) {
    const char *x = job->x + r * job->n * job->bytes;
    char *y = job->y + r * job->n * job->bytes;
    const double g = value(job, job->g, r);
    const int64_t label = label_at(job, r);
    const tarn_row_sums sums = job->level->sum_row[job->wide](x, job->n);
    const double shift = g * job->smoothing / (double)job->n;
    job->level->exponentials[job->wide](y, x, job->n, sums.most, g / sums.exponentials, shift);
    // The label's element anew, in double: p - 1 would lose what the others keep.
    const double p = exp(value(job, x, label) - sums.most) / sums.exponentials;
    put(job, y, label, g * (p - (1 - job->smoothing)) - shift);
  }
}

static int prepare(
  row_job *job, int dtype, int64_t rows, int64_t n, const void *logits, int index_dtype, const void *labels,
  double smoothing, int64_t *bad
) {
  if (!is_float(dtype)) return TARN_BAD_ARGUMENT;
  if (index_dtype != TARN_DTYPE_I32 && index_dtype != TARN_DTYPE_I64) return TARN_BAD_ARGUMENT;
  *job = job_for(dtype, n);
  job->x = logits, job->labels = labels, job->wide_labels = index_dtype == TARN_DTYPE_I64, job->smoothing = smoothing;
  return check_labels(job, rows, bad);
}

int tarn_cross_entropy(
  int dtype, int64_t rows, int64_t n, const void *logits, int index_dtype, const void *labels, double smoothing,
  void *losses, int64_t *bad
) {
  row_job job;
  int status = prepare(&job, dtype, rows, n, logits, index_dtype, labels, smoothing, bad);
  if (status) return status;
  job.y = losses;
  run(&job, rows, loss_task);
  return TARN_OK;
}

int tarn_cross_entropy_gradient(
  int dtype, int64_t rows, int64_t n, const void *logits, int index_dtype, const void *labels, double smoothing,
  const void *g, void *dlogits, int64_t *bad
) {
  row_job job;
  int status = prepare(&job, dtype, rows, n, logits, index_dtype, labels, smoothing, bad);
  if (status) return status;
  job.g = g, job.y = dlogits;
  run(&job, rows, loss_gradient_task);
  return TARN_OK;
}

// MARK: Layer normalisation

static void layer_norm_task(void *ctx, int64_t begin, int64_t end) {
  const row_job *job = ctx;
  for (int64_t r = begin; r < end; r++) {
    const int64_t at = r * job->n * job->bytes;
    job->level->normalize_row[job->wide](
      job->y + at, job->x + at, job->n, job->gamma, job->beta, job->eps, job->past_caches);
  }
}

int tarn_layer_norm(
  int dtype, int64_t rows, int64_t n, const void *x, const void *gamma, const void *beta, double eps, void *y
) {
  if (!is_float(dtype)) return TARN_BAD_ARGUMENT;
  row_job job = job_for(dtype, n);
  job.x = x, job.gamma = gamma, job.beta = beta, job.eps = eps, job.y = y;
  job.past_caches = rows * n * job.bytes >= TARN_LARGE;
  if (n > 0) run(&job, rows, layer_norm_task);
  return TARN_OK;
}

static void layer_norm_gradient_task(void *ctx, int64_t begin, int64_t end) {
  const row_job *job = ctx;
  for (int64_t r = begin; r < end; r++) {
    const int64_t at = r * job->n * job->bytes;
    job->level->normalize_gradient[job->wide](
      job->y + at, job->x + at, job->g + at, job->n, job->gamma, job->eps);
  }
}

int tarn_layer_norm_gradient(
  int dtype, int64_t rows, int64_t n, const void *x, const void *g, const void *gamma, double eps, void *dx
) {
  if (!is_float(dtype)) return TARN_BAD_ARGUMENT;
  row_job job = job_for(dtype, n);
  job.x = x, job.g = g, job.gamma = gamma, job.eps = eps, job.y = dx;
  if (n > 0) run(&job, rows, layer_norm_gradient_task);
  return TARN_OK;
}
