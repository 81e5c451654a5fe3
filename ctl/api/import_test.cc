// What is said of an import before it is stored is what comes of it.
#include "ctl/api/api_fixture.h"

namespace brink::ctl::api {
namespace {

using Texts = std::vector<std::string>;

constexpr char kFile[] =
    "@ 300 IN SOA ns hostmaster 2026010203 3600 600 86400 300\n"
    "b 300 IN A 203.0.113.2\n"
    "b 300 IN A 203.0.113.1\n"
    "a 300 IN TXT \"x\"\n"
    "c.a 300 IN MX 10 mail.example.net.\n"
    "c.a 300 IN MX 5 mail.example.net.\n"
    "b 300 IN A 203.0.113.2\n"
    "p 1 IN A 203.0.113.3 ; cf_tags=cf-proxied:true\n";

class AnnouncedImportTest : public ApiTest {
 protected:
  class Coming : public ComingImport {
   public:
    explicit Coming(AnnouncedImportTest& test) : test_(test) {}
    ~Coming() override { ++test_.ended_; }
    void is_stored() override { ++test_.stored_; }

   private:
    AnnouncedImportTest& test_;
  };

  AnnouncedImportTest() {
    service_->begin_import = [this](const model::Zone& zone, std::size_t size,
                                    const store::EachRecord& records) {
      announced_.push_back(zone);
      size_ = size;
      records([this](const store::RecordView& view) { said_.push_back(text_of(view)); });
      EXPECT_FALSE(store_->taken_version()) << "before anything was changed";
      return std::make_unique<Coming>(*this);
    };
  }
  static std::string text_of(const store::RecordView& view) {
    std::string text = std::string(view.name) + " " + std::to_string(view.type) + " " +
                       std::to_string(view.ttl) + (view.proxied ? " proxied" : "");
    for (const std::uint8_t octet : view.rdata) text += " " + std::to_string(octet);
    return text;
  }
  Texts stored(const model::Zone& zone) {
    Texts texts;
    store_->for_each_record_view(
        zone, [&](const store::RecordView& view) { texts.push_back(text_of(view)); });
    return texts;
  }
  model::Zone zone() {
    return store_->zone_by_name(model::DomainName::parse("example.com").value()).value();
  }

  std::vector<model::Zone> announced_;
  Texts said_;
  std::size_t size_ = 0;
  int stored_ = 0;
  int ended_ = 0;
};

TEST_F(AnnouncedImportTest, SaysAllThatTheZoneWillHave) {
  const std::string path = add_zone("example.com");
  EXPECT_EQ(import(path, kFile)["result"]["recs_added"], 6);
  ASSERT_EQ(announced_.size(), 1U);
  const model::Zone stays = zone();
  EXPECT_EQ(announced_[0].row, stays.row);
  EXPECT_EQ(announced_[0].serial, stays.serial);
  EXPECT_EQ(announced_[0].soa, stays.soa);
  EXPECT_EQ(announced_[0].modified_on.micros, stays.modified_on.micros);
  EXPECT_EQ(stays.serial, 2026010203U);
  EXPECT_EQ(said_, stored(zone()));
  EXPECT_EQ(size_, 6U);
  EXPECT_EQ(stored_, 1);
  EXPECT_EQ(ended_, 1);
}

TEST_F(AnnouncedImportTest, OnlyAnEmptyZoneIsSpokenOf) {
  const std::string path = add_zone("example.com");
  add(path, R"({"name":"www","type":"A","content":"203.0.113.1"})");
  EXPECT_EQ(import(path, kFile)["result"]["recs_added"], 6);
  EXPECT_TRUE(announced_.empty());
}

TEST_F(AnnouncedImportTest, WhatIsRefusedIsNeverSpokenOf) {
  const std::string path = add_zone("example.com");
  const std::uint64_t before = store_->version();
  for (const char* more : {"b 300 IN CNAME x\n", "d 300 IN BROKEN x\n"}) {
    EXPECT_FALSE(import(path, std::string(kFile) + more)["success"]);
  }
  EXPECT_TRUE(announced_.empty());
  EXPECT_EQ(stored(zone()), Texts{});
  EXPECT_EQ(store_->version(), before);
}

TEST_F(AnnouncedImportTest, WhatTheStoreRefusesEndsIt) {
  const std::string path = add_zone("example.com");
  const std::uint64_t before = store_->version();
  store_->set_before_commit([] { throw store::Failure("full"); });
  EXPECT_FALSE(import(path, kFile)["success"]);
  EXPECT_EQ(announced_.size(), 1U);
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(stored_, 0);
  EXPECT_EQ(stored(zone()), Texts{});
  EXPECT_EQ(store_->version(), before);
}

TEST_F(AnnouncedImportTest, NameServersByDefaultAreTakenBesideOthersAlone) {
  const std::string defaults =
      "@ 300 IN NS ns1.brink.test.\n@ 300 IN NS ns2.brink.test.\nb 300 IN A 203.0.113.2\n";
  const std::string path = add_zone("example.com");
  EXPECT_EQ(import(path, defaults)["result"]["recs_added"], 1);
  EXPECT_EQ(said_, stored(zone()));
  EXPECT_EQ(import(path, defaults + "@ 300 IN NS ns.other.test.\n")["result"]["recs_added"], 3);
  EXPECT_EQ(import(path, defaults)["result"]["recs_added"], 0) << "now they are its own";
}

}  // namespace
}  // namespace brink::ctl::api
