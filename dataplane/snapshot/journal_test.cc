#include "dataplane/snapshot/journal.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "dataplane/snapshot/snapshot_fixture.h"

namespace brink::snapshot {
namespace {

class JournalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/brink-journal-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    dir_ = name;
    options_.path = dir_ + "/image";
    options_.policy = SyncPolicy::kNever;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  // From version `from` to the next, with `names` names.
  static Bytes transaction(std::uint64_t from, int names) {
    TransactionEncoder encoder;
    EXPECT_TRUE(encoder.put_zone(wire_name("b"), {1, soa()}).ok());
    EXPECT_TRUE(encoder.put_name(wire_name("b"), {}).ok());
    for (int i = 0; i < names; ++i) {
      EXPECT_TRUE(encoder.put_name(wire_name("n" + std::to_string(i) + ".b"), {}).ok());
    }
    return encoder.finish(from, from + 1, 0);
  }
  std::string log() const { return options_.path + ".log"; }
  void write_log(const Bytes& bytes) const {
    std::ofstream(log(), std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
  // As an edge starts.
  DiskState restart() const {
    auto state = load_disk(options_.path, {});
    EXPECT_TRUE(state.ok());
    EXPECT_TRUE(Journal::open(options_, state.value().logs).ok());
    return std::move(state).value();
  }

  std::string dir_;
  JournalOptions options_;
};

TEST_F(JournalTest, ALogThatWasCutAnywhereInItsLastTransactionLosesThatAlone) {
  const Bytes first = transaction(0, 3), last = transaction(1, 5);
  Bytes whole = first;
  whole.insert(whole.end(), last.begin(), last.end());
  for (std::size_t size = first.size() + 1; size < whole.size(); ++size) {
    write_log(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    const DiskState state = restart();
    ASSERT_EQ(state.image.state().version, 1U) << size;
    ASSERT_EQ(state.faults.size(), 1U) << size;
    ASSERT_EQ(state.faults[0], log() + " at byte " + std::to_string(first.size()) + " of " +
                                   std::to_string(size) + ": an unfinished transaction is cut off");
    ASSERT_EQ(std::filesystem::file_size(log()), first.size()) << "for the next to follow";
    ASSERT_TRUE(restart().faults.empty()) << size;
  }
}

TEST_F(JournalTest, AFlippedBitIsToldWithItsPlaceAndWhatIsInFrontOfItStays) {
  const Bytes first = transaction(0, 2), last = transaction(1, 2);
  Bytes whole = first;
  whole.insert(whole.end(), last.begin(), last.end());
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    Bytes damaged = whole;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1U << bit % 8));
    write_log(damaged);
    const bool in_first = bit / 8 < first.size();
    const DiskState state = restart();
    ASSERT_EQ(state.image.state().version, in_first ? 0U : 1U) << bit;
    ASSERT_EQ(state.faults.size(), 1U) << bit;
    const std::string where = log() + " at byte " + std::to_string(in_first ? 0 : first.size());
    ASSERT_EQ(state.faults[0].rfind(where + " of ", 0), 0U) << state.faults[0];
    ASSERT_EQ(std::filesystem::file_size(log()), in_first ? 0 : first.size()) << bit;
  }
}

TEST_F(JournalTest, WhatIsBehindTheBytesToReadIsNoPartOfTheLog) {
  const Bytes first = transaction(0, 2);
  Bytes more = first;
  more.push_back(1);
  write_log(more);
  const auto state = load_disk(options_.path, {}, first.size());
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state.value().replayed, 1U);
  EXPECT_TRUE(state.value().faults.empty());
}

}  // namespace
}  // namespace brink::snapshot
