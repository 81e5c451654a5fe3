// Exchange: one DNS question to one answer, whatever carries it. Tests bring their own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ctl/model/name.h"
#include "ctl/model/rdata.h"
#include "dataplane/base/ip.h"

namespace brink::ctl::resolve {

struct Question {
  model::DomainName name;
  model::RecordType type = 0;

  auto operator<=>(const Question&) const = default;
};

// What came of it: a whole message whose question is the one asked, or why there is none.
struct Reply {
  std::vector<std::uint8_t> message;
  std::string failure;  // of an empty message
};

class Exchange {
 public:
  // Called once, never from within ask().
  using Done = std::function<void(Reply)>;

  virtual ~Exchange() = default;
  // Asks the configured servers to resolve.
  virtual void ask(const Question& question, Done done) = 0;
  // Asks one of these servers for what it has of its own, without recursion.
  virtual void ask_at(const std::vector<base::Endpoint>& servers, const Question& question,
                      Done done) = 0;
};

}  // namespace brink::ctl::resolve
