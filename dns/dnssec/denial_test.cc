// NSEC and NSEC3: the examples of RFC 4034 and RFC 5155, and ldns as the second opinion.
#include "dns/dnssec/denial.h"

#include <gtest/gtest.h>
#include <ldns/ldns.h>

#include <algorithm>
#include <random>

#include "dns/zone/text.h"

namespace brink::dns::dnssec {
namespace {

Wire name(const std::string& text) {
  return zone::name_from_text(text).value();
}

Wire data(const std::string& type, const std::string& text) {
  return zone::rdata_from_text(*zone::type_from_text(type), text, name(".")).value();
}

// RFC 5155 appendix A.
TEST(Nsec3, HashesAsInTheExample) {
  const Wire salt("\xaa\xbb\xcc\xdd", 4), apex = name("example.");
  const std::vector<std::pair<std::string, std::string>> hashes = {
      {"example.", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"},
      {"a.example.", "35mthgpgcu1qg68fab165klnsnk3dpvl"},
      {"ai.example.", "gjeqe526plbf1g8mklp59enfd789njgi"},
      {"ns1.example.", "2t7b4g4vsa5smi47k61mv5bv1a22bojr"},
      {"ns2.example.", "q04jkcevqvmu85r014c7dkba38o0ji5r"},
      {"w.example.", "k8udemvp1j2f7eg6jebps17vp3n8i58h"},
      {"*.w.example.", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"},
      {"X.w.eXample.", "b4um86eghhds6nea196smvmlo4ors995"},
      {"y.w.example.", "ji6neoaepv8b5o6k4ev33abha8ht9fgc"},
      {"x.y.w.example.", "2vptu5timamqttgl4luu9kg21e0aor3s"},
      {"xx.example.", "t644ebqk9bibcna874givr6joj62mlhv"},
  };
  for (const auto& [text, hash] : hashes) {
    const Nsec3Hash made = nsec3_hash(name(text), 12, salt);
    EXPECT_EQ(nsec3_owner(made, apex), name(hash + ".example.")) << text;
    EXPECT_EQ(hash_of_nsec3_owner(name(hash + ".example.")), made);
  }
}

TEST(Nsec3, OwnersAreReadBackInAnyCase) {
  const Nsec3Hash hash = nsec3_hash(name("a."), 0, "");
  Wire owner = nsec3_owner(hash, name("example."));
  for (char& c : owner) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  EXPECT_EQ(hash_of_nsec3_owner(owner), hash);
  for (const std::string& bad :
       {std::string("example."), std::string(31, 'a') + ".example.",
        std::string(31, 'a') + "w.example.", std::string(33, 'a') + ".example."}) {
    EXPECT_FALSE(hash_of_nsec3_owner(name(bad)).has_value()) << bad;
  }
  EXPECT_FALSE(hash_of_nsec3_owner("").has_value());
}

// RFC 5155 appendix A, 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.
TEST(Nsec3, DataIsAsInTheExample) {
  const Nsec3Parameters parameters{12, Wire("\xaa\xbb\xcc\xdd", 4)};
  const std::vector<std::uint16_t> types = {15, 48, 2, 6, 51, 46};
  const Nsec3Hash next = nsec3_hash(name("ns1.example."), 12, parameters.salt);
  EXPECT_EQ(nsec3_rdata(parameters, true, next, types),
            data("NSEC3",
                 "1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM "
                 "RRSIG"));
  EXPECT_EQ(nsec3param_rdata(parameters), data("NSEC3PARAM", "1 0 12 aabbccdd"));
  EXPECT_EQ(nsec3param_rdata({}), data("NSEC3PARAM", "1 0 0 -"));
  EXPECT_EQ(nsec3_rdata({}, false, next, {}),
            data("NSEC3", "1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr"));
}

TEST(Nsec3, ParametersOfOthersAreReadWithinTheCaps) {
  const Nsec3Parameters most{kNsec3IterationsMax, Wire(255, 's')};
  const auto read = read_nsec3param(nsec3param_rdata(most));
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read.value(), most);
  const std::vector<std::pair<Wire, std::string>> bad = {
      {nsec3param_rdata({51, ""}), "51 iterations"},
      {Wire("\2\0\0\0\0", 5), "algorithm 2"},
      {Wire("\1\1\0\0\0", 5), "flags 1"},
      {Wire("\1\0\0\0\1", 5), "malformed"},
      {Wire("\1\0\0\0\0\0", 6), "malformed"},
      {"", "malformed"},
  };
  for (const auto& [rdata, fault] : bad) {
    const auto result = read_nsec3param(rdata);
    ASSERT_FALSE(result.ok()) << fault;
    EXPECT_NE(result.error().message().find(fault), std::string::npos);
  }
}

// RFC 4034 4.3.
TEST(Nsec, DataIsAsInTheExample) {
  const std::vector<std::uint16_t> types = {1'234, 47, 1, 15, 46};
  const Wire rdata = nsec_rdata(name("host.example.com."), types);
  EXPECT_EQ(rdata, data("NSEC", "host.example.com. A MX RRSIG NSEC TYPE1234"));
  EXPECT_EQ(rdata.substr(18), Wire("\0\6\x40\1\0\0\0\3\4\x1b\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                   "\0\0\0\0\0\0\0\x20",
                                   37));
}

TEST(TypeBitmap, OfAnyTypesIsReadByLdns) {
  std::mt19937 random(1);
  for (int i = 0; i < 500; ++i) {
    std::vector<std::uint16_t> types;
    std::string text = "a.example.";
    for (std::size_t n = 1 + random() % 20; n > 0; --n) {
      types.push_back(static_cast<std::uint16_t>(random() % (n % 2 == 0 ? 70 : 65'535) + 1));
      text += " TYPE" + std::to_string(types.back());
    }
    types.push_back(types[0]);
    EXPECT_EQ(nsec_rdata(name("a.example."), types), data("NSEC", text)) << text;
  }
  EXPECT_EQ(type_bitmap({}), "");
}

// RFC 4034 6.1.
TEST(CanonicalOrder, IsThatOfTheExample) {
  const std::vector<Wire> names = {name("."),
                                   name("example."),
                                   name("a.example."),
                                   name("yljkjljk.a.example."),
                                   name("Z.a.example."),
                                   name("zABC.a.EXAMPLE."),
                                   name("z.example."),
                                   name("\\001.z.example."),
                                   name("*.z.example."),
                                   name("\\200.z.example.")};
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (std::size_t j = 0; j < names.size(); ++j) {
      EXPECT_EQ(canonical_order(names[i], names[j]), i <=> j) << i << " " << j;
    }
  }
  EXPECT_EQ(canonical_order(name("A.b."), name("a.B.")), std::strong_ordering::equal);
}

TEST(CanonicalOrder, IsThatOfLdns) {
  std::mt19937 random(7);
  const auto some = [&] {
    Wire wire;
    for (std::size_t labels = random() % 5; labels > 0; --labels) {
      const std::size_t size = 1 + random() % 3;
      wire += static_cast<char>(size);
      for (std::size_t i = 0; i < size; ++i) wire += "aAbB\0\xff*-"[random() % 8];
    }
    return wire + Wire(1, '\0');
  };
  const auto rdf = [](const Wire& wire) {
    return std::unique_ptr<ldns_rdf, decltype(&ldns_rdf_deep_free)>(
        ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, wire.size(), wire.data()), &ldns_rdf_deep_free);
  };
  for (int i = 0; i < 20'000; ++i) {
    const Wire a = some(), b = some();
    const int theirs = ldns_dname_compare(rdf(a).get(), rdf(b).get());
    EXPECT_EQ(canonical_order(a, b), theirs <=> 0);
  }
}

TEST(CanonicalOrder, BearsTheLongestNames) {
  Wire deep, wide;
  for (int i = 0; i < 127; ++i) deep += Wire("\1a", 2);
  for (int i = 0; i < 3; ++i) wide += "\x3f" + Wire(63, 'a');
  wide += "\x3d" + Wire(61, 'a');
  deep += Wire(1, '\0');
  wide += Wire(1, '\0');
  EXPECT_EQ(deep.size(), 255U);
  EXPECT_EQ(wide.size(), 255U);
  EXPECT_TRUE(CanonicalLess()(deep, wide));
  EXPECT_FALSE(CanonicalLess()(wide, deep));
  EXPECT_FALSE(CanonicalLess()(deep, deep));
}

TEST(DenialTypes, ShowWhatTheZoneAnswersFor) {
  const auto types = [](std::vector<std::uint16_t> at, bool cut, DenialKind kind) {
    return denial_types(at, cut, kind);
  };
  using Types = std::vector<std::uint16_t>;
  EXPECT_EQ(types({28, 1}, false, DenialKind::kNsec), (Types{1, 28, 46, 47}));
  EXPECT_EQ(types({28, 1}, false, DenialKind::kNsec3), (Types{1, 28, 46}));
  EXPECT_EQ(types({1, 2}, true, DenialKind::kNsec), (Types{2, 46, 47}));
  EXPECT_EQ(types({1, 2}, true, DenialKind::kNsec3), (Types{2}));
  EXPECT_EQ(types({1, 2, 43}, true, DenialKind::kNsec), (Types{2, 43, 46, 47}));
  EXPECT_EQ(types({1, 2, 43}, true, DenialKind::kNsec3), (Types{2, 43, 46}));
  EXPECT_EQ(types({}, false, DenialKind::kNsec3), Types{});
  EXPECT_EQ(types({1, 46, 47}, false, DenialKind::kNsec), (Types{1, 46, 47}));
}

}  // namespace
}  // namespace brink::dns::dnssec
