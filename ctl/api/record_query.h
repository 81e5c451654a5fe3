// The query parameters by which records are listed.
#pragma once

#include "ctl/api/http.h"
#include "ctl/store/query.h"

namespace brink::ctl::api {

struct RecordListing {
  store::RecordQuery query;
  bool shadow_metadata = false;
};

// `per_page_max`: larger pages are cut to it.
model::Outcome<RecordListing> read_record_listing(const Request& request,
                                                  std::uint64_t per_page_max);

// include_shadow_metadata=true|false.
model::Outcome<bool> wants_shadow_metadata(const Request& request);

}  // namespace brink::ctl::api
