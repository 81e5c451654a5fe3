#include "l7/http/field_name.h"

#include <array>

#include "l7/http/chars.h"

namespace brink::l7::http {
namespace {

constexpr std::array<std::string_view, kFieldNameCount> kTexts = {
    "",
    "Accept-Encoding",
    "Cache-Tag",
    "CDN-Loop",
    "CF-Cache-Status",
    "Cf-Client-Cert-Der-Base64",
    "Cf-Client-Cert-Sha256",
    "CF-Connecting-IP",
    "CF-Connecting-IPv6",
    "cf-error-origin",
    "cf-error-type",
    "CF-EW-Via",
    "CF-IPCountry",
    "CF-Pseudo-IPv4",
    "CF-Ray",
    "CF-Visitor",
    "CF-Worker",
    "Client-Cert",
    "Client-Cert-Chain",
    "Cloudflare-CDN-Cache-Control",
    "Connection",
    "Content-Length",
    "Date",
    "Expect",
    "Host",
    "Keep-Alive",
    "Location",
    "Proxy-Authenticate",
    "Proxy-Authentication-Info",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Referer",
    "Sec-WebSocket-Accept",
    "Server",
    "Set-Cookie",
    "Strict-Transport-Security",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "True-Client-IP",
    "Upgrade",
    "User-Agent",
    "X-Accel-Buffering",
    "X-Accel-Charset",
    "X-Accel-Limit-Rate",
    "X-Accel-Redirect",
    "X-Content-Type-Options",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Real-IP",
};

// A small open-addressed table over (size, first letter, last letter), built at compile time. Slots
// is large enough for every name to sit within kProbeMax of its home; the builder proves it.
constexpr std::size_t kSlots = 256;
constexpr std::size_t kProbeMax = 4;

constexpr std::size_t home_slot(std::size_t size, char first, char last) {
  const auto f = static_cast<unsigned char>(first | 0x20);
  const auto l = static_cast<unsigned char>(last | 0x20);
  return (size * 31 + f * 7 + l * 57) % kSlots;
}

struct SlotTable {
  std::array<std::uint8_t, kSlots> slots{};
  bool complete = true;
};

consteval SlotTable make_slots() {
  SlotTable table;
  for (std::size_t i = 1; i < kTexts.size(); ++i) {
    const std::string_view text = kTexts[i];
    const std::size_t home = home_slot(text.size(), text.front(), text.back());
    bool placed = false;
    for (std::size_t probe = 0; probe < kProbeMax && !placed; ++probe) {
      std::uint8_t& slot = table.slots[(home + probe) % kSlots];
      if (slot == 0) {
        slot = static_cast<std::uint8_t>(i);
        placed = true;
      }
    }
    table.complete &= placed;
  }
  return table;
}

constexpr SlotTable kSlotTable = make_slots();
static_assert(kSlotTable.complete, "a name found no slot: raise kSlots or kProbeMax");

bool same_name(std::string_view name, std::string_view canonical, bool merge_underscore) noexcept {
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = merge_underscore && name[i] == '_' ? '-' : to_lower(name[i]);
    if (c != to_lower(canonical[i])) return false;
  }
  return true;
}

FieldName find(std::string_view name, bool merge_underscore) noexcept {
  if (name.size() < 2) return FieldName::other;
  const std::size_t home = home_slot(name.size(), name.front(), name.back());
  for (std::size_t probe = 0; probe < kProbeMax; ++probe) {
    const std::uint8_t id = kSlotTable.slots[(home + probe) % kSlots];
    if (id == 0) return FieldName::other;
    if (kTexts[id].size() == name.size() && same_name(name, kTexts[id], merge_underscore)) {
      return static_cast<FieldName>(id);
    }
  }
  return FieldName::other;
}

}  // namespace

FieldName field_name_of(std::string_view name) noexcept {
  return find(name, false);
}

FieldName field_name_of_cgi_alias(std::string_view name) noexcept {
  return find(name, true);
}

std::string_view text_of(FieldName name) noexcept {
  return kTexts[static_cast<std::size_t>(name)];
}

}  // namespace brink::l7::http
