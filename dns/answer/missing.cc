#include "dns/answer/missing.h"

#include <algorithm>

#include "dns/answer/denial_name.h"

namespace brink::dns::answer {
namespace {

using snapshot::DenialChain;
using snapshot::DenialKey;
using snapshot::DenialKind;
using snapshot::NameKey;
using snapshot::Record;
using snapshot::View;

constexpr std::uint8_t kAsterisk = '*';

}  // namespace

DenialKey& MissingNames::ask(const DenialChain& chain) noexcept {
  DenialKey& key = keys_[asked_];
  questions_[asked_++] = {&chain, &key, {}};
  return key;
}

void MissingNames::foresee(const View& view, Slot& slot) noexcept {
  const snapshot::Lookup& found = slot.found;
  slot.foreseen.count = 0;
  if (found.encloser == nullptr) return;
  if ((found.encloser->flags & snapshot::kCut) != 0) return foresee_referral(view, slot);
  if (found.record != nullptr || (found.encloser->flags & snapshot::kRedirect) != 0) return;
  const snapshot::ZoneState& state = view.zone(*found.encloser);
  slot.sources[slot.source_count++] = View::negative_area(state, slot.query.dnssec_ok);
  if (!slot.query.dnssec_ok) return;
  const DenialChain* chain = View::chain(state);
  if (chain == nullptr) return;
  const NameKey& name = slot.key;
  const std::size_t apex_size = found.encloser->apex_size;
  const std::uint8_t* closest = name.bytes + name.size - found.closest_size;
  const bool below_apex = apex_denial(state, found) != nullptr;
  if (chain->kind == DenialKind::kNsec) {
    snapshot::set_denial_key(ask(*chain), name.bytes, name.size, apex_size);
    slot.foreseen.count = 1;
    if (below_apex) return;
    DenialKey& wildcard = ask(*chain);
    snapshot::set_denial_key(wildcard, closest, found.closest_size, apex_size);
    snapshot::append_denial_label(wildcard, &kAsterisk, 1);
    slot.foreseen.count = 2;
    return;
  }
  if (chain->iterations != 0) return;  // no time to be won
  const WireName closest_name(closest, found.closest_size);
  const WireName next = next_closer({name.bytes, name.size}, found.closest_size);
  const auto salt = snapshot::denial_salt(*chain);
  constexpr std::uint8_t kWildcardLabel[] = {1, kAsterisk};
  const std::size_t longest = std::max(next.size(), closest_name.size() + sizeof kWildcardLabel);
  if (longest + salt.size() > Nsec3Batch::kSizeMax) return;
  if (below_apex) {
    hashes_.add({}, next, salt, ask(*chain));
    slot.foreseen.count = 1;
    return;
  }
  hashes_.add({}, closest_name, salt, ask(*chain));
  hashes_.add({}, next, salt, ask(*chain));
  hashes_.add(kWildcardLabel, closest_name, salt, ask(*chain));
  slot.foreseen.count = 3;
}

// With the DS set, or the proof that there is none (RFC 4035 3.1.4).
void MissingNames::foresee_referral(const View& view, Slot& slot) noexcept {
  const Record& cut = *slot.found.encloser;
  if (!slot.query.dnssec_ok || view.signed_blob(cut, wire::kTypeDs) != nullptr) return;
  const DenialChain* chain = View::chain(view.zone(cut));
  if (chain == nullptr) return;
  const WireName name(view.name_bytes(cut), cut.name_size);
  if (chain->kind == DenialKind::kNsec) {
    snapshot::set_denial_key(ask(*chain), name.data(), name.size(), cut.apex_size);
  } else {
    const auto salt = snapshot::denial_salt(*chain);
    if (chain->iterations != 0 || name.size() + salt.size() > Nsec3Batch::kSizeMax) return;
    hashes_.add({}, name, salt, ask(*chain));
  }
  slot.foreseen.count = 1;
}

void MissingNames::look_up(const View& view, std::span<Slot* const> slots, std::size_t missing,
                           bool expected) noexcept {
  const auto names = slots.first(missing);
  if (!expected) {
    for (Slot* slot : names) expect(view, *slot);
    for (const Slot* slot : names) view.prefetch_record(view.candidate(slot->parent_hash));
  }
  for (Slot* slot : names) slot->found = view.lookup(slot->key, slot->parent_hash);
  for (const Slot* slot : slots) {
    if (slot->found.encloser == nullptr) continue;
    const Record& encloser = *slot->found.encloser;
    view.prefetch_zone(encloser);
    if ((encloser.flags & snapshot::kCut) != 0) View::prefetch(view.rrsets_area(encloser, true));
  }
  for (const Slot* slot : slots) {
    if (slot->found.encloser == nullptr) continue;
    view.prefetch_zone_state(*slot->found.encloser);
  }
  asked_ = 0;
  for (Slot* slot : slots) foresee(view, *slot);
  if (asked_ == 0) return;
  hashes_.finish();
  view.find_denials({questions_.data(), asked_});
  std::size_t at = 0;
  for (Slot* slot : slots) {
    for (std::uint8_t i = 0; i < slot->foreseen.count; ++i) {
      const snapshot::DenialHit& hit = questions_[at++].hit;
      slot->foreseen.hits[i] = hit;
      slot->sources[slot->source_count++] = View::denial_area(hit);
    }
  }
}

}  // namespace brink::dns::answer
