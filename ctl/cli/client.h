// Client: one HTTP request at a time to brink-control, over its UNIX socket or, with a token, from
// afar.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "dataplane/base/result.h"

namespace brink::ctl::cli {

using Json = nlohmann::ordered_json;

struct Response {
  int status = 0;
  Json envelope;     // of a JSON answer
  std::string text;  // of a plain one
};

// A server as in "https://edge1.example.net:8053".
struct Server {
  std::string host;
  std::string port;
  bool tls = true;
};

// Fails on what is no such URL, and on http:// to anywhere but a loopback address, where the token
// could be read on its way.
base::Result<Server> parse_server(const std::string& url);

// Where brink-control is, and how to show who is asking.
struct Connection {
  std::string socket_path;       // when there is no server
  std::optional<Server> server;  // over TCP
  std::string token;
  std::string ca_file;  // PEM; empty: those that the system trusts

  // For messages.
  [[nodiscard]] std::string name() const;
};

// The first line of a file that nobody else can read.
base::Result<std::string> read_token_file(const std::string& path);

// Told from time to time how many bytes of a request have been sent.
using Sent = std::function<void(std::uint64_t bytes)>;

class Client {
 public:
  explicit Client(Connection connection) : connection_(std::move(connection)) {}

  [[nodiscard]] const Connection& connection() const { return connection_; }

  // An Error: the server cannot be reached, or what answers is not it. Everything else, refusals
  // included, is a Response.
  base::Result<Response> call(const std::string& method, const std::string& target,
                              std::string body = {},
                              const std::string& content_type = "application/json",
                              const Sent& sent = {}) const;

 private:
  Connection connection_;
};

// A value for a query string.
std::string percent_encode(const std::string& text);

}  // namespace brink::ctl::cli
