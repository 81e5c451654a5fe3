// OcspResponses: what responders have said of the certificates that clients are shown. It is state
// of the store, not configuration: it comes and goes with its certificate (ZoneCertificates), and
// no rollback touches it. Another response takes a version (ZoneTables), since the edge has it;
// what is only about the next look takes none.
//
// Belongs to the thread of its Store and borrows it. Failures of the disk or file throw
// store::Failure. Writes belong into the caller's write transaction.
#pragma once

#include <optional>
#include <vector>

#include "ctl/model/certificate.h"
#include "ctl/model/stapling.h"
#include "ctl/store/store.h"

namespace brink::ctl::store {

class OcspResponses {
 public:
  explicit OcspResponses(Store& store) : store_(store), database_(*store.database_) {}

  std::optional<model::Stapling> find(const model::Id& certificate);
  // Of a zone's certificates.
  std::vector<model::Stapling> list(const model::Id& zone);
  // Of zones that there are, whose next look is due; those that wait longest first.
  std::vector<model::Stapling> due(std::int64_t now_s, std::size_t most);
  // Of a certificate that clients are shown from now on: it is due. What is known of the same one
  // stays.
  void expect(const model::ZoneCertificate& certificate);
  // What a look has brought. Nothing happens where the certificate is another one by now.
  void put(const model::Stapling& stapling);

 private:
  Store& store_;
  Database& database_;
};

}  // namespace brink::ctl::store
