#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "dataplane/snapshot/builder.h"
#include "dataplane/snapshot/checksum.h"
#include "dataplane/snapshot/image.h"
#include "dataplane/snapshot/verify.h"
#include "dataplane/snapshot/view.h"
#include "tests/support/wire_name.h"

namespace brink::snapshot {
namespace {

using Bytes = std::vector<std::uint8_t>;
using test::wire_name;

// A blob with one record of `type` whose data is `rdata`.
Bytes blob(std::uint16_t type, const Bytes& rdata) {
  BlobHeader header{};
  header.body_size = static_cast<std::uint16_t>(12 + rdata.size());
  header.body_count = 1;
  Bytes out(sizeof header);
  std::memcpy(out.data(), &header, sizeof header);
  for (const int byte :
       {0xc0, 0x0c, type >> 8, type & 0xff, 0, 1, 0, 0, 1, 0x2c,
        static_cast<int>(rdata.size() >> 8), static_cast<int>(rdata.size() & 0xff)}) {
    out.push_back(static_cast<std::uint8_t>(byte));
  }
  out.insert(out.end(), rdata.begin(), rdata.end());
  if (out.size() % 2 != 0) out.push_back(0);
  return out;
}

Rrset a(std::uint8_t last) {
  return {1, blob(1, {192, 0, 2, last})};
}

base::HashKey key_of_seed(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  base::HashKey key;
  for (auto& byte : key.bytes) byte = static_cast<std::uint8_t>(random());
  return key;
}

class SnapshotTest : public ::testing::Test {
 protected:
  SnapshotTest() : builder_(key_of_seed(1)) {
    zone_ = builder_.add_zone(wire_name("example.com"), 7, blob(6, Bytes(22))).value();
  }
  void add(const std::string& name, const std::vector<Rrset>& sets, const Bytes& route = {},
           bool cut = false) {
    const auto added = builder_.add_name(zone_, wire_name(name), sets, route, cut);
    ASSERT_TRUE(added.ok()) << added.error().message();
  }
  Image build() {
    auto image = Image::build(builder_, 3, 4);
    EXPECT_TRUE(image.ok());
    const auto verified = verify(image.value().bytes());
    EXPECT_TRUE(verified.ok()) << verified.error().message();
    return std::move(image).value();
  }
  static Lookup lookup(const Image& image, const std::string& name) {
    const View view(image.data());
    NameKey key;
    const Bytes bytes = wire_name(name);
    set_key(key, view.hash_key(), bytes.data(), bytes.size(), bytes.size());
    return view.lookup(key);
  }
  Builder builder_;
  std::uint32_t zone_;
};

TEST_F(SnapshotTest, FindsWhatWasAddedWhateverTheCase) {
  add("WWW.example.com", {a(1)});
  const Image image = build();
  const Lookup found = lookup(image, "www.EXAMPLE.com");
  ASSERT_TRUE(found.exact);
  const View view(image.data());
  const BlobHeader* set = view.blob(*found.record, 1);
  ASSERT_NE(set, nullptr);
  EXPECT_EQ(blob_body(*set)[15], 1);
  EXPECT_EQ(view.blob(*found.record, 28), nullptr);
  EXPECT_EQ(found.record->apex_size, 13);
}

TEST_F(SnapshotTest, MissEndsAtTheClosestEncloserAndItsWildcard) {
  add("a.b.c.example.com", {a(1)});
  add("*.c.example.com", {a(2)});
  const Image image = build();
  const View view(image.data());

  const Lookup below = lookup(image, "x.y.c.example.com");
  EXPECT_FALSE(below.exact);
  ASSERT_NE(below.record, nullptr);
  EXPECT_NE(below.record->flags & kWildcard, 0);
  EXPECT_EQ(below.encloser, lookup(image, "c.example.com").record);

  const Lookup blocked = lookup(image, "x.b.c.example.com");
  EXPECT_EQ(blocked.record, nullptr) << "b.c exists, so the wildcard of c does not reach below it";
  EXPECT_EQ(blocked.encloser, lookup(image, "b.c.example.com").record);
}

TEST_F(SnapshotTest, EveryAncestorExistsAsEmptyNonTerminal) {
  add("a.b.c.example.com", {a(1)});
  const Image image = build();
  const Lookup ent = lookup(image, "b.c.example.com");
  ASSERT_TRUE(ent.exact);
  EXPECT_NE(ent.record->flags & kEmptyNonTerminal, 0);
  EXPECT_EQ(ent.record->zone, zone_);
}

TEST_F(SnapshotTest, NamesOutsideEveryZoneHaveNoEncloser) {
  add("www.example.com", {a(1)});
  const Image image = build();
  for (const char* name : {"com", "example.org", "xexample.com", "", "www.example.com.au"}) {
    EXPECT_EQ(lookup(image, name).encloser, nullptr) << name;
  }
}

TEST_F(SnapshotTest, LongAndDeepNamesAreFound) {
  const std::string long_label(63, 'q');
  const std::string longest = long_label + "." + long_label + "." + long_label + ".example.com";
  std::string deep = "example.com";
  for (int i = 0; i < 100; ++i) deep = "d." + deep;
  add(longest, {a(1)});
  add(deep, {a(2)});
  const Image image = build();
  EXPECT_TRUE(lookup(image, longest).exact);
  EXPECT_TRUE(lookup(image, deep).exact);
  EXPECT_EQ(lookup(image, "x." + deep).encloser, lookup(image, deep).record);
}

TEST_F(SnapshotTest, HoldsManyTypesAndARouteAtOneName) {
  std::vector<Rrset> sets = {
      a(1), {16, blob(16, Bytes(200, 65))}, {28, blob(28, Bytes(16))}, {15, blob(15, {0, 10, 0})}};
  add("www.example.com", sets, {1, 2, 3});
  const Image image = build();
  const View view(image.data());
  const Record& record = *lookup(image, "www.example.com").record;
  for (const std::uint16_t type : std::vector<std::uint16_t>{1, 16, 28, 15})
    EXPECT_NE(view.blob(record, type), nullptr) << type;
  EXPECT_EQ(view.blob(record, 2), nullptr);
  EXPECT_EQ(view.rrsets(record).size(), 3U) << "one is inline";
  const auto route = view.route(record);
  EXPECT_EQ(Bytes(route.begin(), route.end()), (Bytes{1, 2, 3}));
}

TEST_F(SnapshotTest, ChildZoneOwnsItsNamesAndKeepsTheParentsDs) {
  const Rrset ns{2, blob(2, wire_name("ns.example.net"))};
  const Rrset ds{43, blob(43, Bytes(36))};
  for (const bool parent_first : {true, false}) {
    Builder builder(key_of_seed(2));
    const auto parent = builder.add_zone(wire_name("example.com"), 1, blob(6, Bytes(22))).value();
    const auto delegate = [&] {
      ASSERT_TRUE(
          builder.add_name(parent, wire_name("sub.example.com"), std::vector{ns, ds}, {}, true)
              .ok());
      ASSERT_TRUE(
          builder.add_name(parent, wire_name("sub2.example.com"), std::vector{a(9)}, {}, false)
              .ok());
    };
    if (parent_first) delegate();
    const auto child =
        builder.add_zone(wire_name("sub.example.com"), 1, blob(6, Bytes(22))).value();
    ASSERT_TRUE(
        builder.add_name(child, wire_name("sub.example.com"), std::vector{a(5)}, {}, false).ok());
    if (!parent_first) delegate();
    const Image image = std::move(Image::build(builder, 1, 1)).value();
    const auto verified = verify(image.bytes());
    ASSERT_TRUE(verified.ok()) << verified.error().message();
    const View view(image.data());
    const Lookup found = lookup(image, "sub.example.com");
    EXPECT_EQ(found.record->zone, child);
    EXPECT_NE(found.record->flags & kApex, 0);
    EXPECT_EQ(found.record->flags & kCut, 0);
    EXPECT_NE(found.record->flags & kParentSide, 0);
    EXPECT_NE(view.blob(*found.record, 43), nullptr);
    EXPECT_NE(view.blob(*found.record, 1), nullptr);
    EXPECT_EQ(view.blob(*found.record, 2), nullptr) << "the delegation's NS set is not the child's";
  }
}

TEST_F(SnapshotTest, BuilderRefusesNonsense) {
  EXPECT_FALSE(builder_.add_zone(wire_name("EXAMPLE.com"), 1, blob(6, Bytes(22))).ok());
  EXPECT_FALSE(builder_.add_zone(Bytes{3, 'a'}, 1, blob(6, Bytes(22))).ok());
  EXPECT_FALSE(
      builder_.add_name(zone_, wire_name("www.example.org"), std::vector{a(1)}, {}, false).ok());
  EXPECT_FALSE(
      builder_.add_name(zone_, wire_name("wwwexample.com"), std::vector{a(1)}, {}, false).ok());
  add("www.example.com", {a(1)});
  EXPECT_FALSE(
      builder_.add_name(zone_, wire_name("www.example.com"), std::vector{a(1)}, {}, false).ok());
}

TEST_F(SnapshotTest, ManyNamesAllFoundAndStrangersNot) {
  for (int i = 0; i < 50000; ++i) add("host" + std::to_string(i) + ".example.com", {a(1)});
  const Image image = build();
  for (int i = 0; i < 50000; ++i) {
    ASSERT_TRUE(lookup(image, "host" + std::to_string(i) + ".example.com").exact) << i;
    ASSERT_FALSE(lookup(image, "ghost" + std::to_string(i) + ".example.com").exact) << i;
  }
}

TEST_F(SnapshotTest, AnyFlippedByteIsRefusedOrHarmless) {
  add("www.example.com", {a(1)});
  add("*.w.example.com", {{16, blob(16, Bytes(60, 1))}});
  const Image image = build();
  // Past the checksum: what a defective builder could produce.
  alignas(128) static std::uint8_t copy[1 << 16];
  const std::size_t size = image.bytes().size();
  ASSERT_LE(size, sizeof copy);
  for (std::size_t at = 0; at < size; ++at) {
    std::memcpy(copy, image.data(), size);
    copy[at] ^= 0x41;
    ASSERT_FALSE(verify({copy, size}).ok()) << "the checksum must notice byte " << at;
    auto* header = reinterpret_cast<ImageHeader*>(copy);
    header->crc32c = 0;
    header->crc32c = crc32c({copy, size});
    if (!verify({copy, size}).ok()) continue;
    const View view(copy);
    NameKey key;
    for (const char* name : {"www.example.com", "x.w.example.com", "nope.example.com"}) {
      ASSERT_TRUE(set_key_from_text(key, view.hash_key(), name));
      const Lookup found = view.lookup(key);
      if (found.record != nullptr) static_cast<void>(view.blob(*found.record, 16));
    }
  }
}

TEST_F(SnapshotTest, TruncatedImageIsRefusedAtEveryLength) {
  add("www.example.com", {a(1)});
  const Image image = build();
  for (std::size_t size = 0; size < image.bytes().size(); size += 13) {
    EXPECT_FALSE(verify(image.bytes().first(size)).ok()) << size;
  }
}

TEST_F(SnapshotTest, SealedMemfdIsReceivedAndAnUnsealedOneRefused) {
  add("www.example.com", {a(1)});
  std::uint64_t size = 0;
  const auto fd = build_sealed(builder_, 9, 1, size);
  ASSERT_TRUE(fd.ok());
  auto image = Image::receive(fd.value().get(), size);
  ASSERT_TRUE(image.ok()) << image.error().message();
  EXPECT_EQ(image.value().header().snapshot_version, 9U);
  EXPECT_FALSE(Image::receive(fd.value().get(), size + 1).ok());

  base::UniqueFd loose(::memfd_create("loose", MFD_ALLOW_SEALING));
  ASSERT_EQ(::write(loose.get(), image.value().data(), size), static_cast<ssize_t>(size));
  const auto refused = Image::receive(loose.get(), size);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().what.find("sealed"), std::string::npos);
}

TEST_F(SnapshotTest, DiskKeepsTheLastGoodImage) {
  char directory[] = "/tmp/brink-image-XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  const std::string path = std::string(directory) + "/image";
  EXPECT_FALSE(Image::load(path).ok());
  add("www.example.com", {a(1)});
  const Image image = build();
  ASSERT_TRUE(image.save(path).ok());
  EXPECT_TRUE(lookup(Image::load(path).value(), "www.example.com").exact);

  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 128);
  const auto torn = Image::load(path);
  ASSERT_FALSE(torn.ok());
  EXPECT_NE(torn.error().where.find(path), std::string::npos);
  std::ofstream(path, std::ios::trunc) << "not an image";
  EXPECT_FALSE(Image::load(path).ok());
  EXPECT_FALSE(image.save(std::string(directory) + "/no/such/image").ok());
  std::filesystem::remove_all(directory);
}

TEST(EmptyImage, VerifiesAndKnowsNoName) {
  const auto image = Image::empty();
  ASSERT_TRUE(image.ok());
  ASSERT_TRUE(verify(image.value().bytes()).ok());
  const View view(image.value().data());
  NameKey key;
  ASSERT_TRUE(set_key_from_text(key, view.hash_key(), "www.example.com"));
  EXPECT_EQ(view.lookup(key).encloser, nullptr);
}

TEST(NameKeyText, AcceptsHostNamesAndRefusesTheRest) {
  const base::HashKey hash_key = key_of_seed(3);
  NameKey from_text;
  NameKey from_wire;
  const Bytes bytes = wire_name("www.example.com");
  set_key(from_wire, hash_key, bytes.data(), bytes.size(), bytes.size());
  for (const char* text : {"www.example.com", "WWW.Example.Com."}) {
    ASSERT_TRUE(set_key_from_text(from_text, hash_key, text));
    EXPECT_EQ(from_text.hash, from_wire.hash);
    EXPECT_EQ(from_text.size, from_wire.size);
  }
  const std::string label63(63, 'a');
  EXPECT_TRUE(set_key_from_text(from_text, hash_key, label63 + ".example"));
  for (const std::string& text :
       {std::string(), std::string("."), std::string("a..b"), std::string(".a"), std::string("a b"),
        "a" + label63 + ".example", std::string(254, 'a'), std::string("a\\.b"),
        std::string("a\n")}) {
    EXPECT_FALSE(set_key_from_text(from_text, hash_key, text)) << text;
  }
}

TEST(NameKeySizes, EverySizeIsPaddedWithZeros) {
  const base::HashKey hash_key = key_of_seed(4);
  for (std::size_t size = 3; size <= 255; ++size) {
    Bytes name;
    while (name.size() + 1 < size) {
      std::size_t label = std::min<std::size_t>(63, size - name.size() - 2);
      if (size - name.size() - 2 - label == 1) --label;
      name.push_back(static_cast<std::uint8_t>(label));
      name.insert(name.end(), label, 'X');
    }
    name.push_back(0);
    ASSERT_EQ(wire_name_size(name), size);
    NameKey key;
    std::memset(&key, 0xee, sizeof key);
    set_key(key, hash_key, name.data(), size, size);
    for (std::size_t i = 0; i < 32; ++i) ASSERT_EQ(key.bytes[size + i], 0) << size;
    for (std::size_t i = 0; i < size; ++i) {
      ASSERT_EQ(key.bytes[i], name[i] == 'X' ? 'x' : name[i]);
    }
  }
}

}  // namespace
}  // namespace brink::snapshot
