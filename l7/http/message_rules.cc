#include "l7/http/message_rules.h"

#include "l7/http/chars.h"

namespace brink::l7::http {
namespace {

constexpr std::size_t kLengthDigitsMax = 18;

}  // namespace

bool parse_content_length(std::string_view text, std::uint64_t& out) noexcept {
  if (text.empty() || text.size() > kLengthDigitsMax) return false;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  out = value;
  return true;
}

Verdict read_host(const Authority& named, std::uint16_t default_port, RequestHead& out) noexcept {
  const Field* host = nullptr;
  for (const Field& field : out.fields) {
    if (field.id != FieldName::host) continue;
    if (host != nullptr) return Verdict::host_duplicate;
    host = &field;
  }
  if (host == nullptr) {
    const bool may_lack = out.version == Version::http_1_0;
    const bool in_target = out.version >= Version::http_2 && named.kind != HostKind::absent;
    if (!may_lack && !in_target) return Verdict::host_missing;
    out.authority = named;
    return Verdict::ok;
  }
  if (!parse_authority(out.fields.value(*host), out.authority)) return Verdict::host_invalid;
  if (named.kind != HostKind::absent && !same_authority(named, out.authority, default_port)) {
    return Verdict::host_mismatch;
  }
  return Verdict::ok;
}

Verdict read_expect(RequestHead& out) noexcept {
  out.expect_continue = false;
  for (Field& field : out.fields) {
    if (field.id != FieldName::expect) continue;
    if (out.version == Version::http_1_0) {
      // RFC 9110 10.1.1: ignored. It must not go on either, since we forward as HTTP/1.1.
      field.flags |= kFieldHopByHop;
      continue;
    }
    if (!equals_ignoring_case(out.fields.value(field), "100-continue")) {
      return Verdict::expectation_failed;
    }
    out.expect_continue = true;
  }
  return Verdict::ok;
}

}  // namespace brink::l7::http
