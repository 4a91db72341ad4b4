/// libFuzzer for readers written in Swift: what it needs in C.
///
/// Only a build with the sanitizers and -DTARN_FUZZING has libFuzzer in it (`make fuzz`); in others `tarn_fuzz_run` says so.
#ifndef TARN_FUZZ_H
#define TARN_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What is counted, in memory that is shared with the processes a reader starts and with a file, so that it outlives a crash.
typedef struct {
  int64_t inputs;
  /// Inputs that gave a result, and those that were refused with an error.
  int64_t read, refused;
  /// The longest time that one took of those that kept within theirs, in nanoseconds, and how many took longer.
  int64_t slowest, slow;
  /// The most heap that one took beyond what was in use before, in bytes; and how many took more than they may.
  int64_t largest, greedy;
  /// The largest share of what it may take that one took, in thousandths.
  int64_t fullest;
  /// Heap in use, and the most there was since `tarn_fuzz_begin`.
  int64_t live, peak;
  /// Reports of a sanitizer in a process that a reader started, which are about Tarn's code and not a library's.
  int64_t faults;
} tarn_fuzz_counts;

/// Reads one input: 0, or -1 for one that is not to be kept.
typedef int (*tarn_fuzz_read)(const uint8_t *bytes, size_t count);
/// Changes an input of `count` bytes in place, within `room`; 0: leave it to libFuzzer.
typedef size_t (*tarn_fuzz_mutate)(uint8_t *bytes, size_t count, size_t room, uint32_t seed);

/// Maps the file at `path`, which is made if need be, and begins to count what is allocated. NULL: it cannot be done.
tarn_fuzz_counts *tarn_fuzz_counts_at(const char *path);
/// Before an input.
void tarn_fuzz_begin(void);
/// After it: bytes that the heap has grown by at most.
int64_t tarn_fuzz_taken(void);

/// Runs libFuzzer with its own arguments. -1 in a program that was built without it.
int tarn_fuzz_run(int argc, char **argv, tarn_fuzz_read read, tarn_fuzz_mutate mutate);
/// libFuzzer's own changes, for part of an input: its new size.
size_t tarn_fuzz_mutated(uint8_t *bytes, size_t count, size_t room);

#ifdef __cplusplus
}
#endif

#endif
