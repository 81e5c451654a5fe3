// What tests of the compiler share: a store in memory, ids, options.
#pragma once

#include <memory>
#include <string_view>

#include "ctl/compile/compile.h"
#include "ctl/store/store.h"

namespace brink::ctl::compile {

inline model::DomainName name(std::string_view text) {
  return model::DomainName::parse(text).value();
}

inline std::unique_ptr<store::Store> empty_store() {
  return std::move(store::Store::open(":memory:", store::Access::kReadWrite)).value();
}

class Ids {
 public:
  model::Id next() {
    model::Id id;
    ++last_;
    for (unsigned i = 0; i < 8; ++i) id.bytes[i] = static_cast<std::uint8_t>(last_ >> (8 * i));
    return id;
  }

 private:
  std::uint64_t last_ = 0;
};

// Stands in for the proxy's rendering: "<zone> <origin> <origin>...".
inline std::vector<std::uint8_t> render_text(const ProxiedName& proxied) {
  std::string text = proxied.zone_name;
  for (const auto& origin : proxied.origins) text += " " + std::string(origin.text().view());
  return {text.begin(), text.end()};
}

inline Options test_options() {
  Options options;
  for (const char* text : {"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"}) {
    options.edge_addresses.push_back(*base::IpAddress::parse(text));
  }
  options.authority.name_servers = {name("ns1.brink.test"), name("ns2.brink.test")};
  options.render_route = render_text;
  return options;
}

}  // namespace brink::ctl::compile
