#include "ctl/model/rdata.h"

#include <algorithm>

#include "dns/zone/text.h"

namespace brink::ctl::model {
namespace {

namespace zone = dns::zone;

zone::Wire to_wire(std::span<const std::uint8_t> octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

// Octets before the host name in the data of a type; empty: it holds none, or is compared as it is.
std::optional<std::size_t> host_offset(RecordType type) {
  switch (type) {
    case kTypeNs:
    case kTypeCname:
    case kTypePtr:
    case kTypeDname:
      return 0;
    case kTypeMx:
      return 2;
    case kTypeSrv:
      return 6;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<RecordType> type_from_text(std::string_view text) {
  return zone::type_from_text(text);
}

std::string type_to_text(RecordType type) {
  return zone::type_to_text(type);
}

base::Result<Rdata> rdata_from_text(RecordType type, std::string_view text,
                                    const DomainName& origin) {
  auto wire = zone::rdata_from_text(type, text, to_wire(origin.wire()));
  if (!wire) return wire.error();
  return Rdata(wire.value().begin(), wire.value().end());
}

std::string generic_text(std::span<const std::uint8_t> rdata) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "\\# " + std::to_string(rdata.size()) + " ";
  for (const std::uint8_t byte : rdata) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string rdata_to_text(RecordType type, std::span<const std::uint8_t> rdata) {
  auto text = zone::rdata_to_text(type, to_wire(rdata));
  return text ? std::move(text).value() : generic_text(rdata);
}

bool is_same_data(RecordType type, std::span<const std::uint8_t> a,
                  std::span<const std::uint8_t> b) {
  // Lengths of labels are at most 63 and never look like letters.
  const auto lower = [](std::uint8_t octet) {
    return octet >= 'A' && octet <= 'Z' ? static_cast<std::uint8_t>(octet + ('a' - 'A')) : octet;
  };
  if (a.size() != b.size()) return false;
  const std::size_t fixed = std::min(host_offset(type).value_or(a.size()), a.size());
  return std::ranges::equal(a.first(fixed), b.first(fixed)) &&
         std::ranges::equal(a.subspan(fixed), b.subspan(fixed), {}, lower, lower);
}

}  // namespace brink::ctl::model
