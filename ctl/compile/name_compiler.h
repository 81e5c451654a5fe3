// NameCompiler: one name's records as stored into what the name owns as served, with its route.
// Private to this folder.
#pragma once

#include <optional>
#include <vector>

#include "ctl/compile/compile.h"
#include "ctl/compile/lookups.h"
#include "dns/render/render.h"
#include "dns/zone/zone.h"

namespace brink::ctl::compile {

// snapshot::NameContents with its octets.
struct Contents {
  std::vector<snapshot::Rrset> rrsets;
  std::vector<std::uint8_t> route;
  bool cut = false;
  bool parent_side = false;
};

class NameCompiler {
 public:
  NameCompiler(Lookups& lookups, const Options& options) : lookups_(lookups), options_(options) {}

  // What `name` owns in `zone`, which must own it (zone_of). Empty: nothing that is answered with
  // authority; an apex is never empty. An Error names zone, owner and type.
  base::Result<std::optional<Contents>> compile(const model::Zone& zone,
                                                const model::DomainName& name);
  // The name outside the served zones whose addresses are part of what `name` owns, if there is one.
  std::optional<model::DomainName> outside(const model::Zone& zone, const model::DomainName& name);
  // The SOA of the zone's negative answers.
  base::Result<std::vector<std::uint8_t>> compile_negative(const model::Zone& zone);

 private:
  class Served;

  // The name's records as answered, without SOA and NS that the zone has by default.
  Served serve(const model::Zone& zone, const model::DomainName& name);
  void add_authority(const model::Zone& zone, dns::zone::Node& node) const;
  bool take_parent_ds(const model::Zone& zone, dns::zone::Node& node);
  std::optional<dns::zone::Node> find(const model::Zone& zone, const dns::zone::Wire& name);

  Lookups& lookups_;
  const Options& options_;
};

}  // namespace brink::ctl::compile
