// RequestHead and ResponseHead: one message head without its HTTP version's wire form. Every codec
// (HTTP/1 now, HTTP/2 and HTTP/3 beside it) fills these; every later stage reads only these.
//
// Text stays where the codec put it: a Slice or Field is an offset into the codec's header buffer,
// which `fields.base` borrows. The buffer must outlive the head; nothing here owns memory.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "l7/http/authority.h"
#include "l7/http/field_name.h"
#include "l7/http/method.h"

namespace brink::l7::http {

// More fields than this are refused (431), whatever their size.
inline constexpr std::size_t kMaxFields = 128;
// A head that the edge has written and reads again has the fields that it added, too.
inline constexpr std::size_t kFieldsRoom = kMaxFields + 32;

struct Slice {
  std::uint32_t at = 0;
  std::uint32_t size = 0;
};

// Field flags.
inline constexpr std::uint8_t kFieldHopByHop = 1;  // not forwarded, RFC 9110 7.6.1

struct Field {
  std::uint32_t name_at;
  std::uint32_t value_at;
  std::uint32_t value_size;
  std::uint16_t name_size;
  FieldName id;
  std::uint8_t flags;
};
static_assert(sizeof(Field) == 16);

struct Fields {
  const char* base = nullptr;
  std::uint32_t count = 0;
  std::array<Field, kFieldsRoom> entries;  // only the first `count` are initialised

  Fields() noexcept {}  // NOLINT: entries stay uninitialised on purpose, 2.5 KiB a request

  [[nodiscard]] std::string_view text(Slice slice) const noexcept {
    return {base + slice.at, slice.size};
  }
  [[nodiscard]] std::string_view name(const Field& field) const noexcept {
    return {base + field.name_at, field.name_size};
  }
  [[nodiscard]] std::string_view value(const Field& field) const noexcept {
    return {base + field.value_at, field.value_size};
  }
  [[nodiscard]] const Field* begin() const noexcept { return entries.data(); }
  [[nodiscard]] const Field* end() const noexcept { return entries.data() + count; }
  [[nodiscard]] Field* begin() noexcept { return entries.data(); }
  [[nodiscard]] Field* end() noexcept { return entries.data() + count; }

  // The first field of that id, or nullptr.
  [[nodiscard]] const Field* find(FieldName id) const noexcept {
    for (const Field& field : *this) {
      if (field.id == id) return &field;
    }
    return nullptr;
  }
};

enum class Version : std::uint8_t { http_1_0, http_1_1, http_2, http_3 };

// What the client says that it speaks; HTTP/1 says it with absolute-form targets alone.
enum class Scheme : std::uint8_t { unsaid, http, https };

// How a message's body ends.
enum class BodyKind : std::uint8_t {
  none,         // no body
  length,       // `length` bytes
  chunked,      // self-delimited by the codec (chunked, HTTP/2 and HTTP/3 streams of unknown size)
  until_close,  // HTTP/1 responses only
};

struct BodyFraming {
  BodyKind kind = BodyKind::none;
  std::uint64_t length = 0;
};

struct RequestHead {
  Method method = Method::other;
  Version version = Version::http_1_1;
  bool keep_alive = true;
  bool expect_continue = false;
  bool websocket = false;  // asks for one: RFC 6455 4.1, or RFC 8441 5
  BodyFraming body;
  Slice method_text;
  Slice target;  // path and query, starts with '/'; "*" for OPTIONS * only
  Scheme scheme = Scheme::unsaid;
  Slice protocol;  // extended CONNECT (RFC 8441 4): "websocket"; empty for all else
  Authority authority;
  Fields fields;
};

struct ResponseHead {
  std::uint16_t status = 0;
  Version version = Version::http_1_1;
  bool keep_alive = true;
  bool upgrade = false;  // a Connection option says so
  // Content-Length of a response that carries no body (HEAD, 304): forwarded, but frames nothing.
  bool has_content_length = false;
  std::uint64_t content_length = 0;
  BodyFraming body;
  Slice reason;
  Fields fields;
};

}  // namespace brink::l7::http
