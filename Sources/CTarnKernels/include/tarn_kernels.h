/// Kernels of the CPU backend: plain C, chosen at run time for AVX-512, AVX2 or any machine.
///
/// Conventions
/// - Arrays are row-major and contiguous unless strides are given; strides and offsets count elements.
/// - Functions that can meet a fault in their input return `TARN_OK` or another `tarn_status`; none aborts.
/// - Counts of zero are fine and do nothing. Pointers may be null only where their count is zero.
/// - Results have the same bits at any number of threads: work is cut into pieces whose borders depend
///   on the shapes alone, and partial results are combined in order. They may differ between SIMD levels.
/// - Outputs never overlap inputs, except that an element-wise loop may write an output over an input
///   that has the same type, offset and strides.
#ifndef TARN_KERNELS_H
#define TARN_KERNELS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// MARK: Types

/// Element types; the numbers are the raw values of `DType`.
enum tarn_dtype {
  TARN_DTYPE_BOOL = 0,
  TARN_DTYPE_U8 = 1,
  TARN_DTYPE_I8 = 2,
  TARN_DTYPE_I32 = 3,
  TARN_DTYPE_I64 = 4,
  TARN_DTYPE_F16 = 5,
  TARN_DTYPE_BF16 = 6,
  TARN_DTYPE_F32 = 7,
  TARN_DTYPE_F64 = 8,
};

enum tarn_status {
  TARN_OK = 0,
  /// An index lies outside its axis; the function tells which.
  TARN_BAD_INDEX = 1,
  /// A type, class, rank or register that the function does not take.
  TARN_BAD_ARGUMENT = 2,
  TARN_NO_MEMORY = 3,
};

/// The most axes an element-wise loop has. Merge neighbouring axes to stay within it.
#define TARN_MAX_RANK 8

// MARK: Machine

enum tarn_simd { TARN_SIMD_PORTABLE = 0, TARN_SIMD_AVX2 = 1, TARN_SIMD_AVX512 = 2 };

enum tarn_cpu_feature {
  TARN_CPU_AVX2 = 1,
  TARN_CPU_FMA = 2,
  TARN_CPU_F16C = 4,
  TARN_CPU_AVX512F = 8,
  TARN_CPU_AVX512BW = 16,
  TARN_CPU_AVX512DQ = 32,
  TARN_CPU_AVX512VL = 64,
  TARN_CPU_AVX512_BF16 = 128,
  TARN_CPU_AVX512_VNNI = 256,
  TARN_CPU_NEON = 512,
};

/// What this processor has: a sum of `tarn_cpu_feature`.
uint32_t tarn_cpu_features(void);
/// The level in use: "avx512", "avx2" or "portable".
const char *tarn_simd_name(void);
/// The level in use, a `tarn_simd`.
int tarn_simd_level(void);
/// Chooses a level for the whole process (tests, and the variable `TARN_SIMD`); no higher than the
/// processor has. Returns the level now in use.
int tarn_set_simd_level(int level);

// MARK: Memory

/// At least 64-byte aligned; large blocks on huge pages where the system has them. Null if there is no memory.
void *tarn_allocate(int64_t bytes);
void tarn_free(void *memory);

// MARK: Threads

/// Work on [begin, end).
typedef void (*tarn_task)(void *ctx, int64_t begin, int64_t end);

/// Threads that share work, the caller included: `TARN_THREADS`, else the cores the process may use.
int tarn_threads(void);
/// Sets the number of threads (at least 1); 0 restores the default.
void tarn_set_threads(int count);
/// Calls `task` on [0, grain), [grain, 2 grain), … up to `count`, on all threads, and returns when all are done.
/// The pieces depend on `count` and `grain` alone. Nested calls and single pieces run in the caller.
void tarn_parallel(int64_t count, int64_t grain, tarn_task task, void *ctx);

/// Memory of the calling thread for engines besides this one, 64-byte aligned, kept for the next call; `which` is 0 or 1.
/// Null if there is none.
void *tarn_thread_memory(int which, int64_t bytes);

// MARK: Element-wise loops

/// What a register of a tape holds. bool (0 or 1), u8, i8 and i32 are computed in `TARN_I32`;
/// f16, bf16 and f32 in `TARN_F32`.
enum tarn_class { TARN_F32 = 0, TARN_F64 = 1, TARN_I32 = 2, TARN_I64 = 3 };

/// Instructions. `cls` is the class of operands and result unless said otherwise.
/// Integers wrap; a quotient or remainder by zero is 0. Functions marked F need a floating class.
enum tarn_op {
  // Unary: dst = op(a)
  TARN_NEG = 0,
  TARN_ABS,
  TARN_SIGN,
  TARN_EXP,
  TARN_EXPM1,
  TARN_LOG,
  TARN_LOG1P,
  TARN_SQRT,
  TARN_RSQRT,
  TARN_RECIPROCAL,
  TARN_SIN,
  TARN_COS,
  TARN_TAN,
  TARN_ASIN,
  TARN_ACOS,
  TARN_ATAN,
  TARN_TANH,
  TARN_ERF,
  TARN_ERFINV,
  TARN_SIGMOID,
  /// max(a, 0); NaN stays NaN.
  TARN_RELU,
  TARN_FLOOR,
  TARN_CEIL,
  /// To the nearest integer, halves to even.
  TARN_ROUND,
  /// Logical: 1 if a is 0, else 0. For bool.
  TARN_NOT,
  /// Every bit inverted. For integers.
  TARN_COMPLEMENT,
  /// a Φ(a), F, and its derivative.
  TARN_GELU,
  TARN_GELU_SLOPE,

  // Binary: dst = a op b
  TARN_ADD,
  TARN_SUB,
  TARN_MUL,
  /// Of integers: towards zero.
  TARN_DIV,
  /// Of integers: by squaring; a negative exponent gives 0 unless a is 1 or -1.
  TARN_POW,
  /// NaN if either is.
  TARN_MAX,
  TARN_MIN,
  /// Angle of (b, a): a is y.
  TARN_ATAN2,
  /// Sign of the divisor, as Python's `%`.
  TARN_REMAINDER,
  /// Python's `//`.
  TARN_FLOORDIV,
  /// Bitwise, integer classes. On 0 and 1 they are the logical ones.
  TARN_AND,
  TARN_OR,
  TARN_XOR,

  // Comparison: dst is TARN_I32 and holds 0 or 1; cls is that of a and b.
  TARN_EQ,
  TARN_NE,
  TARN_LT,
  TARN_LE,

  /// dst = a ? b : c; a is TARN_I32, cls is that of b, c and dst.
  TARN_SELECT,
  /// dst = a * b + c, rounded once where the machine has it, twice otherwise.
  TARN_FMA,

  // Conversion of a to the class named; cls is that of a.
  TARN_CAST_F32,
  TARN_CAST_F64,
  /// From floating: towards zero, saturated, NaN gives 0. From wider integers: wrapped.
  TARN_CAST_I32,
  TARN_CAST_I64,
  /// dst is TARN_I32: 1 if a != 0 (NaN included), else 0.
  TARN_CAST_BOOL,

  // Narrowing within a class, for intermediate results of narrow types.
  /// TARN_I32 modulo 256: 0 … 255.
  TARN_WRAP_U8,
  /// TARN_I32 modulo 256: -128 … 127.
  TARN_WRAP_I8,
  /// TARN_F32 to the nearest f16 or bf16, halves to even.
  TARN_ROUND_F16,
  TARN_ROUND_BF16,
  TARN_OP_COUNT,
};

typedef struct {
  uint8_t op, cls;
  /// Registers. dst may be an operand's too, but not one that an input or a constant fills.
  uint16_t dst, a, b, c;
} tarn_instr;

enum tarn_operand_kind {
  TARN_MEMORY = 0,
  /// No memory: the value is `offset` plus the sum of index[axis] * strides[axis], in the class of `dtype`.
  /// The index along one axis has stride 1 there and 0 elsewhere; `pointer` does not matter.
  TARN_IOTA = 1,
  /// Element sum of index[axis] * strides[axis] of what `tarn_random_uniform` makes, float32. `offset` eights of bytes from
  /// the pointer are the key and the stream.
  TARN_RANDOM = 2,
};

/// An input (memory to register) or an output (register to memory) of a loop.
typedef struct {
  /// Index into `pointers`.
  int32_t pointer;
  /// `tarn_dtype`; it decides the register's class. An output narrower than its class is rounded or wrapped; bool is
  /// `!= 0`.
  uint8_t dtype;
  uint8_t kind;
  uint16_t reg;
  /// Element 0 of the loop, in elements from the pointer.
  int64_t offset;
  /// Elements per step of each axis; 0 repeats, negative runs backwards.
  int64_t strides[TARN_MAX_RANK];
} tarn_operand;

typedef struct {
  double real;
  int64_t integer;
} tarn_scalar;

/// Register `reg` of class `cls` filled with `scalars[scalar]`: `.real` in floating classes, `.integer` in the others.
typedef struct {
  uint16_t reg;
  uint8_t cls;
  int32_t scalar;
} tarn_const;

/// For every index of `shape`: load the inputs, run the instructions in order, store the outputs.
/// A register that is both an input's and an output's is a copy. Registers are numbered from 0 to n_regs - 1.
typedef struct {
  int32_t rank;
  int64_t shape[TARN_MAX_RANK];
  int32_t n_inputs, n_outputs, n_consts, n_instrs, n_regs;
  const tarn_operand *inputs, *outputs;
  const tarn_const *consts;
  const tarn_instr *instrs;
} tarn_loop;

/// Runs a loop on all threads. Strides and shapes are the caller's to get right; registers and classes are checked.
int tarn_loop_run(const tarn_loop *loop, void *const *pointers, const tarn_scalar *scalars);

enum tarn_reduction { TARN_REDUCE_SUM = 0, TARN_REDUCE_PRODUCT = 1, TARN_REDUCE_MAX = 2, TARN_REDUCE_MIN = 3 };

/// Runs a loop of one output and reduces its register over the axes whose bits are set in `reduced_axes`.
/// `outputs[0]` describes the result: its strides are 0 on reduced axes, and its dtype is of the register's class.
/// Floating sums are blocked and combined in double; max and min propagate NaN; nothing to reduce gives the neutral
/// element (0, 1, -inf or the least integer, +inf or the greatest).
int tarn_reduce_run(
  const tarn_loop *loop, uint32_t reduced_axes, int reduction, void *const *pointers, const tarn_scalar *scalars);

/// 1 if `op` exists for `cls`, else 0.
int tarn_op_exists(int op, int cls);

// MARK: Matrix products

/// C[b] = A[b] B[b], all dtypes but bool. A is [m, k], or stored [k, m] if `transpose_a`; B is [k, n], or stored
/// [n, k]; C is [m, n], batches m n apart; `stride_a` and `stride_b` are elements from batch to batch, 0 to repeat.
/// k = 0 gives zeros. Integers wrap; f16 and bf16 accumulate in f32.
int tarn_matmul(
  int dtype, int transpose_a, int transpose_b, int64_t batch, int64_t m, int64_t n, int64_t k, const void *a,
  int64_t stride_a, const void *b, int64_t stride_b, void *c);

// MARK: Convolution, f32 and f64

/// x is [n, c, h, w], weights are [o, c / groups, kh, kw], y is [n, o, oh, ow]. Pairs are (vertical, horizontal).
/// One axis: h = kh = oh = 1. Output (i, j) reads input (i stride - low + p dilation, …); outside it is 0.
typedef struct {
  int64_t n, c, h, w, o, kh, kw, oh, ow;
  int64_t stride[2], low[2], dilation[2];
  int64_t groups;
} tarn_conv;

/// y = x * w
int tarn_conv2d_forward(int dtype, const tarn_conv *conv, const void *x, const void *w, void *y);
/// dx from g, of y's shape
int tarn_conv2d_input_gradient(int dtype, const tarn_conv *conv, const void *g, const void *w, void *dx);
/// dw from x and g
int tarn_conv2d_weight_gradient(int dtype, const tarn_conv *conv, const void *x, const void *g, void *dw);

// MARK: Pooling, f32 and f64

/// Windows over planes [planes, h, w] giving [planes, oh, ow]; positions as in `tarn_conv`.
typedef struct {
  int64_t planes, h, w, oh, ow;
  int64_t size[2], stride[2], low[2], dilation[2];
} tarn_window;

/// Flat index within the plane of each window's largest element: the first of equals; NaN wins; padding never does
/// (a window of nothing but padding gives 0).
int tarn_window_argmax(int dtype, const tarn_window *window, const void *x, int32_t *out);
/// Each window's largest element (-inf for a window of nothing but padding).
int tarn_max_pool(int dtype, const tarn_window *window, const void *x, void *y);
/// dx [planes, h, w] from g [planes, oh, ow]: each window's goes to its largest element, the first of equals; NaN wins.
/// Where windows overlap it adds up.
int tarn_max_pool_gradient(int dtype, const tarn_window *window, const void *x, const void *g, void *dx);
/// t, of x's shape, read where each window's largest element of x is.
int tarn_max_pool_choice(int dtype, const tarn_window *window, const void *x, const void *t, void *y);
/// Each window's sum; padding counts as 0.
int tarn_window_sum(int dtype, const tarn_window *window, const void *x, void *y);
/// Adjoint of the sum: dx [planes, h, w] from g [planes, oh, ow].
int tarn_window_spread(int dtype, const tarn_window *window, const void *g, void *dx);

// MARK: Indexing

/// out[o, j, i] = x[o, indices[j], i]; x is [outer, axis_length, inner], out is [outer, n_indices, inner].
/// `index_dtype` is i32 or i64; negative indices count from the end. `TARN_BAD_INDEX` puts the first bad one in `bad`.
int tarn_take(
  int64_t element_bytes, int64_t outer, int64_t axis_length, int64_t inner, const void *x, int index_dtype,
  const void *indices, int64_t n_indices, void *out, int64_t *bad);

/// out [outer, axis_length, inner] = 0; then out[o, indices[j], i] += updates[o, j, i] in the order of j.
/// bool is or; f16 and bf16 add in f32 and round at every step's end.
int tarn_scatter_add(
  int dtype, int64_t outer, int64_t axis_length, int64_t inner, const void *updates, int index_dtype,
  const void *indices, int64_t n_indices, void *out, int64_t *bad);

/// Stable order along the middle axis of [outer, n, inner]; NaN is the largest.
int tarn_argsort(
  int dtype, int64_t outer, int64_t n, int64_t inner, int descending, const void *x, int64_t *out);

/// Index of the first largest (or smallest) element along the middle axis: [outer, inner]. NaN wins. n = 0 is refused.
int tarn_arg_reduce(int dtype, int64_t outer, int64_t n, int64_t inner, int is_max, const void *x, int64_t *out);

/// Running sum along the middle axis, from its end if `reverse`. f32 runs in double; f16 and bf16 in f32.
int tarn_cumsum(int dtype, int64_t outer, int64_t n, int64_t inner, int reverse, const void *x, void *out);

// MARK: Random numbers: Philox 4x32-10 (Salmon et al., 2011)

/// Uniform in [0, 1). Block i has the counter (i, stream), 64 bits each, and the key (low word, high word).
/// f32: element i is word i % 4 of block i / 4: (word >> 8) 2^-24. f64: words 2 (i % 2) and the next of block i / 2:
/// ((first << 32 | second) >> 11) 2^-53. f16 and bf16: as f32, then towards zero.
int tarn_random_uniform(int dtype, uint64_t key, uint64_t stream, int64_t count, void *out);
/// 64 random bits an element, indexed as f64: first << 32 | second.
int tarn_random_bits(uint64_t key, uint64_t stream, int64_t count, int64_t *out);

// MARK: Rows, f32 and f64: x is [rows, n]

/// exp(x - max) / sum along each row, or with `logarithm` its logarithm.
int tarn_softmax(int dtype, int64_t rows, int64_t n, const void *x, void *y, int logarithm);

/// losses[r] = -(1 - s) log p[label] - s / n sum(log p), p = softmax(logits), s = smoothing.
/// Labels are i32 or i64 in [0, n); `TARN_BAD_INDEX` puts the first other one in `bad`.
int tarn_cross_entropy(
  int dtype, int64_t rows, int64_t n, const void *logits, int index_dtype, const void *labels, double smoothing,
  void *losses, int64_t *bad);
/// dlogits[r, j] = g[r] (p[r, j] - (1 - s) [j = label] - s / n)
int tarn_cross_entropy_gradient(
  int dtype, int64_t rows, int64_t n, const void *logits, int index_dtype, const void *labels, double smoothing,
  const void *g, void *dlogits, int64_t *bad);

/// y = (x - mean) / sqrt(variance + eps) * gamma + beta along each row; gamma and beta [n] may be null.
int tarn_layer_norm(
  int dtype, int64_t rows, int64_t n, const void *x, const void *gamma, const void *beta, double eps, void *y);
/// dx = (h - mean h - z mean(h z)) / sqrt(variance + eps) along each row, where h = g gamma and z is x normalised.
int tarn_layer_norm_gradient(
  int dtype, int64_t rows, int64_t n, const void *x, const void *g, const void *gamma, double eps, void *dx);

#ifdef __cplusplus
}
#endif
#endif
