// Walks a file and writes what is in it. Runs in a child only, see tarn_hdf5.h.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "library.h"
#include "tarn_hdf5.h"

enum {
  LONGEST_PATH = 4096,
  LONGEST_NAME = 1024,
  DEEPEST = 64,
  MOST_AXES = 32,
  PIECE = 4 << 20,
};

typedef struct {
  const h5_library *h5;
  int descriptor;
  /// Bytes of the file.
  size_t size;
  /// What the rest of the walk may still visit, and what its datasets and attributes may still claim of the file's bytes.
  size_t objects, storage, attributes;
  char path[LONGEST_PATH];
  size_t path_length;
  size_t filled;
  unsigned char buffer[1 << 16];
} walker;

// MARK: The stream

static void flush(walker *w) {
  size_t done = 0;
  while (done < w->filled) {
    ssize_t wrote = write(w->descriptor, w->buffer + done, w->filled - done);
    if (wrote <= 0) _exit(1);
    done += (size_t)wrote;
  }
  w->filled = 0;
}

static void put(walker *w, const void *bytes, size_t count) {
  const unsigned char *rest = bytes;
  while (count > 0) {
    size_t room = sizeof w->buffer - w->filled;
    size_t part = count < room ? count : room;
    memcpy(w->buffer + w->filled, rest, part);
    w->filled += part;
    rest += part;
    count -= part;
    if (w->filled == sizeof w->buffer) flush(w);
  }
}

static void put_u32(walker *w, uint32_t value) { put(w, &value, sizeof value); }

static void put_u64(walker *w, uint64_t value) { put(w, &value, sizeof value); }

static void put_text(walker *w, const char *text, size_t length) {
  put_u32(w, (uint32_t)length);
  put(w, text, length);
}

static void begin(walker *w, char tag) {
  put(w, &tag, 1);
  put_text(w, w->path, w->path_length);
}

static void pass_over(walker *w, const char *reason) {
  begin(w, 'W');
  put_text(w, reason, strlen(reason));
}

static void stop(walker *w, const char *reason) {
  put(w, "X", 1);
  put_text(w, reason, strlen(reason));
  flush(w);
  _exit(0);
}

static void *allocate(walker *w, size_t count) {
  void *room = malloc(count ? count : 1);
  if (!room) stop(w, "an entry does not fit the memory that a file of this size may take");
  return room;
}

// MARK: Shapes and types

typedef struct {
  int rank;
  h5_size lengths[MOST_AXES];
  size_t count;
} extent;

/// Whether the extent is sound: no overflow, not too many axes.
static bool read_extent(walker *w, h5_id space, extent *e) {
  int type = w->h5->H5Sget_simple_extent_type(space);
  if (type != H5_SPACE_SCALAR && type != H5_SPACE_SIMPLE) return false;
  e->rank = w->h5->H5Sget_simple_extent_ndims(space);
  if (e->rank < 0 || e->rank > MOST_AXES) return false;
  if (w->h5->H5Sget_simple_extent_dims(space, e->lengths, NULL) < 0) return false;
  e->count = 1;
  for (int axis = 0; axis < e->rank; axis++) {
    if (e->lengths[axis] > INT64_MAX / 16) return false;
    if (__builtin_mul_overflow(e->count, (size_t)e->lengths[axis], &e->count)) return false;
  }
  return e->count <= SIZE_MAX / 64;
}

typedef struct {
  uint8_t code;
  size_t size;
  /// The type that elements are read as; closed if `is_own`.
  h5_id memory;
  bool is_own;
} element;

static bool read_integer(const h5_library *h5, h5_id type, element *e) {
  bool is_signed = h5->H5Tget_sign(type) == 1;
  switch (h5->H5Tget_size(type)) {
#define CASE(bytes, bits)                                                                              \
  case bytes:                                                                                          \
    *e = (element){is_signed ? TARN_HDF5_I##bits : TARN_HDF5_U##bits, bytes,                           \
                   is_signed ? h5->H5T_STD_I##bits##LE_g : h5->H5T_STD_U##bits##LE_g, false};          \
    return true;
    CASE(1, 8) CASE(2, 16) CASE(4, 32) CASE(8, 64)
#undef CASE
    default: return false;
  }
}

/// Half precision and bfloat16 are told by their exponents; the library has no names for them.
static bool read_short_float(const h5_library *h5, h5_id type, element *e) {
  size_t sign, exponent, exponent_size, mantissa, mantissa_size;
  if (h5->H5Tget_fields(type, &sign, &exponent, &exponent_size, &mantissa, &mantissa_size) < 0) return false;
  bool is_half = exponent_size == 5 && mantissa_size == 10;
  if (!is_half && !(exponent_size == 8 && mantissa_size == 7)) return false;
  h5_id memory = h5->H5Tcopy(type);
  if (memory < 0 || h5->H5Tset_order(memory, H5_ORDER_LE) < 0) return false;
  *e = (element){is_half ? TARN_HDF5_F16 : TARN_HDF5_BF16, 2, memory, true};
  return true;
}

static bool read_element(const h5_library *h5, h5_id type, element *e) {
  size_t size = h5->H5Tget_size(type);
  switch (h5->H5Tget_class(type)) {
    case H5_CLASS_INTEGER: return read_integer(h5, type, e);
    case H5_CLASS_FLOAT:
      if (size == 2) return read_short_float(h5, type, e);
      if (size == 4) *e = (element){TARN_HDF5_F32, 4, h5->H5T_IEEE_F32LE_g, false};
      if (size >= 8) *e = (element){TARN_HDF5_F64, 8, h5->H5T_IEEE_F64LE_g, false};
      return size == 4 || size >= 8;
    case H5_CLASS_ENUM:  // h5py writes Booleans so
      if (size != 1) return false;
      *e = (element){TARN_HDF5_BOOL, 1, h5->H5Tcopy(type), true};
      return e->memory >= 0;
    default: return false;
  }
}

// MARK: Attributes

static void put_texts(walker *w, h5_id attribute, h5_id type, size_t count) {
  const h5_library *h5 = w->h5;
  if (h5->H5Tis_variable_str(type) > 0) {
    char **texts = allocate(w, count * sizeof *texts);
    memset(texts, 0, count * sizeof *texts);
    if (h5->H5Aread(attribute, type, texts) < 0) stop(w, "an attribute cannot be read");
    put_u32(w, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
      size_t length = texts[i] ? strlen(texts[i]) : 0;
      if (length > w->attributes) stop(w, "its attributes are larger than the file");
      w->attributes -= length;
      put_text(w, texts[i] ? texts[i] : "", length);
    }
    free(texts);
    return;
  }
  size_t size = h5->H5Tget_size(type);
  char *texts = allocate(w, count * size);
  if (h5->H5Aread(attribute, type, texts) < 0) stop(w, "an attribute cannot be read");
  put_u32(w, (uint32_t)count);
  for (size_t i = 0; i < count; i++) put_text(w, texts + i * size, strnlen(texts + i * size, size));
  free(texts);
}

static void visit_attribute(walker *w, h5_id attribute) {
  const h5_library *h5 = w->h5;
  char name[LONGEST_NAME];
  ssize_t length = h5->H5Aget_name(attribute, sizeof name, name);
  if (length < 0 || (size_t)length >= sizeof name) return;
  h5_id type = h5->H5Aget_type(attribute);
  h5_id space = h5->H5Aget_space(attribute);
  extent e;
  int class = h5->H5Tget_class(type);
  size_t size = h5->H5Tget_size(type), claimed;
  if (type >= 0 && space >= 0 && read_extent(w, space, &e) && !__builtin_mul_overflow(e.count, size ? size : 1, &claimed)) {
    if (claimed > w->attributes) stop(w, "its attributes are larger than the file");
    w->attributes -= claimed;
    bool is_text = class == H5_CLASS_STRING;
    if (is_text || ((class == H5_CLASS_INTEGER || class == H5_CLASS_FLOAT) && size <= 16)) {
      begin(w, is_text ? 'A' : 'N');
      put_text(w, name, (size_t)length);
      if (is_text) {
        put_texts(w, attribute, type, e.count);
      } else {
        double *numbers = allocate(w, e.count * sizeof *numbers);
        if (h5->H5Aread(attribute, h5->H5T_IEEE_F64LE_g, numbers) < 0) stop(w, "an attribute cannot be read");
        put_u32(w, (uint32_t)e.count);
        put(w, numbers, e.count * sizeof *numbers);
        free(numbers);
      }
    }
  }
  if (type >= 0) h5->H5Tclose(type);
  if (space >= 0) h5->H5Sclose(space);
}

static void visit_attributes(walker *w, h5_id owner) {
  for (h5_size i = 0;; i++) {
    h5_id attribute = w->h5->H5Aopen_by_idx(owner, ".", 0, 0, i, 0, 0);
    if (attribute < 0) return;
    if (w->objects-- == 0) stop(w, "it has more entries than bytes for them");
    visit_attribute(w, attribute);
    w->h5->H5Aclose(attribute);
  }
}

// MARK: Datasets

/// Why a dataset is not read, or null. Its bytes must lie in this file, each dataset's its own.
static const char *objection(walker *w, h5_id dataset, const extent *e, size_t bytes) {
  const h5_library *h5 = w->h5;
  h5_id plan = h5->H5Dget_create_plist(dataset);
  if (plan < 0) return "its layout cannot be read";
  if (h5->H5Pget_external_count(plan) != 0) return "its elements lie in another file";
  if (h5->H5Pget_layout(plan) == H5_LAYOUT_VIRTUAL) return "it is put together from other files";
  int filters = h5->H5Pget_nfilters(plan);
  if (e->count == 0) return NULL;
  size_t stored = h5->H5Dget_storage_size(dataset);
  if (stored > w->storage) return "its elements are larger than the file";
  w->storage -= stored;
  // No filter packs tighter than deflate can; what was never written reads as zeros, for which no file vouches.
  size_t most = stored == 0 ? 1 << 16 : filters > 0 ? stored * 1032 : stored;
  return bytes <= most ? NULL : "it claims more elements than the file has bytes for";
}

/// Reads along the first axis, piece by piece.
static void put_elements(walker *w, h5_id dataset, h5_id space, const extent *e, const element *type) {
  const h5_library *h5 = w->h5;
  if (e->count == 0) return;
  size_t rows = e->rank > 0 ? (size_t)e->lengths[0] : 1;
  size_t row = e->count / rows * type->size;
  size_t step = row >= PIECE ? 1 : PIECE / row;
  if (step > rows) step = rows;
  void *room = allocate(w, step * row);
  h5_size start[MOST_AXES] = {0}, counts[MOST_AXES];
  memcpy(counts, e->lengths, sizeof counts);
  for (size_t first = 0; first < rows; first += step) {
    size_t part = rows - first < step ? rows - first : step;
    h5_id memory = 0, file = 0;  // H5S_ALL
    if (part < rows) {
      start[0] = first;
      counts[0] = part;
      memory = h5->H5Screate_simple(e->rank, counts, NULL);
      file = space;
      if (memory < 0 || h5->H5Sselect_hyperslab(space, 0, start, NULL, counts, NULL) < 0) _exit(2);
    }
    // The header promised these bytes: without them the stream ends, and the parent knows.
    if (h5->H5Dread(dataset, type->memory, memory, file, 0, room) < 0) {
      flush(w);
      _exit(2);
    }
    put(w, room, part * row);
    if (memory > 0) h5->H5Sclose(memory);
  }
  free(room);
}

static void visit_dataset(walker *w, h5_id dataset) {
  const h5_library *h5 = w->h5;
  h5_id type = h5->H5Dget_type(dataset), space = h5->H5Dget_space(dataset);
  extent e;
  element own;
  if (type < 0 || space < 0 || !read_extent(w, space, &e)) {
    pass_over(w, "its shape or type cannot be read");
  } else if (!read_element(h5, type, &own)) {
    pass_over(w, h5->H5Tget_class(type) == H5_CLASS_STRING ? "its elements are texts" : "its elements are no plain numbers");
  } else {
    const char *reason = objection(w, dataset, &e, e.count * own.size);
    if (reason) {
      pass_over(w, reason);
    } else {
      uint8_t head[2] = {own.code, (uint8_t)e.rank};
      begin(w, 'D');
      put(w, head, 2);
      for (int axis = 0; axis < e.rank; axis++) put_u64(w, e.lengths[axis]);
      put_u64(w, e.count * own.size);
      put_elements(w, dataset, space, &e, &own);
    }
    if (own.is_own) h5->H5Tclose(own.memory);
  }
  if (type >= 0) h5->H5Tclose(type);
  if (space >= 0) h5->H5Sclose(space);
}

// MARK: Groups

static void visit(walker *w, h5_id object, int depth);

static void visit_link(walker *w, h5_id group, h5_size index, int depth) {
  const h5_library *h5 = w->h5;
  int info[16] = {0};
  if (h5->link_info(group, ".", 0, 0, index, info, 0) < 0) stop(w, "a group cannot be read");
  char name[LONGEST_NAME];
  ssize_t length = h5->H5Lget_name_by_idx(group, ".", 0, 0, index, name, sizeof name, 0);
  size_t before = w->path_length;
  if (length <= 0 || (size_t)length >= sizeof name || before + (size_t)length + 2 > LONGEST_PATH) return;
  if (before > 0) w->path[w->path_length++] = '/';
  memcpy(w->path + w->path_length, name, (size_t)length);
  w->path_length += (size_t)length;
  // Soft links name what is found under another name as well; external ones name other files.
  if (info[0] == H5_LINK_HARD) {
    h5_id object = h5->H5Oopen(group, name, 0);
    if (object < 0) stop(w, "an entry cannot be opened");
    visit(w, object, depth + 1);
    h5->H5Oclose(object);
  } else {
    pass_over(w, "it is a link to elsewhere");
  }
  w->path_length = before;
}

static void visit(walker *w, h5_id object, int depth) {
  if (depth > DEEPEST) stop(w, "its groups are nested too deep, or hold themselves");
  if (w->objects-- == 0) stop(w, "it has more entries than bytes for them");
  int kind = w->h5->H5Iget_type(object);
  if (kind != H5_OBJECT_GROUP && kind != H5_OBJECT_DATASET) return;
  visit_attributes(w, object);
  if (kind == H5_OBJECT_DATASET) {
    visit_dataset(w, object);
    return;
  }
  h5_group info = {0};
  if (w->h5->H5Gget_info(object, &info) < 0) stop(w, "a group cannot be read");
  for (h5_size i = 0; i < info.link_count; i++) visit_link(w, object, i, depth);
}

// MARK: The file in memory, without a copy

static const void *image;

static void *image_malloc(size_t size, int operation, void *data) {
  (void)size, (void)operation, (void)data;
  return (void *)(uintptr_t)image;
}

static void *image_memcpy(void *to, const void *from, size_t size, int operation, void *data) {
  (void)from, (void)size, (void)operation, (void)data;
  return to;
}

static void *image_realloc(void *pointer, size_t size, int operation, void *data) {
  (void)pointer, (void)size, (void)operation, (void)data;
  return NULL;
}

static h5_status image_free(void *pointer, int operation, void *data) {
  (void)pointer, (void)operation, (void)data;
  return 0;
}

static h5_id open_image(const h5_library *h5, const void *bytes, size_t count) {
  h5_image callbacks = {image_malloc, image_memcpy, image_realloc, image_free, NULL, NULL, NULL};
  image = bytes;
  h5_id access = h5->H5Pcreate(h5->H5P_CLS_FILE_ACCESS_ID_g);
  if (access < 0 || h5->H5Pset_fapl_core(access, 1 << 16, false) < 0 ||
      h5->H5Pset_file_image_callbacks(access, &callbacks) < 0 ||
      h5->H5Pset_file_image(access, (void *)(uintptr_t)bytes, count) < 0)
    return -1;
  return h5->H5Fopen("memory", 0, access);
}

int tarn_hdf5_walk(const h5_library *h5, const void *bytes, size_t count, int descriptor) {
  static walker w;
  h5->H5Eset_auto2(0, NULL, NULL);
  if (h5->H5PLset_loading_state) h5->H5PLset_loading_state(0);
  w.h5 = h5;
  w.descriptor = descriptor;
  w.size = w.storage = count;
  w.objects = 64 + count / 16;
  w.attributes = count + (1 << 16);
  h5_id file = open_image(h5, bytes, count);
  if (file < 0) stop(&w, "it is no sound HDF5 file");
  h5_id root = h5->H5Oopen(file, "/", 0);
  if (root < 0) stop(&w, "its first group cannot be opened");
  visit(&w, root, 0);
  put(&w, "Z", 1);
  flush(&w);
  return 0;
}
