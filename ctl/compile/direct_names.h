// DirectNames: names that lead around the edge. An MX or SRV record whose target is a proxied name
// of its own zone would send mail, or whatever the service is, to the edge, which carries HTTP
// alone. It is served with a target of the zone's own instead, _dc-mx.<12 hex>.<zone> or dc-<12
// hex>.<zone>, whose addresses are those of the target's origins. Nobody stores these names: they
// come and go with the records that need them. Private to this folder.
//
// The 12 digits are a keyed digest of the target: always the same for one target of one zone, and
// not to be guessed. Where the zone has something else at such a name, nothing is served in its
// place.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ctl/compile/compile.h"
#include "ctl/compile/lookups.h"

namespace brink::ctl::compile {

struct DirectName {
  model::DomainName name;
  model::DomainName target;  // whose origins it leads to
};

class DirectNames {
 public:
  // By tree key, in the order of the tree.
  using Map = std::map<std::string, DirectName>;
  static std::string key_of(const model::DomainName& name);

  DirectNames(Lookups& lookups, const Options& options) : lookups_(lookups), options_(options) {}

  // What a record of `zone`, MX or SRV, points at instead of `target`; empty: at `target`.
  std::optional<model::DomainName> instead_of(const model::Zone& zone, model::RecordType type,
                                              const model::DomainName& target);
  // All that the zone's records need. Costs as many look-ups as the zone has such records; the zone
  // asked for last is kept.
  const Map& of(const model::Zone& zone);
  // One of those; null: it is none.
  const DirectName* find(const model::Zone& zone, const model::DomainName& name);
  // Those that may lead to a target for a zone of this name, needed or not.
  [[nodiscard]] std::vector<model::DomainName> candidates(const model::DomainName& apex,
                                                          const model::DomainName& target) const;

  // Whether a name of the zone stands where such names do: what comes or goes there, or above,
  // decides whether they can be.
  static bool is_place(const model::DomainName& apex, const model::DomainName& name);

 private:
  [[nodiscard]] std::optional<model::DomainName> name_for(const model::DomainName& apex,
                                                          model::RecordType type,
                                                          const model::DomainName& target) const;
  bool is_served(const model::Zone& zone, const model::DomainName& owner);

  Lookups& lookups_;
  const Options& options_;
  std::int64_t known_row_ = 0;
  Map known_;
};

}  // namespace brink::ctl::compile
