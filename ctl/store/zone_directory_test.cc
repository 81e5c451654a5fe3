#include "ctl/store/zone_directory.h"

#include <map>

#include "ctl/store/store_fixture.h"

namespace brink::ctl::store {
namespace {

using Names = std::vector<std::string>;

class ZoneDirectoryTest : public StoreTest {
 protected:
  Zone add_with(const std::string& name, model::ZoneStatus status) {
    Zone zone = add_zone(name);
    zone.status = status;
    store_->update_zone(zone);
    return zone;
  }
  Names listed(const ZoneQuery& query, Store* store = nullptr) {
    Names names;
    const auto page = (store == nullptr ? *store_ : *store).list_zones(query);
    for (const Zone& zone : page.items) names.push_back(zone.name.text());
    total_ = page.total;
    return names;
  }
  std::uint64_t total_ = 0;
};

TEST_F(ZoneDirectoryTest, OrdersBothWays) {
  add_with("b.test", model::ZoneStatus::kActive);
  add_with("c.test", model::ZoneStatus::kPending);
  add_with("a.test", model::ZoneStatus::kActive);
  ZoneQuery query;
  EXPECT_EQ(listed(query), (Names{"b.test", "c.test", "a.test"}));
  query.descending = true;
  EXPECT_EQ(listed(query), (Names{"a.test", "c.test", "b.test"}));
  query.order = ZoneQuery::Order::kName;
  EXPECT_EQ(listed(query), (Names{"c.test", "b.test", "a.test"}));
  query.order = ZoneQuery::Order::kStatus;
  EXPECT_EQ(listed(query), (Names{"b.test", "a.test", "c.test"}));
  query.descending = false;
  EXPECT_EQ(listed(query), (Names{"c.test", "b.test", "a.test"}));
}

TEST_F(ZoneDirectoryTest, PagesAreDisjointAndTheLastOneIsEmpty) {
  for (const char* name : {"a.test", "b.test", "c.test", "d.test", "e.test"}) add_zone(name);
  ZoneQuery query;
  query.paging = {2, 2};
  EXPECT_EQ(listed(query), (Names{"c.test", "d.test"}));
  query.paging = {3, 2};
  EXPECT_EQ(listed(query), (Names{"e.test"}));
  query.paging = {4, 2};
  EXPECT_EQ(listed(query), Names{});
  EXPECT_EQ(total_, 5U);
  query.paging = {~std::uint64_t{0}, ~std::uint64_t{0}};
  EXPECT_EQ(listed(query), Names{});
}

TEST_F(ZoneDirectoryTest, CombinesFilters) {
  add_with("shop.test", model::ZoneStatus::kActive);
  add_with("shop.example", model::ZoneStatus::kPending);
  add_with("mail.test", model::ZoneStatus::kActive);
  ZoneQuery query;
  query.name = {TextMatch::kStartsWith, "SHOP"};
  query.status = model::ZoneStatus::kActive;
  EXPECT_EQ(listed(query), (Names{"shop.test"}));
  query.match_any = true;
  EXPECT_EQ(listed(query), (Names{"shop.test", "shop.example", "mail.test"}));
  query.name = {TextMatch::kEndsWith, ".example"};
  query.match_any = false;
  EXPECT_EQ(listed(query), Names{});
  query.status.reset();
  EXPECT_EQ(listed(query), (Names{"shop.example"}));
  query.name = {TextMatch::kNot, "shop.test"};
  EXPECT_EQ(listed(query), (Names{"shop.example", "mail.test"}));
}

// Against all names one by one, while zones come and go and their places are used again.
TEST(ZoneDirectory, FindsWhatNamesContain) {
  ZoneDirectory directory;
  directory.finish();
  std::map<std::int64_t, std::string> names;
  std::uint32_t state = 1;
  const auto next = [&state](std::uint32_t below) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
  };
  for (int round = 0; round < 3000; ++round) {
    const std::int64_t row = 1 + next(200);
    if (names.contains(row)) {
      directory.erase(row);
      names.erase(row);
    } else {
      std::string name(1 + next(300), 'a');
      for (char& c : name) c = static_cast<char>('a' + next(2));
      const bool is_active = next(2) == 0;
      name += std::to_string(row) + (is_active ? "+" : "-");
      directory.put({row,
                     name,
                     is_active ? model::ZoneStatus::kActive : model::ZoneStatus::kPending,
                     {},
                     {}});
      names[row] = name;
    }
    ZoneQuery query;
    query.paging.per_page = 1000;
    std::string wanted(1 + next(8), 'a');
    for (char& c : wanted) c = static_cast<char>('a' + next(2));
    query.name = {TextMatch::kContains, wanted};
    if (next(2) == 0) query.status = model::ZoneStatus::kActive;
    query.match_any = next(2) == 0;
    std::vector<std::int64_t> expected;
    for (const auto& [each, name] : names) {
      const bool is_named = name.find(wanted) != std::string::npos;
      const bool is_status = query.status ? name.ends_with('+') : !query.match_any;
      if (query.match_any ? is_named || is_status : is_named && is_status) expected.push_back(each);
    }
    const auto found = directory.find(query, nullptr);
    ASSERT_EQ(found.items, expected) << round;
    ASSERT_EQ(found.total, expected.size());
  }
}

TEST_F(ZoneDirectoryTest, KeepsToTheZonesAndTheAccountGiven) {
  const Zone first = add_zone("a.test");
  add_zone("b.test");
  ZoneQuery query;
  query.ids = std::vector<model::Id>{first.id, next_id(), first.id};
  EXPECT_EQ(listed(query), (Names{"a.test"}));
  EXPECT_EQ(total_, 1U);
  query.ids = std::vector<model::Id>{};
  EXPECT_EQ(listed(query), Names{});
  query.ids.reset();
  query.account = store_->zone_by_id(first.id)->account;
  EXPECT_EQ(listed(query), (Names{"a.test", "b.test"}));
  query.account = next_id();
  EXPECT_EQ(listed(query), Names{});
}

TEST_F(ZoneDirectoryTest, FollowsWhatIsCommittedAndNothingElse) {
  const Zone gone = add_zone("gone.test");
  Zone kept = add_zone("kept.test");
  EXPECT_EQ(listed({}).size(), 2U);
  {
    Transaction undone(*store_, Transaction::Kind::kWrite);
    add_zone("never.test");
    store_->delete_zone(kept);
  }
  EXPECT_EQ(listed({}), (Names{"gone.test", "kept.test"}));
  {
    Transaction change(*store_, Transaction::Kind::kWrite);
    store_->delete_zone(gone);
    add_zone("new.test");
    kept.status = model::ZoneStatus::kMoved;
    store_->update_zone(kept);
    change.commit();
  }
  EXPECT_EQ(listed({}), (Names{"kept.test", "new.test"}));
  ZoneQuery query;
  query.order = ZoneQuery::Order::kName;
  EXPECT_EQ(listed(query), (Names{"kept.test", "new.test"}));
  query.status = model::ZoneStatus::kMoved;
  EXPECT_EQ(listed(query), (Names{"kept.test"}));
}

TEST_F(ZoneDirectoryTest, ZonesThatComeAndGoLeaveNothingBehind) {
  for (int i = 0; i < 300; ++i) {
    const Zone zone = add_zone("zone-" + std::to_string(i) + ".test");
    if (i % 3 != 0) store_->delete_zone(zone);
    if (i % 50 == 0) listed({});
  }
  auto again = open();
  ZoneQuery query;
  query.order = ZoneQuery::Order::kName;
  query.paging.per_page = 1000;
  EXPECT_EQ(listed(query), listed(query, again.get()));
  EXPECT_EQ(total_, 100U);
}

TEST_F(ZoneDirectoryTest, AReaderSeesWhatOthersWrite) {
  add_zone("a.test");
  auto reader = open(Access::kReadOnly);
  EXPECT_EQ(listed({}, reader.get()), (Names{"a.test"}));
  EXPECT_EQ(reader->record_count(), 0U);
  const Zone zone = add_zone("b.test");
  add(zone, "www", "A", "203.0.113.10");
  EXPECT_EQ(listed({}, reader.get()), (Names{"a.test", "b.test"}));
  EXPECT_EQ(reader->record_count(), 1U);
}

TEST_F(ZoneDirectoryTest, RecordsAreCountedOverCommitsAndRollbacks) {
  const Zone zone = add_zone("a.test"), other = add_zone("b.test");
  EXPECT_EQ(store_->record_count(), 0U);
  const Record first = add(zone, "www", "A", "203.0.113.10");
  add(zone, "mail", "A", "203.0.113.10");
  add(other, "www", "A", "203.0.113.10");
  EXPECT_EQ(store_->record_count(), 3U);
  {
    Transaction undone(*store_, Transaction::Kind::kWrite);
    store_->delete_zone(zone);
  }
  EXPECT_EQ(store_->record_count(), 3U);
  store_->delete_record(first);
  store_->delete_record(first);
  EXPECT_EQ(store_->record_count(), 2U);
  store_->delete_zone(zone);
  EXPECT_EQ(store_->record_count(), 1U);
}

TEST(ZoneDirectory, GivesRoomOfNamesBack) {
  ZoneDirectory directory;
  directory.finish();
  const std::string name(250, 'n');
  for (std::int64_t row = 1; row < 20'000; ++row) {
    directory.put({row, name + std::to_string(row), {}, {}, {}});
    if (row > 10) directory.erase(row - 10);
  }
  EXPECT_EQ(directory.size(), 10U);
  ZoneQuery query;
  query.name = {TextMatch::kEndsWith, "n19999"};
  EXPECT_EQ(directory.find(query, nullptr).items, (std::vector<std::int64_t>{19'999}));
}

}  // namespace
}  // namespace brink::ctl::store
