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

// Addresses of the set's targets. In a referral those below the delegation itself are required
// (RFC 9471 3) and come first; all others may be left out of a full message.
void add_addresses(BlobWriter& writer, const Wire& apex, const Node& node, const Rrset& set,
                   const FindNode& find) {
  const bool referral = node.cut && set.type == zone::kTypeNs;
  const auto is_required = [&](const Wire& target) {
    return referral && zone::is_at_or_below(target, node.owner);
  };
  std::vector<Wire> targets = address_targets(set);
  std::stable_partition(targets.begin(), targets.end(), is_required);
  for (const Wire& target : targets) {
    if (!zone::is_at_or_below(target, apex)) continue;
    const auto addresses = find(target);
    if (!addresses) continue;
    // Below a delegation there is only glue, and glue belongs into referrals alone.
    if ((addresses->occluded || addresses->cut) && !referral) continue;
    for (const std::uint16_t type : {zone::kTypeA, zone::kTypeAaaa}) {
      if (const Rrset* found = addresses->find(type); found != nullptr) {
        writer.add_additional(target, *found, is_required(target));
      }
    }
  }
}

base::Result<Bytes> render_set(const Wire& apex, const Node& node, const Rrset& set,
                               const FindNode& find) {
  BlobWriter writer(apex);
  writer.add_body(set);
  add_addresses(writer, apex, node, set, find);
  if (set.type == zone::kTypeCname) writer.set_alias_target(zone::lower_name(set.rdata.front()));
  auto blob = writer.finish();
  if (blob) return blob;
  base::Error error = blob.error();
  error.where = zone::name_to_text(node.owner) + " " + zone::type_to_text(set.type);
  return error;
}

}  // namespace

base::Result<std::vector<snapshot::Rrset>> render_name(const Wire& apex, const Node& node,
                                                       const FindNode& find) {
  std::vector<snapshot::Rrset> rendered;
  for (const Rrset& set : node.rrsets) {
    if (node.cut && set.type != zone::kTypeNs && set.type != zone::kTypeDs) continue;
    auto blob = render_set(apex, node, set, find);
    if (!blob) return blob.error();
    rendered.push_back({set.type, std::move(blob).value()});
  }
  return rendered;
}

// Its TTL is at most its MINIMUM.
base::Result<Bytes> render_negative(const Wire& apex, const Rrset& set) {
  Rrset soa = set;
  const Wire& rdata = soa.rdata.front();
  if (rdata.size() < 22) return base::Error{"malformed SOA data", zone::name_to_text(apex), ""};
  soa.ttl = std::min(soa.ttl, base::load_be32(rdata.data() + rdata.size() - 4));
  BlobWriter writer(apex);
  writer.add_body(soa);
  return writer.finish();
}

base::Result<void> render_zone(snapshot::ChangeSink& sink, const zone::Zone& zone,
                               const RouteOf& route_of) {
  const auto negative = render_negative(zone.apex(), zone.soa());
  if (!negative) return negative.error();
  if (auto put = sink.put_zone(octets(zone.apex()), {zone.serial(), negative.value()}); !put) {
    return put;
  }
  const FindNode find = [&zone](const Wire& name) -> std::optional<Node> {
    const Node* node = zone.find(name);
    if (node == nullptr) return std::nullopt;
    return *node;
  };
  const auto put_node = [&](const Node& node) -> base::Result<void> {
    const auto rrsets = render_name(zone.apex(), node, find);
    if (!rrsets) return rrsets.error();
    const Bytes route = node.cut ? Bytes{} : route_of(node.owner);
    return sink.put_name(octets(node.owner), {rrsets.value(), route, node.cut, false});
  };
  if (auto put = put_node(*zone.find(zone.apex())); !put) return put;
  for (const Node& node : zone.nodes()) {
    if (node.occluded || node.owner == zone.apex()) continue;
    if (auto put = put_node(node); !put) return put;
  }
  return {};
}

}  // namespace brink::dns::render
