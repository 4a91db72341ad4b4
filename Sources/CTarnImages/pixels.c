// Loops over the pixels of one picture.
#include <math.h>

#include "internal.h"

void tarn_image_planes(
  const uint8_t *pixels, int64_t stride, int32_t width, int32_t height, int channels, const int32_t *from,
  int planes_count, const float *tables, float *planes, int64_t plane, int64_t row) {
  for (int32_t y = 0; y < height; y++) {
    const uint8_t *line = pixels + y * stride;
    for (int c = 0; c < planes_count; c++) {
      const float *table = tables + 256 * c;
      const uint8_t *bytes = line + from[c];
      float *result = planes + c * plane + y * row;
      for (int32_t x = 0; x < width; x++) result[x] = table[bytes[(int64_t)x * channels]];
    }
  }
}

void tarn_image_orient(
  const uint8_t *pixels, int32_t width, int32_t height, int channels, int orientation, uint8_t *result) {
  int is_turned = orientation >= 5;
  int64_t result_width = is_turned ? height : width;
  for (int64_t y = 0; y < height; y++) {
    for (int64_t x = 0; x < width; x++) {
      int64_t to_x = x, to_y = y;
      switch (orientation) {
      case 2: to_x = width - 1 - x; break;
      case 3: to_x = width - 1 - x; to_y = height - 1 - y; break;
      case 4: to_y = height - 1 - y; break;
      case 5: to_x = y; to_y = x; break;
      case 6: to_x = height - 1 - y; to_y = x; break;
      case 7: to_x = height - 1 - y; to_y = width - 1 - x; break;
      case 8: to_x = y; to_y = width - 1 - x; break;
      default: break;
      }
      const uint8_t *pixel = pixels + (y * width + x) * channels;
      uint8_t *target = result + (to_y * result_width + to_x) * channels;
      for (int c = 0; c < channels; c++) target[c] = pixel[c];
    }
  }
}

// MARK: Affine maps

static void copy_pixel(uint8_t *target, const uint8_t *pixel, int channels) {
  for (int c = 0; c < channels; c++) target[c] = pixel[c];
}

static double fixed(double value) { return floor(value * 65536 + 0.5); }

/// Coordinates count 2⁻¹⁶ of a pixel, as is usual for this, so that ties fall as they do elsewhere.
static void affine_nearest(
  const uint8_t *pixels, int32_t width, int32_t height, int channels, const double m[6], uint8_t *result,
  int32_t result_width, int32_t result_height) {
  int64_t step_xx = (int64_t)fixed(m[0]), step_xy = (int64_t)fixed(m[1]);
  int64_t step_yx = (int64_t)fixed(m[3]), step_yy = (int64_t)fixed(m[4]);
  int64_t start_x = (int64_t)fixed(m[2] + m[0] * 0.5 + m[1] * 0.5);
  int64_t start_y = (int64_t)fixed(m[5] + m[3] * 0.5 + m[4] * 0.5);
  for (int32_t y = 0; y < result_height; y++) {
    int64_t at_x = start_x + y * step_xy, at_y = start_y + y * step_yy;
    for (int32_t x = 0; x < result_width; x++, at_x += step_xx, at_y += step_yx, result += channels) {
      int64_t from_x = at_x >> 16, from_y = at_y >> 16;
      if (from_x < 0 || from_x >= width || from_y < 0 || from_y >= height) continue;
      copy_pixel(result, pixels + (from_y * width + from_x) * channels, channels);
    }
  }
}

static void affine_bilinear(
  const uint8_t *pixels, int32_t width, int32_t height, int channels, const double m[6], uint8_t *result,
  int32_t result_width, int32_t result_height) {
  for (int32_t y = 0; y < result_height; y++) {
    for (int32_t x = 0; x < result_width; x++, result += channels) {
      double at_x = m[0] * (x + 0.5) + m[1] * (y + 0.5) + m[2];
      double at_y = m[3] * (x + 0.5) + m[4] * (y + 0.5) + m[5];
      if (!(at_x >= 0 && at_x < width && at_y >= 0 && at_y < height)) continue;
      at_x -= 0.5;
      at_y -= 0.5;
      int64_t left = (int64_t)floor(at_x), top = (int64_t)floor(at_y);
      double right_share = at_x - (double)left, lower_share = at_y - (double)top;
      int64_t x0 = left < 0 ? 0 : left, x1 = left + 1 < width ? left + 1 : width - 1;
      int64_t y0 = top < 0 ? 0 : top, y1 = top + 1 < height ? top + 1 : height - 1;
      for (int c = 0; c < channels; c++) {
        const uint8_t *plane = pixels + c;
        double a = plane[(y0 * width + x0) * channels], b = plane[(y0 * width + x1) * channels];
        double d = plane[(y1 * width + x0) * channels], e = plane[(y1 * width + x1) * channels];
        double upper = a + (b - a) * right_share, lower = d + (e - d) * right_share;
        result[c] = (uint8_t)(upper + (lower - upper) * lower_share);
      }
    }
  }
}

void tarn_image_affine(
  const uint8_t *pixels, int32_t width, int32_t height, int channels, const double m[6], int filter,
  const uint8_t *fill, uint8_t *result, int32_t result_width, int32_t result_height) {
  for (int64_t i = 0; i < (int64_t)result_width * result_height; i++) {
    copy_pixel(result + i * channels, fill, channels);
  }
  if (filter == TARN_FILTER_NEAREST) {
    affine_nearest(pixels, width, height, channels, m, result, result_width, result_height);
  } else {
    affine_bilinear(pixels, width, height, channels, m, result, result_width, result_height);
  }
}

void tarn_image_smooth(const uint8_t *pixels, int32_t width, int32_t height, int channels, uint8_t *result) {
  int64_t row = (int64_t)width * channels;
  memcpy(result, pixels, (size_t)(row * height));
  for (int64_t y = 1; y + 1 < height; y++) {
    for (int64_t i = channels; i + channels < row; i++) {
      const uint8_t *p = pixels + y * row + i;
      int sum = 4 * p[0];
      for (int dy = -1; dy <= 1; dy++) {
        for (int dx = -1; dx <= 1; dx++) sum += p[dy * row + dx * channels];
      }
      result[y * row + i] = (uint8_t)((float)sum / 13 + 0.5f);
    }
  }
}
