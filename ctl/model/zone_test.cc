#include "ctl/model/zone.h"

#include <gtest/gtest.h>

namespace brink::ctl::model {
namespace {

TEST(ZoneName, IsAbsoluteAndPlain) {
  EXPECT_EQ(zone_name("Example.COM.").value().text(), "example.com");
  EXPECT_EQ(zone_name("B\xc3\x9c"
                      "cher.example")
                .value()
                .text(),
            "xn--bcher-kva.example");
  for (const char* text : {"", ".", "*.example.com", "a..b", "b\xff.test", "a\\032b.test"}) {
    const auto result = zone_name(text);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.error().code, kCodeZoneInvalid);
  }
}

TEST(ZoneStatus, TextsComeBackAsTheSameValue) {
  for (const auto status :
       {ZoneStatus::kInitializing, ZoneStatus::kPending, ZoneStatus::kActive, ZoneStatus::kMoved}) {
    EXPECT_EQ(zone_status_from_text(to_text(status)), status);
  }
  EXPECT_FALSE(zone_status_from_text("gone"));
  for (const auto type :
       {ZoneType::kFull, ZoneType::kPartial, ZoneType::kSecondary, ZoneType::kInternal}) {
    EXPECT_EQ(zone_type_from_text(to_text(type)), type);
  }
  EXPECT_FALSE(zone_type_from_text("half"));
}

TEST(Serial, ComparesInSequenceSpace) {
  EXPECT_TRUE(is_newer_serial(2, 1));
  EXPECT_FALSE(is_newer_serial(1, 2));
  EXPECT_FALSE(is_newer_serial(7, 7));
  EXPECT_TRUE(is_newer_serial(1, 0xffffffffU));  // RFC 1982 5.2: wraps
}

TEST(SoaSerial, IsReplacedInPlace) {
  Rdata soa =
      rdata_from_text(kTypeSoa, "ns. host. 1 2 3 4 5", DomainName::parse("example.com").value())
          .value();
  EXPECT_EQ(soa_serial(soa), 1U);
  set_soa_serial(soa, 2026010101U);
  EXPECT_EQ(soa_serial(soa), 2026010101U);
  EXPECT_EQ(rdata_to_text(kTypeSoa, soa), "ns. host. 2026010101 2 3 4 5");
}

}  // namespace
}  // namespace brink::ctl::model
