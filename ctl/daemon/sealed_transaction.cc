#include "ctl/daemon/sealed_transaction.h"

#include <chrono>

#include "dataplane/ipc/sealed_memory.h"

namespace brink::ctl::daemon {

std::uint64_t unix_now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

base::Result<publish::Sealed> seal(snapshot::TransactionEncoder& encoder, std::uint64_t from,
                                   const publish::EdgeState& to) {
  const auto bytes = encoder.finish(from, to.version, unix_now_ns(), to.token);
  auto memfd = ipc::SealedMemory::make(bytes);
  if (!memfd) return memfd.error();
  return publish::Sealed{std::move(memfd).value(), to, bytes.size()};
}

}  // namespace brink::ctl::daemon
