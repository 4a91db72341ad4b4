// JPEG files in, by libjpeg-turbo. Its errors come back to the entry points by longjmp, which leaves no Swift frame.
#include <setjmp.h>

#include "internal.h"

#include <jpeglib.h>
// Its messages are numbered by what jpeglib.h defines.
#include <jerror.h>

/// Progressive files have ten scans or so; each is another pass over all coefficients, so thousands are an attack.
enum { MOST_SCANS = 100 };

struct tarn_jpeg {
  struct jpeg_decompress_struct decoder;
  struct jpeg_error_mgr errors;
  struct jpeg_source_mgr source;
  struct jpeg_progress_mgr progress;
  jmp_buf escape;
  int lenient, status, is_done;
  char message[TARN_IMAGE_MESSAGE];
};

static tarn_jpeg *of(j_common_ptr decoder) { return decoder->client_data; }

// MARK: What the library calls

static _Noreturn void fail(j_common_ptr decoder, int status) {
  tarn_jpeg *jpeg = of(decoder);
  jpeg->status = status;
  longjmp(jpeg->escape, 1);
}

static _Noreturn void fail_saying(j_common_ptr decoder, const char *text) {
  tarn_image_say(of(decoder)->message, text);
  fail(decoder, TARN_IMAGE_INVALID);
}

static void on_error(j_common_ptr decoder) {
  char text[JMSG_LENGTH_MAX];
  decoder->err->format_message(decoder, text);
  tarn_image_say(of(decoder)->message, text);
  int code = decoder->err->msg_code;
  int is_memory = code == JERR_OUT_OF_MEMORY;
  int is_unsupported = code == JERR_CONVERSION_NOTIMPL || code == JERR_BAD_PRECISION || code == JERR_SOF_UNSUPPORTED ||
                       code == JERR_ARITH_NOTIMPL || code == JERR_NOT_COMPILED;
  fail(decoder, is_memory ? TARN_IMAGE_NO_MEMORY : is_unsupported ? TARN_IMAGE_UNSUPPORTED : TARN_IMAGE_INVALID);
}

/// Whether a warning means that pixels are missing or wrong; others, such as a few stray bytes, are common and harmless.
static int is_damage(int code) {
  return code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE || code == JWRN_ARITH_BAD_CODE ||
         code == JWRN_MUST_RESYNC || code == JWRN_BOGUS_PROGRESSION;
}

static void on_message(j_common_ptr decoder, int level) {
  if (level < 0 && !of(decoder)->lenient && is_damage(decoder->err->msg_code)) on_error(decoder);
}

static void say_nothing(j_common_ptr decoder) { (void)decoder; }

static void on_progress(j_common_ptr decoder) {
  if (((j_decompress_ptr)decoder)->input_scan_number > MOST_SCANS) {
    fail_saying(decoder, "it has more than 100 scans, which no honest file has");
  }
}

static void no_source_work(j_decompress_ptr decoder) { (void)decoder; }

static boolean on_end(j_decompress_ptr decoder) {
  if (!of((j_common_ptr)decoder)->lenient) fail_saying((j_common_ptr)decoder, "the file ends too early");
  static const JOCTET end[] = {0xff, JPEG_EOI};
  decoder->src->next_input_byte = end;
  decoder->src->bytes_in_buffer = sizeof end;
  return TRUE;
}

static void on_skip(j_decompress_ptr decoder, long count) {
  if (count <= 0) return;
  if ((size_t)count > decoder->src->bytes_in_buffer) {
    decoder->src->bytes_in_buffer = 0;
    on_end(decoder);
    return;
  }
  decoder->src->next_input_byte += count;
  decoder->src->bytes_in_buffer -= (size_t)count;
}

// MARK: Opening

static void connect(tarn_jpeg *jpeg, const uint8_t *bytes, size_t count) {
  struct jpeg_decompress_struct *decoder = &jpeg->decoder;
  jpeg->source.next_input_byte = bytes;
  jpeg->source.bytes_in_buffer = count;
  jpeg->source.init_source = no_source_work;
  jpeg->source.fill_input_buffer = on_end;
  jpeg->source.skip_input_data = on_skip;
  jpeg->source.resync_to_restart = jpeg_resync_to_restart;
  jpeg->source.term_source = no_source_work;
  decoder->src = &jpeg->source;
  jpeg->progress.progress_monitor = on_progress;
  decoder->progress = &jpeg->progress;
}

/// The colours the library is to give; four-coloured pictures are turned into three here.
static void choose_colours(tarn_jpeg *jpeg) {
  struct jpeg_decompress_struct *decoder = &jpeg->decoder;
  switch (decoder->jpeg_color_space) {
  case JCS_GRAYSCALE: decoder->out_color_space = JCS_GRAYSCALE; break;
  case JCS_YCbCr:
  case JCS_RGB: decoder->out_color_space = JCS_RGB; break;
  case JCS_CMYK:
  case JCS_YCCK: decoder->out_color_space = JCS_CMYK; break;
  default:
    tarn_image_say(jpeg->message, "its pixels are neither grey, nor RGB, nor CMYK");
    fail((j_common_ptr)decoder, TARN_IMAGE_UNSUPPORTED);
  }
}

int tarn_jpeg_open(
  const uint8_t *bytes, size_t count, int denominator, int lenient, tarn_jpeg **result, tarn_image_info *info,
  char message[TARN_IMAGE_MESSAGE]) {
  *result = NULL;
  tarn_jpeg *jpeg = calloc(1, sizeof *jpeg);
  if (!jpeg) return TARN_IMAGE_NO_MEMORY;
  struct jpeg_decompress_struct *decoder = &jpeg->decoder;
  jpeg->lenient = lenient;
  decoder->err = jpeg_std_error(&jpeg->errors);
  decoder->client_data = jpeg;
  jpeg->errors.error_exit = on_error;
  jpeg->errors.emit_message = on_message;
  jpeg->errors.output_message = say_nothing;
  if (setjmp(jpeg->escape)) {
    int status = jpeg->status;
    tarn_image_say(message, jpeg->message);
    tarn_jpeg_close(jpeg);
    return status;
  }
  jpeg_create_decompress(decoder);
  connect(jpeg, bytes, count);
  jpeg_read_header(decoder, TRUE);
  choose_colours(jpeg);
  decoder->scale_num = 1;
  decoder->scale_denom = (unsigned)denominator;
  jpeg_calc_output_dimensions(decoder);
  info->width = (int32_t)decoder->output_width;
  info->height = (int32_t)decoder->output_height;
  info->channels = decoder->out_color_space == JCS_GRAYSCALE ? 1 : 3;
  info->bits = decoder->data_precision;
  *result = jpeg;
  return TARN_IMAGE_OK;
}

void tarn_jpeg_close(tarn_jpeg *jpeg) {
  if (!jpeg) return;
  // Closing can fail only where opening did before there was anything to let go.
  if (!setjmp(jpeg->escape)) jpeg_destroy_decompress(&jpeg->decoder);
  free(jpeg);
}

// MARK: Reading

/// Inverted CMYK, as Adobe's programs write it and everybody reads it, to RGB.
static void from_inks(const uint8_t *inks, uint8_t *colours, int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    int white = inks[4 * i + 3];
    for (int c = 0; c < 3; c++) {
      int product = (255 - inks[4 * i + c]) * white + 128;
      int value = white - (((product >> 8) + product) >> 8);
      colours[3 * i + c] = (uint8_t)(value < 0 ? 0 : value);
    }
  }
}

/// The rectangle the library is asked for: that of the caller with a margin, since it takes the rim of its own for the
/// rim of the picture where it interpolates colours.
typedef struct {
  JDIMENSION x, width, first_row;
} window;

static window choose_window(j_decompress_ptr decoder, int32_t x, int32_t y, int32_t width) {
  window w = {.x = 0, .width = decoder->output_width, .first_row = 0};
#ifdef LIBJPEG_TURBO_VERSION_NUMBER
  const int32_t margin = DCTSIZE * MAX_SAMP_FACTOR / 2;
  int32_t left = tarn_image_greatest(0, x - margin);
  int32_t right = tarn_image_least((int32_t)decoder->output_width, x + width + margin);
  if (right - left < (int32_t)decoder->output_width) {
    w.x = (JDIMENSION)left;
    w.width = (JDIMENSION)(right - left);
    jpeg_crop_scanline(decoder, &w.x, &w.width);
  }
  if (y > margin) w.first_row = jpeg_skip_scanlines(decoder, (JDIMENSION)(y - margin));
#else
  (void)x, (void)y, (void)width;
#endif
  return w;
}

/// Goes through the rows below, so that damage there is found too.
static void check_rest(j_decompress_ptr decoder, JSAMPROW row) {
#ifdef LIBJPEG_TURBO_VERSION_NUMBER
  JDIMENSION left = decoder->output_height - decoder->output_scanline;
  // Skipping the last row would let the library stop reading right away.
  if (left > 1) jpeg_skip_scanlines(decoder, left - 1);
#endif
  while (decoder->output_scanline < decoder->output_height) {
    if (jpeg_read_scanlines(decoder, &row, 1) != 1) fail_saying((j_common_ptr)decoder, "a row is missing");
  }
}

static void read_rows(
  tarn_jpeg *jpeg, int32_t x, int32_t y, int32_t width, int32_t height, uint8_t *pixels, size_t stride) {
  j_decompress_ptr decoder = &jpeg->decoder;
  jpeg_start_decompress(decoder);
  window w = choose_window(decoder, x, y, width);
  size_t channels = (size_t)decoder->output_components;
  JSAMPARRAY room = decoder->mem->alloc_sarray(
    (j_common_ptr)decoder, JPOOL_IMAGE, decoder->output_width * (JDIMENSION)channels, 1);
  while (decoder->output_scanline < (JDIMENSION)(y + height)) {
    JDIMENSION at = decoder->output_scanline;
    if (jpeg_read_scanlines(decoder, room, 1) != 1) fail_saying((j_common_ptr)decoder, "a row is missing");
    if (at < (JDIMENSION)y) continue;
    uint8_t *row = pixels + (at - (JDIMENSION)y) * stride;
    const uint8_t *from = room[0] + ((JDIMENSION)x - w.x) * channels;
    if (channels == 4) {
      from_inks(from, row, width);
    } else {
      memcpy(row, from, (size_t)width * channels);
    }
  }
  check_rest(decoder, room[0]);
  jpeg_finish_decompress(decoder);
}

int tarn_jpeg_read(
  tarn_jpeg *jpeg, int32_t x, int32_t y, int32_t width, int32_t height, int channels, uint8_t *pixels, size_t stride,
  char message[TARN_IMAGE_MESSAGE]) {
  j_decompress_ptr decoder = &jpeg->decoder;
  int32_t whole_width = (int32_t)decoder->output_width, whole_height = (int32_t)decoder->output_height;
  int is_grey = decoder->out_color_space == JCS_GRAYSCALE;
  if (jpeg->is_done || x < 0 || y < 0 || width < 1 || height < 1 || x > whole_width - width ||
      y > whole_height - height || (channels == 1 && !is_grey) || (channels != 1 && channels != 3)) {
    tarn_image_say(message, "no such rectangle");
    return TARN_IMAGE_INVALID;
  }
  jpeg->is_done = 1;
  if (setjmp(jpeg->escape)) {
    tarn_image_say(message, jpeg->message);
    return jpeg->status;
  }
  if (is_grey && channels == 3) decoder->out_color_space = JCS_RGB;
  read_rows(jpeg, x, y, width, height, pixels, stride);
  return TARN_IMAGE_OK;
}
