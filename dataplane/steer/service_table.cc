#include "dataplane/steer/service_table.h"

namespace brink::steer {

bool ServiceTable::add(const base::IpAddress& address, Services services) noexcept {
  std::size_t slot = slot_of(address);
  while (entries_[slot].services != kServiceNone && entries_[slot].address != address) {
    slot = (slot + 1) % kSlots;
  }
  if (entries_[slot].services == kServiceNone) {
    if (count_ == kServiceAddressesMax) return false;
    ++count_;
    entries_[slot].address = address;
    const std::uint8_t last = address.bytes()[15];
    last_octets_[last / 64] |= std::uint64_t{1} << (last % 64);
  }
  entries_[slot].services = static_cast<Services>(entries_[slot].services | services);
  return true;
}

}  // namespace brink::steer
