// Depthwise convolution of blocked images, plane by plane.
//
// A plane is read through a ring of rows with margins of zeros, a few at a time, so that they stay in the first-level
// cache and no tap needs a test. The gradient of the input is a convolution of g for each phase of the stride: the
// positions of x with the same remainder see the same taps.
#include <string.h>

#include "depthwise_kernels.h"
#include "internal.h"

/// The largest stride, bytes that the ring of rows should take, and planes' worth of pieces below which planes are cut.
enum { MOST_PHASES = 4, RING_BYTES = 24576, ENOUGH_PIECES = 32, LEAST_ROWS = 7, MOST_ROWS = 28 };

/// Along one axis of the result, the positions start, start + step, …: position p reads the elements
/// p reach + offset + tap dilation of the source. `before`: taps of the phases before this one.
typedef struct {
  int64_t start, positions, taps, offset, dilation, before;
} axis_phase;

typedef struct {
  int phases;
  axis_phase phase[MOST_PHASES];
  int64_t taps, reach, step, positions;
  /// Source elements which positions read: from p reach + low on, `span` of them.
  int64_t low, span;
  int64_t source, result;
} axis_plan;

typedef struct {
  axis_plan axis[2];
  int64_t n, blocks, taps, width;
  /// Rows of positions of a piece, and of a band within it.
  int64_t rows, cuts, band;
  const float *source, *packed, *g;
  const tarn_epilogue *epilogue;
  float *result, *totals, *dw;
  int64_t channels;
  int *status;
} depthwise_job;

// MARK: Plans

static void measure_axis(axis_plan *axis) {
  int64_t low = INT64_MAX, high = INT64_MIN;
  for (int p = 0; p < axis->phases; p++) {
    const axis_phase *phase = &axis->phase[p];
    axis->positions = tarn_greatest(axis->positions, phase->positions);
    if (phase->taps == 0) continue;
    low = tarn_least(low, phase->offset);
    high = tarn_greatest(high, phase->offset + (phase->taps - 1) * phase->dilation);
  }
  axis->low = low;
  axis->span = high - low + 1;
}

static void plan_forward(const tarn_conv *conv, int a, axis_plan *axis) {
  const int64_t taps = a == 0 ? conv->kh : conv->kw, positions = a == 0 ? conv->oh : conv->ow;
  *axis = (axis_plan){
    .phases = 1, .taps = taps, .reach = conv->stride[a], .step = 1, .source = a == 0 ? conv->h : conv->w,
    .result = positions};
  axis->phase[0] = (axis_phase){
    .positions = positions, .taps = taps, .offset = -conv->low[a], .dilation = conv->dilation[a]};
  measure_axis(axis);
}

/// Whether tap k reaches the positions start, start + stride, … of x.
static int belongs(const tarn_conv *conv, int a, int64_t start, int64_t k) {
  return (start + conv->low[a] - k * conv->dilation[a]) % conv->stride[a] == 0;
}

/// Tap k takes x[i] from g[(i + low - k dilation) / stride]; the taps of a phase go backwards.
static void plan_backward(const tarn_conv *conv, int a, axis_plan *axis) {
  const int64_t taps = a == 0 ? conv->kh : conv->kw, stride = conv->stride[a], size = a == 0 ? conv->h : conv->w;
  *axis = (axis_plan){
    .phases = (int)stride, .taps = taps, .reach = 1, .step = stride, .source = a == 0 ? conv->oh : conv->ow,
    .result = size};
  int64_t before = 0;
  for (int64_t start = 0; start < stride; start++) {
    axis_phase phase = {.start = start, .before = before, .dilation = 1};
    phase.positions = start < size ? tarn_ceil_div(size - start, stride) : 0;
    for (int64_t k = taps - 1; k >= 0; k--) {
      if (!belongs(conv, a, start, k)) continue;
      const int64_t from = (start + conv->low[a] - k * conv->dilation[a]) / stride;
      if (phase.taps == 0) phase.offset = from;
      if (phase.taps == 1) phase.dilation = from - phase.offset;
      phase.taps++;
    }
    before += phase.taps;
    axis->phase[start] = phase;
  }
  measure_axis(axis);
}

static void plan_job(depthwise_job *job, const tarn_conv *conv, int backward) {
  for (int a = 0; a < 2; a++) (backward ? plan_backward : plan_forward)(conv, a, &job->axis[a]);
  const axis_plan *y = &job->axis[0], *x = &job->axis[1];
  job->n = conv->n;
  job->blocks = tarn_ceil_div(conv->c, TARN_LANES);
  job->channels = conv->c;
  job->taps = conv->kh * conv->kw;
  job->width = (x->positions - 1) * x->reach + x->span;
  const int64_t fits = RING_BYTES / (job->width * TARN_LANES * (int64_t)sizeof(float));
  job->band = tarn_greatest(1, (fits - y->span) / y->reach + 1);
  const int64_t wanted = tarn_ceil_div(ENOUGH_PIECES, job->n * job->blocks);
  job->rows = tarn_ceil_div(y->positions, tarn_greatest(1, tarn_least(wanted, y->positions / LEAST_ROWS)));
  job->cuts = tarn_ceil_div(y->positions, job->rows);
}

// MARK: Rows with margins

typedef struct {
  int64_t slots, filled;
  /// What comes after the rows that are there.
  const float *ahead;
  const float *zero;
  float *memory;
  /// The rows of a band, in order.
  const float **table;
} ring;

/// Scratch memory of the calling thread, its margins zero; `filled`: the first row of the source that is read.
static int make_ring(const depthwise_job *job, ring *r) {
  const axis_plan *y = &job->axis[0], *x = &job->axis[1];
  const int64_t row = job->width * TARN_LANES;
  r->slots = (job->band - 1) * y->reach + y->span;
  const size_t bytes = (size_t)((r->slots + 1) * row) * sizeof(float) + (size_t)r->slots * sizeof(float *);
  float *memory = tarn_scratch(TARN_SCRATCH_MARGINS, bytes);
  if (!memory) return TARN_NO_MEMORY;
  r->zero = memory;
  r->memory = memory + row;
  r->table = (const float **)(memory + (r->slots + 1) * row);
  const int64_t left = tarn_least(job->width, tarn_greatest(0, -x->low));
  const int64_t right = tarn_least(job->width, tarn_greatest(left, x->source - x->low));
  memset(memory, 0, (size_t)row * sizeof(float));
  for (int64_t s = 0; s < r->slots; s++) {
    memset(r->memory + s * row, 0, (size_t)(left * TARN_LANES) * sizeof(float));
    memset(r->memory + s * row + right * TARN_LANES, 0, (size_t)((job->width - right) * TARN_LANES) * sizeof(float));
  }
  return TARN_OK;
}

/// Makes the table for the positions [begin, end), copying rows that are not there yet.
static void fill_ring(const depthwise_job *job, ring *r, const float *plane, int64_t begin, int64_t end) {
  const axis_plan *y = &job->axis[0], *x = &job->axis[1];
  const int64_t first = begin * y->reach + y->low, last = (end - 1) * y->reach + y->low + y->span;
  const int64_t left = tarn_greatest(0, -x->low), from = tarn_greatest(0, x->low);
  const int64_t count = tarn_least(x->source, x->low + job->width) - from;
  for (int64_t row = first; row < last; row++) {
    if (row < 0 || row >= y->source) {
      r->table[row - first] = r->zero;
      continue;
    }
    float *slot = r->memory + row % r->slots * job->width * TARN_LANES;
    r->table[row - first] = slot;
    if (row < r->filled || count <= 0) continue;
    memcpy(
      slot + left * TARN_LANES, plane + (row * x->source + from) * TARN_LANES,
      (size_t)(count * TARN_LANES) * sizeof(float));
  }
  r->filled = last;
  r->ahead = plane + tarn_greatest(0, tarn_least(last, y->source)) * x->source * TARN_LANES;
}

/// The positions [begin, end) of a phase, which may have fewer.
static tarn_depthwise_band band_of(
  const depthwise_job *job, const ring *r, const axis_phase *y, const axis_phase *x, int64_t begin, int64_t end
) {
  return (tarn_depthwise_band){
    .rows = r->table + (y->taps ? y->offset - job->axis[0].low : 0), .row_step = job->axis[0].reach,
    .row_dilation = y->dilation, .start = (x->taps ? x->offset - job->axis[1].low : 0) * TARN_LANES,
    .step = job->axis[1].reach * TARN_LANES, .dilation = x->dilation * TARN_LANES, .kh = x->taps ? y->taps : 0,
    .kw = x->taps, .n_rows = tarn_least(end, y->positions) - begin, .n_columns = x->positions,
    .ahead = r->ahead, .ahead_pixels = y->start + x->start == 0 ? job->axis[0].reach * job->axis[1].reach : 0};
}

/// Runs `work` on the bands of the pieces [begin, end).
static void run_pieces(
  const depthwise_job *job, int64_t begin, int64_t end,
  void (*work)(const depthwise_job *job, const ring *r, int64_t piece, int64_t begin, int64_t end)
) {
  const axis_plan *y = &job->axis[0];
  ring r;
  if (make_ring(job, &r)) {
    __atomic_store_n(job->status, TARN_NO_MEMORY, __ATOMIC_RELAXED);
    return;
  }
  for (int64_t piece = begin; piece < end; piece++) {
    const int64_t first = piece % job->cuts * job->rows, last = tarn_least(y->positions, first + job->rows);
    const float *plane = job->source + piece / job->cuts * y->source * job->axis[1].source * TARN_LANES;
    r.filled = INT64_MIN;
    for (int64_t row = first; row < last; row += job->band) {
      const int64_t stop = tarn_least(last, row + job->band);
      fill_ring(job, &r, plane, row, stop);
      work(job, &r, piece, row, stop);
    }
  }
}

// MARK: Sums over taps

static void sum_band(const depthwise_job *job, const ring *r, int64_t piece, int64_t begin, int64_t end) {
  const axis_plan *y = &job->axis[0], *x = &job->axis[1];
  const int64_t plane = piece / job->cuts, block = plane % job->blocks, row = x->result * TARN_LANES;
  for (int i = 0; i < y->phases * x->phases; i++) {
    const axis_phase *py = &y->phase[i / x->phases], *px = &x->phase[i % x->phases];
    const tarn_depthwise_band band = band_of(job, r, py, px, begin, end);
    if (band.n_rows <= 0 || band.n_columns <= 0) continue;
    const int64_t taps = block * job->taps + py->before * x->taps + py->taps * px->before;
    const int64_t at = (plane * y->result + py->start + begin * y->step) * row + px->start * TARN_LANES;
    tarn_epilogue epilogue;
    if (job->epilogue) {
      epilogue = *job->epilogue;
      if (epilogue.scale) epilogue.scale += block * TARN_LANES;
      if (epilogue.shift) epilogue.shift += block * TARN_LANES;
      if (epilogue.residual) epilogue.residual += at;
    }
    tarn_level_now()->depthwise->sums(
      &band, job->packed + taps * TARN_LANES, job->epilogue ? &epilogue : NULL, job->result + at, y->step * row,
      x->step * TARN_LANES);
  }
}

static void sums_task(void *ctx, int64_t begin, int64_t end) { run_pieces(ctx, begin, end, sum_band); }

/// Pieces that a thread takes at a time: few enough for many threads, many where planes are small.
static int64_t grain_of(int64_t pieces) { return tarn_greatest(1, tarn_least(8, pieces / 64)); }

static int run_sums(depthwise_job *job) {
  int status = TARN_OK;
  job->status = &status;
  const int64_t pieces = job->n * job->blocks * job->cuts;
  tarn_parallel(pieces, grain_of(pieces), sums_task, job);
  return status;
}

// MARK: Entry points

/// The three passes are done alike.
int tarn_blocked_depthwise_takes(const tarn_conv *conv, int pass) {
  return pass >= TARN_PASS_FORWARD && pass <= TARN_PASS_WEIGHT_GRADIENT && conv->groups == conv->c &&
         conv->o == conv->c && conv->kh > 0 && conv->kw > 0 && conv->stride[0] > 0 &&
         conv->stride[1] > 0 && conv->stride[0] <= MOST_PHASES && conv->stride[1] <= MOST_PHASES &&
         conv->dilation[0] > 0 && conv->dilation[1] > 0;
}

int64_t tarn_blocked_depthwise_packed_count(const tarn_conv *conv) {
  return 2 * tarn_ceil_div(conv->c, TARN_LANES) * TARN_LANES * conv->kh * conv->kw;
}

/// [blocks, taps, 16] as they are for the first pass, and by phases, backwards, for the second.
int tarn_blocked_depthwise_pack(const tarn_conv *conv, const float *w, float *packed) {
  if (!tarn_blocked_depthwise_takes(conv, TARN_PASS_FORWARD)) return TARN_BAD_ARGUMENT;
  const int64_t taps = conv->kh * conv->kw, half = tarn_blocked_depthwise_packed_count(conv) / 2;
  memset(packed, 0, (size_t)(2 * half) * sizeof *packed);
  for (int64_t c = 0; c < conv->c; c++) {
    float *to = packed + c / TARN_LANES * taps * TARN_LANES + c % TARN_LANES;
    for (int64_t k = 0; k < taps; k++) to[k * TARN_LANES] = w[c * taps + k];
  }
  int64_t place = half;
  for (int64_t phase = 0; phase < conv->stride[0] * conv->stride[1]; phase++) {
    for (int64_t i = conv->kh - 1; i >= 0; i--) {
      if (!belongs(conv, 0, phase / conv->stride[1], i)) continue;
      for (int64_t j = conv->kw - 1; j >= 0; j--) {
        if (!belongs(conv, 1, phase % conv->stride[1], j)) continue;
        const int64_t from = (i * conv->kw + j) * TARN_LANES;
        for (int64_t block = 0; block < half; block += taps * TARN_LANES) {
          memcpy(packed + place + block, packed + from + block, TARN_LANES * sizeof *packed);
        }
        place += TARN_LANES;
      }
    }
  }
  return TARN_OK;
}

int tarn_blocked_depthwise_forward(
  const tarn_conv *conv, const float *x, const float *packed, const tarn_epilogue *epilogue, float *y
) {
  if (!tarn_blocked_depthwise_takes(conv, TARN_PASS_FORWARD)) return TARN_BAD_ARGUMENT;
  if (conv->n * conv->c * conv->oh * conv->ow == 0) return TARN_OK;
  depthwise_job job = {.source = x, .packed = packed, .epilogue = epilogue, .result = y};
  plan_job(&job, conv, 0);
  return run_sums(&job);
}

int tarn_blocked_depthwise_input_gradient(const tarn_conv *conv, const float *g, const float *packed, float *dx) {
  if (!tarn_blocked_depthwise_takes(conv, TARN_PASS_INPUT_GRADIENT)) return TARN_BAD_ARGUMENT;
  if (conv->n * conv->c * conv->h * conv->w == 0) return TARN_OK;
  depthwise_job job = {
    .source = g, .packed = packed + tarn_blocked_depthwise_packed_count(conv) / 2, .result = dx};
  plan_job(&job, conv, 1);
  return run_sums(&job);
}

// MARK: Gradient of the weights

static void product_band(const depthwise_job *job, const ring *r, int64_t piece, int64_t begin, int64_t end) {
  const axis_plan *y = &job->axis[0], *x = &job->axis[1];
  float *totals = job->totals + piece * job->taps * TARN_LANES;
  if (begin == piece % job->cuts * job->rows) memset(totals, 0, (size_t)(job->taps * TARN_LANES) * sizeof *totals);
  const tarn_depthwise_band band = band_of(job, r, &y->phase[0], &x->phase[0], begin, end);
  const int64_t row = x->result * TARN_LANES;
  tarn_level_now()->depthwise->products(&band, job->g + (piece / job->cuts * y->result + begin) * row, row, totals);
}

static void products_task(void *ctx, int64_t begin, int64_t end) { run_pieces(ctx, begin, end, product_band); }

/// Adds up the pieces of a block of channels.
static void combine_task(void *ctx, int64_t begin, int64_t end) {
  const depthwise_job *job = ctx;
  for (int64_t block = begin; block < end; block++) {
    for (int64_t tap = 0; tap < job->taps; tap++) {
      double sum[TARN_LANES] = {0};
      for (int64_t i = 0; i < job->n * job->cuts; i++) {
        const int64_t piece = (i / job->cuts * job->blocks + block) * job->cuts + i % job->cuts;
        const float *from = job->totals + (piece * job->taps + tap) * TARN_LANES;
        for (int lane = 0; lane < TARN_LANES; lane++) sum[lane] += from[lane];
      }
      const int64_t first = block * TARN_LANES, count = tarn_least(TARN_LANES, job->channels - first);
      for (int64_t lane = 0; lane < count; lane++) job->dw[(first + lane) * job->taps + tap] = (float)sum[lane];
    }
  }
}

int tarn_blocked_depthwise_weight_gradient(const tarn_conv *conv, const float *x, const float *g, float *dw) {
  if (!tarn_blocked_depthwise_takes(conv, TARN_PASS_WEIGHT_GRADIENT)) return TARN_BAD_ARGUMENT;
  if (conv->n * conv->c * conv->oh * conv->ow == 0) {
    memset(dw, 0, (size_t)(conv->c * conv->kh * conv->kw) * sizeof *dw);
    return TARN_OK;
  }
  int status = TARN_OK;
  depthwise_job job = {.source = x, .g = g, .dw = dw, .status = &status};
  plan_job(&job, conv, 0);
  const int64_t pieces = job.n * job.blocks * job.cuts;
  job.totals = tarn_scratch(TARN_SCRATCH_WEIGHT_SUMS, (size_t)(pieces * job.taps * TARN_LANES) * sizeof(float));
  if (!job.totals) return TARN_NO_MEMORY;
  tarn_parallel(pieces, grain_of(pieces), products_task, &job);
  tarn_parallel(job.blocks, 8, combine_task, &job);
  return status;
}
