#include "ctl/store/zone_certificates.h"

#include "ctl/store/certificate_json.h"
#include "ctl/store/ocsp_responses.h"
#include "ctl/store/page.h"
#include "ctl/store/row.h"
#include "ctl/store/zone_tables.h"

namespace brink::ctl::store {
namespace {

using model::CertificatePurpose;
using model::HostPull;
using model::Id;
using model::ZoneCertificate;

constexpr char kColumns[] =
    "id, zone, purpose, certificate, sealed_key, bundle_method, legacy, priority, uploaded_on, "
    "modified_on";

ZoneCertificate read_row(const Statement& row) {
  ZoneCertificate certificate;
  certificate.id = read_id(row.blob(0));
  certificate.zone = read_id(row.blob(1));
  certificate.purpose = static_cast<CertificatePurpose>(row.integer(2));
  certificate.certificate = certificate_from_json(row.text(3));
  const auto key = row.blob(4);
  certificate.sealed_key.assign(key.begin(), key.end());
  certificate.bundle_method = static_cast<model::BundleMethod>(row.integer(5));
  certificate.is_legacy = row.integer(6) != 0;
  certificate.priority = static_cast<std::uint32_t>(row.integer(7));
  certificate.uploaded_on = {row.integer(8)};
  certificate.modified_on = {row.integer(9)};
  return certificate;
}

void bind_row(Statement& statement, const ZoneCertificate& certificate, const std::string& json) {
  statement.bind(1, certificate.id.bytes)
      .bind(2, json)
      .bind(3, certificate.certificate.fingerprint)
      .bind(4, certificate.certificate.expires_on.micros)
      .bind(5, certificate.sealed_key)
      .bind(6, static_cast<std::int64_t>(certificate.bundle_method))
      .bind(7, static_cast<std::int64_t>(certificate.is_legacy))
      .bind(8, static_cast<std::int64_t>(certificate.priority))
      .bind(9, certificate.uploaded_on.micros)
      .bind(10, certificate.modified_on.micros);
}

// What of a zone another certificate of it changes.
void note_certificate(Store& store, const ZoneCertificate& certificate) {
  ZoneTables tables(store);
  if (certificate.purpose == CertificatePurpose::kOriginTrust) {
    return tables.note(certificate.zone, TablePart::kTrustStore);
  }
  tables.note(certificate.zone, TablePart::kCertificate, certificate.id.bytes);
  tables.note(certificate.zone, certificate.purpose == CertificatePurpose::kEdge
                                    ? TablePart::kHosts
                                    : TablePart::kOriginPulls);
}

// Hosts that a certificate covers, or did.
void note_coverage(Store& store, const ZoneCertificate& certificate) {
  if (certificate.purpose != CertificatePurpose::kEdge) return;
  ZoneTables tables(store);
  for (const std::string& host : certificate.certificate.hosts) {
    tables.note(certificate.zone, TablePart::kCoverage,
                {reinterpret_cast<const std::uint8_t*>(host.data()), host.size()});
  }
}

HostPull read_pull(const Statement& row) {
  return {std::string(row.text(0)),
          read_id(row.blob(1)),
          row.integer(2) != 0,
          {row.integer(3)},
          {row.integer(4)}};
}

}  // namespace

Page<ZoneCertificate> ZoneCertificates::list(const Id& zone, const ZoneCertificateQuery& query) {
  std::string from = "FROM zone_certificates WHERE zone = ?1 AND purpose = ?2";
  if (query.expired) from += *query.expired ? " AND expires_on <= ?3" : " AND expires_on > ?3";
  return page_of<ZoneCertificate>(
      database_, kColumns, from, "ORDER BY priority DESC, row DESC", query.paging,
      [&](Statement& statement) {
        statement.bind(1, zone.bytes).bind(2, static_cast<std::int64_t>(query.purpose));
        if (query.expired) statement.bind(3, query.now.micros);
      },
      read_row);
}

std::optional<ZoneCertificate> ZoneCertificates::find(const Id& zone, CertificatePurpose purpose,
                                                      const Id& id) {
  auto select =
      database_.prepare(std::string("SELECT ") + kColumns +
                        " FROM zone_certificates WHERE id = ?1 AND zone = ?2 AND purpose = ?3");
  select->bind(1, id.bytes).bind(2, zone.bytes).bind(3, static_cast<std::int64_t>(purpose));
  if (!select->step()) return std::nullopt;
  return read_row(*select);
}

std::uint64_t ZoneCertificates::count(const Id& zone, CertificatePurpose purpose) {
  auto select =
      database_.cached("SELECT count(*) FROM zone_certificates WHERE zone = ?1 AND purpose = ?2");
  select->bind(1, zone.bytes).bind(2, static_cast<std::int64_t>(purpose));
  return select->step() ? static_cast<std::uint64_t>(select->integer(0)) : 0;
}

bool ZoneCertificates::has(const ZoneCertificate& certificate) {
  auto select = database_.cached(
      "SELECT 1 FROM zone_certificates WHERE zone = ?1 AND purpose = ?2 AND fingerprint = ?3 AND "
      "id <> ?4");
  select->bind(1, certificate.zone.bytes)
      .bind(2, static_cast<std::int64_t>(certificate.purpose))
      .bind(3, certificate.certificate.fingerprint)
      .bind(4, certificate.id.bytes);
  return select->step();
}

void ZoneCertificates::insert(const ZoneCertificate& certificate) {
  note_certificate(store_, certificate);
  note_coverage(store_, certificate);
  auto insert = database_.cached(
      "INSERT INTO zone_certificates (id, certificate, fingerprint, expires_on, sealed_key, "
      "bundle_method, legacy, priority, uploaded_on, modified_on, zone, purpose) VALUES "
      "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
  const std::string json = to_json_text(certificate.certificate);
  bind_row(*insert, certificate, json);
  insert->bind(11, certificate.zone.bytes)
      .bind(12, static_cast<std::int64_t>(certificate.purpose))
      .run();
  if (certificate.purpose == CertificatePurpose::kEdge) OcspResponses(store_).expect(certificate);
}

void ZoneCertificates::update(const ZoneCertificate& certificate) {
  note_certificate(store_, certificate);
  const auto before = find(certificate.zone, certificate.purpose, certificate.id);
  if (before && before->certificate.hosts != certificate.certificate.hosts) {
    note_coverage(store_, *before);
    note_coverage(store_, certificate);
  }
  auto update = database_.cached(
      "UPDATE zone_certificates SET certificate = ?2, fingerprint = ?3, expires_on = ?4, "
      "sealed_key = ?5, bundle_method = ?6, legacy = ?7, priority = ?8, uploaded_on = ?9, "
      "modified_on = ?10 WHERE id = ?1");
  const std::string json = to_json_text(certificate.certificate);
  bind_row(*update, certificate, json);
  update->run();
  if (certificate.purpose == CertificatePurpose::kEdge) OcspResponses(store_).expect(certificate);
}

void ZoneCertificates::remove(const Id& id) {
  ZoneCertificate certificate;
  {
    auto select = database_.prepare(std::string("SELECT ") + kColumns +
                                    " FROM zone_certificates WHERE id = ?1");
    select->bind(1, id.bytes);
    if (!select->step()) return;
    certificate = read_row(*select);
  }
  note_certificate(store_, certificate);
  note_coverage(store_, certificate);
  database_.cached("DELETE FROM zone_certificates WHERE id = ?1")->bind(1, id.bytes).run();
}

std::set<std::string> ZoneCertificates::edge_hosts(const Id& zone) {
  auto select = database_.cached(
      "SELECT DISTINCT host.value "
      "FROM zone_certificates, json_each(certificate, '$.hosts') AS host "
      "WHERE zone = ?1 AND purpose = ?2");
  select->bind(1, zone.bytes).bind(2, static_cast<std::int64_t>(CertificatePurpose::kEdge));
  std::set<std::string> hosts;
  while (select->step()) hosts.emplace(select->text(0));
  return hosts;
}

ZoneTls ZoneCertificates::tls(const Id& zone) {
  auto select = database_.cached("SELECT universal, origin_pulls FROM zone_tls WHERE zone = ?1");
  select->bind(1, zone.bytes);
  if (!select->step()) return {};
  return {select->integer(0) != 0, select->integer(1) != 0};
}

void ZoneCertificates::set_tls(const Id& zone, const ZoneTls& tls) {
  ZoneTables(store_).note(zone, TablePart::kOriginPulls);
  auto write = database_.cached("INSERT OR REPLACE INTO zone_tls VALUES (?1, ?2, ?3)");
  write->bind(1, zone.bytes)
      .bind(2, static_cast<std::int64_t>(tls.universal))
      .bind(3, static_cast<std::int64_t>(tls.origin_pulls))
      .run();
}

std::vector<HostPull> ZoneCertificates::host_pulls(const Id& zone) {
  auto select = database_.cached(
      "SELECT host, certificate, enabled, created_on, updated_on FROM host_pulls WHERE zone = ?1 "
      "ORDER BY host");
  select->bind(1, zone.bytes);
  std::vector<HostPull> pulls;
  while (select->step()) pulls.push_back(read_pull(*select));
  return pulls;
}

std::optional<HostPull> ZoneCertificates::host_pull(const Id& zone, const std::string& host) {
  auto select = database_.cached(
      "SELECT host, certificate, enabled, created_on, updated_on FROM host_pulls WHERE zone = ?1 "
      "AND host = ?2");
  select->bind(1, zone.bytes).bind(2, host);
  if (!select->step()) return std::nullopt;
  return read_pull(*select);
}

std::vector<std::string> ZoneCertificates::hosts_with(const Id& certificate) {
  auto select =
      database_.cached("SELECT host FROM host_pulls WHERE certificate = ?1 ORDER BY host");
  select->bind(1, certificate.bytes);
  std::vector<std::string> hosts;
  while (select->step()) hosts.emplace_back(select->text(0));
  return hosts;
}

void ZoneCertificates::put_host_pull(const Id& zone, const HostPull& pull) {
  ZoneTables(store_).note(zone, TablePart::kOriginPulls);
  auto write =
      database_.cached("INSERT OR REPLACE INTO host_pulls VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
  write->bind(1, zone.bytes)
      .bind(2, pull.host)
      .bind(3, pull.certificate.bytes)
      .bind(4, static_cast<std::int64_t>(pull.enabled))
      .bind(5, pull.created_on.micros)
      .bind(6, pull.updated_on.micros)
      .run();
}

void ZoneCertificates::remove_host_pull(const Id& zone, const std::string& host) {
  ZoneTables(store_).note(zone, TablePart::kOriginPulls);
  auto remove = database_.cached("DELETE FROM host_pulls WHERE zone = ?1 AND host = ?2");
  remove->bind(1, zone.bytes).bind(2, host).run();
}

}  // namespace brink::ctl::store
