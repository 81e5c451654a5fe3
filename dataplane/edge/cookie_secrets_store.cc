#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "dataplane/base/unique_fd.h"
#include "dataplane/edge/cookie_secrets.h"

namespace brink::edge {
namespace {

using dns::guard::CookieSecrets;
using dns::guard::SipKey;

// Tells secrets apart for people and tells nothing of them.
std::string mark_of(const SipKey& key) {
  constexpr std::uint8_t kMarked[] = {'m', 'a', 'r', 'k'};
  char text[9];
  std::snprintf(text, sizeof text, "%08x",
                static_cast<unsigned>(dns::guard::siphash24(key, kMarked)));
  return text;
}

base::Error system_error(const char* what, const std::string& path) {
  return {std::string(what) + ": " + std::strerror(errno), path,
          "let brink-edge write there, or change the file yourself and reload it"};
}

bool write_whole(int fd, const std::string& text) {
  return ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
         ::fsync(fd) == 0;
}

// What a step makes of the secrets.
base::Result<CookieSecrets> after(CookieStep step, CookieSecrets secrets, const SipKey& added) {
  const auto end = secrets.keys.begin() + secrets.count;
  if (step == CookieStep::kAdd) {
    if (std::find(secrets.keys.begin(), end, added) != end) {
      return base::Error{"this secret is there already", "mark " + mark_of(added), "give another"};
    }
    if (secrets.count == dns::guard::kSecretsMax) {
      return base::Error{"there are three secrets already", "", "drop the oldest first"};
    }
    secrets.keys[secrets.count++] = added;
    return secrets;
  }
  if (secrets.count < 2) {
    return base::Error{"there is only one secret", "", "add one first"};
  }
  if (step == CookieStep::kActivate) {
    std::rotate(secrets.keys.begin(), end - 1, end);
  } else {
    secrets.keys[--secrets.count] = {};
  }
  return secrets;
}

}  // namespace

base::Result<void> write_cookie_secrets(const std::string& path, const CookieSecrets& secrets) {
  struct stat present {};
  if (::stat(path.c_str(), &present) != 0) return system_error("cannot read", path);
  std::string text = "# Secrets of DNS cookies: the first makes them, all are taken.\n";
  for (std::size_t i = 0; i < secrets.count; ++i) {
    for (const std::uint8_t octet : secrets.keys[i]) {
      char digits[3];
      std::snprintf(digits, sizeof digits, "%02x", octet);
      text += digits;
    }
    text += "\n";
  }
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  const base::UniqueFd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  const bool written = fd.valid() && ::fchown(fd.get(), present.st_uid, present.st_gid) == 0 &&
                       ::fchmod(fd.get(), present.st_mode & 07777) == 0 &&
                       write_whole(fd.get(), text) && ::rename(fresh.c_str(), path.c_str()) == 0;
  if (written) return {};
  base::Error error = system_error("cannot write", fresh);
  ::unlink(fresh.c_str());
  return error;
}

base::Result<std::unique_ptr<CookieSecretsStore>> CookieSecretsStore::open(std::string path,
                                                                           rte_rcu_qsbr* rcu) {
  const auto secrets = path.empty() ? draw_cookie_secret() : read_cookie_secrets(path);
  if (!secrets) return secrets.error();
  std::unique_ptr<CookieSecretsStore> store(new CookieSecretsStore(std::move(path), rcu));
  store->publish(secrets.value());
  return store;
}

base::Result<std::string> CookieSecretsStore::apply(CookieStep step, const SipKey& secret) {
  if (step == CookieStep::kShow) return text();
  if (path_.empty()) {
    return base::Error{"the secret was drawn when brink-edge started", "dns.cookie-secret-file",
                       "name a file there, with the same secrets on every node"};
  }
  // Whoever changed the file meant it: steps start from what it says.
  auto secrets = read_cookie_secrets(path_);
  if (!secrets) return secrets.error();
  if (step != CookieStep::kReload) {
    secrets = after(step, secrets.value(), secret);
    if (!secrets) return secrets.error();
    if (auto written = write_cookie_secrets(path_, secrets.value()); !written) {
      return written.error();
    }
  }
  publish(secrets.value());
  return text();
}

std::string CookieSecretsStore::text() const {
  const CookieSecrets& current = *published_.current();
  std::string text = "makes " + mark_of(current.keys[0]);
  for (std::size_t i = 1; i < current.count; ++i) {
    text += (i == 1 ? ", also takes " : " and ") + mark_of(current.keys[i]);
  }
  return text + (path_.empty() ? "; drawn at the start" : "; from " + path_);
}

}  // namespace brink::edge
