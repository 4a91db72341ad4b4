// Orders, extremes and running sums along the middle axis of [outer, n, inner].
#include <string.h>

#include "halves.h"
#include "internal.h"

// MARK: Order

/// Floats as integers of the same order: NaN largest, both zeros equal.
static uint64_t key_of_float(float x) {
  if (x != x) return UINT32_MAX;
  if (x == 0) return 0x80000000u;
  const uint32_t bits = tarn_bits_of_float(x);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

static uint64_t key_of_double(double x) {
  if (x != x) return UINT64_MAX;
  if (x == 0) return (uint64_t)1 << 63;
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static uint64_t key_at(int dtype, const void *x, int64_t i) {
  switch (dtype) {
    case TARN_DTYPE_BOOL:
    case TARN_DTYPE_U8:
      return ((const uint8_t *)x)[i];
    case TARN_DTYPE_I8:
      return (uint8_t)((const uint8_t *)x)[i] ^ 0x80;
    case TARN_DTYPE_I32:
      return ((const uint32_t *)x)[i] ^ 0x80000000u;
    case TARN_DTYPE_I64:
      return ((const uint64_t *)x)[i] ^ (uint64_t)1 << 63;
    case TARN_DTYPE_F16:
      return key_of_float(tarn_float_of_f16(((const uint16_t *)x)[i]));
    case TARN_DTYPE_BF16:
      return key_of_float(tarn_float_of_bf16(((const uint16_t *)x)[i]));
    case TARN_DTYPE_F32:
      return key_of_float(((const float *)x)[i]);
    default:
      return key_of_double(((const double *)x)[i]);
  }
}

typedef struct {
  uint64_t key;
  int64_t index;
} entry;

static void insertion_sort(entry *entries, int64_t n) {
  for (int64_t i = 1; i < n; i++) {
    const entry moved = entries[i];
    int64_t j = i;
    for (; j > 0 && entries[j - 1].key > moved.key; j--) entries[j] = entries[j - 1];
    entries[j] = moved;
  }
}

/// Radix sort from the lowest byte, which is stable; bytes that are the same everywhere are passed over.
/// The result is in `entries`, or in `spare`, which is returned.
static entry *radix_sort(entry *entries, entry *spare, int64_t n) {
  uint64_t differing = 0;
  for (int64_t i = 1; i < n; i++) differing |= entries[i].key ^ entries[0].key;
  for (int shift = 0; shift < 64; shift += 8) {
    if ((differing >> shift & 255) == 0) continue;
    int64_t starts[256] = {0}, total = 0;
    for (int64_t i = 0; i < n; i++) starts[entries[i].key >> shift & 255]++;
    for (int digit = 0; digit < 256; digit++) {
      const int64_t count = starts[digit];
      starts[digit] = total;
      total += count;
    }
    for (int64_t i = 0; i < n; i++) spare[starts[entries[i].key >> shift & 255]++] = entries[i];
    entry *swap = entries;
    entries = spare;
    spare = swap;
  }
  return entries;
}

typedef struct {
  int dtype, flag;
  int64_t n, inner, blocks, block;
  const void *x;
  void *out;
  int *status;
} axis_job;

/// Lines begin … end - 1 of [outer, inner].
static void argsort_task(void *ctx, int64_t begin, int64_t end) {
  const axis_job *job = ctx;
  const int64_t n = job->n;
  entry *entries = tarn_scratch(TARN_SCRATCH_SORT, (size_t)(2 * n) * sizeof *entries);
  if (!entries) {
    __atomic_store_n(job->status, TARN_NO_MEMORY, __ATOMIC_RELAXED);
    return;
  }
  const uint64_t flip = job->flag ? UINT64_MAX : 0;
  for (int64_t line = begin; line < end; line++) {
    const int64_t first = line / job->inner * n * job->inner + line % job->inner;
    for (int64_t i = 0; i < n; i++) {
      entries[i] = (entry){key_at(job->dtype, job->x, first + i * job->inner) ^ flip, i};
    }
    entry *sorted = entries;
    if (n <= 48) {
      insertion_sort(entries, n);
    } else {
      sorted = radix_sort(entries, entries + n, n);
    }
    for (int64_t i = 0; i < n; i++) ((int64_t *)job->out)[first + i * job->inner] = sorted[i].index;
  }
}

int tarn_argsort(
  int dtype, int64_t outer, int64_t n, int64_t inner, int descending, const void *x, int64_t *out
) {
  if (tarn_class_of(dtype) < 0) return TARN_BAD_ARGUMENT;
  int status = TARN_OK;
  axis_job job = {.dtype = dtype, .flag = descending, .n = n, .inner = inner, .x = x, .out = out, .status = &status};
  if (n > 0) tarn_parallel(outer * inner, tarn_greatest(1, 4096 / n), argsort_task, &job);
  return status;
}

// MARK: Extremes

#define VALUE(x) (x)
#define AFTER_MAX(v, best) ((v) > (best))
#define AFTER_MIN(v, best) ((v) < (best))

/// Columns [first, first + n) of one [axis, inner] slab: `best` and `out` of each.
#define EXTREMES(T, V, READ, BEYOND)                                                             \
  {                                                                                              \
    const T *x = (const T *)job->x + slab * job->n * job->inner + first;                         \
    V best[64];                                                                                  \
    for (int64_t j = 0; j < n; j++) best[j] = READ(x[j]), out[j] = 0;                            \
    for (int64_t i = 1; i < job->n; i++) {                                                       \
      x += job->inner;                                                                           \
      for (int64_t j = 0; j < n; j++) {                                                          \
        const V v = READ(x[j]);                                                                  \
        const int beyond = BEYOND(v, best[j]) | ((v != v) & (best[j] == best[j]));               \
        best[j] = beyond ? v : best[j];                                                          \
        out[j] = beyond ? i : out[j];                                                            \
      }                                                                                          \
    }                                                                                            \
    break;                                                                                       \
  }

#define EXTREMES_OF_TYPES(BEYOND)                                            \
  switch (job->dtype) {                                                      \
    case TARN_DTYPE_BOOL:                                                    \
    case TARN_DTYPE_U8:                                                      \
      EXTREMES(uint8_t, uint8_t, VALUE, BEYOND)                              \
    case TARN_DTYPE_I8:                                                      \
      EXTREMES(int8_t, int8_t, VALUE, BEYOND)                                \
    case TARN_DTYPE_I32:                                                     \
      EXTREMES(int32_t, int32_t, VALUE, BEYOND)                              \
    case TARN_DTYPE_I64:                                                     \
      EXTREMES(int64_t, int64_t, VALUE, BEYOND)                              \
    case TARN_DTYPE_F16:                                                     \
      EXTREMES(uint16_t, float, tarn_float_of_f16, BEYOND)                   \
    case TARN_DTYPE_BF16:                                                    \
      EXTREMES(uint16_t, float, tarn_float_of_bf16, BEYOND)                  \
    case TARN_DTYPE_F32:                                                     \
      EXTREMES(float, float, VALUE, BEYOND)                                  \
    default:                                                                 \
      EXTREMES(double, double, VALUE, BEYOND)                                \
  }

/// One contiguous row of floats: its extreme by vectors, then the first element that equals it.
#define PLACE_IN_ROW(T, extreme)                                             \
  {                                                                          \
    const T *x = (const T *)job->x + slab * job->n;                          \
    int64_t i = 0;                                                           \
    if (extreme != extreme) {                                                \
      while (x[i] == x[i]) i++;                                              \
    } else {                                                                 \
      while (x[i] != (T)extreme) i++;                                        \
    }                                                                        \
    *out = i;                                                                \
  }

static void place_in_row(const axis_job *job, int64_t slab, int64_t *out) {
  const int reduction = job->flag ? TARN_REDUCE_MAX : TARN_REDUCE_MIN;
  const int cls = tarn_class_of(job->dtype);
  const char *row = (const char *)job->x + slab * job->n * tarn_bytes_of(job->dtype);
  double extreme = job->flag ? -__builtin_inf() : __builtin_inf();
  tarn_level_now()->folds[reduction][cls](&extreme, row, job->n);
  if (job->dtype == TARN_DTYPE_F32) {
    PLACE_IN_ROW(float, extreme)
  } else {
    PLACE_IN_ROW(double, extreme)
  }
}

/// Blocks of columns, of [outer, blocks].
static void extremes_task(void *ctx, int64_t begin, int64_t end) {
  const axis_job *job = ctx;
  for (int64_t task = begin; task < end; task++) {
    const int64_t slab = task / job->blocks, first = task % job->blocks * job->block;
    const int64_t n = tarn_least(job->block, job->inner - first);
    int64_t *out = (int64_t *)job->out + slab * job->inner + first;
    if (job->inner == 1 && job->dtype >= TARN_DTYPE_F32) {
      place_in_row(job, slab, out);
    } else if (job->flag) {
      EXTREMES_OF_TYPES(AFTER_MAX)
    } else {
      EXTREMES_OF_TYPES(AFTER_MIN)
    }
  }
}

static void run_blocks(axis_job *job, int64_t outer, tarn_task task) {
  job->block = 64;
  job->blocks = tarn_ceil_div(job->inner, job->block);
  const int64_t work = tarn_greatest(1, job->n * tarn_least(job->inner, job->block));
  tarn_parallel(outer * job->blocks, tarn_greatest(1, 16384 / work), task, job);
}

int tarn_arg_reduce(int dtype, int64_t outer, int64_t n, int64_t inner, int is_max, const void *x, int64_t *out) {
  if (tarn_class_of(dtype) < 0 || n < 1) return TARN_BAD_ARGUMENT;
  axis_job job = {.dtype = dtype, .flag = is_max, .n = n, .inner = inner, .x = x, .out = out};
  run_blocks(&job, outer, extremes_task);
  return TARN_OK;
}

// MARK: Running sums

#define SAME(x) (x)
#define RUNNING(T, SUM, READ, WRITE)                                                             \
  {                                                                                              \
    const int64_t start = slab * job->n * job->inner + first + (job->flag ? (job->n - 1) * job->inner : 0); \
    const int64_t step = job->flag ? -job->inner : job->inner;                                   \
    SUM sums[64] = {0};                                                                          \
    for (int64_t i = 0, at = start; i < job->n; i++, at += step) {                               \
      for (int64_t j = 0; j < n; j++) {                                                          \
        sums[j] += READ(((const T *)job->x)[at + j]);                                            \
        ((T *)job->out)[at + j] = WRITE(sums[j]);                                                \
      }                                                                                          \
    }                                                                                            \
    break;                                                                                       \
  }

static void running_task(void *ctx, int64_t begin, int64_t end) {
  const axis_job *job = ctx;
  for (int64_t task = begin; task < end; task++) {
    const int64_t slab = task / job->blocks, first = task % job->blocks * job->block;
    const int64_t n = tarn_least(job->block, job->inner - first);
    switch (job->dtype) {
      case TARN_DTYPE_U8:
      case TARN_DTYPE_I8:
        RUNNING(uint8_t, uint8_t, SAME, SAME)
      case TARN_DTYPE_I32:
        RUNNING(uint32_t, uint32_t, SAME, SAME)
      case TARN_DTYPE_I64:
        RUNNING(uint64_t, uint64_t, SAME, SAME)
      case TARN_DTYPE_F16:
        RUNNING(uint16_t, float, tarn_float_of_f16, tarn_f16_of_float)
      case TARN_DTYPE_BF16:
        RUNNING(uint16_t, float, tarn_float_of_bf16, tarn_bf16_of_float)
      case TARN_DTYPE_F32:
        RUNNING(float, double, SAME, (float))
      default:
        RUNNING(double, double, SAME, SAME)
    }
  }
}

int tarn_cumsum(int dtype, int64_t outer, int64_t n, int64_t inner, int reverse, const void *x, void *out) {
  if (tarn_class_of(dtype) < 0 || dtype == TARN_DTYPE_BOOL) return TARN_BAD_ARGUMENT;
  axis_job job = {.dtype = dtype, .flag = reverse, .n = n, .inner = inner, .x = x, .out = out};
  run_blocks(&job, outer, running_task);
  return TARN_OK;
}
