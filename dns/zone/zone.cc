#include "dns/zone/zone.h"

#include <algorithm>
#include <utility>

#include "dataplane/base/bytes.h"
#include "dns/zone/text.h"

namespace brink::dns::zone {
namespace {

base::Error bad(const Wire& owner, std::uint16_t type, const std::string& what,
                const std::string& remedy) {
  return {what, name_to_text(owner) + " " + type_to_text(type), remedy};
}

}  // namespace

const Rrset* Node::find(std::uint16_t type) const {
  const auto at = std::lower_bound(rrsets.begin(), rrsets.end(), type,
                                   [](const Rrset& set, std::uint16_t t) { return set.type < t; });
  return at != rrsets.end() && at->type == type ? &*at : nullptr;
}

Rrset* Node::find(std::uint16_t type) {
  return const_cast<Rrset*>(std::as_const(*this).find(type));
}

void Node::add(std::uint16_t type, std::uint32_t ttl, const Wire& rdata) {
  auto set = std::lower_bound(rrsets.begin(), rrsets.end(), type,
                              [](const Rrset& s, std::uint16_t t) { return s.type < t; });
  if (set == rrsets.end() || set->type != type) set = rrsets.insert(set, Rrset{type, ttl, {}});
  set->ttl = std::min(set->ttl, ttl);
  if (std::find(set->rdata.begin(), set->rdata.end(), rdata) == set->rdata.end()) {
    set->rdata.push_back(rdata);
  }
}

base::Result<void> check_node(const Node& node, const Wire& apex) {
  if (node.find(kTypeSoa) != nullptr && node.owner != apex) {
    return bad(node.owner, kTypeSoa, "SOA below the apex", "remove it or serve it as a zone");
  }
  if (const Rrset* alias = node.find(kTypeCname); alias != nullptr) {
    const bool alone = std::all_of(node.rrsets.begin(), node.rrsets.end(), [](const Rrset& set) {
      return set.type == kTypeCname || set.type == kTypeNsec;
    });
    if (!alone) return bad(node.owner, kTypeCname, "CNAME beside other records", "keep one kind");
    if (alias->rdata.size() != 1) {
      return bad(node.owner, kTypeCname, "more than one CNAME at a name", "keep one");
    }
  }
  if (const Rrset* dname = node.find(kTypeDname); dname != nullptr && dname->rdata.size() != 1) {
    return bad(node.owner, kTypeDname, "more than one DNAME at a name", "keep one");
  }
  return {};
}

base::Result<Zone> Zone::build(const Wire& apex, const std::vector<ResourceRecord>& records) {
  Zone zone;
  zone.apex_ = lower_name(apex);
  for (const ResourceRecord& record : records) {
    if (auto added = zone.add(record); !added) return added.error();
  }
  for (const ResourceRecord& record : records) zone.add_signature(record);
  if (auto checked = zone.check(); !checked) return checked.error();
  zone.mark_cuts();
  return zone;
}

base::Result<void> Zone::add(const ResourceRecord& record) {
  const Wire owner = lower_name(record.owner);
  if (!is_at_or_below(owner, apex_)) {
    return bad(owner, record.type, "the record is outside the zone", "move it to its own zone");
  }
  if (record.type == kTypeRrsig) return {};
  const auto [at, fresh] = index_.try_emplace(owner, nodes_.size());
  if (fresh) nodes_.push_back(Node{owner, {}, false, false});
  nodes_[at->second].add(record.type, record.ttl, record.rdata);
  return {};
}

void Zone::add_signature(const ResourceRecord& record) {
  if (record.type != kTypeRrsig || record.rdata.size() < 2) return;
  const auto at = index_.find(lower_name(record.owner));
  if (at == index_.end()) return;
  Rrset* covered = nodes_[at->second].find(base::load_be16(record.rdata.data()));
  if (covered != nullptr) covered->signatures.push_back(record.rdata);
}

base::Result<void> Zone::check() const {
  const Node* top = find(apex_);
  const Rrset* soa = top == nullptr ? nullptr : top->find(kTypeSoa);
  if (soa == nullptr) return bad(apex_, kTypeSoa, "the zone has no SOA record", "add one");
  if (soa->rdata.size() != 1) {
    return bad(apex_, kTypeSoa, "the zone has more than one SOA record", "keep one");
  }
  if (top->find(kTypeNs) == nullptr) {
    return bad(apex_, kTypeNs, "the zone has no NS records at its apex", "add its name servers");
  }
  for (const Node& node : nodes_) {
    if (auto checked = check_node(node, apex_); !checked) return checked;
  }
  return {};
}

void Zone::mark_cuts() {
  for (Node& node : nodes_) node.cut = node.owner != apex_ && node.find(kTypeNs) != nullptr;
  for (Node& node : nodes_) {
    // Every proper ancestor below or at the apex; the apex can own a DNAME but is no cut.
    Wire ancestor = node.owner;
    while (ancestor != apex_ && !node.occluded) {
      ancestor.erase(0, 1U + static_cast<unsigned char>(ancestor[0]));
      const Node* above = find(ancestor);
      if (above != nullptr && (above->cut || above->find(kTypeDname) != nullptr)) {
        node.occluded = true;
      }
    }
  }
}

const Node* Zone::find(const Wire& name) const {
  const auto at = index_.find(name);
  return at == index_.end() ? nullptr : &nodes_[at->second];
}

std::uint32_t Zone::serial() const {
  // The five 32-bit fields end SOA data (RFC 1035 3.3.13).
  const Wire& rdata = soa().rdata.front();
  return rdata.size() < 20 ? 0 : base::load_be32(rdata.data() + rdata.size() - 20);
}

}  // namespace brink::dns::zone
