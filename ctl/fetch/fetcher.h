// Fetcher: posts something to an http URL and gives back what the server says. A thread of its own:
// post() may be called from any, callbacks come on the fetcher's.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ctl/resolve/addresses.h"

namespace brink::ctl::fetch {

struct Question {
  std::string url;
  std::string content_type;
  std::vector<std::uint8_t> body;
};

struct Answer {
  std::vector<std::uint8_t> body;
  std::string problem;  // why there is no body: nobody was reached, or a status other than 200
};

struct FetcherOptions {
  std::chrono::milliseconds timeout{
      10'000};  // of all of a request, the question for the name apart
  std::size_t body_max = 64 * 1024;
  std::size_t addresses_max = 3;  // that are tried
  resolve::AddressFilter filter;  // of addresses that URLs name themselves
};

class Fetcher {
 public:
  using Done = std::function<void(Answer)>;
  // Finds the addresses of a name that may be asked; calls its second argument once, on any thread,
  // or drops it.
  using Resolve =
      std::function<void(const model::DomainName&, std::function<void(resolve::Addresses)>)>;

  Fetcher(FetcherOptions options, Resolve resolve);
  // Stops the thread; callbacks that have not been called are dropped.
  ~Fetcher();
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  // Calls `done` once.
  void post(Question question, Done done);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // who resolves holds it weakly
};

}  // namespace brink::ctl::fetch
