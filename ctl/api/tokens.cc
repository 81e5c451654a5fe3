// API tokens: /client/v4/user/tokens of the calling user, /client/v4/accounts/:account/tokens of an
// account, those of its users among them. The secret is in the answer that makes or rolls it, and
// nowhere else.
#include "ctl/api/audit.h"
#include "ctl/api/authorize.h"
#include "ctl/api/paging.h"
#include "ctl/api/service.h"
#include "ctl/identity/policy_json.h"
#include "ctl/store/identities.h"

namespace brink::ctl::api {
namespace {

using identity::Principal;
using identity::Token;
using model::Outcome;
using model::Refusal;
using model::Timestamp;
using store::Identities;

constexpr std::uint64_t kPerPage = 20, kPerPageMax = 1000;
constexpr std::size_t kNameSizeMax = 120;

// Whose tokens a path is about.
struct Owner {
  model::Id account;
  std::optional<model::Id> user;
};

Owner owner_of(const Request& request) {
  if (request.parameters.contains("account")) return {account_of(request), std::nullopt};
  return {request.principal.account(), request.principal.user()};
}

Json token_json(Service& service, const Token& token) {
  Json json = {{"id", token.id.hex()},
               {"name", token.name},
               {"status", identity::to_text(token.status(service.clock()))},
               {"issued_on", token.issued_on.rfc3339()},
               {"modified_on", token.modified_on.rfc3339()}};
  if (token.not_before) json["not_before"] = token.not_before->rfc3339();
  if (token.expires_on) json["expires_on"] = token.expires_on->rfc3339();
  auto used_on = service.token_uses.last(token.id);
  if (!used_on) used_on = token.last_used_on;
  if (used_on) json["last_used_on"] = used_on->rfc3339();
  json["policies"] = identity::to_json(token.policies);
  json["condition"] = identity::to_json(token.client);
  if (token.user) {
    const auto user = Identities(service.store).user_by_id(*token.user);
    json["user"] = {{"id", token.user->hex()}, {"email", user ? user->email : ""}};
  }
  return json;
}

Refusal invalid(const std::string& message) {
  return {400, kCodeIdentityInvalid, message, {}};
}

// Absent: left alone; null or empty: none.
std::optional<Refusal> read_time(const Json& body, const char* name,
                                 std::optional<Timestamp>& target) {
  const auto found = body.find(name);
  if (found == body.end()) return std::nullopt;
  if (found->is_null() || *found == "") {
    target.reset();
    return std::nullopt;
  }
  target =
      found->is_string() ? Timestamp::parse(found->get_ref<const std::string&>()) : std::nullopt;
  if (target) return std::nullopt;
  return invalid("\"" + std::string(name) + "\" must be a time such as 2027-01-31T00:00:00Z.");
}

std::optional<Refusal> read_status(const FieldReader& fields, const std::string& status,
                                   Token& token) {
  if (fields.fault()) return *fields.fault();
  // What has expired says so by itself, and is written back by clients that change something else.
  if (status == "active" || status == "disabled") {
    token.disabled = status == "disabled";
  } else if (!status.empty() && status != "expired") {
    return invalid("The status of a token is \"active\" or \"disabled\", not \"" + status + "\".");
  }
  return std::nullopt;
}

// Takes into the token what the body says.
std::optional<Refusal> read_token(Service& service, const Json& body, Token& token) {
  std::string status;
  FieldReader fields(body);
  fields.text("status", status);
  FieldReader named(body, Nulls::kRefused);
  named.text("name", token.name);
  if (named.fault()) return named.fault();
  if (auto fault = read_status(fields, status, token)) return fault;
  if (token.name.empty() || token.name.size() > kNameSizeMax || !is_printable(token.name)) {
    return invalid("The name of a token has 1 to " + std::to_string(kNameSizeMax) +
                   " octets and no control characters.");
  }
  if (auto fault = read_time(body, "not_before", token.not_before)) return fault;
  if (auto fault = read_time(body, "expires_on", token.expires_on)) return fault;
  if (token.not_before && token.expires_on && *token.expires_on <= *token.not_before) {
    return invalid("The token would expire before it is valid.");
  }
  if (const auto found = body.find("condition"); found != body.end()) {
    auto condition = identity::condition_from_json(*found);
    if (!condition) return condition.error();
    token.client = std::move(condition).value();
  }
  if (const auto found = body.find("policies"); found != body.end()) {
    auto policies = identity::policies_from_json(*found, service.entropy);
    if (!policies) return policies.error();
    token.policies = std::move(policies).value();
  }
  if (token.policies.empty()) return invalid("A token needs \"policies\".");
  return std::nullopt;
}

Refusal exceeds() {
  return {403,
          kCodeAuthentication,
          "Authentication error: the token may do more than you may yourself.",
          {}};
}

bool is_node_token(const Token& token) {
  return Principal::of(token, std::nullopt).allows_somewhere(identity::Permission::kNodeRead);
}

Outcome<Token> find(Service& service, const Request& request) {
  const std::string& text = request.parameters.at("token");
  const auto id = model::Id::parse(text);
  auto token = id ? Identities(service.store).token_by_id(*id) : std::nullopt;
  const Owner owner = owner_of(request);
  const bool is_theirs =
      token && token->account == owner.account && (!owner.user || token->user == owner.user);
  if (is_theirs) return *std::move(token);
  return Refusal{
      404, model::kCodeNotFound, "There is no API token with the identifier " + text + ".", {}};
}

// The token, if the caller may take it into his own hands.
Outcome<Token> find_covered(Service& service, const Request& request) {
  auto token = find(service, request);
  if (token && !request.principal.covers(token.value())) return exceeds();
  return token;
}

// A node's token counts as the node's own affair, whatever account it was made in.
std::optional<model::Id> audit_account(const Token& token) {
  return is_node_token(token) ? std::nullopt : std::optional(token.account);
}

void audit_token(Service& service, const char* action, const Token& token, const Json& before,
                 const Json& after) {
  audit(service,
        {audit_account(token), action, "token", token.id.hex(), token.name, before, after});
}

Reply list(Service& service, const Request& request) {
  const auto paging = read_paging(request, kPerPage, kPerPageMax);
  if (!paging) return refuse(paging.error());
  const Owner owner = owner_of(request);
  const auto page =
      Identities(service.store).list_tokens(owner.account, owner.user, paging.value());
  return page_of(page, paging.value(),
                 [&](const Token& token) { return token_json(service, token); });
}

Reply show(Service& service, const Request& request) {
  const auto token = find(service, request);
  if (!token) return refuse(token.error());
  return answer(to_text(token_json(service, token.value())));
}

Reply create(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  const Owner owner = owner_of(request);
  Token token;
  token.id = model::Id::random(service.entropy);
  token.account = owner.account;
  token.user = owner.user;
  token.issued_on = token.modified_on = service.clock();
  if (auto fault = read_token(service, body.value(), token)) return refuse(*fault);
  if (!request.principal.covers(token)) return refuse(exceeds());
  const std::string secret = secret::random_text(service.entropy, identity::kTokenSize);
  token.secret_hash = secret::sha256(secret);
  Json json = token_json(service, token);
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  Identities(service.store).insert_token(token);
  audit_token(service, "create", token, nullptr, json);
  transaction.commit();
  json["value"] = secret;
  return answer(to_text(json));
}

Reply update(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  auto found = find_covered(service, request);
  if (!found) return refuse(found.error());
  Token& token = found.value();
  const Json before = token_json(service, token);
  if (auto fault = read_token(service, body.value(), token)) return refuse(*fault);
  if (!request.principal.covers(token)) return refuse(exceeds());
  token.modified_on = service.clock();
  const Json after = token_json(service, token);
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  Identities(service.store).update_token(token);
  audit_token(service, "update", token, before, after);
  transaction.commit();
  return answer(to_text(after));
}

Reply remove(Service& service, const Request& request) {
  const auto found = find(service, request);
  if (!found) return refuse(found.error());
  const Token& token = found.value();
  // Any other token may be deleted by whoever manages the account's tokens, as when it leaked.
  if (is_node_token(token) && !request.principal.is_operator()) return refuse(exceeds());
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  Identities(service.store).delete_token(token.id);
  audit_token(service, "delete", token, token_json(service, token), nullptr);
  transaction.commit();
  return answer(to_text({{"id", token.id.hex()}}));
}

// A new secret; the old one is worth nothing from now on.
Reply roll(Service& service, const Request& request) {
  auto found = find_covered(service, request);
  if (!found) return refuse(found.error());
  Token& token = found.value();
  const Json before = token_json(service, token);
  const std::string secret = secret::random_text(service.entropy, identity::kTokenSize);
  token.secret_hash = secret::sha256(secret);
  token.modified_on = service.clock();
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  Identities(service.store).update_token(token);
  audit_token(service, "roll", token, before, token_json(service, token));
  transaction.commit();
  return answer(to_text(Json(secret)));
}

// Of the token that the request itself came with.
Reply verify(Service& service, const Request& request) {
  const Principal& principal = request.principal;
  const bool is_token = principal.kind() == Principal::Kind::kToken;
  const auto token =
      is_token ? Identities(service.store).token_by_id(principal.id()) : std::nullopt;
  if (!token) {
    return refuse({400,
                   kCodeHeadersInvalid,
                   "Invalid request headers",
                   {{kCodeAuthorizationFormat, "There is no API token in the request to verify"}}});
  }
  Json json = {{"id", token->id.hex()},
               {"status", identity::to_text(token->status(service.clock()))}};
  if (token->not_before) json["not_before"] = token->not_before->rfc3339();
  if (token->expires_on) json["expires_on"] = token->expires_on->rfc3339();
  Reply reply = answer(to_text(json));
  reply.envelope.messages.push_back({10000, "This API Token is valid and active"});
  return reply;
}

Reply permission_groups(Service&, const Request& request) {
  Json result = Json::array();
  const auto* name = request.query_value("name");
  for (const identity::PermissionGroup& group : identity::permission_groups()) {
    if (name != nullptr && *name != group.name) continue;
    result.push_back({{"id", group.id},
                      {"name", group.name},
                      {"scopes", Json::array({identity::scope_text(group.scope)})}});
  }
  const std::size_t count = result.size();
  Reply reply = answer(to_text(result));
  reply.envelope.info = {1, count, count, count};
  return reply;
}

}  // namespace

void add_tokens(Router& router, Service& service) {
  const auto add = [&](const std::string& base, identity::Permission read,
                       identity::Permission edit) {
    router.add("GET", base + "/verify", Access::anybody_known(), bound(service, verify));
    router.add("GET", base + "/permission_groups", Access::anybody_known(),
               bound(service, permission_groups));
    router.add("GET", base, read, bound(service, list));
    router.add("POST", base, edit, bound(service, create));
    router.add("GET", base + "/:token", read, bound(service, show));
    router.add("PUT", base + "/:token", edit, bound(service, update));
    router.add("DELETE", base + "/:token", edit, bound(service, remove));
    router.add("PUT", base + "/:token/value", edit, bound(service, roll));
  };
  using enum identity::Permission;
  add("/client/v4/user/tokens", kUserTokensRead, kUserTokensEdit);
  add("/client/v4/accounts/:account/tokens", kAccountTokensRead, kAccountTokensEdit);
}

}  // namespace brink::ctl::api
