#include "dataplane/tcp/flow_table.h"

#include <bit>

#include "dataplane/base/check.h"

namespace brink::tcp {

std::uint32_t FlowTable::slot_count(std::uint32_t flows) noexcept {
  return std::bit_ceil(flows < 8 ? 16U : flows * 2);
}

FlowTable::FlowTable(std::span<Slot> slots, const base::HashKey& secret) noexcept
    : slots_(slots), mask_(static_cast<std::uint32_t>(slots.size()) - 1), secret_(secret) {
  CHECK(std::has_single_bit(slots.size()));
  for (Slot& slot : slots_) slot = {0, 0};
}

void FlowTable::insert(std::uint32_t hash, Flow flow) noexcept {
  CHECK(flow.kind != FlowKind::kNone && size_ < slots_.size() / 2);
  std::uint32_t at = hash & mask_;
  while (slots_[at].value != 0) at = (at + 1) & mask_;
  slots_[at] = {hash, pack(flow)};
  ++size_;
}

std::uint32_t FlowTable::position_of(std::uint32_t hash, Flow flow) const noexcept {
  std::uint32_t at = hash & mask_;
  while (slots_[at].value != pack(flow)) {
    CHECK(slots_[at].value != 0);
    at = (at + 1) & mask_;
  }
  return at;
}

void FlowTable::replace(std::uint32_t hash, Flow from, Flow to) noexcept {
  slots_[position_of(hash, from)].value = pack(to);
}

void FlowTable::erase(std::uint32_t hash, Flow flow) noexcept {
  std::uint32_t hole = position_of(hash, flow);
  --size_;
  // Entries behind the hole move back, unless that would put them before their home.
  for (std::uint32_t at = (hole + 1) & mask_; slots_[at].value != 0; at = (at + 1) & mask_) {
    const std::uint32_t home = slots_[at].hash & mask_;
    if (((at - home) & mask_) >= ((at - hole) & mask_)) {
      slots_[hole] = slots_[at];
      hole = at;
    }
  }
  slots_[hole] = {0, 0};
}

}  // namespace brink::tcp
