// /client/v4/zones/:zone/dns_records: list, create, show, overwrite, edit, delete.
#include "ctl/api/change.h"
#include "ctl/api/paging.h"
#include "ctl/api/record_json.h"
#include "ctl/api/service.h"

namespace brink::ctl::api {
namespace {

using model::Record;
using model::Refusal;
using store::RecordQuery;
using store::TextMatch;

constexpr std::uint64_t kRecordsPerPage = 100;

void read_texts(const Request& request, const std::string& field_name, RecordQuery::Field field,
                RecordQuery& query) {
  static constexpr std::pair<const char*, TextMatch> kSuffixes[] = {
      {"", TextMatch::kExact},
      {".exact", TextMatch::kExact},
      {".contains", TextMatch::kContains},
      {".startswith", TextMatch::kStartsWith},
      {".endswith", TextMatch::kEndsWith},
      {".absent", TextMatch::kAbsent},
      {".present", TextMatch::kPresent}};
  for (const auto& [suffix, match] : kSuffixes) {
    const auto* value = request.query_value(field_name + suffix);
    if (value == nullptr) continue;
    query.texts.push_back(
        {field, match, field == RecordQuery::Field::kName ? wanted_name(*value) : *value});
  }
}

std::optional<Refusal> read_order(const std::string& text, RecordQuery& query) {
  using Order = RecordQuery::Order;
  static constexpr std::pair<const char*, Order> kOrders[] = {{"type", Order::kType},
                                                              {"name", Order::kName},
                                                              {"content", Order::kContent},
                                                              {"ttl", Order::kTtl},
                                                              {"proxied", Order::kProxied}};
  for (const auto& [name, order] : kOrders) {
    if (text != name) continue;
    query.order = order;
    return std::nullopt;
  }
  return bad_parameter("order", text, "type, name, content, ttl or proxied");
}

model::Outcome<RecordQuery> read_query(const Service& service, const Request& request) {
  RecordQuery query;
  auto paging = read_paging(request, kRecordsPerPage, service.settings.limits.records_per_page_max);
  if (!paging) return paging.error();
  query.paging = paging.value();
  if (auto fault = read_direction(request, query.descending)) return *fault;
  if (auto fault = read_match(request, query.match_any)) return *fault;
  read_texts(request, "name", RecordQuery::Field::kName, query);
  read_texts(request, "content", RecordQuery::Field::kContent, query);
  read_texts(request, "comment", RecordQuery::Field::kComment, query);
  for (const char* key : {"tag", "tag.present", "tag.exact"}) {
    if (const auto* text = request.query_value(key)) query.tag = *text;
  }
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
  if (const auto* text = request.query_value("order")) {
    if (auto fault = read_order(*text, query)) return *fault;
  }
  return query;
}

Reply list(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  auto query = read_query(service, request);
  if (!query) return refuse(query.error());
  const auto page = service.store.list_records(zone.value(), query.value());
  // Put together record by record: a page may hold 50,000.
  std::string text = "[";
  for (const Record& record : page.items) {
    if (text.size() > 1) text += ',';
    text += to_text(record_json(service.settings.rules, zone.value(), record));
  }
  Reply reply = answer(text + "]");
  reply.envelope.info = {query.value().paging.page, query.value().paging.per_page,
                         page.items.size(), page.total};
  return reply;
}

Reply show(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto record = find_record(service, zone.value(), request.parameters.at("record"));
  if (!record) return refuse(record.error());
  return answer(to_text(record_json(service.settings.rules, zone.value(), record.value())));
}

Reply changed(Service& service, Change& change, const Record& record) {
  const std::uint64_t version = change.commit();
  Reply reply = answer(to_text(record_json(service.settings.rules, change.zone(), record)));
  reply.version = version;
  return reply;
}

Reply create(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  model::RecordDraft draft;
  if (auto fault = read_draft(body.value(), draft)) return refuse(*fault);
  Change change(service, std::move(zone).value());
  const auto record = change.create(draft);
  if (!record) return refuse(record.error());
  return changed(service, change, record.value());
}

// PUT starts from nothing, PATCH from what is there.
Reply replace(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  Change change(service, std::move(zone).value());
  const auto old = change.find(request.parameters.at("record"));
  if (!old) return refuse(old.error());
  model::RecordDraft draft;
  if (request.method == "PATCH") draft = model::draft_of(old.value());
  if (auto fault = read_draft(body.value(), draft)) return refuse(*fault);
  const auto record = change.replace(old.value(), draft);
  if (!record) return refuse(record.error());
  return changed(service, change, record.value());
}

Reply remove(Service& service, const Request& request) {
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  Change change(service, std::move(zone).value());
  const auto record = change.find(request.parameters.at("record"));
  if (!record) return refuse(record.error());
  change.remove(record.value());
  const std::uint64_t version = change.commit();
  Reply reply = answer(to_text({{"id", record.value().id.hex()}}));
  reply.version = version;
  return reply;
}

}  // namespace

void add_dns_records(Router& router, Service& service) {
  const auto bound = [&service](Reply (*handler)(Service&, const Request&)) {
    return [&service, handler](const Request& request) { return handler(service, request); };
  };
  router.add("GET", "/client/v4/zones/:zone/dns_records", identity::Permission::kDnsRead,
             bound(list));
  router.add("POST", "/client/v4/zones/:zone/dns_records", identity::Permission::kDnsEdit,
             bound(create));
  router.add("GET", "/client/v4/zones/:zone/dns_records/:record", identity::Permission::kDnsRead,
             bound(show));
  router.add("PUT", "/client/v4/zones/:zone/dns_records/:record", identity::Permission::kDnsEdit,
             bound(replace));
  router.add("PATCH", "/client/v4/zones/:zone/dns_records/:record", identity::Permission::kDnsEdit,
             bound(replace));
  router.add("DELETE", "/client/v4/zones/:zone/dns_records/:record", identity::Permission::kDnsEdit,
             bound(remove));
}

}  // namespace brink::ctl::api
