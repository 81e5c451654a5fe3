#include "ctl/daemon/import_compiler.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <future>
#include <system_error>
#include <utility>

#include "ctl/daemon/sealed_transaction.h"

namespace brink::ctl::daemon {
namespace {

using Encoder = snapshot::TransactionEncoder;

// Ends a compilation that nobody wants any more.
class StoppableEncoder : public Encoder {
 public:
  explicit StoppableEncoder(const std::atomic<bool>& stop) : stop_(stop) {}

  base::Result<void> put_name(Name name, const snapshot::NameContents& contents) override {
    if (stop_.load(std::memory_order_relaxed)) return base::Error{"stopped", "", ""};
    return Encoder::put_name(name, contents);
  }

 private:
  const std::atomic<bool>& stop_;
};

}  // namespace

// One import. Made, it has seen the state before it, or cannot; destroyed, it waits for its thread,
// which ends soon.
class ImportCompiler::Work {
 public:
  Work(ImportCompiler& compiler, std::uint64_t from, const publish::EdgeState& to, model::Zone zone,
       store::EachRecord records)
      : from_(from),
        to_(to),
        made_(std::async(std::launch::async,
                         [this, &compiler, zone = std::move(zone), records = std::move(records)] {
                           const EndOfSeeing end{*this};
                           return run(compiler, zone, records);
                         })) {
    seen_.get_future().wait();
  }
  ~Work() { stop_ = true; }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  [[nodiscard]] bool is_step(std::uint64_t from, const publish::EdgeState& to) const {
    return from_ == from && to_ == to;
  }
  std::optional<publish::Sealed> take() { return made_.get(); }

 private:
  // However it ends, nobody waits for it to begin any more.
  struct EndOfSeeing {
    Work& work;
    ~EndOfSeeing() { work.see(); }
  };

  std::optional<publish::Sealed> run(ImportCompiler& compiler, const model::Zone& zone,
                                     const store::EachRecord& records) {
    auto made = compile(compiler, zone, records);
    if (!made) return std::nullopt;
    auto sealed = seal(*made, from_, to_);
    if (!sealed) return std::nullopt;
    made.reset();
    base::UniqueFd other(::fcntl(sealed.value().memfd.get(), F_DUPFD_CLOEXEC, 0));
    if (other.valid() && !stop_) {
      compiler.stage(from_, {std::move(other), to_, sealed.value().size_bytes});
    }
    return std::move(sealed).value();
  }

  std::optional<Encoder> compile(const ImportCompiler& compiler, const model::Zone& zone,
                                 const store::EachRecord& records) {
    auto opened = store::Store::open(compiler.path_, store::Access::kReadOnly);
    if (!opened) return std::nullopt;
    store::Store& store = *opened.value();
    try {
      const store::Transaction view(store, store::Transaction::Kind::kRead);
      if (store.version() != from_) return std::nullopt;
      see();  // this first reading says what all others see
      if (!compile::stands_alone(store, zone)) return std::nullopt;
      StoppableEncoder encoder(stop_);
      const auto compiled =
          compile::compile_import(store, zone, records, compiler.options_, encoder);
      return compiled ? std::optional<Encoder>(std::move(encoder)) : std::nullopt;
    } catch (const store::Failure& failure) {
      spdlog::warn("an import is not compiled ahead: {}", failure.what());
      return std::nullopt;
    }
  }

  void see() {
    if (!std::exchange(has_seen_, true)) seen_.set_value();
  }

  const std::uint64_t from_;
  const publish::EdgeState to_;
  std::atomic<bool> stop_{false};
  std::promise<void> seen_;
  bool has_seen_ = false;                             // of its thread
  std::future<std::optional<publish::Sealed>> made_;  // last: the first to go
};

class ImportCompiler::Coming : public api::ComingImport {
 public:
  Coming(ImportCompiler& compiler, std::shared_ptr<Work> work)
      : compiler_(compiler), work_(std::move(work)) {}
  ~Coming() override {
    if (work_ == nullptr) return;
    work_.reset();  // from now on it stages nothing
    compiler_.edge_.unstage();
  }

  void is_stored() override {
    const std::lock_guard lock(compiler_.mutex_);
    compiler_.stored_ = std::move(work_);
  }

 private:
  ImportCompiler& compiler_;
  std::shared_ptr<Work> work_;  // null: it is stored
};

ImportCompiler::ImportCompiler(std::string path, compile::Options options, Edge edge)
    : path_(std::move(path)), options_(std::move(options)), edge_(std::move(edge)) {}

ImportCompiler::~ImportCompiler() = default;

void ImportCompiler::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
}

void ImportCompiler::stage(std::uint64_t from, publish::Sealed sealed) {
  const std::lock_guard lock(mutex_);
  if (!is_closed_) edge_.stage(from, std::move(sealed));
}

std::unique_ptr<api::ComingImport> ImportCompiler::begin(std::uint64_t from,
                                                         const publish::EdgeState& to,
                                                         const model::Zone& zone,
                                                         store::EachRecord records) {
  try {
    return std::make_unique<Coming>(
        *this, std::make_shared<Work>(*this, from, to, zone, std::move(records)));
  } catch (const std::system_error& error) {
    spdlog::warn("an import is not compiled ahead: no thread: {}", error.what());
    return nullptr;
  }
}

std::optional<publish::Sealed> ImportCompiler::take(std::uint64_t from,
                                                    const publish::EdgeState& to) {
  std::shared_ptr<Work> work;
  {
    const std::lock_guard lock(mutex_);
    work = std::move(stored_);
  }
  if (work == nullptr || !work->is_step(from, to)) return std::nullopt;
  return work->take();
}

}  // namespace brink::ctl::daemon
