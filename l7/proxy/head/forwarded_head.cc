#include "l7/proxy/head/forwarded_head.h"

#include "l7/http/chars.h"
#include "l7/http/status.h"
#include "l7/proxy/head/loop_guard.h"

namespace brink::l7::proxy {
namespace {

using http::Field;
using http::FieldName;

constexpr std::size_t kForwardedForMax = 100;  // characters, in strict mode

// Request fields that the edge writes itself or that a client may not pass through it.
bool is_edge_owned_in_request(FieldName id) noexcept {
  switch (id) {
    case FieldName::cdn_loop:
    case FieldName::cf_client_cert_der_base64:
    case FieldName::cf_client_cert_sha256:
    case FieldName::cf_connecting_ip:
    case FieldName::cf_connecting_ipv6:
    case FieldName::cf_ew_via:
    case FieldName::cf_ipcountry:
    case FieldName::cf_pseudo_ipv4:
    case FieldName::cf_ray:
    case FieldName::cf_visitor:
    case FieldName::cf_worker:
    case FieldName::client_cert:
    case FieldName::client_cert_chain:
    case FieldName::connection:
    case FieldName::content_length:
    case FieldName::host:
    case FieldName::transfer_encoding:
    case FieldName::true_client_ip:
    case FieldName::x_forwarded_for:
    case FieldName::x_forwarded_proto:
    case FieldName::x_real_ip:
      return true;
    default:
      return false;
  }
}

bool is_dropped_in_response(FieldName id) noexcept {
  switch (id) {
    case FieldName::cache_tag:
    case FieldName::cf_cache_status:
    case FieldName::cf_error_origin:
    case FieldName::cf_error_type:
    case FieldName::cf_ray:
    case FieldName::cloudflare_cdn_cache_control:
    case FieldName::connection:
    case FieldName::content_length:
    case FieldName::server:
    case FieldName::transfer_encoding:
    case FieldName::x_accel_buffering:
    case FieldName::x_accel_charset:
    case FieldName::x_accel_limit_rate:
    case FieldName::x_accel_redirect:
      return true;
    default:
      return false;
  }
}

// What a field stands for, spelt with '_' as well: readers behind CGI take both for one.
FieldName meant_by(const Field& field, std::string_view name) noexcept {
  const bool spelt_with_underscore =
      field.id == FieldName::other && name.find('_') != std::string_view::npos;
  return spelt_with_underscore ? http::field_name_of_cgi_alias(name) : field.id;
}

// All values of one field joined into the open field of `writer`; returns whether there were any.
bool write_joined(http1::HeadWriter& writer, const http::Fields& fields, FieldName id,
                  std::string_view separator) noexcept {
  bool any = false;
  for (const Field& field : fields) {
    if (field.id != id || fields.value(field).empty()) continue;
    if (any) writer.raw(separator);
    writer.raw(fields.value(field));
    any = true;
  }
  return any;
}

void write_host(http1::HeadWriter& writer, const http::Authority& authority) noexcept {
  writer.begin_field("Host");
  writer.raw(authority.host());
  if (authority.port != 0) {
    writer.raw(":");
    writer.number(authority.port);
  }
  writer.end_field();
}

void write_framing(http1::HeadWriter& writer, const http::RequestHead& head) noexcept {
  switch (head.body.kind) {
    case http::BodyKind::length:
      writer.field("Content-Length", head.body.length);
      break;
    case http::BodyKind::chunked:
      writer.field("Transfer-Encoding", "chunked");
      break;
    case http::BodyKind::none:
      // RFC 9110 8.6: a method that usually has content says so when it has none.
      if (head.method == http::Method::post || head.method == http::Method::put ||
          head.method == http::Method::patch) {
        writer.field("Content-Length", std::uint64_t{0});
      }
      break;
    case http::BodyKind::until_close:
      break;
  }
}

bool takes_away(const rewrite::HeaderEdits* edits, std::string_view name) noexcept {
  return edits != nullptr && edits->takes_away(name);
}

template <typename Writer>
void write_put_fields(Writer& writer, const rewrite::HeaderEdits* edits) noexcept {
  if (edits == nullptr) return;
  edits->for_each(
      [&writer](std::string_view name, std::string_view value) { writer.field(name, value); });
}

// A text that is too long is empty: then nothing is said (l7/credentials).
void write_certificate(http1::HeadWriter& writer, const ForwardContext& context) noexcept {
  if (context.certificate == nullptr) return;
  const auto put = [&](FieldName id, std::string_view value) {
    const std::string_view name = http::text_of(id);
    if (!value.empty() && !takes_away(context.edits, name)) writer.field(name, value);
  };
  const rewrite::ClientCertificate& shown = *context.certificate;
  put(FieldName::client_cert, shown.rfc9440);
  put(FieldName::client_cert_chain, shown.chain_rfc9440);
  if (!context.first_with_certificate || shown.rfc9440.empty()) return;
  put(FieldName::cf_client_cert_der_base64, shown.rfc9440.substr(1, shown.rfc9440.size() - 2));
  put(FieldName::cf_client_cert_sha256, shown.sha256);
}

void write_added_fields(http1::HeadWriter& writer, const http::RequestHead& head,
                        const ForwardContext& context) noexcept {
  const base::IpText client = context.client.text();
  if (context.websocket) {
    writer.field("Connection", "Upgrade");
    writer.field("Upgrade", "websocket");
  } else {
    writer.field("Connection", "Keep-Alive");
  }
  if (!context.websocket_key.empty()) writer.field("Sec-WebSocket-Key", context.websocket_key);
  if (!takes_away(context.edits, "CF-Connecting-IP")) {
    writer.field("CF-Connecting-IP", client.view());
  }
  if (!takes_away(context.edits, "X-Forwarded-For")) {
    writer.begin_field("X-Forwarded-For");
    if (write_joined(writer, head.fields, FieldName::x_forwarded_for, ",")) writer.raw(",");
    writer.raw(client.view());
    writer.end_field();
  }
  write_certificate(writer, context);
  writer.field("X-Forwarded-Proto", context.scheme);
  writer.begin_field("CF-Visitor");
  writer.raw("{\"scheme\":\"");
  writer.raw(context.scheme);
  writer.raw("\"}");
  writer.end_field();
  writer.field("CF-Ray", context.ray);
  if (context.tells_country) writer.field("CF-IPCountry", context.country.view());
  writer.begin_field("CDN-Loop");
  if (write_joined(writer, head.fields, FieldName::cdn_loop, ", ")) writer.raw(", ");
  writer.raw(kLoopToken);
  writer.raw("; zone=");
  writer.raw(context.zone);
  writer.end_field();
}

// A field of the origin's head, as the coding of its body leaves it.
template <typename Writer>
void write_kept_field(Writer& writer, std::string_view name, std::string_view value,
                      const compress::Plan& plan) noexcept {
  switch (compress::action_on(plan, name)) {
    case compress::FieldAction::keep:
      return writer.field(name, value);
    case compress::FieldAction::drop:
      return;
    case compress::FieldAction::weaken:
      writer.begin_field(name);
      writer.raw("W/");
      writer.raw(value);
      return writer.end_field();
  }
}

template <typename Writer>
void write_coding_fields(Writer& writer, const compress::Plan& plan) noexcept {
  if (plan.encode != compress::Coding::identity) {
    writer.field("Content-Encoding", compress::name_of(plan.encode));
  }
  if (plan.add_vary) writer.field("Vary", "Accept-Encoding");
}

}  // namespace

bool is_edge_owned(const Field& field, std::string_view name) noexcept {
  const FieldName id = meant_by(field, name);
  return is_edge_owned_in_request(id) || is_dropped_in_response(id);
}

RequestRule check_request(const http::RequestHead& head, std::string_view zone,
                          bool strict_forwarded_for) noexcept {
  int forwarded_for = 0;
  for (const Field& field : head.fields) {
    if (field.id == FieldName::cf_connecting_ip) return RequestRule::connecting_ip_given;
    if (field.id != FieldName::x_forwarded_for || !strict_forwarded_for) continue;
    if (++forwarded_for > 1 || field.value_size > kForwardedForMax) {
      return RequestRule::forwarded_for;
    }
  }
  switch (inspect_loop(head.fields, zone)) {
    case LoopVerdict::pass:
      return RequestRule::pass;
    case LoopVerdict::loop:
      return RequestRule::loop;
    case LoopVerdict::malformed:
      return RequestRule::loop_malformed;
  }
  return RequestRule::loop_malformed;
}

void write_origin_request(http1::HeadWriter& writer, const http::RequestHead& head,
                          const ForwardContext& context) noexcept {
  const http::Fields& fields = head.fields;
  writer.request_line(context.websocket ? "GET" : fields.text(head.method_text),
                      fields.text(head.target));
  write_host(writer, head.authority);
  for (const Field& field : fields) {
    if ((field.flags & http::kFieldHopByHop) != 0) continue;
    const std::string_view name = fields.name(field);
    const FieldName id = meant_by(field, name);
    if (is_edge_owned_in_request(id)) continue;
    if (id == FieldName::accept_encoding && !context.accept_encoding.empty()) continue;
    if (takes_away(context.edits, name)) continue;
    writer.field(name, fields.value(field));
  }
  if (!context.accept_encoding.empty()) {
    writer.field("Accept-Encoding", context.accept_encoding);
  }
  if (!context.websocket) write_framing(writer, head);
  write_added_fields(writer, head, context);
  write_put_fields(writer, context.edits);
  writer.end_head();
}

void write_stream_request(http2::HeadWriter& writer, const http::RequestHead& head,
                          std::string_view authority, bool te_trailers) noexcept {
  const http::Fields& fields = head.fields;
  writer.request_line(fields.text(head.method_text), fields.text(head.target), "https", authority);
  for (const Field& field : fields) {
    if ((field.flags & http::kFieldHopByHop) != 0 || field.id == FieldName::host) continue;
    writer.field(fields.name(field), fields.value(field));
  }
  if (te_trailers) writer.field("te", "trailers");
}

template <typename Writer>
void write_client_response(Writer& writer, const http::ResponseHead& head,
                           const ResponseContext& context) noexcept {
  const http::Fields& fields = head.fields;
  if (context.switched == Switched::http2) {
    writer.status_line(200, {});
  } else {
    // HTTP/2 has no reasons, and some clients of HTTP/1 want one.
    const bool said = head.version < http::Version::http_2;
    writer.status_line(head.status, said ? fields.text(head.reason) : http::reason_of(head.status));
  }
  bool has_date = false;
  for (const Field& field : fields) {
    if ((field.flags & http::kFieldHopByHop) != 0 || is_dropped_in_response(field.id)) continue;
    if (context.switched == Switched::http2 && field.id == FieldName::sec_websocket_accept) {
      continue;  // the proof of HTTP/1's handshake; there was none
    }
    if (context.zone.replaces(field.id)) continue;
    if (takes_away(context.edits, fields.name(field))) continue;
    has_date |= field.id == FieldName::date;
    write_kept_field(writer, fields.name(field), fields.value(field), context.plan);
  }
  write_put_fields(writer, context.edits);
  write_coding_fields(writer, context.plan);
  if (head.status >= 200) {
    if (!has_date) writer.field("Date", context.date);
    if (context.body_out == http::BodyKind::chunked) {
      writer.field("Transfer-Encoding", "chunked");
    } else if (head.has_content_length && !context.plan.changes_body()) {
      writer.field("Content-Length", head.content_length);
    }
    if (context.connection == ConnectionField::close) writer.field("Connection", "close");
    if (context.connection == ConnectionField::keep_alive) writer.field("Connection", "keep-alive");
    context.zone.write(writer);
    writer.field("Server", "brink");
    writer.field("CF-Cache-Status", "DYNAMIC");
    writer.field("CF-Ray", context.ray);
  }
  if (context.switched == Switched::http1) {
    writer.field("Connection", "Upgrade");
    writer.field("Upgrade", "websocket");
  }
  writer.end_head();
}

template void write_client_response(http1::HeadWriter&, const http::ResponseHead&,
                                    const ResponseContext&) noexcept;
template void write_client_response(http2::HeadWriter&, const http::ResponseHead&,
                                    const ResponseContext&) noexcept;

}  // namespace brink::l7::proxy
