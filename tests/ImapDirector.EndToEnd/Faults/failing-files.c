/* Loaded into a process by LD_PRELOAD: makes its calls on files fail, at random and by a seed, as a bad or full disk does.
 * FAILING_FILES_UNDER    the directory; files outside of it are left alone
 * FAILING_FILES_CONTROL  a file of 256 bytes that is mapped: what is written there counts at once, and what is counted can be read there */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum fault { WRITE_EIO = 1, SYNC_EIO = 2, NO_SPACE = 4, SHORT_WRITE = 8, NAME_EIO = 16 };
enum call { WRITES, SYNCS, SIZES, NAMES, OPENS, DATABASE_WRITES, DATABASE_SYNCS, CALLS };

/* The layout is FailingFiles.cs's, too. */
struct control {
  _Atomic uint32_t faults;   /* of enum fault; 0 lets everything pass */
  _Atomic uint32_t one_in;   /* how rare they are; 1 fails every call */
  _Atomic uint64_t state;    /* of the random numbers */
  _Atomic uint64_t called[8];
  _Atomic uint64_t failed[8];
  _Atomic int64_t left;      /* how many more may fail */
};

enum { MAX_FILES = 65536, OURS = 1, DATABASE = 2 };

static struct control idle = {.one_in = 1};
static struct control *control = &idle;
static const char *under = "";
static size_t under_length;
static _Atomic unsigned char files[MAX_FILES];

__attribute__((constructor)) static void begin(void) {
  const char *directory = getenv("FAILING_FILES_UNDER"), *name = getenv("FAILING_FILES_CONTROL");
  if (!directory || !name) return;
  int file = open(name, O_RDWR | O_CLOEXEC);
  if (file < 0) abort();
  void *mapped = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) abort();
  close(file);
  control = mapped;
  under = directory;
  under_length = strlen(directory);
}

static int is_under(const char *path) { return under_length && path && !strncmp(path, under, under_length) && (path[under_length] == '/' || !path[under_length]); }

static unsigned char kind_of(int file) { return file >= 0 && file < MAX_FILES ? files[file] : 0; }

static void remember(int file, const char *path) {
  if (file < 0 || file >= MAX_FILES) return;
  files[file] = is_under(path) ? OURS | (strstr(path, "mail.db") ? DATABASE : 0) : 0;
}

/* splitmix64: each call takes the next number, whichever thread it is. */
static uint64_t next_number(void) {
  uint64_t number = atomic_fetch_add(&control->state, UINT64_C(0x9e3779b97f4a7c15)) + UINT64_C(0x9e3779b97f4a7c15);
  number = (number ^ (number >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  number = (number ^ (number >> 27)) * UINT64_C(0x94d049bb133111eb);
  return number ^ (number >> 31);
}

/* Which of the faults that this call can have it has; 0 for none. */
static uint32_t draw(uint32_t possible, enum call call) {
  atomic_fetch_add(&control->called[call], 1);
  possible &= control->faults;
  uint32_t one_in = control->one_in;
  if (!possible || !one_in) return 0;
  uint64_t number = next_number();
  if (number % one_in || atomic_fetch_sub(&control->left, 1) <= 0) return 0;
  uint32_t drawn = 0;
  for (int skip = (int)((number >> 32) % (unsigned)__builtin_popcount(possible)); skip >= 0; skip--) {
    drawn = possible & -possible;
    possible &= possible - 1;
  }
  atomic_fetch_add(&control->failed[call], 1);
  return drawn;
}

static int error_of(uint32_t fault) { return fault == NO_SPACE ? ENOSPC : EIO; }

/* How many bytes may be written, or -1 with errno set. */
static ssize_t allowed(int file, size_t count) {
  unsigned char kind = kind_of(file);
  if (!kind || !count) return (ssize_t)count;
  if (kind & DATABASE) atomic_fetch_add(&control->called[DATABASE_WRITES], 1);
  uint32_t fault = draw(WRITE_EIO | NO_SPACE | (count > 1 ? SHORT_WRITE : 0), WRITES);
  if (!fault) return (ssize_t)count;
  if (kind & DATABASE) atomic_fetch_add(&control->failed[DATABASE_WRITES], 1);
  if (fault == SHORT_WRITE) return (ssize_t)(1 + next_number() % (count - 1));
  errno = error_of(fault);
  return -1;
}

/* -1 with errno set when a sync is to fail. */
static int may_sync(int file) {
  unsigned char kind = kind_of(file);
  if (!kind) return 0;
  if (kind & DATABASE) atomic_fetch_add(&control->called[DATABASE_SYNCS], 1);
  if (!draw(SYNC_EIO, SYNCS)) return 0;
  if (kind & DATABASE) atomic_fetch_add(&control->failed[DATABASE_SYNCS], 1);
  errno = EIO;
  return -1;
}

/* 0, or the error of a call on a file's size. */
static int size_error(int file) {
  uint32_t fault = kind_of(file) ? draw(WRITE_EIO | NO_SPACE, SIZES) : 0;
  return fault ? error_of(fault) : 0;
}

static int may_name(const char *path) {
  if (!is_under(path) || !draw(NAME_EIO, NAMES)) return 0;
  errno = EIO;
  return -1;
}

#define REAL(name, ...) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))(__VA_ARGS__)

static mode_t mode_of(int flags, va_list rest) { return flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0; }

static int may_open(const char *path, int flags) {
  if (!is_under(path)) return 0;
  uint32_t fault = draw(flags & O_CREAT && access(path, F_OK) ? NO_SPACE : 0, OPENS);
  if (!fault) return 0;
  errno = error_of(fault);
  return -1;
}

#define OPEN(name)                                                     \
  int name(const char *path, int flags, ...) {                         \
    va_list rest;                                                      \
    va_start(rest, flags);                                             \
    mode_t mode = mode_of(flags, rest);                                \
    va_end(rest);                                                      \
    if (may_open(path, flags)) return -1;                              \
    int file = REAL(name, path, flags, mode);                          \
    remember(file, path);                                              \
    return file;                                                       \
  }
OPEN(open)
OPEN(open64)

/* Only absolute paths are looked at: all that these programs use are. */
#define OPENAT(name)                                                   \
  int name(int directory, const char *path, int flags, ...) {          \
    va_list rest;                                                      \
    va_start(rest, flags);                                             \
    mode_t mode = mode_of(flags, rest);                                \
    va_end(rest);                                                      \
    if (may_open(path, flags)) return -1;                              \
    int file = REAL(name, directory, path, flags, mode);               \
    remember(file, path);                                              \
    return file;                                                       \
  }
OPENAT(openat)
OPENAT(openat64)

int close(int file) {
  if (file >= 0 && file < MAX_FILES) files[file] = 0;
  return REAL(close, file);
}

ssize_t write(int file, const void *bytes, size_t count) {
  ssize_t most = allowed(file, count);
  return most < 0 ? -1 : REAL(write, file, bytes, (size_t)most);
}

#define PWRITE(name, offset_type)                                                \
  ssize_t name(int file, const void *bytes, size_t count, offset_type offset) {  \
    ssize_t most = allowed(file, count);                                         \
    return most < 0 ? -1 : REAL(name, file, bytes, (size_t)most, offset);        \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

/* Several buffers are cut to a part of the first. */
static int cut(int file, const struct iovec *buffers, int count, struct iovec *first) {
  size_t all = 0;
  for (int i = 0; i < count; i++) all += buffers[i].iov_len;
  ssize_t most = allowed(file, all);
  if (most < 0) return -1;
  if ((size_t)most == all) return 0;
  *first = buffers[0];
  if (first->iov_len > (size_t)most) first->iov_len = (size_t)most;
  return 1;
}

ssize_t writev(int file, const struct iovec *buffers, int count) {
  struct iovec first;
  int is_cut = cut(file, buffers, count, &first);
  return is_cut < 0 ? -1 : is_cut ? REAL(writev, file, &first, 1) : REAL(writev, file, buffers, count);
}

#define PWRITEV(name, offset_type)                                                                                       \
  ssize_t name(int file, const struct iovec *buffers, int count, offset_type offset) {                                   \
    struct iovec first;                                                                                                  \
    int is_cut = cut(file, buffers, count, &first);                                                                      \
    return is_cut < 0 ? -1 : is_cut ? REAL(name, file, &first, 1, offset) : REAL(name, file, buffers, count, offset);   \
  }
PWRITEV(pwritev, off_t)
PWRITEV(pwritev64, off64_t)

int fsync(int file) { return may_sync(file) ? -1 : REAL(fsync, file); }
int fdatasync(int file) { return may_sync(file) ? -1 : REAL(fdatasync, file); }

#define SIZE(name, ...)                                             \
  {                                                                    \
    int error = size_error(file);                                      \
    if (!error) return REAL(name, __VA_ARGS__);                        \
    errno = error;                                                     \
    return -1;                                                         \
  }
int ftruncate(int file, off_t length) SIZE(ftruncate, file, length)
int ftruncate64(int file, off64_t length) SIZE(ftruncate64, file, length)
int fallocate(int file, int mode, off_t offset, off_t length) SIZE(fallocate, file, mode, offset, length)
int fallocate64(int file, int mode, off64_t offset, off64_t length) SIZE(fallocate64, file, mode, offset, length)

int posix_fallocate(int file, off_t offset, off_t length) {
  int error = size_error(file);
  return error ? error : REAL(posix_fallocate, file, offset, length);
}
int posix_fallocate64(int file, off64_t offset, off64_t length) {
  int error = size_error(file);
  return error ? error : REAL(posix_fallocate64, file, offset, length);
}

int unlink(const char *path) { return may_name(path) ? -1 : REAL(unlink, path); }
int rename(const char *from, const char *to) { return may_name(from) ? -1 : REAL(rename, from, to); }
int link(const char *from, const char *to) { return may_name(to) ? -1 : REAL(link, from, to); }
int mkdir(const char *path, mode_t mode) { return may_name(path) ? -1 : REAL(mkdir, path, mode); }
