#include "l7/proxy/exchange/requests.h"

#include <algorithm>
#include <array>
#include <utility>

#include "l7/http1/head_writer.h"
#include "l7/proxy/head/forwarded_head.h"
#include "l7/proxy/head/trailer_fields.h"
#include "l7/proxy/state/ray.h"
#include "l7/route/lookup.h"

namespace brink::l7::proxy {
namespace {

using route::SslMode;

// Validation of a certificate must not depend on one (RFC 8555 8.3).
constexpr std::string_view kChallengePath = "/.well-known/acme-challenge/";

// One whose length is not told is stopped when it gets there.
bool is_too_large(const Exchange& exchange, const http::RequestHead& request) noexcept {
  return request.body.kind == http::BodyKind::length && request.body.length > exchange.request_max;
}

}  // namespace

Requests::Requests(Turn& turn, const Uses& uses) noexcept
    : turn_(turn),
      clients_(uses.clients),
      exchanges_(uses.exchanges),
      client_tls_(uses.client_tls),
      origin_tls_(uses.origin_tls),
      rules_(uses.rules),
      codings_(uses.codings),
      answers_(uses.answers),
      attempts_(uses.attempts),
      log_(uses.log) {}

void Requests::begin(std::uint32_t x, const http::RequestHead& request,
                     std::size_t consume) noexcept {
  Exchange& exchange = exchanges_[x];
  turn_.counters.add(ipc::Counter::kHttpRequests);
  exchange.asked = turn_.now;
  exchange.method = request.method;
  exchange.version = request.version;
  exchange.keep_alive = request.keep_alive;
  exchange.expect_continue = request.expect_continue;
  if (request.websocket) exchange.method = http::Method::get;  // to the origin, and its parser
  exchange.request_done = request.body.kind == http::BodyKind::none;
  exchange.request_framing = request.body;
  exchange.ray = make_ray(turn_);
  EdgeError error = EdgeError::internal;
  const Decision decision = decide(x, request, error);
  if (consume > 0) turn_.transport.consume(clients_[exchange.client].id, consume, turn_.now);
  exchange.gathered = 0;
  exchange.progress = {};
  switch (decision) {
    case Decision::forward:
      return attempts_.start(x, EdgeError::origin_unreachable);
    case Decision::error:
      return answers_.error(x, error);
    case Decision::own:
      return answers_.send(x);
  }
}

// Everything that needs the head's text and the snapshot, up to the first step that has an answer.
Requests::Decision Requests::decide(std::uint32_t x, const http::RequestHead& request,
                                    EdgeError& error) noexcept {
  const auto refuse = [&error](EdgeError why) {
    error = why;
    return Decision::error;
  };
  if (request.method == http::Method::trace) return refuse(EdgeError::method_not_allowed);
  switch (request.authority.kind) {
    case http::HostKind::absent:
      return refuse(EdgeError::bad_request);
    case http::HostKind::address:
      return refuse(EdgeError::direct_address);
    case http::HostKind::name:
      break;
  }
  Decision made = decide_route(x, request, error);
  if (made == Decision::forward && is_too_large(exchanges_[x], request)) {
    return refuse(EdgeError::content_too_large);
  }
  if (made == Decision::forward) made = decide_own(x, request, error);
  if (made == Decision::forward) made = run_rules(x, request, error);
  if (made == Decision::forward) made = decide_origin(x, request, error);
  return made;
}

Requests::Decision Requests::decide_route(std::uint32_t x, const http::RequestHead& request,
                                          EdgeError& error) noexcept {
  Exchange& exchange = exchanges_[x];
  route::RouteView route;
  switch (route::find_route(*turn_.view, request.authority.host(), route, exchange.settings)) {
    case route::RouteVerdict::found:
      break;
    case route::RouteVerdict::unknown_host:
    case route::RouteVerdict::not_proxied:
      turn_.counters.add(ipc::Counter::kHttpUnknownHost);
      error = EdgeError::unknown_host;
      return Decision::error;
    case route::RouteVerdict::bad_blob:
      error = EdgeError::internal;
      return Decision::error;
  }
  route.copy_to(exchange.route);
  exchange.request_max =
      std::min(turn_.config.body_max, std::uint64_t{exchange.settings.max_upload_mb} << 20);
  log_.note_zone(exchange, exchange.route.zone_name());
  exchange.host.set(request.authority.host());
  exchange.websocket = request.websocket && (exchange.settings.flags & route::kWebsockets) != 0;
  exchange.te_trailers =
      request.version != http::Version::http_1_0 && takes_trailers(request.fields);
  if (turn_.countries != nullptr) {
    exchange.country = turn_.countries->find(clients_[exchange.client].address);
  }
  origin_tls_.choose_scheme(exchange, clients_[exchange.client]);
  if (!client_tls_.is_misdirected(exchange.client, exchange.host.text())) return Decision::forward;
  error = EdgeError::misdirected;
  return Decision::error;
}

// The edge's own paths, another scheme, and requests that are not forwarded whatever rules say.
Requests::Decision Requests::decide_own(std::uint32_t x, const http::RequestHead& request,
                                        EdgeError& error) noexcept {
  Exchange& exchange = exchanges_[x];
  const auto refuse = [&error](EdgeError why) {
    error = why;
    return Decision::error;
  };
  const std::string_view target = request.fields.text(request.target);
  if (target.starts_with("/cdn-cgi/")) {
    if (target.substr(0, target.find('?')) != "/cdn-cgi/trace") return refuse(EdgeError::not_found);
    if (request.method != http::Method::get && request.method != http::Method::head) {
      return refuse(EdgeError::method_not_allowed);
    }
    answers_.compose_trace(x, request);
    return Decision::own;
  }
  if (const std::string_view scheme = wrong_scheme(exchange, request); !scheme.empty()) {
    answers_.compose_redirect(x, request, scheme);
    return Decision::own;
  }
  switch (check_request(request, exchange.route.zone_name(), turn_.config.strict_forwarded_for)) {
    case RequestRule::pass:
      break;
    case RequestRule::loop:
    case RequestRule::connecting_ip_given:
    case RequestRule::forwarded_for:
      return refuse(EdgeError::prohibited_address);
    case RequestRule::loop_malformed:
      return refuse(EdgeError::bad_request);
  }
  return Decision::forward;
}

Requests::Decision Requests::run_rules(std::uint32_t x, const http::RequestHead& request,
                                       EdgeError& error) noexcept {
  rewrite::Block block;
  switch (rules_.run_on_request(exchanges_[x], request, block, error)) {
    case ZoneRules::Verdict::pass:
      return Decision::forward;
    case ZoneRules::Verdict::block:
      return block_request(x, block, error);
    case ZoneRules::Verdict::error:
      break;
  }
  return Decision::error;
}

// The answer that the rule gives, composed; else the edge's page.
Requests::Decision Requests::block_request(std::uint32_t x, const rewrite::Block& block,
                                           EdgeError& error) noexcept {
  Exchange& exchange = exchanges_[x];
  turn_.counters.add(ipc::Counter::kHttpBlocked);
  error = EdgeError::blocked;
  if (block.content_type.empty()) return Decision::error;
  if (!exchange.request_done) exchange.close_client = true;
  log_.note_error(exchange, error);
  exchange.entry.status = block.status;
  return answers_.compose_answer(x, {block.status, block.content_type, block.content.size()},
                                 block.content)
             ? Decision::own
             : Decision::error;
}

// The origins that may have it, and the request as they get it.
Requests::Decision Requests::decide_origin(std::uint32_t x, const http::RequestHead& request,
                                           EdgeError& error) noexcept {
  Exchange& exchange = exchanges_[x];
  const auto refuse = [&error](EdgeError why) {
    error = why;
    return Decision::error;
  };
  // An extended CONNECT asks for nothing else (RFC 8441 4).
  if (exchange.stream != 0 && request.websocket && !exchange.websocket) {
    return refuse(EdgeError::not_implemented);
  }
  if (exchange.route.origin_count == 0) return refuse(EdgeError::no_origin);
  refuse_origins_of_this_edge(exchange);
  if (exchange.route.origin_count == 0) return refuse(EdgeError::prohibited_address);
  const bool is_built = build_origin_request(x, request) && rules_.keep_facts(x, request);
  return is_built ? Decision::forward : refuse(EdgeError::fields_too_large);
}

std::string_view Requests::wrong_scheme(const Exchange& exchange,
                                        const http::RequestHead& request) const noexcept {
  const bool secure = clients_[exchange.client].secure;
  if (secure) return exchange.settings.ssl == SslMode::kOff ? "http" : "";
  const bool always = (exchange.settings.flags & route::kAlwaysUseHttps) != 0;
  if (!always || exchange.settings.ssl == SslMode::kOff) return {};
  return request.fields.text(request.target).starts_with(kChallengePath) ? "" : "https";
}

// A record that points back at this edge would make the edge its own client, for ever.
void Requests::refuse_origins_of_this_edge(Exchange& exchange) noexcept {
  auto& origins = exchange.route.origins;
  const auto* const end = std::remove_if(
      origins.begin(), origins.begin() + exchange.route.origin_count,
      [this](const base::Endpoint& origin) {
        return std::find(turn_.config.edge_addresses.begin(), turn_.config.edge_addresses.end(),
                         origin.address) != turn_.config.edge_addresses.end();
      });
  exchange.route.origin_count = static_cast<std::uint8_t>(end - origins.begin());
}

bool Requests::build_origin_request(std::uint32_t x, const http::RequestHead& request) noexcept {
  Exchange& exchange = exchanges_[x];
  http1::HeadWriter writer(exchanges_.out(x));
  std::array<char, kWebsocketKeySize> nonce;
  const auto* certificate =
      client_tls_.forwarded_certificate(exchange.client, request.authority.host());
  bool& told = clients_[exchange.client].told_certificate;
  const bool is_first = certificate != nullptr && !std::exchange(told, true);
  write_origin_request(
      writer, request,
      {.client = clients_[exchange.client].address,
       .country = exchange.country,
       .tells_country = (exchange.settings.flags & route::kIpGeolocation) != 0,
       .ray = exchange.ray_text(),
       .zone = exchange.route.zone_name(),
       .scheme = clients_[exchange.client].secure ? "https" : "http",
       .websocket = exchange.websocket,
       .websocket_key =
           exchange.stream != 0 && exchange.websocket ? websocket_key(nonce) : std::string_view{},
       .accept_encoding = codings_.accept_encoding(exchange, request),
       .edits = &rules_.edits(),
       .certificate = certificate,
       .first_with_certificate = is_first});
  exchange.out_size = static_cast<std::uint32_t>(writer.size());
  exchange.out_sent = 0;
  return writer.ok();
}

// Random octets in base64, as a client over HTTP/1 would have sent (RFC 6455 4.1).
std::string_view Requests::websocket_key(std::span<char, kWebsocketKeySize> out) noexcept {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::size_t kDigitsUsed = 22;  // 128 bits
  std::uint64_t bits = turn_.random();
  for (std::size_t i = 0; i < kDigitsUsed; ++i, bits >>= 6) {
    if (i == kDigitsUsed / 2) bits = turn_.random();
    out[i] = kDigits[bits & 63];
  }
  out[kDigitsUsed - 1] = 'A';  // the last digit carries two bits
  out[22] = out[23] = '=';
  return {out.data(), out.size()};
}

}  // namespace brink::l7::proxy
