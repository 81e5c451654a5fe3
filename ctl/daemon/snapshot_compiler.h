// SnapshotCompiler: what the store holds, as sealed images and transactions for the edge.
// Publisher's thread; every call is one read transaction of the store.
#pragma once

#include <cstdint>
#include <optional>

#include "ctl/compile/compile.h"
#include "ctl/publish/publisher.h"
#include "ctl/store/store.h"
#include "dataplane/base/hash.h"
#include "dataplane/base/result.h"

namespace brink::ctl::daemon {

class SnapshotCompiler {
 public:
  // `floor`: the first version with the present settings. Everything given outlives it.
  SnapshotCompiler(store::Store& reader, const compile::Options& options,
                   const base::HashKey& hash_key, std::uint64_t floor)
      : reader_(reader), options_(options), hash_key_(hash_key), floor_(floor) {}

  // See publish::Compiler.
  base::Result<publish::Sealed> image();
  base::Result<std::optional<publish::Sealed>> changes(const publish::EdgeState& served);
  bool recognises(const publish::EdgeState& served);

 private:
  publish::EdgeState present();
  base::Result<publish::Sealed> make_image();
  base::Result<std::optional<publish::Sealed>> make_changes(const publish::EdgeState& served);

  store::Store& reader_;
  const compile::Options& options_;
  const base::HashKey& hash_key_;
  const std::uint64_t floor_;
};

}  // namespace brink::ctl::daemon
