// A fetcher against a server in this process, which says what a test wants.
#include "ctl/fetch/fetcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <list>
#include <thread>

namespace brink::ctl::fetch {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// Takes connections, reads a head and what follows at once, and says `response`; nothing if it is
// empty.
class Server {
 public:
  explicit Server(std::string response)
      : response_(std::move(response)), thread_([this] { run(); }) {}
  ~Server() {
    stopping_ = true;
    boost::system::error_code ignored;
    tcp::socket(context_).connect({asio::ip::make_address("127.0.0.1"), port()}, ignored);
    thread_.join();
  }
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(port()) + "/o";
  }
  std::string request;

 private:
  void run() {
    std::list<tcp::socket> open;
    for (;;) {
      tcp::socket socket = acceptor_.accept();
      if (stopping_) return;
      boost::system::error_code error;
      asio::read_until(socket, asio::dynamic_buffer(request), "question", error);
      asio::write(socket, asio::buffer(response_), error);
      if (response_.empty()) open.push_back(std::move(socket));
    }
  }

  std::string response_;
  std::atomic<bool> stopping_ = false;
  asio::io_context context_;
  tcp::acceptor acceptor_{context_, {asio::ip::make_address("127.0.0.1"), 0}};
  std::thread thread_;
};

std::string said(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

FetcherOptions options() {
  FetcherOptions options;
  options.timeout = std::chrono::milliseconds(300);
  options.body_max = 1000;
  options.filter = resolve::AddressFilter({*resolve::Prefix::parse("127.0.0.0/8")}, {});
  return options;
}

resolve::Addresses nobody() {
  return {{}, "is not there"};
}

Answer ask(const std::string& url, FetcherOptions settings = options(),
           const resolve::Addresses& addresses = nobody()) {
  Fetcher fetcher(std::move(settings),
                  [&](const model::DomainName&, auto done) { done(addresses); });
  std::promise<Answer> answer;
  const std::string body = "question";
  fetcher.post({url, "application/x", {body.begin(), body.end()}},
               [&](Answer found) { answer.set_value(std::move(found)); });
  return answer.get_future().get();
}

std::string text_of(const Answer& answer) {
  return {answer.body.begin(), answer.body.end()};
}

TEST(Fetcher, PostsTheQuestionAndGivesTheAnswer) {
  Server server(said("200 OK", "answer"));
  const Answer answer = ask(server.url());
  EXPECT_EQ(text_of(answer), "answer");
  EXPECT_EQ(answer.problem, "");
  EXPECT_TRUE(server.request.starts_with("POST /o HTTP/1.1\r\n")) << server.request;
  for (const std::string part : {"Host: 127.0.0.1:", "Content-Type: application/x\r\n",
                                 "Content-Length: 8\r\n", "\r\n\r\nquestion"}) {
    EXPECT_NE(server.request.find(part), std::string::npos) << part << server.request;
  }
}

TEST(Fetcher, AsksForNamesAndTriesTheirAddresses) {
  Server server(said("200 OK", "answer"));
  const std::string url = "http://ocsp.test:" + std::to_string(server.port()) + "/";
  resolve::Addresses addresses;
  for (const char* text : {"127.0.0.2", "127.0.0.1"}) {
    addresses.admitted.push_back(*base::IpAddress::parse(text));
  }
  EXPECT_EQ(text_of(ask(url, options(), addresses)), "answer");
  EXPECT_EQ(ask(url).problem, "ocsp.test is not there");
}

TEST(Fetcher, WhatIsNoAnswerIsAProblem) {
  Server refusing(said("404 Not Found", "no"));
  EXPECT_EQ(ask(refusing.url()).problem, "the answer has status 404");
  Server moved("HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(ask(moved.url()).problem, "the answer has status 301");
  Server empty(said("200 OK", ""));
  EXPECT_EQ(ask(empty.url()).problem, "the answer is empty");
  Server large(said("200 OK", std::string(1001, 'x')));
  EXPECT_NE(ask(large.url()).problem, "");
  Server babbling("SSH-2.0-x\r\n");
  EXPECT_TRUE(ask(babbling.url()).problem.starts_with("no answer: "));
  Server silent("");
  EXPECT_TRUE(ask(silent.url()).problem.starts_with("no answer: "));
}

TEST(Fetcher, OnlyAddressesThatMayBeAskedAre) {
  Server server(said("200 OK", "answer"));
  FetcherOptions strict = options();
  strict.filter = {};
  EXPECT_EQ(ask(server.url(), strict).problem,
            "127.0.0.1 is not public; allow it with origin-allow");
  EXPECT_EQ(ask("https://127.0.0.1/").problem, "no http URL: https://127.0.0.1/");
}

TEST(Fetcher, ARequestUnderWayIsDroppedAtTheEnd) {
  Server silent("");
  FetcherOptions patient = options();
  patient.timeout = std::chrono::minutes(5);
  bool called = false;
  {
    Fetcher fetcher(patient, [](const model::DomainName&, auto) {});
    fetcher.post({silent.url(), "x", {}}, [&](const Answer&) { called = true; });
    fetcher.post({"http://ocsp.test/", "x", {}}, [&](const Answer&) { called = true; });
  }
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace brink::ctl::fetch
