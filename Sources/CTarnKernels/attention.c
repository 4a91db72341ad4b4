// Attention in tiles of queries against blocks of keys.
//
// A tile of scores has a row for each key and a lane for each query. So maxima and sums of a query stay in a lane, keys and
// values are read where they lie, and nothing but the queries of a tile (and its result) is transposed. A key block's
// weights go straight into the products with the values; largest scores and sums are kept from block to block.
#include <float.h>
#include <math.h>
#include <string.h>

#include "attention_kernels.h"

enum {
  /// Keys in a block: a multiple of every level's tile rows, and its tile of scores fits into the first-level cache.
  BLOCK = 112,
  /// Up to so many queries are done one by one.
  FEW_QUERIES = 4,
  /// Below so many multiply-adds a task is not worth a thread.
  LEAST_WORK = 1 << 18,
  /// Where there are fewer heads of all samples, a backward task is less than a head.
  FEW_HEADS = 8,
};

typedef struct {
  const tarn_attention *of;
  const tarn_level *level;
  const tarn_attention_kernels *kernels;
  int64_t lanes, tiles;
  const float *q, *k, *v, *y, *g;
  const char *mask;
  float *out, *logarithms;
  const tarn_heads *d;
  float *dq, *dk, *dv;
  /// What a backward task does.
  int makes_queries, makes_keys;
  int *status;
} attention;

/// Some queries of a head against its keys, and the memory in which that is done.
typedef struct {
  const attention *job;
  int64_t n, h, first, count;
  int vectors;
  /// How many keys the last query sees.
  int64_t visible;
  const float *q, *k, *v;
  /// Queries times the scale and the result, both transposed; scores of a block; the mask's part.
  float *queries, *result, *scores, *mask, *run;
  float *most, *sums, *factor, *logarithms;
} tile;

static const float *head_of(const float *x, const tarn_heads *at, int64_t n, int64_t h) {
  return x + n * at->batch + h * at->head;
}

/// What a query sees of the keys: those up to its number plus this.
static int64_t reach_of(const tarn_attention *of) { return of->keys - of->queries; }

static int64_t visible_keys(const tarn_attention *of, int64_t last) {
  return of->causal ? tarn_least(of->keys, last + reach_of(of) + 1) : of->keys;
}

static attention prepared(const tarn_attention *of, int *status) {
  attention job = {.of = of, .level = tarn_level_now(), .status = status};
  job.kernels = job.level->attention;
  job.lanes = job.level->nr[0];
  job.tiles = tarn_ceil_div(of->queries, job.lanes);
  return job;
}

static void note(const attention *job, int status) { __atomic_store_n(job->status, status, __ATOMIC_RELAXED); }

// MARK: Tiles

static float *taken(float **memory, int64_t floats) {
  float *part = *memory;
  *memory += floats;
  return part;
}

static int64_t tile_floats(const attention *job) {
  return job->lanes * (job->of->width + job->of->depth + 2 * BLOCK + BLOCK + 4);
}

static void place_tile(tile *t, float **memory) {
  const attention *job = t->job;
  t->queries = taken(memory, job->lanes * job->of->width);
  t->result = taken(memory, job->lanes * job->of->depth);
  t->scores = taken(memory, job->lanes * BLOCK);
  t->mask = taken(memory, job->lanes * BLOCK);
  t->run = taken(memory, job->lanes * BLOCK);
  t->most = taken(memory, job->lanes);
  t->sums = taken(memory, job->lanes);
  t->factor = taken(memory, job->lanes);
  t->logarithms = taken(memory, job->lanes);
}

/// Rows of queries, as columns of `to`.
static void turn(const tile *t, const float *rows, int64_t ld, int64_t width, float *to) {
  const int64_t lanes = t->job->lanes;
  if (t->count < lanes) memset(to, 0, (size_t)(lanes * width) * sizeof *to);
  t->job->level->pack_transposed[0](to, lanes, rows, ld, t->count, width);
}

/// The other way, in panels that there is a fast way for.
static void turn_back(const tile *t, const float *from, int64_t width, float *rows, int64_t ld) {
  const int64_t lanes = t->job->lanes;
  for (int64_t i = 0; i < width; i += lanes) {
    t->job->level->pack_transposed[0](rows + i, ld, from + i * lanes, lanes, tarn_least(lanes, width - i), t->count);
  }
}

static void begin_tile(tile *t, int64_t n, int64_t h, int64_t number) {
  const attention *job = t->job;
  const tarn_attention *of = job->of;
  t->n = n, t->h = h;
  t->first = number * job->lanes;
  t->count = tarn_least(job->lanes, of->queries - t->first);
  t->vectors = 2 * t->count <= job->lanes ? 1 : 2;
  t->visible = visible_keys(of, t->first + t->count - 1);
  t->q = head_of(job->q, &of->q, n, h) + t->first * of->q.place;
  t->k = head_of(job->k, &of->k, n, h);
  t->v = head_of(job->v, &of->v, n, h);
  turn(t, t->q, of->q.place, of->width, t->queries);
  for (int64_t i = 0; i < job->lanes; i++) t->factor[i] = of->scale;
  job->kernels->rescale(t->queries, of->width, t->vectors, t->factor);
}

/// C, `count` rows of two vectors, = rows of A times the panel B [depth, two vectors].
static void rows_product(
  const tile *t, const float *a, int64_t lda, int64_t count, int64_t depth, const float *b, float *c
) {
  const attention *job = t->job;
  EACH_TILE(job->level, count, first, rows) {
    job->level->row_tile[t->vectors - 1][rows - 1](
      depth, a + first * lda, lda, b, job->lanes, c + first * job->lanes, job->lanes, 0, b, 0);
  }
}

/// C, `count` rows of two vectors, = or += A transposed, whose rows are lda apart, times the panel B [depth, two vectors].
static void columns_product(
  const tile *t, const float *a, int64_t lda, int64_t count, int64_t depth, const float *b, float *c, int accumulate
) {
  const attention *job = t->job;
  const int64_t lanes = job->lanes;
  EACH_TILE(job->level, count, first, rows) {
    job->level->tile[0][rows - 1](
      depth, a + first, lda, b, lanes, c + first * lanes, lanes, t->vectors * lanes / 2, accumulate);
  }
}

/// The mask's part for keys j0 …, as numbers to add to the scores.
static void load_mask(const tile *t, int64_t j0, int64_t keys) {
  const attention *job = t->job;
  const tarn_attention *of = job->of;
  const int truth = of->mask_kind == TARN_MASK_TRUTH;
  const int64_t at = t->n * of->mask.batch + t->h * of->mask.head + t->first * of->mask.place + j0 * of->mask_key;
  for (int64_t i = 0; i < t->count; i++) {
    float *run = t->run + i * BLOCK;
    const int64_t from = at + i * of->mask.place;
    if (i > 0 && of->mask.place == 0) {
      memcpy(run, t->run, (size_t)keys * sizeof *run);
    } else if (!truth && of->mask_key == 1) {
      memcpy(run, (const float *)job->mask + from, (size_t)keys * sizeof *run);
    } else if (!truth) {
      for (int64_t j = 0; j < keys; j++) run[j] = ((const float *)job->mask)[from + j * of->mask_key];
    } else if (of->mask_key == 1) {
      job->kernels->unseen(run, (const uint8_t *)job->mask + from, keys);
    } else {
      for (int64_t j = 0; j < keys; j++) run[j] = job->mask[from + j * of->mask_key] ? 0 : -INFINITY;
    }
  }
  if (t->count < job->lanes) memset(t->mask, 0, (size_t)(job->lanes * keys) * sizeof *t->mask);
  job->level->pack_transposed[0](t->mask, job->lanes, t->run, BLOCK, t->count, keys);
}

/// Scores of keys j0 …, those hidden being -infinity.
static void score(const tile *t, int64_t j0, int64_t keys) {
  const attention *job = t->job;
  const tarn_attention *of = job->of;
  rows_product(t, t->k + j0 * of->k.place, of->k.place, keys, of->width, t->queries, t->scores);
  if (of->mask_kind != TARN_MASK_NONE) {
    load_mask(t, j0, keys);
    job->kernels->add(t->scores, t->mask, keys, t->vectors);
  }
  if (of->causal) job->kernels->hide(t->scores, keys, t->vectors, t->first + reach_of(of) - j0);
}

// MARK: Forward

static void forward_tile(tile *t) {
  const attention *job = t->job;
  const tarn_attention *of = job->of;
  for (int64_t i = 0; i < job->lanes; i++) t->most[i] = -FLT_MAX, t->sums[i] = 0;
  for (int64_t j = 0; j < t->visible; j += BLOCK) {
    const int64_t keys = tarn_least(BLOCK, t->visible - j);
    score(t, j, keys);
    job->kernels->weigh(t->scores, keys, t->vectors, t->most, t->sums, t->factor);
    if (j > 0) job->kernels->rescale(t->result, of->depth, t->vectors, t->factor);
    columns_product(t, t->v + j * of->v.place, of->v.place, of->depth, keys, t->scores, t->result, j > 0);
  }
  job->kernels->finish(t->most, t->sums, of->mask_kind == TARN_MASK_TRUTH, t->factor, t->logarithms);
  job->kernels->rescale(t->result, of->depth, t->vectors, t->factor);
  const int64_t row = (t->n * of->heads + t->h) * of->queries + t->first;
  memcpy(job->logarithms + row, t->logarithms, (size_t)t->count * sizeof(float));
  float *y = job->out + t->n * of->y.batch + t->h * of->y.head + t->first * of->y.place;
  turn_back(t, t->result, of->depth, y, of->y.place);
}

static void forward_task(void *ctx, int64_t begin, int64_t end) {
  const attention *job = ctx;
  float *memory = tarn_scratch(TARN_SCRATCH_ATTENTION, (size_t)tile_floats(job) * sizeof(float));
  if (!memory) return note(job, TARN_NO_MEMORY);
  tile t = {.job = job};
  place_tile(&t, &memory);
  for (int64_t i = begin; i < end; i++) {
    const int64_t head = i / job->tiles;
    begin_tile(&t, head / job->of->heads, head % job->of->heads, i % job->tiles);
    forward_tile(&t);
  }
}

/// One query against all keys it sees: products of rows.
static void forward_query(const attention *job, int64_t n, int64_t h, int64_t i, float *scores) {
  const tarn_attention *of = job->of;
  const int64_t keys = visible_keys(of, i);
  const float *q = head_of(job->q, &of->q, n, h) + i * of->q.place;
  job->level->dots[0](scores, q, head_of(job->k, &of->k, n, h), of->k.place, keys, of->width);
  const int64_t at = n * of->mask.batch + h * of->mask.head + i * of->mask.place;
  float most = -FLT_MAX;
  for (int64_t j = 0; j < keys; j++) {
    float x = scores[j] * of->scale;
    if (of->mask_kind == TARN_MASK_ADDED) x += ((const float *)job->mask)[at + j * of->mask_key];
    if (of->mask_kind == TARN_MASK_TRUTH && !job->mask[at + j * of->mask_key]) x = -INFINITY;
    scores[j] = x;
    most = x > most ? x : most;
  }
  job->level->exponentials[0](scores, scores, keys, most, 1, 0);
  double sum = 0;
  for (int64_t j = 0; j < keys; j++) sum += scores[j];
  const int none = sum == 0 && of->mask_kind == TARN_MASK_TRUTH;
  const float factor = none ? 0 : (float)(1 / sum);
  for (int64_t j = 0; j < keys; j++) scores[j] *= factor;
  float *y = job->out + n * of->y.batch + h * of->y.head + i * of->y.place;
  job->level->combination[0](y, scores, head_of(job->v, &of->v, n, h), of->v.place, of->depth, keys);
  job->logarithms[(n * of->heads + h) * of->queries + i] = none ? INFINITY : most + (float)log(sum);
}

static void query_task(void *ctx, int64_t begin, int64_t end) {
  const attention *job = ctx;
  const tarn_attention *of = job->of;
  float *scores = tarn_scratch(TARN_SCRATCH_ATTENTION, (size_t)of->keys * sizeof(float));
  if (!scores) return note(job, TARN_NO_MEMORY);
  for (int64_t i = begin; i < end; i++) {
    const int64_t head = i / of->queries;
    forward_query(job, head / of->heads, head % of->heads, i % of->queries, scores);
  }
}

/// How many pieces of so many multiply-adds make a task.
static int64_t grain(int64_t work) { return tarn_greatest(1, LEAST_WORK / tarn_greatest(1, work)); }

int tarn_attention_forward(
  const tarn_attention *shape, const float *q, const float *k, const float *v, const void *mask, float *y,
  float *logarithms
) {
  int status = TARN_OK;
  attention job = prepared(shape, &status);
  job.q = q, job.k = k, job.v = v, job.mask = mask, job.out = y, job.logarithms = logarithms;
  const int64_t heads = shape->batch * shape->heads, work = shape->keys * (shape->width + shape->depth);
  if (shape->queries <= FEW_QUERIES) {
    tarn_parallel(heads * shape->queries, grain(work), query_task, &job);
  } else {
    tarn_parallel(heads * job.tiles, grain(work * tarn_least(job.lanes, shape->queries)), forward_task, &job);
  }
  return status;
}

// MARK: Backward

/// What a backward task has beside its tile.
typedef struct {
  tile tile;
  /// Gradients of the result and of the queries, transposed; slopes of a block's scores.
  float *g, *dq, *slopes, *means;
  /// Queries times the scale and gradients as panels of rows; sums for the gradients of keys and values, rows of whole panels.
  float *query_rows, *g_rows, *dk, *dv;
  int64_t first_key, end_key;
} backward;

static int64_t padded(const attention *job, int64_t n) { return tarn_ceil_div(n, job->lanes) * job->lanes; }

static int64_t backward_floats(const attention *job, int64_t keys) {
  const tarn_attention *of = job->of;
  const int64_t wide = padded(job, of->width) + padded(job, of->depth);
  return tile_floats(job) + job->lanes * (of->depth + of->width + BLOCK + 1) + job->lanes * wide + keys * wide;
}

static int place_backward(backward *b, int64_t keys) {
  const attention *job = b->tile.job;
  const tarn_attention *of = job->of;
  float *memory = tarn_scratch(TARN_SCRATCH_ATTENTION, (size_t)backward_floats(job, keys) * sizeof(float));
  if (!memory) return 0;
  place_tile(&b->tile, &memory);
  b->g = taken(&memory, job->lanes * of->depth);
  b->dq = taken(&memory, job->lanes * of->width);
  b->slopes = taken(&memory, job->lanes * BLOCK);
  b->means = taken(&memory, job->lanes);
  b->query_rows = taken(&memory, job->lanes * padded(job, of->width));
  b->g_rows = taken(&memory, job->lanes * padded(job, of->depth));
  b->dk = taken(&memory, keys * padded(job, of->width));
  b->dv = taken(&memory, keys * padded(job, of->depth));
  return 1;
}

/// Rows of `width` as panels [rows, lanes], times a factor, with zeros past the last.
static void panels_of(const tile *t, const float *rows, int64_t ld, int64_t width, float factor, float *to) {
  const int64_t lanes = t->job->lanes;
  for (int64_t first = 0; first < width; first += lanes) {
    const int64_t n = tarn_least(lanes, width - first);
    for (int64_t i = 0; i < t->count; i++, to += lanes) {
      for (int64_t e = 0; e < n; e++) to[e] = rows[i * ld + first + e] * factor;
      for (int64_t e = n; e < lanes; e++) to[e] = 0;
    }
  }
}

static void begin_backward_tile(backward *b, int64_t n, int64_t h, int64_t number) {
  tile *t = &b->tile;
  begin_tile(t, n, h, number);
  const attention *job = t->job;
  const tarn_attention *of = job->of;
  const float *g = head_of(job->g, &of->g, n, h) + t->first * of->g.place;
  const float *y = head_of(job->y, &of->y, n, h) + t->first * of->y.place;
  turn(t, g, of->g.place, of->depth, b->g);
  memset(b->means, 0, (size_t)job->lanes * sizeof(float));
  memset(t->logarithms, 0, (size_t)job->lanes * sizeof(float));
  for (int64_t i = 0; i < t->count; i++) {
    b->means[i] = job->kernels->dot(g + i * of->g.place, y + i * of->y.place, of->depth);
  }
  const int64_t row = (n * of->heads + h) * of->queries + t->first;
  memcpy(t->logarithms, job->logarithms + row, (size_t)t->count * sizeof(float));
  if (!job->makes_keys) return;
  panels_of(t, t->q, of->q.place, of->width, of->scale, b->query_rows);
  panels_of(t, g, of->g.place, of->depth, 1, b->g_rows);
}

/// C [keys, whole panels] += a block's tile times panels of rows.
static void add_products(const tile *t, const float *a, int64_t keys, const float *panels, int64_t width, float *c) {
  const attention *job = t->job;
  const int64_t ld = padded(job, width);
  for (int64_t first = 0; first < width; first += job->lanes, panels += t->count * job->lanes) {
    EACH_TILE(job->level, keys, j, rows) {
      job->level->row_tile[1][rows - 1](
        t->count, a + j * job->lanes, job->lanes, panels, job->lanes, c + j * ld + first, ld, 1, panels, 0);
    }
  }
}

static void backward_tile(backward *b) {
  tile *t = &b->tile;
  const attention *job = t->job;
  const tarn_attention *of = job->of;
  const int64_t end = tarn_least(b->end_key, t->visible);
  for (int64_t j = b->first_key; j < end; j += BLOCK) {
    const int64_t keys = tarn_least(BLOCK, end - j);
    score(t, j, keys);
    job->kernels->weights(t->scores, keys, t->vectors, t->logarithms);
    rows_product(t, t->v + j * of->v.place, of->v.place, keys, of->depth, b->g, b->slopes);
    job->kernels->slopes(b->slopes, t->scores, keys, t->vectors, b->means);
    if (job->makes_queries) {
      columns_product(
        t, t->k + j * of->k.place, of->k.place, of->width, keys, b->slopes, b->dq, j > b->first_key);
    }
    if (!job->makes_keys) continue;
    const int64_t from = j - b->first_key;
    add_products(t, b->slopes, keys, b->query_rows, of->width, b->dk + from * padded(job, of->width));
    add_products(t, t->scores, keys, b->g_rows, of->depth, b->dv + from * padded(job, of->depth));
  }
  if (!job->makes_queries) return;
  for (int64_t i = 0; i < job->lanes; i++) t->factor[i] = of->scale;
  job->kernels->rescale(b->dq, of->width, t->vectors, t->factor);
  float *dq = job->dq + t->n * job->d[0].batch + t->h * job->d[0].head + t->first * job->d[0].place;
  turn_back(t, b->dq, of->width, dq, job->d[0].place);
}

static void store_rows(const attention *job, const float *rows, int64_t count, int64_t width, float *to, int64_t ld) {
  for (int64_t j = 0; j < count; j++) {
    memcpy(to + j * ld, rows + j * padded(job, width), (size_t)width * sizeof *to);
  }
}

/// Some tiles of queries of a head against some of its keys.
static void backward_part(backward *b, int64_t head, int64_t first, int64_t end) {
  const attention *job = b->tile.job;
  const tarn_attention *of = job->of;
  const int64_t n = head / of->heads, h = head % of->heads, keys = b->end_key - b->first_key;
  if (job->makes_keys) {
    memset(b->dk, 0, (size_t)(keys * padded(job, of->width)) * sizeof(float));
    memset(b->dv, 0, (size_t)(keys * padded(job, of->depth)) * sizeof(float));
  }
  for (int64_t number = first; number < end; number++) {
    begin_backward_tile(b, n, h, number);
    backward_tile(b);
  }
  if (!job->makes_keys) return;
  const tarn_heads *dk = &job->d[1], *dv = &job->d[2];
  store_rows(
    job, b->dk, keys, of->width, job->dk + n * dk->batch + h * dk->head + b->first_key * dk->place, dk->place);
  store_rows(
    job, b->dv, keys, of->depth, job->dv + n * dv->batch + h * dv->head + b->first_key * dv->place, dv->place);
}

/// All of a head.
static void head_task(void *ctx, int64_t begin, int64_t end) {
  const attention *job = ctx;
  backward b = {.tile.job = job, .end_key = job->of->keys};
  if (!place_backward(&b, job->of->keys)) return note(job, TARN_NO_MEMORY);
  for (int64_t head = begin; head < end; head++) backward_part(&b, head, 0, job->tiles);
}

/// A tile of queries against all keys.
static void queries_task(void *ctx, int64_t begin, int64_t end) {
  const attention *job = ctx;
  backward b = {.tile.job = job, .end_key = job->of->keys};
  if (!place_backward(&b, 0)) return note(job, TARN_NO_MEMORY);
  for (int64_t i = begin; i < end; i++) {
    backward_part(&b, i / job->tiles, i % job->tiles, i % job->tiles + 1);
  }
}

/// A block of keys against all queries.
static void keys_task(void *ctx, int64_t begin, int64_t end) {
  const attention *job = ctx;
  const int64_t blocks = tarn_ceil_div(job->of->keys, BLOCK);
  backward b = {.tile.job = job};
  if (!place_backward(&b, BLOCK)) return note(job, TARN_NO_MEMORY);
  for (int64_t i = begin; i < end; i++) {
    b.first_key = i % blocks * BLOCK;
    b.end_key = tarn_least(job->of->keys, b.first_key + BLOCK);
    backward_part(&b, i / blocks, 0, job->tiles);
  }
}

int tarn_attention_backward(
  const tarn_attention *shape, const float *q, const float *k, const float *v, const void *mask, const float *y,
  const float *logarithms, const float *g, const tarn_heads d[3], float *dq, float *dk, float *dv
) {
  int status = TARN_OK;
  attention job = prepared(shape, &status);
  job.q = q, job.k = k, job.v = v, job.mask = mask, job.y = y, job.g = g, job.d = d;
  job.logarithms = (float *)logarithms;
  job.dq = dq, job.dk = dk, job.dv = dv;
  const int64_t heads = shape->batch * shape->heads, work = shape->keys * (shape->width + shape->depth) * 2;
  if (heads >= FEW_HEADS) {
    job.makes_queries = job.makes_keys = 1;
    tarn_parallel(heads, grain(work * shape->queries), head_task, &job);
    return status;
  }
  job.makes_queries = 1;
  tarn_parallel(heads * job.tiles, grain(work * job.lanes), queries_task, &job);
  job.makes_queries = 0, job.makes_keys = 1;
  const int64_t blocks = tarn_ceil_div(shape->keys, BLOCK);
  tarn_parallel(heads * blocks, grain(BLOCK * 2 * (shape->width + shape->depth) * shape->queries), keys_task, &job);
  return status;
}
