#include "dataplane/snapshot/zone_state.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/check.h"
#include "dataplane/snapshot/view.h"

namespace brink::snapshot {
namespace {

std::size_t units_of(std::size_t size) {
  return (size + kHeapUnit - 1) / kHeapUnit;
}

std::span<const std::uint8_t> bytes_of(const BlobHeader& blob) {
  return {reinterpret_cast<const std::uint8_t*>(&blob), blob_size(blob)};
}

}  // namespace

StateContents contents_of(const ZoneState& state) {
  StateContents contents;
  contents.serial = state.serial;
  contents.negative = bytes_of(negative_blob(state));
  if (state.signed_units != 0) {
    contents.signed_negative = bytes_of(*View::signed_negative_blob(state));
  }
  if (const DenialChain* chain = View::chain(state); chain != nullptr) {
    contents.chain = *chain;
    contents.salt = denial_salt(*chain);
  }
  if (const Tree* table = View::table(state); table != nullptr) contents.table = *table;
  return contents;
}

std::size_t state_size(const ZoneState& state) {
  if (const DenialChain* chain = View::trees(state); chain != nullptr) {
    return state.chain_units * kHeapUnit + denial_chain_size(*chain);
  }
  if (state.signed_units != 0) {
    return state.signed_units * kHeapUnit + blob_size(*View::signed_negative_blob(state));
  }
  return sizeof state + blob_size(negative_blob(state));
}

HeapRef make_state(Heap& heap, std::uint32_t birth, HeapRef previous,
                   const StateContents& contents) {
  DenialChain chain = contents.chain;
  chain.has_table = contents.table.root != 0 || contents.makes_table ? 1 : 0;
  const bool has_chain = chain.kind != DenialKind::kNone || chain.has_table != 0;
  std::size_t end = sizeof(ZoneState) + contents.negative.size();
  std::size_t signed_units = 0, chain_units = 0;
  if (!contents.signed_negative.empty()) {
    signed_units = units_of(end);
    end = signed_units * kHeapUnit + contents.signed_negative.size();
  }
  if (has_chain) {
    chain_units = units_of(end);
    end = chain_units * kHeapUnit + denial_chain_size(chain);
  }
  // Two blobs of the largest size are less.
  CHECK(chain_units <= 0xffff && signed_units <= 0xffff);
  const HeapRef ref = heap.allocate(end);
  if (ref == 0) return 0;
  std::uint8_t* const at = heap.at(ref);
  const ZoneState state{birth, previous, contents.serial, static_cast<std::uint16_t>(signed_units),
                        static_cast<std::uint16_t>(chain_units)};
  std::memcpy(at, &state, sizeof state);
  std::memcpy(at + sizeof state, contents.negative.data(), contents.negative.size());
  if (signed_units != 0) {
    std::memcpy(at + signed_units * kHeapUnit, contents.signed_negative.data(),
                contents.signed_negative.size());
  }
  if (has_chain) {
    std::uint8_t* const chain_at = at + chain_units * kHeapUnit;
    std::memset(chain_at, 0, denial_chain_size(chain));
    std::memcpy(chain_at, &chain, sizeof chain);
    std::copy(contents.salt.begin(), contents.salt.end(), chain_at + sizeof chain);
    if (chain.has_table != 0) {
      const auto& placed = *reinterpret_cast<const DenialChain*>(chain_at);
      const_cast<Tree&>(table_behind(placed)) = contents.table;
    }
  }
  return ref;
}

DenialChain* chain_of(ZoneState& state) {
  return const_cast<DenialChain*>(View::chain(state));
}

Tree* table_of(ZoneState& state) {
  return const_cast<Tree*>(View::table(state));
}

}  // namespace brink::snapshot
