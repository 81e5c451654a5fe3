// What records become in the image: read back through the view that the packet workers use.
#include "ctl/compile/compile.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ctl/compile/compile_fixture.h"
#include "dataplane/base/bytes.h"
#include "dataplane/snapshot/builder.h"
#include "dataplane/snapshot/transaction.h"
#include "dataplane/snapshot/view.h"

namespace brink::ctl::compile {
namespace {

using Texts = std::vector<std::string>;

// Zones and records as a test says them; a store of them when they are compiled.
class Script {
 public:
  model::Zone& add_zone(const std::string& zone_name) {
    model::Zone zone;
    zone.name = name(zone_name);
    zone.status = model::ZoneStatus::kActive;
    zone.serial = 2026010100;
    zones_.push_back({zone, {}});
    return zones_.back().zone;
  }
  // Adds to the last zone.
  void add(const std::string& owner, const std::string& type, const std::string& content,
           bool proxied = false, model::RecordSettings settings = {}) {
    model::RecordDraft draft{.name = owner, .type = type, .content = content, .proxied = proxied};
    draft.settings = settings;
    auto record = model::make_record({}, zones_.back().zone, draft);
    ASSERT_TRUE(record.ok()) << record.error().detail();
    zones_.back().records.push_back(std::move(record).value());
  }
  std::unique_ptr<store::Store> store() const {
    auto store = empty_store();
    store::Transaction change(*store, store::Transaction::Kind::kWrite);
    Ids ids;
    for (auto [zone, records] : zones_) {
      zone.id = ids.next();
      store->insert_zone(zone);
      for (auto& record : records) {
        record.id = ids.next();
        store->insert_record(zone, record);
      }
    }
    change.commit();
    return store;
  }

 private:
  struct Held {
    model::Zone zone;
    std::vector<model::Record> records;
  };
  std::vector<Held> zones_;
};

class CompileTest : public ::testing::Test {
 protected:
  base::Result<Counts> compile_into(snapshot::ChangeSink& sink) {
    const auto store = source_.store();
    return compile_all(*store, options_, sink);
  }
  void compile() {
    snapshot::Builder builder{base::HashKey{}};
    auto counts = compile_into(builder);
    ASSERT_TRUE(counts.ok()) << counts.error().message();
    counts_ = counts.value();
    auto image = builder.finish(7, 1);
    ASSERT_TRUE(image.ok()) << image.error().message();
    image_ = std::move(image).value();
  }
  const snapshot::Record* find(const std::string& owner) const {
    const snapshot::View view = image_.view();
    snapshot::NameKey key;
    const auto wire = name(owner).wire();
    snapshot::set_key(key, view.hash_key(), wire.data(), wire.size(), wire.size());
    return view.find(key);
  }
  std::string route(const std::string& owner) const {
    const auto* record = find(owner);
    if (record == nullptr) return "no name";
    const auto bytes = image_.view().route(*record);
    return {bytes.begin(), bytes.end()};
  }
  struct Answer {
    std::uint32_t ttl = 0;
    std::vector<model::Rdata> rdata;
  };
  Answer answer(const std::string& owner, model::RecordType type) const {
    Answer out;
    const snapshot::View view = image_.view();
    const auto* record = find(owner);
    const auto* blob = record == nullptr ? nullptr : view.blob(*record, type);
    if (blob == nullptr) return out;
    base::ByteReader reader(std::span(snapshot::blob_body(*blob), blob->body_size));
    for (unsigned i = 0; i < blob->body_count; ++i) {
      reader.skip(2 + 2 + 2);  // owner pointer, type, class
      out.ttl = reader.u32();
      const auto rdata = reader.bytes(reader.u16());
      out.rdata.emplace_back(rdata.begin(), rdata.end());
    }
    EXPECT_TRUE(reader.ok());
    return out;
  }
  Texts addresses(const std::string& owner, model::RecordType type = model::kTypeA) const {
    Texts out;
    for (const auto& rdata : answer(owner, type).rdata) {
      out.push_back(model::content_of(type, rdata).text);
    }
    return out;
  }
  bool has(const std::string& owner, model::RecordType type) const {
    return !answer(owner, type).rdata.empty();
  }

  const Texts kEdge4{"192.0.2.1", "192.0.2.2"};
  const Texts kEdge6{"2001:db8::1", "2001:db8::2"};
  Script source_;
  Options options_ = test_options();
  Counts counts_;
  snapshot::Image image_;
};

TEST_F(CompileTest, AnswersADnsOnlyRecordAsStored) {
  source_.add_zone("example.com");
  source_.add("mail", "A", "203.0.113.25");
  compile();
  EXPECT_EQ(addresses("mail.example.com"), (Texts{"203.0.113.25"}));
  EXPECT_EQ(answer("mail.example.com", model::kTypeA).ttl, 300U);
  EXPECT_EQ(route("mail.example.com"), "");
}

TEST_F(CompileTest, AnswersAProxiedNameWithTheEdgeInBothFamilies) {
  source_.add_zone("example.com");
  source_.add("www", "A", "203.0.113.10", true);
  source_.add("www", "TXT", "beside");
  compile();
  EXPECT_EQ(addresses("www.example.com"), kEdge4);
  EXPECT_EQ(addresses("www.example.com", model::kTypeAaaa), kEdge6);
  EXPECT_EQ(answer("www.example.com", model::kTypeA).ttl, 300U);
  EXPECT_EQ(route("www.example.com"), "example.com 203.0.113.10");
  EXPECT_TRUE(has("www.example.com", model::kTypeTxt));
  EXPECT_EQ(counts_.routes, 1U);
  EXPECT_EQ(counts_.names_put, 2U) << "with the apex";
}

TEST_F(CompileTest, OneProxiedAddressMakesAllAddressesOrigins) {
  source_.add_zone("example.com");
  source_.add("www", "A", "203.0.113.10", true);
  source_.add("www", "A", "203.0.113.11");
  source_.add("www", "AAAA", "2001:db8:1::10");
  compile();
  EXPECT_EQ(addresses("www.example.com"), kEdge4);
  EXPECT_EQ(route("www.example.com"), "example.com 203.0.113.10 203.0.113.11 2001:db8:1::10");
}

TEST_F(CompileTest, OneFamilyCanBeSwitchedOff) {
  source_.add_zone("example.com");
  source_.add("www", "A", "203.0.113.10", true, {.ipv4_only = true});
  compile();
  EXPECT_EQ(addresses("www.example.com"), kEdge4);
  EXPECT_FALSE(has("www.example.com", model::kTypeAaaa));
}

TEST_F(CompileTest, AZoneThatIsNotInForceProxiesNothing) {
  source_.add_zone("pending.test").status = model::ZoneStatus::kPending;
  source_.add("www", "A", "203.0.113.10", true);
  source_.add_zone("paused.test").paused = true;
  source_.add("www", "A", "203.0.113.11", true);
  compile();
  EXPECT_EQ(addresses("www.pending.test"), (Texts{"203.0.113.10"}));
  EXPECT_EQ(addresses("www.paused.test"), (Texts{"203.0.113.11"}));
  EXPECT_FALSE(has("www.pending.test", model::kTypeAaaa));
  EXPECT_EQ(route("www.pending.test") + route("www.paused.test"), "");
}

TEST_F(CompileTest, AProxiedAliasHidesItsTargetAndFindsItsOrigins) {
  source_.add_zone("example.com");
  source_.add("shop", "CNAME", "a.example.com", true);
  source_.add("a", "CNAME", "b.example.org");
  source_.add_zone("example.org");
  source_.add("b", "A", "203.0.113.20");
  source_.add("b", "A", "203.0.113.21", true);
  compile();
  EXPECT_EQ(addresses("shop.example.com"), kEdge4);
  EXPECT_FALSE(has("shop.example.com", model::kTypeCname));
  EXPECT_EQ(route("shop.example.com"), "example.com 203.0.113.20 203.0.113.21");
}

TEST_F(CompileTest, AProxiedAliasFindsItsOriginThroughAWildcard) {
  source_.add_zone("example.com");
  source_.add("shop", "CNAME", "x.y.pool.example.com", true);
  source_.add("*.pool", "A", "203.0.113.30");
  source_.add("blocked", "CNAME", "x.taken.pool.example.com", true);
  source_.add("a.taken.pool", "TXT", "makes taken.pool exist");
  compile();
  EXPECT_EQ(route("shop.example.com"), "example.com 203.0.113.30");
  EXPECT_EQ(route("blocked.example.com"), "example.com");
}

TEST_F(CompileTest, AnAliasThatLeadsNowhereHasARouteWithoutOrigins) {
  source_.add_zone("example.com");
  source_.add("out", "CNAME", "host.elsewhere.test", true);
  source_.add("loop", "CNAME", "pool.example.com", true);
  source_.add("pool", "CNAME", "loop.example.com", true);
  source_.add("gone", "CNAME", "absent.example.com", true);
  compile();
  EXPECT_EQ(route("out.example.com"), "example.com");
  EXPECT_EQ(route("loop.example.com"), "example.com");
  EXPECT_EQ(route("gone.example.com"), "example.com");
  EXPECT_EQ(addresses("out.example.com"), kEdge4);
}

TEST_F(CompileTest, AChainMayHaveEighteenLinks) {
  source_.add_zone("example.com");
  for (int i = 0; i < 18; ++i) {
    source_.add("c" + std::to_string(i), "CNAME", "c" + std::to_string(i + 1) + ".example.com");
  }
  source_.add("c18", "A", "203.0.113.40");
  source_.add("reaches", "CNAME", "c1.example.com", true);
  source_.add("too-far", "CNAME", "c0.example.com", true);
  compile();
  EXPECT_EQ(route("reaches.example.com"), "example.com 203.0.113.40");
  EXPECT_EQ(route("too-far.example.com"), "example.com");
}

TEST_F(CompileTest, ADnsOnlyAliasIsAnsweredAsItIs) {
  source_.add_zone("example.com");
  source_.add("alias", "CNAME", "mail.example.com");
  source_.add("mail", "A", "203.0.113.25");
  compile();
  EXPECT_TRUE(has("alias.example.com", model::kTypeCname));
  EXPECT_FALSE(has("alias.example.com", model::kTypeA));
  EXPECT_EQ(route("alias.example.com"), "");
}

TEST_F(CompileTest, ADnsOnlyAliasOfAProxiedNameBringsItsClientsToTheEdge) {
  source_.add_zone("example.com");
  source_.add("alias", "CNAME", "www.example.com");
  source_.add("www", "A", "203.0.113.10", true);
  compile();
  EXPECT_TRUE(has("alias.example.com", model::kTypeCname));
  EXPECT_EQ(route("alias.example.com"), "example.com 203.0.113.10");
}

TEST_F(CompileTest, AnApexAliasIsFlattened) {
  source_.add_zone("example.com");
  source_.add("@", "CNAME", "mail.example.com");
  source_.add("@", "MX", "10 mail.example.com");
  source_.add("mail", "A", "203.0.113.25");
  source_.add("wanted", "CNAME", "mail.example.com", false, {.flatten_cname = true});
  compile();
  EXPECT_FALSE(has("example.com", model::kTypeCname));
  EXPECT_EQ(addresses("example.com"), (Texts{"203.0.113.25"}));
  EXPECT_TRUE(has("example.com", model::kTypeMx));
  EXPECT_TRUE(has("example.com", model::kTypeNs));
  EXPECT_EQ(addresses("wanted.example.com"), (Texts{"203.0.113.25"}));
}

TEST_F(CompileTest, AProxiedAliasBesideOtherDataIsFlattenedWhenTheZoneIsPaused) {
  source_.add_zone("example.com").paused = true;
  source_.add("shop", "CNAME", "mail.example.com", true);
  source_.add("shop", "TXT", "beside");
  source_.add("mail", "A", "203.0.113.25");
  compile();
  EXPECT_EQ(addresses("shop.example.com"), (Texts{"203.0.113.25"}));
  EXPECT_TRUE(has("shop.example.com", model::kTypeTxt));
  EXPECT_EQ(route("shop.example.com"), "");
}

TEST_F(CompileTest, GlueBelowADelegationIsNeverProxied) {
  source_.add_zone("example.com");
  source_.add("sub", "NS", "ns1.sub.example.com");
  source_.add("ns1.sub", "A", "203.0.113.53", true);
  compile();
  EXPECT_EQ(counts_.routes, 0U);
  const auto* cut = find("sub.example.com");
  ASSERT_NE(cut, nullptr);
  const auto* blob = image_.view().blob(*cut, model::kTypeNs);
  ASSERT_NE(blob, nullptr);
  ASSERT_EQ(blob->required_count, 1U);
  const std::uint8_t glue[] = {203, 0, 113, 53};
  const std::uint8_t* end = snapshot::blob_body(*blob) + snapshot::blob_data_size(*blob);
  EXPECT_NE(std::search(snapshot::blob_body(*blob), end, glue, glue + 4), end);
}

TEST_F(CompileTest, AWildcardCanBeProxied) {
  source_.add_zone("example.com");
  source_.add("*", "A", "203.0.113.10", true);
  compile();
  EXPECT_EQ(addresses("*.example.com"), kEdge4);
  EXPECT_EQ(route("*.example.com"), "example.com 203.0.113.10");
}

TEST_F(CompileTest, AZoneWithoutAuthorityGetsTheDefaults) {
  source_.add_zone("example.com");
  compile();
  const Answer soa = answer("example.com", model::kTypeSoa);
  ASSERT_EQ(soa.rdata.size(), 1U);
  EXPECT_EQ(soa.ttl, 3600U);
  EXPECT_EQ(model::soa_serial(soa.rdata[0]), 2026010100U);
  const auto* fields = soa.rdata[0].data() + soa.rdata[0].size() - 16;
  EXPECT_EQ(base::load_be32(fields), 10000U);
  EXPECT_EQ(base::load_be32(fields + 4), 2400U);
  EXPECT_EQ(base::load_be32(fields + 8), 604800U);
  EXPECT_EQ(base::load_be32(fields + 12), 1800U);
  EXPECT_EQ(answer("example.com", model::kTypeNs).rdata.size(), 2U);
  EXPECT_EQ(answer("example.com", model::kTypeNs).ttl, 86400U);
}

TEST_F(CompileTest, AZoneKeepsItsOwnAuthority) {
  auto& zone = source_.add_zone("example.com");
  zone.soa = {1200, model::rdata_from_text(model::kTypeSoa,
                                           "ns.example.com. h.example.com. 1 2 3 4 5", zone.name)
                        .value()};
  source_.add("@", "NS", "ns.example.net");
  compile();
  const Answer soa = answer("example.com", model::kTypeSoa);
  EXPECT_EQ(soa.ttl, 1200U);
  EXPECT_EQ(model::soa_serial(soa.rdata.at(0)), 2026010100U) << "the zone's serial, not the file's";
  EXPECT_EQ(answer("example.com", model::kTypeNs).rdata.size(), 1U);
}

TEST_F(CompileTest, AZoneAnswersFromItsOwnSets) {
  options_.more_edge_addresses = {{*base::IpAddress::parse("192.0.2.17")}};
  options_.authority.more_name_servers = {{name("ns.other.test")}};
  auto& zone = source_.add_zone("example.com");
  zone.dns.address_set = 1;
  zone.dns.name_server_set = 1;
  zone.dns.ns_ttl = 60;
  source_.add("www", "A", "203.0.113.10", true);
  compile();
  EXPECT_EQ(addresses("www.example.com"), (Texts{"192.0.2.17"}));
  EXPECT_EQ(addresses("example.com", model::kTypeNs), (Texts{"ns.other.test"}));
  EXPECT_EQ(answer("example.com", model::kTypeNs).ttl, 60U);
}

TEST_F(CompileTest, AZoneWithoutIpv6HasNoAaaaForProxiedNames) {
  source_.add_zone("example.com").dns.ipv6 = false;
  source_.add("www", "A", "203.0.113.10", true);
  source_.add("alias", "CNAME", "www.example.com", false, {.flatten_cname = true});
  source_.add("six", "AAAA", "2001:db8:1::1", true, {.ipv6_only = true});
  source_.add("plain", "AAAA", "2001:db8:1::2");
  compile();
  for (const char* owner : {"www.example.com", "alias.example.com", "six.example.com"}) {
    EXPECT_EQ(addresses(owner), kEdge4) << owner;
    EXPECT_FALSE(has(owner, model::kTypeAaaa)) << owner;
  }
  EXPECT_TRUE(has("plain.example.com", model::kTypeAaaa)) << "DNS-only records are left alone";
}

TEST_F(CompileTest, AZoneMayFlattenEveryAlias) {
  source_.add_zone("example.com").dns.flatten_all_cnames = true;
  source_.add("mail", "A", "203.0.113.25");
  source_.add("alias", "CNAME", "mail.example.com");
  compile();
  EXPECT_EQ(addresses("alias.example.com"), (Texts{"203.0.113.25"}));
  EXPECT_FALSE(has("alias.example.com", model::kTypeCname));
}

TEST_F(CompileTest, ADnsOnlyZoneAnswersWithOrigins) {
  for (const bool by_account : {false, true}) {
    source_ = {};
    auto& zone = source_.add_zone("example.com");
    zone.dns.mode = by_account ? model::ZoneMode::kStandard : model::ZoneMode::kDnsOnly;
    zone.dns.enforce_dns_only = by_account;
    source_.add("www", "A", "203.0.113.10", true);
    compile();
    EXPECT_EQ(addresses("www.example.com"), (Texts{"203.0.113.10"}));
    EXPECT_EQ(route("www.example.com"), "");
  }
}

TEST_F(CompileTest, ApexServersAreTheZonesOwnTheAssignedOrBoth) {
  const auto servers = [this](bool multi_provider, bool own_apex_ns) {
    source_ = {};
    source_.add_zone("example.com").dns.multi_provider = multi_provider;
    source_.add("@", "NS", "ns.example.net");
    options_.authority.own_apex_ns = own_apex_ns;
    compile();
    return answer("example.com", model::kTypeNs).rdata.size();
  };
  EXPECT_EQ(servers(false, true), 1U);
  EXPECT_EQ(servers(false, false), 2U);
  EXPECT_EQ(servers(true, true), 3U);
  EXPECT_EQ(servers(true, false), 3U);
}

TEST_F(CompileTest, IsDeterministic) {
  source_.add_zone("example.com");
  for (int i = 0; i < 50; ++i) {
    source_.add("h" + std::to_string(i), "A", "203.0.113." + std::to_string(i + 1), i % 2 == 0);
  }
  const auto bytes = [this] {
    snapshot::TransactionEncoder encoder;
    EXPECT_TRUE(compile_into(encoder).ok());
    return encoder.finish(1, 2, 0);
  };
  EXPECT_EQ(bytes(), bytes());
}

TEST_F(CompileTest, NamesTheZoneThatCannotBeServed) {
  source_.add_zone("fine.test");
  source_.add_zone("broken.test");
  source_.add("a", "DNAME", "x.test");
  source_.add("a", "DNAME", "y.test");
  snapshot::Builder builder{base::HashKey{}};
  const auto counts = compile_into(builder);
  ASSERT_FALSE(counts.ok());
  EXPECT_EQ(counts.error().where, "zone broken.test, a.broken.test. DNAME");
}

}  // namespace
}  // namespace brink::ctl::compile
