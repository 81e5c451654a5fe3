#include "ctl/model/certificate.h"

namespace brink::ctl::model {
namespace {

constexpr std::string_view kMethods[] = {"ubiquitous", "optimal", "force"};

Refusal invalid_host(std::string message) {
  return {400, kCodeHostInvalid, std::move(message), {}};
}

}  // namespace

std::string_view to_text(BundleMethod method) {
  return kMethods[static_cast<std::size_t>(method)];
}

std::optional<BundleMethod> bundle_method_from_text(std::string_view text) {
  for (std::size_t i = 0; i < std::size(kMethods); ++i) {
    if (kMethods[i] == text) return static_cast<BundleMethod>(i);
  }
  return std::nullopt;
}

std::string key_context(const Id& certificate) {
  return "private key of certificate " + certificate.hex();
}

Outcome<std::string> host_within(std::string_view text, const DomainName& zone,
                                 bool may_be_wildcard) {
  const std::string shown(text);
  auto name = DomainName::parse(to_ascii(text));
  if (!name || name.value().is_root()) {
    return invalid_host("\"" + shown + "\" is not a host name.");
  }
  const std::string& host = name.value().text();
  const std::size_t wildcard = host.rfind('*');
  if (wildcard != std::string::npos &&
      (!may_be_wildcard || wildcard != 0 || !host.starts_with("*."))) {
    return invalid_host(may_be_wildcard
                            ? "\"" + shown + "\": a wildcard is the whole first label or nothing."
                            : "\"" + shown + "\": name the hosts one by one, without a wildcard.");
  }
  const DomainName& covered = host.starts_with("*.") ? name.value().parent() : name.value();
  if (!covered.is_within(zone)) {
    return invalid_host("\"" + shown + "\" does not lie in the zone " + zone.text() + ".");
  }
  return host;
}

std::optional<Refusal> edge_fault(const Certificate& certificate, const DomainName& zone) {
  if (certificate.hosts.empty()) {
    return invalid_host("The certificate names no host (subjectAltName has no DNS name).");
  }
  for (const std::string& host : certificate.hosts) {
    if (auto within = host_within(host, zone, true); !within) return within.error();
  }
  return std::nullopt;
}

Refusal invalid_certificate(std::string message) {
  return {400, kCodeCertificateInvalid, std::move(message), {}};
}

}  // namespace brink::ctl::model
