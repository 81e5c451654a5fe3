// Signed zones: what who asks for signatures gets, and that others get what they always got.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <sstream>
#include <tuple>

#include "dataplane/snapshot/nsec3_hash.h"
#include "dns/answer/engine.h"
#include "tests/support/dns_image.h"

namespace brink::dns::answer {
namespace {

using test::Chain;
using test::question;
using test::response_text;

constexpr std::uint16_t kA = 1, kNs = 2, kCname = 5, kMx = 15, kTxt = 16, kAaaa = 28, kDs = 43,
                        kRrsig = 46, kNsec = 47, kDnskey = 48, kNsec3Param = 51, kAny = 255;

const std::string kZone =
    "$TTL 3600\n"
    "@ SOA ns1 hostmaster 7 10000 2400 604800 1800\n"
    "@ NS ns1\n"
    "@ MX 10 mail\n"
    "ns1 A 192.0.2.53\n"
    "mail A 192.0.2.25\n"
    "www A 192.0.2.1\n"
    "alias CNAME www\n"
    "*.w A 192.0.2.77\n"
    "*.wc CNAME www\n"
    "*.wn CNAME nope\n"
    "a.b.c A 192.0.2.5\n"
    "sub NS ns.sub\n"
    "sub DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000\n"
    "ns.sub A 192.0.2.99\n"
    "plain NS ns.elsewhere.test.\n"
    "old DNAME new.example.com.\n"
    "x.new A 192.0.2.6\n";

// "section owner TYPE", and of RRSIG the type covered, a line each, sorted within a section.
std::string outline(const std::string& text) {
  std::istringstream lines(text);
  std::string line, out;
  std::vector<std::string> section;
  std::string current;
  const auto flush = [&] {
    std::sort(section.begin(), section.end());
    for (const auto& each : section) out += each + "\n";
    section.clear();
  };
  std::getline(lines, line);
  out = line + "\n";
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string where, owner, ttl, klass, type, covered;
    words >> where >> owner >> ttl >> klass >> type >> covered;
    if (where == "opt") continue;
    if (where != current) flush();
    current = where;
    section.push_back(where + " " + owner + " " + type + (type == "RRSIG" ? " " + covered : ""));
  }
  flush();
  return out;
}

class SignedTest : public ::testing::TestWithParam<Chain> {
 protected:
  SignedTest()
      : image_(test::image_of_zones(
            {{"example.com.", test::sign_zone("example.com.", kZone, GetParam())}})) {
    const auto verified = image_.verify();
    EXPECT_TRUE(verified.ok()) << verified.error().message();
  }
  std::string ask(std::string_view name, std::uint16_t type, bool dnssec_ok = true) {
    const auto query = question(name, type, {.edns = true, .dnssec_ok = dnssec_ok, .udp_size = 4096});
    std::vector<std::uint8_t> buffer(8192, 0xa5);
    std::copy(query.begin(), query.end(), buffer.begin());
    Message message{buffer.data(), static_cast<std::uint16_t>(query.size()), 8192};
    engine_.answer_burst(image_.view(), Transport::kStream, {&message, 1}, counters_);
    buffer.resize(message.size);
    return response_text(buffer);
  }
  std::string outline_of(std::string_view name, std::uint16_t type, bool dnssec_ok = true) {
    return outline(ask(name, type, dnssec_ok));
  }
  static bool is_nsec() { return GetParam() == Chain::kNsec; }
  // NSEC3 records among the lines.
  static std::ptrdiff_t nsec3_count(const std::string& text) {
    std::istringstream lines(text);
    std::ptrdiff_t count = 0;
    for (std::string line; std::getline(lines, line);) {
      count += line.ends_with(" NSEC3") && !line.ends_with("RRSIG NSEC3") ? 1 : 0;
    }
    return count;
  }

  // How many NSEC3 records of a response say that a name is there, and that it is not.
  struct Said {
    int there = 0;
    int missing = 0;
  };
  static Said said_of(const std::string& response, std::string_view name) {
    const auto query = question(name, kA);
    const std::span wire = std::span(query).subspan(12, query.size() - 12 - 4);
    Said said;
    std::istringstream lines(response);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string where, owner, ttl, klass, type, algorithm, flags, salt, next;
      std::uint16_t iterations = 0;
      words >> where >> owner >> ttl >> klass >> type >> algorithm >> flags >> iterations >> salt >>
          next;
      if (type != "NSEC3") continue;
      std::vector<std::uint8_t> salted;
      for (std::size_t i = 0; salt != "-" && i < salt.size(); i += 2) {
        salted.push_back(static_cast<std::uint8_t>(std::stoi(salt.substr(i, 2), nullptr, 16)));
      }
      std::uint8_t label[snapshot::kNsec3LabelSize];
      snapshot::nsec3_label(wire, iterations, salted, label);
      const std::string hash(label, label + sizeof label);
      owner.resize(hash.size());
      if (owner == hash) ++said.there;
      if (owner < next ? owner < hash && hash < next : owner < hash || hash < next) ++said.missing;
    }
    return said;
  }

  snapshot::Image image_;
  Engine engine_;
  ipc::WorkerCounters counters_;
};

TEST_P(SignedTest, AnswersComeWithTheirSignaturesIfAskedFor) {
  EXPECT_EQ(outline_of("www.example.com.", kA),
            "NOERROR aa rd\nan www.example.com. A\nan www.example.com. RRSIG A\n");
  EXPECT_EQ(outline_of("www.example.com.", kA, false), "NOERROR aa rd\nan www.example.com. A\n");
  EXPECT_EQ(outline_of("example.com.", kMx),
            "NOERROR aa rd\nan example.com. MX\nan example.com. RRSIG MX\n"
            "ar mail.example.com. A\nar mail.example.com. RRSIG A\n");
  EXPECT_EQ(outline_of("alias.example.com.", kA),
            "NOERROR aa rd\nan alias.example.com. CNAME\nan alias.example.com. RRSIG CNAME\n"
            "an www.example.com. A\nan www.example.com. RRSIG A\n");
  EXPECT_EQ(outline_of("example.com.", kDnskey, false), "NOERROR aa rd\nan example.com. DNSKEY\n");
}

TEST_P(SignedTest, OneSetOfSignaturesAnswersForAll) {  // as RFC 8482 for ANY
  EXPECT_EQ(outline_of("www.example.com.", kRrsig, false),
            "NOERROR aa rd\nan www.example.com. RRSIG A\n");
  EXPECT_EQ(outline_of("www.example.com.", kAny),
            "NOERROR aa rd\nan www.example.com. A\nan www.example.com. RRSIG A\n");
}

TEST_P(SignedTest, NoDataIsProven) {  // RFC 4035 3.1.3.1, RFC 5155 7.2.3
  const std::string text = outline_of("www.example.com.", kAaaa);
  if (is_nsec()) {
    EXPECT_EQ(text,
              "NOERROR aa rd\nns example.com. RRSIG SOA\nns example.com. SOA\n"
              "ns www.example.com. NSEC\nns www.example.com. RRSIG NSEC\n");
  } else {
    EXPECT_EQ(nsec3_count(text), 1) << text;
  }
  EXPECT_EQ(outline_of("www.example.com.", kAaaa, false), "NOERROR aa rd\nns example.com. SOA\n");
}

TEST_P(SignedTest, AnEmptyNonTerminalHasNoData) {
  const std::string text = outline_of("b.c.example.com.", kA);
  if (is_nsec()) {
    EXPECT_EQ(text,
              "NOERROR aa rd\nns alias.example.com. NSEC\nns alias.example.com. RRSIG NSEC\n"
              "ns example.com. RRSIG SOA\nns example.com. SOA\n");
  } else {
    EXPECT_EQ(text.substr(0, 13), "NOERROR aa rd");
    EXPECT_EQ(nsec3_count(text), 1) << text;
  }
}

TEST_P(SignedTest, ThatANameIsNotThereIsProven) {  // RFC 4035 3.1.3.2, RFC 5155 7.2.2
  const std::string text = outline_of("nope.example.com.", kA);
  EXPECT_EQ(text.substr(0, 14), "NXDOMAIN aa rd");
  if (is_nsec()) {
    EXPECT_EQ(text,
              "NXDOMAIN aa rd\nns example.com. NSEC\nns example.com. RRSIG NSEC\n"
              "ns example.com. RRSIG SOA\nns example.com. SOA\n"
              "ns x.new.example.com. NSEC\nns x.new.example.com. RRSIG NSEC\n")
        << "one that covers it, one that covers *.example.com";
    EXPECT_EQ(outline_of("a.example.com.", kA),
              "NXDOMAIN aa rd\nns example.com. NSEC\nns example.com. RRSIG NSEC\n"
              "ns example.com. RRSIG SOA\nns example.com. SOA\n")
        << "one proves both";
  } else {
    EXPECT_GE(nsec3_count(text), 2) << text;
    EXPECT_LE(nsec3_count(text), 3) << text;
  }
}

TEST_P(SignedTest, HashesProveEachNameByAllRecordsOnce) {  // RFC 5155 7.2.2
  if (is_nsec()) return;
  for (int i = 0; i < 100; ++i) {
    const std::string below = "q" + std::to_string(i) + ".example.com.";
    for (const auto& [asked, next, closest] :
         {std::tuple(below, below, std::string("example.com.")),
          std::tuple("a." + below, below, std::string("example.com.")),
          std::tuple("y." + std::to_string(i) + ".b.c.example.com.",
                     std::to_string(i) + ".b.c.example.com.", std::string("b.c.example.com."))}) {
      const std::string text = ask(asked, kA);
      SCOPED_TRACE(asked + "\n" + text);
      EXPECT_EQ(text.substr(0, 8), "NXDOMAIN");
      EXPECT_EQ(said_of(text, closest).there, 1);
      EXPECT_EQ(said_of(text, next).missing, 1);
      EXPECT_EQ(said_of(text, "*." + closest).missing, 1);
      EXPECT_LE(nsec3_count(outline(text)), 3);
    }
  }
}

TEST_P(SignedTest, AChainThatEndsNowhereIsProvenByEachRecordOnce) {  // RFC 2181 5
  for (int i = 0; i < 100; ++i) {
    const std::string text = ask("q" + std::to_string(i) + ".wn.example.com.", kA);
    SCOPED_TRACE(text);
    EXPECT_EQ(text.substr(0, 8), "NXDOMAIN");
    std::istringstream lines(text);
    std::set<std::string> seen;
    for (std::string line; std::getline(lines, line);)
      EXPECT_TRUE(seen.insert(line).second) << line;
    if (is_nsec()) continue;
    EXPECT_EQ(said_of(text, "example.com.").there, 1);
    EXPECT_EQ(said_of(text, "nope.example.com.").missing, 1);
    EXPECT_EQ(said_of(text, "*.example.com.").missing, 1);
  }
}

TEST_P(SignedTest, TheWildcardOfAnEmptyNonTerminalIsDenied) {
  if (!is_nsec()) return;
  EXPECT_EQ(outline_of("zz.b.c.example.com.", kA),
            "NXDOMAIN aa rd\nns a.b.c.example.com. NSEC\nns a.b.c.example.com. RRSIG NSEC\n"
            "ns alias.example.com. NSEC\nns alias.example.com. RRSIG NSEC\n"
            "ns example.com. RRSIG SOA\nns example.com. SOA\n")
      << "*.b.c sorts before a.b.c, where b.c's own place is";
}

TEST_P(SignedTest, AWildcardsAnswerSaysThatTheNameIsNotThere) {  // RFC 4035 3.1.3.3, RFC 5155 7.2.6
  const std::string text = outline_of("foo.w.example.com.", kA);
  EXPECT_EQ(text.substr(0, text.find("\nns")),
            "NOERROR aa rd\nan foo.w.example.com. A\nan foo.w.example.com. RRSIG A");
  if (is_nsec()) {
    EXPECT_NE(text.find("ns *.w.example.com. NSEC\n"), std::string::npos) << text;
  } else {
    EXPECT_EQ(nsec3_count(text), 1) << text;
  }
  const std::string chain = outline_of("foo.wc.example.com.", kA);
  EXPECT_NE(chain.find("an www.example.com. RRSIG A\n"), std::string::npos) << chain;
  EXPECT_NE(chain.find("\nns "), std::string::npos) << "the proof of the first link: " << chain;
}

TEST_P(SignedTest, AWildcardWithoutTheTypeIsProven) {  // RFC 4035 3.1.3.4, RFC 5155 7.2.5
  const std::string text = outline_of("foo.w.example.com.", kTxt);
  EXPECT_EQ(text.substr(0, 13), "NOERROR aa rd");
  if (is_nsec()) {
    EXPECT_EQ(text,
              "NOERROR aa rd\nns *.w.example.com. NSEC\nns *.w.example.com. RRSIG NSEC\n"
              "ns example.com. RRSIG SOA\nns example.com. SOA\n");
  } else {
    EXPECT_GE(nsec3_count(text), 2) << text;
  }
}

TEST_P(SignedTest, ReferralsHaveDsOrTheProofThatThereIsNone) {  // RFC 4035 3.1.4, RFC 5155 7.2.7
  EXPECT_EQ(outline_of("x.sub.example.com.", kA),
            "NOERROR rd\nns sub.example.com. DS\nns sub.example.com. NS\n"
            "ns sub.example.com. RRSIG DS\nar ns.sub.example.com. A\n");
  const std::string text = outline_of("x.plain.example.com.", kA);
  if (is_nsec()) {
    EXPECT_EQ(text,
              "NOERROR rd\nns plain.example.com. NS\nns plain.example.com. NSEC\n"
              "ns plain.example.com. RRSIG NSEC\n");
  } else {
    EXPECT_EQ(nsec3_count(text), 1) << text;
  }
  EXPECT_EQ(outline_of("x.plain.example.com.", kA, false),
            "NOERROR rd\nns plain.example.com. NS\n");
}

TEST_P(SignedTest, ThatADelegationHasNoDsIsProven) {  // RFC 4035 3.1.4.1, RFC 5155 7.2.4
  const std::string text = outline_of("plain.example.com.", kDs);
  EXPECT_EQ(text.substr(0, 13), "NOERROR aa rd");
  if (is_nsec()) {
    EXPECT_NE(text.find("ns plain.example.com. RRSIG NSEC"), std::string::npos) << text;
  } else {
    EXPECT_EQ(nsec3_count(text), 1) << text;
  }
}

TEST_P(SignedTest, TheRecordOfTheChainCanBeAskedFor) {
  if (is_nsec()) {
    EXPECT_EQ(outline_of("www.example.com.", kNsec, false),
              "NOERROR aa rd\nan www.example.com. NSEC\n");
    EXPECT_EQ(outline_of("www.example.com.", kNsec),
              "NOERROR aa rd\nan www.example.com. NSEC\nan www.example.com. RRSIG NSEC\n");
    EXPECT_EQ(outline_of("c.example.com.", kNsec, false), "NOERROR aa rd\nns example.com. SOA\n");
  } else {
    EXPECT_EQ(outline_of("www.example.com.", kNsec, false), "NOERROR aa rd\nns example.com. SOA\n");
    EXPECT_EQ(outline_of("example.com.", kNsec3Param, false),
              "NOERROR aa rd\nan example.com. NSEC3PARAM\n");
  }
}

TEST_P(SignedTest, ARedirectionIsSignedAndWhatComesOfItIsNot) {  // RFC 6672 5.3.1
  EXPECT_EQ(outline_of("x.old.example.com.", kA),
            "NOERROR aa rd\nan old.example.com. DNAME\nan old.example.com. RRSIG DNAME\n"
            "an x.new.example.com. A\nan x.new.example.com. RRSIG A\nan x.old.example.com. CNAME\n");
}

INSTANTIATE_TEST_SUITE_P(Chains, SignedTest,
                         ::testing::Values(Chain::kNsec, Chain::kNsec3, Chain::kNsec3OptOut));

}  // namespace
}  // namespace brink::dns::answer
