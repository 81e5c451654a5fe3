// ImportCompiler: compiles what a large import leads to on a thread of its own, while the store's
// thread is still writing it, and has the edge apply it, so that both are done when the import is
// committed.
//
// It reads the state before the import, which nobody changes meanwhile: the import holds the
// store's write lock. What it made is good for that one step, from the version before to the
// import's; where the edge, or the store, is elsewhere by then, it is thrown away and the publisher
// compiles as ever. Whatever stands against it does the same: this is no way to fail.
//
// Nobody sees what the edge has applied before the publisher, asked for a version that is
// committed, takes this very step.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "ctl/api/service.h"
#include "ctl/compile/compile.h"
#include "ctl/publish/publisher.h"
#include "ctl/store/store.h"

namespace brink::ctl::daemon {

class ImportCompiler {
 public:
  // Smaller imports are compiled in no time.
  static constexpr std::size_t kRecordsMin = 10'000;

  // Where the edge gets what is not committed: Publisher::stage and unstage. Any thread.
  struct Edge {
    std::function<void(std::uint64_t from, publish::Sealed)> stage;
    std::function<void()> unstage;
  };

  // `path`: of the store.
  ImportCompiler(std::string path, compile::Options options, Edge edge);
  ~ImportCompiler();
  ImportCompiler(const ImportCompiler&) = delete;
  ImportCompiler& operator=(const ImportCompiler&) = delete;

  // Store's thread, within the import's transaction: from the version before it to the one that it
  // has taken.
  std::unique_ptr<api::ComingImport> begin(std::uint64_t from, const publish::EdgeState& to,
                                           const model::Zone& zone, store::EachRecord records);
  // Publisher's thread: what leads from the one version to the other, if it is such a step; waits
  // until it is made. It is given away.
  std::optional<publish::Sealed> take(std::uint64_t from, const publish::EdgeState& to);
  // The edge gets nothing more of it.
  void close();

 private:
  class Work;
  class Coming;
  void stage(std::uint64_t from, publish::Sealed sealed);

  const std::string path_;
  const compile::Options options_;
  const Edge edge_;
  std::mutex mutex_;
  bool is_closed_ = false;        // guarded by mutex_
  std::shared_ptr<Work> stored_;  // guarded by mutex_: of the last import that was
};

}  // namespace brink::ctl::daemon
