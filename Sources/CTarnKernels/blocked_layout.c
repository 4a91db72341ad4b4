// Between plain and blocked images.
#include "blocked_memory.h"

/// Pixels of a piece of work.
enum { PIECE = 1024 };

typedef struct {
  const struct tarn_blocked_memory *kernels;
  int64_t c, pixels, blocks, pieces;
  const float *from;
  float *to;
} layout_job;

/// Piece i: its first pixel in the plain and in the blocked image, its channels and its pixels.
static void locate(
  const layout_job *job, int64_t i, int64_t *plain, int64_t *blocked, int64_t *channels, int64_t *pixels
) {
  const int64_t pixel = i % job->pieces * PIECE, block = i / job->pieces % job->blocks;
  const int64_t image = i / job->pieces / job->blocks;
  *plain = (image * job->c + block * TARN_LANES) * job->pixels + pixel;
  *blocked = ((image * job->blocks + block) * job->pixels + pixel) * TARN_LANES;
  *channels = tarn_least(TARN_LANES, job->c - block * TARN_LANES);
  *pixels = tarn_least(PIECE, job->pixels - pixel);
}

static void block_task(void *ctx, int64_t begin, int64_t end) {
  const layout_job *job = ctx;
  int64_t plain, blocked, channels, pixels;
  for (int64_t i = begin; i < end; i++) {
    locate(job, i, &plain, &blocked, &channels, &pixels);
    job->kernels->block(job->to + blocked, job->from + plain, job->pixels, channels, pixels);
  }
}

static void unblock_task(void *ctx, int64_t begin, int64_t end) {
  const layout_job *job = ctx;
  int64_t plain, blocked, channels, pixels;
  for (int64_t i = begin; i < end; i++) {
    locate(job, i, &plain, &blocked, &channels, &pixels);
    job->kernels->unblock(job->to + plain, job->pixels, job->from + blocked, channels, pixels);
  }
}

static int run(int64_t n, int64_t c, int64_t pixels, const float *from, float *to, tarn_task task) {
  layout_job job = {
    .kernels = tarn_level_now()->blocked_memory, .c = c, .pixels = pixels, .blocks = tarn_ceil_div(c, TARN_LANES),
    .pieces = tarn_ceil_div(pixels, PIECE), .from = from, .to = to};
  const int64_t grain = tarn_greatest(1, PIECE / tarn_greatest(1, tarn_least(PIECE, pixels)));
  tarn_parallel(n * job.blocks * job.pieces, grain, task, &job);
  return TARN_OK;
}

int tarn_block(int64_t n, int64_t c, int64_t pixels, const float *x, float *blocked) {
  return run(n, c, pixels, x, blocked, block_task);
}

int tarn_unblock(int64_t n, int64_t c, int64_t pixels, const float *blocked, float *x) {
  return run(n, c, pixels, blocked, x, unblock_task);
}
