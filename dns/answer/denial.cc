#include "dns/answer/denial.h"

namespace brink::dns::answer {
namespace {

using snapshot::DenialHit;
using snapshot::DenialKey;
using snapshot::DenialKind;

bool is_nsec3(const Denied& denied) noexcept {
  return denied.chain->kind == DenialKind::kNsec3;
}

}  // namespace

void Proofs::add(const Denied& denied, const DenialHit& hit) noexcept {
  if (hit.blob == nullptr) return;  // a chain without records
  for (std::size_t i = 0; i < count_; ++i) {
    if (items_[i].blob == hit.blob) return;
  }
  if (count_ < kMax) items_[count_++] = {hit.blob, denied.apex};
}

// The NSEC of the name, or the one that covers it.
void Proofs::add_nsec(const Denied& denied, WireName name) noexcept {
  DenialKey key;
  snapshot::set_denial_key(key, name.data(), name.size(), denied.apex_size);
  add(denied, view_.find_denial(*denied.chain, key));
}

DenialHit Proofs::find_nsec3(const Denied& denied, WireName name) const noexcept {
  DenialKey key;
  set_nsec3_key(key, name, *denied.chain);
  return view_.find_denial(*denied.chain, key);
}

// The NSEC3 of the name, or the one that covers it.
void Proofs::add_nsec3(const Denied& denied, WireName name) noexcept {
  add(denied, find_nsec3(denied, name));
}

// RFC 5155 7.2.1: the NSEC3 of the closest encloser, and the one that covers the next closer name.
// With opt-out the closest encloser need not have one; then the closest that has. Returns its wire
// size.
std::size_t Proofs::add_closest(const Denied& denied, WireName name,
                                std::size_t closest_size) noexcept {
  WireName next = next_closer(name, closest_size);
  for (WireName closest = parent(next);; next = closest, closest = parent(closest)) {
    const DenialHit hit = find_nsec3(denied, closest);
    if (!hit.exact && closest.size() > denied.apex_size) continue;
    add(denied, hit);
    add_nsec3(denied, next);
    return closest.size();
  }
}

void Proofs::add_no_data(const Denied& denied, WireName name) noexcept {
  if (denied.chain == nullptr) return;
  if (!is_nsec3(denied)) return add_nsec(denied, name);
  const DenialHit hit = find_nsec3(denied, name);
  if (hit.exact || name.size() <= denied.apex_size) return add(denied, hit);
  add_closest(denied, name, name.size() - 1U - name[0]);  // opted out (RFC 5155 7.2.4)
}

void Proofs::add_beside_apex(const Denied& denied, WireName name, const Foreseen& foreseen) noexcept {
  DenialHit hit = foreseen.hits[0];
  if (foreseen.count != 1) {
    DenialKey key;
    snapshot::set_denial_key(key, name.data(), name.size(), denied.apex_size);
    hit = view_.find_denial(*denied.chain, key);
  }
  // An owner without labels of its own is the apex.
  if (*snapshot::blob_body(*hit.blob) <= snapshot::kLabelMax) add(denied, hit);
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
