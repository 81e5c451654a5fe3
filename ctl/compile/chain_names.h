// ChainNames: which names of a zone its NSEC chain has, and in which order: all that own authoritative
// data or are delegations (RFC 4035 2.3). Private to this folder.
#pragma once

#include <optional>

#include "ctl/compile/direct_names.h"
#include "ctl/compile/lookups.h"

namespace brink::ctl::compile {

class ChainNames {
 public:
  // `directs`: those of the zone; they outlive this.
  ChainNames(Lookups& lookups, const model::Zone& zone, const DirectNames::Map& directs)
      : lookups_(lookups), zone_(zone), directs_(directs) {}

  [[nodiscard]] bool contains(const model::DomainName& name) const;
  // The nearest after and before a name, whether that is in the chain or not. What comes after the last
  // is the apex, which is always there.
  [[nodiscard]] model::DomainName next(const model::DomainName& name) const;
  [[nodiscard]] model::DomainName previous(const model::DomainName& name) const;

 private:
  [[nodiscard]] std::optional<model::DomainName> hidden_by(const model::DomainName& name) const;

  [[nodiscard]] std::optional<model::DomainName> next_stored(const model::DomainName& name) const;
  [[nodiscard]] model::DomainName previous_stored(const model::DomainName& name) const;

  Lookups& lookups_;
  const model::Zone& zone_;
  const DirectNames::Map& directs_;
};

}  // namespace brink::ctl::compile
