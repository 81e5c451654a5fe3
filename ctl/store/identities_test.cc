// Accounts, users, tokens, and the log of what became of them.
#include "ctl/store/identities.h"

#include "ctl/store/audit_log.h"
#include "ctl/store/history.h"
#include "ctl/store/store_fixture.h"

namespace brink::ctl::store {
namespace {

using identity::Account;
using identity::Resource;
using identity::Token;
using identity::User;

class IdentitiesTest : public StoreTest {
 protected:
  Account add_account(const std::string& name) {
    Account account{0, next_id(), name, {5}};
    Identities(*store_).insert_account(account);
    return account;
  }
  User add_user(const model::Id& account, const std::string& email) {
    User user{0, next_id(), account, email, secret::sha256(email), {6}};
    Identities(*store_).insert_user(user);
    return user;
  }
  Token add_token(const model::Id& account, const std::string& secret,
                  const std::optional<model::Id>& user = std::nullopt) {
    Token token;
    token.id = next_id();
    token.account = account;
    token.user = user;
    token.name = "t";
    token.secret_hash = secret::sha256(secret);
    token.not_before = model::Timestamp{1};
    token.expires_on = model::Timestamp{9};
    token.issued_on = token.modified_on = {3};
    token.client.in = {*identity::Network::parse("192.0.2.0/24")};
    identity::Policy policy;
    policy.id = next_id();
    policy.permissions.set(3);
    policy.resources = {{Resource::Kind::kZone, next_id()}};
    token.policies = {policy};
    Identities(*store_).insert_token(token);
    return token;
  }
};

TEST_F(IdentitiesTest, ANewNodeHasOneAccount) {
  Identities identities(*store_);
  const auto accounts = identities.list_accounts(std::nullopt, {});
  ASSERT_EQ(accounts.items.size(), 1U);
  EXPECT_EQ(accounts.items[0].id, identities.first_account());
  EXPECT_EQ(accounts.items[0].name, "brink");
}

TEST_F(IdentitiesTest, KeepsEveryFieldOfAToken) {
  const Account account = add_account("shop");
  const User user = add_user(account.id, "a@example.com");
  Token token = add_token(account.id, "s3cret", user.id);
  Identities identities(*store_);
  const auto check = [&] {
    const auto read = identities.token_by_secret(token.secret_hash);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->id, token.id);
    EXPECT_EQ(read->account, account.id);
    EXPECT_EQ(read->user, token.user);
    EXPECT_EQ(read->name, token.name);
    EXPECT_EQ(read->disabled, token.disabled);
    EXPECT_EQ(read->not_before, token.not_before);
    EXPECT_EQ(read->expires_on, token.expires_on);
    EXPECT_EQ(read->issued_on, token.issued_on);
    EXPECT_EQ(read->modified_on, token.modified_on);
    EXPECT_EQ(read->client, token.client);
    EXPECT_EQ(read->policies, token.policies);
  };
  check();
  token.name = "renamed";
  token.secret_hash = secret::sha256("other");
  token.disabled = true;
  token.not_before.reset();
  token.expires_on.reset();
  token.client = {};
  identities.update_token(token);
  check();
  EXPECT_FALSE(identities.token_by_secret(secret::sha256("s3cret")));
}

TEST_F(IdentitiesTest, TheSecretItselfIsNotInTheFile) {
  add_token(add_account("shop").id, "correct-horse-battery-staple-0123456789");
  store_.reset();
  const std::string grep = "grep -q correct-horse " + path_ + " " + path_ + "-wal 2>/dev/null";
  EXPECT_NE(::system(grep.c_str()), 0);
  store_ = open();
}

TEST_F(IdentitiesTest, ListsStayWithinTheirAccount) {
  const Account shop = add_account("shop"), bank = add_account("bank");
  const User user = add_user(shop.id, "a@example.com");
  add_token(shop.id, "1");
  const Token own = add_token(shop.id, "2", user.id);
  add_token(bank.id, "3");
  Identities identities(*store_);
  EXPECT_EQ(identities.list_tokens(shop.id, std::nullopt, {}).total, 2U);
  const auto of_user = identities.list_tokens(shop.id, user.id, {});
  ASSERT_EQ(of_user.items.size(), 1U);
  EXPECT_EQ(of_user.items[0].id, own.id);
  EXPECT_EQ(identities.list_tokens(bank.id, user.id, {}).total, 0U);
  EXPECT_EQ(identities.list_users(bank.id, {}).total, 0U);
  EXPECT_EQ(identities.list_accounts(bank.id, {}).total, 1U);
  EXPECT_EQ(identities.list_tokens(shop.id, std::nullopt, {3, 1}).items.size(), 0U);

  const Zone in_shop = [&] {
    Zone zone;
    zone.id = next_id();
    zone.name = DomainName::parse("shop.test").value();
    zone.account = shop.id;
    store_->insert_zone(zone);
    return zone;
  }();
  const Zone in_first = add_zone("first.test");
  EXPECT_EQ(in_first.account, identities.first_account());
  ZoneQuery query;
  query.account = shop.id;
  ASSERT_EQ(store_->list_zones(query).items.size(), 1U);
  EXPECT_EQ(store_->list_zones(query).items[0].account, shop.id);
  query.match_any = true;
  query.name = ZoneQuery::NameFilter{TextMatch::kContains, "test"};
  EXPECT_EQ(store_->list_zones(query).total, 1U);
  query.account.reset();
  query.ids = {in_first.id, in_shop.id};
  EXPECT_EQ(store_->list_zones(query).total, 2U);
  query.ids = std::vector<model::Id>{};
  EXPECT_EQ(store_->list_zones(query).total, 0U);
}

TEST_F(IdentitiesTest, WhatBelongsToAnAccountOrUserGoesWithIt) {
  const Account shop = add_account("shop");
  const User user = add_user(shop.id, "a@example.com");
  const Token of_user = add_token(shop.id, "1", user.id);
  const Token of_account = add_token(shop.id, "2");
  Identities identities(*store_);
  identities.delete_user(user.id);
  EXPECT_FALSE(identities.token_by_id(of_user.id));
  EXPECT_TRUE(identities.token_by_id(of_account.id));
  identities.delete_account(shop.id);
  EXPECT_FALSE(identities.token_by_id(of_account.id));
}

TEST_F(IdentitiesTest, AZoneComesBackToItsAccount) {
  const Account shop = add_account("shop");
  Zone zone;
  zone.id = next_id();
  zone.name = DomainName::parse("shop.test").value();
  zone.account = shop.id;
  store_->insert_zone(zone);
  const std::uint64_t version = store_->version();
  store_->delete_zone(zone);
  ASSERT_TRUE(History(*store_).roll_back(version, std::nullopt).ok());
  EXPECT_EQ(store_->zone_by_name(zone.name)->account, shop.id);

  store_->delete_zone(*store_->zone_by_name(zone.name));
  Identities(*store_).delete_account(shop.id);
  ASSERT_TRUE(History(*store_).roll_back(version, std::nullopt).ok());
  EXPECT_EQ(store_->zone_by_name(zone.name)->account, Identities(*store_).first_account())
      << "its account is gone";
}

TEST_F(IdentitiesTest, AnOpenTransactionTellsWhatBecameOfWhat) {
  const Zone zone = add_zone("example.com");
  const Record kept = add(zone, "a", "A", "203.0.113.1");
  const Record gone = add(zone, "b", "A", "203.0.113.1");
  History history(*store_);
  EXPECT_TRUE(history.open_changes(10)->records.empty());
  Transaction transaction(*store_, Transaction::Kind::kWrite);
  Record edited = kept;
  edited.comment = "edited";
  store_->update_record(edited);
  store_->delete_record(gone);
  add(zone, "c", "A", "203.0.113.1");
  const Record fleeting = add(zone, "d", "A", "203.0.113.1");
  store_->delete_record(fleeting);
  const auto changes = history.open_changes(10);
  ASSERT_TRUE(changes);
  EXPECT_TRUE(changes->zones.empty());
  ASSERT_EQ(changes->records.size(), 3U);
  EXPECT_EQ(changes->records[0].before->comment, "about a");
  EXPECT_EQ(changes->records[0].after->comment, "edited");
  EXPECT_EQ(changes->records[1].before->name.text(), "b.example.com");
  EXPECT_FALSE(changes->records[1].after);
  EXPECT_FALSE(changes->records[2].before);
  EXPECT_EQ(changes->records[2].zone.name, zone.name);
  EXPECT_FALSE(history.open_changes(4)) << "five entries of the log";
  store_->delete_zone(zone);
  const auto deleted = history.open_changes(100);
  ASSERT_EQ(deleted->zones.size(), 1U);
  EXPECT_TRUE(deleted->zones[0].before && !deleted->zones[0].after);
  EXPECT_EQ(deleted->records.size(), 2U);
}

TEST_F(IdentitiesTest, TheHookIsPartOfTheTransaction) {
  int calls = 0;
  bool wrote = false;
  store_->set_before_commit([&] {
    ++calls;
    wrote = store_->has_written();
    if (calls == 3) throw Failure("no");
  });
  add_zone("example.com");
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(wrote);
  {
    Transaction idle(*store_, Transaction::Kind::kWrite);
    idle.commit();
  }
  EXPECT_FALSE(wrote);
  EXPECT_THROW(add_zone("example.net"), Failure);
  EXPECT_FALSE(store_->zone_by_name(DomainName::parse("example.net").value()));
  Transaction reading(*store_, Transaction::Kind::kRead);
  reading.commit();
  EXPECT_EQ(calls, 3) << "a reader commits nothing";
}

class AuditLogTest : public IdentitiesTest {
 protected:
  AuditEntry append(std::int64_t time, const std::string& action,
                    const std::optional<model::Id>& account = std::nullopt) {
    AuditEntry entry;
    entry.id = next_id();
    entry.created_on = {time};
    entry.account = account;
    entry.action = action;
    entry.actor_type = "token";
    entry.actor_email = action + "@example.com";
    entry.actor_ip = "192.0.2.1";
    entry.zone = action + ".test";
    entry.version = 7;
    entry.before = "{}";
    AuditLog(*store_).append(entry);
    return entry;
  }
  std::vector<std::int64_t> times(const AuditQuery& query) {
    std::vector<std::int64_t> list;
    for (const auto& entry : AuditLog(*store_).list(query).items) {
      list.push_back(entry.created_on.micros);
    }
    return list;
  }
};

TEST_F(AuditLogTest, FiltersAndPages) {
  const model::Id account = next_id();
  append(1, "create");
  append(2, "update", account);
  const AuditEntry last = append(3, "update");
  using Times = std::vector<std::int64_t>;
  EXPECT_EQ(times({}), (Times{3, 2, 1}));
  AuditQuery query;
  query.descending = false;
  query.paging = {2, 2};
  EXPECT_EQ(times(query), (Times{3}));
  query = {};
  query.account = account;
  EXPECT_EQ(times(query), (Times{2}));
  query = {};
  query.action = "update";
  query.before = model::Timestamp{3};
  EXPECT_EQ(times(query), (Times{2}));
  query.before.reset();
  query.since = model::Timestamp{3};
  query.zone = "update.test";
  query.actor_email = "update@example.com";
  query.actor_ip = "192.0.2.1";
  EXPECT_EQ(times(query), (Times{3}));
  query = {};
  query.id = last.id;
  const auto page = AuditLog(*store_).list(query);
  ASSERT_EQ(page.total, 1U);
  EXPECT_EQ(page.items[0].version, 7U);
  EXPECT_EQ(page.items[0].before, "{}");
  EXPECT_EQ(page.items[0].after, "");
  query.paging = {9, 100};
  EXPECT_EQ(times(query), Times{});
}

TEST_F(AuditLogTest, ForgetsByAgeAndNumberInPieces) {
  for (int i = 1; i <= 10; ++i) append(i, "create");
  AuditLog log(*store_);
  const auto age = [](int micros) { return std::chrono::microseconds(micros); };
  EXPECT_FALSE(log.prune(age(100), 100, {10}, 50));
  EXPECT_EQ(times({}).size(), 10U);
  EXPECT_FALSE(log.prune(age(7), 100, {10}, 50));
  EXPECT_EQ(times({}).back(), 3);
  EXPECT_TRUE(log.prune(age(100), 4, {10}, 2)) << "two of four at a time";
  EXPECT_TRUE(log.prune(age(100), 4, {10}, 2));
  EXPECT_FALSE(log.prune(age(100), 4, {10}, 2));
  EXPECT_EQ(times({}), (std::vector<std::int64_t>{10, 9, 8, 7}));
}

}  // namespace
}  // namespace brink::ctl::store
