// Records inserted together: the history tells of them as of others.
#include "ctl/store/record_inserter.h"
#include "ctl/store/history.h"
#include "ctl/store/store_fixture.h"

namespace brink::ctl::store {
namespace {

using Texts = std::vector<std::string>;
using Insert = std::function<void(Record&)>;

class RecordInserterTest : public StoreTest {
 protected:
  std::uint64_t change(const std::function<void()>& steps) {
    Transaction transaction(*store_, Transaction::Kind::kWrite);
    steps();
    const std::uint64_t version = store_->take_version();
    transaction.commit();
    return version;
  }
  Zone zone(const std::string& text) {
    return store_->zone_by_name(DomainName::parse(text).value()).value();
  }
  Record make(const Zone& zone, const std::string& name, const std::string& type = "A",
              const std::string& content = "203.0.113.1") {
    Record record =
        model::make_record({}, zone, {.name = name, .type = type, .content = content}).value();
    record.id = next_id();
    return record;
  }
  // One after the other into `inserter`.
  static void give(RecordInserter& inserter, const std::vector<Record>& records) {
    std::size_t next = 0;
    TreeKey key;
    NewRecord given;
    inserter.insert([&]() -> const NewRecord* {
      if (next == records.size()) return nullptr;
      key = tree_key(records[next].name);
      given = NewRecord(records[next++], key);
      return &given;
    });
  }
  // As one, or each for itself.
  std::vector<Record> insert(const Zone& zone, std::vector<Record> records, bool together) {
    if (together) {
      RecordInserter inserter(*store_, zone);
      give(inserter, records);
      inserter.finish();
      for (Record& record : records) record = store_->record_by_id(zone, record.id).value();
      return records;
    }
    for (Record& record : records) store_->insert_record(zone, record);
    return records;
  }
  Texts names() {
    Texts texts;
    store_->for_each_record(zone("a.test"), [&](const Record& record) {
      texts.push_back(record.name.text() + " " + record.content);
    });
    return texts;
  }
  static Texts told(const std::optional<Changes>& changes) {
    Texts texts;
    if (!changes) return {"not known"};
    for (const ZoneChange& change : changes->zones) {
      texts.push_back(change.name.text() + (change.whole ? " whole" : ""));
    }
    for (const NameChange& change : changes->names) {
      texts.push_back(change.zone.text() + " " + change.name.text() +
                      (change.existed ? " existed" : "") + (change.addresses ? " addresses" : "") +
                      (change.cut ? " cut" : ""));
    }
    texts.push_back(std::to_string(changes->unlisted) + " unlisted");
    std::sort(texts.begin(), texts.end());
    return texts;
  }
  Texts listed() {
    Texts texts;
    for (const VersionSummary& version : History(*store_).list(100)) {
      for (const ZoneSummary& zone : version.zones) {
        texts.push_back(std::to_string(version.version) + " " + zone.name.text() + " +" +
                        std::to_string(zone.added) + " ~" + std::to_string(zone.changed) + " -" +
                        std::to_string(zone.removed));
      }
    }
    return texts;
  }
  // The same changes in a store of its own, and what is told of every pair of versions.
  Texts history_of(bool together);
};

Texts RecordInserterTest::history_of(bool together) {
  store_.reset();
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directory(folder_);
  store_ = open();
  ids_ = 0;
  History history(*store_);
  const auto start = change([&] {
    const Zone fresh = add_zone("a.test");
    insert(fresh, {make(fresh, "www"), make(fresh, "old")}, together);
    add_zone("b.test");
  });
  const Zone a = zone("a.test"), b = zone("b.test");
  std::vector<Record> kept;
  // Beside others of the same version, before and after; some go at once, and a row is used again.
  change([&] {
    Record single = make(a, "single");
    store_->insert_record(a, single);
    kept = insert(a,
                  {make(a, "x"), make(a, "y"), make(a, "www", "AAAA", "2001:db8::1"),
                   make(a, "sub", "NS", "ns.sub.a.test"), make(a, "z")},
                  together);
    store_->delete_record(kept[4]);
    kept[0].ttl = 600;
    store_->update_record(kept[0]);
    insert(b, {make(b, "again"), make(b, "more")}, together);
  });
  change([&] { store_->delete_record(kept[1]); });
  change([&] {
    Record moved = kept[0];
    moved.content = "203.0.113.2";
    moved.rdata[3] = 2;
    store_->update_record(moved);
    insert(a, {make(a, "late")}, together);
  });
  const auto end = change([&] { store_->delete_zone(b); });
  Texts texts = listed();
  for (std::uint64_t from = start - 1; from <= end; ++from) {
    for (std::uint64_t to = from; to <= end; ++to) {
      for (const std::string& text : told(history.changes_between(from, to))) {
        texts.push_back(std::to_string(from) + "-" + std::to_string(to) + " " + text);
      }
      texts.push_back(std::to_string(history.entries_between(from, to)) + " entries");
    }
  }
  for (std::uint64_t to = end; to + 1 >= start; --to) {
    EXPECT_TRUE(history.roll_back(to, std::nullopt).ok());
    if (to < start) {
      texts.push_back(std::to_string(store_->record_count()) + " left");
      break;
    }
    for (const std::string& text : names()) texts.push_back("back " + text);
  }
  return texts;
}

TEST_F(RecordInserterTest, TheHistoryTellsTheSameAsOfSingleRecords) {
  const Texts single = history_of(false), together = history_of(true);
  EXPECT_EQ(together, single);
  EXPECT_GT(together.size(), 50U);
  EXPECT_EQ(together.back(), "0 left");
}

TEST_F(RecordInserterTest, KeepsAllOfARecord) {
  add_zone("a.test");
  const Zone a = zone("a.test");
  Record full = model::make_record({}, a,
                                   {.name = "full",
                                    .type = "MX",
                                    .content = "mail.a.test",
                                    .priority = 7,
                                    .ttl = 600,
                                    .comment = "said",
                                    .tags = {"one", "two:2"}})
                    .value();
  full.id = next_id();
  full.created_on.micros = 5;
  full.modified_on.micros = 6;
  full.comment_modified_on = model::Timestamp{7};
  full.tags_modified_on = model::Timestamp{8};
  Record proxied = make(a, "p");
  proxied.proxied = true;
  proxied.settings.ipv4_only = true;
  Record empty = make(a, "e", "TXT", "\"\"");
  change([&] { insert(a, {}, true); });  // none at all
  std::vector<Record> kept;
  change([&] { kept = insert(a, {empty, full, proxied}, true); });
  EXPECT_EQ(store_->record_count(), 3U);
  for (const Record& expected : {empty, full, proxied}) {
    Record found = store_->record_by_id(a, expected.id).value();
    EXPECT_GT(std::exchange(found.row, 0), 0);
    EXPECT_EQ(found, expected);
  }
  const auto pointers =
      store_->pointers_to(a.row, DomainName::parse("mail.a.test").value(), Reach::kName);
  ASSERT_EQ(pointers.size(), 1U);
  EXPECT_EQ(pointers[0].owner.text(), "full.a.test");
}

TEST_F(RecordInserterTest, AnOpenTransactionTellsOfEach) {
  add_zone("a.test");
  const Zone a = zone("a.test");
  Transaction transaction(*store_, Transaction::Kind::kWrite);
  insert(a, {make(a, "x"), make(a, "y"), make(a, "z")}, true);
  History history(*store_);
  const auto changes = history.open_changes(3);
  ASSERT_TRUE(changes);
  ASSERT_EQ(changes->records.size(), 3U);
  EXPECT_FALSE(changes->records[0].before);
  EXPECT_EQ(changes->records[0].after->name.text(), "x.a.test");
  EXPECT_FALSE(history.open_changes(2));
  ASSERT_EQ(history.summary_so_far().size(), 1U);
  EXPECT_EQ(history.summary_so_far()[0].added, 3U);
}

TEST_F(RecordInserterTest, WhatPointsSomewhereIsFoundAmongTheFirstRecordsToo) {
  const Zone a = add_zone("a.test");
  const DomainName target = DomainName::parse("ns.a.test").value();
  const auto pointers = [&] { return store_->pointers_to(a.row, target, Reach::kName).size(); };
  const auto delegations = [&](std::size_t count) {  // each to a server of the zone and to another
    std::vector<Record> records;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string name = "d" + std::to_string(i);
      records.push_back(make(a, name, "NS", "ns.a.test"));
      records.push_back(make(a, name, "NS", "ns.b.test"));
    }
    return records;
  };
  for (const std::size_t count : {10U, 1000U}) {
    change([&] { insert(a, delegations(count), true); });
    EXPECT_EQ(pointers(), count);
    change([&] { insert(a, {make(a, "later", "NS", "ns.a.test")}, true); });
    EXPECT_EQ(pointers(), count + 1);
    {
      Transaction transaction(*store_, Transaction::Kind::kWrite);
      RecordQuery all;
      all.paging.per_page = 100'000;
      for (const Record& record : store_->list_records(a, all).items) store_->delete_record(record);
      transaction.commit();
    }
    EXPECT_EQ(pointers(), 0U);
    {
      Transaction transaction(*store_, Transaction::Kind::kWrite);
      RecordInserter inserter(*store_, a);
      give(inserter, delegations(count));
    }
    EXPECT_EQ(pointers(), 0U);
    change([&] { insert(a, {make(a, "z", "NS", "ns.a.test")}, false); });
    EXPECT_EQ(pointers(), 1U) << "what was given up is as it was";
    change([&] { store_->delete_record(store_->list_records(a, {}).items.front()); });
  }
}

TEST_F(RecordInserterTest, WhatIsNotFinishedLeavesNothing) {
  add_zone("a.test");
  const Zone a = zone("a.test");
  const std::uint64_t before = store_->version();
  {
    Transaction transaction(*store_, Transaction::Kind::kWrite);
    RecordInserter inserter(*store_, a);
    give(inserter, {make(a, "x")});
  }
  EXPECT_EQ(names(), Texts{});
  EXPECT_EQ(store_->version(), before);
  // Others are logged again.
  add(a, "www", "A", "203.0.113.1");
  EXPECT_EQ(told(History(*store_).changes_between(before, before + 1)),
            (Texts{"0 unlisted", "a.test www.a.test addresses"}));
}

TEST_F(RecordInserterTest, AManifoldOfTheZoneIsAChangeOfTheWhole) {
  add_zone("a.test");
  add_zone("b.test");
  const Zone a = zone("a.test"), b = zone("b.test");
  const std::uint64_t start = store_->version();
  const auto many = [&](const Zone& zone, int count) {
    std::vector<Record> records;
    for (int i = 0; i < count; ++i) records.push_back(make(zone, "h" + std::to_string(i)));
    for (Record& record : records) record.id = model::Id::random(model::system_entropy());
    return records;
  };
  const std::uint64_t end = change([&] {
    insert(a, many(a, 10'000), true);
    insert(b, many(b, 2), true);
  });
  EXPECT_EQ(told(History(*store_).changes_between(start, end)),
            (Texts{"10000 unlisted", "a.test whole", "b.test h0.b.test addresses",
                   "b.test h1.b.test addresses"}));
  EXPECT_FALSE(History(*store_).changes_between(start, end, 10'001));
  EXPECT_GE(History(*store_).entries_between(start, end), 10'002U);
}

TEST_F(RecordInserterTest, AnIdentityThatIsTakenThrows) {
  add_zone("a.test");
  const Zone a = zone("a.test");
  Transaction transaction(*store_, Transaction::Kind::kWrite);
  RecordInserter inserter(*store_, a);
  give(inserter, {make(a, "x")});
  EXPECT_THROW(give(inserter, {make(a, "y"), make(a, "x")}), Failure);
}

}  // namespace
}  // namespace brink::ctl::store
