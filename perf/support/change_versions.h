// ChangeVersions: which versions of a changing name an answer may show, shared by who changes
// (change_load) and who asks (dns_load) through a file that both map. `kSlots` hosts of a synthetic
// image change, evenly spread; each version of one has an address of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "dataplane/base/result.h"
#include "perf/support/synthetic_zones.h"

namespace brink::perf {

class ChangeVersions {
 public:
  static constexpr std::size_t kSlots = 4096;

  // Of one host: its first version, 0, is the image's.
  struct Slot {
    std::atomic<std::uint32_t> begun;   // changer: wo, asker: ro; newest that was handed over
    std::atomic<std::uint32_t> served;  // changer: wo, asker: ro; newest that was acknowledged
  };

  // Maps the file, which is made if need be and stays mapped with the process.
  static base::Result<ChangeVersions> open(const std::string& path);

  [[nodiscard]] Slot& operator[](std::size_t slot) const { return slots_[slot]; }

  static std::size_t host_of(const SyntheticOptions& options, std::size_t slot) {
    return slot * (options.names / kSlots);
  }
  // kSlots: that host never changes.
  static std::size_t slot_of(const SyntheticOptions& options, std::size_t host) {
    const std::size_t distance = options.names / kSlots;
    return host % distance == 0 && host / distance < kSlots ? host / distance : kSlots;
  }
  // The address of a host, in host byte order. Versions count from 1 to 2^20.
  static std::uint32_t address(const SyntheticOptions& options, std::size_t slot,
                               std::uint32_t version) {
    if (version == 0) return 0xc0000200U | (host_of(options, slot) & 0xff);
    return static_cast<std::uint32_t>(slot << 20) | (version & 0xfffff);
  }

 private:
  explicit ChangeVersions(Slot* slots) : slots_(slots) {}
  Slot* slots_;
};

}  // namespace brink::perf
