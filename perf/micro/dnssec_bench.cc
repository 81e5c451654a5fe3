// What a signature costs beside the bare one of OpenSSL, ours and through ldns: RRsets of two
// addresses and of two MX, as most are.
#include <benchmark/benchmark.h>
#include <openssl/evp.h>

#include <array>
#include <memory>

#include "dns/dnssec/denial.h"
#include "dns/dnssec/signature.h"
#include "dns/zone/text.h"

// Last: it defines bool, true and false.
#include <ldns/ldns.h>

namespace {

using namespace brink::dns;  // NOLINT: a benchmark's own file
using dnssec::Algorithm;
using zone::Wire;

constexpr dnssec::Validity kValidity{1'700'000'000, 1'701'000'000};

Wire name(const char* text) {
  return zone::name_from_text(text).value();
}

zone::Rrset addresses() {
  return {zone::kTypeA, 300, {Wire("\xc0\0\2\1", 4), Wire("\xc0\0\2\2", 4)}};
}

zone::Rrset exchangers() {
  const Wire origin = name("example.com.");
  return {zone::kTypeMx,
          300,
          {zone::rdata_from_text(zone::kTypeMx, "10 mx1", origin).value(),
           zone::rdata_from_text(zone::kTypeMx, "20 MX2.Example.net.", origin).value()}};
}

// The least that a P-256 signature can cost: one context, made once.
void bare_p256(benchmark::State& state) {
  EVP_PKEY* key = EVP_EC_gen("prime256v1");
  EVP_MD_CTX* first = EVP_MD_CTX_new();
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  if (EVP_DigestSignInit(first, nullptr, EVP_sha256(), nullptr, key) != 1) std::abort();
  const std::array<std::uint8_t, 130> octets{};
  std::array<std::uint8_t, 128> signature;
  for (auto _ : state) {
    std::size_t size = signature.size();
    if (EVP_MD_CTX_copy_ex(context, first) != 1 ||
        EVP_DigestSign(context, signature.data(), &size, octets.data(), octets.size()) != 1) {
      std::abort();
    }
    benchmark::DoNotOptimize(signature);
  }
  state.SetItemsProcessed(state.iterations());
  EVP_MD_CTX_free(context);
  EVP_MD_CTX_free(first);
  EVP_PKEY_free(key);
}
BENCHMARK(bare_p256);

void ours(benchmark::State& state, Algorithm algorithm, const zone::Rrset& rrset) {
  const auto key = dnssec::SigningKey::generate(algorithm);
  const Wire apex = name("example.com."), owner = name("www.example.com.");
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        dnssec::sign_rrset(key.value(), dnssec::kFlagsZsk, apex, owner, rrset, kValidity));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(ours, p256_a, Algorithm::kEcdsaP256Sha256, addresses());
BENCHMARK_CAPTURE(ours, p256_mx, Algorithm::kEcdsaP256Sha256, exchangers());
BENCHMARK_CAPTURE(ours, p384_a, Algorithm::kEcdsaP384Sha384, addresses());
BENCHMARK_CAPTURE(ours, ed25519_a, Algorithm::kEd25519, addresses());
BENCHMARK_CAPTURE(ours, rsa2048_a, Algorithm::kRsaSha256, addresses());

// The same through ldns, its records made from wire form as they would have to be.
void ldns_p256(benchmark::State& state, const zone::Rrset& rrset) {
  ldns_key* key = ldns_key_new_frm_algorithm(LDNS_SIGN_ECDSAP256SHA256, 256);
  ldns_key_set_pubkey_owner(key, ldns_dname_new_frm_str("example.com."));
  ldns_key_set_origttl(key, 300);
  ldns_key_set_inception(key, kValidity.inception);
  ldns_key_set_expiration(key, kValidity.expiration);
  ldns_rr* dnskey = ldns_key2rr(key);
  ldns_key_set_keytag(key, ldns_calc_keytag(dnskey));
  ldns_key_list* keys = ldns_key_list_new();
  ldns_key_list_push_key(keys, key);
  const Wire owner = name("www.example.com.");
  for (auto _ : state) {
    ldns_rr_list* records = ldns_rr_list_new();
    for (const Wire& rdata : rrset.rdata) {
      Wire wire = owner;
      for (const std::size_t value : {std::size_t{rrset.type}, std::size_t{1}, std::size_t{0},
                                      std::size_t{rrset.ttl}, rdata.size()}) {
        wire += static_cast<char>(value >> 8);
        wire += static_cast<char>(value);
      }
      wire += rdata;
      ldns_rr* rr = nullptr;
      std::size_t at = 0;
      ldns_wire2rr(&rr, reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size(), &at,
                   LDNS_SECTION_ANSWER);
      ldns_rr_list_push_rr(records, rr);
    }
    ldns_rr_list* signatures = ldns_sign_public(records, keys);
    if (signatures == nullptr || ldns_rr_list_rr_count(signatures) != 1) std::abort();
    ldns_rr_list_deep_free(signatures);
    ldns_rr_list_deep_free(records);
  }
  state.SetItemsProcessed(state.iterations());
  ldns_rr_free(dnskey);
  ldns_key_list_free(keys);  // and the key
}
BENCHMARK_CAPTURE(ldns_p256, a, addresses());
BENCHMARK_CAPTURE(ldns_p256, mx, exchangers());

void nsec3_hash(benchmark::State& state) {
  const Wire owner = name("www.example.com.");
  for (auto _ : state) benchmark::DoNotOptimize(dnssec::nsec3_hash(owner, 0, ""));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(nsec3_hash);

}  // namespace
