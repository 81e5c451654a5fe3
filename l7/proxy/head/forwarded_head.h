// The two heads that the edge writes: the request to the origin and the response to the client,
// with exactly the fields that the edge adds, replaces and removes. Pure functions of parsed heads.
#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/base/ip.h"
#include "l7/compress/policy.h"
#include "l7/country/code.h"
#include "l7/http/head.h"
#include "l7/http1/head_writer.h"
#include "l7/http2/head_writer.h"
#include "l7/proxy/head/edge_error.h"
#include "l7/rewrite/facts.h"
#include "l7/rewrite/header_edits.h"

namespace brink::l7::proxy {

// Whether the edge speaks for itself in this field, to origins or to clients, in any spelling: what
// others say there is not passed on.
bool is_edge_owned(const http::Field& field, std::string_view name) noexcept;

enum class RequestRule : std::uint8_t {
  pass,
  loop,                 // our own CDN-Loop entry: error 1000
  loop_malformed,       // 400
  connecting_ip_given,  // the client sent CF-Connecting-IP: error 1000
  forwarded_for,        // X-Forwarded-For twice or too long, in strict mode: error 1000
};

// What must hold before a request to a name in `zone` is forwarded at all.
RequestRule check_request(const http::RequestHead& head, std::string_view zone,
                          bool strict_forwarded_for) noexcept;

struct ForwardContext {
  base::IpAddress client;
  country::Code country;  // of the client
  bool tells_country = true;
  std::string_view ray;
  std::string_view zone;
  std::string_view scheme = "http";
  bool websocket = false;             // is asked for
  std::string_view websocket_key{};  // for a client over HTTP/2, which sends none (RFC 8441 5)
  std::string_view accept_encoding{};  // for the origin; empty: the client's own passes
  const rewrite::HeaderEdits* edits = nullptr;  // what rules change; null: nothing
  // The client's, for origins that are told of it; null: this one is not.
  const rewrite::ClientCertificate* certificate = nullptr;
  bool first_with_certificate = false;  // request of its connection
};

// Writes the request head for the origin.
//
// Kept as they came: all end-to-end fields that are not named here. Dropped: hop-by-hop fields,
// X-Real-IP, True-Client-IP, CF-Worker, CF-EW-Via, CF-Pseudo-IPv4, CF-Connecting-IPv6, and any
// spelling with '_' of a field that the edge owns. Written anew: Host, Content-Length or
// Transfer-Encoding, Connection: Keep-Alive (or the upgrade to a WebSocket), X-Forwarded-For (the
// client's address appended, several fields joined by ','), X-Forwarded-Proto, CF-Visitor, CF-Ray,
// CF-IPCountry, CF-Connecting-IP, CDN-Loop, and Accept-Encoding where the context says so. A
// certificate goes as Client-Cert and Client-Cert-Chain (RFC 9440), and with the first request of
// its connection as Cf-Client-Cert-Der-Base64 and Cf-Client-Cert-Sha256; whatever of these clients
// send is dropped. Edits apply to what is kept, and take away CF-Connecting-IP, X-Forwarded-For and
// the certificate; what they put comes last.
void write_origin_request(http1::HeadWriter& writer, const http::RequestHead& head,
                          const ForwardContext& context) noexcept;

// The same request for an origin over HTTP/2: `head` is what write_origin_request() wrote, parsed.
void write_stream_request(http2::HeadWriter& writer, const http::RequestHead& head,
                          std::string_view authority, bool te_trailers) noexcept;

// How a 101 is told to the client.
enum class Switched : std::uint8_t { none, http1, http2 };

struct ResponseContext {
  std::string_view ray;
  std::string_view date;  // used when the origin sent none (RFC 9110 6.6.1)
  http::BodyKind body_out = http::BodyKind::none;  // how the body is framed towards the client
  ConnectionField connection = ConnectionField::none;
  Switched switched = Switched::none;
  ZoneFields zone = {};
  compress::Plan plan = {};  // what becomes of the body's coding
  const rewrite::HeaderEdits* edits = nullptr;  // what rules change; null: nothing
};

// Writes the response head for the client: the origin's end-to-end fields without X-Accel-*,
// Cache-Tag, Cloudflare-CDN-Cache-Control, CF-* of its own, cf-error-* and what the plan drops, with
// the plan's Content-Encoding and Vary behind them, then Server, CF-Ray and
// CF-Cache-Status: DYNAMIC; what the zone asks for takes the place of what the origin says. Interim
// (1xx) heads get the origin's fields and nothing else. Edits apply to the origin's fields; what they
// put comes behind them. The writer is that of HTTP/1 or HTTP/2.
template <typename Writer>
void write_client_response(Writer& writer, const http::ResponseHead& head,
                           const ResponseContext& context) noexcept;

}  // namespace brink::l7::proxy
