#include "dns/answer/denial.h"

#include <cstring>

#include "dataplane/snapshot/nsec3_hash.h"

namespace brink::dns::answer {
namespace {

using snapshot::BlobHeader;
using snapshot::DenialHit;
using snapshot::DenialKey;
using snapshot::DenialKind;

bool is_nsec3(const Denied& denied) noexcept {
  return denied.chain->kind == DenialKind::kNsec3;
}

// Whether a record of a chain is among those that a zone's state has of the same chain (layout.h).
// In that blob the pointers to the apex are the ends of owners: of NSEC3 records, or of the apex
// itself.
bool contains(const BlobHeader& said, const BlobHeader& record) noexcept {
  const std::size_t labels = snapshot::blob_fixups(record).front().offset;
  if (snapshot::blob_fixups(said).front().offset == 0) return labels == 0;
  for (const snapshot::Fixup& fixup : snapshot::blob_fixups(said)) {
    const bool is_apex = (fixup.kind_and_target & snapshot::kFixupKindMask) == snapshot::kFixupApex;
    if (!is_apex || fixup.offset < labels) continue;
    const std::uint8_t* const owner = snapshot::blob_body(said) + fixup.offset - labels;
    if (std::memcmp(owner, snapshot::blob_body(record), labels) == 0) return true;
  }
  return false;
}

}  // namespace

void Proofs::add(const Denied& denied, const DenialHit& hit) noexcept {
  if (hit.blob() == nullptr) return;  // a chain without records
  for (std::size_t i = 0; i < count_; ++i) {
    if (items_[i].blob == hit.blob()) return;
  }
  if (count_ < kMax) items_[count_++] = {hit.blob(), denied.apex};
}

// The NSEC of the name, or the one that covers it.
void Proofs::add_nsec(const Denied& denied, WireName name) noexcept {
  DenialKey key;
  snapshot::set_denial_key(key, name.data(), name.size(), denied.apex_size);
  add(denied, view_.find_denial(*denied.chain, key));
}

DenialHit Proofs::find_nsec3(const Denied& denied, WireName name) const noexcept {
  DenialKey key;
  snapshot::set_nsec3_key(key, name, *denied.chain);
  return view_.find_denial(*denied.chain, key);
}

// The NSEC3 of the name, or the one that covers it.
void Proofs::add_nsec3(const Denied& denied, WireName name) noexcept {
  add(denied, find_nsec3(denied, name));
}

// RFC 5155 7.2.1: the NSEC3 of the closest encloser, and the one that covers the next closer name.
// With opt-out the closest encloser need not have one; then the closest that has. Returns its wire
// size. `own`: what is known to be at or before the name itself.
std::size_t Proofs::add_closest(const Denied& denied, WireName name, std::size_t closest_size,
                                const DenialHit& own) noexcept {
  WireName next = next_closer(name, closest_size);
  for (WireName closest = parent(next);; next = closest, closest = parent(closest)) {
    const DenialHit hit = find_nsec3(denied, closest);
    if (!hit.exact && closest.size() > denied.apex_size) continue;
    add(denied, hit);
    const bool is_known = own.entry != nullptr && next.size() == name.size();
    add(denied, is_known ? own : find_nsec3(denied, next));
    return closest.size();
  }
}

void Proofs::add_no_data(const Denied& denied, WireName name, const Foreseen& foreseen) noexcept {
  if (denied.chain == nullptr) return;
  if (!is_nsec3(denied) && foreseen.count == 0) return add_nsec(denied, name);
  const DenialHit hit = foreseen.count == 0 ? find_nsec3(denied, name) : foreseen.hits[0];
  if (!is_nsec3(denied) || hit.exact || name.size() <= denied.apex_size) return add(denied, hit);
  add_closest(denied, name, name.size() - 1U - name[0], hit);  // opted out (RFC 5155 7.2.4)
}

void Proofs::add_below_apex(const Denied& denied, WireName name, const BlobHeader& said,
                            const Foreseen& foreseen) noexcept {
  DenialHit hit = foreseen.hits[0];
  if (foreseen.count != 1) {
    DenialKey key;
    if (is_nsec3(denied)) {
      snapshot::set_nsec3_key(key, next_closer(name, denied.apex_size), *denied.chain);
    } else {
      snapshot::set_denial_key(key, name.data(), name.size(), denied.apex_size);
    }
    hit = view_.find_denial(*denied.chain, key);
  }
  if (!contains(said, *hit.blob())) add(denied, hit);
}

void Proofs::add_no_name(const Denied& denied, WireName name, std::size_t closest_size,
                         const Foreseen& foreseen) noexcept {
  if (denied.chain == nullptr) return;
  // With opt-out the closest encloser need not be in the chain.
  const bool is_whole = foreseen.count == 2 || (foreseen.count == 3 && foreseen.hits[0].exact);
  if (is_whole) {
    for (std::size_t i = 0; i < foreseen.count; ++i) add(denied, foreseen.hits[i]);
    return;
  }
  if (!is_nsec3(denied)) {
    add_nsec(denied, name);
    return add_nsec(denied, WildcardName(name.last(closest_size)).name());
  }
  const std::size_t closest = add_closest(denied, name, closest_size);
  add_nsec3(denied, WildcardName(name.last(closest)).name());
}

void Proofs::add_wildcard(const Denied& denied, WireName name, std::size_t closest_size,
                          bool has_data) noexcept {
  if (denied.chain == nullptr) return;
  const WildcardName wildcard(name.last(closest_size));
  if (!is_nsec3(denied)) {
    add_nsec(denied, name);
    if (!has_data) add_nsec(denied, wildcard.name());
    return;
  }
  if (!has_data) {
    add_closest(denied, name, closest_size);
    return add_nsec3(denied, wildcard.name());
  }
  // RFC 5155 7.2.6: that the next closer name is not there is all.
  add_nsec3(denied, next_closer(name, closest_size));
}

bool Proofs::put(Response& response) const noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    if (!response.put_free(*items_[i].blob, Section::kAuthority, items_[i].apex)) return false;
  }
  return true;
}

}  // namespace brink::dns::answer
