#include "dataplane/snapshot/zone_state.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/bytes.h"
#include "dataplane/base/check.h"
#include "dataplane/snapshot/view.h"

namespace brink::snapshot {
namespace {

constexpr std::uint16_t kOwnerPointer = 0xc00c;
constexpr std::size_t kRecordFixed = 12;  // owner pointer, type, class, TTL, data length

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
  if (const BlobHeader* denial = View::apex_denial_blob(state); denial != nullptr) {
    contents.apex_denial = bytes_of(*denial);
  }
  if (const Tree* table = View::table(state); table != nullptr) contents.table = *table;
  return contents;
}

std::vector<std::uint8_t> apex_denial_of(const DenialReader& reader, const DenialChain& chain) {
  if (chain.kind != DenialKind::kNsec) return {};
  DenialKey wildcard;
  wildcard.size = 0;
  append_denial_label(wildcard, reinterpret_cast<const std::uint8_t*>("*"), 1);
  bool exact = false;
  const DenialEntry* entry = reader.find(chain, wildcard, exact);
  if (entry == nullptr || entry->key_size != 0) return {};
  const BlobHeader& blob = denial_blob(*entry);
  // Its owners are the apex: no labels, and fix-ups for nothing else.
  if (blob.fixup_count != blob.body_count) return {};
  const std::uint8_t* const body = blob_body(blob);
  std::vector<std::uint8_t> out(sizeof blob + ((blob.body_size + 1U) & ~1U));
  const BlobHeader header{blob.body_size, 0, 0, blob.body_count, 0, 0, 0, 0};
  std::memcpy(out.data(), &header, sizeof header);
  std::uint8_t* const to = out.data() + sizeof header;
  std::memcpy(to, body, blob.body_size);
  std::size_t at = 0;
  for (const Fixup& fixup : blob_fixups(blob)) {
    if (fixup.offset != at || (fixup.kind_and_target & kFixupTargetMask) != 0) return {};
    base::store_be16(to + at, kOwnerPointer);
    at += kRecordFixed + base::load_be16(body + at + kRecordFixed - 2);
  }
  return out;
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
