// What an import is compiled to ahead is what it is compiled to once it is stored.
#include <gtest/gtest.h>

#include "ctl/compile/compile.h"
#include "ctl/compile/compile_fixture.h"
#include "ctl/compile/map_sink.h"

namespace brink::ctl::compile {
namespace {

struct Line {
  const char* owner;
  const char* type;
  const char* content;
  bool proxied = false;
};

constexpr Line kZone[] = {{"@", "NS", "ns.plain.import.test"},
                          {"@", "A", "203.0.113.1"},
                          {"@", "MX", "10 www.import.test"},
                          {"ns.plain", "A", "203.0.113.2"},
                          {"www", "A", "203.0.113.3", true},
                          {"www", "AAAA", "2001:db8::3", true},
                          {"to.www", "CNAME", "www.import.test"},
                          {"out", "CNAME", "www.other.test"},
                          {"flat", "CNAME", "www.other.test", true},
                          {"away", "CNAME", "www.elsewhere.example"},
                          {"text", "TXT", "b"},
                          {"text", "TXT", "a"},
                          {"*.wild", "A", "203.0.113.4"},
                          {"alias", "CNAME", "some.wild.import.test"},
                          {"a.b.c", "A", "203.0.113.5"},
                          {"cut", "NS", "ns.cut.import.test"},
                          {"cut", "NS", "ns.outside.example"},
                          {"cut", "NS", "ns.deep.import.test"},
                          {"ns.cut", "A", "203.0.113.6"},
                          {"ns.cut", "AAAA", "2001:db8::6"},
                          {"www.cut", "TXT", "hidden"},
                          {"in.cut", "NS", "x.in.cut.import.test"},
                          {"x.in.cut", "A", "203.0.113.7"},
                          {"cut-not", "A", "203.0.113.8"},
                          {"deep", "DNAME", "other.test"},
                          {"ns.deep", "A", "203.0.113.9"},
                          {"to.hidden", "CNAME", "www.cut.import.test"},
                          {"\\000odd\\.name", "A", "203.0.113.10"}};

class ImportTest : public testing::Test {
 protected:
  // The same zones in both stores.
  model::Zone add_zone(const char* text) {
    model::Zone zone;
    zone.id = ids_.next();
    zone.name = name(text);
    zone.status = model::ZoneStatus::kActive;
    zone.serial = 1;
    model::Zone same = zone;
    before_->insert_zone(same);
    after_->insert_zone(zone);
    EXPECT_EQ(same.row, zone.row);
    return zone;
  }
  model::Record make(const model::Zone& zone, const Line& line) {
    auto made = model::make_record(rules_, zone,
                                   {.name = line.owner,
                                    .type = line.type,
                                    .content = line.content,
                                    .ttl = 300,
                                    .proxied = line.proxied});
    EXPECT_TRUE(made) << line.owner;
    model::Record record = std::move(made).value();
    record.id = ids_.next();
    return record;
  }
  void add_to_both(const model::Zone& zone, const Line& line) {
    model::Record record = make(zone, line), same = record;
    before_->insert_record(zone, record);
    after_->insert_record(zone, same);
  }

  Ids ids_;
  model::Rules rules_;
  Options options_ = test_options();
  std::unique_ptr<store::Store> before_ = empty_store(), after_ = empty_store();
};

TEST_F(ImportTest, AheadIsTheSameAsStored) {
  const model::Zone other = add_zone("other.test");
  add_to_both(other, {"www", "A", "198.51.100.1", true});
  add_to_both(other, {"mail", "MX", "10 www.other.test"});
  model::Zone zone = add_zone("import.test");
  ASSERT_TRUE(stands_alone(*before_, zone));
  for (const Line& line : kZone) {
    model::Record record = make(zone, line);
    after_->insert_record(zone, record);
  }
  zone.serial = 7;
  zone.soa = model::ZoneSoa{300, model::served_soa(zone, options_.authority).rdata};
  after_->update_zone(zone);

  MapSink ahead, stored;
  ASSERT_TRUE(compile_all(*before_, options_, ahead));
  ASSERT_TRUE(ahead.finish());
  const auto counts = compile_import(
      *before_, zone,
      [&](const store::VisitRecord& visit) { after_->for_each_record_view(zone, visit); }, options_,
      ahead);
  ASSERT_TRUE(counts) << counts.error().message();
  ASSERT_TRUE(ahead.finish());
  ASSERT_TRUE(compile_all(*after_, options_, stored));
  ASSERT_TRUE(stored.finish());
  EXPECT_EQ(ahead.difference(stored), "");
  EXPECT_GT(counts.value().names_put, 15U);
}

TEST_F(ImportTest, OnlyAZoneThatNothingElseHangsOnStandsAlone) {
  const model::Zone above = add_zone("above.test"), below = add_zone("in.below.above.test");
  EXPECT_FALSE(stands_alone(*before_, above)) << "a zone below";
  EXPECT_FALSE(stands_alone(*before_, below)) << "a zone above";
  model::Zone zone = add_zone("import.test");
  EXPECT_TRUE(stands_alone(*before_, zone));
  model::Zone presigned = zone;
  presigned.dnssec.presigned = true;
  EXPECT_FALSE(stands_alone(*before_, presigned));
  model::Zone signed_zone = zone;
  signed_zone.dnssec.status = model::DnssecStatus::kPending;
  EXPECT_FALSE(stands_alone(*before_, signed_zone));
  add_to_both(above, {"alias", "CNAME", "www.import.test"});
  EXPECT_FALSE(stands_alone(*before_, zone)) << "an alias leads into it";
}

}  // namespace
}  // namespace brink::ctl::compile
