// Permission: what a request needs and a token grants. The table of permission groups carries the
// ids and names that API clients know; README.md has it in prose.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace brink::ctl::identity {

enum class Permission : std::uint8_t {
  kZoneRead,
  kZoneEdit,
  kDnsRead,
  kDnsEdit,
  kZoneSettingsRead,
  kZoneSettingsEdit,
  kSslRead,
  kSslEdit,
  kRulesetsRead,
  kRulesetsEdit,
  kCachePurge,
  kLoadBalancersRead,
  kLoadBalancersEdit,
  kFirewallRead,
  kFirewallEdit,
  kAccountSettingsRead,
  kAccountSettingsEdit,
  kAccountSslRead,
  kAccountSslEdit,
  kAccountTokensRead,
  kAccountTokensEdit,
  kPoolsRead,
  kPoolsEdit,
  kUserDetailsRead,
  kUserDetailsEdit,
  kUserTokensRead,
  kUserTokensEdit,
  kNodeRead,  // status, counters and history of the whole node
  kNodeEdit,  // everything, like the UNIX socket
};
inline constexpr std::size_t kPermissionCount = 29;
using PermissionSet = std::bitset<kPermissionCount>;

// What a permission is about, and so the kind of resource that it can be granted on.
enum class Scope : std::uint8_t { kZone, kAccount, kUser, kNode };

struct PermissionGroup {
  Permission permission;
  Scope scope;
  std::optional<Permission> implies;  // an edit permission includes the one to read
  std::string_view id;                // 32 hex digits
  std::string_view name;              // "DNS Write"
};

// All groups, in the order of Permission.
std::span<const PermissionGroup> permission_groups();
const PermissionGroup& group_of(Permission permission);

// Null: there is no such group.
const PermissionGroup* group_by_id(std::string_view id);
// The name as in the table; "DNS Edit" is "DNS Write".
const PermissionGroup* group_by_name(std::string_view name);

// "com.cloudflare.api.account.zone" and the like.
std::string_view scope_text(Scope scope);

}  // namespace brink::ctl::identity
