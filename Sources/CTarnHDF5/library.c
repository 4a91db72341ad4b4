// Opens libhdf5, and says what was found.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tarn_hdf5.h"

#define INSTALL "install it: apt-get install libhdf5-dev, dnf install hdf5, or brew install hdf5"

static char version_text[32];
static char state_text[400];

/// With and without the package that is for building; Debian has names of its own.
static const char *const file_names[] = {
#if defined(__APPLE__)
  "libhdf5.dylib", "/opt/homebrew/lib/libhdf5.dylib", "/usr/local/lib/libhdf5.dylib", "/opt/local/lib/libhdf5.dylib",
#else
  "libhdf5_serial.so", "libhdf5.so", "libhdf5_serial.so.103", "libhdf5_serial.so.310", "libhdf5_serial.so.320",
  "libhdf5.so.103", "libhdf5.so.200", "libhdf5.so.310", "libhdf5.so.320", "libhdf5.so.101",
#endif
};

static h5_library library;
static const h5_library *opened;

/// Fills in the functions. Returns the first that is missing, or null.
static const char *look_up(void *handle) {
#define LOOK_UP(result, name, arguments)           \
  *(void **)&library.name = dlsym(handle, #name);  \
  if (!library.name) return #name;
  H5_FUNCTIONS(LOOK_UP)
#undef LOOK_UP
  *(void **)&library.link_info = dlsym(handle, "H5Lget_info_by_idx");
  if (!library.link_info) *(void **)&library.link_info = dlsym(handle, "H5Lget_info_by_idx2");
  if (!library.link_info) return "H5Lget_info_by_idx2";
  *(void **)&library.H5PLset_loading_state = dlsym(handle, "H5PLset_loading_state");
  *(void **)&library.H5dont_atexit = dlsym(handle, "H5dont_atexit");
  return NULL;
}

/// Reads the numbers, which are there once the library is set up.
static const char *look_up_numbers(void *handle) {
  const h5_id *number;
#define LOOK_UP(name)             \
  number = dlsym(handle, #name);  \
  if (!number) return #name;      \
  library.name = *number;
  H5_NUMBERS(LOOK_UP)
#undef LOOK_UP
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
  if (!missing) {
    if (library.H5dont_atexit) library.H5dont_atexit();
    unsigned major = 0, minor = 0, release = 0;
    if (library.H5open() < 0 || library.H5get_libversion(&major, &minor, &release) < 0) {
      snprintf(state_text, sizeof state_text, "libhdf5 does not start");
      return 0;
    }
    snprintf(version_text, sizeof version_text, "%u.%u.%u", major, minor, release);
    // Before 1.10 its identifiers were 32 bits wide.
    if (major < 1 || (major == 1 && minor < 10)) {
      snprintf(state_text, sizeof state_text, "HDF5 %s is too old; 1.10 or newer is needed: " INSTALL, version_text);
      return 0;
    }
    missing = look_up_numbers(handle);
  }
  if (missing) {
    snprintf(state_text, sizeof state_text, "libhdf5 was found but has no %s; " INSTALL, missing);
    return 0;
  }
  return 1;
}

static void open_library(void) {
  void *handle = open_file();
  if (!handle) {
    snprintf(state_text, sizeof state_text, "HDF5 (%s) was not found; for files of Keras " INSTALL, file_names[0]);
    return;
  }
  if (!examine(handle)) {
    version_text[0] = 0;
    dlclose(handle);
    return;
  }
  snprintf(state_text, sizeof state_text, "HDF5 %s", version_text);
  opened = &library;
}

const h5_library *tarn_hdf5_library(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, open_library);
  return opened;
}

const char *tarn_hdf5_version(void) {
  return tarn_hdf5_library() ? version_text : "";
}

const char *tarn_hdf5_state(void) {
  tarn_hdf5_library();
  return state_text;
}
