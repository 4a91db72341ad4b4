// oneDNN opened at run time, and one face for its interfaces of versions 2 and 3.
#ifndef TARN_DNN_LIBRARY_H
#define TARN_DNN_LIBRARY_H

#include <stddef.h>
#include <stdint.h>

#include "include/tarn_dnn.h"

#if defined(__has_include)
#if __has_include(<oneapi/dnnl/dnnl.h>)
#include <oneapi/dnnl/dnnl.h>
#if DNNL_VERSION_MAJOR == 2 && DNNL_VERSION_MINOR >= 3 || DNNL_VERSION_MAJOR == 3
#define TARN_DNN_MAJOR DNNL_VERSION_MAJOR
#endif
#endif
#endif

#ifndef TARN_DNN_MAJOR
#define TARN_DNN_MAJOR 0
#endif

#if TARN_DNN_MAJOR

// MARK: What is looked up in the library

#define TARN_DNN_COMMON(f)                                                                                            \
  f(dnnl_version) f(dnnl_engine_create) f(dnnl_stream_create) f(dnnl_stream_destroy) f(dnnl_primitive_desc_destroy)   \
  f(dnnl_primitive_desc_query) f(dnnl_primitive_desc_query_md) f(dnnl_primitive_create) f(dnnl_primitive_execute)     \
  f(dnnl_primitive_destroy) f(dnnl_primitive_attr_create) f(dnnl_primitive_attr_destroy)                              \
  f(dnnl_primitive_attr_set_scratchpad_mode) f(dnnl_primitive_attr_set_post_ops) f(dnnl_post_ops_create)              \
  f(dnnl_post_ops_destroy) f(dnnl_post_ops_append_sum) f(dnnl_post_ops_append_eltwise)                                \
  f(dnnl_post_ops_append_binary) f(dnnl_memory_create) f(dnnl_memory_destroy) f(dnnl_memory_desc_get_size)            \
  f(dnnl_reorder_primitive_desc_create)

#if TARN_DNN_MAJOR == 2
#define TARN_DNN_OWN(f)                                                                                               \
  f(dnnl_primitive_desc_create) f(dnnl_memory_desc_init_by_tag) f(dnnl_memory_desc_init_by_strides)                   \
  f(dnnl_dilated_convolution_forward_desc_init) f(dnnl_dilated_convolution_backward_data_desc_init)                   \
  f(dnnl_dilated_convolution_backward_weights_desc_init) f(dnnl_matmul_desc_init)                                     \
  f(dnnl_pooling_v2_forward_desc_init) f(dnnl_pooling_v2_backward_desc_init)                                          \
  f(dnnl_batch_normalization_forward_desc_init) f(dnnl_batch_normalization_backward_desc_init)                        \
  f(dnnl_lrn_forward_desc_init) f(dnnl_vanilla_rnn_forward_desc_init) f(dnnl_lstm_forward_desc_init)                  \
  f(dnnl_lbr_gru_forward_desc_init)
#else
#define TARN_DNN_OWN(f)                                                                                               \
  f(dnnl_memory_desc_create_with_tag) f(dnnl_memory_desc_create_with_strides) f(dnnl_memory_desc_destroy)             \
  f(dnnl_convolution_forward_primitive_desc_create) f(dnnl_convolution_backward_data_primitive_desc_create)           \
  f(dnnl_convolution_backward_weights_primitive_desc_create) f(dnnl_matmul_primitive_desc_create)                     \
  f(dnnl_pooling_forward_primitive_desc_create) f(dnnl_pooling_backward_primitive_desc_create)                        \
  f(dnnl_batch_normalization_forward_primitive_desc_create)                                                           \
  f(dnnl_batch_normalization_backward_primitive_desc_create) f(dnnl_lrn_forward_primitive_desc_create)                \
  f(dnnl_vanilla_rnn_forward_primitive_desc_create) f(dnnl_lstm_forward_primitive_desc_create)                        \
  f(dnnl_lbr_gru_forward_primitive_desc_create)
#endif

typedef struct {
#define TARN_DNN_MEMBER(name) __typeof__(name) *name;
  TARN_DNN_COMMON(TARN_DNN_MEMBER) TARN_DNN_OWN(TARN_DNN_MEMBER)
#undef TARN_DNN_MEMBER
  /// OpenMP's, of the library's own OpenMP; null if it was built without.
  void (*omp_set_num_threads)(int);
  int (*omp_get_max_threads)(void);
  dnnl_engine_t engine;
} tarn_dnn_library;

/// The library, or null.
const tarn_dnn_library *tarn_dnn_open(void);

/// While oneDNN is called its threads are one, the caller: `begin` returns what `end` puts back.
int tarn_dnn_begin(const tarn_dnn_library *dnn);
void tarn_dnn_end(const tarn_dnn_library *dnn, int threads);

// MARK: Memory descriptors

#if TARN_DNN_MAJOR == 2
typedef const dnnl_memory_desc_t *tarn_dnn_layout;
#else
typedef const_dnnl_memory_desc_t tarn_dnn_layout;
#endif

enum { TARN_DNN_MOST_LAYOUTS = 16 };

/// Layouts that live as long as the descriptor of an operation is being made.
typedef struct {
  const tarn_dnn_library *dnn;
  int count;
  dnnl_status_t status;
  dnnl_memory_desc_t layouts[TARN_DNN_MOST_LAYOUTS];
} tarn_dnn_layouts;

/// f32 of these lengths; null after a fault, which stays in `status`.
tarn_dnn_layout tarn_dnn_tagged(tarn_dnn_layouts *all, int rank, const dnnl_dims_t dims, dnnl_format_tag_t tag);
tarn_dnn_layout tarn_dnn_strided(tarn_dnn_layouts *all, int rank, const dnnl_dims_t dims, const dnnl_dims_t strides);
void tarn_dnn_free_layouts(tarn_dnn_layouts *all);

// MARK: Descriptors of operations

/// What making a descriptor takes besides the arguments of the operation, and where it is put.
typedef struct {
  const tarn_dnn_library *dnn;
  dnnl_primitive_attr_t attributes;
  dnnl_primitive_desc_t made;
} tarn_dnn_maker;

// TARN_DNN_FORWARD(maker, type, name in version 2, name in version 3, arguments…); backward has a hint before the
// arguments.
#if TARN_DNN_MAJOR == 2
/// NAME_desc_init with these arguments, then the descriptor of an implementation.
#define TARN_DNN_BACKWARD(maker, type, old, new, hint, ...)                                                           \
  ({                                                                                                                  \
    type description;                                                                                                 \
    dnnl_status_t described = (maker)->dnn->dnnl_##old##_desc_init(&description, __VA_ARGS__);                        \
    described != dnnl_success ? described                                                                             \
                              : (maker)->dnn->dnnl_primitive_desc_create(                                             \
                                  &(maker)->made, &description, (maker)->attributes, (maker)->dnn->engine, hint);     \
  })
#define TARN_DNN_FORWARD(maker, type, old, new, ...) TARN_DNN_BACKWARD(maker, type, old, new, NULL, __VA_ARGS__)
#else
#define TARN_DNN_FORWARD(maker, type, old, new, ...)                                                                  \
  (maker)->dnn->dnnl_##new##_primitive_desc_create(                                                                   \
    &(maker)->made, (maker)->dnn->engine, __VA_ARGS__, (maker)->attributes)
#define TARN_DNN_BACKWARD(maker, type, old, new, hint, ...)                                                           \
  (maker)->dnn->dnnl_##new##_primitive_desc_create(                                                                   \
    &(maker)->made, (maker)->dnn->engine, __VA_ARGS__, hint, (maker)->attributes)
#endif

#endif
#endif
