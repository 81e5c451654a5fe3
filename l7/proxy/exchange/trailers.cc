#include "l7/proxy/exchange/trailers.h"

#include <cstring>

#include "l7/http1/head_writer.h"
#include "l7/proxy/head/trailer_fields.h"

namespace brink::l7::proxy {

namespace {

// The lines, with the empty one; 0: there is no field, or no room for all.
std::size_t write_lines(const http::Fields& trailers, std::span<char> room) noexcept {
  http1::HeadWriter writer(room);
  for (const http::Field& field : trailers) {
    if (may_be_trailer(field, trailers.name(field))) {
      writer.field(trailers.name(field), trailers.value(field));
    }
  }
  if (writer.size() == 0) return 0;
  writer.end_head();
  return writer.ok() ? writer.size() : 0;
}

}  // namespace

void Trailers::keep_response(std::uint32_t x, const http::Fields& trailers) noexcept {
  Exchange& exchange = exchanges_[x];
  if (exchange.stream != 0) return keep_fields(x, trailers);
  if (!exchange.te_trailers || !exchange.chunked_out) return;
  exchange.trailers_size = static_cast<std::uint32_t>(write_lines(trailers, exchanges_.out(x)));
  if (exchange.trailers_size > 0) exchange.response_body.leave_room_for_trailers();
}

std::string_view Trailers::response_lines(std::uint32_t x) noexcept {
  return {exchanges_.out(x).data(), exchanges_[x].trailers_size};
}

void Trailers::keep_request(std::uint32_t x, const http::Fields& trailers) noexcept {
  Exchange& exchange = exchanges_[x];
  const std::size_t facts = exchange.has_response_rules ? exchange.kept_facts.size() : 0;
  const std::size_t at = exchange.out_size + facts;
  exchange.request_trailers_at = static_cast<std::uint32_t>(at);
  exchange.request_trailers_size =
      static_cast<std::uint32_t>(write_lines(trailers, exchanges_.out(x).subspan(at)));
}

std::string_view Trailers::request_lines(std::uint32_t x) noexcept {
  const Exchange& exchange = exchanges_[x];
  std::string_view lines(exchanges_.out(x).data() + exchange.request_trailers_at,
                         exchange.request_trailers_size);
  lines.remove_prefix(exchange.request_trailers_sent);
  return lines;
}

const http2::HeadWriter* Trailers::write_request(std::uint32_t x) noexcept {
  const Exchange& exchange = exchanges_[x];
  std::string_view lines = request_lines(x);
  if (lines.empty()) return nullptr;
  writer_.emplace(exchanges_.out(x).subspan(exchange.request_trailers_at + lines.size()));
  for (;;) {
    const std::string_view line = lines.substr(0, lines.find("\r\n"));
    if (line.empty()) return writer_->ok() ? &*writer_ : nullptr;
    const std::string_view name = line.substr(0, line.find(':'));
    std::string_view value = line;
    value.remove_prefix(name.size() + 2);  // as write_lines() has it
    writer_->field(name, value);
    lines.remove_prefix(line.size() + 2);
  }
}

// Sizes before texts.
void Trailers::keep_fields(std::uint32_t x, const http::Fields& trailers) noexcept {
  const std::span<char> out = exchanges_.in(x);
  std::size_t at = 0;
  for (const http::Field& field : trailers) {
    if (!may_be_trailer(field, trailers.name(field))) continue;
    const std::uint32_t sizes[] = {field.name_size, field.value_size};
    const std::size_t size = sizeof sizes + sizes[0] + sizes[1];
    if (size > out.size() - at) return;  // of those that fit, all
    std::memcpy(out.data() + at, sizes, sizeof sizes);
    std::memcpy(out.data() + at + sizeof sizes, trailers.name(field).data(), sizes[0]);
    if (sizes[1] > 0) {
      std::memcpy(out.data() + at + sizeof sizes + sizes[0], trailers.value(field).data(),
                  sizes[1]);
    }
    at += size;
    exchanges_[x].trailers_size = static_cast<std::uint32_t>(at);
  }
}

const http2::HeadWriter* Trailers::write(std::uint32_t x) noexcept {
  writer_.emplace(exchanges_.out(x));
  const char* at = exchanges_.in(x).data();
  const char* const end = at + exchanges_[x].trailers_size;
  while (at < end) {
    std::uint32_t sizes[2];
    std::memcpy(sizes, at, sizeof sizes);
    at += sizeof sizes;
    writer_->field(std::string_view(at, sizes[0]), std::string_view(at + sizes[0], sizes[1]));
    at += sizes[0] + sizes[1];
  }
  return &*writer_;
}

}  // namespace brink::l7::proxy
