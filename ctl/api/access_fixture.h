// Accounts, users and tokens for tests of who may do what.
#pragma once

#include "ctl/api/api_fixture.h"
#include "ctl/store/identities.h"

namespace brink::ctl::api {

class AccessTest : public ApiTest {
 protected:
  using Permission = identity::Permission;
  using Resource = identity::Resource;

  AccessTest() : identities_(*store_), home_(identities_.first_account()) {
    other_ = add_account("other");
    user_ = add_user(home_, "user@example.com");
    edge_ = [](const auto&, const auto& answered) { answered(base::Error{"away", "", ""}); };
  }

  model::Id random_id() { return model::Id::random(service_->entropy); }
  model::Id add_account(const std::string& name) {
    identity::Account account{0, random_id(), name, {1}};
    identities_.insert_account(account);
    return account.id;
  }
  model::Id add_user(const model::Id& account, const std::string& email) {
    identity::User user{0, random_id(), account, email, secret::sha256(key_of(email)), {1}};
    identities_.insert_user(user);
    return user.id;
  }
  // The secret of a new token is its name.
  identity::Token add_token(const std::string& name, const model::Id& account,
                            const identity::PermissionSet& permissions,
                            std::vector<Resource> resources) {
    identity::Token token;
    token.id = random_id();
    token.account = account;
    token.name = name;
    token.secret_hash = secret::sha256(name);
    identity::Policy policy;
    policy.id = random_id();
    policy.permissions = permissions;
    policy.resources = std::move(resources);
    token.policies = {policy};
    identities_.insert_token(token);
    return token;
  }
  static identity::PermissionSet set_of(std::initializer_list<Permission> permissions) {
    identity::PermissionSet set;
    for (const Permission permission : permissions) set.set(static_cast<std::size_t>(permission));
    return set;
  }
  // All but those of the node.
  static identity::PermissionSet everything() {
    identity::PermissionSet set;
    for (const auto& group : identity::permission_groups()) {
      set.set(static_cast<std::size_t>(group.permission), group.scope != identity::Scope::kNode);
    }
    return set;
  }

  static std::string key_of(std::string email) {
    std::replace(email.begin(), email.end(), '@', '.');
    return "key-of-" + email;
  }

  void over_socket() { trusted_ = true; }
  void over_tcp(Credentials credentials) {
    trusted_ = false;
    credentials_ = std::move(credentials);
  }
  void with_token(const std::string& secret) { over_tcp({{"Bearer " + secret}, {}, {}}); }
  void with_key(const std::string& email) { over_tcp({{}, {email}, {key_of(email)}}); }
  static std::string account_path(const model::Id& account) {
    return "/client/v4/accounts/" + account.hex();
  }
  // -1: no error.
  static int first_code(const Json& reply) {
    return reply["errors"].empty() ? -1 : reply["errors"][0]["code"].get<int>();
  }

  store::Identities identities_;
  model::Id home_, other_, user_;
};

}  // namespace brink::ctl::api
