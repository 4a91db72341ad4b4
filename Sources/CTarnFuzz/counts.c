// How much heap an input takes, the processes included that a reader starts.
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tarn_fuzz.h"

static tarn_fuzz_counts *counts;
static int64_t before;
/// In a process that a reader forked: what it has taken itself. It need not give that back.
static int is_forked;
static int64_t own;

#ifdef TARN_FUZZING

int __sanitizer_install_malloc_and_free_hooks(void (*took)(const volatile void *, size_t), void (*gave)(const volatile void *));
size_t __sanitizer_get_allocated_size(const volatile void *pointer);
void __asan_set_error_report_callback(void (*said)(const char *));
void __sanitizer_set_report_fd(void *descriptor);

const char *__asan_default_options(void);

/// Caches of Swift's library are no leaks; no forked reader shall start a program that looks up names; a process that keeps less
/// is forked sooner; and no memory comes in one piece larger than the forked reader of HDF5 may have in all (its limit on
/// addresses does not go together with the sanitizer).
const char *__asan_default_options(void) {
  return "detect_leaks=0:symbolize=0:quarantine_size_mb=16:max_allocation_size_mb=64:allocator_may_return_null=1";
}

static void grow(int64_t change) {
  int64_t live = is_forked ? (own += change) + __atomic_load_n(&counts->live, __ATOMIC_RELAXED)
                           : __atomic_add_fetch(&counts->live, change, __ATOMIC_RELAXED);
  int64_t peak = __atomic_load_n(&counts->peak, __ATOMIC_RELAXED);
  while (live > peak && !__atomic_compare_exchange_n(&counts->peak, &peak, live, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}

static void took(const volatile void *pointer, size_t size) {
  (void)pointer;
  grow((int64_t)size);
}

static void gave(const volatile void *pointer) {
  if (pointer) grow(-(int64_t)__sanitizer_get_allocated_size(pointer));
}

static void forked(void) { is_forked = 1; }

/// The forked reader of HDF5 dies quietly, as it should where libhdf5 is at fault: then the frame that called the
/// sanitizer's own is libhdf5's. Any other report is a fault of ours.
static void said(const char *report) {
  const char *caller = strstr(report, "#1 ");
  const char *end = caller ? strchr(caller, '\n') : NULL;
  const char *library = caller ? strstr(caller, "libhdf5") : NULL;
  if (!library || (end && library > end)) __atomic_add_fetch(&counts->faults, 1, __ATOMIC_RELAXED);
}

static void install(void) {
  pthread_atfork(NULL, NULL, forked);
  __sanitizer_install_malloc_and_free_hooks(took, gave);
  __asan_set_error_report_callback(said);
  // The forked reader has its standard error closed.
  __sanitizer_set_report_fd((void *)(intptr_t)dup(2));
}

#else

static void install(void) {}

#endif

tarn_fuzz_counts *tarn_fuzz_counts_at(const char *path) {
  int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return NULL;
  int failed = ftruncate(descriptor, sizeof *counts);
  void *page = failed ? MAP_FAILED : mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  close(descriptor);
  if (page == MAP_FAILED) return NULL;
  counts = page;
  counts->live = counts->faults = 0;
  install();
  return counts;
}

void tarn_fuzz_begin(void) {
  before = __atomic_load_n(&counts->live, __ATOMIC_RELAXED);
  __atomic_store_n(&counts->peak, before, __ATOMIC_RELAXED);
}

int64_t tarn_fuzz_taken(void) { return __atomic_load_n(&counts->peak, __ATOMIC_RELAXED) - before; }
