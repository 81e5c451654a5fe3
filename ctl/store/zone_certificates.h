// ZoneCertificates: certificates of zones with their sealed keys, and the switches of TLS that a
// zone has. Changes take versions (ZoneTables), and no rollback touches them; those of a deleted zone
// stay under its id for as long as a rollback can bring it back.
//
// Belongs to the thread of its Store and borrows it. Failures of the disk or file throw
// store::Failure. Writes belong into the caller's write transaction.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ctl/model/certificate.h"
#include "ctl/store/query.h"
#include "ctl/store/store.h"

namespace brink::ctl::store {

struct ZoneTls {
  bool universal = false;     // the zone wants certificates made for it; none are so far
  bool origin_pulls = false;  // the zone's certificate is shown to origins
};

// Which certificates of a zone; `expired` is judged at `now`.
struct ZoneCertificateQuery {
  model::CertificatePurpose purpose = model::CertificatePurpose::kEdge;
  std::optional<bool> expired = std::nullopt;
  model::Timestamp now = {};
  Paging paging = {};
};

class ZoneCertificates {
 public:
  explicit ZoneCertificates(Store& store) : store_(store), database_(*store.database_) {}

  // By priority, the highest first, then the newest first.
  Page<model::ZoneCertificate> list(const model::Id& zone, const ZoneCertificateQuery& query);
  std::optional<model::ZoneCertificate> find(const model::Id& zone,
                                             model::CertificatePurpose purpose,
                                             const model::Id& id);
  std::uint64_t count(const model::Id& zone, model::CertificatePurpose purpose);
  // The hosts that its certificates are for, wildcards among them.
  std::set<std::string> edge_hosts(const model::Id& zone);
  // Whether the zone has this very certificate for this purpose.
  bool has(const model::ZoneCertificate& certificate);
  void insert(const model::ZoneCertificate& certificate);
  // All but id, zone and purpose.
  void update(const model::ZoneCertificate& certificate);
  // It must not be what a HostPull refers to.
  void remove(const model::Id& id);

  ZoneTls tls(const model::Id& zone);
  void set_tls(const model::Id& zone, const ZoneTls& tls);

  std::vector<model::HostPull> host_pulls(const model::Id& zone);
  std::optional<model::HostPull> host_pull(const model::Id& zone, const std::string& host);
  // The names that show a certificate to their origins.
  std::vector<std::string> hosts_with(const model::Id& certificate);
  void put_host_pull(const model::Id& zone, const model::HostPull& pull);
  void remove_host_pull(const model::Id& zone, const std::string& host);

 private:
  Store& store_;
  Database& database_;
};

}  // namespace brink::ctl::store
