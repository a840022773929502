// Files on POSIX systems.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "core/error.h"
#include "core/file.h"

namespace layernet {

namespace {

#if defined(__APPLE__)
const timespec& modified(const struct stat& s) {
  return s.st_mtimespec;
}
#else
const timespec& modified(const struct stat& s) {
  return s.st_mtim;
}
#endif

// One system call moves at most 2^31 - 1 bytes on some systems.
constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;

// How the names of temporary files end; they begin with a dot. The file's own name is no part of it: that may already
// be as long as names can be.
constexpr std::string_view kTemporary = ".layernet-tmp";

// The open file is the one that has this name now.
bool is_named(int descriptor, const std::string& path) {
  struct stat open_one, named_one;
  return ::fstat(descriptor, &open_one) == 0 && ::lstat(path.c_str(), &named_one) == 0 &&
         open_one.st_dev == named_one.st_dev && open_one.st_ino == named_one.st_ino;
}

// Writers hold a lock on their temporary file, which ends with the process, however that ends: what can be locked was
// left by a process that was killed. Where locks do not work (some network file systems), nothing is removed.
void remove_leftovers(const std::string& folder) {
  DIR* entries = ::opendir(folder.c_str());
  if (entries == nullptr) return;
  while (const dirent* entry = ::readdir(entries)) {
    const std::string_view name = entry->d_name;
    if (name.front() != '.' || name.size() <= kTemporary.size() ||
        name.substr(name.size() - kTemporary.size()) != kTemporary)
      continue;
    const std::string path = folder + "/" + entry->d_name;
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) continue;
    struct stat s;
    if (::fstat(descriptor, &s) == 0 && S_ISREG(s.st_mode) && ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 &&
        is_named(descriptor, path))
      ::unlink(path.c_str());
    ::close(descriptor);
  }
  ::closedir(entries);
}

}  // namespace

ByteSource ByteSource::open(const std::string& path) {
  ByteSource source;
  source.name_ = path;
  source.descriptor_ =
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe without a writer must not block
  if (source.descriptor_ < 0) throw IoError(errno, path);
  struct stat s;
  if (::fstat(source.descriptor_, &s) != 0) throw IoError(errno, path);
  if (S_ISDIR(s.st_mode)) throw IoError(EISDIR, path);
  if (!S_ISREG(s.st_mode)) throw FormatError(join(path, ": expected a regular file, got a device or pipe."));
  source.size_ = static_cast<std::uint64_t>(s.st_size);
  source.modified_s_ = modified(s).tv_sec;
  source.modified_ns_ = modified(s).tv_nsec;
  return source;
}

ByteSource ByteSource::copy_of(const void* data, std::size_t size) {
  ByteSource source;
  source.name_ = "bytes";
  source.bytes_.assign(static_cast<const char*>(data), size);
  source.size_ = size;
  return source;
}

ByteSource::ByteSource(ByteSource&& other) noexcept
    : name_(std::move(other.name_)),
      bytes_(std::move(other.bytes_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_),
      modified_s_(other.modified_s_),
      modified_ns_(other.modified_ns_) {}

ByteSource::~ByteSource() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void ByteSource::read_at(std::uint64_t position, void* target, std::size_t count) const {
  if (position > size_ || count > size_ - position)
    throw FormatError(
        join(name_, ": expected ", count, " bytes at ", position, ", got the end of the file at ", size_, "."));
  if (descriptor_ < 0) {
    if (count != 0) ::memcpy(target, bytes_.data() + position, count);
    return;
  }
  auto* at = static_cast<char*>(target);
  std::size_t rest = count;
  while (rest != 0) {
    const ssize_t got = ::pread(descriptor_, at, std::min(rest, kMostAtOnce), static_cast<off_t>(position));
    if (got < 0) {
      if (errno == EINTR) continue;
      throw IoError(errno, name_);
    }
    if (got == 0)
      throw FormatError(
          join(name_, ": expected ", rest, " more bytes at ", position, ", got the end: the file has become shorter."));
    at += got;
    position += static_cast<std::uint64_t>(got);
    rest -= static_cast<std::size_t>(got);
  }
}

bool ByteSource::unchanged() const noexcept {
  if (descriptor_ < 0) return true;
  struct stat s;
  return ::fstat(descriptor_, &s) == 0 && static_cast<std::uint64_t>(s.st_size) == size_ &&
         modified(s).tv_sec == modified_s_ && modified(s).tv_nsec == modified_ns_;
}

AtomicFile::AtomicFile(const std::string& path) : path_(path) {
  static std::atomic<unsigned> next{0};
  const std::size_t slash = path.rfind('/');
  folder_ = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  if (slash + 1 == path.size() || path.empty()) throw IoError(EISDIR, path);
  remove_leftovers(folder_);  // before writing: they may be what fills the disk
  // The number of another process, in a container of its own that shares the folder, may be the same: take the next.
  for (int attempt = 0; attempt < 100; ++attempt) {
    temporary_ = join(folder_, "/.", static_cast<long>(::getpid()), "-", static_cast<long>(next.fetch_add(1)),
                      std::string(kTemporary));
    descriptor_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0) {
      if (errno == EEXIST) continue;
      break;
    }
    while (::flock(descriptor_, LOCK_EX) != 0 && errno == EINTR) {
    }
    if (is_named(descriptor_, temporary_)) return;
    // Another process took the file for a leftover before it was locked.
    ::close(std::exchange(descriptor_, -1));
    errno = EEXIST;
  }
  throw IoError(errno, path_);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::fail(int number) const {
  throw IoError(number, path_);
}

void AtomicFile::write(const void* data, std::size_t size) {
  auto* at = static_cast<const char*>(data);
  while (size != 0) {
    const ssize_t written = ::write(descriptor_, at, std::min(size, kMostAtOnce));
    if (written < 0) {
      if (errno == EINTR) continue;
      fail(errno);
    }
    at += written;
    size -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail(errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(errno);
  ::close(std::exchange(descriptor_, -1));
  // The new name outlives a power failure once the folder is on the disk. Some file systems cannot flush one: not an
  // error.
  const int folder = ::open(folder_.c_str(), O_RDONLY | O_CLOEXEC);
  if (folder < 0) return;
  const int done = ::fsync(folder);
  const int number = errno;
  ::close(folder);
  if (done != 0 && number != EINVAL && number != ENOTSUP) fail(number);
}

}  // namespace layernet
