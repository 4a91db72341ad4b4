// One team of threads for every kernel.
//
// A job is cut into pieces; a ticket (generation << 32 | pieces left) is taken by compare-and-swap. The caller joins on
// the pieces that were taken, not on the threads: a thread that the system holds back delays nobody, and the generation
// keeps it from touching a job that is over. Idle threads spin for a moment, then sleep.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

#if defined(__linux__)
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#endif

enum { MOST_THREADS = 256, SPIN_NANOSECONDS = 150000 };

static struct {
  // Guards starting, stopping and the job; a caller that finds it taken works alone.
  pthread_mutex_t lock;
  _Atomic int wanted;
  int started;
  int spins;
  pthread_t workers[MOST_THREADS];
  // The job. Read only by a thread that holds one of its pieces.
  tarn_task task;
  void *ctx;
  int64_t count, grain, pieces, pieces_per_unit;
  uint32_t units;
  _Alignas(64) _Atomic uint64_t ticket;
  _Alignas(64) _Atomic uint32_t epoch;
  _Atomic uint32_t sleepers;
  _Atomic int stop;
  _Alignas(64) _Atomic uint32_t pending;
  _Atomic uint32_t caller_sleeps;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local int inside_job;

// MARK: Waiting

#if defined(__linux__)
static void wait_while(_Atomic uint32_t *word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake(_Atomic uint32_t *word, int count) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}
#else
static pthread_mutex_t wait_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wait_condition = PTHREAD_COND_INITIALIZER;

static void wait_while(_Atomic uint32_t *word, uint32_t value) {
  pthread_mutex_lock(&wait_lock);
  while (atomic_load(word) == value) pthread_cond_wait(&wait_condition, &wait_lock);
  pthread_mutex_unlock(&wait_lock);
}

static void wake(_Atomic uint32_t *word, int count) {
  (void)word, (void)count;
  pthread_mutex_lock(&wait_lock);
  pthread_cond_broadcast(&wait_condition);
  pthread_mutex_unlock(&wait_lock);
}
#endif

static int64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Waits until `*word` differs from `value`: by spinning for a moment, then asleep, counted in `sleepers`.
static void wait_for_change(_Atomic uint32_t *word, uint32_t value, _Atomic uint32_t *sleepers) {
  if (pool.spins) {
    int64_t end = nanoseconds() + SPIN_NANOSECONDS;
    do {
      for (int i = 0; i < 32; i++) {
        if (atomic_load_explicit(word, memory_order_acquire) != value) return;
        relax();
      }
    } while (nanoseconds() < end);
  }
  atomic_fetch_add(sleepers, 1);
  while (atomic_load(word) == value) wait_while(word, value);
  atomic_fetch_sub(sleepers, 1);
}

// MARK: Work

static void run_unit(uint32_t unit) {
  int64_t piece = (int64_t)unit * pool.pieces_per_unit;
  int64_t last = piece + pool.pieces_per_unit < pool.pieces ? piece + pool.pieces_per_unit : pool.pieces;
  for (; piece < last; piece++) {
    int64_t begin = piece * pool.grain;
    int64_t end = pool.count - begin < pool.grain ? pool.count : begin + pool.grain;
    pool.task(pool.ctx, begin, end);
  }
}

/// Takes and runs units until none is left.
static void help(void) {
  uint64_t ticket = atomic_load_explicit(&pool.ticket, memory_order_acquire);
  while ((uint32_t)ticket != 0) {
    if (!atomic_compare_exchange_weak(&pool.ticket, &ticket, ticket - 1)) continue;
    run_unit(pool.units - (uint32_t)ticket);
    if (atomic_fetch_sub(&pool.pending, 1) == 1 && atomic_load(&pool.caller_sleeps)) wake(&pool.pending, 1);
    ticket = atomic_load_explicit(&pool.ticket, memory_order_acquire);
  }
}

static void *worker(void *unused) {
  (void)unused;
  inside_job = 1;
  uint32_t seen = 0;
  while (!atomic_load(&pool.stop)) {
    help();
    uint32_t epoch = atomic_load(&pool.epoch);
    if (epoch == seen) {
      wait_for_change(&pool.epoch, seen, &pool.sleepers);
      epoch = atomic_load(&pool.epoch);
    }
    seen = epoch;
  }
  return NULL;
}

// MARK: The team

static int online_cores(void) {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  return cores < 1 ? 1 : (int)cores;
}

static int default_threads(void) {
  const char *text = getenv("TARN_THREADS");
  int count = text ? atoi(text) : 0;
  if (count < 1) count = online_cores();
  return count < MOST_THREADS ? count : MOST_THREADS;
}

int tarn_threads(void) {
  int count = atomic_load_explicit(&pool.wanted, memory_order_relaxed);
  if (count == 0) {
    count = default_threads();
    atomic_store(&pool.wanted, count);
  }
  return count;
}

/// A forked child has none of its parent's threads.
static void forget_workers(void) {
  pthread_mutex_init(&pool.lock, NULL);
  pool.started = 0;
  inside_job = 0;
  atomic_store(&pool.sleepers, 0);
  atomic_store(&pool.caller_sleeps, 0);
  atomic_store(&pool.ticket, 0);
}

static void stop_workers(void) {
  atomic_store(&pool.stop, 1);
  atomic_fetch_add(&pool.epoch, 1);
  wake(&pool.epoch, MOST_THREADS);
  for (int i = 0; i < pool.started; i++) pthread_join(pool.workers[i], NULL);
  atomic_store(&pool.stop, 0);
  pool.started = 0;
}

static void start_workers(int count) {
  static _Atomic int registered;
  if (!atomic_exchange(&registered, 1)) pthread_atfork(NULL, NULL, forget_workers);
  pool.spins = tarn_threads() <= online_cores();
  // Signals belong to the program's own threads.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  while (pool.started < count && pthread_create(&pool.workers[pool.started], NULL, worker, NULL) == 0) pool.started++;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void tarn_set_threads(int count) {
  if (count < 1) count = default_threads();
  if (count > MOST_THREADS) count = MOST_THREADS;
  pthread_mutex_lock(&pool.lock);
  if (count != atomic_load(&pool.wanted) && pool.started > 0) stop_workers();
  atomic_store(&pool.wanted, count);
  pthread_mutex_unlock(&pool.lock);
}

static void run_alone(int64_t count, int64_t grain, tarn_task task, void *ctx) {
  for (int64_t begin = 0; begin < count; begin += grain) {
    task(ctx, begin, count - begin < grain ? count : begin + grain);
  }
}

static void run_together(int64_t count, int64_t grain, tarn_task task, void *ctx) {
  pool.task = task;
  pool.ctx = ctx;
  pool.count = count;
  pool.grain = grain;
  pool.pieces = (count - 1) / grain + 1;
  pool.pieces_per_unit = (pool.pieces >> 30) + 1;
  pool.units = (uint32_t)((pool.pieces - 1) / pool.pieces_per_unit + 1);
  atomic_store(&pool.pending, pool.units);
  uint64_t generation = (atomic_load(&pool.ticket) >> 32) + 1;
  atomic_store(&pool.ticket, generation << 32 | pool.units);
  atomic_fetch_add(&pool.epoch, 1);
  if (atomic_load(&pool.sleepers) > 0) wake(&pool.epoch, (int)pool.units - 1);
  inside_job = 1;
  help();
  uint32_t left;
  while ((left = atomic_load_explicit(&pool.pending, memory_order_acquire)) != 0) {
    wait_for_change(&pool.pending, left, &pool.caller_sleeps);
  }
  inside_job = 0;
}

void tarn_parallel(int64_t count, int64_t grain, tarn_task task, void *ctx) {
  if (count <= 0) return;
  if (grain < 1) grain = 1;
  int threads = tarn_threads();
  if (count <= grain || threads == 1 || inside_job || pthread_mutex_trylock(&pool.lock) != 0) {
    run_alone(count, grain, task, ctx);
    return;
  }
  if (pool.started < threads - 1) start_workers(threads - 1);
  run_together(count, grain, task, ctx);
  pthread_mutex_unlock(&pool.lock);
}
