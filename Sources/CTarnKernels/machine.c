// What the processor has, which level is in use, and scratch memory.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

// MARK: Levels

uint32_t tarn_cpu_features(void) {
  uint32_t found = 0;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) found |= TARN_CPU_AVX2;
  if (__builtin_cpu_supports("fma")) found |= TARN_CPU_FMA;
  if (__builtin_cpu_supports("f16c")) found |= TARN_CPU_F16C;
  if (__builtin_cpu_supports("avx512f")) found |= TARN_CPU_AVX512F;
  if (__builtin_cpu_supports("avx512bw")) found |= TARN_CPU_AVX512BW;
  if (__builtin_cpu_supports("avx512dq")) found |= TARN_CPU_AVX512DQ;
  if (__builtin_cpu_supports("avx512vl")) found |= TARN_CPU_AVX512VL;
  if (__builtin_cpu_supports("avx512bf16")) found |= TARN_CPU_AVX512_BF16;
  if (__builtin_cpu_supports("avx512vnni")) found |= TARN_CPU_AVX512_VNNI;
#elif defined(__aarch64__)
  found |= TARN_CPU_NEON;
#endif
  return found;
}

static int highest_level(void) {
  const uint32_t found = tarn_cpu_features();
  const uint32_t avx2 = TARN_CPU_AVX2 | TARN_CPU_FMA | TARN_CPU_F16C;
  const uint32_t avx512 =
    avx2 | TARN_CPU_AVX512F | TARN_CPU_AVX512BW | TARN_CPU_AVX512DQ | TARN_CPU_AVX512VL;
  if ((found & avx512) == avx512) return TARN_SIMD_AVX512;
  if ((found & avx2) == avx2) return TARN_SIMD_AVX2;
  return TARN_SIMD_PORTABLE;
}

static int level_wanted_by_environment(void) {
  const char *name = getenv("TARN_SIMD");
  if (name && strcmp(name, "portable") == 0) return TARN_SIMD_PORTABLE;
  if (name && strcmp(name, "avx2") == 0) return TARN_SIMD_AVX2;
  return TARN_SIMD_AVX512;
}

static const tarn_level *level_numbered(int level) {
#if defined(__x86_64__)
  if (level == TARN_SIMD_AVX512) return &tarn_level_avx512;
  if (level == TARN_SIMD_AVX2) return &tarn_level_avx2;
#else
  (void)level;
#endif
  return &tarn_level_portable;
}

static _Atomic(const tarn_level *) level_in_use;

int tarn_set_simd_level(int level) {
  int highest = highest_level();
  if (level < 0) level = 0;
  const tarn_level *chosen = level_numbered(level < highest ? level : highest);
  atomic_store(&level_in_use, chosen);
  return chosen->level;
}

const tarn_level *tarn_level_now(void) {
  const tarn_level *level = atomic_load_explicit(&level_in_use, memory_order_relaxed);
  if (level) return level;
  tarn_set_simd_level(level_wanted_by_environment());
  return atomic_load(&level_in_use);
}

const char *tarn_simd_name(void) { return tarn_level_now()->name; }
int tarn_simd_level(void) { return tarn_level_now()->level; }

// MARK: Scratch memory

typedef struct {
  void *memory[TARN_SCRATCH_SLOTS];
  size_t bytes[TARN_SCRATCH_SLOTS];
} scratch;

static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;
static _Thread_local scratch *my_scratch;

static void free_scratch(void *argument) {
  scratch *mine = argument;
  for (int i = 0; i < TARN_SCRATCH_SLOTS; i++) free(mine->memory[i]);
  free(mine);
}

static void make_scratch_key(void) { pthread_key_create(&scratch_key, free_scratch); }

void *tarn_scratch(int slot, size_t bytes) {
  scratch *mine = my_scratch;
  if (!mine) {
    pthread_once(&scratch_once, make_scratch_key);
    mine = calloc(1, sizeof *mine);
    if (!mine) return NULL;
    pthread_setspecific(scratch_key, mine);
    my_scratch = mine;
  }
  if (mine->bytes[slot] < bytes || !mine->memory[slot]) {
    size_t rounded = (bytes + 4095) / 4096 * 4096 + 4096;
    free(mine->memory[slot]);
    mine->memory[slot] = NULL;
    mine->bytes[slot] = 0;
    if (posix_memalign(&mine->memory[slot], 64, rounded) != 0) {
      mine->memory[slot] = NULL;
      return NULL;
    }
    mine->bytes[slot] = rounded;
  }
  return mine->memory[slot];
}

void *tarn_thread_memory(int which, int64_t bytes) {
  return tarn_scratch(which == 0 ? TARN_SCRATCH_ENGINE : TARN_SCRATCH_ENGINE_SUMS, (size_t)bytes);
}
