// PNG files in, by libpng. Its errors come back to the entry points by longjmp, which leaves no Swift frame.
#include <setjmp.h>

#include "internal.h"

#include <png.h>

struct tarn_png {
  png_structp reader;
  png_infop info;
  const uint8_t *bytes;
  size_t count, offset;
  tarn_image_info shape;
  jmp_buf escape;
  int status, is_done;
  char message[TARN_IMAGE_MESSAGE];
};

static _Noreturn void on_error(png_structp reader, const char *text) {
  tarn_png *png = png_get_error_ptr(reader);
  tarn_image_say(png->message, text);
  longjmp(png->escape, 1);
}

static void on_warning(png_structp reader, const char *text) { (void)reader, (void)text; }

static void on_read(png_structp reader, png_bytep bytes, size_t count) {
  tarn_png *png = png_get_io_ptr(reader);
  if (count > png->count - png->offset) png_error(reader, "the file ends too early");
  memcpy(bytes, png->bytes + png->offset, count);
  png->offset += count;
}

/// Grey or colour, of eight bits, with opacity or without. libpng takes memory for rows only when it reads: whoever opens a file
/// looks at its size first.
static void choose_form(tarn_png *png, int keeps_opacity) {
  png_structp reader = png->reader;
  int colour = png_get_color_type(reader, png->info);
  int bits = png_get_bit_depth(reader, png->info);
  int has_key = png_get_valid(reader, png->info, PNG_INFO_tRNS) != 0;
  png->shape.bits = bits;
  if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(reader);
  if (colour == PNG_COLOR_TYPE_GRAY && bits < 8) png_set_expand_gray_1_2_4_to_8(reader);
  if (keeps_opacity && has_key) png_set_tRNS_to_alpha(reader);
  if (bits == 16) png_set_strip_16(reader);
  if (!keeps_opacity) png_set_strip_alpha(reader);
  int has_opacity = keeps_opacity && (has_key || (colour & PNG_COLOR_MASK_ALPHA));
  png->shape.channels = (colour & PNG_COLOR_MASK_COLOR ? 3 : 1) + (has_opacity ? 1 : 0);
  png->shape.width = (int32_t)png_get_image_width(reader, png->info);
  png->shape.height = (int32_t)png_get_image_height(reader, png->info);
}

/// Makes ready for the rows, which must come out as announced.
static void begin_rows(tarn_png *png) {
  png_set_interlace_handling(png->reader);
  png_read_update_info(png->reader, png->info);
  size_t row = (size_t)png->shape.width * (size_t)png->shape.channels;
  if (png_get_bit_depth(png->reader, png->info) != 8 || png_get_rowbytes(png->reader, png->info) != row) {
    png_error(png->reader, "its pixels are of an unknown form");
  }
}

int tarn_png_open(
  const uint8_t *bytes, size_t count, int keeps_opacity, tarn_png **result, tarn_image_info *info,
  char message[TARN_IMAGE_MESSAGE]) {
  *result = NULL;
  tarn_png *png = calloc(1, sizeof *png);
  if (!png) return TARN_IMAGE_NO_MEMORY;
  png->bytes = bytes;
  png->count = count;
  if (setjmp(png->escape)) {
    tarn_image_say(message, png->message);
    tarn_png_close(png);
    return TARN_IMAGE_INVALID;
  }
  png->reader = png_create_read_struct(PNG_LIBPNG_VER_STRING, png, on_error, on_warning);
  if (png->reader) png->info = png_create_info_struct(png->reader);
  if (!png->info) {
    tarn_png_close(png);
    return TARN_IMAGE_NO_MEMORY;
  }
  png_set_read_fn(png->reader, png, on_read);
  // Texts, profiles and the like can unpack to far more than the file; nothing of them is wanted.
  png_set_keep_unknown_chunks(png->reader, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_set_chunk_malloc_max(png->reader, 1 << 20);
  png_set_user_limits(png->reader, 0x7fffffff, 0x7fffffff);
  png_read_info(png->reader, png->info);
  choose_form(png, keeps_opacity);
  *info = png->shape;
  *result = png;
  return TARN_IMAGE_OK;
}

void tarn_png_close(tarn_png *png) {
  if (!png) return;
  png_destroy_read_struct(&png->reader, png->info ? &png->info : NULL, NULL);
  free(png);
}

int tarn_png_read(tarn_png *png, uint8_t *pixels, size_t stride, char message[TARN_IMAGE_MESSAGE]) {
  if (png->is_done) {
    tarn_image_say(message, "the picture was read before");
    return TARN_IMAGE_INVALID;
  }
  png->is_done = 1;
  if (setjmp(png->escape)) {
    tarn_image_say(message, png->message);
    return TARN_IMAGE_INVALID;
  }
  begin_rows(png);
  int is_interlaced = png_get_interlace_type(png->reader, png->info) == PNG_INTERLACE_ADAM7;
  for (int pass = 0; pass < (is_interlaced ? PNG_INTERLACE_ADAM7_PASSES : 1); pass++) {
    for (int32_t y = 0; y < png->shape.height; y++) {
      png_read_row(png->reader, pixels + (size_t)y * stride, NULL);
    }
  }
  png_read_end(png->reader, NULL);
  return TARN_IMAGE_OK;
}
