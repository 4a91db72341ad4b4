// Memory for tensors.
#if defined(__linux__)
#define _GNU_SOURCE
#include <sys/mman.h>
#endif
#include <stdlib.h>

#include "internal.h"

/// From here on a block may lie on huge pages, which spare page faults and look-ups of addresses.
enum { HUGE_PAGE = 1 << 21 };

void *tarn_allocate(int64_t bytes) {
  void *memory = NULL;
  const int huge = bytes >= HUGE_PAGE;
  if (bytes < 0 || posix_memalign(&memory, huge ? HUGE_PAGE : 64, (size_t)tarn_greatest(bytes, 64)) != 0) return NULL;
#if defined(__linux__)
  if (huge) madvise(memory, (size_t)(bytes / HUGE_PAGE * HUGE_PAGE), MADV_HUGEPAGE);
#endif
  return memory;
}

void tarn_free(void *memory) { free(memory); }
