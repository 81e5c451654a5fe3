#include "l7/proxy/exchange/body_codings.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "l7/http1/chunked.h"
#include "l7/proxy/transfer/octets.h"

namespace brink::l7::proxy {
namespace {

using compress::Begun;
using compress::Coding;
using compress::Flow;
using compress::StepState;

// What a coder holds back goes out when nothing came for so long, or when it was held for longer.
constexpr base::Duration kQuiet = std::chrono::milliseconds(10);
constexpr base::Duration kHeldMax = std::chrono::milliseconds(100);

// Around what is written to an HTTP/1 client at once: a chunk's line, its end, and the last chunk.
constexpr std::size_t kFramingMax =
    http1::kChunkHeadMax + http1::kChunkEnd.size() + http1::kLastChunk.size();
// Of a client's room; with less a chunk is not worth its framing.
constexpr std::size_t kChunkMin = 512;
constexpr std::size_t kChunkMax = 16 * 1024;
// Chunks of one turn.
constexpr int kChunksMax = 4;

compress::Settings settings_of(const route::SettingsLayout& zone) noexcept {
  return {.brotli = (zone.flags & route::kBrotli) != 0};
}

}  // namespace

BodyCodings::BodyCodings(Turn& turn, const Clients& clients, Exchanges& exchanges,
                         BodySources& bodies, const Memory& memory) noexcept
    : turn_(turn),
      clients_(clients),
      exchanges_(exchanges),
      bodies_(bodies),
      codings_(memory.codings),
      resting_(memory.resting),
      watched_(memory.watched) {
  if (turn.config.coders == nullptr) return;
  encodes_ = turn.config.coders->gzip_encoders.free() != 0;
  decodes_ = turn.config.coders->can_decode();
}

std::string_view BodyCodings::accept_encoding(Exchange& exchange,
                                              const http::RequestHead& request) noexcept {
  exchange.codings = compress::read_client(request);
  const compress::Settings settings = settings_of(exchange.settings);
  const auto asking = [&](bool can_decode) {
    return compress::accept_encoding_for_origin(settings, exchange.codings, can_decode);
  };
  if (!decodes_ || asking(true) == asking(false)) return asking(false);
  const compress::Pool& pool = *turn_.config.coders;
  const std::size_t free = std::min(pool.gzip_decoders.free(), pool.br_decoders.free());
  if (promised_decoders_ >= free) return asking(false);
  exchange.has_promise = true;
  ++promised_decoders_;
  return asking(true);
}

void BodyCodings::take_promise_back(Exchange& exchange) noexcept {
  promised_decoders_ -= exchange.has_promise;
  exchange.has_promise = false;
}

bool BodyCodings::plan(std::uint32_t x, const http::ResponseHead& response,
                       compress::Plan& plan) noexcept {
  if (turn_.config.coders == nullptr) return true;
  Exchange& exchange = exchanges_[x];
  take_promise_back(exchange);
  plan = compress::plan_response(settings_of(exchange.settings), exchange.codings, response);
  if (!decodes_ && plan.decode != Coding::identity) plan = {.add_vary = plan.add_vary};
  if (!encodes_) plan = compress::without_encoding(plan);
  if (!plan.changes_body()) return true;
  BodyCoding& coding = codings_[x];
  Begun begun = coding.coder.begin(*turn_.config.coders, plan);
  if (begun == Begun::no_encoder) {
    turn_.counters.add(ipc::Counter::kHttpNoEncoder);
    plan = compress::without_encoding(plan);
    if (!plan.changes_body()) return true;
    begun = coding.coder.begin(*turn_.config.coders, plan);
  }
  if (begun != Begun::ok) {
    turn_.counters.add(ipc::Counter::kHttpNoDecoder);
    return false;
  }
  exchange.coded = response.body.kind != http::BodyKind::none;
  if (!exchange.coded) {  // the head of what GET would get
    coding.coder.end();
    return true;
  }
  coding.begin_body(plan.encode != Coding::identity);
  if (plan.encode != Coding::identity) turn_.counters.add(ipc::Counter::kHttpEncoded);
  if (plan.decode != Coding::identity) turn_.counters.add(ipc::Counter::kHttpDecoded);
  return true;
}

void BodyCodings::end(std::uint32_t x) noexcept {
  take_promise_back(exchanges_[x]);
  if (exchanges_[x].coded) codings_[x].coder.end();
}

RelayState BodyCodings::pump(Exchange& exchange, std::span<std::uint8_t> room, std::size_t& written,
                             bool& progressed) noexcept {
  const std::uint32_t x = exchanges_.index_of(exchange);
  BodyCoding& coding = codings_[x];
  written = 0;
  if (coding.resting) return RelayState::needs_room;
  CodedEnd to(coding.coder, room);
  // What had no room goes first.
  if (coding.holds_output) to.run_dry(coding.flow);
  if (to.state() == StepState::needs_input && coding.flow != Flow::finish) {
    if (coding.flow == Flow::flush) coding.unflushed = false;
    coding.flow = Flow::more;
    bool moved = false;
    const RelayState state = bodies_.pump_response(exchange, to, moved);
    if (state == RelayState::malformed || state == RelayState::too_large) return state;
    if (moved) note_moved(coding);
    progressed |= moved;
    if (state == RelayState::done && to.state() == StepState::needs_input) {
      coding.flow = Flow::finish;
      to.run_dry(Flow::finish);
    }
  }
  coding.holds_output = to.state() != StepState::needs_input;
  written = to.written();
  progressed |= written > 0;
  exchange.entry.response_bytes += written;
  switch (to.state()) {
    case StepState::needs_input:
      watch(x);
      return RelayState::needs_input;
    case StepState::needs_room:
      return RelayState::needs_room;
    case StepState::busy:
      rest(x);
      return RelayState::needs_room;
    case StepState::done:
      coding.coder.end();
      return RelayState::done;
    case StepState::failed:
      break;
  }
  return RelayState::malformed;
}

void BodyCodings::note_moved(BodyCoding& coding) noexcept {
  if (!coding.unflushed) coding.held_since = turn_.now;
  coding.unflushed = true;
  coding.moved_at = turn_.now;
}

// The body goes on in the next turn.
void BodyCodings::rest(std::uint32_t x) noexcept {
  resting_.push(x, codings_[x].resting);
}

// The origin may pause now, with something of its body in the encoder.
void BodyCodings::watch(std::uint32_t x) noexcept {
  BodyCoding& coding = codings_[x];
  if (!coding.encodes || !coding.unflushed || coding.watched) return;
  coding.look_at = turn_.now + kQuiet;
  watched_.push(x, coding.watched);
}

RelayState BodyCodings::send(Exchange& exchange, bool& progressed) noexcept {
  const tcp::ConnectionId client = clients_[exchange.client].id;
  for (int n = 0; n < kChunksMax; ++n) {
    const std::size_t there = std::min(
        {turn_.transport.writable_bytes(client), turn_.scratch.size(), kChunkMax + kFramingMax});
    if (there < kChunkMin) {
      turn_.transport.await_room(client);
      return RelayState::needs_room;
    }
    const std::span<char> text = turn_.scratch.subspan(http1::kChunkHeadMax, there - kFramingMax);
    std::size_t size = 0;
    const RelayState state = pump(exchange, as_octets(text), size, progressed);
    if (state == RelayState::malformed || state == RelayState::too_large) return state;
    const std::span<const std::uint8_t> bytes = frame(exchange, size, state);
    if (turn_.transport.write(client, bytes, turn_.now) < bytes.size())
      return RelayState::malformed;
    if (state != RelayState::needs_room || codings_[exchanges_.index_of(exchange)].resting)
      return state;
  }
  rest(exchanges_.index_of(exchange));
  return RelayState::needs_room;
}

// The `size` bytes that lie behind the space for a chunk's line in turn_.scratch, framed where they
// are.
std::span<const std::uint8_t> BodyCodings::frame(const Exchange& exchange, std::size_t size,
                                                 RelayState state) noexcept {
  std::size_t begin = http1::kChunkHeadMax;
  std::size_t end = begin + size;
  if (!exchange.raw_until_close) {
    const auto append = [&](std::string_view framing) {
      std::memcpy(turn_.scratch.data() + end, framing.data(), framing.size());
      end += framing.size();
    };
    if (size > 0) {
      std::array<char, http1::kChunkHeadMax> head;
      const std::size_t head_size = http1::write_chunk_head(head, size);
      begin -= head_size;
      std::memcpy(turn_.scratch.data() + begin, head.data(), head_size);
      append(http1::kChunkEnd);
    }
    if (state == RelayState::done) {
      append(exchange.trailers_size > 0 ? http1::kLastChunkHead : http1::kLastChunk);
    }
  }
  return as_octets(turn_.scratch.subspan(begin, end - begin));
}

std::uint32_t BodyCodings::take_unflushed() noexcept {
  while (watched_.size() > 0 && codings_[watched_.front()].look_at <= turn_.now) {
    const std::uint32_t x = watched_.pop();
    BodyCoding& coding = codings_[x];
    coding.watched = false;
    if (!coding.coder.active() || !coding.unflushed || coding.flow != Flow::more) continue;
    if (turn_.now - coding.moved_at < kQuiet && turn_.now - coding.held_since < kHeldMax) {
      watch(x);
      continue;
    }
    coding.flow = Flow::flush;
    coding.holds_output = true;
    return x;
  }
  return kNoIndex;
}

std::uint32_t BodyCodings::take_rested() noexcept {
  const std::uint32_t x = resting_.pop();
  codings_[x].resting = false;
  return codings_[x].coder.active() ? x : kNoIndex;
}

base::Time BodyCodings::next_flush() const noexcept {
  return watched_.size() == 0 ? base::Time::max() : codings_[watched_.front()].look_at;
}

}  // namespace brink::l7::proxy
