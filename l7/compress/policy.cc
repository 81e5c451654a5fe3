#include "l7/compress/policy.h"

#include <array>

#include "l7/compress/media_type.h"
#include "l7/http/chars.h"

namespace brink::l7::compress {
namespace {

using http::equals_ignoring_case;

// What is read off a response's fields.
struct ResponseFacts {
  std::string_view content_type;
  std::string_view etag;
  Coding coding = Coding::identity;
  bool coding_known = true;  // one coding of ours at most
  bool no_transform = false;
  bool is_range = false;
  bool varies = false;  // Vary names Accept-Encoding, or '*'
};

bool lists(std::string_view list, std::string_view wanted) noexcept {
  while (!list.empty()) {
    if (equals_ignoring_case(http::take_list_item(list), wanted)) return true;
  }
  return false;
}

void read_content_encoding(std::string_view list, ResponseFacts& facts) noexcept {
  while (!list.empty()) {
    const std::string_view item = http::take_list_item(list);
    if (item.empty()) continue;
    Coding coding;
    if (!read_coding(item, coding)) {
      facts.coding_known = false;
    } else if (coding != Coding::identity) {
      facts.coding_known &= facts.coding == Coding::identity;
      facts.coding = coding;
    }
  }
}

void read_field(std::string_view name, std::string_view value, ResponseFacts& facts) noexcept {
  switch (name.size()) {  // most fields are told apart by their length
    case 4:
      if (equals_ignoring_case(name, "ETag")) facts.etag = value;
      if (equals_ignoring_case(name, "Vary")) {
        facts.varies |= lists(value, "*") || lists(value, "Accept-Encoding");
      }
      return;
    case 12:
      if (equals_ignoring_case(name, "Content-Type")) facts.content_type = value;
      return;
    case 13:
      facts.is_range |= equals_ignoring_case(name, "Content-Range");
      if (equals_ignoring_case(name, "Cache-Control")) {
        facts.no_transform |= lists(value, "no-transform");
      }
      return;
    case 16:
      if (equals_ignoring_case(name, "Content-Encoding")) read_content_encoding(value, facts);
      return;
    default:
      return;
  }
}

ResponseFacts read_response(const http::Fields& fields) noexcept {
  ResponseFacts facts;
  for (const http::Field& field : fields) {
    read_field(fields.name(field), fields.value(field), facts);
  }
  return facts;
}

// RFC 9110 8.8.3: "W/" is case-sensitive.
bool is_strong(std::string_view etag) noexcept {
  return !etag.empty() && !etag.starts_with("W/");
}

// True for a length that is known, which is then in `length`.
bool known_length(const ClientFacts& client, const http::ResponseHead& head,
                  std::uint64_t& length) noexcept {
  length = client.is_head ? head.content_length : head.body.length;
  return client.is_head ? head.has_content_length : head.body.kind == http::BodyKind::length;
}

bool has_body(const ClientFacts& client, const http::ResponseHead& head) noexcept {
  std::uint64_t length = 0;
  if (known_length(client, head, length)) return length != 0;
  return client.is_head || head.body.kind != http::BodyKind::none;
}

bool is_encodable_status(std::uint16_t status) noexcept {
  return status == 200 || status == 403 || status == 404;
}

// The codings that a body of that length may get, as bits.
unsigned offered_codings(const Settings& settings, const ClientFacts& client,
                         const http::ResponseHead& head, bool length_counts) noexcept {
  std::uint64_t length = 0;
  if (!length_counts || !known_length(client, head, length)) length = UINT64_MAX;
  unsigned offered = 0;
  if (length >= kGzipLengthMin) offered |= bit_of(Coding::gzip);
  if (settings.brotli && length >= kBrotliLengthMin) offered |= bit_of(Coding::br);
  if (settings.zstd && length >= kZstdLengthMin) offered |= bit_of(Coding::zstd);
  return offered;
}

}  // namespace

ClientFacts read_client(const http::RequestHead& head) noexcept {
  ClientFacts out;
  out.accepted = read_accept_encoding(head.fields);
  out.is_head = head.method == http::Method::head;
  out.is_http_1_0 = head.version == http::Version::http_1_0;
  for (const http::Field& field : head.fields) {
    const std::string_view name = head.fields.name(field);
    out.asks_range |= equals_ignoring_case(name, "Range");
    if (!equals_ignoring_case(name, "If-None-Match")) continue;
    // Too broad where "W/" is part of a strong tag; then that 304 has a weak ETag, no more.
    out.has_weak_etag |= head.fields.value(field).find("W/\"") != std::string_view::npos;
  }
  return out;
}

std::string_view accept_encoding_for_origin(const Settings& settings, const ClientFacts& client,
                                            bool can_decode) noexcept {
  if (settings.respect_strong_etags) return {};
  const bool any = can_decode && !client.asks_range;
  const bool br = settings.brotli && (any || client.accepted.takes(Coding::br));
  const bool gzip = any || client.accepted.takes(Coding::gzip);
  if (br) return gzip ? "br, gzip" : "br";
  return gzip ? "gzip" : "identity";
}

Plan plan_response(const Settings& settings, const ClientFacts& client,
                   const http::ResponseHead& head) noexcept {
  Plan plan;
  const ResponseFacts facts = read_response(head.fields);
  const bool strong = is_strong(facts.etag);
  if (head.status == 304) {
    plan.weaken_etag = strong && client.has_weak_etag && !settings.respect_strong_etags;
    return plan;
  }
  if (facts.no_transform || facts.is_range || head.status == 206 || !facts.coding_known ||
      !has_body(client, head) || (strong && settings.respect_strong_etags)) {
    return plan;
  }
  const bool coded = facts.coding != Coding::identity;
  const bool decodable = facts.coding == Coding::gzip || facts.coding == Coding::br;
  const unsigned offered = is_encodable_status(head.status) && is_compressible(facts.content_type)
                               ? offered_codings(settings, client, head, !coded)
                               : 0;
  // Another client may get other bytes, so caches must know even when this one gets these.
  plan.add_vary = !facts.varies && (decodable || (!coded && offered != 0));
  if (decodable && !client.accepted.takes(facts.coding)) plan.decode = facts.coding;
  if (!client.is_http_1_0 && (!coded || plan.decode != Coding::identity)) {
    plan.encode = choose(client.accepted, offered);
  }
  plan.weaken_etag = strong && plan.changes_body();
  return plan;
}

Plan without_encoding(const Plan& plan) noexcept {
  Plan out = plan;
  out.encode = Coding::identity;
  out.weaken_etag = plan.weaken_etag && out.changes_body();
  return out;
}

FieldAction action_on(const Plan& plan, std::string_view name) noexcept {
  static constexpr std::array<std::string_view, 7> kOfTheBytes = {
      "Content-Encoding", "Content-Length", "Accept-Ranges", "Content-MD5",
      "Digest",           "Content-Digest", "Repr-Digest"};
  if (plan.weaken_etag && equals_ignoring_case(name, "ETag")) return FieldAction::weaken;
  if (!plan.changes_body()) return FieldAction::keep;
  for (const std::string_view one : kOfTheBytes) {
    if (equals_ignoring_case(name, one)) return FieldAction::drop;
  }
  return FieldAction::keep;
}

}  // namespace brink::l7::compress
