// Direct convolution of blocked images.
//
// Packed weights are [groups, output blocks, input blocks, kh, kw, 16 inputs, 16 outputs]; for the gradient of the
// input the channels of g are the inputs. That gradient is a convolution of g for each phase of the stride: the
// positions of x with the same remainder all see the same elements of the kernel. There, each phase has packed weights
// of its own, one after another.
#include <string.h>

#include "direct_tile.h"

// MARK: Axes

tarn_direct_axis tarn_direct_axis_of(int64_t most_taps, int64_t *memory) {
  return (tarn_direct_axis){
    .step = 1, .stride = 1, .offsets = memory, .elements = memory + most_taps, .slots = memory + 2 * most_taps,
    .shifts = memory + 3 * most_taps, .first = memory + 4 * most_taps};
}

void tarn_direct_axis_add(tarn_direct_axis *axis, int64_t element, int64_t offset) {
  const int64_t last = offset + (axis->count - 1) * axis->stride;
  if (last < 0 || offset >= axis->x_size) return;
  axis->elements[axis->taps] = element;
  axis->offsets[axis->taps++] = offset;
}

tarn_direct_axis tarn_direct_forward_axis(const tarn_conv *conv, int axis, int64_t *memory) {
  const int64_t taps = axis ? conv->kw : conv->kh;
  tarn_direct_axis a = tarn_direct_axis_of(taps, memory);
  a.count = a.y_size = axis ? conv->ow : conv->oh;
  a.x_size = axis ? conv->w : conv->h;
  a.stride = conv->stride[axis];
  for (int64_t t = 0; t < taps; t++) tarn_direct_axis_add(&a, t, t * conv->dilation[axis] - conv->low[axis]);
  return a;
}

/// Positions start, start + stride, … of x, and the elements of the kernel that reach them, numbered in their phase.
static tarn_direct_axis gradient_axis(const tarn_conv *conv, int axis, int64_t start, int64_t *memory) {
  const int64_t taps = axis ? conv->kw : conv->kh, stride = conv->stride[axis];
  tarn_direct_axis a = tarn_direct_axis_of(taps, memory);
  a.y_size = axis ? conv->w : conv->h;
  a.x_size = axis ? conv->ow : conv->oh;
  a.count = tarn_ceil_div(a.y_size - start, stride);
  a.start = start;
  a.step = stride;
  int64_t element = 0;
  for (int64_t t = 0; t < taps; t++) {
    const int64_t distance = start + conv->low[axis] - t * conv->dilation[axis];
    if (distance % stride == 0) tarn_direct_axis_add(&a, element++, distance / stride);
  }
  return a;
}

/// The phase whose positions an element of the kernel reaches.
static int64_t phase_of(const tarn_conv *conv, int axis, int64_t element) {
  const int64_t stride = conv->stride[axis], at = (element * conv->dilation[axis] - conv->low[axis]) % stride;
  return at < 0 ? at + stride : at;
}

/// Elements of the kernel before `end` that belong to phases from `first` to `last`.
static int64_t count_elements(const tarn_conv *conv, int axis, int64_t end, int64_t first, int64_t last) {
  int64_t count = 0;
  for (int64_t t = 0; t < end; t++) {
    const int64_t phase = phase_of(conv, axis, t);
    count += phase >= first && phase <= last;
  }
  return count;
}

// MARK: Packing

int tarn_direct_takes(const tarn_conv *conv, int pass) {
  if (pass < TARN_PASS_FORWARD || pass > TARN_PASS_WEIGHT_GRADIENT) return 0;
  if (tarn_conv_check(TARN_DTYPE_F32, conv)) return 0;
  return conv->groups == 1 ||
         (conv->c / conv->groups % TARN_LANES == 0 && conv->o / conv->groups % TARN_LANES == 0);
}

typedef struct {
  const tarn_conv *conv;
  int pass;
  /// Of a group: channels that are summed over and that are computed.
  int64_t inputs, outputs, input_blocks, output_blocks, taps;
  const float *w;
  float *packed;
  /// Where plain weights go instead; or null.
  float *restored;
  /// Of each element of the kernel: where its blocks begin, and how far they lie apart.
  int64_t *starts, *steps;
} pack_job;

static pack_job pack_of(const tarn_conv *conv, int pass) {
  const int64_t c = conv->c / conv->groups, o = conv->o / conv->groups;
  const int backward = pass == TARN_PASS_INPUT_GRADIENT;
  return (pack_job){
    .conv = conv, .pass = pass, .inputs = backward ? o : c, .outputs = backward ? c : o,
    .input_blocks = tarn_ceil_div(backward ? o : c, TARN_LANES),
    .output_blocks = tarn_ceil_div(backward ? c : o, TARN_LANES), .taps = conv->kh * conv->kw};
}

static int64_t packed_count(const pack_job *job) {
  return job->conv->groups * job->output_blocks * job->input_blocks * job->taps * TARN_LANES * TARN_LANES;
}

int64_t tarn_direct_packed_count(const tarn_conv *conv, int pass) {
  const pack_job job = pack_of(conv, pass);
  return packed_count(&job);
}

/// Blocks of weights before those of a phase, and within them.
typedef struct {
  int64_t before, taps, columns;
} packed_phase;

static packed_phase phase_at(const tarn_conv *conv, int64_t row, int64_t column) {
  const int64_t rows = count_elements(conv, 0, conv->kh, row, row);
  const int64_t columns = count_elements(conv, 1, conv->kw, column, column);
  const int64_t before = count_elements(conv, 0, conv->kh, 0, row - 1) * conv->kw +
                         rows * count_elements(conv, 1, conv->kw, 0, column - 1);
  return (packed_phase){before, rows * columns, columns};
}

/// Fills in `starts` and `steps`.
static void place_elements(const pack_job *job) {
  const tarn_conv *conv = job->conv;
  const int64_t floats = TARN_LANES * TARN_LANES;
  const int64_t blocks = conv->groups * job->output_blocks * job->input_blocks;
  for (int64_t t = 0; t < job->taps; t++) {
    job->starts[t] = t * floats;
    job->steps[t] = job->taps * floats;
    if (job->pass == TARN_PASS_FORWARD) continue;
    const int64_t i = t / conv->kw, j = t % conv->kw, row = phase_of(conv, 0, i), column = phase_of(conv, 1, j);
    const packed_phase phase = phase_at(conv, row, column);
    const int64_t rank =
      count_elements(conv, 0, i, row, row) * phase.columns + count_elements(conv, 1, j, column, column);
    job->starts[t] = (phase.before * blocks + rank) * floats;
    job->steps[t] = phase.taps * floats;
  }
}

/// Elements of a kernel up to which a block of weights is turned about in memory of the thread's own.
enum { FEW_TAPS = 25 };

/// Packs a block of `inputs` by `outputs` channels: [input, tap] of all lanes first, which the caches hold.
static void pack_block(
  const pack_job *job, const float *from, int64_t input_step, int64_t output_step, int64_t inputs, int64_t outputs,
  int64_t block
) {
  const tarn_pack_transposed transpose = tarn_level_now()->pack_transposed[0];
  const int64_t taps = job->taps;
  _Alignas(64) float lines[FEW_TAPS * TARN_LANES * TARN_LANES];
  if (inputs < TARN_LANES || outputs < TARN_LANES) {
    memset(lines, 0, (size_t)(taps * TARN_LANES * TARN_LANES) * sizeof *lines);
  }
  if (input_step == taps) {
    transpose(lines, TARN_LANES, from, output_step, outputs, inputs * taps);
  } else {
    for (int64_t p = 0; p < inputs; p++) {
      transpose(lines + p * taps * TARN_LANES, TARN_LANES, from + p * input_step, output_step, outputs, taps);
    }
  }
  for (int64_t tap = 0; tap < taps; tap++) {
    float *to = job->packed + job->starts[tap] + block * job->steps[tap];
    for (int64_t p = 0; p < TARN_LANES; p++) {
      memcpy(to + p * TARN_LANES, lines + (p * taps + tap) * TARN_LANES, TARN_LANES * sizeof *to);
    }
  }
}

/// Blocks of 16 inputs by 16 outputs, all taps of each; or the way back.
static void pack_task(void *ctx, int64_t begin, int64_t end) {
  const pack_job *job = ctx;
  const int backward = job->pass == TARN_PASS_INPUT_GRADIENT;
  const int64_t channels = backward ? job->outputs : job->inputs;
  // Floats from input to input and from output to output channel of w.
  const int64_t input_step = (backward ? channels : 1) * job->taps;
  const int64_t output_step = (backward ? 1 : channels) * job->taps;
  for (int64_t i = begin; i < end; i++) {
    const int64_t group = i / (job->output_blocks * job->input_blocks);
    const int64_t input = i % job->input_blocks * TARN_LANES;
    const int64_t output = i / job->input_blocks % job->output_blocks * TARN_LANES;
    const int64_t inputs = tarn_least(TARN_LANES, job->inputs - input);
    const int64_t outputs = tarn_least(TARN_LANES, job->outputs - output);
    const float *from = job->w + group * job->inputs * job->outputs * job->taps + input * input_step +
                        output * output_step;
    if (!job->restored && job->taps <= FEW_TAPS) {
      pack_block(job, from, input_step, output_step, inputs, outputs, i);
      continue;
    }
    const int part = inputs < TARN_LANES || outputs < TARN_LANES;
    for (int64_t tap = 0; tap < job->taps; tap++) {
      float *to = job->packed + job->starts[tap] + i * job->steps[tap];
      if (part && !job->restored) memset(to, 0, TARN_LANES * TARN_LANES * sizeof *to);
      for (int64_t p = 0; p < inputs; p++) {
        const float *row = from + p * input_step + tap;
        float *lane = to + p * TARN_LANES;
        if (job->restored) {
          float *back = job->restored + (row - job->w);
          for (int64_t j = 0; j < outputs; j++) back[j * output_step] = lane[j];
        } else {
          for (int64_t j = 0; j < outputs; j++) lane[j] = row[j * output_step];
        }
      }
    }
  }
}

static int pack(const tarn_conv *conv, int pass, const float *w, float *packed, float *restored) {
  if (!tarn_direct_takes(conv, pass) || pass == TARN_PASS_WEIGHT_GRADIENT) return TARN_BAD_ARGUMENT;
  pack_job job = pack_of(conv, pass);
  job.w = w;
  job.packed = packed;
  job.restored = restored;
  job.starts = tarn_scratch(TARN_SCRATCH_DIRECT_TAPS, (size_t)(2 * job.taps) * sizeof *job.starts);
  if (!job.starts) return TARN_NO_MEMORY;
  job.steps = job.starts + job.taps;
  place_elements(&job);
  const int64_t blocks = conv->groups * job.output_blocks * job.input_blocks;
  tarn_parallel(blocks, tarn_greatest(1, 64 / tarn_greatest(1, job.taps)), pack_task, &job);
  return TARN_OK;
}

int tarn_direct_pack(const tarn_conv *conv, int pass, const float *w, float *packed) {
  return pack(conv, pass, w, packed, NULL);
}

int tarn_direct_unpack(const tarn_conv *conv, int pass, const float *packed, float *w) {
  return pack(conv, pass, w, (float *)packed, w);
}

// MARK: Both passes

static tarn_direct_grid grid_of(const pack_job *job) {
  const int64_t tap = TARN_LANES * TARN_LANES;
  return (tarn_direct_grid){
    .n = job->conv->n, .groups = job->conv->groups, .c = job->inputs, .planes = job->input_blocks,
    .pixel_floats = TARN_LANES, .o_blocks = job->output_blocks, .w_block = job->taps * tap,
    .w_out = job->input_blocks * job->taps * tap, .w_tap = tap, .kernel_columns = job->conv->kw};
}

int tarn_direct_forward(
  const tarn_conv *conv, const float *x, const float *packed, const tarn_epilogue *epilogue, float *y
) {
  if (!tarn_direct_takes(conv, TARN_PASS_FORWARD)) return TARN_BAD_ARGUMENT;
  const pack_job job = pack_of(conv, TARN_PASS_FORWARD);
  int64_t *memory = tarn_scratch(
    TARN_SCRATCH_DIRECT_AXES, (size_t)tarn_direct_axis_memory(conv->kh + conv->kw) * sizeof *memory);
  if (!memory) return TARN_NO_MEMORY;
  tarn_direct_grid grid = grid_of(&job);
  grid.rows = tarn_direct_forward_axis(conv, 0, memory);
  grid.columns = tarn_direct_forward_axis(conv, 1, memory + tarn_direct_axis_memory(conv->kh));
  grid.x = x;
  grid.w = packed;
  grid.y = y;
  grid.epilogue = epilogue;
  return tarn_direct_run(&grid);
}

int tarn_direct_input_gradient(const tarn_conv *conv, const float *g, const float *packed, float *dx) {
  if (!tarn_direct_takes(conv, TARN_PASS_INPUT_GRADIENT)) return TARN_BAD_ARGUMENT;
  const pack_job job = pack_of(conv, TARN_PASS_INPUT_GRADIENT);
  int64_t *memory = tarn_scratch(
    TARN_SCRATCH_DIRECT_AXES, (size_t)tarn_direct_axis_memory(conv->kh + conv->kw) * sizeof *memory);
  if (!memory) return TARN_NO_MEMORY;
  tarn_direct_grid grid = grid_of(&job);
  grid.x = g;
  grid.y = dx;
  const int64_t blocks = conv->groups * job.output_blocks * job.input_blocks;
  for (int64_t i = 0; i < tarn_least(conv->stride[0], conv->h); i++) {
    grid.rows = gradient_axis(conv, 0, i, memory);
    for (int64_t j = 0; j < tarn_least(conv->stride[1], conv->w); j++) {
      grid.columns = gradient_axis(conv, 1, j, memory + tarn_direct_axis_memory(conv->kh));
      const packed_phase phase = phase_at(conv, i, j);
      grid.w = packed + phase.before * blocks * grid.w_tap;
      grid.w_block = phase.taps * grid.w_tap;
      grid.w_out = job.input_blocks * grid.w_block;
      grid.kernel_columns = phase.columns;
      const int status = tarn_direct_run(&grid);
      if (status) return status;
    }
  }
  return TARN_OK;
}
