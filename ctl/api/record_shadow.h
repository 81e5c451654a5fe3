// What hides a record from being answered: a delegation (NS below the apex) or a DNAME at or above
// its name. The `meta` of the API tells it on demand.
#pragma once

#include <map>

#include "ctl/api/json_input.h"
#include "ctl/model/record.h"
#include "ctl/store/store.h"

namespace brink::ctl::api {

// A page or batch of more records is answered without it.
inline constexpr std::size_t kShadowPageMax = 1000;
// Hidden records are counted up to here.
inline constexpr std::uint64_t kShadowCountMax = 10'000;

// Remembers what it found out about a zone's names; for one request.
class Shadows {
 public:
  Shadows(store::Store& store, const model::Zone& zone) : store_(store), zone_(zone) {}

  // shadowed_by: the names that hide it, from the top. is_glue: an address that the topmost of
  // them refers to, so that it is given with the referral; dead_glue: an address below a delegation
  // which does not. shadowed_records_count: of an NS or DNAME that hides others.
  Json meta(const model::Record& record);

 private:
  struct Cut {
    bool is_cut = false;  // has NS or DNAME
    bool is_delegation = false;
  };

  Cut cut_at(const model::DomainName& name);
  bool refers_to(const model::DomainName& cut, const model::DomainName& host);

  store::Store& store_;
  const model::Zone& zone_;
  std::map<model::DomainName, Cut> cuts_;
};

}  // namespace brink::ctl::api
