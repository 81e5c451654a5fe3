#include "dataplane/snapshot/view.h"

#include <gtest/gtest.h>

#include "dataplane/snapshot/builder.h"
#include "dataplane/snapshot/snapshot_fixture.h"

namespace brink::snapshot {
namespace {

class ViewTest : public ::testing::Test {
 protected:
  ViewTest() : builder_(key_of_seed(1)) {
    EXPECT_TRUE(builder_.put_zone(wire_name("example.com"), {7, soa()}).ok());
    add("example.com", {a(9)});
  }
  void add(const std::string& name, const std::vector<Rrset>& sets, const Bytes& route = {}) {
    const auto added = builder_.put_name(wire_name(name), {sets, route});
    ASSERT_TRUE(added.ok()) << added.error().message();
  }
  Image build() {
    Image image = builder_.finish(3, 4).value();
    const auto verified = image.verify();
    EXPECT_TRUE(verified.ok()) << verified.error().message();
    return image;
  }
  Builder builder_;
};

TEST_F(ViewTest, FindsWhatWasPutWhateverTheCase) {
  add("WWW.example.com", {a(1)});
  const Image image = build();
  const View view = image.view();
  const Lookup found = lookup(view, "www.EXAMPLE.com");
  ASSERT_TRUE(found.exact);
  EXPECT_EQ(a_of(view, "www.example.COM"), 1);
  EXPECT_EQ(view.blob(*found.record, 28), nullptr);
  EXPECT_EQ(found.record->apex_size, 13);
  EXPECT_EQ(view.zone(*found.record).serial, 7U);
}

TEST_F(ViewTest, MissEndsAtTheClosestEncloserAndItsWildcard) {
  add("a.b.c.example.com", {a(1)});
  add("*.c.example.com", {a(2)});
  const Image image = build();
  const View view = image.view();
  const Lookup below = lookup(view, "x.y.c.example.com");
  EXPECT_FALSE(below.exact);
  ASSERT_NE(below.record, nullptr);
  EXPECT_NE(below.record->flags & kWildcard, 0);
  EXPECT_EQ(below.encloser, lookup(view, "example.com").record) << "the empty name has no zone";
  const Lookup blocked = lookup(view, "x.b.c.example.com");
  EXPECT_EQ(blocked.record, nullptr) << "b.c exists, so the wildcard of c does not reach below it";
  EXPECT_NE(blocked.encloser, nullptr);
}

TEST_F(ViewTest, EveryAncestorIsThere) {
  add("a.b.c.example.com", {a(1)});
  const Image image = build();
  const Lookup found = lookup(image.view(), "b.c.example.com");
  ASSERT_TRUE(found.exact);
  EXPECT_NE(found.record->flags & kEmpty, 0);
  EXPECT_EQ(found.encloser, lookup(image.view(), "example.com").record);
}

TEST_F(ViewTest, NamesOutsideEveryZoneHaveNoEncloser) {
  add("www.example.com", {a(1)});
  const Image image = build();
  for (const char* name : {"com", "example.org", "xexample.com", "", "www.example.com.au"}) {
    EXPECT_EQ(lookup(image.view(), name).encloser, nullptr) << name;
    EXPECT_EQ(lookup(image.view(), name).record, nullptr) << name;
  }
}

TEST_F(ViewTest, LongAndDeepNamesAreFound) {
  const std::string label(63, 'q');
  const std::string longest = label + "." + label + "." + label + ".example.com";
  std::string deep = "example.com";
  for (int i = 0; i < 100; ++i) deep = "d." + deep;
  add(longest, {a(1)});
  add(deep, {a(2)});
  const Image image = build();
  const View view = image.view();
  EXPECT_EQ(a_of(view, longest), 1);
  EXPECT_EQ(a_of(view, deep), 2);
  EXPECT_EQ(lookup(view, "x." + deep).encloser, lookup(view, deep).record);
}

TEST_F(ViewTest, HoldsManyTypesAndARouteAtOneName) {
  add("www.example.com",
      {a(1), {16, blob(16, Bytes(200, 65))}, {28, blob(28, Bytes(16))}, {15, blob(15, {0, 10, 0})}},
      {1, 2, 3});
  const Image image = build();
  const View view = image.view();
  const Record& record = *lookup(view, "www.example.com").record;
  for (const std::uint16_t type : {std::uint16_t{1}, std::uint16_t{15}, std::uint16_t{16},
                                   std::uint16_t{28}}) {
    EXPECT_NE(view.blob(record, type), nullptr) << type;
  }
  EXPECT_EQ(view.blob(record, 2), nullptr);
  EXPECT_EQ(view.rrsets(record).size(), 3U) << "one is inline";
  const auto route = view.route(record);
  EXPECT_EQ(Bytes(route.begin(), route.end()), (Bytes{1, 2, 3}));
}

TEST_F(ViewTest, ManyNamesAreFoundAndStrangersNot) {
  for (int i = 0; i < 50000; ++i) add("host" + std::to_string(i) + ".example.com", {a(1)});
  const Image image = build();
  for (int i = 0; i < 50000; ++i) {
    ASSERT_TRUE(lookup(image.view(), "host" + std::to_string(i) + ".example.com").exact) << i;
    ASSERT_FALSE(lookup(image.view(), "ghost" + std::to_string(i) + ".example.com").exact) << i;
  }
}

TEST_F(ViewTest, AnotherTakesTheImagesPlace) {
  add("www.example.com", {a(1)});
  Image image = Image::create({}, {}).value();
  image = build();
  EXPECT_TRUE(lookup(image.view(), "www.example.com").exact);
  image = Image::create({}, {}).value();
  EXPECT_TRUE(image.verify().ok());
  EXPECT_EQ(lookup(image.view(), "www.example.com").encloser, nullptr);
}

TEST(EmptyImage, VerifiesAndKnowsNoName) {
  const auto image = Image::create({}, {});
  ASSERT_TRUE(image.ok());
  EXPECT_TRUE(image.value().verify().ok());
  EXPECT_EQ(lookup(image.value().view(), "www.example.com").encloser, nullptr);
  EXPECT_EQ(lookup(image.value().view(), "").encloser, nullptr);
}

}  // namespace
}  // namespace brink::snapshot
