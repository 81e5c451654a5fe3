// Random transactions against an image and against a plain model of it: what a look-up finds is
// compared after each, in the newest view and in older ones that are held meanwhile.
//
// BRINK_MODEL_STEPS: operations in all. BRINK_MODEL_SEED: the first seed; it is printed.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <deque>
#include <memory>
#include <random>

#include "dataplane/snapshot/model_fixture.h"

namespace brink::snapshot {
namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// How one run differs from another.
struct Shape {
  std::size_t names_max;  // about so many, before most of them are dropped again
  std::uint32_t generation;
  std::size_t memory_limit_bytes = ~std::size_t{0};
  std::size_t owners_max = 60;     // the same of the records of each chain
  std::uint32_t chain_share = 15;  // of the steps, in per cent
};

class Driver {
 public:
  Driver(std::uint64_t seed, const Shape& shape)
      : random_(seed), shape_(shape), hash_key_(key_of_seed(seed)) {
    options_.generation = shape.generation;
    options_.memory_limit_bytes = shape.memory_limit_bytes;
    adopt(Image::create(hash_key_, options_).value());
  }

  void run(std::uint64_t steps) {
    while (steps_ < steps) {
      transaction();
      if (::testing::Test::HasFailure()) return;
      between();
      if (::testing::Test::HasFailure()) return;
    }
    drain();
  }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  [[nodiscard]] std::uint64_t refused_for_memory() const { return refused_for_memory_; }
  [[nodiscard]] std::uint64_t commits() const { return commits_; }
  [[nodiscard]] std::size_t names_most() const { return names_most_; }
  [[nodiscard]] std::uint32_t highest_chain() const { return highest_chain_; }

 private:
  // A view that is held on to, with what it ought to see for good.
  struct Held {
    View view;
    Model model;
    std::uint64_t sequence;
  };
  struct Left {
    Garbage garbage;
    std::uint64_t sequence;
  };

  bool chance(std::uint32_t percent) { return random_() % 100 < percent; }
  std::size_t below(std::size_t end) { return random_() % end; }

  void adopt(Image image) {
    writer_.reset();
    image_ = std::make_unique<Image>(std::move(image));
    writer_ = std::make_unique<Writer>(*image_);
  }

  Path random_path();
  Path random_name_in(const Path& zone);
  ModelName random_contents(const Path& zone);
  Rrset random_rrset(std::uint16_t type);
  Bytes random_blob(std::uint16_t type);
  Rrset operators_servers();
  Path random_owner(const Path& zone);
  void choose_denial(ModelZone& zone);

  void transaction();
  bool step(Model& model);
  bool put_zone(Model& model);
  bool put_name(Model& model, const Path& path);
  bool drop_name(Model& model, const Path& path);
  bool drop_zone(Model& model, const Path& apex);
  bool change_chain(Model& model);
  bool put_denial(Model& model, const Path& owner);
  bool drop_denial(Model& model, const Path& owner);
  bool change_table(Model& model);
  bool put_value(Model& model, const Bytes& key);
  bool drop_value(Model& model, const Bytes& key);
  Bytes random_key();
  bool expect(const base::Result<void>& result, bool possible, const char* what);

  void between();
  void leave(Garbage garbage);
  void release(std::size_t count);
  void compare_all(const View& view, const Model& model, const char* what);
  void compare_some(const View& view, const Model& model, std::size_t count, const char* what);
  void compare_chains(const View& view, const Model& model, std::size_t count, const char* what);
  void compare_tables(const View& view, const Model& model, std::size_t count, const char* what);
  void compact_and_compare();
  void save_and_load();
  void drain();

  std::mt19937_64 random_;
  const Shape shape_;
  const base::HashKey hash_key_;
  ImageOptions options_;
  std::unique_ptr<Image> image_;
  std::unique_ptr<Writer> writer_;
  Model model_;  // as committed
  Path zone_;    // the transaction's current one
  bool in_zone_ = false;
  std::deque<Held> held_;
  std::deque<Left> left_;
  std::uint64_t sequence_ = 0;  // counts what was left behind
  std::uint64_t steps_ = 0;
  std::uint64_t commits_ = 0;
  std::size_t names_most_ = 0;
  std::uint32_t highest_chain_ = 0;
  std::uint64_t refused_for_memory_ = 0;
  std::uint64_t heap_padding_ = 0;  // what loading adds to the heap's end
  bool dropping_ = false;
};

// Few labels, so that names meet; some so long that the name is not in its record.
Path Driver::random_path() {
  static const std::string kLabels[] = {"a", "b", "c", "d", "*", std::string(40, 'l'),
                                        std::string(63, 'x')};
  Path path;
  const std::size_t depth = below(5);
  for (std::size_t i = 0; i < depth; ++i) {
    if (shape_.names_max > 500 && i + 1 == depth) {
      path.push_back("n" + std::to_string(below(shape_.names_max)));
    } else {
      const std::size_t label = below(20);
      path.push_back(kLabels[label < 7 ? label : label % 5]);
    }
  }
  while (wire_of(path).size() > kNameMax) path.pop_back();
  return path;
}

Path Driver::random_name_in(const Path& zone) {
  Path path = random_path();
  if (is_below_or_at(path, zone)) return path;
  path.resize(below(path.size() + 1));
  path.insert(path.begin(), zone.begin(), zone.end());
  while (wire_of(path).size() > kNameMax) path.pop_back();
  return path;
}

// Labels that differ late, or early, that start with one another, and octets that keys escape.
Path Driver::random_owner(const Path& zone) {
  static const std::string kLabels[] = {"a",
                                        "b",
                                        "aa",
                                        "*",
                                        "a\xff",
                                        std::string("\0", 1),
                                        "\1",
                                        "\2",
                                        std::string("\0\1a", 3),
                                        "-",
                                        std::string(40, 'l'),
                                        std::string(63, '\1')};
  Path path = zone;
  const std::size_t depth = chance(2) ? 0 : 1 + below(3);
  for (std::size_t i = 0; i < depth; ++i) {
    const std::string number = std::to_string(below(shape_.owners_max));
    switch (below(4)) {
      case 0:
        path.push_back(kLabels[below(std::size(kLabels))]);
        break;
      case 1:
        path.push_back(number);
        break;
      case 2:
        path.push_back("a common beginning " + number);
        break;
      default:
        path.push_back("n" + std::string(5 - std::min<std::size_t>(number.size(), 5), '0') +
                       number);
        break;
    }
  }
  while (wire_of(path).size() > kNameMax) path.pop_back();
  return path;
}

void Driver::choose_denial(ModelZone& zone) {
  const ModelZone before = zone;
  zone.denies = static_cast<DenialKind>(below(3));
  const bool hashed = zone.denies == DenialKind::kNsec3;
  zone.iterations = hashed ? static_cast<std::uint16_t>(below(3)) : 0;
  zone.salt = hashed ? Bytes(below(3), 5) : Bytes{};
  if (zone.denies != before.denies || zone.iterations != before.iterations ||
      zone.salt != before.salt) {
    zone.chain.clear();
  }
}

Bytes Driver::random_blob(std::uint16_t type) {
  const std::size_t size = chance(5) ? below(3000) : below(60);
  Bytes rdata(size);
  for (auto& byte : rdata) byte = static_cast<std::uint8_t>(random_());
  return blob(type, rdata);
}

Rrset Driver::random_rrset(std::uint16_t type) {
  Rrset set{type, type == 5 ? alias_blob(wire_of(random_path())) : random_blob(type)};
  if (chance(30)) set.signed_blob = random_blob(type);
  return set;
}

// Few, so that delegations share them; too large for most records.
Rrset Driver::operators_servers() {
  return {2, blob(2, Bytes(50, static_cast<std::uint8_t>(below(4)))),
          chance(5) ? blob(2, Bytes(80)) : Bytes{}};
}

ModelName Driver::random_contents(const Path& zone) {
  ModelName name;
  name.zone = zone;
  static constexpr std::uint16_t kTypes[] = {1, 2, 5, 16, 28, 43};
  for (const std::uint16_t type : kTypes) {
    if (chance(25)) name.rrsets.push_back(random_rrset(type));
  }
  name.cut = chance(25);
  if (name.cut && chance(75)) {
    std::erase_if(name.rrsets, [](const Rrset& set) { return set.type == 2; });
    name.rrsets.push_back(operators_servers());
  }
  std::shuffle(name.rrsets.begin(), name.rrsets.end(), random_);
  if (chance(20)) name.route.resize(1 + below(100), static_cast<std::uint8_t>(random_()));
  name.parent_side = chance(10);
  return name;
}

// True: done. A refusal that should not be, or one that is missing, fails the test; running out of
// memory is always allowed where there is a limit.
bool Driver::expect(const base::Result<void>& result, bool possible, const char* what) {
  if (result.ok()) {
    EXPECT_TRUE(possible) << what << " ought to have been refused";
    return true;
  }
  const bool memory = result.error().what.find("memory") != std::string::npos;
  if (memory && shape_.memory_limit_bytes != ~std::size_t{0}) {
    ++refused_for_memory_;
    return false;
  }
  EXPECT_FALSE(possible) << what << ": " << result.error().message();
  return false;
}

bool Driver::put_name(Model& model, const Path& path) {
  const ModelName name = random_contents(zone_);
  const auto old = model.names.find(path);
  const bool foreign_apex =
      old != model.names.end() && old->second.zone == path && path != zone_;
  const auto result = writer_->put_name(
      wire_of(path), {name.rrsets, name.route, name.cut, name.parent_side});
  if (!expect(result, in_zone_ && is_below_or_at(path, zone_) && !foreign_apex, "put_name")) {
    return false;
  }
  model.put(path, name);
  return true;
}

bool Driver::put_zone(Model& model) {
  Path apex = random_path();
  if (!model.zones.empty() && (chance(70) || model.zones.size() > 8)) {
    apex = std::next(model.zones.begin(), static_cast<std::ptrdiff_t>(below(model.zones.size())))->first;
  }
  const bool is_new = model.zones.count(apex) == 0;
  const auto serial = static_cast<std::uint32_t>(random_());
  const Bytes negative = blob(6, Bytes(22 + below(20), static_cast<std::uint8_t>(serial)));
  ModelZone zone = is_new ? ModelZone{} : model.zones.at(apex);
  zone.serial = serial;
  zone.negative = negative;
  zone.signed_negative = chance(50) ? blob(6, Bytes(22 + below(90))) : Bytes{};
  if (is_new || chance(3)) choose_denial(zone);
  const ZoneContents contents{serial, zone.negative, zone.signed_negative, zone.denial()};
  if (!expect(writer_->put_zone(wire_of(apex), contents), true, "put_zone")) return false;
  model.zones[apex] = zone;
  zone_ = apex;
  in_zone_ = true;
  return !is_new || put_name(model, apex);
}

bool Driver::drop_name(Model& model, const Path& path) {
  const auto old = model.names.find(path);
  const bool apex = old != model.names.end() && old->second.zone == path;
  if (!expect(writer_->drop_name(wire_of(path)), !apex, "drop_name")) return false;
  model.drop(path);
  return true;
}

// With all its names, most of the time; what belongs to other zones stays.
bool Driver::drop_zone(Model& model, const Path& apex) {
  std::vector<Path> own;
  for (const auto& [path, name] : model.names) {
    if (name.zone == apex && path != apex) own.push_back(path);
  }
  if (own.size() > 30 && !dropping_) return true;
  std::shuffle(own.begin(), own.end(), random_);
  if (!chance(5)) {
    for (const Path& path : own) {
      ++steps_;
      if (!drop_name(model, path)) return false;
    }
    own.clear();
  }
  in_zone_ = false;
  if (!expect(writer_->drop_zone(wire_of(apex)), own.empty(), "drop_zone")) return false;
  model.drop(apex);
  model.zones.erase(apex);
  return true;
}

bool Driver::put_denial(Model& model, const Path& owner) {
  const Bytes wire = wire_of(owner);
  const bool possible =
      in_zone_ && is_below_or_at(owner, zone_) && model.zones.at(zone_).denies != DenialKind::kNone;
  const Bytes apex = wire_of(in_zone_ ? zone_ : Path{});
  Bytes record =
      is_below_or_at(owner, zone_) ? denial_blob_of(wire, apex, Bytes(below(40))) : Bytes(20);
  // The second octet of the owner, mostly: case does not matter there.
  if (record[14] >= 'a' && record[14] <= 'z')
    record[14] = static_cast<std::uint8_t>(record[14] - 0x20);
  if (!expect(writer_->put_denial(wire, record), possible, "put_denial")) return false;
  model.zones.at(zone_).chain[owner] = record;
  return true;
}

bool Driver::drop_denial(Model& model, const Path& owner) {
  const bool possible =
      in_zone_ && is_below_or_at(owner, zone_) && model.zones.at(zone_).denies != DenialKind::kNone;
  if (!expect(writer_->drop_denial(wire_of(owner)), possible, "drop_denial")) return false;
  model.zones.at(zone_).chain.erase(owner);
  return true;
}

// A record or a row of them; all that there are, now and then.
bool Driver::change_chain(Model& model) {
  // Refusals end a transaction, so they are to be rare.
  if (!in_zone_ || model.zones.at(zone_).denies == DenialKind::kNone) {
    return chance(99) || put_denial(model, random_owner(zone_));
  }
  auto& chain = model.zones.at(zone_).chain;
  const bool drops = chance(dropping_ || chain.size() > shape_.owners_max ? 75 : 30);
  std::size_t count = chance(95) ? 1 : below(shape_.owners_max / 4);
  if (chance(1) && dropping_) count = chain.size();
  const Path first = random_owner(zone_);
  for (; count > 0; --count) {
    Path owner = random_owner(zone_);
    if (drops && !chain.empty() && chance(95)) {
      const auto at = chain.lower_bound(count % 2 == 0 ? first : owner);
      owner = at == chain.end() ? chain.begin()->first : at->first;
    }
    if (!(drops ? drop_denial(model, owner) : put_denial(model, owner))) return false;
  }
  if (chance(99)) return true;
  return put_denial(model, random_path());
}

// Keys that start with one another, also with zeros behind them, and some as long as can be.
Bytes Driver::random_key() {
  const std::size_t start = below(4);
  Bytes key(start == 0 ? 0 : (start == 1 ? 3 : 17), static_cast<std::uint8_t>(below(2)));
  if (chance(1)) key.resize(kTableKeyMax - 3, 'x');
  const auto number = static_cast<std::uint32_t>(below(shape_.owners_max));
  for (std::size_t i = 0; i < 1 + below(3); ++i) {
    key.push_back(chance(20) ? 0 : static_cast<std::uint8_t>(number >> (8 * i)));
  }
  return key;
}

bool Driver::put_value(Model& model, const Bytes& key) {
  Bytes value(kHeapUnit * (1 + below(chance(5) ? 500 : 8)));
  for (auto& octet : value) octet = static_cast<std::uint8_t>(random_());
  if (!expect(writer_->put_value(key, value), in_zone_, "put_value")) return false;
  model.zones.at(zone_).table[key] = value;
  return true;
}

bool Driver::drop_value(Model& model, const Bytes& key) {
  if (!expect(writer_->drop_value(key), in_zone_, "drop_value")) return false;
  model.zones.at(zone_).table.erase(key);
  return true;
}

// A value or a row of them; all that there are, now and then.
bool Driver::change_table(Model& model) {
  if (!in_zone_) return chance(99) || put_value(model, random_key());
  auto& table = model.zones.at(zone_).table;
  if (table.size() < 3 && chance(60)) {
    while (!table.empty()) {
      const Bytes key = table.begin()->first;
      if (!drop_value(model, key)) return false;
    }
    return true;
  }
  if (chance(3)) {
    Bytes prefix = random_key();
    prefix.resize(below(prefix.size() + 1));
    if (!expect(writer_->clear_values(prefix), true, "clear_values")) return false;
    std::erase_if(table, [&](const auto& each) {
      return each.first.size() >= prefix.size() &&
             std::equal(prefix.begin(), prefix.end(), each.first.begin());
    });
    return true;
  }
  const bool drops = chance(dropping_ || table.size() > shape_.owners_max ? 75 : 30);
  std::size_t count = chance(95) ? 1 : below(shape_.owners_max / 4);
  if (chance(1)) count = drops ? table.size() : count;
  for (; count > 0; --count) {
    Bytes key = random_key();
    if (drops && !table.empty() && chance(95)) {
      const auto at = table.lower_bound(key);
      key = at == table.end() ? table.begin()->first : at->first;
    }
    if (!(drops ? drop_value(model, key) : put_value(model, key))) return false;
  }
  return true;
}

bool Driver::step(Model& model) {
  ++steps_;
  const auto some_zone = [&] {
    return std::next(model.zones.begin(), static_cast<std::ptrdiff_t>(below(model.zones.size())))
        ->first;
  };
  const auto some_name = [&] {
    if (model.names.empty() || chance(10)) return random_path();
    auto at = model.names.lower_bound(random_path());
    return at == model.names.end() ? model.names.begin()->first : at->first;
  };
  const std::size_t kind = below(100);
  if (model.zones.empty() || kind < 6) return put_zone(model);
  if (kind < 8) return drop_zone(model, some_zone());
  if (kind < 18) {
    const Path apex = chance(98) ? some_zone() : random_path();
    zone_ = apex;
    in_zone_ = true;
    return expect(writer_->use_zone(wire_of(apex)), model.zones.count(apex) != 0, "use_zone");
  }
  if (kind < 20) {
    static_cast<void>(writer_->maintain(1 + static_cast<std::uint32_t>(below(8))));
    return true;
  }
  if (kind < 21) {
    release(1);
    return true;
  }
  if (chance(shape_.chain_share)) return chance(50) ? change_table(model) : change_chain(model);
  if (kind < (dropping_ ? 80U : 35U)) {
    Path path = some_name();
    // Refusals end a transaction, so they are to be rare.
    if (model.zones.count(path) != 0 && chance(95)) return true;
    return drop_name(model, path);
  }
  if (!in_zone_ && chance(97)) return true;
  Path path = !model.names.empty() && chance(25) ? some_name() : random_name_in(zone_);
  if (chance(99) && (!is_below_or_at(path, zone_) || (model.zones.count(path) != 0 && path != zone_))) {
    return true;
  }
  return put_name(model, path);
}

void Driver::transaction() {
  writer_->begin(image_->generation() + 1);
  in_zone_ = false;
  Model model = model_;
  bool good = true;
  const std::size_t length = chance(10) ? below(100) : below(12);
  for (std::size_t i = 0; good && i <= length; ++i) {
    good = step(model);
    if (::testing::Test::HasFailure()) return;
    // No reader sees what is not committed.
    if (chance(3)) compare_some(image_->view(), model_, 8, "during a transaction");
  }
  if (good && chance(75)) {
    ASSERT_TRUE(writer_->check().ok());
    leave(writer_->commit(image_->state().version + 1, 1));
    model_ = std::move(model);
    names_most_ = std::max(names_most_, model_.names.size());
    for (const auto& [apex, zone] : model_.zones) {
      const View view = image_->view();
      const Record& record = *view.find(key_of(view, wire_of(apex)));
      const DenialChain* chain = View::chain(view.zone(record));
      if (chain != nullptr) highest_chain_ = std::max<std::uint32_t>(highest_chain_, chain->height);
    }
    ++commits_;
  } else {
    leave(writer_->abort());
  }
  ASSERT_EQ(image_->state().names, model_.names.size());
  ASSERT_EQ(image_->state().zones, model_.zones.size());
}

void Driver::leave(Garbage garbage) {
  ++sequence_;
  if (!garbage.empty()) left_.push_back({std::move(garbage), sequence_});
}

// Views that were taken before something was left behind are given up before it is freed.
void Driver::release(std::size_t count) {
  for (; count > 0 && !left_.empty(); --count) {
    while (!held_.empty() && held_.front().sequence < left_.front().sequence) held_.pop_front();
    Garbage later = writer_->release(std::move(left_.front().garbage));
    left_.pop_front();
    leave(std::move(later));
  }
}

void Driver::compare_all(const View& view, const Model& model, const char* what) {
  for (const auto& [path, name] : model.names) {
    ASSERT_EQ(model.compare(view, path), "") << what;
  }
  compare_some(view, model, 16, what);
  compare_chains(view, model, ~std::size_t{0}, what);
  compare_tables(view, model, ~std::size_t{0}, what);
}

// What is in the chains, up to `count` of each, and what is not.
void Driver::compare_chains(const View& view, const Model& model, std::size_t count,
                            const char* what) {
  for (const auto& [apex, zone] : model.zones) {
    std::vector<Path> paths = {apex};
    for (auto at = zone.chain.lower_bound(random_owner(apex)); at != zone.chain.end(); ++at) {
      if (count != ~std::size_t{0} && paths.size() > count) break;
      paths.push_back(at->first);
    }
    if (count == ~std::size_t{0}) {
      for (const auto& [owner, record] : zone.chain) paths.push_back(owner);
    }
    for (std::size_t i = 0; i < 8; ++i) paths.push_back(random_owner(apex));
    ASSERT_EQ(model.compare_denials(view, apex, paths), "") << what;
  }
}

void Driver::compare_tables(const View& view, const Model& model, std::size_t count,
                            const char* what) {
  for (const auto& [apex, zone] : model.zones) {
    std::vector<Bytes> keys;
    for (auto at = count == ~std::size_t{0} ? zone.table.begin()
                                            : zone.table.lower_bound(random_key());
         at != zone.table.end() && keys.size() < count; ++at) {
      keys.push_back(at->first);
    }
    for (std::size_t i = 0; i < 8; ++i) keys.push_back(random_key());
    ASSERT_EQ(model.compare_values(view, apex, keys), "") << what;
  }
}

void Driver::compare_some(const View& view, const Model& model, std::size_t count,
                          const char* what) {
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(model.compare(view, random_path()), "") << what;
  }
  compare_chains(view, model, count / 8, what);
  compare_tables(view, model, count / 8, what);
}

void Driver::between() {
  if (model_.names.size() < 64 || chance(2)) {
    compare_all(image_->view(), model_, "after a transaction");
  } else {
    compare_some(image_->view(), model_, 32, "after a transaction");
  }
  if (!held_.empty()) {
    const Held& held = held_[below(held_.size())];
    if (held.model.names.size() < 64 || chance(2)) {
      compare_all(held.view, held.model, "in an older view");
    } else {
      compare_some(held.view, held.model, 32, "in an older view");
    }
  }
  if (::testing::Test::HasFailure()) return;
  if (model_.names.size() >= shape_.names_max) dropping_ = true;
  if (model_.names.size() < shape_.names_max / 10) dropping_ = false;

  if (chance(15) && held_.size() < 4) held_.push_back({image_->view(), model_, sequence_});
  if (chance(30)) release(1 + below(4));
  if (chance(10)) {
    static_cast<void>(writer_->maintain(1 + static_cast<std::uint32_t>(below(64))));
    if (chance(50)) leave(writer_->flush());
  }
  if (chance(model_.names.size() < 64 ? 2 : 1)) compact_and_compare();
  if (::testing::Test::HasFailure()) return;
  if (chance(10) && chance(model_.names.size() < 64 ? 10 : 2)) save_and_load();
}

void Driver::compact_and_compare() {
  ImageOptions options = options_;
  options.generation = image_->generation();
  auto compacted = compact(image_->pin(), options);
  if (!compacted.ok() && shape_.memory_limit_bytes != ~std::size_t{0}) return;
  ASSERT_TRUE(compacted.ok()) << compacted.error().message();
  Image& fresh = compacted.value();
  const auto verified = fresh.verify();
  ASSERT_TRUE(verified.ok()) << verified.error().message();
  compare_all(fresh.view(), model_, "in a compacted image");
  if (chance(70)) return;

  // Once all is released the two are of a size: nothing was lost, nothing is left.
  leave(writer_->flush());
  while (!left_.empty()) release(left_.size());
  const ImageUsage old = image_->usage();
  const ImageUsage usage = fresh.usage();
  ASSERT_EQ(usage.records_free, 0U);
  ASSERT_EQ(usage.heap_free_bytes, 0U);
  ASSERT_EQ(old.records, usage.records);
  ASSERT_EQ(old.heap_bytes - old.heap_free_bytes - heap_padding_ - node_bytes(*image_),
            usage.heap_bytes - node_bytes(fresh));
  const auto old_verified = image_->verify();
  ASSERT_TRUE(old_verified.ok()) << old_verified.error().message();
  if (chance(50)) return;
  held_.clear();
  adopt(std::move(fresh));
  heap_padding_ = 0;
}

void Driver::save_and_load() {
  leave(writer_->flush());
  while (!left_.empty()) release(left_.size());
  held_.clear();
  const std::uint64_t before = image_->usage().heap_bytes;
  std::uint64_t size_bytes = 0;
  const auto fd = image_->seal(size_bytes);
  ASSERT_TRUE(fd.ok()) << fd.error().message();
  ImageOptions options = options_;
  options.generation = image_->generation();
  auto loaded = Image::receive(fd.value().get(), size_bytes, options);
  if (!loaded.ok() && shape_.memory_limit_bytes != ~std::size_t{0}) return;
  ASSERT_TRUE(loaded.ok()) << loaded.error().message();
  ASSERT_EQ(loaded.value().state().version, image_->state().version);
  // Free blocks of a file are not found again: compaction comes before saving, where it matters.
  heap_padding_ += loaded.value().usage().heap_bytes - before + image_->usage().heap_free_bytes;
  adopt(std::move(loaded).value());
  compare_all(image_->view(), model_, "in a loaded image");
}

// All goes: then nothing is in use any more.
void Driver::drain() {
  if (::testing::Test::HasFailure()) return;
  dropping_ = true;
  if (shape_.memory_limit_bytes != ~std::size_t{0}) {
    ImageOptions options;
    options.generation = image_->generation();
    leave(writer_->flush());
    while (!left_.empty()) release(left_.size());
    held_.clear();
    adopt(std::move(compact(image_->pin(), options)).value());
    heap_padding_ = 0;
  }
  while (!model_.zones.empty()) {
    Model model = model_;
    writer_->begin(image_->generation() + 1);
    static_cast<void>(drop_zone(model, model.zones.rbegin()->first));
    if (model.zones.size() == model_.zones.size()) {
      leave(writer_->abort());
      continue;
    }
    leave(writer_->commit(image_->state().version + 1, 1));
    model_ = std::move(model);
  }
  ASSERT_TRUE(model_.names.empty());
  leave(writer_->flush());
  while (!left_.empty()) release(left_.size());
  while (writer_->maintain(1U << 20)) {
  }
  leave(writer_->flush());
  while (!left_.empty()) release(left_.size());
  const ImageUsage usage = image_->usage();
  EXPECT_EQ(usage.records, 0U);
  EXPECT_EQ(usage.heap_bytes - usage.heap_free_bytes, kHeapUnit + heap_padding_);
  EXPECT_EQ(usage.buckets, 16U);
  EXPECT_TRUE(image_->verify().ok());
}

class ModelTest : public ::testing::Test {
 protected:
  // A share of the steps, in per cent.
  static Driver run(const Shape& shape, std::uint64_t share, std::uint64_t salt) {
    const std::uint64_t seed = setting("BRINK_MODEL_SEED", std::random_device()()) + salt;
    const std::uint64_t steps = setting("BRINK_MODEL_STEPS", 150000) * share / 100;
    std::printf("BRINK_MODEL_SEED=%llu\n", static_cast<unsigned long long>(seed - salt));
    Driver driver(seed, shape);
    driver.run(steps);
    std::printf("%llu operations, %llu commits, up to %zu names, chains up to %u nodes high\n",
                static_cast<unsigned long long>(driver.steps()),
                static_cast<unsigned long long>(driver.commits()), driver.names_most(),
                driver.highest_chain());
    return driver;
  }
};

TEST_F(ModelTest, FewNamesThatMeetOften) {
  run({40, 0}, 30, 1);
}

TEST_F(ModelTest, ManyNamesThatMakeTheTableGrowAndShrink) {
  run({3000, 77}, 35, 2);
}

TEST_F(ModelTest, ChainsThatGrowAndShrink) {
  Shape shape{40, 0};
  shape.owners_max = 3000;
  shape.chain_share = 60;
  EXPECT_GT(run(shape, 10, 6).highest_chain(), 2U);
}

TEST_F(ModelTest, GenerationsWrapAround) {
  run({40, 0U - 200}, 5, 3);
  run({40, (1U << 31) - 200}, 5, 4);
}

TEST_F(ModelTest, MemoryRunsOut) {
  Driver driver = run({3000, 0, 200000}, 15, 5);
  EXPECT_GT(driver.refused_for_memory(), 0U);
}

}  // namespace
}  // namespace brink::snapshot
