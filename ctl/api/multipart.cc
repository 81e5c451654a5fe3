#include "ctl/api/multipart.h"

#include <algorithm>
#include <cctype>

namespace brink::ctl::api {
namespace {

// The value of `name=` in a header's parameters, quoted or not.
std::string parameter(std::string_view header, std::string_view name) {
  std::string lower(header);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::size_t at = 0;
  const std::string wanted = std::string(name) + "=";
  while ((at = lower.find(wanted, at)) != std::string::npos) {
    const bool starts_here = at > 0 && (lower[at - 1] == ' ' || lower[at - 1] == ';');
    at += wanted.size();
    if (!starts_here) continue;
    std::string_view value = header.substr(at);
    if (value.starts_with('"')) {
      value.remove_prefix(1);
      return std::string(value.substr(0, value.find('"')));
    }
    return std::string(value.substr(0, value.find_first_of("; \r\n")));
  }
  return {};
}

}  // namespace

base::Result<std::map<std::string, std::string_view>> parse_multipart(std::string_view content_type,
                                                                      std::string_view body) {
  const auto broken = [](const std::string& what) {
    return base::Error{what, "request body", "send multipart/form-data with a field \"file\""};
  };
  const std::string boundary = parameter(content_type, "boundary");
  if (!content_type.starts_with("multipart/form-data") || boundary.empty()) {
    return broken("the content type is not multipart/form-data with a boundary");
  }
  const std::string delimiter = "--" + boundary;
  std::map<std::string, std::string_view> parts;
  std::size_t at = body.find(delimiter);
  if (at == std::string_view::npos) return broken("the boundary does not occur");
  for (;;) {
    at += delimiter.size();
    if (body.substr(at).starts_with("--")) return parts;
    const std::size_t headers_at = body.find("\r\n", at);
    const std::size_t headers_end = body.find("\r\n\r\n", at);
    if (headers_at == std::string_view::npos || headers_end == std::string_view::npos) {
      return broken("a part has no headers");
    }
    const std::size_t value_at = headers_end + 4;
    const std::size_t end = body.find("\r\n" + delimiter, value_at);
    if (end == std::string_view::npos) return broken("a part is not closed by the boundary");
    const std::string name = parameter(body.substr(headers_at, headers_end - headers_at), "name");
    parts[name] = body.substr(value_at, end - value_at);
    at = end + 2;
  }
}

}  // namespace brink::ctl::api
