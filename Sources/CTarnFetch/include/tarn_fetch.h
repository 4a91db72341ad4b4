// HTTP through libcurl, which is opened when it is first needed: programs that fetch nothing need no libcurl, and
// building needs no headers of it.
#ifndef TARN_FETCH_H
#define TARN_FETCH_H

#include <stddef.h>
#include <stdint.h>

/// What one request is to do.
typedef struct {
  /// http:// or https://. From https no redirection leads back to http.
  const char *url;
  /// Bytes that are there already: only what follows is asked for.
  int64_t offset;
  /// The mark (ETag or date) of the file those bytes are of: if it is another now, all of it comes. May be null.
  const char *mark;
  /// Refuses files larger than this.
  int64_t largest;
  void *context;
  /// Called once before the first bytes: where they begin (0: all of it comes), and the size of the whole, or -1.
  int (*begin)(void *context, int64_t start, int64_t total, const char *mark);
  /// The next bytes. All three calls return 0 to go on.
  int (*take)(void *context, const void *bytes, size_t count);
  /// Called about once a second, also while nothing comes.
  int (*tick)(void *context);
} tarn_fetch_request;

typedef enum {
  TARN_FETCH_DONE,
  /// A call-back said stop.
  TARN_FETCH_STOPPED,
  /// The connection failed or broke off; to try again may help.
  TARN_FETCH_BROKEN,
  /// The server refused: `status` says how.
  TARN_FETCH_REFUSED,
  /// Nothing that trying again helps against.
  TARN_FETCH_FAILED,
  TARN_FETCH_NO_LIBRARY,
} tarn_fetch_outcome;

typedef struct {
  tarn_fetch_outcome outcome;
  /// Of HTTP; 0 if there was no answer.
  long status;
  char reason[320];
} tarn_fetch_result;

/// Performs the request; returns when all is over.
void tarn_fetch_perform(const tarn_fetch_request *request, tarn_fetch_result *result);

/// The version of libcurl, or null if it is not there.
const char *tarn_fetch_version(void);

#endif
