// The cache of operations, packing and running.
#include "op.h"

#include <stdlib.h>

#if TARN_DNN_MAJOR

// MARK: The cache

static struct {
  pthread_mutex_t lock;
  int count;
  uint64_t clock;
  tarn_dnn_op *ops[TARN_DNN_MOST_CACHED];
  /// Chains of a hash table: 1 + index in `ops`; 0 ends a chain.
  int16_t first[2 * TARN_DNN_MOST_CACHED], next[TARN_DNN_MOST_CACHED];
} cache = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint32_t bucket_of(const tarn_dnn_key *key) {
  uint64_t hash = 1469598103934665603u;
  for (int i = 0; i < TARN_DNN_KEY_WORDS; i++) hash = (hash ^ (uint64_t)key->words[i]) * 1099511628211u;
  return (uint32_t)(hash >> 32) % (2 * TARN_DNN_MOST_CACHED);
}

static int16_t *link_to(int16_t entry, uint32_t bucket) {
  int16_t *link = &cache.first[bucket];
  while (*link != entry) link = &cache.next[*link - 1];
  return link;
}

/// With the lock held.
static void drop(tarn_dnn_op *op) {
  if (--op->references == 0) tarn_dnn_free_op(op);
}

/// Makes room: forgets what was asked for longest ago. Returns the free place.
static int place_for_one(void) {
  if (cache.count < TARN_DNN_MOST_CACHED) return cache.count++;
  int oldest = 0;
  for (int i = 1; i < cache.count; i++) {
    if (cache.ops[i]->used < cache.ops[oldest]->used) oldest = i;
  }
  *link_to((int16_t)(oldest + 1), bucket_of(&cache.ops[oldest]->key)) = cache.next[oldest];
  drop(cache.ops[oldest]);
  return oldest;
}

static tarn_dnn_op *cached(const tarn_dnn_key *key, uint32_t bucket) {
  for (int16_t entry = cache.first[bucket]; entry; entry = cache.next[entry - 1]) {
    tarn_dnn_op *op = cache.ops[entry - 1];
    if (memcmp(&op->key, key, sizeof *key) == 0) return op;
  }
  return NULL;
}

static tarn_dnn_op *made(const tarn_dnn_library *dnn, const tarn_dnn_key *key, tarn_dnn_make make) {
  tarn_dnn_op *op = calloc(1, sizeof *op);
  if (!op) return NULL;
  op->key = *key;
  op->dnn = op->layouts.dnn = dnn;
  op->references = 1;
  op->pieces = 1;
  int threads = tarn_dnn_begin(dnn);
  if (make(op) != dnnl_success) op->name = NULL;
  tarn_dnn_end(dnn, threads);
  return op;
}

const tarn_dnn_op *tarn_dnn_find(const tarn_dnn_key *key, tarn_dnn_make make) {
  const tarn_dnn_library *dnn = tarn_dnn_open();
  if (!dnn) return NULL;
  uint32_t bucket = bucket_of(key);
  pthread_mutex_lock(&cache.lock);
  tarn_dnn_op *op = cached(key, bucket);
  if (!op && (op = made(dnn, key, make))) {
    int place = place_for_one();
    cache.ops[place] = op;
    cache.next[place] = cache.first[bucket];
    cache.first[bucket] = (int16_t)(place + 1);
  }
  if (op) op->used = ++cache.clock;
  if (op && op->name) {
    op->references++;
  } else {
    op = NULL;
  }
  pthread_mutex_unlock(&cache.lock);
  return op;
}

void tarn_dnn_release(const tarn_dnn_op *op) {
  if (!op) return;
  pthread_mutex_lock(&cache.lock);
  drop((tarn_dnn_op *)op);
  pthread_mutex_unlock(&cache.lock);
}

int tarn_dnn_cached(void) {
  pthread_mutex_lock(&cache.lock);
  int count = cache.count;
  pthread_mutex_unlock(&cache.lock);
  return count;
}

void tarn_dnn_free_op(tarn_dnn_op *op) {
  const tarn_dnn_library *dnn = op->dnn;
  for (int i = 0; i < 2; i++) {
    if (op->parts[i].primitive) dnn->dnnl_primitive_destroy(op->parts[i].primitive);
    if (op->parts[i].description) dnn->dnnl_primitive_desc_destroy(op->parts[i].description);
  }
  for (int i = 0; i < op->packing_count; i++) {
    dnn->dnnl_primitive_destroy(op->packings[i].primitive);
    dnn->dnnl_primitive_desc_destroy(op->packings[i].description);
  }
  tarn_dnn_free_layouts(&op->layouts);
  free(op);
}

// MARK: Making

/// Takes over the descriptor that a maker made, and makes its primitive.
static dnnl_status_t set_part(tarn_dnn_op *op, int number, tarn_dnn_maker *maker) {
  const tarn_dnn_library *dnn = op->dnn;
  tarn_dnn_part *part = &op->parts[number];
  part->description = maker->made;
  maker->made = NULL;
  const char *name = NULL;
  dnnl_status_t status = dnn->dnnl_primitive_desc_query(part->description, dnnl_query_impl_info_str, 0, &name);
  if (status != dnnl_success) return status;
  if (!name || strncmp(name, "ref", 3) == 0 || strncmp(name, "simple", 6) == 0) {
    // Recurrent layers of this name are matrix products, and reorders are loops all the same.
    int64_t kind = op->key.words[0];
    if (kind != TARN_DNN_RECURRENT_KIND && kind != TARN_DNN_REORDER_KIND) return dnnl_unimplemented;
  }
  tarn_dnn_layout scratch = dnn->dnnl_primitive_desc_query_md(part->description, dnnl_query_scratchpad_md, 0);
  part->scratch_bytes = scratch ? dnn->dnnl_memory_desc_get_size(scratch) : 0;
  status = dnn->dnnl_primitive_create(&part->primitive, part->description);
  if (status == dnnl_success && number == 0) op->name = name;
  for (int i = 0; i < op->argument_count && number == 1; i++) {
    part->layouts[i] = dnn->dnnl_primitive_desc_query_md(
      part->description, dnnl_query_exec_arg_md, op->arguments[i].argument);
    int is_extra = op->arguments[i].argument >= DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE;
    if (is_extra || !part->layouts[i]) part->layouts[i] = op->parts[0].layouts[i];
  }
  return status;
}

dnnl_status_t tarn_dnn_make_part(tarn_dnn_op *op, int part, tarn_dnn_describe describe, const void *piece) {
  const tarn_dnn_library *dnn = op->dnn;
  tarn_dnn_layouts all = {.dnn = dnn};
  tarn_dnn_maker maker = {.dnn = dnn};
  dnnl_status_t status = dnn->dnnl_primitive_attr_create(&maker.attributes);
  if (status != dnnl_success) return status;
  status = dnn->dnnl_primitive_attr_set_scratchpad_mode(maker.attributes, dnnl_scratchpad_mode_user);
  if (status == dnnl_success) status = describe(&maker, &all, piece);
  if (status == dnnl_success) status = all.status;
  if (status == dnnl_success) status = set_part(op, part, &maker);
  if (maker.made) dnn->dnnl_primitive_desc_destroy(maker.made);
  dnn->dnnl_primitive_attr_destroy(maker.attributes);
  tarn_dnn_free_layouts(&all);
  return status;
}

tarn_dnn_layout tarn_dnn_wanted(const tarn_dnn_op *op, int argument) {
  return op->dnn->dnnl_primitive_desc_query_md(op->parts[0].description, dnnl_query_exec_arg_md, argument);
}

void tarn_dnn_add(tarn_dnn_op *op, int argument, int operand, int64_t step) {
  int at = op->argument_count++;
  op->arguments[at] = (tarn_dnn_argument){argument, operand, step};
  op->parts[0].layouts[at] = tarn_dnn_wanted(op, argument);
}

// MARK: Packing

dnnl_status_t tarn_dnn_add_packing(
  tarn_dnn_op *op, tarn_dnn_layout from, tarn_dnn_layout to, int64_t pieces, int64_t from_step)
{
  const tarn_dnn_library *dnn = op->dnn;
  tarn_dnn_packing packing = {.from = from, .to = to, .pieces = pieces, .from_step = from_step};
  if (!from || !to) return dnnl_invalid_arguments;
  packing.offset = op->packed_bytes;
  packing.to_bytes = ((int64_t)dnn->dnnl_memory_desc_get_size(to) + 63) / 64 * 64;
  dnnl_status_t status =
    dnn->dnnl_reorder_primitive_desc_create(&packing.description, from, dnn->engine, to, dnn->engine, NULL);
  if (status != dnnl_success) return status;
  status = dnn->dnnl_primitive_create(&packing.primitive, packing.description);
  if (status != dnnl_success) {
    dnn->dnnl_primitive_desc_destroy(packing.description);
    return status;
  }
  op->packings[op->packing_count++] = packing;
  op->packed_bytes += pieces * packing.to_bytes;
  return dnnl_success;
}

dnnl_status_t tarn_dnn_reorder_once(
  const tarn_dnn_op *op, dnnl_primitive_t primitive, tarn_dnn_layout from, const void *source, tarn_dnn_layout to,
  void *target)
{
  const tarn_dnn_library *dnn = op->dnn;
  dnnl_memory_t memories[2] = {NULL, NULL};
  dnnl_stream_t stream = NULL;
  dnnl_status_t status = dnn->dnnl_stream_create(&stream, dnn->engine, dnnl_stream_default_flags);
  if (status == dnnl_success) status = dnn->dnnl_memory_create(&memories[0], from, dnn->engine, (void *)source);
  if (status == dnnl_success) status = dnn->dnnl_memory_create(&memories[1], to, dnn->engine, target);
  dnnl_exec_arg_t arguments[2] = {{DNNL_ARG_FROM, memories[0]}, {DNNL_ARG_TO, memories[1]}};
  if (status == dnnl_success) status = dnn->dnnl_primitive_execute(primitive, stream, 2, arguments);
  for (int i = 0; i < 2; i++) {
    if (memories[i]) dnn->dnnl_memory_destroy(memories[i]);
  }
  if (stream) dnn->dnnl_stream_destroy(stream);
  return status;
}

typedef struct {
  const tarn_dnn_op *op;
  const tarn_dnn_packing *packing;
  const char *from;
  char *to;
  _Atomic int fault;
} packing_job;

static void pack_pieces(void *ctx, int64_t begin, int64_t end) {
  packing_job *job = ctx;
  const tarn_dnn_packing *packing = job->packing;
  int threads = tarn_dnn_begin(job->op->dnn);
  for (int64_t i = begin; i < end; i++) {
    dnnl_status_t status = tarn_dnn_reorder_once(
      job->op, packing->primitive, packing->from, job->from + i * packing->from_step, packing->to,
      job->to + i * packing->to_bytes);
    if (status != dnnl_success) job->fault = tarn_dnn_status_of(status);
  }
  tarn_dnn_end(job->op->dnn, threads);
}

int tarn_dnn_pack_one(const tarn_dnn_op *op, int number, const void *from, void *packed) {
  const tarn_dnn_packing *packing = &op->packings[number];
  packing_job job = {.op = op, .packing = packing, .from = from, .to = (char *)packed + packing->offset};
  tarn_parallel(packing->pieces, 1, pack_pieces, &job);
  return job.fault;
}

// MARK: Running

dnnl_status_t tarn_dnn_run_piece(const tarn_dnn_op *op, int64_t piece, void *const *operands) {
  const tarn_dnn_library *dnn = op->dnn;
  const tarn_dnn_part *part = &op->parts[op->parts[1].primitive && piece == op->pieces - 1];
  dnnl_exec_arg_t arguments[TARN_DNN_MOST_ARGUMENTS + 1];
  int count = 0;
  dnnl_stream_t stream = NULL;
  dnnl_status_t status = dnn->dnnl_stream_create(&stream, dnn->engine, dnnl_stream_default_flags);
  for (int i = 0; i < op->argument_count && status == dnnl_success; i++) {
    const tarn_dnn_argument *argument = &op->arguments[i];
    char *pointer = (char *)operands[argument->operand] + piece * argument->step;
    arguments[count].arg = argument->argument;
    status = dnn->dnnl_memory_create(&arguments[count].memory, part->layouts[i], dnn->engine, pointer);
    count += status == dnnl_success;
  }
  if (part->scratch_bytes > 0 && status == dnnl_success) {
    void *scratch = tarn_thread_memory(0, (int64_t)part->scratch_bytes);
    tarn_dnn_layout layout = dnn->dnnl_primitive_desc_query_md(part->description, dnnl_query_scratchpad_md, 0);
    arguments[count].arg = DNNL_ARG_SCRATCHPAD;
    status = scratch ? dnn->dnnl_memory_create(&arguments[count].memory, layout, dnn->engine, scratch)
                     : dnnl_out_of_memory;
    count += status == dnnl_success;
  }
  if (status == dnnl_success) status = dnn->dnnl_primitive_execute(part->primitive, stream, count, arguments);
  for (int i = 0; i < count; i++) dnn->dnnl_memory_destroy(arguments[i].memory);
  if (stream) dnn->dnnl_stream_destroy(stream);
  return status;
}

typedef struct {
  const tarn_dnn_op *op;
  void *const *operands;
  _Atomic int fault;
} run_job;

static void run_pieces(void *ctx, int64_t begin, int64_t end) {
  run_job *job = ctx;
  int threads = tarn_dnn_begin(job->op->dnn);
  for (int64_t piece = begin; piece < end; piece++) {
    dnnl_status_t status = tarn_dnn_run_piece(job->op, piece, job->operands);
    if (status != dnnl_success) job->fault = tarn_dnn_status_of(status);
  }
  tarn_dnn_end(job->op->dnn, threads);
}

int tarn_dnn_run(const tarn_dnn_op *op, void *const *operands) {
  run_job job = {.op = op, .operands = operands};
  tarn_parallel(op->pieces, 1, run_pieces, &job);
  return job.fault;
}

// MARK: What callers ask

const char *tarn_dnn_name(const tarn_dnn_op *op) { return op->name; }
int64_t tarn_dnn_pieces(const tarn_dnn_op *op) { return op->pieces; }
int64_t tarn_dnn_packed_count(const tarn_dnn_op *op) { return op->packed_bytes / (int64_t)sizeof(float); }

int tarn_dnn_pack(const tarn_dnn_op *op, const float *w, float *packed) {
  if (op->packed_bytes == 0) return TARN_DNN_MISMATCH;
  switch (op->key.words[0]) {
    case TARN_DNN_CONVOLUTION_KIND: return tarn_dnn_pack_convolution(op, w, packed);
    case TARN_DNN_MATMUL_KIND: return tarn_dnn_pack_one(op, 0, w, packed);
    default: return TARN_DNN_MISMATCH;
  }
}

#endif
