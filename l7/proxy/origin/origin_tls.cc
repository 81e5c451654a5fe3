#include "l7/proxy/origin/origin_tls.h"

#include <algorithm>
#include <array>

#include "l7/proxy/state/keyed_number.h"
#include "l7/proxy/transfer/octets.h"
#include "l7/route/certificate_lookup.h"

namespace brink::l7::proxy {
namespace {

using route::SslMode;

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

}  // namespace

// Names what TLS to an origin is held to and what it is shown, so that only connections of which
// the same was asked are used again.
std::uint64_t OriginTls::security_of(const Exchange& exchange) const noexcept {
  const base::HashKey& key = turn_.config.hash_key;
  std::uint64_t number = number_of(key, as_octets(exchange.host.text()),
                                   static_cast<std::uint64_t>(exchange.settings.ssl));
  number = number_of(key, as_octets(exchange.route.target_name()), number);
  number = number_of(key, std::array<std::uint8_t, 1>{may_use_http2(exchange)}, number);
  const auto table = route::find_zone_table(*turn_.view, exchange.host.text());
  if (!table) return number | 1;
  const route::OriginPull pull = table->origin_pull(exchange.host.text());
  if (pull.from == route::OriginPull::From::kTable) {
    number = number_of(key, pull.certificate, number);
  }
  number = number_of(key, std::array{static_cast<std::uint8_t>(pull.from)}, number);
  if (const auto store = table->trust_store()) number = number_of(key, store->blob, number);
  return number | 1;  // 0 is without TLS
}

void OriginTls::choose_scheme(Exchange& exchange, const Client& client) const noexcept {
  const SslMode mode = exchange.settings.ssl;
  std::uint16_t port = client.port;
  bool secure = client.secure;
  if (mode == SslMode::kOff || (mode == SslMode::kFlexible && port == kHttpsPort)) {
    secure = false;
    if (port == kHttpsPort) port = kHttpPort;
  } else if (mode == SslMode::kOriginPull) {
    secure = true;
    if (port == kHttpPort) port = kHttpsPort;
  }
  if (secure) exchange.security = security_of(exchange);
  for (std::size_t i = 0; i < exchange.route.origin_count; ++i) {
    if (exchange.route.origins[i].port == 0) exchange.route.origins[i].port = port;
  }
}

// A WebSocket takes a connection of its own.
bool OriginTls::may_use_http2(const Exchange& exchange) const noexcept {
  return turn_.config.http2 != nullptr && exchange.settings.origin_http >= 2 && !exchange.websocket;
}

tls::Failure OriginTls::begin(const Exchange& exchange, tcp::ConnectionId id) noexcept {
  const std::string_view host = exchange.host.text();
  const auto table = route::find_zone_table(*turn_.view, host);
  if (!table || turn_.config.credentials == nullptr) return tls::Failure::kMaterial;
  const tls::OriginSettings& settings =
      turn_.config.credentials->origin(*table, exchange.settings,
                                       {.host = host,
                                        .target = exchange.route.target_name(),
                                        .origin = exchange.remote_number,
                                        .http2 = may_use_http2(exchange)});
  return turn_.transport.secure_connect(id, settings, turn_.now);
}

}  // namespace brink::l7::proxy
