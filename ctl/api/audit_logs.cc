// /client/v4/accounts/:account/audit_logs: what changed in an account, and who did it.
// /client/v4/user/audit_logs: what the calling user changed, himself or by his tokens.
// /brink/v1/audit_logs: on the whole node.
#include "ctl/store/audit_log.h"

#include <algorithm>

#include "ctl/api/authorize.h"
#include "ctl/api/json_input.h"
#include "ctl/api/paging.h"
#include "ctl/api/service.h"
#include "ctl/store/identities.h"

namespace brink::ctl::api {
namespace {

using model::Outcome;
using model::Refusal;
using store::AuditEntry;
using store::AuditQuery;

constexpr std::uint64_t kPerPage = 100, kPerPageMax = 1000;

Json state_json(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json::parse(text, nullptr, false);
}

Json actor_json(const AuditEntry& entry) {
  return {{"id", entry.actor_id},
          {"email", entry.actor_email},
          {"ip", entry.actor_ip},
          {"type", entry.actor_type},
          {"name", entry.actor_name}};
}

Json entry_json(const AuditEntry& entry) {
  return {
      {"id", entry.id.hex()},
      {"action", {{"type", entry.action}, {"result", true}}},
      {"actor", actor_json(entry)},
      {"interface", entry.actor_ip.empty() ? "UNIX" : "API"},
      {"metadata", {{"zone_name", entry.zone}, {"version", entry.version}}},
      {"when", entry.created_on.rfc3339()},
      {"owner", {{"id", entry.account ? Json(entry.account->hex()) : Json(nullptr)}}},
      {"resource",
       {{"type", entry.resource_type}, {"id", entry.resource_id}, {"name", entry.resource_name}}},
      {"oldValue", entry.before},
      {"newValue", entry.after},
      {"oldValueJson", state_json(entry.before)},
      {"newValueJson", state_json(entry.after)}};
}

std::optional<Refusal> read_time(const Request& request, const char* name,
                                 std::optional<model::Timestamp>& target) {
  const auto* text = request.query_value(name);
  if (text == nullptr) return std::nullopt;
  target = model::Timestamp::parse(*text);
  if (target) return std::nullopt;
  return bad_parameter(name, *text, "a time such as 2027-01-31T00:00:00Z");
}

Outcome<AuditQuery> read_query(const Request& request) {
  AuditQuery query;
  const auto paging = read_paging(request, kPerPage, kPerPageMax);
  if (!paging) return paging.error();
  query.paging = paging.value();
  if (auto fault = read_time(request, "since", query.since)) return *fault;
  if (auto fault = read_time(request, "before", query.before)) return *fault;
  if (request.query_value("direction") != nullptr) {
    if (auto fault = read_direction(request, query.descending)) return *fault;
  }
  if (const auto* text = request.query_value("id")) {
    query.id = model::Id::parse(*text);
    if (!query.id) return bad_parameter("id", *text, "32 hex digits");
  }
  const auto take = [&](const char* name, std::optional<std::string>& target) {
    if (const auto* text = request.query_value(name)) target = *text;
  };
  take("action.type", query.action);
  take("actor.email", query.actor_email);
  take("actor.ip", query.actor_ip);
  take("resource.type", query.resource_type);
  take("zone.name", query.zone);
  if (query.zone) query.zone = wanted_name(*query.zone);
  return query;
}

Reply answer_with(const AuditQuery& query, const store::Page<AuditEntry>& page) {
  return page_of(page, query.paging, entry_json);
}

Reply list(Service& service, const Request& request) {
  auto query = read_query(request);
  if (!query) return refuse(query.error());
  if (request.parameters.contains("account")) query.value().account = account_of(request);
  return answer_with(query.value(), store::AuditLog(service.store).list(query.value()));
}

// The log knows actors by their address, which is one user's at a time: what was before the user
// was there is somebody else's.
Reply list_own(Service& service, const Request& request) {
  auto read = read_query(request);
  if (!read) return refuse(read.error());
  AuditQuery& query = read.value();
  const auto user = store::Identities(service.store).user_by_id(*request.principal.user());
  CHECK(user.has_value());
  if (query.actor_email && *query.actor_email != user->email) return answer_with(query, {});
  query.account = user->account;
  query.actor_email = user->email;
  query.since = std::max(query.since.value_or(user->created_on), user->created_on);
  return answer_with(query, store::AuditLog(service.store).list(query));
}

}  // namespace

void add_audit_logs(Router& router, Service& service) {
  const Router::Handler handler = bound(service, list);
  router.add("GET", "/client/v4/accounts/:account/audit_logs",
             identity::Permission::kAccountSettingsRead, handler);
  router.add("GET", "/client/v4/user/audit_logs", identity::Permission::kUserDetailsRead,
             bound(service, list_own));
  router.add("GET", "/brink/v1/audit_logs", identity::Permission::kNodeRead, handler);
}

}  // namespace brink::ctl::api
