#include "ctl/compile/table_compiler.h"

#include <algorithm>
#include <array>

#include "ctl/certificate/key_kind.h"
#include "ctl/compile/rules_compiler.h"
#include "ctl/model/proxy_settings.h"
#include "ctl/store/account_certificates.h"
#include "ctl/store/certificate_forwards.h"
#include "ctl/store/client_certificates.h"
#include "ctl/store/ocsp_responses.h"
#include "ctl/store/rulesets.h"
#include "ctl/store/zone_certificates.h"
#include "ctl/store/zone_tables.h"
#include "dataplane/secret/pem.h"

namespace brink::ctl::compile {
namespace {

using l7::route::EntryId;
using l7::route::TableGroup;
using l7::route::TableKey;
using model::CertificatePurpose;
using model::Zone;
using model::ZoneCertificate;

constexpr std::int64_t kMicrosPerSecond = 1'000'000;

std::string text_of(const TableKey& key) {
  const auto octets = key.octets();
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

std::span<const std::uint8_t> octets_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// The zone's own pages, absent ones included.
std::array<std::pair<l7::route::PageKind, const std::string*>, l7::route::kPageKinds> pages_of(
    const model::ProxySettings& settings) {
  return {{{l7::route::PageKind::kServer, &settings.error_page_5xx},
           {l7::route::PageKind::kRefusal, &settings.error_page_1xxx}}};
}

bool wants(std::string_view prefix, TableGroup group) {
  return prefix.empty() || prefix[0] == static_cast<char>(group);
}

base::Error bad_certificate(const Zone& zone, const model::Id& id, const char* what) {
  return {std::string("the certificate ") + what, "zone " + zone.name.text() + ", certificate " +
          id.hex(), "upload it again"};
}

base::Result<secret::PemBlocks> blocks_of(const Zone& zone, const model::Id& id,
                                          const std::string& pem) {
  auto blocks = secret::decode_pem(pem);
  if (!blocks) return bad_certificate(zone, id, "is no PEM");
  return *std::move(blocks);
}

base::Result<l7::route::KeyKind> kind_of(const Zone& zone, const model::Id& id,
                                         std::span<const std::uint8_t> der) {
  const auto kind = certificate::key_kind_of(der);
  if (!kind) return bad_certificate(zone, id, "has a key of an unknown kind");
  switch (*kind) {
    case certificate::KeyKind::kEcdsa:
      return l7::route::KeyKind::kEcdsa;
    case certificate::KeyKind::kRsa:
      return l7::route::KeyKind::kRsa;
    case certificate::KeyKind::kEd25519:
      return l7::route::KeyKind::kEd25519;
  }
  return bad_certificate(zone, id, "has a key of an unknown kind");
}

// `stapling`: what is known of the certificate; of another that it has taken the place of, nothing
// is shown.
base::Result<l7::render::Bytes> render(const Zone& zone, const ZoneCertificate& stored,
                                       const std::optional<model::Stapling>& stapling) {
  const auto blocks = blocks_of(zone, stored.id, stored.certificate.pem);
  if (!blocks) return blocks.error();
  const auto kind = kind_of(zone, stored.id, blocks.value().octets);
  if (!kind) return kind.error();
  if (blocks.value().count > l7::route::kChainMax || stored.sealed_key.empty() ||
      stored.sealed_key.size() > 0xffff) {
    return bad_certificate(zone, stored.id, "has too long a chain, or no key");
  }
  l7::render::CertificateSpec spec;
  spec.id = stored.id.bytes;
  spec.key_kind = kind.value();
  spec.not_before_s = stored.certificate.not_before.micros / kMicrosPerSecond;
  spec.not_after_s = stored.certificate.expires_on.micros / kMicrosPerSecond;
  spec.chain_count = blocks.value().count;
  spec.chain = blocks.value().octets;
  spec.sealed_key = stored.sealed_key;
  if (stapling && stapling->fingerprint == stored.certificate.fingerprint) {
    spec.ocsp = stapling->response;
    spec.ocsp_until_s = stapling->next_update_s;
  }
  spec.key_context = model::key_context(stored.id);
  return l7::render::render_certificate(spec);
}

// "*." and what is behind the first label; empty: there is nothing.
std::string wildcard_of(const std::string& host) {
  const std::size_t dot = host.find('.');
  return dot == std::string::npos || host.starts_with("*.") ? "" : "*" + host.substr(dot);
}

// What is said of the host, or of the wildcard that covers it.
bool said_of(const std::map<std::string, bool>& forwards, const std::string& host) {
  auto said = forwards.find(host);
  if (said == forwards.end()) said = forwards.find(wildcard_of(host));
  return said != forwards.end() && said->second;
}

bool names(const model::Certificate& certificate, const std::string& host) {
  return !host.empty() && std::find(certificate.hosts.begin(), certificate.hosts.end(), host) !=
                              certificate.hosts.end();
}

l7::route::SslMode ssl_of(const std::string& word) {
  using l7::route::SslMode;
  if (word == "off") return SslMode::kOff;
  if (word == "flexible") return SslMode::kFlexible;
  if (word == "strict") return SslMode::kStrict;
  return word == "origin_pull" ? SslMode::kOriginPull : SslMode::kFull;
}

l7::route::TlsVersion version_of(const std::string& word) {
  using l7::route::TlsVersion;
  if (word == "1.1") return TlsVersion::kTls11;
  if (word == "1.2") return TlsVersion::kTls12;
  return word == "1.3" ? TlsVersion::kTls13 : TlsVersion::kTls10;
}

l7::route::PseudoIpv4 pseudo_of(const std::string& word) {
  using l7::route::PseudoIpv4;
  if (word == "add_header") return PseudoIpv4::kAddHeader;
  return word == "overwrite_header" ? PseudoIpv4::kOverwriteHeader : PseudoIpv4::kOff;
}

l7::route::OriginProxy origin_proxy_of(const std::string& word) {
  using l7::route::OriginProxy;
  if (word == "v1") return OriginProxy::kV1;
  return word == "v2" ? OriginProxy::kV2 : OriginProxy::kOff;
}

// The strictest policy that has all ciphers of the list (their names are OpenSSL's).
l7::route::CipherPolicy policy_of(const std::vector<std::string>& ciphers) {
  using l7::route::CipherPolicy;
  if (ciphers.empty()) return CipherPolicy::kCompatible;
  CipherPolicy policy = CipherPolicy::kModern;
  for (const std::string& cipher : ciphers) {
    const bool is_forward = cipher.starts_with("ECDHE-") || cipher.starts_with("TLS_") ||
                            cipher.starts_with("AEAD-");
    const bool is_aead = cipher.find("GCM") != std::string::npos ||
                         cipher.find("CHACHA20") != std::string::npos;
    const bool is_sha2 = cipher.ends_with("SHA256") || cipher.ends_with("SHA384");
    if (is_forward && is_aead) continue;
    const auto needed = is_forward && is_sha2 ? CipherPolicy::kCompatible : CipherPolicy::kLegacy;
    policy = std::max(policy, needed);
  }
  return policy;
}

l7::route::SettingsLayout settings_of(const model::ProxySettings& from) {
  using namespace l7::route;
  SettingsLayout out;
  out.ssl = ssl_of(from.ssl);
  out.min_tls = from.tls_1_2_only ? TlsVersion::kTls12 : version_of(from.min_tls_version);
  out.max_tls = from.tls_1_2_only || (from.tls_1_3 == "off" && out.min_tls != TlsVersion::kTls13)
                    ? TlsVersion::kTls12
                    : TlsVersion::kTls13;
  out.ciphers = policy_of(from.ciphers);
  out.pseudo_ipv4 = pseudo_of(from.pseudo_ipv4);
  out.origin_http = from.origin_max_http_version == "1" ? 1 : 2;
  out.origin_proxy = origin_proxy_of(from.origin_proxy_protocol);
  out.hsts_max_age_s = from.hsts_max_age_s;
  out.max_upload_mb = from.max_upload_mb;
  out.read_timeout_s = std::clamp(from.proxy_read_timeout_s, 1U, 86'400U);
  const std::pair<bool, std::uint32_t> flags[] = {
      {from.always_use_https, kAlwaysUseHttps},
      {from.hsts, kHsts},
      {from.hsts_subdomains, kHstsSubdomains},
      {from.hsts_preload, kHstsPreload},
      {from.nosniff, kNosniff},
      {from.websockets, kWebsockets},
      {from.http2, kHttp2},
      {from.http3, kHttp3},
      {from.ip_geolocation, kIpGeolocation},
      {from.true_client_ip_header, kTrueClientIp},
      {from.origin_error_page_pass_thru, kPassOriginErrors},
      {from.brotli, kBrotli},
      {from.opportunistic_encryption, kOpportunisticEncryption},
      {from.automatic_https_rewrites, kHttpsRewrites},
      {from.early_data || from.tls_1_3 == "zrt", kEarlyData},
      {from.early_hints, kEarlyHints},
      {from.response_buffering, kResponseBuffering},
      {from.tls_client_auth, kOperatorPull},
  };
  out.flags = 0;
  for (const auto& [is_on, flag] : flags) out.flags |= is_on ? flag : 0;
  return out;
}

// Where the parts of a table begin.
std::vector<std::string> prefixes_of(const store::TableChange& change) {
  const auto group = [](TableGroup of) { return text_of(TableKey(of)); };
  switch (change.part) {
    case store::TablePart::kCertificate:
      return {text_of(TableKey(TableGroup::kCertificate).add(change.key))};
    case store::TablePart::kHosts:
      return {group(TableGroup::kHost)};
    case store::TablePart::kAuthorities:
      return {group(TableGroup::kAuthority), group(TableGroup::kRevoked)};
    case store::TablePart::kRevocation:
      return {text_of(TableKey(TableGroup::kRevoked).add(change.key))};
    case store::TablePart::kOriginPulls:
      return {group(TableGroup::kOriginPull)};
    case store::TablePart::kRules:
      return {group(TableGroup::kRules)};
    case store::TablePart::kCoverage:  // names say it, not the table
      return {};
    case store::TablePart::kTrustStore:
      return {group(TableGroup::kTrustStore)};
  }
  return {};
}

}  // namespace

bool TableCompiler::has_contents(const Zone& zone) {
  if (!has_read_) {
    const auto zones = store::ZoneTables(store_).zones();
    zones_ = {zones.begin(), zones.end()};
    has_read_ = true;
  }
  return zones_.contains(zone.id);
}

base::Result<void> TableCompiler::put_all(const Zone& zone, bool is_fresh,
                                          snapshot::ChangeSink& sink) {
  if (!is_fresh) {
    if (auto cleared = sink.clear_values({}); !cleared) return cleared;
  }
  const auto all = values(zone, {});
  if (!all) return all.error();
  for (const auto& [key, value] : all.value()) {
    if (auto put = sink.put_value(octets_of(key), value); !put) return put;
  }
  return {};
}

base::Result<void> TableCompiler::put_settings(const Zone& zone, snapshot::ChangeSink& sink) {
  const model::ProxySettings wanted = model::proxy_settings(zone.settings);
  for (const auto& [kind, text] : pages_of(wanted)) {
    const TableKey key = l7::route::page_key(kind);
    const auto done =
        text->empty() ? sink.drop_value(key.octets())
                      : sink.put_value(key.octets(), l7::render::render_error_page(*text));
    if (!done) return done;
  }
  const auto settings = settings_of(wanted);
  const TableKey key(TableGroup::kSettings);
  if (settings == l7::route::SettingsLayout()) return sink.drop_value(key.octets());
  return sink.put_value(key.octets(), l7::render::render_settings(settings));
}

base::Result<void> TableCompiler::put(const Zone& zone, const store::TableChange& change,
                                      snapshot::ChangeSink& sink) {
  for (const std::string& prefix : prefixes_of(change)) {
    const auto present = values(zone, prefix);
    if (!present) return present.error();
    if (auto cleared = sink.clear_values(octets_of(prefix)); !cleared) return cleared;
    for (const auto& [key, value] : present.value()) {
      if (auto put = sink.put_value(octets_of(key), value); !put) return put;
    }
  }
  return {};
}

base::Result<TableCompiler::Values> TableCompiler::values(const Zone& zone,
                                                          std::string_view prefix) {
  Values values;
  const model::ProxySettings wanted = model::proxy_settings(zone.settings);
  if (wants(prefix, TableGroup::kSettings)) {
    const auto settings = settings_of(wanted);
    if (settings != l7::route::SettingsLayout()) {
      values[text_of(TableKey(TableGroup::kSettings))] = l7::render::render_settings(settings);
    }
  }
  if (wants(prefix, TableGroup::kErrorPage)) {
    for (const auto& [kind, text] : pages_of(wanted)) {
      if (text->empty()) continue;
      values[text_of(l7::route::page_key(kind))] = l7::render::render_error_page(*text);
    }
  }
  if (prefix.empty() && !has_contents(zone)) return values;
  if (auto added = add_certificates(zone, prefix, values); !added) return added.error();
  if (wants(prefix, TableGroup::kHost)) {
    if (auto added = add_hosts(zone, values); !added) return added.error();
  }
  if (wants(prefix, TableGroup::kAuthority) || wants(prefix, TableGroup::kRevoked)) {
    if (auto added = add_authorities(zone, prefix, values); !added) return added.error();
  }
  if (wants(prefix, TableGroup::kOriginPull)) add_origin_pulls(zone, values);
  if (wants(prefix, TableGroup::kTrustStore)) {
    if (auto added = add_trust_store(zone, values); !added) return added.error();
  }
  if (wants(prefix, TableGroup::kRules)) {
    if (auto added = add_rules(zone, values); !added) return added.error();
  }
  std::erase_if(values, [&](const auto& each) { return !each.first.starts_with(prefix); });
  return values;
}

base::Result<void> TableCompiler::add_certificates(const Zone& zone, std::string_view prefix,
                                                   Values& values) {
  if (!wants(prefix, TableGroup::kCertificate)) return {};
  store::ZoneCertificates certificates(store_);
  for (const CertificatePurpose purpose :
       {CertificatePurpose::kEdge, CertificatePurpose::kZonePull, CertificatePurpose::kHostPull}) {
    const auto page = certificates.list(
        zone.id, {.purpose = purpose, .paging = {1, model::kZoneCertificatesMax}});
    for (const ZoneCertificate& each : page.items) {
      const std::string key = text_of(key_of(TableGroup::kCertificate, each.id.bytes));
      if (!key.starts_with(prefix)) continue;
      auto blob = render(zone, each, store::OcspResponses(store_).find(each.id));
      if (!blob) return blob.error();
      values[key] = std::move(blob).value();
    }
  }
  return {};
}

// In order of preference.
base::Result<std::vector<TableCompiler::EdgeCertificate>> TableCompiler::edge_certificates(
    const Zone& zone) {
  auto page = store::ZoneCertificates(store_).list(
      zone.id, {.paging = {1, model::kZoneCertificatesMax}});
  std::vector<EdgeCertificate> out;
  for (ZoneCertificate& each : page.items) {
    const auto blocks = blocks_of(zone, each.id, each.certificate.pem);
    if (!blocks) return blocks.error();
    const auto kind = kind_of(zone, each.id, blocks.value().octets);
    if (!kind) return kind.error();
    const std::int64_t until = each.certificate.expires_on.micros / kMicrosPerSecond;
    const EntryId id = each.id.bytes;
    out.push_back({std::move(each), {id, until, kind.value()}});
  }
  return out;
}

std::map<std::string, std::vector<EntryId>> TableCompiler::host_authorities(const Zone& zone) {
  store::AccountCertificates accounts(store_);
  std::map<std::string, std::vector<EntryId>> hosts;
  for (const model::HostAuthority& each : accounts.host_authorities(zone.id)) {
    std::vector<EntryId>& authorities = hosts[each.host];
    if (each.authority) {
      authorities.push_back(each.authority->bytes);
    } else if (const auto managed = accounts.managed(zone.account)) {
      authorities.push_back(managed->id.bytes);
    }
  }
  return hosts;
}

// Every name or wildcard that a certificate is made for or an authority is asked for, and the zone.
// What names the host itself comes before what covers it with a wildcard.
base::Result<void> TableCompiler::add_hosts(const Zone& zone, Values& values) {
  const auto certificates = edge_certificates(zone);
  if (!certificates) return certificates.error();
  const auto authorities = host_authorities(zone);
  std::set<std::string> hosts;
  for (const auto& [host, ids] : authorities) hosts.insert(host);
  std::map<std::string, bool> forwards;
  for (const auto& [host, does] : store::CertificateForwards(store_).list(zone.id)) {
    forwards[host] = does;
  }
  for (const EdgeCertificate& each : certificates.value()) {
    hosts.insert(each.stored.certificate.hosts.begin(), each.stored.certificate.hosts.end());
  }
  if (!certificates.value().empty()) hosts.insert("");
  for (const std::string& host : hosts) {
    if (host.size() > l7::route::kHostMax) continue;
    l7::render::HostSpec spec;
    const std::string wildcard = wildcard_of(host);
    for (const std::string& wanted : {host, wildcard}) {
      for (const EdgeCertificate& each : certificates.value()) {
        const bool is_there = wanted == wildcard && names(each.stored.certificate, host);
        if (names(each.stored.certificate, wanted) && !is_there) {
          spec.certificates.push_back(each.shown);
        }
      }
    }
    if (spec.certificates.empty()) {
      for (const EdgeCertificate& each : certificates.value()) {
        spec.certificates.push_back(each.shown);
      }
    }
    auto asked = authorities.find(host);
    if (asked == authorities.end()) asked = authorities.find(wildcard);
    if (asked != authorities.end()) {
      spec.asks_client = true;
      spec.authorities = asked->second;
      spec.forwards_certificate = said_of(forwards, host);
    }
    values[text_of(key_of(TableGroup::kHost, host))] = l7::render::render_host(spec);
  }
  return {};
}

base::Result<void> TableCompiler::add_authorities(const Zone& zone, std::string_view prefix,
                                                  Values& values) {
  std::set<EntryId> ids;
  for (const auto& [host, authorities] : host_authorities(zone)) {
    ids.insert(authorities.begin(), authorities.end());
  }
  for (const EntryId& bytes : ids) {
    const model::Id id{bytes};
    const auto stored = store::AccountCertificates(store_).find(zone.account, id);
    if (!stored) continue;
    if (wants(prefix, TableGroup::kAuthority)) {
      const auto blocks = blocks_of(zone, id, stored->certificate.pem);
      if (!blocks) return blocks.error();
      values[text_of(key_of(TableGroup::kAuthority, bytes))] =
          l7::render::render_anchors(blocks.value().octets, blocks.value().count);
    }
    if (!wants(prefix, TableGroup::kRevoked)) continue;
    for (const auto& serial : store::ClientCertificates(store_).revoked_by(id)) {
      const auto first = std::find_if(serial.begin(), serial.end(),
                                      [](std::uint8_t octet) { return octet != 0; });
      const std::vector<std::uint8_t> plain(first, serial.end());
      values[text_of(l7::route::revoked_key(bytes, plain))] = l7::render::render_revoked();
    }
  }
  return {};
}

void TableCompiler::add_origin_pulls(const Zone& zone, Values& values) {
  store::ZoneCertificates certificates(store_);
  for (const model::HostPull& pull : certificates.host_pulls(zone.id)) {
    values[text_of(key_of(TableGroup::kOriginPull, pull.host))] =
        l7::render::render_origin_pull(pull.enabled, pull.certificate.bytes);
  }
  if (!certificates.tls(zone.id).origin_pulls) return;
  // The newest: a certificate is replaced by uploading another.
  const auto page =
      certificates.list(zone.id, {.purpose = CertificatePurpose::kZonePull, .paging = {1, 1}});
  if (page.items.empty()) return;
  values[text_of(TableKey(TableGroup::kOriginPull))] =
      l7::render::render_origin_pull(true, page.items[0].id.bytes);
}

// As many as a value has room for (model::kTrustPemMax).
base::Result<void> TableCompiler::add_trust_store(const Zone& zone, Values& values) {
  const auto page = store::ZoneCertificates(store_).list(
      zone.id,
      {.purpose = CertificatePurpose::kOriginTrust, .paging = {1, model::kZoneCertificatesMax}});
  secret::PemBlocks all;
  for (const ZoneCertificate& each : page.items) {
    const auto blocks = blocks_of(zone, each.id, each.certificate.pem);
    if (!blocks) return blocks.error();
    const auto& octets = blocks.value().octets;
    all.octets.insert(all.octets.end(), octets.begin(), octets.end());
    all.count += blocks.value().count;
  }
  if (all.count == 0) return {};
  values[text_of(TableKey(TableGroup::kTrustStore))] =
      l7::render::render_anchors(all.octets, all.count);
  return {};
}

void TableCompiler::report_broken(const Zone& zone, const rules::Ruleset& ruleset) const {
  if (!options_.broken_rule) return;
  for (const rules::Rule& rule : ruleset.rules) {
    const auto fault = rule.enabled ? rules::fault_of(rule, ruleset.phase) : std::nullopt;
    if (!fault) continue;
    options_.broken_rule({zone.name.text(), std::string(rules::to_text(ruleset.phase)),
                          rule.ref.empty() ? rule.id.hex() : rule.ref, fault->message});
  }
}

base::Result<void> TableCompiler::add_rules(const Zone& zone, Values& values) {
  for (const rules::Ruleset& ruleset : store::Rulesets(store_).list(zone.id)) {
    report_broken(zone, ruleset);
    auto blob = compile_rules(ruleset);
    if (!blob) {
      return base::Error{"the rules have " + std::to_string(blob.error().count) + " " +
                             blob.error().what + " together, " +
                             std::to_string(blob.error().most) + " at most",
                         "zone " + zone.name.text() + ", phase " +
                             std::string(rules::to_text(ruleset.phase)),
                         "use fewer or shorter rules"};
    }
    if (blob.value().empty()) continue;
    const auto key = l7::route::rules_key(phase_of(ruleset.phase));
    values[text_of(key)] = std::move(blob).value();
  }
  return {};
}

}  // namespace brink::ctl::compile
