#include "dns/dnssec/denial_check.h"

#include <algorithm>
#include <iterator>

#include "dataplane/base/bytes.h"
#include "dns/zone/text.h"

namespace brink::dns::dnssec {
namespace {

using zone::Node;
using zone::Rrset;

constexpr char kRemedy[] = "sign the zone again, all of it";

// Whether the zone has the name but for its chain.
bool has_data(const Node& node) {
  return std::any_of(node.rrsets.begin(), node.rrsets.end(), [](const Rrset& set) {
    return set.type != kTypeNsec && set.type != kTypeNsec3;
  });
}

std::vector<std::uint16_t> types_of(const Node& node) {
  std::vector<std::uint16_t> types;
  for (const Rrset& set : node.rrsets) types.push_back(set.type);
  return types;
}

std::string text_of(std::span<const std::uint16_t> types) {
  std::string text;
  for (const std::uint16_t type : types)
    text += (text.empty() ? "" : " ") + zone::type_to_text(type);
  return text.empty() ? "none" : text;
}

// The octets of the name at the front of data.
std::size_t name_size(const Wire& rdata) {
  std::size_t at = 0;
  while (at < rdata.size() && rdata[at] != 0) at += 1 + static_cast<std::uint8_t>(rdata[at]);
  return std::min(at + 1, rdata.size());
}

// RFC 5155 3.2.
struct Nsec3Fields {
  Nsec3Parameters parameters;
  bool opts_out = false;
  Nsec3Hash next{};
  Wire bitmap;
};

std::optional<Nsec3Fields> read_nsec3(const Wire& rdata) {
  base::ByteReader reader({reinterpret_cast<const std::uint8_t*>(rdata.data()), rdata.size()});
  Nsec3Fields fields;
  const std::uint8_t algorithm = reader.u8();
  fields.opts_out = (reader.u8() & 1) != 0;
  fields.parameters.iterations = reader.u16();
  const auto salt = reader.bytes(reader.u8());
  const auto next = reader.bytes(reader.u8());
  if (!reader.ok() || algorithm != 1 || next.size() != fields.next.size()) return std::nullopt;
  fields.parameters.salt.assign(reinterpret_cast<const char*>(salt.data()), salt.size());
  std::copy(next.begin(), next.end(), fields.next.begin());
  fields.bitmap = rdata.substr(reader.position());
  return fields;
}

}  // namespace

void DenialCheck::fault(const Wire& owner, std::uint16_t type, std::string what) {
  findings_.push_back({zone::Severity::kError, owner, type, std::move(what), kRemedy});
}

void DenialCheck::run() {
  const Node& apex = *zone_.find(zone_.apex());
  const Rrset* parameters = apex.find(kTypeNsec3Param);
  if (parameters == nullptr) {
    if (apex.find(kTypeNsec) != nullptr) return check_nsec();
    return fault(zone_.apex(), kTypeNsec,
                 "the apex has neither an NSEC nor an NSEC3PARAM record: nothing proves what the "
                 "zone does not have");
  }
  // One that is being taken away or built may be incomplete, another one not (RFC 5155 10.4).
  std::vector<Nsec3Parameters> chains;
  for (const Wire& rdata : parameters->rdata) {
    const auto read = read_nsec3param(rdata);
    if (!read) {
      fault(zone_.apex(), kTypeNsec3Param, read.error().message());
    } else if (chain_of(read.value())
                   .contains(
                       nsec3_hash(zone_.apex(), read.value().iterations, read.value().salt))) {
      chains.push_back(read.value());
    }
  }
  if (chains.empty()) {
    return fault(zone_.apex(), kTypeNsec3,
                 "the apex has no NSEC3 record with the parameters of its NSEC3PARAM");
  }
  for (const Nsec3Parameters& each : chains) check_nsec3(each);
}

// RFC 4035 2.3.
void DenialCheck::check_nsec() {
  std::vector<const Node*> names;
  for (const Node& node : zone_.nodes()) {
    if (!node.occluded && has_data(node)) {
      names.push_back(&node);
    } else if (node.find(kTypeNsec) != nullptr) {
      fault(node.owner, kTypeNsec, "an NSEC record at a name that the zone does not answer for");
    }
  }
  std::sort(names.begin(), names.end(),
            [](const Node* a, const Node* b) { return canonical_order(a->owner, b->owner) < 0; });
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Node& node = *names[i];
    const Wire& next = names[(i + 1) % names.size()]->owner;
    const Rrset* set = node.find(kTypeNsec);
    if (set == nullptr || set->rdata.size() != 1) {
      fault(node.owner, kTypeNsec,
            set == nullptr ? "the NSEC record is missing" : "more than one NSEC record");
      continue;
    }
    const Wire& rdata = set->rdata.front();
    const std::size_t size = name_size(rdata);
    const Wire said = zone::lower_name(rdata.substr(0, size));
    if (said != next) {
      fault(node.owner, kTypeNsec,
            "the chain leads to " + zone::name_to_text(said) + ", the next name is " +
                zone::name_to_text(next));
    }
    const auto types = denial_types(types_of(node), node.cut, DenialKind::kNsec);
    if (rdata.substr(size) != type_bitmap(types)) {
      fault(node.owner, kTypeNsec, "it shows other types than the name has: " + text_of(types));
    }
  }
}

DenialCheck::Names DenialCheck::names_of(const Nsec3Parameters& parameters) const {
  Names names;
  const auto at = [&](const Wire& name) -> Hashed& {
    return names[nsec3_hash(name, parameters.iterations, parameters.salt)];
  };
  for (const Node& node : zone_.nodes()) {
    if (node.occluded || !has_data(node)) continue;
    const bool may_be_out = node.cut && node.find(zone::kTypeDs) == nullptr;
    Hashed& hashed = at(node.owner);
    hashed.name = node.owner;
    hashed.types = denial_types(types_of(node), node.cut, DenialKind::kNsec3);
    hashed.may_be_out = may_be_out;
    // Empty non-terminals above (RFC 5155 7.1).
    for (Wire up = node.owner; up != zone_.apex();) {
      up.erase(0, 1U + static_cast<unsigned char>(up[0]));
      if (const Node* there = zone_.find(up); there != nullptr && has_data(*there)) break;
      Hashed& empty = at(up);
      empty.name = up;
      empty.may_be_out = empty.may_be_out && may_be_out;
    }
  }
  return names;
}

DenialCheck::Chain DenialCheck::chain_of(const Nsec3Parameters& parameters) const {
  Chain chain;
  for (const Node& node : zone_.nodes()) {
    const Rrset* set = node.find(kTypeNsec3);
    const auto hash = set == nullptr ? std::nullopt : hash_of_nsec3_owner(node.owner);
    if (!hash) continue;
    for (const Wire& rdata : set->rdata) {
      const auto fields = read_nsec3(rdata);
      if (!fields || fields->parameters != parameters) continue;
      chain[*hash] = {node.owner, fields->opts_out, fields->next, fields->bitmap};
    }
  }
  return chain;
}

void DenialCheck::check_nsec3(const Nsec3Parameters& parameters) {
  const Chain chain = chain_of(parameters);
  const Names names = names_of(parameters);
  for (auto at = chain.begin(); at != chain.end(); ++at) check_link(chain, at, names);
  for (const auto& [hash, name] : names) {
    if (!chain.contains(hash)) check_missing(chain, hash, name);
  }
}

void DenialCheck::check_link(const Chain& chain, Chain::const_iterator at, const Names& names) {
  const Nsec3& record = at->second;
  const auto next = std::next(at) == chain.end() ? chain.begin() : std::next(at);
  if (record.next != next->first) {
    fault(record.owner, kTypeNsec3,
          "the chain leads to " + zone::name_to_text(nsec3_owner(record.next, zone_.apex())) +
              ", the next record is " + zone::name_to_text(next->second.owner));
  }
  const auto name = names.find(at->first);
  if (name == names.end()) {
    return fault(record.owner, kTypeNsec3, "the zone has no name with this hash");
  }
  if (record.bitmap != type_bitmap(name->second.types)) {
    fault(name->second.name, kTypeNsec3,
          "it shows other types than the name has: " + text_of(name->second.types));
  }
}

// RFC 5155 6, 7.1.
void DenialCheck::check_missing(const Chain& chain, const Nsec3Hash& hash, const Hashed& name) {
  const auto after = chain.upper_bound(hash);
  const Nsec3& covers = after == chain.begin() ? chain.rbegin()->second : std::prev(after)->second;
  if (name.may_be_out && covers.opts_out) return;
  fault(name.name, kTypeNsec3, "the NSEC3 record is missing");
}

}  // namespace brink::dns::dnssec
