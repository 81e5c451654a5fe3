// Server: GET /metrics over HTTP for a Prometheus server, and nothing else. It has no credentials:
// who reaches the address may read. One thread of its own; connections are few and short.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "dataplane/base/ip.h"
#include "dataplane/base/result.h"

namespace brink::ctl::metrics {

struct ServerOptions {
  base::Endpoint listen;
  std::string stats_path;            // the edge's statistics segment
  std::size_t connections_max = 16;  // more are closed at once
  std::chrono::seconds timeout{10};  // for a request, and for its answer
};

class Server {
 public:
  // Binds and starts serving.
  static base::Result<std::unique_ptr<Server>> start(const ServerOptions& options);
  // Closes everything and joins the thread.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Where it listens: the port that the system chose, where none was given.
  [[nodiscard]] std::uint16_t port() const;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace brink::ctl::metrics
