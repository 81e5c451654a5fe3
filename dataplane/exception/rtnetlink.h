// Rtnetlink: the kernel's tables of links, addresses, routes and neighbours (rtnetlink(7)), as far
// as the exception path needs them. Cold; one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/clock.h"
#include "dataplane/base/result.h"
#include "dataplane/base/unique_fd.h"
#include "dataplane/net/neighbour.h"

namespace brink::exception {

// An address of the box with its network.
struct InterfaceAddress {
  base::IpAddress address;
  std::uint8_t bits = 0;
};

// set_up_interface brings `interface` up and gives it addresses and a default route per gateway.
// What is there already stays. Duplicate address detection is off: the address answers at once.
base::Result<void> set_up_interface(const std::string& interface,
                                    const std::vector<InterfaceAddress>& addresses,
                                    const std::vector<base::IpAddress>& gateways);

// A neighbour is asked for again no sooner than this.
inline constexpr base::Duration kResolveInterval = std::chrono::seconds(1);

// NeighbourFeed copies the kernel's neighbours of one interface into a NeighbourTable as they
// change, and asks the kernel to resolve those that a worker wants.
class NeighbourFeed {
 public:
  static base::Result<std::unique_ptr<NeighbourFeed>> open(const std::string& interface,
                                                           net::NeighbourTable& table);

  // Readable when poll() has something to do.
  [[nodiscard]] int descriptor() const { return socket_.get(); }

  // Takes in what the kernel reported. Never blocks. Errors: the socket is gone.
  base::Result<void> poll();

  // Asks the kernel to (re)solve `address`; at most once per kResolveInterval for each.
  void resolve(const base::IpAddress& address, base::Time now);

 private:
  NeighbourFeed(base::UniqueFd socket, int interface_index, net::NeighbourTable& table)
      : socket_(std::move(socket)), interface_index_(interface_index), table_(table) {}
  base::Result<void> request_dump();
  void take(const void* message, std::size_t size);

  base::UniqueFd socket_;
  int interface_index_;
  net::NeighbourTable& table_;
  std::map<base::IpAddress, base::Time> asked_;
};

}  // namespace brink::exception
