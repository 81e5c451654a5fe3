#include "ctl/identity/permission.h"

#include <string>

#include "dataplane/base/check.h"

namespace brink::ctl::identity {
namespace {

using enum Permission;
constexpr auto kNothing = std::nullopt;

constexpr PermissionGroup kGroups[] = {
    {kZoneRead, Scope::kZone, kNothing, "c8fed203ed3043cba015a93ad1616f1f", "Zone Read"},
    {kZoneEdit, Scope::kZone, kZoneRead, "e6d2666161e84845a636613608cee8d5", "Zone Write"},
    {kDnsRead, Scope::kZone, kNothing, "82e64a83756745bbbb1c9c2701bf816b", "DNS Read"},
    {kDnsEdit, Scope::kZone, kDnsRead, "4755a26eedb94da69e1066d98aa820be", "DNS Write"},
    {kZoneSettingsRead, Scope::kZone, kNothing, "517b21aee92c4d89936c976ba6e4be55",
     "Zone Settings Read"},
    {kZoneSettingsEdit, Scope::kZone, kZoneSettingsRead, "3030687196b94b638145a3953da2b699",
     "Zone Settings Write"},
    {kSslRead, Scope::kZone, kNothing, "7b7216b327b04b8fbc8f524e1f9b7531",
     "SSL and Certificates Read"},
    {kSslEdit, Scope::kZone, kSslRead, "c03055bc037c4ea9afb9a9f104b7b721",
     "SSL and Certificates Write"},
    {kRulesetsRead, Scope::kZone, kNothing, "6272696e6b2072756c65732072656164",
     "Zone Rulesets Read"},
    {kRulesetsEdit, Scope::kZone, kRulesetsRead, "6272696e6b2072756c65732077726974",
     "Zone Rulesets Write"},
    {kCachePurge, Scope::kZone, kNothing, "e17beae8b8cb423a99b1730f21238bed", "Cache Purge"},
    {kLoadBalancersRead, Scope::kZone, kNothing, "e9a975f628014f1d85b723993116f7d5",
     "Load Balancers Read"},
    {kLoadBalancersEdit, Scope::kZone, kLoadBalancersRead, "6d7f2f5f5b1d4a0e9081fdc98d432fd1",
     "Load Balancers Write"},
    {kFirewallRead, Scope::kZone, kNothing, "4ec32dfcb35641c5bb32d5ef1ab963b4",
     "Firewall Services Read"},
    {kFirewallEdit, Scope::kZone, kFirewallRead, "43137f8d07884d3198dc0ee77ca6e79b",
     "Firewall Services Write"},
    {kAccountSettingsRead, Scope::kAccount, kNothing, "c1fde68c7bcc44588cbb6ddbc16d6480",
     "Account Settings Read"},
    {kAccountSettingsEdit, Scope::kAccount, kAccountSettingsRead,
     "1af1fa2adc104452b74a9a3364202f20", "Account Settings Write"},
    {kAccountSslRead, Scope::kAccount, kNothing, "a7a233f9604845c787d4c8c39ac09c21",
     "Account: SSL and Certificates Read"},
    {kAccountSslEdit, Scope::kAccount, kAccountSslRead, "db37e5f1cb1a4e1aabaef8deaea43575",
     "Account: SSL and Certificates Write"},
    {kAccountTokensRead, Scope::kAccount, kNothing, "eb56a6953c034b9d97dd838155666f06",
     "Account API Tokens Read"},
    {kAccountTokensEdit, Scope::kAccount, kAccountTokensRead, "5bc3f8b21c554832afc660159ab75fa4",
     "Account API Tokens Write"},
    {kPoolsRead, Scope::kAccount, kNothing, "9d24387c6e8544e2bc4024a03991339f",
     "Load Balancing: Monitors and Pools Read"},
    {kPoolsEdit, Scope::kAccount, kPoolsRead, "d2a1802cc9a34e30852f8b33869b2f3c",
     "Load Balancing: Monitors and Pools Write"},
    {kUserDetailsRead, Scope::kUser, kNothing, "8acbe5bb0d54464ab867149d7f7cf8ac",
     "User Details Read"},
    {kUserDetailsEdit, Scope::kUser, kUserDetailsRead, "55a5e17cc99e4a3fa1f3432d262f2e55",
     "User Details Write"},
    {kUserTokensRead, Scope::kUser, kNothing, "0cc3a61731504c89b99ec1be78b77aa0",
     "API Tokens Read"},
    {kUserTokensEdit, Scope::kUser, kUserTokensRead, "686d18d5ac6c441c867cbf6771e58a0a",
     "API Tokens Write"},
    {kNodeRead, Scope::kNode, kNothing, "6272696e6b206e6f6465207265616400", "Node Read"},
    {kNodeEdit, Scope::kNode, kNodeRead, "6272696e6b206e6f6465207772697465", "Node Write"},
};
static_assert(sizeof kGroups / sizeof kGroups[0] == kPermissionCount);

}  // namespace

std::span<const PermissionGroup> permission_groups() {
  return kGroups;
}

const PermissionGroup& group_of(Permission permission) {
  const PermissionGroup& group = kGroups[static_cast<std::size_t>(permission)];
  CHECK(group.permission == permission);
  return group;
}

const PermissionGroup* group_by_id(std::string_view id) {
  for (const PermissionGroup& group : kGroups) {
    if (group.id == id) return &group;
  }
  return nullptr;
}

const PermissionGroup* group_by_name(std::string_view name) {
  std::string wanted(name);
  if (wanted.ends_with(" Edit")) wanted.replace(wanted.size() - 4, 4, "Write");
  for (const PermissionGroup& group : kGroups) {
    if (group.name == wanted) return &group;
  }
  return nullptr;
}

std::string_view scope_text(Scope scope) {
  switch (scope) {
    case Scope::kZone:
      return "com.cloudflare.api.account.zone";
    case Scope::kAccount:
      return "com.cloudflare.api.account";
    case Scope::kUser:
      return "com.cloudflare.api.user";
    case Scope::kNode:
      return "brink.node";
  }
  return "";
}

}  // namespace brink::ctl::identity
