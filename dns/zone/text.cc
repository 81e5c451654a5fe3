#include "dns/zone/text.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <memory>

#include "dns/zone/generic_data.h"
#include "dns/zone/ipseckey.h"
#include "dns/zone/ldns_owner.h"
#include "dns/zone/rdata_fault.h"

namespace brink::dns::zone {
namespace {

constexpr std::size_t kNameMax = 255;     // RFC 1035 2.3.4
constexpr std::size_t kRdataMax = 65535;  // RFC 1035 3.2.1

// Types that only questions or transport use (RFC 6895 3.1).
bool is_meta_type(std::uint16_t type) {
  return type == 0 || type == LDNS_RR_TYPE_OPT || (type >= 128 && type <= 255);
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

base::Error bad_rdata(std::uint16_t type, std::string_view content, const std::string& why) {
  return {"not valid " + type_to_text(type) + " data: " + why, std::string(content),
          "use the presentation form of RFC 1035 5.1"};
}

// Empty: ldns has no form for it, as for an IPSECKEY without a key.
std::string field_to_text(const ldns_rdf* field) {
  const std::unique_ptr<ldns_buffer, ReleasedBy<ldns_buffer_free>> buffer(
      ldns_buffer_new(ldns_rdf_size(field) * 4 + 64));
  if (ldns_rdf2buffer_str(buffer.get(), field) != LDNS_STATUS_OK) return {};
  std::string text(reinterpret_cast<const char*>(ldns_buffer_begin(buffer.get())),
                   ldns_buffer_position(buffer.get()));
  const ldns_rdf_type kind = ldns_rdf_get_type(field);
  if (kind != LDNS_RDF_TYPE_DNAME && kind != LDNS_RDF_TYPE_IPSECKEY) return text;
  // ldns leaves a quote in a name as it is, where a reader takes it for the begin of a text.
  for (std::size_t at = text.find('"'); at != std::string::npos; at = text.find('"', at + 2)) {
    text.insert(at, 1, '\\');
  }
  return text;
}

// The same fields without "\\#" for '#': wherever a field begins with that, ldns reads what follows
// as octets of the whole (RFC 3597 5).
std::string without_marks(std::string_view fields) {
  std::string out;
  for (std::size_t at = 0; at < fields.size(); ++at) {
    const bool is_escape = fields[at] == '\\' && at + 1 < fields.size();
    if (is_escape && fields[at + 1] == '#') {
      out += "\\035";
    } else {
      out += fields.substr(at, is_escape ? 2 : 1);
    }
    if (is_escape) ++at;
  }
  return out;
}

// Puts the data into `rdata`. Why it is none, or null.
const char* read_by_ldns(std::uint16_t type, std::string_view fields, const Wire& origin,
                         Wire& rdata) {
  if (const char* fault = text_fault(type, fields)) return fault;
  const std::string line = ". 0 IN " + type_to_text(type) + " " + without_marks(fields);
  const Rdf ldns_origin(
      origin.empty() ? nullptr
                     : ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, origin.size(), origin.data()));
  ldns_rr* raw = nullptr;
  const auto status = ldns_rr_new_frm_str(&raw, line.c_str(), 0, ldns_origin.get(), nullptr);
  if (status != LDNS_STATUS_OK) return ldns_get_errorstr_by_id(status);
  const Rr rr(raw);
  rdata = rdata_of(rr.get());
  return rdata_fault(rr.get());
}

// The record that data makes, for the caller to free.
ldns_status parse_octets(std::uint16_t type, const Wire& rdata, ldns_rr*& rr) {
  // ldns reads records from the wire: owner root, type, class IN, TTL 0, length, data.
  Wire record(1, '\0');
  const auto put16 = [&record](std::size_t v) {
    record += static_cast<char>(v >> 8);
    record += static_cast<char>(v & 0xff);
  };
  put16(type);
  put16(1);
  put16(0);
  put16(0);
  put16(rdata.size());
  record += rdata;
  std::size_t position = 0;
  return ldns_wire2rr(&rr, reinterpret_cast<const std::uint8_t*>(record.data()), record.size(),
                      &position, LDNS_SECTION_ANSWER);
}

// Puts octets in the form of any type into `rdata`. Why they are no data of this one, or null.
const char* read_octets(std::uint16_t type, std::string_view fields, Wire& rdata) {
  if (const char* fault = read_generic(fields, rdata)) return fault;
  if (rdata.size() > kRdataMax) return nullptr;  // which the caller says
  ldns_rr* raw = nullptr;
  const auto status = parse_octets(type, rdata, raw);
  if (status != LDNS_STATUS_OK) return ldns_get_errorstr_by_id(status);
  const Rr rr(raw);
  if (const char* fault = rdata_fault(raw)) return fault;
  return rdata_of(raw) == rdata ? nullptr : "its octets are no data of its type";
}

// Types whose text needs no second look: most of what zones hold.
bool is_plain_type(std::uint16_t type) {
  switch (type) {
    case LDNS_RR_TYPE_A:
    case LDNS_RR_TYPE_AAAA:
    case LDNS_RR_TYPE_CNAME:
    case LDNS_RR_TYPE_MX:
    case LDNS_RR_TYPE_NS:
    case LDNS_RR_TYPE_PTR:
    case LDNS_RR_TYPE_SRV:
    case LDNS_RR_TYPE_TXT:
      return true;
    default:
      return false;
  }
}

// What ldns writes, which it does not always read again, or reads as something else.
base::Result<std::string> fields_to_text(std::uint16_t type, const Wire& rdata) {
  ldns_rr* raw = nullptr;
  const auto status = parse_octets(type, rdata, raw);
  if (status != LDNS_STATUS_OK) {
    return base::Error{
        "not valid " + type_to_text(type) + " data: " + ldns_get_errorstr_by_id(status), "", ""};
  }
  const Rr rr(raw);
  if (ldns_rr_rd_count(rr.get()) == 0) return generic_text(rdata);
  std::string text;
  for (std::size_t i = 0; i < ldns_rr_rd_count(rr.get()); ++i) {
    const std::string field = field_to_text(ldns_rr_rdf(rr.get(), i));
    if (field.empty()) return generic_text(rdata);
    if (i > 0) text += ' ';
    text += field;
  }
  if (type == LDNS_RR_TYPE_CAA && ldns_rr_rd_count(rr.get()) == 2) text += " \"\"";
  return text;
}

}  // namespace

base::Result<Wire> name_from_text(std::string_view text, const Wire& origin) {
  const std::string given(text);
  const auto fail = [&given](const std::string& why) {
    return base::Error{"not a domain name: " + why, given, "labels of 1-63 octets, 255 in all"};
  };
  if (given == "@" && !origin.empty()) return origin;
  if (given.empty()) return fail("empty");
  if (given.find('\0') != std::string::npos ||
      given.find_first_of(" \t\r\n") != std::string::npos) {
    return fail("white space or NUL");
  }
  ldns_rdf* raw = nullptr;
  if (const auto status = ldns_str2rdf_dname(&raw, given.c_str()); status != LDNS_STATUS_OK) {
    return fail(ldns_get_errorstr_by_id(status));
  }
  const Rdf rdf(raw);
  Wire wire = wire_of(rdf.get());
  // ldns always ends the name with the root label, so only the text tells a relative name: its last
  // dot is missing or escaped.
  std::size_t backslashes = 0;
  if (given.back() == '.') {
    while (backslashes + 1 < given.size() && given[given.size() - 2 - backslashes] == '\\') {
      ++backslashes;
    }
  }
  const bool absolute = given.back() == '.' && backslashes % 2 == 0;
  if (!absolute && !origin.empty()) {
    wire.pop_back();
    wire += origin;
  }
  if (wire.size() > kNameMax) return fail("more than 255 octets");
  return wire;
}

std::string name_to_text(const Wire& name) {
  const Rdf rdf(ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, name.size(), name.data()));
  const std::unique_ptr<char, decltype(&std::free)> text(ldns_rdf2str(rdf.get()), &std::free);
  return text ? text.get() : std::string();
}

Wire lower_name(Wire name) {
  // Label lengths are at most 63 and never look like letters.
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return name;
}

bool is_at_or_below(const Wire& name, const Wire& ancestor) {
  std::size_t at = 0;
  while (name.size() - at > ancestor.size()) {
    const auto length = static_cast<unsigned char>(name[at]);
    if (length == 0) return false;
    at += 1U + length;
    if (at > name.size()) return false;
  }
  return name.size() - at == ancestor.size() && name.compare(at, ancestor.size(), ancestor) == 0;
}

std::optional<std::uint16_t> type_from_text(std::string_view text) {
  const std::string name = upper(text);
  std::uint16_t type = 0;
  if (name.starts_with("TYPE")) {
    const auto [end, error] = std::from_chars(name.data() + 4, name.data() + name.size(), type);
    if (error != std::errc() || end != name.data() + name.size() || name.size() == 4) {
      return std::nullopt;
    }
  } else {
    type = static_cast<std::uint16_t>(ldns_get_rr_type_by_name(name.c_str()));
  }
  if (is_meta_type(type)) return std::nullopt;
  return type;
}

std::string type_to_text(std::uint16_t type) {
  const std::unique_ptr<char, decltype(&std::free)> text(
      ldns_rr_type2str(static_cast<ldns_rr_type>(type)), &std::free);
  return text ? text.get() : "TYPE" + std::to_string(type);
}

base::Result<Wire> rdata_from_text(std::uint16_t type, std::string_view content,
                                   const Wire& origin) {
  if (content.find_first_of(std::string_view("\0\r\n", 3)) != std::string_view::npos) {
    return bad_rdata(type, content, "it must be one line without NUL");
  }
  // ldns would take what follows an unquoted ';' for a comment and silently drop it, and parentheses
  // for nothing, not even for a blank.
  std::string fields(content);
  bool quoted = false;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i] == '\\') {
      ++i;
    } else if (fields[i] == '"') {
      quoted = !quoted;
    } else if (quoted) {
      continue;
    } else if (fields[i] == ';') {
      return bad_rdata(type, content, "unquoted ';'");
    } else if (fields[i] == '(' || fields[i] == ')') {
      fields[i] = ' ';
    }
  }
  return rdata_from_fields(type, fields, origin);
}

base::Result<Wire> rdata_from_fields(std::uint16_t type, std::string_view fields,
                                     const Wire& origin) {
  Wire rdata;
  const char* fault = nullptr;
  if (is_generic_form(fields)) {
    fault = read_octets(type, fields, rdata);
  } else if (type == LDNS_RR_TYPE_IPSECKEY) {
    fault = read_ipseckey(fields, origin, rdata);
  } else {
    fault = read_by_ldns(type, fields, origin, rdata);
  }
  if (fault == nullptr && rdata.size() > kRdataMax) fault = "more than 65535 octets";
  if (fault != nullptr) return bad_rdata(type, fields, fault);
  return rdata;
}

base::Result<std::string> rdata_to_text(std::uint16_t type, const Wire& rdata) {
  auto text = fields_to_text(type, rdata);
  if (!text || is_plain_type(type)) return text;
  const auto again = rdata_from_fields(type, text.value(), {});
  return again && again.value() == rdata ? text : generic_text(rdata);
}

}  // namespace brink::dns::zone
