#include "ctl/model/zone.h"

#include <gtest/gtest.h>

namespace brink::ctl::model {
namespace {

TEST(Timestamp, ReadsWhatItWrites) {
  for (const std::int64_t micros : {std::int64_t{0}, std::int64_t{1'767'225'600'000'042}}) {
    EXPECT_EQ(Timestamp::parse(Timestamp{micros}.rfc3339()), Timestamp{micros});
  }
  const auto noon = Timestamp::parse("2026-03-01T12:00:00Z");
  ASSERT_TRUE(noon);
  EXPECT_EQ(Timestamp::parse("2026-03-01T14:30:00+02:30"), noon);
  EXPECT_EQ(Timestamp::parse("2026-03-01t11:00:00.0000001-01:00"), noon);
  EXPECT_EQ(Timestamp::parse("2026-03-01")->rfc3339(), "2026-03-01T00:00:00.000000Z");
  for (const char* bad :
       {"", "2026", "2026-02-30", "2026-13-01", "2026-03-01T", "2026-03-01T12:00",
        "2026-03-01T12:00:00", "2026-03-01T24:00:00Z", "2026-03-01T12:00:00.Z",
        "2026-03-01T12:00:00Zx", "2026-03-01T12:00:00+2:00", "+026-03-01", "now"}) {
    EXPECT_FALSE(Timestamp::parse(bad)) << bad;
  }
}

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

TEST(Serial, GoesOnByItsPolicyAndNeverBack) {
  Zone zone;
  const Timestamp noon{1'792'238'400'000'000};  // 2026-10-17 08:00 UTC
  const auto next = [&](SerialPolicy policy, std::uint32_t from) {
    zone.dns.serial_policy = policy;
    zone.serial = from;
    return next_serial(zone, noon);
  };
  EXPECT_EQ(next(SerialPolicy::kIncrement, 7), 8U);
  EXPECT_EQ(next(SerialPolicy::kIncrement, 0xffffffff), 0U);
  EXPECT_EQ(next(SerialPolicy::kUnixTime, 7), 1'792'238'400U);
  EXPECT_EQ(next(SerialPolicy::kUnixTime, 1'792'238'400), 1'792'238'401U);
  EXPECT_EQ(next(SerialPolicy::kUnixTime, 2026101700), 2026101701U);
  EXPECT_EQ(next(SerialPolicy::kDateSerial, 7), 2026101700U);
  EXPECT_EQ(next(SerialPolicy::kDateSerial, 2026101700), 2026101701U);
  EXPECT_EQ(next(SerialPolicy::kDateSerial, 2026101799), 2026101800U);
  // RFC 1982 3.2: half of all numbers are newer than any.
  EXPECT_EQ(next(SerialPolicy::kDateSerial, 3'000'000'000), 3'000'000'001U);
  EXPECT_EQ(next(SerialPolicy::kDateSerial, 4'294'967'295), 2026101700U);
  EXPECT_EQ(next(SerialPolicy::kKeep, 7), 7U);
  zone.dnssec.presigned = true;
  EXPECT_EQ(next(SerialPolicy::kIncrement, 7), 7U);
}

}  // namespace
}  // namespace brink::ctl::model
