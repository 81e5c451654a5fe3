// The rules about single fields that hold in every HTTP version. What two readers could understand
// differently is refused, not repaired.
#pragma once

#include <cstdint>
#include <string_view>

#include "l7/http/head.h"
#include "l7/http/verdict.h"

namespace brink::l7::http {

// Content-Length: 1*DIGIT, at most 18 digits: no sign, space, list, hexadecimal or empty value.
bool parse_content_length(std::string_view text, std::uint64_t& out) noexcept;

// Sets out.authority. RFC 9110 7.2: at most one Host, and the same as `named` when the target
// (HTTP/1 absolute-form) or :authority names one too; `named.kind` is absent otherwise. None of
// both is allowed in HTTP/1.0 alone.
Verdict read_host(const Authority& named, std::uint16_t default_port, RequestHead& out) noexcept;

// Sets out.expect_continue; an expectation other than 100-continue is refused (RFC 9110 10.1.1).
Verdict read_expect(RequestHead& out) noexcept;

}  // namespace brink::l7::http
