#include "ctl/daemon/history_keeper.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <future>

namespace brink::ctl::daemon {
namespace {

using namespace std::chrono_literals;

class HistoryKeeperTest : public ::testing::Test {
 protected:
  HistoryKeeperTest() {
    char pattern[] = "/tmp/brink_keeper_XXXXXX";
    folder_ = ::mkdtemp(pattern);
    store_ = std::move(store::Store::open(folder_ + "/c.db", store::Access::kReadWrite)).value();
    // Versions 1 to 8.
    model::Zone zone;
    zone.name = model::DomainName::parse("a.test").value();
    store_->insert_zone(zone);
    for (int i = 1; i < 8; ++i) {
      ++zone.serial;
      store_->update_zone(zone);
    }
  }
  ~HistoryKeeperTest() override {
    stop();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::uint64_t audit_entries_max_ = 1'000'000;

  void start(store::PruneLimits limits) {
    HistoryKeeper::Options options;
    options.limits = limits;
    options.interval = 1ms;
    options.rows_max = 1;
    options.audit_entries_max = audit_entries_max_;
    keeper_ = std::make_unique<HistoryKeeper>(
        options, *store_, queue_,
        [this]() -> std::optional<std::uint64_t> {
          ++looks_;
          const std::uint64_t served = served_;
          return served == 0 ? std::nullopt : std::optional(served);
        },
        model::system_wall_clock());
  }
  void stop() {
    if (keeper_) keeper_->stop();
    queue_.stop();
  }
  // Waits until the keeper has looked that often since.
  void wait_for_looks(int more) {
    const int target = looks_ + more;
    while (looks_ < target) std::this_thread::sleep_for(1ms);
  }
  std::uint64_t floor() {
    std::promise<std::uint64_t> floor;
    queue_.post([&] { floor.set_value(store::History(*store_).floor()); });
    return floor.get_future().get();
  }
  void wait_for_floor(std::uint64_t version) {
    while (floor() != version) std::this_thread::sleep_for(1ms);
  }

  std::string folder_;
  std::unique_ptr<store::Store> store_;
  std::atomic<std::uint64_t> served_ = 0;
  std::atomic<int> looks_ = 0;
  std::unique_ptr<HistoryKeeper> keeper_;  // outlives the queue's jobs
  api::WorkQueue queue_;
};

TEST_F(HistoryKeeperTest, KeepsTheAuditLogWithinItsLimits) {
  store::AuditLog log(*store_);
  for (std::uint8_t i = 1; i <= 5; ++i) {
    store::AuditEntry entry;
    entry.id.bytes[0] = i;
    entry.created_on = model::system_wall_clock()();
    log.append(entry);
  }
  audit_entries_max_ = 2;
  start({});
  wait_for_looks(10);
  stop();
  const auto left = log.list({});
  ASSERT_EQ(left.total, 2U);
  EXPECT_EQ(left.items[1].id.bytes[0], 4) << "the newest stay";
}

TEST_F(HistoryKeeperTest, ForgetsWhatIsPastTheLimit) {
  served_ = 8;
  start({.versions_max = 3});
  wait_for_floor(5);
  wait_for_looks(20);
  stop();
  EXPECT_EQ(store::History(*store_).list(100).size(), 3U);
  EXPECT_FALSE(store::History(*store_).sweep(1)) << "everything that was left is gone";
}

TEST_F(HistoryKeeperTest, WaitsForTheEdge) {
  start({.versions_max = 1});
  wait_for_looks(3);
  EXPECT_EQ(floor(), 0U) << "who knows what the edge serves?";
  served_ = 4;
  wait_for_floor(4);
  wait_for_looks(3);
  EXPECT_EQ(floor(), 4U);
  served_ = 8;
  wait_for_floor(7);
}

}  // namespace
}  // namespace brink::ctl::daemon
