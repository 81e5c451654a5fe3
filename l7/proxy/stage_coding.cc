// Content codings of response bodies: which one a body gets, and the coder between its origin and
// its client. What is decided and how bodies are coded is l7/compress.
#include <algorithm>
#include <array>
#include <cstring>

#include "l7/http1/chunked.h"
#include "l7/proxy/octets.h"
#include "l7/proxy/stage.h"

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

// What the origin is asked for instead of what request_ says. A decoder is promised to whom may
// need it: until the response is there, others may ask as well.
std::string_view Stage::read_codings(Exchange& exchange) noexcept {
  exchange.codings = compress::read_client(*request_);
  const compress::Settings settings = settings_of(exchange.settings);
  const auto asking = [&](bool can_decode) {
    return compress::accept_encoding_for_origin(settings, exchange.codings, can_decode);
  };
  if (!decodes_ || asking(true) == asking(false)) return asking(false);
  const compress::Pool& pool = *config_.coders;
  const std::size_t free = std::min(pool.gzip_decoders.free(), pool.br_decoders.free());
  if (promised_decoders_ >= free) return asking(false);
  exchange.has_promise = true;
  ++promised_decoders_;
  return asking(true);
}

void Stage::take_promise_back(Exchange& exchange) noexcept {
  promised_decoders_ -= exchange.has_promise;
  exchange.has_promise = false;
}

// What becomes of the body of *response_, a final head; a coder is taken for it. False: the client
// does not take the body as it is, and no decoder is free.
bool Stage::plan_coding(std::uint32_t x, compress::Plan& plan) noexcept {
  if (config_.coders == nullptr) return true;
  Exchange& exchange = exchanges_[x];
  take_promise_back(exchange);
  plan = compress::plan_response(settings_of(exchange.settings), exchange.codings, *response_);
  if (!decodes_ && plan.decode != Coding::identity) plan = {.add_vary = plan.add_vary};
  if (!encodes_) plan = compress::without_encoding(plan);
  if (!plan.changes_body()) return true;
  BodyCoding& coding = codings_[x];
  Begun begun = coding.coder.begin(*config_.coders, plan);
  if (begun == Begun::no_encoder) {
    counters_.add(ipc::Counter::kHttpNoEncoder);
    plan = compress::without_encoding(plan);
    if (!plan.changes_body()) return true;
    begun = coding.coder.begin(*config_.coders, plan);
  }
  if (begun != Begun::ok) {
    counters_.add(ipc::Counter::kHttpNoDecoder);
    return false;
  }
  exchange.coded = response_->body.kind != http::BodyKind::none;
  if (!exchange.coded) {  // the head of what GET would get
    coding.coder.end();
    return true;
  }
  coding.begin_body(plan.encode != Coding::identity);
  if (plan.encode != Coding::identity) counters_.add(ipc::Counter::kHttpEncoded);
  if (plan.decode != Coding::identity) counters_.add(ipc::Counter::kHttpDecoded);
  return true;
}

// Moves the response's body through its coder into `room`, which has at least a byte. needs_room
// with room left: more comes in the next turn.
RelayState Stage::pump_coded(Exchange& exchange, std::span<std::uint8_t> room, std::size_t& written,
                             bool& progressed) noexcept {
  const std::uint32_t x = index_of(exchange);
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
    const RelayState state = pump_response(exchange, to, moved);
    if (state == RelayState::malformed || state == RelayState::too_large) return state;
    if (moved) note_coded(coding);
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
      watch_coded(x);
      return RelayState::needs_input;
    case StepState::needs_room:
      return RelayState::needs_room;
    case StepState::busy:
      rest_coded(x);
      return RelayState::needs_room;
    case StepState::done:
      coding.coder.end();
      return RelayState::done;
    case StepState::failed:
      break;
  }
  return RelayState::malformed;
}

void Stage::note_coded(BodyCoding& coding) noexcept {
  if (!coding.unflushed) coding.held_since = now_;
  coding.unflushed = true;
  coding.moved_at = now_;
}

// The body goes on in the next turn.
void Stage::rest_coded(std::uint32_t x) noexcept {
  resting_.push(x, codings_[x].resting);
}

// The origin may pause now, with something of its body in the encoder.
void Stage::watch_coded(std::uint32_t x) noexcept {
  BodyCoding& coding = codings_[x];
  if (!coding.encodes || !coding.unflushed || coding.watched) return;
  coding.look_at = now_ + kQuiet;
  watched_.push(x, coding.watched);
}

// The same for an HTTP/1 client: chunks of what its connection has room for, or plain bytes where
// its close ends the body.
RelayState Stage::send_coded(Exchange& exchange, bool& progressed) noexcept {
  const tcp::ConnectionId client = clients_[exchange.client].id;
  for (int n = 0; n < kChunksMax; ++n) {
    const std::size_t there =
        std::min({transport_.writable_bytes(client), scratch_.size(), kChunkMax + kFramingMax});
    if (there < kChunkMin) {
      transport_.await_room(client);
      return RelayState::needs_room;
    }
    const std::span<char> text = scratch_.subspan(http1::kChunkHeadMax, there - kFramingMax);
    std::size_t size = 0;
    const RelayState state = pump_coded(exchange, as_octets(text), size, progressed);
    if (state == RelayState::malformed || state == RelayState::too_large) return state;
    const std::span<const std::uint8_t> bytes = frame_coded(exchange, size, state);
    if (transport_.write(client, bytes, now_) < bytes.size()) return RelayState::malformed;
    if (state != RelayState::needs_room || codings_[index_of(exchange)].resting) return state;
  }
  rest_coded(index_of(exchange));
  return RelayState::needs_room;
}

// The `size` bytes that lie behind the space for a chunk's line in scratch_, framed where they are.
std::span<const std::uint8_t> Stage::frame_coded(const Exchange& exchange, std::size_t size,
                                                 RelayState state) noexcept {
  std::size_t begin = http1::kChunkHeadMax;
  std::size_t end = begin + size;
  if (!exchange.raw_until_close) {
    const auto append = [&](std::string_view framing) {
      std::memcpy(scratch_.data() + end, framing.data(), framing.size());
      end += framing.size();
    };
    if (size > 0) {
      std::array<char, http1::kChunkHeadMax> head;
      const std::size_t head_size = http1::write_chunk_head(head, size);
      begin -= head_size;
      std::memcpy(scratch_.data() + begin, head.data(), head_size);
      append(http1::kChunkEnd);
    }
    if (state == RelayState::done) append(http1::kLastChunk);
  }
  return as_octets(scratch_.subspan(begin, end - begin));
}

// Bodies whose time for a flush has come, and those that rested since the last turn.
void Stage::take_coded() noexcept {
  while (watched_.size() > 0 && codings_[watched_.front()].look_at <= now_) {
    const std::uint32_t x = watched_.pop();
    BodyCoding& coding = codings_[x];
    coding.watched = false;
    if (!coding.coder.active() || !coding.unflushed || coding.flow != Flow::more) continue;
    if (now_ - coding.moved_at < kQuiet && now_ - coding.held_since < kHeldMax) {
      watch_coded(x);
      continue;
    }
    coding.flow = Flow::flush;
    coding.holds_output = true;
    drive(x);
  }
  for (std::uint32_t n = resting_.size(); n > 0; --n) {
    const std::uint32_t x = resting_.pop();
    codings_[x].resting = false;
    if (codings_[x].coder.active()) drive(x);
  }
}

}  // namespace brink::l7::proxy
