// SnapshotCompiler: what the store holds, as sealed images and transactions for the edge.
// Publisher's thread; every call is one read transaction of the store.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "ctl/compile/compile.h"
#include "ctl/compile/hashed_zones.h"
#include "ctl/daemon/import_compiler.h"
#include "ctl/dnssec/signers.h"
#include "ctl/publish/publisher.h"
#include "ctl/store/store.h"
#include "dataplane/base/hash.h"
#include "dataplane/base/result.h"
#include "dataplane/secret/sealed_box.h"

namespace brink::ctl::daemon {

class SnapshotCompiler {
 public:
  // `floor`: the first version with the present settings. `signatures`: when zones that are to be
  // signed are, with keys that `box` opens. `imports` has some of the transactions ready. Store,
  // key, box and imports outlive it.
  SnapshotCompiler(store::Store& reader, compile::Options options, const base::HashKey& hash_key,
                   std::uint64_t floor, const secret::SealedBox& box,
                   const dns::dnssec::SignaturePolicy& signatures, ImportCompiler& imports)
      : reader_(reader),
        imports_(imports),
        signers_(reader, box, signatures),
        options_(std::move(options)),
        hash_key_(hash_key),
        floor_(floor) {
    options_.signers = &signers_;
    options_.hashed = &hashed_;
  }
  SnapshotCompiler(const SnapshotCompiler&) = delete;
  SnapshotCompiler& operator=(const SnapshotCompiler&) = delete;

  // See publish::Compiler.
  base::Result<publish::Sealed> image();
  base::Result<std::optional<publish::Sealed>> changes(const publish::EdgeState& served);
  bool recognises(const publish::EdgeState& served);

 private:
  publish::EdgeState present();
  base::Result<publish::Sealed> make_image();
  base::Result<std::optional<publish::Sealed>> make_changes(const publish::EdgeState& served);

  store::Store& reader_;
  ImportCompiler& imports_;
  dnssec::StoreSigners signers_;
  compile::HashedZones hashed_;
  compile::Options options_;
  const base::HashKey& hash_key_;
  const std::uint64_t floor_;
};

}  // namespace brink::ctl::daemon
