// x86-64 with AVX2: the target holds for every function of this file, and for no other.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi,bmi2"))), apply_to = function)
#define TARN_LEVEL 1
#include "simd/level.h"

const tarn_level tarn_level_avx2 = LEVEL_TABLE("avx2");
#pragma clang attribute pop
#else
typedef int tarn_no_avx2;
#endif
