// Batch normalisation of blocked images.
//
// A block of channels is cut into parts: several small images, or a piece of a large one. Each part is read once and
// leaves sums in double; they are combined in order (Chan, Golub and LeVeque, 1983).
#include <math.h>

#include "blocked_memory.h"

/// Pixels of a part, about.
enum { PART = 2048 };

typedef struct {
  const struct tarn_blocked_memory *kernels;
  int64_t n, blocks, pixels;
  /// Pieces that an image is cut into, and pieces that make a part.
  int64_t pieces, per_part, parts;
  const float *x, *g, *mean, *rstd;
  /// [blocks, parts, 2, 16]
  double *partials;
} norm_job;

static norm_job job_for(int64_t n, int64_t blocks, int64_t pixels, const float *x) {
  norm_job job = {.kernels = tarn_level_now()->blocked_memory, .n = n, .blocks = blocks, .pixels = pixels, .x = x};
  job.pieces = tarn_ceil_div(pixels, PART);
  job.per_part = tarn_greatest(1, PART / tarn_greatest(1, tarn_least(PART, pixels)));
  job.parts = tarn_ceil_div(n * job.pieces, job.per_part);
  return job;
}

static int take_partials(norm_job *job) {
  const int64_t count = tarn_greatest(1, job->blocks * job->parts * 2 * TARN_LANES);
  job->partials = tarn_scratch(TARN_SCRATCH_PARTIALS, (size_t)count * sizeof *job->partials);
  if (!job->partials) return TARN_NO_MEMORY;
  for (int64_t i = 0; i < count; i++) job->partials[i] = 0;
  return TARN_OK;
}

/// Piece number `piece` of a block: where it begins, and its pixels.
static int64_t piece_at(const norm_job *job, int64_t block, int64_t piece, int64_t *pixels) {
  const int64_t image = piece / job->pieces, pixel = piece % job->pieces * PART;
  *pixels = tarn_least(PART, job->pixels - pixel);
  return ((image * job->blocks + block) * job->pixels + pixel) * TARN_LANES;
}

/// For the pieces of part i: BODY with `block`, and `at` and `pixels` of each piece.
#define EVERY_PIECE(BODY)                                                                \
  const int64_t block = i / job->parts, part = i % job->parts;                           \
  const int64_t last = tarn_least(job->n * job->pieces, (part + 1) * job->per_part);     \
  for (int64_t piece = part * job->per_part; piece < last; piece++) {                    \
    int64_t pixels, at = piece_at(job, block, piece, &pixels);                           \
    BODY                                                                                 \
  }

// MARK: Moments

static int64_t pixels_of_part(const norm_job *job, int64_t part) {
  const int64_t first = part * job->per_part, last = tarn_least(job->n * job->pieces, first + job->per_part);
  int64_t count = 0;
  for (int64_t piece = first, pixels; piece < last; piece++) {
    piece_at(job, 0, piece, &pixels);
    count += pixels;
  }
  return count;
}

static void moments_task(void *ctx, int64_t begin, int64_t end) {
  const norm_job *job = ctx;
  for (int64_t i = begin; i < end; i++) {
    double *mean = job->partials + i * 2 * TARN_LANES;
    int64_t seen = 0;
    EVERY_PIECE({
      job->kernels->moments(seen, pixels, job->x + at, mean, mean + TARN_LANES);
      seen += pixels;
    })
  }
}

/// Adds the moments of `count` more elements to those of `seen`.
static void add_moments(double *mean, double *squares, double seen, const double *partial, double count) {
  const double share = count / (seen + count);
  for (int lane = 0; lane < TARN_LANES; lane++) {
    if (seen == 0) {
      mean[lane] = partial[lane];
      squares[lane] = partial[TARN_LANES + lane];
      continue;
    }
    const double apart = partial[lane] - mean[lane];
    mean[lane] += apart * share;
    squares[lane] += partial[TARN_LANES + lane] + apart * apart * seen * share;
  }
}

int tarn_blocked_moments(int64_t n, int64_t blocks, int64_t pixels, const float *x, float *mean, float *variance) {
  norm_job job = job_for(n, blocks, pixels, x);
  if (take_partials(&job)) return TARN_NO_MEMORY;
  tarn_parallel(blocks * job.parts, 1, moments_task, &job);
  for (int64_t block = 0; block < blocks; block++) {
    double total[TARN_LANES] = {0}, squares[TARN_LANES] = {0}, seen = 0;
    for (int64_t part = 0; part < job.parts; part++) {
      const double count = (double)pixels_of_part(&job, part);
      add_moments(total, squares, seen, job.partials + (block * job.parts + part) * 2 * TARN_LANES, count);
      seen += count;
    }
    for (int lane = 0; lane < TARN_LANES; lane++) {
      mean[block * TARN_LANES + lane] = seen > 0 ? (float)total[lane] : NAN;
      variance[block * TARN_LANES + lane] = seen > 0 ? (float)(squares[lane] / seen) : NAN;
    }
  }
  return TARN_OK;
}

// MARK: Gradient

static void gradient_sums_task(void *ctx, int64_t begin, int64_t end) {
  const norm_job *job = ctx;
  for (int64_t i = begin; i < end; i++) {
    double *sums = job->partials + i * 2 * TARN_LANES;
    const int64_t channels = i / job->parts * TARN_LANES;
    EVERY_PIECE({
      job->kernels->gradient_sums(
        pixels, job->g + at, job->x + at, job->mean + channels, job->rstd + channels, sums, sums + TARN_LANES);
    })
  }
}

int tarn_blocked_gradient_sums(
  int64_t n, int64_t blocks, int64_t pixels, const float *g, const float *x, const float *mean, const float *rstd,
  float *sum_g, float *sum_gx
) {
  norm_job job = job_for(n, blocks, pixels, x);
  job.g = g, job.mean = mean, job.rstd = rstd;
  if (take_partials(&job)) return TARN_NO_MEMORY;
  tarn_parallel(blocks * job.parts, 1, gradient_sums_task, &job);
  for (int64_t i = 0; i < blocks * TARN_LANES; i++) {
    const double *sums = job.partials + i / TARN_LANES * job.parts * 2 * TARN_LANES + i % TARN_LANES;
    double total = 0, product = 0;
    for (int64_t part = 0; part < job.parts; part++, sums += 2 * TARN_LANES) {
      total += sums[0];
      product += sums[TARN_LANES];
    }
    sum_g[i] = (float)total;
    sum_gx[i] = (float)product;
  }
  return TARN_OK;
}
