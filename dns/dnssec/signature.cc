#include "dns/dnssec/signature.h"

#include <algorithm>
#include <span>

#include "dataplane/base/bytes.h"
#include "dns/wire/message.h"
#include "dns/zone/text.h"

namespace brink::dns::dnssec {
namespace {

constexpr std::size_t kRrsigHead = 18;  // up to the signer's name (RFC 4034 3.1)

void put_u16(Wire& out, std::uint16_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value);
}

void put_u32(Wire& out, std::uint32_t value) {
  put_u16(out, static_cast<std::uint16_t>(value >> 16));
  put_u16(out, static_cast<std::uint16_t>(value));
}

std::size_t label_size(const Wire& name, std::size_t at) {
  return static_cast<std::uint8_t>(name[at]);
}

bool is_wildcard(const Wire& name) {
  return name.size() >= 2 && name[0] == 1 && name[1] == '*';
}

// RFC 4034 3.1.3: without the root, and without the asterisk of a wildcard.
std::uint8_t labels_of(const Wire& name) {
  std::uint8_t count = 0;
  for (std::size_t at = 0; label_size(name, at) != 0; at += 1 + label_size(name, at)) ++count;
  return is_wildcard(name) ? static_cast<std::uint8_t>(count - 1) : count;
}

// A name from the wire that labels_of can walk.
bool is_well_formed(const Wire& name) {
  std::size_t at = 0;
  while (at < name.size() && label_size(name, at) != 0) at += 1 + label_size(name, at);
  return name.size() <= wire::kNameMax && at + 1 == name.size();
}

void put_rrsig_head(Wire& out, const RrsigFields& fields) {
  put_u16(out, fields.type_covered);
  out += static_cast<char>(fields.algorithm);
  out += static_cast<char>(fields.labels);
  put_u32(out, fields.original_ttl);
  put_u32(out, fields.validity.expiration);
  put_u32(out, fields.validity.inception);
  put_u16(out, fields.key_tag);
  out += fields.signer;
}

// RFC 4034 6.3: in canonical order, each once.
std::vector<Wire> canonical_records(const zone::Rrset& rrset) {
  std::vector<Wire> records;
  records.reserve(rrset.rdata.size());
  for (const Wire& rdata : rrset.rdata) records.push_back(canonical_rdata(rrset.type, rdata));
  std::sort(records.begin(), records.end());
  records.erase(std::unique(records.begin(), records.end()), records.end());
  return records;
}

// What is signed (RFC 4034 3.1.8.1), behind the RRSIG data without its signature. `owner` is
// lower-case, and the wildcard's where a wildcard was expanded.
Wire signed_octets(const RrsigFields& fields, const Wire& owner, const zone::Rrset& rrset) {
  Wire head = owner;
  put_u16(head, rrset.type);
  put_u16(head, wire::kClassIn);
  put_u32(head, fields.original_ttl);
  const std::vector<Wire> records = canonical_records(rrset);
  std::size_t size = kRrsigHead + fields.signer.size();
  for (const Wire& rdata : records) size += head.size() + 2 + rdata.size();
  Wire octets;
  octets.reserve(size);
  put_rrsig_head(octets, fields);
  for (const Wire& rdata : records) {
    octets += head;
    put_u16(octets, static_cast<std::uint16_t>(rdata.size()));
    octets += rdata;
  }
  return octets;
}

// RFC 4035 5.3.2: the wildcard that `owner` was expanded from, if it has more labels than the
// signature says.
Wire signed_owner(const Wire& owner, std::uint8_t labels) {
  std::size_t at = 0;
  for (std::size_t extra = labels_of(owner) - labels; extra > 0; --extra) {
    at += 1 + label_size(owner, at);
  }
  return at == 0 ? owner : Wire("\1*", 2) + owner.substr(at);
}

// RFC 1982: whether `a` is at or before `b`.
bool is_at_or_before(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(b - a) >= 0;
}

// Empty: nothing but the signature itself is left to check (RFC 4035 5.3.1).
std::string fields_fault(const RrsigFields& fields, const Wire& apex, const Wire& dnskey_rdata,
                         const Wire& owner, const zone::Rrset& rrset) {
  if (fields.type_covered != rrset.type) return "it covers another type";
  if (zone::lower_name(fields.signer) != apex) return "its signer is not the zone";
  if (!zone::is_at_or_below(owner, apex)) return "the owner is outside the zone";
  if (fields.labels > labels_of(owner)) return "it has more labels than the owner";
  if (fields.labels < labels_of(apex)) return "it has fewer labels than the zone";
  if (dnskey_algorithm(dnskey_rdata) != fields.algorithm) return "its algorithm is not the key's";
  if (key_tag(dnskey_rdata) != fields.key_tag) return "its key tag is not the key's";
  return "";
}

}  // namespace

Wire sign_rrset(const SigningKey& key, std::uint16_t flags, const Wire& apex, const Wire& owner,
                const zone::Rrset& rrset, Validity validity) {
  RrsigFields fields;
  fields.type_covered = rrset.type;
  fields.algorithm = static_cast<std::uint8_t>(key.algorithm());
  fields.labels = labels_of(owner);
  fields.original_ttl = rrset.ttl;
  fields.validity = validity;
  fields.key_tag = key.key_tag(flags);
  fields.signer = apex;
  Wire rrsig;
  put_rrsig_head(rrsig, fields);
  return rrsig + key.sign(signed_octets(fields, owner, rrset));
}

bool is_signed_type(const zone::Node& node, std::uint16_t type) {
  if (node.occluded || type == kTypeRrsig) return false;
  return !node.cut || type == zone::kTypeDs || type == kTypeNsec;
}

std::optional<RrsigFields> read_rrsig(const Wire& rrsig_rdata) {
  base::ByteReader reader(
      {reinterpret_cast<const std::uint8_t*>(rrsig_rdata.data()), rrsig_rdata.size()});
  RrsigFields fields;
  fields.type_covered = reader.u16();
  fields.algorithm = reader.u8();
  fields.labels = reader.u8();
  fields.original_ttl = reader.u32();
  fields.validity.expiration = reader.u32();
  fields.validity.inception = reader.u32();
  fields.key_tag = reader.u16();
  std::size_t label = 1;
  while (reader.ok() && label != 0) {
    label = reader.u8();
    reader.skip(label);
  }
  if (!reader.ok()) return std::nullopt;
  fields.signer = rrsig_rdata.substr(kRrsigHead, reader.position() - kRrsigHead);
  fields.signature = rrsig_rdata.substr(reader.position());
  if (!is_well_formed(fields.signer)) return std::nullopt;
  return fields;
}

base::Result<void> verify_signature(const Wire& apex, const Wire& dnskey_rdata, const Wire& owner,
                                    const zone::Rrset& rrset, const Wire& rrsig_rdata,
                                    std::optional<std::uint32_t> now) {
  const auto fail = [&](const std::string& why) {
    return base::Error{"a signature that cannot be verified: " + why,
                       zone::name_to_text(owner) + " " + zone::type_to_text(rrset.type),
                       "sign the zone again"};
  };
  const auto fields = read_rrsig(rrsig_rdata);
  if (!fields.has_value()) return fail("it is malformed");
  const Wire lower_owner = zone::lower_name(owner);
  const auto fault =
      fields_fault(*fields, zone::lower_name(apex), dnskey_rdata, lower_owner, rrset);
  if (!fault.empty()) return fail(fault);
  if (now.has_value()) {
    if (!is_at_or_before(fields->validity.inception, *now)) return fail("it is not valid yet");
    if (!is_at_or_before(*now, fields->validity.expiration)) return fail("it has expired");
  }
  RrsigFields canonical = *fields;
  canonical.signer = zone::lower_name(canonical.signer);
  const Wire octets = signed_octets(canonical, signed_owner(lower_owner, fields->labels), rrset);
  if (!verify(dnskey_rdata, octets, fields->signature)) {
    return fail("the key did not make it for these records");
  }
  return {};
}

}  // namespace brink::dns::dnssec
