// x86-64 with AVX512: the target holds for every function of this file, and for no other.
#if defined(__x86_64__)
#pragma clang attribute push( \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2"))), apply_to = function)
#define TARN_LEVEL 2
#include "simd/level.h"

const tarn_level tarn_level_avx512 = LEVEL_TABLE("avx512");
#pragma clang attribute pop
#else
typedef int tarn_no_avx512;
#endif
