// PNG files out, by libpng.
#include <setjmp.h>

#include "internal.h"

#include <png.h>

typedef struct {
  uint8_t *bytes;
  size_t count, room;
  jmp_buf escape;
  char *message;
} sink;

static _Noreturn void on_error(png_structp writer, const char *text) {
  sink *sink = png_get_error_ptr(writer);
  tarn_image_say(sink->message, text);
  longjmp(sink->escape, 1);
}

static void on_warning(png_structp writer, const char *text) { (void)writer, (void)text; }

static void on_write(png_structp writer, png_bytep bytes, size_t count) {
  sink *sink = png_get_io_ptr(writer);
  if (count > sink->room - sink->count) {
    size_t room = 2 * (sink->count + count) + (1 << 12);
    uint8_t *grown = realloc(sink->bytes, room);
    if (!grown) png_error(writer, "there is not enough memory");
    sink->bytes = grown;
    sink->room = room;
  }
  memcpy(sink->bytes + sink->count, bytes, count);
  sink->count += count;
}

static void on_flush(png_structp writer) { (void)writer; }

static void write_rows(
  png_structp writer, png_infop info, const uint8_t *pixels, int32_t width, int32_t height, int channels, int level) {
  static const int forms[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGBA};
  png_set_IHDR(
    writer, info, (png_uint_32)width, (png_uint_32)height, 8, forms[channels - 1], PNG_INTERLACE_NONE,
    PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_compression_level(writer, level);
  png_write_info(writer, info);
  for (int32_t y = 0; y < height; y++) {
    png_write_row(writer, pixels + (size_t)y * (size_t)width * (size_t)channels);
  }
  png_write_end(writer, info);
}

int tarn_png_write(
  const uint8_t *pixels, int32_t width, int32_t height, int channels, int level, uint8_t **bytes, size_t *count,
  char message[TARN_IMAGE_MESSAGE]) {
  *bytes = NULL;
  *count = 0;
  sink *output = calloc(1, sizeof *output);
  if (!output) return TARN_IMAGE_NO_MEMORY;
  output->message = message;
  png_structp writer = png_create_write_struct(PNG_LIBPNG_VER_STRING, output, on_error, on_warning);
  png_infop info = writer ? png_create_info_struct(writer) : NULL;
  int status = TARN_IMAGE_NO_MEMORY;
  if (info) {
    if (setjmp(output->escape) == 0) {
      png_set_write_fn(writer, output, on_write, on_flush);
      write_rows(writer, info, pixels, width, height, channels, level);
      *bytes = output->bytes;
      *count = output->count;
      status = TARN_IMAGE_OK;
    } else {
      free(output->bytes);
      status = TARN_IMAGE_UNSUPPORTED;
    }
  }
  png_destroy_write_struct(&writer, info ? &info : NULL);
  free(output);
  return status;
}
