#include "ctl/daemon/control.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <cstring>

#include "ctl/api/dispatcher.h"
#include "ctl/api/server.h"
#include "ctl/api/service.h"
#include "ctl/compile/compile.h"
#include "ctl/daemon/activation_keeper.h"
#include "ctl/daemon/dnssec_keeper.h"
#include "ctl/daemon/history_keeper.h"
#include "ctl/daemon/outside_keeper.h"
#include "ctl/daemon/part_options.h"
#include "ctl/daemon/snapshot_compiler.h"
#include "ctl/daemon/stapling_keeper.h"
#include "ctl/fetch/fetcher.h"
#include "ctl/metrics/server.h"
#include "ctl/publish/edge_questions.h"
#include "ctl/publish/publisher.h"
#include "ctl/store/checkpointer.h"
#include "ctl/store/history.h"
#include "ctl/store/store.h"
#include "ctl/store/store_lock.h"
#include "dataplane/secret/key_file.h"

namespace brink::ctl::daemon {
namespace {

// A response has one to four KiB; certificate::kOcspResponseMax is what is taken of one.
constexpr std::size_t kOcspBodyMax = 64 * 1024;

// For the one before it to end, which may have been killed with much memory to give back.
constexpr std::chrono::seconds kLockPatience{5};

std::vector<std::uint8_t> random_bytes(std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  model::system_entropy()(bytes);
  return bytes;
}

// The key that belongs to the store. It remembers which that is, so that another one, or none, is
// noticed now and not when a secret is needed.
base::Result<secret::Key> load_store_key(const Config& config, store::Store& store) {
  const auto known = store.value("key_fingerprint");
  const auto key = secret::load_key(config.key_file, !known, model::system_entropy());
  if (!key) return key;
  const secret::Sha256 fingerprint = secret::fingerprint(key.value());
  const std::vector<std::uint8_t> octets(fingerprint.begin(), fingerprint.end());
  if (known && *known != octets) {
    return base::Error{"the key file is not the one that the store was used with", config.key_file,
                       "put back the one that belongs to " + config.store};
  }
  store.set_value("key_fingerprint", octets);
  return key;
}

std::vector<std::uint8_t> octets_of(std::uint64_t number) {
  std::vector<std::uint8_t> octets(sizeof number);
  std::memcpy(octets.data(), &number, sizeof number);
  return octets;
}

std::uint64_t version_of(const std::vector<std::uint8_t>& octets) {
  std::uint64_t number = 0;
  std::memcpy(&number, octets.data(), std::min(octets.size(), sizeof number));
  return number;
}

}  // namespace

struct Control::Parts {
  base::UniqueFd store_lock;
  // Belongs to the queue's thread from the first job that is posted.
  std::unique_ptr<store::Store> store;
  std::unique_ptr<store::Checkpointer> checkpointer;
  std::unique_ptr<store::Store> reader;          // publisher thread
  std::unique_ptr<store::Store> outside_reader;  // outside keeper's thread
  api::Settings settings;
  compile::Options compile;
  base::HashKey hash_key;
  std::unique_ptr<secret::SealedBox> box;
  std::uint64_t version_at_start = 0;
  std::uint64_t compile_floor = 0;                // first version with the present settings
  std::unique_ptr<ImportCompiler> imports;
  std::unique_ptr<SnapshotCompiler> compiler;     // publisher thread
  std::unique_ptr<dnssec::StoreSigners> signers;  // store thread
  std::unique_ptr<api::Service> service;
  api::Router router;
  std::unique_ptr<HistoryKeeper> keeper;  // outlives the jobs of the queue, like the next three
  std::unique_ptr<OutsideKeeper> outside;
  std::unique_ptr<ActivationKeeper> activation;
  std::unique_ptr<DnssecKeeper> dnssec_keeper;
  std::unique_ptr<StaplingKeeper> stapling;
  std::unique_ptr<api::WorkQueue> queue;
  std::unique_ptr<fetch::Fetcher> fetcher;  // after the queue, which its answers go to
  std::unique_ptr<publish::Publisher> publisher;
  std::unique_ptr<publish::EdgeQuestions> names;  // asks for names, which takes no time,
  std::unique_ptr<publish::EdgeQuestions> jobs;   // and for what takes long
  std::unique_ptr<api::Dispatcher> dispatcher;
  std::unique_ptr<api::Server> server;
  std::unique_ptr<metrics::Server> metrics;

  base::Result<void> open(const Config& config);
  void start_publisher(const Config& config);
  void start_questions(const Config& config);
  void start_keeper(const Config& config);
  void start_resolving(const Config& config);
  void start_stapling(const Config& config);
  void publish(std::uint64_t version, std::function<void()> done);
  void ask_edge(publish::Question question, publish::EdgeQuestions::Answered answered);
  std::unique_ptr<api::ComingImport> begin_import(const model::Zone& zone, std::size_t size,
                                                  store::EachRecord records);
  void overtake(std::uint64_t edge_version);
  void warm_up();
  void keep_token_uses();
};

// Reads or makes the node's own values, and takes a version when settings have changed: the image
// of the same records is another one.
base::Result<void> Control::Parts::open(const Config& config) {
  auto locked = store::lock_store(config.store, kLockPatience);
  if (!locked) return locked.error();
  store_lock = std::move(locked).value();
  auto opened = store::Store::open(config.store, store::Access::kReadWrite);
  if (!opened) return opened.error();
  store = std::move(opened).value();
  auto checkpoints =
      store::Checkpointer::start(*store, config.store, [](const std::string& failure) {
        spdlog::error("the store's log cannot be moved into its file: {}", failure);
      });
  if (!checkpoints) return checkpoints.error();
  checkpointer = std::move(checkpoints).value();
  opened = store::Store::open(config.store, store::Access::kReadOnly);
  if (!opened) return opened.error();
  reader = std::move(opened).value();
  opened = store::Store::open(config.store, store::Access::kReadOnly);
  if (!opened) return opened.error();
  outside_reader = std::move(opened).value();
  try {
    store::Transaction transaction(*store, store::Transaction::Kind::kWrite);
    const auto seed = store->value_or_create("hash_key", [] { return random_bytes(32); });
    if (seed.size() != sizeof hash_key.bytes) {
      return base::Error{"the node's own values are damaged", config.store, "restore a backup"};
    }
    std::memcpy(hash_key.bytes, seed.data(), seed.size());
    const auto direct = store->value_or_create("direct_secret", [] { return random_bytes(32); });
    if (direct.size() != sizeof(compile::DirectSecret)) {
      return base::Error{"the node's own values are damaged", config.store, "restore a backup"};
    }
    compile.direct_secret.emplace();
    std::copy(direct.begin(), direct.end(), compile.direct_secret->begin());
    const auto key = load_store_key(config, *store);
    if (!key) return key.error();
    box = std::make_unique<secret::SealedBox>(key.value(), model::system_entropy());
    const auto fingerprint = compile_fingerprint(config);
    if (store->value("compile_fingerprint") != fingerprint) {
      store->set_value("compile_fingerprint", fingerprint);
      store->set_value("compile_floor", octets_of(store->take_version()));
    }
    compile_floor = version_of(store->value("compile_floor").value_or(octets_of(0)));
    version_at_start = store->version();
    transaction.commit();
  } catch (const store::Failure& failure) {
    return base::Error{failure.what(), config.store, "check the disk and the file's permissions"};
  }
  return {};
}

void Control::Parts::start_publisher(const Config& config) {
  publish::Publisher::Options options;
  options.edge_socket = config.edge_socket;
  options.version = version_at_start;
  options.acknowledge_timeout = std::chrono::milliseconds(config.acknowledge_timeout_ms);
  options.reconnect_interval = std::chrono::milliseconds(config.reconnect_interval_ms);
  imports = std::make_unique<ImportCompiler>(
      config.store, compile,
      ImportCompiler::Edge{[this](std::uint64_t from, publish::Sealed sealed) {
                             publisher->stage(from, std::move(sealed));
                           },
                           [this] { publisher->unstage(); }});
  compiler = std::make_unique<SnapshotCompiler>(*reader, compile, hash_key, compile_floor, *box,
                                                dnssec_policy(config).signature, *imports);
  publisher = std::make_unique<publish::Publisher>(
      options,
      publish::Compiler{
          [this] { return compiler->image(); },
          [this](const publish::EdgeState& served) { return compiler->changes(served); },
          [this](const publish::EdgeState& served) { return compiler->recognises(served); },
          [this](std::uint64_t version) { queue->post([this, version] { overtake(version); }); }});
}

void Control::Parts::start_questions(const Config& config) {
  const std::chrono::milliseconds quick(config.acknowledge_timeout_ms);
  names = std::make_unique<publish::EdgeQuestions>(config.edge_socket, quick);
  jobs = std::make_unique<publish::EdgeQuestions>(config.edge_socket,
                                                  std::chrono::seconds(config.edge_job_timeout_s));
}

void Control::Parts::ask_edge(publish::Question question,
                              publish::EdgeQuestions::Answered answered) {
  const bool quick = question.type == ipc::MessageType::kShowName ||
                     question.type == ipc::MessageType::kCookieSecrets;
  (quick ? names : jobs)->ask(std::move(question), std::move(answered));
}

// Only where the edge takes the step from the version before it.
std::unique_ptr<api::ComingImport> Control::Parts::begin_import(const model::Zone& zone,
                                                                std::size_t size,
                                                                store::EachRecord records) {
  const publish::PublisherStatus status = publisher->status();
  const std::uint64_t from = store->version();
  const bool is_in_step = status.connected && status.served_version == from;
  if (size < ImportCompiler::kRecordsMin || !is_in_step || store->taken_version()) return nullptr;
  const std::uint64_t to = store->take_version();
  const std::uint64_t token = store::History(*store).token(to).value_or(0);
  return imports->begin(from, {to, token}, zone, std::move(records));
}

void Control::Parts::start_keeper(const Config& config) {
  HistoryKeeper::Options options;
  options.limits.versions_max = config.history_versions_max;
  options.limits.age_max = std::chrono::hours(24) * config.history_age_max_days;
  options.audit_age_max = std::chrono::hours(24) * config.audit_age_max_days;
  options.audit_entries_max = config.audit_entries_max;
  const auto needed = [this]() -> std::optional<std::uint64_t> {
    const publish::PublisherStatus status = publisher->status();
    return status.connected ? std::optional(status.served_version) : std::nullopt;
  };
  keeper =
      std::make_unique<HistoryKeeper>(options, *store, *queue, needed, model::system_wall_clock());
}

void Control::Parts::start_resolving(const Config& config) {
  outside = std::make_unique<OutsideKeeper>(
      outside_options(config), *store, *outside_reader, compile, *queue,
      [this](std::uint64_t version) { publisher->changed(version); });
  activation = std::make_unique<ActivationKeeper>(
      activation_options(config), *store, *queue,
      [this](const model::DomainName& zone, auto done) {
        outside->resolver().delegation(zone, std::move(done));
      },
      [this](std::uint64_t version, auto done) { publish(version, std::move(done)); },
      model::system_wall_clock());
  dnssec_keeper = std::make_unique<DnssecKeeper>(
      dnssec_options(config), *store, *box, *queue,
      [this](const model::DomainName& zone, auto done) {
        outside->resolver().parent_ds(zone, std::move(done));
      },
      [this](std::uint64_t version, auto done) { publish(version, std::move(done)); },
      model::system_wall_clock());
}

void Control::Parts::start_stapling(const Config& config) {
  fetch::FetcherOptions options;
  options.body_max = kOcspBodyMax;
  options.filter = origin_filter(config);
  fetcher =
      std::make_unique<fetch::Fetcher>(options, [this](const model::DomainName& name, auto done) {
        outside->resolver().addresses(name, std::move(done));
      });
  stapling = std::make_unique<StaplingKeeper>(
      StaplingKeeper::Options{}, *store, *queue,
      [this](const std::string& url, std::vector<std::uint8_t> question, auto done) {
        fetcher->post({url, "application/ocsp-request", std::move(question)},
                      [done](fetch::Answer answer) {
                        done({std::move(answer.body), std::move(answer.problem)});
                      });
      },
      [this](std::uint64_t version) { publish(version, [] {}); }, model::system_wall_clock());
}

// A change that no request made. `done`: it is served, or known not to be.
void Control::Parts::publish(std::uint64_t version, std::function<void()> done) {
  outside->settle([this, version, done = std::move(done)] {
    publisher->await(version, [done](const publish::Publication&) { done(); });
  });
}

void Control::Parts::overtake(std::uint64_t edge_version) {
  try {
    store::Transaction transaction(*store, store::Transaction::Kind::kWrite);
    store->raise_version(edge_version);
    const std::uint64_t version = store->take_version();
    transaction.commit();
    publisher->changed(version);
  } catch (const store::Failure& failure) {
    spdlog::error("the store cannot overtake the edge's version {}: {}", edge_version,
                  failure.what());
  }
}

// What the first list and the first look at the status would wait for. Store's thread.
void Control::Parts::warm_up() {
  try {
    store->fill_zone_directory();
    store->record_count();
  } catch (const store::Failure& failure) {
    spdlog::error("the store cannot be read: {}", failure.what());
  }
}

// What was used since the last time. Without the store's thread.
void Control::Parts::keep_token_uses() {
  try {
    service->token_uses.flush(*store, service->clock(), true);
  } catch (const store::Failure& failure) {
    spdlog::error("when tokens were used cannot be kept: {}", failure.what());
  }
}

base::Result<std::unique_ptr<Control>> Control::start(const Config& config) {
  auto parts = std::make_unique<Parts>();
  parts->settings = api_settings(config);
  parts->compile = compile_options(config);
  if (auto opened = parts->open(config); !opened) return opened.error();
  parts->queue = std::make_unique<api::WorkQueue>();
  parts->start_publisher(config);
  parts->start_questions(config);
  parts->start_keeper(config);
  parts->start_resolving(config);
  parts->start_stapling(config);
  parts->queue->post([parts = parts.get()] { parts->warm_up(); });
  const auto clock = model::system_wall_clock();
  parts->service = std::make_unique<api::Service>(api::Service{
      *parts->store, parts->settings, model::system_entropy(), clock,
      [publisher = parts->publisher.get()] { return publisher->status(); }, clock(),
      [parts = parts.get()](auto question, auto answered) {
        parts->ask_edge(std::move(question), std::move(answered));
      },
      [parts = parts.get()](const auto& zone, auto done) {
        parts->activation->check(zone, std::move(done));
      },
      [parts = parts.get()](const auto& zone, auto done) {
        parts->dnssec_keeper->check(zone, std::move(done));
      },
      [parts = parts.get()](auto done) { parts->outside->resolver().status(std::move(done)); }});
  parts->service->box = parts->box.get();
  parts->signers = std::make_unique<dnssec::StoreSigners>(*parts->store, *parts->box,
                                                          dnssec_policy(config).signature);
  parts->service->serve_zone = [parts = parts.get()](const auto& zone, const auto& visit) {
    compile::Options options = parts->compile;
    options.signers = parts->signers.get();
    options.now = model::system_wall_clock()();
    return compile::serve_zone(*parts->store, zone, options, visit);
  };
  parts->service->begin_import = [parts = parts.get()](const auto& zone, auto size, auto records) {
    return parts->begin_import(zone, size, std::move(records));
  };
  parts->router = api::make_router(*parts->service);
  parts->dispatcher = std::make_unique<api::Dispatcher>(
      *parts->service, parts->router, *parts->queue, *parts->publisher,
      [outside = parts->outside.get()](auto done) { outside->settle(std::move(done)); });
  std::unique_ptr<Control> control(new Control(std::move(parts)));
  auto server = api::Server::start(
      server_options(config),
      [dispatcher = control->parts_->dispatcher.get()](auto request, auto respond) {
        dispatcher->dispatch(std::move(request), std::move(respond));
      },
      [dispatcher = control->parts_->dispatcher.get()](auto head, auto respond) {
        dispatcher->admit(std::move(head), std::move(respond));
      });
  if (!server) return server.error();
  control->parts_->server = std::move(server).value();
  if (config.metrics_listen) {
    auto metrics = metrics::Server::start(
        {.listen = *config.metrics_listen, .stats_path = config.stats_file});
    if (!metrics) return metrics.error();
    control->parts_->metrics = std::move(metrics).value();
  }
  return control;
}

Control::Control(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

void Control::reload() {
  const auto reloaded = parts_->server->reload_tls();
  if (!reloaded) {
    spdlog::error("the old certificate stays: {}", reloaded.error().message());
  } else {
    spdlog::info("certificate and key of the API were read again");
  }
}

// From the outside in: no new requests, finish those taken, tell who waits, write the answers.
Control::~Control() {
  if (parts_->server) parts_->server->drain();
  parts_->keeper->stop();
  parts_->activation->stop();
  parts_->dnssec_keeper->stop();
  parts_->stapling->stop();
  parts_->queue->stop();
  parts_->fetcher.reset();
  parts_->keep_token_uses();
  parts_->outside.reset();  // who waits for names goes on to the publisher
  parts_->names.reset();
  parts_->jobs.reset();
  parts_->imports->close();
  parts_->publisher.reset();
  parts_->server.reset();
}

}  // namespace brink::ctl::daemon
