#include "ctl/api/record_loader.h"

#include <algorithm>

#include "ctl/api/api_fixture.h"

namespace brink::ctl::api {
namespace {

using Texts = std::vector<std::string>;

class RecordLoaderTest : public ApiTest {
 protected:
  RecordLoaderTest() {
    add_zone("example.com");
    zone_ = store_->zone_by_name(model::DomainName::parse("example.com").value()).value();
  }
  model::Record make(const std::string& name, const std::string& type, const std::string& content) {
    return model::make_record(settings_.rules, zone_,
                              {.name = name, .type = type, .content = content})
        .value();
  }
  Texts records() {
    Texts texts;
    store_->for_each_record(zone_, [&](const model::Record& record) {
      texts.push_back(record.name.text() + " " + record.content);
    });
    return texts;
  }
  // Loads hosts of these names, "1" being on line 1, and commits unless there is a fault.
  std::string load(const Texts& hosts, std::size_t piece_max) {
    Change change(*service_, zone_);
    RecordLoader loader(*service_, change, piece_max);
    std::size_t line = 0;
    for (const std::string& host : hosts) {
      const bool alias = host.starts_with("alias-");
      const std::string name = alias ? host.substr(6) : host;
      if (!loader.add(make(name, alias ? "CNAME" : "A", alias ? "x.test" : "203.0.113.1"),
                      ++line)) {
        break;
      }
    }
    loader.flush();
    added_ = loader.added();
    known_ = loader.known();
    if (loader.fault()) return loader.fault()->message();
    change.commit(std::nullopt);
    return "";
  }

  model::Zone zone_;
  std::uint64_t added_ = 0, known_ = 0;
};

TEST_F(RecordLoaderTest, PiecesOfAnySizeComeToTheSame) {
  const Texts hosts = {"b", "a.b", "c", "b", "a", "*", "a", "@", "c"};
  const Texts expected = {"example.com 203.0.113.1",     "*.example.com 203.0.113.1",
                          "a.example.com 203.0.113.1",   "b.example.com 203.0.113.1",
                          "a.b.example.com 203.0.113.1", "c.example.com 203.0.113.1"};
  for (const std::size_t piece : {1U, 2U, 3U, 100U}) {
    EXPECT_EQ(load(hosts, piece), "") << piece;
    EXPECT_EQ(records(), expected) << piece;
    EXPECT_EQ(added_, 6U) << piece;
    EXPECT_EQ(known_, 3U) << piece;
    EXPECT_EQ(load(hosts, piece), "") << "into a zone that has them";
    EXPECT_EQ(added_, 0U) << piece;
    EXPECT_EQ(known_, 9U) << piece;
    store_->for_each_record(zone_, [&](const model::Record& record) {
      EXPECT_EQ(store_->record_by_id(zone_, record.id), record);
    });
    store::Transaction transaction(*store_, store::Transaction::Kind::kWrite);
    for (const model::Record& record : store_->list_records(zone_, {}).items) {
      store_->delete_record(record);
    }
    transaction.commit();
  }
}

TEST_F(RecordLoaderTest, AllOfARecordIsKept) {
  const std::vector<model::RecordDraft> drafts = {
      {.name = "a", .type = "A", .content = "203.0.113.1", .ttl = 300},
      {.name = "a", .type = "TXT", .content = "plain text"},
      {.name = "b", .type = "A", .content = "203.0.113.1", .proxied = true},
      {.name = "b", .type = "AAAA", .content = "2001:db8::1", .comment = "a comment"},
      {.name = "c", .type = "CNAME", .content = "x.test", .tags = {"owner:dns"}},
      {.name = "d", .type = "MX", .content = "mail.test", .priority = 10},
      {.name = "e", .type = "CNAME", .content = "x.test", .settings = {.flatten_cname = true}},
      {.name = "\\000\\..f", .type = "NS", .content = "ns.test", .ttl = 86400},
      {.name = "@", .type = "NS", .content = "."}};
  Change change(*service_, zone_);
  RecordLoader loader(*service_, change);
  std::vector<model::Record> made;
  for (const model::RecordDraft& draft : drafts) {
    made.push_back(model::make_record(settings_.rules, zone_, draft).value());
    ASSERT_TRUE(loader.add(made.back(), made.size()));
  }
  loader.flush();
  change.commit(std::nullopt);
  for (const model::Record& record : made) {
    const auto stored = store_->records_at(zone_, record.name);
    const auto same = [&](const model::Record& other) {
      return other.type == record.type && other.content == record.content &&
             other.rdata == record.rdata && other.ttl == record.ttl &&
             other.priority == record.priority && other.proxied == record.proxied &&
             other.comment == record.comment && other.tags == record.tags &&
             other.settings == record.settings;
    };
    EXPECT_EQ(std::ranges::count_if(stored, same), 1) << record.name.text();
  }
}

TEST_F(RecordLoaderTest, TheFirstLineThatCannotStandIsBlamedAndNothingStays) {
  const Texts hosts = {"d", "c", "alias-d", "a", "alias-c", "alias-a"};
  for (const std::size_t piece : {1U, 3U, 100U}) {
    const std::string fault = load(hosts, piece);
    EXPECT_TRUE(fault.starts_with("line 3, d.example.com CNAME")) << fault;
    EXPECT_EQ(records(), Texts{});
  }
  EXPECT_EQ(load({"a", "b"}, 100), "");
  EXPECT_TRUE(load({"c", "alias-b"}, 100).starts_with("line 2, b.example.com CNAME"))
      << "beside what the zone has";
  EXPECT_EQ(records().size(), 2U);
}

}  // namespace
}  // namespace brink::ctl::api
