// Whole zones with one fault each, and what is said about it.
#include "dns/zone/zone_check.h"

#include <gtest/gtest.h>

#include "dns/zone/text.h"
#include "dns/zone/zone_file.h"

namespace brink::dns::zone {
namespace {

constexpr char kHead[] =
    "$TTL 300\n"
    "@ SOA ns1 host 1 3600 900 1209600 300\n"
    "@ NS ns1\n"
    "ns1 A 192.0.2.1\n";

std::string shown(const Finding& finding) {
  return (finding.severity == Severity::kError ? "E " : "W ") + std::to_string(finding.line) + " " +
         name_to_text(finding.owner) + " " + type_to_text(finding.type) + ": " + finding.what;
}

std::vector<std::string> check(const std::string& text) {
  const Wire apex = name_from_text("a.test.").value();
  std::vector<CheckedRecord> records;
  const auto parsed = parse_zone_file(text, apex, 300, [&](const ZoneFileRecord& line) {
    records.push_back({line.record, line.line});
    return base::Result<void>();
  });
  EXPECT_TRUE(parsed) << parsed.error().message();
  std::vector<std::string> all;
  for (const Finding& finding : check_zone(apex, records)) {
    EXPECT_FALSE(finding.remedy.empty());
    all.push_back(shown(finding));
  }
  return all;
}

using Texts = std::vector<std::string>;

TEST(ZoneCheck, HasNothingToSayOfAGoodZone) {
  EXPECT_EQ(check(std::string(kHead) +
                  "www A 192.0.2.2\nalias CNAME www\n@ MX 10 mail\nmail AAAA 2001:db8::1\n"
                  "* TXT \"w\"\nsub NS ns.sub\nns.sub A 192.0.2.3\nother NS other\n"
                  "other A 192.0.2.4\nfar NS ns.elsewhere.test.\n_x._tcp SRV 0 0 0 .\n"
                  "below NS ns.sub\n"),
            Texts{});
}

TEST(ZoneCheck, TellsEachFaultWithLineNameAndValue) {
  const auto with = [](const std::string& lines) { return check(kHead + lines); };
  EXPECT_EQ(with("c CNAME ns1\nc TXT \"t\"\n"), Texts{"E 5 c.a.test. CNAME: CNAME beside TXT"});
  EXPECT_EQ(with("c CNAME ns1\nc CNAME www.b.test.\n"),
            Texts{"E 5 c.a.test. CNAME: more than one CNAME at a name"});
  EXPECT_EQ(with("c CNAME c\n"), Texts{"E 5 c.a.test. CNAME: it points at itself"});
  EXPECT_EQ(with("c CNAME none\n"),
            Texts{"W 5 c.a.test. CNAME: its target none.a.test. is not there"});
  EXPECT_EQ(with("sub NS ns.sub\n"),
            Texts{"E 5 sub.a.test. NS: the delegation lacks the address of its server "
                  "ns.sub.a.test. (glue)"});
  EXPECT_EQ(with("c CNAME ns1\n@ MX 1 c\n"),
            Texts{"W 6 a.test. MX: its target c.a.test. is an alias (CNAME)"});
  EXPECT_EQ(with("c CNAME ns1\n@ NS c\n"),
            Texts{"E 6 a.test. NS: its target c.a.test. is an alias (CNAME)"});
  EXPECT_EQ(with("@ NS none\n"), Texts{"E 5 a.test. NS: its target none.a.test. has no address"});
  EXPECT_EQ(with("m MX 1 none\n"),
            Texts{"W 5 m.a.test. MX: its target none.a.test. has no address"});
  EXPECT_EQ(with("t 60 TXT \"1\"\nt 90 TXT \"2\"\n"),
            Texts{"W 6 t.a.test. TXT: TTL 90 beside 60 of the same RRset"});
  EXPECT_EQ(with("t TXT \"1\"\nt TXT \"1\"\n"),
            Texts{"W 6 t.a.test. TXT: the record is there twice"});
  EXPECT_EQ(
      with("sub NS ns1\nx.sub TXT \"t\"\n"),
      Texts{"W 6 x.sub.a.test. TXT: data below the delegation of sub.a.test. is never answered"});
  EXPECT_EQ(with("sub NS ns1\nsub TXT \"t\"\n"),
            Texts{"W 6 sub.a.test. TXT: data at a delegation is never answered"});
  EXPECT_EQ(with("d DNAME b.test.\nx.d A 192.0.2.9\n"),
            Texts{"E 6 x.d.a.test. A: data below the DNAME of d.a.test. is never answered"});
  EXPECT_EQ(with("d DS 1 13 2 " + std::string(64, '0') + "\n"),
            Texts{"E 5 d.a.test. DS: DS without NS: nothing is delegated here"});
  EXPECT_EQ(with("*.w NS ns1\n"),
            Texts{"E 5 *.w.a.test. NS: a wildcard cannot delegate or redirect"});
  EXPECT_EQ(with("www.b.test. A 192.0.2.9\n"),
            Texts{"E 5 www.b.test. A: the record is outside the zone a.test."});
  EXPECT_EQ(with("x SOA ns1 host 1 1 1 3 1\n"), Texts{"E 5 x.a.test. SOA: SOA below the apex"});
}

TEST(ZoneCheck, WantsAnSoaAndServers) {
  EXPECT_EQ(check("x 60 A 192.0.2.1\n"), Texts{"E 0 a.test. SOA: the zone has no SOA record"});
  EXPECT_EQ(check("@ 60 SOA ns1.b.test. host 1 3600 900 1 300\n"),
            (Texts{"E 1 a.test. NS: the zone has no NS records at its apex",
                   "W 1 a.test. SOA: expire 1 is less than refresh and retry together"}));
}

TEST(ZoneCheck, AWildcardMayHaveTheAddress) {
  EXPECT_EQ(check(kHead + std::string("*.h A 192.0.2.9\n@ MX 1 a.h\n")), Texts{});
}

}  // namespace
}  // namespace brink::dns::zone
