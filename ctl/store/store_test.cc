#include "ctl/store/store.h"

#include <fstream>
#include <thread>

#include "ctl/store/store_fixture.h"
#include "ctl/store/store_lock.h"

namespace brink::ctl::store {
namespace {

TEST_F(StoreTest, KeepsEveryFieldOfAZone) {
  Zone zone = add_zone("example.com");
  zone.status = model::ZoneStatus::kActive;
  zone.paused = true;
  zone.soa = {1800, {1, 2, 3}};
  zone.activated_on = model::Timestamp{99};
  store_->update_zone(zone);
  store_ = open();
  const auto found = store_->zone_by_id(zone.id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->row, zone.row);
  EXPECT_EQ(found->name, zone.name);
  EXPECT_EQ(found->status, model::ZoneStatus::kActive);
  EXPECT_TRUE(found->paused);
  EXPECT_EQ(found->serial, 2026010100U);
  ASSERT_TRUE(found->soa);
  EXPECT_EQ(found->soa->ttl, 1800U);
  EXPECT_EQ(found->soa->rdata, (model::Rdata{1, 2, 3}));
  EXPECT_EQ(found->created_on.micros, 1'767'225'600'000'042);
  EXPECT_EQ(found->activated_on, model::Timestamp{99});
  EXPECT_EQ(store_->zone_by_name(zone.name)->id, zone.id);
  EXPECT_FALSE(store_->zone_by_name(DomainName::parse("example.org").value()));
}

TEST_F(StoreTest, KeepsEveryFieldOfARecord) {
  const Zone zone = add_zone("example.com");
  Record record = add(zone, "@", "MX", "10 mail.example.com");
  record.settings.ipv4_only = true;
  record.proxied = true;
  record.ttl = 600;
  record.comment_modified_on = model::Timestamp{5};
  store_->update_record(record);
  const auto found = store_->record_by_id(zone, record.id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, record.name);
  EXPECT_EQ(found->type, model::kTypeMx);
  EXPECT_EQ(found->content, "mail.example.com");
  EXPECT_EQ(found->priority, 10);
  EXPECT_EQ(found->rdata, record.rdata);
  EXPECT_EQ(found->ttl, 600U);
  EXPECT_TRUE(found->proxied);
  EXPECT_EQ(found->comment, "about @");
  EXPECT_EQ(found->tags, (std::vector<std::string>{"team:dns", "urgent"}));
  EXPECT_EQ(found->settings, record.settings);
  EXPECT_EQ(found->comment_modified_on, model::Timestamp{5});
  EXPECT_FALSE(found->tags_modified_on);
}

TEST_F(StoreTest, FindsARecordOnlyInItsZone) {
  const Zone zone = add_zone("example.com");
  const Zone other = add_zone("example.org");
  const Record record = add(zone, "www", "A", "203.0.113.1");
  EXPECT_TRUE(store_->record_by_id(zone, record.id));
  EXPECT_FALSE(store_->record_by_id(other, record.id));
  EXPECT_EQ(store_->records_at(zone, record.name).size(), 1U);
  EXPECT_TRUE(store_->records_at(other, record.name).empty());
}

TEST_F(StoreTest, DeletesAZoneWithItsRecords) {
  const Zone zone = add_zone("example.com");
  add(zone, "www", "A", "203.0.113.1");
  store_->delete_zone(zone);
  EXPECT_EQ(store_->zone_count(), 0U);
  EXPECT_EQ(store_->record_count(), 0U);
}

TEST_F(StoreTest, RefusesTheSameRecordTwice) {
  const Zone zone = add_zone("example.com");
  add(zone, "www", "A", "203.0.113.1");
  EXPECT_THROW(add(zone, "www", "A", "203.0.113.1"), Failure);
  EXPECT_EQ(store_->record_count(zone), 1U);
}

TEST_F(StoreTest, UndoesATransactionThatIsNotCommitted) {
  const Zone zone = add_zone("example.com");
  const std::uint64_t version = store_->version();
  {
    Transaction change(*store_, Transaction::Kind::kWrite);
    add(zone, "www", "A", "203.0.113.1");
    EXPECT_EQ(store_->take_version(), version + 1);
  }
  EXPECT_EQ(store_->record_count(zone), 0U);
  EXPECT_EQ(store_->version(), version);
}

TEST_F(StoreTest, VersionGrowsOverRestarts) {
  {
    Transaction change(*store_, Transaction::Kind::kWrite);
    EXPECT_EQ(store_->take_version(), 1U);
    change.commit();
  }
  store_ = open();
  EXPECT_EQ(store_->version(), 1U);
  Transaction change(*store_, Transaction::Kind::kWrite);
  EXPECT_EQ(store_->take_version(), 2U);
}

TEST_F(StoreTest, VersionCanBeRaisedButNotLowered) {
  store_->raise_version(40);
  EXPECT_EQ(store_->version(), 40U);
  store_->raise_version(7);
  EXPECT_EQ(store_->take_version(), 41U);
}

TEST_F(StoreTest, AReaderKeepsItsViewWhileAnotherWrites) {
  const Zone zone = add_zone("example.com");
  auto reader = open(Access::kReadOnly);
  Transaction view(*reader, Transaction::Kind::kRead);
  add(zone, "www", "A", "203.0.113.1");
  EXPECT_EQ(reader->record_count(), 0U);
  view.commit();
  EXPECT_EQ(reader->record_count(), 1U);
}

TEST_F(StoreTest, AReaderCannotWrite) {
  auto reader = open(Access::kReadOnly);
  EXPECT_THROW(reader->take_version(), Failure);
}

TEST_F(StoreTest, MakesAValueOnceAndKeepsIt) {
  const auto make = [](std::uint8_t byte) {
    return [byte] { return std::vector<std::uint8_t>(32, byte); };
  };
  EXPECT_EQ(store_->value_or_create("seed", make(7)), std::vector<std::uint8_t>(32, 7));
  store_ = open();
  EXPECT_EQ(store_->value_or_create("seed", make(8)), std::vector<std::uint8_t>(32, 7));
}

TEST_F(StoreTest, PagesEndWithAnEmptyPage) {
  const Zone zone = add_zone("example.com");
  for (int i = 0; i < 5; ++i) add(zone, "h" + std::to_string(i), "A", "203.0.113.1");
  RecordQuery query;
  query.paging = {1, 2};
  std::vector<std::string> seen;
  for (;; ++query.paging.page) {
    const auto page = store_->list_records(zone, query);
    EXPECT_EQ(page.total, 5U);
    if (page.items.empty()) break;
    for (const auto& name : names(page)) seen.push_back(name);
  }
  EXPECT_EQ(query.paging.page, 4U);
  EXPECT_EQ(seen, (std::vector<std::string>{"h0.example.com", "h1.example.com", "h2.example.com",
                                            "h3.example.com", "h4.example.com"}));
  query.paging.page = ~std::uint64_t{0};
  EXPECT_TRUE(store_->list_records(zone, query).items.empty());
}

TEST_F(StoreTest, FiltersRecords) {
  const Zone zone = add_zone("example.com");
  add(zone, "www", "A", "203.0.113.1");
  add(zone, "api", "A", "203.0.113.2");
  add(zone, "api", "TXT", "\"hello world\"");
  add(add_zone("example.org"), "www", "A", "203.0.113.1");
  using Query = RecordQuery;
  const auto found = [&](const Query& query) { return store_->list_records(zone, query).total; };
  const auto text = [](Query::Field field, TextMatch match, const std::string& value) {
    Query query;
    query.texts = {{field, match, value}};
    return query;
  };
  using enum RecordQuery::Field;
  EXPECT_EQ(found({}), 3U);
  EXPECT_EQ(found(text(kName, TextMatch::kExact, "WWW.example.com")), 1U);
  EXPECT_EQ(found(text(kName, TextMatch::kContains, "pi")), 2U);
  EXPECT_EQ(found(text(kName, TextMatch::kStartsWith, "pi")), 0U);
  EXPECT_EQ(found(text(kName, TextMatch::kEndsWith, ".example.com")), 3U);
  EXPECT_EQ(found(text(kContent, TextMatch::kExact, "203.0.113.2")), 1U);
  EXPECT_EQ(found(text(kContent, TextMatch::kExact, "hello world")), 1U);
  EXPECT_EQ(found(text(kContent, TextMatch::kExact, "\"hello world\"")), 1U);
  EXPECT_EQ(found(text(kContent, TextMatch::kExact, "x' OR '1'='1")), 0U);
  EXPECT_EQ(found(text(kComment, TextMatch::kPresent, "")), 3U);
  EXPECT_EQ(found(text(kComment, TextMatch::kAbsent, "")), 0U);
  Query query = text(kName, TextMatch::kStartsWith, "api");
  query.type = model::kTypeA;
  EXPECT_EQ(found(query), 1U);
  query.match_any = true;
  EXPECT_EQ(found(query), 3U);
  query.search = "hello";
  EXPECT_EQ(found(query), 1U);
  Query tagged;
  tagged.tags = {{TextMatch::kPresent, "team"}};
  EXPECT_EQ(found(tagged), 3U);
  tagged.tags = {{TextMatch::kPresent, "tea"}};
  EXPECT_EQ(found(tagged), 0U);
  Query proxied;
  proxied.proxied = true;
  EXPECT_EQ(found(proxied), 0U);
}

TEST_F(StoreTest, FiltersRecordsByTag) {
  const Zone zone = add_zone("example.com");
  const auto tag = [&](const std::string& owner, std::vector<std::string> tags) {
    Record record = add(zone, owner, "A", "203.0.113.1");
    record.tags = std::move(tags);
    store_->update_record(record);
  };
  tag("a", {"Team:DNS", "urgent"});
  tag("b", {"team:web\\n\"x\"", "tea"});
  tag("c", {});
  const auto found = [&](std::vector<RecordQuery::TagFilter> filters, bool any = false) {
    RecordQuery query;
    query.tags = std::move(filters);
    query.tags_any = any;
    return names(store_->list_records(zone, query));
  };
  using Names = std::vector<std::string>;
  const std::string a = "a.example.com", b = "b.example.com", c = "c.example.com";
  using enum TextMatch;
  EXPECT_EQ(found({{kPresent, "team"}}), (Names{a, b}));
  EXPECT_EQ(found({{kPresent, "te"}}), Names{});
  EXPECT_EQ(found({{kAbsent, "team"}}), Names{c});
  EXPECT_EQ(found({{kExact, "team:dns"}}), Names{a});
  EXPECT_EQ(found({{kExact, "team:dn"}}), Names{});
  EXPECT_EQ(found({{kExact, "URGENT"}}), Names{a});
  EXPECT_EQ(found({{kContains, "team:e"}}), Names{b});
  EXPECT_EQ(found({{kStartsWith, "team:d"}}), Names{a});
  EXPECT_EQ(found({{kEndsWith, "team:\""}}), Names{b});
  EXPECT_EQ(found({{kPresent, "team"}, {kPresent, "urgent"}}), Names{a});
  EXPECT_EQ(found({{kPresent, "tea"}, {kPresent, "urgent"}}, true), (Names{a, b}));
}

TEST_F(StoreTest, FindsWhatADelegationHides) {
  const Zone zone = add_zone("example.com");
  add(zone, "sub", "NS", "ns.sub.example.com");
  add(zone, "sub", "DS", "1 8 2 " + std::string(64, '0'));
  add(zone, "ns.sub", "A", "203.0.113.1");
  add(zone, "deep.ns.sub", "TXT", "x");
  add(zone, "subway", "A", "203.0.113.1");
  RecordQuery query;
  query.shadowed_by = DomainName::parse("sub.example.com").value();
  EXPECT_EQ(names(store_->list_records(zone, query)),
            (std::vector<std::string>{"ns.sub.example.com", "deep.ns.sub.example.com"}));
  query.shadowed_by = DomainName::parse("ns.sub.example.com").value();
  EXPECT_EQ(store_->list_records(zone, query).total, 0U) << "no delegation there";
  query = {};
  query.shadowing = DomainName::parse("x.ns.sub.example.com").value();
  EXPECT_EQ(names(store_->list_records(zone, query)), std::vector<std::string>{"sub.example.com"});
  query.shadowing = DomainName::parse("subway.example.com").value();
  EXPECT_EQ(store_->list_records(zone, query).total, 0U);
  EXPECT_EQ(store_->count_within(zone, DomainName::parse("sub.example.com").value(), 100), 4U);
  EXPECT_EQ(store_->count_within(zone, DomainName::parse("sub.example.com").value(), 3), 3U);
}

TEST_F(StoreTest, KeepsTheSettingsOfAZone) {
  Zone zone = add_zone("example.com");
  zone.dns.ipv6 = false;
  zone.dns.name_server_set = 3;
  zone.settings["ciphers"] = {R"(["A\tB","C"])", {42}};
  zone.settings["ssl"] = {"\"strict\"", {43}};
  store_->update_zone(zone);
  store_.reset();
  store_ = open();
  const Zone read = *store_->zone_by_id(zone.id);
  EXPECT_EQ(read.dns, zone.dns);
  EXPECT_EQ(read.settings, zone.settings);
  EXPECT_FALSE(store_->former_dns(zone.name));
  store_->delete_zone(zone);
  EXPECT_EQ(store_->former_dns(zone.name), zone.dns);
}

TEST_F(StoreTest, OrdersRecords) {
  const Zone zone = add_zone("example.com");
  add(zone, "b", "A", "203.0.113.1");
  add(zone, "c", "TXT", "x");
  add(zone, "a", "A", "203.0.113.2");
  RecordQuery query;
  query.order = RecordQuery::Order::kName;
  EXPECT_EQ(names(store_->list_records(zone, query)).front(), "a.example.com");
  query.descending = true;
  EXPECT_EQ(names(store_->list_records(zone, query)).front(), "c.example.com");
  query.order = RecordQuery::Order::kType;
  EXPECT_EQ(names(store_->list_records(zone, query)).front(), "c.example.com");
}

TEST_F(StoreTest, FiltersZones) {
  add_zone("example.com");
  Zone active = add_zone("example.org");
  active.status = model::ZoneStatus::kActive;
  store_->update_zone(active);
  ZoneQuery query;
  query.name = {TextMatch::kExact, "Example.com"};
  EXPECT_EQ(store_->list_zones(query).total, 1U);
  query.name = {TextMatch::kStartsWith, "example"};
  EXPECT_EQ(store_->list_zones(query).total, 2U);
  query.status = model::ZoneStatus::kActive;
  EXPECT_EQ(store_->list_zones(query).total, 1U);
  query.types = {model::ZoneType::kPartial, model::ZoneType::kInternal};
  EXPECT_EQ(store_->list_zones(query).total, 0U);
}

TEST_F(StoreTest, VisitsZonesAndRecordsInTheOrderTheyAreCompiled) {
  add_zone("b.test");
  const Zone zone = add_zone("a.test");
  add(zone, "z", "A", "203.0.113.1");
  add(zone, "y", "TXT", "x");
  add(zone, "y", "A", "203.0.113.1");
  std::string visited;
  store_->for_each_zone([&](const Zone& each) { visited += each.name.text() + " "; });
  store_->for_each_record(zone, [&](const Record& record) {
    visited += record.name.text() + "/" + std::to_string(record.type) + " ";
  });
  EXPECT_EQ(visited, "a.test b.test y.a.test/1 y.a.test/16 z.a.test/1 ");
}

TEST_F(StoreTest, RefusesAStoreOfANewerProgram) {
  store_.reset();
  {
    auto database = Database::open(path_, Access::kReadWrite);
    database.value()->execute("PRAGMA user_version = 9999");
  }
  const auto store = Store::open(path_, Access::kReadWrite);
  ASSERT_FALSE(store.ok());
  EXPECT_NE(store.error().what.find("9999"), std::string::npos);
}

TEST_F(StoreTest, RefusesAFileThatIsNoStore) {
  store_.reset();
  std::ofstream(path_) << std::string(8192, 'x');
  const auto store = Store::open(path_, Access::kReadWrite);
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().where, path_);
}

TEST_F(StoreTest, NamesThePathThatCannotBeOpened) {
  const auto store = Store::open(folder_ + "/absent/brink.db", Access::kReadWrite);
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().where, folder_ + "/absent/brink.db");
}

TEST_F(StoreTest, IsOneProgramsUntilItEnds) {
  using namespace std::chrono_literals;
  auto first = lock_store(path_, 0ms);
  ASSERT_TRUE(first.ok()) << first.error().message();
  const auto second = lock_store(path_, 30ms);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().where, path_);
  EXPECT_NE(second.error().what.find("another brink-control"), std::string::npos);
  std::thread ending([&first] {
    std::this_thread::sleep_for(50ms);
    first.value().reset();
  });
  EXPECT_TRUE(lock_store(path_, 60s).ok()) << "it waits for one that is about to end";
  ending.join();
  const auto absent = lock_store(folder_ + "/absent/brink.db", 60s);
  ASSERT_FALSE(absent.ok());
  EXPECT_NE(absent.error().what.find("No such file"), std::string::npos);
}

}  // namespace
}  // namespace brink::ctl::store
