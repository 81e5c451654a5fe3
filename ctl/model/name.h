// DomainName: an absolute domain name in the one form the control side stores and compares.
// Text is lower-case presentation format without the final dot (RFC 1035 5.1 escapes where needed);
// two equal names have equal text. Non-ASCII names are expected in Punycode (RFC 5890).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/model/refusal.h"

namespace brink::ctl::model {

class DomainName {
 public:
  DomainName() = default;  // the root

  // `text` is absolute with or without its final dot. Refuses empty labels, labels over 63 and
  // names over 253 octets of text, and non-ASCII.
  static Outcome<DomainName> parse(std::string_view text);
  // `wire` is one whole uncompressed name, RFC 1035 3.1.
  static std::optional<DomainName> from_wire(std::span<const std::uint8_t> wire);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool is_root() const { return text_.empty(); }
  [[nodiscard]] bool is_wildcard() const { return text_ == "*" || text_.starts_with("*."); }
  [[nodiscard]] std::vector<std::uint8_t> wire() const;
  // This name or one below `ancestor`.
  [[nodiscard]] bool is_within(const DomainName& ancestor) const;
  // Without its first label; the root's parent is the root.
  [[nodiscard]] DomainName parent() const;

  auto operator<=>(const DomainName&) const = default;

 private:
  std::string text_;
};

// Characters of the first label of a name's text, without the dot behind it.
std::size_t first_label_size(std::string_view text);

// A name as a person writes it: non-ASCII labels become Punycode (RFC 5891). What cannot be one
// stays as it is, for DomainName::parse to refuse.
std::string to_ascii(std::string_view text);

// The owner name a user wrote, in zone `zone`: `@` or empty is the zone's apex, a name that ends in
// the zone's name or in a dot is absolute, any other is relative to the zone. Must lie in the zone.
Outcome<DomainName> owner_name(std::string_view text, const DomainName& zone);

}  // namespace brink::ctl::model
