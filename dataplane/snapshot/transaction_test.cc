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
  // Keys are no names, and are announced as none.
  base::Result<void> put_value(Key, std::span<const std::uint8_t>) override { return came({}); }
  base::Result<void> drop_value(Key) override { return came({}); }
  base::Result<void> clear_values(Key) override { return came({}); }
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

// Every kind of operation, 500 of them.
Bytes all_kinds() {
  TransactionEncoder encoder;
  const Bytes salt = {1, 2, 3};
  for (int i = 0; i < 50; ++i) {
    const Bytes name = wire_name("n" + std::to_string(i) + ".b");
    EXPECT_TRUE(
        encoder.put_zone(name, {1, soa(), soa(), {DenialKind::kNsec3, 1, salt}}).ok() &&
        encoder
            .put_name(name, {std::vector{a(1), Rrset{16, blob(16, Bytes(40)), blob(16, Bytes(90))}},
                             soa()})
            .ok() &&
        encoder.use_zone(name).ok() && encoder.drop_name(name).ok() &&
        encoder.put_denial(name, denial_blob_of(name, name, Bytes(9))).ok() &&
        encoder.drop_denial(name).ok() && encoder.put_value(name, Bytes(16)).ok() &&
        encoder.drop_value(name).ok() && encoder.clear_values(name).ok() && encoder.drop_zone(name).ok());
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
    EXPECT_EQ(listener.count(), 500);
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
  EXPECT_EQ(listener.count(), 499);
  EXPECT_EQ(decoder.applied(), 499U);
}

TEST(TransactionDecoder, GivesBackWhatWasEncoded) {
  const Bytes apex = wire_name("b"), owner = wire_name("a.b"), salt = {7, 8};
  const Bytes negative = soa(), with_signatures = blob(6, Bytes(90));
  const Bytes record = denial_blob_of(owner, apex, Bytes(9));
  class Sink : public Listener {
   public:
    base::Result<void> put_zone(Name apex, const ZoneContents& contents) override {
      negative.assign(contents.negative.begin(), contents.negative.end());
      signed_negative.assign(contents.signed_negative.begin(), contents.signed_negative.end());
      denial = contents.denial;
      salt.assign(denial.salt.begin(), denial.salt.end());
      return Listener::put_zone(apex, contents);
    }
    base::Result<void> put_name(Name name, const NameContents& contents) override {
      rrsets.assign(contents.rrsets.begin(), contents.rrsets.end());
      return Listener::put_name(name, contents);
    }
    base::Result<void> put_denial(Name owner, std::span<const std::uint8_t> blob) override {
      record.assign(blob.begin(), blob.end());
      return Listener::put_denial(owner, blob);
    }
    base::Result<void> put_value(Key put, std::span<const std::uint8_t> content) override {
      key.assign(put.begin(), put.end());
      value.assign(content.begin(), content.end());
      return Listener::put_value(put, content);
    }
    base::Result<void> drop_value(Key drop) override {
      dropped.assign(drop.begin(), drop.end());
      return Listener::drop_value(drop);
    }
    base::Result<void> clear_values(Key prefix) override {
      cleared.assign(prefix.begin(), prefix.end());
      return Listener::clear_values(prefix);
    }
    Bytes negative, signed_negative, salt, record, key, value, dropped, cleared;
    Denial denial;
    std::vector<Rrset> rrsets;
  } sink;
  TransactionEncoder encoder;
  const std::vector<Rrset> sets = {{1, blob(1, {1}), blob(1, {2})}, {16, blob(16, {3})}};
  ASSERT_TRUE(
      encoder.put_zone(apex, {1, negative, with_signatures, {DenialKind::kNsec3, 5, salt}}).ok());
  ASSERT_TRUE(encoder.put_name(apex, {sets, {}}).ok());
  ASSERT_TRUE(encoder.put_denial(owner, record).ok());
  ASSERT_TRUE(encoder.put_value(Bytes(255, 9), Bytes(70000, 8)).ok());
  ASSERT_TRUE(encoder.drop_value(Bytes{1, 0}).ok());
  ASSERT_TRUE(encoder.clear_values(Bytes{5}).ok());
  const Bytes bytes = encoder.finish(1, 2, 3);
  TransactionDecoder decoder(bytes);
  ASSERT_TRUE(decoder.apply(sink, 1000).ok());
  EXPECT_EQ(sink.negative, negative);
  EXPECT_EQ(sink.signed_negative, with_signatures);
  EXPECT_EQ(sink.denial.kind, DenialKind::kNsec3);
  EXPECT_EQ(sink.denial.iterations, 5);
  EXPECT_EQ(sink.salt, salt);
  EXPECT_EQ(sink.record, record);
  EXPECT_EQ(sink.key, Bytes(255, 9));
  EXPECT_EQ(sink.value, Bytes(70000, 8));
  EXPECT_EQ(sink.dropped, (Bytes{1, 0}));
  EXPECT_EQ(sink.cleared, Bytes{5});
  ASSERT_EQ(sink.rrsets.size(), 2U);
  EXPECT_EQ(sink.rrsets[0].signed_blob, sets[0].signed_blob);
  EXPECT_TRUE(sink.rrsets[1].signed_blob.empty());
}

TEST(TransactionDecoder, AnUnknownKindOfDenialIsRefused) {
  TransactionEncoder encoder;
  ASSERT_TRUE(
      encoder.put_zone(wire_name("b"), {1, soa(), {}, {static_cast<DenialKind>(3), 0, {}}}).ok());
  const Bytes bytes = encoder.finish(1, 2, 3);
  TransactionDecoder decoder(bytes);
  Listener listener;
  EXPECT_FALSE(decoder.apply(listener, 1).ok());
}

}  // namespace
}  // namespace brink::snapshot
