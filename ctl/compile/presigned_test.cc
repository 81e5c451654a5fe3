// Zones that come with their signatures, as they are compiled.
#include <gtest/gtest.h>

#include "ctl/compile/compile.h"
#include "ctl/compile/compile_fixture.h"
#include "ctl/compile/map_sink.h"
#include "dns/dnssec/denial.h"
#include "dns/render/blob_reader.h"

namespace brink::ctl::compile {
namespace {

using dns::zone::Wire;

Wire wire(const model::DomainName& of) {
  const auto octets = of.wire();
  return {octets.begin(), octets.end()};
}

class PresignedTest : public ::testing::Test {
 protected:
  PresignedTest() {
    zone_.id = ids_.next();
    zone_.name = name("a.test");
    zone_.status = model::ZoneStatus::kActive;
    zone_.dnssec.presigned = true;
    zone_.serial = 77;
    zone_.soa = {
        3600, model::rdata_from_text(model::kTypeSoa, "ns host 77 1 2 3 600", zone_.name).value()};
    store_->insert_zone(zone_);
    add("a.test", "NS", "ns.elsewhere.test.", 3600);
    sign("a.test", "SOA", 3600);
    sign("a.test", "NS", 3600);
  }

  void add(const std::string& owner, const std::string& type, const std::string& content,
           std::uint32_t ttl) {
    const auto number = model::type_from_text(type).value();
    const auto rdata = model::rdata_from_text(number, content, zone_.name).value();
    model::Record record = model::make_presigned_record(name(owner), number, rdata, ttl).value();
    record.id = ids_.next();
    store_->insert_record(zone_, record);
  }
  void sign(const std::string& owner, const std::string& type, std::uint32_t ttl) {
    add(owner, "RRSIG",
        type + " 13 2 " + std::to_string(ttl) + " 20300101000000 20200101000000 1 a.test. AAAA",
        ttl);
  }
  void compile() {
    store::Transaction view(*store_, store::Transaction::Kind::kRead);
    const auto counts = compile_all(*store_, options_, sink_);
    ASSERT_TRUE(counts) << counts.error().message();
  }
  // Types of the records that a name answers a question with DO for.
  std::vector<std::string> answer(const std::string& owner, const std::string& type) {
    std::vector<std::string> types;
    const auto at = sink_.names().find(wire(name(owner)));
    if (at == sink_.names().end()) return types;
    const auto blob = at->second.signed_rrsets.find(model::type_from_text(type).value());
    if (blob == at->second.signed_rrsets.end()) return types;
    const auto read = dns::render::read_blob(blob->second, wire(name(owner)), wire(zone_.name));
    EXPECT_TRUE(read);
    for (const auto& record : read.value().body) {
      types.push_back(model::type_to_text(record.type) + " " + std::to_string(record.ttl));
    }
    return types;
  }

  std::unique_ptr<store::Store> store_ = empty_store();
  Ids ids_;
  Options options_ = test_options();
  model::Zone zone_;
  MapSink sink_;
};

using Texts = std::vector<std::string>;

TEST_F(PresignedTest, AnswersWithItsSignaturesAndTtlsAsTheyCame) {
  add("www.a.test", "A", "192.0.2.7", 1);
  sign("www.a.test", "A", 1);
  compile();
  EXPECT_EQ(answer("www.a.test", "A"), (Texts{"A 1", "RRSIG 1"}));
  EXPECT_EQ(answer("a.test", "SOA"), (Texts{"SOA 3600", "RRSIG 3600"}));
  EXPECT_EQ(answer("a.test", "NS"), (Texts{"NS 3600", "RRSIG 3600"})) << "no assigned servers";
  EXPECT_FALSE(sink_.zones().at(wire(zone_.name)).signed_negative.empty());
}

TEST_F(PresignedTest, ItsNsecRecordsAreItsChainAndNoData) {
  add("a.test", "NSEC", "www NS SOA RRSIG NSEC", 600);
  sign("a.test", "NSEC", 600);
  add("www.a.test", "NSEC", "@ RRSIG NSEC", 600);
  compile();
  const auto& zone = sink_.zones().at(wire(zone_.name));
  EXPECT_EQ(zone.denies, snapshot::DenialKind::kNsec);
  EXPECT_EQ(zone.chain.size(), 2U);
  EXPECT_TRUE(answer("a.test", "NSEC").empty());
  EXPECT_FALSE(sink_.names().contains(wire(name("www.a.test"))));
}

TEST_F(PresignedTest, OfSeveralNsec3ChainsTheOneThatTheApexIsInIsUsed) {
  const auto owner = [&](std::uint16_t iterations) {
    const auto hash = dns::dnssec::nsec3_hash(wire(zone_.name), iterations, "\xaa");
    const Wire made = dns::dnssec::nsec3_owner(hash, wire(zone_.name));
    return model::DomainName::from_wire(std::vector<std::uint8_t>(made.begin(), made.end()))
        ->text();
  };
  add("a.test", "NSEC3PARAM", "1 0 1 aa", 0);
  add("a.test", "NSEC3PARAM", "1 0 2 aa", 0);
  const std::string rest = " aa 2t7b4g4vsa5smi47k61mv5bv1a22bojr NS SOA RRSIG";
  add(owner(2), "NSEC3", "1 1 2" + rest, 600);
  add("0123456789abcdefghijklmnopqrstuv.a.test", "NSEC3", "1 1 1" + rest, 600);
  compile();
  const auto& zone = sink_.zones().at(wire(zone_.name));
  EXPECT_EQ(zone.denies, snapshot::DenialKind::kNsec3);
  EXPECT_EQ(zone.iterations, 2);
  EXPECT_EQ(zone.salt, std::vector<std::uint8_t>{0xaa});
  EXPECT_EQ(zone.chain.size(), 1U);
  EXPECT_FALSE(sink_.names().contains(wire(name(owner(2))))) << "a hash is no name";
}

TEST_F(PresignedTest, AnOrdinaryZoneHasNoUseForThem) {
  zone_.dnssec.presigned = false;
  store_->update_zone(zone_);
  add("a.test", "NSEC", "www NS SOA RRSIG NSEC", 600);
  add("www.a.test", "NSEC", "@ RRSIG NSEC", 600);
  compile();
  EXPECT_EQ(sink_.zones().at(wire(zone_.name)).denies, snapshot::DenialKind::kNone);
  EXPECT_TRUE(answer("a.test", "SOA").empty());
  EXPECT_FALSE(sink_.names().contains(wire(name("www.a.test"))));
}

}  // namespace
}  // namespace brink::ctl::compile
