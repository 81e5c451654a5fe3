#include "ctl/api/record_query.h"

#include "ctl/api/paging.h"

namespace brink::ctl::api {
namespace {

using model::Refusal;
using store::RecordQuery;
using store::TextMatch;

constexpr std::uint64_t kRecordsPerPage = 100;

struct Suffix {
  const char* text;
  TextMatch match;
};
constexpr Suffix kSuffixes[] = {{"", TextMatch::kExact},
                                {".exact", TextMatch::kExact},
                                {".contains", TextMatch::kContains},
                                {".startswith", TextMatch::kStartsWith},
                                {".endswith", TextMatch::kEndsWith},
                                {".absent", TextMatch::kAbsent},
                                {".present", TextMatch::kPresent}};

void read_texts(const Request& request, const std::string& field_name, RecordQuery::Field field,
                RecordQuery& query) {
  for (const Suffix& suffix : kSuffixes) {
    const auto* value = request.query_value(field_name + suffix.text);
    if (value == nullptr) continue;
    query.texts.push_back(
        {field, suffix.match, field == RecordQuery::Field::kName ? wanted_name(*value) : *value});
  }
}

// `tag=` takes a tag as it is, or a name alone, whatever the value is. May be repeated.
std::optional<Refusal> read_tags(const Request& request, RecordQuery& query) {
  for (const Suffix& suffix : kSuffixes) {
    const std::string key = std::string("tag") + suffix.text;
    const auto [first, last] = request.query.equal_range(key);
    for (auto at = first; at != last; ++at) {
      const std::string& text = at->second;
      const bool has_value = text.find(':') != std::string::npos;
      TextMatch match = suffix.match;
      if (*suffix.text == '\0' && !has_value) match = TextMatch::kPresent;
      const bool needs_value = match == TextMatch::kContains || match == TextMatch::kStartsWith ||
                               match == TextMatch::kEndsWith;
      if (text.empty() || (needs_value && !has_value)) {
        return bad_parameter(key, text, needs_value ? "name:value" : "a tag's name");
      }
      query.tags.push_back({match, text});
    }
  }
  const auto* text = request.query_value("tag_match");
  if (text == nullptr) return std::nullopt;
  if (*text != "any" && *text != "all") return bad_parameter("tag_match", *text, "any or all");
  query.tags_any = *text == "any";
  return std::nullopt;
}

std::optional<Refusal> read_order(const Request& request, RecordQuery& query) {
  using Order = RecordQuery::Order;
  static constexpr std::pair<const char*, Order> kOrders[] = {{"type", Order::kType},
                                                              {"name", Order::kName},
                                                              {"content", Order::kContent},
                                                              {"ttl", Order::kTtl},
                                                              {"proxied", Order::kProxied}};
  const auto* text = request.query_value("order");
  if (text == nullptr) return std::nullopt;
  for (const auto& [name, order] : kOrders) {
    if (*text != name) continue;
    query.order = order;
    return std::nullopt;
  }
  return bad_parameter("order", *text, "type, name, content, ttl or proxied");
}

std::optional<Refusal> read_shadow(const Request& request, const char* key, bool with_metadata,
                                   std::optional<model::DomainName>& target) {
  const auto* text = request.query_value(key);
  if (text == nullptr) return std::nullopt;
  if (!with_metadata) {
    return bad_parameter(key, *text, "include_shadow_metadata=true beside it");
  }
  auto name = model::DomainName::parse(wanted_name(*text));
  if (!name) return bad_parameter(key, *text, "a domain name");
  target = std::move(name).value();
  return std::nullopt;
}

std::optional<Refusal> read_filters(const Request& request, RecordQuery& query) {
  read_texts(request, "name", RecordQuery::Field::kName, query);
  read_texts(request, "content", RecordQuery::Field::kContent, query);
  read_texts(request, "comment", RecordQuery::Field::kComment, query);
  if (auto fault = read_tags(request, query)) return fault;
  if (const auto* text = request.query_value("search")) query.search = *text;
  if (const auto* text = request.query_value("type")) {
    query.type = model::type_from_text(*text);
    if (!query.type) return bad_parameter("type", *text, "a record type such as A");
  }
  if (const auto* text = request.query_value("proxied")) {
    if (*text != "true" && *text != "false") {
      return bad_parameter("proxied", *text, "true or false");
    }
    query.proxied = *text == "true";
  }
  return std::nullopt;
}

}  // namespace

model::Outcome<bool> wants_shadow_metadata(const Request& request) {
  const auto* text = request.query_value("include_shadow_metadata");
  if (text == nullptr || *text == "false") return false;
  if (*text == "true") return true;
  return bad_parameter("include_shadow_metadata", *text, "true or false");
}

model::Outcome<RecordListing> read_record_listing(const Request& request,
                                                  std::uint64_t per_page_max) {
  RecordListing listing;
  RecordQuery& query = listing.query;
  auto paging = read_paging(request, kRecordsPerPage, per_page_max);
  if (!paging) return paging.error();
  query.paging = paging.value();
  const auto shadows = wants_shadow_metadata(request);
  if (!shadows) return shadows.error();
  listing.shadow_metadata = shadows.value();
  if (auto fault = read_direction(request, query.descending)) return *fault;
  if (auto fault = read_match(request, query.match_any)) return *fault;
  if (auto fault = read_filters(request, query)) return *fault;
  if (auto fault = read_order(request, query)) return *fault;
  if (auto fault =
          read_shadow(request, "shadowed_by_name", listing.shadow_metadata, query.shadowed_by)) {
    return *fault;
  }
  if (auto fault = read_shadow(request, "shadowing_name", true, query.shadowing)) return *fault;
  return listing;
}

}  // namespace brink::ctl::api
