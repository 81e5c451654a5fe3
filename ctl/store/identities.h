// Identities: accounts, users and tokens in the store. Changes of them take no version: nothing
// that the edge serves depends on them.
//
// Belongs to the thread of its Store and borrows it. Failures of the disk or file throw
// store::Failure. Writes belong into the caller's write transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ctl/identity/token.h"
#include "ctl/store/query.h"
#include "ctl/store/store.h"

namespace brink::ctl::store {

class Identities {
 public:
  explicit Identities(Store& store) : database_(*store.database_) {}

  // The account that the node was born with; it is never deleted.
  model::Id first_account();
  std::optional<identity::Account> account_by_id(const model::Id& id);
  std::optional<identity::Account> account_by_name(const std::string& name);
  // All of them, or only `only`; by name.
  Page<identity::Account> list_accounts(const std::optional<model::Id>& only, const Paging& paging);
  void insert_account(identity::Account& account);  // fills in the row
  void rename_account(const model::Id& id, const std::string& name);
  // With its users and tokens. It must not have zones, nor be the first.
  void delete_account(const model::Id& id);
  std::uint64_t zone_count(const model::Id& account);

  std::optional<identity::User> user_by_id(const model::Id& id);
  std::optional<identity::User> user_by_email(const std::string& email);
  Page<identity::User> list_users(const model::Id& account, const Paging& paging);
  void insert_user(identity::User& user);
  void set_user_key(const model::Id& id, const secret::Sha256& key_hash);
  void delete_user(const model::Id& id);  // with its tokens

  std::optional<identity::Token> token_by_secret(const secret::Sha256& secret_hash);
  std::optional<identity::Token> token_by_id(const model::Id& id);
  // Those of an account, or of one of its users; oldest first.
  Page<identity::Token> list_tokens(const model::Id& account, const std::optional<model::Id>& user,
                                    const Paging& paging);
  void insert_token(identity::Token& token);
  // All but id, account, user and when it was used.
  void update_token(const identity::Token& token);
  // Of a token that may be gone.
  void set_token_used(const model::Id& id, model::Timestamp used_on);
  void delete_token(const model::Id& id);

 private:
  Database& database_;
};

}  // namespace brink::ctl::store
