#include "ctl/certificate/chain.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "ctl/certificate/handles.h"

namespace brink::ctl::certificate {
namespace {

using model::Certificate;
using model::invalid_certificate;
using model::Outcome;
using model::Refusal;
using Chain = std::vector<X509Ptr>;

std::string place(std::size_t index) {
  return "Certificate " + std::to_string(index + 1) + " of the chain";
}

Refusal no_pem(const std::string& why) {
  return invalid_certificate("The certificate is not PEM: " + why + ".");
}

// One block of PEM; empty: not a certificate.
Outcome<X509Ptr> read_block(BIO* bio) {
  char* name = nullptr;
  char* header = nullptr;
  std::uint8_t* data = nullptr;
  long size = 0;
  if (PEM_read_bio(bio, &name, &header, &data, &size) != 1) {
    return no_pem("expected -----BEGIN CERTIFICATE-----, base64 and -----END CERTIFICATE-----");
  }
  const std::string kind(name);
  const std::uint8_t* at = data;
  X509Ptr certificate(kind == "CERTIFICATE" ? d2i_X509(nullptr, &at, size) : nullptr);
  const bool whole = certificate != nullptr && at == data + size;
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  if (kind != "CERTIFICATE") {
    return invalid_certificate("The certificate field holds a block \"" + kind +
                               "\"; give certificates there, and the key as private_key.");
  }
  if (!whole) return no_pem("a block is damaged");
  return certificate;
}

// Nothing but certificates and the white space around them.
Outcome<Chain> read_blocks(std::string_view pem) {
  if (pem.size() > model::kCertificatePemMax) {
    return invalid_certificate("The certificate has " + std::to_string(pem.size()) + " octets; " +
                               std::to_string(model::kCertificatePemMax) + " are allowed.");
  }
  const Bio bio = reader(pem);
  Chain chain;
  while (pem.find("-----BEGIN") != std::string_view::npos) {
    auto block = read_block(bio.get());
    if (!block) return block.error();
    if (chain.size() == model::kChainLengthMax) {
      return invalid_certificate("A chain has at most " + std::to_string(model::kChainLengthMax) +
                                 " certificates.");
    }
    chain.push_back(std::move(block).value());
    pem.remove_prefix(pem.find("-----BEGIN") + 1);
  }
  if (chain.empty()) return no_pem("no -----BEGIN CERTIFICATE----- in it");
  return chain;
}

bool is_self_signed(X509* certificate) {
  return X509_self_signed(certificate, 0) == 1;
}

// By name and by signature.
bool has_signed(X509* issuer, X509* subject) {
  const ErrorsCleared cleared;
  if (X509_NAME_cmp(X509_get_subject_name(issuer), X509_get_issuer_name(subject)) != 0) {
    return false;
  }
  EVP_PKEY* key = X509_get0_pubkey(issuer);
  return key != nullptr && X509_verify(subject, key) == 1;
}

// Takes the certificate for which `is_it` holds out of `rest`.
template <typename Predicate>
X509Ptr take(Chain& rest, Predicate is_it) {
  const auto found = std::find_if(rest.begin(), rest.end(), is_it);
  if (found == rest.end()) return nullptr;
  X509Ptr taken = std::move(*found);
  rest.erase(found);
  return taken;
}

// The leaf is what has signed no other.
X509Ptr take_leaf(Chain& rest) {
  return take(rest, [&](const X509Ptr& candidate) {
    return std::none_of(rest.begin(), rest.end(), [&](const X509Ptr& other) {
      return other != candidate && has_signed(candidate.get(), other.get());
    });
  });
}

Outcome<Chain> sort_chain(Chain rest) {
  Chain chain;
  X509Ptr next = take_leaf(rest);
  while (next != nullptr) {
    X509* last = next.get();
    chain.push_back(std::move(next));
    if (is_self_signed(last)) break;
    next = take(rest, [&](const X509Ptr& other) { return has_signed(other.get(), last); });
  }
  if (rest.empty()) return chain;
  return invalid_certificate("The certificate of \"" +
                             name_text(X509_get_subject_name(rest.front().get())) +
                             "\" is not part of the chain: no other one is signed by it.");
}

std::optional<Refusal> order_fault(const Chain& chain) {
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (has_signed(chain[i].get(), chain[i - 1].get())) continue;
    return invalid_certificate(place(i - 1) +
                               " is not signed by the next one; put the leaf first, "
                               "then each issuer, or use bundle_method \"ubiquitous\".");
  }
  return std::nullopt;
}

bool has_weak_digest(X509* certificate) {
  int digest = 0;
  X509_get_signature_info(certificate, &digest, nullptr, nullptr, nullptr);
  return digest == NID_md5 || digest == NID_sha1 || digest == NID_md5_sha1;
}

std::optional<Refusal> fault_of(X509* certificate, std::size_t index, model::Timestamp now) {
  const ErrorsCleared cleared;
  const model::Timestamp expires_on = read_time(X509_get0_notAfter(certificate));
  const model::Timestamp not_before = read_time(X509_get0_notBefore(certificate));
  if (expires_on <= now) {
    return invalid_certificate(place(index) + " expired on " + expires_on.rfc3339() + ".");
  }
  if (not_before > now) {
    return invalid_certificate(place(index) + " is not valid before " + not_before.rfc3339() + ".");
  }
  const std::string key = key_fault(X509_get0_pubkey(certificate),
                                    "the key of certificate " + std::to_string(index + 1));
  if (!key.empty()) return invalid_certificate("Not taken: " + key + ".");
  if (has_weak_digest(certificate) && !is_self_signed(certificate)) {
    return invalid_certificate(place(index) +
                               " is signed with MD5 or SHA-1; get one with SHA-256.");
  }
  return std::nullopt;
}

std::optional<Refusal> faults_of(const Chain& chain, model::Timestamp now) {
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (auto fault = fault_of(chain[i].get(), i, now)) return fault;
    if (i > 0 && X509_check_ca(chain[i].get()) == 0) {
      return invalid_certificate(place(i) + " is not an authority, so it cannot sign another.");
    }
  }
  return std::nullopt;
}

Certificate to_certificate(const Chain& chain) {
  Certificate certificate = describe(chain.front().get());
  for (const X509Ptr& each : chain) certificate.pem += to_pem(each.get());
  return certificate;
}

}  // namespace

Outcome<Certificate> read_chain(std::string_view pem, Want want, Order order,
                                model::Timestamp now) {
  const ErrorsCleared cleared;
  auto read = read_blocks(pem);
  if (!read) return read.error();
  Chain chain = std::move(read).value();
  if (order == Order::kAsGiven) {
    if (auto fault = order_fault(chain)) return *fault;
  } else {
    auto sorted = sort_chain(std::move(chain));
    if (!sorted) return sorted.error();
    chain = std::move(sorted).value();
  }
  const bool is_authority = X509_check_ca(chain.front().get()) == 1;
  if (want == Want::kLeaf && is_authority) {
    return invalid_certificate("missing leaf certificate: the first one is an authority.");
  }
  if (want == Want::kAuthority && !is_authority) {
    return invalid_certificate("This is no certificate of an authority (basicConstraints CA).");
  }
  if (auto fault = faults_of(chain, now)) return *fault;
  if (order == Order::kSortWithoutRoot && chain.size() > 1 && is_self_signed(chain.back().get())) {
    chain.pop_back();
  }
  return to_certificate(chain);
}

Outcome<Certificate> read_authorities(std::string_view pem, model::Timestamp now) {
  const ErrorsCleared cleared;
  auto read = read_blocks(pem);
  if (!read) return read.error();
  const Chain& chain = read.value();
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (X509_check_ca(chain[i].get()) != 1) {
      return invalid_certificate("Certificate " + std::to_string(i + 1) +
                                 " is not one of an authority (basicConstraints CA).");
    }
    if (auto fault = fault_of(chain[i].get(), i, now)) return *fault;
  }
  return to_certificate(chain);
}

}  // namespace brink::ctl::certificate
