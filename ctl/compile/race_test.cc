// Workers answer while what they read is changed by transactions that the compiler makes of a
// store: records come and go, keys are rolled, chains change between NSEC and NSEC3, zones are
// signed, unsigned, deleted and made anew, transactions are aborted, images replaced as a whole.
// Every burst is answered out of one state, and no state is a mixture: a number stands at names of
// two zones or at neither, every signature of a zone is of the keys at its apex, what is not there
// is denied in one way, or in none.
//
// Under the thread sanitizer: scripts/race. BRINK_RACE_TRANSACTIONS chooses how many.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <memory>
#include <random>
#include <set>
#include <thread>

#include "ctl/compile/compile.h"
#include "ctl/compile/compile_fixture.h"
#include "ctl/store/history.h"
#include "dataplane/snapshot/builder.h"
#include "dataplane/snapshot/transaction.h"
#include "dataplane/snapshot/writer.h"
#include "dns/answer/engine.h"
#include "dns/dnssec/denial.h"
#include "dns/zone/message.h"
#include "dns/zone/text.h"

namespace brink::ctl::compile {
namespace {

using dns::zone::ResourceRecord;
using store::Transaction;

constexpr std::size_t kReaders = 2;
constexpr unsigned kPairs = 12;
constexpr std::size_t kBuffer = 8192;
constexpr const char* kZones[] = {"one.test", "two.test", "three.test"};

// A signature says of which keys it is: the same number is in the key at the apex.
class NumberedSigners : public dnssec::Signers {
 public:
  base::Result<std::shared_ptr<const dnssec::ZoneSigner>> of(const model::Zone& zone) override {
    return std::shared_ptr<const dnssec::ZoneSigner>(std::make_shared<Signer>(zone));
  }

 private:
  class Signer : public dnssec::ZoneSigner {
   public:
    explicit Signer(const model::Zone& zone)
        : apex_(wire(zone.name)), number_(std::to_string(zone.dnssec.signing_set)) {
      apex_rrsets_.push_back(
          {dns::zone::kTypeDnskey, 300, {std::string("\1\1\3\15", 4) + number_}});
    }
    // RFC 4034 3.1: 18 octets, the signer, the signature.
    [[nodiscard]] base::Result<std::vector<dns::zone::Wire>> sign(const dns::zone::Wire&,
                                                                  const dns::zone::Rrset& rrset,
                                                                  const dns::zone::Wire&,
                                                                  model::Timestamp) const override {
      dns::zone::Wire rdata(18, '\0');
      rdata[0] = static_cast<char>(rrset.type >> 8);
      rdata[1] = static_cast<char>(rrset.type);
      return std::vector{rdata + apex_ + number_};
    }
    [[nodiscard]] const std::vector<dns::zone::Rrset>& apex_rrsets() const override {
      return apex_rrsets_;
    }

   private:
    static dns::zone::Wire wire(const model::DomainName& name) {
      const auto octets = name.wire();
      return {reinterpret_cast<const char*>(octets.data()), octets.size()};
    }
    dns::zone::Wire apex_;
    std::string number_;
    std::vector<dns::zone::Rrset> apex_rrsets_;
  };
};

struct Published {
  snapshot::Root root;
  std::uint32_t generation;
};

struct Shared {
  std::atomic<const Published*> published{nullptr};
  // Grace periods: a reader that stores `epoch` holds nothing from before.
  alignas(64) std::atomic<std::uint64_t> epoch{1};
  struct alignas(64) Seen {
    std::atomic<std::uint64_t> epoch{0};
  };
  std::array<Seen, kReaders> seen;
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> answers{0}, signatures{0}, denials{0}, numbers{0};
};

// What one zone's answers of one burst had.
struct Heard {
  std::set<std::string> keys;     // at the apex
  std::set<std::string> signers;  // numbers of signatures
  std::set<std::uint16_t> denial_types;
};

class Reader {
 public:
  Reader(Shared& shared, std::size_t number)
      : shared_(shared), number_(number), random_(static_cast<unsigned>(number) + 1) {}

  void run() {
    while (!shared_.stop.load(std::memory_order_relaxed)) {
      const Published* published = shared_.published.load(std::memory_order_acquire);
      ask(snapshot::View(published->root, published->generation));
      shared_.seen[number_].epoch.store(shared_.epoch.load(std::memory_order_acquire),
                                        std::memory_order_release);
      if (random_() % 16 == 0) std::this_thread::yield();  // the writer's chance
    }
  }
  // Empty: nothing was wrong.
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  struct Question {
    std::string name;
    std::uint16_t type;
  };

  std::vector<Question> draw() {
    const std::string pair = "p" + std::to_string(random_() % kPairs);
    std::vector<Question> questions = {{pair + ".one.test.", 16}, {pair + ".two.test.", 16}};
    for (const char* zone : kZones) {
      const std::string apex = std::string(zone) + ".";
      const std::string any = "n" + std::to_string(random_() % 40) + ".";
      questions.push_back({apex, dns::zone::kTypeDnskey});
      questions.push_back({any + apex, 1});
      questions.push_back({any + "nothing." + apex, 1});
      questions.push_back({apex, random_() % 2 == 0 ? std::uint16_t{15} : std::uint16_t{6}});
    }
    return questions;
  }

  void ask(const snapshot::View& view) {
    const auto questions = draw();
    std::vector<dns::answer::Message> messages;
    for (std::size_t i = 0; i < questions.size(); ++i) {
      std::uint8_t* at = buffers_[i].data();
      messages.push_back({at, write_query(at, questions[i]), kBuffer});
    }
    engine_.answer_burst(view, dns::answer::Transport::kStream, messages, counters_);
    std::map<std::string, Heard> heard;
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < messages.size(); ++i) {
      const auto response = dns::zone::read_message({messages[i].message, messages[i].size});
      if (!response) return fail(questions[i].name + ": " + response.error().message());
      listen(response.value(), heard);
      if (i < 2) texts.push_back(text_of(response.value()));
    }
    shared_.answers.fetch_add(messages.size(), std::memory_order_relaxed);
    if (texts[0] != texts[1]) fail("a pair has two numbers: " + texts[0] + ", " + texts[1]);
    if (!texts[0].empty()) shared_.numbers.fetch_add(1, std::memory_order_relaxed);
    for (const auto& [zone, all] : heard) check(zone, all);
  }

  static std::uint16_t write_query(std::uint8_t* out, const Question& question) {
    const dns::zone::Wire name = dns::zone::name_from_text(question.name).value();
    std::string query("\0\1\0\0\0\1\0\0\0\0\0\1", 12);
    query += name + std::string{0, static_cast<char>(question.type), 0, 1};
    query += std::string("\0\0\x29\x10\0\0\0\x80\0\0\0", 11);  // OPT, DO
    std::memcpy(out, query.data(), query.size());
    return static_cast<std::uint16_t>(query.size());
  }

  // The number of a pair; of a name that is not there, nothing.
  static std::string text_of(const dns::zone::MessageRecords& response) {
    for (const ResourceRecord& record : response.answer) {
      if (record.type == 16) return record.rdata.substr(1);
    }
    return "";
  }

  static void listen(const dns::zone::MessageRecords& response,
                     std::map<std::string, Heard>& heard) {
    for (const auto* section : {&response.answer, &response.authority, &response.additional}) {
      for (const ResourceRecord& record : *section) {
        if (record.type == dns::zone::kTypeRrsig) {
          const dns::zone::Wire signer = signer_of(record.rdata);
          heard[dns::zone::name_to_text(signer)].signers.insert(
              record.rdata.substr(18 + signer.size()));
        }
      }
    }
    // Of a name that is an alias, what is answered may be another zone's.
    for (const char* zone : kZones) {
      const std::string apex = std::string(zone) + ".";
      const auto is_ours = [&](const ResourceRecord& record) {
        return dns::zone::is_at_or_below(record.owner, dns::zone::name_from_text(apex).value());
      };
      for (const ResourceRecord& record : response.answer) {
        if (record.type == dns::zone::kTypeDnskey && is_ours(record)) {
          heard[apex].keys.insert(record.rdata.substr(4));
        }
      }
      for (const ResourceRecord& record : response.authority) {
        if (is_denial(record.type) && is_ours(record)) heard[apex].denial_types.insert(record.type);
      }
    }
  }
  static bool is_denial(std::uint16_t type) {
    return type == dns::zone::kTypeNsec || type == dns::zone::kTypeNsec3;
  }
  static dns::zone::Wire signer_of(const dns::zone::Wire& rdata) {
    std::size_t end = 18;
    while (rdata[end] != 0) end += 1U + static_cast<unsigned char>(rdata[end]);
    return rdata.substr(18, end + 1 - 18);
  }

  void check(const std::string& zone, const Heard& all) {
    shared_.signatures.fetch_add(all.signers.size(), std::memory_order_relaxed);
    shared_.denials.fetch_add(all.denial_types.size(), std::memory_order_relaxed);
    if (all.keys.size() > 1) return fail(zone + " has two keys");
    if (all.signers != all.keys) return fail(zone + " has signatures of other keys than its own");
    if (all.denial_types.size() > 1) return fail(zone + " denies in two ways");
    if (all.keys.empty() && !all.denial_types.empty()) return fail(zone + " denies unsigned");
  }
  void fail(const std::string& what) {
    if (fault_.empty()) fault_ = what;
    shared_.stop.store(true, std::memory_order_relaxed);
  }

  Shared& shared_;
  const std::size_t number_;
  std::minstd_rand random_;
  dns::answer::Engine engine_;
  ipc::WorkerCounters counters_;
  std::array<std::array<std::uint8_t, kBuffer>, dns::answer::kBurstMax> buffers_;
  std::string fault_;
};

// The edge's part: takes transactions and images, publishes them, frees what nobody reads any more.
class Served {
 public:
  explicit Served(Shared& shared) : shared_(shared) {
    adopt(snapshot::Image::create(base::HashKey{}, {}).value());
    leave({});
  }

  [[nodiscard]] std::uint64_t version() const { return image_->state().version; }

  // False: taken back after `most` of its operations.
  bool apply(std::span<const std::uint8_t> transaction, std::uint64_t version,
             std::uint32_t most = ~0U) {
    writer_->begin(image_->generation() + 1);
    snapshot::TransactionDecoder decoder(transaction);
    bool more = true;
    while (more && decoder.applied() < most) {
      const auto applied = decoder.apply(*writer_, 1);
      EXPECT_TRUE(applied.ok()) << applied.error().message();
      more = applied.ok() && applied.value();
    }
    leave(more ? writer_->abort() : writer_->commit(version, 0));
    release();
    return !more;
  }
  // An image of the same state in the place of this one.
  void replace(snapshot::Image image) {
    auto old = std::move(image_);
    auto left = std::move(left_);
    left_.clear();
    adopt(std::move(image));
    leave({}, std::move(old), std::move(left));
  }
  void release() {
    std::uint64_t epoch = ~std::uint64_t{0};
    for (const auto& seen : shared_.seen) {
      epoch = std::min(epoch, seen.epoch.load(std::memory_order_acquire));
    }
    while (!left_.empty() && left_.front().epoch <= epoch) {
      snapshot::Garbage later = writer_->release(std::move(left_.front().garbage));
      left_.pop_front();
      if (!later.empty()) leave(std::move(later));
    }
  }
  [[nodiscard]] std::uint32_t generation() const { return image_->generation(); }

 private:
  struct Left {
    std::uint64_t epoch = 0;
    snapshot::Garbage garbage;
    std::unique_ptr<const Published> published;
    std::unique_ptr<snapshot::Image> image;
    std::deque<Left> dropped;  // of `image`, which goes with all of them
  };

  void adopt(snapshot::Image image) {
    image_ = std::make_unique<snapshot::Image>(std::move(image));
    writer_ = std::make_unique<snapshot::Writer>(*image_);
  }
  void leave(snapshot::Garbage garbage, std::unique_ptr<snapshot::Image> image = nullptr,
             std::deque<Left> dropped = {}) {
    auto fresh = std::make_unique<const Published>(Published{image_->root(), image_->generation()});
    shared_.published.store(fresh.get(), std::memory_order_release);
    std::unique_ptr<const Published> old = std::exchange(published_, std::move(fresh));
    const std::uint64_t epoch = shared_.epoch.fetch_add(1, std::memory_order_acq_rel) + 1;
    left_.push_back(
        {epoch, std::move(garbage), std::move(old), std::move(image), std::move(dropped)});
  }

  Shared& shared_;
  std::unique_ptr<snapshot::Image> image_;
  std::unique_ptr<snapshot::Writer> writer_;
  std::unique_ptr<const Published> published_;
  std::deque<Left> left_;
};

class Editor {
 public:
  explicit Editor(std::uint64_t seed)
      : random_(static_cast<unsigned>(seed)), store_(empty_store()) {
    options_.signers = &signers_;
    options_.render_route = [](const ProxiedName&) { return std::vector<std::uint8_t>{}; };
    for (const char* text : kZones) make_zone(text);
  }

  // One change of one or several kinds.
  void edit() {
    Transaction transaction(*store_, Transaction::Kind::kWrite);
    for (auto count = below(3) + 1; count > 0; --count) {
      switch (below(12)) {
        case 0:
          switch_dnssec();
          break;
        case 1:
          if (below(10) == 0) remake_zone();
          break;
        case 2:
        case 3:
        case 4:
          set_pair();
          break;
        default:
          set_name();
      }
    }
    transaction.commit();
  }
  std::vector<std::uint8_t> changes_since(std::uint64_t version, std::uint64_t& leads_to) {
    Transaction view(*store_, Transaction::Kind::kRead);
    leads_to = store_->version();
    const auto changes = store::History(*store_).changes_between(version, leads_to);
    EXPECT_TRUE(changes.has_value());
    snapshot::TransactionEncoder encoder;
    const auto counts = compile_changes(*store_, *changes, options_, encoder);
    EXPECT_TRUE(counts.ok()) << counts.error().message();
    return encoder.finish(version, leads_to, 0);
  }
  snapshot::Image image() {
    Transaction view(*store_, Transaction::Kind::kRead);
    snapshot::Builder builder{base::HashKey{}};
    const auto counts = compile_all(*store_, options_, builder);
    EXPECT_TRUE(counts.ok()) << counts.error().message();
    return std::move(builder.finish(store_->version(), 0)).value();
  }
  void forget_history() { store::History(*store_).prune({.versions_max = 20}, {}, version()); }
  std::uint64_t version() { return store_->version(); }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  model::Zone zone(const std::string& text) { return *store_->zone_by_name(name(text)); }

  void make_zone(const std::string& text) {
    model::Zone zone;
    zone.id = ids_.next();
    zone.name = name(text);
    zone.status = model::ZoneStatus::kActive;
    zone.serial = 1;
    zone.dnssec.status = model::DnssecStatus::kActive;
    store_->insert_zone(zone);
    put(zone, "@", "MX", "10 n0." + text);
  }
  void put(const model::Zone& zone, const std::string& owner, const std::string& type,
           const std::string& content, bool proxied = false) {
    auto made = model::make_record(
        {}, zone, {.name = owner, .type = type, .content = content, .proxied = proxied});
    if (!made) return;  // an alias of itself
    model::Record& record = made.value();
    const auto neighbours = store_->records_at(zone, record.name);
    if (model::conflict_of({}, zone, record, neighbours, model::BesideNs::kDsAlone)) return;
    record.id = ids_.next();
    store_->insert_record(zone, record);
  }
  void clear(const model::Zone& zone, const std::string& owner) {
    for (const auto& record : store_->records_at(zone, name(owner + "." + zone.name.text()))) {
      store_->delete_record(record);
    }
  }

  void switch_dnssec() {
    model::Zone changed = zone(kZones[below(3)]);
    model::ZoneDnssec& dnssec = changed.dnssec;
    switch (below(6)) {
      case 0:
        dnssec.status =
            dnssec.is_signed() ? model::DnssecStatus::kDisabled : model::DnssecStatus::kActive;
        break;
      case 1:
      case 2:
        dnssec.denial = dnssec.denial == model::ZoneDenial::kNsec ? model::ZoneDenial::kNsec3
                                                                  : model::ZoneDenial::kNsec;
        break;
      default:
        ++dnssec.signing_set;
    }
    ++changed.serial;
    store_->update_zone(changed);
  }
  void remake_zone() {
    store_->delete_zone(zone("three.test"));
    make_zone("three.test");
  }
  void set_pair() {
    const std::string owner = "p" + std::to_string(below(kPairs));
    const std::string number = std::to_string(below(1'000'000));
    const bool there = below(4) != 0;
    for (const char* text : {"one.test", "two.test"}) {
      const model::Zone held = zone(text);
      clear(held, owner);
      if (there) put(held, owner, "TXT", "\"" + number + "\"");
    }
  }
  void set_name() {
    const model::Zone held = zone(kZones[below(3)]);
    const std::string owner =
        (below(8) == 0 ? "*." : "") + std::string("n") + std::to_string(below(40));
    clear(held, owner);
    if (below(3) == 0) return;
    const std::string address = "203.0.113." + std::to_string(1 + below(200));
    switch (below(5)) {
      case 0:
        return put(held, owner, "CNAME", "n" + std::to_string(below(40)) + ".two.test");
      case 1:
        return put(held, owner, "MX", "10 n" + std::to_string(below(40)) + "." + held.name.text());
      default:
        put(held, owner, "A", address, below(2) == 0);
    }
  }

  std::minstd_rand random_;
  std::unique_ptr<store::Store> store_;
  Ids ids_;
  NumberedSigners signers_;
  Options options_ = test_options();
};

TEST(CompileRace, EveryBurstIsAnsweredOutOfOneState) {
  const char* given = std::getenv("BRINK_RACE_TRANSACTIONS");
  const std::uint64_t transactions = given == nullptr ? 500 : std::strtoull(given, nullptr, 10);
  const std::uint64_t seed = std::random_device()();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::minstd_rand random(static_cast<unsigned>(seed));
  Shared shared;
  Editor editor(seed);
  Served served(shared);
  std::uint64_t leads_to = 0;
  served.replace(editor.image());
  std::uint64_t version = editor.version();
  std::vector<std::unique_ptr<Reader>> readers;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kReaders; ++i) {
    readers.push_back(std::make_unique<Reader>(shared, i));
    threads.emplace_back([&reader = *readers.back()] { reader.run(); });
  }
  std::uint64_t commits = 0, aborts = 0, images = 0;
  while (commits + aborts < transactions && !shared.stop.load() && !testing::Test::HasFailure()) {
    editor.edit();
    if (random() % 500 == 0) {
      served.replace(editor.image());
      version = editor.version();
      ++images;
    }
    const auto transaction = editor.changes_since(version, leads_to);
    const bool aborts_now = random() % 8 == 0;
    const auto most = aborts_now ? static_cast<std::uint32_t>(1 + random() % 6) : ~0U;
    if (served.apply(transaction, leads_to, most)) {
      version = leads_to;
      ++commits;
    } else {
      ++aborts;
    }
    if (commits % 100 == 0) editor.forget_history();
  }
  shared.stop = true;
  for (std::thread& thread : threads) thread.join();
  for (const auto& reader : readers) EXPECT_EQ(reader->fault(), "");
  EXPECT_GT(shared.answers.load(), 0U);
  EXPECT_GT(shared.signatures.load(), 0U);
  EXPECT_GT(shared.denials.load(), 0U);
  EXPECT_GT(shared.numbers.load(), 0U);
  EXPECT_GT(aborts, 0U);
  const auto told = [](std::uint64_t number) { return static_cast<unsigned long long>(number); };
  std::printf("%llu commits, %llu aborts, %llu images, %llu answers, %llu signers, %llu denials\n",
              told(commits), told(aborts), told(images), told(shared.answers.load()),
              told(shared.signatures.load()), told(shared.denials.load()));
}

}  // namespace
}  // namespace brink::ctl::compile
