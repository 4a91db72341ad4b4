/// What the machine can do at best, to hold kernels against.
#ifndef TARN_PEAK_H
#define TARN_PEAK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Does `operations` f32 operations, multiplications with additions that stay in registers, on all threads of the team.
void tarn_peak_arithmetic(int64_t operations);
/// Reads memory at a multiple of 64 on all threads of the team.
void tarn_peak_read(const void *memory, int64_t bytes);

#ifdef __cplusplus
}
#endif
#endif
