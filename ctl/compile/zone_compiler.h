// ZoneCompiler: one zone's records as stored into records as served, with routes. Private to this
// folder.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "ctl/compile/compile.h"
#include "ctl/compile/origins.h"
#include "ctl/compile/zone_index.h"
#include "dns/zone/resource_record.h"

namespace brink::ctl::compile {

class ZoneCompiler {
 public:
  ZoneCompiler(const ZoneIndex& index, OriginFinder& origins, const Options& options)
      : index_(index), origins_(origins), options_(options) {}

  base::Result<void> add_to(snapshot::ChangeSink& sink);
  [[nodiscard]] std::uint64_t route_count() const { return routes_.size(); }

 private:
  void add_authority();
  void add_owner(const Owner& owner);
  void add_proxied(const Owner& owner);
  void add_alias(const Owner& owner, const Entry& alias);
  void add_edge_addresses(const Owner& owner, bool v4, bool v6);
  void add_addresses(const Owner& owner, std::span<const base::IpAddress> addresses,
                     std::uint32_t ttl, bool v4, bool v6);
  void add_as_stored(const Owner& owner, bool with_addresses);
  void add_route(const Owner& owner, std::vector<base::IpAddress> origins);
  void add_record(const model::DomainName& owner, model::RecordType type, std::uint32_t ttl,
                  std::span<const std::uint8_t> rdata);
  [[nodiscard]] std::uint32_t served_ttl(std::uint32_t ttl) const;

  const ZoneIndex& index_;
  OriginFinder& origins_;
  const Options& options_;
  std::vector<dns::zone::ResourceRecord> records_;
  std::unordered_map<dns::zone::Wire, ProxiedName> routes_;  // by owner
};

}  // namespace brink::ctl::compile
