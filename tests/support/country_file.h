// A country database in MaxMind's DB format 2.0 as bytes, for tests: networks and their records.
// https://maxmind.github.io/MaxMind-DB/
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/base/ip.h"

namespace brink::test {

// What a record says: maps of maps, each path with its text; an empty text is the boolean true.
struct CountryNetwork {
  const char* address;
  unsigned bits;  // of an IPv6 address; of an IPv4 one 96 more are meant
  std::vector<std::pair<std::string, std::string>> values;  // "country.iso_code" -> "DE"
};

class CountryFile {
 public:
  explicit CountryFile(const std::vector<CountryNetwork>& networks) {
    nodes_.push_back({});
    for (const CountryNetwork& network : networks) {
      const auto address = *base::IpAddress::parse(network.address);
      put(address, network.bits + (address.is_v4() ? 96 : 0), record(network));
    }
  }

  [[nodiscard]] std::string bytes() const {
    std::string out;
    const auto count = static_cast<std::uint32_t>(nodes_.size());
    for (const Node& node : nodes_) {
      for (const Child& child : node.children) {
        std::uint32_t value = count;  // nothing there
        if (child.kind == Kind::kNode) value = child.value;
        if (child.kind == Kind::kData) value = count + 16 + child.value;
        put_number(out, value, 4);
      }
    }
    out += std::string(16, '\0') + data_ + "\xab\xcd\xefMaxMind.com" + metadata(count);
    return out;
  }

 private:
  enum class Kind { kNothing, kNode, kData };
  struct Child {
    Kind kind = Kind::kNothing;
    std::uint32_t value = 0;
  };
  struct Node {
    Child children[2];
  };

  // IPv4 lies at ::/96, not where IpAddress keeps it.
  void put(const base::IpAddress& address, unsigned bits, std::uint32_t offset) {
    auto octets = address.bytes();
    if (address.is_v4()) octets[10] = octets[11] = 0;
    std::size_t at = 0;
    for (unsigned bit = 0; bit < bits; ++bit) {
      const bool side = (octets[bit / 8] >> (7 - bit % 8) & 1) != 0;
      if (bit + 1 == bits) {
        nodes_[at].children[side] = {Kind::kData, offset};
        return;
      }
      if (nodes_[at].children[side].kind != Kind::kNode) {
        nodes_[at].children[side] = {Kind::kNode, static_cast<std::uint32_t>(nodes_.size())};
        nodes_.push_back({});
      }
      at = nodes_[at].children[side].value;
    }
  }

  static void put_number(std::string& out, std::uint64_t value, int octets) {
    for (int i = octets - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xff);
  }
  static std::string text(const std::string& value) {
    return static_cast<char>(2 << 5 | static_cast<int>(value.size())) + value;
  }
  static std::string map(int size) { return std::string(1, static_cast<char>(7 << 5 | size)); }
  static std::string number(int type, std::uint64_t value, int octets) {
    std::string out;
    if (type < 8) {
      out = static_cast<char>(type << 5 | octets);
    } else {
      out = {static_cast<char>(octets), static_cast<char>(type - 7)};
    }
    put_number(out, value, octets);
    return out;
  }

  std::uint32_t record(const CountryNetwork& network) {
    const auto offset = static_cast<std::uint32_t>(data_.size());
    data_ += map(static_cast<int>(network.values.size()));
    for (const auto& [path, value] : network.values) {
      const std::size_t dot = path.find('.');
      data_ += text(path.substr(0, dot));
      if (dot != std::string::npos) data_ += map(1) + text(path.substr(dot + 1));
      data_ += value.empty() ? std::string({1, 7}) : text(value);  // boolean, extended type 14
    }
    return offset;
  }

  static std::string metadata(std::uint32_t nodes) {
    constexpr int kUint16 = 5, kUint32 = 6, kUint64 = 9;
    return map(9) + text("description") + map(0) + text("node_count") + number(kUint32, nodes, 4) +
           text("record_size") + number(kUint16, 32, 2) + text("ip_version") +
           number(kUint16, 6, 2) + text("database_type") + text("Test-Country") +
           text("languages") + std::string({0, 4}) +  // an array of nothing, extended type 11
           text("binary_format_major_version") + number(kUint16, 2, 2) +
           text("binary_format_minor_version") + number(kUint16, 0, 2) + text("build_epoch") +
           number(kUint64, 1'700'000'000, 8);
  }

  std::vector<Node> nodes_;
  std::string data_;
};

}  // namespace brink::test
