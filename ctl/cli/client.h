// Client: one HTTP request at a time to brink-control, over its UNIX socket.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "dataplane/base/result.h"

namespace brink::ctl::cli {

using Json = nlohmann::ordered_json;

struct Response {
  int status = 0;
  Json envelope;     // of a JSON answer
  std::string text;  // of a plain one
};

class Client {
 public:
  explicit Client(std::string socket_path) : socket_path_(std::move(socket_path)) {}

  // An Error: the server cannot be reached, or what answers is not it. Everything else, refusals
  // included, is a Response.
  base::Result<Response> call(const std::string& method, const std::string& target,
                              const std::string& body = {},
                              const std::string& content_type = "application/json") const;

 private:
  std::string socket_path_;
};

// A value for a query string.
std::string percent_encode(const std::string& text);

}  // namespace brink::ctl::cli
