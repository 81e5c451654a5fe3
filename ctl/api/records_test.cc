// Record types in all their forms, filters of lists, and what hides a record.
#include "ctl/api/api_fixture.h"

namespace brink::ctl::api {
namespace {

struct TypeCase {
  const char* name;
  const char* body;      // without its name
  const char* content;   // as shown
  const char* expected;  // of `data`; "": none
};

// Types whose `data` comes back as it was sent.
const TypeCase kTypes[] = {
    {"a", R"("type":"A","content":"203.0.113.1")", "203.0.113.1", ""},
    {"b", R"("type":"AAAA","content":"2001:DB8:0:0::1")", "2001:db8::1", ""},
    {"caa", R"("type":"CAA","data":{"flags":0,"tag":"issue","value":"a \"b\" \\ c"})",
     R"(0 issue "a \"b\" \\ c")", R"({"flags":0,"tag":"issue","value":"a \"b\" \\ c"})"},
    {"caas", R"("type":"CAA","data":{"flags":"128","tag":"iodef","value":"mailto:a@b.test"})",
     R"(128 iodef "mailto:a@b.test")", R"({"flags":128,"tag":"iodef","value":"mailto:a@b.test"})"},
    {"cert", R"("type":"CERT","data":{"type":9,"key_tag":1,"algorithm":1,"certificate":"AQID"})",
     "9 1 1 AQID", R"({"type":9,"key_tag":1,"algorithm":1,"certificate":"AQID"})"},
    {"certm", R"("type":"CERT","content":"PGP 1 RSASHA1 AQID")", "PGP 1 RSASHA1 AQID",
     R"({"type":3,"key_tag":1,"algorithm":5,"certificate":"AQID"})"},
    {"cname", R"("type":"CNAME","content":"Shop.example.net.")", "shop.example.net", ""},
    {"dnskey",
     R"("type":"DNSKEY","data":{"flags":257,"protocol":3,"algorithm":13,"public_key":"AQID"})",
     "257 3 13 AQID", R"({"flags":257,"protocol":3,"algorithm":13,"public_key":"AQID"})"},
    {"ds", R"("type":"DS","data":{"key_tag":1,"algorithm":13,"digest_type":1,
           "digest":"00112233445566778899AABBCCDDEEFF00112233"})",
     "1 13 1 00112233445566778899AABBCCDDEEFF00112233",
     R"({"key_tag":1,"algorithm":13,"digest_type":1,
         "digest":"00112233445566778899AABBCCDDEEFF00112233"})"},
    {"https", R"("type":"HTTPS","data":{"priority":1,"target":".","value":"alpn=\"h3,h2\""})",
     "1 . alpn=\"h3,h2\"", R"({"priority":1,"target":".","value":"alpn=\"h3,h2\""})"},
    {"httpsa", R"("type":"HTTPS","data":{"priority":0,"target":"svc.example.net"})",
     "0 svc.example.net.", R"({"priority":0,"target":"svc.example.net","value":""})"},
    {"loc", R"("type":"LOC","data":{"lat_degrees":52,"lat_minutes":22,"lat_seconds":23.5,
           "lat_direction":"N","long_degrees":4,"long_minutes":53,"long_seconds":32,
           "long_direction":"E","altitude":-2,"size":0,"precision_horz":10000,
           "precision_vert":10})",
     nullptr, R"({"lat_degrees":52,"lat_minutes":22,"lat_seconds":23.5,
           "lat_direction":"N","long_degrees":4,"long_minutes":53,"long_seconds":32,
           "long_direction":"E","altitude":-2,"size":0,"precision_horz":10000,
           "precision_vert":10})"},
    {"mx", R"("type":"MX","content":"mail.example.net","priority":10)", "mail.example.net", ""},
    {"naptr", R"("type":"NAPTR","data":{"order":1,"preference":2,"flags":"S","service":"SIP+D2U",
           "regex":"!^.*$!sip:\\1!","replacement":"_sip._udp.example.net"})",
     R"(1 2 "S" "SIP+D2U" "!^.*$!sip:\\1!" _sip._udp.example.net.)",
     R"({"order":1,"preference":2,"flags":"S","service":"SIP+D2U",
           "regex":"!^.*$!sip:\\1!","replacement":"_sip._udp.example.net"})"},
    {"ns", R"("type":"NS","content":"ns.example.net")", "ns.example.net", ""},
    {"pgp", R"("type":"OPENPGPKEY","content":"AQIDBA==")", "AQIDBA==", ""},
    {"ptr", R"("type":"PTR","content":"host.example.net")", "host.example.net", ""},
    {"smimea", R"("type":"SMIMEA","data":{"usage":3,"selector":0,"matching_type":0,
           "certificate":"00AAff"})",
     "3 0 0 00AAff", R"({"usage":3,"selector":0,"matching_type":0,"certificate":"00AAff"})"},
    {"_s._tcp",
     R"("type":"SRV","data":{"priority":10,"weight":5,"port":5060,"target":"sip.example.net"})",
     "5 5060 sip.example.net",
     R"({"priority":10,"weight":5,"port":5060,"target":"sip.example.net"})"},
    {"_t._tcp",
     R"("type":"srv","priority":7,"data":{"weight":5,"port":5060,"target":"sip.example.net"})",
     "5 5060 sip.example.net",
     R"({"priority":7,"weight":5,"port":5060,"target":"sip.example.net"})"},
    {"sshfp", R"("type":"SSHFP","data":{"algorithm":4,"type":2,"fingerprint":
           "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"})",
     "4 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF",
     R"({"algorithm":4,"type":2,"fingerprint":
           "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"})"},
    {"svcb", R"("type":"SVCB","data":{"priority":1,"target":"svc.example.net",
           "value":"port=8443 alpn=h2"})",
     "1 svc.example.net. port=8443 alpn=h2",
     R"({"priority":1,"target":"svc.example.net","value":"port=8443 alpn=h2"})"},
    {"tlsa",
     R"("type":"TLSA","data":{"usage":3,"selector":1,"matching_type":0,"certificate":"00AAff"})",
     "3 1 0 00AAff", R"({"usage":3,"selector":1,"matching_type":0,"certificate":"00AAff"})"},
    {"txt", R"("type":"TXT","content":"v=spf1 -all")", "v=spf1 -all", ""},
    {"uri", R"("type":"URI","priority":3,"data":{"weight":1,"target":"https://example.net/a b"})",
     R"(1 "https://example.net/a b")", R"({"weight":1,"target":"https://example.net/a b"})"},
};

TEST_F(ApiTest, EveryTypeComesBackInTheFormsItHas) {
  const std::string zone = add_zone("example.com");
  for (const TypeCase& each : kTypes) {
    const Json made = add(zone, R"({"name":")" + std::string(each.name) + "\"," + each.body + "}");
    ASSERT_EQ(status_, 200) << each.name << " " << made;
    const Json& record = made["result"];
    if (each.content != nullptr) {
      EXPECT_EQ(record["content"], each.content) << each.name;
    }
    if (*each.expected == '\0') {
      EXPECT_FALSE(record.contains("data")) << each.name;
    } else {
      EXPECT_EQ(record["data"], Json::parse(each.expected)) << each.name;
    }
    // What was shown can be sent back, as content and as data, and changes nothing.
    const std::string path = zone + "/dns_records/" + record["id"].get<std::string>();
    Json again = {{"name", record["name"]}, {"type", record["type"]}};
    again["content"] = record["content"];
    if (record.contains("priority")) again["priority"] = record["priority"];
    for (const bool with_data : {false, true}) {
      if (with_data && record.contains("data")) again["data"] = record["data"];
      const Json put = call("PUT", path, to_text(again));
      ASSERT_EQ(status_, 200) << each.name << " " << put;
      if (record["content"] != "PGP 1 RSASHA1 AQID") {  // data has numbers, no mnemonics
        EXPECT_EQ(put["result"]["content"], record["content"]) << each.name;
      }
      EXPECT_EQ(put["result"].value("data", Json()), record.value("data", Json())) << each.name;
      EXPECT_EQ(put["result"].value("priority", -1), record.value("priority", -1)) << each.name;
    }
  }
}

TEST_F(ApiTest, WrongDataNamesItsField) {
  const std::string zone = add_zone("example.com");
  for (const auto& [body, field] : std::vector<std::pair<std::string, std::string>>{
           {R"("type":"CAA","data":{"flags":256,"tag":"issue","value":"x"})", "data.flags"},
           {R"("type":"CAA","data":{"flags":1.5,"tag":"issue","value":"x"})", "data.flags"},
           {R"("type":"CAA","data":{"flags":"x","tag":"issue","value":"x"})", "data.flags"},
           {R"("type":"CAA","data":{"flags":0,"tag":"issue x","value":"x"})", "data.tag"},
           {R"("type":"CAA","data":{"flags":0,"tag":7,"value":"x"})", "data.tag"},
           {R"("type":"CAA","data":{"flags":0,"tag":"issue"})", "data.value"},
           {R"("type":"SRV","data":{"weight":1,"port":70000,"target":"x.test"})", "data.port"},
           {R"("type":"SRV","data":{"weight":1,"port":-1,"target":"x.test"})", "data.port"},
           {R"("type":"SRV","data":{"weight":1,"port":1,"target":"x test"})", "data.target"},
           {R"("type":"TLSA","data":{"usage":3,"selector":1,"matching_type":1,
               "certificate":"00\n1"})",
            "data.certificate"},
           {R"("type":"LOC","data":{"lat_degrees":91,"lat_direction":"N","long_degrees":1,
               "long_direction":"E"})",
            "data.lat_degrees"},
           {R"("type":"LOC","data":{"lat_degrees":1,"lat_direction":"X","long_degrees":1,
               "long_direction":"E"})",
            "data.lat_direction"},
           {R"("type":"CAA","data":[])", "data"},
           {R"("type":"A","content":7)", "content"},
           {R"("type":"A","content":"203.0.113.1","proxied":"yes")", "proxied"},
           {R"("type":"A","content":"203.0.113.1","tags":["a",1])", "tags"},
           {R"("type":"MX","content":"x.test","priority":65536)", "priority"}}) {
    const Json refused = add(zone, R"({"name":"x",)" + body + "}");
    EXPECT_EQ(status_, 400) << body;
    EXPECT_EQ(code(refused), kCodeBadBody) << body;
    EXPECT_NE(refused["errors"][0]["message"].get<std::string>().find("\"" + field + "\""),
              std::string::npos)
        << refused;
  }
  EXPECT_EQ(store_->record_count(), 0U);
}

TEST_F(ApiTest, BodiesThatAreNoUtf8AreRefused) {
  const std::string zone = add_zone("example.com");
  EXPECT_EQ(code(add(zone, "{\"type\":\"TXT\",\"name\":\"x\",\"content\":\"\xff\"}")),
            kCodeMalformedJson);
}

TEST_F(ApiTest, InternationalNamesAreFoundByEitherForm) {
  const std::string zone = add_zone(
      "b\xc3\xbc"
      "cher.example");
  EXPECT_EQ(call("GET", zone)["result"]["name"], "xn--bcher-kva.example");
  for (const char* form : {"b%C3%BCcher.example", "XN--BCHER-KVA.example",
                           "b\xc3\xbc"
                           "cher.example."}) {
    EXPECT_EQ(call("GET", std::string("/client/v4/zones?name=") + form)["result"].size(), 1U)
        << form;
  }
}

TEST_F(ApiTest, ListsFilterByCommentAndTag) {
  const std::string zone = add_zone("example.com");
  add(zone, R"({"type":"A","name":"a","content":"203.0.113.1","comment":"Front end",
                "tags":["team:web","urgent"]})");
  add(zone, R"({"type":"A","name":"b","content":"203.0.113.2","tags":["team:dns"]})");
  add(zone, R"({"type":"A","name":"c","content":"203.0.113.3"})");
  const auto names = [&](const std::string& query) {
    std::string text;
    const Json list = call("GET", zone + "/dns_records?" + query);
    EXPECT_EQ(status_, 200) << query << " " << list;
    for (const Json& record : list["result"]) text += record["name"].get<std::string>()[0];
    return text;
  };
  EXPECT_EQ(names("comment=Front%20end"), "a");
  EXPECT_EQ(names("comment=front%20end"), "") << "plain filters are exact";
  EXPECT_EQ(names("comment.exact=Front%20end"), "a");
  EXPECT_EQ(names("comment.contains=front"), "a");
  EXPECT_EQ(names("comment.startswith=front"), "a");
  EXPECT_EQ(names("comment.endswith=end"), "a");
  EXPECT_EQ(names("comment.present"), "a");
  EXPECT_EQ(names("comment.absent"), "bc");
  EXPECT_EQ(names("tag=team"), "ab");
  EXPECT_EQ(names("tag=team:web"), "a");
  EXPECT_EQ(names("tag.present=TEAM"), "ab");
  EXPECT_EQ(names("tag.absent=team"), "c");
  EXPECT_EQ(names("tag.exact=team:dns"), "b");
  EXPECT_EQ(names("tag.contains=team:n"), "b");
  EXPECT_EQ(names("tag.startswith=team:w"), "a");
  EXPECT_EQ(names("tag.endswith=team:eb"), "a");
  EXPECT_EQ(names("tag=team&tag=urgent"), "a");
  EXPECT_EQ(names("tag=team:dns&tag=urgent&tag_match=any"), "ab");
  EXPECT_EQ(names("name.startswith=B&name.endswith=COM"), "b");
  EXPECT_EQ(names("content.endswith=.3"), "c");
  EXPECT_EQ(names("search=113.2&type=A"), "b");
  EXPECT_EQ(names("order=content&direction=desc"), "cba");
  EXPECT_EQ(names("page=9"), "");
  EXPECT_EQ(names("page=99999999999999999&per_page=1"), "");
  EXPECT_EQ(names("per_page=999999999"), "abc") << "cut to the limit";
  for (const char* bad : {"tag_match=some", "tag.contains=team", "tag=", "proxied=1", "match=both",
                          "direction=up", "per_page=0", "per_page=-1", "include_shadow_metadata=2",
                          "shadowed_by_name=x.example.com", "shadowing_name=a..b"}) {
    EXPECT_EQ(code(call("GET", zone + "/dns_records?" + bad)), kCodeBadParameter) << bad;
  }
}

TEST_F(ApiTest, ShadowMetadataTellsWhatADelegationHides) {
  const std::string zone = add_zone("example.com");
  add(zone, R"({"type":"NS","name":"sub","content":"ns.sub.example.com"})");
  add(zone, R"({"type":"A","name":"ns.sub","content":"203.0.113.1"})");
  add(zone, R"({"type":"A","name":"www.sub","content":"203.0.113.2"})");
  add(zone, R"({"type":"TXT","name":"www.sub","content":"x"})");
  add(zone, R"({"type":"A","name":"www","content":"203.0.113.2"})");
  const std::string records = zone + "/dns_records?include_shadow_metadata=true&name=";
  const auto meta = [&](const std::string& name, const std::string& type) {
    return call("GET", records + name + ".example.com&type=" + type)["result"][0]["meta"];
  };
  EXPECT_EQ(meta("sub", "NS"), Json::parse(R"({"shadowed_records_count":3})"));
  EXPECT_EQ(meta("ns.sub", "A"),
            Json::parse(R"({"shadowed_by":["sub.example.com"],"is_glue":true,"dead_glue":false})"));
  EXPECT_EQ(meta("www.sub", "A"),
            Json::parse(R"({"shadowed_by":["sub.example.com"],"is_glue":false,"dead_glue":true})"));
  EXPECT_EQ(meta("www.sub", "TXT"), Json::parse(R"({"shadowed_by":["sub.example.com"]})"));
  EXPECT_EQ(meta("www", "A"), Json::object());
  EXPECT_EQ(call("GET", zone + "/dns_records?name=ns.sub.example.com")["result"][0]["meta"],
            Json::object())
      << "only on demand";
  const auto total = [&](const std::string& query) {
    return call("GET", zone + "/dns_records?include_shadow_metadata=true&" +
                           query)["result_info"]["total_count"]
        .get<int>();
  };
  EXPECT_EQ(total("shadowed_by_name=sub.example.com"), 3);
  EXPECT_EQ(total("shadowing_name=www.sub.example.com"), 1);
  EXPECT_EQ(total("shadowing_name=www.example.com"), 0);
  const Json batch = call("POST", zone + "/dns_records/batch?include_shadow_metadata=true",
                          R"({"posts":[{"type":"TXT","name":"new.sub","content":"x"}]})");
  EXPECT_EQ(batch["result"]["posts"][0]["meta"]["shadowed_by"][0], "sub.example.com");
}

TEST_F(ApiTest, UsageCountsAndScansSayThatTheyDoNothing) {
  const std::string zone = add_zone("example.com");
  add(zone, R"({"type":"A","name":"a","content":"203.0.113.1"})");
  const Json usage = call("GET", zone + "/dns_records/usage");
  EXPECT_EQ(usage["result"]["record_usage"], 1);
  EXPECT_EQ(usage["result"]["record_quota"], nullptr);
  for (const char* path : {"/scan", "/scan/trigger"}) {
    const Json scan = call("POST", zone + "/dns_records" + path);
    EXPECT_EQ(status_, 202) << path;
    EXPECT_EQ(scan["messages"][0]["code"], kCodeNotProvided);
  }
  EXPECT_EQ(call("GET", zone + "/dns_records/scan/review")["result"].size(), 0U);
  call("POST", zone + "/dns_records/scan/review", R"({"accepts":[],"rejects":[]})");
  EXPECT_EQ(status_, 200);
  call("POST", zone + "/dns_records/scan/review", R"({"accepts":[{"name":"x"}]})");
  EXPECT_EQ(status_, 404);
}

TEST_F(ApiTest, AZoneFileMayGenerateRecords) {
  const std::string zone = add_zone("example.com");
  const Json done = import(zone, "$TTL 600\n$GENERATE 1-3 h$ A 203.0.113.$\nx 1 A 203.0.113.9\n");
  ASSERT_EQ(status_, 200) << done;
  EXPECT_EQ(done["result"]["recs_added"], 4);
  EXPECT_EQ(call("GET", zone + "/dns_records?name=h2.example.com")["result"][0]["content"],
            "203.0.113.2");
  EXPECT_EQ(call("GET", zone + "/dns_records?name=x.example.com")["result"][0]["ttl"], 1);
}

}  // namespace
}  // namespace brink::ctl::api
