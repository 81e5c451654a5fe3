#include "dataplane/edge/name_dump.h"

#include "dataplane/snapshot/name_text.h"
#include "dataplane/snapshot/transaction.h"
#include "dataplane/snapshot/zone_state.h"
#include "dns/answer/denial.h"

namespace brink::edge {
namespace {

using snapshot::BlobHeader;
using snapshot::Lookup;
using snapshot::Record;
using snapshot::View;

std::vector<std::uint8_t> bytes_of(const BlobHeader& blob) {
  const auto* at = reinterpret_cast<const std::uint8_t*>(&blob);
  return {at, at + snapshot::blob_size(blob)};
}

std::vector<snapshot::Rrset> rrsets_of(const View& view, const Record& record) {
  std::vector<snapshot::Rrset> sets;
  if (record.inline_type != 0) {
    sets.push_back({record.inline_type, bytes_of(*view.inline_blob(record))});
  }
  for (const snapshot::RrsetEntry& entry : view.rrsets(record)) {
    if (entry.form == snapshot::kPlainForm) {
      sets.push_back({entry.type, bytes_of(*view.table_blob(record, entry))});
    }
  }
  for (snapshot::Rrset& set : sets) {
    const BlobHeader* with_signatures = view.signed_blob(record, set.type);
    if (with_signatures != view.blob(record, set.type)) {
      set.signed_blob = bytes_of(*with_signatures);
    }
  }
  return sets;
}

std::string standing_of(const Lookup& found) {
  if (found.encloser == nullptr) return "refused";
  if ((found.encloser->flags & snapshot::kCut) != 0) return "delegation";
  if (found.record == nullptr) return "nxdomain";
  if (!found.exact) return "wildcard";
  return (found.record->flags & snapshot::kEmpty) != 0 ? "empty" : "exact";
}

// What an answer would prove with: that a name has no other types, or is not there itself.
dns::answer::Proofs proofs_of(const View& view, const Lookup& found, const Record& record,
                              const snapshot::NameKey& key) {
  dns::answer::Proofs proofs(view);
  const dns::answer::Denied denied{View::chain(view.zone(*found.encloser)),
                                   found.encloser->apex_size, 0};
  const std::span<const std::uint8_t> asked(key.bytes, key.size);
  const std::size_t closest = found.encloser->name_size;
  if ((found.encloser->flags & snapshot::kCut) != 0) {
    proofs.add_no_data(denied, {view.name_bytes(record), record.name_size});
  } else if (found.exact) {
    proofs.add_no_data(denied, asked);
  } else if (found.record != nullptr) {
    proofs.add_wildcard(denied, asked, closest, true);
  } else {
    proofs.add_no_name(denied, asked, closest, {});
  }
  return proofs;
}

// The spans lead into the image.
snapshot::ZoneContents zone_contents_of(const snapshot::ZoneState& zone) {
  const snapshot::StateContents state = snapshot::contents_of(zone);
  return {state.serial,
          state.negative,
          state.signed_negative,
          {state.chain.kind, state.chain.iterations, state.salt}};
}

}  // namespace

base::Result<NameDump> dump_name(const View& view, std::span<const std::uint8_t> name) {
  if (name.empty() || snapshot::wire_name_size(name) != name.size()) {
    return base::Error{"it is no well-formed name", "name " + snapshot::name_text(name), ""};
  }
  snapshot::NameKey key;
  snapshot::set_key(key, view.hash_key(), name.data(), name.size(), name.size());
  const Lookup found = view.lookup(key);
  NameDump dump{standing_of(found), {}};
  if (found.encloser == nullptr) return dump;
  const bool refers = (found.encloser->flags & snapshot::kCut) != 0;
  const Record* record = refers || found.record == nullptr ? found.encloser : found.record;
  if ((record->flags & snapshot::kEmpty) != 0) record = found.encloser;

  snapshot::TransactionEncoder encoder;
  const std::uint8_t* owner = view.name_bytes(*record);
  const std::size_t apex_at = record->name_size - record->apex_size;
  const snapshot::ZoneState& zone = view.zone(*record);
  const auto zone_contents = zone_contents_of(zone);
  const auto sets = rrsets_of(view, *record);
  const snapshot::NameContents contents{sets, view.route(*record),
                                        (record->flags & snapshot::kCut) != 0,
                                        (record->flags & snapshot::kParentSide) != 0};
  if (auto put = encoder.put_zone({owner + apex_at, record->apex_size}, zone_contents); !put) {
    return put.error();
  }
  if (auto put = encoder.put_name({owner, record->name_size}, contents); !put) return put.error();
  // They carry their owners themselves.
  const auto proofs = proofs_of(view, found, *record, key);
  for (std::size_t i = 0; i < proofs.count(); ++i) {
    const auto blob = bytes_of(proofs.blob(i));
    if (auto put = encoder.put_denial({owner + apex_at, record->apex_size}, blob); !put) {
      return put.error();
    }
  }
  dump.transaction = encoder.finish(0, 1, 0);
  return dump;
}

}  // namespace brink::edge
