// Changes of colour, with the roundings that picture libraries have in common, so that augmented pictures are the same.
#include <math.h>

#include "internal.h"

void tarn_image_luma(const uint8_t *colours, int64_t count, uint8_t *grey) {
  for (int64_t i = 0; i < count; i++) {
    const uint8_t *p = colours + 3 * i;
    grey[i] = (uint8_t)((p[0] * 19595 + p[1] * 38470 + p[2] * 7471 + 0x8000) >> 16);
  }
}

static inline uint8_t blended(uint8_t byte, uint8_t other, float factor) {
  float value = (float)other + factor * (float)(byte - other);
  return (uint8_t)(value <= 0 ? 0 : value >= 255 ? 255 : value);
}

void tarn_image_blend(uint8_t *bytes, int64_t count, const uint8_t *other, int repeat, float factor) {
  if (repeat == 3) {
    for (int64_t i = 0; i < count / 3; i++) {
      for (int c = 0; c < 3; c++) bytes[3 * i + c] = blended(bytes[3 * i + c], other[i], factor);
    }
    return;
  }
  for (int64_t i = 0; i < count; i++) bytes[i] = blended(bytes[i], other[i], factor);
}

void tarn_image_blend_with(uint8_t *bytes, int64_t count, uint8_t other, float factor) {
  uint8_t table[256];
  for (int i = 0; i < 256; i++) table[i] = blended((uint8_t)i, other, factor);
  for (int64_t i = 0; i < count; i++) bytes[i] = table[bytes[i]];
}

// MARK: Hue

static inline uint8_t cut(int value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

typedef struct {
  uint8_t hue, saturation, value;
} hsv;

static hsv to_hsv(const uint8_t *p) {
  int r = p[0], g = p[1], b = p[2];
  int most = r > g ? (r > b ? r : b) : (g > b ? g : b), least = r < g ? (r < b ? r : b) : (g < b ? g : b);
  hsv result = {0, 0, (uint8_t)most};
  if (most == least) return result;
  // Precisions and roundings as in other libraries: a hue decides which byte it falls on.
  float range = (float)(most - least);
  float red = (float)(most - r) / range, green = (float)(most - g) / range, blue = (float)(most - b) / range;
  float hue = (float)(r == most ? blue - green : g == most ? 2.0 + red - blue : 4.0 + green - red);
  hue = (float)fmod(hue / 6.0 + 1.0, 1.0);
  float saturation = range / (float)most;
  result.hue = cut((int)(hue * 255.0));
  result.saturation = cut((int)(saturation * 255.0));
  return result;
}

static void from_hsv(hsv colour, uint8_t *p) {
  uint8_t value = colour.value;
  if (colour.saturation == 0) {
    p[0] = p[1] = p[2] = value;
    return;
  }
  double place = colour.hue * 6.0 / 255.0;
  int sector = (int)floor(place);
  float f = (float)(place - sector), saturation = (float)(colour.saturation / 255.0);
  uint8_t low = cut((int)round(value * (1.0 - saturation)));
  uint8_t falling = cut((int)round(value * (1.0 - saturation * f)));
  uint8_t rising = cut((int)round(value * (1.0 - saturation * (1.0 - f))));
  const uint8_t sectors[6][3] = {{value, rising, low}, {falling, value, low}, {low, value, rising},
                                 {low, falling, value}, {rising, low, value}, {value, low, falling}};
  memcpy(p, sectors[sector % 6], 3);
}

void tarn_image_turn_hue(uint8_t *colours, int64_t count, int shift) {
  for (int64_t i = 0; i < count; i++) {
    hsv colour = to_hsv(colours + 3 * i);
    colour.hue = (uint8_t)(colour.hue + shift);
    from_hsv(colour, colours + 3 * i);
  }
}

// MARK: Opacity

void tarn_image_compose(
  const uint8_t *pixels, int64_t count, int channels, const uint8_t *background, uint8_t *result) {
  int colours = channels - 1;
  for (int64_t i = 0; i < count; i++) {
    const uint8_t *p = pixels + i * channels;
    int opacity = p[colours];
    for (int c = 0; c < colours; c++) {
      result[i * colours + c] = (uint8_t)((p[c] * opacity + background[c] * (255 - opacity) + 127) / 255);
    }
  }
}
