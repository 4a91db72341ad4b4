// Register tiles of matrix products.
//
// A tile keeps up to MR x 2 vectors of sums in registers. Each element of C adds its products in the order of k, one
// rounding each, so its bits do not depend on how C is cut into tiles.
#ifndef TARN_SIMD_GEMM_H
#define TARN_SIMD_GEMM_H

#include "transpose.h"
#include "types.h"

#if TARN_LEVEL == 2
enum { MR = 14 };
#elif TARN_LEVEL == 1
enum { MR = 6 };
#elif defined(__aarch64__)
enum { MR = 8 };
#else
enum { MR = 4 };
#endif
enum { NR_F = 2 * W, NR_D = W };

// One machine register of each type.
typedef double vr_d __attribute__((ext_vector_type(W / 2)));
typedef vr_d vr_d_memory __attribute__((aligned(8), may_alias));
typedef vf vr_f;
typedef vf_memory vr_f_memory;

#if TARN_HAS_FMA
#define MULTIPLY_ADD(x, y, z) __builtin_elementwise_fma(x, y, z)
#else
#define MULTIPLY_ADD(x, y, z) ((x) * (y) + (z))
#endif
#define UNROLLED _Pragma("clang loop unroll(full)")

/// ROWS x WIDE vectors of C from a[p * a_step + i] and b[p * b_step + j].
#define TILE_BODY(S, ROWS, WIDE)                                                                             \
  {                                                                                                          \
    enum { LANES = sizeof(vr_##S) / sizeof(S##_t) };                                                         \
    vr_##S sums[ROWS][WIDE];                                                                                 \
    UNROLLED for (int i = 0; i < ROWS; i++) {                                                                \
      UNROLLED for (int j = 0; j < WIDE; j++) sums[i][j] = 0;                                                \
      __builtin_prefetch(c + i * ld_c, 1), __builtin_prefetch(c + i * ld_c + n - 1, 1);                      \
    }                                                                                                        \
    for (int64_t p = 0; p < k; p++) {                                                                        \
      vr_##S y[WIDE];                                                                                        \
      UNROLLED for (int j = 0; j < WIDE; j++) y[j] = *(const vr_##S##_memory *)(b + j * LANES);              \
      UNROLLED for (int i = 0; i < ROWS; i++) {                                                              \
        vr_##S x = (vr_##S)a[i];                                                                             \
        UNROLLED for (int j = 0; j < WIDE; j++) sums[i][j] = MULTIPLY_ADD(x, y[j], sums[i][j]);              \
      }                                                                                                      \
      a += a_step;                                                                                           \
      b += b_step;                                                                                           \
    }                                                                                                        \
    if (n == WIDE * LANES) {                                                                                 \
      UNROLLED for (int i = 0; i < ROWS; i++) {                                                              \
        UNROLLED for (int j = 0; j < WIDE; j++) {                                                            \
          vr_##S##_memory *at = (vr_##S##_memory *)(c + i * ld_c + j * LANES);                               \
          *at = accumulate ? *at + sums[i][j] : sums[i][j];                                                  \
        }                                                                                                    \
      }                                                                                                      \
    } else {                                                                                                 \
      S##_t spill[ROWS][WIDE * LANES];                                                                       \
      memcpy(spill, sums, sizeof spill);                                                                     \
      for (int64_t i = 0; i < ROWS; i++) {                                                                   \
        for (int64_t j = 0; j < n; j++) {                                                                    \
          c[i * ld_c + j] = accumulate ? c[i * ld_c + j] + spill[i][j] : spill[i][j];                        \
        }                                                                                                    \
      }                                                                                                      \
    }                                                                                                        \
  }

#define TILE(S, ROWS)                                                                                        \
  static void tile_##S##_##ROWS(                                                                             \
    int64_t k, const void *pa, int64_t a_step, const void *pb, int64_t b_step, void *pc, int64_t ld_c, int64_t n, \
    int accumulate                                                                                           \
  ) {                                                                                                        \
    const S##_t *a = pa, *b = pb;                                                                            \
    S##_t *c = pc;                                                                                           \
    if (n <= (int64_t)(sizeof(vr_##S) / sizeof(S##_t))) TILE_BODY(S, ROWS, 1)                                \
    else TILE_BODY(S, ROWS, 2)                                                                               \
  }

// clang-format off
#define TILES(S)                                                                                             \
  TILE(S, 1) TILE(S, 2) TILE(S, 3) TILE(S, 4)
#define TILES_TO_6(S) TILE(S, 5) TILE(S, 6)
#define TILES_TO_8(S) TILE(S, 7) TILE(S, 8)
#define TILES_TO_14(S) TILE(S, 9) TILE(S, 10) TILE(S, 11) TILE(S, 12) TILE(S, 13) TILE(S, 14)
#define NAMES(S) tile_##S##_1, tile_##S##_2, tile_##S##_3, tile_##S##_4
#define NAMES_TO_6(S) NAMES(S), tile_##S##_5, tile_##S##_6
#define NAMES_TO_8(S) NAMES_TO_6(S), tile_##S##_7, tile_##S##_8
#define NAMES_TO_14(S)                                                                                       \
  NAMES_TO_8(S), tile_##S##_9, tile_##S##_10, tile_##S##_11, tile_##S##_12, tile_##S##_13, tile_##S##_14

TILES(f) TILES(d)
#if TARN_LEVEL == 2
TILES_TO_6(f) TILES_TO_6(d) TILES_TO_8(f) TILES_TO_8(d) TILES_TO_14(f) TILES_TO_14(d)
#define TILE_TABLE {{NAMES_TO_14(f)}, {NAMES_TO_14(d)}}
#elif TARN_LEVEL == 1
TILES_TO_6(f) TILES_TO_6(d)
#define TILE_TABLE {{NAMES_TO_6(f)}, {NAMES_TO_6(d)}}
#elif defined(__aarch64__)
TILES_TO_6(f) TILES_TO_6(d) TILES_TO_8(f) TILES_TO_8(d)
#define TILE_TABLE {{NAMES_TO_8(f)}, {NAMES_TO_8(d)}}
#else
#define TILE_TABLE {{NAMES(f)}, {NAMES(d)}}
#endif
// clang-format on

// MARK: Packing

typedef float four_f __attribute__((ext_vector_type(4)));
typedef double four_d __attribute__((ext_vector_type(4)));
typedef four_f four_f_memory __attribute__((aligned(4), may_alias));
typedef four_d four_d_memory __attribute__((aligned(8), may_alias));

/// dst[p * width + j] = src[j * ld + p] for j < count, p < k.
#define PACK_TRANSPOSED(S)                                                                                   \
  INLINE void transpose_four_##S(S##_t *d, int64_t width, const S##_t *s, int64_t ld) {                      \
    four_##S a = *(const four_##S##_memory *)s, b = *(const four_##S##_memory *)(s + ld);                    \
    four_##S c = *(const four_##S##_memory *)(s + 2 * ld), e = *(const four_##S##_memory *)(s + 3 * ld);     \
    four_##S ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7); \
    four_##S ce = __builtin_shufflevector(c, e, 0, 4, 1, 5), ce2 = __builtin_shufflevector(c, e, 2, 6, 3, 7); \
    *(four_##S##_memory *)d = __builtin_shufflevector(ab, ce, 0, 1, 4, 5);                                   \
    *(four_##S##_memory *)(d + width) = __builtin_shufflevector(ab, ce, 2, 3, 6, 7);                         \
    *(four_##S##_memory *)(d + 2 * width) = __builtin_shufflevector(ab2, ce2, 0, 1, 4, 5);                   \
    *(four_##S##_memory *)(d + 3 * width) = __builtin_shufflevector(ab2, ce2, 2, 3, 6, 7);                   \
  }                                                                                                          \
  static void pack_transposed_##S(                                                                           \
    void *dst, int64_t width, const void *src, int64_t ld, int64_t count, int64_t k                          \
  ) {                                                                                                        \
    enum { LINE = 64 / sizeof(S##_t) };                                                                      \
    S##_t *d = dst;                                                                                          \
    const S##_t *s = src;                                                                                    \
    const int64_t whole = count < 4 ? 0 : k / 4 * 4;                                                         \
    /* Whole cache lines at a time: rows often lie a power of two apart, and drive one another out. */       \
    for (int64_t line = 0; line < whole; line += LINE) {                                                     \
      const int64_t end = line + LINE < whole ? line + LINE : whole;                                         \
      for (int64_t i = 0; i < count; i += 4) {                                                               \
        const int64_t j = i + 4 <= count ? i : count - 4;                                                    \
        const S##_t *from = s + j * ld;                                                                      \
        UNROLLED for (int r = 0; r < 4; r++) __builtin_prefetch(from + r * ld + line + 2 * LINE);            \
        for (int64_t p = line; p < end; p += 4) transpose_four_##S(d + p * width + j, width, from + p, ld);  \
      }                                                                                                      \
    }                                                                                                        \
    for (int64_t p = whole; p < k; p++) {                                                                    \
      for (int64_t j = 0; j < count; j++) d[p * width + j] = s[j * ld + p];                                  \
    }                                                                                                        \
  }

/// COUNT ≤ 16 rows, sixteen elements of each at a time. Returns how many are done. A vector is stored for each, over
/// the beginning of the next, so that `width` must be COUNT.
#define PACK_SIXTEENS(NAME, COUNT)                                                                           \
  INLINE int64_t NAME(float *d, int64_t width, const float *s, int64_t ld, int64_t k) {                      \
    int64_t p = 0;                                                                                           \
    for (; p + 16 <= k; p += 16, d += 16 * width) {                                                          \
      pf v[16];                                                                                              \
      UNROLLED for (int j = 0; j < 16; j++) v[j] = 0;                                                        \
      UNROLLED for (int j = 0; j < COUNT; j++) {                                                             \
        __builtin_prefetch(s + j * ld + p + 48);                                                             \
        v[j] = *(const pf_memory *)(s + j * ld + p);                                                         \
      }                                                                                                      \
      transpose(v);                                                                                          \
      UNROLLED for (int i = 0; i < 15; i++) *(pf_memory *)(d + i * width) = v[i];                            \
      memcpy(d + 15 * width, &v[15], COUNT * sizeof *d);                                                     \
    }                                                                                                        \
    return p;                                                                                                \
  }

PACK_TRANSPOSED(f)
PACK_TRANSPOSED(d)

#if TARN_LEVEL == 2
PACK_SIXTEENS(pack_rows_of_a, MR)
PACK_SIXTEENS(pack_half_of_b, 16)

static void pack_transposed_vectors(
  void *dst, int64_t width, const void *src, int64_t ld, int64_t count, int64_t k
) {
  float *d = dst;
  const float *s = src;
  int64_t done = 0;
  if (count == MR && width == MR) {
    done = pack_rows_of_a(d, width, s, ld, k);
  } else if (count == NR_F) {
    pack_half_of_b(d, width, s, ld, k);
    done = pack_half_of_b(d + 16, width, s + 16 * ld, ld, k);
  }
  pack_transposed_f(d + done * width, width, s + done, ld, count, k - done);
}
#else
#define pack_transposed_vectors pack_transposed_f
#endif

/// `panels` of WIDTH columns, k rows each: dst[(j k + p) WIDTH + i] = src[p ld + j WIDTH + i]. A few at a time, so that
/// whole cache lines are read, which are fetched ahead: the processor does not by itself what lies so far apart.
#define PACK_PANELS(NAME, S, WIDTH)                                                                          \
  static void NAME(void *dst, const void *src, int64_t ld, int64_t panels, int64_t k) {                      \
    enum { TOGETHER = 4, AHEAD = 12, LINE = 64 / sizeof(S##_t) };                                            \
    for (int64_t j = 0; j < panels; j += TOGETHER) {                                                         \
      const int64_t n = panels - j < TOGETHER ? panels - j : TOGETHER;                                       \
      const S##_t *from = (const S##_t *)src + j * WIDTH;                                                    \
      S##_t *to = (S##_t *)dst + j * k * WIDTH;                                                              \
      for (int64_t p = 0; p < k; p++, from += ld, to += WIDTH) {                                             \
        for (int64_t i = 0; i < n * WIDTH; i += LINE) __builtin_prefetch(from + AHEAD * ld + i);             \
        for (int64_t i = 0; i < n; i++) memcpy(to + i * k * WIDTH, from + i * WIDTH, WIDTH * sizeof *to);    \
      }                                                                                                      \
    }                                                                                                        \
  }

PACK_PANELS(pack_rows_f, f, MR)
PACK_PANELS(pack_rows_d, d, MR)
PACK_PANELS(pack_columns_f, f, NR_F)
PACK_PANELS(pack_columns_d, d, NR_D)

// MARK: Matrix times vector

/// The first `count` elements, then zeros; the sum of the lanes, halves first.
#define DOT_PARTS(S)                                                                                         \
  INLINE vr_##S part_of_##S(const S##_t *p, int64_t count) {                                                 \
    enum { LANES = sizeof(vr_##S) / sizeof(S##_t) };                                                         \
    if (count == LANES) return *(const vr_##S##_memory *)p;                                                  \
    vr_##S x = 0;                                                                                            \
    memcpy(&x, p, (size_t)count * sizeof *p);                                                                \
    return x;                                                                                                \
  }                                                                                                          \
  INLINE S##_t sum_of_##S(vr_##S x) {                                                                        \
    enum { LANES = sizeof(vr_##S) / sizeof(S##_t) };                                                         \
    S##_t lanes[LANES];                                                                                      \
    memcpy(lanes, &x, sizeof x);                                                                             \
    UNROLLED for (int half = LANES / 2; half > 0; half /= 2) {                                               \
      UNROLLED for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];                                   \
    }                                                                                                        \
    return lanes[0];                                                                                         \
  }

DOT_PARTS(f)
DOT_PARTS(d)

/// y[j] = sum over p of x[p] b[j * ld + p]: four dot products at a time.
#define DOTS(S)                                                                                              \
  static void dots_##S(void *py, const void *px, const void *pb, int64_t ld, int64_t n, int64_t k) {         \
    enum { LANES = sizeof(vr_##S) / sizeof(S##_t) };                                                         \
    S##_t *y = py;                                                                                           \
    const S##_t *x = px;                                                                                     \
    for (int64_t j = 0; j < n; j += 4) {                                                                     \
      const int rows = n - j < 4 ? (int)(n - j) : 4;                                                         \
      const S##_t *b[4];                                                                                     \
      for (int r = 0; r < 4; r++) b[r] = (const S##_t *)pb + (j + (r < rows ? r : 0)) * ld;                  \
      vr_##S sums[4][2];                                                                                     \
      UNROLLED for (int r = 0; r < 4; r++) sums[r][0] = sums[r][1] = 0;                                      \
      int64_t p = 0;                                                                                         \
      for (; p + 2 * LANES <= k; p += 2 * LANES) {                                                           \
        vr_##S u = *(const vr_##S##_memory *)(x + p), v = *(const vr_##S##_memory *)(x + p + LANES);         \
        UNROLLED for (int r = 0; r < 4; r++) {                                                               \
          sums[r][0] = MULTIPLY_ADD(u, *(const vr_##S##_memory *)(b[r] + p), sums[r][0]);                    \
          sums[r][1] = MULTIPLY_ADD(v, *(const vr_##S##_memory *)(b[r] + p + LANES), sums[r][1]);            \
        }                                                                                                    \
      }                                                                                                      \
      for (; p < k; p += LANES) {                                                                            \
        const int64_t count = k - p < LANES ? k - p : LANES;                                                 \
        vr_##S u = part_of_##S(x + p, count);                                                                \
        UNROLLED for (int r = 0; r < 4; r++) {                                                               \
          sums[r][0] = MULTIPLY_ADD(u, part_of_##S(b[r] + p, count), sums[r][0]);                            \
        }                                                                                                    \
      }                                                                                                      \
      for (int r = 0; r < rows; r++) y[j + r] = sum_of_##S(sums[r][0] + sums[r][1]);                         \
    }                                                                                                        \
  }

/// y[j] = sum over p of x[p] b[p * ld + j]: four rows of b at a time, in blocks of columns.
#define COMBINATION(S)                                                                                       \
  static void combination_##S(void *py, const void *px, const void *pb, int64_t ld, int64_t n, int64_t k) {  \
    enum { LANES = sizeof(vr_##S) / sizeof(S##_t) };                                                         \
    S##_t *y = py;                                                                                           \
    const S##_t *x = px, *b = pb;                                                                            \
    memset(y, 0, (size_t)n * sizeof *y);                                                                     \
    for (int64_t p = 0; p < k; p += 4) {                                                                     \
      const int rows = k - p < 4 ? (int)(k - p) : 4;                                                         \
      const S##_t *row[4];                                                                                   \
      vr_##S scale[4];                                                                                       \
      for (int r = 0; r < 4; r++) {                                                                          \
        row[r] = b + (p + (r < rows ? r : 0)) * ld;                                                          \
        scale[r] = (vr_##S)x[p + (r < rows ? r : 0)];                                                        \
      }                                                                                                      \
      int64_t j = 0;                                                                                         \
      for (; j + LANES <= n; j += LANES) {                                                                   \
        vr_##S sum = *(vr_##S##_memory *)(y + j);                                                            \
        UNROLLED for (int r = 0; r < 4; r++) {                                                               \
          if (r < rows) sum = MULTIPLY_ADD(scale[r], *(const vr_##S##_memory *)(row[r] + j), sum);           \
        }                                                                                                    \
        *(vr_##S##_memory *)(y + j) = sum;                                                                   \
      }                                                                                                      \
      for (; j < n; j++) {                                                                                   \
        for (int r = 0; r < rows; r++) y[j] += scale[r][0] * row[r][j];                                      \
      }                                                                                                      \
    }                                                                                                        \
  }

DOTS(f)
DOTS(d)
COMBINATION(f)
COMBINATION(d)

#endif
