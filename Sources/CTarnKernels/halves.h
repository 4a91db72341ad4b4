// Single values of the 16-bit floating types.
#ifndef TARN_HALVES_H
#define TARN_HALVES_H

#include <stdint.h>
#include <string.h>

static inline float tarn_float_of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline uint32_t tarn_bits_of_float(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline float tarn_float_of_f16(uint16_t h) {
  const uint32_t magnitude = (uint32_t)(h & 0x7fff) << 13, sign = (uint32_t)(h & 0x8000) << 16;
  if ((h & 0x7c00) == 0x7c00) return tarn_float_of_bits(sign | magnitude | 0x7f800000);
  return tarn_float_of_bits(sign | tarn_bits_of_float(tarn_float_of_bits(magnitude) * 0x1p112f));
}

static inline uint16_t tarn_f16_of_float(float x) {
  const uint32_t bits = tarn_bits_of_float(x) & 0x7fffffff;
  const uint16_t sign = (uint16_t)(tarn_bits_of_float(x) >> 16 & 0x8000);
  if (bits > 0x7f800000) return sign | 0x7e00;
  if (bits >= 0x47800000) return sign | 0x7c00;
  if (bits < 0x38800000) {
    return sign | (uint16_t)(tarn_bits_of_float(tarn_float_of_bits(bits) + 0.5f) - 0x3f000000);
  }
  return sign | (uint16_t)((bits + 0xc8000fffu + (bits >> 13 & 1)) >> 13);
}

static inline float tarn_float_of_bf16(uint16_t b) { return tarn_float_of_bits((uint32_t)b << 16); }

static inline uint16_t tarn_bf16_of_float(float x) {
  const uint32_t bits = tarn_bits_of_float(x);
  if (x != x) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

#endif
