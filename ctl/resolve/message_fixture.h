// DNS messages written as text, and an Exchange whose answers a test gives. For tests.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "ctl/model/record.h"
#include "ctl/resolve/exchange.h"
#include "dataplane/base/check.h"
#include "dns/zone/text.h"

namespace brink::ctl::resolve {

inline model::DomainName name(std::string_view text) {
  return model::DomainName::parse(text).value();
}

inline base::IpAddress address(std::string_view text) {
  return *base::IpAddress::parse(text);
}

// A record: "www.example.com. 300 A 192.0.2.1".
class Message {
 public:
  explicit Message(const Question& question) {
    octets_ = {0x12, 0x34, 0x80, 0x80, 0, 1, 0, 0, 0, 0, 0, 0};
    append(question.name.is_root() ? std::vector<std::uint8_t>{0} : question.name.wire());
    append16(question.type);
    append16(1);
  }
  Message& rcode(unsigned code) {
    octets_[3] = static_cast<std::uint8_t>(octets_[3] | code);
    return *this;
  }
  Message& authoritative() {
    octets_[2] |= 4;
    return *this;
  }
  Message& truncated() {
    octets_[2] |= 2;
    return *this;
  }
  Message& answer(const std::string& record) { return add(record, 7); }
  Message& authority(const std::string& record) { return add(record, 9); }
  [[nodiscard]] const std::vector<std::uint8_t>& octets() const { return octets_; }
  [[nodiscard]] Reply reply() const { return {octets_, {}}; }

 private:
  Message& add(const std::string& record, std::size_t count_at) {
    std::size_t start = 0;
    const auto word = [&] {
      const std::size_t end = record.find(' ', start);
      std::string text = record.substr(start, end - start);
      start = end + 1;
      return text;
    };
    const std::string owner = word(), ttl = word(), type_text = word();
    const auto type = dns::zone::type_from_text(type_text).value();
    const auto owner_wire = dns::zone::name_from_text(owner).value();
    const auto rdata = dns::zone::rdata_from_text(type, record.substr(start), "").value();
    append({owner_wire.begin(), owner_wire.end()});
    append16(type);
    append16(1);
    const auto ttl_s = static_cast<std::uint32_t>(std::stoul(ttl));
    append16(ttl_s >> 16);
    append16(ttl_s & 0xffff);
    append16(static_cast<std::uint32_t>(rdata.size()));
    append({rdata.begin(), rdata.end()});
    ++octets_[count_at];
    return *this;
  }
  void append(const std::vector<std::uint8_t>& octets) {
    octets_.insert(octets_.end(), octets.begin(), octets.end());
  }
  void append16(std::uint32_t value) {
    octets_.push_back(static_cast<std::uint8_t>(value >> 8));
    octets_.push_back(static_cast<std::uint8_t>(value));
  }

  std::vector<std::uint8_t> octets_;
};

}  // namespace brink::ctl::resolve
