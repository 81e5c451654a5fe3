#include "l7/proxy/exchange/exchange_lifecycle.h"

#include "l7/log/entry.h"

namespace brink::l7::proxy {

ExchangeLifecycle::ExchangeLifecycle(Turn& turn, const Uses& uses) noexcept
    : turn_(turn),
      clients_(uses.clients),
      exchanges_(uses.exchanges),
      connections_(uses.connections),
      sessions_(uses.sessions),
      output_(uses.output),
      books_(uses.books),
      origins_(uses.origins),
      codings_(uses.codings),
      log_(uses.log),
      traffic_(uses.traffic) {}

std::uint32_t ExchangeLifecycle::acquire(std::uint32_t c) noexcept {
  const std::uint32_t x = exchanges_.acquire();
  if (x == kNoIndex) return x;
  Exchange& exchange = exchanges_[x];
  exchange = Exchange{};
  log_.clear(x);
  exchange.client = c;
  exchange.phase_since = turn_.now;
  exchange.last_progress = turn_.now;
  return x;
}

void ExchangeLifecycle::free(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  // A connection that ended before it asked for anything is no request.
  if (exchange.noted_at != base::Time{}) {
    log_.close(exchange);
    traffic_.count_zone(exchange);
    log_.write(exchange);
  }
  codings_.end(x);
  origins_.drop_rival(x);
  books_.discharge(exchange);
  exchange.inbox.clear(exchanges_.blocks());
  exchange.response_inbox.clear(exchanges_.blocks());
  exchange.sent.clear(exchanges_.blocks());
  if (exchange.stream == 0) clients_[exchange.client].exchange = kNoIndex;
  exchange.client = kNoIndex;
  exchange.origin = kNoIndex;
  exchange.stream = 0;
  exchanges_.give_back(x);
}

void ExchangeLifecycle::complete(std::uint32_t x) noexcept {
  origins_.release(x);
  const base::Time asked = exchanges_[x].asked;
  if (latency_ != nullptr && asked != base::Time{}) {
    latency_->add(ipc::LatencyKind::kHttp, asked);
  }
}

void ExchangeLifecycle::finish(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  const std::uint32_t c = exchange.client;
  complete(x);
  const bool keep =
      output_.connection_field(exchange) != ConnectionField::close && exchange.request_done;
  free(x);
  if (!keep) return connections_.linger(c);
  clients_[c].deadline = turn_.now + turn_.config.keep_alive_timeout;
  if (turn_.transport.readable(clients_[c].id, turn_.now).empty())
    return turn_.transport.rest(clients_[c].id);
  connections_.push_ready(c);
}

void ExchangeLifecycle::cut_short(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  const std::uint32_t c = exchange.client;
  turn_.counters.add(ipc::Counter::kHttpTruncated);
  exchange.entry.flags |= log::kTruncated;
  if (exchange.stream != 0) return reset_stream(x, http2::ErrorCode::internal_error);
  if (exchange.raw_until_close) return abort_client(c);
  origins_.leave(x, false);
  free(x);
  connections_.linger(c);
}

void ExchangeLifecycle::reset_stream(std::uint32_t x, http2::ErrorCode code) noexcept {
  const Exchange& exchange = exchanges_[x];
  sessions_.session_of(exchange).reset(exchange.stream, code);
  sessions_.push_flush(exchange.client);
  origins_.release(x);
  free(x);
}

void ExchangeLifecycle::lose_client(std::uint32_t x) noexcept {
  turn_.counters.add(ipc::Counter::kHttpClientAborts);
  exchanges_[x].entry.flags |= log::kAborted;
}

void ExchangeLifecycle::give_up_client(std::uint32_t x) noexcept {
  lose_client(x);
  if (exchanges_[x].stream != 0) return reset_stream(x, http2::ErrorCode::cancel);
  abort_client(exchanges_[x].client);
}

void ExchangeLifecycle::abandon(std::uint32_t x) noexcept {
  if (x == kNoIndex) return;
  origins_.leave(x, false);
  free(x);
}

void ExchangeLifecycle::abort_client(std::uint32_t c) noexcept {
  abandon(clients_[c].exchange);
  connections_.abort(c);
}

}  // namespace brink::l7::proxy
