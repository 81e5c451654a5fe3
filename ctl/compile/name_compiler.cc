#include "ctl/compile/name_compiler.h"

#include <algorithm>

#include "ctl/compile/https_record.h"
#include "ctl/compile/origins.h"
#include "ctl/model/proxy_settings.h"
#include "dataplane/base/bytes.h"
#include "dns/dnssec/denial.h"
#include "dns/zone/text.h"

namespace brink::ctl::compile {
namespace {

using dns::zone::Wire;
using model::DomainName;

Wire to_wire(std::span<const std::uint8_t> octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

bool is_address(const Entry& entry) {
  return entry.type == model::kTypeA || entry.type == model::kTypeAaaa;
}

// Those of the set that an RRSIG covers (RFC 4034 3.1.1).
bool covers(const Entry& entry, std::uint16_t type) {
  return entry.type == model::kTypeRrsig && entry.rdata.size() > 2 &&
         base::load_be16(entry.rdata.data()) == type;
}

constexpr std::size_t kMxTargetAt = 2;   // RFC 1035 3.3.9
constexpr std::size_t kSrvTargetAt = 6;  // RFC 2782

bool is_exchange(const Entry& entry) {
  return entry.type == model::kTypeMx || entry.type == model::kTypeSrv;
}

std::optional<DomainName> target_of(const Entry& entry) {
  const auto key = store::target_key(entry.type, entry.rdata);
  return key ? std::optional(store::name_of(*key)) : std::nullopt;
}

base::Error in_zone(const model::Zone& zone, base::Error error) {
  error.where = "zone " + zone.name.text() + ", " + error.where;
  return error;
}

// Without what signing made: of a presigned zone that is asked for where it belongs to, and no
// other zone should have any.
std::vector<Entry> data_entries(Lookups& lookups, const model::Zone& zone, const DomainName& name) {
  std::vector<Entry> entries = lookups.entries(zone, name);
  std::erase_if(entries, [&zone](const Entry& entry) {
    if (!model::is_made_by_signing(entry.type)) return false;
    return !zone.dnssec.presigned || entry.type != model::kTypeNsec3Param;
  });
  return entries;
}

}  // namespace

// A name's answer under construction.
class NameCompiler::Served {
 public:
  Served(Lookups& lookups, const Options& options, DirectNames& directs, const model::Zone& zone,
         const DomainName& name)
      : lookups_(lookups),
        options_(options),
        directs_(directs),
        zone_(zone),
        name_(name),
        entries_(data_entries(lookups, zone, name)) {
    node.owner = to_wire(name.wire());
    node.cut = name != zone.name && has_type(entries_, model::kTypeNs);
    // What a zone below owns is glue to this one, like what lies below a delegation.
    node.occluded = lookups.is_occluded(zone, name) || lookups.zone_of(name)->row != zone.row;
  }

  void run();
  [[nodiscard]] bool has_records() const { return !entries_.empty(); }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

  dns::zone::Node node;
  std::optional<ProxiedName> proxied;
  std::optional<DomainName> outside;  // whose addresses are served, or are origins

 private:
  void add_proxied();
  void add_alias(const Entry& alias);
  void add_edge_addresses(bool v4, bool v6);
  void add_https_record(bool v4, bool v6);
  void add_addresses(std::span<const base::IpAddress> addresses, std::uint32_t ttl, bool v4,
                     bool v6);
  void add_as_stored(bool with_addresses);
  [[nodiscard]] Wire rdata_of(const Entry& entry);

  Lookups& lookups_;
  const Options& options_;
  DirectNames& directs_;
  const model::Zone& zone_;
  const DomainName& name_;
  std::vector<Entry> entries_;
};

void NameCompiler::Served::run() {
  if (node.occluded || node.cut || zone_.dnssec.presigned) return add_as_stored(true);
  // One proxied address makes every address of the name an origin.
  const auto is_proxied = [](const Entry& entry) { return entry.proxied; };
  if (std::any_of(entries_.begin(), entries_.end(), is_proxied)) return add_proxied();
  const auto alias = std::find_if(entries_.begin(), entries_.end(), [](const Entry& entry) {
    return entry.type == model::kTypeCname;
  });
  if (alias != entries_.end()) return add_alias(*alias);
  add_as_stored(true);
}

void NameCompiler::Served::add_proxied() {
  bool v4 = true, v6 = zone_.dns.ipv6;
  std::vector<base::IpAddress> origins = addresses_of(entries_);
  std::string target;
  for (const Entry& entry : entries_) {
    if (entry.proxied && entry.settings.ipv4_only) v6 = false;
    if (entry.proxied && entry.settings.ipv6_only) v4 = false;
    if (entry.type == model::kTypeCname) {
      const auto name = DomainName::from_wire(entry.rdata);
      Chain chain = follow(lookups_, *name);
      target = name->text();
      origins = std::move(chain.addresses);
      outside = std::move(chain.outside);
    }
  }
  if (!v4 && !v6) v4 = true, v6 = zone_.dns.ipv6;  // settings that contradict each other
  add_edge_addresses(v4, v6);
  add_as_stored(false);
  proxied = {zone_.name.text(), std::move(origins), std::move(target)};
}

// A DNS-only CNAME. Alone below the apex it is answered as it is; at the apex, beside other
// records, or on demand it is flattened to the addresses behind it; those from outside have the TTL
// of their resolution, unless the record asks for less. If it leads to a proxied name, clients
// arrive at the edge under this name too, which therefore has a route.
void NameCompiler::Served::add_alias(const Entry& alias) {
  const auto target = DomainName::from_wire(alias.rdata);
  Chain chain = follow(lookups_, *target);
  const bool flatten = name_ == zone_.name || entries_.size() > 1 || alias.settings.flatten_cname ||
                       zone_.dns.flatten_all_cnames;
  if (!flatten) {
    add_as_stored(true);
  } else {
    if (chain.is_proxied) {
      add_edge_addresses(true, zone_.dns.ipv6);
    } else {
      std::uint32_t ttl = options_.served_ttl(zone_, alias.ttl);
      if (chain.outside) {
        ttl = alias.ttl == model::kTtlAutomatic ? chain.ttl_s : std::min(ttl, chain.ttl_s);
      }
      add_addresses(chain.addresses, ttl, true, true);
    }
    add_as_stored(false);
  }
  if (flatten || chain.is_proxied) outside = chain.outside;
  if (chain.is_proxied) {
    proxied = {zone_.name.text(), std::move(chain.addresses), target->text()};
  }
}

void NameCompiler::Served::add_edge_addresses(bool v4, bool v6) {
  add_addresses(options_.addresses_of(zone_), options_.proxied_ttl, v4, v6);
  add_https_record(v4, v6);
}

// Clients that ask for it come by HTTPS at once, and with HTTP/2: only where a handshake for the
// name will do, and nobody has said otherwise.
void NameCompiler::Served::add_https_record(bool v4, bool v6) {
  if (!options_.https_records || has_type(entries_, dns::zone::kTypeHttps)) return;
  if (!lookups_.has_certificate(zone_, name_)) return;
  const model::ProxySettings settings = model::proxy_settings(zone_.settings);
  if (!settings.serves_https()) return;
  HttpsRecord record{.http2 = settings.http2};
  for (const base::IpAddress& address : options_.addresses_of(zone_)) {
    if (address.is_v4() ? v4 : v6) record.hints.push_back(address);
  }
  node.add(dns::zone::kTypeHttps, options_.proxied_ttl, https_rdata(record));
}

void NameCompiler::Served::add_addresses(std::span<const base::IpAddress> addresses,
                                         std::uint32_t ttl, bool v4, bool v6) {
  for (const base::IpAddress& address : addresses) {
    if (address.is_v4() && v4) {
      node.add(model::kTypeA, ttl, to_wire(std::span(address.v4_wire(), 4)));
    } else if (!address.is_v4() && v6) {
      node.add(model::kTypeAaaa, ttl, to_wire(address.bytes()));
    }
  }
}

void NameCompiler::Served::add_as_stored(bool with_addresses) {
  for (const Entry& entry : entries_) {
    if (!with_addresses && (is_address(entry) || entry.type == model::kTypeCname)) continue;
    node.add(entry.type, options_.served_ttl(zone_, entry.ttl), rdata_of(entry));
  }
}

// As stored, but for targets that the edge is no way to.
Wire NameCompiler::Served::rdata_of(const Entry& entry) {
  Wire rdata = to_wire(entry.rdata);
  if (!is_exchange(entry) || node.occluded || node.cut) return rdata;
  const auto target = target_of(entry);
  const auto instead = target ? directs_.instead_of(zone_, entry.type, *target) : std::nullopt;
  if (!instead) return rdata;
  rdata.resize(entry.type == model::kTypeMx ? kMxTargetAt : kSrvTargetAt);
  return rdata + to_wire(instead->wire());
}

NameCompiler::Served NameCompiler::serve(const model::Zone& zone, const DomainName& name) {
  Served served(lookups_, options_, directs_, zone, name);
  served.run();
  return served;
}

std::optional<DomainName> NameCompiler::outside(const model::Zone& zone, const DomainName& name) {
  return serve(zone, name).outside;
}

// SOA always; a presigned zone has all else itself. The assigned name servers when the zone has
// none of its own, when its own are not served, and beside its own when it has several providers.
void NameCompiler::add_authority(const model::Zone& zone, dns::zone::Node& node) const {
  const model::ZoneSoa soa = model::served_soa(zone, options_.authority);
  node.add(model::kTypeSoa, soa.ttl, to_wire(soa.rdata));
  if (zone.dnssec.presigned && node.find(model::kTypeNs) != nullptr) return;
  std::uint32_t ttl = options_.authority.ns_ttl_of(zone);
  if (const auto* own = node.find(model::kTypeNs)) {
    if (zone.dns.multi_provider) {
      ttl = own->ttl;  // of a set all TTLs are the same (RFC 2181 5.2)
    } else if (options_.authority.own_apex_ns) {
      return;
    } else {
      std::erase_if(node.rrsets,
                    [](const dns::zone::Rrset& set) { return set.type == model::kTypeNs; });
    }
  }
  for (const DomainName& server : options_.authority.servers_of(zone)) {
    const Wire wire = to_wire(server.wire());
    const auto* set = node.find(model::kTypeNs);
    const auto is_server = [&](const Wire& own) { return dns::zone::lower_name(own) == wire; };
    if (set != nullptr && std::ranges::any_of(set->rdata, is_server)) continue;
    node.add(model::kTypeNs, ttl, wire);
  }
}

// If the zone above delegates this one, the DS set is its own to give (RFC 4035 3.1.4.1).
bool NameCompiler::take_parent_ds(const model::Zone& zone, dns::zone::Node& node) {
  const model::Zone* parent = lookups_.zone_of(zone.name.parent());
  if (parent == nullptr) return false;
  const std::vector<Entry> entries = lookups_.entries(*parent, zone.name);
  if (!has_type(entries, model::kTypeNs) || lookups_.is_occluded(*parent, zone.name)) return false;
  std::erase_if(node.rrsets,
                [](const dns::zone::Rrset& set) { return set.type == model::kTypeDs; });
  for (const Entry& entry : entries) {
    if (entry.type != model::kTypeDs) continue;
    node.add(entry.type, options_.served_ttl(*parent, entry.ttl), to_wire(entry.rdata));
  }
  return true;
}

base::Result<std::shared_ptr<const dnssec::ZoneSigner>> NameCompiler::signer_of(
    const model::Zone& zone) {
  if (options_.signers == nullptr || !zone.dnssec.is_signed()) {
    return std::shared_ptr<const dnssec::ZoneSigner>();
  }
  if (signer_row_ != zone.row) {
    auto signer = options_.signers->of(zone);
    if (!signer) return in_zone(zone, signer.error());
    signer_ = std::move(signer).value();
    signer_row_ = zone.row;
  }
  return signer_;
}

base::Result<void> NameCompiler::sign(const model::Zone& zone, const Wire& owner,
                                      const Wire& scheduled_by, dns::zone::Rrset& set) {
  if (zone.dnssec.presigned) {
    set.signatures = given_signatures(zone, owner, set.type);
    return {};
  }
  const auto signer = signer_of(zone);
  if (!signer) return signer.error();
  if (signer.value() == nullptr) return {};
  auto signatures = signer.value()->sign(owner, set, scheduled_by, options_.now);
  if (!signatures) {
    base::Error error = signatures.error();
    error.where = dns::zone::name_to_text(owner) + " " + dns::zone::type_to_text(set.type);
    return in_zone(zone, std::move(error));
  }
  set.signatures = std::move(signatures).value();
  return {};
}

std::vector<Wire> NameCompiler::given_signatures(const model::Zone& zone, const Wire& owner,
                                                 std::uint16_t type) {
  const auto name = DomainName::from_wire(
      std::span(reinterpret_cast<const std::uint8_t*>(owner.data()), owner.size()));
  std::vector<Wire> signatures;
  if (!name) return signatures;
  for (const Entry& entry : lookups_.entries(zone, *name)) {
    if (covers(entry, type)) signatures.push_back(to_wire(entry.rdata));
  }
  return signatures;
}

// What the zone is the authority for (RFC 4035 2.2). The DS set of a delegated zone is its
// parent's.
base::Result<void> NameCompiler::sign(const model::Zone& zone, const DomainName& name,
                                      bool parent_side, dns::zone::Node& node) {
  for (dns::zone::Rrset& set : node.rrsets) {
    if (node.cut && set.type != model::kTypeDs) continue;
    const bool is_parents = parent_side && set.type == model::kTypeDs;
    const model::Zone& signing = is_parents ? *lookups_.zone_of(name.parent()) : zone;
    if (auto signed_set = sign(signing, node.owner, node.owner, set); !signed_set) {
      return signed_set;
    }
  }
  return {};
}

// What a signed zone has at its apex besides: keys, and the parameters of NSEC3 (RFC 5155 4).
base::Result<void> NameCompiler::add_keys(const model::Zone& zone, dns::zone::Node& node) {
  const auto signer = signer_of(zone);
  if (!signer) return signer.error();
  if (signer.value() == nullptr) return {};
  for (const dns::zone::Rrset& set : signer.value()->apex_rrsets()) {
    const bool joins = set.type == dns::zone::kTypeDnskey && zone.dnssec.multi_signer;
    if (!joins) std::erase_if(node.rrsets, [&](const auto& own) { return own.type == set.type; });
    for (const Wire& rdata : set.rdata) node.add(set.type, set.ttl, rdata);
  }
  if (zone.dnssec.denial == model::ZoneDenial::kNsec3) {
    node.add(dns::zone::kTypeNsec3Param, 0,
             dns::dnssec::nsec3param_rdata({model::kNsec3Iterations, {}}));
  }
  return {};
}

std::uint32_t NameCompiler::negative_ttl(const model::Zone& zone) const {
  const model::ZoneSoa soa = model::served_soa(zone, options_.authority);
  if (soa.rdata.size() < 4) return soa.ttl;
  return std::min(soa.ttl, base::load_be32(soa.rdata.data() + soa.rdata.size() - 4));
}

NameTypes NameCompiler::types(const model::Zone& zone, const DomainName& name) {
  NameTypes types;
  const auto add = [&types](std::uint16_t type) { types.types.push_back(type); };
  if (lookups_.zone_of(name)->row != zone.row) {  // delegated to a zone that is served as well
    types.cut = true;
    for (const Entry& entry : lookups_.entries(zone, name)) add(entry.type);
    return types;
  }
  if (const DirectName* direct = directs_.find(zone, name)) {
    for (const base::IpAddress& address : follow(lookups_, direct->target).addresses) {
      add(address.is_v4() ? model::kTypeA : model::kTypeAaaa);
    }
    return types;
  }
  Served served = serve(zone, name);
  types.cut = served.node.cut;
  if (name == zone.name) {
    add_authority(zone, served.node);
    // Keys that cannot be read fail the apex itself.
    if (!add_keys(zone, served.node)) return types;
    std::erase_if(served.node.rrsets, [](const auto& set) { return set.type == model::kTypeDs; });
  }
  for (const dns::zone::Rrset& set : served.node.rrsets) add(set.type);
  return types;
}

// The addresses of another name, for the additional section.
base::Result<std::optional<dns::zone::Node>> NameCompiler::find(const model::Zone& zone,
                                                                const Wire& wire) {
  using Found = std::optional<dns::zone::Node>;
  const auto name = DomainName::from_wire(
      std::span(reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()));
  if (!name) return Found();
  if (const DirectName* direct = directs_.find(zone, *name)) {
    auto node = serve_signed(zone, *direct);
    if (!node) return node.error();
    return Found(std::move(node).value());
  }
  Served served = serve(zone, *name);
  if (!served.has_records()) return Found();
  dns::zone::Node node = std::move(served.node);
  std::erase_if(node.rrsets, [](const dns::zone::Rrset& set) {
    return set.type != model::kTypeA && set.type != model::kTypeAaaa;
  });
  if (!node.occluded) {
    if (auto signed_node = sign(zone, *name, false, node); !signed_node) {
      return signed_node.error();
    }
  }
  return Found(std::move(node));
}

base::Result<std::optional<ServedName>> NameCompiler::serve_signed(const model::Zone& zone,
                                                                   const DomainName& name) {
  const bool is_apex = name == zone.name;
  Served made = serve(zone, name);
  note_targets(zone, made);
  if ((!made.has_records() && !is_apex) || made.node.occluded) return std::optional<ServedName>();
  ServedName served{std::move(made.node), false, std::move(made.proxied)};
  if (is_apex) {
    add_authority(zone, served.node);
    served.parent_side = take_parent_ds(zone, served.node);
    if (auto added = add_keys(zone, served.node); !added) return added.error();
  }
  if (auto checked = dns::zone::check_node(served.node, to_wire(zone.name.wire())); !checked) {
    return in_zone(zone, checked.error());
  }
  auto signed_node = sign(zone, name, served.parent_side, served.node);
  if (!signed_node) return signed_node.error();
  return std::optional(std::move(served));
}

base::Result<std::optional<Contents>> NameCompiler::compile(const model::Zone& zone,
                                                            const DomainName& name) {
  const auto made = serve_signed(zone, name);
  if (!made) return made.error();
  if (!made.value()) return std::optional<Contents>();
  const ServedName& served = *made.value();
  Contents contents;
  contents.cut = served.node.cut;
  contents.parent_side = served.parent_side;
  const Wire apex = to_wire(zone.name.wire());
  std::optional<base::Error> fault;
  auto rrsets = dns::render::render_name(apex, served.node, [&](const Wire& target) {
    auto found = find(zone, target);
    if (found) return std::move(found).value();
    fault = found.error();
    return std::optional<dns::zone::Node>();
  });
  if (fault) return *std::move(fault);
  if (!rrsets) return in_zone(zone, rrsets.error());
  contents.rrsets = std::move(rrsets).value();
  if (served.proxied) contents.route = options_.render_route(*served.proxied);
  return std::optional(std::move(contents));
}

void NameCompiler::note_targets(const model::Zone& zone, const Served& served) {
  if (!options_.direct_secret) return;
  for (const Entry& entry : served.entries()) {
    if (!is_exchange(entry)) continue;
    if (auto target = target_of(entry)) targets_.emplace(zone.name, *std::move(target));
  }
}

// Nobody's records are here, so it is signed when the apex is.
base::Result<dns::zone::Node> NameCompiler::serve_signed(const model::Zone& zone,
                                                        const DirectName& direct) {
  const Chain chain = follow(lookups_, direct.target);
  std::uint32_t ttl = options_.auto_ttl;
  if (chain.outside) ttl = std::min(ttl, chain.ttl_s);
  dns::zone::Node node;
  node.owner = to_wire(direct.name.wire());
  for (const base::IpAddress& address : chain.addresses) {
    if (address.is_v4()) {
      node.add(model::kTypeA, ttl, to_wire(std::span(address.v4_wire(), 4)));
    } else {
      node.add(model::kTypeAaaa, ttl, to_wire(address.bytes()));
    }
  }
  const Wire apex = to_wire(zone.name.wire());
  for (dns::zone::Rrset& set : node.rrsets) {
    if (auto signed_set = sign(zone, node.owner, apex, set); !signed_set) {
      return signed_set.error();
    }
  }
  return node;
}

base::Result<Contents> NameCompiler::compile(const model::Zone& zone, const DirectName& direct) {
  const auto node = serve_signed(zone, direct);
  if (!node) return node.error();
  auto rrsets = dns::render::render_name(to_wire(zone.name.wire()), node.value(), [](const Wire&) {
    return std::optional<dns::zone::Node>();
  });
  if (!rrsets) return in_zone(zone, rrsets.error());
  Contents contents;
  contents.rrsets = std::move(rrsets).value();
  return contents;
}

base::Result<dns::render::Negative> NameCompiler::compile_negative(const model::Zone& zone) {
  const model::ZoneSoa soa = model::served_soa(zone, options_.authority);
  const Wire apex = to_wire(zone.name.wire());
  dns::zone::Rrset set{model::kTypeSoa, soa.ttl, {to_wire(soa.rdata)}};
  if (auto signed_set = sign(zone, apex, apex, set); !signed_set) return signed_set.error();
  auto negative = dns::render::render_negative(apex, set);
  if (!negative) return in_zone(zone, negative.error());
  return negative;
}

}  // namespace brink::ctl::compile
