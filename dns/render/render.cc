#include "dns/render/render.h"

#include <algorithm>

#include "dataplane/base/bytes.h"
#include "dns/render/blob_writer.h"
#include "dns/zone/text.h"

namespace brink::dns::render {
namespace {

using zone::Node;
using zone::Rrset;
using zone::Wire;
using Bytes = std::vector<std::uint8_t>;

std::span<const std::uint8_t> octets(const Wire& wire) {
  return {reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()};
}

// The names whose addresses go along with `set`, in order, without repeats.
std::vector<Wire> address_targets(const Rrset& set) {
  const NameFields fields = name_fields(set.type);
  std::vector<Wire> targets;
  if (!fields.wants_addresses) return targets;
  for (const Wire& rdata : set.rdata) {
    if (rdata.size() <= fields.offset) continue;
    Wire target = zone::lower_name(rdata.substr(fields.offset));
    if (std::find(targets.begin(), targets.end(), target) == targets.end()) {
      targets.push_back(std::move(target));
    }
  }
  return targets;
}

class ZoneRenderer {
 public:
  ZoneRenderer(snapshot::ChangeSink& sink, const zone::Zone& zone, const RouteOf& route_of)
      : sink_(sink), zone_(zone), route_of_(route_of) {}

  base::Result<void> run();

 private:
  base::Result<Bytes> render_negative() const;
  base::Result<Bytes> render_set(const Node& node, const Rrset& set) const;
  void add_addresses(BlobWriter& writer, const Node& node, const Rrset& set, bool required) const;
  base::Result<void> render_node(const Node& node);

  snapshot::ChangeSink& sink_;
  const zone::Zone& zone_;
  const RouteOf& route_of_;
};

base::Result<void> ZoneRenderer::run() {
  auto negative = render_negative();
  if (!negative) return negative.error();
  auto added = sink_.put_zone(octets(zone_.apex()), zone_.serial(), negative.value());
  if (!added) return added.error();
  // A new zone's apex comes first.
  if (auto rendered = render_node(*zone_.find(zone_.apex())); !rendered) return rendered;
  for (const Node& node : zone_.nodes()) {
    if (node.occluded || node.owner == zone_.apex()) continue;
    if (auto rendered = render_node(node); !rendered) return rendered;
  }
  return {};
}

// The SOA that goes with NODATA and NXDOMAIN: its TTL is at most its MINIMUM (RFC 2308 5).
base::Result<Bytes> ZoneRenderer::render_negative() const {
  Rrset soa = zone_.soa();
  const Wire& rdata = soa.rdata.front();
  if (rdata.size() < 22)
    return base::Error{"malformed SOA data", zone::name_to_text(zone_.apex()), ""};
  soa.ttl = std::min(soa.ttl, base::load_be32(rdata.data() + rdata.size() - 4));
  BlobWriter writer(zone_.apex());
  writer.add_body(soa);
  return writer.finish();
}

// Addresses of the set's targets. In a referral those below the delegation itself are required
// (RFC 9471 3); all others may be left out of a full message.
void ZoneRenderer::add_addresses(BlobWriter& writer, const Node& node, const Rrset& set,
                                 bool required) const {
  const bool referral = node.cut && set.type == zone::kTypeNs;
  for (const Wire& target : address_targets(set)) {
    const bool in_domain = referral && zone::is_at_or_below(target, node.owner);
    if (in_domain != required) continue;
    const Node* addresses = zone_.find(target);
    if (addresses == nullptr) continue;
    // Below a delegation there is only glue, and glue belongs into referrals alone.
    if ((addresses->occluded || addresses->cut) && !referral) continue;
    for (const std::uint16_t type : {zone::kTypeA, zone::kTypeAaaa}) {
      if (const Rrset* found = addresses->find(type); found != nullptr) {
        writer.add_additional(target, *found, required);
      }
    }
  }
}

base::Result<Bytes> ZoneRenderer::render_set(const Node& node, const Rrset& set) const {
  BlobWriter writer(zone_.apex());
  writer.add_body(set);
  add_addresses(writer, node, set, true);
  add_addresses(writer, node, set, false);
  if (set.type == zone::kTypeCname) writer.set_alias_target(zone::lower_name(set.rdata.front()));
  auto blob = writer.finish();
  if (blob) return blob;
  base::Error error = blob.error();
  error.where = zone::name_to_text(node.owner) + " " + zone::type_to_text(set.type);
  return error;
}

base::Result<void> ZoneRenderer::render_node(const Node& node) {
  std::vector<snapshot::Rrset> rendered;
  for (const Rrset& set : node.rrsets) {
    // At a delegation only NS and DS are this zone's to give (RFC 4035 2.2, 3.1.4.1).
    if (node.cut && set.type != zone::kTypeNs && set.type != zone::kTypeDs) continue;
    auto blob = render_set(node, set);
    if (!blob) return blob.error();
    rendered.push_back({set.type, std::move(blob).value()});
  }
  const Bytes route = node.cut ? Bytes{} : route_of_(node.owner);
  return sink_.put_name(octets(node.owner), {rendered, route, node.cut, false});
}

}  // namespace

base::Result<void> render_zone(snapshot::ChangeSink& sink, const zone::Zone& zone,
                               const RouteOf& route_of) {
  return ZoneRenderer(sink, zone, route_of).run();
}

}  // namespace brink::dns::render
