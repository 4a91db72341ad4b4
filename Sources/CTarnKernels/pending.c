#pragma clang diagnostic ignored "-Wunused-parameter"
#include "tarn_kernels.h"
int tarn_window_argmax(int dtype, const tarn_window *window, const void *x, int32_t *out) { return 2; }
int tarn_max_pool(int dtype, const tarn_window *window, const void *x, void *y) { return 2; }
int tarn_window_sum(int dtype, const tarn_window *window, const void *x, void *y) { return 2; }
int tarn_window_spread(int dtype, const tarn_window *window, const void *g, void *dx) { return 2; }
int tarn_take(   int64_t element_bytes, int64_t outer, int64_t axis_length, int64_t inner, const void *x, int index_dtype,   const void *indices, int64_t n_indices, void *out, int64_t *bad) { return 2; }
int tarn_scatter_add(   int dtype, int64_t outer, int64_t axis_length, int64_t inner, const void *updates, int index_dtype,   const void *indices, int64_t n_indices, void *out, int64_t *bad) { return 2; }
int tarn_argsort(   int dtype, int64_t outer, int64_t n, int64_t inner, int descending, const void *x, int64_t *out) { return 2; }
int tarn_arg_reduce(int dtype, int64_t outer, int64_t n, int64_t inner, int is_max, const void *x, int64_t *out) { return 2; }
int tarn_cumsum(int dtype, int64_t outer, int64_t n, int64_t inner, int reverse, const void *x, void *out) { return 2; }
int tarn_random_uniform(int dtype, uint64_t key, uint64_t stream, int64_t count, void *out) { return 2; }
int tarn_random_bits(uint64_t key, uint64_t stream, int64_t count, int64_t *out) { return 2; }
int tarn_softmax(int dtype, int64_t rows, int64_t n, const void *x, void *y, int logarithm) { return 2; }
int tarn_cross_entropy(   int dtype, int64_t rows, int64_t n, const void *logits, int index_dtype, const void *labels, double smoothing,   void *losses, int64_t *bad) { return 2; }
int tarn_cross_entropy_gradient(   int dtype, int64_t rows, int64_t n, const void *logits, int index_dtype, const void *labels, double smoothing,   const void *g, void *dlogits, int64_t *bad) { return 2; }
int tarn_layer_norm(   int dtype, int64_t rows, int64_t n, const void *x, const void *gamma, const void *beta, double eps, void *y) { return 2; }
