// Method: request methods with the properties a proxy needs (RFC 9110 9). Unknown methods are legal
// tokens and are forwarded as text.
#pragma once

#include <cstdint>
#include <string_view>

namespace brink::l7::http {

enum class Method : std::uint8_t {
  other,
  get,
  head,
  post,
  put,
  delete_,
  connect,
  options,
  trace,
  patch,
};

// Methods are case-sensitive (RFC 9110 9.1): "get" is Method::other.
Method method_of(std::string_view text) noexcept;

// May be sent a second time without changing the outcome (RFC 9110 9.2.2); false for unknown ones.
bool is_idempotent(Method method) noexcept;

}  // namespace brink::l7::http
