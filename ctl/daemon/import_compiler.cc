#include "ctl/daemon/import_compiler.h"

#include <spdlog/spdlog.h>

#include <atomic>
#include <future>
#include <system_error>
#include <utility>

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
  Work(const std::string& path, const compile::Options& options, std::uint64_t from,
       model::Zone zone, store::EachRecord records)
      : from_(from),
        made_(std::async(std::launch::async, [this, &path, &options, zone = std::move(zone),
                                              records = std::move(records)] {
          const EndOfSeeing end{*this};
          return run(path, options, zone, records);
        })) {
    seen_.get_future().wait();
  }
  ~Work() { stop_ = true; }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  std::uint64_t to = 0;  // once it is stored

  [[nodiscard]] std::uint64_t from() const { return from_; }
  std::optional<Encoder> take() { return made_.get(); }

 private:
  // However it ends, nobody waits for it to begin any more.
  struct EndOfSeeing {
    Work& work;
    ~EndOfSeeing() { work.see(); }
  };

  std::optional<Encoder> run(const std::string& path, const compile::Options& options,
                             const model::Zone& zone, const store::EachRecord& records) {
    auto opened = store::Store::open(path, store::Access::kReadOnly);
    if (!opened) return std::nullopt;
    store::Store& store = *opened.value();
    try {
      const store::Transaction view(store, store::Transaction::Kind::kRead);
      if (store.version() != from_) return std::nullopt;
      see();  // this first reading says what all others see
      if (!compile::stands_alone(store, zone)) return std::nullopt;
      StoppableEncoder encoder(stop_);
      const auto compiled = compile::compile_import(store, zone, records, options, encoder);
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
  std::atomic<bool> stop_{false};
  std::promise<void> seen_;
  bool has_seen_ = false;                     // of its thread
  std::future<std::optional<Encoder>> made_;  // last: the first to go
};

class ImportCompiler::Coming : public api::ComingImport {
 public:
  Coming(ImportCompiler& compiler, std::shared_ptr<Work> work)
      : compiler_(compiler), work_(std::move(work)) {}

  void is_stored(std::uint64_t version) override {
    work_->to = version;
    const std::lock_guard lock(compiler_.mutex_);
    compiler_.stored_ = std::move(work_);
  }

 private:
  ImportCompiler& compiler_;
  std::shared_ptr<Work> work_;
};

ImportCompiler::ImportCompiler(std::string path, compile::Options options)
    : path_(std::move(path)), options_(std::move(options)) {}

ImportCompiler::~ImportCompiler() = default;

std::unique_ptr<api::ComingImport> ImportCompiler::begin(std::uint64_t version,
                                                         const model::Zone& zone,
                                                         store::EachRecord records) {
  try {
    return std::make_unique<Coming>(
        *this, std::make_shared<Work>(path_, options_, version, zone, std::move(records)));
  } catch (const std::system_error& error) {
    spdlog::warn("an import is not compiled ahead: no thread: {}", error.what());
    return nullptr;
  }
}

std::optional<Encoder> ImportCompiler::take(std::uint64_t from, std::uint64_t to) {
  std::shared_ptr<Work> work;
  {
    const std::lock_guard lock(mutex_);
    work = std::move(stored_);
  }
  if (work == nullptr || work->from() != from || work->to != to) return std::nullopt;
  return work->take();
}

}  // namespace brink::ctl::daemon
