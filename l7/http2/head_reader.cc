#include "l7/http2/head_reader.h"

#include <cstring>
#include <utility>

#include "dataplane/base/check.h"
#include "l7/http/chars.h"
#include "l7/http/hop_by_hop.h"
#include "l7/http/message_rules.h"
#include "l7/http/scan.h"
#include "l7/http/status.h"

namespace brink::l7::http2 {
namespace {

using http::FieldName;
using http::Verdict;

constexpr unsigned kMethod = 1;
constexpr unsigned kScheme = 2;
constexpr unsigned kAuthority = 4;
constexpr unsigned kPath = 8;
constexpr unsigned kProtocol = 16;
constexpr unsigned kStatus = 32;

constexpr std::uint32_t kFieldOverhead = 32;  // RFC 9113 6.5.2
constexpr std::uint32_t kBombFactor = 4;
constexpr std::size_t kMethodMax = 32;

bool is_token(std::string_view text) noexcept {
  const char* const end = text.data() + text.size();
  return !text.empty() && http::skip_token(text.data(), end) == end;
}

bool has_upper_case(std::string_view text) noexcept {
  for (const char c : text) {
    if (c >= 'A' && c <= 'Z') return true;
  }
  return false;
}

// RFC 9113 8.2.1; CR, LF and NUL are among what is no field content.
bool is_value(std::string_view text) noexcept {
  const char* const end = text.data() + text.size();
  return http::trim_ows(text).size() == text.size() && http::skip_value(text.data(), end) == end;
}

// RFC 9113 8.2.2.
bool belongs_to_connection(FieldName id, std::string_view value) noexcept {
  switch (id) {
    case FieldName::connection:
    case FieldName::keep_alive:
    case FieldName::proxy_connection:
    case FieldName::transfer_encoding:
    case FieldName::upgrade:
      return true;
    case FieldName::te:
      return !http::equals_ignoring_case(value, "trailers");
    default:
      return false;
  }
}

// Fields that frame or route a message mean nothing behind its body (RFC 9110 6.5.1).
bool is_no_trailer(FieldName id) noexcept {
  return id == FieldName::content_length || id == FieldName::host || id == FieldName::expect;
}

}  // namespace

HeadReader::HeadReader(std::span<char> text) noexcept : text_(text) {
  request_.fields.base = text_.data();
  response_.fields.base = text_.data();
  trailers_.base = text_.data();
}

void HeadReader::begin(HeadKind kind, const Settings& settings) noexcept {
  CHECK(text_size(settings.head_max) <= text_.size());
  state_ = State{};
  state_.kind = kind;
  state_.connect_protocol = settings.connect_protocol;
  state_.head_max = settings.head_max;
  state_.target_max = settings.target_max;
  state_.field_max = settings.field_max;
}

http::Fields& HeadReader::fields() noexcept {
  return const_cast<http::Fields&>(std::as_const(*this).fields());
}

const http::Fields& HeadReader::fields() const noexcept {
  switch (state_.kind) {
    case HeadKind::request:
      return request_.fields;
    case HeadKind::response:
      return response_.fields;
    case HeadKind::trailers:
      break;
  }
  return trailers_;
}

http::Slice HeadReader::keep(std::string_view text) noexcept {
  const http::Slice slice{state_.text_size, static_cast<std::uint32_t>(text.size())};
  if (!text.empty()) std::memcpy(text_.data() + state_.text_size, text.data(), text.size());
  state_.text_size += slice.size;
  return slice;
}

bool HeadReader::is_bomb() const noexcept {
  return state_.list_size > kBombFactor * state_.head_max;
}

void HeadReader::field(std::string_view name, std::string_view value) noexcept {
  if (is_bomb()) return;
  state_.list_size += static_cast<std::uint32_t>(name.size() + value.size()) + kFieldOverhead;
  if (state_.verdict != Verdict::ok) return;
  if (state_.list_size > state_.head_max) {
    state_.verdict = Verdict::head_too_large;
  } else if (!name.empty() && name.front() == ':') {
    state_.verdict = take_pseudo(http::text_from(name, 1), value);
  } else {
    state_.seen_regular = true;
    state_.verdict = take_regular(name, value);
  }
}

bool HeadReader::mark_pseudo(unsigned bit) noexcept {
  if ((state_.pseudo & bit) != 0) return false;
  state_.pseudo = static_cast<std::uint8_t>(state_.pseudo | bit);
  return true;
}

Verdict HeadReader::take_pseudo(std::string_view name, std::string_view value) noexcept {
  if (state_.seen_regular || state_.kind == HeadKind::trailers) {
    return Verdict::pseudo_field_misplaced;
  }
  if (state_.kind == HeadKind::request) return take_request_pseudo(name, value);
  if (name != "status") return Verdict::pseudo_field_unknown;
  if (!mark_pseudo(kStatus)) return Verdict::pseudo_field_duplicate;
  if (value.size() != 3) return Verdict::status_invalid;
  unsigned status = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return Verdict::status_invalid;
    status = status * 10 + static_cast<unsigned>(c - '0');
  }
  // RFC 9113 8.6: there is no upgrade.
  if (status < 100 || status > 599 || status == 101) return Verdict::status_invalid;
  state_.status = static_cast<std::uint16_t>(status);
  return Verdict::ok;
}

Verdict HeadReader::take_request_pseudo(std::string_view name, std::string_view value) noexcept {
  const char* const end = value.data() + value.size();
  if (name == "method") {
    if (!mark_pseudo(kMethod)) return Verdict::pseudo_field_duplicate;
    if (value.size() > kMethodMax || !is_token(value)) return Verdict::method_invalid;
    state_.method = keep(value);
  } else if (name == "scheme") {
    if (!mark_pseudo(kScheme)) return Verdict::pseudo_field_duplicate;
    const bool secure = http::equals_ignoring_case(value, "https");
    if (!secure && !http::equals_ignoring_case(value, "http")) return Verdict::scheme_invalid;
    state_.scheme = secure ? http::Scheme::https : http::Scheme::http;
  } else if (name == "authority") {
    if (!mark_pseudo(kAuthority)) return Verdict::pseudo_field_duplicate;
    state_.authority = keep(value);
  } else if (name == "path") {
    if (!mark_pseudo(kPath)) return Verdict::pseudo_field_duplicate;
    if (value.size() > state_.target_max) return Verdict::target_too_long;
    if (value.empty() || http::skip_target(value.data(), end) != end) return Verdict::bad_target;
    state_.path = keep(value);
  } else if (name == "protocol" && state_.connect_protocol) {
    if (!mark_pseudo(kProtocol)) return Verdict::pseudo_field_duplicate;
    if (!is_token(value)) return Verdict::bad_field_value;
    state_.protocol = keep(value);
  } else {
    return Verdict::pseudo_field_unknown;
  }
  return Verdict::ok;
}

Verdict HeadReader::take_regular(std::string_view name, std::string_view value) noexcept {
  if (!is_token(name) || has_upper_case(name)) return Verdict::bad_field_name;
  if (value.size() > state_.field_max) return Verdict::head_too_large;
  if (!is_value(value)) return Verdict::bad_field_value;
  const FieldName id = http::field_name_of(name);
  if (belongs_to_connection(id, value)) return Verdict::connection_field;
  if (state_.field_count == http::kMaxFields) return Verdict::too_many_fields;
  const http::Slice kept_name = keep(name);
  const http::Slice kept_value = keep(value);
  const bool drop = state_.kind == HeadKind::trailers && is_no_trailer(id);
  fields().entries[state_.field_count++] = http::Field{
      .name_at = kept_name.at,
      .value_at = kept_value.at,
      .value_size = kept_value.size,
      .name_size = static_cast<std::uint16_t>(kept_name.size),
      .id = id,
      .flags = drop ? http::kFieldHopByHop : std::uint8_t{0},
  };
  return Verdict::ok;
}

// RFC 9113 8.3.1, RFC 8441 4.
Verdict HeadReader::check_request_line() noexcept {
  const unsigned pseudo = state_.pseudo;
  if ((pseudo & kMethod) == 0) return Verdict::pseudo_field_missing;
  request_.method_text = state_.method;
  request_.method = http::method_of(request_.fields.text(state_.method));
  const bool connect = request_.method == http::Method::connect;
  if ((pseudo & kProtocol) != 0 && !connect) return Verdict::pseudo_field_misplaced;
  if (connect && (pseudo & kProtocol) == 0) return Verdict::method_not_implemented;
  if ((pseudo & kScheme) == 0 || (pseudo & kPath) == 0) return Verdict::pseudo_field_missing;
  request_.scheme = state_.scheme;
  request_.target = state_.path;
  request_.protocol = state_.protocol;
  const std::string_view path = request_.fields.text(state_.path);
  const bool whole_server = path == "*" && request_.method == http::Method::options;
  return path.front() == '/' || whole_server ? Verdict::ok : Verdict::bad_target;
}

Verdict HeadReader::read_length(bool& has_length, std::uint64_t& length) noexcept {
  has_length = false;
  length = 0;
  for (const http::Field& field : fields()) {
    if (field.id != FieldName::content_length) continue;
    if (has_length) return Verdict::length_duplicate;
    if (!http::parse_content_length(fields().value(field), length)) return Verdict::length_invalid;
    has_length = true;
  }
  return Verdict::ok;
}

Verdict HeadReader::finish_request(bool end_stream) noexcept {
  request_.fields.count = state_.field_count;
  if (state_.verdict != Verdict::ok) return state_.verdict;
  request_.version = http::Version::http_2;
  request_.keep_alive = true;
  Verdict verdict = check_request_line();
  if (verdict != Verdict::ok) return verdict;
  http::Authority named;
  if ((state_.pseudo & kAuthority) != 0 &&
      !http::parse_authority(request_.fields.text(state_.authority), named)) {
    return Verdict::host_invalid;
  }
  const std::uint16_t default_port = state_.scheme == http::Scheme::https ? 443 : 80;
  verdict = http::read_host(named, default_port, request_);
  if (verdict != Verdict::ok) return verdict;
  bool has_length = false;
  std::uint64_t length = 0;
  verdict = read_length(has_length, length);
  if (verdict != Verdict::ok) return verdict;
  request_.body = {};
  if (end_stream && length != 0) return Verdict::length_mismatch;
  if (!end_stream && (!has_length || request_.protocol.size != 0)) {
    request_.body.kind = http::BodyKind::chunked;
  } else if (length != 0) {
    request_.body = {http::BodyKind::length, length};
  }
  http::mark_hop_by_hop(request_.fields);
  join_cookies();
  return http::read_expect(request_);
}

Verdict HeadReader::finish_response(http::Method request_method, bool end_stream) noexcept {
  response_.fields.count = state_.field_count;
  if (state_.verdict != Verdict::ok) return state_.verdict;
  if ((state_.pseudo & kStatus) == 0) return Verdict::pseudo_field_missing;
  response_.status = state_.status;
  response_.version = http::Version::http_2;
  response_.keep_alive = true;
  response_.reason = {};
  response_.body = {};
  const Verdict verdict = read_length(response_.has_content_length, response_.content_length);
  if (verdict != Verdict::ok) return verdict;
  http::mark_hop_by_hop(response_.fields);
  if (response_.status < 200 && end_stream) return Verdict::status_invalid;  // RFC 9113 8.1
  if (http::forbids_content(response_.status) || request_method == http::Method::head) {
    if (response_.status < 200 || response_.status == 204) response_.has_content_length = false;
    return Verdict::ok;
  }
  if (end_stream) {
    if (response_.content_length != 0) return Verdict::length_mismatch;
    response_.has_content_length = true;  // of nothing: HTTP/1 clients must be told
  } else if (!response_.has_content_length) {
    response_.body.kind = http::BodyKind::chunked;
  } else if (response_.content_length != 0) {
    response_.body = {http::BodyKind::length, response_.content_length};
  }
  return Verdict::ok;
}

Verdict HeadReader::finish_trailers() noexcept {
  trailers_.count = state_.field_count;
  if (state_.verdict != Verdict::ok) return state_.verdict;
  http::mark_hop_by_hop(trailers_);
  return Verdict::ok;
}

// Cookie crumbs become one field again, since HTTP/1 has but one (RFC 9113 8.2.3).
void HeadReader::join_cookies() noexcept {
  static constexpr std::string_view kName = "cookie";
  http::Fields& all = request_.fields;
  http::Field* first = nullptr;
  std::uint32_t crumbs = 0;
  for (http::Field& field : all) {
    if (all.name(field) != kName) continue;
    if (crumbs++ == 0) first = &field;
  }
  if (crumbs < 2) return;
  const std::uint32_t joined_at = state_.text_size;
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < all.count; ++i) {
    const http::Field field = all.entries[i];
    const bool crumb = all.name(field) == kName;
    if (crumb) {
      if (state_.text_size != joined_at) keep("; ");
      keep(all.value(field));
    }
    if (!crumb || &all.entries[i] == first) all.entries[kept++] = field;
  }
  all.count = kept;
  first->value_at = joined_at;
  first->value_size = state_.text_size - joined_at;
}

std::size_t HeadReader::saved_size() const noexcept {
  return sizeof(State) + state_.field_count * sizeof(http::Field) + state_.text_size;
}

void HeadReader::save(std::byte* out) const noexcept {
  const std::size_t entries = state_.field_count * sizeof(http::Field);
  std::memcpy(out, &state_, sizeof(State));
  std::memcpy(out + sizeof(State), fields().entries.data(), entries);
  std::memcpy(out + sizeof(State) + entries, text_.data(), state_.text_size);
}

void HeadReader::restore(const std::byte* saved) noexcept {
  std::memcpy(&state_, saved, sizeof(State));
  const std::size_t entries = state_.field_count * sizeof(http::Field);
  std::memcpy(fields().entries.data(), saved + sizeof(State), entries);
  std::memcpy(text_.data(), saved + sizeof(State) + entries, state_.text_size);
}

}  // namespace brink::l7::http2
