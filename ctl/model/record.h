// Record: one DNS record of a zone, validated, and the rules that make one from what a user wrote.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ctl/model/id.h"
#include "ctl/model/rdata.h"
#include "ctl/model/refusal.h"
#include "ctl/model/rules.h"
#include "ctl/model/timestamp.h"
#include "ctl/model/zone.h"

namespace brink::ctl::model {

inline constexpr std::uint32_t kTtlAutomatic = 1;

struct RecordSettings {
  bool flatten_cname = false;
  bool ipv4_only = false;  // a proxied name answers A only
  bool ipv6_only = false;  // a proxied name answers AAAA only

  bool operator==(const RecordSettings&) const = default;
};

struct Record {
  std::int64_t row = 0;  // the store's key; 0 = not stored yet
  Id id;
  DomainName name;
  RecordType type = 0;
  std::string content;  // as the API shows it; MX, SRV and URI without their priority
  std::optional<std::uint16_t> priority;  // MX, SRV, URI
  Rdata rdata;                            // what is served; content and priority in wire form
  std::uint32_t ttl = kTtlAutomatic;
  bool proxied = false;
  std::string comment;
  std::vector<std::string> tags;
  RecordSettings settings;
  Timestamp created_on;
  Timestamp modified_on;
  std::optional<Timestamp> comment_modified_on;
  std::optional<Timestamp> tags_modified_on;

  bool operator==(const Record&) const = default;
};

// A record as a user wrote it.
struct RecordDraft {
  std::string name = {};
  std::string type = {};
  std::string content = {};
  std::optional<std::uint16_t> priority = std::nullopt;
  std::uint32_t ttl = kTtlAutomatic;
  bool proxied = false;
  std::string comment = {};
  std::vector<std::string> tags = {};
  RecordSettings settings = {};
};

RecordDraft draft_of(const Record& record);

// Whether the edge can stand in front of records of this type: A, AAAA, CNAME.
constexpr bool is_proxiable(RecordType type) {
  return type == kTypeA || type == kTypeAaaa || type == kTypeCname;
}
constexpr bool has_priority(RecordType type) {
  return type == kTypeMx || type == kTypeSrv || type == kTypeUri;
}

// make_record checks everything about a record that can be told from itself and its zone. Row, id
// and times are the caller's to fill. A proxied record's TTL becomes automatic.
Outcome<Record> make_record(const Rules& rules, const Zone& zone, const RecordDraft& draft);

// The same from the wire, as a zone file has it, with what else `rest` says; its name, type,
// content and priority do not count. A CNAME that is not proxied may point at itself, and names in
// data keep their case. What is an address or one name and nothing else takes no way through text.
Outcome<Record> make_record(const Rules& rules, const Zone& zone, const DomainName& name,
                            RecordType type, std::span<const std::uint8_t> rdata, RecordDraft rest);

// What else may stand at a delegation's own name, hidden by it (RFC 1034 4.2.1).
enum class BesideNs : std::uint8_t {
  kDsAlone,  // for what a client adds, so that nobody adds what is never answered
  kAsLegal,  // for what is there and what zone files have: glue, and what was there before
};
// Types that come into a zone by signing it, and that only a presigned one has among its records.
constexpr bool is_made_by_signing(RecordType type) {
  return type == kTypeRrsig || type == kTypeNsec || type == kTypeNsec3 || type == kTypeNsec3Param;
}

// A record of a presigned zone: octets and TTL are what was signed, and are kept as they are. Never
// proxied; a TTL of 1 is one of a second. `name` is within the zone. It is for whoever checks the
// zone as a whole: nothing is refused but types that no zone holds, and SOA, which is the zone's.
Outcome<Record> make_presigned_record(const DomainName& name, RecordType type,
                                      std::span<const std::uint8_t> rdata, std::uint32_t ttl);

// conflict_of tells why `candidate` cannot stand beside `neighbours`: the zone's other records of
// the same name, without the one that it replaces.
std::optional<Refusal> conflict_of(const Rules& rules, const Zone& zone, const Record& candidate,
                                   std::span<const Record> neighbours, BesideNs beside_ns);

// Whether these, which are all that a name has, stand together: quickly told, and true of nearly
// all names. False: conflict_of knows.
struct RecordData {
  RecordType type = 0;
  std::span<const std::uint8_t> rdata;
};
bool stand_together(std::span<const RecordData> records);

// What the edge does with the record: proxied by the user, and nothing in the zone's state stands
// against it: a zone that is not active, paused, presigned or DNS-only, or whose account is,
// answers with the origin's values.
bool effective_proxy(const Zone& zone, const Record& record);
// The zone's part of it: whether records of the zone that are proxied have their way.
bool lets_proxy(const Zone& zone);

// The content of a record in the form of the API, and its priority, from RDATA.
struct Content {
  std::string text;
  std::optional<std::uint16_t> priority;
};
Content content_of(RecordType type, std::span<const std::uint8_t> rdata);

// RDATA from the form of the API. Names in content are absolute, with or without the final dot;
// `@` is the zone; international names become Punycode (RFC 5891).
Outcome<Rdata> rdata_of(RecordType type, std::string_view content,
                        std::optional<std::uint16_t> priority, const DomainName& zone);

}  // namespace brink::ctl::model
