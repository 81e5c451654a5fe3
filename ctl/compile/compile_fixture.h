// What tests of the compiler share: a store in memory, ids, options.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/compile/compile.h"
#include "ctl/model/certificate.h"
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

// What looks like a certificate as far as the compiler looks: DER with the algorithm of an EC key, and
// a number. In PEM.
inline std::string fake_pem(std::uint8_t number) {
  const auto element = [](char tag, const std::string& contents) {
    return std::string({tag, static_cast<char>(contents.size())}) + contents;
  };
  const std::string oid = element(0x06, "\x2a\x86\x48\xce\x3d\x02\x01");
  const std::string empty = element(0x30, "");
  const std::string key = element(0x30, element(0x30, oid));
  const std::string integer = element(0x02, std::string(1, static_cast<char>(number)));
  const std::string der =
      element(0x30, element(0x30, integer + empty + empty + empty + empty + key));
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < der.size(); at += 3) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8 | (at + i < der.size() ? static_cast<std::uint8_t>(der[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += at + i > der.size() ? '=' : kDigits[bits >> (18 - 6 * i) & 63];
    }
  }
  return "-----BEGIN CERTIFICATE-----\n" + text + "\n-----END CERTIFICATE-----\n";
}

inline model::Certificate fake_certificate(std::uint8_t number, std::vector<std::string> hosts) {
  model::Certificate certificate;
  certificate.pem = fake_pem(number);
  certificate.serial = "0a0b";
  certificate.fingerprint = std::to_string(number);
  certificate.hosts = std::move(hosts);
  certificate.expires_on = {2'000'000'000'000'000};
  return certificate;
}

// Stands in for the proxy's rendering: "<zone> <origin> <origin>...".
inline std::vector<std::uint8_t> render_text(const ProxiedName& proxied) {
  std::string text = proxied.zone_name;
  for (const auto& origin : proxied.origins) text += " " + std::string(origin.text().view());
  return {text.begin(), text.end()};
}

// Signs with a digest of what is signed: whoever signs the same with the same keys gets the same.
class TestSigners : public dnssec::Signers {
 public:
  base::Result<std::shared_ptr<const dnssec::ZoneSigner>> of(const model::Zone& zone) override {
    return std::shared_ptr<const dnssec::ZoneSigner>(std::make_shared<Signer>(zone));
  }

 private:
  class Signer : public dnssec::ZoneSigner {
   public:
    explicit Signer(const model::Zone& zone)
        : keys_(zone.name.text() + std::to_string(zone.dnssec.signing_set)) {
      const std::string key = std::to_string(zone.dnssec.key_set);
      apex_rrsets_.push_back({dns::zone::kTypeDnskey, 300, {std::string("\1\1\3\15", 4) + key}});
    }
    [[nodiscard]] base::Result<std::vector<dns::zone::Wire>> sign(
        const dns::zone::Wire& owner, const dns::zone::Rrset& rrset,
        const dns::zone::Wire& scheduled_by, model::Timestamp now) const override {
      std::string all = keys_ + owner + scheduled_by + std::to_string(now.micros);
      all += std::to_string(rrset.type) + std::to_string(rrset.ttl);
      for (const auto& rdata : rrset.rdata) all += rdata;
      const std::uint16_t type = __builtin_bswap16(rrset.type);
      return std::vector{std::string(reinterpret_cast<const char*>(&type), 2) +
                         std::to_string(std::hash<std::string>()(all))};
    }
    [[nodiscard]] const std::vector<dns::zone::Rrset>& apex_rrsets() const override {
      return apex_rrsets_;
    }

   private:
    std::string keys_;
    std::vector<dns::zone::Rrset> apex_rrsets_;
  };
};

inline Options test_options() {
  Options options;
  for (const char* text : {"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"}) {
    options.edge_addresses.push_back(*base::IpAddress::parse(text));
  }
  options.authority.name_servers = {name("ns1.brink.test"), name("ns2.brink.test")};
  options.render_route = render_text;
  options.direct_secret.emplace().fill(7);
  return options;
}

}  // namespace brink::ctl::compile
