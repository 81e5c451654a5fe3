#include "ctl/model/record.h"

#include <algorithm>

namespace brink::ctl::model {
namespace {

// A message of 65,535 octets carries a whole RRset, and beside it a header, the longest question,
// OPT, and the signatures of as many keys as a rollover has.
constexpr std::size_t kRrsetSizeMax = 60'000;
constexpr std::size_t kRecordOverhead = 12;  // owner pointer, type, class, TTL, RDLENGTH

// Types that the server itself makes, or that are no data at all (RFC 6895 3.1).
bool is_storable(RecordType type) {
  constexpr RecordType kOpt = 41;
  const bool meta = type >= 128 && type <= 255;
  return type != 0 && type != kTypeSoa && type != kOpt && !meta;
}

Outcome<RecordType> checked_type(std::string_view text) {
  const auto type = type_from_text(text);
  if (type && is_made_by_signing(*type)) {
    return invalid_record(
        kCodeTypeInvalid,
        "Record type \"" + type_to_text(*type) +
            "\" comes into a zone by signing it, here (brinkctl dnssec enable) or "
            "elsewhere (brinkctl zone import --presigned).");
  }
  if (!type || !is_storable(*type)) {
    return invalid_record(kCodeTypeInvalid, "Record type \"" + std::string(text) +
                                                "\" is unknown or kept by the server itself.");
  }
  return *type;
}

std::size_t character_count(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::optional<Refusal> ttl_fault(const Rules& rules, std::uint32_t ttl) {
  if (ttl == kTtlAutomatic || (ttl >= rules.ttl_min && ttl <= rules.ttl_max)) return std::nullopt;
  return invalid_record(kCodeTtlInvalid, "TTL " + std::to_string(ttl) +
                                             " is invalid: it must be 1 (automatic) or from " +
                                             std::to_string(rules.ttl_min) + " to " +
                                             std::to_string(rules.ttl_max) + " seconds.");
}

std::optional<Refusal> comment_fault(const Rules& rules, const std::string& comment) {
  if (character_count(comment) > rules.comment_size_max) {
    return invalid_record(
        kCodeCommentInvalid,
        "A comment may have " + std::to_string(rules.comment_size_max) + " characters at most.");
  }
  if (comment.find_first_of("\r\n") != std::string::npos) {
    return invalid_record(kCodeCommentInvalid, "A comment must stand on one line.");
  }
  return std::nullopt;
}

bool is_tag(std::string_view tag) {
  const std::string_view name = tag.substr(0, tag.find(':'));
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), allowed) &&
         tag.find_first_of("\r\n") == std::string_view::npos;
}

std::optional<Refusal> tags_fault(const Rules& rules, const std::vector<std::string>& tags) {
  if (tags.size() > rules.tags_max) {
    return invalid_record(kCodeCommentInvalid,
                          "A record may have " + std::to_string(rules.tags_max) + " tags at most.");
  }
  for (const std::string& tag : tags) {
    if (!is_tag(tag)) {
      return invalid_record(kCodeCommentInvalid,
                            "Tag \"" + tag +
                                "\" is invalid: write name or name:value, the name of letters, "
                                "digits, \"_\" and \"-\".");
    }
  }
  return std::nullopt;
}

// Whether the API shows what was written, as far as it says the same: clients look for the text
// they sent, and take any other spelling for a change. Names, addresses and what has a priority of
// its own have one form each.
bool shows_what_was_written(RecordType type, std::string_view content) {
  switch (type) {
    case kTypeA:
    case kTypeAaaa:
    case kTypeCname:
    case kTypeNs:
    case kTypePtr:
    case kTypeDname:
    case kTypeMx:
    case kTypeSrv:
    case kTypeUri:
    case kTypeLoc:
      return false;
    case kTypeTxt:
      return true;
    default:  // parentheses, comments and RFC 3597 data are the zone file's business
      return !content.starts_with("\\#") && content.find_first_of("()") == std::string_view::npos;
  }
}

std::string trimmed(std::string_view text) {
  const std::size_t first = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(first);
  return std::string(text.substr(0, text.find_last_not_of(" \t") + 1));
}

std::optional<Refusal> text_fault(const Rules& rules, const Record& candidate,
                                  std::span<const Record> neighbours) {
  if (candidate.type != kTypeTxt) return std::nullopt;
  std::size_t total = candidate.content.size();
  for (const Record& other : neighbours) {
    if (other.type == kTypeTxt) total += other.content.size();
  }
  if (total <= rules.text_total_max) return std::nullopt;
  return Refusal{400,
                 kCodeSetTooLarge,
                 "All TXT records of " + candidate.name.text() + " together may have " +
                     std::to_string(rules.text_total_max) + " octets of content, not " +
                     std::to_string(total) + "; the node's setting is text-total-max.",
                 {}};
}

std::optional<Refusal> proxy_fault(const Rules& rules, const Record& record) {
  if (!is_proxiable(record.type)) {
    return invalid_record(kCodeNotProxiable,
                          "This kind of record cannot be proxied: " + type_to_text(record.type) +
                              ". Only A, AAAA and CNAME can.");
  }
  if (record.settings.ipv4_only && record.settings.ipv6_only) {
    return invalid_record(kCodeNotProxiable, "ipv4_only and ipv6_only exclude each other.");
  }
  bool allowed = false;
  if (record.type == kTypeCname) {
    const auto target = DomainName::from_wire(record.rdata);
    allowed = target && is_proxiable_target(rules, *target);
  } else {
    const auto* bytes = record.rdata.data();
    allowed =
        is_allowed_origin(rules, record.type == kTypeA ? base::IpAddress::v4_from_wire(bytes)
                                                       : base::IpAddress::v6_from_wire(bytes));
  }
  if (allowed) return std::nullopt;
  return invalid_record(kCodeTargetNotAllowed,
                        "Target " + record.content + " is not allowed for a proxied record.");
}

// RFC 1034 3.6.2 leaves a CNAME alone at its name. The apex holds NS and SOA beside it and a
// proxied one is answered with addresses, so there only what would be answered in its place
// excludes it.
bool cname_excludes(const Zone& zone, const Record& cname, RecordType other) {
  if (other == kTypeA || other == kTypeAaaa || other == kTypeCname) return true;
  return !(cname.proxied || cname.name == zone.name);
}

bool may_stand_at_delegation(RecordType type, BesideNs beside_ns) {
  if (type == kTypeNs || type == kTypeDs) return true;
  // RFC 1034 3.6.2, RFC 6672 2.4
  return beside_ns == BesideNs::kAsLegal && type != kTypeCname && type != kTypeDname;
}

std::optional<Refusal> pair_conflict(const Zone& zone, const Record& candidate, const Record& other,
                                     BesideNs beside_ns) {
  if (candidate.type == other.type && is_same_data(candidate.type, candidate.rdata, other.rdata)) {
    return Refusal{400, kCodeRecordExists, "The record already exists.", {}};
  }
  const bool cname_clash =
      (candidate.type == kTypeCname && cname_excludes(zone, candidate, other.type)) ||
      (other.type == kTypeCname && cname_excludes(zone, other, candidate.type));
  if (cname_clash) {
    const std::string message =
        is_proxiable(candidate.type) && is_proxiable(other.type)
            ? "An A, AAAA, or CNAME record with that host already exists."
            : "A CNAME record cannot stand beside other records of " + candidate.name.text() + ".";
    return Refusal{400, kCodeHostTaken, message, {}};
  }
  if (candidate.type == kTypeDname && other.type == kTypeDname) {  // RFC 6672 2.4
    return Refusal{400, kCodeHostTaken, "A name can have one DNAME record only.", {}};
  }
  const bool delegation_clash = candidate.name != zone.name &&
                                (candidate.type == kTypeNs || other.type == kTypeNs) &&
                                !(may_stand_at_delegation(candidate.type, beside_ns) &&
                                  may_stand_at_delegation(other.type, beside_ns));
  if (delegation_clash) {
    return Refusal{400,
                   kCodeHostTaken,
                   "NS records delegate " + candidate.name.text() +
                       " and cannot stand beside other records of that name.",
                   {}};
  }
  return std::nullopt;
}

// Whether the data is right as it is, and its content too, so that reading that again adds nothing.
bool takes_no_text(RecordType type, std::span<const std::uint8_t> rdata) {
  switch (type) {
    case kTypeA:
      return rdata.size() == 4;
    case kTypeAaaa:
      return rdata.size() == 16;
    case kTypeCname:
    case kTypeNs:
    case kTypePtr:
    case kTypeDname:
      return true;  // content_of demands a name
    default:
      return false;
  }
}

// What is left when name, type and data are known.
Outcome<Record> finish_record(const Rules& rules, Record record, RecordDraft draft) {
  if (auto fault = ttl_fault(rules, draft.ttl)) return *std::move(fault);
  if (auto fault = comment_fault(rules, draft.comment)) return *std::move(fault);
  if (auto fault = tags_fault(rules, draft.tags)) return *std::move(fault);
  record.comment = std::move(draft.comment);
  record.tags = std::move(draft.tags);
  record.settings = draft.settings;
  record.proxied = draft.proxied;
  record.ttl = draft.proxied ? kTtlAutomatic : draft.ttl;
  if (record.proxied) {
    if (auto fault = proxy_fault(rules, record)) return *std::move(fault);
  }
  return record;
}

bool points_at_itself(const Record& record) {
  return record.type == kTypeCname && is_same_data(kTypeCname, record.rdata, record.name.wire());
}

Refusal self_reference() {
  return invalid_record(kCodeContentInvalid, "A CNAME record cannot point at itself.");
}

Outcome<Record> make_from_draft(const Rules& rules, const Zone& zone, const RecordDraft& draft) {
  Record record;
  const auto type = checked_type(draft.type);
  if (!type) return type.error();
  record.type = type.value();

  auto name = owner_name(draft.name, zone.name);
  if (!name) return name.error();
  record.name = std::move(name).value();

  if (record.type == kTypeTxt && draft.content.size() > rules.text_size_max) {
    return invalid_record(kCodeContentInvalid, "Content of a TXT record may have " +
                                                   std::to_string(rules.text_size_max) +
                                                   " octets at most, not " +
                                                   std::to_string(draft.content.size()) +
                                                   "; the node's setting is text-size-max.");
  }
  const auto priority = has_priority(record.type) ? draft.priority : std::nullopt;
  auto rdata = rdata_of(record.type, draft.content, priority, zone.name);
  if (!rdata) return rdata.error();
  record.rdata = std::move(rdata).value();
  Content content = content_of(record.type, record.rdata);
  record.priority = content.priority;
  if (record.type == kTypeTxt) {
    record.content = draft.content;
  } else if (shows_what_was_written(record.type, draft.content)) {
    record.content = trimmed(draft.content);
  } else {
    record.content = std::move(content.text);
  }
  return finish_record(rules, std::move(record), draft);
}

}  // namespace

RecordDraft draft_of(const Record& record) {
  return {record.name.text() + ".",
          type_to_text(record.type),
          record.content,
          record.priority,
          record.ttl,
          record.proxied,
          record.comment,
          record.tags,
          record.settings};
}

Outcome<Record> make_record(const Rules& rules, const Zone& zone, const RecordDraft& draft) {
  auto made = make_from_draft(rules, zone, draft);
  if (made && points_at_itself(made.value())) return self_reference();
  return made;
}

Outcome<Record> make_record(const Rules& rules, const Zone& zone, const DomainName& name,
                            RecordType type, std::span<const std::uint8_t> rdata,
                            RecordDraft rest) {
  if (takes_no_text(type, rdata) && name.is_within(zone.name)) {
    Record record;
    record.name = name;
    record.type = type;
    record.rdata.assign(rdata.begin(), rdata.end());
    record.content = content_of(type, rdata).text;
    auto made = finish_record(rules, std::move(record), std::move(rest));
    if (made && made.value().proxied && points_at_itself(made.value())) return self_reference();
    return made;
  }
  Content content = content_of(type, rdata);
  rest.name = name.text() + ".";
  rest.type = type_to_text(type);
  rest.content = std::move(content.text);
  rest.priority = content.priority;
  auto made = make_from_draft(rules, zone, rest);
  // Without the proxy it is what other servers take, too: an answer that leads nowhere.
  if (made && made.value().proxied && points_at_itself(made.value())) return self_reference();
  // RFC 1035 2.3.3: the case of names is kept, though the content shows them in one form.
  if (made && is_same_data(type, made.value().rdata, rdata)) {
    made.value().rdata.assign(rdata.begin(), rdata.end());
  }
  return made;
}

Outcome<Record> make_presigned_record(const DomainName& name, RecordType type,
                                      std::span<const std::uint8_t> rdata, std::uint32_t ttl) {
  if (!is_storable(type)) {
    return invalid_record(kCodeTypeInvalid, "Record type \"" + type_to_text(type) +
                                                "\" is no data that a zone holds.");
  }
  Record record;
  record.name = name;
  record.type = type;
  Content content = content_of(type, rdata);
  record.content = std::move(content.text);
  record.priority = content.priority;
  record.rdata.assign(rdata.begin(), rdata.end());
  record.ttl = ttl;
  return record;
}

std::optional<Refusal> conflict_of(const Rules& rules, const Zone& zone, const Record& candidate,
                                   std::span<const Record> neighbours, BesideNs beside_ns) {
  std::size_t set_size = candidate.rdata.size() + kRecordOverhead;
  for (const Record& other : neighbours) {
    if (auto conflict = pair_conflict(zone, candidate, other, beside_ns)) return conflict;
    if (other.type == candidate.type) set_size += other.rdata.size() + kRecordOverhead;
  }
  if (auto fault = text_fault(rules, candidate, neighbours)) return fault;
  if (set_size <= kRrsetSizeMax) return std::nullopt;
  return Refusal{400,
                 kCodeSetTooLarge,
                 "All " + type_to_text(candidate.type) + " records of " + candidate.name.text() +
                     " together exceed " + std::to_string(kRrsetSizeMax) + " octets.",
                 {}};
}

// One record of no great size, but for the sum of TXT; or several of a kind that may be.
bool stand_together(std::span<const RecordData> records) {
  constexpr std::size_t kManyRecords = 16, kLargeSize = 256;
  if (records.size() > kManyRecords) return false;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto& [type, rdata] = records[i];
    const bool may_be_several = type == kTypeA || type == kTypeAaaa || type == kTypeNs;
    if (type == kTypeTxt || rdata.size() > kLargeSize) return false;
    if (records.size() > 1 && (!may_be_several || type != records[0].type)) return false;
    for (std::size_t k = 0; k < i; ++k) {
      if (is_same_data(type, rdata, records[k].rdata)) return false;
    }
  }
  return true;
}

bool effective_proxy(const Zone& zone, const Record& record) {
  return record.proxied && lets_proxy(zone);
}

bool lets_proxy(const Zone& zone) {
  return zone.status == ZoneStatus::kActive && !zone.paused && !zone.dnssec.presigned &&
         zone.dns.mode != ZoneMode::kDnsOnly && !zone.dns.enforce_dns_only;
}

}  // namespace brink::ctl::model
