// Any machine: vectors of 128 bits, which are SSE2 on x86-64 and NEON on ARM.
#define TARN_LEVEL 0
#include "simd/level.h"

const tarn_level tarn_level_portable = LEVEL_TABLE("portable");
