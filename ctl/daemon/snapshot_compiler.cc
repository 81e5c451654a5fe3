#include "ctl/daemon/snapshot_compiler.h"

#include <malloc.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "ctl/daemon/sealed_transaction.h"
#include "ctl/model/timestamp.h"
#include "ctl/store/history.h"
#include "dataplane/snapshot/builder.h"
#include "dataplane/snapshot/transaction.h"

namespace brink::ctl::daemon {
namespace {

// Reads of the publisher's thread, whose failures are errors of the compilation.
template <typename T, typename Read>
base::Result<T> reading(store::Store& reader, const Read& read) {
  try {
    store::Transaction view(reader, store::Transaction::Kind::kRead);
    return read();
  } catch (const store::Failure& failure) {
    return base::Error{failure.what(), "record store", "check the disk"};
  }
}

// A difference of this many names, and of more than there are records, is slower to apply than to
// replace everything. A million new names beside as many others take two thirds of the time.
constexpr std::uint64_t kManyNames = 10'000;

}  // namespace

base::Result<publish::Sealed> SnapshotCompiler::image() {
  auto image = reading<publish::Sealed>(reader_, [this] { return make_image(); });
  // What compiling everything took is not needed again soon, and the allocator would keep it.
  ::malloc_trim(0);
  return image;
}

base::Result<std::optional<publish::Sealed>> SnapshotCompiler::changes(
    const publish::EdgeState& served) {
  return reading<std::optional<publish::Sealed>>(reader_, [&] { return make_changes(served); });
}

bool SnapshotCompiler::recognises(const publish::EdgeState& served) {
  const auto same = reading<bool>(reader_, [&]() -> base::Result<bool> {
    return store::History(reader_).token(served.version) == served.token;
  });
  return same && same.value();
}

publish::EdgeState SnapshotCompiler::present() {
  const std::uint64_t version = reader_.version();
  return {version, store::History(reader_).token(version).value_or(0)};
}

base::Result<publish::Sealed> SnapshotCompiler::make_image() {
  snapshot::Builder builder(hash_key_);
  options_.now = model::system_wall_clock()();
  const auto counts = compile::compile_all(reader_, options_, builder);
  if (!counts) return counts.error();
  publish::Sealed sealed;
  sealed.leads_to = present();
  const auto built = builder.finish(sealed.leads_to.version, unix_now_ns(), sealed.leads_to.token);
  if (!built) return built.error();
  auto memfd = built.value().seal(sealed.size_bytes);
  if (!memfd) return memfd.error();
  sealed.memfd = std::move(memfd).value();
  spdlog::info("compiled version {} whole: {} zones, {} names, {} routes, {} bytes",
               sealed.leads_to.version, counts.value().zones_put, counts.value().names_put,
               counts.value().routes, sealed.size_bytes);
  return sealed;
}

base::Result<std::optional<publish::Sealed>> SnapshotCompiler::make_changes(
    const publish::EdgeState& served) {
  store::History history(reader_);
  if (served.version < floor_ || history.token(served.version) != served.token) {
    return std::optional<publish::Sealed>();
  }
  const publish::EdgeState to = present();
  if (auto ready = imports_.take(served.version, to)) {
    hashed_.pass(served.version, to.version);  // its zone is not signed, and nothing hangs on it
    return ready;
  }
  std::uint64_t most = kManyNames;
  if (history.entries_between(served.version, to.version) > kManyNames) {
    most = std::max(most, reader_.record_count_at_most());
  }
  const auto changes = history.changes_between(served.version, to.version, most);
  if (!changes) return std::optional<publish::Sealed>();
  snapshot::TransactionEncoder encoder;
  options_.now = model::system_wall_clock()();
  const auto counts = compile::compile_changes(reader_, *changes, options_, encoder);
  if (!counts) return counts.error();
  spdlog::debug("compiled version {} from {}: {} zones, {} names put, {} dropped", to.version,
                served.version, counts.value().zones_put, counts.value().names_put,
                counts.value().names_dropped);
  auto sealed = seal(encoder, served.version, to);
  if (!sealed) return sealed.error();
  return std::optional<publish::Sealed>(std::move(sealed).value());
}

}  // namespace brink::ctl::daemon
