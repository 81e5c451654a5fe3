// Principal: who a request is from, and what that one may do. The only place that decides.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ctl/identity/token.h"

namespace brink::ctl::identity {

// What a permission is asked for: at most one of these, beside the account that it lies in.
struct Target {
  model::Id account;
  std::optional<model::Id> zone;
  std::optional<model::Id> user;
};

class Principal {
 public:
  enum class Kind : std::uint8_t { kNobody, kOperator, kUser, kToken };

  Principal() = default;
  // A peer of the UNIX socket: file permission is what let it in.
  static Principal local_operator(std::uint32_t uid);
  // A user with the global key: everything within the account.
  static Principal of(const User& user);
  // `user`: the one that the token belongs to, if any.
  static Principal of(const Token& token, const std::optional<User>& user);

  [[nodiscard]] Kind kind() const { return kind_; }
  // May do everything on the node, in every account.
  [[nodiscard]] bool is_operator() const;
  [[nodiscard]] const model::Id& account() const { return account_; }
  [[nodiscard]] const std::optional<model::Id>& user() const { return user_; }
  // Of token or user; of neither for a local operator.
  [[nodiscard]] const model::Id& id() const { return id_; }
  [[nodiscard]] const std::string& email() const { return email_; }
  // For log and audit: "operator uid 0", "user a@example.com", "token ci".
  [[nodiscard]] const std::string& name() const { return name_; }

  // Permissions of Scope::kNode ignore the target.
  [[nodiscard]] bool allows(Permission permission, const Target& target) const;
  // Any permission at all on this account, zone or user: it may know that there is such a thing.
  [[nodiscard]] bool sees(const Target& target) const;
  // The permission on something within its account: a list is then filtered by allows().
  [[nodiscard]] bool allows_somewhere(Permission permission) const;
  // The permission on all zones of the account, or on the account itself.
  [[nodiscard]] bool allows_all_zones(Permission permission, const model::Id& account) const;
  // No more than this principal has itself, so that nobody gains by making or rolling a token.
  [[nodiscard]] bool covers(const Token& token) const;
  // The zones that `permission` was granted on one by one.
  [[nodiscard]] std::vector<model::Id> single_zones(Permission permission) const;

 private:
  Kind kind_ = Kind::kNobody;
  model::Id id_, account_;
  std::optional<model::Id> user_;
  std::string email_, name_;
  std::vector<Policy> policies_;
};

// With all that its edit permissions include.
PermissionSet expanded(PermissionSet permissions);

}  // namespace brink::ctl::identity
