// ImportCompiler: compiles what a large import leads to on a thread of its own, while the store's
// thread is still writing it, so that the transaction for the edge is there when the import is
// committed.
//
// It reads the state before the import, which nobody changes meanwhile: the import holds the
// store's write lock. What it made is good for that one step, from the version before to the
// import's; where the edge, or the store, is elsewhere by then, it is thrown away and the publisher
// compiles as ever. Whatever stands against it does the same: this is no way to fail.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "ctl/api/service.h"
#include "ctl/compile/compile.h"
#include "ctl/store/store.h"
#include "dataplane/snapshot/transaction.h"

namespace brink::ctl::daemon {

class ImportCompiler {
 public:
  // Smaller imports are compiled in no time.
  static constexpr std::size_t kRecordsMin = 10'000;

  // `path`: of the store.
  ImportCompiler(std::string path, compile::Options options);
  ~ImportCompiler();
  ImportCompiler(const ImportCompiler&) = delete;
  ImportCompiler& operator=(const ImportCompiler&) = delete;

  // Store's thread, within the import's transaction: `version` is the one before it.
  std::unique_ptr<api::ComingImport> begin(std::uint64_t version, const model::Zone& zone,
                                           store::EachRecord records);
  // Publisher's thread: what leads from the one version to the other, if it is such a step; waits
  // until it is made. It is given away.
  std::optional<snapshot::TransactionEncoder> take(std::uint64_t from, std::uint64_t to);

 private:
  class Work;
  class Coming;

  const std::string path_;
  const compile::Options options_;
  std::mutex mutex_;
  std::shared_ptr<Work> stored_;  // guarded by mutex_: of the last import that was
};

}  // namespace brink::ctl::daemon
