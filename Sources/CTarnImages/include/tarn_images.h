/// Pictures: JPEG and PNG through the system's libraries, and the loops over pixels that have to be fast.
///
/// Conventions
/// - A picture is rows of bytes, `stride` bytes apart, each row `width` pixels of `channels` bytes (grey, or red, green
///   and blue).
/// - Functions that read files never abort and never read past the bytes they were given; they return a
///   `tarn_image_status` and put a sentence into `message`.
/// - Nothing here keeps state between calls other than in the handles: any thread may call anything.
#ifndef TARN_IMAGES_H
#define TARN_IMAGES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum tarn_image_status {
  TARN_IMAGE_OK = 0,
  /// The bytes are broken or end too early.
  TARN_IMAGE_INVALID = 1,
  /// Sound, but of a sort that is not read.
  TARN_IMAGE_UNSUPPORTED = 2,
  TARN_IMAGE_NO_MEMORY = 3,
};

enum { TARN_IMAGE_MESSAGE = 256 };

/// What the start of a file says.
typedef struct {
  /// Of the picture as it will come out.
  int32_t width, height;
  /// Bytes a pixel: 1 grey, 2 grey and opacity, 3 colour, 4 colour and opacity.
  int32_t channels;
  /// Bits of a sample in the file.
  int32_t bits;
} tarn_image_info;

// MARK: JPEG

typedef struct tarn_jpeg tarn_jpeg;

/// Reads the header of a JPEG file, whose bytes must stay until `tarn_jpeg_close`.
/// - `denominator`: 1, 2, 4 or 8: the picture comes out at so small a part of its width and height, which saves most of
///   the time that decoding takes.
/// - `lenient`: fills what damaged data leaves out with grey, rather than failing.
int tarn_jpeg_open(
  const uint8_t *bytes, size_t count, int denominator, int lenient, tarn_jpeg **jpeg, tarn_image_info *info,
  char message[TARN_IMAGE_MESSAGE]);
/// Decodes the rectangle x ..< x + width, y ..< y + height, once, into rows of `channels` bytes a pixel (those of the
/// information, or 3). What lies outside is only checked, which is faster; the pixels are those of the whole picture.
int tarn_jpeg_read(
  tarn_jpeg *jpeg, int32_t x, int32_t y, int32_t width, int32_t height, int channels, uint8_t *pixels, size_t stride,
  char message[TARN_IMAGE_MESSAGE]);
void tarn_jpeg_close(tarn_jpeg *jpeg);

/// Encodes at quality 1 to 100 into memory to be given to `tarn_image_free`.
/// - `halves_colour`: stores colour at half the resolution, as is usual.
int tarn_jpeg_write(
  const uint8_t *pixels, int32_t width, int32_t height, int channels, int quality, int halves_colour, uint8_t **bytes,
  size_t *count, char message[TARN_IMAGE_MESSAGE]);

// MARK: PNG

typedef struct tarn_png tarn_png;

/// Reads the header of a PNG file, whose bytes must stay until `tarn_png_close`.
/// - `keeps_opacity`: gives 2 or 4 channels where the file says how opaque its pixels are; otherwise that is dropped.
int tarn_png_open(
  const uint8_t *bytes, size_t count, int keeps_opacity, tarn_png **png, tarn_image_info *info,
  char message[TARN_IMAGE_MESSAGE]);
/// Decodes the whole picture, once. Samples of 16 bits keep their higher byte.
int tarn_png_read(tarn_png *png, uint8_t *pixels, size_t stride, char message[TARN_IMAGE_MESSAGE]);
void tarn_png_close(tarn_png *png);

/// Encodes at compression level 0 to 9 into memory to be given to `tarn_image_free`; 1 to 4 channels.
int tarn_png_write(
  const uint8_t *pixels, int32_t width, int32_t height, int channels, int level, uint8_t **bytes, size_t *count,
  char message[TARN_IMAGE_MESSAGE]);

void tarn_image_free(void *memory);

// MARK: Scaling

enum tarn_filter { TARN_FILTER_NEAREST = 0, TARN_FILTER_BILINEAR = 1, TARN_FILTER_BICUBIC = 2 };

/// The samples first ..< last of an axis of `from` samples that make the samples begin ..< end of it scaled to `to`.
void tarn_resize_reach(
  int32_t from, int32_t to, int32_t begin, int32_t end, int filter, int32_t *first, int32_t *last);

/// A picture's part that is there, of which a part of the scaled picture is made.
typedef struct {
  /// The pixel (x, y) of the picture, and the size of the part that is there.
  const uint8_t *pixels;
  int64_t stride;
  int32_t x, y, width, height;
  /// Size of the whole picture.
  int32_t whole_width, whole_height;
  int32_t channels;
} tarn_resize_source;

typedef struct {
  /// Rows without gaps.
  uint8_t *pixels;
  int32_t x, y, width, height;
  /// Size of the whole scaled picture.
  int32_t whole_width, whole_height;
} tarn_resize_target;

/// Scales with a filter as wide as the reduction asks for: across, then down, rounding to bytes after each, with weights
/// of 22 bits. The part that is there must hold what `tarn_resize_reach` says of both axes.
int tarn_resize(const tarn_resize_source *source, const tarn_resize_target *target, int filter);

// MARK: Pixels

/// planes[c][y * row + x] = tables[256 * c + pixel's byte from[c]], for c < planes_count.
void tarn_image_planes(
  const uint8_t *pixels, int64_t stride, int32_t width, int32_t height, int channels, const int32_t *from,
  int planes_count, const float *tables, float *planes, int64_t plane, int64_t row);

/// Turns and mirrors as EXIF's orientation 1 to 8 asks, so that the picture stands upright.
void tarn_image_orient(
  const uint8_t *pixels, int32_t width, int32_t height, int channels, int orientation, uint8_t *result);

/// result(x, y) = pixels(m[0] x + m[1] y + m[2], m[3] x + m[4] y + m[5]), of pixel centres; `fill` where that lies
/// outside. Filters: nearest or bilinear.
void tarn_image_affine(
  const uint8_t *pixels, int32_t width, int32_t height, int channels, const double m[6], int filter,
  const uint8_t *fill, uint8_t *result, int32_t result_width, int32_t result_height);

/// Rec. 601 luma, rounded: (19595 r + 38470 g + 7471 b + 2¹⁵) / 2¹⁶.
void tarn_image_luma(const uint8_t *colours, int64_t count, uint8_t *grey);
/// bytes = other + factor (bytes − other), cut to 0…255. `other` has a byte for each `repeat` bytes.
void tarn_image_blend(uint8_t *bytes, int64_t count, const uint8_t *other, int repeat, float factor);
/// The same with one byte for all.
void tarn_image_blend_with(uint8_t *bytes, int64_t count, uint8_t other, float factor);
/// Turns the hue of colours by shift / 256 of the circle, by way of hue, saturation and value of a byte each.
void tarn_image_turn_hue(uint8_t *colours, int64_t count, int shift);
/// The mean of 3×3 pixels with weights 1 and, in the middle, 5; the rim is as it was.
void tarn_image_smooth(const uint8_t *pixels, int32_t width, int32_t height, int channels, uint8_t *result);
/// colour = (colour · opacity + background · (255 − opacity)) / 255 of `channels` 2 or 4, without the opacity.
void tarn_image_compose(
  const uint8_t *pixels, int64_t count, int channels, const uint8_t *background, uint8_t *result);

#ifdef __cplusplus
}
#endif
#endif
