#include "ctl/model/rdata.h"

#include <algorithm>

#include "dns/zone/text.h"

namespace brink::ctl::model {
namespace {

namespace zone = dns::zone;

zone::Wire to_wire(std::span<const std::uint8_t> octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
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

}  // namespace brink::ctl::model
