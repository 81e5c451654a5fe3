// Request heads from arbitrary bytes, as the edge forwards them over HTTP/1.1 and HTTP/2. Checked:
// what goes out is one request to any strict reader, with the method, target, host and framing of
// what came in; nothing of the connection that it came over is in it; what the edge says of the
// client is said once, by the edge, in no other spelling.
#include <cstdlib>
#include <string>
#include <vector>

#include "l7/http/chars.h"
#include "l7/http1/request_parser.h"
#include "l7/http2/head_reader.h"
#include "l7/proxy/head/forwarded_head.h"
#include "l7/proxy/head/loop_guard.h"

namespace {

using namespace brink;             // NOLINT
using namespace brink::l7;         // NOLINT
using namespace brink::l7::proxy;  // NOLINT
using http::FieldName;
using http1::Verdict;

constexpr std::string_view kClient = "198.51.100.7";

void require(bool condition) {
  if (!condition) std::abort();
}

bool parse(const std::string& text, http1::Limits limits, http::RequestHead& head) {
  http1::Progress progress;
  std::uint32_t size = 0;
  return http1::parse_request(text, limits, 80, progress, head, size) == Verdict::ok;
}

std::string forwarded(const http::RequestHead& head, bool websocket) {
  std::string room(256 * 1024, '\0');
  http1::HeadWriter writer(room);
  write_origin_request(writer, head,
                       {.client = *base::IpAddress::parse(kClient),
                        .country = {},
                        .ray = "0123456789abcdef-TST",
                        .zone = "example.com",
                        .websocket = websocket,
                        .accept_encoding = "br, gzip"});
  require(writer.ok());
  return std::string(writer.text());
}

std::size_t count(const http::Fields& fields, FieldName id) {
  std::size_t found = 0;
  for (const http::Field& field : fields) found += field.id == id ? 1 : 0;
  return found;
}

// What the origin reads, against what the client said.
void check_http1(const http::RequestHead& said, const http::RequestHead& read, bool websocket) {
  require(read.fields.text(read.target) == said.fields.text(said.target));
  require(read.fields.text(read.method_text) == said.fields.text(said.method_text));
  require(read.authority.host() == said.authority.host());
  require(read.authority.port == said.authority.port);
  require(read.body.kind == said.body.kind && read.body.length == said.body.length);
  require(read.version == http::Version::http_1_1 && read.keep_alive);
  require(read.websocket == websocket);
  require(count(read.fields, FieldName::host) == 1);
  require(count(read.fields, FieldName::upgrade) == (websocket ? 1U : 0U));
  for (const FieldName id : {FieldName::te, FieldName::trailer, FieldName::keep_alive,
                             FieldName::proxy_connection, FieldName::proxy_authorization}) {
    require(count(read.fields, id) == 0);
  }
  for (const FieldName id : {FieldName::connection, FieldName::cf_connecting_ip, FieldName::cf_ray,
                             FieldName::x_forwarded_for, FieldName::x_forwarded_proto,
                             FieldName::cdn_loop, FieldName::accept_encoding}) {
    require(count(read.fields, id) == 1);
  }
  require(read.fields.value(*read.fields.find(FieldName::cf_connecting_ip)) == kClient);
  require(read.fields.value(*read.fields.find(FieldName::x_forwarded_for)).ends_with(kClient));
  for (const http::Field& field : read.fields) {
    const std::string_view name = read.fields.name(field);
    if (name.find('_') == std::string_view::npos) continue;
    const FieldName alias = http::field_name_of_cgi_alias(name);
    require(alias != FieldName::content_length && alias != FieldName::transfer_encoding &&
            alias != FieldName::host && alias != FieldName::cf_connecting_ip &&
            alias != FieldName::x_forwarded_for);
  }
}

// The same request once more, as it goes over a stream.
void check_http2(const http::RequestHead& head) {
  std::string room(256 * 1024, '\0');
  http2::HeadWriter writer(room);
  const std::string_view host = head.fields.value(*head.fields.find(FieldName::host));
  write_stream_request(writer, head, host, true);
  require(writer.ok());
  http2::Settings settings;
  settings.head_max = 256 * 1024;
  std::vector<char> text(http2::HeadReader::text_size(settings.head_max));
  http2::HeadReader reader(text);
  reader.begin(http2::HeadKind::request, settings);
  for (const auto& field : writer.fields()) {
    reader.field(writer.text(field.name_at, field.name_size),
                 writer.text(field.value_at, field.value_size));
  }
  const bool has_body = head.body.kind != http::BodyKind::none;
  const Verdict verdict = reader.finish_request(!has_body);
  if (verdict == Verdict::too_many_fields) return;  // of ours that a client may not have as well
  require(verdict == Verdict::ok);
  const http::RequestHead& read = reader.request();
  require(read.fields.text(read.target) == head.fields.text(head.target));
  require(read.authority.host() == head.authority.host());
  require(read.body.kind == head.body.kind && read.body.length == head.body.length);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  http::RequestHead said;
  if (!parse(text, {}, said) || said.authority.kind == http::HostKind::absent) return 0;
  if (check_request(said, "example.com", false) != RequestRule::pass) return 0;
  const std::string sent = forwarded(said, said.websocket);
  http1::Limits wide;
  wide.head_max = wide.field_max = wide.target_max = 256 * 1024;
  wide.fields_max = http::kFieldsRoom;
  http::RequestHead read;
  require(parse(sent, wide, read));
  check_http1(said, read, said.websocket);
  if (!said.websocket) check_http2(read);
  return 0;
}
