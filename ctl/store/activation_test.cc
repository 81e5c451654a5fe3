#include "ctl/store/activation.h"

#include "ctl/store/history.h"
#include "ctl/store/store_fixture.h"

namespace brink::ctl::store {
namespace {

constexpr std::chrono::seconds kFirst{60};
constexpr std::int64_t kMade = 1'767'225'600'000'042;  // the fixture's zones

model::Timestamp after_s(std::int64_t s) {
  return {kMade + s * 1'000'000};
}

class ActivationTest : public StoreTest {
 protected:
  std::size_t due(model::Timestamp now) { return activations_.due(now, kFirst, 100).size(); }
  void set_status(Zone zone, model::ZoneStatus status) {
    zone.status = status;
    store_->update_zone(zone);
  }
  Activations activations_{*store_};
};

TEST_F(ActivationTest, FirstCheckComesAMinuteAfterTheZone) {
  const Zone zone = add_zone("example.com");
  EXPECT_EQ(due(after_s(59)), 0U);
  ASSERT_EQ(due(after_s(60)), 1U);
  Activation checked = activations_.due(after_s(60), kFirst, 1)[0];
  EXPECT_EQ(checked.zone, zone.id);
  checked.checked_on = after_s(60);
  checked.next_on = after_s(180);
  checked.checks = 1;
  checked.result = "not delegated";
  activations_.update(checked);
  EXPECT_EQ(due(after_s(179)), 0U);
  EXPECT_EQ(due(after_s(180)), 1U);
  EXPECT_EQ(activations_.find(zone.id)->result, "not delegated");
}

TEST_F(ActivationTest, LongestWaitingZonesComeFirst) {
  const Zone first = add_zone("example.com"), second = add_zone("example.net");
  Activation later = *activations_.find(first.id);
  later.checked_on = after_s(60);
  later.next_on = after_s(70);
  activations_.update(later);
  const auto list = activations_.due(after_s(100), kFirst, 1);
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].zone, second.id);
}

TEST_F(ActivationTest, VouchedForZonesAreNotDueWhileActive) {
  const Zone zone = add_zone("example.com");
  Activation forced = *activations_.find(zone.id);
  forced.forced = true;
  activations_.update(forced);
  EXPECT_EQ(due(after_s(100)), 1U);
  set_status(zone, model::ZoneStatus::kActive);
  EXPECT_EQ(due(after_s(100)), 0U);
}

TEST_F(ActivationTest, StaysAsLongAsTheZoneMayComeBack) {
  const Zone zone = add_zone("example.com");
  Activation forced = *activations_.find(zone.id);
  forced.forced = true;
  activations_.update(forced);
  const std::uint64_t then = store_->version();
  store_->delete_zone(zone);
  activations_.sweep();
  EXPECT_EQ(due(after_s(100)), 0U);
  ASSERT_TRUE(History(*store_).roll_back(then, std::nullopt).ok());
  EXPECT_TRUE(activations_.find(zone.id)->forced);
  store_->delete_zone(zone);
  History(*store_).prune({.versions_max = 0}, now_, store_->version());
  add_zone("example.net");
  while (History(*store_).sweep(100)) {
  }
  activations_.sweep();
  EXPECT_FALSE(activations_.find(zone.id).has_value());
}

}  // namespace
}  // namespace brink::ctl::store
