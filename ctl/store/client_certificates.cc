#include "ctl/store/client_certificates.h"

#include <algorithm>

#include "ctl/store/certificate_json.h"
#include "ctl/store/page.h"
#include "ctl/store/row.h"
#include "ctl/store/zone_tables.h"

namespace brink::ctl::store {
namespace {

using model::ClientCertificate;
using model::Id;

constexpr char kColumns[] =
    "id, zone, authority, certificate, csr, validity_days, revoked, issued_on";

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  throw Failure("the store holds a serial that is none");
}

// Without leading zeros: one number is one key.
std::vector<std::uint8_t> octets_of(std::string serial) {
  serial.erase(0, std::min(serial.find_first_not_of('0'), serial.size()));
  if (serial.size() % 2 != 0) serial.insert(serial.begin(), '0');
  std::vector<std::uint8_t> octets;
  for (std::size_t i = 0; i < serial.size(); i += 2) {
    octets.push_back(static_cast<std::uint8_t>(digit_of(serial[i]) * 16 + digit_of(serial[i + 1])));
  }
  return octets;
}

ClientCertificate read_row(const Statement& row) {
  return {read_id(row.blob(0)),     read_id(row.blob(1)),
          read_id(row.blob(2)),     certificate_from_json(row.text(3)),
          std::string(row.text(4)), static_cast<std::uint32_t>(row.integer(5)),
          row.integer(6) != 0,      {row.integer(7)}};
}

}  // namespace

Page<ClientCertificate> ClientCertificates::list(const Id& zone, std::optional<bool> revoked,
                                                 const Paging& paging) {
  std::string from = "FROM client_certificates WHERE zone = ?1";
  if (revoked) from += *revoked ? " AND revoked" : " AND NOT revoked";
  return page_of<ClientCertificate>(
      database_, kColumns, from, "ORDER BY row DESC", paging,
      [&](Statement& statement) { statement.bind(1, zone.bytes); }, read_row);
}

std::uint64_t ClientCertificates::count(const Id& zone) {
  auto select = database_.cached("SELECT count(*) FROM client_certificates WHERE zone = ?1");
  select->bind(1, zone.bytes);
  return select->step() ? static_cast<std::uint64_t>(select->integer(0)) : 0;
}

std::optional<ClientCertificate> ClientCertificates::find(const Id& zone, const Id& id) {
  auto select = database_.prepare(std::string("SELECT ") + kColumns +
                                  " FROM client_certificates WHERE id = ?1 AND zone = ?2");
  select->bind(1, id.bytes).bind(2, zone.bytes);
  if (!select->step()) return std::nullopt;
  return read_row(*select);
}

void ClientCertificates::insert(const ClientCertificate& certificate) {
  auto insert = database_.cached(
      "INSERT INTO client_certificates (id, zone, authority, certificate, csr, validity_days, "
      "revoked, issued_on) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  const std::string json = to_json_text(certificate.certificate);
  insert->bind(1, certificate.id.bytes)
      .bind(2, certificate.zone.bytes)
      .bind(3, certificate.authority.bytes)
      .bind(4, json)
      .bind(5, certificate.csr)
      .bind(6, static_cast<std::int64_t>(certificate.validity_days))
      .bind(7, static_cast<std::int64_t>(certificate.revoked))
      .bind(8, certificate.issued_on.micros)
      .run();
}

void ClientCertificates::set_revoked(const Id& id, bool revoked) {
  note_revocation(id);
  auto update = database_.cached("UPDATE client_certificates SET revoked = ?2 WHERE id = ?1");
  update->bind(1, id.bytes).bind(2, static_cast<std::int64_t>(revoked)).run();
}

// Every zone that trusts the authority hears of it.
void ClientCertificates::note_revocation(const Id& id) {
  std::optional<Id> authority, account;
  std::vector<std::uint8_t> key;
  {
    auto select = database_.cached(
        "SELECT c.authority, c.certificate, a.account FROM client_certificates c "
        "JOIN account_certificates a ON a.id = c.authority WHERE c.id = ?1");
    select->bind(1, id.bytes);
    if (!select->step()) return;
    authority = read_id(select->blob(0));
    account = read_id(select->blob(2));
    key.assign(authority->bytes.begin(), authority->bytes.end());
    const auto serial = octets_of(certificate_from_json(select->text(1)).serial);
    key.insert(key.end(), serial.begin(), serial.end());
  }
  ZoneTables tables(store_);
  tables.note_managed(*account, TablePart::kRevocation, key);
  tables.note_authority(*authority, TablePart::kRevocation, key);
}

std::vector<std::vector<std::uint8_t>> ClientCertificates::revoked_by(const Id& authority) {
  auto select = database_.cached(
      "SELECT certificate FROM client_certificates WHERE authority = ?1 AND revoked");
  select->bind(1, authority.bytes);
  std::vector<std::vector<std::uint8_t>> serials;
  while (select->step()) {
    serials.push_back(octets_of(certificate_from_json(select->text(0)).serial));
  }
  return serials;
}

}  // namespace brink::ctl::store
