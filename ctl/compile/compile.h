// compile: a store's zones and names into a ChangeSink: all of them, or what differs from an
// earlier version with everything that depends on it. Pure and deterministic: the same store and
// options give the same contents, by either way, but for signatures of algorithms that draw random
// numbers.
//
// This is where a record becomes what the world sees: a proxied name gives the edge's addresses and
// gets a route to its origins, everything else is answered as stored. Every zone of the store is
// served, whatever its status; only an active one that is not paused proxies.
//
// The caller keeps a kRead Transaction open on the store throughout, and the store's thread.
// Failures of its file throw store::Failure. An Error names zone, owner and type; the sink is of no
// use then.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ctl/dnssec/zone_signer.h"
#include "ctl/model/authority.h"
#include "ctl/model/record.h"
#include "ctl/store/history.h"
#include "ctl/store/store.h"
#include "dataplane/base/ip.h"
#include "dataplane/base/result.h"
#include "dataplane/snapshot/change_sink.h"

namespace brink::ctl::compile {

// A proxied name as the proxy must know it. Without origins the edge answers with an error page.
struct ProxiedName {
  std::string zone_name;  // text without the final dot
  std::vector<base::IpAddress> origins;
  std::string target_name = {};  // what its CNAME leads to, likewise; empty: it has none
};

struct BrokenRule {
  std::string zone;
  std::string phase;
  std::string rule;  // what its author calls it
  std::string fault;
};

class HashedZones;

// 32 random octets that stay the same, see direct_names.h.
using DirectSecret = std::array<std::uint8_t, 32>;

// What is served depends on these as well: after a change of any of them nothing but compile_all
// will do. Only time may go on; names that are due for it come with the changes.
struct Options {
  // What proxied names answer, IPv4 and IPv6: the first set, and the further ones that zones may be
  // assigned.
  std::vector<base::IpAddress> edge_addresses;
  std::vector<std::vector<base::IpAddress>> more_edge_addresses;
  model::Authority authority;       // of zones that brought none
  std::uint32_t proxied_ttl = 300;  // seconds
  std::uint32_t auto_ttl = 300;     // seconds
  // Edges serve HTTPS on port 443: names that lead there and have a certificate say so (RFC 9460).
  bool https_records = true;
  std::function<std::vector<std::uint8_t>(const ProxiedName&)> render_route;
  // Of the names that MX and SRV records point at in the place of proxied ones; empty: these are
  // pointed at as they are.
  std::optional<DirectSecret> direct_secret;
  // Hears of every rule that is on and has no effect, as nobody understands it now: a block that
  // does not block. May be empty.
  std::function<void(const BrokenRule&)> broken_rule;
  // Signs the zones that are to be signed, as of `now`; null: none is.
  dnssec::Signers* signers = nullptr;
  model::Timestamp now{};
  // What was hashed for chains of NSEC3, from one compilation of the same store to the next, so
  // that a change hashes what it changes (hashed_zones.h); null: all of a zone is, each time.
  HashedZones* hashed = nullptr;

  // A set that is not there any more is another one.
  [[nodiscard]] const std::vector<base::IpAddress>& addresses_of(const model::Zone& zone) const {
    const std::size_t set = zone.dns.address_set % (1 + more_edge_addresses.size());
    return set == 0 ? edge_addresses : more_edge_addresses[set - 1];
  }
  [[nodiscard]] std::uint32_t served_ttl(const model::Zone& zone, std::uint32_t stored) const {
    return stored == model::kTtlAutomatic && !zone.dnssec.presigned ? auto_ttl : stored;
  }
};

// Calls of the sink.
struct Counts {
  std::uint64_t zones_put = 0;
  std::uint64_t zones_dropped = 0;
  std::uint64_t names_put = 0;
  std::uint64_t names_dropped = 0;
  std::uint64_t routes = 0;  // names put that have one
};

// Puts every zone and name into an empty sink. A zone comes before those below it.
base::Result<Counts> compile_all(store::Store& store, const Options& options,
                                 snapshot::ChangeSink& sink);

// Whether compile_import will do for the zone: it is not signed, stands neither above nor below
// another one, and no alias of another zone leads into it.
bool stands_alone(store::Store& store, const model::Zone& zone);

// Brings a sink that holds the store's present state to the one that an import leads to, before the
// store has it: `zone` as it will be, which has no records in the store, with all of `records`.
base::Result<Counts> compile_import(store::Store& store, const model::Zone& zone,
                                    const store::EachRecord& records, const Options& options,
                                    snapshot::ChangeSink& sink);

// Brings a sink that holds the state after `from` to the store's present one, where `changes` is
// changes_between(from, store.version()) within the same transaction. A name that turns out the
// same may be put again. Costs what changed and what depends on it, whatever the size of the store.
base::Result<Counts> compile_changes(store::Store& store, const store::Changes& changes,
                                     const Options& options, snapshot::ChangeSink& sink);

}  // namespace brink::ctl::compile
