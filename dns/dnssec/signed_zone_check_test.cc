// Zones signed here, each spoilt in one way, and what is said about it.
#include "dns/dnssec/signed_zone_check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "dns/dnssec/denial.h"
#include "dns/dnssec/signature.h"
#include "dns/zone/text.h"
#include "dns/zone/zone_file.h"

namespace brink::dns::dnssec {
namespace {

using zone::ResourceRecord;

constexpr std::uint32_t kNow = 1'800'000'000;
constexpr char kText[] =
    "$TTL 300\n"
    "@ SOA ns1 host 1 3600 900 1209600 300\n"
    "@ NS ns1\n"
    "ns1 A 192.0.2.1\n"
    "a.ent A 192.0.2.2\n"
    "*.w TXT \"w\"\n"
    "plain NS ns.plain\n"
    "ns.plain A 192.0.2.3\n"
    "b.cuts NS ns1\n"
    "secure NS ns1\n"
    "secure DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000\n";

enum class Denies : std::uint8_t { kNsec, kNsec3, kOptOut };

class SignedZoneCheckTest : public ::testing::Test {
 protected:
  using Records = std::vector<ResourceRecord>;

  SignedZoneCheckTest() {
    auto parsed = zone::parse_zone_file(kText, apex_, 300, [&](const zone::ZoneFileRecord& line) {
      plain_.push_back(line.record);
      return base::Result<void>();
    });
    EXPECT_TRUE(parsed);
  }

  static Wire name(const std::string& text) {
    return zone::name_from_text(text, zone::name_from_text("a.test.").value()).value();
  }

  Records sign(Denies denies, Validity validity = {kNow - 100, kNow + 1'000'000}) {
    Records all = plain_;
    all.push_back({apex_, kTypeDnskey, 300, key_.dnskey_rdata(kFlagsKsk)});
    if (denies != Denies::kNsec) all.push_back({apex_, kTypeNsec3Param, 0, nsec3param_rdata({})});
    const zone::Zone bare = zone::Zone::build(apex_, all).value();
    denies == Denies::kNsec ? add_nsec(bare, all) : add_nsec3(bare, denies == Denies::kOptOut, all);
    const zone::Zone whole = zone::Zone::build(apex_, all).value();
    for (const zone::Node& node : whole.nodes()) {
      for (const zone::Rrset& set : node.rrsets) {
        if (!is_signed_type(node, set.type)) continue;
        all.push_back({node.owner, kTypeRrsig, set.ttl,
                       sign_rrset(key_, kFlagsKsk, apex_, node.owner, set, validity)});
      }
    }
    return all;
  }

  static std::vector<std::uint16_t> types_of(const zone::Node& node) {
    std::vector<std::uint16_t> types;
    for (const zone::Rrset& set : node.rrsets) types.push_back(set.type);
    return types;
  }
  void add_nsec(const zone::Zone& bare, Records& all) {
    std::map<Wire, const zone::Node*, CanonicalLess> nodes;
    for (const zone::Node& node : bare.nodes()) {
      if (!node.occluded) nodes[node.owner] = &node;
    }
    for (auto at = nodes.begin(); at != nodes.end(); ++at) {
      const auto next = std::next(at) == nodes.end() ? nodes.begin() : std::next(at);
      const auto types = denial_types(types_of(*at->second), at->second->cut, DenialKind::kNsec);
      all.push_back({at->first, kTypeNsec, 300, nsec_rdata(next->first, types)});
    }
  }
  void add_nsec3(const zone::Zone& bare, bool opt_out, Records& all) {
    std::map<Nsec3Hash, std::vector<std::uint16_t>> chain;
    for (const zone::Node& node : bare.nodes()) {
      const bool is_out = opt_out && node.cut && node.find(zone::kTypeDs) == nullptr;
      if (node.occluded || is_out) continue;
      chain[nsec3_hash(node.owner, 0, {})] =
          denial_types(types_of(node), node.cut, DenialKind::kNsec3);
    }
    for (const char* empty : {"ent", "w", "cuts"}) {
      if (!opt_out || std::string(empty) != "cuts")
        chain.try_emplace(nsec3_hash(name(empty), 0, {}));
    }
    for (auto at = chain.begin(); at != chain.end(); ++at) {
      const auto next = std::next(at) == chain.end() ? chain.begin() : std::next(at);
      all.push_back({nsec3_owner(at->first, apex_), kTypeNsec3, 300,
                     nsec3_rdata({}, opt_out, next->first, at->second)});
    }
  }

  std::vector<std::string> check(const Records& records, std::uint32_t now = kNow) {
    const auto built = zone::Zone::build(apex_, records);
    EXPECT_TRUE(built) << built.error().message();
    EXPECT_TRUE(is_signed_zone(built.value()));
    std::vector<std::string> all;
    for (const auto& finding : check_signed_zone(built.value(), {.now = now})) {
      all.push_back((finding.severity == zone::Severity::kError ? "E " : "W ") +
                    zone::name_to_text(finding.owner) + " " + zone::type_to_text(finding.type) +
                    ": " + finding.what);
    }
    return all;
  }
  // Without the records of a type, or the signatures of it, at a name.
  static Records without(Records records, const Wire& owner, std::uint16_t type) {
    const auto covered = [&](const ResourceRecord& record) {
      return record.type == kTypeRrsig && static_cast<std::uint8_t>(record.rdata[0]) == type >> 8 &&
             static_cast<std::uint8_t>(record.rdata[1]) == (type & 0xff);
    };
    std::erase_if(records, [&](const ResourceRecord& record) {
      return record.owner == owner && (record.type == type || covered(record));
    });
    return records;
  }
  static Records unsigned_at(Records records, const Wire& owner, std::uint16_t type) {
    std::erase_if(records, [&](const ResourceRecord& record) {
      return record.owner == owner && record.type == kTypeRrsig &&
             static_cast<std::uint8_t>(record.rdata[1]) == type;
    });
    return records;
  }

  const Wire apex_ = zone::name_from_text("a.test.").value();
  SigningKey key_ = SigningKey::generate(Algorithm::kEcdsaP256Sha256).value();
  Records plain_;
};

using Texts = std::vector<std::string>;

TEST_F(SignedZoneCheckTest, HasNothingToSayOfAGoodZone) {
  for (const Denies denies : {Denies::kNsec, Denies::kNsec3, Denies::kOptOut}) {
    EXPECT_EQ(check(sign(denies)), Texts{}) << static_cast<int>(denies);
  }
}

TEST_F(SignedZoneCheckTest, TellsASignatureThatIsMissingOrWrong) {
  const Records good = sign(Denies::kNsec);
  EXPECT_EQ(check(unsigned_at(good, name("ns1"), zone::kTypeA)),
            Texts{"E ns1.a.test. A: the signature is missing"});
  Records spoilt = good;
  for (ResourceRecord& record : spoilt) {
    if (record.owner == name("ns1") && record.type == zone::kTypeA) record.rdata.back() = 9;
  }
  EXPECT_EQ(check(spoilt),
            Texts{"E ns1.a.test. A: a signature that cannot be verified: the key did "
                  "not make it for these records"});
  EXPECT_TRUE(check(unsigned_at(good, name("plain"), zone::kTypeNs)).empty()) << "never signed";
}

TEST_F(SignedZoneCheckTest, TellsWhenSignaturesEnd) {
  const Records good = sign(Denies::kNsec);
  const Texts late = check(good, kNow + 2'000'000);
  ASSERT_FALSE(late.empty());
  EXPECT_EQ(late.front(), "E a.test. NS: the signature has expired on 2027-01-26T21:46:40Z");
  EXPECT_EQ(check(good, kNow - 200).front(),
            "E a.test. NS: the signature is not valid before 2027-01-15T07:58:20Z");
  EXPECT_EQ(check(good, kNow + 900'000),
            Texts{"W a.test. RRSIG: the first signatures expire on 2027-01-26T21:46:40Z"});
}

TEST_F(SignedZoneCheckTest, TellsAChainThatIsNotClosed) {
  const Records nsec = without(sign(Denies::kNsec), name("ns1"), kTypeNsec);
  EXPECT_EQ(check(nsec), Texts{"E ns1.a.test. NSEC: the NSEC record is missing"});
  const Wire hashed = nsec3_owner(nsec3_hash(name("ent"), 0, {}), apex_);
  const Texts nsec3 = check(without(sign(Denies::kNsec3), hashed, kTypeNsec3));
  EXPECT_EQ(nsec3.size(), 2U);
  EXPECT_NE(
      std::find(nsec3.begin(), nsec3.end(), "E ent.a.test. NSEC3: the NSEC3 record is missing"),
      nsec3.end());
  const Records none = without(sign(Denies::kNsec), apex_, kTypeNsec);
  EXPECT_NE(check(none).front().find("neither an NSEC nor an NSEC3PARAM"), std::string::npos);
}

TEST_F(SignedZoneCheckTest, TellsNamesThatTheChainDoesNotKnow) {
  Records more = sign(Denies::kNsec);
  const zone::Node node{name("new"), {{zone::kTypeA, 300, {Wire("\xc0\0\2\5", 4)}}}, false, false};
  more.push_back({node.owner, zone::kTypeA, 300, node.rrsets[0].rdata[0]});
  more.push_back({node.owner, kTypeRrsig, 300,
                  sign_rrset(key_, kFlagsKsk, apex_, node.owner, node.rrsets[0],
                             {kNow - 100, kNow + 1'000'000})});
  const Texts found = check(more);
  EXPECT_EQ(found.size(), 2U);
  EXPECT_EQ(found.at(1), "E new.a.test. NSEC: the NSEC record is missing");
}

TEST_F(SignedZoneCheckTest, LetsOptOutLeaveUnsignedDelegationsAloneAndNothingElse) {
  Records out = sign(Denies::kOptOut);
  const Wire secure = nsec3_owner(nsec3_hash(name("secure"), 0, {}), apex_);
  const Texts found = check(without(out, secure, kTypeNsec3));
  EXPECT_NE(
      std::find(found.begin(), found.end(), "E secure.a.test. NSEC3: the NSEC3 record is missing"),
      found.end());
}

TEST_F(SignedZoneCheckTest, WantsTheKeys) {
  EXPECT_EQ(check(without(sign(Denies::kNsec), apex_, kTypeDnskey)).front(),
            "E a.test. DNSKEY: the zone has no DNSKEY records: nobody can verify its signatures");
}

}  // namespace
}  // namespace brink::dns::dnssec
