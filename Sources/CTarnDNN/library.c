// Opens oneDNN, and says what was found.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char version_text[32];

#if TARN_DNN_MAJOR

static char state_text[320];

#define STRING_OF(x) #x
#define STRING(x) STRING_OF(x)

static const char *const file_names[] = {
#if defined(__APPLE__)
  "libdnnl." STRING(TARN_DNN_MAJOR) ".dylib",
  "/opt/homebrew/lib/libdnnl." STRING(TARN_DNN_MAJOR) ".dylib",
  "/usr/local/lib/libdnnl." STRING(TARN_DNN_MAJOR) ".dylib",
#else
  "libdnnl.so." STRING(TARN_DNN_MAJOR),
#endif
};

static tarn_dnn_library library;
static const tarn_dnn_library *opened;

/// Fills in the table. Returns the first symbol that is missing, or null.
static const char *look_up(void *handle) {
#define LOOK_UP(name)                              \
  *(void **)&library.name = dlsym(handle, #name);  \
  if (!library.name) return #name;
  TARN_DNN_COMMON(LOOK_UP) TARN_DNN_OWN(LOOK_UP)
#undef LOOK_UP
  // dlsym looks in what the library is linked with too.
  *(void **)&library.omp_set_num_threads = dlsym(handle, "omp_set_num_threads");
  *(void **)&library.omp_get_max_threads = dlsym(handle, "omp_get_max_threads");
  return NULL;
}

static void *open_file(void) {
  for (size_t i = 0; i < sizeof file_names / sizeof *file_names; i++) {
    void *handle = dlopen(file_names[i], RTLD_NOW | RTLD_LOCAL);
    if (handle) return handle;
  }
  return NULL;
}

/// Whether this library can be used; if not, the state says why.
static int examine(void *handle) {
  const char *missing = look_up(handle);
  if (missing) {
    snprintf(state_text, sizeof state_text, "%s has no function %s; install the oneDNN that fits the headers this "
             "program was built with (" STRING(DNNL_VERSION_MAJOR) "." STRING(DNNL_VERSION_MINOR) ")", file_names[0],
             missing);
    return 0;
  }
  const dnnl_version_t *version = library.dnnl_version();
  snprintf(version_text, sizeof version_text, "%d.%d.%d", version->major, version->minor, version->patch);
  if (version->major != DNNL_VERSION_MAJOR || version->minor < DNNL_VERSION_MINOR) {
    snprintf(state_text, sizeof state_text, "oneDNN %s was found, but this program was built for %d.%d; build it again",
             version_text, DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR);
    return 0;
  }
  int has_openmp = library.omp_set_num_threads && library.omp_get_max_threads;
  if (version->cpu_runtime != DNNL_RUNTIME_SEQ && !(version->cpu_runtime == DNNL_RUNTIME_OMP && has_openmp)) {
    snprintf(state_text, sizeof state_text, "oneDNN %s brings threads of its own that cannot be turned off; install "
             "one built for OpenMP", version_text);
    return 0;
  }
  dnnl_status_t status = library.dnnl_engine_create(&library.engine, dnnl_cpu, 0);
  if (status != dnnl_success) {
    snprintf(state_text, sizeof state_text, "oneDNN %s does not run on this processor (status %d)", version_text,
             (int)status);
    return 0;
  }
  return 1;
}

static void open_library(void) {
  const char *wish = getenv("TARN_ONEDNN");
  if (wish && strcmp(wish, "off") == 0) {
    snprintf(state_text, sizeof state_text, "oneDNN is turned off (TARN_ONEDNN=off)");
    return;
  }
  void *handle = open_file();
  if (!handle) {
    snprintf(state_text, sizeof state_text, "oneDNN was not found (%s); for faster layers install it: apt-get install "
             "libdnnl-dev, or brew install onednn", file_names[0]);
    return;
  }
  if (!examine(handle)) {
    dlclose(handle);
    return;
  }
  snprintf(state_text, sizeof state_text, "oneDNN %s", version_text);
  opened = &library;
}

const tarn_dnn_library *tarn_dnn_open(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, open_library);
  return opened;
}

int tarn_dnn_begin(const tarn_dnn_library *dnn) {
  if (!dnn->omp_set_num_threads) return 1;
  int threads = dnn->omp_get_max_threads();
  if (threads != 1) dnn->omp_set_num_threads(1);
  return threads;
}

void tarn_dnn_end(const tarn_dnn_library *dnn, int threads) {
  if (threads != 1) dnn->omp_set_num_threads(threads);
}

int tarn_dnn_works(void) { return tarn_dnn_open() != NULL; }

const char *tarn_dnn_state(void) {
  tarn_dnn_open();
  return state_text;
}

// MARK: Layouts

/// Takes note of a new layout's status.
static tarn_dnn_layout noted(tarn_dnn_layouts *all, dnnl_status_t status) {
  if (status != dnnl_success) {
    all->status = status;
    return NULL;
  }
#if TARN_DNN_MAJOR == 2
  return &all->layouts[all->count++];
#else
  return all->layouts[all->count++];
#endif
}

tarn_dnn_layout tarn_dnn_tagged(tarn_dnn_layouts *all, int rank, const dnnl_dims_t dims, dnnl_format_tag_t tag) {
  dnnl_memory_desc_t *layout = &all->layouts[all->count];
#if TARN_DNN_MAJOR == 2
  return noted(all, all->dnn->dnnl_memory_desc_init_by_tag(layout, rank, dims, dnnl_f32, tag));
#else
  return noted(all, all->dnn->dnnl_memory_desc_create_with_tag(layout, rank, dims, dnnl_f32, tag));
#endif
}

tarn_dnn_layout tarn_dnn_strided(tarn_dnn_layouts *all, int rank, const dnnl_dims_t dims, const dnnl_dims_t strides) {
  dnnl_memory_desc_t *layout = &all->layouts[all->count];
#if TARN_DNN_MAJOR == 2
  return noted(all, all->dnn->dnnl_memory_desc_init_by_strides(layout, rank, dims, dnnl_f32, strides));
#else
  return noted(all, all->dnn->dnnl_memory_desc_create_with_strides(layout, rank, dims, dnnl_f32, strides));
#endif
}

void tarn_dnn_free_layouts(tarn_dnn_layouts *all) {
#if TARN_DNN_MAJOR > 2
  for (int i = 0; i < all->count; i++) all->dnn->dnnl_memory_desc_destroy(all->layouts[i]);
#endif
  all->count = 0;
}

#else

int tarn_dnn_works(void) { return 0; }

const char *tarn_dnn_state(void) {
  return "this program was built without oneDNN; for faster layers install it (apt-get install libdnnl-dev, or brew "
         "install onednn) and build again";
}

#endif

const char *tarn_dnn_version(void) {
  tarn_dnn_works();
  return version_text;
}

const char *tarn_dnn_status_text(int status) {
  static const char *const refusals[] = {"success", "out of memory", "invalid arguments", "not implemented",
                                         "end of its implementations", "a runtime error", "not required"};
  static _Thread_local char text[64];
  switch (status) {
    case TARN_OK: return "done";
    case TARN_BAD_ARGUMENT: return "an argument out of range";
    case TARN_NO_MEMORY: return "out of memory";
    case TARN_DNN_ABSENT: return "there is no oneDNN";
    case TARN_DNN_MISMATCH: return "not what the operation was made for";
  }
  int code = status - TARN_DNN_REFUSED;
  int known = code >= 0 && code < (int)(sizeof refusals / sizeof *refusals);
  snprintf(text, sizeof text, "oneDNN says: %s", known ? refusals[code] : "an unknown status");
  return text;
}
