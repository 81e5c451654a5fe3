#include "ctl/compile/hashed_zones.h"

#include <algorithm>
#include <utility>

namespace brink::ctl::compile {

void HashedZones::begin(std::optional<std::uint64_t> from) {
  const auto state = std::exchange(state_, std::nullopt);
  if (!state || !from || *from > *state) zones_.clear();
}

void HashedZones::end(std::uint64_t to) {
  state_ = to;
  std::size_t names = 0;
  for (const auto& [apex, zone] : zones_) names += zone.names.names().size();
  while (names > limits_.names_max) {
    const auto oldest = std::min_element(
        zones_.begin(), zones_.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    names -= oldest->second.names.names().size();
    zones_.erase(oldest);
  }
}

void HashedZones::pass(std::uint64_t from, std::uint64_t to) {
  if (state_ && *state_ >= from) state_ = std::max(*state_, to);
}

Nsec3Names* HashedZones::find(const model::Zone& zone) {
  const auto known = zones_.find(zone.name);
  if (known == zones_.end()) return nullptr;
  if (known->second.row != zone.row || known->second.opt_out != zone.dnssec.opt_out) {
    zones_.erase(known);
    return nullptr;
  }
  known->second.used = ++uses_;
  return &known->second.names;
}

void HashedZones::put(const model::Zone& zone, Nsec3Names names) {
  drop(zone.name);
  if (names.names().size() < limits_.zone_names_min) return;
  zones_.emplace(zone.name, Zone{zone.row, zone.dnssec.opt_out, ++uses_, std::move(names)});
}

}  // namespace brink::ctl::compile
