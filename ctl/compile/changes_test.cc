// Compiling what changed gives what compiling everything gives, whatever changed.
// BRINK_TEST_SEED and BRINK_TEST_STEPS choose another run of the random one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "ctl/compile/compile.h"
#include "ctl/compile/compile_fixture.h"
#include "ctl/compile/direct_names.h"
#include "ctl/compile/hashed_zones.h"
#include "ctl/compile/map_sink.h"
#include "ctl/compile/outside_names.h"
#include "ctl/store/account_certificates.h"
#include "ctl/store/client_certificates.h"
#include "ctl/store/resolved.h"
#include "ctl/store/rulesets.h"
#include "ctl/store/zone_certificates.h"
#include "dns/dnssec/denial.h"

namespace brink::ctl::compile {
namespace {

using store::Transaction;

// A store, and a sink that follows it.
class Follower {
 public:
  explicit Follower(bool own_apex_ns = true) : store_(empty_store()) {
    options_.more_edge_addresses = {
        {*base::IpAddress::parse("192.0.2.17"), *base::IpAddress::parse("2001:db8::17")}};
    options_.authority.more_name_servers = {{name("ns1.other.test"), name("ns2.other.test")}};
    options_.authority.own_apex_ns = own_apex_ns;
    options_.signers = &signers_;
    anew_ = options_;
    options_.hashed = &hashed_;
    version_ = store_->version();
  }

  store::Store& store() { return *store_; }
  model::Id id() { return ids_.next(); }

  // Brings the sink up to date and compares it with one that is filled anew. Empty: the same.
  std::string follow() {
    Transaction view(*store_, Transaction::Kind::kRead);
    const auto changes = store::History(*store_).changes_between(version_, store_->version());
    if (!changes) return "not covered";
    auto counts = compile_changes(*store_, *changes, options_, sink_);
    if (!counts) return "changes: " + counts.error().message();
    counts_ = counts.value();
    if (auto finished = sink_.finish(); !finished) return finished.error().message();
    MapSink fresh;
    counts = compile_all(*store_, anew_, fresh);
    if (!counts) return "all: " + counts.error().message();
    if (auto finished = fresh.finish(); !finished) return "all: " + finished.error().message();
    version_ = store_->version();
    outside_.update(*store_);
    OutsideNames fresh_outside(options_);
    fresh_outside.update(*store_);
    if (outside_.names() != fresh_outside.names()) return "the names outside differ";
    return sink_.difference(fresh);
  }
  // Time goes on, and what the store has is due to be signed again, name by name.
  std::string resign(const model::DomainName& apex) {
    anew_.now.micros = options_.now.micros += 1'000'000;
    Transaction view(*store_, Transaction::Kind::kRead);
    store::Changes changes;
    changes.from = version_;
    const auto zone = store_->zone_by_name(apex);
    store_->for_each_name(*zone, apex, [&](const model::DomainName& each) {
      changes.resigned.push_back({apex, each});
      return true;
    });
    if (!store_->has_record(*zone, apex, model::kTypeMx)) changes.resigned.push_back({apex, apex});
    if (auto counts = compile_changes(*store_, changes, options_, sink_); !counts) {
      return "changes: " + counts.error().message();
    }
    if (auto finished = sink_.finish(); !finished) return finished.error().message();
    MapSink fresh;
    if (auto counts = compile_all(*store_, anew_, fresh); !counts) {
      return "all: " + counts.error().message();
    }
    return sink_.difference(fresh);
  }
  [[nodiscard]] std::uint64_t version() const { return version_; }
  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] const MapSink& sink() const { return sink_; }

 private:
  std::unique_ptr<store::Store> store_;
  Ids ids_;
  TestSigners signers_;
  HashedZones hashed_{HashedZones::Limits{.names_max = 200, .zone_names_min = 0}};
  Options options_ = test_options();
  Options anew_;  // the same without memory
  MapSink sink_;
  OutsideNames outside_{options_};
  std::uint64_t version_ = 0;
  Counts counts_;
};

model::Zone add_zone(Follower& follower, const std::string& text) {
  model::Zone zone;
  zone.id = follower.id();
  zone.name = name(text);
  zone.status = model::ZoneStatus::kActive;
  zone.serial = 1;
  follower.store().insert_zone(zone);
  return zone;
}

// An alias that would have to be flattened, at the apex or beside others. No presigned zone has
// one: what was signed is served as it is.
bool is_mixed_alias(const model::Zone& zone, const model::Record& record,
                    std::span<const model::Record> neighbours) {
  const auto is_alias = [](const model::Record& each) { return each.type == model::kTypeCname; };
  const bool any = is_alias(record) || std::ranges::any_of(neighbours, is_alias);
  return any && (record.name == zone.name || !neighbours.empty());
}

// False: the rules are against it.
bool add_record(Follower& follower, const model::Zone& zone, const model::RecordDraft& draft) {
  auto made = model::make_record({}, zone, draft);
  if (!made) return false;
  model::Record& record = made.value();
  const auto neighbours = follower.store().records_at(zone, record.name);
  if (model::conflict_of({}, zone, record, neighbours, model::BesideNs::kAsLegal)) return false;
  if (zone.dnssec.presigned && is_mixed_alias(zone, record, neighbours)) return false;
  record.id = follower.id();
  follower.store().insert_record(zone, record);
  return true;
}

// Random changes over few names, so that they meet: nested zones, and names that look alike.
class RandomChanges {
 public:
  RandomChanges(Follower& follower, std::uint64_t seed) : follower_(follower), random_(seed) {}

  // One to three transactions, rarely large ones.
  void batch() {
    for (std::uint64_t i = below(3) + 1; i > 0; --i) {
      if (below(40) == 0) {
        roll_back();
      } else {
        transaction(below(20) == 0 ? 40 : below(4) + 1);
      }
    }
    if (below(40) == 0) {
      store::History(store()).prune({.versions_max = 30}, {}, follower_.version());
    }
  }

 private:
  store::Store& store() { return follower_.store(); }
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

  void transaction(std::uint64_t steps) {
    Transaction transaction(store(), Transaction::Kind::kWrite);
    for (; steps > 0; --steps) step();
    transaction.commit();
  }

  void step() {
    const auto zone = any_zone();
    const std::uint64_t kind = below(100);
    if (kind >= 97) return resolve();
    if (!zone || kind < 4) return create_zone();
    if (kind == 4) return store().delete_zone(*zone);
    if (kind < 16) return switch_zone(*zone);
    if (kind < 24) return change_table(*zone);
    if (kind < 55) return add(*zone);
    if (kind < 85) return change(*zone);
    remove(*zone);
  }

  // Names outside lead elsewhere, or nowhere; one that nobody points at is forgotten now and then.
  void resolve() {
    store::ResolvedName resolved{
        name(below(2) == 0 ? "elsewhere.example" : "other.example"), {}, 77};
    for (std::uint64_t i = below(3); i > 0; --i) {
      resolved.addresses.push_back(base::IpAddress::v4(static_cast<std::uint32_t>(below(4) + 9)));
    }
    store::ResolvedNames names(store());
    names.put({resolved});
    if (below(4) == 0) names.forget_unused({name("elsewhere.example"), name("other.example")});
  }

  std::optional<model::Zone> any_zone() {
    std::vector<model::Zone> zones;
    store().for_each_zone([&](const model::Zone& zone) { zones.push_back(zone); });
    if (zones.empty()) return std::nullopt;
    return pick(zones);
  }
  std::optional<model::Record> any_record(const model::Zone& zone) {
    std::vector<model::Record> records;
    store().for_each_record(zone, [&](const model::Record& each) { records.push_back(each); });
    if (records.empty()) return std::nullopt;
    return pick(records);
  }
  // A presigned zone comes in as a whole.
  void bump(model::Zone zone) {
    ++zone.serial;
    if (zone.dnssec.presigned) ++zone.dnssec.signing_set;
    store().update_zone(zone);
  }

  void create_zone() {
    static const std::vector<std::string> kZones = {"test",         "a.test",     "b.test",
                                                    "c.a.test",     "d.c.a.test", "x.b.test",
                                                    "w.d.c.a.test", "c.x.b.test"};
    const auto above = any_zone();
    const std::string text = above && below(10) == 0 ? direct_name(*above) : pick(kZones);
    if (store().zone_by_name(name(text))) return;
    const model::Zone zone = add_zone(follower_, text);
    for (std::uint64_t i = below(20); i > 0; --i) add_random(zone);
  }
  void switch_zone(model::Zone zone) {
    switch (below(10)) {
      case 7:
      case 8:
      case 9:
        switch_dnssec(zone.dnssec);
        if (zone.dnssec.presigned) drop_mixed_aliases(zone);
        break;
      case 0:
        zone.paused = !zone.paused;
        break;
      case 1:
        zone.status = below(2) == 0 ? model::ZoneStatus::kActive : model::ZoneStatus::kPending;
        break;
      case 2:
      case 4:
      case 5:
        switch_dns(zone.dns);
        break;
      case 3:
        return store().enforce_dns_only(zone.account, !store().enforces_dns_only(zone.account), {});
      default:
        zone.soa = {static_cast<std::uint32_t>(below(5000)),
                    model::rdata_from_text(model::kTypeSoa, "ns h 1 2 3 4 5", zone.name).value()};
    }
    bump(zone);
  }

  void drop_mixed_aliases(const model::Zone& zone) {
    std::vector<model::Record> records;
    store().for_each_record(zone, [&](const model::Record& each) { records.push_back(each); });
    for (const model::Record& record : records) {
      auto neighbours = store().records_at(zone, record.name);
      std::erase_if(neighbours, [&](const auto& other) { return other.row == record.row; });
      if (is_mixed_alias(zone, record, neighbours)) store().delete_record(record);
    }
  }
  void switch_dnssec(model::ZoneDnssec& dnssec) {
    switch (below(7)) {
      case 5:
        dnssec.presigned = !dnssec.presigned;
        break;
      case 6:
        dnssec.opt_out = !dnssec.opt_out;
        break;
      case 0:
        dnssec.status = model::DnssecStatus::kDisabled;
        break;
      case 1:
        dnssec.denial = below(2) == 0 ? model::ZoneDenial::kNsec : model::ZoneDenial::kNsec3;
        break;
      case 2:
        ++dnssec.key_set;
        break;
      case 3:
        ++dnssec.signing_set;
        break;
      default:
        dnssec.status = model::DnssecStatus::kActive;
    }
  }

  void switch_dns(model::ZoneDns& dns) {
    switch (below(9)) {
      case 0:
        dns.mode = static_cast<model::ZoneMode>(below(3));
        break;
      case 1:
      case 2:
        dns.flatten_all_cnames = !dns.flatten_all_cnames;
        break;
      case 3:
        dns.multi_provider = !dns.multi_provider;
        break;
      case 4:
        dns.ipv6 = !dns.ipv6;
        break;
      case 5:
        dns.ns_ttl = static_cast<std::uint32_t>(30 + below(3));
        break;
      case 6:
        dns.name_server_set = static_cast<std::uint32_t>(below(3));
        break;
      case 7:
        dns.address_set = static_cast<std::uint32_t>(below(3));
        break;
      default:
        dns.vanity_servers.clear();
        if (below(2) == 0) dns.vanity_servers.push_back(name("a.test"));
    }
  }

  std::string labels() {
    static const std::vector<std::string> kLabels = {"a", "c", "d", "w", "x"};
    std::string text;
    for (std::uint64_t i = below(4); i > 0; --i) text += pick(kLabels) + ".";
    return text;
  }
  std::string owner(const model::Zone& zone) {
    if (below(8) == 0) return zone.name.text() + ".";
    if (below(20) == 0) return direct_name(zone);
    const std::string text = labels() + zone.name.text() + ".";
    return below(6) == 0 ? "*." + text : text;
  }
  // A name that has records, or lies below one.
  std::string stored_name(const model::Zone& zone) {
    const auto record = any_record(zone);
    if (!record) return target();
    const std::string text = record->name.text() + ".";
    return below(5) == 0 ? labels() + text : text;
  }
  // What is served to lead around the edge now, or lies above that.
  std::string direct_name(const model::Zone& zone) {
    std::vector<model::DomainName> names;
    for (const auto& [wire, contents] : follower_.sink().names()) {
      const auto held = model::DomainName::from_wire(
          {reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()});
      if (DirectNames::is_place(zone.name, *held)) names.push_back(*held);
    }
    if (names.empty()) return zone.name.text() + ".";
    const model::DomainName& picked = pick(names);
    const bool is_deep = picked.parent() != zone.name && below(2) == 0;
    return (is_deep ? picked.parent() : picked).text() + ".";
  }
  std::string target() {
    if (below(8) == 0) return below(2) == 0 ? "elsewhere.example." : "other.example.";
    return labels() + (below(2) == 0 ? "a.test." : "b.test.");
  }
  std::string address() { return "203.0.113." + std::to_string(below(6) + 1); }

  model::RecordDraft draft(const model::Zone& zone) {
    model::RecordDraft draft{.name = owner(zone)};
    draft.proxied = below(3) == 0;
    draft.settings.flatten_cname = below(3) == 0;
    draft.ttl = below(2) == 0 ? 1 : 600;
    switch (below(18)) {
      case 14:
      case 15:
      case 16:
        draft.type = "MX";
        draft.content = "10 " + stored_name(zone);
        break;
      case 17:
        draft.type = "SRV";
        draft.content = "1 2 443 " + stored_name(zone);
        break;
      case 0:
      case 1:
      case 2:
        draft.type = "A";
        draft.content = address();
        break;
      case 3:
        draft.type = "AAAA";
        draft.content = "2001:db8:1::" + std::to_string(below(6) + 1);
        break;
      case 4:
      case 5:
      case 6:
      case 7:
        draft.type = "CNAME";
        draft.content = target();
        break;
      case 8:
        draft.type = "TXT";
        draft.content = "text" + std::to_string(below(3));
        break;
      case 9:
        draft.type = "MX";
        draft.content = "10 " + target();
        break;
      case 10:
        draft.type = "SRV";
        draft.content = "1 2 443 " + target();
        break;
      case 11:
        draft.type = "NS";
        draft.content = below(2) == 0 ? "ns." + draft.name : target();
        break;
      case 12:
        draft.type = "DS";
        draft.content = "1 8 2 " + std::string(64, static_cast<char>('0' + below(3)));
        break;
      default:
        draft.type = "DNAME";
        draft.content = target();
    }
    if (draft.type != "A" && draft.type != "AAAA" && draft.type != "CNAME") draft.proxied = false;
    return draft;
  }
  // What only signing makes. Of some of these, other records may be nothing but a promise.
  void add_signed(const model::Zone& zone) {
    const model::DomainName at = name(owner(zone));
    const model::DomainName hashed = hashed_owner(at, zone);
    switch (below(4)) {
      case 0: {
        static const std::vector<std::string> kCovered = {"A",   "MX",   "NS",   "DS",
                                                          "SOA", "NSEC", "NSEC3"};
        const std::string& covered = pick(kCovered);
        return add_presigned(zone, covered == "NSEC3" ? hashed : at, "RRSIG",
                             covered + " 13 2 600 20300101000000 20200101000000 1 " +
                                 zone.name.text() + ". " + std::to_string(below(9)) + "AAA");
      }
      case 1:
        return add_presigned(zone, below(3) == 0 ? zone.name : at, "NSEC",
                             target() + " A RRSIG NSEC");
      case 2:
        return add_presigned(zone, below(3) == 0 ? hashed_owner(zone.name, zone) : hashed, "NSEC3",
                             "1 1 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A");
      default:
        return add_presigned(zone, zone.name, "NSEC3PARAM", "1 0 0 -");
    }
  }
  static model::DomainName hashed_owner(const model::DomainName& of, const model::Zone& zone) {
    const auto wire = [](const model::DomainName& each) {
      const auto octets = each.wire();
      return dns::zone::Wire(octets.begin(), octets.end());
    };
    const auto hash = dns::dnssec::nsec3_hash(wire(of), 0, {});
    const auto owner = dns::dnssec::nsec3_owner(hash, wire(zone.name));
    return model::DomainName::from_wire(std::vector<std::uint8_t>(owner.begin(), owner.end()))
        .value();
  }
  void add_presigned(const model::Zone& zone, const model::DomainName& at, const std::string& type,
                     const std::string& content) {
    const auto number = model::type_from_text(type).value();
    const auto rdata = model::rdata_from_text(number, content, zone.name);
    ASSERT_TRUE(rdata) << rdata.error().message();
    model::Record record = model::make_presigned_record(at, number, rdata.value(),
                                                        static_cast<std::uint32_t>(below(2) * 300))
                               .value();
    for (const auto& other : store().records_at(zone, at)) {
      if (other.type == record.type && (number == model::kTypeNsec || other.rdata == record.rdata))
        return;
    }
    record.id = follower_.id();
    store().insert_record(zone, record);
  }
  void add_random(const model::Zone& zone) {
    if (zone.dnssec.presigned && below(2) == 0) return add_signed(zone);
    const model::RecordDraft made = draft(zone);
    add_record(follower_, zone, made);
    if (made.type != "NS" || !made.content.starts_with("ns.")) return;
    add_record(follower_, zone, {.name = made.content, .type = "A", .content = address()});
  }
  void add(const model::Zone& zone) {
    add_random(zone);
    bump(zone);
  }
  void change(const model::Zone& zone) {
    const auto old = any_record(zone);
    if (!old) return;
    model::RecordDraft wanted = below(2) == 0 ? draft(zone) : model::draft_of(*old);
    if (model::is_proxiable(old->type)) wanted.proxied = !old->proxied;
    if (below(3) == 0) wanted.name = old->name.text() + ".";
    auto made = model::make_record({}, zone, wanted);
    if (!made) return;
    auto neighbours = store().records_at(zone, made.value().name);
    std::erase_if(neighbours, [&](const auto& other) { return other.row == old->row; });
    if (model::conflict_of({}, zone, made.value(), neighbours, model::BesideNs::kAsLegal)) return;
    if (zone.dnssec.presigned && is_mixed_alias(zone, made.value(), neighbours)) return;
    made.value().row = old->row;
    made.value().id = old->id;
    store().update_record(made.value());
    bump(zone);
  }
  void remove(const model::Zone& zone) {
    const auto record = any_record(zone);
    if (!record) return;
    store().delete_record(*record);
    bump(zone);
  }
  std::string host(const model::Zone& zone) {
    static const std::vector<std::string> kHosts = {"", "a.", "c.", "*.", "w.a.", "*.a."};
    return pick(kHosts) + zone.name.text();
  }
  std::uint8_t octet() { return static_cast<std::uint8_t>(below(120)); }
  void insert_certificate(const model::Zone& zone, model::CertificatePurpose purpose) {
    model::ZoneCertificate made;
    made.id = follower_.id();
    made.zone = zone.id;
    made.purpose = purpose;
    made.certificate = fake_certificate(octet(), {host(zone), host(zone)});
    made.sealed_key = {1, 2, octet()};
    made.priority = static_cast<std::uint32_t>(below(3));
    store::ZoneCertificates(store()).insert(made);
  }
  std::optional<model::ZoneCertificate> any_certificate(const model::Zone& zone,
                                                        model::CertificatePurpose purpose) {
    const auto page = store::ZoneCertificates(store()).list(zone.id, {.purpose = purpose});
    if (page.items.empty()) return std::nullopt;
    return pick(page.items);
  }
  model::AccountCertificate authority(const model::Zone& zone, bool managed) {
    store::AccountCertificates accounts(store());
    const auto page = accounts.list(zone.account, {1, 100});
    const auto known = accounts.managed(zone.account);
    if (managed && known) return *known;
    if (!managed && !page.items.empty() && below(2) == 0) return pick(page.items);
    model::AccountCertificate made;
    made.id = follower_.id();
    made.account = zone.account;
    made.certificate = fake_certificate(octet(), {});
    made.managed = managed;
    accounts.insert(made);
    return made;
  }

  void change_certificate(const model::Zone& zone, model::CertificatePurpose purpose) {
    store::ZoneCertificates certificates(store());
    auto known = any_certificate(zone, purpose);
    if (!known || below(2) == 0) return insert_certificate(zone, purpose);
    if (below(2) == 0 && certificates.hosts_with(known->id).empty()) {
      return certificates.remove(known->id);
    }
    known->priority = static_cast<std::uint32_t>(below(3));
    if (below(2) == 0) known->certificate = fake_certificate(octet(), {host(zone)});
    certificates.update(*known);
  }
  void change_pulls(const model::Zone& zone) {
    store::ZoneCertificates certificates(store());
    const auto known = any_certificate(zone, model::CertificatePurpose::kHostPull);
    if (!known || below(3) == 0) {
      return certificates.set_tls(zone.id, {false, below(2) == 0});
    }
    if (below(3) == 0) return certificates.remove_host_pull(zone.id, host(zone));
    certificates.put_host_pull(zone.id, {host(zone), known->id, below(2) == 0, {}, {}});
  }
  void change_authorities(const model::Zone& zone) {
    store::AccountCertificates accounts(store());
    std::optional<model::Id> asked;
    if (below(2) == 0) asked = authority(zone, false).id;
    std::vector<std::string> hosts;
    for (std::uint64_t i = below(3); i > 0; --i) hosts.push_back(host(zone));
    if (asked && below(4) == 0) return accounts.remove(*asked);
    accounts.set_hosts(zone.id, asked, hosts);
  }
  void change_client(const model::Zone& zone) {
    store::ClientCertificates clients(store());
    const auto page = clients.list(zone.id, std::nullopt, {1, 100});
    if (!page.items.empty() && below(3) != 0) {
      const model::ClientCertificate& known = pick(page.items);
      return clients.set_revoked(known.id, !known.revoked);
    }
    model::ClientCertificate made;
    made.id = follower_.id();
    made.zone = zone.id;
    made.authority = authority(zone, below(4) != 0).id;
    made.certificate.serial = "0" + std::to_string(below(1000)) + (below(2) == 0 ? "a" : "0b");
    clients.insert(made);
  }
  void change_settings(model::Zone zone) {
    static const std::vector<std::pair<std::string, std::string>> kSettings = {
        {"ssl", "\"strict\""},
        {"ssl", "\"full\""},
        {"ssl", "\"off\""},
        {"tls_client_auth", "\"on\""},
        {"http2", "\"off\""},
        {"error_page_5xx", "\"{{ray}}\""},
        {"error_page_5xx", "\"\""},
        {"error_page_1xxx", "\"no {{ray}}\""}};
    const auto& [setting, value] = pick(kSettings);
    zone.settings[setting] = {value, {}};
    if (below(4) == 0) zone.settings.clear();
    bump(zone);
  }
  void change_rules(const model::Zone& zone) {
    store::Rulesets rulesets(store());
    const auto phase = static_cast<rules::Phase>(below(3));
    auto ruleset = rulesets.find(zone.id, phase);
    if (ruleset && below(3) == 0) return rulesets.remove(ruleset->id);
    if (!ruleset) {
      ruleset.emplace();
      ruleset->id = follower_.id();
      ruleset->zone = zone.id;
      ruleset->phase = phase;
    }
    rules::Rule rule;
    rule.id = follower_.id();
    rule.enabled = below(4) != 0;
    rule.expression = "len(http.host) eq " + std::to_string(below(4));
    if (phase != rules::Phase::kFirewallCustom) {
      rule.headers = {{"x", rules::HeaderChange::Operation::kRemove, "", false}};
    }
    ruleset->rules = {rule};
    rulesets.put(*ruleset);
  }
  void change_table(const model::Zone& zone) {
    switch (below(9)) {
      case 0:
      case 1:
        return change_certificate(zone, model::CertificatePurpose::kEdge);
      case 2:
        return change_certificate(zone, model::CertificatePurpose::kZonePull);
      case 3:
        return change_certificate(zone, model::CertificatePurpose::kHostPull);
      case 4:
        return change_pulls(zone);
      case 5:
        return change_authorities(zone);
      case 6:
        return change_client(zone);
      case 7:
        return change_rules(zone);
      default:
        return change_settings(zone);
    }
  }
  void roll_back() {
    store::History history(store());
    const std::uint64_t floor = history.floor(), span = store().version() - floor + 1;
    const std::uint64_t to = store().version() - below(std::min<std::uint64_t>(span, 12));
    const auto zone = any_zone();
    const auto done =
        history.roll_back(to, zone && below(2) == 0 ? std::optional(zone->name) : std::nullopt);
    ASSERT_TRUE(done.ok()) << done.error().message();
  }

  Follower& follower_;
  std::mt19937_64 random_;
};

std::uint64_t setting(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

void compare_both_ways(bool own_apex_ns) {
  const std::uint64_t seed = setting("BRINK_TEST_SEED", own_apex_ns ? 1 : 2);
  const std::uint64_t steps = setting("BRINK_TEST_STEPS", 1000);
  std::printf("seed %llu, %llu steps\n", static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(steps));
  Follower follower(own_apex_ns);
  RandomChanges changes(follower, seed);
  std::uint64_t names = 0, put = 0, values = 0;
  for (std::uint64_t step = 0; step < steps; ++step) {
    changes.batch();
    ASSERT_EQ(follower.follow(), "") << "BRINK_TEST_SEED=" << seed << ", step " << step;
    names += follower.sink().names().size();
    put += follower.counts().names_put;
    for (const auto& [apex, zone] : follower.sink().zones()) values += zone.table.size();
  }
  std::printf("%.1f names and %.1f values held, %.1f names put a step\n",
              static_cast<double>(names) / static_cast<double>(steps),
              static_cast<double>(values) / static_cast<double>(steps),
              static_cast<double>(put) / static_cast<double>(steps));
  EXPECT_GT(values, steps);
}

TEST(CompileChanges, GiveWhatCompilingEverythingGives) {
  compare_both_ways(true);
}

TEST(CompileChanges, GiveTheSameWhenAssignedServersAloneAreServed) {
  compare_both_ways(false);
}

class ChangeTest : public ::testing::Test {
 protected:
  model::Zone zone(const std::string& text) { return add_zone(follower_, text); }
  void add(const model::Zone& zone, const std::string& owner, const std::string& type,
           const std::string& content, bool proxied = false) {
    ASSERT_TRUE(add_record(follower_, zone,
                           {.name = owner, .type = type, .content = content, .proxied = proxied}));
  }
  void remove(const model::Zone& zone, const std::string& owner) {
    for (const auto& record : follower_.store().records_at(zone, name(owner))) {
      follower_.store().delete_record(record);
    }
  }
  // Everything so far, and nothing else, is compiled.
  void settle() { ASSERT_EQ(follower_.follow(), ""); }
  std::uint64_t names_put() {
    EXPECT_EQ(follower_.follow(), "");
    return follower_.counts().names_put;
  }

  Follower follower_;
};

TEST_F(ChangeTest, ReachesTheFarEndOfTheLongestChain) {
  const auto a = zone("a.test");
  for (int i = 0; i < 19; ++i) {
    add(a, "c" + std::to_string(i), "CNAME", "c" + std::to_string(i + 1) + ".a.test");
  }
  add(a, "first", "CNAME", "c2.a.test", true);
  ASSERT_TRUE(add_record(follower_, a,
                         {.name = "flat",
                          .type = "CNAME",
                          .content = "c2.a.test",
                          .settings = {.flatten_cname = true}}));
  add(a, "@", "MX", "10 flat.a.test");
  settle();
  add(a, "c19", "A", "203.0.113.1");
  settle();
  const auto route = follower_.sink().names().at(std::string("\5first\1a\4test\0", 14)).route;
  EXPECT_EQ(std::string(route.begin(), route.end()), "a.test 203.0.113.1");
}

TEST_F(ChangeTest, OfOneRecordPutsOneName) {
  const auto a = zone("a.test");
  for (int i = 0; i < 50; ++i) add(a, "h" + std::to_string(i), "A", "203.0.113.1");
  settle();
  add(a, "h7", "A", "203.0.113.2");
  EXPECT_EQ(names_put(), 1U);
  add(a, "h8", "TXT", "x");
  EXPECT_EQ(names_put(), 1U);
  for (int i = 0; i < 20; ++i) add(a, "alias" + std::to_string(i), "CNAME", "h1.a.test");
  settle();
  add(a, "new.below", "A", "203.0.113.2");
  EXPECT_EQ(names_put(), 1U);
}

TEST_F(ChangeTest, OfDataThatNobodyPointsAtLeavesAliasesAlone) {
  const auto a = zone("a.test");
  add(a, "www", "A", "203.0.113.1");
  for (int i = 0; i < 50; ++i) add(a, "h" + std::to_string(i), "CNAME", "www.a.test");
  settle();
  add(a, "www", "TXT", "x");
  EXPECT_EQ(names_put(), 1U);
  add(a, "www", "A", "203.0.113.2");
  EXPECT_EQ(names_put(), 51U);
}

TEST_F(ChangeTest, OfTheSerialPutsTheApex) {
  auto a = zone("a.test");
  for (int i = 0; i < 50; ++i) add(a, "h" + std::to_string(i), "CNAME", "h1.b.test", true);
  settle();
  ++a.serial;
  follower_.store().update_zone(a);
  EXPECT_EQ(names_put(), 1U);
}

TEST_F(ChangeTest, OfADelegationHidesAndRevealsNames) {
  const auto a = zone("a.test");
  add(a, "www.sub", "A", "203.0.113.1", true);
  add(a, "alias", "CNAME", "www.sub.a.test");
  settle();
  add(a, "sub", "NS", "www.sub.a.test");
  settle();
  EXPECT_FALSE(follower_.sink().names().contains(std::string("\3www\3sub\1a\4test\0", 16)));
  remove(a, "sub.a.test");
  settle();
  EXPECT_TRUE(follower_.sink().names().contains(std::string("\3www\3sub\1a\4test\0", 16)));
}

TEST_F(ChangeTest, OfANestedZoneTakesAndGivesBackNames) {
  const auto a = zone("a.test");
  add(a, "sub", "NS", "ns.elsewhere.test");
  add(a, "sub", "DS", "1 8 2 " + std::string(64, '0'));
  add(a, "apart.sub", "A", "203.0.113.1");
  settle();
  const auto sub = zone("sub.a.test");
  add(sub, "www", "A", "203.0.113.2");
  settle();
  const std::string apex("\3sub\1a\4test\0", 12);
  EXPECT_TRUE(follower_.sink().names().at(apex).parent_side);
  EXPECT_TRUE(follower_.sink().names().at(apex).rrsets.contains(model::kTypeDs));
  follower_.store().delete_zone(sub);
  settle();
  EXPECT_TRUE(follower_.sink().names().at(apex).cut);
}

TEST_F(ChangeTest, OfADelegationAboveAnotherEndsTheParentsSide) {
  const auto a = zone("a.test");
  add(a, "c.sub", "NS", "ns.elsewhere.test");
  zone("c.sub.a.test");
  settle();
  const std::string apex("\1c\3sub\1a\4test\0", 14);
  EXPECT_TRUE(follower_.sink().names().at(apex).parent_side);
  add(a, "sub", "NS", "ns.elsewhere.test");
  settle();
  EXPECT_FALSE(follower_.sink().names().at(apex).parent_side);
}

// Names of the sink that lead around the edge, with the numbers of their sets.
std::map<std::string, std::size_t> directs_of(const Follower& follower, const std::string& apex) {
  std::map<std::string, std::size_t> found;
  for (const auto& [wire, contents] : follower.sink().names()) {
    const std::string text = dns::zone::name_to_text(wire);
    if (!text.starts_with("_dc-mx.") && !text.starts_with("dc-")) continue;
    EXPECT_TRUE(text.ends_with("." + apex + ".")) << text;
    found[text.substr(0, text.find('.'))] = contents.rrsets.size();
  }
  return found;
}

TEST_F(ChangeTest, OfAnExchangeOrItsTargetBringsAndTakesADirectName) {
  const auto a = zone("a.test");
  add(a, "mail", "A", "203.0.113.1", true);
  add(a, "mail", "AAAA", "2001:db8:1::1", true);
  add(a, "plain", "A", "203.0.113.2");
  add(a, "@", "MX", "10 plain.a.test");
  settle();
  EXPECT_TRUE(directs_of(follower_, "a.test").empty());
  add(a, "@", "MX", "20 mail.a.test");
  settle();
  EXPECT_EQ(directs_of(follower_, "a.test"), (std::map<std::string, std::size_t>{{"_dc-mx", 2}}));
  add(a, "_sip._tcp", "SRV", "1 2 5060 mail.a.test");
  settle();
  EXPECT_EQ(directs_of(follower_, "a.test").size(), 2U);
  remove(a, "_sip._tcp.a.test");
  settle();
  EXPECT_EQ(directs_of(follower_, "a.test").size(), 1U);
  remove(a, "mail.a.test");
  settle();
  EXPECT_TRUE(directs_of(follower_, "a.test").empty());
  add(a, "*", "A", "203.0.113.3", true);
  settle();
  EXPECT_EQ(directs_of(follower_, "a.test").size(), 1U) << "a wildcard answers for it";
  add(a, "below.mail", "TXT", "x");
  settle();
  EXPECT_TRUE(directs_of(follower_, "a.test").empty()) << "and does so no more";
  remove(a, "below.mail.a.test");
  settle();
  remove(a, "a.test");
  settle();
  EXPECT_TRUE(directs_of(follower_, "a.test").empty());
}

TEST_F(ChangeTest, OfAnAliasReachesWhatIsDirectForIt) {
  const auto a = zone("a.test");
  auto b = zone("b.test");
  add(a, "mail", "CNAME", "box.b.test", true);
  add(a, "@", "MX", "10 mail.a.test");
  settle();
  EXPECT_EQ(directs_of(follower_, "a.test").begin()->second, 0U) << "it leads nowhere yet";
  add(b, "box", "A", "203.0.113.9");
  settle();
  EXPECT_EQ(directs_of(follower_, "a.test").begin()->second, 1U);
  add(b, "@", "MX", "10 mail.a.test");
  settle();
  EXPECT_EQ(directs_of(follower_, "a.test").size(), 1U) << "another zone's target stays";
}

TEST_F(ChangeTest, OfSignaturesOfTheApexSignsWhatIsDirectAnew) {
  auto a = zone("a.test");
  a.dnssec.status = model::DnssecStatus::kActive;
  for (const auto denial : {model::ZoneDenial::kNsec, model::ZoneDenial::kNsec3}) {
    a.dnssec.denial = denial;
    follower_.store().update_zone(a);
    if (denial == model::ZoneDenial::kNsec) {
      add(a, "mail", "A", "203.0.113.1", true);
      add(a, "sub", "MX", "10 mail.a.test");
    }
    settle();
    ASSERT_EQ(directs_of(follower_, "a.test").size(), 1U);
    const auto before = follower_.sink().names();
    EXPECT_EQ(follower_.resign(a.name), "");
    EXPECT_NE(follower_.sink().names(), before);
  }
}

TEST_F(ChangeTest, ThatCannotBeServedNamesZoneOwnerAndType) {
  const auto a = zone("a.test");
  settle();
  for (int i = 0; i < 300; ++i) {  // past the rules, which would refuse it
    auto record = model::make_record(
        {}, a,
        {.name = "big", .type = "TXT", .content = std::string(240, 'x') + std::to_string(i)});
    record.value().id = follower_.id();
    follower_.store().insert_record(a, record.value());
  }
  const std::string problem = follower_.follow();
  EXPECT_NE(problem.find("zone a.test, big.a.test. TXT: "), std::string::npos) << problem;
}

// So many that the history does not list them.
TEST(CompileChanges, AnImportGivesWhatCompilingEverythingGives) {
  Follower follower;
  const model::Zone zone = add_zone(follower, "a.test"), other = add_zone(follower, "b.test");
  add_record(follower, zone, {.name = "gone", .type = "A", .content = "203.0.113.1"});
  add_record(follower, zone, {.name = "host.cut", .type = "A", .content = "203.0.113.1"});
  add_record(follower, zone, {.name = "*", .type = "CNAME", .content = "out.example"});
  add_record(follower, other,
             {.name = "to", .type = "CNAME", .content = "n7.a.test", .proxied = true});
  add_record(follower, other,
             {.name = "mail", .type = "MX", .content = "n8.a.test", .priority = 1});
  ASSERT_EQ(follower.follow(), "");
  {
    Transaction import(follower.store(), Transaction::Kind::kWrite);
    for (const model::Record& record : follower.store().records_at(zone, name("gone.a.test"))) {
      follower.store().delete_record(record);
    }
    const model::Zone below = add_zone(follower, "below.a.test");
    add_record(follower, below, {.name = "n1", .type = "A", .content = "203.0.113.2"});
    add_record(follower, zone, {.name = "n1.below", .type = "A", .content = "203.0.113.3"});
    add_record(follower, zone, {.name = "cut", .type = "NS", .content = "host.cut.a.test"});
    add_record(follower, zone,
               {.name = "in", .type = "CNAME", .content = "n9.a.test", .proxied = true});
    add_record(follower, zone,
               {.name = "out", .type = "CNAME", .content = "x.example", .proxied = true});
    for (int i = 0; i < 10'000; ++i) {
      ASSERT_TRUE(add_record(follower, zone,
                             {.name = "n" + std::to_string(i),
                              .type = "A",
                              .content = "203.0.113.9",
                              .proxied = i % 3 == 0}));
    }
    import.commit();
  }
  const auto changes = store::History(follower.store())
                           .changes_between(follower.version(), follower.store().version());
  ASSERT_TRUE(changes);
  EXPECT_GT(changes->unlisted, 10'000U);
  EXPECT_LT(changes->names.size(), 10U) << "what was removed, and the other zones'";
  EXPECT_FALSE(store::History(follower.store())
                   .changes_between(follower.version(), follower.store().version(), 10'000));
  EXPECT_EQ(follower.follow(), "");
  follower.store().delete_zone(zone);
  EXPECT_EQ(follower.follow(), "");
}

}  // namespace
}  // namespace brink::ctl::compile
