// AresExchange: an Exchange by c-ares over the kernel's sockets: UDP with EDNS, TCP after a
// truncated answer, each attempt from a port and with an id of its own, the next server after a
// failure. Nothing else includes c-ares. The thread that runs `context`.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <set>
#include <vector>

#include "ctl/resolve/exchange.h"

namespace brink::ctl::resolve {

struct ExchangeOptions {
  std::vector<base::Endpoint> servers;      // empty: those of /etc/resolv.conf
  std::chrono::milliseconds timeout{1500};  // of the first attempt; later ones wait longer
  unsigned attempts = 3;                    // at each server
};

class AresExchange : public Exchange {
 public:
  AresExchange(boost::asio::io_context& context, ExchangeOptions options);
  // Questions on their way are dropped. The context has stopped before.
  ~AresExchange() override;

  void ask(const Question& question, Done done) override;
  void ask_at(const std::vector<base::Endpoint>& servers, const Question& question,
              Done done) override;

 private:
  class Channel;
  boost::asio::io_context& context_;
  const ExchangeOptions options_;
  std::shared_ptr<Channel> resolving_;
  std::set<std::shared_ptr<Channel>> single_;  // of ask_at, one for each question
};

}  // namespace brink::ctl::resolve
