#include "l7/proxy/exchange/response_heads.h"

#include <algorithm>
#include <cstring>

#include "l7/http/chars.h"
#include "l7/http1/response_parser.h"
#include "l7/proxy/head/http_date.h"
#include "l7/proxy/head/redirect_loop.h"
#include "l7/proxy/transfer/octets.h"

namespace brink::l7::proxy {
namespace {

// Interim responses of one request beyond this are an origin out of order.
constexpr int kInterimMax = 16;

}  // namespace

ResponseHeads::ResponseHeads(Turn& turn, const Uses& uses) noexcept
    : turn_(turn),
      clients_(uses.clients),
      exchanges_(uses.exchanges),
      books_(uses.books),
      origins_(uses.origins),
      codings_(uses.codings),
      rules_(uses.rules),
      output_(uses.output),
      answers_(uses.answers),
      traffic_(uses.traffic) {}

bool ResponseHeads::read(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  if (exchange.origin_stream != 0) return false;  // take() gets it
  const tcp::ConnectionId origin = origins_[exchange.origin].id;
  const std::span<char> in = exchanges_.in(x);
  for (;;) {
    const std::span<const std::uint8_t> fresh = turn_.transport.readable(origin, turn_.now);
    if (fresh.empty()) return false;
    note_seen(exchange);
    const std::uint32_t before = exchange.gathered;
    const std::size_t added =
        std::min<std::size_t>(fresh.size(), turn_.config.response_limits.head_max - before);
    std::string_view text = as_text(fresh);
    if (before != 0) {
      std::memcpy(in.data() + before, fresh.data(), added);
      text = {in.data(), before + added};
    }
    std::uint32_t head_size = 0;
    const http1::Verdict verdict = http1::parse_response(
        text, turn_.config.response_limits, exchange.method, exchange.progress, parsed_, head_size);
    if (verdict == http1::Verdict::ok) return begin(x, parsed_, head_size - before);
    if (verdict != http1::Verdict::incomplete) {
      answers_.error(x, EdgeError::origin_malformed);
      return false;
    }
    if (before == 0) std::memcpy(in.data(), fresh.data(), added);
    exchange.gathered = before + static_cast<std::uint32_t>(added);
    turn_.transport.consume(origin, added, turn_.now);
  }
}

bool ResponseHeads::take(std::uint32_t x, const http::ResponseHead& response) noexcept {
  exchanges_[x].from_session = true;
  note_seen(exchanges_[x]);
  return begin(x, response, 0);
}

void ResponseHeads::note_seen(Exchange& exchange) noexcept {
  if (!exchange.response_seen) {
    exchange.response_seen = true;
    exchange.entry.first_byte_us = us_between(exchange.noted_at, turn_.now);
  }
  exchange.last_progress = turn_.now;
}

// Forwards a parsed head. `consume`: bytes of it that are still in the receive queue. False: the
// exchange has ended or changed.
bool ResponseHeads::begin(std::uint32_t x, const http::ResponseHead& response,
                          std::size_t consume) noexcept {
  Exchange& exchange = exchanges_[x];
  if (refuse(x, response)) return false;
  const bool interim = response.status < 200;
  const bool switching = response.status == 101;
  ResponseContext context;
  context.ray = exchange.ray_text();
  const HttpDate date = http_date(turn_.unix_s());
  context.date = date.view();
  if (!interim && !codings_.plan(x, response, context.plan)) {
    answers_.error(x, EdgeError::overloaded);
    return false;
  }
  frame(exchange, response, context);
  if (!rules_.run_on_response(x, response)) {
    answers_.error(x, EdgeError::internal);
    return false;
  }
  context.edits = &rules_.edits();
  context.zone = output_.zone_fields(exchange);
  // 100 answers an expectation; without one, or to an HTTP/1.0 client, it means nothing.
  const bool wanted = !interim || switching ||
                      (exchange.version != http::Version::http_1_0 &&
                       (response.status != 100 || exchange.expect_continue));
  std::size_t size = 0;
  if (!output_.write(x, response, context, wanted, size)) {
    answers_.error(x, EdgeError::origin_malformed);
    return false;
  }
  if (consume > 0) turn_.transport.consume(origins_[exchange.origin].id, consume, turn_.now);
  exchange.gathered = 0;
  exchange.progress = {};
  // Of an interim head, too: a body that it announces is never read, and might pass for an answer.
  exchange.origin_keep = exchange.origin_keep && response.keep_alive;
  if (switching) {
    begin_tunnel(x, size);
  } else if (interim) {
    if (wanted) output_.send(x, size);
  } else {
    begin_body(x, response, context.body_out);
    output_.send(x, size);
  }
  return true;
}

// What is not passed on; the exchange is answered then.
bool ResponseHeads::refuse(std::uint32_t x, const http::ResponseHead& response) noexcept {
  Exchange& exchange = exchanges_[x];
  const bool interim = response.status < 200;
  const bool switching = response.status == 101;
  if ((switching && !is_granted(exchange, response)) ||
      (interim && ++exchange.interim_count > kInterimMax)) {
    answers_.error(x, EdgeError::origin_malformed);
    return true;
  }
  if (!interim || switching) traffic_.count_origin_response(exchange, response.status);
  if (interim || !leads_back(x, response)) return false;
  turn_.counters.add(ipc::Counter::kHttpRedirectLoops);
  answers_.error(x, EdgeError::redirect_loop);
  return true;
}

// How the body is framed towards the client, and what becomes of the client's connection.
void ResponseHeads::frame(Exchange& exchange, const http::ResponseHead& response,
                          ResponseContext& context) noexcept {
  const bool old_client = exchange.version == http::Version::http_1_0;
  const bool interim = response.status < 200;
  context.body_out = response.body.kind;
  if (response.body.kind == http::BodyKind::chunked ||
      response.body.kind == http::BodyKind::until_close || exchange.coded) {
    const bool framed = !old_client && exchange.stream == 0;
    context.body_out = framed ? http::BodyKind::chunked : http::BodyKind::until_close;
  }
  exchange.raw_until_close =
      exchange.stream == 0 && context.body_out == http::BodyKind::until_close;
  if (response.status == 101) {
    context.switched = exchange.stream == 0 ? Switched::http1 : Switched::http2;
  }
  // An early response: the rest of the request is not waited for, so nothing may follow it.
  if (!interim && (!exchange.request_done || exchange.raw_until_close)) {
    exchange.close_client = true;
  }
  context.connection = output_.connection_field(exchange);
}

// A 101 answers what was asked for, and nothing else.
bool ResponseHeads::is_granted(const Exchange& exchange,
                               const http::ResponseHead& response) const noexcept {
  const http::Field* const upgrade = response.fields.find(http::FieldName::upgrade);
  return exchange.websocket && response.upgrade && upgrade != nullptr &&
         http::equals_ignoring_case(response.fields.value(*upgrade), "websocket");
}

// The request's target is where it was written for the origin; the client's own head is gone.
bool ResponseHeads::leads_back(std::uint32_t x, const http::ResponseHead& response) noexcept {
  const Exchange& exchange = exchanges_[x];
  const std::string_view sent(exchanges_.out(x).data(), exchange.out_size);
  const std::string_view target = http::text_from(sent, sent.find(' ') + 1);
  return is_redirect_loop(response,
                          {.client_secure = clients_[exchange.client].secure,
                           .origin_secure = exchange.security != 0,
                           .host = exchange.host.text(),
                           .target = target.substr(0, target.find(' '))},
                          exchange.settings);
}

// From here on bytes are carried both ways until either side ends.
void ResponseHeads::begin_tunnel(std::uint32_t x, std::size_t head_size) noexcept {
  Exchange& exchange = exchanges_[x];
  turn_.counters.add(ipc::Counter::kHttpResponses);
  turn_.counters.add(ipc::Counter::kHttpTunnels);
  exchange.entry.status = exchange.stream == 0 ? 101 : 200;
  exchange.entry.origin_status = 101;
  exchange.tunnel = true;
  exchange.request_done = false;
  exchange.response_started = true;
  exchange.origin_keep = false;
  exchange.close_client = true;
  exchange.raw_until_close = exchange.stream == 0;
  exchange.request_body.start({http::BodyKind::until_close, 0}, http::BodyKind::until_close);
  exchange.response_body.start({http::BodyKind::until_close, 0}, http::BodyKind::until_close);
  output_.send(x, head_size);
}

// The final head is here.
void ResponseHeads::begin_body(std::uint32_t x, const http::ResponseHead& response,
                               http::BodyKind out) noexcept {
  Exchange& exchange = exchanges_[x];
  turn_.counters.add(ipc::Counter::kHttpResponses);
  exchange.entry.status = exchange.entry.origin_status = response.status;
  books_.note_keep_alive(exchange, response);
  exchange.response_started = true;
  exchange.chunked_out = out == http::BodyKind::chunked;
  http::BodyFraming from = response.body;
  if (exchange.origin_stream != 0 && from.kind == http::BodyKind::chunked) {
    from.kind = http::BodyKind::until_close;  // a stream's frames are off already
  }
  // A coder's bytes are framed behind it.
  exchange.response_body.start(from, exchange.coded ? http::BodyKind::until_close : out);
}

}  // namespace brink::l7::proxy
