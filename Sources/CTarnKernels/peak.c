// Measures of the machine: arithmetic in registers and reading memory, at the widest vectors in use.
#include "include/tarn_peak.h"

#include "internal.h"

// Enough that the next step of each need not wait for its last.
enum { CHAINS = 12, PIECES = 256 };

#if defined(__x86_64__)
#define TARGET_AVX512 __attribute__((target("avx512f")))
#define TARGET_AVX2 __attribute__((target("avx2,fma")))
#define FMA(a, b, c) __builtin_elementwise_fma(a, b, c)
#endif
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))

// The results go where the compiler cannot see that nobody reads them.
static void keep(const void *values) { __asm__ volatile("" : : "r"(values) : "memory"); }

#define PEAKS(NAME, LANES, TARGET, STEP)                                                    \
  typedef float NAME##_v __attribute__((ext_vector_type(LANES)));                           \
  TARGET static void arithmetic_##NAME(int64_t operations) {                                \
    NAME##_v x[CHAINS];                                                                     \
    for (int i = 0; i < CHAINS; i++) x[i] = i + 2.0f;                                      \
    const NAME##_v factor = 0.999f, term = 0.001f;                                          \
    for (int64_t left = operations; left > 0; left -= 2 * LANES * CHAINS) {                 \
      for (int i = 0; i < CHAINS; i++) x[i] = STEP(x[i], factor, term);                     \
    }                                                                                       \
    for (int i = 1; i < CHAINS; i++) x[0] += x[i];                                          \
    const NAME##_v sum = x[0];                                                              \
    keep(&sum);                                                                             \
  }                                                                                         \
  TARGET static void read_##NAME(const float *p, int64_t count) {                           \
    NAME##_v x[4] = {0, 0, 0, 0};                                                           \
    int64_t i = 0;                                                                          \
    for (; i + 4 * LANES <= count; i += 4 * LANES) {                                        \
      for (int j = 0; j < 4; j++) x[j] += *(const NAME##_v *)(p + i + j * LANES);           \
    }                                                                                       \
    float rest = 0;                                                                         \
    for (; i < count; i++) rest += p[i];                                                    \
    const NAME##_v sum = x[0] + x[1] + x[2] + x[3] + rest;                                  \
    keep(&sum);                                                                             \
  }

PEAKS(portable, 4, , MULTIPLY_ADD)
#if defined(__x86_64__)
PEAKS(avx2, 8, TARGET_AVX2, FMA)
PEAKS(avx512, 16, TARGET_AVX512, FMA)
#endif

static void arithmetic(int64_t operations) {
#if defined(__x86_64__)
  if (tarn_simd_level() == TARN_SIMD_AVX512) return arithmetic_avx512(operations);
  if (tarn_simd_level() == TARN_SIMD_AVX2) return arithmetic_avx2(operations);
#endif
  arithmetic_portable(operations);
}

static void read_floats(const float *p, int64_t count) {
#if defined(__x86_64__)
  if (tarn_simd_level() == TARN_SIMD_AVX512) return read_avx512(p, count);
  if (tarn_simd_level() == TARN_SIMD_AVX2) return read_avx2(p, count);
#endif
  read_portable(p, count);
}

static void arithmetic_pieces(void *context, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i++) arithmetic(*(const int64_t *)context / PIECES);
}

void tarn_peak_arithmetic(int64_t operations) { tarn_parallel(PIECES, 1, arithmetic_pieces, &operations); }

static void read_piece(void *context, int64_t begin, int64_t end) {
  read_floats((const float *)context + begin, end - begin);
}

void tarn_peak_read(const void *memory, int64_t bytes) {
  tarn_parallel(bytes / 4, 1 << 18, read_piece, (void *)(uintptr_t)memory);
}
