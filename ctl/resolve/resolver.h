// Resolver: the one resolver of the control side: keeps the addresses of names outside the served
// zones (see NameTable), and asks parents
// of zones for delegations and DS records (see check_delegation). A thread of its own; every
// method may be called from any thread, every callback comes on the resolver's.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "ctl/resolve/addresses.h"
#include "ctl/resolve/ares_exchange.h"
#include "ctl/resolve/delegation.h"
#include "ctl/resolve/name_table.h"

namespace brink::ctl::resolve {

struct ResolverOptions {
  ExchangeOptions exchange;
  TableLimits limits;
  AddressFilter filter;
  std::chrono::milliseconds batch{250};  // changes within it are told together
  std::uint16_t parent_port = 53;
  std::chrono::milliseconds delegation_timeout{20'000};  // of all questions of a check
};

class Resolver {
 public:
  using Changed = std::function<void(const std::vector<Resolved>&)>;

  // `changed` hears of every name in use whose addresses are other ones, the first ones included.
  Resolver(ResolverOptions options, Changed changed);
  // Stops the thread. Callbacks that have not been called are dropped.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // These names are in use, and no others. `known`: last answers of some of them, for names that
  // come into use with this call.
  void use(std::vector<model::DomainName> names, std::vector<Resolved> known = {});
  // Calls `done` once: when each of the names in use among these has its answer, which `changed`
  // has heard of, or failed once; but after `wait` at the latest.
  void settled(std::vector<model::DomainName> names, std::chrono::milliseconds wait,
               std::function<void()> done);
  // Calls `done` after `wait`: for those who wait for more than names.
  void after(std::chrono::milliseconds wait, std::function<void()> done);
  // See check_delegation; it has a time limit here.
  void delegation(model::DomainName zone, std::function<void(Delegation)> done);
  // Likewise check_ds.
  void parent_ds(model::DomainName zone, std::function<void(ParentDs)> done);
  // The addresses of a name, asked now and not kept; see find_addresses.
  void addresses(model::DomainName name, std::function<void(Addresses)> done);
  // Calls `done` with what is known now.
  void status(std::function<void(ResolverStatus)> done);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace brink::ctl::resolve
