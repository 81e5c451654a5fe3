// Response heads from arbitrary bytes; the first byte chooses the request's method. Checked as in
// request_fuzz.cc, and the decision about the body must survive re-serialisation.
#include <cstdlib>
#include <string>

#include "l7/http1/head_writer.h"
#include "l7/http1/response_parser.h"

namespace {

using namespace brink::l7;         // NOLINT
using namespace brink::l7::http1;  // NOLINT

void require(bool condition) {
  if (!condition) std::abort();
}

std::string serialise(const http::ResponseHead& head) {
  std::string buffer(256 * 1024, '\0');
  HeadWriter writer(buffer);
  writer.status_line(head.status, head.fields.text(head.reason));
  write_forwardable(writer, head.fields);
  if (head.has_content_length) writer.field("Content-Length", head.content_length);
  if (head.body.kind == http::BodyKind::chunked) writer.field("Transfer-Encoding", "chunked");
  writer.end_head();
  require(writer.ok());
  return std::string(writer.text());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const http::Method method = (data[0] & 1) != 0 ? http::Method::head : http::Method::get;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  http::ResponseHead head;
  Progress progress;
  std::uint32_t head_size = 0;
  const Verdict verdict = parse_response(text, {}, method, progress, head, head_size);
  if (verdict == Verdict::ok) {
    require(head_size <= text.size());
    for (const http::Field& field : head.fields) {
      require(field.value_at + field.value_size <= head_size);
    }
    const std::string wire = serialise(head);
    http::ResponseHead again;
    Progress fresh;
    std::uint32_t size_again = 0;
    Limits wide;
    wide.head_max = 256 * 1024;
    require(parse_response(wire, wide, method, fresh, again, size_again) == Verdict::ok);
    require(size_again == wire.size() && again.status == head.status);
    require(again.body.kind == head.body.kind && again.body.length == head.body.length);
    require(serialise(again) == wire);
  }
  return 0;
}
