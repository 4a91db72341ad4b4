/// HDF5 files, read by the system's library in a process of their own.
///
/// libhdf5 was not made for files of unknown origin: broken ones make it crash, hang, or ask for any amount of memory. So it is
/// opened at run time (nothing here needs it to build), and each file is read by a forked child. The child may open no
/// further file, may write nothing but its pipe, has a bounded address space and bounded time, and leaves no core. It walks the file once
/// and writes what it finds as a plain stream of records; whatever becomes of it, the parent sees a stream that ends early
/// at worst, and treats it as no more to be trusted than the file.
///
/// The child of a program with threads has only the thread that forked, and locks that others held stay locked. So it runs nothing but the C
/// of this target and of libhdf5 (no Swift), the library is opened and set up before the fork, and of the C library it uses
/// system calls and `malloc`, which glibc and macOS make usable after a fork. It ends by `_exit`.
///
///     tarn_hdf5_reader reader;
///     int problem = tarn_hdf5_start(bytes, count, &reader);   // an errno value
///     while ((got = tarn_hdf5_read(&reader, buffer, sizeof buffer)) > 0) ...
///     int status = tarn_hdf5_finish(&reader);                 // TARN_HDF5_...
///
/// The stream: numbers are little-endian, texts are a u32 with their length and their bytes.
///
///     'A' path name u32 count, texts             an attribute made of texts
///     'N' path name u32 count, f64 ...           an attribute made of numbers
///     'D' path u8 type, u8 rank, u64 lengths..., u64 bytes, elements in row-major order
///     'W' path text                              an entry that was passed over, and why
///     'X' text                                   reading stopped, and why
///     'Z'                                        the end
#ifndef TARN_HDF5_H
#define TARN_HDF5_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Element types of datasets.
enum tarn_hdf5_type {
  TARN_HDF5_F16 = 1, TARN_HDF5_BF16, TARN_HDF5_F32, TARN_HDF5_F64,
  TARN_HDF5_I8, TARN_HDF5_U8, TARN_HDF5_I16, TARN_HDF5_U16, TARN_HDF5_I32, TARN_HDF5_U32, TARN_HDF5_I64, TARN_HDF5_U64,
  TARN_HDF5_BOOL,
};

/// How a child ended.
enum tarn_hdf5_end {
  /// By itself.
  TARN_HDF5_DONE,
  /// It crashed.
  TARN_HDF5_CRASHED,
  /// It used up its time.
  TARN_HDF5_TIMED_OUT,
};

/// "1.10.8", or "" if libhdf5 is not there. The first call opens it.
const char *tarn_hdf5_version(void);
/// What was found, in words: its version, or why it cannot be used and what to do.
const char *tarn_hdf5_state(void);

typedef struct {
  int process;
  int descriptor;
  int timed_out;
  /// Whether the child has closed its end.
  int ended;
  /// When the child must be done, in milliseconds of a clock of its own.
  int64_t deadline;
} tarn_hdf5_reader;

/// Starts a child that reads the file in memory at `bytes`, which must stay until it is finished. 0, or an errno value (ENOSYS: there is no
/// libhdf5).
int tarn_hdf5_start(const void *bytes, size_t count, tarn_hdf5_reader *reader);
/// Waits for bytes of the stream: how many there were, 0 at its end.
size_t tarn_hdf5_read(tarn_hdf5_reader *reader, void *buffer, size_t count);
/// Ends the child, if need be by force. How it had ended.
int tarn_hdf5_finish(tarn_hdf5_reader *reader);

#ifdef __cplusplus
}
#endif

#endif
