// What the tests of sessions share: an arena and a codec, frames written by hand, and a reader of
// what a session sends.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "l7/http2/session.h"

namespace brink::l7::http2 {

using HeadFields = std::vector<std::pair<std::string, std::string>>;

inline std::string number(std::uint64_t value, int bytes) {
  std::string text;
  while (bytes-- > 0) text.push_back(static_cast<char>(value >> (8 * bytes) & 0xff));
  return text;
}

inline std::string raw_frame(unsigned type, unsigned flags, StreamId stream,
                             std::string_view payload = {}) {
  std::string text = number(payload.size(), 3);
  text += static_cast<char>(type);
  text += static_cast<char>(flags);
  text += number(static_cast<std::uint32_t>(stream), 4);
  return text += payload;
}

// HPACK literals without indexing (RFC 7541 6.2.2), sizes under 127 or in the long form.
inline std::string hpack_text(std::string_view text) {
  std::string out;
  if (text.size() < 127) {
    out.push_back(static_cast<char>(text.size()));
  } else {
    out.push_back(127);
    std::size_t rest = text.size() - 127;
    for (; rest >= 128; rest >>= 7) out.push_back(static_cast<char>(rest % 128 + 128));
    out.push_back(static_cast<char>(rest));
  }
  return out.append(text);
}

inline std::string hpack(const HeadFields& fields) {
  std::string block;
  for (const auto& [name, value] : fields) {
    block += '\0';
    block += hpack_text(name) + hpack_text(value);
  }
  return block;
}

inline constexpr unsigned kEnd = 1;      // END_STREAM
inline constexpr unsigned kEndHead = 4;  // END_HEADERS

inline std::string headers(StreamId stream, const HeadFields& fields, unsigned flags) {
  return raw_frame(1, flags, stream, hpack(fields));
}
inline HeadFields get_fields(const std::string& path = "/") {
  return {{":method", "GET"}, {":scheme", "http"}, {":authority", "a.example"}, {":path", path}};
}
inline std::string get(StreamId stream) {
  return headers(stream, get_fields(), kEnd | kEndHead);
}
inline std::string preface() {
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + raw_frame(4, 0, 0);
}

struct SeenFrame {
  unsigned type;
  unsigned flags;
  StreamId stream;
  std::string payload;
};

inline std::uint32_t number_at(std::string_view text, std::size_t at, int bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(text[at + i]);
  return value;
}

// The whole frames at the start of `text`.
inline std::vector<SeenFrame> frames_of(std::string_view text) {
  std::vector<SeenFrame> frames;
  while (text.size() >= 9) {
    const std::size_t size = number_at(text, 0, 3);
    if (text.size() < 9 + size) break;
    frames.push_back({static_cast<unsigned char>(text[3]), static_cast<unsigned char>(text[4]),
                      static_cast<StreamId>(number_at(text, 5, 4)),
                      std::string(text.substr(9, size))});
    text.remove_prefix(9 + size);
  }
  return frames;
}

// An Event with its borrowed parts copied.
struct SeenEvent {
  EventKind kind;
  StreamId stream;
  std::uint64_t tag;
  std::string bytes;
  HeadFields fields;  // of a head or trailers
  std::uint16_t status = 0;
  http::BodyKind body = http::BodyKind::none;
  std::string method, target, host, protocol;
  http::Scheme scheme = http::Scheme::unsaid;
  http::Verdict verdict;
  ResetCause cause;
  ErrorCode code;
  bool retry;
};

inline HeadFields copy_fields(const http::Fields& fields) {
  HeadFields copy;
  for (const http::Field& field : fields) {
    copy.emplace_back(fields.name(field), fields.value(field));
  }
  return copy;
}

inline SeenEvent copy_event(const Event& event) {
  SeenEvent seen{.kind = event.kind,
                 .stream = event.stream,
                 .tag = event.tag,
                 .bytes = std::string(event.bytes),
                 .fields = {},
                 .method = {},
                 .target = {},
                 .host = {},
                 .protocol = {},
                 .verdict = event.verdict,
                 .cause = event.cause,
                 .code = event.code,
                 .retry = event.retry};
  if (event.request != nullptr) {
    const http::RequestHead& head = *event.request;
    seen.fields = copy_fields(head.fields);
    seen.method = head.fields.text(head.method_text);
    seen.target = head.fields.text(head.target);
    seen.protocol = head.fields.text(head.protocol);
    seen.host = head.authority.host();
    seen.scheme = head.scheme;
    seen.body = head.body.kind;
  }
  if (event.response != nullptr) {
    seen.fields = copy_fields(event.response->fields);
    seen.status = event.response->status;
    seen.body = event.response->body.kind;
  }
  if (event.trailers != nullptr) seen.fields = copy_fields(*event.trailers);
  return seen;
}

// A codec with its arena; every session of a test must be gone before it.
struct CodecWorld {
  explicit CodecWorld(const Settings& server = {}, const Settings& client = {},
                      std::size_t arena_size = 8U * 1024 * 1024)
      : memory(arena_size / sizeof(std::max_align_t)),
        codec(std::as_writable_bytes(std::span(memory)), server, client) {}

  std::vector<std::max_align_t> memory;
  Codec codec;
};

// A server session and a hand that writes frames to it.
class RawClient {
 public:
  explicit RawClient(const Settings& settings = {}) : world_(settings) {
    server.open(world_.codec, {pull, this}, now);
    send(preface());
    send(raw_frame(4, 1, 0));  // the acknowledgement of its SETTINGS
    read();
    frames.clear();
  }

  // Feeds all of `text` and collects events.
  void send(std::string_view text) {
    while (!text.empty()) {
      text.remove_prefix(server.feed(text, now));
      take_events();
    }
  }
  // What the server sends now.
  void read() {
    std::string room(4096, '\0');
    while (const std::size_t n = server.write(room, now)) sent_.append(room, 0, n);
    take_events();
    for (SeenFrame& frame : frames_of(sent_)) {
      sent_.erase(0, 9 + frame.payload.size());
      frames.push_back(std::move(frame));
    }
  }
  void respond(StreamId stream, std::uint16_t status, std::string body_text = {}) {
    char text[128];
    HeadWriter head(text);
    head.status_line(status);
    head.end_head();
    const Body kind = body_text.empty() ? Body::none : Body::source;
    body = std::move(body_text);
    server.respond(stream, head, kind);
  }

  [[nodiscard]] const SeenFrame* find_frame(unsigned type, StreamId stream) const {
    for (const SeenFrame& frame : frames) {
      if (frame.type == type && frame.stream == stream) return &frame;
    }
    return nullptr;
  }
  // The code of RST_STREAM, or -1.
  [[nodiscard]] int reset_code(StreamId stream) const {
    const SeenFrame* const frame = find_frame(3, stream);
    return frame == nullptr ? -1 : static_cast<int>(number_at(frame->payload, 0, 4));
  }
  // The code of GOAWAY, or -1.
  [[nodiscard]] int goaway_code() const {
    const SeenFrame* const frame = find_frame(7, 0);
    return frame == nullptr ? -1 : static_cast<int>(number_at(frame->payload, 4, 4));
  }
  [[nodiscard]] const SeenEvent* find_event(EventKind kind, StreamId stream) const {
    for (const SeenEvent& event : events) {
      if (event.kind == kind && event.stream == stream) return &event;
    }
    return nullptr;
  }
  [[nodiscard]] const Arena& arena() const { return world_.codec.arena(); }

 private:
  static BodyPart pull(void* owner, StreamId, std::uint64_t, std::span<char> room) noexcept {
    std::string& left = static_cast<RawClient*>(owner)->body;
    const std::size_t n = std::min(room.size(), left.size());
    left.copy(room.data(), n);
    left.erase(0, n);
    return {n, left.empty() ? BodyState::end : BodyState::more};
  }
  void take_events() {
    Event event;
    while (server.next_event(event)) events.push_back(copy_event(event));
  }

  CodecWorld world_;
  std::string sent_;

 public:
  base::Time now{std::chrono::seconds{1000}};
  ServerSession server;
  std::vector<SeenEvent> events;
  std::vector<SeenFrame> frames;
  std::string body;
};

}  // namespace brink::l7::http2
