// Authority: the SOA and NS that a zone has when it brought none of its own.
#pragma once

#include <cstdint>
#include <vector>

#include "ctl/model/name.h"
#include "ctl/model/zone.h"

namespace brink::ctl::model {

struct Authority {
  // The first set of name servers, at least one, and the further ones that zones may be assigned.
  std::vector<DomainName> name_servers;
  std::vector<std::vector<DomainName>> more_name_servers;
  std::uint32_t ns_ttl = 86400;
  std::uint32_t soa_ttl = 3600;
  std::uint32_t refresh = 10000;
  std::uint32_t retry = 2400;
  std::uint32_t expire = 604800;
  std::uint32_t minimum = 1800;
  // Whether a zone's own apex NS are served in place of the assigned name servers. Otherwise they
  // are kept and not answered, unless the zone has several providers.
  bool own_apex_ns = true;

  [[nodiscard]] std::size_t set_count() const { return 1 + more_name_servers.size(); }
  // The servers that a zone is told to be delegated to; the first is the SOA's master. A set that
  // is not there any more is another one.
  [[nodiscard]] const std::vector<DomainName>& servers_of(const Zone& zone) const;
  [[nodiscard]] std::uint32_t ns_ttl_of(const Zone& zone) const {
    return zone.dns.ns_ttl.value_or(ns_ttl);
  }
};

// The SOA that `zone` is served with: its own or the default, with the zone's serial. That of a
// presigned zone is served as it was signed.
ZoneSoa served_soa(const Zone& zone, const Authority& authority);

// The fields of an SOA (RFC 1035 3.3.13), its serial apart.
struct SoaFields {
  DomainName master;
  DomainName mailbox;
  std::uint32_t refresh = 0;
  std::uint32_t retry = 0;
  std::uint32_t expire = 0;
  std::uint32_t minimum = 0;
  std::uint32_t ttl = 0;

  bool operator==(const SoaFields&) const = default;
};

SoaFields fields_of(const ZoneSoa& soa);
ZoneSoa soa_of(const SoaFields& fields);
// The fields that `zone` has when it brings none of its own.
SoaFields default_soa_fields(const Zone& zone, const Authority& authority);

}  // namespace brink::ctl::model
