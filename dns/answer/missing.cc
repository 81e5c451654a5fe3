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
  if (!slot.query.dnssec_ok || found.record != nullptr || found.encloser == nullptr ||
      (found.encloser->flags & (snapshot::kCut | snapshot::kRedirect)) != 0) {
    return;
  }
  const snapshot::ZoneState& state = view.zone(*found.encloser);
  const DenialChain* chain = View::chain(state);
  if (chain == nullptr) return;
  const NameKey& name = slot.key;
  const std::size_t apex_size = found.encloser->apex_size;
  const std::uint8_t* closest = name.bytes + name.size - found.closest_size;
  if (chain->kind == DenialKind::kNsec) {
    snapshot::set_denial_key(ask(*chain), name.bytes, name.size, apex_size);
    slot.foreseen.count = 1;
    if (apex_denial(state, found) != nullptr) return;
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
  hashes_.add({}, closest_name, salt, ask(*chain));
  hashes_.add({}, next, salt, ask(*chain));
  hashes_.add(kWildcardLabel, closest_name, salt, ask(*chain));
  slot.foreseen.count = 3;
}

void MissingNames::look_up(const View& view, std::span<Slot* const> slots,
                           bool expected) noexcept {
  if (!expected) {
    for (Slot* slot : slots) expect(view, *slot);
    for (const Slot* slot : slots) view.prefetch_record(view.candidate(slot->parent_hash));
  }
  for (Slot* slot : slots) {
    slot->found = view.lookup(slot->key, slot->parent_hash);
    if (slot->found.encloser != nullptr) view.prefetch_zone(*slot->found.encloser);
  }
  for (const Slot* slot : slots) {
    if (slot->found.encloser == nullptr) continue;
    view.prefetch_zone_state(*slot->found.encloser, slot->query.dnssec_ok ? 8 : 3);
  }
  asked_ = 0;
  for (Slot* slot : slots) foresee(view, *slot);
  if (asked_ == 0) return;
  hashes_.finish();
  view.find_denials({questions_.data(), asked_});
  std::size_t at = 0;
  for (Slot* slot : slots) {
    for (std::uint8_t i = 0; i < slot->foreseen.count; ++i) {
      slot->foreseen.hits[i] = questions_[at++].hit;
      view.prefetch_blob(slot->foreseen.hits[i].blob);
    }
  }
}

}  // namespace brink::dns::answer
