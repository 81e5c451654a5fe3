// TLS on both sides of the stage: where clients speak it, what a request on it may ask for, and how
// its origin is spoken to (the zone's SSL mode).
#include <algorithm>

#include "l7/proxy/keyed_number.h"
#include "l7/proxy/octets.h"
#include "l7/proxy/stage.h"
#include "l7/route/certificate_lookup.h"

namespace brink::l7::proxy {
namespace {

using route::SslMode;

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;
// Validation of a certificate must not depend on one (RFC 8555 8.3).
constexpr std::string_view kChallengePath = "/.well-known/acme-challenge/";

// Whether clients of two hosts are asked for certificates of the same authorities, or for none.
bool ask_the_same(const snapshot::View& view, std::string_view one,
                  std::string_view other) noexcept {
  const route::HostView a = route::find_host(view, one).value_or(route::HostView{});
  const route::HostView b = route::find_host(view, other).value_or(route::HostView{});
  return a.asks_client == b.asks_client && std::equal(a.authorities.begin(), a.authorities.end(),
                                                      b.authorities.begin(), b.authorities.end());
}

}  // namespace

bool Stage::is_https_port(std::uint16_t port) const noexcept {
  return std::find(config_.https_ports.begin(), config_.https_ports.end(), port) !=
         config_.https_ports.end();
}

// Begins a handshake. False: the network of the client has begun too many, or there is no TLS.
bool Stage::secure_client(std::uint32_t c) noexcept {
  const auto second = static_cast<std::uint32_t>(now_.time_since_epoch() / std::chrono::seconds(1));
  if (config_.handshakes != nullptr && !config_.handshakes->begin(clients_[c].address, second)) {
    counters_.add(ipc::Counter::kTlsLimited);
    return false;
  }
  return config_.credentials != nullptr &&
         transport_.secure_accept(clients_[c].id, *config_.credentials, c, now_) ==
             tls::Failure::kNone;
}

void Stage::client_secured(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  client.secured = true;
  client.deadline = now_ + config_.keep_alive_timeout;
  const tls::ConnectionInfo& agreed = transport_.security(client.id)->info();
  counters_.add(ipc::Counter::kTlsHandshakes);
  if (agreed.resumed) {
    counters_.add(ipc::Counter::kTlsResumed);
    if (config_.handshakes != nullptr) config_.handshakes->resumed(client.address);
  }
  count_handshake(agreed);
  if (!read_certificate(c)) {
    count_error(EdgeError::overloaded);
    return abort_client(c);
  }
  if (agreed.protocol == tls::Alpn::kH2 && !open_session(c)) {
    count_error(EdgeError::overloaded);
    abort_client(c);
  }
}

// The client went or took too long; where TLS itself failed, fail_client() counts.
void Stage::note_unfinished_handshake(const Client& client) noexcept {
  if (client.secure && !client.secured) counters_.add(ipc::Counter::kTlsFailed);
}

// What the client has shown is read once, for rules. False: there is no memory.
bool Stage::read_certificate(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  const tls::Stream& security = *transport_.security(client.id);
  const tls::Verification verification = security.info().verification;
  client.has_certificate =
      verification != tls::Verification::kNotAsked && verification != tls::Verification::kAbsent;
  return !client.has_certificate || config_.credentials->clients().read(c, security, *view_);
}

// What the origin is told of the client's certificate, by the setting of the host; null: nothing.
// What did not lead to an authority of the host, has run out or is revoked is not passed on:
// origins take the field for a proof.
const rewrite::ClientCertificate* Stage::forwarded_certificate(const Exchange& exchange) noexcept {
  if (!clients_[exchange.client].has_certificate) return nullptr;
  const std::string_view host = request_->authority.host();
  const auto settings = route::find_host(*view_, host);
  const auto table = route::find_zone_table(*view_, host);
  if (!table || !settings || !settings->forwards_certificate) return nullptr;
  const auto* shown = certificate_of(exchange, *table);
  return shown != nullptr && shown->is_verified && !shown->is_revoked ? shown : nullptr;
}

// A request for a host of another zone than the one whose certificate the client was shown, or for
// one that asks clients for other certificates than the one that they came for (CVE-2025-23419 is
// the same by way of sessions).
bool Stage::is_misdirected(const Exchange& exchange) noexcept {
  const tls::Stream* const security = transport_.security(clients_[exchange.client].id);
  if (security == nullptr) return false;
  const std::string_view asked = security->info().server_name;
  const std::string_view host = exchange.host.text();
  if (asked.empty() || asked == host) return false;
  return !route::are_in_one_zone(*view_, asked, host) || !ask_the_same(*view_, asked, host);
}

// The scheme that a request should have come by; empty: it has.
std::string_view Stage::wrong_scheme(const Exchange& exchange) const noexcept {
  const bool secure = clients_.items[exchange.client].secure;
  if (secure) return exchange.settings.ssl == SslMode::kOff ? "http" : "";
  const bool always = (exchange.settings.flags & route::kAlwaysUseHttps) != 0;
  if (!always || exchange.settings.ssl == SslMode::kOff) return {};
  return request_->fields.text(request_->target).starts_with(kChallengePath) ? "" : "https";
}

// Names what TLS to an origin is held to and what it is shown, so that only connections of which
// the same was asked are used again.
std::uint64_t Stage::security_of(const Exchange& exchange) const noexcept {
  const base::HashKey& key = config_.hash_key;
  std::uint64_t number = number_of(key, as_octets(exchange.host.text()),
                                   static_cast<std::uint64_t>(exchange.settings.ssl));
  number = number_of(key, as_octets(exchange.route.target_name()), number);
  number = number_of(key, std::array<std::uint8_t, 1>{may_use_http2(exchange)}, number);
  const auto table = route::find_zone_table(*view_, exchange.host.text());
  if (!table) return number | 1;
  const route::OriginPull pull = table->origin_pull(exchange.host.text());
  if (pull.from == route::OriginPull::From::kTable) {
    number = number_of(key, pull.certificate, number);
  }
  number = number_of(key, std::array{static_cast<std::uint8_t>(pull.from)}, number);
  if (const auto store = table->trust_store()) number = number_of(key, store->blob, number);
  return number | 1;  // 0 is without TLS
}

// Whether origins are spoken to under TLS, and at which port where the record names none.
void Stage::choose_origin_scheme(Exchange& exchange) noexcept {
  const Client& client = clients_[exchange.client];
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
bool Stage::may_use_http2(const Exchange& exchange) const noexcept {
  return config_.http2 != nullptr && exchange.settings.origin_http >= 2 && !exchange.websocket;
}

void Stage::secure_origin(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  OriginConnection& origin = origins_[exchange.origin];
  exchange.securing = true;
  origin.state = OriginState::securing;
  const std::string_view host = exchange.host.text();
  const auto table = route::find_zone_table(*view_, host);
  tls::Failure failure = tls::Failure::kMaterial;
  if (table && config_.credentials != nullptr) {
    const tls::OriginSettings& settings = config_.credentials->origin(
        *table, exchange.settings,
        {.host = host, .target = exchange.route.target_name(),
         .origin = number_of(config_.hash_key, exchange.remote),
         .http2 = may_use_http2(exchange)});
    failure = transport_.secure_connect(origin.id, settings, now_);
  }
  if (failure == tls::Failure::kNone) return;
  counters_.add(ipc::Counter::kTlsOriginFailed);
  drop_origin(exchange.origin, false);
  origin_failed(x, EdgeError::origin_tls);
}

void Stage::origin_secured(std::uint32_t x) noexcept {
  counters_.add(ipc::Counter::kTlsOriginHandshakes);
  origin_ready(x);
}

// During the handshake another address may do better; later it is as if the origin had gone.
void Stage::origin_security_failed(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  const tls::Failure failure = transport_.security(origins_[exchange.origin].id)->failure();
  const bool handshake = exchange.phase == Phase::connecting;
  counters_.add(ipc::Counter::kTlsOriginFailed);
  drop_origin(exchange.origin, true);
  if (handshake) {
    connect_failed(exchange);
    return origin_failed(x, failure == tls::Failure::kCertificate ? EdgeError::origin_certificate
                                                                  : EdgeError::origin_tls);
  }
  transport::Event gone;
  gone.kind = transport::EventKind::kClosed;
  gone.reason = tcp::CloseReason::kResetByPeer;
  origin_ended(x, gone);
}

}  // namespace brink::l7::proxy
