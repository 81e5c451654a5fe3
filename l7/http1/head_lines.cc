#include "l7/http1/head_lines.h"

#include <cstring>

#include "l7/http/chars.h"
#include "l7/http/scan.h"

namespace brink::l7::http1 {

bool may_be_complete(std::string_view text, Progress& progress) noexcept {
  if (progress.scanned == 0) {
    progress.scanned = static_cast<std::uint32_t>(text.size());
    return true;
  }
  // An empty line is a LF that follows CR LF CR; it may straddle what was seen before.
  std::size_t from = progress.scanned >= 3 ? progress.scanned - 3 : 0;
  progress.scanned = static_cast<std::uint32_t>(text.size());
  while (from < text.size()) {
    const void* hit = std::memchr(text.data() + from, '\n', text.size() - from);
    if (hit == nullptr) return false;
    const auto at = static_cast<std::size_t>(static_cast<const char*>(hit) - text.data());
    // A bare LF already condemns the head: let the parser say so.
    if (at == 0 || text[at - 1] != '\r') return true;
    if (at >= 3 && text[at - 2] == '\n') return true;
    from = at + 1;
  }
  return false;
}

Verdict take_crlf(const char*& p, const char* end, Verdict misfit) noexcept {
  if (p == end) return Verdict::incomplete;
  if (*p == '\n') return Verdict::bare_cr_or_lf;
  if (*p != '\r') return misfit;
  if (p + 1 == end) return Verdict::incomplete;
  if (p[1] != '\n') return Verdict::bare_cr_or_lf;
  p += 2;
  return Verdict::ok;
}

Verdict take_fields(const char*& p, const char* end, const Limits& limits,
                    http::Fields& fields) noexcept {
  fields.count = 0;
  const char* const base = fields.base;
  for (;;) {
    if (p == end) return Verdict::incomplete;
    if (*p == '\r' || *p == '\n') return take_crlf(p, end, Verdict::bad_field_name);
    if (*p == ' ' || *p == '\t') return Verdict::obs_fold;
    const char* const name = p;
    p = http::skip_token(p, end);
    if (p == end) return Verdict::incomplete;
    if (*p != ':' || p == name) return Verdict::bad_field_name;
    const auto name_size = static_cast<std::size_t>(p - name);
    if (name_size > 0xffff) return Verdict::head_too_large;
    ++p;
    while (p != end && (*p == ' ' || *p == '\t')) ++p;
    const char* const value = p;
    p = http::skip_value(p, end);
    if (static_cast<std::size_t>(p - value) > limits.field_max) return Verdict::head_too_large;
    const char* value_end = p;
    const Verdict line_end = take_crlf(p, end, Verdict::bad_field_value);
    if (line_end != Verdict::ok) return line_end;
    while (value_end != value && (value_end[-1] == ' ' || value_end[-1] == '\t')) --value_end;
    if (fields.count == limits.fields_max) return Verdict::too_many_fields;
    fields.entries[fields.count++] = http::Field{
        .name_at = static_cast<std::uint32_t>(name - base),
        .value_at = static_cast<std::uint32_t>(value - base),
        .value_size = static_cast<std::uint32_t>(value_end - value),
        .name_size = static_cast<std::uint16_t>(name_size),
        .id = http::field_name_of({name, name_size}),
        .flags = 0,
    };
  }
}

}  // namespace brink::l7::http1
