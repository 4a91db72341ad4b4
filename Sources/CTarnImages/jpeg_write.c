// JPEG files out, by libjpeg-turbo.
#include <setjmp.h>

#include "internal.h"

#include <jpeglib.h>

typedef struct {
  struct jpeg_error_mgr errors;
  jmp_buf escape;
  char *message;
} failure;

static void on_error(j_common_ptr encoder) {
  failure *failure = encoder->client_data;
  char text[JMSG_LENGTH_MAX];
  encoder->err->format_message(encoder, text);
  tarn_image_say(failure->message, text);
  longjmp(failure->escape, 1);
}

static void say_nothing(j_common_ptr encoder) { (void)encoder; }

static void write_rows(
  struct jpeg_compress_struct *encoder, const uint8_t *pixels, int32_t width, int32_t height, int channels,
  int quality, int halves_colour) {
  encoder->image_width = (JDIMENSION)width;
  encoder->image_height = (JDIMENSION)height;
  encoder->input_components = channels;
  encoder->in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(encoder);
  jpeg_set_quality(encoder, quality, TRUE);
  encoder->optimize_coding = TRUE;
  if (channels == 3 && !halves_colour) {
    encoder->comp_info[0].h_samp_factor = 1;
    encoder->comp_info[0].v_samp_factor = 1;
  }
  jpeg_start_compress(encoder, TRUE);
  while (encoder->next_scanline < encoder->image_height) {
    JSAMPROW row = (JSAMPROW)(pixels + (size_t)encoder->next_scanline * (size_t)width * (size_t)channels);
    jpeg_write_scanlines(encoder, &row, 1);
  }
  jpeg_finish_compress(encoder);
}

int tarn_jpeg_write(
  const uint8_t *pixels, int32_t width, int32_t height, int channels, int quality, int halves_colour, uint8_t **bytes,
  size_t *count, char message[TARN_IMAGE_MESSAGE]) {
  struct jpeg_compress_struct encoder = {0};
  failure failure = {.message = message};
  unsigned char *memory = NULL;
  unsigned long size = 0;
  *bytes = NULL;
  *count = 0;
  if (width < 1 || height < 1 || width > JPEG_MAX_DIMENSION || height > JPEG_MAX_DIMENSION) {
    tarn_image_say(message, "JPEG holds pictures of 1 to 65500 pixels a side");
    return TARN_IMAGE_UNSUPPORTED;
  }
  encoder.err = jpeg_std_error(&failure.errors);
  encoder.client_data = &failure;
  failure.errors.error_exit = on_error;
  failure.errors.output_message = say_nothing;
  if (setjmp(failure.escape)) {
    jpeg_destroy_compress(&encoder);
    return TARN_IMAGE_UNSUPPORTED;
  }
  jpeg_create_compress(&encoder);
  jpeg_mem_dest(&encoder, &memory, &size);
  write_rows(&encoder, pixels, width, height, channels, quality, halves_colour);
  jpeg_destroy_compress(&encoder);
  *bytes = memory;
  *count = size;
  return TARN_IMAGE_OK;
}

void tarn_image_free(void *memory) { free(memory); }
