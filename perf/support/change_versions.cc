#include "perf/support/change_versions.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "dataplane/base/unique_fd.h"

namespace brink::perf {

base::Result<ChangeVersions> ChangeVersions::open(const std::string& path) {
  const auto fault = [&](const char* what) {
    return base::Error{std::string(what) + ": " + std::strerror(errno), path, ""};
  };
  constexpr std::size_t kSize = kSlots * sizeof(Slot);
  const base::UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid() || ::ftruncate(fd.get(), kSize) != 0) return fault("cannot make it");
  void* at = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (at == MAP_FAILED) return fault("cannot map it");
  static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
  return ChangeVersions(static_cast<Slot*>(at));
}

}  // namespace brink::perf
