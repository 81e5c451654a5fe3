// Request heads and chunked bodies from arbitrary bytes. Checked: nothing is read outside the input
// (sanitizers), slices lie inside it, dripping gives the same verdict, and whatever is accepted
// serialises to something that parses to the same request again.
#include <cstdlib>
#include <string>

#include "l7/http1/chunked.h"
#include "l7/http1/head_writer.h"
#include "l7/http1/request_parser.h"

namespace {

using namespace brink::l7;         // NOLINT
using namespace brink::l7::http1;  // NOLINT

void require(bool condition) {
  if (!condition) std::abort();
}

std::string serialise(const http::RequestHead& head) {
  std::string buffer(256 * 1024, '\0');
  HeadWriter writer(buffer);
  writer.request_line(head.fields.text(head.method_text), head.fields.text(head.target));
  if (head.authority.kind != http::HostKind::absent) {
    writer.begin_field("Host");
    writer.raw(head.authority.host());
    if (head.authority.port != 0) {
      writer.raw(":");
      writer.number(head.authority.port);
    }
    writer.end_field();
  }
  write_forwardable(writer, head.fields);
  if (head.body.kind == http::BodyKind::length) writer.field("Content-Length", head.body.length);
  if (head.body.kind == http::BodyKind::chunked) writer.field("Transfer-Encoding", "chunked");
  writer.end_head();
  require(writer.ok());
  return std::string(writer.text());
}

void check_stable(const http::RequestHead& head) {
  if (head.authority.kind == http::HostKind::absent) return;  // 1.0 without Host: never forwarded
  const std::string wire = serialise(head);
  http::RequestHead again;
  Progress progress;
  std::uint32_t size = 0;
  Limits wide;
  wide.head_max = 256 * 1024;
  require(parse_request(wire, wide, 80, progress, again, size) == Verdict::ok);
  require(size == wire.size());
  require(again.fields.text(again.target) == head.fields.text(head.target));
  require(again.authority.host() == head.authority.host());
  require(again.body.kind == head.body.kind && again.body.length == head.body.length);
  require(serialise(again) == wire);
}

void check_chunked(std::string_view text) {
  ChunkDecoder whole;
  ChunkDecoder drip;
  std::size_t at = 0;
  std::size_t body = 0;
  while (at < text.size() && !whole.done() && !whole.failed()) {
    at += whole.take_framing(text.substr(at));
    const std::uint64_t n = std::min<std::uint64_t>(text.size() - at, whole.body_due());
    whole.take_body(n);
    at += n;
    body += n;
  }
  std::size_t drip_at = 0;
  std::size_t drip_body = 0;
  while (drip_at < text.size() && !drip.done() && !drip.failed()) {
    if (drip.body_due() > 0) {
      drip.take_body(1);
      ++drip_body;
      ++drip_at;
    } else {
      drip_at += drip.take_framing(text.substr(drip_at, 1));
    }
  }
  require(at == drip_at && body == drip_body);
  require(whole.done() == drip.done() && whole.failed() == drip.failed());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // An exact copy on the heap, so that a read past its end is seen.
  const std::string text(reinterpret_cast<const char*>(data), size);
  http::RequestHead head;
  Progress progress;
  std::uint32_t head_size = 0;
  const Verdict verdict = parse_request(text, {}, 80, progress, head, head_size);
  if (verdict == Verdict::ok) {
    require(head_size <= size);
    for (const http::Field& field : head.fields) {
      require(field.name_at + field.name_size < field.value_at + field.value_size + 1U);
      require(field.value_at + field.value_size <= head_size);
    }
    check_stable(head);
    check_chunked(std::string_view(text).substr(head_size));
  } else {
    check_chunked(text);
  }
  http::RequestHead dripped;
  Progress drip;
  Verdict last = Verdict::incomplete;
  for (std::size_t n = 1; n <= size && last == Verdict::incomplete; ++n) {
    last = parse_request(std::string_view(text).substr(0, n), {}, 80, drip, dripped, head_size);
  }
  // Dripped input is parsed again only when a line end makes a whole head possible, so a head that
  // was refused early in one piece may still count as incomplete here; it must never be accepted.
  require(last == verdict || (last == Verdict::incomplete && verdict != Verdict::ok));
  return 0;
}
