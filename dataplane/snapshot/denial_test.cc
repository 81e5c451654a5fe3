// Chains of denial: keys, look-ups, what a change costs, what is refused, and what verify() finds.
#include "dataplane/snapshot/denial.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "dataplane/snapshot/snapshot_fixture.h"
#include "dataplane/snapshot/verify.h"

namespace brink::snapshot {
namespace {

const Denial kNsecDenial{DenialKind::kNsec, 0, {}};
const Denial kNsec3Denial{DenialKind::kNsec3, 1, {}};
const Bytes kApexName = wire_name("z.test");

Bytes key_bytes(const DenialKey& key) {
  return {key.bytes, key.bytes + key.size};
}

// The name of these labels, the first the lowest, below z.test.
Bytes name_of(const std::vector<std::string>& labels) {
  Bytes name;
  for (const std::string& label : labels) {
    name.push_back(static_cast<std::uint8_t>(label.size()));
    name.insert(name.end(), label.begin(), label.end());
  }
  name.insert(name.end(), kApexName.begin(), kApexName.end());
  return name;
}
Bytes numbered(std::uint32_t number) {
  const std::string digits = std::to_string(1000000 + number);
  return name_of({"n" + digits.substr(1)});
}

TEST(DenialKey, OrdersAsCanonicalOrderDoes) {
  // RFC 4034 6.1, and what else keys might get wrong.
  const std::vector<std::vector<std::string>> names = {
      {},
      {std::string("\0", 1)},
      {std::string("\0\0", 2)},
      {std::string("\0\1", 2)},
      {"\1"},
      {"\1\1"},
      {"\2"},
      {"*"},
      {"a"},
      {"yljkjljk", "a"},
      {"z", "a"},
      {"zabc", "a"},
      {std::string("a\0", 2)},
      {"a\1"},
      {"a\2"},
      {"aa"},
      {"z"},
      {"\1", "z"},
      {"*", "z"},
      {"\x80", "z"},
      {"zz"},
      {"\xff"},
  };
  Bytes last;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Bytes key = key_bytes(denial_key_of(name_of(names[i]), kApexName));
    if (i > 0) {
      EXPECT_TRUE(last < key) << i;
      // Zeros behind a key do not matter.
      Bytes padded = last, other = key;
      padded.resize(600);
      other.resize(600);
      EXPECT_TRUE(padded < other) << i;
    }
    last = key;
  }
}

TEST(DenialKey, ALabelCanBeAppended) {
  for (const std::string& label :
       {std::string("*"), std::string("a\0\1b", 4), std::string(63, 'x')}) {
    DenialKey key = denial_key_of(name_of({"encloser"}), kApexName);
    append_denial_label(key, reinterpret_cast<const std::uint8_t*>(label.data()), label.size());
    EXPECT_EQ(key_bytes(key), key_bytes(denial_key_of(name_of({label, "encloser"}), kApexName)));
  }
}

TEST(DenialKey, TheLongestNamesHaveRoom) {
  Bytes name;
  for (int i = 0; i < 3; ++i) {
    name.push_back(63);
    name.insert(name.end(), 63, 1);
  }
  name.push_back(61);
  name.insert(name.end(), 61, 0);
  name.push_back(0);
  ASSERT_EQ(name.size(), kNameMax);
  const DenialKey key = denial_key_of(name, {0});
  EXPECT_EQ(key.size, 2 * 250 + 4);
  EXPECT_TRUE(std::all_of(key.bytes + key.size, key.bytes + key.size + 16,
                          [](std::uint8_t octet) { return octet == 0; }));
  DenialKey labels;
  set_denial_key(labels, name.data(), name.size(), 1);
  EXPECT_EQ(key_bytes(key), key_bytes(labels));
}

class DenialTest : public ::testing::Test {
 protected:
  DenialTest() {
    store_.change([](Writer& writer) {
      ASSERT_TRUE(writer.put_zone(kApexName, {1, soa(), soa(), kNsecDenial}).ok());
      ASSERT_TRUE(writer.put_name(kApexName, {std::vector{a(1)}, {}}).ok());
    });
    store_.release();
    empty_ = store_.heap_in_use();
  }

  static void put(Writer& writer, const Bytes& name, std::uint8_t value = 0) {
    const auto done = writer.put_denial(name, denial_blob_of(name, kApexName, {value}));
    ASSERT_TRUE(done.ok()) << done.error().message();
  }
  void fill(std::uint32_t count, std::uint32_t step = 1) {
    store_.change([&](Writer& writer) {
      ASSERT_TRUE(writer.use_zone(kApexName).ok());
      for (std::uint32_t i = 0; i < count; ++i) put(writer, numbered(i * step));
    });
    store_.release();
  }
  [[nodiscard]] const DenialChain* chain() const {
    const View view = store_.view();
    return View::chain(view.zone(*lookup(view, "z.test").record));
  }
  [[nodiscard]] DenialHit find(const Bytes& name) const {
    return store_.view().find_denial(*chain(), denial_key_of(name, kApexName));
  }
  void expect(const Bytes& asked, const Bytes& found, bool exact, std::uint8_t value = 0) const {
    const DenialHit hit = find(asked);
    ASSERT_NE(hit.blob(), nullptr);
    const Bytes wanted = denial_blob_of(found, kApexName, {value});
    const auto* at = reinterpret_cast<const std::uint8_t*>(hit.blob());
    EXPECT_EQ(Bytes(at, at + blob_size(*hit.blob())), wanted);
    EXPECT_EQ(hit.exact, exact);
  }
  void expect_clean() {
    store_.release();
    const auto verified = store_.image().verify();
    EXPECT_TRUE(verified.ok()) << verified.error().message();
  }

  Store store_;
  std::size_t empty_ = 0;
};

TEST_F(DenialTest, AnEmptyChainHasNoRecordForAnyName) {
  ASSERT_NE(chain(), nullptr);
  EXPECT_EQ(chain()->count, 0U);
  EXPECT_EQ(find(kApexName).blob(), nullptr);
  expect_clean();
}

TEST_F(DenialTest, TheRecordAtOrBeforeANameIsFoundAndTheLastBeforeTheFirst) {
  fill(1000, 2);
  expect(numbered(500), numbered(500), true);
  expect(numbered(501), numbered(500), false);
  expect(name_of({"x", "n000500"}), numbered(500), false);
  expect(name_of({"zzz"}), numbered(1998), false);
  expect(name_of({"a"}), numbered(1998), false);
  expect(kApexName, numbered(1998), false);
  store_.change([](Writer& writer) {
    ASSERT_TRUE(writer.use_zone(kApexName).ok());
    put(writer, kApexName, 3);
  });
  expect(kApexName, kApexName, true, 3);
  expect(name_of({"a"}), kApexName, false, 3);
  expect_clean();
}

// Names whose first octets are the same, in one chain with others, so that heads are equal.
TEST_F(DenialTest, NamesThatDifferLateAreToldApart) {
  const std::string common(50, 'c');
  store_.change([&](Writer& writer) {
    ASSERT_TRUE(writer.use_zone(kApexName).ok());
    put(writer, kApexName);
    put(writer, name_of({"zz"}));
    for (char c = 'a'; c <= 'z'; ++c) put(writer, name_of({common + c}));
  });
  for (char c = 'a'; c <= 'z'; ++c) {
    expect(name_of({common + c}), name_of({common + c}), true);
    expect(name_of({common + c + "0"}), name_of({common + c}), false);
  }
  expect(name_of({common}), kApexName, false);
  expect_clean();
}

TEST_F(DenialTest, AReadersOlderViewIsLeftAsItWas) {
  fill(2000);
  const View before = store_.view();
  const DenialChain& old = *chain();
  store_.change([](Writer& writer) {
    ASSERT_TRUE(writer.use_zone(kApexName).ok());
    for (std::uint32_t i = 0; i < 2000; i += 2) {
      ASSERT_TRUE(writer.drop_denial(numbered(i)).ok());
      put(writer, numbered(i + 1), 9);
    }
  });
  EXPECT_EQ(chain()->count, 1000U);
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const DenialHit hit = before.find_denial(old, denial_key_of(numbered(i), kApexName));
    ASSERT_TRUE(hit.exact);
    const Bytes wanted = denial_blob_of(numbered(i), kApexName, {0});
    ASSERT_EQ(std::memcmp(hit.blob(), wanted.data(), wanted.size()), 0) << i;
  }
  expect(numbered(7), numbered(7), true, 9);
  expect(numbered(8), numbered(7), false, 9);
  expect_clean();
}

TEST_F(DenialTest, AChangeCostsOneBlockALevel) {
  fill(20000);
  ASSERT_EQ(chain()->height, 4);
  Writer& writer = store_.begin();
  ASSERT_TRUE(writer.use_zone(kApexName).ok());
  put(writer, numbered(12345), 1);
  Garbage garbage = writer.commit(100, 0);
  EXPECT_EQ(garbage.blocks.size(), 5U) << "each node on the way, and the record";
  EXPECT_TRUE(writer.release(std::move(garbage)).empty());
  expect(numbered(12345), numbered(12345), true, 1);
}

TEST_F(DenialTest, RecordsThatComeInOrderFillTheNodes) {
  fill(24 * 24 * 2);
  EXPECT_EQ(chain()->height, 3);
  const DenialReader reader(store_.view().heap(0));
  const DenialNode& root = reader.node(chain()->root);
  EXPECT_EQ(root.count, 2);
  for (std::uint32_t i = 0; i < root.count; ++i) {
    const DenialNode& node = reader.node(denial_children(root)[i]);
    EXPECT_EQ(node.count, kDenialFanout);
    for (std::uint32_t j = 0; j < node.count; ++j) {
      EXPECT_EQ(reader.node(denial_children(node)[j]).count, kDenialFanout);
    }
  }
}

TEST_F(DenialTest, ATreeThatLosesItsRecordsBecomesLow) {
  fill(5000);
  const std::size_t full = store_.heap_in_use();
  store_.change([](Writer& writer) {
    ASSERT_TRUE(writer.use_zone(kApexName).ok());
    for (std::uint32_t i = 0; i < 5000; ++i) {
      ASSERT_TRUE(i % 100 == 0 || writer.drop_denial(numbered(i)).ok());
    }
  });
  expect_clean();
  EXPECT_EQ(chain()->count, 50U);
  EXPECT_LE(chain()->height, 3);
  EXPECT_LT(store_.heap_in_use() - empty_, (full - empty_) / 40);
  store_.change([](Writer& writer) {
    ASSERT_TRUE(writer.use_zone(kApexName).ok());
    for (std::uint32_t i = 0; i < 5000; ++i) ASSERT_TRUE(writer.drop_denial(numbered(i)).ok());
  });
  expect_clean();
  EXPECT_EQ(chain()->root, 0U);
  EXPECT_EQ(store_.heap_in_use(), empty_);
}

TEST_F(DenialTest, AnAbortLeavesNothingBehind) {
  fill(300);
  const std::size_t before = store_.heap_in_use();
  Writer& writer = store_.begin();
  ASSERT_TRUE(writer.use_zone(kApexName).ok());
  for (std::uint32_t i = 0; i < 600; i += 2) put(writer, numbered(i), 1);
  for (std::uint32_t i = 1; i < 300; i += 2) {
    ASSERT_TRUE(writer.drop_denial(numbered(i)).ok());
  }
  ASSERT_TRUE(writer.put_zone(kApexName, {2, soa(), {}, kNsec3Denial}).ok());
  put(writer, numbered(1), 1);
  store_.abort();
  expect_clean();
  EXPECT_EQ(store_.heap_in_use(), before);
  EXPECT_EQ(chain()->count, 300U);
  for (std::uint32_t i = 0; i < 300; ++i) expect(numbered(i), numbered(i), true);
}

TEST_F(DenialTest, AZoneThatDeniesAsBeforeKeepsItsChainAndElseItsChainIsEmptied) {
  fill(100);
  const Bytes salt = {1, 2};
  store_.change([](Writer& writer) {
    ASSERT_TRUE(writer.put_zone(kApexName, {2, soa(), {}, kNsecDenial}).ok());
  });
  EXPECT_EQ(chain()->count, 100U);
  const std::vector<Denial> others = {{DenialKind::kNsec3, 1, {}},
                                      {DenialKind::kNsec3, 2, {}},
                                      {DenialKind::kNsec3, 2, salt},
                                      kNsecDenial,
                                      {}};
  for (const Denial& other : others) {
    store_.change([&](Writer& writer) {
      ASSERT_TRUE(writer.put_zone(kApexName, {3, soa(), {}, other}).ok());
    });
    if (other.kind == DenialKind::kNone) {
      EXPECT_EQ(chain(), nullptr);
      break;
    }
    ASSERT_NE(chain(), nullptr);
    EXPECT_EQ(chain()->count, 0U);
    EXPECT_EQ(chain()->kind, other.kind);
    EXPECT_EQ(chain()->iterations, other.iterations);
    const auto kept = denial_salt(*chain());
    EXPECT_TRUE(std::equal(kept.begin(), kept.end(), other.salt.begin(), other.salt.end()));
    store_.change([](Writer& writer) {
      ASSERT_TRUE(writer.use_zone(kApexName).ok());
      put(writer, numbered(1));
    });
    expect_clean();
  }
  expect_clean();
  EXPECT_LT(store_.heap_in_use(), empty_) << "nothing of any chain is left";
}

TEST_F(DenialTest, ADroppedZoneFreesItsChain) {
  fill(1000);
  store_.change([](Writer& writer) { ASSERT_TRUE(writer.drop_zone(kApexName).ok()); });
  expect_clean();
  EXPECT_EQ(store_.heap_in_use(), 0U);
}

TEST_F(DenialTest, TheNegativeAnswerHasTwoFormsOrOne) {
  const Bytes with_signatures = blob(6, Bytes(100, 9));
  const auto negatives = [&](const ZoneContents& contents) {
    store_.change([&](Writer& writer) { ASSERT_TRUE(writer.put_zone(kApexName, contents).ok()); });
    expect_clean();
    const View view = store_.view();
    const ZoneState& state = view.zone(*lookup(view, "z.test").record);
    EXPECT_EQ(std::memcmp(&negative_blob(state), soa().data(), soa().size()), 0);
    return View::signed_negative_blob(state);
  };
  const BlobHeader* found = negatives({2, soa(), with_signatures, kNsecDenial});
  EXPECT_EQ(std::memcmp(found, with_signatures.data(), with_signatures.size()), 0);
  found = negatives({2, soa(), {}, kNsecDenial});
  EXPECT_EQ(std::memcmp(found, soa().data(), soa().size()), 0);
  found = negatives({2, soa()});
  EXPECT_EQ(std::memcmp(found, soa().data(), soa().size()), 0);
}

// The zone's state holds the NSEC of the apex exactly as long as that says that there is no
// wildcard at the apex.
TEST_F(DenialTest, TheApexDeniesItsWildcardFromTheStateOfTheZone) {
  const auto denies = [&] {
    expect_clean();
    const View view = store_.view();
    const BlobHeader* blob = View::apex_denial_blob(view.zone(*lookup(view, "z.test").record));
    if (blob == nullptr) return false;
    const DenialHit apex = find(kApexName);
    EXPECT_TRUE(apex.exact);
    EXPECT_EQ(blob_size(*blob), blob_size(*apex.blob()));
    EXPECT_EQ(std::memcmp(blob, apex.blob(), blob_size(*blob)), 0);
    return true;
  };
  const auto change = [&](const std::function<void(Writer&)>& step) {
    store_.change([&](Writer& writer) {
      ASSERT_TRUE(writer.use_zone(kApexName).ok());
      step(writer);
    });
  };
  const auto drop = [&](const Bytes& name) {
    change([&](Writer& writer) { EXPECT_TRUE(writer.drop_denial(name).ok()); });
  };
  EXPECT_FALSE(denies());
  change([](Writer& writer) { put(writer, numbered(1)); });
  EXPECT_FALSE(denies());
  change([](Writer& writer) { put(writer, kApexName, 1); });
  EXPECT_TRUE(denies());
  change([](Writer& writer) { put(writer, kApexName, 2); });
  EXPECT_TRUE(denies());
  for (const char* before : {"*", "!", "%"}) {
    change([&](Writer& writer) { put(writer, name_of({before})); });
    EXPECT_FALSE(denies()) << before;
    drop(name_of({before}));
    EXPECT_TRUE(denies()) << before;
  }
  for (const char* behind : {"**", "+", "-"}) {
    change([&](Writer& writer) { put(writer, name_of({behind})); });
    EXPECT_TRUE(denies()) << behind;
  }
  store_.change([](Writer& writer) {
    ASSERT_TRUE(writer.put_zone(kApexName, {5, soa(), soa(), kNsecDenial}).ok());
  });
  EXPECT_TRUE(denies()) << "another SOA changes nothing";
  drop(kApexName);
  EXPECT_FALSE(denies());
}

TEST_F(DenialTest, WhatIsNotInOrderIsRefusedWithTheReason) {
  using Step = std::function<base::Result<void>(Writer&)>;
  const auto refused = [&](const std::string& why, const Step& step) {
    const auto result = step(store_.begin());
    store_.abort();
    ASSERT_FALSE(result.ok()) << why;
    EXPECT_NE(result.error().message().find(why), std::string::npos) << result.error().message();
  };
  const auto in_zone = [](const Step& step) {
    return [step](Writer& writer) {
      EXPECT_TRUE(writer.use_zone(kApexName).ok());
      return step(writer);
    };
  };
  const Bytes good = denial_blob_of(numbered(1), kApexName, {1});
  refused("no zone was named", [&](Writer& w) { return w.put_denial(numbered(1), good); });
  refused("no zone was named", [&](Writer& w) { return w.drop_denial(numbered(1)); });
  refused("outside its zone",
          in_zone([&](Writer& w) { return w.put_denial(wire_name("n.test"), good); }));
  refused("malformed", in_zone([&](Writer& w) { return w.put_denial(Bytes{3, 'a'}, good); }));
  refused("another's", in_zone([&](Writer& w) { return w.put_denial(numbered(2), good); }));
  refused("owner is malformed",
          in_zone([&](Writer& w) { return w.put_denial(kApexName, a(1).blob); }));
  Bytes longer = good;
  longer.resize(good.size() + 2);
  refused("more behind a blob",
          in_zone([&](Writer& w) { return w.put_denial(numbered(1), longer); }));
  refused("not signed", [&](Writer& w) {
    EXPECT_TRUE(w.put_zone(kApexName, {2, soa()}).ok());
    return w.put_denial(numbered(1), good);
  });
  refused("no apex", [&](Writer& w) {
    EXPECT_TRUE(w.put_zone(wire_name("new"), {2, soa(), {}, kNsecDenial}).ok());
    return w.drop_denial(wire_name("new"));
  });
  const Bytes salt(kNsec3SaltMax + 1);
  const auto put_zone = [](const Denial& denial) {
    return [denial](Writer& writer) { return writer.put_zone(kApexName, {2, soa(), {}, denial}); };
  };
  refused("iterations", put_zone({DenialKind::kNsec3, kNsec3IterationsMax + 1, {}}));
  refused("salt", put_zone({DenialKind::kNsec3, 0, salt}));
  refused("only NSEC3", put_zone({DenialKind::kNsec, 1, {}}));
  refused("negative answer", [](Writer& writer) {
    return writer.put_zone(kApexName, {2, soa(), Bytes(4), kNsecDenial});
  });
  expect_clean();
}

TEST(FreeBlob, OwnersAreLabelsAndAPointerThatIsWrittenLater) {
  const Bytes good = free_blob({1, 'a'}, 47, {1, 2, 3});
  ASSERT_TRUE(verify_free_blob(good).ok());
  ASSERT_TRUE(verify_free_blob(free_blob({}, 47, {})).ok());
  const auto refused = [&](const std::function<void(Bytes&)>& change) {
    Bytes bad = good;
    change(bad);
    EXPECT_FALSE(verify_free_blob(bad).ok());
  };
  auto header = [](Bytes& bytes) -> BlobHeader& {
    return *reinterpret_cast<BlobHeader*>(bytes.data());
  };
  auto fixup = [&](Bytes& bytes, std::size_t index) -> Fixup& {
    return const_cast<Fixup&>(blob_fixups(header(bytes))[index]);
  };
  constexpr std::size_t kBody = sizeof(BlobHeader);
  refused([](Bytes& b) { b.pop_back(); });
  refused([](Bytes& b) { b[kBody] = 0; });         // ends without a pointer
  refused([](Bytes& b) { b[kBody] = 2; });         // the label runs into it
  refused([](Bytes& b) { b[kBody] = 0x40; });      // a label type that is none
  refused([](Bytes& b) { b[kBody + 3] = 0x0c; });  // a pointer that is written
  refused([&](Bytes& b) { header(b).body_count = 1; });
  refused([&](Bytes& b) { header(b).body_count = 3; });
  refused([&](Bytes& b) { header(b).body_count = 0; });
  refused([&](Bytes& b) { header(b).optional_count = 1; });
  refused([&](Bytes& b) { header(b).target_size = 1; });
  refused([&](Bytes& b) { header(b).fixup_count = 1; });
  refused([&](Bytes& b) { header(b).fixup_count = 0; });
  refused([&](Bytes& b) { fixup(b, 0).offset = 4; });                    // in the record's type
  refused([&](Bytes& b) { fixup(b, 0).kind_and_target = kFixupBlob; });  // to itself
  refused([&](Bytes& b) {                                                // to its own record
    fixup(b, 1).kind_and_target = static_cast<std::uint16_t>(kFixupBlob | fixup(b, 1).offset);
  });
  refused([&](Bytes& b) { fixup(b, 1).kind_and_target = 0; });
}

// Every byte of a chain's nodes, headers and keys, and some of its records, turned over: verify()
// finds it. Padding and what is signed is not its business.
class DamagedChain : public DenialTest {
 protected:
  template <typename T>
  static T& changeable(const T& value) {
    return const_cast<T&>(value);
  }
  [[nodiscard]] bool is_good() { return store_.image().verify().ok(); }
  template <typename T>
  void expect_refused(const T& place, T wrong, const char* what) {
    T& value = changeable(place);
    const T right = value;
    ASSERT_NE(right, wrong) << what;
    value = wrong;
    EXPECT_FALSE(is_good()) << what;
    value = right;
  }
};

TEST_F(DamagedChain, IsRefusedWhateverIsWrong) {
  fill(600);
  ASSERT_EQ(chain()->height, 3);
  ASSERT_TRUE(is_good());
  const DenialReader reader(store_.view().heap(0));
  const DenialChain& header = *chain();
  expect_refused(header.root, HeapRef{0}, "root");
  expect_refused(header.root, HeapRef{0x10000000}, "root");
  expect_refused(header.count, header.count + 1, "count");
  expect_refused(header.height, std::uint8_t{2}, "height");
  expect_refused(header.height, std::uint8_t{4}, "height");
  expect_refused(header.kind, DenialKind::kNone, "kind");
  expect_refused(header.kind, static_cast<DenialKind>(3), "kind");
  expect_refused(header.iterations, std::uint8_t{1}, "iterations");
  expect_refused(header.has_table, std::uint8_t{1}, "table");
  expect_refused(header.has_table, std::uint8_t{2}, "table");
  expect_refused(header.salt_size, std::uint8_t{1}, "salt");

  const DenialNode& root = reader.node(header.root);
  const DenialNode& inner = reader.node(denial_children(root)[0]);
  const DenialNode& leaf = reader.node(denial_children(inner)[1]);
  for (const DenialNode* node : {&root, &inner, &leaf}) {
    expect_refused(node->count, static_cast<std::uint8_t>(node->count - 1), "slots");
    expect_refused(node->count, std::uint8_t{0}, "slots");
    expect_refused(node->count, static_cast<std::uint8_t>(kDenialFanout + 1), "slots");
    expect_refused(node->level, static_cast<std::uint8_t>(node->level + 1), "level");
    expect_refused(node->prefix_size, static_cast<std::uint16_t>(node->prefix_size + 1), "prefix");
    expect_refused(node->prefix_size, std::uint16_t{0xffff}, "prefix");
    expect_refused(*denial_prefix(*node), std::uint8_t{0}, "prefix");
    for (std::uint32_t i = 0; i < node->count; ++i) {
      expect_refused(denial_heads(*node)[i], denial_heads(*node)[i] + 1, "head");
      expect_refused(denial_entries(*node)[i], HeapRef{0}, "entry");
      expect_refused(denial_entries(*node)[i], denial_entries(*node)[(i + 1) % node->count],
                     "entry");
      if (node->level == 0) continue;
      expect_refused(denial_children(*node)[i], HeapRef{0}, "child");
      expect_refused(denial_children(*node)[i], HeapRef{0xffffffff}, "child");
      expect_refused(denial_children(*node)[i], denial_children(*node)[(i + 1) % node->count],
                     "child");
      expect_refused(denial_children(*node)[i], header.root, "child");
    }
  }
  const DenialEntry& entry = reader.entry(denial_entries(leaf)[3]);
  expect_refused(entry.key_size, static_cast<std::uint16_t>(entry.key_size + 1), "key size");
  expect_refused(entry.key_size, std::uint16_t{0xffff}, "key size");
  for (const int wrong : {-1, 1, -1000, 1000}) {
    expect_refused(entry.size_units, static_cast<std::uint16_t>(entry.size_units + wrong), "size");
  }
  for (const std::uint8_t& octet : denial_key(entry)) {
    for (const std::uint8_t wrong : Bytes{0x00, 0x01, 0x02, 0x41, 0xff}) {
      if (octet != wrong) expect_refused(octet, wrong, "key");
    }
  }
  expect_refused(blob_body(denial_blob(entry))[2], std::uint8_t{'x'}, "the record's owner");
  expect_refused(denial_blob(entry).body_count, std::uint16_t{1}, "records");
  EXPECT_TRUE(is_good());

  const View view = store_.view();
  const ZoneState& state = view.zone(*lookup(view, "z.test").record);
  for (const int wrong : {-1, 1, 1000}) {
    expect_refused(state.signed_units, static_cast<std::uint16_t>(state.signed_units + wrong),
                   "where the signed answer is");
    expect_refused(state.chain_units, static_cast<std::uint16_t>(state.chain_units + wrong),
                   "where the chain is");
  }
  EXPECT_TRUE(is_good());
}

// Slots that lead to the right records in the wrong order.
TEST_F(DamagedChain, IsRefusedWhereItsRecordsAreNotInOrder) {
  fill(20);
  const DenialReader reader(store_.view().heap(0));
  const DenialNode& leaf = reader.node(chain()->root);
  auto* heads = const_cast<std::uint64_t*>(denial_heads(leaf));
  auto* entries = const_cast<HeapRef*>(denial_entries(leaf));
  std::swap(heads[4], heads[5]);
  std::swap(entries[4], entries[5]);
  EXPECT_FALSE(is_good());
  std::swap(heads[4], heads[5]);
  std::swap(entries[4], entries[5]);
  EXPECT_TRUE(is_good());
}

}  // namespace
}  // namespace brink::snapshot
