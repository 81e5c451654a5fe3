// What becomes of a response body's coding, decided from parsed heads alone: compressed for the
// client, decoded for a client that does not take the origin's coding, both, or left as it is.
// Pure functions; RFC 9110 8.4, 12.5.3.
#pragma once

#include <cstdint>
#include <string_view>

#include "l7/compress/accept_encoding.h"
#include "l7/compress/coding.h"
#include "l7/http/head.h"

namespace brink::l7::compress {

// Smaller bodies are left alone: what the coding's frame adds is more than it takes.
inline constexpr std::uint64_t kGzipLengthMin = 48;
inline constexpr std::uint64_t kBrotliLengthMin = 50;
inline constexpr std::uint64_t kZstdLengthMin = 50;

// A zone's settings.
struct Settings {
  bool brotli = true;
  bool zstd = true;
  // A response with a strong ETag passes byte by byte, and the client's Accept-Encoding reaches the
  // origin.
  bool respect_strong_etags = false;
};

// What must be known of a request when its response comes. Small, to be kept with the exchange.
struct ClientFacts {
  Accepted accepted;
  bool is_head = false;
  bool is_http_1_0 = false;
  bool asks_range = false;
  bool has_weak_etag = false;  // If-None-Match names one: perhaps one that was weakened here
};

ClientFacts read_client(const http::RequestHead& head) noexcept;

// The Accept-Encoding that the origin gets: "br, gzip" ("gzip" without brotli) whatever the client
// takes. Of it only what the client takes, or "identity", for a range, which cannot be decoded, and
// while `can_decode` is false (Pool::can_decode). Empty: the client's own field passes as it came.
std::string_view accept_encoding_for_origin(const Settings& settings, const ClientFacts& client,
                                            bool can_decode) noexcept;

struct Plan {
  Coding decode = Coding::identity;  // taken off the origin's body first
  Coding encode = Coding::identity;  // put on for the client
  bool add_vary = false;             // "Vary: Accept-Encoding" is to be added
  bool weaken_etag = false;          // the ETag is strong and the body's bytes are not the origin's

  [[nodiscard]] bool changes_body() const noexcept {
    return decode != Coding::identity || encode != Coding::identity;
  }
};

// Encoded are responses of status 200, 403 and 404 with a compressible type and no coding yet,
// unless they are ranges, say no-transform, are too short, or the client speaks HTTP/1.0 (its body
// would have no end mark). Decoded is gzip or br that the client does not take; not ranges and
// no-transform, which pass as they are. HEAD gets the plan of GET. A 304 changes no body; its ETag
// is weakened when the client asked with a weak one.
Plan plan_response(const Settings& settings, const ClientFacts& client,
                   const http::ResponseHead& head) noexcept;

// `plan` without its encoding, for when no encoder is free.
Plan without_encoding(const Plan& plan) noexcept;

// What becomes of one field of the origin's head.
enum class FieldAction : std::uint8_t {
  keep,
  drop,
  weaken,  // the value with "W/" before it
};

// Of a changed body these go: Content-Encoding, Content-Length, Accept-Ranges and the digests of
// the bytes (Content-MD5, Digest, RFC 9530). The client's head then gets
// "Content-Encoding: " + name_of(plan.encode), unless that is identity, and with add_vary Vary.
FieldAction action_on(const Plan& plan, std::string_view name) noexcept;

}  // namespace brink::l7::compress
