#include "ctl/store/store_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>
#include <thread>

namespace brink::ctl::store {
namespace {

constexpr std::chrono::milliseconds kAskAgain{20};

}  // namespace

base::Result<base::UniqueFd> lock_store(const std::string& path,
                                        std::chrono::milliseconds patience) {
  const std::string name = path + ".lock";
  base::UniqueFd file(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  for (auto waited = std::chrono::milliseconds(0); file.valid(); waited += kAskAgain) {
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
    if (errno != EWOULDBLOCK) break;
    if (waited >= patience) {
      return base::Error{"another brink-control uses the record store", path, "stop it first"};
    }
    std::this_thread::sleep_for(kAskAgain);
  }
  return base::Error{"the record store cannot be locked: " + name + ": " + std::strerror(errno),
                     path, "check that the folder exists and is writable"};
}

}  // namespace brink::ctl::store
