// ClientCertificates: what the managed authority of an account has issued for its zones. A revocation
// takes a version (ZoneTables), and no rollback touches it: what is revoked stays so.
//
// Belongs to the thread of its Store and borrows it. Failures of the disk or file throw
// store::Failure. Writes belong into the caller's write transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ctl/model/certificate.h"
#include "ctl/store/query.h"
#include "ctl/store/store.h"

namespace brink::ctl::store {

class ClientCertificates {
 public:
  explicit ClientCertificates(Store& store) : store_(store), database_(*store.database_) {}

  // Newest first; empty: revoked or not.
  Page<model::ClientCertificate> list(const model::Id& zone, std::optional<bool> revoked,
                                      const Paging& paging);
  std::uint64_t count(const model::Id& zone);
  std::optional<model::ClientCertificate> find(const model::Id& zone, const model::Id& id);
  void insert(const model::ClientCertificate& certificate);
  void set_revoked(const model::Id& id, bool revoked);
  // Serials of what an authority has revoked, for whichever zone: octets, the most significant first,
  // without leading zeros.
  std::vector<std::vector<std::uint8_t>> revoked_by(const model::Id& authority);

 private:
  void note_revocation(const model::Id& id);

  Store& store_;
  Database& database_;
};

}  // namespace brink::ctl::store
