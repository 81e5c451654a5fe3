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
                   const FindNode& find, bool with_signatures) {
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
        writer.add_additional(target, *found, is_required(target), with_signatures);
      }
    }
  }
}

base::Error at(const Wire& owner, std::uint16_t type, base::Error error) {
  error.where = zone::name_to_text(owner) + " " + zone::type_to_text(type);
  return error;
}

base::Result<Bytes> render_set(const Wire& apex, const Node& node, const Rrset& set,
                               const FindNode& find, bool with_signatures) {
  BlobWriter writer(apex);
  writer.add_body(set, with_signatures);
  add_addresses(writer, apex, node, set, find, with_signatures);
  if (set.type == zone::kTypeCname || set.type == zone::kTypeDname) {
    writer.set_alias_target(zone::lower_name(set.rdata.front()));
  }
  auto blob = writer.finish();
  if (!blob) return at(node.owner, set.type, blob.error());
  return blob;
}

bool is_of_chain(std::uint16_t type) {
  return type == zone::kTypeNsec || type == zone::kTypeNsec3;
}

// How a zone denies that came with its chain.
struct GivenDenial {
  snapshot::DenialKind kind = snapshot::DenialKind::kNone;
  std::uint16_t iterations = 0;
  Wire salt;
};

// RFC 5155 4.1: flags and parameters of NSEC3PARAM are those of the NSEC3 records.
GivenDenial denial_of(const zone::Zone& zone) {
  constexpr std::size_t kSaltAt = 5;
  const Node& apex = *zone.find(zone.apex());
  GivenDenial denial;
  if (const Rrset* set = apex.find(zone::kTypeNsec3Param); set != nullptr) {
    const Wire& rdata = set->rdata.front();
    if (rdata.size() < kSaltAt) return denial;
    denial.kind = snapshot::DenialKind::kNsec3;
    denial.iterations = base::load_be16(rdata.data() + 2);
    denial.salt = rdata.substr(kSaltAt);
  } else if (apex.find(zone::kTypeNsec) != nullptr) {
    denial.kind = snapshot::DenialKind::kNsec;
  }
  return denial;
}

base::Result<void> put_chain(snapshot::ChangeSink& sink, const zone::Zone& zone,
                             snapshot::DenialKind kind) {
  if (kind == snapshot::DenialKind::kNone) return {};
  const std::uint16_t type =
      kind == snapshot::DenialKind::kNsec ? zone::kTypeNsec : zone::kTypeNsec3;
  for (const Node& node : zone.nodes()) {
    const Rrset* set = node.find(type);
    if (set == nullptr) continue;
    const auto blob = render_denial(zone.apex(), node.owner, *set);
    if (!blob) return blob.error();
    if (auto put = sink.put_denial(octets(node.owner), blob.value()); !put) return put;
  }
  return {};
}

// Whether a node is there for its place in the chain alone.
bool is_only_of_chain(const Node& node) {
  return std::all_of(node.rrsets.begin(), node.rrsets.end(),
                     [](const Rrset& set) { return is_of_chain(set.type); });
}

}  // namespace

base::Result<std::vector<snapshot::Rrset>> render_name(const Wire& apex, const Node& node,
                                                       const FindNode& find) {
  std::vector<snapshot::Rrset> rendered;
  for (const Rrset& set : node.rrsets) {
    if (node.cut && set.type != zone::kTypeNs && set.type != zone::kTypeDs) continue;
    if (is_of_chain(set.type)) continue;
    auto blob = render_set(apex, node, set, find, false);
    if (!blob) return blob.error();
    rendered.push_back({set.type, std::move(blob).value()});
    if (set.signatures.empty()) continue;
    auto with_signatures = render_set(apex, node, set, find, true);
    if (!with_signatures) return with_signatures.error();
    rendered.back().signed_blob = std::move(with_signatures).value();
  }
  return rendered;
}

// Its TTL is at most its MINIMUM.
base::Result<Negative> render_negative(const Wire& apex, const Rrset& set) {
  Rrset soa = set;
  const Wire& rdata = soa.rdata.front();
  if (rdata.size() < 22) return base::Error{"malformed SOA data", zone::name_to_text(apex), ""};
  soa.ttl = std::min(soa.ttl, base::load_be32(rdata.data() + rdata.size() - 4));
  Negative negative;
  for (const bool with_signatures : {false, true}) {
    if (with_signatures && soa.signatures.empty()) break;
    BlobWriter writer(apex);
    writer.add_body(soa, with_signatures);
    auto blob = writer.finish();
    if (!blob) return at(apex, soa.type, blob.error());
    (with_signatures ? negative.signed_blob : negative.blob) = std::move(blob).value();
  }
  return negative;
}

base::Result<Bytes> render_denial(const Wire& apex, const Wire& owner, const Rrset& set) {
  BlobWriter writer(apex);
  writer.add_free_body(owner, set);
  auto blob = writer.finish();
  if (!blob) return at(owner, set.type, blob.error());
  return blob;
}

base::Result<void> render_zone(snapshot::ChangeSink& sink, const zone::Zone& zone,
                               const RouteOf& route_of) {
  const auto negative = render_negative(zone.apex(), zone.soa());
  if (!negative) return negative.error();
  const GivenDenial denial = denial_of(zone);
  snapshot::ZoneContents contents{zone.serial(), negative.value().blob,
                                  negative.value().signed_blob, {}};
  contents.denial = {denial.kind, denial.iterations, octets(denial.salt)};
  if (auto put = sink.put_zone(octets(zone.apex()), contents); !put) return put;
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
    if (node.occluded || node.owner == zone.apex() || is_only_of_chain(node)) continue;
    if (auto put = put_node(node); !put) return put;
  }
  return put_chain(sink, zone, denial.kind);
}

}  // namespace brink::dns::render
