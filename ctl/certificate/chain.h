// Reading a certificate chain in PEM (RFC 7468): what it holds, in which order, and whether it will
// do. Any thread; nothing is kept.
#pragma once

#include <string_view>

#include "ctl/model/certificate.h"

namespace brink::ctl::certificate {

// What the first certificate of a chain must be.
enum class Want : std::uint8_t {
  kLeaf,       // not an authority; else "missing leaf certificate"
  kAuthority,  // one
};

// How the chain must be, or be made; see model::BundleMethod.
enum class Order : std::uint8_t { kSort, kSortWithoutRoot, kAsGiven };

// Reads a chain of 1 to model::kChainLengthMax certificates. Each must be signed by the next one;
// the order in which they come matters for kAsGiven only. All must be valid at `now`, with keys of
// a sensible size and no signature by MD5 or SHA-1 (a root's own is not looked at). Blocks of
// another kind are refused, a private key above all; text between the blocks is left out.
model::Outcome<model::Certificate> read_chain(std::string_view pem, Want want, Order order,
                                              model::Timestamp now);

// Authorities that trust, in no order: each of them one that is valid at `now`. What is told is
// about the first; `pem` has all.
model::Outcome<model::Certificate> read_authorities(std::string_view pem, model::Timestamp now);

}  // namespace brink::ctl::certificate
