#include "ctl/store/ocsp_responses.h"

#include <string>

#include "ctl/store/row.h"
#include "ctl/store/zone_tables.h"

namespace brink::ctl::store {
namespace {

using model::Id;
using model::Stapling;

constexpr char kSelect[] =
    "SELECT o.certificate, c.zone, o.fingerprint, o.responder, o.response, o.status, "
    "o.this_update, o.next_update, o.fetched_on, o.look_on, o.failures, o.fault "
    "FROM ocsp_responses o JOIN zone_certificates c ON c.id = o.certificate ";

Stapling read_row(const Statement& row) {
  Stapling stapling;
  stapling.certificate = read_id(row.blob(0));
  stapling.zone = read_id(row.blob(1));
  stapling.fingerprint = row.text(2);
  stapling.responder = row.text(3);
  const auto response = row.blob(4);
  stapling.response.assign(response.begin(), response.end());
  stapling.status = static_cast<model::OcspStatus>(row.integer(5));
  stapling.this_update_s = row.integer(6);
  stapling.next_update_s = row.integer(7);
  stapling.fetched_on_s = row.integer(8);
  stapling.look_on_s = row.integer(9);
  stapling.failures = static_cast<std::uint32_t>(row.integer(10));
  stapling.fault = row.text(11);
  return stapling;
}

std::vector<Stapling> all(Statement& select) {
  std::vector<Stapling> found;
  while (select.step()) found.push_back(read_row(select));
  return found;
}

}  // namespace

std::optional<Stapling> OcspResponses::find(const Id& certificate) {
  auto select = database_.prepare(std::string(kSelect) + "WHERE o.certificate = ?1");
  select->bind(1, certificate.bytes);
  if (!select->step()) return std::nullopt;
  return read_row(*select);
}

std::vector<Stapling> OcspResponses::list(const Id& zone) {
  auto select = database_.prepare(std::string(kSelect) + "WHERE c.zone = ?1 ORDER BY c.row");
  select->bind(1, zone.bytes);
  return all(*select);
}

std::vector<Stapling> OcspResponses::due(std::int64_t now_s, std::size_t most) {
  auto select = database_.prepare(
      std::string(kSelect) +
      "JOIN zones z ON z.id = c.zone WHERE o.look_on <= ?1 ORDER BY o.look_on LIMIT ?2");
  select->bind(1, now_s).bind(2, static_cast<std::int64_t>(most));
  return all(*select);
}

void OcspResponses::expect(const model::ZoneCertificate& certificate) {
  auto write = database_.cached(
      "INSERT INTO ocsp_responses VALUES (?1, ?2, '', NULL, 0, 0, 0, 0, 0, 0, '') "
      "ON CONFLICT (certificate) DO UPDATE SET fingerprint = ?2, responder = '', response = NULL, "
      "status = 0, this_update = 0, next_update = 0, fetched_on = 0, look_on = 0, failures = 0, "
      "fault = '' WHERE fingerprint <> ?2");
  write->bind(1, certificate.id.bytes).bind(2, certificate.certificate.fingerprint).run();
}

void OcspResponses::put(const Stapling& stapling) {
  const auto present = find(stapling.certificate);
  if (!present || present->fingerprint != stapling.fingerprint) return;
  if (present->response != stapling.response) {
    ZoneTables(store_).note(present->zone, TablePart::kCertificate, stapling.certificate.bytes);
  }
  auto write = database_.cached(
      "UPDATE ocsp_responses SET responder = ?2, response = ?3, status = ?4, this_update = ?5, "
      "next_update = ?6, fetched_on = ?7, look_on = ?8, failures = ?9, fault = ?10 "
      "WHERE certificate = ?1");
  write->bind(1, stapling.certificate.bytes)
      .bind(2, stapling.responder)
      .bind(4, static_cast<std::int64_t>(stapling.status))
      .bind(5, stapling.this_update_s)
      .bind(6, stapling.next_update_s)
      .bind(7, stapling.fetched_on_s)
      .bind(8, stapling.look_on_s)
      .bind(9, static_cast<std::int64_t>(stapling.failures))
      .bind(10, stapling.fault);
  if (!stapling.response.empty()) write->bind(3, stapling.response);
  write->run();
}

}  // namespace brink::ctl::store
