#include "ctl/store/identities.h"

#include "ctl/identity/policy_json.h"
#include "ctl/store/page.h"
#include "ctl/store/row.h"

namespace brink::ctl::store {
namespace {

using identity::Account;
using identity::Json;
using identity::Token;
using identity::User;

constexpr char kTokenColumns[] =
    "row, id, account, user, name, secret_hash, disabled, not_before, expires_on, issued_on, "
    "modified_on, client, policies, last_used_on";
constexpr char kUserColumns[] = "row, id, account, email, key_hash, created_on";

secret::Sha256 read_hash(std::span<const std::uint8_t> blob) {
  secret::Sha256 hash;
  if (blob.size() != hash.size()) throw Failure("the store holds a digest that is none");
  std::copy(blob.begin(), blob.end(), hash.begin());
  return hash;
}

Account read_account(const Statement& row) {
  return {row.integer(0), read_id(row.blob(1)), std::string(row.text(2)), {row.integer(3)}};
}

User read_user(const Statement& row) {
  return {row.integer(0),           read_id(row.blob(1)),   read_id(row.blob(2)),
          std::string(row.text(3)), read_hash(row.blob(4)), {row.integer(5)}};
}

// What the store keeps was checked when it came in, so it reads back unless the file was edited.
template <typename T>
T unless_edited(model::Outcome<T> read) {
  if (!read) throw Failure("the store holds a token that is none: " + read.error().message);
  return std::move(read).value();
}

Token read_token(const Statement& row) {
  Token token;
  token.row = row.integer(0);
  token.id = read_id(row.blob(1));
  token.account = read_id(row.blob(2));
  if (!row.is_null(3)) token.user = read_id(row.blob(3));
  token.name = row.text(4);
  token.secret_hash = read_hash(row.blob(5));
  token.disabled = row.integer(6) != 0;
  token.not_before = read_time(row.optional_integer(7));
  token.expires_on = read_time(row.optional_integer(8));
  token.issued_on = {row.integer(9)};
  token.modified_on = {row.integer(10)};
  token.client =
      unless_edited(identity::condition_from_json(Json::parse(row.text(11), nullptr, false)));
  token.policies = unless_edited(identity::policies_from_json(
      Json::parse(row.text(12), nullptr, false), model::system_entropy()));
  token.last_used_on = read_time(row.optional_integer(13));
  return token;
}

void run_with_id(Database& database, const char* sql, const model::Id& id) {
  database.cached(sql)->bind(1, id.bytes).run();
}

void bind_token(Statement& statement, const Token& token, const std::string& client,
                const std::string& policies) {
  statement.bind(1, token.id.bytes)
      .bind(2, token.name)
      .bind(3, token.secret_hash)
      .bind(4, static_cast<std::int64_t>(token.disabled))
      .bind(5, micros(token.not_before))
      .bind(6, micros(token.expires_on))
      .bind(7, token.issued_on.micros)
      .bind(8, token.modified_on.micros)
      .bind(9, client)
      .bind(10, policies);
}

}  // namespace

model::Id Identities::first_account() {
  auto select = database_.cached("SELECT value FROM meta WHERE key = 'account'");
  CHECK(select->step());
  return read_id(select->blob(0));
}

std::optional<Account> Identities::account_by_id(const model::Id& id) {
  auto select = database_.cached("SELECT row, id, name, created_on FROM accounts WHERE id = ?1");
  select->bind(1, id.bytes);
  if (!select->step()) return std::nullopt;
  return read_account(*select);
}

std::optional<Account> Identities::account_by_name(const std::string& name) {
  auto select = database_.cached("SELECT row, id, name, created_on FROM accounts WHERE name = ?1");
  select->bind(1, name);
  if (!select->step()) return std::nullopt;
  return read_account(*select);
}

Page<Account> Identities::list_accounts(const std::optional<model::Id>& only,
                                        const Paging& paging) {
  return page_of<Account>(
      database_, "row, id, name, created_on",
      only ? "FROM accounts WHERE id = ?1" : "FROM accounts", "ORDER BY name", paging,
      [&](Statement& statement) {
        if (only) statement.bind(1, only->bytes);
      },
      read_account);
}

void Identities::insert_account(Account& account) {
  auto insert = database_.cached("INSERT INTO accounts (id, name, created_on) VALUES (?1, ?2, ?3)");
  insert->bind(1, account.id.bytes).bind(2, account.name).bind(3, account.created_on.micros).run();
  account.row = database_.last_insert_row();
}

void Identities::rename_account(const model::Id& id, const std::string& name) {
  auto update = database_.cached("UPDATE accounts SET name = ?2 WHERE id = ?1");
  update->bind(1, id.bytes).bind(2, name).run();
}

void Identities::delete_account(const model::Id& id) {
  CHECK(id != first_account() && zone_count(id) == 0);
  run_with_id(database_, "DELETE FROM accounts WHERE id = ?1", id);
}

std::uint64_t Identities::zone_count(const model::Id& account) {
  auto select = database_.cached("SELECT count(*) FROM zones WHERE account = ?1");
  select->bind(1, account.bytes);
  return select->step() ? static_cast<std::uint64_t>(select->integer(0)) : 0;
}

std::optional<User> Identities::user_by_id(const model::Id& id) {
  auto select =
      database_.prepare(std::string("SELECT ") + kUserColumns + " FROM users WHERE id = ?1");
  select->bind(1, id.bytes);
  if (!select->step()) return std::nullopt;
  return read_user(*select);
}

std::optional<User> Identities::user_by_email(const std::string& email) {
  auto select =
      database_.prepare(std::string("SELECT ") + kUserColumns + " FROM users WHERE email = ?1");
  select->bind(1, email);
  if (!select->step()) return std::nullopt;
  return read_user(*select);
}

Page<User> Identities::list_users(const model::Id& account, const Paging& paging) {
  return page_of<User>(
      database_, kUserColumns, "FROM users WHERE account = ?1", "ORDER BY email", paging,
      [&](Statement& statement) { statement.bind(1, account.bytes); }, read_user);
}

void Identities::insert_user(User& user) {
  auto insert = database_.cached(
      "INSERT INTO users (id, account, email, key_hash, created_on) VALUES (?1, ?2, ?3, ?4, ?5)");
  insert->bind(1, user.id.bytes)
      .bind(2, user.account.bytes)
      .bind(3, user.email)
      .bind(4, user.key_hash)
      .bind(5, user.created_on.micros)
      .run();
  user.row = database_.last_insert_row();
}

void Identities::set_user_key(const model::Id& id, const secret::Sha256& key_hash) {
  auto update = database_.cached("UPDATE users SET key_hash = ?2 WHERE id = ?1");
  update->bind(1, id.bytes).bind(2, key_hash).run();
}

void Identities::delete_user(const model::Id& id) {
  run_with_id(database_, "DELETE FROM users WHERE id = ?1", id);
}

std::optional<Token> Identities::token_by_secret(const secret::Sha256& secret_hash) {
  static const std::string sql =
      std::string("SELECT ") + kTokenColumns + " FROM tokens WHERE secret_hash = ?1";
  auto select = database_.cached(sql.c_str());
  select->bind(1, secret_hash);
  if (!select->step()) return std::nullopt;
  return read_token(*select);
}

std::optional<Token> Identities::token_by_id(const model::Id& id) {
  static const std::string sql =
      std::string("SELECT ") + kTokenColumns + " FROM tokens WHERE id = ?1";
  auto select = database_.cached(sql.c_str());
  select->bind(1, id.bytes);
  if (!select->step()) return std::nullopt;
  return read_token(*select);
}

Page<Token> Identities::list_tokens(const model::Id& account, const std::optional<model::Id>& user,
                                    const Paging& paging) {
  return page_of<Token>(
      database_, kTokenColumns,
      user ? "FROM tokens WHERE account = ?1 AND user = ?2" : "FROM tokens WHERE account = ?1",
      "ORDER BY row", paging,
      [&](Statement& statement) {
        statement.bind(1, account.bytes);
        if (user) statement.bind(2, user->bytes);
      },
      read_token);
}

void Identities::insert_token(Token& token) {
  auto insert = database_.cached(
      "INSERT INTO tokens (id, name, secret_hash, disabled, not_before, expires_on, issued_on, "
      "modified_on, client, policies, account, user) VALUES "
      "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
  const std::string client = identity::to_json(token.client).dump();
  const std::string policies = identity::to_json(token.policies).dump();
  bind_token(*insert, token, client, policies);
  insert->bind(11, token.account.bytes);
  if (token.user) insert->bind(12, token.user->bytes);
  insert->run();
  token.row = database_.last_insert_row();
}

void Identities::update_token(const Token& token) {
  auto update = database_.cached(
      "UPDATE tokens SET name = ?2, secret_hash = ?3, disabled = ?4, not_before = ?5, "
      "expires_on = ?6, issued_on = ?7, modified_on = ?8, client = ?9, policies = ?10 "
      "WHERE id = ?1");
  const std::string client = identity::to_json(token.client).dump();
  const std::string policies = identity::to_json(token.policies).dump();
  bind_token(*update, token, client, policies);
  update->run();
}

void Identities::set_token_used(const model::Id& id, model::Timestamp used_on) {
  auto update = database_.cached("UPDATE tokens SET last_used_on = ?2 WHERE id = ?1");
  update->bind(1, id.bytes).bind(2, used_on.micros).run();
}

void Identities::delete_token(const model::Id& id) {
  run_with_id(database_, "DELETE FROM tokens WHERE id = ?1", id);
}

}  // namespace brink::ctl::store
