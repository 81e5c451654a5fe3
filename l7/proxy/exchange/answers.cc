#include "l7/proxy/exchange/answers.h"

#include <algorithm>
#include <cstring>

#include "l7/http1/head_writer.h"
#include "l7/proxy/head/http_date.h"
#include "l7/proxy/state/ray.h"
#include "l7/proxy/transfer/octets.h"

namespace brink::l7::proxy {
namespace {

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

Answers::Answers(Turn& turn, const Uses& uses) noexcept
    : turn_(turn),
      clients_(uses.clients),
      exchanges_(uses.exchanges),
      connections_(uses.connections),
      output_(uses.output),
      books_(uses.books),
      origins_(uses.origins),
      pages_(uses.pages),
      log_(uses.log),
      traffic_(uses.traffic),
      lifecycle_(uses.lifecycle) {}

// Over HTTP/1 its size goes into out_size. `write_head` is called with a head writer and an
// AnswerContext.
template <typename WriteHead>
bool Answers::compose(std::uint32_t x, std::string_view body, WriteHead write_head) noexcept {
  Exchange& exchange = exchanges_[x];
  const HttpDate date = http_date(turn_.unix_s());
  const AnswerContext context{.ray = exchange.ray_text(),
                              .date = date.view(),
                              .connection = output_.connection_field(exchange),
                              .zone = output_.zone_fields(exchange)};
  if (exchange.method == http::Method::head) body = {};
  if (body.size() > turn_.scratch.size()) return false;
  if (exchange.stream != 0) {
    http2::HeadWriter writer(turn_.scratch);
    write_head(writer, context);
    if (writer.ok()) output_.respond_composed(x, writer, body);
    return writer.ok();
  }
  http1::HeadWriter writer(turn_.scratch);
  write_head(writer, context);
  writer.raw(body);
  exchange.out_size = static_cast<std::uint32_t>(writer.size());
  return writer.ok();
}

bool Answers::compose_answer(std::uint32_t x, const AnswerHead& head,
                             std::string_view body) noexcept {
  return compose(x, body, [&head](auto& writer, const AnswerContext& context) {
    write_answer_head(writer, head, context);
  });
}

void Answers::compose_redirect(std::uint32_t x, const http::RequestHead& request,
                               std::string_view scheme) noexcept {
  turn_.counters.add(ipc::Counter::kHttpsRedirects);
  exchanges_[x].entry.status = 301;
  const Redirect to{scheme, request.authority.host(), request.fields.text(request.target)};
  compose(x, {}, [&to](auto& writer, const AnswerContext& context) {
    write_redirect_head(writer, to, context);
  });
}

void Answers::compose_trace(std::uint32_t x, const http::RequestHead& request) noexcept {
  Exchange& exchange = exchanges_[x];
  exchange.entry.status = 200;
  const std::int64_t wall = turn_.unix_ns();
  const tls::Stream* const security = turn_.transport.security(clients_[exchange.client].id);
  http1::HeadWriter body(exchanges_.out(x));
  const auto line = [&body](std::string_view key, std::string_view value) {
    body.raw(key);
    body.raw("=");
    body.raw(value);
    body.raw("\n");
  };
  const base::IpText client = clients_[exchange.client].address.text();
  const http::Field* const agent = request.fields.find(http::FieldName::user_agent);
  line("fl", turn_.config.node);
  line("h", request.authority.host());
  line("ip", client.view());
  body.raw("ts=");
  body.number(static_cast<std::uint64_t>(turn_.unix_s()));
  const auto ms = static_cast<unsigned>(wall / 1'000'000 % 1000);
  const char fraction[] = {'.', static_cast<char>('0' + ms / 100),
                           static_cast<char>('0' + ms / 10 % 10), static_cast<char>('0' + ms % 10),
                           '\n'};
  body.raw({fraction, sizeof fraction});
  line("visit_scheme", security != nullptr ? "https" : "http");
  line("uag", agent == nullptr ? std::string_view{} : request.fields.value(*agent));
  line("colo", turn_.config.colo);
  line("sliver", "none");
  line("http", name_of(request.version));
  line("loc", exchange.country.view());
  line("tls", security != nullptr ? tls::name_of(security->info().version) : "off");
  const bool named = security != nullptr && !security->info().server_name.empty();
  line("sni", named ? "plaintext" : "off");
  line("warp", "off");
  line("gateway", "off");
  const std::string_view text = body.ok() ? body.text() : std::string_view{};
  compose_answer(x, {.body_size = text.size()}, text);
}

void Answers::count_error(EdgeError error) noexcept {
  if (info_of(error).status >= 500 || info_of(error).type >= 1000) {
    turn_.counters.add(ipc::Counter::kHttpEdgeErrors);
  }
  switch (error) {
    case EdgeError::overloaded:
      return turn_.counters.add(ipc::Counter::kHttpOverloaded);
    case EdgeError::origin_busy:
      return turn_.counters.add(ipc::Counter::kHttpOriginBusy);
    case EdgeError::origin_malformed:
      return turn_.counters.add(ipc::Counter::kHttpOriginMalformed);
    case EdgeError::origin_refused:
      return turn_.counters.add(ipc::Counter::kHttpOriginRefused);
    case EdgeError::origin_timeout:
      return turn_.counters.add(ipc::Counter::kHttpOriginTimeout);
    case EdgeError::origin_unreachable:
      return turn_.counters.add(ipc::Counter::kHttpOriginUnreachable);
    case EdgeError::origin_silent:
      return turn_.counters.add(ipc::Counter::kHttpOriginSilent);
    default:
      return;  // counted where it is found, or by its class alone
  }
}

void Answers::error(std::uint32_t x, EdgeError error) noexcept {
  Exchange& exchange = exchanges_[x];
  if (!exchange.request_done) exchange.close_client = true;
  count_error(error);
  log_.note_error(exchange, error);
  if (exchange.phase == Phase::relaying && info_of(error).origin_fault) {
    traffic_.count_origin(exchange, ipc::OriginCounter::kNoResponse);
  }
  const ErrorPage common(error, exchange.ray_text());
  const std::string_view custom = pages_.write(exchange, error);
  const std::string_view page = custom.empty() ? common.text() : custom;
  compose(x, page, [&](auto& writer, const AnswerContext& context) {
    write_error_head(writer, error, page.size(), context);
  });
  send(x);
}

void Answers::send(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  origins_.leave(x, false);
  books_.discharge(exchange);
  if (!exchange.request_done) exchange.close_client = true;
  exchange.phase = Phase::answering;
  exchange.phase_since = turn_.now;
  turn_.counters.add(ipc::Counter::kHttpResponses);
  if (exchange.stream != 0) return;  // the session asks for it
  output_.queue(x, exchange.out_size);
  if (output_.flush(exchange)) lifecycle_.finish(x);
}

void Answers::overload(std::uint32_t c) noexcept {
  Exchange none;
  none.ray = make_ray(turn_);
  const HttpDate date = http_date(turn_.unix_s());
  AnswerContext context;
  context.ray = none.ray_text();
  context.date = date.view();
  const ErrorPage page(EdgeError::overloaded, context.ray);
  http1::HeadWriter writer(turn_.scratch);
  write_error_head(writer, EdgeError::overloaded, page.text().size(), context);
  writer.raw(page.text());
  count_error(EdgeError::overloaded);
  turn_.transport.write(clients_[c].id, as_octets(writer.text()), turn_.now);
  connections_.linger(c);
}

}  // namespace brink::l7::proxy
