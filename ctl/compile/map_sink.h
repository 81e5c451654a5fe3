// MapSink: a ChangeSink that holds what was put into it, and refuses calls against the order and
// rules of change_sink.h. For tests.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "dataplane/snapshot/change_sink.h"
#include "dns/zone/text.h"

namespace brink::ctl::compile {

class MapSink : public snapshot::ChangeSink {
 public:
  struct Zone {
    std::uint32_t serial = 0;
    std::vector<std::uint8_t> negative, signed_negative;
    snapshot::DenialKind denies = snapshot::DenialKind::kNone;
    std::uint16_t iterations = 0;
    std::vector<std::uint8_t> salt;
    // The records of its chain, by owner.
    std::map<std::string, std::vector<std::uint8_t>> chain;
    std::map<std::string, std::vector<std::uint8_t>> table;

    [[nodiscard]] bool denies_as(const Zone& other) const {
      return denies == other.denies && iterations == other.iterations && salt == other.salt;
    }
    bool operator==(const Zone&) const = default;
  };
  struct Contents {
    std::string zone;
    std::map<std::uint16_t, std::vector<std::uint8_t>> rrsets, signed_rrsets;
    std::vector<std::uint8_t> route;
    bool cut = false, parent_side = false;
    bool operator==(const Contents&) const = default;
  };

  base::Result<void> put_zone(Name apex, const snapshot::ZoneContents& contents) override {
    if (phase_ != Phase::kZones) return refuse("a zone behind names", apex);
    current_ = lower(apex);
    is_new_ = !zones_.contains(current_);
    Zone zone{contents.serial,
              {contents.negative.begin(), contents.negative.end()},
              {contents.signed_negative.begin(), contents.signed_negative.end()},
              contents.denial.kind,
              contents.denial.iterations,
              {contents.denial.salt.begin(), contents.denial.salt.end()},
              {},
              {}};
    Zone& held = zones_[current_];
    if (zone.denies_as(held)) zone.chain = std::move(held.chain);
    zone.table = std::move(held.table);
    held = std::move(zone);
    return {};
  }

  base::Result<void> use_zone(Name apex) override {
    if (is_new_) return refuse("a new zone without its apex before", apex);
    if (!zones_.contains(lower(apex))) return refuse("no such zone", apex);
    current_ = lower(apex);
    return {};
  }

  base::Result<void> drop_zone(Name apex) override {
    if (phase_ == Phase::kFormerApexes || is_new_) return refuse("a zone dropped too late", apex);
    phase_ = Phase::kDrops;
    const std::string key = lower(apex);
    if (zones_.erase(key) == 0) return refuse("no such zone to drop", apex);
    for (const auto& [name, contents] : names_) {
      if (contents.zone == key && name != key) return refuse("a dropped zone has names left", apex);
    }
    names_.erase(key);
    former_.push_back(key);
    current_.clear();
    return {};
  }

  base::Result<void> put_name(Name name, const snapshot::NameContents& contents) override {
    const std::string key = lower(name);
    if (!zones_.contains(current_)) return refuse("a name without a zone", name);
    if (!dns::zone::is_at_or_below(key, current_)) return refuse("a name outside its zone", name);
    if (key != current_ && zones_.contains(key)) return refuse("another zone's apex", name);
    if (is_new_ && key != current_) return refuse("a name before a new zone's apex", name);
    is_new_ = false;
    if (phase_ == Phase::kZones && key != current_) phase_ = Phase::kNames;
    if (phase_ >= Phase::kDrops) {
      if (std::find(former_.begin(), former_.end(), key) == former_.end()) {
        return refuse("a name behind dropped zones", name);
      }
      phase_ = Phase::kFormerApexes;
    }
    Contents& held = names_[key] = {};
    held.zone = current_;
    for (const snapshot::Rrset& set : contents.rrsets) {
      if (!held.rrsets.emplace(set.type, set.blob).second) return refuse("a type twice", name);
      if (!set.signed_blob.empty()) held.signed_rrsets.emplace(set.type, set.signed_blob);
    }
    held.route.assign(contents.route.begin(), contents.route.end());
    held.cut = contents.cut;
    held.parent_side = contents.parent_side;
    return {};
  }

  base::Result<void> drop_name(Name name) override {
    if (phase_ >= Phase::kDrops || is_new_) return refuse("a name dropped too late", name);
    if (zones_.contains(lower(name))) return refuse("an apex dropped", name);
    phase_ = Phase::kNames;
    names_.erase(lower(name));
    return {};
  }

  base::Result<void> put_denial(Name owner, std::span<const std::uint8_t> blob) override {
    if (auto fault = check_denial(owner); !fault) return fault;
    zones_[current_].chain[lower(owner)].assign(blob.begin(), blob.end());
    return {};
  }

  base::Result<void> drop_denial(Name owner) override {
    if (auto fault = check_denial(owner); !fault) return fault;
    zones_[current_].chain.erase(lower(owner));
    return {};
  }

  base::Result<void> put_value(Key key, std::span<const std::uint8_t> value) override {
    if (auto fault = check_value(key); !fault) return fault;
    if (value.empty() || value.size() % 8 != 0) return refuse("a bad value", octets(current_));
    zones_[current_].table[text(key)].assign(value.begin(), value.end());
    return {};
  }

  base::Result<void> drop_value(Key key) override {
    if (auto fault = check_value(key); !fault) return fault;
    zones_[current_].table.erase(text(key));
    return {};
  }

  base::Result<void> clear_values(Key prefix) override {
    if (auto fault = check_value(Name(reinterpret_cast<const std::uint8_t*>("x"), 1)); !fault) {
      return fault;
    }
    std::erase_if(zones_[current_].table,
                  [&](const auto& each) { return each.first.starts_with(text(prefix)); });
    return {};
  }

  // Ends a transaction: every name must belong to the deepest zone.
  base::Result<void> finish() {
    phase_ = Phase::kZones;
    former_.clear();
    current_.clear();
    for (const auto& [apex, zone] : zones_) {
      if (!names_.contains(apex)) return refuse("a zone without its apex", octets(apex));
    }
    for (const auto& [name, contents] : names_) {
      std::string up = name;
      while (up.size() > 1 && !zones_.contains(up)) up.erase(0, 1U + std::size_t(up[0]));
      if (up != contents.zone) return refuse("not the deepest zone's", octets(name));
    }
    return {};
  }

  // Empty, or what is not the same.
  [[nodiscard]] std::string difference(const MapSink& other) const {
    std::string text;
    for (const auto& [apex, zone] : zones_) {
      const auto same = other.zones_.find(apex);
      if (same == other.zones_.end()) continue;
      compare(zone.chain, same->second.chain, "denial ", text);
      if (zone.table != same->second.table) {
        text += "the table of " + dns::zone::name_to_text(apex) + " is another\n";
      }
    }
    compare(zones_, other.zones_, "zone ", text);
    compare(names_, other.names_, "", text);
    return text;
  }
  [[nodiscard]] const std::map<std::string, Contents>& names() const { return names_; }
  [[nodiscard]] const std::map<std::string, Zone>& zones() const { return zones_; }

 private:
  enum class Phase { kZones, kNames, kDrops, kFormerApexes };

  base::Result<void> check_denial(Name owner) {
    if (phase_ >= Phase::kDrops || is_new_) return refuse("a denial too late", owner);
    if (!zones_.contains(current_)) return refuse("a denial without a zone", owner);
    if (zones_[current_].denies == snapshot::DenialKind::kNone) {
      return refuse("a denial in a zone that is not signed", owner);
    }
    if (!dns::zone::is_at_or_below(lower(owner), current_)) {
      return refuse("a denial outside its zone", owner);
    }
    phase_ = Phase::kNames;
    return {};
  }

  base::Result<void> check_value(Key key) {
    const Name apex = octets(current_);
    if (phase_ >= Phase::kDrops || is_new_) return refuse("a value too late", apex);
    if (!zones_.contains(current_)) return refuse("a value without a zone", apex);
    if (key.empty() || key.size() > snapshot::kTableKeyMax) return refuse("a bad key", apex);
    phase_ = Phase::kNames;
    return {};
  }

  static std::string text(Key key) {
    return {reinterpret_cast<const char*>(key.data()), key.size()};
  }
  static std::string lower(Name name) {
    return dns::zone::lower_name({reinterpret_cast<const char*>(name.data()), name.size()});
  }
  static Name octets(const std::string& name) {
    return {reinterpret_cast<const std::uint8_t*>(name.data()), name.size()};
  }
  static base::Error refuse(const std::string& why, Name name) {
    return {why, dns::zone::name_to_text(lower(name)), ""};
  }
  template <typename Map>
  static void compare(const Map& ours, const Map& theirs, const std::string& what,
                      std::string& text) {
    for (const auto& [name, value] : ours) {
      const auto other = theirs.find(name);
      if (other == theirs.end()) {
        text += what + dns::zone::name_to_text(name) + " is left over\n";
      } else if (!(other->second == value)) {
        text += what + dns::zone::name_to_text(name) + " is stale\n";
      }
    }
    for (const auto& [name, value] : theirs) {
      if (!ours.contains(name)) text += what + dns::zone::name_to_text(name) + " is missing\n";
    }
  }

  std::map<std::string, Zone> zones_;
  std::map<std::string, Contents> names_;
  Phase phase_ = Phase::kZones;
  std::string current_;
  bool is_new_ = false;  // the current zone has no apex yet
  std::vector<std::string> former_;
};

}  // namespace brink::ctl::compile
