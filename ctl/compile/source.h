// Source: where the compiler reads from. One consistent state throughout a compilation.
#pragma once

#include <functional>
#include <optional>

#include "ctl/model/record.h"
#include "ctl/model/zone.h"

namespace brink::ctl::store {
class Store;
}

namespace brink::ctl::compile {

class Source {
 public:
  virtual ~Source() = default;

  // In a fixed order.
  virtual void for_each_zone(const std::function<void(const model::Zone&)>& visit) = 0;
  // In a fixed order, all records of a name one after another.
  virtual void for_each_record(const model::Zone& zone,
                               const std::function<void(const model::Record&)>& visit) = 0;
  virtual std::optional<model::Zone> zone_by_name(const model::DomainName& name) = 0;
};

// Reads a store, inside a transaction that the caller keeps open.
class StoreSource : public Source {
 public:
  explicit StoreSource(store::Store& store) : store_(store) {}

  void for_each_zone(const std::function<void(const model::Zone&)>& visit) override;
  void for_each_record(const model::Zone& zone,
                       const std::function<void(const model::Record&)>& visit) override;
  std::optional<model::Zone> zone_by_name(const model::DomainName& name) override;

 private:
  store::Store& store_;
};

}  // namespace brink::ctl::compile
