#include "ctl/compile/source.h"

#include "ctl/store/store.h"

namespace brink::ctl::compile {

void StoreSource::for_each_zone(const std::function<void(const model::Zone&)>& visit) {
  store_.for_each_zone(visit);
}

void StoreSource::for_each_record(const model::Zone& zone,
                                  const std::function<void(const model::Record&)>& visit) {
  store_.for_each_record(zone, visit);
}

std::optional<model::Zone> StoreSource::zone_by_name(const model::DomainName& name) {
  return store_.zone_by_name(name);
}

}  // namespace brink::ctl::compile
