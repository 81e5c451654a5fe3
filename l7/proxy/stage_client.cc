// The client side of the stage: request heads in, decisions, the edge's own answers, ends.
#include <algorithm>
#include <cstring>

#include "l7/http1/head_writer.h"
#include "l7/http1/request_parser.h"
#include "l7/proxy/forwarded_head.h"
#include "l7/proxy/http_date.h"
#include "l7/proxy/stage.h"
#include "l7/route/lookup.h"

namespace brink::l7::proxy {
namespace {

std::string_view as_text(std::span<const std::uint8_t> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::span<const std::uint8_t> as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::int64_t unix_ns(base::Time now, base::Duration wall_offset) noexcept {
  return (now.time_since_epoch() + wall_offset).count();
}

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

}  // namespace

void Stage::read_client(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  if (client.state == ClientState::lingering) {
    for (auto bytes = stack_.readable(client.id); !bytes.empty();
         bytes = stack_.readable(client.id)) {
      stack_.consume(client.id, bytes.size(), now_);
    }
    return;
  }
  if (client.exchange == kNoIndex) {
    if (stack_.readable(client.id).empty()) return;
    if (acquire_exchange(c) == kNoIndex) return answer_overload(c);
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
    const std::string_view fresh = as_text(stack_.readable(client.id));
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
    const http1::Verdict verdict = http1::parse_request(text, config_.request_limits, client.port,
                                                        exchange.progress, request_, head_size);
    if (verdict == http1::Verdict::ok) {
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
    stack_.consume(client.id, added, now_);
  }
}

// `consume`: bytes of the head that are still in the receive queue.
void Stage::begin_request(std::uint32_t x, std::size_t consume) noexcept {
  Exchange& exchange = exchanges_[x];
  counters_.add(ipc::Counter::kHttpRequests);
  exchange.asked = now_;
  exchange.method = request_.method;
  exchange.version = request_.version;
  exchange.keep_alive = request_.keep_alive;
  exchange.expect_continue = request_.expect_continue;
  exchange.request_done = request_.body.kind == http::BodyKind::none;
  exchange.request_framing = request_.body;
  make_ray(exchange);
  EdgeError error = EdgeError::internal;
  const Decision decision = decide(x, error);
  stack_.consume(clients_[exchange.client].id, consume, now_);
  exchange.gathered = 0;
  exchange.progress = {};
  switch (decision) {
    case Decision::forward:
      return start_origin(x);
    case Decision::error:
      return answer_error(x, error);
    case Decision::trace:
      exchange.entry.status = 200;
      return answer_scratch(x, exchange.out_size);
    case Decision::answered:
      return answer_scratch(x, exchange.out_size);
  }
}

// Everything that needs the head's text and the snapshot.
Stage::Decision Stage::decide(std::uint32_t x, EdgeError& error) noexcept {
  Exchange& exchange = exchanges_[x];
  const auto refuse = [&error](EdgeError why) {
    error = why;
    return Decision::error;
  };
  if (request_.method == http::Method::trace) return refuse(EdgeError::method_not_allowed);
  switch (request_.authority.kind) {
    case http::HostKind::absent:
      return refuse(EdgeError::bad_request);
    case http::HostKind::address:
      return refuse(EdgeError::direct_address);
    case http::HostKind::name:
      break;
  }
  if (request_.body.kind == http::BodyKind::length && request_.body.length > config_.body_max) {
    return refuse(EdgeError::content_too_large);
  }
  const Decision routed = decide_route(x, error);
  if (routed != Decision::forward) return routed;

  const std::string_view target = request_.fields.text(request_.target);
  if (target.starts_with("/cdn-cgi/")) {
    if (target.substr(0, target.find('?')) != "/cdn-cgi/trace") return refuse(EdgeError::not_found);
    if (request_.method != http::Method::get && request_.method != http::Method::head) {
      return refuse(EdgeError::method_not_allowed);
    }
    build_trace(x);
    return Decision::trace;
  }
  switch (check_request(request_, exchange.route.zone_name(), config_.strict_forwarded_for)) {
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
  if (exchange.route.origin_count == 0) return refuse(EdgeError::no_origin);
  refuse_origins_of_this_edge(exchange);
  if (exchange.route.origin_count == 0) return refuse(EdgeError::prohibited_address);
  const bool is_built = build_origin_request(x) && keep_facts(x);
  return is_built ? Decision::forward : refuse(EdgeError::fields_too_large);
}

Stage::Decision Stage::decide_route(std::uint32_t x, EdgeError& error) noexcept {
  Exchange& exchange = exchanges_[x];
  route::RouteView route;
  switch (route::find_route(*view_, request_.authority.host(), route)) {
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
  for (std::size_t i = 0; i < exchange.route.origin_count; ++i) {
    base::Endpoint& origin = exchange.route.origins[i];
    if (origin.port == 0) origin.port = clients_[exchange.client].port;
  }
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
  write_origin_request(writer, request_,
                       {.client = clients_[exchange.client].address,
                        .ray = exchange.ray_text(),
                        .zone = exchange.route.zone_name(),
                        .edits = &rules_.front().edits});
  exchange.out_size = static_cast<std::uint32_t>(writer.size());
  exchange.out_sent = 0;
  return writer.ok();
}

// /cdn-cgi/trace into the scratch buffer; its size is left in out_size.
void Stage::build_trace(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  const std::int64_t wall = unix_ns(now_, config_.wall_offset);
  http1::HeadWriter body(out_buffer(x));
  const auto line = [&body](std::string_view key, std::string_view value) {
    body.raw(key);
    body.raw("=");
    body.raw(value);
    body.raw("\n");
  };
  const base::IpText client = clients_[exchange.client].address.text();
  const http::Field* const agent = request_.fields.find(http::FieldName::user_agent);
  line("fl", config_.node);
  line("h", request_.authority.host());
  line("ip", client.view());
  body.raw("ts=");
  body.number(static_cast<std::uint64_t>(wall / kNsPerSecond));
  const auto ms = static_cast<unsigned>(wall / 1'000'000 % 1000);
  const char fraction[] = {'.', static_cast<char>('0' + ms / 100),
                           static_cast<char>('0' + ms / 10 % 10), static_cast<char>('0' + ms % 10),
                           '\n'};
  body.raw({fraction, sizeof fraction});
  line("visit_scheme", "http");
  line("uag", agent == nullptr ? std::string_view{} : request_.fields.value(*agent));
  line("colo", config_.colo);
  line("sliver", "none");
  line("http", request_.version == http::Version::http_1_0 ? "http/1.0" : "http/1.1");
  line("loc", "XX");
  line("tls", "off");
  line("sni", "plaintext");
  line("warp", "off");
  line("gateway", "off");
  http1::HeadWriter writer(scratch_);
  const HttpDate date = http_date(wall / kNsPerSecond);
  AnswerContext context = answer_context(exchange);
  context.date = date.view();
  write_plain_text(writer, body.ok() ? body.text() : std::string_view{}, context);
  exchange.out_size = static_cast<std::uint32_t>(writer.size());
}

ConnectionField Stage::connection_field(const Exchange& exchange) const noexcept {
  const Client& client = clients_.items[exchange.client];
  if (!exchange.keep_alive || exchange.close_client || draining_ || client.peer_closed) {
    return ConnectionField::close;
  }
  return exchange.version == http::Version::http_1_0 ? ConnectionField::keep_alive
                                                     : ConnectionField::none;
}

// `date` is left for the caller, who owns its text.
AnswerContext Stage::answer_context(const Exchange& exchange) noexcept {
  AnswerContext context;
  context.ray = exchange.ray_text();
  context.connection = connection_field(exchange);
  context.head_only = exchange.method == http::Method::head;
  return context;
}

void Stage::count_error(EdgeError error) noexcept {
  if (info_of(error).status >= 500 || info_of(error).type >= 1000) {
    counters_.add(ipc::Counter::kHttpEdgeErrors);
  }
  switch (error) {
    case EdgeError::overloaded:
      return counters_.add(ipc::Counter::kHttpOverloaded);
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
  const HttpDate date = http_date(unix_ns(now_, config_.wall_offset) / kNsPerSecond);
  AnswerContext context = answer_context(exchange);
  context.date = date.view();
  http1::HeadWriter writer(scratch_);
  write_edge_error(writer, error, context);
  answer_scratch(x, writer.size());
}

void Stage::answer_scratch(std::uint32_t x, std::size_t size) noexcept {
  Exchange& exchange = exchanges_[x];
  if (exchange.origin != kNoIndex) drop_origin(exchange.origin, false);
  if (!exchange.request_done) exchange.close_client = true;
  exchange.phase = Phase::answering;
  exchange.phase_since = now_;
  counters_.add(ipc::Counter::kHttpResponses);
  queue_scratch(x, size);
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
  http1::HeadWriter writer(scratch_);
  write_edge_error(writer, EdgeError::overloaded, context);
  count_error(EdgeError::overloaded);
  stack_.write(clients_[c].id, as_bytes(writer.text()), now_);
  linger(c);
}

// The response is in the client's send queue, or as much of it as there will be.
void Stage::finish(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  const std::uint32_t c = exchange.client;
  const std::uint32_t o = exchange.origin;
  if (o != kNoIndex) {
    OriginConnection& origin = origins_[o];
    const bool clean = exchange.response_done && exchange.request_done &&
                       exchange.out_sent == exchange.out_size && stack_.readable(origin.id).empty();
    if (clean && exchange.origin_keep && !origin.peer_closed && !draining_) {
      origin.state = OriginState::idle;
      origin.exchange = kNoIndex;
      exchange.origin = kNoIndex;
      const std::uint32_t evicted = pool_.put(o, origin.remote, now_);
      if (evicted != kNoIndex) drop_origin(evicted, true);
    } else {
      drop_origin(o, clean);
    }
  }
  if (latency_ != nullptr && exchange.asked != base::Time{}) {
    latency_->add(ipc::LatencyKind::kHttp, exchange.asked);
  }
  const bool keep = connection_field(exchange) != ConnectionField::close && exchange.request_done;
  free_exchange(x);
  if (!keep) return linger(c);
  clients_[c].deadline = now_ + config_.keep_alive_timeout;
  push_ready(c);
}

// Closes our side and reads on for a while: a reset would destroy the answer on its way to a client
// that is still sending (RFC 9112 9.6).
void Stage::linger(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  stack_.close(client.id, now_);
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
