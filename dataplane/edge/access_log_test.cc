#include "dataplane/edge/access_log.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "l7/log/entry.h"

namespace brink::edge {
namespace {

class AccessLogTest : public ::testing::Test {
 protected:
  AccessLogTest() {
    folder_ = std::filesystem::temp_directory_path() /
              ("brink-access-" + std::to_string(::getpid()) + "-" +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
    config_.path = folder_ / "access.log";
    config_.workers = 2;
    config_.ring_bytes = 64 * 1024;
  }
  ~AccessLogTest() override { std::filesystem::remove_all(folder_); }

  static bool put(l7::log::Ring& ring, std::string_view target) {
    l7::log::Notes notes;
    notes.put(l7::log::Text::target, target);
    const auto room = ring.reserve(l7::log::packed_size(notes));
    if (room.empty()) return false;
    l7::log::pack({}, notes, room);
    ring.commit();
    return true;
  }
  static std::size_t lines_in(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::size_t count = 0;
    for (std::string line; std::getline(file, line);) ++count;
    return count;
  }
  static bool eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 1000; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return holds();
  }

  std::filesystem::path folder_;
  AccessLogConfig config_;
};

TEST_F(AccessLogTest, WritesTheLinesOfEveryWorkerAndTheRestAtItsEnd) {
  auto log = AccessLog::start(config_);
  ASSERT_TRUE(log.ok());
  EXPECT_TRUE(put(log.value()->ring(0), "/a"));
  EXPECT_TRUE(put(log.value()->ring(1), "/b"));
  EXPECT_TRUE(eventually([&] { return log.value()->written() == 2; }));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(put(log.value()->ring(0), "/last"));
  log.value().reset();
  EXPECT_EQ(lines_in(config_.path), 102U);
}

TEST_F(AccessLogTest, BeginsAFileAnewWhenItWasMovedAway) {
  auto log = AccessLog::start(config_);
  ASSERT_TRUE(log.ok());
  put(log.value()->ring(0), "/before");
  ASSERT_TRUE(eventually([&] { return log.value()->written() == 1; }));
  std::filesystem::rename(config_.path, folder_ / "access.log.1");
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(config_.path); }));
  put(log.value()->ring(0), "/after");
  log.value().reset();
  EXPECT_EQ(lines_in(folder_ / "access.log.1"), 1U);
  EXPECT_EQ(lines_in(config_.path), 1U);
}

TEST_F(AccessLogTest, CountsWhatTheDiskRefuses) {
  config_.path = "/dev/full";
  auto log = AccessLog::start(config_);
  ASSERT_TRUE(log.ok());
  put(log.value()->ring(0), "/");
  EXPECT_TRUE(eventually([&] { return log.value()->lost() == 1; }));
  EXPECT_EQ(log.value()->written(), 0U);
}

TEST_F(AccessLogTest, APathThatCannotBeIsAnError) {
  config_.path = folder_ / "no" / "such" / "folder";
  const auto log = AccessLog::start(config_);
  ASSERT_FALSE(log.ok());
  EXPECT_NE(log.error().message().find(config_.path), std::string::npos);
}

}  // namespace
}  // namespace brink::edge
