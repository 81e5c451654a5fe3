#include "ctl/rules/field.h"

#include <algorithm>

namespace brink::ctl::rules {
namespace {

using enum Type;

constexpr Field kFields[] = {
    {"cf.tls_client_auth.cert_chain_rfc9440", kText},
    {"cf.tls_client_auth.cert_chain_rfc9440_too_large", kFlag},
    {"cf.tls_client_auth.cert_fingerprint_sha1", kText},
    {"cf.tls_client_auth.cert_fingerprint_sha256", kText},
    {"cf.tls_client_auth.cert_issuer_dn", kText},
    {"cf.tls_client_auth.cert_issuer_serial", kText},
    {"cf.tls_client_auth.cert_issuer_ski", kText},
    {"cf.tls_client_auth.cert_not_after", kText},
    {"cf.tls_client_auth.cert_not_before", kText},
    {"cf.tls_client_auth.cert_presented", kFlag},
    {"cf.tls_client_auth.cert_revoked", kFlag},
    {"cf.tls_client_auth.cert_rfc9440", kText},
    {"cf.tls_client_auth.cert_rfc9440_too_large", kFlag},
    {"cf.tls_client_auth.cert_serial", kText},
    {"cf.tls_client_auth.cert_ski", kText},
    {"cf.tls_client_auth.cert_subject_dn", kText},
    {"cf.tls_client_auth.cert_verified", kFlag},
    {"http.host", kText},
    {"http.request.full_uri", kText},
    {"http.request.method", kText},
    {"http.request.uri", kText},
    {"http.request.uri.path", kText},
    {"http.request.uri.query", kText},
    {"http.request.version", kText},
    {"http.response.code", kNumber, Stage::kResponse},
    {"http.user_agent", kText},
    {"ip.src", kAddress},
    {"ip.src.country", kText},
    {"ssl", kFlag},
};

constexpr bool is_sorted() {
  for (std::size_t i = 1; i < std::size(kFields); ++i) {
    if (!(kFields[i - 1].name < kFields[i].name)) return false;
  }
  return true;
}
static_assert(is_sorted());

}  // namespace

std::string_view to_text(Type type) {
  switch (type) {
    case kText:
      return "a string";
    case kNumber:
      return "a number";
    case kFlag:
      return "true or false";
    case kAddress:
      return "an address";
  }
  return "";
}

std::span<const Field> fields() {
  return kFields;
}

const Field* find_field(std::string_view name) {
  const auto found = std::lower_bound(
      std::begin(kFields), std::end(kFields), name,
      [](const Field& field, std::string_view wanted) { return field.name < wanted; });
  return found != std::end(kFields) && found->name == name ? found : nullptr;
}

}  // namespace brink::ctl::rules
