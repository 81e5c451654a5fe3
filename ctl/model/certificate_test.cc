#include "ctl/model/certificate.h"

#include <gtest/gtest.h>

namespace brink::ctl::model {
namespace {

const DomainName& zone() {
  static const DomainName name = DomainName::parse("example.com").value();
  return name;
}

std::string host(std::string_view text, bool may_be_wildcard = true) {
  const auto result = host_within(text, zone(), may_be_wildcard);
  return result ? result.value() : "refused";
}

TEST(HostWithin, TakesNamesOfTheZoneInOneForm) {
  EXPECT_EQ(host("example.com"), "example.com");
  EXPECT_EQ(host("WWW.Example.com."), "www.example.com");
  EXPECT_EQ(host("bücher.example.com"), "xn--bcher-kva.example.com");
  EXPECT_EQ(host("*.example.com"), "*.example.com");
  EXPECT_EQ(host("*.a.example.com"), "*.a.example.com");
}

TEST(HostWithin, RefusesAllOthers) {
  for (const char* bad : {"", ".", "*", "example.org", "*.com", "notexample.com", "a..example.com",
                          "a.*.example.com", "*.*.example.com", "w*.example.com", "a b"}) {
    EXPECT_EQ(host(bad), "refused") << bad;
  }
  EXPECT_EQ(host("*.example.com", false), "refused");
  EXPECT_EQ(host_within("example.org", zone(), true).error().code, kCodeHostInvalid);
}

TEST(EdgeFault, NamesTheHostThatIsOutside) {
  Certificate certificate;
  ASSERT_TRUE(edge_fault(certificate, zone()));
  certificate.hosts = {"example.com", "*.example.com"};
  EXPECT_FALSE(edge_fault(certificate, zone()));
  certificate.hosts.emplace_back("www.example.net");
  const auto fault = edge_fault(certificate, zone());
  ASSERT_TRUE(fault);
  EXPECT_NE(fault->message.find("www.example.net"), std::string::npos) << fault->message;
}

TEST(BundleMethod, HasThreeTexts) {
  for (const char* text : {"ubiquitous", "optimal", "force"}) {
    ASSERT_TRUE(bundle_method_from_text(text)) << text;
    EXPECT_EQ(to_text(*bundle_method_from_text(text)), text);
  }
  EXPECT_FALSE(bundle_method_from_text("compatible"));
}

}  // namespace
}  // namespace brink::ctl::model
