// Lookups: what the compiler asks while it makes one name. One consistent state throughout. Zones
// are passed as zone_of returned them.
#pragma once

#include <optional>
#include <vector>

#include "ctl/model/record.h"
#include "ctl/model/zone.h"
#include "ctl/store/key.h"
#include "ctl/store/store.h"
#include "dataplane/base/ip.h"

namespace brink::ctl::compile {

// What compilation needs of a record.
struct Entry {
  model::RecordType type = 0;
  std::uint32_t ttl = model::kTtlAutomatic;
  bool proxied = false;  // in force, the zone's state included
  model::RecordSettings settings;
  model::Rdata rdata;
};

Entry entry_of(const model::Zone& zone, const model::Record& record);
bool has_type(const std::vector<Entry>& entries, model::RecordType type);

// What a name outside the served zones leads to, as far as that is known.
struct Outside {
  std::vector<base::IpAddress> addresses;
  std::uint32_t ttl_s = 0;  // for answers that carry the addresses
};

class Lookups {
 public:
  virtual ~Lookups() = default;

  // The zone that owns a name: the deepest served one at or above it. Null: none. Valid as long as
  // the Lookups.
  virtual const model::Zone* zone_of(const model::DomainName& name) = 0;
  // The zone's records of a name, ordered by type and data, whether or not the zone owns it.
  virtual std::vector<Entry> entries(const model::Zone& zone, const model::DomainName& name) = 0;
  // Whether the zone has records at or below a name. Its apex is always there.
  virtual bool exists(const model::Zone& zone, const model::DomainName& name) = 0;
  // Whether a delegation or DNAME of the zone stands above a name.
  virtual bool is_occluded(const model::Zone& zone, const model::DomainName& name) = 0;

  // The first name with records of the zone at or after a place in the order of the tree (store/key.h),
  // and the last before one; empty: there is none.
  virtual std::optional<model::DomainName> first_from(const model::Zone& zone,
                                                      const store::TreeKey& key) = 0;
  virtual std::optional<model::DomainName> last_before(const model::Zone& zone,
                                                       const store::TreeKey& key) = 0;

  // The zone's MX and SRV records, whether or not they are served.
  virtual std::vector<store::Exchange> exchanges(const model::Zone& zone) = 0;

  // Whether a certificate of the zone covers a name: it is one of its hosts, or "*." and what is
  // above it is (RFC 6125 6.4.3).
  virtual bool has_certificate(const model::Zone& zone, const model::DomainName& name) = 0;

  // A name that no served zone owns. Without addresses: not known yet, or it leads nowhere.
  virtual Outside outside(const model::DomainName& name) = 0;

  // The entries that answer for a name which the zone owns: its own, or those of the wildcard of
  // its closest encloser (RFC 1034 4.3.2, RFC 4592). None: no data, or not this zone's to answer.
  std::vector<Entry> answering(const model::Zone& zone, const model::DomainName& name);
};

}  // namespace brink::ctl::compile
