#include "ctl/cli/connection.h"

#include <cstdlib>

#include "ctl/cli/command_table.h"

namespace brink::ctl::cli {
namespace {

using Options = std::map<std::string, std::string>;

std::string token_of(const Options& options) {
  const auto file = options.find("token-file");
  if (file == options.end()) {
    const char* token = std::getenv("BRINK_TOKEN");
    return token == nullptr ? "" : token;
  }
  auto token = read_token_file(file->second);
  if (!token) throw Stop(Exit::kInputUnreadable, token.error().message());
  return std::move(token).value();
}

}  // namespace

Connection connection_of(const Options& options) {
  Connection connection;
  const auto socket = options.find("socket");
  connection.socket_path = socket == options.end() ? kDefaultSocket : socket->second;
  const auto url = options.find("server");
  if (url == options.end()) {
    for (const char* remote : {"token-file", "ca"}) {
      if (options.count(remote) != 0) {
        throw Stop(Exit::kUsage, std::string("--") + remote + " goes with --server");
      }
    }
    return connection;
  }
  auto server = parse_server(url->second);
  if (!server) throw Stop(Exit::kUsage, "--server: " + server.error().message());
  connection.server = std::move(server).value();
  connection.token = token_of(options);
  if (const auto ca = options.find("ca"); ca != options.end()) connection.ca_file = ca->second;
  return connection;
}

}  // namespace brink::ctl::cli
