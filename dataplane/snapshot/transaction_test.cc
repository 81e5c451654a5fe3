#include "dataplane/snapshot/transaction.h"

#include <gtest/gtest.h>

#include <deque>

#include "dataplane/snapshot/snapshot_fixture.h"

namespace brink::snapshot {
namespace {

// Notes which names were announced and which then came.
class Listener : public ChangeSink {
 public:
  base::Result<void> put_zone(Name apex, const ZoneContents&) override {
    return came(apex);
  }
  base::Result<void> use_zone(Name apex) override { return came(apex); }
  base::Result<void> drop_zone(Name apex) override { return came(apex); }
  base::Result<void> put_name(Name name, const NameContents&) override { return came(name); }
  base::Result<void> drop_name(Name name) override { return came(name); }
  base::Result<void> put_denial(Name owner, std::span<const std::uint8_t>) override {
    return came(owner);
  }
  base::Result<void> drop_denial(Name owner) override { return came(owner); }
  void expect(std::span<const Name> names) override {
    EXPECT_TRUE(expected_.empty()) << "announced before the last ones have come";
    EXPECT_LE(names.size(), kExpectedMax);
    for (const Name name : names) expected_.emplace_back(name.begin(), name.end());
  }
  [[nodiscard]] int count() const { return count_; }
  [[nodiscard]] bool waits() const { return !expected_.empty(); }

 private:
  base::Result<void> came(Name name) {
    ++count_;
    EXPECT_FALSE(expected_.empty());
    if (expected_.empty()) return {};
    EXPECT_EQ(expected_.front(), Bytes(name.begin(), name.end()));
    expected_.pop_front();
    return {};
  }
  std::deque<Bytes> expected_;
  int count_ = 0;
};

// Every kind of operation, 250 of them.
Bytes all_kinds() {
  TransactionEncoder encoder;
  for (int i = 0; i < 50; ++i) {
    const Bytes name = wire_name("n" + std::to_string(i) + ".b");
    EXPECT_TRUE(
        encoder.put_zone(name, {1, soa()}).ok() &&
        encoder.put_name(name, {std::vector{a(1), Rrset{16, blob(16, Bytes(40))}}, soa()}).ok() &&
        encoder.use_zone(name).ok() && encoder.drop_name(name).ok() &&
        encoder.drop_zone(name).ok());
  }
  return encoder.finish(1, 2, 3);
}

TEST(TransactionDecoder, AnnouncesEveryNameBeforeItComesHoweverItIsCut) {
  const Bytes bytes = all_kinds();
  for (const std::uint32_t at_once : {1U, 7U, 16U, 1000U}) {
    TransactionDecoder decoder(bytes);
    Listener listener;
    for (bool more = true; more;) {
      const auto applied = decoder.apply(listener, at_once);
      ASSERT_TRUE(applied.ok()) << applied.error().message();
      more = applied.value();
    }
    EXPECT_EQ(listener.count(), 250);
    EXPECT_FALSE(listener.waits());
  }
}

TEST(TransactionDecoder, WhatDoesNotDecodeIsRefusedInItsTurnOnly) {
  Bytes bytes = all_kinds();
  bytes.resize(bytes.size() - 3);  // the last operation is cut short
  const std::uint64_t size = bytes.size();
  std::memcpy(bytes.data() + offsetof(TransactionHeader, total_size_bytes), &size, sizeof size);
  TransactionDecoder decoder(bytes);
  Listener listener;
  EXPECT_FALSE(decoder.apply(listener, 1000).ok());
  EXPECT_EQ(listener.count(), 249);
  EXPECT_EQ(decoder.applied(), 249U);
}

}  // namespace
}  // namespace brink::snapshot
