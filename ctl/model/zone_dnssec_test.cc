#include "ctl/model/zone_dnssec.h"

#include <gtest/gtest.h>

namespace brink::ctl::model {
namespace {

ZoneDnssec everything() {
  ZoneDnssec dnssec;
  dnssec.status = DnssecStatus::kPendingDisabled;
  dnssec.algorithm = kEd25519;
  dnssec.split_keys = true;
  dnssec.denial = ZoneDenial::kNsec3;
  dnssec.multi_signer = true;
  dnssec.presigned = true;
  dnssec.key_set = 7;
  dnssec.signing_set = 4'294'967'295;
  dnssec.modified_on = Timestamp{1'767'225'600'000'042};
  return dnssec;
}

TEST(ZoneDnssecTest, DefaultsAreAnEmptyText) {
  EXPECT_EQ(to_text(ZoneDnssec{}), "");
  EXPECT_EQ(zone_dnssec_from_text(""), ZoneDnssec{});
}

TEST(ZoneDnssecTest, TextKeepsEverything) {
  EXPECT_EQ(zone_dnssec_from_text(to_text(everything())), everything());
  ZoneDnssec only_status;
  only_status.status = DnssecStatus::kError;
  EXPECT_EQ(to_text(only_status), "status=error\n");
  EXPECT_EQ(zone_dnssec_from_text("status=error\n"), only_status);
}

TEST(ZoneDnssecTest, OtherTextsAreRefused) {
  for (const char* text :
       {"status", "status=on", "algorithm=256", "algorithm=", "denial=nsec5", "split_keys=2",
        "key_set=-1", "signing_set=4294967296", "keys=1", "modified_on=now"}) {
    EXPECT_FALSE(zone_dnssec_from_text(text)) << text;
  }
}

TEST(ZoneDnssecTest, NamesBelowTheApexDifferWhenTheyMustBeSignedAnew) {
  ZoneDnssec off, pending;
  pending.status = DnssecStatus::kPending;
  EXPECT_TRUE(off.differs_below_apex(pending));
  EXPECT_TRUE(pending.differs_below_apex(off));

  ZoneDnssec active = pending;
  active.status = DnssecStatus::kActive;
  EXPECT_FALSE(active.differs_below_apex(pending));
  ZoneDnssec other = active;
  other.key_set = 2;
  EXPECT_FALSE(active.differs_below_apex(other));
  other.signing_set = 2;
  EXPECT_TRUE(active.differs_below_apex(other));
  other = active;
  other.denial = ZoneDenial::kNsec3;
  EXPECT_TRUE(active.differs_below_apex(other));

  // What is not signed has nothing to be signed anew.
  ZoneDnssec off_too = off;
  off_too.denial = ZoneDenial::kNsec3;
  off_too.signing_set = 5;
  EXPECT_FALSE(off.differs_below_apex(off_too));
  ZoneDnssec presigned = active;
  presigned.presigned = true;
  EXPECT_TRUE(active.differs_below_apex(presigned));
}

}  // namespace
}  // namespace brink::ctl::model
