#include "ctl/store/dnssec_keys.h"

#include "ctl/store/row.h"
#include "dataplane/base/bytes.h"

namespace brink::ctl::store {
namespace {

using dns::dnssec::KeyUse;
using dns::zone::Rrset;
using dns::zone::Wire;
using model::Id;
using Octets = std::span<const std::uint8_t>;

struct UseBit {
  std::int64_t bit;
  bool KeyUse::*member;
};
constexpr UseBit kUseBits[] = {{1, &KeyUse::in_dnskey},
                               {2, &KeyUse::signs_dnskey},
                               {4, &KeyUse::signs_cds},
                               {8, &KeyUse::signs_zone},
                               {16, &KeyUse::in_cds}};

std::int64_t use_bits(const KeyUse& use) {
  std::int64_t bits = 0;
  for (const UseBit& each : kUseBits) bits |= use.*each.member ? each.bit : 0;
  return bits;
}

KeyUse read_use(std::int64_t bits) {
  KeyUse use;
  for (const UseBit& each : kUseBits) use.*each.member = (bits & each.bit) != 0;
  return use;
}

Octets octets_of(const Wire& wire) {
  return {reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()};
}

Wire read_wire(Octets octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

// Each RRset: type (2 octets), TTL (4), number of records (2), and of each its size (2) and data.
std::vector<std::uint8_t> pack(const std::vector<Rrset>& rrsets) {
  std::vector<std::uint8_t> packed;
  const auto append16 = [&](std::size_t value) {
    packed.push_back(static_cast<std::uint8_t>(value >> 8));
    packed.push_back(static_cast<std::uint8_t>(value));
  };
  for (const Rrset& rrset : rrsets) {
    append16(rrset.type);
    append16(rrset.ttl >> 16);
    append16(rrset.ttl & 0xffff);
    append16(rrset.rdata.size());
    for (const Wire& rdata : rrset.rdata) {
      append16(rdata.size());
      packed.insert(packed.end(), rdata.begin(), rdata.end());
    }
  }
  return packed;
}

Octets take(Octets& packed, std::size_t size) {
  if (size > packed.size()) throw Failure("a zone's DNSKEY records are damaged");
  const Octets taken = packed.first(size);
  packed = packed.subspan(size);
  return taken;
}

std::uint16_t take16(Octets& packed) {
  return base::load_be16(take(packed, 2).data());
}

std::vector<Rrset> unpack(Octets packed) {
  std::vector<Rrset> rrsets;
  while (!packed.empty()) {
    Rrset rrset;
    rrset.type = take16(packed);
    rrset.ttl = base::load_be32(take(packed, 4).data());
    for (std::uint16_t left = take16(packed); left > 0; --left) {
      const std::uint16_t size = take16(packed);
      rrset.rdata.push_back(read_wire(take(packed, size)));
    }
    rrsets.push_back(std::move(rrset));
  }
  return rrsets;
}

DnssecKey read_key(const Statement& row) {
  DnssecKey key;
  key.id = read_id(row.blob(0));
  key.key.id = key.id.hex();
  key.key.role = static_cast<dns::dnssec::Role>(row.integer(1));
  key.key.state = static_cast<dns::dnssec::KeyState>(row.integer(2));
  key.key.since = row.integer(3);
  key.key.with_set = row.integer(4) != 0;
  key.key.ds_shown = row.integer(5) != 0;
  key.key.ds_since = row.integer(6);
  key.use = read_use(row.integer(7));
  key.key.dnskey = read_wire(row.blob(8));
  const Octets sealed = row.blob(9);
  key.sealed_key.assign(sealed.begin(), sealed.end());
  key.created_on = {row.integer(10)};
  key.spare = row.integer(11) != 0;
  return key;
}

// What changes of a key, as parameters 1 to 9.
void bind_state(Statement& statement, const DnssecKey& key) {
  statement.bind(1, key.id.bytes)
      .bind(2, static_cast<std::int64_t>(key.key.role))
      .bind(3, static_cast<std::int64_t>(key.key.state))
      .bind(4, key.key.since)
      .bind(5, static_cast<std::int64_t>(key.key.with_set))
      .bind(6, static_cast<std::int64_t>(key.key.ds_shown))
      .bind(7, key.key.ds_since)
      .bind(8, use_bits(key.use))
      .bind(9, static_cast<std::int64_t>(key.spare));
}

}  // namespace

std::vector<DnssecKey> DnssecKeys::of(const Id& zone) {
  auto select = database_.cached(
      "SELECT id, role, state, since, with_set, ds_shown, ds_since, uses, dnskey, sealed_key, "
      "created_on, spare FROM dnssec_keys WHERE zone = ?1 ORDER BY row");
  select->bind(1, zone.bytes);
  std::vector<DnssecKey> keys;
  while (select->step()) keys.push_back(read_key(*select));
  return keys;
}

DnssecZone DnssecKeys::zone(const Id& zone) {
  auto select = database_.cached(
      "SELECT no_ds_since, roll_ksk, roll_zsk, apex, step_on, look_on, looks, looked_on, waits, "
      "result FROM dnssec_zones WHERE zone = ?1");
  select->bind(1, zone.bytes);
  DnssecZone state;
  if (!select->step()) return state;
  state.no_ds_since = select->optional_integer(0);
  state.roll_ksk = select->integer(1) != 0;
  state.roll_zsk = select->integer(2) != 0;
  state.apex = unpack(select->blob(3));
  state.step_on = read_time(select->optional_integer(4));
  state.look_on = read_time(select->optional_integer(5));
  state.looks = static_cast<std::uint32_t>(select->integer(6));
  state.looked_on = read_time(select->optional_integer(7));
  state.waits_for_parent = select->integer(8) != 0;
  state.result = select->text(9);
  return state;
}

void DnssecKeys::put(const Id& zone, const DnssecZone& state) {
  auto write = database_.cached(
      "INSERT OR REPLACE INTO dnssec_zones VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
  const std::vector<std::uint8_t> apex = pack(state.apex);
  write->bind(1, zone.bytes)
      .bind(2, state.no_ds_since)
      .bind(3, static_cast<std::int64_t>(state.roll_ksk))
      .bind(4, static_cast<std::int64_t>(state.roll_zsk))
      .bind(5, apex)
      .bind(6, micros(state.step_on))
      .bind(7, micros(state.look_on))
      .bind(8, std::int64_t{state.looks})
      .bind(9, micros(state.looked_on))
      .bind(10, static_cast<std::int64_t>(state.waits_for_parent))
      .bind(11, state.result)
      .run();
}

void DnssecKeys::insert(const Id& zone, const DnssecKey& key) {
  auto insert = database_.cached(
      "INSERT INTO dnssec_keys (id, role, state, since, with_set, ds_shown, ds_since, uses, spare, "
      "zone, dnskey, sealed_key, created_on) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
      "?12, ?13)");
  bind_state(*insert, key);
  insert->bind(10, zone.bytes)
      .bind(11, octets_of(key.key.dnskey))
      .bind(12, key.sealed_key)
      .bind(13, key.created_on.micros)
      .run();
}

void DnssecKeys::update(const DnssecKey& key) {
  auto update = database_.cached(
      "UPDATE dnssec_keys SET role = ?2, state = ?3, since = ?4, with_set = ?5, ds_shown = ?6, "
      "ds_since = ?7, uses = ?8, spare = ?9 WHERE id = ?1");
  bind_state(*update, key);
  update->run();
}

void DnssecKeys::remove(const Id& key) {
  database_.cached("DELETE FROM dnssec_keys WHERE id = ?1")->bind(1, key.bytes).run();
}

void DnssecKeys::forget(const Id& zone) {
  database_.cached("DELETE FROM dnssec_keys WHERE zone = ?1")->bind(1, zone.bytes).run();
  database_.cached("DELETE FROM dnssec_zones WHERE zone = ?1")->bind(1, zone.bytes).run();
}

std::vector<Id> DnssecKeys::steps_due(model::Timestamp now, std::size_t limit) {
  return due(
      "SELECT d.zone FROM dnssec_zones d JOIN zones z ON z.id = d.zone WHERE d.step_on <= ?1 "
      "ORDER BY d.step_on LIMIT ?2",
      now, limit);
}

std::vector<Id> DnssecKeys::looks_due(model::Timestamp now, std::size_t limit) {
  return due(
      "SELECT d.zone FROM dnssec_zones d JOIN zones z ON z.id = d.zone WHERE d.look_on <= ?1 "
      "ORDER BY d.look_on LIMIT ?2",
      now, limit);
}

std::vector<Id> DnssecKeys::due(const char* sql, model::Timestamp now, std::size_t limit) {
  auto select = database_.cached(sql);
  select->bind(1, now.micros).bind(2, static_cast<std::int64_t>(limit));
  std::vector<Id> zones;
  while (select->step()) zones.push_back(read_id(select->blob(0)));
  return zones;
}

}  // namespace brink::ctl::store
