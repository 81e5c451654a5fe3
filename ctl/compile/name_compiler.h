// NameCompiler: one name's records as stored into what the name owns as served, with its route.
// Private to this folder.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "ctl/compile/compile.h"
#include "ctl/compile/direct_names.h"
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

// What a record of the zone's chain says that a name owns.
struct NameTypes {
  std::vector<std::uint16_t> types;  // without those that signing adds
  bool cut = false;
};

// What a name owns as it is answered, with signatures.
struct ServedName {
  dns::zone::Node node;
  bool parent_side = false;  // see snapshot::NameContents
  std::optional<ProxiedName> proxied;
};

class NameCompiler {
 public:
  NameCompiler(Lookups& lookups, const Options& options)
      : lookups_(lookups), options_(options), directs_(lookups, options) {}

  // What `name` owns in `zone`, which must own it (zone_of). Empty: nothing that is answered with
  // authority; an apex is never empty. An Error names zone, owner and type.
  base::Result<std::optional<Contents>> compile(const model::Zone& zone,
                                                const model::DomainName& name);
  // The same before it is rendered, whether it fits a message or not.
  base::Result<std::optional<ServedName>> serve_signed(const model::Zone& zone,
                                                       const model::DomainName& name);
  // What a direct name of the zone owns.
  base::Result<Contents> compile(const model::Zone& zone, const DirectName& direct);
  // The same before it is rendered.
  base::Result<dns::zone::Node> serve_signed(const model::Zone& zone, const DirectName& direct);
  DirectNames& directs() { return directs_; }
  // What MX and SRV records of the names compiled since the last call point at, each with the apex
  // of its zone: what is direct for it may be another now.
  using Targets = std::set<std::pair<model::DomainName, model::DomainName>>;
  Targets take_targets() { return std::exchange(targets_, {}); }
  // The name outside the served zones whose addresses are part of what `name` owns, if there is one.
  std::optional<model::DomainName> outside(const model::Zone& zone, const model::DomainName& name);
  // The SOA of the zone's negative answers, and their TTL (RFC 2308 5).
  base::Result<dns::render::Negative> compile_negative(const model::Zone& zone);
  [[nodiscard]] std::uint32_t negative_ttl(const model::Zone& zone) const;

  // Of a name that the zone owns or delegates.
  NameTypes types(const model::Zone& zone, const model::DomainName& name);
  // Adds the signatures of a set of the zone, made here or given; none where it is not signed.
  // `scheduled_by`: see dnssec::ZoneSigner. An Error names zone, owner and type.
  base::Result<void> sign(const model::Zone& zone, const dns::zone::Wire& owner,
                          const dns::zone::Wire& scheduled_by, dns::zone::Rrset& set);

 private:
  class Served;

  // The name's records as answered, without SOA and NS that the zone has by default.
  Served serve(const model::Zone& zone, const model::DomainName& name);
  void add_authority(const model::Zone& zone, dns::zone::Node& node) const;
  void note_targets(const model::Zone& zone, const Served& served);
  base::Result<void> add_keys(const model::Zone& zone, dns::zone::Node& node);
  base::Result<void> sign(const model::Zone& zone, const model::DomainName& name, bool parent_side,
                          dns::zone::Node& node);
  // Of a set of a presigned zone.
  std::vector<dns::zone::Wire> given_signatures(const model::Zone& zone,
                                                const dns::zone::Wire& owner, std::uint16_t type);
  base::Result<std::shared_ptr<const dnssec::ZoneSigner>> signer_of(const model::Zone& zone);
  bool take_parent_ds(const model::Zone& zone, dns::zone::Node& node);
  base::Result<std::optional<dns::zone::Node>> find(const model::Zone& zone,
                                                    const dns::zone::Wire& name);

  Lookups& lookups_;
  const Options& options_;
  DirectNames directs_;
  Targets targets_;
  std::int64_t signer_row_ = 0;  // the zone that was signed last
  std::shared_ptr<const dnssec::ZoneSigner> signer_;
};

}  // namespace brink::ctl::compile
