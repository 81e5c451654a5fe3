// CertificateForwards: names of a zone whose origins are told of the client's certificate, or are
// not. Changes take versions (ZoneTables), and no rollback touches them; those of a deleted zone
// stay under its id.
//
// Belongs to the thread of its Store and borrows it. Failures of the disk or file throw
// store::Failure. Writes belong into the caller's write transaction.
#pragma once

#include <vector>

#include "ctl/model/certificate.h"
#include "ctl/store/store.h"

namespace brink::ctl::store {

class CertificateForwards {
 public:
  explicit CertificateForwards(Store& store) : store_(store), database_(*store.database_) {}

  // By name.
  std::vector<model::HostForward> list(const model::Id& zone);
  // In place of what was said of the name.
  void put(const model::Id& zone, const model::HostForward& forward);

 private:
  Store& store_;
  Database& database_;
};

}  // namespace brink::ctl::store
