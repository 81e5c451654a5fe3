// The endpoints on a store of the test's own, without a socket.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "ctl/api/json_input.h"
#include "ctl/api/service.h"
#include "ctl/store/identities.h"

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
    // Tests of limits set their own.
    settings_.user_limit = settings_.address_limit =
        settings_.failure_limit = {1'000'000, std::chrono::seconds(1)};
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
    service_->check_activation = [](const model::Zone& zone, const CheckedActivation& done) {
      done(ActivationState{zone, {}});
    };
    service_->check_dnssec = [this](const model::Zone& zone, const CheckedDnssec& done) {
      done(dnssec_state(*store_, zone));
    };
    service_->resolver_status = [](const auto& done) { done(resolve::ResolverStatus{}); };
    service_->box = &box_;
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
    request.credentials = credentials_;
    request.peer = peer_;
    Reply reply = handle(*service_, router_, request);
    headers_ = {reply.headers.begin(), reply.headers.end()};
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
  // From now on calls come over TCP, from a user of the first account, who may do everything in it.
  void over_tcp_as_user() {
    store::Identities identities(*store_);
    identity::User user{0,
                        model::Id::random(service_->entropy),
                        identities.first_account(),
                        "u@v.w",
                        secret::sha256("k"),
                        {1}};
    identities.insert_user(user);
    trusted_ = false;
    credentials_ = {{}, {"u@v.w"}, {"k"}};
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
  secret::SealedBox box_{secret::Key{}, model::system_entropy()};
  std::unique_ptr<Service> service_;
  Router router_;
  std::int64_t now_ = 1'767'225'600'000'000;
  bool trusted_ = true;  // over the UNIX socket; otherwise with these credentials from there
  Credentials credentials_;
  base::IpAddress peer_ = *base::IpAddress::parse("198.51.100.7");
  std::map<std::string, std::string> headers_;  // of the last answer
  int status_ = 0;
  std::uint64_t version_ = 0;
};

}  // namespace brink::ctl::api
