#include "ctl/dnssec/zone_keys.h"

#include <algorithm>
#include <chrono>
#include <set>

namespace brink::ctl::dnssec {
namespace {

using dns::dnssec::Key;
using dns::dnssec::KeySet;
using dns::dnssec::NewKey;
using dns::dnssec::SigningKey;
using dns::dnssec::Step;
using dns::zone::Rrset;
using dns::zone::Wire;
using model::DnssecStatus;
using store::DnssecKey;

constexpr int kRoundsMax = 8;  // of making keys within one step
constexpr int kTriesMax = 8;   // for a key tag that is not taken

// The parent is looked at after a minute, two, four... while something is waited for.
constexpr std::int64_t kLookFirst = 60'000'000, kLookWaitingMax = 3600'000'000;
constexpr std::int64_t kLookQuiet = 24 * 3600'000'000LL;

bool is_same(const std::vector<Rrset>& a, const std::vector<Rrset>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Rrset& x, const Rrset& y) {
    return x.type == y.type && x.ttl == y.ttl && x.rdata == y.rdata;
  });
}

bool is_same(const dns::dnssec::KeyUse& a, const dns::dnssec::KeyUse& b) {
  return a.in_dnskey == b.in_dnskey && a.signs_dnskey == b.signs_dnskey &&
         a.signs_cds == b.signs_cds && a.signs_zone == b.signs_zone && a.in_cds == b.in_cds;
}

// Records of an RRset in the order of their data, so that the same set is the same list.
std::vector<Rrset> apex_of(const Step& step) {
  std::vector<Rrset> apex;
  for (const Rrset& rrset : {step.dnskey, step.cds, step.cdnskey}) {
    if (rrset.rdata.empty()) continue;
    apex.push_back(rrset);
    std::sort(apex.back().rdata.begin(), apex.back().rdata.end());
  }
  return apex;
}

std::string looked_text(const ParentFound& found, const KeySet& set) {
  if (!found.ds) return "The parent could not be asked: " + found.why;
  if (found.ds->empty()) return "The parent has no DS record of the zone.";
  const auto shown =
      std::count_if(set.keys.begin(), set.keys.end(), [](const Key& key) { return key.ds_shown; });
  if (shown == 0) return "The parent has DS records of other keys alone.";
  return "The parent has DS records of " + std::to_string(shown) + " of the zone's keys.";
}

// `has_looked`: the DS that the keys say to be shown were seen just now.
DnssecStatus status_after(DnssecStatus before, const KeySet& set, bool has_looked) {
  if (before == DnssecStatus::kPendingDisabled || before == DnssecStatus::kDisabled) {
    return set.keys.empty() ? DnssecStatus::kDisabled : before;
  }
  if (!has_looked) return before;
  const bool is_shown =
      std::any_of(set.keys.begin(), set.keys.end(), [](const Key& key) { return key.ds_shown; });
  if (is_shown) return DnssecStatus::kActive;
  return set.no_ds_since ? DnssecStatus::kPending : DnssecStatus::kError;
}

}  // namespace

std::string key_context(const model::Id& key) {
  return "dnssec-key " + key.hex();
}

// What a step works on: the keys as stored, those that are not yet, and the zone's state.
struct ZoneKeys::Work {
  std::vector<DnssecKey> stored;
  std::vector<DnssecKey> made;
  std::set<std::string> removed;  // ids
  KeySet set;
  store::DnssecZone state;

  DnssecKey* find(const std::string& id) {
    for (auto* list : {&stored, &made}) {
      for (DnssecKey& key : *list) {
        if (key.key.id == id) return &key;
      }
    }
    return nullptr;
  }
};

base::Result<bool> ZoneKeys::advance(model::Zone& zone, model::Timestamp now,
                                     const std::optional<ParentFound>& found) {
  Work work;
  work.stored = keys_.of(zone.id);
  work.state = keys_.zone(zone.id);
  for (const DnssecKey& key : work.stored) {
    if (!key.spare) work.set.keys.push_back(key.key);
  }
  work.set.no_ds_since = work.state.no_ds_since;
  work.set.roll_ksk = work.state.roll_ksk;
  work.set.roll_zsk = work.state.roll_zsk;

  const model::ZoneDnssec before = zone.dnssec;
  const auto step = step_and_make(zone, now, found, work);
  if (!step) return step.error();
  const bool has_looked = found && found->ds;
  zone.dnssec.status = status_after(before.status, step.value().set, has_looked);
  const bool waited = work.state.waits_for_parent;
  write_keys(zone, step.value(), work);
  work.state.no_ds_since = step.value().set.no_ds_since;
  work.state.roll_ksk = step.value().set.roll_ksk;
  work.state.roll_zsk = step.value().set.roll_zsk;
  work.state.waits_for_parent = step.value().waits_for_parent;
  work.state.step_on.reset();
  const auto next = step.value().next_event;
  if (next) work.state.step_on = time_of(*next);
  if (found) {
    work.state.looked_on = now;
    work.state.result = looked_text(*found, step.value().set);
  }
  plan_look(zone, before != zone.dnssec || waited != work.state.waits_for_parent, found, now, work);
  if (next && *next <= seconds_of(now)) wait_for_look(found.has_value(), now, work);
  keys_.put(zone.id, work.state);
  return before != zone.dnssec;
}

base::Result<Step> ZoneKeys::step_and_make(const model::Zone& zone, model::Timestamp now,
                                           const std::optional<ParentFound>& found, Work& work) {
  const auto policy = policy_.rollover_of(zone);
  const auto parent_ds = found ? found->ds : std::nullopt;
  for (int round = 0; round < kRoundsMax; ++round) {
    Step step = dns::dnssec::step(work.set, policy, wire_of(zone.name), seconds_of(now), parent_ds);
    work.set = step.set;
    work.removed.insert(step.removed.begin(), step.removed.end());
    if (step.create.empty()) return step;
    for (const NewKey& wanted : step.create) {
      if (take_spare(wanted, now, work)) continue;
      if (auto made = make_key(wanted, now, work); !made) return made.error();
    }
  }
  return base::Error{"the keys of a zone do not come to rest", zone.name.text(),
                     "report this with the output of `brinkctl dnssec keys`"};
}

bool ZoneKeys::take_spare(const NewKey& wanted, model::Timestamp now, Work& work) {
  const auto number = static_cast<std::uint8_t>(wanted.algorithm);
  for (DnssecKey& key : work.stored) {
    if (!key.spare || key.key.role != wanted.role) continue;
    if (dns::dnssec::dnskey_algorithm(key.key.dnskey) != number) continue;
    if (dns::dnssec::is_tag_taken(work.set, key.key.dnskey)) continue;
    key.spare = false;
    key.key = dns::dnssec::make_key(wanted, key.key.id, key.key.dnskey, seconds_of(now));
    work.set.keys.push_back(key.key);
    return true;
  }
  return false;
}

base::Result<void> ZoneKeys::make_key(const NewKey& wanted, model::Timestamp now, Work& work) {
  for (int attempt = 0; attempt < kTriesMax; ++attempt) {
    const auto key = SigningKey::generate(wanted.algorithm, wanted.rsa_bits);
    if (!key) return key.error();
    const Wire dnskey = key.value().dnskey_rdata(dns::dnssec::flags_of(wanted.role));
    if (dns::dnssec::is_tag_taken(work.set, dnskey)) continue;
    DnssecKey fresh = sealed(key.value(), now);
    fresh.key = dns::dnssec::make_key(wanted, fresh.id.hex(), dnskey, seconds_of(now));
    work.set.keys.push_back(fresh.key);
    work.made.push_back(std::move(fresh));
    return {};
  }
  return base::Error{"no key with a free tag could be made", "DNSSEC", "try again"};
}

DnssecKey ZoneKeys::sealed(const SigningKey& key, model::Timestamp now) {
  DnssecKey fresh;
  fresh.id = model::Id::random(entropy_);
  fresh.created_on = now;
  std::string pem = key.to_pem();
  fresh.sealed_key = box_.seal(pem, key_context(fresh.id));
  dns::dnssec::wipe(pem);
  return fresh;
}

void ZoneKeys::write_keys(model::Zone& zone, const Step& step, Work& work) {
  bool differs = false, signs_otherwise = false;
  for (const std::string& id : work.removed) {
    const DnssecKey* key = work.find(id);
    if (key == nullptr) continue;
    differs = true;
    signs_otherwise = signs_otherwise || key->use.signs_zone;
    keys_.remove(key->id);  // one that was never stored is none
    std::erase_if(work.made, [&](const DnssecKey& made) { return made.key.id == id; });
  }
  for (std::size_t i = 0; i < step.set.keys.size(); ++i) {
    DnssecKey* key = work.find(step.set.keys[i].id);
    CHECK(key != nullptr);
    const dns::dnssec::KeyUse& use = step.uses.at(i);
    differs = differs || !is_same(key->use, use);
    signs_otherwise = signs_otherwise || key->use.signs_zone != use.signs_zone;
    key->key = step.set.keys[i];
    key->use = use;
  }
  for (const DnssecKey& key : work.made) keys_.insert(zone.id, key);
  for (const DnssecKey& key : work.stored) {
    if (!work.removed.contains(key.key.id)) keys_.update(key);
  }
  std::vector<Rrset> apex = apex_of(step);
  differs = differs || !is_same(apex, work.state.apex);
  work.state.apex = std::move(apex);
  if (differs) ++zone.dnssec.key_set;
  if (signs_otherwise) ++zone.dnssec.signing_set;
}

// News start the intervals anew.
void ZoneKeys::plan_look(const model::Zone& zone, bool has_news,
                         const std::optional<ParentFound>& found, model::Timestamp now,
                         Work& work) {
  store::DnssecZone& state = work.state;
  if (zone.dnssec.status == DnssecStatus::kDisabled) {
    state.look_on.reset();
    state.looks = 0;
    return;
  }
  if (has_news) state.looks = 0;
  const bool waits = zone.dnssec.status != DnssecStatus::kActive || state.waits_for_parent;
  if (!found && !has_news && state.look_on) return;
  std::int64_t interval = kLookQuiet;
  if (waits) {
    constexpr std::uint32_t kDoublingsMax = 6;
    interval = std::min(kLookWaitingMax, kLookFirst << std::min(state.looks, kDoublingsMax));
  }
  if (found) ++state.looks;
  state.look_on = model::Timestamp{now.micros + interval};
}

// The step that is due rests on what the parent has now: a look comes first, and the step with it.
void ZoneKeys::wait_for_look(bool has_looked, model::Timestamp now, Work& work) {
  if (!has_looked) work.state.look_on = now;
  work.state.step_on.reset();
}

base::Result<model::Id> ZoneKeys::add_spare(const model::Zone& zone, dns::dnssec::Role role,
                                            const SigningKey& key, model::Timestamp now) {
  const Wire dnskey = key.dnskey_rdata(dns::dnssec::flags_of(role));
  const auto stored = keys_.of(zone.id);
  if (stored.size() >= kKeysMax) {
    return base::Error{"the zone has as many keys as it may have", zone.name.text(),
                       "remove those that are spare"};
  }
  for (const DnssecKey& other : stored) {
    if (dns::dnssec::key_tag(other.key.dnskey) == dns::dnssec::key_tag(dnskey) &&
        dns::dnssec::dnskey_algorithm(other.key.dnskey) == dns::dnssec::dnskey_algorithm(dnskey)) {
      return base::Error{"the zone has a key with this algorithm and tag", zone.name.text(),
                         "bring another one"};
    }
  }
  DnssecKey fresh = sealed(key, now);
  fresh.key.id = fresh.id.hex();
  fresh.key.role = role;
  fresh.key.since = seconds_of(now);
  fresh.key.dnskey = dnskey;
  fresh.spare = true;
  keys_.insert(zone.id, fresh);
  return fresh.id;
}

std::optional<std::vector<Wire>> ZoneKeys::wanted_ds(const model::Zone& zone) {
  const auto state = keys_.zone(zone.id);
  for (const Rrset& rrset : state.apex) {
    if (rrset.type != dns::dnssec::kTypeCds) continue;
    const bool removes = rrset.rdata == std::vector<Wire>{dns::dnssec::cds_delete_rdata()};
    return removes ? std::vector<Wire>() : rrset.rdata;
  }
  return std::nullopt;
}

}  // namespace brink::ctl::dnssec
