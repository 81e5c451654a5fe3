// The name tree: keys, and the questions that are ranges of them.
#include "ctl/store/key.h"
#include "ctl/store/store_fixture.h"

namespace brink::ctl::store {
namespace {

DomainName name(std::string_view text) {
  return DomainName::parse(text).value();
}

TEST(TreeKey, SortsWhatIsBelowRightBehindItsName) {
  const std::vector<std::string> order = {"com",
                                          "example.com",
                                          "a.example.com",
                                          "b.a.example.com",
                                          "*.b.example.com",
                                          "b-.example.com",
                                          "example0.com",
                                          "example-.net",
                                          "net"};
  std::vector<TreeKey> keys;
  for (const auto& text : order) keys.push_back(tree_key(name(text)));
  std::vector<std::string> sorted = order;
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return tree_key(name(a)) < tree_key(name(b)); });
  const auto at = [&](const std::string& text) {
    return std::find(sorted.begin(), sorted.end(), text) - sorted.begin();
  };
  EXPECT_EQ(sorted.front(), "com");
  EXPECT_EQ(at("a.example.com"), at("example.com") + 1);
  EXPECT_EQ(at("b.a.example.com"), at("a.example.com") + 1);
}

TEST(TreeKey, BoundsASubtreeWhateverOctetsItsLabelsHave) {
  const DomainName top = name("a.test");
  const TreeKey first = tree_key(top), end = end_of_subtree(first);
  for (const char* below :
       {"a.test", "b.a.test", "\\000.a.test", "\\255.a.test", "x.\\001.a.test"}) {
    const TreeKey key = tree_key(name(below));
    EXPECT_TRUE(key >= first && key < end) << below;
  }
  for (const char* beside :
       {"test", "a\\000.test", "a\\001.test", "aa.test", "x.b.test", "\\000.test"}) {
    const TreeKey key = tree_key(name(beside));
    EXPECT_FALSE(key >= first && key < end) << beside;
  }
}

TEST(TreeKey, GivesTheNameBack) {
  for (const char* text : {"com", "a.b.c.test", "*.x", "\\000\\001\\255.a\\.b.test", "."}) {
    EXPECT_EQ(name_of(tree_key(name(text))), name(text)) << text;
  }
}

TEST(TargetKey, IsTheNameThatDataPointsAt) {
  const DomainName origin = name("example.com");
  const auto target = [&](const std::string& type, const std::string& text) -> std::string {
    const auto code = *model::type_from_text(type);
    const auto key = target_key(code, model::rdata_from_text(code, text, origin).value());
    return key ? name_of(*key).text() : "none";
  };
  EXPECT_EQ(target("CNAME", "Www"), "www.example.com");
  EXPECT_EQ(target("DNAME", "x.test."), "x.test");
  EXPECT_EQ(target("NS", "ns1"), "ns1.example.com");
  EXPECT_EQ(target("MX", "10 mail"), "mail.example.com");
  EXPECT_EQ(target("MX", "0 ."), "none");
  EXPECT_EQ(target("SRV", "1 2 443 sip"), "sip.example.com");
  EXPECT_EQ(target("HTTPS", "1 svc.test. alpn=h2"), "svc.test");
  EXPECT_EQ(target("A", "192.0.2.1"), "none");
  EXPECT_EQ(target("PTR", "www"), "none");
  EXPECT_EQ(target("NS", "A\\.B\\000\\001.Test."), "a\\.b\\000\\001.test");
  EXPECT_FALSE(target_key(model::kTypeMx, std::vector<std::uint8_t>{0}));
  using Octets = std::vector<std::uint8_t>;
  EXPECT_FALSE(target_key(model::kTypeNs, Octets{1, 'a'})) << "without an end";
  EXPECT_FALSE(target_key(model::kTypeNs, Octets{5, 'a', 0})) << "cut short";
  Octets longest(255), label(66);
  for (std::size_t at = 0; at < 254; at += 2) longest[at] = 1;
  EXPECT_TRUE(target_key(model::kTypeNs, longest));
  longest.insert(longest.begin(), {1, 'a'});
  EXPECT_FALSE(target_key(model::kTypeNs, longest));
  label[0] = 64;
  EXPECT_FALSE(target_key(model::kTypeNs, label));
}

using TreeTest = StoreTest;

TEST_F(TreeTest, FindsZonesBelow) {
  for (const char* zone : {"test", "a.test", "c.b.a.test", "b.test", "ab.test"}) add_zone(zone);
  EXPECT_EQ(store_->zones_below(name("a.test")), (std::vector{name("c.b.a.test")}));
  EXPECT_EQ(store_->zones_below(name("test")).size(), 4U);
}

TEST_F(TreeTest, FindsNamesAtAndBelow) {
  const Zone zone = add_zone("test");
  add(zone, "a", "A", "203.0.113.1");
  add(zone, "b.a", "A", "203.0.113.1");
  add(zone, "b.a", "TXT", "x");
  add(zone, "ab", "A", "203.0.113.1");
  add(add_zone("b.a.test"), "z", "A", "203.0.113.1");
  std::vector<DomainName> seen;
  const auto take = [&](const DomainName& each) { return seen.push_back(each), true; };
  store_->for_each_name(zone, name("a.test"), take);
  EXPECT_EQ(seen, (std::vector{name("a.test"), name("b.a.test")}));
  store_->for_each_name(zone, name("test"), [&](const DomainName&) { return false; });
  EXPECT_TRUE(store_->has_records_within(zone, name("a.test")));
  EXPECT_FALSE(store_->has_records_within(zone, name("z.b.a.test")));
  EXPECT_TRUE(store_->has_record(zone, name("b.a.test"), model::kTypeTxt));
  EXPECT_FALSE(store_->has_record(zone, name("a.test"), model::kTypeTxt));
}

TEST_F(TreeTest, FindsWhatPointsAtANameOrBelow) {
  const Zone zone = add_zone("a.test"), other = add_zone("b.test");
  add(zone, "one", "CNAME", "www.b.test");
  add(other, "two", "CNAME", "www.b.test");
  add(other, "three", "CNAME", "x.www.b.test");
  Record moved = add(zone, "four", "CNAME", "elsewhere.test");
  add(zone, "@", "MX", "10 www.b.test");
  add(other, "@", "MX", "10 www.b.test");
  const auto owners = [](const std::vector<Pointer>& pointers) {
    std::vector<std::string> texts;
    for (const Pointer& pointer : pointers) texts.push_back(pointer.owner.text());
    std::sort(texts.begin(), texts.end());
    return texts;
  };
  const DomainName www = name("www.b.test");
  using Texts = std::vector<std::string>;
  EXPECT_EQ(owners(store_->aliases_to(www, Reach::kName)), (Texts{"one.a.test", "two.b.test"}));
  EXPECT_EQ(owners(store_->aliases_to(www, Reach::kSubtree)),
            (Texts{"one.a.test", "three.b.test", "two.b.test"}));
  EXPECT_EQ(owners(store_->pointers_to(zone.row, www, Reach::kName)), (Texts{"a.test"}));
  EXPECT_EQ(owners(store_->pointers_to(other.row, name("b.test"), Reach::kSubtree)),
            (Texts{"b.test"}));
  add(other, "cut", "NS", "www.b.test");
  EXPECT_EQ(owners(store_->pointers_to(other.row, www, Reach::kName)),
            (Texts{"b.test", "cut.b.test"}));
  moved.rdata = www.wire();
  store_->update_record(moved);
  EXPECT_EQ(store_->aliases_to(www, Reach::kName).size(), 3U);
  EXPECT_TRUE(store_->aliases_to(name("elsewhere.test"), Reach::kName).empty());
}

}  // namespace
}  // namespace brink::ctl::store
