#include "dataplane/secret/key_file.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "dataplane/base/unique_fd.h"

namespace brink::secret {
namespace {

constexpr std::size_t kTextSize = 65;  // 64 hex digits and the newline

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

base::Error fault(const std::string& path, const std::string& what, const std::string& remedy) {
  return {"the key file " + what, path, remedy};
}

base::Result<Key> parse(const std::string& path, std::string_view text) {
  Key key;
  if (text.ends_with('\n')) text.remove_suffix(1);
  const auto bad = [&] {
    return fault(path, "does not hold 64 lower-case hex digits", "put back the one that was made");
  };
  if (text.size() != 2 * key.bytes.size()) return bad();
  for (std::size_t i = 0; i < key.bytes.size(); ++i) {
    const int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return bad();
    key.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return key;
}

base::Result<Key> read(const std::string& path, int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    return fault(path, "is not a regular file", "name another with the setting key-file");
  }
  if ((status.st_mode & 077) != 0) {
    return fault(path, "can be read or written by others than its owner", "chmod 600 " + path);
  }
  char text[kTextSize + 1];
  const ssize_t size = ::read(fd, text, sizeof text);
  if (size < 0) return fault(path, std::string("cannot be read: ") + std::strerror(errno), "");
  auto key = parse(path, {text, static_cast<std::size_t>(size)});
  OPENSSL_cleanse(text, sizeof text);
  return key;
}

// Written whole under another name first: a crash leaves either no key file or a good one.
base::Result<Key> create(const std::string& path, const Entropy& entropy) {
  Key key;
  entropy(key.bytes);
  std::string text;
  for (const std::uint8_t octet : key.bytes) {
    text += "0123456789abcdef"[octet >> 4];
    text += "0123456789abcdef"[octet & 15];
  }
  text += '\n';
  const std::string draft = path + ".new";
  ::unlink(draft.c_str());
  const base::UniqueFd fd(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  const bool written = fd.get() >= 0 &&
                       ::write(fd.get(), text.data(), text.size()) == ssize_t(text.size()) &&
                       ::fsync(fd.get()) == 0 && ::rename(draft.c_str(), path.c_str()) == 0;
  const int reason = errno;
  OPENSSL_cleanse(text.data(), text.size());
  if (written) return key;
  ::unlink(draft.c_str());
  return fault(path, std::string("cannot be made: ") + std::strerror(reason),
               "make its folder and let brink-control write there");
}

}  // namespace

base::Result<Key> load_key(const std::string& path, bool may_create, const Entropy& entropy) {
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() >= 0) return read(path, fd.get());
  if (errno != ENOENT) {
    return fault(path, std::string("cannot be opened: ") + std::strerror(errno),
                 "check its owner and folder");
  }
  if (may_create) return create(path, entropy);
  return fault(path, "is lost, and the store was used with it",
               "put the file back from a backup; without it the secrets of the store cannot be "
               "read");
}

Sha256 fingerprint(const Key& key) {
  std::string text = "brink key fingerprint ";
  text.append(reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size());
  const Sha256 digest = sha256(text);
  OPENSSL_cleanse(text.data(), text.size());
  return digest;
}

}  // namespace brink::secret
