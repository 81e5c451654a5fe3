// What content codings cost a byte of body, as the proxy would have it (pieces and rooms of 16 KiB,
// memory of the pool), beside the libraries called plainly with the whole body and memory of the
// heap. An operation is one byte. Printed once for each coding and body: how small it becomes, and
// the longest that one step keeps a worker.
#include <brotli/decode.h>
#include <brotli/encode.h>
#include <isa-l.h>
#include <x86intrin.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "dataplane/base/check.h"
#include "l7/compress/body_coder.h"
#include "perf/support/micro.h"

namespace brink::l7::compress {
namespace {

constexpr std::size_t kPiece = 16 * 1024;

std::string words(std::mt19937& random, std::size_t count) {
  static const std::vector<std::string> all = [] {
    std::mt19937 letters(7);
    std::vector<std::string> out(600);
    for (std::string& word : out) {
      for (std::size_t i = 2 + letters() % 8; i > 0; --i)
        word += "etaoinshrdlucmfw"[letters() % 16];
    }
    return out;
  }();
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    // Few words make most of a text.
    const std::size_t rank = random() % (1 + random() % all.size());
    out += all[rank] + (i + 1 < count ? " " : "");
  }
  return out;
}

std::string json(std::size_t size) {
  std::mt19937 random(1);
  std::string out = "[\n";
  while (out.size() < size) {
    out += "  {\"id\": " + std::to_string(random()) + ", \"name\": \"" + words(random, 3) +
           "\", \"price\": " + std::to_string(random() % 100000) + ".95, \"tags\": [\"" +
           words(random, 1) + "\", \"" + words(random, 1) +
           "\"], \"available\": " + (random() % 3 == 0 ? "false" : "true") + "},\n";
  }
  out.resize(size);
  return out;
}

std::string html(std::size_t size) {
  std::mt19937 random(2);
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"></head><body>\n";
  while (out.size() < size) {
    out += "<div class=\"card card--wide\"><a href=\"/catalogue/" + words(random, 1) + "/" +
           std::to_string(random() % 10000) + "\">" + words(random, 2) +
           "</a>\n  <p class=\"card__text\">" + words(random, 20 + random() % 40) + ".</p></div>\n";
  }
  out.resize(size);
  return out;
}

struct World {
  Pool pool{{1, 1, 1, 1, 1}};
  BodyCoder coder;
  std::string body;           // what goes in
  std::string out;            // has room for all that comes out
  std::size_t counted = 0;    // bytes of the body as it is without a coding
  std::uint64_t longest = 0;  // step, in cycles
};

// The whole of world.body through the coder; returns what came out.
std::size_t pass(World& world, const Plan& plan) {
  CHECK(world.coder.begin(world.pool, plan) == Begun::ok);
  auto* const from = reinterpret_cast<const std::uint8_t*>(world.body.data());
  auto* const to = reinterpret_cast<std::uint8_t*>(world.out.data());
  std::size_t taken = 0;
  std::size_t made = 0;
  for (Step step; step.state != StepState::done;) {
    const std::size_t there = std::min(kPiece, world.body.size() - taken);
    const std::size_t room = std::min(kPiece, world.out.size() - made);
    const bool last = taken + there == world.body.size();
    const std::uint64_t start = __rdtsc();
    step = world.coder.step({from + taken, there}, {to + made, room},
                            last ? Flow::finish : Flow::more);
    world.longest = std::max<std::uint64_t>(world.longest, __rdtsc() - start);
    CHECK(step.state != StepState::failed);
    taken += step.consumed;
    made += step.produced;
  }
  world.coder.end();
  return made;
}

using Plain = std::size_t (*)(World& world);

std::uint8_t* in_of(World& world) {
  return reinterpret_cast<std::uint8_t*>(world.body.data());
}
std::uint8_t* out_of(World& world) {
  return reinterpret_cast<std::uint8_t*>(world.out.data());
}

std::size_t plain_isal(World& world) {
  const auto stream = std::make_unique<isal_zstream>();
  std::vector<std::uint8_t> level(ISAL_DEF_LVL2_DEFAULT);
  isal_deflate_init(stream.get());
  stream->level = kGzipLevel;
  stream->level_buf = level.data();
  stream->level_buf_size = static_cast<std::uint32_t>(level.size());
  stream->gzip_flag = IGZIP_GZIP;
  stream->end_of_stream = 1;
  stream->next_in = in_of(world);
  stream->avail_in = static_cast<std::uint32_t>(world.body.size());
  stream->next_out = out_of(world);
  stream->avail_out = static_cast<std::uint32_t>(world.out.size());
  CHECK(isal_deflate(stream.get()) == COMP_OK);
  return stream->total_out;
}

template <int level>
std::size_t plain_zlib(World& world) {
  z_stream stream{};
  CHECK(deflateInit2(&stream, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  stream.next_in = in_of(world);
  stream.avail_in = static_cast<uInt>(world.body.size());
  stream.next_out = out_of(world);
  stream.avail_out = static_cast<uInt>(world.out.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  deflateEnd(&stream);
  return stream.total_out;
}

std::size_t plain_br(World& world) {
  std::size_t size = world.out.size();
  CHECK(BrotliEncoderCompress(kBrotliLevel, kBrotliWindowBits, BROTLI_MODE_GENERIC,
                              world.body.size(), in_of(world), &size, out_of(world)) != 0);
  return size;
}

std::size_t plain_zstd(World& world) {
  const std::size_t size = ZSTD_compress(world.out.data(), world.out.size(), world.body.data(),
                                         world.body.size(), kZstdLevel);
  CHECK(ZSTD_isError(size) == 0);
  return size;
}

std::size_t plain_inflate(World& world) {
  z_stream stream{};
  CHECK(inflateInit2(&stream, 31) == Z_OK);
  stream.next_in = in_of(world);
  stream.avail_in = static_cast<uInt>(world.body.size());
  stream.next_out = out_of(world);
  stream.avail_out = static_cast<uInt>(world.out.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  inflateEnd(&stream);
  return stream.total_out;
}

std::size_t plain_isal_inflate(World& world) {
  const auto state = std::make_unique<inflate_state>();
  isal_inflate_init(state.get());
  state->crc_flag = ISAL_GZIP;
  state->next_in = in_of(world);
  state->avail_in = static_cast<std::uint32_t>(world.body.size());
  state->next_out = out_of(world);
  state->avail_out = static_cast<std::uint32_t>(world.out.size());
  CHECK(isal_inflate(state.get()) == ISAL_DECOMP_OK);
  return state->total_out;
}

std::size_t plain_br_decode(World& world) {
  std::size_t size = world.out.size();
  CHECK(BrotliDecoderDecompress(world.body.size(), in_of(world), &size, out_of(world)) ==
        BROTLI_DECODER_RESULT_SUCCESS);
  return size;
}

std::shared_ptr<World> make_world(const std::string& body, const Plan& plan) {
  auto world = std::make_shared<World>();
  world->counted = body.size();
  world->body = body;
  world->out.resize(body.size() * 2 + 4096);
  if (plan.decode != Coding::identity) {
    const std::size_t size = plan.decode == Coding::gzip ? plain_zlib<6>(*world) : plain_br(*world);
    world->body = world->out.substr(0, size);
  }
  return world;
}

// Cycles of the time stamp counter a microsecond.
double cycles_per_us() {
  const auto since = std::chrono::steady_clock::now();
  const std::uint64_t start = __rdtsc();
  while (std::chrono::steady_clock::now() - since < std::chrono::milliseconds(10)) {
  }
  return static_cast<double>(__rdtsc() - start) / 10'000;
}

void report(const std::string& name, World& world, const Plan& plan, Plain plain) {
  std::size_t size = 0;
  std::uint64_t longest = UINT64_MAX;  // the least of some passes: what others take is not in it
  for (int i = 0; i < 30 && plain == nullptr; ++i) {
    world.longest = 0;
    size = pass(world, plan);
    longest = std::min(longest, world.longest);
  }
  if (plain != nullptr) size = plain(world);
  const bool decodes = plan.decode != Coding::identity;
  const std::size_t coded = decodes ? world.body.size() : size;
  std::fprintf(stderr, "%s: %.2f:1", name.c_str(),
               static_cast<double>(world.counted) / static_cast<double>(coded));
  if (plain == nullptr) {
    std::fprintf(stderr, ", longest step %.1f us", static_cast<double>(longest) / cycles_per_us());
  }
  std::fprintf(stderr, "\n");
}

int add(const std::string& coder, const std::string& kind, const Plan& plan,
        Plain plain = nullptr) {
  for (const std::size_t size : {std::size_t{1'000}, std::size_t{100'000}}) {
    const std::string name = "compress/" + coder + "/" + kind + (size == 1'000 ? "_1K" : "_100K");
    perf::add_micro(name, [=]() -> perf::Batch {
      const auto world = make_world(kind == "json" ? json(size) : html(size), plan);
      static std::set<std::string> reported;  // it is prepared several times
      if (reported.insert(name).second) report(name, *world, plan, plain);
      return [=] {
        CHECK((plain != nullptr ? plain(*world) : pass(*world, plan)) != 0);
        return world->counted;
      };
    });
  }
  return 0;
}

int add_all() {
  for (const char* const kind : {"json", "html"}) {
    add("gzip", kind, {.encode = Coding::gzip});
    add("plain_isal_2", kind, {}, plain_isal);
    add("plain_zlib_1", kind, {}, plain_zlib<1>);
    add("plain_zlib_6", kind, {}, plain_zlib<6>);
    add("br", kind, {.encode = Coding::br});
    add("plain_br_3", kind, {}, plain_br);
    add("zstd", kind, {.encode = Coding::zstd});
    add("plain_zstd_3", kind, {}, plain_zstd);
    add("ungzip", kind, {.decode = Coding::gzip});
    add("plain_zlib_inflate", kind, {.decode = Coding::gzip}, plain_inflate);
    add("plain_isal_inflate", kind, {.decode = Coding::gzip}, plain_isal_inflate);
    add("unbr", kind, {.decode = Coding::br});
    add("plain_br_decode", kind, {.decode = Coding::br}, plain_br_decode);
    add("br_to_gzip", kind, {.decode = Coding::br, .encode = Coding::gzip});
  }
  return 0;
}

const int kRegistered = add_all();

}  // namespace
}  // namespace brink::l7::compress
