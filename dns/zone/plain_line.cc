#include "dns/zone/plain_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "dataplane/base/ip.h"

namespace brink::dns::zone {
namespace {

constexpr std::size_t kLabelMax = 63, kNameMax = 255;  // RFC 1035 2.3.4
constexpr std::size_t kTtlDigitsMax = 9;               // less than 2^31, RFC 2181 8

constexpr std::array<bool, 256> make_name_characters() {
  std::array<bool, 256> allowed{};
  for (const char c :
       std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_*.")) {
    allowed[static_cast<unsigned char>(c)] = true;
  }
  return allowed;
}
constexpr std::array<bool, 256> kNameCharacters = make_name_characters();

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// Takes the field that `line` starts with, and the blanks behind it.
std::string_view take_field(std::string_view& line) {
  std::size_t end = 0;
  while (end < line.size() && !is_blank(line[end])) ++end;
  const std::string_view field = line.substr(0, end);
  while (end < line.size() && is_blank(line[end])) ++end;
  line.remove_prefix(end);
  return field;
}

bool read_name(std::string_view text, std::string_view origin, Wire& name) {
  name.assign(1, '\0');
  std::size_t length_at = 0;
  bool is_absolute = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!kNameCharacters[static_cast<unsigned char>(text[at])]) return false;
    if (text[at] != '.') {
      name += text[at];
      continue;
    }
    const std::size_t length = name.size() - length_at - 1;
    if (length == 0 || length > kLabelMax) return false;
    name[length_at] = static_cast<char>(length);
    length_at = name.size();
    name += '\0';
    is_absolute = at + 1 == text.size();
  }
  if (!is_absolute) {
    const std::size_t length = name.size() - length_at - 1;
    if (length == 0 || length > kLabelMax) return false;
    name[length_at] = static_cast<char>(length);
    name += origin;
  }
  return name.size() <= kNameMax;
}

std::optional<std::uint16_t> plain_type(std::string_view text) {
  if (text == "A") return kTypeA;
  if (text == "AAAA") return kTypeAaaa;
  if (text == "NS") return kTypeNs;
  if (text == "CNAME") return kTypeCname;
  if (text == "PTR") return kTypePtr;
  return std::nullopt;
}

bool read_ttl(std::string_view text, std::uint32_t& ttl) {
  if (text.size() > kTtlDigitsMax) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ttl);
  return error == std::errc() && end == text.data() + text.size();
}

// The type's own form alone: ldns does not take the one for the other.
bool read_address(std::string_view text, bool v4, Wire& rdata) {
  const bool has_colon = text.find(':') != std::string_view::npos;
  const auto address = base::IpAddress::parse(text);
  if (!address || v4 == has_colon) return false;
  const auto* octets = v4 ? address->v4_wire() : address->bytes().data();
  rdata.assign(reinterpret_cast<const char*>(octets), v4 ? 4 : 16);
  return true;
}

}  // namespace

bool read_plain_line(std::string_view line, std::string_view origin, ResourceRecord& record) {
  const std::string_view owner = take_field(line);
  if (owner.empty() || !read_ttl(take_field(line), record.ttl)) return false;
  std::string_view field = take_field(line);
  if (field == "IN") field = take_field(line);
  const std::optional<std::uint16_t> type = plain_type(field);
  if (!type) return false;
  record.type = *type;
  const std::string_view data = take_field(line);
  const bool is_address = *type == kTypeA || *type == kTypeAaaa;
  if (!(is_address ? read_address(data, *type == kTypeA, record.rdata)
                   : read_name(data, origin, record.rdata))) {
    return false;
  }
  if (!line.empty() && line.front() != ';') return false;
  return read_name(owner, origin, record.owner);
}

}  // namespace brink::dns::zone
