// Server: HTTP/1.0 and 1.1 over a UNIX socket and a TCP listener, which may speak TLS, by Beast on
// one I/O thread.
// Connections are asynchronous, so slow ones hold nobody up; their number, the time that each step
// takes, and the size of what they send are limited.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "ctl/api/dispatcher.h"
#include "ctl/api/http.h"
#include "ctl/api/tls_context.h"
#include "dataplane/base/result.h"

namespace brink::ctl::api {

struct ServerOptions {
  std::string socket_path;             // mode 0660; what comes over it is trusted
  std::string listen;                  // "127.0.0.1:8053", "[::1]:8053"; empty = no TCP listener
  TlsOptions tls;                      // of the TCP listener
  bool plain_anywhere = false;         // plain HTTP on other addresses than loopback ones
  std::size_t connections_max = 1000;  // of each listener
  std::size_t body_size_max = 8 * 1024 * 1024;    // of anything but an import
  std::size_t import_body_size_max = 300 * 1024;  // over TCP
  std::size_t import_body_size_max_trusted = 520 * 1024 * 1024;
  std::chrono::seconds handshake_timeout{10};  // of TLS, and for its end
  std::chrono::seconds idle_timeout{60};       // between requests, and for the head of one
  std::chrono::seconds body_timeout{300};      // for the whole body
  std::chrono::seconds write_timeout{120};
};

class Server {
 public:
  using Handler = std::function<void(Request, Dispatcher::Respond)>;
  // Is given a request over TCP without its body, which is large, and says, once, from any thread,
  // what it is to be answered with at once; nothing: the body may come.
  using Admission = std::function<void(Request, Dispatcher::TurnAway)>;

  // Binds and starts serving. `handler` and `admission` are called on the I/O thread and must not
  // block; they may respond from any thread. Without `admission` no large body is taken over TCP.
  static base::Result<std::unique_ptr<Server>> start(const ServerOptions& options, Handler handler,
                                                     Admission admission = {});
  // Reads certificate and key again, for connections from now on; those that are open go on. When
  // they cannot be read, the old ones stay.
  base::Result<void> reload_tls();
  // From its return on `handler` is not called any more; requests are answered with 503.
  void drain();
  // Writes what has been responded, closes everything and joins the thread. Whoever holds a Respond
  // has used or dropped it before.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace brink::ctl::api
