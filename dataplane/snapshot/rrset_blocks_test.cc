#include "dataplane/snapshot/rrset_blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "dataplane/snapshot/snapshot_fixture.h"

namespace brink::snapshot {
namespace {

constexpr std::uint16_t kNs = 2;
constexpr std::uint16_t kDs = 43;
// What the NS set of `servers` and the DS set of `ds` take, whoever has them.
constexpr std::size_t kSharedBytes = 8 + 8 + 12 + 12 + 72;
constexpr std::size_t kSignedBytes = 8 + 2 * 8 + 12 + 12 + 72;

Rrset servers(std::uint8_t which) {
  return {kNs, blob(kNs, Bytes(72, which))};
}
Rrset ds(std::uint8_t which) {
  return {kDs, blob(kDs, Bytes(72, which))};
}

class RrsetBlocksTest : public ::testing::Test {
 protected:
  RrsetBlocksTest() {
    store_.change([](Writer& writer) {
      ASSERT_TRUE(writer.put_zone(wire_name("test"), {1, soa()}).ok());
      ASSERT_TRUE(writer.put_name(wire_name("test"), {std::vector{a(1)}, {}}).ok());
    });
    store_.release();
    empty_ = store_.heap_in_use();
  }

  static void delegate(Writer& writer, const std::string& name, const std::vector<Rrset>& sets) {
    ASSERT_TRUE(writer.use_zone(wire_name("test")).ok());
    ASSERT_TRUE(writer.put_name(wire_name(name), {sets, {}, true}).ok());
  }
  void delegate(const std::string& name, const std::vector<Rrset>& sets) {
    store_.change([&](Writer& writer) { delegate(writer, name, sets); });
  }
  void drop(const std::string& name) {
    store_.change([&](Writer& writer) { ASSERT_TRUE(writer.drop_name(wire_name(name)).ok()); });
  }
  // Of the heap, once nothing waits.
  std::size_t taken() {
    store_.release();
    const auto verified = store_.image().verify();
    EXPECT_TRUE(verified.ok()) << verified.error().message();
    return store_.heap_in_use() - empty_;
  }
  // As the image's memory says.
  std::uint32_t owners(const std::string& name) {
    const View view = store_.view();
    const HeapRef block = lookup(view, name).record->rrsets;
    return reinterpret_cast<const RrsetTable*>(view.heap(block))->owners;
  }
  void expect_servers(const View& view, const std::string& name, std::uint8_t which) {
    const BlobHeader* set = view.blob(*lookup(view, name).record, kNs);
    ASSERT_NE(set, nullptr) << name;
    EXPECT_EQ(blob_body(*set)[12], which) << name;
  }

  Store store_;
  std::size_t empty_ = 0;
};

TEST_F(RrsetBlocksTest, EqualServersAreStoredOnce) {
  for (const char* name : {"a.test", "b.test", "c.test"}) delegate(name, {servers(1)});
  delegate("d.test", {servers(2)});
  EXPECT_EQ(taken(), 2 * kSharedBytes);
  EXPECT_EQ(owners("a.test"), 3U);
  EXPECT_EQ(owners("d.test"), 1U);
  for (const char* name : {"a.test", "b.test", "c.test"}) expect_servers(store_.view(), name, 1);
  expect_servers(store_.view(), "d.test", 2);
}

TEST_F(RrsetBlocksTest, ADsSetDoesNotKeepItsServersFromBeingShared) {
  delegate("a.test", {ds(1), servers(1)});
  delegate("b.test", {servers(1), ds(2)});
  delegate("c.test", {servers(1)});
  EXPECT_EQ(taken(), kSharedBytes + 2 * kSignedBytes);
  EXPECT_EQ(owners("c.test"), 3U);
  const View view = store_.view();
  for (const char* name : {"a.test", "b.test", "c.test"}) expect_servers(view, name, 1);
  EXPECT_EQ(blob_body(*view.blob(*lookup(view, "b.test").record, kDs))[12], 2);
  drop("c.test");
  delegate("b.test", {servers(2), ds(2)});
  EXPECT_EQ(taken(), 2 * kSharedBytes + 2 * kSignedBytes);
  drop("a.test");
  EXPECT_EQ(taken(), kSharedBytes + kSignedBytes);
}

TEST_F(RrsetBlocksTest, NamesThatAreNoDelegationsDoNotShare) {
  store_.change([](Writer& writer) {
    ASSERT_TRUE(writer.use_zone(wire_name("test")).ok());
    for (const char* name : {"a.test", "b.test"}) {
      ASSERT_TRUE(writer.put_name(wire_name(name), {std::vector{servers(1)}, {}}).ok());
    }
  });
  EXPECT_EQ(taken(), 2 * kSharedBytes);
}

TEST_F(RrsetBlocksTest, TheLastOwnerFreesThem) {
  delegate("a.test", {servers(1)});
  delegate("b.test", {servers(1)});
  delegate("a.test", {servers(2)});
  EXPECT_EQ(taken(), 2 * kSharedBytes);
  drop("b.test");
  EXPECT_EQ(taken(), kSharedBytes);
  drop("a.test");
  EXPECT_EQ(taken(), 0U);
}

TEST_F(RrsetBlocksTest, WhatWaitsToBeFreedMayBeSharedAgain) {
  delegate("a.test", {servers(1)});
  drop("a.test");
  delegate("b.test", {servers(1)});
  EXPECT_EQ(taken(), kSharedBytes);
  EXPECT_EQ(owners("b.test"), 1U);
  expect_servers(store_.view(), "b.test", 1);
}

TEST_F(RrsetBlocksTest, AnAbortCountsDown) {
  delegate("a.test", {servers(1)});
  Writer& writer = store_.begin();
  delegate(writer, "b.test", {servers(1), ds(1)});
  delegate(writer, "a.test", {servers(1)});
  delegate(writer, "c.test", {servers(3)});
  store_.abort();
  EXPECT_EQ(taken(), kSharedBytes);
  EXPECT_EQ(owners("a.test"), 1U);
}

TEST_F(RrsetBlocksTest, SignaturesAreBesideThePlainFormAndChangeNothingAboutIt) {
  const Rrset address{1, a(1).blob, blob(1, Bytes(100, 1))};
  const Rrset text{16, blob(16, Bytes(200)), blob(16, Bytes(250))};
  store_.change([&](Writer& writer) {
    ASSERT_TRUE(writer.use_zone(wire_name("test")).ok());
    ASSERT_TRUE(
        writer.put_name(wire_name("a.test"), {std::vector{text, address, Rrset{28, a(2).blob}}, {}})
            .ok());
  });
  const View view = store_.view();
  const Record& record = *lookup(view, "a.test").record;
  const auto expect = [](const BlobHeader* found, const Bytes& wanted) {
    ASSERT_NE(found, nullptr);
    ASSERT_EQ(blob_size(*found), wanted.size());
    EXPECT_EQ(std::memcmp(found, wanted.data(), wanted.size()), 0);
  };
  EXPECT_EQ(record.inline_type, 1) << "as without signatures";
  expect(view.blob(record, 1), address.blob);
  expect(view.signed_blob(record, 1), address.signed_blob);
  expect(view.blob(record, 16), text.blob);
  expect(view.signed_blob(record, 16), text.signed_blob);
  expect(view.signed_blob(record, 28), a(2).blob);
  EXPECT_EQ(view.signed_blob(record, 2), nullptr);
  EXPECT_EQ(view.rrsets(record).size(), 4U);
  taken();
}

TEST_F(RrsetBlocksTest, SignedDelegationsShareTheirServersToo) {
  Rrset with_signatures = ds(1);
  with_signatures.signed_blob = blob(kDs, Bytes(172, 1));
  delegate("a.test", {servers(1)});
  delegate("b.test", {servers(1), with_signatures});
  EXPECT_EQ(taken(), kSharedBytes + kSignedBytes + 8 + 12 + 12 + 172 + 4);
  EXPECT_EQ(owners("a.test"), 2U);
  expect_servers(store_.view(), "b.test", 1);
  const View view = store_.view();
  const Record& record = *lookup(view, "b.test").record;
  EXPECT_EQ(blob_size(*view.signed_blob(record, kDs)), with_signatures.signed_blob.size());
  EXPECT_EQ(view.signed_blob(record, kNs), view.blob(record, kNs));
  const auto compacted = compact(store_.image().pin(), {});
  ASSERT_TRUE(compacted.ok() && compacted.value().verify().ok());
  EXPECT_EQ(compacted.value().usage().heap_bytes - kHeapUnit, store_.heap_in_use());
}

TEST_F(RrsetBlocksTest, AnUnknownFormOrTwoOfOneAreRefused) {
  Rrset with_signatures = ds(1);
  with_signatures.signed_blob = blob(kDs, Bytes(172, 1));
  delegate("b.test", {servers(1), with_signatures});
  const View view = store_.view();
  auto* table = reinterpret_cast<RrsetTable*>(
      const_cast<std::uint8_t*>(view.heap(lookup(view, "b.test").record->rrsets)));
  auto* entries = reinterpret_cast<RrsetEntry*>(table + 1);
  ASSERT_EQ(table->count, 3);
  for (int i = 0; i < 3; ++i) {
    const std::uint16_t right = entries[i].form;
    for (const std::uint16_t wrong : std::vector<std::uint16_t>{0, 1, 2, 0xffff}) {
      if (wrong == right) continue;
      entries[i].form = wrong;
      EXPECT_FALSE(store_.image().verify().ok()) << i << " " << wrong;
    }
    entries[i].form = right;
  }
  EXPECT_TRUE(store_.image().verify().ok());
}

TEST_F(RrsetBlocksTest, ALoadedImageGoesOnSharing) {
  delegate("a.test", {servers(1)});
  delegate("b.test", {servers(1), ds(1)});
  delegate("c.test", {servers(2), ds(1)});
  store_.release();
  std::uint64_t size_bytes = 0;
  const auto fd = store_.image().seal(size_bytes);
  ASSERT_TRUE(fd.ok());
  Store loaded(Image::receive(fd.value().get(), size_bytes, {}).value());
  const std::size_t before = loaded.heap_in_use();
  loaded.change([](Writer& writer) {
    delegate(writer, "d.test", {servers(1)});
    delegate(writer, "e.test", {servers(2)});
  });
  EXPECT_EQ(loaded.heap_in_use(), before);
  for (const char* name : {"a.test", "d.test", "b.test"}) expect_servers(loaded.view(), name, 1);
  EXPECT_TRUE(loaded.image().verify().ok());
}

TEST_F(RrsetBlocksTest, ACompactedImageGoesOnSharing) {
  delegate("a.test", {servers(1)});
  delegate("b.test", {servers(1), ds(1)});
  delegate("c.test", {servers(2)});
  delegate("c.test", {servers(1)});
  const std::size_t now = taken();
  Store compacted(compact(store_.image().pin(), {}).value());
  EXPECT_EQ(compacted.heap_in_use() - empty_, now);
  compacted.change([](Writer& writer) { delegate(writer, "d.test", {servers(1)}); });
  EXPECT_EQ(compacted.heap_in_use() - empty_, now);
  EXPECT_TRUE(compacted.image().verify().ok());
}

TEST_F(RrsetBlocksTest, MoreOwnersThanABlockCanCountTakeASecondOne) {
  Writer& writer = store_.begin();
  for (std::uint32_t i = 0; i <= kOwnersMax; ++i) {
    delegate(writer, "n" + std::to_string(i) + ".test", {servers(1)});
  }
  store_.commit();
  EXPECT_EQ(taken(), 2 * kSharedBytes);
  EXPECT_EQ(owners("n0.test"), kOwnersMax);
  EXPECT_EQ(owners("n" + std::to_string(kOwnersMax) + ".test"), 1U);
  const auto compacted = compact(store_.image().pin(), {});
  ASSERT_TRUE(compacted.ok() && compacted.value().verify().ok());
  store_.begin();
  for (std::uint32_t i = 0; i <= kOwnersMax; ++i) {
    ASSERT_TRUE(writer.drop_name(wire_name("n" + std::to_string(i) + ".test")).ok());
  }
  store_.commit();
  EXPECT_EQ(taken(), 0U);
}

TEST_F(RrsetBlocksTest, AWrongNumberOfOwnersIsRefused) {
  delegate("a.test", {servers(1)});
  delegate("b.test", {servers(1)});
  delegate("c.test", {servers(2), ds(1)});
  ASSERT_EQ(taken(), 2 * kSharedBytes + kSignedBytes);
  const View view = store_.view();
  for (const char* name : {"a.test", "c.test"}) {
    auto* table = reinterpret_cast<RrsetTable*>(
        const_cast<std::uint8_t*>(view.heap(lookup(view, name).record->rrsets)));
    const std::uint16_t right = table->owners;
    for (const int wrong : {-1, 1}) {
      table->owners = static_cast<std::uint16_t>(right + wrong);
      EXPECT_FALSE(store_.image().verify().ok()) << name << " " << wrong;
    }
    table->owners = right;
    EXPECT_TRUE(store_.image().verify().ok());
  }
}

TEST_F(RrsetBlocksTest, AnEntryThatLeadsToAnythingButTheBlobOfAnotherBlockIsRefused) {
  delegate("a.test", {servers(1)});
  delegate("b.test", {servers(1), ds(1)});
  const View view = store_.view();
  auto* table = reinterpret_cast<RrsetTable*>(
      const_cast<std::uint8_t*>(view.heap(lookup(view, "b.test").record->rrsets)));
  auto& entry = reinterpret_cast<RrsetEntry*>(table + 1)[0];
  ASSERT_EQ(entry.type, kNs);
  ASSERT_TRUE(is_elsewhere(*table, entry));
  ASSERT_TRUE(store_.image().verify().ok());
  for (std::uint32_t wrong = 1; wrong < 1000; ++wrong) {
    entry.offset_units += wrong;
    EXPECT_FALSE(store_.image().verify().ok()) << wrong;
    entry.offset_units -= 2 * wrong;
    EXPECT_FALSE(store_.image().verify().ok()) << -static_cast<int>(wrong);
    entry.offset_units += wrong;
  }
}

// Against std::map; few hashes, so that slots are contended and holes are filled.
TEST(BlockIndex, FindsWhatIsThereAndNothingElse) {
  BlockIndex index;
  std::multimap<std::uint32_t, HeapRef> model;
  std::minstd_rand random(1);
  HeapRef next = 1;
  for (int round = 0; round < 20000; ++round) {
    const auto hash = static_cast<std::uint32_t>(random() % 200 * 0x01000193U);
    if (random() % 1000 < (round < 10000 ? 600U : 400U)) {
      index.insert(hash, next);
      model.emplace(hash, next++);
    } else if (const auto found = model.find(hash); found != model.end()) {
      index.remove(hash, found->second);
      model.erase(found);
    } else {
      index.remove(hash, next);
    }
    const auto asked = static_cast<std::uint32_t>(random() % 200 * 0x01000193U);
    std::vector<HeapRef> seen;
    EXPECT_EQ(index.find(asked,
                         [&](HeapRef block) {
                           seen.push_back(block);
                           return false;
                         }),
              nullptr);
    std::vector<HeapRef> wanted;
    for (auto [at, end] = model.equal_range(asked); at != end; ++at) wanted.push_back(at->second);
    std::sort(seen.begin(), seen.end());
    std::sort(wanted.begin(), wanted.end());
    ASSERT_EQ(seen, wanted);
    ASSERT_EQ(index.size(), model.size());
  }
}

}  // namespace
}  // namespace brink::snapshot
