// Bodies from arbitrary bytes, moved between two framings in arbitrary pieces. Checked: the
// receiver gets the bytes that a plain reader of the whole body finds, framed so that they are
// found again; a body is whole for both readers or for none; not a byte behind its end is taken;
// pieces change nothing.
//
// The first octet chooses the framings, the second and third the sizes of pieces and of room.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "l7/proxy/transfer/body_relay.h"

namespace {

using namespace brink::l7;         // NOLINT
using namespace brink::l7::proxy;  // NOLINT
using http::BodyKind;

void require(bool condition) {
  if (!condition) std::abort();
}

// A body read at once. RFC 9112 7.1, written down once more: a decoder that agrees with itself
// proves nothing.
struct Plain {
  std::string body;
  std::size_t used = 0;
  bool whole = false;
  bool broken = false;
};

std::size_t size_of(std::string_view digits) {
  return static_cast<std::size_t>(std::stoull(std::string(digits), nullptr, 16));
}

Plain read_chunks(std::string_view in) {
  Plain out;
  for (;;) {
    const std::string_view rest = in.substr(out.used);
    const std::size_t digits =
        std::min(rest.find_first_not_of("0123456789abcdefABCDEF"), rest.size());
    const std::size_t end = rest.find("\r\n");
    if (end == std::string_view::npos) break;
    const bool extended = rest[digits] == ';';
    if (digits == 0 || digits > 16 || (!extended && digits != end)) {
      out.broken = true;
      break;
    }
    if (extended || digits == 16) break;  // not read here; nor are trailers
    const std::size_t size = size_of(rest.substr(0, digits));
    if (size == 0) {
      out.whole = rest.substr(end).starts_with("\r\n\r\n");
      if (out.whole) out.used += end + 4;
      break;
    }
    if (size > rest.size() - end - 2) break;
    out.body += rest.substr(end + 2, size);
    if (!rest.substr(end + 2 + size).starts_with("\r\n")) break;
    out.used += end + 2 + size + 2;
  }
  return out;
}

struct Relayed {
  std::string out;
  std::size_t used = 0;
  RelayState state = RelayState::needs_input;
};

Relayed relay(std::string_view in, http::BodyFraming from, BodyKind to, std::size_t piece,
              std::size_t room) {
  static std::vector<std::uint8_t> blocks(kInboxBlocks * BlockPool::kBlockSize);
  static std::vector<std::uint32_t> next(kInboxBlocks);
  BlockPool pool(blocks, next);
  Inbox inbox;
  BodyRelay body;
  body.start(from, to);
  Relayed done;
  std::string buffer(room, '\0');
  std::size_t given = 0;
  // Each turn moves a byte or is given one, but for the last.
  while (done.state != RelayState::done && done.state != RelayState::malformed) {
    const bool starved = done.state == RelayState::needs_input && inbox.empty();
    if (starved && given == in.size() && !body.input_ended()) break;
    const std::size_t wanted = std::min({piece, in.size() - given, std::size_t{kInboxMax}});
    if (inbox.has_room(wanted)) {
      inbox.append(pool, {reinterpret_cast<const std::uint8_t*>(in.data()) + given, wanted});
      given += wanted;
    }
    InboxEnd source(inbox, pool, nullptr, 1);
    RoomEnd sink(buffer);
    bool progressed = false;
    done.state = body.pump(source, sink, progressed);
    require(sink.written() <= room);
    done.out.append(buffer, 0, sink.written());
    if (!progressed && given == in.size() && done.state == RelayState::needs_input &&
        !body.input_ended()) {
      break;
    }
  }
  done.used = given - inbox.size();
  inbox.clear(pool);
  return done;
}

void check_chunked(std::string_view in, BodyKind to, std::size_t piece, std::size_t room) {
  const http::BodyFraming from{BodyKind::chunked, 0};
  const Relayed done = relay(in, from, to, piece, room);
  const Relayed again = relay(in, from, to, SIZE_MAX, 32 * 1024);
  require(done.used == again.used &&
          (done.state == RelayState::done) == (again.state == RelayState::done));
  require((done.state == RelayState::malformed) == (again.state == RelayState::malformed));
  const Plain plain = read_chunks(in);
  if (plain.whole) require(done.state == RelayState::done && done.used == plain.used);
  if (plain.broken) require(done.state == RelayState::malformed);
  if (to != BodyKind::chunked) {
    require(done.out == again.out && (!plain.whole || done.out == plain.body));
    return;
  }
  const Plain sent = read_chunks(done.out);
  require(!sent.broken && sent.whole == (done.state == RelayState::done));
  // Of a body that did not end, the last chunk may be there in part.
  const Plain other = read_chunks(again.out);
  require(sent.body.starts_with(other.body) || other.body.starts_with(sent.body));
  require(!sent.whole || sent.body == other.body);
  require(!plain.whole || sent.body == plain.body);
  require(!sent.whole || sent.used == done.out.size());
}

void check_length(std::string_view in, std::uint64_t length, BodyKind to, std::size_t piece,
                  std::size_t room) {
  const Relayed done = relay(in, {BodyKind::length, length}, to, piece, room);
  const std::string_view body = in.substr(0, std::min<std::size_t>(in.size(), length));
  require((done.state == RelayState::done) == (body.size() == length));
  require(done.used == body.size());
  if (done.state != RelayState::done) return;
  require((to == BodyKind::chunked ? read_chunks(done.out).body : done.out) == body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::string in(reinterpret_cast<const char*>(data) + 3, size - 3);
  const BodyKind to = (data[0] & 1) != 0 ? BodyKind::chunked : BodyKind::until_close;
  const std::size_t piece = 1 + data[1];
  const std::size_t room = 1 + data[2];
  if ((data[0] & 2) == 0) {
    check_chunked(in, to, piece, room);
  } else {
    check_length(in, std::uint64_t{data[0]} >> 2, to, piece, room);
  }
  return 0;
}
