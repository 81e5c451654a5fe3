#include "dataplane/snapshot/zone_state.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/check.h"
#include "dataplane/snapshot/nsec3_hash.h"
#include "dataplane/snapshot/view.h"

namespace brink::snapshot {
namespace {

std::size_t units_of(std::size_t size) {
  return (size + kHeapUnit - 1) / kHeapUnit;
}

std::span<const std::uint8_t> bytes_of(const BlobHeader& blob) {
  return {reinterpret_cast<const std::uint8_t*>(&blob), blob_size(blob)};
}

// A free-standing blob of the records of one, and of another if there is one; empty: it would be
// too large.
std::vector<std::uint8_t> joined(const BlobHeader& first, const BlobHeader* second) {
  if (second == nullptr) {
    const auto bytes = bytes_of(first);
    return {bytes.begin(), bytes.end()};
  }
  const std::size_t size = std::size_t{first.body_size} + second->body_size;
  const std::size_t count = std::size_t{first.body_count} + second->body_count;
  const std::size_t fixup_count = std::size_t{first.fixup_count} + second->fixup_count;
  if (size > kFixupTargetMax || count > 0xffff || fixup_count > 0xff) return {};
  const BlobHeader header{static_cast<std::uint16_t>(size),       0, 0,
                          static_cast<std::uint16_t>(count),      0, 0,
                          static_cast<std::uint8_t>(fixup_count), 0};
  std::vector<std::uint8_t> out(blob_size(header));
  std::uint8_t* at = out.data();
  std::memcpy(at, &header, sizeof header);
  std::memcpy(at + sizeof header, blob_body(first), first.body_size);
  std::memcpy(at + sizeof header + first.body_size, blob_body(*second), second->body_size);
  at = out.data() + out.size() - fixup_count * sizeof(Fixup);
  const auto put = [&at](Fixup fixup, std::uint16_t by) {
    const bool own = (fixup.kind_and_target & kFixupKindMask) == kFixupBlob;
    fixup.offset = static_cast<std::uint16_t>(fixup.offset + by);
    if (own) fixup.kind_and_target = static_cast<std::uint16_t>(fixup.kind_and_target + by);
    std::memcpy(at, &fixup, sizeof fixup);
    at += sizeof fixup;
  };
  for (const Fixup& fixup : blob_fixups(first)) put(fixup, 0);
  for (const Fixup& fixup : blob_fixups(*second)) put(fixup, first.body_size);
  return out;
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
  if (const BlobHeader* denial = View::apex_denial_blob(state); denial != nullptr) {
    contents.apex_denial = bytes_of(*denial);
  }
  if (const Tree* table = View::table(state); table != nullptr) contents.table = *table;
  return contents;
}

void find_apex_places(const DenialChain& chain, std::span<const std::uint8_t> apex,
                      ApexPlaces& places) {
  constexpr std::uint8_t kWildcardLabel[] = {1, '*'};
  if (chain.kind == DenialKind::kNsec3) {
    std::vector<std::uint8_t> wildcard(std::begin(kWildcardLabel), std::end(kWildcardLabel));
    wildcard.insert(wildcard.end(), apex.begin(), apex.end());
    set_nsec3_key(places.apex, apex, chain);
    set_nsec3_key(places.wildcard, wildcard, chain);
    return;
  }
  set_denial_key(places.apex, apex.data(), apex.size(), apex.size());
  places.wildcard = places.apex;
  append_denial_label(places.wildcard, kWildcardLabel + 1, 1);
}

std::vector<std::uint8_t> apex_denial_of(const DenialReader& reader, const DenialChain& chain,
                                         const ApexPlaces& places) {
  bool exact = false;
  const DenialEntry* own = reader.find(chain, places.apex, exact);
  if (own == nullptr || !exact) return {};
  const DenialEntry* covers = reader.find(chain, places.wildcard, exact);
  if (exact) return {};
  if (covers == own) return joined(denial_blob(*own), nullptr);
  // RFC 4035 3.1.3.2 asks for no NSEC of the closest encloser, so it would be one too many.
  if (chain.kind == DenialKind::kNsec) return {};
  return joined(denial_blob(*own), &denial_blob(*covers));
}

std::size_t state_size(const ZoneState& state) {
  return state.negative_units * kHeapUnit + blob_size(negative_blob(state));
}

HeapRef make_state(Heap& heap, std::uint32_t birth, HeapRef previous,
                   const StateContents& contents) {
  DenialChain chain = contents.chain;
  chain.has_table = contents.table.root != 0 || contents.makes_table ? 1 : 0;
  const bool has_chain = chain.kind != DenialKind::kNone || chain.has_table != 0;
  std::size_t end = sizeof(ZoneState);
  // Where a part of so many octets goes; 0: nowhere, there is none.
  const auto place = [&end](std::size_t size) -> std::uint16_t {
    if (size == 0) return 0;
    const std::size_t units = units_of(end);
    CHECK(units <= 0xffff);  // three blobs of the largest size are less
    end = units * kHeapUnit + size;
    return static_cast<std::uint16_t>(units);
  };
  ZoneState state{};
  state.birth = birth;
  state.previous = previous;
  state.serial = contents.serial;
  state.chain_units = place(has_chain ? denial_chain_size(chain) : 0);
  state.signed_units = place(contents.signed_negative.size());
  state.denial_units = place(contents.apex_denial.size());
  state.negative_units = place(contents.negative.size());
  const HeapRef ref = heap.allocate(end);
  if (ref == 0) return 0;
  std::uint8_t* const at = heap.at(ref);
  const auto put = [at](std::uint16_t units, std::span<const std::uint8_t> part) {
    if (units != 0) std::copy(part.begin(), part.end(), at + units * kHeapUnit);
  };
  std::memcpy(at, &state, sizeof state);
  put(state.signed_units, contents.signed_negative);
  put(state.denial_units, contents.apex_denial);
  put(state.negative_units, contents.negative);
  if (has_chain) {
    std::uint8_t* const chain_at = at + state.chain_units * kHeapUnit;
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
