// What each version changed, and the way back.
#include "ctl/store/history.h"

#include <functional>

#include "ctl/store/store_fixture.h"

namespace brink::ctl::store {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

DomainName name(std::string_view text) {
  return DomainName::parse(text).value();
}

class HistoryTest : public StoreTest {
 protected:
  // One transaction; returns its version.
  std::uint64_t change(const std::function<void()>& steps) {
    Transaction transaction(*store_, Transaction::Kind::kWrite);
    steps();
    const std::uint64_t version = store_->take_version();
    transaction.commit();
    return version;
  }
  History history() { return History(*store_); }
  Zone zone(const std::string& text) { return store_->zone_by_name(name(text)).value(); }
  void bump(const std::string& text) {
    Zone changed = zone(text);
    ++changed.serial;
    store_->update_zone(changed);
  }
  // "www.a.test A 203.0.113.1", sorted.
  Texts records(const std::string& zone_name) {
    Texts texts;
    store_->for_each_record(zone(zone_name), [&](const Record& record) {
      texts.push_back(record.name.text() + " " + model::type_to_text(record.type) + " " +
                      record.content);
    });
    return texts;
  }
  // "+a.test" created, "-" deleted, "~" changed, "*" changed as a whole.
  static Texts zones(const Changes& changes) {
    Texts texts;
    for (const ZoneChange& change : changes.zones) {
      const char* mark = change.action == ZoneAction::kCreated   ? "+"
                         : change.action == ZoneAction::kDeleted ? "-"
                         : change.whole                          ? "*"
                                                                 : "~";
      texts.push_back(mark + change.name.text());
    }
    std::sort(texts.begin(), texts.end());
    return texts;
  }
  // "www.a.test" and what is said of it.
  static Texts names(const Changes& changes) {
    Texts texts;
    for (const NameChange& change : changes.names) {
      texts.push_back(change.name.text() + (change.existed ? " existed" : "") +
                      (change.addresses ? " addresses" : "") + (change.cut ? " cut" : ""));
    }
    std::sort(texts.begin(), texts.end());
    return texts;
  }
};

TEST_F(HistoryTest, TellsWhatATransactionChanged) {
  Record www, old, text;
  const auto start = change([&] {
    const Zone zone = add_zone("a.test");
    www = add(zone, "www", "A", "203.0.113.1");
    old = add(zone, "old", "A", "203.0.113.1");
    text = add(zone, "text", "TXT", "x");
    add(zone, "text", "TXT", "stays");
    add(zone, "same", "A", "203.0.113.1");
  });
  const auto end = change([&] {
    const Zone a = zone("a.test");
    www.ttl = 600;
    store_->update_record(www);
    store_->delete_record(old);
    text.name = name("renamed.a.test");
    store_->update_record(text);
    add(a, "sub", "NS", "ns.sub.a.test");
    bump("a.test");
  });
  const auto changes = history().changes_between(start, end);
  ASSERT_TRUE(changes);
  EXPECT_EQ(zones(*changes), (Texts{"~a.test"}));
  EXPECT_EQ(names(*changes),
            (Texts{"old.a.test existed addresses", "renamed.a.test", "sub.a.test cut",
                   "text.a.test existed", "www.a.test existed addresses"}));
  for (const NameChange& change : changes->names) EXPECT_EQ(change.zone, name("a.test"));
}

TEST_F(HistoryTest, TellsAllNamesOfADeletedZone) {
  const auto start = change([&] {
    const Zone zone = add_zone("a.test");
    add(zone, "www", "A", "203.0.113.1");
    add(zone, "@", "MX", "10 www.a.test");
  });
  const auto end = change([&] { store_->delete_zone(zone("a.test")); });
  const auto changes = history().changes_between(start, end);
  EXPECT_EQ(zones(changes.value()), (Texts{"-a.test"}));
  EXPECT_EQ(names(*changes), (Texts{"a.test existed", "www.a.test existed addresses"}));
}

TEST_F(HistoryTest, TakesManyVersionsTogether) {
  const auto start = store_->version();
  change([&] { add(add_zone("a.test"), "www", "A", "203.0.113.1"); });
  change([&] { add(add_zone("gone.test"), "www", "A", "203.0.113.1"); });
  const auto middle = change([&] { store_->delete_zone(zone("gone.test")); });
  change([&] {
    Zone paused = zone("a.test");
    paused.paused = true;
    store_->update_zone(paused);
  });
  const auto end = change([&] {
    store_->delete_zone(zone("a.test"));
    add(add_zone("a.test"), "new", "A", "203.0.113.1");
  });
  const auto all = history().changes_between(start, end).value();
  EXPECT_EQ(zones(all), (Texts{"+a.test"}));
  EXPECT_EQ(names(all),
            (Texts{"new.a.test addresses", "www.a.test addresses", "www.gone.test addresses"}));
  EXPECT_EQ(zones(history().changes_between(start, middle).value()), (Texts{"+a.test"}));
  EXPECT_EQ(zones(history().changes_between(middle, end).value()), (Texts{"*a.test"}));
  EXPECT_EQ(zones(history().changes_between(middle, end - 1).value()), (Texts{"*a.test"}));
  EXPECT_TRUE(history().changes_between(end, end).value().zones.empty());
  EXPECT_TRUE(history().changes_between(end, end).value().names.empty());
}

TEST_F(HistoryTest, KnowsARowThatAnotherZoneUsesNow) {
  change([&] {
    add_zone("a.test");
    add(add_zone("b.test"), "www", "A", "203.0.113.1");
  });
  const auto start = store_->version();
  const auto end = change([&] {
    const Record last = store_->records_at(zone("b.test"), name("www.b.test")).at(0);
    store_->delete_record(last);
    EXPECT_EQ(add(zone("a.test"), "new", "A", "203.0.113.1").row, last.row);
  });
  const auto changes = history().changes_between(start, end).value();
  EXPECT_EQ(names(changes), (Texts{"new.a.test addresses", "www.b.test existed addresses"}));
  ASSERT_TRUE(history().roll_back(start, name("a.test")).ok());
  EXPECT_TRUE(records("a.test").empty());
  EXPECT_TRUE(records("b.test").empty());
  ASSERT_TRUE(history().roll_back(start, std::nullopt).ok());
  EXPECT_EQ(records("b.test"), (Texts{"www.b.test A 203.0.113.1"}));
}

TEST_F(HistoryTest, DoesNotCoverWhatItDoesNotKnow) {
  const auto start = store_->version();
  const auto end = change([&] { add_zone("a.test"); });
  EXPECT_FALSE(history().changes_between(start, end + 1));
  EXPECT_FALSE(history().changes_between(end, start));
  change([&] { bump("a.test"); });
  history().prune({.versions_max = 1}, {}, ~std::uint64_t{0} >> 1);
  EXPECT_EQ(history().floor(), end);
  EXPECT_FALSE(history().changes_between(start, end + 1));
  EXPECT_TRUE(history().changes_between(end, end + 1));
}

TEST_F(HistoryTest, DoesNotCoverAnotherStoresVersions) {
  change([&] { add_zone("a.test"); });
  store_->raise_version(40);
  const auto version = change([&] { bump("a.test"); });
  EXPECT_EQ(version, 41U);
  EXPECT_FALSE(history().changes_between(1, 41));
  EXPECT_FALSE(history().changes_between(40, 41));
  EXPECT_TRUE(history().changes_between(41, 41));
  EXPECT_TRUE(history().roll_back(1, std::nullopt).ok());
}

TEST_F(HistoryTest, ForgetsATransactionThatIsNotCommitted) {
  const auto start = store_->version();
  {
    Transaction transaction(*store_, Transaction::Kind::kWrite);
    add_zone("a.test");
  }
  const auto end = change([&] { add_zone("b.test"); });
  EXPECT_EQ(end, start + 1);
  EXPECT_EQ(zones(history().changes_between(start, end).value()), (Texts{"+b.test"}));
}

TEST_F(HistoryTest, ListsVersionsNewestFirst) {
  change([&] {
    add(add_zone("a.test"), "www", "A", "203.0.113.1");
    add_zone("b.test");
  });
  now_.micros += 5;
  Record record = store_->records_at(zone("a.test"), name("www.a.test")).at(0);
  change([&] {
    record.ttl = 600;
    store_->update_record(record);
    record.ttl = 700;
    store_->update_record(record);
    const Record passing = add(zone("a.test"), "passing", "A", "203.0.113.1");
    store_->delete_record(passing);
    add(zone("a.test"), "new", "A", "203.0.113.1");
    bump("a.test");
  });
  change([&] { store_->delete_zone(zone("a.test")); });
  const auto list = history().list(10);
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0].version, 3U);
  ASSERT_EQ(list[0].zones.size(), 1U);
  EXPECT_EQ(list[0].zones[0].action, ZoneAction::kDeleted);
  EXPECT_EQ(list[0].zones[0].removed, 2U);
  EXPECT_EQ(list[1].created_on, now_);
  ASSERT_EQ(list[1].zones.size(), 1U);
  EXPECT_EQ(list[1].zones[0].name, name("a.test"));
  EXPECT_EQ(list[1].zones[0].action, ZoneAction::kChanged);
  EXPECT_EQ(list[1].zones[0].added, 1U);
  EXPECT_EQ(list[1].zones[0].changed, 1U);
  EXPECT_EQ(list[1].zones[0].removed, 0U);
  ASSERT_EQ(list[2].zones.size(), 2U);
  EXPECT_EQ(list[2].zones[0].action, ZoneAction::kCreated);
  EXPECT_EQ(list[2].zones[0].added, 1U);
  EXPECT_EQ(list[2].zones[1].name, name("b.test"));
  EXPECT_EQ(history().list(1, 3).at(0).version, 2U);
  EXPECT_EQ(history().list(1).size(), 1U);
  EXPECT_TRUE(history().list(5, 1).empty());
}

class RollBackTest : public HistoryTest {
 protected:
  // Two zones of two records; then everything is changed.
  RollBackTest() {
    start_ = change([&] {
      Zone a = add_zone("a.test");
      a.status = model::ZoneStatus::kActive;
      a.soa = {1800, {1, 2, 3}};
      store_->update_zone(a);
      add(a, "www", "A", "203.0.113.1");
      add(a, "old", "TXT", "x");
      const Zone b = add_zone("b.test");
      add(b, "www", "A", "203.0.113.1");
    });
    a_ = zone("a.test");
    before_ = all_of("a.test");
    change([&] {
      Record www = before_.at(1);
      www.rdata = {203, 0, 113, 9};
      www.content = "203.0.113.9";
      store_->update_record(www);
      store_->delete_record(before_.at(0));
      add(zone("a.test"), "new", "A", "203.0.113.1");
      add(zone("b.test"), "new", "A", "203.0.113.1");
      Zone a = zone("a.test");
      a.paused = true;
      a.soa.reset();
      a.serial += 7;
      store_->update_zone(a);
      bump("b.test");
    });
  }
  std::vector<Record> all_of(const std::string& text) {
    std::vector<Record> records;
    store_->for_each_record(zone(text), [&](const Record& record) { records.push_back(record); });
    return records;
  }

  std::uint64_t start_ = 0;
  Zone a_;
  std::vector<Record> before_;
};

TEST_F(RollBackTest, RestoresOneZone) {
  const std::uint64_t version = store_->version();
  const Texts b = records("b.test");
  const auto result = history().roll_back(start_, name("a.test"));
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(result.value(), version + 1);
  EXPECT_EQ(all_of("a.test"), before_);
  const Zone now = zone("a.test");
  EXPECT_FALSE(now.paused);
  EXPECT_EQ(now.soa->rdata, a_.soa->rdata);
  EXPECT_EQ(now.serial, a_.serial + 8) << "newer than any that was served";
  EXPECT_EQ(now.modified_on, now_);
  EXPECT_EQ(records("b.test"), b);
  EXPECT_EQ(zone("b.test").serial, 2026010101U);
}

TEST_F(RollBackTest, RestoresAllZones) {
  ASSERT_TRUE(history().roll_back(start_, std::nullopt).ok());
  EXPECT_EQ(all_of("a.test"), before_);
  EXPECT_EQ(records("b.test"), (Texts{"www.b.test A 203.0.113.1"}));
  EXPECT_EQ(zone("b.test").serial, 2026010102U);
}

TEST_F(RollBackTest, BringsADeletedZoneBack) {
  change([&] { store_->delete_zone(zone("a.test")); });
  change([&] { add_zone("c.test"); });
  ASSERT_TRUE(history().roll_back(start_, name("a.test")).ok());
  EXPECT_EQ(zone("a.test").id, a_.id);
  EXPECT_EQ(zone("a.test").serial, a_.serial + 8);
  EXPECT_EQ(all_of("a.test"), before_);
  EXPECT_TRUE(store_->zone_by_name(name("c.test")));
}

TEST_F(RollBackTest, BringsBackAZoneThatWasMadeAnew) {
  change([&] { store_->delete_zone(zone("a.test")); });
  change([&] {
    Zone anew = add_zone("a.test");
    add(anew, "www", "A", "203.0.113.77");
    anew.serial = 2027010100;
    store_->update_zone(anew);
  });
  ASSERT_TRUE(history().roll_back(start_, name("a.test")).ok());
  EXPECT_EQ(zone("a.test").id, a_.id);
  EXPECT_EQ(zone("a.test").serial, 2027010101U);
  EXPECT_EQ(all_of("a.test"), before_);
}

TEST_F(RollBackTest, DeletesAZoneThatWasNotThere) {
  change([&] { add(add_zone("c.test"), "www", "A", "203.0.113.1"); });
  ASSERT_TRUE(history().roll_back(start_, name("c.test")).ok());
  EXPECT_FALSE(store_->zone_by_name(name("c.test")));
  EXPECT_NE(all_of("a.test"), before_);
}

TEST_F(RollBackTest, CanBeRolledBackItself) {
  const std::uint64_t changed = store_->version();
  const auto records_then = all_of("a.test");
  ASSERT_TRUE(history().roll_back(start_, std::nullopt).ok());
  ASSERT_TRUE(history().roll_back(changed, std::nullopt).ok());
  EXPECT_EQ(all_of("a.test"), records_then);
  EXPECT_TRUE(zone("a.test").paused);
}

TEST_F(RollBackTest, SwapsIdentities) {
  change([&] {
    Record one = all_of("a.test").at(0), two = all_of("a.test").at(1);
    std::swap(one.id, two.id);
    Record away = one;
    away.id = next_id();
    store_->update_record(away);
    store_->update_record(two);
    store_->update_record(one);
  });
  ASSERT_TRUE(history().roll_back(start_, std::nullopt).ok());
  EXPECT_EQ(all_of("a.test"), before_);
}

TEST_F(RollBackTest, CountsWhatItDid) {
  const std::uint64_t version = history().roll_back(start_, name("a.test")).value();
  const auto list = history().list(1);
  EXPECT_EQ(list.at(0).version, version);
  ASSERT_EQ(list[0].zones.size(), 1U);
  EXPECT_EQ(list[0].zones[0].added, 1U);
  EXPECT_EQ(list[0].zones[0].changed, 1U);
  EXPECT_EQ(list[0].zones[0].removed, 1U);
}

TEST_F(RollBackTest, IsPartOfTheCallersTransaction) {
  {
    Transaction transaction(*store_, Transaction::Kind::kWrite);
    ASSERT_TRUE(history().roll_back(start_, std::nullopt).ok());
    EXPECT_EQ(all_of("a.test"), before_);
  }
  EXPECT_NE(all_of("a.test"), before_);
}

TEST_F(RollBackTest, RefusesVersionsAndZonesThatItDoesNotKnow) {
  const std::uint64_t version = store_->version();
  EXPECT_EQ(history().roll_back(version + 1, std::nullopt).error().where,
            std::to_string(version + 1));
  EXPECT_EQ(history().roll_back(start_, name("absent.test")).error().where, "absent.test");
  history().prune({.versions_max = 0}, now_, version);
  EXPECT_FALSE(history().roll_back(start_, std::nullopt).ok());
  EXPECT_EQ(store_->version(), version);
}

class PruneTest : public HistoryTest {
 protected:
  // Versions 1 to 10, a minute apart; the zone is made by the first.
  PruneTest() {
    change([&] { add_zone("a.test"); });
    for (int i = 1; i < 10; ++i) {
      now_.micros += 60'000'000;
      change([&] {
        add(zone("a.test"), "h" + std::to_string(i), "A", "203.0.113.1");
        bump("a.test");
      });
    }
  }
  static constexpr std::uint64_t kNothingNeeded = 1'000'000;
};

TEST_F(PruneTest, KeepsTheNewest) {
  EXPECT_EQ(history().prune({.versions_max = 4}, now_, kNothingNeeded), 6U);
  EXPECT_EQ(history().list(100).size(), 4U);
  EXPECT_EQ(history().floor(), 6U);
  EXPECT_EQ(history().prune({.versions_max = 4}, now_, kNothingNeeded), 0U);
}

TEST_F(PruneTest, ForgetsTheOld) {
  EXPECT_EQ(history().prune({.age_max = 150s}, now_, kNothingNeeded), 7U);
  EXPECT_EQ(history().list(100).size(), 3U);
}

TEST_F(PruneTest, LeavesWhatIsNeeded) {
  EXPECT_EQ(history().prune({.versions_max = 0}, now_, 5), 5U);
  EXPECT_TRUE(history().changes_between(5, 10));
  EXPECT_FALSE(history().changes_between(4, 10));
  EXPECT_EQ(history().prune({}, now_, kNothingNeeded), 0U);
}

TEST_F(PruneTest, GoesOnAfterEverythingIsForgotten) {
  EXPECT_EQ(history().prune({.versions_max = 0}, now_, kNothingNeeded), 10U);
  EXPECT_TRUE(history().list(100).empty());
  const auto empty = history().changes_between(10, 10);
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->names.empty());
  change([&] { add(zone("a.test"), "new", "A", "203.0.113.1"); });
  EXPECT_EQ(names(history().changes_between(10, 11).value()), (Texts{"new.a.test addresses"}));
  ASSERT_TRUE(history().roll_back(10, std::nullopt).ok());
  EXPECT_EQ(records("a.test").size(), 9U);
}

TEST_F(PruneTest, WhatIsServedIsRecognisedAfterEverythingIsForgotten) {
  const auto token = history().token(10);
  ASSERT_TRUE(token);
  history().prune({.versions_max = 0}, now_, 10);
  while (history().sweep(3)) {
  }
  EXPECT_EQ(history().token(10), token);
  EXPECT_FALSE(history().token(9));
}

TEST_F(PruneTest, WhatIsForgottenIsSweptInPieces) {
  const auto rows = [&] {
    const auto database = std::move(Database::open(path_, Access::kReadOnly)).value();
    const auto count = database->prepare(
        "SELECT (SELECT count(*) FROM record_log) + (SELECT count(*) FROM zone_log) + "
        "(SELECT count(*) FROM version_zones)");
    count->step();
    return count->integer(0);
  };
  EXPECT_FALSE(history().sweep(4)) << "nothing is forgotten yet";
  const auto before = rows();
  history().prune({.versions_max = 1}, now_, kNothingNeeded);
  EXPECT_EQ(rows(), before);
  EXPECT_TRUE(history().sweep(4));
  EXPECT_EQ(rows(), before - 12);
  int pieces = 1;
  while (history().sweep(4)) ++pieces;
  EXPECT_EQ(pieces, 2);
  EXPECT_EQ(rows(), 3) << "of the newest version";
  EXPECT_EQ(names(history().changes_between(9, 10).value()).size(), 1U);
  ASSERT_TRUE(history().roll_back(9, std::nullopt).ok());
  EXPECT_EQ(records("a.test").size(), 8U);
}

TEST_F(PruneTest, ListsTheVersionsOfAZone) {
  const auto other = change([&] { add_zone("b.test"); });
  change([&] { bump("a.test"); });
  const auto versions = history().list(10, std::nullopt, name("b.test"));
  ASSERT_EQ(versions.size(), 1U);
  EXPECT_EQ(versions[0].version, other);
  EXPECT_EQ(history().list(3, std::nullopt, name("a.test")).size(), 3U);
  EXPECT_EQ(history().list(3, std::nullopt, name("a.test"))[1].version, other - 1);
}

TEST_F(PruneTest, AnOpenTransactionTellsWhatItHasDone) {
  const auto version = store_->version();
  {
    Transaction transaction(*store_, Transaction::Kind::kWrite);
    ASSERT_TRUE(history().roll_back(7, std::nullopt).ok());
    const auto summary = history().summary_so_far();
    ASSERT_EQ(summary.size(), 1U);
    EXPECT_EQ(summary[0].name.text(), "a.test");
    EXPECT_EQ(summary[0].removed, 3U);
  }
  EXPECT_EQ(store_->version(), version);
  EXPECT_EQ(records("a.test").size(), 9U);
}

TEST_F(PruneTest, ARowIsNotUsedAgainWhileTheHistoryKnowsIt) {
  const Zone first = zone("a.test");
  store_->delete_zone(first);
  EXPECT_GT(add_zone("b.test").row, first.row);
}

// What an account says about all of its zones is not a matter of one zone's past.
TEST_F(HistoryTest, GoingBackLeavesTheAccountsWord) {
  Zone zone = add_zone("a.test");
  zone.dns.ipv6 = false;
  store_->update_zone(zone);
  const std::uint64_t start = store_->version();
  zone.dns.ipv6 = true;
  store_->update_zone(zone);
  {
    Transaction transaction(*store_, Transaction::Kind::kWrite);
    store_->enforce_dns_only(zone.account, true, {});
    transaction.commit();
  }
  const auto changes = history().changes_between(start, store_->version());
  ASSERT_TRUE(changes);
  ASSERT_EQ(changes->zones.size(), 1U);
  EXPECT_TRUE(changes->zones[0].whole);
  ASSERT_TRUE(history().roll_back(start, std::nullopt).ok());
  const Zone back = *store_->zone_by_name(name("a.test"));
  EXPECT_FALSE(back.dns.ipv6);
  EXPECT_TRUE(back.dns.enforce_dns_only);
}

// A store as the first schema left it, with a zone and two records.
TEST(Migration, KeepsWhatAnEarlierProgramStored) {
  char pattern[] = "/tmp/brink_store_XXXXXX";
  const std::string folder = ::mkdtemp(pattern), path = folder + "/brink.db";
  {
    auto database = std::move(Database::open(path, Access::kReadWrite)).value();
    database->execute(R"sql(
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('version', 17), ('account', x'01020304050607080910111213141516');
CREATE TABLE zones (
  row INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,
  status INTEGER NOT NULL, type INTEGER NOT NULL, paused INTEGER NOT NULL,
  serial INTEGER NOT NULL, soa_ttl INTEGER, soa_rdata BLOB, created_on INTEGER NOT NULL,
  modified_on INTEGER NOT NULL, activated_on INTEGER);
CREATE TABLE records (
  row INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,
  zone INTEGER NOT NULL REFERENCES zones (row) ON DELETE CASCADE, name TEXT NOT NULL,
  type INTEGER NOT NULL, content TEXT NOT NULL, priority INTEGER, rdata BLOB NOT NULL,
  ttl INTEGER NOT NULL, proxied INTEGER NOT NULL, comment TEXT NOT NULL, tags TEXT NOT NULL,
  settings INTEGER NOT NULL, created_on INTEGER NOT NULL, modified_on INTEGER NOT NULL,
  comment_modified_on INTEGER, tags_modified_on INTEGER);
CREATE UNIQUE INDEX records_identity ON records (zone, name, type, rdata);
CREATE INDEX records_of_zone ON records (zone);
INSERT INTO zones VALUES (1, x'00000000000000000000000000000001', 'a.test', 2, 0, 0, 5, NULL, NULL,
  1, 1, NULL);
INSERT INTO records VALUES
  (1, x'00000000000000000000000000000002', 1, 'www.a.test', 1, '203.0.113.1', NULL, x'cb007101', 1,
   1, '', '', 0, 1, 1, NULL, NULL),
  (2, x'00000000000000000000000000000003', 1, 'alias.a.test', 5, 'www.a.test', NULL,
   x'037777770161047465737400', 300, 0, 'c', 't', 0, 1, 1, NULL, NULL);
PRAGMA user_version = 1;
)sql");
  }
  auto opened = Store::open(path, Access::kReadWrite);
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  Store& store = *opened.value();
  EXPECT_EQ(store.version(), 17U);
  const Zone zone = store.zone_by_name(name("a.test")).value();
  EXPECT_EQ(zone.account.hex(), "01020304050607080910111213141516");
  EXPECT_EQ(store.records_at(zone, name("www.a.test")).size(), 1U);
  EXPECT_EQ(store.aliases_to(name("www.a.test"), Reach::kName).at(0).owner, name("alias.a.test"));
  EXPECT_EQ(store.zones_below(name("test")), (std::vector{name("a.test")}));
  History history(store);
  EXPECT_EQ(history.floor(), 17U);
  EXPECT_FALSE(history.changes_between(16, 17));
  store.delete_zone(zone);
  EXPECT_EQ(history.changes_between(17, 18).value().names.size(), 2U);
  ASSERT_TRUE(history.roll_back(17, zone.name).ok());
  EXPECT_EQ(store.record_count(zone), 2U);
  EXPECT_EQ(store.zone_by_name(zone.name)->account, zone.account);
  opened.value().reset();
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace brink::ctl::store
