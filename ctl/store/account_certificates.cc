#include "ctl/store/account_certificates.h"

#include "ctl/store/certificate_json.h"
#include "ctl/store/page.h"
#include "ctl/store/row.h"
#include "ctl/store/zone_tables.h"

namespace brink::ctl::store {
namespace {

using model::AccountCertificate;
using model::Id;

constexpr char kColumns[] = "id, account, name, certificate, sealed_key, managed, uploaded_on";

AccountCertificate read_row(const Statement& row) {
  const auto key = row.blob(4);
  return {read_id(row.blob(0)),     read_id(row.blob(1)),
          std::string(row.text(2)), certificate_from_json(row.text(3)),
          {key.begin(), key.end()}, row.integer(5) != 0,
          {row.integer(6)}};
}

std::optional<AccountCertificate> one(Statement& select) {
  if (!select.step()) return std::nullopt;
  return read_row(select);
}

// The managed authority is the one without an id here, so that names may wait for it to be made.
std::span<const std::uint8_t> key_of(const std::optional<Id>& authority) {
  return authority ? std::span<const std::uint8_t>(authority->bytes)
                   : std::span<const std::uint8_t>();
}

std::uint64_t number(Borrowed& select) {
  return select->step() ? static_cast<std::uint64_t>(select->integer(0)) : 0;
}

}  // namespace

Page<AccountCertificate> AccountCertificates::list(const Id& account, const Paging& paging) {
  return page_of<AccountCertificate>(
      database_, kColumns, "FROM account_certificates WHERE account = ?1 AND NOT managed",
      "ORDER BY row", paging, [&](Statement& statement) { statement.bind(1, account.bytes); },
      read_row);
}

std::uint64_t AccountCertificates::count(const Id& account) {
  auto select = database_.cached("SELECT count(*) FROM account_certificates WHERE account = ?1");
  select->bind(1, account.bytes);
  return number(select);
}

std::optional<AccountCertificate> AccountCertificates::find(const Id& account, const Id& id) {
  auto select = database_.prepare(std::string("SELECT ") + kColumns +
                                  " FROM account_certificates WHERE id = ?1 AND account = ?2");
  select->bind(1, id.bytes).bind(2, account.bytes);
  return one(*select);
}

std::optional<AccountCertificate> AccountCertificates::managed(const Id& account) {
  auto select = database_.prepare(std::string("SELECT ") + kColumns +
                                  " FROM account_certificates WHERE account = ?1 AND managed");
  select->bind(1, account.bytes);
  return one(*select);
}

bool AccountCertificates::has(const Id& account, const std::string& fingerprint) {
  auto select = database_.cached(
      "SELECT 1 FROM account_certificates WHERE account = ?1 AND fingerprint = ?2");
  select->bind(1, account.bytes).bind(2, fingerprint);
  return select->step();
}

void AccountCertificates::insert(const AccountCertificate& certificate) {
  if (certificate.managed) {
    ZoneTables tables(store_);
    tables.note_managed(certificate.account, TablePart::kHosts);
    tables.note_managed(certificate.account, TablePart::kAuthorities);
  }
  auto insert = database_.cached(
      "INSERT INTO account_certificates (id, account, name, certificate, fingerprint, sealed_key, "
      "managed, uploaded_on) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  const std::string json = to_json_text(certificate.certificate);
  insert->bind(1, certificate.id.bytes)
      .bind(2, certificate.account.bytes)
      .bind(3, certificate.name)
      .bind(4, json)
      .bind(5, certificate.certificate.fingerprint)
      .bind(7, static_cast<std::int64_t>(certificate.managed))
      .bind(8, certificate.uploaded_on.micros);
  if (!certificate.sealed_key.empty()) insert->bind(6, certificate.sealed_key);
  insert->run();
}

void AccountCertificates::remove(const Id& id) {
  remove_hosts(id);
  database_.cached("DELETE FROM account_certificates WHERE id = ?1")->bind(1, id.bytes).run();
}

std::vector<std::string> AccountCertificates::hosts_of(const Id& zone,
                                                       const std::optional<Id>& authority) {
  auto select = database_.cached(
      "SELECT host FROM host_authorities WHERE zone = ?1 AND authority = ?2 ORDER BY host");
  select->bind(1, zone.bytes).bind(2, key_of(authority));
  std::vector<std::string> hosts;
  while (select->step()) hosts.emplace_back(select->text(0));
  return hosts;
}

void AccountCertificates::set_hosts(const Id& zone, const std::optional<Id>& authority,
                                    const std::vector<std::string>& hosts) {
  ZoneTables tables(store_);
  tables.note(zone, TablePart::kHosts);
  tables.note(zone, TablePart::kAuthorities);
  auto remove = database_.cached("DELETE FROM host_authorities WHERE zone = ?1 AND authority = ?2");
  remove->bind(1, zone.bytes).bind(2, key_of(authority)).run();
  for (const std::string& host : hosts) {
    auto insert = database_.cached("INSERT OR IGNORE INTO host_authorities VALUES (?1, ?2, ?3)");
    insert->bind(1, zone.bytes).bind(2, key_of(authority)).bind(3, host).run();
  }
}

std::uint64_t AccountCertificates::host_count(const Id& authority) {
  auto select = database_.cached(
      "SELECT count(*) FROM host_authorities WHERE authority = ?1 AND zone IN "
      "(SELECT id FROM zones)");
  select->bind(1, authority.bytes);
  return number(select);
}

std::vector<model::HostAuthority> AccountCertificates::host_authorities(const Id& zone) {
  auto select = database_.cached(
      "SELECT host, authority FROM host_authorities WHERE zone = ?1 ORDER BY host, authority");
  select->bind(1, zone.bytes);
  std::vector<model::HostAuthority> hosts;
  while (select->step()) {
    const auto authority = select->blob(1);
    hosts.push_back({std::string(select->text(0)),
                     authority.empty() ? std::nullopt : std::optional(read_id(authority))});
  }
  return hosts;
}

void AccountCertificates::remove_hosts(const Id& authority) {
  ZoneTables tables(store_);
  tables.note_authority(authority, TablePart::kHosts);
  tables.note_authority(authority, TablePart::kAuthorities);
  auto remove = database_.cached("DELETE FROM host_authorities WHERE authority = ?1");
  remove->bind(1, authority.bytes).run();
}

}  // namespace brink::ctl::store
