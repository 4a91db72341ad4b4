// A child process that may do nothing but read the memory it was given and write to its pipe.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "library.h"
#include "tarn_hdf5.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SHADOW_MEMORY 1
#endif
#endif

/// Processor time for a file, some twenty times what a sound one takes: a quarter of a second, and more for large ones.
static int milliseconds_for(size_t count) {
  size_t more = count / 20000;  // 20 MB a second
  return more > 600000 ? 600000 : 250 + (int)more;
}

/// Time by the clock, which also ends a child that waits for what never comes. Other work on the machine may take most of it.
static int64_t patience_for(size_t count) { return 800 + 4 * ((int64_t)milliseconds_for(count) - 250); }

/// Milliseconds by a clock that is never set.
static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void limit(int resource, rlim_t amount) {
  struct rlimit limits = {amount, amount};
  setrlimit(resource, &limits);
}

/// Bytes of address space in use, or 0 where that cannot be told.
static size_t address_space(void) {
  char text[64];
  int descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return 0;
  ssize_t got = read(descriptor, text, sizeof text - 1);
  close(descriptor);
  size_t pages = 0;
  for (ssize_t i = 0; i < got && text[i] >= '0' && text[i] <= '9'; i++) pages = pages * 10 + (size_t)(text[i] - '0');
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void restrict_self(size_t count, int milliseconds) {
  static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP, SIGPROF, SIGPIPE, SIGTERM, SIGINT, SIGXCPU};
  for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) signal(deadly[i], SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, NULL);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CPU, (rlim_t)(milliseconds / 1000 + 2));
#ifndef HAS_SHADOW_MEMORY
  size_t used = address_space();
  if (used > 0) limit(RLIMIT_AS, used + 2 * count + ((size_t)64 << 20));
#endif
  limit(RLIMIT_NOFILE, 0);
  struct itimerval timer = {{0, 0}, {milliseconds / 1000, milliseconds % 1000 * 1000}};
  setitimer(ITIMER_PROF, &timer, NULL);
}

/// What libhdf5 or the C library would print goes nowhere.
static void silence(int nowhere) {
  for (int descriptor = 0; descriptor < 3; descriptor++) dup2(nowhere, descriptor);
}

int tarn_hdf5_start(const void *bytes, size_t count, tarn_hdf5_reader *reader) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  const h5_library *h5 = tarn_hdf5_library();
  if (!h5) return ENOSYS;
  int ends[2];
  int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nowhere < 0) return errno;
  // One at a time, so that no child inherits another's pipe while it is being made.
  pthread_mutex_lock(&lock);
  int milliseconds = milliseconds_for(count);
  pid_t process = -1;
  int problem = pipe(ends) == 0 ? 0 : errno;
  if (!problem) {
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    process = fork();
    if (process == 0) {
      close(ends[0]);
      silence(nowhere);
      restrict_self(count, milliseconds);
      _exit(tarn_hdf5_walk(h5, bytes, count, ends[1]));
    }
    if (process < 0) problem = errno;
    close(ends[1]);
    if (problem) close(ends[0]);
  }
  pthread_mutex_unlock(&lock);
  close(nowhere);
  if (problem) return problem;
  *reader = (tarn_hdf5_reader){.process = process, .descriptor = ends[0], .deadline = now() + patience_for(count)};
  return 0;
}

size_t tarn_hdf5_read(tarn_hdf5_reader *reader, void *buffer, size_t count) {
  struct pollfd wanted = {reader->descriptor, POLLIN, 0};
  for (;;) {
    int64_t left = reader->deadline - now();
    int ready = left > 0 ? poll(&wanted, 1, (int)left) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      reader->timed_out = ready == 0;
      return 0;
    }
    ssize_t got = read(reader->descriptor, buffer, count);
    if (got < 0 && errno == EINTR) continue;
    reader->ended = got <= 0;
    return got > 0 ? (size_t)got : 0;
  }
}

int tarn_hdf5_finish(tarn_hdf5_reader *reader) {
  close(reader->descriptor);
  // Whoever has read enough does not wait for the rest.
  if (!reader->ended) kill(reader->process, SIGKILL);
  int status = 0;
  pid_t ended;
  do ended = waitpid(reader->process, &status, 0);
  while (ended < 0 && errno == EINTR);
  if (reader->timed_out) return TARN_HDF5_TIMED_OUT;
  if (ended < 0 || !reader->ended || !WIFSIGNALED(status)) return TARN_HDF5_DONE;
  int signal = WTERMSIG(status);
  return signal == SIGPROF || signal == SIGXCPU ? TARN_HDF5_TIMED_OUT : signal == SIGPIPE ? TARN_HDF5_DONE : TARN_HDF5_CRASHED;
}
