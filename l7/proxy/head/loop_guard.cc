#include "l7/proxy/head/loop_guard.h"

#include "l7/http/chars.h"

namespace brink::l7::proxy {
namespace {

// A cursor over one field value; every take_* steps over what it recognises.
struct Cursor {
  std::string_view rest;

  void skip_ows() noexcept {
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
  }
  bool take(char c) noexcept {
    if (rest.empty() || rest.front() != c) return false;
    rest.remove_prefix(1);
    return true;
  }
  template <typename Accept>
  std::string_view take_while(Accept accept) noexcept {
    std::size_t n = 0;
    while (n < rest.size() && accept(rest[n])) ++n;
    const std::string_view taken = rest.substr(0, n);
    rest.remove_prefix(n);
    return taken;
  }
  std::string_view take_token() noexcept {
    return take_while([](char c) { return http::has_class(c, http::kCharToken); });
  }
  // The inside of a quoted-string, escapes left as they are; false if it does not end.
  bool take_quoted(std::string_view& out) noexcept {
    std::size_t n = 1;
    while (n < rest.size() && rest[n] != '"') n += rest[n] == '\\' ? 2 : 1;
    if (n >= rest.size()) return false;
    out = rest.substr(1, n - 1);
    rest.remove_prefix(n + 1);
    return true;
  }
};

// cdn-info = cdn-id *( OWS ";" OWS parameter ); RFC 8586 2. False: malformed.
bool take_info(Cursor& in, std::string_view& id, std::string_view& zone) noexcept {
  // cdn-id is a host with an optional port, or a pseudonym.
  id = in.take_while([](char c) {
    return http::has_class(c, http::kCharToken) || c == ':' || c == '[' || c == ']';
  });
  if (id.empty()) return false;
  for (in.skip_ows(); in.take(';'); in.skip_ows()) {
    in.skip_ows();
    const std::string_view name = in.take_token();
    if (name.empty() || !in.take('=')) return false;
    std::string_view value;
    if (!in.rest.empty() && in.rest.front() == '"') {
      if (!in.take_quoted(value)) return false;
    } else {
      value = in.take_token();
      if (value.empty()) return false;
    }
    if (http::equals_ignoring_case(name, "zone")) zone = value;
  }
  return true;
}

}  // namespace

LoopVerdict inspect_loop(const http::Fields& fields, std::string_view zone) noexcept {
  int own_entries = 0;
  bool same_zone = false;
  for (const http::Field& field : fields) {
    if (field.id != http::FieldName::cdn_loop) continue;
    Cursor in{fields.value(field)};
    for (;;) {
      in.skip_ows();
      if (in.take(',')) continue;  // empty list elements are ignored, RFC 9110 5.6.1.2
      if (in.rest.empty()) break;
      std::string_view id;
      std::string_view seen_zone;
      if (!take_info(in, id, seen_zone)) return LoopVerdict::malformed;
      if (!in.rest.empty() && !in.take(',')) return LoopVerdict::malformed;
      if (!http::equals_ignoring_case(id, kLoopToken)) continue;
      ++own_entries;
      same_zone |= http::equals_ignoring_case(seen_zone, zone);
    }
  }
  return same_zone || own_entries >= kLoopEntriesMax ? LoopVerdict::loop : LoopVerdict::pass;
}

}  // namespace brink::l7::proxy
