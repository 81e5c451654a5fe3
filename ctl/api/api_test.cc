// The endpoints against a real store, without a socket.
#include "ctl/api/api_fixture.h"

namespace brink::ctl::api {
namespace {

TEST_F(ApiTest, ANewZoneIsPendingAndListed) {
  const std::string zone = add_zone("Example.COM");
  EXPECT_EQ(status_, 200);
  EXPECT_EQ(version_, 1U);
  const Json shown = call("GET", zone);
  EXPECT_EQ(shown["result"]["name"], "example.com");
  EXPECT_EQ(shown["result"]["status"], "pending");
  EXPECT_EQ(shown["result"]["name_servers"].size(), 2U);
  EXPECT_EQ(shown["result"].begin().key(), "id") << "small clients look for it first";
  const Json list = call("GET", "/client/v4/zones/?name=example.com&per_page=1");
  EXPECT_EQ(list["result"].size(), 1U);
  EXPECT_EQ(list["result_info"]["total_count"], 1);
  EXPECT_EQ(call("GET", "/client/v4/zones?page=2")["result"].size(), 0U);
  EXPECT_EQ(call("GET", "/client/v4/zones?account.id=0")["result"].size(), 0U);
}

TEST_F(ApiTest, ZonesThatCannotBeAreRefused) {
  add_zone("example.com");
  EXPECT_EQ(code(call("POST", "/client/v4/zones", R"({"name":"example.com"})")), 1061);
  EXPECT_EQ(code(call("POST", "/client/v4/zones", R"({"name":"*.x"})")), 1049);
  EXPECT_EQ(code(call("POST", "/client/v4/zones", R"({"name":7})")), kCodeBadBody);
  EXPECT_EQ(code(call("POST", "/client/v4/zones", R"({"name":)")), kCodeMalformedJson);
  EXPECT_EQ(code(call("POST", "/client/v4/zones", "[]")), kCodeBadBody);
  EXPECT_EQ(code(call("GET", "/client/v4/zones?page=0")), kCodeBadParameter);
  EXPECT_EQ(code(call("GET", "/client/v4/zones/00000000000000000000000000000000")), 7003);
  EXPECT_EQ(status_, 404);
}

TEST_F(ApiTest, OnlyTheOperatorActivatesAZone) {
  const std::string zone = add_zone("example.com");
  const std::string activate = "/brink/v1" + zone.substr(10) + "/activate";
  trusted_ = false;
  call("POST", activate);
  EXPECT_EQ(status_, 403);
  trusted_ = true;
  const Json active = call("POST", activate);
  EXPECT_EQ(active["result"]["status"], "active");
  EXPECT_TRUE(active["result"]["activated_on"].is_string());
}

TEST_F(ApiTest, PausingAndDeletingAZoneAreChanges) {
  const std::string zone = add_zone("example.com");
  EXPECT_EQ(call("PATCH", zone, R"({"paused":true})")["result"]["paused"], true);
  EXPECT_EQ(version_, 2U);
  call("PATCH", zone, R"({"plan":{"id":"other"}})");
  EXPECT_EQ(status_, 501);
  call("DELETE", zone, "{}");
  EXPECT_EQ(version_, 3U);
  call("GET", zone);
  EXPECT_EQ(status_, 404);
}

TEST_F(ApiTest, ARecordLivesThroughItsChanges) {
  const std::string zone = add_zone("example.com");
  const Json made = add(zone, R"({"type":"A","name":"www","content":"203.0.113.1","ttl":120,
                                  "comment":"front","tags":["team:web"]})");
  ASSERT_EQ(status_, 200) << made;
  const Json& record = made["result"];
  EXPECT_EQ(record.begin().key(), "id");
  EXPECT_EQ(record["name"], "www.example.com");
  EXPECT_EQ(record["ttl"], 120);
  EXPECT_EQ(record["proxied"], false);
  EXPECT_EQ(record["proxiable"], true);
  EXPECT_EQ(record["created_on"], record["comment_modified_on"]);
  const std::string path = zone + "/dns_records/" + record["id"].get<std::string>();

  const Json patched = call("PATCH", path, R"({"proxied":true})");
  EXPECT_EQ(patched["result"]["proxied"], true);
  EXPECT_EQ(patched["result"]["ttl"], 1);
  EXPECT_EQ(patched["result"]["comment"], "front");
  EXPECT_EQ(patched["result"]["created_on"], record["created_on"]);
  EXPECT_NE(patched["result"]["modified_on"], record["modified_on"]);

  const Json put = call("PUT", path, R"({"type":"A","name":"www","content":"203.0.113.2"})");
  EXPECT_EQ(put["result"]["id"], record["id"]);
  EXPECT_EQ(put["result"]["comment"], nullptr);
  EXPECT_EQ(put["result"]["proxied"], false);
  EXPECT_EQ(call("GET", path)["result"]["content"], "203.0.113.2");

  EXPECT_EQ(call("DELETE", path)["result"]["id"], record["id"]);
  EXPECT_EQ(code(call("GET", path)), 81044);
  EXPECT_EQ(status_, 404);
}

TEST_F(ApiTest, RecordsThatCannotBeAreRefusedAndChangeNothing) {
  const std::string zone = add_zone("example.com");
  add(zone, R"({"type":"A","name":"www","content":"203.0.113.1"})");
  const std::uint64_t version = store_->version();
  EXPECT_EQ(code(add(zone, R"({"type":"A","name":"www","content":"203.0.113.1"})")), 81057);
  EXPECT_EQ(code(add(zone, R"({"type":"CNAME","name":"www","content":"x.test"})")), 81053);
  EXPECT_EQ(code(add(zone, R"({"type":"TXT","name":"t","content":"x","proxied":true})")), 9004);
  EXPECT_EQ(code(add(zone, R"({"type":"A","name":"t","content":"192.0.2.1","proxied":true})")),
            9003);
  EXPECT_EQ(code(add(zone, R"({"type":"A","name":"t","content":"x"})")), 9007);
  EXPECT_EQ(code(add(zone, R"({"type":"A","name":"t","content":"203.0.113.9","ttl":5})")), 9021);
  EXPECT_EQ(code(add(zone, R"({"type":"A","name":"t","content":"203.0.113.9","ttl":"5"})")),
            kCodeBadBody);
  EXPECT_EQ(code(add(zone, R"({"type":"A","name":"t","content":"203.0.113.9","ttl":-1})")),
            kCodeBadBody);
  EXPECT_EQ(code(add(zone, "{}")), 9001);
  EXPECT_EQ(store_->version(), version);
  EXPECT_EQ(store_->record_count(), 1U);
}

TEST_F(ApiTest, AnEditThatWouldConflictIsUndone) {
  const std::string zone = add_zone("example.com");
  add(zone, R"({"type":"A","name":"a","content":"203.0.113.1"})");
  const Json b = add(zone, R"({"type":"A","name":"b","content":"203.0.113.1"})");
  const std::string path = zone + "/dns_records/" + b["result"]["id"].get<std::string>();
  EXPECT_EQ(code(call("PATCH", path, R"({"name":"a"})")), 81057);
  EXPECT_EQ(call("GET", path)["result"]["name"], "b.example.com");
  EXPECT_EQ(call("PATCH", path, R"({"content":"203.0.113.1"})")["result"]["name"], "b.example.com")
      << "a record does not conflict with itself";
}

TEST_F(ApiTest, FieldsOfARecordComeAsDataToo) {
  const std::string zone = add_zone("example.com");
  const Json srv = add(zone, R"({"type":"SRV","name":"_sip._tcp","data":
      {"priority":10,"weight":5,"port":5060,"target":"sip.example.com"}})");
  ASSERT_EQ(status_, 200) << srv;
  EXPECT_EQ(srv["result"]["content"], "5 5060 sip.example.com");
  EXPECT_EQ(srv["result"]["priority"], 10);
  EXPECT_EQ(srv["result"]["data"]["target"], "sip.example.com");
  EXPECT_EQ(srv["result"]["data"]["port"], 5060);
  const Json caa = add(zone, R"({"type":"CAA","name":"@","data":
      {"flags":0,"tag":"issue","value":"ca.example.net"}})");
  EXPECT_EQ(caa["result"]["content"], "0 issue \"ca.example.net\"");
  EXPECT_EQ(caa["result"]["data"]["value"], "ca.example.net");
  EXPECT_EQ(code(add(zone, R"({"type":"CAA","name":"@","data":{"flags":0}})")), kCodeBadBody);
  EXPECT_EQ(code(add(zone, R"({"type":"A","name":"@","data":{"x":0}})")), kCodeBadBody);
  const Json mx =
      add(zone, R"({"type":"MX","name":"@","content":"mail.example.com","priority":5})");
  EXPECT_EQ(mx["result"]["priority"], 5);
  EXPECT_FALSE(mx["result"].contains("data"));
}

TEST_F(ApiTest, ListsFilterAndPageToTheEnd) {
  const std::string zone = add_zone("example.com");
  for (int i = 0; i < 7; ++i) {
    add(zone, R"({"type":"TXT","name":"t","content":"value )" + std::to_string(i) + "\"}");
  }
  add(zone, R"({"type":"A","name":"www","content":"203.0.113.1","proxied":true})");
  const std::string records = zone + "/dns_records";
  std::size_t seen = 0;
  int page = 1;
  for (;; ++page) {
    const Json list = call("GET", records + "?per_page=3&page=" + std::to_string(page));
    EXPECT_EQ(list["result_info"]["total_count"], 8);
    EXPECT_EQ(list["result_info"]["total_pages"], 3);
    EXPECT_EQ(list["result_info"]["count"], list["result"].size());
    if (list["result"].empty()) break;
    seen += list["result"].size();
  }
  EXPECT_EQ(seen, 8U);
  EXPECT_EQ(page, 4);
  const auto total = [&](const std::string& query) {
    return call("GET", records + "?" + query)["result_info"]["total_count"].get<int>();
  };
  EXPECT_EQ(total("type=TXT"), 7);
  EXPECT_EQ(total("name=WWW.Example.com"), 1);
  EXPECT_EQ(total("name.exact=www.example.com"), 1);
  EXPECT_EQ(total("content.contains=VALUE"), 7);
  EXPECT_EQ(total("type=TXT&name=t.example.com&content=value%203"), 1);
  EXPECT_EQ(total("proxied=true"), 1);
  EXPECT_EQ(total("type=A&content=value%203&match=any"), 2);
  EXPECT_EQ(total("search=value"), 7);
  EXPECT_EQ(call("GET", records + "?order=type&direction=desc")["result"][0]["type"], "TXT");
  EXPECT_EQ(code(call("GET", records + "?order=colour")), kCodeBadParameter);
  EXPECT_EQ(code(call("GET", records + "?type=BOGUS")), kCodeBadParameter);
  EXPECT_EQ(code(call("GET", records + "?per_page=many")), kCodeBadParameter);
}

TEST_F(ApiTest, ABatchRunsInItsOrder) {
  const std::string zone = add_zone("example.com");
  const std::string old_id =
      add(zone, R"({"type":"A","name":"www","content":"203.0.113.1"})")["result"]["id"];
  const Json done = call("POST", zone + "/dns_records/batch", R"({
      "posts":[{"type":"CNAME","name":"www","content":"x.test"}],
      "deletes":[{"id":")" + old_id + R"("}]})");
  ASSERT_EQ(status_, 200) << done;
  EXPECT_EQ(done["result"]["deletes"][0]["id"], old_id);
  EXPECT_EQ(done["result"]["posts"][0]["type"], "CNAME");
  EXPECT_EQ(done["result"]["puts"].size(), 0U);
  EXPECT_EQ(version_, 3U) << "one change";
}

TEST_F(ApiTest, AFailingBatchChangesNothing) {
  const std::string zone = add_zone("example.com");
  const std::string id =
      add(zone, R"({"type":"A","name":"www","content":"203.0.113.1"})")["result"]["id"];
  const std::uint64_t version = store_->version();
  const Json failed = call("POST", zone + "/dns_records/batch", R"({
      "deletes":[{"id":")" + id + R"("}],
      "posts":[{"type":"A","name":"a","content":"203.0.113.2"},
               {"type":"A","name":"b","content":"nonsense"}]})");
  EXPECT_EQ(status_, 400);
  EXPECT_NE(failed["errors"][0]["message"].get<std::string>().find("posts[1]"), std::string::npos);
  EXPECT_EQ(store_->version(), version);
  EXPECT_EQ(call("GET", zone + "/dns_records")["result_info"]["total_count"], 1);
  call("POST", zone + "/dns_records/batch", "{}");
  EXPECT_EQ(status_, 400);
  call("POST", zone + "/dns_records/batch", R"({"patches":[{"id":"nope"}]})");
  EXPECT_EQ(status_, 404);
}

constexpr char kFile[] =
    "$ORIGIN example.com.\n$TTL 3600\n"
    "@ IN SOA ns.example.com. admin.example.com. 2030010101 7200 900 1209600 300\n"
    "@ NS ns.example.com.\n"
    "ns A 203.0.113.53\n"
    "www 1 A 203.0.113.10 ; front cf_tags=cf-proxied:true,team:web\n"
    "mail 5 A 203.0.113.25\n"
    "@ MX 10 mail\n"
    "txt TXT \"a \\\"quoted\\\" text\" \"second\"\n";

TEST_F(ApiTest, AZoneFileComesInAndGoesOutTheSame) {
  const std::string zone = add_zone("example.com");
  const Json done = import(zone, kFile);
  ASSERT_EQ(status_, 200) << done;
  EXPECT_EQ(done["result"]["recs_added"], 6);
  EXPECT_EQ(done["result"]["total_records_parsed"], 7);
  EXPECT_TRUE(done.contains("timing"));
  const Json www = call("GET", zone + "/dns_records?name=www.example.com")["result"][0];
  EXPECT_EQ(www["proxied"], true);
  EXPECT_EQ(www["comment"], "front");
  EXPECT_EQ(www["tags"][0], "team:web");
  EXPECT_EQ(call("GET", zone + "/dns_records?name=mail.example.com")["result"][0]["ttl"], 60)
      << "brought into the allowed range";

  const std::string first = call("GET", zone + "/dns_records/export").get<std::string>();
  EXPECT_NE(first.find("2030010101"), std::string::npos) << first;
  const std::uint64_t version = store_->version();
  const Json again = import(zone, first);
  EXPECT_EQ(again["result"]["recs_added"], 0) << again;
  EXPECT_EQ(store_->version(), version) << "nothing new, no change";

  call("DELETE", zone);
  const std::string fresh = add_zone("example.com");
  import(fresh, first);
  const std::string second = call("GET", fresh + "/dns_records/export").get<std::string>();
  EXPECT_EQ(first.substr(first.find("\n")), second.substr(second.find("\n")));
}

TEST_F(ApiTest, DefaultNameServersAreExportedButNotImported) {
  const std::string zone = add_zone("example.com");
  const std::string file = call("GET", zone + "/dns_records/export").get<std::string>();
  EXPECT_NE(file.find("NS\tns1.brink.test."), std::string::npos) << file;
  const Json done = import(zone, file);
  EXPECT_EQ(done["result"]["recs_added"], 0);
  const Json mixed = import(zone, file + "example.com. 3600 IN NS other.test.\n");
  EXPECT_EQ(mixed["result"]["recs_added"], 3) << mixed;
}

TEST_F(ApiTest, ABadZoneFileNamesItsLineAndChangesNothing) {
  const std::string zone = add_zone("example.com");
  const std::uint64_t version = store_->version();
  const auto message = [&](const std::string& file) {
    const Json reply = import(zone, file);
    EXPECT_EQ(status_, 400);
    return reply["errors"][0]["error_chain"][0]["message"].get<std::string>();
  };
  EXPECT_NE(message("a 300 A 203.0.113.1\nb 300 A nonsense\n").find("line 2"), std::string::npos);
  EXPECT_NE(message("a 300 A 203.0.113.1\na 300 CNAME b\n").find("line 2"), std::string::npos);
  EXPECT_NE(message("z 300 A 203.0.113.1\nz CNAME b\na 300 A 203.0.113.1\na CNAME b\nx A y\n")
                .find("line 2"),
            std::string::npos)
      << "the first one, not that of the first name";
  EXPECT_NE(message("a.example.org. 300 A 203.0.113.1\n").find("example.com"), std::string::npos);
  EXPECT_NE(message("$INCLUDE /etc/passwd\n").find("$INCLUDE"), std::string::npos);
  EXPECT_NE(message("a TXT x ; cf_tags=cf-proxied:true\n").find("proxied"), std::string::npos);
  EXPECT_EQ(store_->version(), version);
  EXPECT_EQ(store_->record_count(), 0U);
}

TEST_F(ApiTest, TheFormMayAskForProxiedRecords) {
  const std::string zone = add_zone("example.com");
  import(zone,
         "a 300 A 203.0.113.1\nb 300 A 203.0.113.1 ; cf_tags=cf-proxied:false\n"
         "c 300 A 192.0.2.1\nd 300 TXT x\n",
         "--B\r\nContent-Disposition: form-data; name=\"proxied\"\r\n\r\ntrue\r\n");
  ASSERT_EQ(status_, 200);
  const Json list = call("GET", zone + "/dns_records?order=name")["result"];
  EXPECT_EQ(list[0]["proxied"], true);
  EXPECT_EQ(list[1]["proxied"], false) << "its own word wins";
  EXPECT_EQ(list[2]["proxied"], false) << "the edge's own address is no origin";
  EXPECT_EQ(list[3]["proxied"], false);
}

TEST_F(ApiTest, ImportsAreLimitedInSize) {
  const std::string zone = add_zone("example.com");
  settings_.limits.import_size_max = 10;
  settings_.limits.import_size_max_trusted = 100;
  import(zone, "a 300 A 203.0.113.1\n");
  EXPECT_EQ(status_, 200);
  over_tcp_as_user();
  import(zone, "b 300 A 203.0.113.1\n");
  EXPECT_EQ(status_, 413);
  call("POST", zone + "/dns_records/import", "{}");
  EXPECT_EQ(status_, 400);
}

TEST_F(ApiTest, WhatIsNotThereSaysSo) {
  call("GET", "/client/v4/nothing");
  EXPECT_EQ(status_, 404);
  call("PUT", "/client/v4/zones");
  EXPECT_EQ(status_, 405);
}

TEST_F(ApiTest, TheNodeTellsAboutItself) {
  add_zone("example.com");
  EXPECT_EQ(call("GET", "/client/v4/ips")["result"]["ipv4_cidrs"][0], "192.0.2.1/32");
  const Json status = call("GET", "/brink/v1/status");
  EXPECT_EQ(status["result"]["store"]["zones"], 1);
  EXPECT_EQ(status["result"]["publication"]["connected"], false);
  const Json stats = call("GET", "/brink/v1/stats");
  EXPECT_EQ(status_, 503);
  EXPECT_EQ(code(stats), kCodeNoStatistics);
  EXPECT_EQ(call("GET", "/brink/v1/snapshot")["messages"].size(), 1U);
}

}  // namespace
}  // namespace brink::ctl::api
