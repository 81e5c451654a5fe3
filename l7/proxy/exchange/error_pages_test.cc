// Errors with pages of the operator and of zones, and the countries of clients.
#include <atomic>

#include "l7/proxy/stage_test_world.h"
#include "l7/render/tls_blob.h"

namespace brink::l7::proxy::testing {
namespace {

class StagePage : public FailureFixture {
 protected:
  StagePage() {
    StageConfig config;
    config.error_page = &published_;
    rebuild(config, stack_config(256 * 1024), stack_config(256 * 1024));
  }
  void publish(const std::string& text) {
    text_ = text;
    published_ = &text_;
  }
  // example.com with a page of its own for these errors.
  void give_zone_page(route::PageKind kind, const std::string& text) {
    snapshot::Builder builder{base::HashKey{}};
    EXPECT_TRUE(builder.put_zone(test::wire_name("example.com"), {1, address_blob()}).ok());
    const route::TableKey key = route::page_key(kind);
    EXPECT_TRUE(builder.put_name(test::wire_name("example.com"), {}).ok());
    EXPECT_TRUE(builder.put_value(key.octets(), render::render_error_page(text)).ok());
    for (const auto& [name, origins] : {std::pair{"one", std::vector{ip("203.0.113.1")}},
                                        {"none", std::vector<base::IpAddress>()}}) {
      render::RouteSpec spec;
      spec.zone_name = "example.com";
      spec.origins = origins;
      const snapshot::Rrset address{1, address_blob()};
      const Bytes route = render::render_route(spec);
      const snapshot::NameContents contents{std::span(&address, 1), route, false, false};
      EXPECT_TRUE(
          builder.put_name(test::wire_name(std::string(name) + ".example.com"), contents).ok());
    }
    auto image = builder.finish(2, 0);
    ASSERT_TRUE(image.ok());
    image_.emplace(std::move(image.value()));
  }
  std::string error(const std::string& host) {
    Peer& client = connect();
    send(client, get("/", "", host));
    receives(client, "\r\n\r\n");
    settle(5);
    return client.received;
  }

  std::string text_;
  std::atomic<const std::string*> published_{nullptr};
};

TEST_F(StagePage, TheOperatorsPageTakesThePlaceOfTheEdges) {
  publish("<b>{{code}} {{status}} {{host}} {{address}} {{ray}}</b>");
  const std::string answer = error("none.example.com");
  EXPECT_EQ(answer.rfind("HTTP/1.1 530 ", 0), 0U) << answer;
  EXPECT_NE(answer.find("\r\ncf-error-type: 1016\r\n"), std::string::npos);
  EXPECT_NE(answer.find("\r\nContent-Type: text/html; charset=utf-8\r\n"), std::string::npos);
  const std::size_t at = answer.find("\r\nCF-Ray: ");
  ASSERT_NE(at, std::string::npos);
  const std::string ray = answer.substr(at + 10, 20);
  EXPECT_EQ(body_of(answer), "<b>1016 530 none.example.com 198.51.100.7 " + ray + "</b>");
  EXPECT_NE(answer.find("\r\nContent-Length: " + std::to_string(body_of(answer).size()) + "\r\n"),
            std::string::npos);
}

TEST_F(StagePage, IsReplacedWhileRequestsCome) {
  publish("first {{ray}}");
  EXPECT_EQ(body_of(error("none.example.com")).rfind("first ", 0), 0U);
  const std::string second = "second {{ray}}";
  published_ = &second;
  EXPECT_EQ(body_of(error("none.example.com")).rfind("second ", 0), 0U);
  published_ = nullptr;
  EXPECT_EQ(body_of(error("none.example.com")).rfind("<!doctype html>", 0), 0U);
}

TEST_F(StagePage, IsForErrorsWithoutAZoneToo) {
  publish("{{code}} [{{host}}] {{ray}}");
  EXPECT_EQ(body_of(error("other.test")).rfind("1001 [] ", 0), 0U);
}

TEST_F(StagePage, AZonesOwnPageComesFirstForItsKindAlone) {
  publish("operator {{ray}}");
  give_zone_page(route::PageKind::kRefusal, "zone {{code}} {{ray}}");
  EXPECT_EQ(body_of(error("none.example.com")).rfind("zone 1016 ", 0), 0U);
  EXPECT_EQ(body_of(error("other.test")).rfind("operator ", 0), 0U);
  refusing_.insert(ip("203.0.113.1"));
  EXPECT_EQ(body_of(error("one.example.com")).rfind("operator ", 0), 0U)
      << "521 is of the other kind";
  give_zone_page(route::PageKind::kServer, "down {{code}} {{ray}}");
  EXPECT_EQ(body_of(error("one.example.com")).rfind("down 521 ", 0), 0U);
}

TEST_F(StagePage, APageWithoutRoomIsTheEdges) {
  publish(std::string(60'000, 'x'));
  EXPECT_EQ(body_of(error("none.example.com")).rfind("<!doctype html>", 0), 0U);
}

}  // namespace
}  // namespace brink::l7::proxy::testing
