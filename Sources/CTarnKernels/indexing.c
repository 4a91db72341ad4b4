// Taking elements by index, and its adjoint.
#include <string.h>

#include "halves.h"
#include "internal.h"

// MARK: Indices

typedef struct {
  const void *values;
  int wide;
  int64_t axis_length;
} index_list;

/// Index i, counted from the front.
static inline int64_t index_at(const index_list *list, int64_t i) {
  int64_t index = list->wide ? ((const int64_t *)list->values)[i] : ((const int32_t *)list->values)[i];
  return index < 0 ? index + list->axis_length : index;
}

static int check_indices(const index_list *list, int64_t count, int64_t *bad) {
  for (int64_t i = 0; i < count; i++) {
    int64_t index = index_at(list, i);
    if (index >= 0 && index < list->axis_length) continue;
    if (bad) *bad = list->wide ? ((const int64_t *)list->values)[i] : ((const int32_t *)list->values)[i];
    return TARN_BAD_INDEX;
  }
  return TARN_OK;
}

// MARK: Take

typedef struct {
  index_list indices;
  int64_t n_indices, row_bytes;
  const char *x;
  char *out;
} take_job;

#define TAKE_ROWS(T)                                                                             \
  for (int64_t i = begin; i < end; i++) {                                                        \
    const int64_t at = i / job->n_indices * job->indices.axis_length;                            \
    ((T *)job->out)[i] = ((const T *)job->x)[at + index_at(&job->indices, i % job->n_indices)];  \
  }

/// Rows begin … end - 1 of [outer, n_indices].
static void take_task(void *ctx, int64_t begin, int64_t end) {
  const take_job *job = ctx;
  switch (job->row_bytes) {
    case 1:
      TAKE_ROWS(uint8_t)
      return;
    case 2:
      TAKE_ROWS(uint16_t)
      return;
    case 4:
      TAKE_ROWS(uint32_t)
      return;
    case 8:
      TAKE_ROWS(uint64_t)
      return;
    default:
      break;
  }
  for (int64_t i = begin; i < end; i++) {
    const int64_t at = i / job->n_indices * job->indices.axis_length + index_at(&job->indices, i % job->n_indices);
    memcpy(job->out + i * job->row_bytes, job->x + at * job->row_bytes, (size_t)job->row_bytes);
  }
}

int tarn_take(
  int64_t element_bytes, int64_t outer, int64_t axis_length, int64_t inner, const void *x, int index_dtype,
  const void *indices, int64_t n_indices, void *out, int64_t *bad
) {
  if (index_dtype != TARN_DTYPE_I32 && index_dtype != TARN_DTYPE_I64) return TARN_BAD_ARGUMENT;
  take_job job = {{indices, index_dtype == TARN_DTYPE_I64, axis_length}, n_indices, inner * element_bytes, x, out};
  int status = check_indices(&job.indices, n_indices, bad);
  if (status || job.row_bytes == 0) return status;
  tarn_parallel(outer * n_indices, tarn_greatest(1, 65536 / job.row_bytes), take_task, &job);
  return TARN_OK;
}

// MARK: Scatter

typedef struct {
  index_list indices;
  int dtype;
  int64_t n_indices, inner, blocks, block;
  const void *updates;
  void *out;
} scatter_job;

#define ADD_PLAIN(a, b) ((a) + (b))
#define ADD_WRAPPING(a, b) (__typeof__(a))((uint64_t)(a) + (uint64_t)(b))
#define ADD_BOOL(a, b) ((a) | (b))
#define ADD_F16(a, b) tarn_f16_of_float(tarn_float_of_f16(a) + tarn_float_of_f16(b))
#define ADD_BF16(a, b) tarn_bf16_of_float(tarn_float_of_bf16(a) + tarn_float_of_bf16(b))

/// Rows of updates lie far apart: they are fetched this many rows before they are added.
enum { AHEAD = 16 };

static inline void fetch(const void *row, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch((const char *)row + i);
}

#define ADD_ROWS(T, ADD)                                                                         \
  {                                                                                              \
    T *out = (T *)job->out + outer * job->indices.axis_length * job->inner + first;              \
    const T *from = (const T *)job->updates + outer * job->n_indices * job->inner + first;       \
    for (int64_t i = 0; i < job->indices.axis_length; i++) {                                     \
      memset(out + i * job->inner, 0, (size_t)n * sizeof(T));                                    \
    }                                                                                            \
    for (int64_t i = 0; i < job->n_indices; i++, from += job->inner) {                           \
      T *to = out + index_at(&job->indices, i) * job->inner;                                     \
      fetch(from + AHEAD * job->inner, n * (int64_t)sizeof(T));                                  \
      for (int64_t j = 0; j < n; j++) to[j] = ADD(to[j], from[j]);                               \
    }                                                                                            \
    break;                                                                                       \
  }

/// Blocks of columns, of [outer, blocks].
static void scatter_task(void *ctx, int64_t begin, int64_t end) {
  const scatter_job *job = ctx;
  for (int64_t task = begin; task < end; task++) {
    const int64_t outer = task / job->blocks, first = task % job->blocks * job->block;
    const int64_t n = tarn_least(job->block, job->inner - first);
    switch (job->dtype) {
      case TARN_DTYPE_BOOL:
        ADD_ROWS(uint8_t, ADD_BOOL)
      case TARN_DTYPE_U8:
      case TARN_DTYPE_I8:
        ADD_ROWS(uint8_t, ADD_WRAPPING)
      case TARN_DTYPE_I32:
        ADD_ROWS(uint32_t, ADD_WRAPPING)
      case TARN_DTYPE_I64:
        ADD_ROWS(uint64_t, ADD_WRAPPING)
      case TARN_DTYPE_F16:
        ADD_ROWS(uint16_t, ADD_F16)
      case TARN_DTYPE_BF16:
        ADD_ROWS(uint16_t, ADD_BF16)
      case TARN_DTYPE_F32:
        ADD_ROWS(float, ADD_PLAIN)
      default:
        ADD_ROWS(double, ADD_PLAIN)
    }
  }
}

int tarn_scatter_add(
  int dtype, int64_t outer, int64_t axis_length, int64_t inner, const void *updates, int index_dtype,
  const void *indices, int64_t n_indices, void *out, int64_t *bad
) {
  if (index_dtype != TARN_DTYPE_I32 && index_dtype != TARN_DTYPE_I64) return TARN_BAD_ARGUMENT;
  if (tarn_class_of(dtype) < 0) return TARN_BAD_ARGUMENT;
  scatter_job job = {
    .indices = {indices, index_dtype == TARN_DTYPE_I64, axis_length}, .dtype = dtype, .n_indices = n_indices,
    .inner = inner, .updates = updates, .out = out};
  int status = check_indices(&job.indices, n_indices, bad);
  if (status || inner == 0) return status;
  // Blocks of at least a few cache lines, so that threads do not share them.
  job.block = tarn_greatest(64, tarn_ceil_div(tarn_ceil_div(inner, 16), 64) * 64);
  job.blocks = tarn_ceil_div(inner, job.block);
  const int64_t work = (axis_length + n_indices) * tarn_least(inner, job.block);
  tarn_parallel(outer * job.blocks, tarn_greatest(1, 32768 / tarn_greatest(1, work)), scatter_task, &job);
  return TARN_OK;
}
