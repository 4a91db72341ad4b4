#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "tarn_fetch.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// The part of libcurl's binary interface that is used; its numbers have been the same since version 7.32.
enum {
  OPTION_WRITE_DATA = 10001,
  OPTION_URL = 10002,
  OPTION_RANGE = 10007,
  OPTION_ERROR_BUFFER = 10010,
  OPTION_USER_AGENT = 10018,
  OPTION_HEADERS = 10023,
  OPTION_HEADER_DATA = 10029,
  OPTION_PROGRESS_DATA = 10057,
  OPTION_WRITE_FUNCTION = 20011,
  OPTION_HEADER_FUNCTION = 20079,
  OPTION_PROGRESS_FUNCTION = 20219,
  OPTION_LOW_SPEED_LIMIT = 19,
  OPTION_LOW_SPEED_TIME = 20,
  OPTION_NO_PROGRESS = 43,
  OPTION_FAIL_ON_ERROR = 45,
  OPTION_FOLLOW = 52,
  OPTION_MOST_REDIRECTIONS = 68,
  OPTION_CONNECT_TIMEOUT = 78,
  OPTION_NO_SIGNAL = 99,
  OPTION_LARGEST = 30117,
  OPTION_PROTOCOLS = 181,
  OPTION_REDIRECTION_PROTOCOLS = 182,
  INFO_STATUS = 0x200002,
  INFO_CONTENT_LENGTH = 0x60000F,
  PROTOCOL_HTTP = 1,
  PROTOCOL_HTTPS = 2,
  CODE_OK = 0,
  CODE_HTTP_ERROR = 22,
  CODE_STOPPED_BY_WRITE = 23,
  CODE_STOPPED_BY_PROGRESS = 42,
  CODE_TOO_LARGE = 63,
};

static struct {
  int (*global_init)(long);
  void *(*easy_init)(void);
  int (*easy_setopt)(void *, int, ...);
  int (*easy_perform)(void *);
  int (*easy_getinfo)(void *, int, ...);
  void (*easy_cleanup)(void *);
  const char *(*easy_strerror)(int);
  void *(*slist_append)(void *, const char *);
  void (*slist_free_all)(void *);
  const char *(*version)(void);
} curl;

static int is_open;
static char version_text[64];

static const char *const file_names[] = {
#if defined(__APPLE__)
  "/usr/lib/libcurl.4.dylib",
#else
  "libcurl.so.4", "libcurl-gnutls.so.4",
#endif
};

static int look_up(void *handle) {
#define LOOK_UP(name) \
  *(void **)&curl.name = dlsym(handle, "curl_" #name); \
  if (!curl.name) return 0;
  LOOK_UP(global_init) LOOK_UP(easy_init) LOOK_UP(easy_setopt) LOOK_UP(easy_perform) LOOK_UP(easy_getinfo)
  LOOK_UP(easy_cleanup) LOOK_UP(easy_strerror) LOOK_UP(slist_append) LOOK_UP(slist_free_all) LOOK_UP(version)
#undef LOOK_UP
  return 1;
}

static void open_library(void) {
  for (size_t i = 0; i < sizeof file_names / sizeof *file_names; i++) {
    void *handle = dlopen(file_names[i], RTLD_NOW | RTLD_LOCAL);
    if (!handle) continue;
    // 3: TLS and, where it is Windows, sockets.
    if (look_up(handle) && curl.global_init(3) == CODE_OK) {
      // "libcurl/8.5.0 OpenSSL/…": the first word tells enough.
      snprintf(version_text, sizeof version_text, "%.*s", (int)strcspn(curl.version(), " "), curl.version());
      is_open = 1;
      return;
    }
    dlclose(handle);
  }
}

static int open_once(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, open_library);
  return is_open;
}

const char *tarn_fetch_version(void) { return open_once() ? version_text : NULL; }

typedef struct {
  const tarn_fetch_request *request;
  void *handle;
  int has_begun;
  int is_stopped;
  /// Where the part that comes begins, and the size of the whole, as Content-Range says; -1 if it does not.
  int64_t range_start, range_total;
  char mark[200];
} transfer;

/// The value of a header line if it is the header of this name, without blanks around it; null if not.
static const char *header_value(const char *line, size_t count, const char *name, size_t *length) {
  size_t prefix = strlen(name);
  if (count <= prefix || strncasecmp(line, name, prefix) != 0 || line[prefix] != ':') return NULL;
  const char *start = line + prefix + 1, *end = line + count;
  while (start < end && (*start == ' ' || *start == '\t')) start++;
  while (end > start && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' ')) end--;
  *length = (size_t)(end - start);
  return start;
}

static void read_range(transfer *t, const char *value, size_t length) {
  char text[100];
  if (length >= sizeof text) return;
  memcpy(text, value, length);
  text[length] = 0;
  long long first = -1, last = -1, total = -1;
  if (sscanf(text, "bytes %lld-%lld/%lld", &first, &last, &total) >= 2) {
    t->range_start = first;
    t->range_total = total;
  }
}

static size_t on_header(char *line, size_t size, size_t count, void *context) {
  transfer *t = context;
  size_t bytes = size * count, length;
  const char *value;
  if (bytes >= 5 && strncmp(line, "HTTP/", 5) == 0) {
    // A new answer begins, after a redirection for instance: what the last one said counts no longer.
    t->range_start = t->range_total = -1;
    t->mark[0] = 0;
  } else if ((value = header_value(line, bytes, "Content-Range", &length))) {
    read_range(t, value, length);
  } else if ((value = header_value(line, bytes, "ETag", &length))) {
    // Weak marks do not promise the same bytes.
    if (length > 0 && length < sizeof t->mark && strncmp(value, "W/", 2) != 0)
      snprintf(t->mark, sizeof t->mark, "%.*s", (int)length, value);
  } else if ((value = header_value(line, bytes, "Last-Modified", &length))) {
    if (!t->mark[0] && length < sizeof t->mark) snprintf(t->mark, sizeof t->mark, "%.*s", (int)length, value);
  }
  return bytes;
}

static int begin(transfer *t) {
  long status = 0;
  int64_t length = -1;
  curl.easy_getinfo(t->handle, INFO_STATUS, &status);
  curl.easy_getinfo(t->handle, INFO_CONTENT_LENGTH, &length);
  int64_t start = status == 206 && t->range_start >= 0 ? t->range_start : 0;
  int64_t total = t->range_total >= 0 ? t->range_total : length >= 0 ? start + length : -1;
  t->has_begun = 1;
  return t->request->begin(t->request->context, start, total, t->mark);
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *context) {
  transfer *t = context;
  if ((!t->has_begun && begin(t)) || t->request->take(t->request->context, bytes, size * count)) {
    t->is_stopped = 1;
    return 0;
  }
  return size * count;
}

static int on_progress(void *context, int64_t total, int64_t now, int64_t up_total, int64_t up_now) {
  (void)total, (void)now, (void)up_total, (void)up_now;
  transfer *t = context;
  if (t->request->tick(t->request->context)) t->is_stopped = 1;
  return t->is_stopped;
}

static void *condition(const tarn_fetch_request *request) {
  if (request->offset <= 0 || !request->mark || !request->mark[0]) return NULL;
  char line[260];
  snprintf(line, sizeof line, "If-Range: %s", request->mark);
  return curl.slist_append(NULL, line);
}

static void set_options(void *handle, transfer *t, void *headers, char *error) {
  const tarn_fetch_request *request = t->request;
  int is_secure = strncasecmp(request->url, "https:", 6) == 0;
  curl.easy_setopt(handle, OPTION_URL, request->url);
  curl.easy_setopt(handle, OPTION_ERROR_BUFFER, error);
  curl.easy_setopt(handle, OPTION_USER_AGENT, "tarn");
  curl.easy_setopt(handle, OPTION_NO_SIGNAL, 1L);
  curl.easy_setopt(handle, OPTION_FAIL_ON_ERROR, 1L);
  curl.easy_setopt(handle, OPTION_FOLLOW, 1L);
  curl.easy_setopt(handle, OPTION_MOST_REDIRECTIONS, 10L);
  curl.easy_setopt(handle, OPTION_PROTOCOLS, (long)(PROTOCOL_HTTP | PROTOCOL_HTTPS));
  curl.easy_setopt(handle, OPTION_REDIRECTION_PROTOCOLS, (long)(PROTOCOL_HTTPS | (is_secure ? 0 : PROTOCOL_HTTP)));
  curl.easy_setopt(handle, OPTION_CONNECT_TIMEOUT, 30L);
  curl.easy_setopt(handle, OPTION_LOW_SPEED_LIMIT, 1L);
  curl.easy_setopt(handle, OPTION_LOW_SPEED_TIME, 60L);
  curl.easy_setopt(handle, OPTION_LARGEST, request->largest);
  if (headers) curl.easy_setopt(handle, OPTION_HEADERS, headers);
  curl.easy_setopt(handle, OPTION_HEADER_FUNCTION, on_header);
  curl.easy_setopt(handle, OPTION_HEADER_DATA, t);
  curl.easy_setopt(handle, OPTION_WRITE_FUNCTION, on_bytes);
  curl.easy_setopt(handle, OPTION_WRITE_DATA, t);
  curl.easy_setopt(handle, OPTION_PROGRESS_FUNCTION, on_progress);
  curl.easy_setopt(handle, OPTION_PROGRESS_DATA, t);
  curl.easy_setopt(handle, OPTION_NO_PROGRESS, 0L);
}

/// Failures of name look-up, connection, time and transport; those of addresses, protocols and certificates stay.
static int may_pass(int code) {
  static const int passing[] = {5, 6, 7, 18, 28, 35, 52, 55, 56, 81, 92, 95};
  for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
    if (code == passing[i]) return 1;
  return 0;
}

static tarn_fetch_outcome outcome(const transfer *t, int code) {
  if (code == CODE_OK) return TARN_FETCH_DONE;
  if (t->is_stopped && (code == CODE_STOPPED_BY_WRITE || code == CODE_STOPPED_BY_PROGRESS)) return TARN_FETCH_STOPPED;
  if (code == CODE_HTTP_ERROR) return TARN_FETCH_REFUSED;
  return may_pass(code) ? TARN_FETCH_BROKEN : TARN_FETCH_FAILED;
}

void tarn_fetch_perform(const tarn_fetch_request *request, tarn_fetch_result *result) {
  memset(result, 0, sizeof *result);
  void *handle = open_once() ? curl.easy_init() : NULL;
  if (!handle) {
    result->outcome = TARN_FETCH_NO_LIBRARY;
    snprintf(result->reason, sizeof result->reason, "libcurl (%s) was not found", file_names[0]);
    return;
  }
  transfer t = {.request = request, .handle = handle, .range_start = -1, .range_total = -1};
  char error[256] = "", range[32];
  // Not libcurl's own way to resume: that fails where a server answers with the whole file.
  snprintf(range, sizeof range, "%lld-", (long long)request->offset);
  if (request->offset > 0) curl.easy_setopt(handle, OPTION_RANGE, range);
  void *headers = condition(request);
  set_options(handle, &t, headers, error);
  int code = curl.easy_perform(handle);
  curl.easy_getinfo(handle, INFO_STATUS, &result->status);
  // A file of no bytes has no first ones.
  if (code == CODE_OK && !t.has_begun && begin(&t)) t.is_stopped = 1;
  result->outcome = t.is_stopped && code == CODE_OK ? TARN_FETCH_STOPPED : outcome(&t, code);
  if (code == CODE_TOO_LARGE)
    snprintf(result->reason, sizeof result->reason, "it has more than %lld bytes", (long long)request->largest);
  else
    snprintf(result->reason, sizeof result->reason, "%s", error[0] ? error : curl.easy_strerror(code));
  curl.slist_free_all(headers);
  curl.easy_cleanup(handle);
}
