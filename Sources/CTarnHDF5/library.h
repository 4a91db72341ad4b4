// The functions of libhdf5 that are used, by declarations of our own: their types have been the same since 1.10.
#ifndef TARN_HDF5_LIBRARY_H
#define TARN_HDF5_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef int64_t h5_id;
typedef int h5_status;
typedef uint64_t h5_size;

/// H5G_info_t.
typedef struct {
  int storage_type;
  h5_size link_count;
  int64_t max_order;
  bool is_mounted;
} h5_group;

/// H5FD_file_image_callbacks_t.
typedef struct {
  void *(*image_malloc)(size_t size, int operation, void *data);
  void *(*image_memcpy)(void *to, const void *from, size_t size, int operation, void *data);
  void *(*image_realloc)(void *pointer, size_t size, int operation, void *data);
  h5_status (*image_free)(void *pointer, int operation, void *data);
  void *(*data_copy)(void *data);
  h5_status (*data_free)(void *data);
  void *data;
} h5_image;

enum {
  H5_OBJECT_GROUP = 2, H5_OBJECT_DATASET = 5,
  H5_LINK_HARD = 0,
  H5_CLASS_INTEGER = 0, H5_CLASS_FLOAT = 1, H5_CLASS_STRING = 3, H5_CLASS_ENUM = 8,
  H5_ORDER_LE = 0,
  H5_SPACE_SCALAR = 0, H5_SPACE_SIMPLE = 1,
  H5_LAYOUT_VIRTUAL = 3,
};

#define H5_FUNCTIONS(F)                                                                                     \
  F(h5_status, H5open, (void))                                                                              \
  F(h5_status, H5get_libversion, (unsigned *, unsigned *, unsigned *))                                      \
  F(h5_status, H5Eset_auto2, (h5_id, void *, void *))                                                       \
  F(h5_id, H5Pcreate, (h5_id))                                                                              \
  F(h5_status, H5Pset_fapl_core, (h5_id, size_t, bool))                                                     \
  F(h5_status, H5Pset_file_image_callbacks, (h5_id, h5_image *))                                            \
  F(h5_status, H5Pset_file_image, (h5_id, void *, size_t))                                                  \
  F(int, H5Pget_external_count, (h5_id))                                                                    \
  F(int, H5Pget_layout, (h5_id))                                                                            \
  F(int, H5Pget_nfilters, (h5_id))                                                                          \
  F(h5_id, H5Fopen, (const char *, unsigned, h5_id))                                                        \
  F(h5_status, H5Gget_info, (h5_id, h5_group *))                                                            \
  F(ssize_t, H5Lget_name_by_idx, (h5_id, const char *, int, int, h5_size, char *, size_t, h5_id))           \
  F(h5_id, H5Oopen, (h5_id, const char *, h5_id))                                                           \
  F(h5_status, H5Oclose, (h5_id))                                                                           \
  F(int, H5Iget_type, (h5_id))                                                                              \
  F(h5_id, H5Aopen_by_idx, (h5_id, const char *, int, int, h5_size, h5_id, h5_id))                          \
  F(ssize_t, H5Aget_name, (h5_id, size_t, char *))                                                          \
  F(h5_id, H5Aget_type, (h5_id))                                                                            \
  F(h5_id, H5Aget_space, (h5_id))                                                                           \
  F(h5_status, H5Aread, (h5_id, h5_id, void *))                                                             \
  F(h5_status, H5Aclose, (h5_id))                                                                           \
  F(h5_id, H5Dget_type, (h5_id))                                                                            \
  F(h5_id, H5Dget_space, (h5_id))                                                                           \
  F(h5_id, H5Dget_create_plist, (h5_id))                                                                    \
  F(h5_size, H5Dget_storage_size, (h5_id))                                                                  \
  F(h5_status, H5Dread, (h5_id, h5_id, h5_id, h5_id, h5_id, void *))                                        \
  F(int, H5Tget_class, (h5_id))                                                                             \
  F(size_t, H5Tget_size, (h5_id))                                                                           \
  F(size_t, H5Tget_precision, (h5_id))                                                                      \
  F(int, H5Tget_sign, (h5_id))                                                                              \
  F(h5_status, H5Tget_fields, (h5_id, size_t *, size_t *, size_t *, size_t *, size_t *))                    \
  F(int, H5Tis_variable_str, (h5_id))                                                                       \
  F(h5_id, H5Tcopy, (h5_id))                                                                                \
  F(h5_status, H5Tset_order, (h5_id, int))                                                                  \
  F(h5_status, H5Tclose, (h5_id))                                                                           \
  F(int, H5Sget_simple_extent_ndims, (h5_id))                                                               \
  F(int, H5Sget_simple_extent_dims, (h5_id, h5_size *, h5_size *))                                          \
  F(int, H5Sget_simple_extent_type, (h5_id))                                                                \
  F(h5_id, H5Screate_simple, (int, const h5_size *, const h5_size *))                                       \
  F(h5_status, H5Sselect_hyperslab, (h5_id, int, const h5_size *, const h5_size *, const h5_size *, const h5_size *)) \
  F(h5_status, H5Sclose, (h5_id))

/// Numbers that the library fills in when it is set up.
#define H5_NUMBERS(F)                                                                                       \
  F(H5P_CLS_FILE_ACCESS_ID_g) F(H5T_IEEE_F32LE_g) F(H5T_IEEE_F64LE_g) F(H5T_STD_I8LE_g) F(H5T_STD_U8LE_g)   \
  F(H5T_STD_I16LE_g) F(H5T_STD_U16LE_g) F(H5T_STD_I32LE_g) F(H5T_STD_U32LE_g) F(H5T_STD_I64LE_g)            \
  F(H5T_STD_U64LE_g)

typedef struct {
#define MEMBER(result, name, arguments) result(*name) arguments;
  H5_FUNCTIONS(MEMBER)
#undef MEMBER
#define MEMBER(name) h5_id name;
  H5_NUMBERS(MEMBER)
#undef MEMBER
  /// H5Lget_info_by_idx, or since 1.12 H5Lget_info_by_idx2. Both write the link's type first, into 40 bytes at most.
  h5_status (*link_info)(h5_id, const char *, int, int, h5_size, void *, h5_id);
  /// Not in all versions.
  h5_status (*H5PLset_loading_state)(unsigned);
  h5_status (*H5dont_atexit)(void);
} h5_library;

/// The library, opened once, or null.
const h5_library *tarn_hdf5_library(void);

/// Walks the file in memory and writes records to `descriptor`. Only in a child. Its exit code.
int tarn_hdf5_walk(const h5_library *h5, const void *bytes, size_t count, int descriptor);

#endif
