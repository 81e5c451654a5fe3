#include "ctl/store/checkpointer.h"

#include <chrono>

#include "ctl/store/store_fixture.h"

namespace brink::ctl::store {
namespace {

using namespace std::chrono_literals;

class CheckpointerTest : public StoreTest {
 protected:
  // Some 6 MB.
  void write_much() {
    Transaction transaction(*store_, Transaction::Kind::kWrite);
    const std::vector<std::uint8_t> value(1 << 20, 'x');
    for (int i = 0; i < 6; ++i) store_->set_value("value " + std::to_string(i), value);
    transaction.commit();
  }
  std::uintmax_t size(const std::string& suffix = "") {
    return std::filesystem::file_size(path_ + suffix);
  }
};

TEST_F(CheckpointerTest, MovesWhatCommitsLeaveInTheLog) {
  std::string failure;
  auto started = Checkpointer::start(*store_, path_, [&](const auto& text) { failure = text; });
  ASSERT_TRUE(started.ok());
  const auto checkpointer = std::move(started).value();
  const std::uintmax_t before = size();
  write_much();
  const auto end = std::chrono::steady_clock::now() + 60s;
  while (checkpointer->pages_moved() < 1500 && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_GE(checkpointer->pages_moved(), 1500U) << failure;
  EXPECT_GE(size(), before + (6 << 20));
  // The log is started anew, as nothing in it is needed.
  const std::uintmax_t log = size("-wal");
  write_much();
  EXPECT_LT(size("-wal"), log + (1 << 20));
  EXPECT_EQ(failure, "");
}

TEST_F(CheckpointerTest, WithoutItCommitsMoveTheLogThemselves) {
  auto started = Checkpointer::start(*store_, path_, [](const auto&) {});
  ASSERT_TRUE(started.ok());
  std::move(started).value().reset();
  const std::uintmax_t before = size();
  write_much();
  EXPECT_GE(size(), before + (6 << 20));
}

// Who writes faster than the log is moved waits for it, so that the log has an end.
TEST_F(CheckpointerTest, ACommitWaitsWhenTheLogIsTooLong) {
  constexpr std::uint64_t kNever = ~std::uint64_t{0};
  const auto start = [&](std::uint64_t too_long_pages) {
    auto started = Checkpointer::start(*store_, path_, [](const auto&) {},
                                       {kNever, kNever, kNever, too_long_pages});
    CHECK(started.ok());
    return std::move(started).value();
  };
  const std::uintmax_t before = size();
  {
    const auto checkpointer = start(10'000);
    write_much();
    EXPECT_LT(size(), before + (1 << 20)) << "shorter than that nobody moves it";
  }
  const auto checkpointer = start(2000);
  write_much();
  EXPECT_GE(size(), before + (6 << 20));
  const std::uintmax_t log = size("-wal");
  for (int i = 0; i < 5; ++i) write_much();
  EXPECT_LE(size("-wal"), log) << "it is begun anew each time that it was moved";
  EXPECT_EQ(checkpointer->pages_moved(), 0U);
}

TEST_F(CheckpointerTest, WhatIsInTheLogIsThereAfterARestart) {
  {
    auto started = Checkpointer::start(*store_, path_, [](const auto&) {});
    ASSERT_TRUE(started.ok());
    const auto checkpointer = std::move(started).value();
    write_much();
  }
  store_.reset();
  store_ = open();
  EXPECT_EQ(store_->value("value 5").value_or(std::vector<std::uint8_t>()).size(), 1U << 20);
}

}  // namespace
}  // namespace brink::ctl::store
