#include "ctl/model/record.h"

#include <gtest/gtest.h>

namespace brink::ctl::model {
namespace {

class RecordRules : public ::testing::Test {
 protected:
  RecordRules() {
    zone_.name = DomainName::parse("example.com").value();
    zone_.status = ZoneStatus::kActive;
    rules_.edge_addresses = {*base::IpAddress::parse("192.0.2.1"),
                             *base::IpAddress::parse("2001:db8::1")};
  }

  Outcome<Record> make(const RecordDraft& draft) const { return make_record(rules_, zone_, draft); }
  Record made(const std::string& name, const std::string& type, const std::string& content,
              bool proxied = false) const {
    RecordDraft draft{.name = name, .type = type, .content = content};
    draft.proxied = proxied;
    if (type == "MX") draft.priority = 10;
    auto record = make(draft);
    if (!record) ADD_FAILURE() << type << " " << content << ": " << record.error().detail();
    return record ? record.value() : Record();
  }
  // The innermost code of the refusal, 0 when it was accepted.
  int code_of(const RecordDraft& draft) const {
    const auto record = make(draft);
    if (record) return 0;
    return record.error().chain.empty() ? record.error().code : record.error().chain.back().code;
  }
  int conflict(const Record& candidate, const std::vector<Record>& neighbours,
               BesideNs beside_ns = BesideNs::kDsAlone) const {
    const auto refusal = conflict_of(rules_, zone_, candidate, neighbours, beside_ns);
    return refusal ? refusal->code : 0;
  }

  Zone zone_;
  Rules rules_;
};

TEST_F(RecordRules, NormaliseNamesAndContents) {
  const Record a = made("WWW", "a", "203.0.113.10");
  EXPECT_EQ(a.name.text(), "www.example.com");
  EXPECT_EQ(a.type, kTypeA);
  EXPECT_EQ(a.rdata, (Rdata{203, 0, 113, 10}));
  EXPECT_EQ(made("www", "AAAA", "2001:DB8:0:0::10").content, "2001:db8::10");
  EXPECT_EQ(made("shop", "CNAME", "Origin.Example.com.").content, "origin.example.com");
  EXPECT_EQ(made("alias", "CNAME", "@").content, "example.com");
  EXPECT_EQ(made("@", "MX", "mail.example.com").content, "mail.example.com");
}

TEST_F(RecordRules, AcceptEveryCommonType) {
  made("_sip._tcp", "SRV", "10 5 5060 sip.example.com");
  made("@", "CAA", "0 issue \"ca.example.net\"");
  made("@", "TXT", "\"v=spf1 -all\" \"second\"");
  made("10", "PTR", "host.example.com");
  made("d", "DS",
       "12345 13 2 "
       "49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE4A5C1A9F2B3C4D5E6F708192");
  made("h", "SSHFP", "4 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
  made("_443._tcp", "TLSA",
       "3 1 1 "
       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
  made("n", "NAPTR", "10 20 \"S\" \"SIP+D2U\" \"\" _sip._udp.example.com.");
  made("loc", "LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m");
  made("u", "URI", "10 1 \"https://example.com/\"");
}

TEST_F(RecordRules, TextIsShownAsWrittenAndSplitAt255) {
  const std::string text(300, 'x');
  const Record plain = made("t", "TXT", text);
  EXPECT_EQ(plain.content, text);
  ASSERT_EQ(plain.rdata.size(), 302U);
  EXPECT_EQ(plain.rdata[0], 255);
  EXPECT_EQ(plain.rdata[256], 45);
  const Record quoted = made("t", "TXT", "\"hello world\"");
  const Record bare = made("t", "TXT", "hello world");
  EXPECT_EQ(quoted.rdata, bare.rdata);
  EXPECT_EQ(quoted.content, "\"hello world\"");
}

TEST_F(RecordRules, DataIsShownAsWritten) {
  for (const auto& [type, content] : std::vector<std::pair<std::string, std::string>>{
           {"CAA", "0 issue letsencrypt.org"},
           {"DS", "12345 13 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE4A5C1A9F2B3C4D5E6F708192"},
           {"HTTPS", "1 . alpn=\"h3,h2\""},
           {"SSHFP", "4 2 0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"}}) {
    EXPECT_EQ(made("x", type, " " + content + " ").content, content);
  }
  EXPECT_EQ(made("x", "CAA", "0 issue letsencrypt.org").rdata,
            made("x", "CAA", "0 issue \"letsencrypt.org\"").rdata);
  EXPECT_EQ(made("x", "TYPE65534", "\\# 2 abCD").content, "\\# 2 abcd");
}

TEST_F(RecordRules, NamesInDataAreAbsolute) {
  EXPECT_EQ(made("x", "HTTPS", "1 svc.example.org alpn=h2").rdata,
            made("x", "HTTPS", "1 svc.example.org. alpn=h2").rdata);
}

TEST_F(RecordRules, InternationalNamesBecomePunycode) {
  EXPECT_EQ(made("B\xc3\x9c"
                 "cher",
                 "A", "203.0.113.1")
                .name.text(),
            "xn--bcher-kva.example.com");
  EXPECT_EQ(made("*.b\xc3\xbc"
                 "cher",
                 "A", "203.0.113.1")
                .name.text(),
            "*.xn--bcher-kva.example.com");
  EXPECT_EQ(made("x", "CNAME",
                 "b\xc3\xbc"
                 "cher.example.org")
                .content,
            "xn--bcher-kva.example.org");
  EXPECT_EQ(code_of({.name = "\xff", .type = "A", .content = "203.0.113.1"}), kCodeNameInvalid);
}

TEST_F(RecordRules, TextsOfANameAreBoundTogether) {
  rules_.text_total_max = 100;
  const Record first = made("t", "TXT", std::string(60, 'a'));
  EXPECT_EQ(conflict(made("t", "TXT", std::string(40, 'b')), {first}), 0);
  EXPECT_EQ(conflict(made("t", "TXT", std::string(41, 'b')), {first}), kCodeSetTooLarge);
  EXPECT_EQ(conflict(made("t", "CAA", "0 issue \"x\""), {first}), 0);
}

TEST_F(RecordRules, PlaceholdersStandForNoOrigin) {
  rules_.edge_addresses = {*base::IpAddress::parse("198.51.100.1")};
  for (const char* content : {"192.0.2.0", "192.0.2.1"}) {
    EXPECT_EQ(code_of({.name = "x", .type = "A", .content = content, .proxied = true}), 0);
  }
  EXPECT_EQ(code_of({.name = "x", .type = "AAAA", .content = "100::", .proxied = true}), 0);
  EXPECT_EQ(code_of({.name = "x", .type = "A", .content = "198.51.100.1", .proxied = true}),
            kCodeTargetNotAllowed);
}

TEST_F(RecordRules, TargetsThatCannotBeProxiedAreATable) {
  rules_.unproxiable_targets = {{"a.test", TargetMatch::kExact},
                                {"b.test", TargetMatch::kExactOrBelow},
                                {"c.test", TargetMatch::kBelow}};
  for (const auto& [target, code] :
       std::vector<std::pair<std::string, int>>{{"a.test", kCodeTargetNotAllowed},
                                                {"x.a.test", 0},
                                                {"b.test", kCodeTargetNotAllowed},
                                                {"x.b.test", kCodeTargetNotAllowed},
                                                {"xb.test", 0},
                                                {"c.test", 0},
                                                {"x.c.test", kCodeTargetNotAllowed},
                                                {"dkim2.mcsv.net", 0}}) {
    EXPECT_EQ(code_of({.name = "x", .type = "CNAME", .content = target, .proxied = true}), code)
        << target;
  }
  EXPECT_EQ(target_match_from_text("exact-or-sub"), TargetMatch::kExactOrBelow);
  EXPECT_EQ(target_match_from_text("below"), std::nullopt);
}

TEST_F(RecordRules, PriorityStandsApartFromContent) {
  const Record srv = made("_sip._tcp", "SRV", "10 5 5060 sip.example.com");
  EXPECT_EQ(srv.priority, 10);
  EXPECT_EQ(srv.content, "5 5060 sip.example.com");
  const Record uri = made("u", "URI", "7 1 \"https://example.com/\"");
  EXPECT_EQ(uri.priority, 7);
  EXPECT_EQ(uri.content, "1 \"https://example.com/\"");
  EXPECT_EQ(make(draft_of(uri)).value().rdata, uri.rdata);
}

TEST_F(RecordRules, RefuseContentThatDoesNotFitItsType) {
  for (const auto& [type, content] :
       std::vector<std::pair<std::string, std::string>>{{"A", "2001:db8::1"},
                                                        {"A", "203.0.113"},
                                                        {"A", ""},
                                                        {"AAAA", "203.0.113.1"},
                                                        {"AAAA", "::ffff:203.0.113.1"},
                                                        {"MX", "mail.example.com"},
                                                        {"SRV", "1 2 example.com"},
                                                        {"CAA", "issue x"},
                                                        {"TXT", "\"open"},
                                                        {"SSHFP", "nonsense"},
                                                        {"TXT", std::string(2049, 'x')},
                                                        {"LOC", "52 N\n@ IN A 192.0.2.9"}}) {
    EXPECT_EQ(code_of({.name = "x", .type = type, .content = content}), kCodeContentInvalid)
        << type << " " << content;
  }
}

TEST_F(RecordRules, RefuseTypesThatTheServerKeeps) {
  for (const char* type : {"SOA", "NSEC", "RRSIG", "OPT", "ANY", "AXFR", "BOGUS", ""}) {
    EXPECT_EQ(code_of({.name = "x", .type = type, .content = "1"}), kCodeTypeInvalid) << type;
  }
}

TEST_F(RecordRules, BoundTheTtl) {
  for (const std::uint32_t ttl : {0U, 2U, 59U, 86401U}) {
    EXPECT_EQ(code_of({.name = "x", .type = "A", .content = "203.0.113.1", .ttl = ttl}),
              kCodeTtlInvalid)
        << ttl;
  }
  for (const std::uint32_t ttl : {1U, 60U, 86400U}) {
    EXPECT_EQ(code_of({.name = "x", .type = "A", .content = "203.0.113.1", .ttl = ttl}), 0) << ttl;
  }
}

TEST_F(RecordRules, OnlyAddressesAndAliasesCanBeProxied) {
  const auto refused = make({.name = "x", .type = "TXT", .content = "x", .proxied = true});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, 1004);
  EXPECT_EQ(refused.error().chain.at(0).code, 9004);
  EXPECT_TRUE(made("x", "A", "203.0.113.1", true).proxied);
  EXPECT_TRUE(made("x", "CNAME", "origin.example.org", true).proxied);
  EXPECT_TRUE(made("*", "AAAA", "100::", true).proxied);
}

TEST_F(RecordRules, AProxiedRecordHasAutomaticTtl) {
  EXPECT_EQ(make({.name = "x", .type = "A", .content = "203.0.113.1", .ttl = 600, .proxied = true})
                .value()
                .ttl,
            kTtlAutomatic);
}

TEST_F(RecordRules, RefuseOriginsThatCannotBeOne) {
  for (const auto& [type, content] :
       std::vector<std::pair<std::string, std::string>>{{"A", "192.0.2.1"},
                                                        {"A", "127.0.0.1"},
                                                        {"A", "0.0.0.0"},
                                                        {"A", "224.0.0.1"},
                                                        {"AAAA", "2001:db8::1"},
                                                        {"AAAA", "::1"},
                                                        {"AAAA", "fe80::1"},
                                                        {"AAAA", "ff02::1"},
                                                        {"CNAME", "dkim2.mcsv.net"},
                                                        {"CNAME", "a.dkim.amazonses.com"},
                                                        {"CNAME", "x.onmicrosoft.com"}}) {
    EXPECT_EQ(code_of({.name = "x", .type = type, .content = content, .proxied = true}),
              kCodeTargetNotAllowed)
        << content;
    EXPECT_EQ(code_of({.name = "x", .type = type, .content = content}), 0) << content;
  }
  EXPECT_EQ(code_of({.name = "x", .type = "CNAME", .content = "onmicrosoft.com", .proxied = true}),
            0);
}

TEST_F(RecordRules, RefuseACnameThatPointsAtItself) {
  EXPECT_EQ(code_of({.name = "x", .type = "CNAME", .content = "X.example.com"}),
            kCodeContentInvalid);
}

TEST_F(RecordRules, AZoneFileMayHaveOneThatIsNotProxied) {
  const auto name = DomainName::parse("x.example.com").value();
  RecordDraft rest;
  EXPECT_TRUE(make_record(rules_, zone_, name, kTypeCname, name.wire(), rest).ok());
  rest.proxied = true;
  EXPECT_FALSE(make_record(rules_, zone_, name, kTypeCname, name.wire(), rest).ok());
  Rdata upper = name.wire();
  upper[1] = 'X';
  EXPECT_FALSE(make_record(rules_, zone_, name, kTypeCname, upper, rest).ok());
}

// RFC 1035 2.3.3, RFC 4343 3. Priorities and weights are octets that may look like letters.
TEST_F(RecordRules, AZoneFileKeepsTheCaseOfNamesInData) {
  const auto name = DomainName::parse("x.example.com").value();
  const auto from_file = [&](RecordType type, const std::string& text) {
    const Rdata rdata = rdata_from_text(type, text, DomainName()).value();
    Record record = make_record(rules_, zone_, name, type, rdata, RecordDraft()).value();
    EXPECT_EQ(record.rdata, rdata) << text;
    return record;
  };
  EXPECT_EQ(from_file(kTypeNs, "NS.Example.com.").content, "ns.example.com");
  const Record upper = from_file(kTypeMx, "65 MAIL.Example.com.");
  EXPECT_EQ(upper.content, "mail.example.com");
  EXPECT_EQ(conflict(from_file(kTypeMx, "65 mail.example.com."), {upper}), kCodeRecordExists);
  EXPECT_EQ(conflict(from_file(kTypeMx, "97 mail.example.com."), {upper}), 0);
  EXPECT_EQ(conflict(from_file(kTypeSrv, "1 16705 1 A."), {from_file(kTypeSrv, "1 24929 1 a.")}),
            0);
  EXPECT_EQ(conflict(from_file(kTypeNs, "A.b."), {from_file(kTypeNs, "a.B.")}), kCodeRecordExists);
  EXPECT_EQ(conflict(from_file(kTypeTxt, "\"A\""), {from_file(kTypeTxt, "\"a\"")}), 0);
}

TEST_F(RecordRules, BoundCommentsAndTags) {
  RecordDraft draft{.name = "x", .type = "A", .content = "203.0.113.1"};
  draft.comment = std::string(501, 'c');
  EXPECT_EQ(code_of(draft), kCodeCommentInvalid);
  draft.comment = "two\nlines";
  EXPECT_EQ(code_of(draft), kCodeCommentInvalid);
  draft.comment = "fine";
  draft.tags = {"team:dns", "urgent"};
  EXPECT_EQ(code_of(draft), 0);
  draft.tags = {"no good:x"};
  EXPECT_EQ(code_of(draft), kCodeCommentInvalid);
  draft.tags.assign(21, "t");
  EXPECT_EQ(code_of(draft), kCodeCommentInvalid);
}

TEST_F(RecordRules, AnIdenticalRecordConflicts) {
  const Record record = made("www", "A", "203.0.113.1");
  EXPECT_EQ(conflict(record, {record}), kCodeRecordExists);
  EXPECT_EQ(conflict(record, {made("www", "A", "203.0.113.2")}), 0);
  EXPECT_EQ(conflict(made("t", "TXT", "x"), {made("t", "TXT", "\"x\"")}), kCodeRecordExists);
}

TEST_F(RecordRules, ACnameStandsAlone) {
  const Record cname = made("www", "CNAME", "origin.example.com");
  const Record proxied = made("www", "CNAME", "origin.example.com", true);
  const Record apex = made("@", "CNAME", "origin.example.org");
  EXPECT_EQ(conflict(cname, {made("www", "A", "203.0.113.1")}), kCodeHostTaken);
  EXPECT_EQ(conflict(made("www", "AAAA", "2001:db8::5"), {proxied}), kCodeHostTaken);
  EXPECT_EQ(conflict(cname, {made("www", "CNAME", "other.example.com")}), kCodeHostTaken);
  EXPECT_EQ(conflict(cname, {made("www", "TXT", "x")}), kCodeHostTaken);
  EXPECT_EQ(conflict(made("www", "TXT", "x"), {cname}), kCodeHostTaken);
  EXPECT_EQ(conflict(made("www", "TXT", "x"), {proxied}), 0);
  EXPECT_EQ(conflict(made("@", "MX", "mail.example.com"), {apex}), 0);
  EXPECT_EQ(conflict(apex, {made("@", "A", "203.0.113.1")}), kCodeHostTaken);
}

TEST_F(RecordRules, ADelegationStandsAlone) {
  const Record cut = made("sub", "NS", "ns1.example.net");
  EXPECT_EQ(conflict(made("sub", "TXT", "x"), {cut}), kCodeHostTaken);
  EXPECT_EQ(conflict(cut, {made("sub", "A", "203.0.113.1")}), kCodeHostTaken);
  EXPECT_EQ(conflict(cut, {made("sub", "NS", "ns2.example.net")}), 0);
  EXPECT_EQ(conflict(made("@", "A", "203.0.113.1"), {made("@", "NS", "ns1.example.net")}), 0);
}

// RFC 1034 4.2.1; what is answered in the place of all else cannot be hidden.
TEST_F(RecordRules, WhatIsLegalAtADelegationMayBeThere) {
  const Record cut = made("sub", "NS", "sub.example.com");
  for (const Record& hidden : {made("sub", "A", "203.0.113.1"), made("sub", "TXT", "x")}) {
    EXPECT_EQ(conflict(hidden, {cut}, BesideNs::kAsLegal), 0);
    EXPECT_EQ(conflict(cut, {hidden}, BesideNs::kAsLegal), 0);
  }
  for (const char* type : {"CNAME", "DNAME"}) {
    const Record clash = made("sub", type, "x.example.net");
    EXPECT_EQ(conflict(clash, {cut}, BesideNs::kAsLegal), kCodeHostTaken);
    EXPECT_EQ(conflict(cut, {clash}, BesideNs::kAsLegal), kCodeHostTaken);
  }
}

TEST_F(RecordRules, ANameHasOneDname) {
  EXPECT_EQ(conflict(made("d", "DNAME", "a.example.net"), {made("d", "DNAME", "b.example.net")}),
            kCodeHostTaken);
  EXPECT_EQ(conflict(made("d", "DNAME", "a.example.net"), {made("d", "TXT", "x")}), 0);
}

TEST_F(RecordRules, AnRrsetHasToFitAnAnswer) {
  std::vector<Record> neighbours;
  for (int i = 0; i < 30; ++i) {
    neighbours.push_back(
        made("t", "CAA", "0 issue \"" + std::to_string(i) + std::string(2040, 'x') + "\""));
  }
  const Record last = neighbours.back();
  neighbours.pop_back();
  EXPECT_EQ(conflict(last, neighbours), kCodeSetTooLarge);
  neighbours.pop_back();
  EXPECT_EQ(conflict(last, neighbours), 0);
}

TEST_F(RecordRules, TheZoneDecidesWhetherTheProxyIsInForce) {
  const Record record = made("www", "A", "203.0.113.1", true);
  EXPECT_TRUE(effective_proxy(zone_, record));
  EXPECT_FALSE(effective_proxy(zone_, made("www", "A", "203.0.113.1")));
  zone_.paused = true;
  EXPECT_FALSE(effective_proxy(zone_, record));
  zone_.paused = false;
  zone_.dns.mode = ZoneMode::kDnsOnly;
  EXPECT_FALSE(effective_proxy(zone_, record));
  zone_.dns.mode = ZoneMode::kCdnOnly;
  EXPECT_TRUE(effective_proxy(zone_, record));
  zone_.dns.enforce_dns_only = true;
  EXPECT_FALSE(effective_proxy(zone_, record));
  zone_.dns = {};
  for (const ZoneStatus status :
       {ZoneStatus::kInitializing, ZoneStatus::kPending, ZoneStatus::kMoved}) {
    zone_.status = status;
    EXPECT_FALSE(effective_proxy(zone_, record));
  }
}

TEST_F(RecordRules, ADraftOfARecordMakesTheSameRecord) {
  for (const Record& record :
       {made("@", "MX", "mail.example.com"), made("www", "A", "203.0.113.1", true),
        made("t", "TXT", "\"a\" \"b\""), made("_sip._tcp", "SRV", "10 5 5060 sip.example.com")}) {
    const Record again = make(draft_of(record)).value();
    EXPECT_EQ(again.name, record.name);
    EXPECT_EQ(again.rdata, record.rdata);
    EXPECT_EQ(again.content, record.content);
    EXPECT_EQ(again.priority, record.priority);
  }
}

}  // namespace
}  // namespace brink::ctl::model
