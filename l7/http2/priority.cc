#include "l7/http2/priority.h"

#include "l7/http/chars.h"

namespace brink::l7::http2 {
namespace {

// A member is key ["=" value] *(";" parameter); its first value is all that matters here.
bool take_member(std::string_view member, Priority& out) noexcept {
  member = http::trim_ows(member.substr(0, member.find(';')));
  const std::size_t equals = member.find('=');
  const std::string_view key = member.substr(0, equals);
  if (key.empty() || !http::all_of_class(key, http::kCharToken)) return false;
  const bool has_value = equals != std::string_view::npos;
  const std::string_view value =
      has_value ? http::text_from(member, equals + 1) : std::string_view{};
  if (has_value && value.empty()) return false;
  if (key == "u") {
    // Out of range or of another type: the default (RFC 9218 4).
    const bool fits = value.size() == 1 && value[0] >= '0' && value[0] <= '7';
    out.urgency = fits ? static_cast<std::uint8_t>(value[0] - '0') : Priority{}.urgency;
  } else if (key == "i") {
    out.incremental = !has_value || value == "?1";
  }
  return true;
}

}  // namespace

bool parse_priority(std::string_view text, Priority& out) noexcept {
  Priority found;
  text = http::trim_ows(text);
  while (!text.empty()) {
    if (!take_member(http::take_list_item(text), found)) return false;
  }
  out = found;
  return true;
}

}  // namespace brink::l7::http2
