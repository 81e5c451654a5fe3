#include "ctl/compile/served_zone.h"

#include "ctl/compile/chain_compiler.h"
#include "ctl/compile/chain_names.h"
#include "ctl/compile/name_compiler.h"
#include "ctl/compile/zone_index.h"

namespace brink::ctl::compile {
namespace {

using dns::zone::Rrset;
using dns::zone::Wire;
using model::DomainName;

Wire to_wire(std::span<const std::uint8_t> octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

bool is_address(std::uint16_t type) {
  return type == model::kTypeA || type == model::kTypeAaaa;
}

class Visitor : public ChainOutput {
 public:
  explicit Visitor(const VisitRrset& visit) : visit_(visit) {}
  base::Result<void> put(const Wire& owner, const Rrset& set) override {
    visit_(owner, set);
    return {};
  }
  base::Result<void> drop(const Wire&) override { return {}; }

 private:
  const VisitRrset& visit_;
};

class ServedZone {
 public:
  ServedZone(store::Store& store, const model::Zone& zone, const Options& options,
             const VisitRrset& visit)
      : zone_(zone),
        options_(options),
        visit_(visit),
        stored_(store),
        lookups_(stored_),
        index_(store, zone),
        compiler_(lookups_, options) {
    lookups_.use(index_);
  }

  base::Result<void> run();

 private:
  base::Result<void> visit_own(const DomainName& name);
  base::Result<void> visit_others(const DomainName& name);

  const model::Zone& zone_;
  const Options& options_;
  const VisitRrset& visit_;
  StoreLookups stored_;
  IndexedLookups lookups_;
  ZoneIndex index_;
  NameCompiler compiler_;
};

base::Result<void> ServedZone::run() {
  if (auto visited = visit_own(zone_.name); !visited) return visited;
  for (std::size_t i = 0; i < index_.names().size(); ++i) {
    const DomainName& name = index_.names()[i];
    index_.turn_to(i);
    if (name == zone_.name) continue;
    const bool is_ours = !index_.is_occluded(name) && !index_.is_handed_down(name);
    auto visited = is_ours ? visit_own(name) : visit_others(name);
    if (!visited) return visited;
  }
  for (const auto& [key, direct] : compiler_.directs().of(zone_)) {
    const auto node = compiler_.serve_signed(zone_, direct);
    if (!node) return node.error();
    for (const Rrset& set : node.value().rrsets) visit_(node.value().owner, set);
  }
  if (options_.signers == nullptr || !zone_.dnssec.is_signed()) return {};
  Visitor visitor(visit_);
  return ChainCompiler(compiler_, lookups_, options_).put_all(zone_, visitor);
}

base::Result<void> ServedZone::visit_own(const DomainName& name) {
  const auto served = compiler_.serve_signed(zone_, name);
  if (!served) return served.error();
  if (!served.value()) return {};
  const auto& [node, parent_side, proxied] = *served.value();
  for (const Rrset& set : node.rrsets) {
    if (parent_side && set.type == model::kTypeDs) continue;  // the zone above has it
    const bool is_hidden = node.cut && set.type != model::kTypeNs && set.type != model::kTypeDs &&
                           !is_address(set.type);
    if (!is_hidden) visit_(node.owner, set);
  }
  return {};
}

// What lies below a delegation, or belongs to another served zone: the delegation to that one, and
// glue.
base::Result<void> ServedZone::visit_others(const DomainName& name) {
  const bool is_delegation = ChainNames(lookups_, zone_, compiler_.directs().of(zone_)).contains(name);
  dns::zone::Node node;
  node.owner = to_wire(name.wire());
  for (const Entry& entry : lookups_.entries(zone_, name)) {
    const bool delegates = entry.type == model::kTypeNs || entry.type == model::kTypeDs;
    if (is_address(entry.type) || (is_delegation && delegates)) {
      node.add(entry.type, options_.served_ttl(zone_, entry.ttl), to_wire(entry.rdata));
    }
  }
  for (Rrset& set : node.rrsets) {
    if (set.type == model::kTypeDs) {
      auto signed_set = compiler_.sign(zone_, node.owner, node.owner, set);
      if (!signed_set) return signed_set;
    }
    visit_(node.owner, set);
  }
  return {};
}

}  // namespace

base::Result<void> serve_zone(store::Store& store, const model::Zone& zone, const Options& options,
                              const VisitRrset& visit) {
  return ServedZone(store, zone, options, visit).run();
}

}  // namespace brink::ctl::compile
