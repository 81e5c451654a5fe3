// Names outside the served zones: which of them are asked for, and what their addresses become.
#include "ctl/compile/outside_names.h"

#include <gtest/gtest.h>

#include "ctl/compile/compile_fixture.h"
#include "ctl/compile/map_sink.h"
#include "ctl/store/resolved.h"

namespace brink::ctl::compile {
namespace {

using Names = std::vector<std::string>;

class OutsideTest : public ::testing::Test {
 protected:
  OutsideTest() { version_ = store_->version(); }
  model::Zone zone(const std::string& text) {
    model::Zone zone;
    zone.id = ids_.next();
    zone.name = name(text);
    zone.status = model::ZoneStatus::kActive;
    store_->insert_zone(zone);
    return zone;
  }
  void add(const model::Zone& zone, const std::string& owner, const std::string& type,
           const std::string& content, bool proxied = false, bool flatten = false,
           std::uint32_t ttl = model::kTtlAutomatic) {
    model::RecordDraft draft{.name = owner, .type = type, .content = content, .ttl = ttl};
    draft.proxied = proxied;
    draft.settings.flatten_cname = flatten;
    auto record = model::make_record({}, zone, draft).value();
    record.id = ids_.next();
    store_->insert_record(zone, record);
  }
  void resolve(const std::string& text, const std::vector<std::string>& addresses) {
    store::ResolvedName resolved{name(text), {}, 90};
    for (const auto& each : addresses) resolved.addresses.push_back(*base::IpAddress::parse(each));
    store::ResolvedNames(*store_).put({resolved});
  }
  Names names() {
    outside_.update(*store_);
    Names list;
    for (const auto& each : outside_.names()) list.push_back(each.text());
    return list;
  }
  // What a transaction since the last call puts.
  std::uint64_t put() {
    const auto changes = store::History(*store_).changes_between(version_, store_->version());
    const auto counts = compile_changes(*store_, *changes, options_, sink_);
    EXPECT_TRUE(counts.ok() && sink_.finish().ok());
    version_ = store_->version();
    return counts.value().names_put;
  }
  const MapSink::Contents& at(const std::string& text) {
    const auto wire = name(text).wire();
    return sink_.names().at({wire.begin(), wire.end()});
  }
  std::string route(const std::string& text) {
    const auto& octets = at(text).route;
    return {octets.begin(), octets.end()};
  }

  std::unique_ptr<store::Store> store_ = empty_store();
  Ids ids_;
  Options options_ = test_options();
  OutsideNames outside_{options_};
  MapSink sink_;
  std::uint64_t version_ = 0;
};

TEST_F(OutsideTest, AsksOnlyForWhatIsProxiedOrFlattened) {
  const auto a = zone("a.test");
  add(a, "mail", "CNAME", "plain.example.net");
  add(a, "www", "CNAME", "shop.example.net", true);
  add(a, "flat", "CNAME", "flat.example.net", false, true);
  add(a, "@", "CNAME", "apex.example.net");
  add(a, "*.wild", "CNAME", "wild.example.net", true);
  add(a, "link", "CNAME", "mail.a.test");
  EXPECT_EQ(names(), (Names{"apex.example.net", "flat.example.net", "shop.example.net",
                            "wild.example.net"}));
  add(a, "far", "CNAME", "link.a.test", true);
  EXPECT_EQ(names().size(), 5U);
  for (const auto& record : store_->records_at(a, name("far.a.test"))) {
    store_->delete_record(record);
  }
  EXPECT_EQ(names().size(), 4U);
}

TEST_F(OutsideTest, SaysWhatAChangeDependsOn) {
  const auto a = zone("a.test");
  add(a, "www", "CNAME", "shop.example.net", true);
  EXPECT_EQ(outside_.update(*store_), std::vector{name("shop.example.net")});
  add(a, "b", "CNAME", "other.example.net", true);
  EXPECT_EQ(outside_.update(*store_), std::vector{name("other.example.net")});
  add(a, "c", "TXT", "x");
  EXPECT_TRUE(outside_.update(*store_).empty());
}

TEST_F(OutsideTest, StopsAskingForWhatComesInside) {
  const auto a = zone("a.test");
  add(a, "www", "CNAME", "shop.b.test", true);
  EXPECT_EQ(names(), Names{"shop.b.test"});
  const auto b = zone("b.test");
  EXPECT_EQ(names(), Names{});
  store_->delete_zone(b);
  EXPECT_EQ(names(), Names{"shop.b.test"});
}

TEST_F(OutsideTest, AddressesBecomeOriginsOfEveryNameThatLeadsThere) {
  const auto a = zone("a.test");
  add(a, "www", "CNAME", "shop.example.net", true);
  add(a, "far", "CNAME", "link.a.test", true);
  add(a, "link", "CNAME", "shop.example.net");
  add(a, "other", "A", "203.0.113.50");
  put();
  EXPECT_EQ(route("www.a.test"), "a.test");
  resolve("shop.example.net", {"203.0.113.9"});
  EXPECT_EQ(put(), 3U);
  EXPECT_EQ(route("www.a.test"), "a.test 203.0.113.9");
  EXPECT_EQ(route("far.a.test"), "a.test 203.0.113.9");
  resolve("shop.example.net", {});
  put();
  EXPECT_EQ(route("www.a.test"), "a.test");
}

// The TTL stands in the blob; two that differ in it differ in their octets.
TEST_F(OutsideTest, FlattenedAnswersCarryAddressesAndTheSmallerTtl) {
  const auto a = zone("a.test");
  add(a, "@", "CNAME", "shop.example.net");
  add(a, "long", "CNAME", "shop.example.net", false, true, 3600);
  add(a, "short", "CNAME", "shop.example.net", false, true, 60);
  put();
  EXPECT_FALSE(at("a.test").rrsets.contains(model::kTypeA));
  resolve("shop.example.net", {"203.0.113.9", "2001:db8::9"});
  put();
  for (const char* each : {"a.test", "long.a.test", "short.a.test"}) {
    EXPECT_TRUE(at(each).rrsets.contains(model::kTypeA)) << each;
    EXPECT_TRUE(at(each).rrsets.contains(model::kTypeAaaa)) << each;
    EXPECT_FALSE(at(each).rrsets.contains(model::kTypeCname)) << each;
    EXPECT_TRUE(at(each).route.empty()) << each;
  }
  EXPECT_EQ(at("long.a.test").rrsets.at(model::kTypeA), at("a.test").rrsets.at(model::kTypeA));
  EXPECT_NE(at("short.a.test").rrsets.at(model::kTypeA), at("a.test").rrsets.at(model::kTypeA));
}

}  // namespace
}  // namespace brink::ctl::compile
