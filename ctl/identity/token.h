// Accounts, users and API tokens as values.
//
// A token belongs to an account, and to one of its users if it was made by that user. What it may
// do is the union of its policies, never beyond its account, unless it holds Node Write: only an
// operator can grant that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ctl/identity/network.h"
#include "ctl/identity/permission.h"
#include "ctl/model/id.h"
#include "ctl/model/timestamp.h"
#include "dataplane/secret/digest.h"

namespace brink::ctl::identity {

struct Account {
  std::int64_t row = 0;
  model::Id id;
  std::string name;  // unique
  model::Timestamp created_on;
};

struct User {
  std::int64_t row = 0;
  model::Id id;
  model::Id account;
  std::string email;        // unique, lower-case
  secret::Sha256 key_hash;  // of the global key, which the user alone knows
  model::Timestamp created_on;
};

// What a policy is about. kAccount covers the account and all its zones.
struct Resource {
  enum class Kind : std::uint8_t { kNode, kUser, kAllAccounts, kAccount, kAllZones, kZone };
  Kind kind = Kind::kZone;
  model::Id id;  // of kUser, kAccount, kZone

  bool operator==(const Resource&) const = default;
};

// Allows every permission on every resource of it.
struct Policy {
  model::Id id;
  PermissionSet permissions;
  std::vector<Resource> resources;

  bool operator==(const Policy&) const = default;
};

// Where a token may be used from; an empty list is no condition.
struct ClientCondition {
  std::vector<Network> in;
  std::vector<Network> not_in;

  [[nodiscard]] bool admits(const base::IpAddress& client) const;
  bool operator==(const ClientCondition&) const = default;
};

enum class TokenStatus : std::uint8_t { kActive = 0, kDisabled = 1, kExpired = 2 };
std::string_view to_text(TokenStatus status);

struct Token {
  std::int64_t row = 0;
  model::Id id;
  model::Id account;
  std::optional<model::Id> user;
  std::string name;
  secret::Sha256 secret_hash{};
  bool disabled = false;
  std::optional<model::Timestamp> not_before;
  std::optional<model::Timestamp> expires_on;
  model::Timestamp issued_on;
  model::Timestamp modified_on;
  std::optional<model::Timestamp> last_used_on;  // to the minute
  ClientCondition client;
  std::vector<Policy> policies;

  [[nodiscard]] TokenStatus status(model::Timestamp now) const;
};

inline constexpr std::size_t kTokenSize = 40;      // characters of 6 bits
inline constexpr std::size_t kGlobalKeySize = 37;  // hex digits

}  // namespace brink::ctl::identity
