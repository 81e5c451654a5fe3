#include "l7/render/rule_fields.h"

#include <array>

namespace brink::l7::render {
namespace {

using enum route::RuleType;

constexpr std::array<RuleFieldInfo, route::kRuleFieldCount> kFields = {{
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
    {"http.response.code", kNumber},
    {"http.user_agent", kText},
    {"ip.src", kAddress},
    {"ssl", kFlag},
    {"ip.src.country", kText},
}};

}  // namespace

const RuleFieldInfo& info_of(route::RuleField field) {
  return kFields[static_cast<std::size_t>(field)];
}

std::optional<route::RuleField> find_rule_field(std::string_view name) {
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    if (kFields[i].name == name) return static_cast<route::RuleField>(i);
  }
  return {};
}

}  // namespace brink::l7::render
