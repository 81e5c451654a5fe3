// OCSP (RFC 6960): whom a certificate says to ask about it, the question, and what an answer is
// worth. Nothing is fetched here. Any thread; nothing is kept.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/model/stapling.h"
#include "dataplane/base/result.h"

namespace brink::ctl::certificate {

inline constexpr std::size_t kOcspResponseMax = 64 * 1024;  // octets

// What the first certificate of a chain says.
struct OcspSubject {
  std::string responder;     // the first http URL of its authority information access; empty: none
  bool must_staple = false;  // RFC 7633: clients insist on a response
};
OcspSubject ocsp_subject(std::string_view chain_pem);

// A question without a nonce (RFC 5019 2.1), DER. An Error where the chain has no issuer behind its
// first.
base::Result<std::vector<std::uint8_t>> ocsp_question(std::string_view chain_pem);

struct OcspAnswer {
  model::OcspStatus status = model::OcspStatus::kGood;
  std::int64_t this_update_s = 0;  // since 1970
  std::int64_t next_update_s = 0;
};
// Whether `der` may be shown with the chain: a response that is signed by the issuer, or by whom
// the issuer lets do it (4.2.2.2), about this very certificate, in force at `now_s` (an answer of
// the near future is taken: clocks differ), and that says until when. An Error says what is wrong
// with it.
base::Result<OcspAnswer> read_ocsp_answer(std::string_view chain_pem,
                                          std::span<const std::uint8_t> der, std::int64_t now_s);

}  // namespace brink::ctl::certificate
