#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "l7/log/access_line.h"
#include "l7/log/entry.h"
#include "l7/log/ring.h"

namespace brink::l7::log {
namespace {

class RingTest : public ::testing::Test {
 protected:
  explicit RingTest(std::size_t size = 256)
      : memory_(size / sizeof(std::uint64_t)), ring_(std::as_writable_bytes(std::span(memory_))) {}

  bool put(const std::string& text) {
    const std::span<std::byte> room = ring_.reserve(text.size());
    if (room.empty()) return false;
    std::memcpy(room.data(), text.data(), text.size());
    ring_.commit();
    return true;
  }
  std::string take() {
    const std::span<const std::byte> front = ring_.front();
    if (front.empty()) return "(none)";
    std::string text(reinterpret_cast<const char*>(front.data()), front.size());
    ring_.pop();
    return text;
  }

  std::vector<std::uint64_t> memory_;
  Ring ring_;
};

TEST_F(RingTest, GivesBackWhatWasPutInOrder) {
  EXPECT_EQ(take(), "(none)");
  EXPECT_TRUE(put("one"));
  EXPECT_TRUE(put("another"));
  EXPECT_EQ(take(), "one");
  EXPECT_EQ(take(), "another");
  EXPECT_EQ(take(), "(none)");
}

TEST_F(RingTest, DropsWhatFindsNoRoomAndTakesAgainWhenThereIs) {
  const std::string text(100, 'x');
  EXPECT_TRUE(put(text));
  EXPECT_TRUE(put(text));
  EXPECT_FALSE(put(text));
  EXPECT_FALSE(put(std::string(300, 'y')));
  EXPECT_TRUE(put("short"));
  EXPECT_EQ(take(), text);
  EXPECT_TRUE(put(text));
  EXPECT_EQ(take(), text);
  EXPECT_EQ(take(), "short");
  EXPECT_EQ(take(), text);
}

TEST_F(RingTest, WhatIsReservedButNotCommittedWasNeverThere) {
  EXPECT_FALSE(ring_.reserve(10).empty());
  EXPECT_EQ(take(), "(none)");
  EXPECT_TRUE(put("after"));
  EXPECT_EQ(take(), "after");
}

TEST_F(RingTest, KeepsItsOrderAcrossAnyNumberOfTurns) {
  std::minstd_rand random(7);
  std::vector<std::string> expected;
  std::size_t taken = 0;
  for (int step = 0; step < 20'000; ++step) {
    const std::string text = std::to_string(step) + std::string(random() % 90, 'z');
    if (random() % 2 == 0) {
      if (put(text)) expected.push_back(text);
    } else if (taken < expected.size()) {
      ASSERT_EQ(take(), expected[taken++]);
    }
  }
  while (taken < expected.size()) ASSERT_EQ(take(), expected[taken++]);
  EXPECT_EQ(take(), "(none)");
  EXPECT_GT(expected.size(), 5000U);
}

TEST_F(RingTest, TwoThreadsSeeEveryEntryOnce) {
  constexpr std::uint32_t kEntries = 200'000;
  std::atomic<bool> wrong{false};
  std::thread reader([&] {
    for (std::uint32_t next = 0; next < kEntries && !wrong;) {
      const std::span<const std::byte> front = ring_.front();
      if (front.empty()) {
        std::this_thread::yield();
        continue;
      }
      std::uint32_t number;
      std::memcpy(&number, front.data(), sizeof number);
      wrong = number != next++ || front.size() != sizeof number + number % 40;
      ring_.pop();
    }
  });
  for (std::uint32_t i = 0; i < kEntries && !wrong;) {
    const std::span<std::byte> room = ring_.reserve(sizeof i + i % 40);
    if (room.empty()) {
      std::this_thread::yield();
      continue;
    }
    std::memcpy(room.data(), &i, sizeof i);
    ring_.commit();
    ++i;
  }
  reader.join();
  EXPECT_FALSE(wrong);
}

Entry sample() {
  Entry entry;
  entry.unix_ns = 1'700'000'000'123'456'000;
  entry.status = 200;
  entry.client = *base::IpAddress::parse("2001:db8::7");
  entry.client_port = 40000;
  entry.edge_port = 80;
  entry.duration_us = 1500;
  const std::string_view ray = "0123456789abcdef-TST";
  std::copy(ray.begin(), ray.end(), entry.ray.begin());
  return entry;
}

nlohmann::json line_of(const Entry& entry, const Notes& notes) {
  std::vector<std::byte> packed(packed_size(notes));
  pack(entry, notes, packed);
  std::string line;
  append_line(line, unpack(packed), {.node = "edge-1", .colo = "TST", .worker = 3});
  EXPECT_EQ(line.back(), '\n');
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  return nlohmann::json::parse(line);
}

TEST(AccessLine, SaysWhatIsKnownAndLeavesTheRestOut) {
  Notes notes;
  notes.put(Text::method, "GET");
  notes.put(Text::host, "www.example.com");
  notes.put(Text::target, "/a?b=\"c\"");
  const nlohmann::json line = line_of(sample(), notes);
  EXPECT_EQ(line["ts"], "2023-11-14T22:13:20.123456Z");
  EXPECT_EQ(line["ray"], "0123456789abcdef-TST");
  EXPECT_EQ(line["client_ip"], "2001:db8::7");
  EXPECT_EQ(line["method"], "GET");
  EXPECT_EQ(line["target"], "/a?b=\"c\"");
  EXPECT_EQ(line["status"], 200);
  EXPECT_EQ(line["duration_ms"], 1.5);
  EXPECT_EQ(line["worker"], 3);
  for (const char* absent : {"referer", "user_agent", "origin_ip", "aborted", "text_cut"}) {
    EXPECT_FALSE(line.contains(absent)) << absent;
  }
}

TEST(AccessLine, TellsOfTheOriginWhenThereWasOne) {
  Entry entry = sample();
  entry.origin = *base::IpAddress::parse("203.0.113.1");
  entry.origin_port = 8080;
  entry.origin_status = 404;
  entry.connect_us = 250;
  entry.retries = 1;
  entry.flags = kTruncated;
  const nlohmann::json line = line_of(entry, Notes{});
  EXPECT_EQ(line["origin_ip"], "203.0.113.1");
  EXPECT_EQ(line["origin_port"], 8080);
  EXPECT_EQ(line["origin_status"], 404);
  EXPECT_EQ(line["origin_connect_ms"], 0.25);
  EXPECT_EQ(line["origin_retries"], 1);
  EXPECT_EQ(line["truncated"], true);
  EXPECT_FALSE(line.contains("origin_reused"));
}

TEST(AccessLine, LongTextsAreCutAndOctetsThatAreNoTextReplaced) {
  Notes notes;
  notes.put(Text::target, "/" + std::string(5000, 'a'));
  notes.put(Text::user_agent, "bad \xff\xfe octets\r\n{\"forged\":1}");
  const nlohmann::json line = line_of(sample(), notes);
  EXPECT_EQ(line["target"].get<std::string>().size(), 768U);
  EXPECT_EQ(line["text_cut"], true);
  EXPECT_EQ(line["user_agent"], "bad \xef\xbf\xbd\xef\xbf\xbd octets\r\n{\"forged\":1}");
}

}  // namespace
}  // namespace brink::l7::log
