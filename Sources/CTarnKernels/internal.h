// What the files of this target share.
#ifndef TARN_INTERNAL_H
#define TARN_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "chain.h"
#include "include/tarn_attention.h"
#include "include/tarn_blocked.h"
#include "include/tarn_kernels.h"
#include "include/tarn_recurrent.h"

/// Elements of a block: what one instruction works on at a time, so that registers stay in the first-level cache.
enum { TARN_BLOCK = 1024 };
/// The same of a loop over memory that is in no cache: loads and stores have to go on all the time.
enum { TARN_SMALL_BLOCK = 256 };
/// Outputs of so many bytes go past the caches.
enum { TARN_LARGE = 8 << 20 };

// MARK: Types

static inline int tarn_class_of(int dtype) {
  static const int8_t classes[] = {TARN_I32, TARN_I32, TARN_I32, TARN_I32, TARN_I64,
                                   TARN_F32, TARN_F32, TARN_F32, TARN_F64};
  return dtype < 0 || dtype > TARN_DTYPE_F64 ? -1 : classes[dtype];
}

static inline int64_t tarn_bytes_of(int dtype) {
  static const int8_t bytes[] = {1, 1, 1, 4, 8, 2, 2, 4, 8};
  return bytes[dtype];
}

static inline int64_t tarn_class_bytes(int cls) { return cls == TARN_F32 || cls == TARN_I32 ? 4 : 8; }

/// Whether memory of this type can serve as a register.
static inline int tarn_is_native(int dtype) {
  return dtype == TARN_DTYPE_I32 || dtype == TARN_DTYPE_I64 || dtype == TARN_DTYPE_F32 || dtype == TARN_DTYPE_F64;
}

static inline int64_t tarn_least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t tarn_greatest(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t tarn_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// MARK: Memory

/// Scratch memory of the calling thread, 64-byte aligned, kept for the next call. Slots are independent.
/// Null if there is no memory.
void *tarn_scratch(int slot, size_t bytes);

enum tarn_scratch_slot {
  TARN_SCRATCH_PLAN,
  TARN_SCRATCH_REGISTERS,
  TARN_SCRATCH_PARTIALS,
  TARN_SCRATCH_PACK_A,
  TARN_SCRATCH_PACK_B,
  TARN_SCRATCH_TILE,
  TARN_SCRATCH_IMAGE,
  TARN_SCRATCH_TABLES,
  TARN_SCRATCH_OFFSETS,
  TARN_SCRATCH_TURNED,
  TARN_SCRATCH_WEIGHTS,
  TARN_SCRATCH_SORT,
  TARN_SCRATCH_ENGINE,
  TARN_SCRATCH_ENGINE_SUMS,
  TARN_SCRATCH_MARGINS,
  TARN_SCRATCH_WEIGHT_SUMS,
  TARN_SCRATCH_WINOGRAD_INPUT,
  TARN_SCRATCH_WINOGRAD_OUTPUT,
  TARN_SCRATCH_WINOGRAD_SUMS,
  TARN_SCRATCH_WINOGRAD_WEIGHTS,
  TARN_SCRATCH_DIRECT_AXES,
  TARN_SCRATCH_DIRECT_TAPS,
  TARN_SCRATCH_DIRECT_IMAGE,
  TARN_SCRATCH_DIRECT_SHARED,
  TARN_SCRATCH_DIRECT_SUMS,
  TARN_SCRATCH_RECURRENT_WEIGHTS,
  TARN_SCRATCH_RECURRENT,
  TARN_SCRATCH_ATTENTION,
  TARN_SCRATCH_SLOTS,
};

// MARK: What every SIMD level provides

/// dst[i] = op(a[i], b[i], c[i]). Bits 0, 1, 2 of `scalars`: a, b, c is one element for all i.
typedef void (*tarn_kernel)(
  void *dst, const void *a, const void *b, const void *c, int64_t n, unsigned scalars);
/// Between memory of some dtype, `stride` elements apart, and a register.
typedef void (*tarn_transfer)(void *dst, const void *src, int64_t stride, int64_t n);
/// Combines src[0 ..< n] into one element of the accumulating type (f64, i32, i64): the old `*accumulator` too.
typedef void (*tarn_fold)(void *accumulator, const void *src, int64_t n);
/// accumulator[j] = accumulator[j] op src[j] for j < n, over `rows` rows of n. f32 and f64 accumulate in f64.
typedef void (*tarn_fold_rows)(void *accumulator, const void *src, int64_t rows, int64_t n);
/// Takes rows of floats, `ld` apart, into accumulators that are floats too.
typedef void (*tarn_take_rows)(float *accumulators, const float *src, int64_t ld, int64_t rows, int64_t n);

/// A tile of C (rows ld_c apart, as many as the tile has, n columns) = or += the sum over p < k of
/// a[p * a_step + row] * b[p * b_step + column]. b must be readable up to a whole vector, two if n > 1 vector.
typedef void (*tarn_tile)(
  int64_t k, const void *a, int64_t a_step, const void *b, int64_t b_step, void *c, int64_t ld_c, int64_t n,
  int accumulate);
/// dst[p * width + j] = src[j * ld + p] for j < count, p < k.
typedef void (*tarn_pack_transposed)(
  void *dst, int64_t width, const void *src, int64_t ld, int64_t count, int64_t k);
/// Whole panels from rows that are `ld` apart: each has k rows, as wide as the function is for.
typedef void (*tarn_pack_panels)(void *dst, const void *src, int64_t ld, int64_t panels, int64_t k);
/// y[j], j < n, from x[p], p < k, and a matrix whose rows are ld apart.
typedef void (*tarn_matrix_vector)(void *y, const void *x, const void *b, int64_t ld, int64_t n, int64_t k);

/// Consecutive columns of a panel that follow each other in the image.
typedef struct {
  int64_t at, length, offset;
} tarn_run;
/// dst[p * width + run.at + i] = image[rows[p] + run.offset + i * step] for i < run.length, p < k. Panel rows are
/// written in order, up to a vector past each run but not past the last row; the image is read up to two vectors past.
typedef void (*tarn_gather)(
  void *dst, int64_t width, const void *image, const int64_t *rows, int64_t k, const tarn_run *runs, int n_runs,
  int64_t step);
/// y[i] = (or +=) sum over t of weights[t] * x[offsets[t] + i * step], i < n.
typedef void (*tarn_taps)(
  void *y, const void *x, const int64_t *offsets, const void *weights, int64_t n_taps, int64_t n, int64_t step,
  int accumulate);
/// sums[t] += sum over i of g[i] * x[offsets[t] + i * step].
typedef void (*tarn_tap_sums)(
  double *sums, const void *g, const void *x, const int64_t *offsets, int64_t n_taps, int64_t n, int64_t step);

/// 4 W words a step: words[4 i + j] is word j of block `first` + i, for i < n, n a multiple of 16.
typedef void (*tarn_philox)(uint64_t key, uint64_t stream, uint64_t first, int64_t n, uint32_t *words);

/// Elements first, first + stride, … of the float32 numbers that `tarn_random_uniform` makes of a key and a stream.
void tarn_random_run(const uint64_t *key, int64_t first, int64_t stride, int64_t n, float *out);

/// What a row of logits x holds: its largest element m, the sum of exp(x - m), and of x - m.
typedef struct {
  double most, exponentials, differences;
} tarn_row_sums;
typedef tarn_row_sums (*tarn_sum_row)(const void *x, int64_t n);
/// y = exp(x - most) * scale - shift
typedef void (*tarn_exponentials)(void *y, const void *x, int64_t n, double most, double scale, double shift);
/// y = x - first - second
typedef void (*tarn_subtract)(void *y, const void *x, int64_t n, double first, double second);
/// y = exp(x - max) / sum; the exponentials wait in `work`, which may be y. `past_caches`: y is too large for them.
typedef void (*tarn_softmax_row)(void *y, void *work, const void *x, int64_t n, int past_caches);
/// y = (x - mean) / sqrt(variance + eps) * gamma + beta; gamma and beta may be null.
typedef void (*tarn_normalize_row)(
  void *y, const void *x, int64_t n, const void *gamma, const void *beta, double eps, int past_caches);
/// dx of it from g; gamma may be null.
typedef void (*tarn_normalize_gradient)(
  void *dx, const void *x, const void *g, int64_t n, const void *gamma, double eps);

/// Windows of 2×2 elements, 2 apart, of two rows: the largest of each; g put where it is; another pair of rows read there.
typedef void (*tarn_pool_pairs)(void *y, const void *x0, const void *x1, int64_t n);
typedef void (*tarn_unpool_pairs)(
  void *dx0, void *dx1, const void *x0, const void *x1, const void *g, int64_t n);
typedef void (*tarn_choose_pairs)(
  void *y, const void *x0, const void *x1, const void *t0, const void *t1, int64_t n);

/// For as many outputs as the function has, `ld` apart: y[i] = the sum over t of w[t][output] * x[offsets[t] + i],
/// i < n. Reads and writes up to a whole vector.
typedef void (*tarn_strip_sums)(
  const void *x, const int64_t *offsets, const void *w, int64_t n_taps, void *y, int64_t ld, int64_t n);
/// sums[output * ld + t] += g[output * ld_g + i] * x[offsets[t] + i], lane by lane, over images and i < n, which is read
/// up to a whole vector; `sums` are vectors.
typedef struct {
  const void *x, *g;
  void *sums;
  const int64_t *offsets;
  int64_t images, x_image, g_image, ld_g, ld, n;
} tarn_strip_products_of;
typedef void (*tarn_strip_products)(const tarn_strip_products_of *of, int64_t n_taps);

/// Rows of C, ldc apart and one ([0]) or two vectors ([1]) wide, = or += rows of A, lda apart, times B, whose rows are as wide
/// and ldb apart. At each step of k `ahead` is fetched, and moves on by `ahead_step`.
typedef void (*tarn_row_tile)(
  int64_t k, const float *a, int64_t lda, const float *b, int64_t ldb, float *c, int64_t ldc, int accumulate,
  const float *ahead, int64_t ahead_step);

/// `n` units of one row of a recurrent layer at one step. What has several gates has them `step` apart, but `sums`,
/// the products with h, `sums_step`.
typedef struct {
  int64_t n, step, sums_step;
  const float *sums, *inputs, *bias, *bias_n, *h_before, *c_before;
  float *h, *c, *gates;
  /// What the next products multiply.
  float *operand;
} tarn_cell;
typedef void (*tarn_cell_step)(const tarn_cell *cell);

/// The derivative of the same: `dh` and `dc` hold what later steps want of h and c, and then what passes on to earlier
/// ones beside the product of `operand` with the weights.
typedef struct {
  int64_t n, step;
  const float *g, *gates, *h_before, *h, *c_before, *c;
  float *dh, *dc, *slopes, *met_slopes, *operand;
} tarn_cell_slope;
typedef void (*tarn_cell_slope_step)(const tarn_cell_slope *cell);

/// The most rows a tile has at any level.
enum { TARN_MOST_TILE_ROWS = 14, TARN_STRIP_OUTPUTS = 8, TARN_PRODUCT_OUTPUTS = 4 };

typedef struct {
  const char *name;
  int level;
  /// Null where the class does not have the op.
  tarn_kernel ops[TARN_OP_COUNT][4];
  tarn_transfer loads[9], stores[9];
  tarn_fold folds[4][4];
  tarn_fold_rows row_folds[4][4];
  /// accumulators[r] from row r: for rows too short for vectors.
  tarn_fold_rows short_folds[4][4];
  /// Of the reductions that floats are good enough for over a short run of rows (sum) or any (max, min); else null.
  tarn_take_rows take_rows[4];
  /// Copies to 64-byte aligned memory past the caches.
  void (*stream)(void *dst, const void *src, int64_t bytes);
  /// Elements from `begin` to `end` of a chain of instructions.
  void (*chain)(const tarn_chain *chain, int64_t begin, int64_t end);
  /// Matrix products: [0] f32, [1] f64. A tile has up to `mr` rows and `nr` columns; tile[][i] has i + 1 rows.
  int mr, nr[2];
  tarn_tile tile[2][TARN_MOST_TILE_ROWS];
  tarn_pack_transposed pack_transposed[2];
  /// [][0] of `mr` columns, [][1] of `nr`.
  tarn_pack_panels pack_panels[2][2];
  /// Matrices stored [n, k] and [k, n].
  tarn_matrix_vector dots[2], combination[2];
  /// Convolution, of f32 and f64.
  tarn_gather gather[2];
  tarn_taps taps[2];
  tarn_tap_sums tap_sums[2];
  tarn_philox philox;
  const struct tarn_depthwise_kernels *depthwise;
  const struct tarn_weight_kernels *weight_gradient;
  /// Rows, of f32 and f64.
  tarn_sum_row sum_row[2];
  tarn_exponentials exponentials[2];
  tarn_subtract subtract[2];
  tarn_softmax_row softmax_row[2];
  tarn_normalize_row normalize_row[2];
  tarn_normalize_gradient normalize_gradient[2];
  /// Passes over the pixels of a block of channels.
  void (*affine_pixels)(
    float *y, const float *x, const float *scale, const float *shift, const float *residual, int activation, float low,
    float high, int64_t pixels);
  void (*blend_pixels)(
    float *z, const float *x, const float *y, const float *a, const float *b, const float *c, int64_t pixels);
  const struct tarn_blocked_memory *blocked_memory;
  const struct tarn_winograd_kernels *winograd;
  const struct tarn_direct_kernels *direct;
  tarn_pool_pairs pool_pairs[2];
  tarn_unpool_pairs unpool_pairs[2];
  tarn_choose_pairs choose_pairs[2];
  /// Convolution in strips: strip_sums[][i] has i + 1 outputs, up to `strip_outputs`; strip_products[][i] too, up to
  /// TARN_PRODUCT_OUTPUTS, of up to `product_taps` taps.
  int strip_outputs, product_taps;
  tarn_strip_sums strip_sums[2][TARN_STRIP_OUTPUTS];
  tarn_strip_products strip_products[2][TARN_PRODUCT_OUTPUTS];
  void (*lane_sums[2])(void *out, const void *vectors, int64_t n);
  /// Copies rows out of wider ones, and into them with zeros between.
  void (*gather_rows[2])(void *y, int64_t to, const void *x, int64_t from, int64_t rows, int64_t columns);
  void (*spread_rows[2])(void *y, int64_t to, const void *x, int64_t rows, int64_t columns, int64_t end);
  int (*all_finite[2])(const void *x, int64_t n);
  /// Recurrent cells, by kind; a GRU that resets before its product has a second part.
  tarn_row_tile row_tile[2][TARN_MOST_TILE_ROWS];
  tarn_cell_step cell[TARN_CELL_KINDS], gru_new;
  tarn_cell_slope_step cell_slope[TARN_CELL_KINDS], gru_reset;
  const struct tarn_attention_kernels *attention;
} tarn_level;

extern const tarn_level tarn_level_portable, tarn_level_avx2, tarn_level_avx512;

/// The level in use.
const tarn_level *tarn_level_now(void);

/// Calls the body with equal tiles of the rows 0 ..< n: first, count.
#define EACH_TILE(level, n, first, count)                                                        \
  for (int64_t tiles_ = tarn_ceil_div(n, (level)->mr), tile_ = 0, first, count;                  \
       tile_ < tiles_ && (first = (n) * tile_ / tiles_, count = (n) * (tile_ + 1) / tiles_ - first, 1); tile_++)

// MARK: Matrix products

/// Packs `count` rows of A or columns of B from `first` on, p from `p0` to `p0 + k`: dst[(p - p0) * width + j].
/// What lies at j ≥ count does not matter.
typedef void (*tarn_pack)(
  const void *source, int64_t first, int64_t count, int64_t p0, int64_t k, void *dst, int64_t width);

/// C = A B (or C += A B), f32 or f64, from whatever the two packers read.
typedef struct {
  /// 0: f32, 1: f64.
  int wide;
  int64_t m, n, k;
  tarn_pack pack_a, pack_b;
  const void *a, *b;
  /// A from `tarn_gemm_pack_a`, or null to pack it now.
  const void *packed_a;
  /// Where B's rows may be read in place, ld_b apart; null if they must be packed.
  const void *plain_b;
  int64_t ld_b;
  void *c;
  int64_t ld_c;
  int accumulate;
} tarn_gemm;

/// Runs on all threads, or in the caller within another job. Returns a status.
int tarn_gemm_run(const tarn_gemm *gemm);
/// Packs all of A for several products with the same A, k and SIMD level.
size_t tarn_gemm_packed_bytes(const tarn_gemm *gemm);
void tarn_gemm_pack_a(const tarn_gemm *gemm, void *packed);

/// A matrix in memory; `across` if the panel's elements are `ld` apart.
typedef struct {
  const void *data;
  int64_t ld;
  int across, dtype;
} tarn_matrix;
/// Packs a `tarn_matrix`; f16 and bf16 become f32.
void tarn_pack_matrix(
  const void *source, int64_t first, int64_t count, int64_t p0, int64_t k, void *dst, int64_t width);

// MARK: Windows over images

/// A grid of positions over images, and what each reads: element (row * stride + offset) of each axis, 0 outside.
/// Forward convolution has an offset for each element of the kernel.
typedef struct {
  int64_t channels, h, w;
  int64_t rows, columns, stride[2];
  /// Offsets along each axis.
  int64_t count[2];
  const int64_t *offsets[2];
  /// The image with margins, so that every position lies inside: its size, and what its first element is.
  int64_t padded_h, padded_w, origin[2];
} tarn_grid;

/// Fills in the padded size.
void tarn_grid_measure(tarn_grid *grid);
/// Elements of a padded image of all channels, with room for reading on past its end.
int64_t tarn_grid_elements(const tarn_grid *grid);
/// Copies planes [channels, h, w] into padded ones.
void tarn_grid_pad(const tarn_grid *grid, int64_t bytes, const void *image, void *padded);

/// Along one axis of x: the positions start, start + stride, …, and the elements of the kernel that reach them,
/// each from position index + offset of g.
typedef struct {
  int64_t start, length, count;
  int64_t *taps, *offsets;
} tarn_phase;
/// `memory` has room for twice the kernel's length.
tarn_phase tarn_phase_of(const tarn_conv *conv, int axis, int64_t start, int64_t *memory);
int tarn_conv_check(int dtype, const tarn_conv *conv);

/// Convolution of one input channel a group without matrix products, which would be too thin.
static inline int tarn_is_depthwise(const tarn_conv *conv) {
  return conv->c == conv->groups && conv->o <= 2 * conv->groups && conv->kh * conv->kw > 1;
}
int tarn_depthwise_forward(int wide, const tarn_conv *conv, const void *x, const void *w, void *y);
int tarn_depthwise_input_gradient(int wide, const tarn_conv *conv, const void *g, const void *w, void *dx);
int tarn_depthwise_weight_gradient(int wide, const tarn_conv *conv, const void *x, const void *g, void *dw);

/// Convolution with few outputs and stride 1, without matrices: rows of padded images as one long row.
typedef struct {
  const tarn_grid *grid;
  int wide;
  int64_t images, groups;
  /// Outputs, and taps of all channels: the weights of a group are [m, k].
  int64_t m, k;
  const char *source, *weights;
  char *out;
  /// Bytes from image to image and from group to group.
  int64_t source_image, source_group, weights_group, out_image, out_group;
} tarn_strips;
int tarn_strips_suit(const tarn_grid *grid, int64_t m, int64_t k);
int tarn_strips_run(const tarn_strips *strips);
/// The gradient of the weights in the same way. Sets `*done` to 0 if it was left undone, since x is not all finite.
int tarn_strips_suit_weights(const tarn_conv *conv, const tarn_grid *grid);
int tarn_strips_weights(
  int wide, const tarn_conv *conv, const tarn_grid *grid, const void *x, const void *g, void *dw, int *done);

// MARK: Plans of element-wise loops

/// How an input's elements reach a register.
enum tarn_access {
  /// The register is the memory: element `position` of the loop lies there.
  TARN_FLAT_IN_PLACE,
  /// The same, but the type has to be converted.
  TARN_FLAT,
  /// One element for the whole loop.
  TARN_SINGLE,
  /// Blocks lie within rows. The register is the memory.
  TARN_ROW_IN_PLACE,
  /// Blocks lie within rows: one strided load each.
  TARN_ROW,
  /// Blocks lie within rows, and each row has one element.
  TARN_ROW_SINGLE,
  /// Blocks span rows.
  TARN_SEGMENTS,
};

typedef struct {
  uint8_t access, dtype, kind, cls;
  /// Whether a single element has to be repeated over the block for some op that reads it.
  uint8_t filled;
  int32_t value, buffer;
  int64_t size;
  /// Element 0 of the loop; an iota has a start instead.
  char *base;
  int64_t start;
  int64_t strides[TARN_MAX_RANK];
} tarn_plan_operand;

/// Loads input `load`, if it is not negative, else runs `kernel`. Operands are values.
typedef struct {
  tarn_kernel kernel;
  int32_t load, dst, a, b, c, buffer;
  uint8_t scalars;
  /// The output that is written at once, or -1.
  int32_t direct;
} tarn_plan_step;

/// A loop made ready: axes merged, values numbered (inputs, constants, results of instructions), registers placed.
typedef struct {
  const tarn_level *level;
  int rank;
  int64_t shape[TARN_MAX_RANK];
  /// Of each merged axis, the group that the caller put its axes in.
  int group[TARN_MAX_RANK];
  int64_t total, inner, block, grain;
  /// Whether blocks end where rows do.
  int by_rows;
  /// Whether the operands are larger than the caches: blocks are small then, and inputs are fetched ahead.
  int from_memory;
  int n_inputs, n_outputs, n_consts, n_steps, n_values;
  tarn_plan_operand *inputs, *outputs;
  tarn_plan_step *steps;
  const tarn_const *consts;
  const tarn_scalar *scalars;
  int32_t *const_buffers;
  uint8_t *const_filled;
  int64_t register_bytes;
  /// What a reduction reduces.
  int32_t result;
  int result_class;
} tarn_plan;

/// Makes a plan in the calling thread's scratch memory. `order` and `group`, of `rank` entries, may be null: axes are
/// taken in that order, and only axes of one group merge. With `reduces`, the one output is not written: its register
/// is `result`.
int tarn_plan_make(
  tarn_plan **plan, const tarn_loop *loop, const int *order, const int *group, int reduces, void *const *pointers,
  const tarn_scalar *scalars);
/// Readies the calling thread: the table of values, with constants in place. Null if there is no memory.
void **tarn_plan_begin(const tarn_plan *plan);
/// Runs the block [position, position + n), which lies within a row if the plan goes by rows; n ≤ TARN_BLOCK.
void tarn_plan_block(const tarn_plan *plan, void **values, int64_t position, int64_t n);
/// The number of elements of the block that begins at `position` and ends no later than `end`.
static inline int64_t tarn_plan_extent(const tarn_plan *plan, int64_t position, int64_t end) {
  int64_t n = tarn_least(plan->block, end - position);
  return plan->by_rows ? tarn_least(n, plan->inner - position % plan->inner) : n;
}

/// Runs a loop of float32 that is a chain of instructions over memory as it lies. 0 if it is not: nothing is done.
int tarn_chain_run(const tarn_loop *loop, void *const *pointers, const tarn_scalar *scalars);

/// Copies elements of 1, 2, 4 or 8 bytes; strides in elements.
void tarn_copy_strided(
  int64_t element_bytes, int rank, const int64_t *shape, char *dst, const int64_t *dst_strides, const char *src,
  const int64_t *src_strides);

// MARK: Instructions

/// The operands an op takes as one element (bits as in `tarn_kernel`).
unsigned tarn_scalar_operands(int op, int cls);
/// How many operands an op has: 1, 2 or 3.
int tarn_operand_count(int op);
/// The class of an instruction's result, and of its operand 0, 1 or 2.
int tarn_result_class(const tarn_instr *instr);
int tarn_operand_class(const tarn_instr *instr, int operand);
/// What an instruction costs for an element, an addition being 1.
int tarn_op_cost(int op, int cls);

#endif
