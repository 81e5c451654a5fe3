#include "ctl/identity/principal.h"

#include <algorithm>

namespace brink::ctl::identity {
namespace {

using Kind = Resource::Kind;

std::size_t index(Permission permission) {
  return static_cast<std::size_t>(permission);
}

// Whether a resource of a token of account `home` covers `target` for permissions of `scope`.
bool covers(const Resource& resource, Scope scope, const Target& target) {
  switch (resource.kind) {
    case Kind::kNode:
      return scope == Scope::kNode;
    case Kind::kUser:
      return scope == Scope::kUser && target.user == resource.id;
    case Kind::kAllAccounts:
      return scope == Scope::kAccount || scope == Scope::kZone;
    case Kind::kAccount:
      return (scope == Scope::kAccount || scope == Scope::kZone) && target.account == resource.id;
    case Kind::kAllZones:
      return scope == Scope::kZone;
    case Kind::kZone:
      return scope == Scope::kZone && target.zone == resource.id;
  }
  return false;
}

// Every permission on every resource that a user has by right.
std::vector<Policy> everything_of(const User& user) {
  Policy policy;
  for (const PermissionGroup& group : permission_groups()) {
    policy.permissions.set(index(group.permission), group.scope != Scope::kNode);
  }
  policy.resources = {{Kind::kAccount, user.account}, {Kind::kUser, user.id}};
  return {policy};
}

}  // namespace

PermissionSet expanded(PermissionSet permissions) {
  for (const PermissionGroup& group : permission_groups()) {
    if (group.implies && permissions.test(index(group.permission))) {
      permissions.set(index(*group.implies));
    }
  }
  return permissions;
}

Principal Principal::local_operator(std::uint32_t uid) {
  Principal principal;
  principal.kind_ = Kind::kOperator;
  principal.name_ = "operator uid " + std::to_string(uid);
  return principal;
}

Principal Principal::of(const User& user) {
  Principal principal;
  principal.kind_ = Kind::kUser;
  principal.id_ = user.id;
  principal.account_ = user.account;
  principal.user_ = user.id;
  principal.email_ = user.email;
  principal.name_ = "user " + user.email;
  principal.policies_ = everything_of(user);
  return principal;
}

Principal Principal::of(const Token& token, const std::optional<User>& user) {
  Principal principal;
  principal.kind_ = Kind::kToken;
  principal.id_ = token.id;
  principal.account_ = token.account;
  principal.user_ = token.user;
  if (user) principal.email_ = user->email;
  principal.name_ = "token " + token.name;
  principal.policies_ = token.policies;
  for (Policy& policy : principal.policies_) policy.permissions = expanded(policy.permissions);
  return principal;
}

bool Principal::is_operator() const {
  if (kind_ == Kind::kOperator) return true;
  return std::any_of(policies_.begin(), policies_.end(), [](const Policy& policy) {
    const auto is_node = [](const Resource& resource) {
      return resource.kind == Resource::Kind::kNode;
    };
    return policy.permissions.test(index(Permission::kNodeEdit)) &&
           std::any_of(policy.resources.begin(), policy.resources.end(), is_node);
  });
}

bool Principal::allows(Permission permission, const Target& target) const {
  if (is_operator()) return true;
  const Scope scope = group_of(permission).scope;
  // Whatever a policy says, it says it about the principal's own account.
  if (scope != Scope::kNode && target.account != account_) return false;
  return std::any_of(policies_.begin(), policies_.end(), [&](const Policy& policy) {
    return policy.permissions.test(index(permission)) &&
           std::any_of(
               policy.resources.begin(), policy.resources.end(),
               [&](const Resource& resource) { return identity::covers(resource, scope, target); });
  });
}

bool Principal::sees(const Target& target) const {
  if (is_operator()) return true;
  const Scope scope = target.zone ? Scope::kZone : target.user ? Scope::kUser : Scope::kAccount;
  const auto groups = permission_groups();
  return std::any_of(groups.begin(), groups.end(), [&](const PermissionGroup& group) {
    return group.scope == scope && allows(group.permission, target);
  });
}

bool Principal::allows_somewhere(Permission permission) const {
  if (is_operator()) return true;
  return std::any_of(policies_.begin(), policies_.end(), [&](const Policy& policy) {
    return policy.permissions.test(index(permission)) && !policy.resources.empty();
  });
}

bool Principal::allows_all_zones(Permission permission, const model::Id& account) const {
  return allows(permission, {account, std::nullopt, std::nullopt});
}

std::vector<model::Id> Principal::single_zones(Permission permission) const {
  std::vector<model::Id> zones;
  for (const Policy& policy : policies_) {
    if (!policy.permissions.test(index(permission))) continue;
    for (const Resource& resource : policy.resources) {
      if (resource.kind == Resource::Kind::kZone) zones.push_back(resource.id);
    }
  }
  return zones;
}

bool Principal::covers(const Token& token) const {
  if (is_operator()) return true;
  if (token.account != account_) return false;
  const auto allows_on = [&](Permission permission, const Resource& resource) {
    Target target{account_, std::nullopt, std::nullopt};
    if (resource.kind == Resource::Kind::kZone) target.zone = resource.id;
    if (resource.kind == Resource::Kind::kUser) target.user = resource.id;
    if (resource.kind == Resource::Kind::kAccount) target.account = resource.id;
    return allows(permission, target);
  };
  for (const Policy& policy : token.policies) {
    for (const PermissionGroup& group : permission_groups()) {
      if (!policy.permissions.test(index(group.permission))) continue;
      for (const Resource& resource : policy.resources) {
        if (!allows_on(group.permission, resource)) return false;
      }
    }
  }
  return true;
}

}  // namespace brink::ctl::identity
