#include "l7/compress/media_type.h"

#include <algorithm>
#include <array>

#include "l7/http/chars.h"

namespace brink::l7::compress {
namespace {

constexpr std::size_t kTypeMax = 64;  // longer types are none of these

// Beside text/* and the suffixes below. In order, for the search.
constexpr std::array<std::string_view, 33> kTypes = {
    "application/eot",
    "application/font",
    "application/font-sfnt",
    "application/font-woff",
    "application/graphql",
    "application/javascript",
    "application/javascript-binast",
    "application/json",
    "application/opentype",
    "application/otf",
    "application/truetype",
    "application/ttf",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-httpd-cgi",
    "application/x-javascript",
    "application/x-ndjson",
    "application/x-opentype",
    "application/x-otf",
    "application/x-perl",
    "application/x-protobuf",
    "application/x-ttf",
    "application/xml",
    "font/collection",
    "font/otf",
    "font/sfnt",
    "font/ttf",
    "font/x-woff",
    "image/bmp",
    "image/vnd.microsoft.icon",
    "image/x-icon",
    "multipart/bag",
    "multipart/mixed",
};
static_assert(std::is_sorted(kTypes.begin(), kTypes.end()));

// Structured syntax suffixes (RFC 6839): application/ld+json, image/svg+xml, ...
bool has_text_suffix(std::string_view type) noexcept {
  return type.ends_with("+json") || type.ends_with("+xml");
}

}  // namespace

bool is_compressible(std::string_view content_type) noexcept {
  const std::string_view given = http::trim_ows(content_type.substr(0, content_type.find(';')));
  if (given.size() > kTypeMax) return false;
  std::array<char, kTypeMax> lower;
  std::transform(given.begin(), given.end(), lower.begin(), http::to_lower);
  const std::string_view type(lower.data(), given.size());
  if (type.starts_with("text/")) return type.size() > 5 && type != "text/event-stream";
  return has_text_suffix(type) || std::binary_search(kTypes.begin(), kTypes.end(), type);
}

}  // namespace brink::l7::compress
