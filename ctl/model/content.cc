// Content: the API's form of RDATA. Hostnames appear without their final dot, the priority of MX,
// SRV and URI stands apart, and TXT may be written as plain text or as quoted strings.
#include <algorithm>
#include <charconv>

#include "ctl/model/record.h"
#include "dataplane/base/bytes.h"

namespace brink::ctl::model {
namespace {

constexpr std::size_t kCharacterStringMax = 255;  // RFC 1035 3.3
constexpr std::size_t kRdataMax = 65535;
constexpr RecordType kTypeCaa = 257;

Refusal bad_content(RecordType type, std::string_view content, const std::string& expected) {
  return invalid_record(kCodeContentInvalid, "Content \"" + std::string(content) + "\" of " +
                                                 type_to_text(type) +
                                                 " record is invalid: " + expected + ".");
}

std::vector<std::string_view> fields_of(std::string_view text) {
  std::vector<std::string_view> fields;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(" \t", at)) != std::string_view::npos) {
    const std::size_t end = std::min(text.find_first_of(" \t", at), text.size());
    fields.push_back(text.substr(at, end - at));
    at = end;
  }
  return fields;
}

std::optional<std::uint16_t> to_u16(std::string_view text) {
  std::uint16_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void append_u16(Rdata& rdata, std::uint16_t value) {
  rdata.push_back(static_cast<std::uint8_t>(value >> 8));
  rdata.push_back(static_cast<std::uint8_t>(value));
}

Outcome<Rdata> host_rdata(std::string_view host, const DomainName& zone, Rdata prefix = {}) {
  auto name = host == "@" ? Outcome<DomainName>(zone) : DomainName::parse(to_ascii(host));
  if (!name) return name.error();
  const auto wire = name.value().wire();
  prefix.insert(prefix.end(), wire.begin(), wire.end());
  return prefix;
}

Outcome<Rdata> address_rdata(RecordType type, std::string_view content) {
  const auto address = base::IpAddress::parse(content);
  if (type == kTypeA) {
    if (!address || content.find(':') != std::string_view::npos) {
      return bad_content(type, content, "it must be an IPv4 address such as 203.0.113.10");
    }
    return Rdata(address->v4_wire(), address->v4_wire() + 4);
  }
  if (!address || address->is_v4()) {
    return bad_content(type, content, "it must be an IPv6 address such as 2001:db8::10");
  }
  return Rdata(address->bytes().begin(), address->bytes().end());
}

// Plain text becomes as many character-strings as it needs.
Rdata plain_text_rdata(std::string_view text) {
  Rdata rdata;
  do {
    const std::string_view part = text.substr(0, kCharacterStringMax);
    rdata.push_back(static_cast<std::uint8_t>(part.size()));
    rdata.insert(rdata.end(), part.begin(), part.end());
    text.remove_prefix(part.size());
  } while (!text.empty());
  return rdata;
}

bool quotes_are_balanced(std::string_view text) {
  bool open = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      open = !open;
    }
  }
  return !open;
}

// Names in it are absolute, with or without their final dot, like everywhere in the API.
Outcome<Rdata> presentation_rdata(RecordType type, std::string_view content) {
  if (content.find_first_of("\r\n") != std::string_view::npos) {
    return bad_content(type, content, "it must stand on one line");
  }
  if (!quotes_are_balanced(content)) return bad_content(type, content, "a quote is not closed");
  auto rdata = rdata_from_text(type, content, DomainName());
  if (!rdata) return bad_content(type, content, rdata.error().what);
  return std::move(rdata).value();
}

Outcome<Rdata> mx_rdata(std::string_view content, std::optional<std::uint16_t> priority,
                        const DomainName& zone) {
  auto fields = fields_of(content);
  if (!priority && fields.size() == 2) {
    priority = to_u16(fields.front());
    fields.erase(fields.begin());
  }
  if (!priority || fields.size() != 1) {
    return bad_content(kTypeMx, content,
                       "it must be a host name, with a priority of 0 to 65535 beside it");
  }
  Rdata prefix;
  append_u16(prefix, *priority);
  return host_rdata(fields.front(), zone, std::move(prefix));
}

Outcome<Rdata> srv_rdata(std::string_view content, std::optional<std::uint16_t> priority,
                         const DomainName& zone) {
  auto fields = fields_of(content);
  if (!priority && fields.size() == 4) {
    priority = to_u16(fields.front());
    fields.erase(fields.begin());
  }
  const auto weight = fields.size() == 3 ? to_u16(fields[0]) : std::nullopt;
  const auto port = fields.size() == 3 ? to_u16(fields[1]) : std::nullopt;
  if (!priority || !weight || !port) {
    return bad_content(kTypeSrv, content,
                       "it must be \"weight port target\", with a priority beside it");
  }
  Rdata prefix;
  append_u16(prefix, *priority);
  append_u16(prefix, *weight);
  append_u16(prefix, *port);
  return host_rdata(fields[2], zone, std::move(prefix));
}

Outcome<Rdata> uri_rdata(std::string_view content, std::optional<std::uint16_t> priority) {
  if (!priority) return presentation_rdata(kTypeUri, content);
  return presentation_rdata(kTypeUri, std::to_string(*priority) + " " + std::string(content));
}

// The value may stand without quotes (RFC 8659 4.1.1), which the parser of zone files wants.
Outcome<Rdata> caa_rdata(std::string_view content) {
  const auto fields = fields_of(content);
  if (fields.size() != 3 || content.find('"') != std::string_view::npos) {
    return presentation_rdata(kTypeCaa, content);
  }
  return presentation_rdata(kTypeCaa, std::string(fields[0]) + " " + std::string(fields[1]) +
                                          " \"" + std::string(fields[2]) + "\"");
}

std::string host_text(std::span<const std::uint8_t> wire) {
  const auto name = DomainName::from_wire(wire);
  CHECK(name.has_value());
  return name->is_root() ? "." : name->text();
}

std::string address_text(RecordType type, std::span<const std::uint8_t> rdata) {
  const auto address = type == kTypeA ? base::IpAddress::v4_from_wire(rdata.data())
                                      : base::IpAddress::v6_from_wire(rdata.data());
  return std::string(address.text().view());
}

}  // namespace

Outcome<Rdata> rdata_of(RecordType type, std::string_view content,
                        std::optional<std::uint16_t> priority, const DomainName& zone) {
  if (content.empty()) return bad_content(type, content, "it is empty");
  if (content.size() > kRdataMax) return bad_content(type, content.substr(0, 64), "it is too long");
  switch (type) {
    case kTypeA:
    case kTypeAaaa:
      return address_rdata(type, content);
    case kTypeCname:
    case kTypeNs:
    case kTypePtr:
    case kTypeDname:
      return host_rdata(content, zone);
    case kTypeMx:
      return mx_rdata(content, priority, zone);
    case kTypeSrv:
      return srv_rdata(content, priority, zone);
    case kTypeUri:
      return uri_rdata(content, priority);
    case kTypeCaa:
      return caa_rdata(content);
    case kTypeTxt:
      if (content.front() != '"') return plain_text_rdata(content);
      return presentation_rdata(type, content);
    default:
      return presentation_rdata(type, content);  // every other of 65536 codes
  }
}

Content content_of(RecordType type, std::span<const std::uint8_t> rdata) {
  switch (type) {
    case kTypeA:
    case kTypeAaaa:
      return {address_text(type, rdata), std::nullopt};
    case kTypeCname:
    case kTypeNs:
    case kTypePtr:
    case kTypeDname:
      return {host_text(rdata), std::nullopt};
    case kTypeMx:
      return {host_text(rdata.subspan(2)), base::load_be16(rdata.data())};
    case kTypeSrv:
      return {std::to_string(base::load_be16(rdata.data() + 2)) + " " +
                  std::to_string(base::load_be16(rdata.data() + 4)) + " " +
                  host_text(rdata.subspan(6)),
              base::load_be16(rdata.data())};
    case kTypeUri: {
      std::string text = rdata_to_text(type, rdata);
      text.erase(0, text.find(' ') + 1);
      return {std::move(text), base::load_be16(rdata.data())};
    }
    default:
      return {rdata_to_text(type, rdata), std::nullopt};
  }
}

}  // namespace brink::ctl::model
