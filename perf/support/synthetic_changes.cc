#include "perf/support/synthetic_changes.h"

#include "dataplane/base/check.h"
#include "dataplane/snapshot/transaction.h"
#include "dns/render/blob_writer.h"
#include "dns/render/render.h"

namespace brink::perf {
namespace {

using dns::zone::Wire;

std::span<const std::uint8_t> octets(const Wire& wire) {
  return {reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()};
}

std::vector<std::uint8_t> negative_blob(const Wire& apex, std::uint32_t serial) {
  Wire soa("\3ns1\7example\3net\0\12hostmaster\7example\3net\0", 17 + 24);
  for (const std::uint32_t field : {serial, 10000U, 2400U, 604800U, 1800U}) {
    for (int shift = 24; shift >= 0; shift -= 8) soa += static_cast<char>(field >> shift);
  }
  auto blob = dns::render::render_negative(apex, {dns::zone::kTypeSoa, 3600, {soa}});
  CHECK(blob.ok());
  return std::move(blob).value().blob;
}

snapshot::Rrset address_set(const Wire& apex, std::uint32_t number) {
  dns::render::BlobWriter writer(apex);
  const Wire address = {'\300', static_cast<char>(number >> 16), static_cast<char>(number >> 8),
                        static_cast<char>(number)};
  writer.add_body({dns::zone::kTypeA, 300, {address}});
  auto blob = writer.finish();
  CHECK(blob.ok());
  return {dns::zone::kTypeA, std::move(blob).value()};
}

}  // namespace

std::vector<std::uint8_t> synthetic_change(const SyntheticOptions& options, std::size_t index,
                                           std::uint32_t number) {
  const Wire name = synthetic_name(options, index);
  const Wire apex = name.substr(1U + static_cast<unsigned char>(name[0]));
  snapshot::TransactionEncoder encoder;
  CHECK(encoder.put_zone(octets(apex), {number, negative_blob(apex, number)}).ok());
  const std::vector<snapshot::Rrset> sets = {address_set(apex, number)};
  snapshot::NameContents contents;
  contents.rrsets = sets;
  CHECK(encoder.put_name(octets(name), contents).ok());
  return encoder.finish(number, number + 1, 0);
}

snapshot::Garbage apply_change(snapshot::Writer& writer, std::span<const std::uint8_t> transaction,
                               std::uint32_t generation) {
  const auto header = snapshot::read_transaction(transaction);
  CHECK(header.ok());
  snapshot::TransactionDecoder decoder(transaction);
  writer.begin(generation);
  const auto more = decoder.apply(writer, 512);
  CHECK(more.ok() && !more.value() && writer.check().ok());
  return writer.commit(header.value().version, 0);
}

}  // namespace brink::perf
