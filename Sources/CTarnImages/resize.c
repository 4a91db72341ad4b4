// Scaling with a filter as wide as the reduction asks for. Both passes are one loop: a weighted sum of rows of bytes.
// Across, the rows are columns: sixteen rows of the picture at a time are turned on their side.
#include <math.h>

#include "internal.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum {
  /// Bits behind the point of a weight.
  WEIGHT_BITS = 22,
  /// A weight is high · 2¹¹ + low, so that each half is a factor of sixteen bits.
  HALF_BITS = 11,
  /// Rows of the picture that go across together.
  STRIP = 16,
};

// MARK: Weights

typedef struct {
  int32_t first, count;
  /// Where its weights begin, two to a tap: high and low.
  int64_t at;
} taps;

typedef struct {
  taps *samples;
  int16_t *weights;
} axis_weights;

static double triangle(double x) {
  x = fabs(x);
  return x < 1 ? 1 - x : 0;
}

/// Keys' cubic convolution with a = −1/2.
static double cubic(double x) {
  const double a = -0.5;
  x = fabs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

static double filter_support(int filter) { return filter == TARN_FILTER_BICUBIC ? 2 : 1; }

/// nearest[i] is the sample next to output sample begin + i. Places are added up one step after another, which decides
/// ties as other libraries do.
static void find_nearest(int32_t from, int32_t to, int32_t begin, int32_t count, int32_t *nearest) {
  double step = (double)from / to, place = step * 0.5;
  for (int32_t i = 0; i < begin + count; i++, place += step) {
    if (i >= begin) nearest[i - begin] = tarn_image_least(from - 1, (int32_t)place);
  }
}

/// The samples that reach output sample `place`.
static void reach(int32_t from, int32_t to, int32_t place, int filter, int32_t *first, int32_t *last) {
  double scale = (double)from / to;
  if (filter == TARN_FILTER_NEAREST) {
    find_nearest(from, to, place, 1, first);
    *last = *first + 1;
    return;
  }
  double support = filter_support(filter) * (scale < 1 ? 1 : scale);
  double center = (place + 0.5) * scale;
  int32_t low = (int32_t)(center - support + 0.5), high = (int32_t)(center + support + 0.5);
  *first = tarn_image_greatest(0, center - support + 0.5 < 0 ? 0 : low);
  *last = tarn_image_least(from, high);
}

void tarn_resize_reach(
  int32_t from, int32_t to, int32_t begin, int32_t end, int filter, int32_t *first, int32_t *last) {
  int32_t unused;
  reach(from, to, begin, filter, first, &unused);
  reach(from, to, end - 1, filter, &unused, last);
}

static void free_weights(axis_weights *axis) {
  free(axis->samples);
  free(axis->weights);
}

static int make_weights(int32_t from, int32_t to, int32_t begin, int32_t count, int filter, axis_weights *axis) {
  double scale = (double)from / to, stretch = scale < 1 ? 1 : scale;
  int64_t most = (int64_t)ceil(filter_support(filter) * stretch) * 2 + 1;
  axis->samples = malloc((size_t)count * sizeof(taps));
  axis->weights = malloc((size_t)count * (size_t)most * 2 * sizeof(int16_t));
  double *exact = malloc((size_t)most * sizeof(double));
  int is_sound = axis->samples && axis->weights && exact;
  for (int32_t i = 0; is_sound && i < count; i++) {
    taps *sample = &axis->samples[i];
    int32_t last;
    reach(from, to, begin + i, filter, &sample->first, &last);
    sample->count = last - sample->first;
    sample->at = i * most * 2;
    double center = (begin + i + 0.5) * scale, sum = 0;
    for (int32_t t = 0; t < sample->count; t++) {
      double x = (t + sample->first - center + 0.5) * (1 / stretch);
      exact[t] = filter == TARN_FILTER_BICUBIC ? cubic(x) : triangle(x);
      sum += exact[t];
    }
    for (int32_t t = 0; t < sample->count; t++) {
      double weight = (sum != 0 ? exact[t] / sum : exact[t]) * (1 << WEIGHT_BITS);
      int32_t fixed = (int32_t)(weight < 0 ? weight - 0.5 : weight + 0.5);
      axis->weights[sample->at + 2 * t] = (int16_t)(fixed >> HALF_BITS);
      axis->weights[sample->at + 2 * t + 1] = (int16_t)(fixed & ((1 << HALF_BITS) - 1));
    }
  }
  free(exact);
  return is_sound ? TARN_IMAGE_OK : TARN_IMAGE_NO_MEMORY;
}

// MARK: Weighted sums of rows

static inline uint8_t rounded(int32_t sum) {
  int32_t value = (sum + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS;
  return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

#if defined(__SSE2__)
static inline __m128i pair_of_weights(const int16_t *weights, int half, int has_second) {
  uint32_t first = (uint16_t)weights[half], second = has_second ? (uint16_t)weights[2 + half] : 0;
  return _mm_set1_epi32((int32_t)(first | second << 16));
}

/// Sixteen bytes of the result, the sums of high and of low halves apart until the end.
static inline __m128i sixteen(const uint8_t *rows, int64_t stride, const int16_t *weights, int32_t count) {
  const __m128i zero = _mm_setzero_si128();
  __m128i high[4] = {zero, zero, zero, zero}, low[4] = {zero, zero, zero, zero};
  for (int32_t t = 0; t < count; t += 2) {
    int has_second = t + 1 < count;
    const uint8_t *row = rows + t * stride;
    __m128i a = _mm_loadu_si128((const __m128i *)row);
    __m128i b = has_second ? _mm_loadu_si128((const __m128i *)(row + stride)) : zero;
    __m128i upper = pair_of_weights(weights + 2 * t, 0, has_second);
    __m128i lower = pair_of_weights(weights + 2 * t, 1, has_second);
    __m128i front = _mm_unpacklo_epi8(a, b), back = _mm_unpackhi_epi8(a, b);
    __m128i pairs[4] = {
      _mm_unpacklo_epi8(front, zero), _mm_unpackhi_epi8(front, zero), _mm_unpacklo_epi8(back, zero),
      _mm_unpackhi_epi8(back, zero)};
    for (int i = 0; i < 4; i++) {
      high[i] = _mm_add_epi32(high[i], _mm_madd_epi16(pairs[i], upper));
      low[i] = _mm_add_epi32(low[i], _mm_madd_epi16(pairs[i], lower));
    }
  }
  const __m128i half = _mm_set1_epi32(1 << (WEIGHT_BITS - 1));
  for (int i = 0; i < 4; i++) {
    __m128i sum = _mm_add_epi32(_mm_add_epi32(_mm_slli_epi32(high[i], HALF_BITS), low[i]), half);
    high[i] = _mm_srai_epi32(sum, WEIGHT_BITS);
  }
  return _mm_packus_epi16(_mm_packs_epi32(high[0], high[1]), _mm_packs_epi32(high[2], high[3]));
}
#endif

/// result[i] = Σ weights[t] · rows[t · stride + i], rounded and cut to a byte.
static void weigh(
  uint8_t *result, const uint8_t *rows, int64_t stride, int64_t n, const int16_t *weights, int32_t count) {
  int64_t i = 0;
#if defined(__SSE2__)
  for (; i + 16 <= n; i += 16) {
    _mm_storeu_si128((__m128i *)(result + i), sixteen(rows + i, stride, weights, count));
  }
#endif
  for (; i < n; i++) {
    int32_t sum = 0;
    for (int32_t t = 0; t < count; t++) {
      sum += (weights[2 * t] * (1 << HALF_BITS) + weights[2 * t + 1]) * rows[t * stride + i];
    }
    result[i] = rounded(sum);
  }
}

// MARK: Turning

/// result[x * 16 + r] = rows[r][x] for sixteen columns.
static inline void turn_block(const uint8_t *const rows[STRIP], int64_t x, uint8_t *result) {
#if defined(__SSE2__)
  __m128i a[16], b[16];
  for (int r = 0; r < 16; r++) a[r] = _mm_loadu_si128((const __m128i *)(rows[r] + x));
  // Four rounds of a perfect shuffle of sixteen rows turn the block.
  for (int round = 0; round < 4; round++) {
    for (int r = 0; r < 8; r++) {
      b[2 * r] = _mm_unpacklo_epi8(a[r], a[r + 8]);
      b[2 * r + 1] = _mm_unpackhi_epi8(a[r], a[r + 8]);
    }
    for (int r = 0; r < 16; r++) a[r] = b[r];
  }
  for (int r = 0; r < 16; r++) _mm_storeu_si128((__m128i *)(result + 16 * r), a[r]);
#else
  for (int i = 0; i < 16; i++) {
    for (int r = 0; r < STRIP; r++) result[16 * i + r] = rows[r][x + i];
  }
#endif
}

static void turn(const uint8_t *const rows[STRIP], int64_t n, uint8_t *result) {
  int64_t x = 0;
  for (; x + 16 <= n; x += 16) turn_block(rows, x, result + 16 * x);
  for (; x < n; x++) {
    for (int r = 0; r < STRIP; r++) result[16 * x + r] = rows[r][x];
  }
}

/// The other way: rows[r * stride + x] = columns[x * 16 + r] for r < count.
static void turn_back(const uint8_t *columns, int64_t n, uint8_t *rows, int64_t stride, int32_t count) {
  int64_t x = 0;
  uint8_t block[256];
  for (; x + 16 <= n; x += 16) {
    const uint8_t *lines[16];
    for (int i = 0; i < 16; i++) lines[i] = columns + 16 * (x + i);
    turn_block(lines, 0, block);
    for (int32_t r = 0; r < count; r++) memcpy(rows + r * stride + x, block + 16 * r, 16);
  }
  for (; x < n; x++) {
    for (int32_t r = 0; r < count; r++) rows[r * stride + x] = columns[16 * x + r];
  }
}

// MARK: The two passes

/// Rows of bytes, of which the first and the leftmost are those of a picture's pixel (x, y).
typedef struct {
  const uint8_t *pixels;
  int64_t stride;
  int32_t x, y;
} part;

/// Rows y ..< y + count scaled across, into rows of the target's width without gaps.
static int across(
  part from, int32_t y, int32_t count, const tarn_resize_source *s, const tarn_resize_target *t, int filter,
  uint8_t *result) {
  axis_weights axis;
  int32_t left, right;
  tarn_resize_reach(s->whole_width, t->whole_width, t->x, t->x + t->width, filter, &left, &right);
  int64_t in_bytes = (int64_t)(right - left) * s->channels, out_bytes = (int64_t)t->width * s->channels;
  int status = make_weights(s->whole_width, t->whole_width, t->x, t->width, filter, &axis);
  uint8_t *columns = malloc((size_t)(in_bytes + out_bytes) * STRIP);
  if (!columns) status = TARN_IMAGE_NO_MEMORY;
  int64_t pixel = STRIP * s->channels;
  for (int32_t strip = 0; status == TARN_IMAGE_OK && strip < count; strip += STRIP) {
    const uint8_t *rows[STRIP];
    for (int r = 0; r < STRIP; r++) {
      int64_t row = y - from.y + tarn_image_least(strip + r, count - 1);
      rows[r] = from.pixels + row * from.stride + (int64_t)(left - from.x) * s->channels;
    }
    turn(rows, in_bytes, columns);
    uint8_t *scaled = columns + in_bytes * STRIP;
    for (int32_t x = 0; x < t->width; x++) {
      const taps *sample = &axis.samples[x];
      weigh(
        scaled + x * pixel, columns + (sample->first - left) * pixel, pixel, pixel, axis.weights + sample->at,
        sample->count);
    }
    turn_back(scaled, out_bytes, result + strip * out_bytes, out_bytes, tarn_image_least(STRIP, count - strip));
  }
  free(columns);
  free_weights(&axis);
  return status;
}

/// The target's rows, of the columns x ..< x + count, without gaps.
static int down(
  part from, int32_t x, int32_t count, const tarn_resize_source *s, const tarn_resize_target *t, int filter,
  uint8_t *result) {
  axis_weights axis;
  int status = make_weights(s->whole_height, t->whole_height, t->y, t->height, filter, &axis);
  int64_t n = (int64_t)count * s->channels;
  const uint8_t *pixels = from.pixels + (int64_t)(x - from.x) * s->channels;
  for (int32_t y = 0; status == TARN_IMAGE_OK && y < t->height; y++) {
    const taps *sample = &axis.samples[y];
    weigh(
      result + y * n, pixels + (sample->first - from.y) * from.stride, from.stride, n, axis.weights + sample->at,
      sample->count);
  }
  free_weights(&axis);
  return status;
}

/// Across and down, in the order that is usual: down first where that takes away more than twice as much.
static int both(part from, const tarn_resize_source *s, const tarn_resize_target *t, int filter) {
  int32_t top, bottom, left, right;
  tarn_resize_reach(s->whole_height, t->whole_height, t->y, t->y + t->height, filter, &top, &bottom);
  tarn_resize_reach(s->whole_width, t->whole_width, t->x, t->x + t->width, filter, &left, &right);
  int64_t fewer_rows = (int64_t)s->whole_height - t->whole_height;
  int64_t fewer_columns = (int64_t)s->whole_width - t->whole_width;
  int is_down_first = fewer_rows > 0 && fewer_rows > 2 * fewer_columns;
  int64_t pixels =
    is_down_first ? (int64_t)(right - left) * t->height : (int64_t)(bottom - top) * t->width;
  uint8_t *between = malloc((size_t)(pixels * s->channels));
  if (!between) return TARN_IMAGE_NO_MEMORY;
  int status;
  if (is_down_first) {
    part rest = {between, (int64_t)(right - left) * s->channels, left, t->y};
    status = down(from, left, right - left, s, t, filter, between);
    if (status == TARN_IMAGE_OK) status = across(rest, t->y, t->height, s, t, filter, t->pixels);
  } else {
    part rest = {between, (int64_t)t->width * s->channels, t->x, top};
    status = across(from, top, bottom - top, s, t, filter, between);
    if (status == TARN_IMAGE_OK) status = down(rest, t->x, t->width, s, t, filter, t->pixels);
  }
  free(between);
  return status;
}

static int pick_nearest(part from, const tarn_resize_source *s, const tarn_resize_target *t) {
  int32_t *columns = malloc((size_t)t->width * sizeof(int32_t)), *rows = malloc((size_t)t->height * sizeof(int32_t));
  int is_sound = columns && rows;
  if (is_sound) {
    find_nearest(s->whole_width, t->whole_width, t->x, t->width, columns);
    find_nearest(s->whole_height, t->whole_height, t->y, t->height, rows);
  }
  uint8_t *result = t->pixels;
  for (int32_t y = 0; is_sound && y < t->height; y++) {
    const uint8_t *row = from.pixels + (rows[y] - from.y) * from.stride;
    for (int32_t x = 0; x < t->width; x++) {
      const uint8_t *pixel = row + (int64_t)(columns[x] - from.x) * s->channels;
      for (int32_t c = 0; c < s->channels; c++) *result++ = pixel[c];
    }
  }
  free(columns);
  free(rows);
  return is_sound ? TARN_IMAGE_OK : TARN_IMAGE_NO_MEMORY;
}

int tarn_resize(const tarn_resize_source *s, const tarn_resize_target *t, int filter) {
  part from = {s->pixels, s->stride, s->x, s->y};
  int is_high = s->whole_height == t->whole_height, is_wide = s->whole_width == t->whole_width;
  if (is_wide && is_high) {
    int64_t bytes = (int64_t)t->width * s->channels;
    const uint8_t *rows = s->pixels + (t->y - s->y) * s->stride + (int64_t)(t->x - s->x) * s->channels;
    for (int32_t y = 0; y < t->height; y++) memcpy(t->pixels + y * bytes, rows + y * s->stride, (size_t)bytes);
    return TARN_IMAGE_OK;
  }
  if (filter == TARN_FILTER_NEAREST) return pick_nearest(from, s, t);
  if (is_wide) return down(from, t->x, t->width, s, t, filter, t->pixels);
  if (is_high) return across(from, t->y, t->height, s, t, filter, t->pixels);
  return both(from, s, t, filter);
}
