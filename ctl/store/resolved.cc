#include "ctl/store/resolved.h"

#include <algorithm>

#include "ctl/store/row.h"

namespace brink::ctl::store {
namespace {

constexpr std::size_t kAddressSize = 16;

ResolvedName read_resolved(const Statement& statement) {
  ResolvedName resolved;
  resolved.name = read_name(statement.text(0));
  const auto octets = statement.blob(1);
  if (octets.size() % kAddressSize != 0) throw Failure("a resolved name's addresses are damaged");
  for (std::size_t at = 0; at < octets.size(); at += kAddressSize) {
    resolved.addresses.push_back(base::IpAddress::v6_from_wire(octets.data() + at));
  }
  resolved.ttl_s = static_cast<std::uint32_t>(statement.integer(2));
  return resolved;
}

std::vector<std::uint8_t> octets_of(const std::vector<base::IpAddress>& addresses) {
  std::vector<std::uint8_t> octets;
  for (const base::IpAddress& address : addresses) {
    octets.insert(octets.end(), address.bytes().begin(), address.bytes().end());
  }
  return octets;
}

}  // namespace

std::optional<ResolvedName> ResolvedNames::find(const model::DomainName& name) {
  auto select = database_.cached("SELECT name, addresses, ttl FROM resolved WHERE name = ?1");
  select->bind(1, name.text());
  if (!select->step()) return std::nullopt;
  return read_resolved(*select);
}

std::vector<ResolvedName> ResolvedNames::all() {
  auto select = database_.cached("SELECT name, addresses, ttl FROM resolved ORDER BY name");
  std::vector<ResolvedName> names;
  while (select->step()) names.push_back(read_resolved(*select));
  return names;
}

std::size_t ResolvedNames::put(const std::vector<ResolvedName>& names) {
  std::optional<Transaction> own;
  if (!store_.in_transaction_) own.emplace(store_, Transaction::Kind::kWrite);
  std::size_t different = 0;
  for (const ResolvedName& each : names) {
    const auto kept = find(each.name);
    if ((kept ? kept->addresses : std::vector<base::IpAddress>()) == each.addresses) continue;
    ++different;
    store_.take_version();  // the trigger stamps the log with it
    const std::vector<std::uint8_t> octets = octets_of(each.addresses);
    auto write = database_.cached(
        "INSERT INTO resolved (name, addresses, ttl) VALUES (?1, ?2, ?3) "
        "ON CONFLICT (name) DO UPDATE SET addresses = ?2, ttl = ?3");
    write->bind(1, each.name.text()).bind(2, octets).bind(3, std::int64_t{each.ttl_s}).run();
  }
  if (own) own->commit();
  return different;
}

void ResolvedNames::forget_unused(const std::vector<model::DomainName>& names) {
  std::optional<Transaction> own;
  if (!store_.in_transaction_) own.emplace(store_, Transaction::Kind::kWrite);
  for (const model::DomainName& name : names) {
    if (!store_.aliases_to(name, Reach::kName).empty()) continue;
    database_.cached("DELETE FROM resolved WHERE name = ?1")->bind(1, name.text()).run();
  }
  if (own) own->commit();
}

}  // namespace brink::ctl::store
