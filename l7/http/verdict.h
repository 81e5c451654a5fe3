// Verdict: what a codec says about a peer's message. Every refusal has its own name, so that a
// counter or a test can tell them apart; status_of gives the answer the client gets. What is 400 is
// what HTTP/2 and HTTP/3 call malformed: there the stream is reset instead.
#pragma once

#include <cstdint>
#include <string_view>

namespace brink::l7::http {

enum class Verdict : std::uint8_t {
  ok,
  incomplete,  // well-formed so far, more bytes are needed
  bad_request_line,
  bad_status_line,
  bad_target,
  target_too_long,
  method_not_implemented,
  bad_version,
  version_not_supported,
  head_too_large,
  too_many_fields,
  bad_field_name,
  bad_field_value,
  obs_fold,
  bare_cr_or_lf,
  host_missing,
  host_duplicate,
  host_invalid,
  host_mismatch,
  length_invalid,
  length_duplicate,
  length_and_coding,
  coding_invalid,
  coding_not_implemented,
  coding_on_http_1_0,
  connection_invalid,
  expectation_failed,
  // HTTP/2 and HTTP/3 alone.
  pseudo_field_unknown,
  pseudo_field_duplicate,
  pseudo_field_missing,
  pseudo_field_misplaced,  // behind a regular field, or in trailers
  method_invalid,
  scheme_invalid,
  connection_field,  // a field that belongs to a connection, RFC 9113 8.2.2
  status_invalid,
  length_mismatch,  // another number of body bytes than Content-Length announced
  body_unexpected,  // where there is none: 204, 304, HEAD, before the head
  trailers_not_last,
  too_many_interim,
};
inline constexpr std::size_t kVerdictCount =
    static_cast<std::size_t>(Verdict::too_many_interim) + 1;

// The status of the edge's answer to a request with that verdict; 0 for ok and incomplete. A
// response with any refusal is answered 520 whatever the verdict.
std::uint16_t status_of(Verdict verdict) noexcept;

// The enumerator's name, for counters and test output.
std::string_view name_of(Verdict verdict) noexcept;

}  // namespace brink::l7::http
