#include "ctl/api/authorize.h"

#include "ctl/store/identities.h"

namespace brink::ctl::api {
namespace {

using identity::Permission;
using identity::Principal;
using identity::Scope;
using model::Refusal;

const std::string* parameter(const Request& request, const char* name) {
  const auto found = request.parameters.find(name);
  return found == request.parameters.end() ? nullptr : &found->second;
}

std::optional<Refusal> check(const Principal& principal, Permission permission,
                             const identity::Target& target) {
  if (principal.allows(permission, target)) return std::nullopt;
  return denied(permission);
}

std::optional<Refusal> check_zone(Service& service, const Principal& principal,
                                  Permission permission, const std::string& id_text) {
  const auto id = model::Id::parse(id_text);
  const auto zone = id ? service.store.zone_by_id(*id) : std::nullopt;
  if (!zone) return no_such_zone(id_text);
  const identity::Target target{zone->account, zone->id, std::nullopt};
  if (!principal.sees(target)) return no_such_zone(id_text);
  return check(principal, permission, target);
}

std::optional<Refusal> check_user(const Principal& principal, Permission permission) {
  if (!principal.user()) {
    return Refusal{403,
                   kCodeAuthentication,
                   "This is about the calling user; " + principal.name() + " belongs to none.",
                   {}};
  }
  return check(principal, permission, {principal.account(), std::nullopt, principal.user()});
}

// Of a list the handler shows what the caller may see; whoever may see nothing is told so.
std::optional<Refusal> check_anywhere(const Principal& principal, const Route& route) {
  if (principal.allows_somewhere(route.access.permission)) return std::nullopt;
  if (route.access.permission != Permission::kZoneRead) return denied(route.access.permission);
  return Refusal{403,
                 kCodeListDenied,
                 "Actor '" + principal.name() +
                     "' requires permission 'com.cloudflare.api.account.zone.list' to list zones",
                 {}};
}

}  // namespace

std::optional<Refusal> authorize(Service& service, const Route& route, const Request& request) {
  const Principal& principal = request.principal;
  const Permission permission = route.access.permission;
  const bool needs_permission = route.access.kind == Access::Kind::kPermission;
  const Scope scope = identity::group_of(permission).scope;
  // Before anything is looked up: what is about the node tells nothing of accounts and zones.
  if (needs_permission && scope == Scope::kNode) {
    if (auto refusal = check(principal, permission, {})) return refusal;
  }
  if (const auto* text = parameter(request, "account")) {
    const auto id = model::Id::parse(*text);
    if (!id || !sees_account(service, principal, *id)) return no_such_account(*text);
    if (!needs_permission || scope == Scope::kNode) return std::nullopt;
    return check(principal, permission, {*id, std::nullopt, std::nullopt});
  }
  if (!needs_permission || scope == Scope::kNode) return std::nullopt;
  if (const auto* text = parameter(request, "zone")) {
    return check_zone(service, principal, permission, *text);
  }
  if (scope == Scope::kUser) return check_user(principal, permission);
  return check_anywhere(principal, route);
}

bool sees_account(Service& service, const Principal& principal, const model::Id& account) {
  if (!principal.is_operator() && account != principal.account()) return false;
  return store::Identities(service.store).account_by_id(account).has_value();
}

Refusal denied(Permission permission) {
  const bool is_dns_edit = permission == Permission::kDnsEdit;
  return {403,
          is_dns_edit ? kCodeDnsEditDenied : kCodeAuthentication,
          std::string(is_dns_edit ? "Unauthorized to access requested resource"
                                  : "Authentication error") +
              ": this needs the permission \"" + std::string(identity::group_of(permission).name) +
              "\".",
          {}};
}

Refusal no_such_zone(const std::string& id) {
  return {404, model::kCodeNotFound, "There is no zone with the identifier " + id + ".", {}};
}

Refusal no_such_account(const std::string& id) {
  return {404, model::kCodeNotFound, "There is no account with the identifier " + id + ".", {}};
}

model::Id account_of(const Request& request) {
  const auto id = model::Id::parse(request.parameters.at("account"));
  CHECK(id.has_value());
  return *id;
}

}  // namespace brink::ctl::api
