// A target for libFuzzer: JPEG and PNG files through the C layer. The arrays of Tests/Goldens/images.npz serve as corpus:
// what NumPy puts before their bytes is passed over.
#include <stdlib.h>
#include <string.h>

#include "tarn_images.h"

static void scale(const uint8_t *pixels, int32_t width, int32_t height, int channels, int filter) {
  uint8_t result[7 * 5 * 4];
  tarn_resize_source source = {pixels, (int64_t)width * channels, 0, 0, width, height, width, height, channels};
  tarn_resize_target target = {result, 0, 0, 7, 5, 7, 5};
  tarn_resize(&source, &target, filter);
}

/// Part of the picture, at part of its size, of a sort that the last byte chooses.
static void read_jpeg(const uint8_t *bytes, size_t count, int choice) {
  char message[TARN_IMAGE_MESSAGE];
  tarn_image_info info;
  tarn_jpeg *jpeg;
  int64_t denominator = 1 << (choice & 3);
  if (tarn_jpeg_open(bytes, count, (int)denominator, choice >> 2 & 1, &jpeg, &info, message) != TARN_IMAGE_OK) return;
  if (info.width * denominator * info.height * denominator <= (int64_t)(count + 1024) * 512) {
    int32_t x = choice >> 3 & 1 ? info.width / 3 : 0, y = choice >> 4 & 1 ? info.height / 3 : 0;
    int32_t width = (info.width - x + 1) / 2, height = (info.height - y + 1) / 2;
    int channels = choice >> 5 & 1 ? 3 : info.channels;
    uint8_t *pixels = calloc((size_t)width * (size_t)height, (size_t)channels);
    size_t stride = (size_t)(width * channels);
    if (pixels && tarn_jpeg_read(jpeg, x, y, width, height, channels, pixels, stride, message) == TARN_IMAGE_OK) {
      scale(pixels, width, height, channels, choice >> 6);
    }
    free(pixels);
  }
  tarn_jpeg_close(jpeg);
}

static void read_png(const uint8_t *bytes, size_t count, int choice) {
  char message[TARN_IMAGE_MESSAGE];
  tarn_image_info info;
  tarn_png *png;
  if (tarn_png_open(bytes, count, choice & 1, &png, &info, message) != TARN_IMAGE_OK) return;
  if ((int64_t)info.width * info.height <= (int64_t)(count + 64) * 1032 * 8) {
    uint8_t *pixels = malloc((size_t)info.width * (size_t)info.height * (size_t)info.channels);
    if (pixels) tarn_png_read(png, pixels, (size_t)(info.width * info.channels), message);
    free(pixels);
  }
  tarn_png_close(png);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
  if (count > 10 && memcmp(bytes, "\x93NUMPY", 6) == 0) {
    size_t header = 10 + (bytes[8] | (size_t)bytes[9] << 8);
    if (header > count) return 0;
    bytes += header;
    count -= header;
  }
  if (count < 4) return 0;
  int choice = bytes[count - 1];
  if (bytes[0] == 0xff) {
    read_jpeg(bytes, count, choice);
  } else {
    read_png(bytes, count, choice);
  }
  return 0;
}
