#include "l7/http1/framing.h"

#include "l7/http/chars.h"
#include "l7/http/message_rules.h"

namespace brink::l7::http1 {
namespace {

// A coding list that is well-formed and merely names codings we do not implement is 501; one that
// uses `chunked` anywhere but alone, or is malformed, is an attack or a bug: 400.
Verdict judge_coding(std::string_view value) noexcept {
  if (http::equals_ignoring_case(value, "chunked")) return Verdict::ok;
  if (value.empty()) return Verdict::coding_invalid;
  bool foreign = false;
  while (true) {
    const std::size_t comma = value.find(',');
    const std::string_view item = http::trim_ows(value.substr(0, comma));
    if (item.empty() || !http::all_of_class(item, http::kCharToken)) {
      return Verdict::coding_invalid;
    }
    const bool last = comma == std::string_view::npos;
    if (http::equals_ignoring_case(item, "chunked")) {
      return last && foreign ? Verdict::coding_not_implemented : Verdict::coding_invalid;
    }
    foreign = true;
    if (last) return Verdict::coding_not_implemented;
    value = http::text_from(value, comma + 1);
  }
}

}  // namespace

Verdict read_framing(const http::Fields& fields, http::Version version, Framing& out) noexcept {
  out = Framing{};
  for (const http::Field& field : fields) {
    if (field.id == http::FieldName::content_length) {
      if (out.has_length) return Verdict::length_duplicate;
      if (!http::parse_content_length(fields.value(field), out.length)) return Verdict::length_invalid;
      out.has_length = true;
    } else if (field.id == http::FieldName::transfer_encoding) {
      if (out.chunked) return Verdict::coding_invalid;
      if (version == http::Version::http_1_0) return Verdict::coding_on_http_1_0;
      const Verdict coding = judge_coding(fields.value(field));
      if (coding != Verdict::ok) return coding;
      out.chunked = true;
    }
  }
  if (out.chunked && out.has_length) return Verdict::length_and_coding;
  return Verdict::ok;
}

}  // namespace brink::l7::http1
