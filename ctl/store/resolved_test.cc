#include "ctl/store/resolved.h"

#include "ctl/store/history.h"
#include "ctl/store/store_fixture.h"

namespace brink::ctl::store {
namespace {

class ResolvedTest : public StoreTest {
 protected:
  static ResolvedName resolved(const std::string& name, std::vector<std::string> addresses,
                               std::uint32_t ttl_s = 60) {
    ResolvedName made{DomainName::parse(name).value(), {}, ttl_s};
    for (const auto& text : addresses) made.addresses.push_back(*base::IpAddress::parse(text));
    return made;
  }
  static DomainName name(const std::string& text) { return DomainName::parse(text).value(); }
};

TEST_F(ResolvedTest, KeepsAddressesUnderAVersionOfTheirOwn) {
  ResolvedNames names(*store_);
  const std::uint64_t before = store_->version();
  const auto shop = resolved("shop.example.net", {"203.0.113.9", "2001:db8::9"});
  EXPECT_EQ(names.put({shop, resolved("b.example.net", {"203.0.113.7"})}), 2U);
  EXPECT_EQ(store_->version(), before + 1);
  EXPECT_EQ(names.find(shop.name), shop);
  EXPECT_FALSE(names.find(name("c.example.net")).has_value());
  EXPECT_EQ(names.all().size(), 2U);
}

TEST_F(ResolvedTest, TakesNoVersionWhenOnlyTheTtlDiffers) {
  ResolvedNames names(*store_);
  names.put({resolved("shop.example.net", {"203.0.113.9"}, 60)});
  const std::uint64_t before = store_->version();
  EXPECT_EQ(names.put({resolved("shop.example.net", {"203.0.113.9"}, 30),
                       resolved("none.example.net", {})}),
            0U);
  EXPECT_EQ(store_->version(), before);
  EXPECT_EQ(names.find(name("shop.example.net"))->ttl_s, 60U);
}

TEST_F(ResolvedTest, IsPartOfWhatVersionsChanged) {
  ResolvedNames names(*store_);
  History history(*store_);
  const std::uint64_t start = store_->take_version();
  names.put({resolved("shop.example.net", {"203.0.113.9"})});
  const std::uint64_t first = store_->version();
  names.put({resolved("shop.example.net", {}), resolved("b.example.net", {"203.0.113.7"})});
  const std::uint64_t second = store_->version();
  EXPECT_EQ(history.changes_between(start, first)->resolved, std::vector{name("shop.example.net")});
  EXPECT_EQ(history.changes_between(start, second)->resolved.size(), 2U);
  EXPECT_TRUE(history.changes_between(second, second)->resolved.empty());
  EXPECT_EQ(history.list(1)[0].resolved, 2U);
  EXPECT_TRUE(history.token(second).has_value());
}

TEST_F(ResolvedTest, NoRollBackTouchesIt) {
  ResolvedNames names(*store_);
  const Zone zone = add_zone("example.com");
  const std::uint64_t then = store_->version();
  const auto shop = resolved("shop.example.net", {"203.0.113.9"});
  names.put({shop});
  add(zone, "www", "CNAME", "shop.example.net");
  ASSERT_TRUE(History(*store_).roll_back(then, std::nullopt).ok());
  EXPECT_EQ(names.find(shop.name), shop);
}

TEST_F(ResolvedTest, ForgetsWhatNoRecordPointsAt) {
  ResolvedNames names(*store_);
  const Zone zone = add_zone("example.com");
  add(zone, "www", "CNAME", "shop.example.net");
  names.put(
      {resolved("shop.example.net", {"203.0.113.9"}), resolved("b.example.net", {"203.0.113.7"})});
  const std::uint64_t before = store_->version();
  names.forget_unused({name("shop.example.net"), name("b.example.net")});
  EXPECT_TRUE(names.find(name("shop.example.net")).has_value());
  EXPECT_FALSE(names.find(name("b.example.net")).has_value());
  EXPECT_EQ(store_->version(), before);
}

TEST_F(ResolvedTest, SweepsWhatForgottenVersionsResolved) {
  ResolvedNames names(*store_);
  History history(*store_);
  for (int i = 1; i < 20; ++i) {
    names.put({resolved("shop.example.net", {"203.0.113." + std::to_string(i)})});
  }
  history.prune({.versions_max = 3}, now_, store_->version());
  while (history.sweep(2)) {
  }
  auto database = Database::open(path_, Access::kReadOnly);
  auto count = database.value()->prepare("SELECT count(*) FROM resolved_log");
  ASSERT_TRUE(count->step());
  EXPECT_EQ(count->integer(0), 3);
}

}  // namespace
}  // namespace brink::ctl::store
