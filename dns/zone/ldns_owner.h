// Owners of ldns objects and the octets in them. Only this folder includes ldns.
#pragma once

#include <ldns/ldns.h>

#include <memory>

#include "dataplane/base/released_by.h"
#include "dns/zone/resource_record.h"

namespace brink::dns::zone {

using base::ReleasedBy;

using Rdf = std::unique_ptr<ldns_rdf, ReleasedBy<ldns_rdf_deep_free>>;
using Rr = std::unique_ptr<ldns_rr, ReleasedBy<ldns_rr_free>>;

inline Wire wire_of(const ldns_rdf* rdf) {
  return {reinterpret_cast<const char*>(ldns_rdf_data(rdf)), ldns_rdf_size(rdf)};
}

// The data of a record, its fields side by side.
inline Wire rdata_of(const ldns_rr* rr) {
  Wire rdata;
  for (std::size_t i = 0; i < ldns_rr_rd_count(rr); ++i) rdata += wire_of(ldns_rr_rdf(rr, i));
  return rdata;
}

}  // namespace brink::dns::zone
