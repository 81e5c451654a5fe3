#include "l7/origin/origin_table.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "dataplane/base/check.h"

namespace brink::l7::origin {

std::size_t OriginTable::record_count(std::uint32_t max_connections) noexcept {
  return 2 * std::bit_ceil(std::max<std::size_t>(max_connections, kWays));
}

OriginTable::OriginTable(std::span<OriginRecord> records, const base::HashKey& key) noexcept
    : records_(records), key_(key) {
  CHECK(records.size() >= kWays && std::has_single_bit(records.size()));
}

std::uint32_t OriginTable::find(const base::Endpoint& endpoint, base::Time now) noexcept {
  alignas(16) std::uint8_t bytes[32] = {};
  std::memcpy(bytes, endpoint.address.bytes().data(), 16);
  std::memcpy(bytes + 16, &endpoint.port, sizeof endpoint.port);
  const std::size_t sets = records_.size() / kWays;
  const std::size_t first = (base::keyed_hash(key_, bytes, 18) & (sets - 1)) * kWays;
  std::size_t victim = records_.size();
  for (std::size_t i = first; i < first + kWays; ++i) {
    OriginRecord& record = records_[i];
    if (record.endpoint == endpoint) {
      record.used = now;
      return static_cast<std::uint32_t>(i);
    }
    if (record.is_held()) continue;
    if (victim == records_.size() || record.used < records_[victim].used) victim = i;
  }
  if (victim == records_.size()) return kNone;
  records_[victim] = {};
  records_[victim].endpoint = endpoint;
  records_[victim].used = now;
  return static_cast<std::uint32_t>(victim);
}

}  // namespace brink::l7::origin
