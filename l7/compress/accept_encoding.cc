#include "l7/compress/accept_encoding.h"

#include <algorithm>
#include <string_view>

#include "l7/http/chars.h"

namespace brink::l7::compress {
namespace {

constexpr std::uint16_t kWeightMax = 1000;
constexpr std::uint16_t kUnlisted = 0xffff;
constexpr std::size_t kStar = kCodingCount;

// qvalue, RFC 9110 12.4.2: 0 or 1 with up to three decimals. 0 for all else.
std::uint16_t read_weight(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 0;
  if (text.size() > 1 && text[1] != '.') return 0;
  unsigned weight = text[0] == '1' ? kWeightMax : 0;
  unsigned place = 100;
  for (std::size_t i = 2; i < text.size(); ++i, place /= 10) {
    if (text[i] < '0' || text[i] > '9') return 0;
    weight += static_cast<unsigned>(text[i] - '0') * place;
  }
  return weight > kWeightMax ? 0 : static_cast<std::uint16_t>(weight);
}

// The weight among an element's parameters; 1 when there is none.
std::uint16_t weight_of(std::string_view parameters) noexcept {
  while (!parameters.empty()) {
    const std::size_t semicolon = parameters.find(';');
    const std::string_view one = http::trim_ows(parameters.substr(0, semicolon));
    if (one.size() >= 2 && http::to_lower(one[0]) == 'q' && one[1] == '=') {
      return read_weight(http::text_from(one, 2));
    }
    if (semicolon == std::string_view::npos) break;
    parameters = http::text_from(parameters, semicolon + 1);
  }
  return kWeightMax;
}

using Listed = std::array<std::uint16_t, kCodingCount + 1>;

void read_item(std::string_view item, Listed& listed) noexcept {
  const std::size_t semicolon = item.find(';');
  const std::string_view name = http::trim_ows(item.substr(0, semicolon));
  std::size_t at = kStar;
  if (name != "*") {
    Coding coding;
    if (!read_coding(name, coding)) return;
    at = static_cast<std::size_t>(coding);
  }
  const std::uint16_t weight = semicolon == std::string_view::npos
                                   ? kWeightMax
                                   : weight_of(http::text_from(item, semicolon + 1));
  listed[at] = std::min(listed[at], weight);  // kUnlisted is greater than all
}

}  // namespace

bool read_coding(std::string_view name, Coding& out) noexcept {
  if (http::equals_ignoring_case(name, "gzip") || http::equals_ignoring_case(name, "x-gzip")) {
    out = Coding::gzip;
  } else if (http::equals_ignoring_case(name, "br")) {
    out = Coding::br;
  } else if (http::equals_ignoring_case(name, "zstd")) {
    out = Coding::zstd;
  } else if (http::equals_ignoring_case(name, "identity")) {
    out = Coding::identity;
  } else {
    return false;
  }
  return true;
}

Accepted read_accept_encoding(const http::Fields& fields) noexcept {
  Listed listed;
  listed.fill(kUnlisted);
  for (const http::Field& field : fields) {
    if (field.id != http::FieldName::accept_encoding) continue;
    std::string_view list = fields.value(field);
    while (!list.empty()) read_item(http::take_list_item(list), listed);
  }
  for (const Coding coding : {Coding::gzip, Coding::identity}) {
    std::uint16_t& weight = listed[static_cast<std::size_t>(coding)];
    if (weight == kUnlisted) weight = listed[kStar];
  }
  Accepted out;
  for (std::size_t i = 0; i < kCodingCount; ++i) {
    if (listed[i] != kUnlisted) out.weight[i] = listed[i];
  }
  out.identity_listed = listed[0] != kUnlisted;
  return out;
}

Coding choose(const Accepted& accepted, unsigned offered) noexcept {
  Coding best = Coding::identity;
  std::uint16_t weight = 0;
  for (const Coding coding : {Coding::zstd, Coding::br, Coding::gzip}) {
    const std::uint16_t own = accepted.weight[static_cast<std::size_t>(coding)];
    if ((offered & bit_of(coding)) == 0 || own <= weight) continue;
    best = coding;
    weight = own;
  }
  const bool prefers_identity = accepted.identity_listed && accepted.weight[0] > weight;
  return prefers_identity ? Coding::identity : best;
}

}  // namespace brink::l7::compress
