// Writes the seeds of the transaction and log fuzzers, and an image that image_corpus has not: nested
// zones, long names, a route, free slots. Usage: snapshot_corpus CORPUS_FOLDER
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "dataplane/snapshot/snapshot_fixture.h"
#include "dataplane/snapshot/transaction.h"

namespace {

using namespace brink::snapshot;
using Operations = std::function<bool(ChangeSink&)>;

Bytes operations_of(const Operations& operations) {
  TransactionEncoder encoder;
  if (!operations(encoder)) std::abort();
  const Bytes whole = encoder.finish(0, 1, 0);
  return {whole.begin() + sizeof(TransactionHeader), whole.end()};
}

// A chunk as transaction_fuzz takes it.
Bytes chunk(std::uint8_t mode, const Operations& operations) {
  const Bytes bytes = operations_of(operations);
  Bytes out = {mode, static_cast<std::uint8_t>(bytes.size()),
               static_cast<std::uint8_t>(bytes.size() >> 8)};
  out.insert(out.end(), bytes.begin(), bytes.end());
  return out;
}

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

bool put(ChangeSink& sink, const std::string& name, std::uint8_t last) {
  return sink.put_name(wire_name(name), {std::vector{a(last)}, {}}).ok();
}

Bytes nested_zones() {
  return joined({chunk(0,
                       [](ChangeSink& sink) {
                         const Rrset alias{5, alias_blob(wire_name("a.b"))};
                         const Rrset ns{2, blob(2, wire_name("ns.c"))};
                         return sink.put_zone(wire_name("d.b"), {3, soa()}).ok() &&
                                put(sink, "d.b", 1) && put(sink, "*.d.b", 2) &&
                                sink.put_name(wire_name("e.d.b"), {std::vector{alias}, {}}).ok() &&
                                sink.put_name(wire_name("f.d.b"), {std::vector{ns}, {}, true}).ok();
                       }),
                 chunk(2, [](ChangeSink& sink) {
                   return sink.drop_name(wire_name("*.d.b")).ok() &&
                          sink.drop_name(wire_name("e.d.b")).ok() &&
                          sink.drop_name(wire_name("f.d.b")).ok() &&
                          sink.drop_zone(wire_name("d.b")).ok() &&
                          sink.use_zone(wire_name("b")).ok() && put(sink, "d.b", 9);
                 })});
}

Bytes wildcard_again() {
  const auto drop = [](ChangeSink& sink) { return sink.drop_name(wire_name("*.a.b")).ok(); };
  const auto again = [](ChangeSink& sink) {
    return sink.use_zone(wire_name("b")).ok() && put(sink, "*.a.b", 8) && put(sink, "a.b", 7);
  };
  return joined({chunk(0, drop), chunk(1, again), chunk(4, again), chunk(2, drop), chunk(8, again)});
}

Bytes everything_dropped() {
  return chunk(0, [](ChangeSink& sink) {
    return sink.drop_name(wire_name(std::string(60, 'l') + ".c.b")).ok() &&
           sink.drop_zone(wire_name("c.b")).ok() && sink.drop_name(wire_name("a.a.b")).ok() &&
           sink.drop_name(wire_name("*.a.b")).ok() && sink.drop_zone(wire_name("b")).ok();
  });
}

Bytes rich_name() {
  return chunk(4, [](ChangeSink& sink) {
    const std::vector<Rrset> sets = {a(1), {28, blob(28, Bytes(16))}, {16, blob(16, Bytes(90, 3))}};
    return sink.use_zone(wire_name("c.b")).ok() &&
           sink.put_name(wire_name("g.h." + std::string(50, 'm') + ".c.b"), {sets, Bytes(33, 1)})
               .ok() &&
           put(sink, "c.b", 5);
  });
}

// Delegations to servers that others have, too, with and without a DS set.
Bytes shared_servers() {
  const std::vector<Rrset> sets = {{2, blob(2, Bytes(70, 2))}, {43, blob(43, Bytes(70, 5))}};
  const auto put_some = [sets](ChangeSink& sink) {
    return sink.use_zone(wire_name("b")).ok() &&
           sink.put_name(wire_name("f.b"), {sets, {}, true}).ok() &&
           sink.put_name(wire_name("e.b"), {sets, {}, true}).ok() &&
           sink.put_name(wire_name("g.b"), {std::span(sets).first(1), {}, true}).ok();
  };
  const auto drop_some = [](ChangeSink& sink) {
    return sink.drop_name(wire_name("d.b")).ok() && sink.drop_name(wire_name("g.b")).ok();
  };
  return joined({chunk(1, put_some), chunk(2, drop_some), chunk(0, put_some)});
}

bool put_denial(ChangeSink& sink, const std::string& owner, const std::string& apex,
                std::uint8_t value) {
  const Bytes name = wire_name(owner);
  return sink.put_denial(name, denial_blob_of(name, wire_name(apex), {value})).ok();
}

// A chain that grows, loses records, becomes another and goes with its zone.
Bytes chains() {
  const auto put_some = [](ChangeSink& sink) {
    bool ok = sink.use_zone(wire_name("b")).ok();
    for (const char* owner : {"b", "a1.b", "c.a1.b", "zz.b"}) {
      ok = ok && put_denial(sink, owner, "b", 4);
    }
    return ok;
  };
  const auto drop_some = [](ChangeSink& sink) {
    return sink.use_zone(wire_name("b")).ok() && sink.drop_denial(wire_name("a0.b")).ok() &&
           sink.drop_denial(wire_name("zz.b")).ok() && sink.drop_denial(wire_name("no.b")).ok();
  };
  const auto new_zone = [](ChangeSink& sink) {
    const Bytes salt = {1, 2};
    return sink.put_zone(wire_name("h.b"), {3, soa(), soa(), {DenialKind::kNsec3, 1, salt}}).ok() &&
           put(sink, "h.b", 1) && put_denial(sink, "b32.h.b", "h.b", 1) &&
           sink.put_zone(wire_name("b"), {3, soa(), {}, {DenialKind::kNsec3, 0, {}}}).ok() &&
           put_denial(sink, "b32.b", "b", 1);
  };
  const auto drop_zone = [](ChangeSink& sink) { return sink.drop_zone(wire_name("h.b")).ok(); };
  return joined({chunk(0, put_some), chunk(1, drop_some), chunk(2, drop_some), chunk(1, new_zone),
                 chunk(0, new_zone), chunk(2, drop_zone)});
}

// A table that grows and goes, with the zone's state and with the zone.
Bytes tables() {
  const auto put_some = [](ChangeSink& sink) {
    bool ok = sink.use_zone(wire_name("b")).ok();
    for (std::uint8_t i = 0; i < 60; ++i) ok = ok && sink.put_value(Bytes{'v', i}, Bytes(16, i)).ok();
    return ok && sink.use_zone(wire_name("c.b")).ok() &&
           sink.put_value(Bytes{'a', 0}, Bytes(600, 1)).ok() &&
           sink.put_value(Bytes{'a', 0, 0}, Bytes(8, 1)).ok();
  };
  const auto drop_some = [](ChangeSink& sink) {
    bool ok = sink.use_zone(wire_name("b")).ok();
    for (std::uint8_t i = 5; i < 60; ++i) ok = ok && sink.drop_value(Bytes{'v', i}).ok();
    return ok && sink.put_zone(wire_name("b"), {4, soa(), {}, {DenialKind::kNone}}).ok() &&
           sink.use_zone(wire_name("c.b")).ok() && sink.drop_value(Bytes{'a', 0}).ok() &&
           sink.drop_value(Bytes{'a', 0, 0}).ok() && sink.drop_value(Bytes{'a', 0}).ok();
  };
  const auto clear_some = [](ChangeSink& sink) {
    return sink.use_zone(wire_name("c.b")).ok() && sink.clear_values({}).ok() &&
           sink.use_zone(wire_name("b")).ok() && sink.clear_values(Bytes{'v', 7}).ok();
  };
  return joined({chunk(0, put_some), chunk(1, drop_some), chunk(2, drop_some), chunk(1, put_some),
                 chunk(0, put_some), chunk(0, clear_some), everything_dropped()});
}

Bytes log_seed(std::uint8_t mode, std::uint8_t at, std::uint8_t flip) {
  Bytes out = {mode, at, 0, flip};
  for (std::uint8_t last = 1; last <= 3; ++last) {
    const Bytes bytes = operations_of([&](ChangeSink& sink) {
      return sink.use_zone(wire_name("b")).ok() && put(sink, "a.b", last) &&
             sink.drop_name(wire_name("c.b")).ok();
    });
    out.push_back(static_cast<std::uint8_t>(bytes.size()));
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  return out;
}

bool save_image(const std::filesystem::path& path) {
  Store store;
  Writer& writer = store.begin();
  const std::vector<Rrset> sets = {a(1), {28, blob(28, Bytes(16))}, {16, blob(16, Bytes(90, 3))}};
  const std::string label(60, 'l');
  bool ok = writer.put_zone(wire_name("b"), {1, soa()}).ok() && put(writer, "b", 1) &&
            writer.put_name(wire_name(label + ".a.b"), {sets, Bytes(9)}).ok() &&
            put(writer, "*.c.b", 2) && writer.put_zone(wire_name("d.b"), {2, soa()}).ok() &&
            put(writer, "d.b", 3) && put(writer, label + ".d.b", 4) && put(writer, "e.b.d.b", 5);
  const std::vector<Rrset> servers = {{2, blob(2, Bytes(70, 2))},
                                      {43, blob(43, Bytes(70, 5)), blob(43, Bytes(99, 5))}};
  for (const char* name : {"f.d.b", "g.d.b"}) {
    ok = ok && writer.put_name(wire_name(name), {servers, {}, true}).ok() &&
         writer.put_name(wire_name(std::string("x") + name), {std::span(servers).first(1), {}, true})
             .ok();
  }
  // A chain of two levels.
  ok = ok && writer.put_zone(wire_name("b"), {1, soa(), soa(), {DenialKind::kNsec, 0, {}}}).ok();
  for (int i = 0; i < 30; ++i) {
    ok = ok && put_denial(writer, "n" + std::to_string(i) + ".b", "b", 1);
  }
  // Tables, of a signed zone and of one that is not.
  for (std::uint8_t i = 0; i < 30; ++i) ok = ok && writer.put_value(Bytes{'v', i}, Bytes(16, i)).ok();
  ok = ok && writer.use_zone(wire_name("d.b")).ok() && writer.put_value(Bytes{1}, Bytes(8)).ok();
  store.commit();
  ok = ok && store.begin().drop_name(wire_name("*.c.b")).ok();
  store.commit();
  store.release();
  return ok && store.image().verify().ok() && store.image().save(path).ok();
}

bool write(const std::filesystem::path& path, const Bytes& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  return file.good();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: snapshot_corpus CORPUS_FOLDER\n");
    return 2;
  }
  const std::filesystem::path corpus = argv[1];
  Bytes whole = {0, 0, 0, 0};
  TransactionEncoder encoder;
  if (!put(encoder, "a.b", 1)) return 1;
  const Bytes transaction = encoder.finish(1, 2, 3);
  whole.insert(whole.end(), transaction.begin(), transaction.end());
  const bool written =
      write(corpus / "transaction_fuzz/nested_zones", nested_zones()) &&
      write(corpus / "transaction_fuzz/wildcard_again", wildcard_again()) &&
      write(corpus / "transaction_fuzz/everything_dropped", everything_dropped()) &&
      write(corpus / "transaction_fuzz/rich_name", rich_name()) &&
      write(corpus / "transaction_fuzz/shared_servers", shared_servers()) &&
      write(corpus / "transaction_fuzz/chains", chains()) &&
      write(corpus / "transaction_fuzz/tables", tables()) &&
      write(corpus / "log_fuzz/whole", whole) &&
      write(corpus / "log_fuzz/chunks", log_seed(1, 0, 0)) &&
      write(corpus / "log_fuzz/flipped", log_seed(2, 90, 1)) &&
      write(corpus / "log_fuzz/flipped_size", log_seed(2, 20, 0xff)) &&
      write(corpus / "log_fuzz/cut", log_seed(3, 200, 0)) &&
      save_image(corpus / "image_fuzz/nested");
  if (!written) std::fprintf(stderr, "cannot write below %s\n", corpus.c_str());
  return written ? 0 : 1;
}
