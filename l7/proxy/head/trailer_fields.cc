#include "l7/proxy/head/trailer_fields.h"

#include <algorithm>

#include "l7/http/chars.h"
#include "l7/proxy/head/forwarded_head.h"

namespace brink::l7::proxy {
namespace {

constexpr std::string_view kForbidden[] = {
    "age",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "expect",
    "expires",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "location",
    "max-forwards",
    "pragma",
    "range",
    "retry-after",
    "set-cookie",
    "strict-transport-security",
    "vary",
    "warning",
    "www-authenticate",
    "x-content-type-options",
};

std::string_view without_space(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool may_be_trailer(const http::Field& field, std::string_view name) noexcept {
  if ((field.flags & http::kFieldHopByHop) != 0 || is_edge_owned(field, name)) return false;
  return std::none_of(std::begin(kForbidden), std::end(kForbidden), [name](std::string_view other) {
    return http::equals_ignoring_case(name, other);
  });
}

bool takes_trailers(const http::Fields& fields) noexcept {
  for (const http::Field& field : fields) {
    if (field.id != http::FieldName::te) continue;
    std::string_view rest = fields.value(field);
    while (!rest.empty()) {
      const std::string_view member = rest.substr(0, rest.find(','));
      if (http::equals_ignoring_case(without_space(member), "trailers")) return true;
      rest.remove_prefix(std::min(rest.size(), member.size() + 1));
    }
  }
  return false;
}

}  // namespace brink::l7::proxy
