// The client side of the stage: request heads in, decisions, the edge's own answers, ends.
#include <algorithm>
#include <cstring>
#include <utility>

#include "l7/http1/head_writer.h"
#include "l7/http1/request_parser.h"
#include "l7/proxy/forwarded_head.h"
#include "l7/proxy/http_date.h"
#include "l7/proxy/octets.h"
#include "l7/proxy/stage.h"
#include "l7/route/lookup.h"

namespace brink::l7::proxy {
namespace {

std::int64_t unix_ns(base::Time now, base::Duration wall_offset) noexcept {
  return (now.time_since_epoch() + wall_offset).count();
}

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

std::string_view name_of(http::Version version) noexcept {
  switch (version) {
    case http::Version::http_1_0:
      return "http/1.0";
    case http::Version::http_1_1:
      return "http/1.1";
    case http::Version::http_2:
      return "http/2";
    case http::Version::http_3:
      return "http/3";
  }
  return "";
}

}  // namespace

void Stage::read_client(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  if (client.awaits_header) return read_proxy_header(c);
  if (client.state == ClientState::lingering) {
    for (auto bytes = transport_.readable(client.id, now_); !bytes.empty();
         bytes = transport_.readable(client.id, now_)) {
      transport_.consume(client.id, bytes.size(), now_);
    }
    return;
  }
  if (client.session != kNoIndex) return read_session(c);
  if (client.exchange == kNoIndex) {
    if (transport_.readable(client.id, now_).empty()) return;
    client.exchange = acquire_exchange(c);
    if (client.exchange == kNoIndex) return answer_overload(c);
  }
  const std::uint32_t x = client.exchange;
  if (exchanges_[x].phase == Phase::reading_head) return read_request(x);
  drive(x);
}

// Parses straight from the receive queue when the head lies there in one piece, and gathers it in
// the exchange's buffer when it does not. Never consumes beyond the head.
void Stage::read_request(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  const Client& client = clients_[exchange.client];
  const std::span<char> in = in_buffer(x);
  for (;;) {
    const std::string_view fresh = as_text(transport_.readable(client.id, now_));
    if (fresh.empty()) return;
    const std::uint32_t before = exchange.gathered;
    const std::size_t room = config_.request_limits.head_max - before;
    const std::size_t added = std::min(fresh.size(), room);
    std::string_view text = fresh;
    if (before != 0) {
      std::memcpy(in.data() + before, fresh.data(), added);
      text = {in.data(), before + added};
    }
    std::uint32_t head_size = 0;
    const http1::Verdict verdict = http1::parse_request(
        text, config_.request_limits, client.port, exchange.progress, parsed_request_, head_size);
    if (verdict == http1::Verdict::ok) {
      request_ = &parsed_request_;
      note_request(x, head_size);
      return begin_request(x, head_size - before);
    }
    if (verdict != http1::Verdict::incomplete) {
      counters_.add(ipc::Counter::kHttpBadRequests);
      make_ray(exchange);
      exchange.close_client = true;
      return answer_error(x, error_of(verdict));
    }
    if (before == 0) std::memcpy(in.data(), fresh.data(), added);
    exchange.gathered = before + static_cast<std::uint32_t>(added);
    transport_.consume(client.id, added, now_);
  }
}

// The head is in request_-> `consume`: bytes of it that are still in the receive queue.
void Stage::begin_request(std::uint32_t x, std::size_t consume) noexcept {
  Exchange& exchange = exchanges_[x];
  counters_.add(ipc::Counter::kHttpRequests);
  exchange.asked = now_;
  exchange.method = request_->method;
  exchange.version = request_->version;
  exchange.keep_alive = request_->keep_alive;
  exchange.expect_continue = request_->expect_continue;
  if (request_->websocket) exchange.method = http::Method::get;  // to the origin, and its parser
  exchange.request_done = request_->body.kind == http::BodyKind::none;
  exchange.request_framing = request_->body;
  make_ray(exchange);
  EdgeError error = EdgeError::internal;
  const Decision decision = decide(x, error);
  if (consume > 0) transport_.consume(clients_[exchange.client].id, consume, now_);
  exchange.gathered = 0;
  exchange.progress = {};
  switch (decision) {
    case Decision::forward:
      return start_origin(x, EdgeError::origin_unreachable);
    case Decision::error:
      return answer_error(x, error);
    case Decision::own:
      return answer_composed(x);
  }
}

// Everything that needs the head's text and the snapshot.
Stage::Decision Stage::decide(std::uint32_t x, EdgeError& error) noexcept {
  Exchange& exchange = exchanges_[x];
  const auto refuse = [&error](EdgeError why) {
    error = why;
    return Decision::error;
  };
  if (request_->method == http::Method::trace) return refuse(EdgeError::method_not_allowed);
  switch (request_->authority.kind) {
    case http::HostKind::absent:
      return refuse(EdgeError::bad_request);
    case http::HostKind::address:
      return refuse(EdgeError::direct_address);
    case http::HostKind::name:
      break;
  }
  if (request_->body.kind == http::BodyKind::length && request_->body.length > config_.body_max) {
    return refuse(EdgeError::content_too_large);
  }
  const Decision routed = decide_route(x, error);
  if (routed != Decision::forward) return routed;
  if (is_misdirected(exchange)) return refuse(EdgeError::misdirected);

  const std::string_view target = request_->fields.text(request_->target);
  if (target.starts_with("/cdn-cgi/")) {
    if (target.substr(0, target.find('?')) != "/cdn-cgi/trace") return refuse(EdgeError::not_found);
    if (request_->method != http::Method::get && request_->method != http::Method::head) {
      return refuse(EdgeError::method_not_allowed);
    }
    compose_trace(x);
    return Decision::own;
  }
  if (const std::string_view scheme = wrong_scheme(exchange); !scheme.empty()) {
    compose_redirect(x, scheme);
    return Decision::own;
  }
  switch (check_request(*request_, exchange.route.zone_name(), config_.strict_forwarded_for)) {
    case RequestRule::pass:
      break;
    case RequestRule::loop:
    case RequestRule::connecting_ip_given:
    case RequestRule::forwarded_for:
      return refuse(EdgeError::prohibited_address);
    case RequestRule::loop_malformed:
      return refuse(EdgeError::bad_request);
  }
  if (const Decision ruled = run_request_rules(x, error); ruled != Decision::forward) return ruled;
  // An extended CONNECT asks for nothing else (RFC 8441 4).
  if (exchange.stream != 0 && request_->websocket && !exchange.websocket) {
    return refuse(EdgeError::not_implemented);
  }
  if (exchange.route.origin_count == 0) return refuse(EdgeError::no_origin);
  refuse_origins_of_this_edge(exchange);
  if (exchange.route.origin_count == 0) return refuse(EdgeError::prohibited_address);
  const bool is_built = build_origin_request(x) && keep_facts(x);
  return is_built ? Decision::forward : refuse(EdgeError::fields_too_large);
}

Stage::Decision Stage::decide_route(std::uint32_t x, EdgeError& error) noexcept {
  Exchange& exchange = exchanges_[x];
  route::RouteView route;
  switch (route::find_route(*view_, request_->authority.host(), route, exchange.settings)) {
    case route::RouteVerdict::found:
      break;
    case route::RouteVerdict::unknown_host:
    case route::RouteVerdict::not_proxied:
      counters_.add(ipc::Counter::kHttpUnknownHost);
      error = EdgeError::unknown_host;
      return Decision::error;
    case route::RouteVerdict::bad_blob:
      error = EdgeError::internal;
      return Decision::error;
  }
  route.copy_to(exchange.route);
  notes_[x].put(log::Text::zone, exchange.route.zone_name());
  exchange.host.set(request_->authority.host());
  exchange.websocket = request_->websocket && (exchange.settings.flags & route::kWebsockets) != 0;
  exchange.te_trailers =
      exchange.stream != 0 && request_->fields.find(http::FieldName::te) != nullptr;
  if (countries_ != nullptr) {
    exchange.country = countries_->find(clients_[exchange.client].address);
  }
  choose_origin_scheme(exchange);
  return Decision::forward;
}

// A record that points back at this edge would make the edge its own client, for ever.
void Stage::refuse_origins_of_this_edge(Exchange& exchange) noexcept {
  auto& origins = exchange.route.origins;
  const auto* const end = std::remove_if(
      origins.begin(), origins.begin() + exchange.route.origin_count,
      [this](const base::Endpoint& origin) {
        return std::find(config_.edge_addresses.begin(), config_.edge_addresses.end(),
                         origin.address) != config_.edge_addresses.end();
      });
  exchange.route.origin_count = static_cast<std::uint8_t>(end - origins.begin());
}

bool Stage::build_origin_request(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  http1::HeadWriter writer(out_buffer(x));
  std::array<char, kWebsocketKeySize> nonce;
  const auto* certificate = forwarded_certificate(exchange);
  bool& told = clients_[exchange.client].told_certificate;
  const bool is_first = certificate != nullptr && !std::exchange(told, true);
  write_origin_request(
      writer, *request_,
      {.client = clients_[exchange.client].address,
       .country = exchange.country,
       .tells_country = (exchange.settings.flags & route::kIpGeolocation) != 0,
       .ray = exchange.ray_text(),
       .zone = exchange.route.zone_name(),
       .scheme = clients_[exchange.client].secure ? "https" : "http",
       .websocket = exchange.websocket,
       .websocket_key =
           exchange.stream != 0 && exchange.websocket ? websocket_key(nonce) : std::string_view{},
       .accept_encoding = read_codings(exchange),
       .edits = &rules_.front().edits,
       .certificate = certificate,
       .first_with_certificate = is_first});
  exchange.out_size = static_cast<std::uint32_t>(writer.size());
  exchange.out_sent = 0;
  return writer.ok();
}

// An answer of the edge's own: over HTTP/1 into the scratch buffer, its size into out_size; over
// HTTP/2 it goes to the session. `write_head` is called with a head writer and an AnswerContext.
// answer_composed() follows. False: there is no room for it.
template <typename WriteHead>
bool Stage::compose(std::uint32_t x, std::string_view body, WriteHead write_head) noexcept {
  Exchange& exchange = exchanges_[x];
  const HttpDate date = http_date(unix_ns(now_, config_.wall_offset) / kNsPerSecond);
  const AnswerContext context{.ray = exchange.ray_text(),
                              .date = date.view(),
                              .connection = connection_field(exchange),
                              .zone = zone_fields(exchange)};
  if (exchange.method == http::Method::head) body = {};
  if (body.size() > scratch_.size()) return false;
  if (exchange.stream != 0) {
    http2::HeadWriter writer(scratch_);
    write_head(writer, context);
    if (writer.ok()) respond_composed(x, writer, body);
    return writer.ok();
  }
  http1::HeadWriter writer(scratch_);
  write_head(writer, context);
  writer.raw(body);
  exchange.out_size = static_cast<std::uint32_t>(writer.size());
  return writer.ok();
}

bool Stage::compose_answer(std::uint32_t x, const AnswerHead& head,
                           std::string_view body) noexcept {
  return compose(x, body, [&head](auto& writer, const AnswerContext& context) {
    write_answer_head(writer, head, context);
  });
}

// Random octets in base64, as a client over HTTP/1 would have sent (RFC 6455 4.1).
std::string_view Stage::websocket_key(std::span<char, kWebsocketKeySize> out) noexcept {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::size_t kDigitsUsed = 22;  // 128 bits
  std::uint64_t bits = next_random();
  for (std::size_t i = 0; i < kDigitsUsed; ++i, bits >>= 6) {
    if (i == kDigitsUsed / 2) bits = next_random();
    out[i] = kDigits[bits & 63];
  }
  out[kDigitsUsed - 1] = 'A';  // the last digit carries two bits
  out[22] = out[23] = '=';
  return {out.data(), out.size()};
}

void Stage::compose_redirect(std::uint32_t x, std::string_view scheme) noexcept {
  counters_.add(ipc::Counter::kHttpsRedirects);
  exchanges_[x].entry.status = 301;
  const Redirect to{scheme, request_->authority.host(), request_->fields.text(request_->target)};
  compose(x, {}, [&to](auto& writer, const AnswerContext& context) {
    write_redirect_head(writer, to, context);
  });
}

void Stage::compose_trace(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  exchange.entry.status = 200;
  const std::int64_t wall = unix_ns(now_, config_.wall_offset);
  const tls::Stream* const security = transport_.security(clients_[exchange.client].id);
  http1::HeadWriter body(out_buffer(x));
  const auto line = [&body](std::string_view key, std::string_view value) {
    body.raw(key);
    body.raw("=");
    body.raw(value);
    body.raw("\n");
  };
  const base::IpText client = clients_[exchange.client].address.text();
  const http::Field* const agent = request_->fields.find(http::FieldName::user_agent);
  line("fl", config_.node);
  line("h", request_->authority.host());
  line("ip", client.view());
  body.raw("ts=");
  body.number(static_cast<std::uint64_t>(wall / kNsPerSecond));
  const auto ms = static_cast<unsigned>(wall / 1'000'000 % 1000);
  const char fraction[] = {'.', static_cast<char>('0' + ms / 100),
                           static_cast<char>('0' + ms / 10 % 10), static_cast<char>('0' + ms % 10),
                           '\n'};
  body.raw({fraction, sizeof fraction});
  line("visit_scheme", security != nullptr ? "https" : "http");
  line("uag", agent == nullptr ? std::string_view{} : request_->fields.value(*agent));
  line("colo", config_.colo);
  line("sliver", "none");
  line("http", name_of(request_->version));
  line("loc", exchange.country.view());
  line("tls", security != nullptr ? tls::name_of(security->info().version) : "off");
  const bool named = security != nullptr && !security->info().server_name.empty();
  line("sni", named ? "plaintext" : "off");
  line("warp", "off");
  line("gateway", "off");
  const std::string_view text = body.ok() ? body.text() : std::string_view{};
  compose_answer(x, {.body_size = text.size()}, text);
}

ConnectionField Stage::connection_field(const Exchange& exchange) const noexcept {
  const Client& client = clients_.items[exchange.client];
  if (exchange.stream != 0) return ConnectionField::none;
  if (!exchange.keep_alive || exchange.close_client || draining_ || client.peer_closed) {
    return ConnectionField::close;
  }
  return exchange.version == http::Version::http_1_0 ? ConnectionField::keep_alive
                                                     : ConnectionField::none;
}

// The settings are the defaults, which ask for nothing, until the route is found.
ZoneFields Stage::zone_fields(const Exchange& exchange) const noexcept {
  return {exchange.settings, clients_.items[exchange.client].secure};
}

void Stage::count_error(EdgeError error) noexcept {
  if (info_of(error).status >= 500 || info_of(error).type >= 1000) {
    counters_.add(ipc::Counter::kHttpEdgeErrors);
  }
  switch (error) {
    case EdgeError::overloaded:
      return counters_.add(ipc::Counter::kHttpOverloaded);
    case EdgeError::origin_busy:
      return counters_.add(ipc::Counter::kHttpOriginBusy);
    case EdgeError::origin_malformed:
      return counters_.add(ipc::Counter::kHttpOriginMalformed);
    case EdgeError::origin_refused:
      return counters_.add(ipc::Counter::kHttpOriginRefused);
    case EdgeError::origin_timeout:
      return counters_.add(ipc::Counter::kHttpOriginTimeout);
    case EdgeError::origin_unreachable:
      return counters_.add(ipc::Counter::kHttpOriginUnreachable);
    case EdgeError::origin_silent:
      return counters_.add(ipc::Counter::kHttpOriginSilent);
    default:
      return;  // counted where it is found, or by its class alone
  }
}

// Gives the client an error page. A request whose body was not read to its end closes the
// connection: what follows on it could be taken for a request.
void Stage::answer_error(std::uint32_t x, EdgeError error) noexcept {
  Exchange& exchange = exchanges_[x];
  if (!exchange.request_done) exchange.close_client = true;
  count_error(error);
  note_error(exchange, error);
  if (exchange.phase == Phase::relaying && info_of(error).origin_fault) {
    count_origin(exchange.remote, ipc::OriginCounter::kNoResponse);
  }
  const ErrorPage common(error, exchange.ray_text());
  const std::string_view custom = custom_page(exchange, error);
  const std::string_view page = custom.empty() ? common.text() : custom;
  compose(x, page, [&](auto& writer, const AnswerContext& context) {
    write_error_head(writer, error, page.size(), context);
  });
  answer_composed(x);
}

void Stage::answer_composed(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  leave_origin(x, false);
  discharge(exchange);
  if (!exchange.request_done) exchange.close_client = true;
  exchange.phase = Phase::answering;
  exchange.phase_since = now_;
  counters_.add(ipc::Counter::kHttpResponses);
  if (exchange.stream != 0) return;  // the session asks for it
  queue_scratch(x, exchange.out_size);
  drive(x);
}

// No exchange is free: the page goes out if it fits, and the connection ends either way.
void Stage::answer_overload(std::uint32_t c) noexcept {
  Exchange none;
  make_ray(none);
  const HttpDate date = http_date(unix_ns(now_, config_.wall_offset) / kNsPerSecond);
  AnswerContext context;
  context.ray = none.ray_text();
  context.date = date.view();
  const ErrorPage page(EdgeError::overloaded, context.ray);
  http1::HeadWriter writer(scratch_);
  write_error_head(writer, EdgeError::overloaded, page.text().size(), context);
  writer.raw(page.text());
  count_error(EdgeError::overloaded);
  transport_.write(clients_[c].id, as_octets(writer.text()), now_);
  linger(c);
}

// The response is whole, or as much of it as there will be: its connection may serve another.
void Stage::release_origin(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  drop_rival(x);
  const std::uint32_t o = exchange.origin;
  if (o == kNoIndex) return;
  if (exchange.origin_stream != 0) return leave_origin(x, true);
  OriginConnection& origin = origins_[o];
  const bool clean = exchange.response_done && exchange.request_done &&
                     exchange.out_sent == exchange.out_size &&
                     transport_.readable(origin.id, now_).empty();
  const base::Duration usable = usable_idle(origin.record);
  if (!clean || !exchange.origin_keep || origin.peer_closed || draining_ ||
      usable == base::Duration{}) {
    return drop_origin(o, clean);
  }
  origin.state = OriginState::idle;
  origin.exchange = kNoIndex;
  exchange.origin = kNoIndex;
  transport_.rest(origin.id);
  const std::uint32_t evicted = pool_.put(o, origin.key, now_, usable);
  if (evicted != kNoIndex) retire_origin(evicted);
}

// The response is with the client.
void Stage::complete(std::uint32_t x) noexcept {
  release_origin(x);
  const base::Time asked = exchanges_[x].asked;
  if (latency_ != nullptr && asked != base::Time{}) {
    latency_->add(ipc::LatencyKind::kHttp, asked);
  }
}

void Stage::finish(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  const std::uint32_t c = exchange.client;
  complete(x);
  const bool keep = connection_field(exchange) != ConnectionField::close && exchange.request_done;
  free_exchange(x);
  if (!keep) return linger(c);
  clients_[c].deadline = now_ + config_.keep_alive_timeout;
  if (transport_.readable(clients_[c].id, now_).empty()) return transport_.rest(clients_[c].id);
  push_ready(c);
}

// Closes our side and reads on for a while: a reset would destroy the answer on its way to a client
// that is still sending (RFC 9112 9.6).
void Stage::linger(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  transport_.close(client.id, now_);
  client.state = ClientState::lingering;
  client.deadline = now_ + config_.linger_timeout;
  read_client(c);
}

void Stage::make_ray(Exchange& exchange) noexcept {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::uint64_t value = next_random();
  for (std::size_t i = 0; i < 16; ++i, value >>= 4) exchange.ray[i] = kDigits[value & 0xf];
  exchange.ray[16] = '-';
  std::memcpy(exchange.ray.data() + 17, config_.colo.data(), 3);
}

}  // namespace brink::l7::proxy
