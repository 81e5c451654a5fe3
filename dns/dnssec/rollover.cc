#include "dns/dnssec/rollover.h"

#include <algorithm>

#include "dataplane/base/check.h"

namespace brink::dns::dnssec {
namespace {

bool has_ds(Role role) {
  return role != Role::kZsk;
}

bool signs_data(Role role) {
  return role != Role::kKsk;
}

// How long caches may hold what was replaced (RFC 7583 2).
struct Waits {
  UnixTime dnskey, zone, ds;

  explicit Waits(const RolloverPolicy& policy)
      : dnskey(UnixTime{policy.propagation_s} + policy.dnskey_ttl_s),
        zone(UnixTime{policy.propagation_s} + policy.resign_s +
             std::max(policy.zone_ttl_max_s, policy.dnskey_ttl_s)),
        ds(UnixTime{policy.parent_propagation_s} + policy.parent_ds_ttl_s) {}
};

bool is_any_in(const KeySet& set, KeyState state) {
  return std::any_of(set.keys.begin(), set.keys.end(),
                     [state](const Key& key) { return key.state == state; });
}

void enter(Key& key, KeyState state, UnixTime now) {
  key.state = state;
  key.since = now;
}

void observe_parent(KeySet& set, const Wire& apex, UnixTime now, const std::vector<Wire>& parent) {
  for (Key& key : set.keys) {
    const bool shown =
        has_ds(key.role) && std::any_of(parent.begin(), parent.end(), [&](const Wire& ds) {
          return ds_matches(apex, key.dnskey, ds);
        });
    if (shown == key.ds_shown) continue;
    key.ds_shown = shown;
    key.ds_since = now;
  }
  if (!parent.empty()) {
    set.no_ds_since.reset();
  } else if (!set.no_ds_since.has_value()) {
    set.no_ds_since = now;
  }
}

// When a key may leave its state; empty: that depends on others, or on the parent. `by_parent`: the
// step must have looked at the parent.
struct Due {
  std::optional<UnixTime> at;
  bool by_parent = false;
};

Due due_of_published(const Key& key, const KeySet& set, const Waits& waits) {
  // The first keys of a zone: caches hold what was unsigned.
  const bool first = key.with_set && !is_any_in(set, KeyState::kActive);
  return {key.since + (first ? std::max(waits.zone, waits.dnskey) : waits.dnskey)};
}

Due due_of_ready(const Key& key, const Waits& waits) {
  if (!has_ds(key.role) || !key.ds_shown) return {};  // a ZSK goes on with its KSK
  return {std::max(key.since, key.ds_since + waits.ds), true};
}

// The end of state kRetired of this key alone.
Due due_of_retired(const Key& key, const Waits& waits) {
  Due due{key.since};
  if (signs_data(key.role) && !key.with_set) due.at = key.since + waits.zone;
  if (!has_ds(key.role)) return due;
  if (key.ds_shown) return {};
  return {std::max(*due.at, key.ds_since + waits.ds), true};
}

Due due_of(const Key& key, const KeySet& set, const Waits& waits) {
  switch (key.state) {
    case KeyState::kPresigned:
      return {key.since + waits.zone};
    case KeyState::kPublished:
      return due_of_published(key, set, waits);
    case KeyState::kReady:
      return due_of_ready(key, waits);
    case KeyState::kActive:
      return {};
    case KeyState::kRetired:
      return due_of_retired(key, waits);
    case KeyState::kWithdrawn:
      return {key.since + waits.dnskey};
  }
  return {};
}

// Makes `key` the one in use, and retires the one it replaces; or its whole set the old one.
void activate(KeySet& set, const Key& key, UnixTime now) {
  const Role role = key.role;
  const bool with_set = key.with_set;
  const std::string id = key.id;
  for (Key& other : set.keys) {
    if (other.state == KeyState::kActive && (with_set || other.role == role)) {
      other.with_set = with_set;
      enter(other, KeyState::kRetired, now);
    } else if (other.id == id || (with_set && other.state == KeyState::kReady)) {
      other.with_set = false;
      enter(other, KeyState::kActive, now);
    }
  }
}

bool is_due(const Due& due, UnixTime now, bool looked) {
  return due.at.has_value() && *due.at <= now && (looked || !due.by_parent);
}

// Keys that come or go with their set change their state together, when the last of them is due.
bool move_group(KeySet& set, KeyState from, KeyState to, const Waits& waits, UnixTime now,
                bool looked) {
  const auto is_of_group = [from](const Key& key) { return key.with_set && key.state == from; };
  for (const Key& key : set.keys) {
    if (is_of_group(key) && !is_due(due_of(key, set, waits), now, looked)) return false;
  }
  for (Key& key : set.keys) {
    if (is_of_group(key)) enter(key, to, now);
  }
  return true;
}

enum class Move : std::uint8_t { kNone, kDone, kRemove };

// What becomes of a key whose time has come.
Move move_on(KeySet& set, Key& key, const Waits& waits, UnixTime now, bool looked) {
  const auto move_set = [&](KeyState to) {
    return move_group(set, key.state, to, waits, now, looked) ? Move::kDone : Move::kNone;
  };
  switch (key.state) {
    case KeyState::kPresigned:
      return move_set(KeyState::kPublished);
    case KeyState::kPublished:
      if (key.with_set) return move_set(KeyState::kReady);
      if (has_ds(key.role)) {
        enter(key, KeyState::kReady, now);
      } else {
        activate(set, key, now);
      }
      return Move::kDone;
    case KeyState::kReady:
      activate(set, key, now);
      return Move::kDone;
    case KeyState::kActive:
      return Move::kNone;
    case KeyState::kRetired:
      return key.with_set ? move_set(KeyState::kWithdrawn) : Move::kRemove;
    case KeyState::kWithdrawn:
      return Move::kRemove;
  }
  return Move::kNone;
}

// One move of one key; false: there is none to make.
bool advance(Step& out, const Waits& waits, UnixTime now, bool looked) {
  for (std::size_t i = 0; i < out.set.keys.size(); ++i) {
    Key& key = out.set.keys[i];
    if (!is_due(due_of(key, out.set, waits), now, looked)) continue;
    const Move move = move_on(out.set, key, waits, now, looked);
    if (move == Move::kNone) continue;
    if (move == Move::kRemove) {
      out.removed.push_back(key.id);
      out.set.keys.erase(out.set.keys.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return true;
  }
  return false;
}

bool is_steady(const KeySet& set) {
  return std::all_of(set.keys.begin(), set.keys.end(),
                     [](const Key& key) { return key.state == KeyState::kActive; });
}

// Whether the keys in use are not those that the policy asks for.
bool is_other_set(const KeySet& set, const RolloverPolicy& policy) {
  return std::any_of(set.keys.begin(), set.keys.end(), [&](const Key& key) {
    return dnskey_algorithm(key.dnskey) != static_cast<std::uint8_t>(policy.algorithm) ||
           (key.role == Role::kCsk) == policy.split;
  });
}

void create_set(Step& out, const RolloverPolicy& policy, KeyState state) {
  const std::vector<Role> roles =
      policy.split ? std::vector{Role::kKsk, Role::kZsk} : std::vector{Role::kCsk};
  for (const Role role : roles) {
    out.create.push_back({role, policy.algorithm, policy.rsa_bits, state, true});
  }
  out.set.roll_ksk = out.set.roll_zsk = false;  // everything is new
}

// When the successor of an active key is due to be made; empty: never.
std::optional<UnixTime> end_of_life(const Key& key, const RolloverPolicy& policy,
                                    const Waits& waits) {
  const std::uint32_t lifetime = has_ds(key.role) ? policy.ksk_lifetime_s : policy.zsk_lifetime_s;
  if (lifetime == 0) return std::nullopt;
  // It is made so early that the successor may take over in time, if only the clock decides.
  return key.since + std::max<UnixTime>(0, lifetime - waits.dnskey);
}

// The only key of its role, and in use: what may be rolled over.
bool is_alone(const Key& key, const KeySet& set) {
  return key.state == KeyState::kActive &&
         std::count_if(set.keys.begin(), set.keys.end(),
                       [&](const Key& other) { return other.role == key.role; }) == 1;
}

void create_keys(Step& out, const RolloverPolicy& policy, const Waits& waits, UnixTime now) {
  if (out.set.keys.empty()) return create_set(out, policy, KeyState::kPublished);
  if (std::any_of(out.set.keys.begin(), out.set.keys.end(),
                  [](const Key& key) { return key.with_set; })) {
    return;
  }
  if (is_other_set(out.set, policy)) {
    if (is_steady(out.set)) create_set(out, policy, KeyState::kPresigned);
    return;
  }
  for (const Key& key : out.set.keys) {
    if (!is_alone(key, out.set)) continue;
    bool& asked = has_ds(key.role) ? out.set.roll_ksk : out.set.roll_zsk;
    const auto end = end_of_life(key, policy, waits);
    if (!asked && (!end.has_value() || *end > now)) continue;
    out.create.push_back(
        {key.role, policy.algorithm, policy.rsa_bits, KeyState::kPublished, false});
    asked = false;
  }
}

void leave(Step& out, const Waits& waits, UnixTime now, bool looked) {
  out.set.roll_ksk = out.set.roll_zsk = false;
  if (!looked || !out.set.no_ds_since.has_value() || *out.set.no_ds_since + waits.ds > now) return;
  for (const Key& key : out.set.keys) out.removed.push_back(key.id);
  out.set.keys.clear();
}

void describe_records(Step& out, const RolloverPolicy& policy, const Wire& apex) {
  out.dnskey = {kTypeDnskey, policy.dnskey_ttl_s, {}};
  out.cds = {kTypeCds, policy.dnskey_ttl_s, {}};
  out.cdnskey = {kTypeCdnskey, policy.dnskey_ttl_s, {}};
  for (const Key& key : out.set.keys) {
    const KeyUse use = use_of(key, out.set, policy.sign);
    out.uses.push_back(use);
    if (use.in_dnskey) out.dnskey.rdata.push_back(key.dnskey);
    if (!use.in_cds) continue;
    out.cds.rdata.push_back(ds_rdata(apex, key.dnskey, policy.cds_digest));
    out.cdnskey.rdata.push_back(key.dnskey);
  }
  if (policy.sign || out.set.keys.empty()) return;
  out.cds.rdata = {cds_delete_rdata()};
  out.cdnskey.rdata = {cdnskey_delete_rdata()};
}

bool waits_for_parent(const Step& out, bool sign) {
  if (!sign) return !out.set.keys.empty() && !out.set.no_ds_since.has_value();
  for (std::size_t i = 0; i < out.set.keys.size(); ++i) {
    const Key& key = out.set.keys[i];
    if (out.uses[i].in_cds && !key.ds_shown) return true;
    if (key.state == KeyState::kRetired && key.ds_shown) return true;
  }
  return false;
}

std::optional<UnixTime> next_event(const Step& out, const RolloverPolicy& policy,
                                   const Waits& waits, UnixTime now) {
  std::optional<UnixTime> next;
  const auto take = [&](std::optional<UnixTime> at) {
    if (at.has_value() && (!next.has_value() || *at < *next)) next = std::max(*at, now);
  };
  if (!policy.sign) {
    if (!out.set.keys.empty() && out.set.no_ds_since.has_value()) {
      take(*out.set.no_ds_since + waits.ds);
    }
    return next;
  }
  for (const Key& key : out.set.keys) {
    // A ZSK of a set that goes is due at once, and waits for its KSK.
    const bool follows = key.state == KeyState::kRetired && key.with_set && !has_ds(key.role);
    if (!follows) take(due_of(key, out.set, waits).at);
    if (out.create.empty() && is_alone(key, out.set)) {
      const auto end = end_of_life(key, policy, waits);
      if (end.has_value() && *end > now) take(end);
    }
  }
  return next;
}

}  // namespace

std::uint16_t flags_of(Role role) {
  return has_ds(role) ? kFlagsKsk : kFlagsZsk;
}

KeyUse use_of(const Key& key, const KeySet& set, bool sign) {
  KeyUse use;
  use.in_dnskey = key.state != KeyState::kPresigned && key.state != KeyState::kWithdrawn;
  use.signs_dnskey = use.in_dnskey && has_ds(key.role);
  use.signs_cds = has_ds(key.role);
  use.signs_zone = signs_data(key.role) && (key.with_set || key.state == KeyState::kActive);
  // RFC 7344 4: what the parent's DS RRset ought to become, so the successor alone.
  use.in_cds = sign && has_ds(key.role) &&
               (key.state == KeyState::kReady ||
                (key.state == KeyState::kActive && !is_any_in(set, KeyState::kReady)));
  return use;
}

Step step(const KeySet& set, const RolloverPolicy& policy, const Wire& apex, UnixTime now,
          const std::optional<std::vector<Wire>>& parent_ds) {
  const Waits waits(policy);
  const bool looked = parent_ds.has_value();
  Step out;
  out.set = set;
  if (looked) observe_parent(out.set, apex, now, *parent_ds);
  if (policy.sign) {
    while (advance(out, waits, now, looked)) {
    }
    create_keys(out, policy, waits, now);
  } else {
    leave(out, waits, now, looked);
  }
  describe_records(out, policy, apex);
  // A DS that is asked for may come and go between two looks.
  if (std::any_of(out.uses.begin(), out.uses.end(), [](KeyUse use) { return use.in_cds; })) {
    out.set.no_ds_since.reset();
  }
  out.waits_for_parent = waits_for_parent(out, policy.sign);
  out.next_event = next_event(out, policy, waits, now);
  return out;
}

Key make_key(const NewKey& wanted, std::string id, Wire dnskey, UnixTime now) {
  CHECK(dnskey_algorithm(dnskey) == static_cast<std::uint8_t>(wanted.algorithm));
  Key key;
  key.id = std::move(id);
  key.role = wanted.role;
  key.state = wanted.state;
  key.since = now;
  key.with_set = wanted.with_set;
  key.ds_since = now;
  key.dnskey = std::move(dnskey);
  return key;
}

bool is_tag_taken(const KeySet& set, const Wire& dnskey) {
  return std::any_of(set.keys.begin(), set.keys.end(), [&](const Key& key) {
    return dnskey_algorithm(key.dnskey) == dnskey_algorithm(dnskey) &&
           key_tag(key.dnskey) == key_tag(dnskey);
  });
}

}  // namespace brink::dns::dnssec
