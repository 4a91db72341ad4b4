// The way into libFuzzer.
#include "tarn_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t count, size_t room, unsigned seed);

static tarn_fuzz_read chosen_read;
static tarn_fuzz_mutate chosen_mutate;

/// What libFuzzer's own `main` would call, which is linked but not used.
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) { return chosen_read ? chosen_read(bytes, count) : -1; }

#ifdef TARN_FUZZING

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*read)(const uint8_t *, size_t));
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t count, size_t room);

size_t tarn_fuzz_mutated(uint8_t *bytes, size_t count, size_t room) { return LLVMFuzzerMutate(bytes, count, room); }

/// Every other input is changed by its format's rules, where there are any.
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t count, size_t room, unsigned seed) {
  size_t changed = chosen_mutate && seed % 2 ? chosen_mutate(bytes, count, room, seed / 2) : 0;
  return changed ? changed : LLVMFuzzerMutate(bytes, count, room);
}

int tarn_fuzz_run(int argc, char **argv, tarn_fuzz_read read, tarn_fuzz_mutate mutate) {
  chosen_read = read;
  chosen_mutate = mutate;
  return LLVMFuzzerRunDriver(&argc, &argv, LLVMFuzzerTestOneInput);
}

#else

size_t tarn_fuzz_mutated(uint8_t *bytes, size_t count, size_t room) {
  (void)bytes, (void)room;
  return count;
}

int tarn_fuzz_run(int argc, char **argv, tarn_fuzz_read read, tarn_fuzz_mutate mutate) {
  (void)argc, (void)argv;
  chosen_read = read;
  chosen_mutate = mutate;
  return -1;
}

#endif
