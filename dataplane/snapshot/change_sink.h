// ChangeSink: where rendered zones and names go, be it an image that is being built or a
// transaction that is being encoded. Cold, control side.
//
// A name's contents are set as a whole, by name: whoever renders decides which zone owns a name
// that several served zones enclose (the deepest) and says so with put_zone or use_zone before.
// Ancestors, empty non-terminals and wildcard links are not the renderer's business.
//
// A signed zone has a chain of NSEC or NSEC3 records besides its names, set by their owners: every
// record of the chain is one put_denial. They are no names of the table: nobody asks for them but to
// be told that something is not there.
//
// A zone may have a table of values by keys, for what is served to its names other than DNS answers;
// set one by one, like records of a chain.
//
// Order within one transaction: zones that are new or changed (a new zone's apex is the first name
// after it), then names, records of chains and values, then dropped zones, then names that stood at the apex
// of a dropped zone.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/snapshot/layout.h"

namespace brink::snapshot {

// A rendered RRset: whole Blobs in the layout's form.
struct Rrset {
  std::uint16_t type;
  std::vector<std::uint8_t> blob;
  // As those get it who set DO (RFC 3225): with signatures. Empty: the same for them.
  std::vector<std::uint8_t> signed_blob = {};
};

// How a zone proves that something is not there.
struct Denial {
  DenialKind kind = DenialKind::kNone;
  std::uint16_t iterations = 0;             // of NSEC3; at most kNsec3IterationsMax
  std::span<const std::uint8_t> salt = {};  // of NSEC3; at most kNsec3SaltMax octets
};

struct ZoneContents {
  std::uint32_t serial = 0;
  std::span<const std::uint8_t> negative;  // a Blob: the SOA as negative answers carry it (RFC 2308 5)
  std::span<const std::uint8_t> signed_negative = {};  // the same with signatures; empty: not signed
  Denial denial = {};
};

// What a name owns. Without RRsets and route it is there all the same (an apex is never without).
struct NameContents {
  std::span<const Rrset> rrsets;        // one a type, any order
  std::span<const std::uint8_t> route;  // empty: not proxied
  bool cut = false;                     // a delegation
  // An apex whose parent zone is served too and delegates it: the DS set among `rrsets`, or its
  // absence, is the parent's (RFC 4035 3.1.4.1).
  bool parent_side = false;
};

// Names are in wire form, any case. Every call may fail; after a failure the sink is of no use.
class ChangeSink {
 public:
  using Name = std::span<const std::uint8_t>;
  using Key = std::span<const std::uint8_t>;

  virtual ~ChangeSink() = default;

  // Makes or updates a zone and makes it the current one. Its chain is kept if it denies as before,
  // and else begins empty. Its table is kept.
  virtual base::Result<void> put_zone(Name apex, const ZoneContents& contents) = 0;
  // Makes a zone that is there the current one.
  virtual base::Result<void> use_zone(Name apex) = 0;
  // Removes a zone, with its apex and table; none of its other names may be left.
  virtual base::Result<void> drop_zone(Name apex) = 0;
  // Sets what a name of the current zone owns, whatever it owned before.
  virtual base::Result<void> put_name(Name name, const NameContents& contents) = 0;
  // Takes from a name all that it owns, whichever zone it belonged to; nothing if it is not there.
  virtual base::Result<void> drop_name(Name name) = 0;

  // Sets a record of the current zone's chain, whose owner lies at or below the apex. `blob` is a
  // free-standing Blob (layout.h) with the record and its signatures.
  virtual base::Result<void> put_denial(Name owner, std::span<const std::uint8_t> blob) = 0;
  // Takes a record from the current zone's chain; nothing if it is not there.
  virtual base::Result<void> drop_denial(Name owner) = 0;

  // Sets a value of the current zone's table. The key has 1 to kTableKeyMax octets, the value a
  // multiple of kHeapUnit, not none and kTableValueMax at most.
  virtual base::Result<void> put_value(Key key, std::span<const std::uint8_t> value) = 0;
  // Takes a value from the current zone's table; nothing if it is not there.
  virtual base::Result<void> drop_value(Key key) = 0;
  // Takes all values from it whose keys begin with these octets; all that there are, if none are
  // given. Costs the size of the table.
  virtual base::Result<void> clear_values(Key prefix) = 0;

  // A hint: the next calls are about these names, kExpectedMax at most. Whoever keeps them in much
  // memory may fetch it meanwhile, for all of them at once.
  static constexpr std::size_t kExpectedMax = 16;
  virtual void expect(std::span<const Name>) {}
};

}  // namespace brink::snapshot
