// Which hosts a certificate is for. Cold; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace brink::tls {

// The DNS names (subjectAltName) of the first of these certificates (DER), in lower case; empty: it
// has none, or is no certificate.
std::vector<std::string> certificate_names(std::span<const std::uint8_t> chain);

// Whether one of the names is the host's (lower case, no final dot), or a wildcard's of its one
// label more (RFC 6125 6.4.3).
bool names_cover(const std::vector<std::string>& names, std::string_view host) noexcept;

}  // namespace brink::tls
