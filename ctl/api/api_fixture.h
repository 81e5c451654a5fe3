// The endpoints on a store of the test's own, without a socket.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "ctl/api/json_input.h"
#include "ctl/api/service.h"

namespace brink::ctl::api {

class ApiTest : public ::testing::Test {
 protected:
  ApiTest() {
    char pattern[] = "/tmp/brink_api_XXXXXX";
    folder_ = ::mkdtemp(pattern);
    store_ =
        std::move(store::Store::open(folder_ + "/brink.db", store::Access::kReadWrite)).value();
    settings_.authority.name_servers = {model::DomainName::parse("ns1.brink.test").value(),
                                        model::DomainName::parse("ns2.brink.test").value()};
    settings_.rules.edge_addresses = {*base::IpAddress::parse("192.0.2.1")};
    settings_.stats_path = folder_ + "/absent";
    service_ =
        std::make_unique<Service>(Service{*store_,
                                          settings_,
                                          model::system_entropy(),
                                          [this] { return model::Timestamp{now_ += 1'000'000}; },
                                          [] { return publish::PublisherStatus{}; },
                                          {},
                                          [this](publish::Question question, auto answered) {
                                            asked_ = std::move(question);
                                            answered_ = std::move(answered);
                                          }});
    router_ = make_router(*service_);
  }
  ~ApiTest() override { std::filesystem::remove_all(folder_); }

  // Calls an endpoint; `status` and `version` are kept.
  Json call(const std::string& method, const std::string& target, const std::string& body = "",
            const std::string& content_type = "application/json") {
    Request request;
    request.method = method;
    set_target(request, target);
    request.body = body;
    request.content_type = content_type;
    request.trusted = trusted_;
    Reply reply = handle(router_, request);
    if (reply.later) {
      auto ask = std::move(reply.later);
      ask([&](Reply late) { reply = std::move(late); });
      if (answered_) edge_(asked_, std::exchange(answered_, nullptr));
    }
    status_ = reply.status;
    version_ = reply.version;
    if (reply.text) return Json(*reply.text);
    return Json::parse(to_json(reply.envelope));
  }
  std::string add_zone(const std::string& name) {
    const Json zone = call("POST", "/client/v4/zones", R"({"name":")" + name + "\"}");
    return "/client/v4/zones/" + zone["result"]["id"].get<std::string>();
  }
  Json add(const std::string& zone, const std::string& body) {
    return call("POST", zone + "/dns_records", body);
  }
  static int code(const Json& reply) {
    const Json& error = reply["errors"].at(0);
    return error.contains("error_chain") ? error["error_chain"].at(0)["code"].get<int>()
                                         : error["code"].get<int>();
  }
  Json import(const std::string& zone, const std::string& file, const std::string& more = "") {
    return call("POST", zone + "/dns_records/import",
                "--B\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n" + file + "\r\n" +
                    more + "--B--\r\n",
                "multipart/form-data; boundary=B");
  }

  // What the edge does with a question; called before the answer is looked at.
  std::function<void(const publish::Question&, const publish::EdgeQuestions::Answered&)> edge_;
  publish::Question asked_;
  publish::EdgeQuestions::Answered answered_;

  std::string folder_;
  std::unique_ptr<store::Store> store_;
  Settings settings_;
  std::unique_ptr<Service> service_;
  Router router_;
  std::int64_t now_ = 1'767'225'600'000'000;
  bool trusted_ = true;
  int status_ = 0;
  std::uint64_t version_ = 0;
};

}  // namespace brink::ctl::api
