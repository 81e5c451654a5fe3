#include "perf/support/synthetic_signing.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "dns/dnssec/denial.h"

namespace brink::perf {
namespace {

namespace dnssec = dns::dnssec;
using dns::zone::ResourceRecord;
using dns::zone::Wire;

constexpr std::uint32_t kTtl = 1800;
constexpr std::size_t kSignatureSize = 64;

struct Owned {
  std::set<std::uint16_t> types;
  bool cut = false;
};
using Names = std::map<Wire, Owned, dnssec::CanonicalLess>;

// RFC 4034 3.1: 18 octets, the signer, the signature.
Wire signature(const Wire& apex, std::uint16_t type) {
  static std::mt19937_64 random(11);
  Wire rdata = {static_cast<char>(type >> 8), static_cast<char>(type)};
  rdata.resize(18);
  rdata += apex;
  for (std::size_t i = 0; i < kSignatureSize; ++i) rdata += static_cast<char>(random());
  return rdata;
}

Names names_of(const Wire& apex, const std::vector<ResourceRecord>& records) {
  Names names;
  for (const ResourceRecord& record : records) {
    Owned& owned = names[record.owner];
    owned.types.insert(record.type);
    owned.cut |= record.type == dns::zone::kTypeNs && record.owner != apex;
  }
  return names;
}

std::vector<std::uint16_t> types_of(const Owned& owned, dnssec::DenialKind kind) {
  const std::vector<std::uint16_t> types(owned.types.begin(), owned.types.end());
  return dnssec::denial_types(types, owned.cut, kind);
}

void add_signed(const Wire& apex, ResourceRecord record, std::vector<ResourceRecord>& records) {
  records.push_back({record.owner, dns::zone::kTypeRrsig, record.ttl,
                     signature(apex, record.type)});
  records.push_back(std::move(record));
}

void add_nsec(const Wire& apex, const Names& names, std::vector<ResourceRecord>& records) {
  for (auto at = names.begin(); at != names.end(); ++at) {
    const auto next = std::next(at) == names.end() ? names.begin() : std::next(at);
    const auto types = types_of(at->second, dnssec::DenialKind::kNsec);
    add_signed(apex, {at->first, dns::zone::kTypeNsec, kTtl, dnssec::nsec_rdata(next->first, types)},
               records);
  }
}

void add_nsec3(const Wire& apex, const Names& names, std::vector<ResourceRecord>& records) {
  std::map<dnssec::Nsec3Hash, const Owned*> hashed;
  for (const auto& [name, owned] : names) hashed[dnssec::nsec3_hash(name, 0, {})] = &owned;
  for (auto at = hashed.begin(); at != hashed.end(); ++at) {
    const auto next = std::next(at) == hashed.end() ? hashed.begin() : std::next(at);
    const auto types = types_of(*at->second, dnssec::DenialKind::kNsec3);
    add_signed(apex,
               {dnssec::nsec3_owner(at->first, apex), dns::zone::kTypeNsec3, kTtl,
                dnssec::nsec3_rdata({}, false, next->first, types)},
               records);
  }
  add_signed(apex, {apex, dns::zone::kTypeNsec3Param, 0, dnssec::nsec3param_rdata({})}, records);
}

}  // namespace

void add_synthetic_signatures(const Wire& apex, SyntheticChain chain,
                              std::vector<ResourceRecord>& records) {
  if (chain == SyntheticChain::kNone) return;
  const Names names = names_of(apex, records);
  for (const auto& [name, owned] : names) {
    for (const std::uint16_t type : owned.types) {
      if (owned.cut && type != dns::zone::kTypeDs) continue;
      records.push_back({name, dns::zone::kTypeRrsig, 300, signature(apex, type)});
    }
  }
  if (chain == SyntheticChain::kNsec) {
    add_nsec(apex, names, records);
  } else {
    add_nsec3(apex, names, records);
  }
}

}  // namespace brink::perf
