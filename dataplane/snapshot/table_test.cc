// Tables of zones: what is put is found, in the version that it was put in, and costs nothing where
// it is not.
#include <gtest/gtest.h>

#include "dataplane/snapshot/compact.h"
#include "dataplane/snapshot/snapshot_fixture.h"
#include "dataplane/snapshot/verify.h"

namespace brink::snapshot {
namespace {

const Bytes kApexName = wire_name("z.test");

class TableTest : public ::testing::Test {
 protected:
  TableTest() {
    store_.change([](Writer& writer) {
      ASSERT_TRUE(writer.put_zone(kApexName, {1, soa()}).ok());
      ASSERT_TRUE(writer.put_name(kApexName, {std::vector{a(1)}, {}}).ok());
    });
    store_.release();
    empty_ = store_.heap_in_use();
  }

  template <typename Step>
  void in_zone(const Step& step) {
    store_.change([&](Writer& writer) {
      ASSERT_TRUE(writer.use_zone(kApexName).ok());
      step(writer);
    });
  }
  void fill(std::uint32_t count, std::uint8_t value) {
    in_zone([&](Writer& writer) {
      for (std::uint32_t i = 0; i < count; ++i) {
        ASSERT_TRUE(writer.put_value(numbered(i), Bytes(8, value)).ok());
      }
    });
  }
  static Bytes numbered(std::uint32_t number) {
    return {'k', static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
  }
  static const Tree* table(const View& view) {
    return View::table(view.zone(*lookup(view, "z.test").record));
  }
  // The first octet of the value; -1: there is none.
  static int find(const View& view, const Bytes& key) {
    const Tree* tree = table(view);
    if (tree == nullptr) return -1;
    const auto value = view.value(*tree, table_key_of(key));
    return value.empty() ? -1 : value[0];
  }

  Store store_;
  std::uint64_t empty_ = 0;
};

TEST_F(TableTest, AZoneWithoutValuesHasNoneAndPaysNothing) {
  EXPECT_EQ(table(store_.view()), nullptr);
  fill(500, 1);
  ASSERT_NE(table(store_.view()), nullptr);
  EXPECT_EQ(table(store_.view())->count, 500U);
  in_zone([](Writer& writer) {
    for (std::uint32_t i = 0; i < 500; ++i) ASSERT_TRUE(writer.drop_value(numbered(i)).ok());
  });
  store_.release();
  EXPECT_EQ(table(store_.view()), nullptr);
  EXPECT_EQ(store_.heap_in_use(), empty_);
}

TEST_F(TableTest, AnOlderViewKeepsWhatItSaw) {
  fill(100, 1);
  const View old = store_.view();
  fill(100, 2);
  in_zone([](Writer& writer) { ASSERT_TRUE(writer.drop_value(numbered(7)).ok()); });
  EXPECT_EQ(find(old, numbered(7)), 1);
  EXPECT_EQ(find(old, numbered(8)), 1);
  EXPECT_EQ(find(store_.view(), numbered(7)), -1);
  EXPECT_EQ(find(store_.view(), numbered(8)), 2);
  EXPECT_EQ(find(store_.view(), numbered(100)), -1);
}

TEST_F(TableTest, SurvivesANewStateOfItsZoneAndSigning) {
  fill(3, 1);
  store_.change([](Writer& writer) {
    ASSERT_TRUE(writer.put_zone(kApexName, {2, soa(), soa(), {DenialKind::kNsec, 0, {}}}).ok());
    ASSERT_TRUE(writer.put_denial(kApexName, denial_blob_of(kApexName, kApexName, {1})).ok());
  });
  EXPECT_EQ(find(store_.view(), numbered(2)), 1);
  const Bytes salt = {1, 2, 3};
  store_.change([&](Writer& writer) {
    ASSERT_TRUE(writer.put_zone(kApexName, {3, soa(), {}, {DenialKind::kNsec3, 1, salt}}).ok());
  });
  EXPECT_EQ(find(store_.view(), numbered(2)), 1);
  store_.release();
  EXPECT_TRUE(store_.image().verify().ok());
  store_.change([](Writer& writer) { ASSERT_TRUE(writer.put_zone(kApexName, {4, soa()}).ok()); });
  EXPECT_EQ(find(store_.view(), numbered(2)), 1);
  store_.release();
  EXPECT_TRUE(store_.image().verify().ok());
}

TEST_F(TableTest, GoesWithItsZone) {
  fill(200, 1);
  store_.change([](Writer& writer) { ASSERT_TRUE(writer.drop_zone(kApexName).ok()); });
  store_.release();
  EXPECT_EQ(store_.heap_in_use(), 0U);
  EXPECT_TRUE(store_.image().verify().ok());
}

TEST_F(TableTest, AnAbortedChangeLeavesNothing) {
  fill(10, 1);
  store_.release();
  const std::uint64_t before = store_.heap_in_use();
  Writer& writer = store_.begin();
  ASSERT_TRUE(writer.use_zone(kApexName).ok());
  for (std::uint32_t i = 0; i < 300; ++i) {
    ASSERT_TRUE(writer.put_value(numbered(i), Bytes(80, 9)).ok());
  }
  store_.abort();
  store_.release();
  EXPECT_EQ(store_.heap_in_use(), before);
  EXPECT_EQ(find(store_.view(), numbered(3)), 1);
}

TEST_F(TableTest, IsCopiedByACompaction) {
  fill(1000, 3);
  const auto compacted = compact(store_.image().pin(), {});
  ASSERT_TRUE(compacted.ok());
  EXPECT_TRUE(compacted.value().verify().ok());
  EXPECT_EQ(find(compacted.value().view(), numbered(999)), 3);
}

TEST_F(TableTest, HasRoomForTheLargestKeysAndValues) {
  const Bytes key(kTableKeyMax, 0);
  in_zone([&](Writer& writer) {
    ASSERT_TRUE(writer.put_value(key, Bytes(kTableValueMax, 7)).ok());
    ASSERT_TRUE(writer.put_value(Bytes{0}, Bytes(8, 6)).ok());
  });
  const View view = store_.view();
  EXPECT_EQ(view.value(*table(view), table_key_of(key)).size(), kTableValueMax);
  EXPECT_EQ(find(view, Bytes{0}), 6);
  store_.release();
  EXPECT_TRUE(store_.image().verify().ok());
}

TEST_F(TableTest, WhatCannotBeKeptIsRefused) {
  const auto refused = [&](const Bytes& key, const Bytes& value) {
    Writer& writer = store_.begin();
    EXPECT_TRUE(writer.use_zone(kApexName).ok());
    EXPECT_FALSE(writer.put_value(key, value).ok());
    store_.abort();
  };
  refused({}, Bytes(8));
  refused(Bytes(kTableKeyMax + 1), Bytes(8));
  refused({1}, {});
  refused({1}, Bytes(9));
  refused({1}, Bytes(kTableValueMax + 8));
  EXPECT_FALSE(store_.begin().put_value(Bytes{1}, Bytes(8)).ok());
  store_.abort();
  store_.release();
  EXPECT_EQ(store_.heap_in_use(), empty_);
}

TEST_F(TableTest, ValuesCanBeClearedByTheBeginningOfTheirKeys) {
  fill(300, 1);
  in_zone([](Writer& writer) { ASSERT_TRUE(writer.clear_values(Bytes{'k', 1}).ok()); });
  EXPECT_EQ(find(store_.view(), numbered(255)), 1);
  EXPECT_EQ(find(store_.view(), numbered(256)), -1);
  EXPECT_EQ(table(store_.view())->count, 256U);
  in_zone([](Writer& writer) { ASSERT_TRUE(writer.clear_values({}).ok()); });
  EXPECT_EQ(table(store_.view()), nullptr);
  in_zone([](Writer& writer) { ASSERT_TRUE(writer.clear_values({}).ok()); });
  store_.release();
  EXPECT_EQ(store_.heap_in_use(), empty_);
}

TEST_F(TableTest, ADamagedOneIsRefused) {
  fill(100, 1);
  store_.release();
  const View view = store_.view();
  auto& tree = const_cast<Tree&>(*table(view));
  const auto refused = [&](auto& place, auto wrong, const char* what) {
    const auto right = place;
    place = wrong;
    EXPECT_FALSE(store_.image().verify().ok()) << what;
    place = right;
  };
  ASSERT_TRUE(store_.image().verify().ok());
  refused(tree.root, HeapRef{0}, "root");
  refused(tree.count, tree.count + 1, "count");
  refused(tree.height, static_cast<std::uint8_t>(tree.height + 1), "height");
  const DenialReader reader(view.heap(0));
  const DenialNode* node = &reader.node(tree.root);
  while (node->level > 0) node = &reader.node(denial_children(*node)[0]);
  auto& entry = const_cast<DenialEntry&>(reader.entry(denial_entries(*node)[2]));
  refused(entry.key_size, std::uint16_t{0}, "key size");
  refused(entry.key_size, std::uint16_t{300}, "key size");
  refused(entry.size_units, std::uint16_t{1}, "size");
  refused(entry.size_units, std::uint16_t{0xffff}, "size");
  const auto& state = view.zone(*lookup(view, "z.test").record);
  auto& chain = const_cast<DenialChain&>(*View::trees(state));
  refused(chain.has_table, std::uint8_t{0}, "neither chain nor table");
  refused(chain.kind, static_cast<DenialKind>(3), "an unknown kind");
  refused(chain.iterations, std::uint8_t{1}, "iterations of no chain");
  refused(chain.has_table, std::uint8_t{2}, "a malformed chain");
  EXPECT_TRUE(store_.image().verify().ok());
}

}  // namespace
}  // namespace brink::snapshot
