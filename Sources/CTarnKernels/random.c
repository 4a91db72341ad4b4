// Fills of random numbers. Each element is a function of its index alone, so any thread may make it.
#include <string.h>

#include "halves.h"
#include "internal.h"

typedef struct {
  int dtype;
  uint64_t key, stream;
  void *out;
} random_job;

/// Blocks made at a time.
enum { BLOCKS = 256 };

static void put_f32(float *out, const uint32_t *words, int64_t n) {
  for (int64_t i = 0; i < n; i++) out[i] = (float)(int32_t)(words[i] >> 8) * 0x1p-24f;
}

static void put_f64(double *out, const uint32_t *words, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    const uint64_t bits = (uint64_t)words[2 * i] << 32 | words[2 * i + 1];
    out[i] = (double)(int64_t)(bits >> 11) * 0x1p-53;
  }
}

static void put_bits(int64_t *out, const uint32_t *words, int64_t n) {
  for (int64_t i = 0; i < n; i++) out[i] = (int64_t)((uint64_t)words[2 * i] << 32 | words[2 * i + 1]);
}

/// Towards zero: below 2^-14 a half is a multiple of 2^-24, as the number is.
static void put_f16(uint16_t *out, const uint32_t *words, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    const uint32_t fraction = words[i] >> 8;
    const uint32_t bits = tarn_bits_of_float((float)(int32_t)fraction * 0x1p-24f);
    out[i] = (uint16_t)(fraction < 1024 ? fraction : (bits >> 13) - (112u << 10));
  }
}

static void put_bf16(uint16_t *out, const uint32_t *words, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    out[i] = (uint16_t)(tarn_bits_of_float((float)(int32_t)(words[i] >> 8) * 0x1p-24f) >> 16);
  }
}

/// Elements begin … end - 1; `begin` starts a block.
static void random_task(void *ctx, int64_t begin, int64_t end) {
  const random_job *job = ctx;
  const tarn_level *level = tarn_level_now();
  const int wide = job->dtype == TARN_DTYPE_F64 || job->dtype == TARN_DTYPE_I64;
  const int64_t each = wide ? 2 : 4;
  _Alignas(64) uint32_t words[BLOCKS * 4];
  for (int64_t i = begin; i < end; i += BLOCKS * each) {
    const int64_t n = tarn_least(end - i, BLOCKS * each);
    const int64_t blocks = tarn_ceil_div(tarn_ceil_div(n, each), 16) * 16;
    level->philox(job->key, job->stream, (uint64_t)(i / each), blocks, words);
    switch (job->dtype) {
      case TARN_DTYPE_F16:
        put_f16((uint16_t *)job->out + i, words, n);
        break;
      case TARN_DTYPE_BF16:
        put_bf16((uint16_t *)job->out + i, words, n);
        break;
      case TARN_DTYPE_F32:
        put_f32((float *)job->out + i, words, n);
        break;
      case TARN_DTYPE_F64:
        put_f64((double *)job->out + i, words, n);
        break;
      default:
        put_bits((int64_t *)job->out + i, words, n);
    }
  }
}

/// Elements first … first + n - 1.
static void random_row(const uint64_t *key, int64_t first, int64_t n, float *out) {
  const tarn_level *level = tarn_level_now();
  _Alignas(64) uint32_t words[BLOCKS * 4];
  for (int64_t done = 0, count; done < n; done += count) {
    const int64_t at = first + done, skipped = at % 4;
    count = tarn_least(n - done, BLOCKS * 4 - skipped);
    const int64_t blocks = tarn_ceil_div(tarn_ceil_div(skipped + count, 4), 16) * 16;
    level->philox(key[0], key[1], (uint64_t)(at / 4), blocks, words);
    put_f32(out + done, words + skipped, count);
  }
}

void tarn_random_run(const uint64_t *key, int64_t first, int64_t stride, int64_t n, float *out) {
  if (stride == 1) {
    random_row(key, first, n, out);
  } else {
    for (int64_t i = 0; i < n; i++) random_row(key, first + i * stride, 1, out + i);
  }
}

int tarn_random_uniform(int dtype, uint64_t key, uint64_t stream, int64_t count, void *out) {
  if (dtype < TARN_DTYPE_F16 || dtype > TARN_DTYPE_F64) return TARN_BAD_ARGUMENT;
  random_job job = {dtype, key, stream, out};
  tarn_parallel(count, 16384, random_task, &job);
  return TARN_OK;
}

int tarn_random_bits(uint64_t key, uint64_t stream, int64_t count, int64_t *out) {
  random_job job = {TARN_DTYPE_I64, key, stream, out};
  tarn_parallel(count, 16384, random_task, &job);
  return TARN_OK;
}
