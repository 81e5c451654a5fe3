// Zone: the records of one zone sorted into names and RRsets, checked, with delegations found.
// What it is not: bytes for the wire (dns/render) or storage (ctl/store). Cold, single-threaded.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "dataplane/base/result.h"
#include "dns/zone/resource_record.h"

namespace brink::dns::zone {

struct Rrset {
  std::uint16_t type = 0;
  std::uint32_t ttl = 0;              // the smallest of its records' (RFC 2181 5.2)
  std::vector<Wire> rdata;            // no duplicates, order as given
  std::vector<Wire> signatures = {};  // data of the RRSIG records that cover it (RFC 4034 3.1)
};

struct Node {
  Wire owner;                 // lower-case
  std::vector<Rrset> rrsets;  // sorted by type
  bool cut = false;           // owns NS and is not the apex: a delegation
  bool occluded = false;      // below a delegation or a DNAME: glue at most, never an answer

  [[nodiscard]] const Rrset* find(std::uint16_t type) const;
  [[nodiscard]] Rrset* find(std::uint16_t type);
  // Adds a record to its RRset, unless it is there.
  void add(std::uint16_t type, std::uint32_t ttl, const Wire& rdata);
};

// Whether these RRsets may stand at one name: CNAME is alone and single (RFC 1034 3.6.2), DNAME is
// single (RFC 6672 2.4), SOA is at the apex alone. The error names owner and type.
base::Result<void> check_node(const Node& node, const Wire& apex);

class Zone {
 public:
  // Sorts and checks; signatures go to what they cover, those that cover nothing are left out.
  // NSEC and NSEC3 records are RRsets like others. Fails, naming owner and type, when a record lies
  // outside the zone, SOA is not exactly one and at the apex, the apex has no NS, or CNAME or DNAME
  // stand where they may not (RFC 1034 3.6.2, RFC 2181 10.1, RFC 6672 2.4).
  static base::Result<Zone> build(const Wire& apex, const std::vector<ResourceRecord>& records);

  [[nodiscard]] const Wire& apex() const { return apex_; }  // lower-case
  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  // The node of a lower-case name; null if no record has that owner (it may still be an empty
  // non-terminal).
  [[nodiscard]] const Node* find(const Wire& name) const;
  [[nodiscard]] const Rrset& soa() const { return *find(apex_)->find(kTypeSoa); }
  [[nodiscard]] std::uint32_t serial() const;

 private:
  base::Result<void> add(const ResourceRecord& record);
  void add_signature(const ResourceRecord& record);
  base::Result<void> check() const;
  void mark_cuts();

  Wire apex_;
  std::vector<Node> nodes_;
  std::unordered_map<Wire, std::size_t> index_;  // owner -> position in nodes_
};

}  // namespace brink::dns::zone
