// What tests of codings need: a stage with coders, and an origin and a client to ask each other.
#pragma once

#include <memory>
#include <string>

#include "l7/compress/test_codings.h"
#include "l7/proxy/stage_test_world.h"

namespace brink::l7::proxy::testing {

using compress::br_whole;
using compress::Coding;
using compress::decode_part;
using compress::decode_whole;
using compress::gzip_whole;
using compress::PoolSizes;
using compress::text_body;
using ipc::Counter;

inline constexpr PoolSizes kTwoOfEach = {2, 2, 2, 1, 1};
inline constexpr const char* kHtml = "Content-Type: text/html\r\n";

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class StageCompress : public FailureFixture {
 protected:
  StageCompress() { use_coders(kTwoOfEach); }

  void use_coders(const PoolSizes& sizes, std::uint32_t edge_limit = 256 * 1024,
                  std::uint32_t peer_limit = 256 * 1024) {
    auto pool = std::make_unique<compress::Pool>(sizes);
    StageConfig config;
    config.coders = pool.get();
    rebuild(config, stack_config(edge_limit), stack_config(peer_limit));
    std::swap(pool_, pool);
  }
  static std::string html(const std::string& body, const std::string& lines = "") {
    return "HTTP/1.1 200 OK\r\n" + (kHtml + lines) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static std::string accepts(const std::string& codings) {
    return "Accept-Encoding: " + codings + "\r\n";
  }
  static std::string head_of(const std::string& message) {
    return message.substr(0, message.find("\r\n\r\n") + 2);
  }
  // The origin's connection that gets the client's request.
  Peer& ask(Peer& client, const std::string& lines) {
    for (auto& peer : origin_->peers) peer->received.clear();
    send(client, get("/", lines));
    Peer* found = nullptr;
    settle_until([&] {
      for (auto& peer : origin_->peers) {
        if (peer->received.ends_with("\r\n\r\n")) found = peer.get();
      }
      return found != nullptr;
    });
    if (found == nullptr) throw std::runtime_error("the request reached no origin");
    asked_ = found->received;
    return *found;
  }
  // What a client of these lines gets for an origin's response: all of a chunked message.
  std::string fetch(const std::string& lines, const std::string& response) {
    Peer& client = connect();
    send(ask(client, lines), response);
    EXPECT_TRUE(has_all(client)) << client.received.substr(0, 500);
    settle(5);
    return client.received;
  }
  bool has_all(Peer& client) {
    return settle_until([&] { return client.received.ends_with("\r\n0\r\n\r\n"); }, 60000);
  }
  void expect_all_given_back(const PoolSizes& sizes = kTwoOfEach) {
    expect_clean();
    EXPECT_EQ(pool_->gzip_encoders.free(), sizes.gzip_encoders);
    EXPECT_EQ(pool_->br_encoders.free(), sizes.br_encoders);
    EXPECT_EQ(pool_->zstd_encoders.free(), sizes.zstd_encoders);
    EXPECT_EQ(pool_->gzip_decoders.free(), sizes.gzip_decoders);
    EXPECT_EQ(pool_->br_decoders.free(), sizes.br_decoders);
  }

  std::unique_ptr<compress::Pool> pool_;
  std::string asked_;  // of the origin
};

}  // namespace brink::l7::proxy::testing
