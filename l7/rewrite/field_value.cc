#include "l7/rewrite/field_value.h"

#include "l7/http/chars.h"

namespace brink::l7::rewrite {
namespace {

using enum route::RuleField;

constexpr ClientCertificate kNoCertificate;

std::string_view version_text(http::Version version) noexcept {
  switch (version) {
    case http::Version::http_1_0:
      return "HTTP/1.0";
    case http::Version::http_1_1:
      return "HTTP/1.1";
    case http::Version::http_2:
      return "HTTP/2";
    case http::Version::http_3:
      return "HTTP/3";
  }
  return {};
}

std::string_view full_uri(const Facts& facts, TextArena& arena) noexcept {
  const std::string_view scheme = facts.is_tls ? "https://" : "http://";
  return arena.join(arena.join(scheme, facts.host), facts.target);
}

}  // namespace

Value field_value(route::RuleField field, const Facts& facts, TextArena& arena) noexcept {
  const ClientCertificate& certificate =
      facts.certificate == nullptr ? kNoCertificate : *facts.certificate;
  const std::size_t mark = facts.target.find('?');
  const bool has_query = mark != std::string_view::npos;
  switch (field) {
    case kCertChainRfc9440:
      return Value::of_text(certificate.chain_rfc9440);
    case kCertChainRfc9440TooLarge:
      return Value::of_flag(certificate.is_chain_rfc9440_too_large);
    case kCertFingerprintSha1:
      return Value::of_text(certificate.sha1);
    case kCertFingerprintSha256:
      return Value::of_text(certificate.sha256);
    case kCertIssuerDn:
      return Value::of_text(certificate.issuer_dn);
    case kCertIssuerSerial:
      return Value::of_text(certificate.issuer_serial);
    case kCertIssuerSki:
      return Value::of_text(certificate.issuer_key_id);
    case kCertNotAfter:
      return Value::of_text(certificate.not_after);
    case kCertNotBefore:
      return Value::of_text(certificate.not_before);
    case kCertPresented:
      return Value::of_flag(certificate.is_presented);
    case kCertRevoked:
      return Value::of_flag(certificate.is_revoked);
    case kCertRfc9440:
      return Value::of_text(certificate.rfc9440);
    case kCertRfc9440TooLarge:
      return Value::of_flag(certificate.is_rfc9440_too_large);
    case kCertSerial:
      return Value::of_text(certificate.serial);
    case kCertSki:
      return Value::of_text(certificate.key_id);
    case kCertSubjectDn:
      return Value::of_text(certificate.subject_dn);
    case kCertVerified:
      return Value::of_flag(certificate.is_verified);
    case kHost:
      return Value::of_text(facts.host);
    case kFullUri:
      return Value::of_text(full_uri(facts, arena));
    case kMethod:
      return Value::of_text(facts.method);
    case kUri:
      return Value::of_text(facts.target);
    case kPath:
      return Value::of_text(
          std::string_view(facts.target.data(), has_query ? mark : facts.target.size()));
    case kQuery:
      return Value::of_text(has_query ? http::text_from(facts.target, mark + 1)
                                      : std::string_view());
    case kVersion:
      return Value::of_text(version_text(facts.version));
    case kResponseCode:
      return Value::of_number(facts.status);
    case kUserAgent:
      return Value::of_text(facts.user_agent);
    case kClientAddress:
      return Value::of_address(facts.client.bytes());
    case kClientCountry:
      return Value::of_text(facts.country.view());
    case kTls:
      return Value::of_flag(facts.is_tls);
  }
  return Value::of_flag(false);
}

}  // namespace brink::l7::rewrite
