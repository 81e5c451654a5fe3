#include "ctl/store/store_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>

namespace brink::ctl::store {

base::Result<base::UniqueFd> lock_store(const std::string& path) {
  const std::string name = path + ".lock";
  base::UniqueFd file(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file.get() >= 0 && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  if (errno == EWOULDBLOCK) {
    return base::Error{"another brink-control uses the record store", path, "stop it first"};
  }
  return base::Error{"the record store cannot be locked: " + name + ": " + std::strerror(errno),
                     path, "check that the folder exists and is writable"};
}

}  // namespace brink::ctl::store
