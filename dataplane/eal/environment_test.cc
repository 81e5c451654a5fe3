#include "dataplane/eal/environment.h"

#include <gtest/gtest.h>
#include <rte_eal.h>
#include <rte_mbuf.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "dataplane/eal/pool.h"

namespace brink::eal {
namespace {

EalConfig ordinary_memory() {
  EalConfig config;
  config.hugepages = Hugepages::kOff;
  config.memory_mb = 64;
  config.file_prefix = "brink_eal_test_" + std::to_string(::getpid());
  return config;
}

TEST(Environment, RefusesToStartWithoutTheHugePagesItMustHave) {
  EalConfig config = ordinary_memory();
  config.hugepages = Hugepages::kRequired;
  config.memory_mb = 1U << 30;
  const auto started = Environment::start(config);
  ASSERT_FALSE(started.ok());
  EXPECT_NE(started.error().remedy.find("nr_hugepages"), std::string::npos);
}

// What the AF_XDP driver takes for granted: packets side by side, from the first to the last.
void expect_one_piece(rte_mempool& pool) {
  std::vector<std::uintptr_t> places;
  rte_mempool_obj_iter(
      &pool,
      [](rte_mempool*, void* out, void* object, unsigned) {
        static_cast<std::vector<std::uintptr_t>*>(out)->push_back(
            reinterpret_cast<std::uintptr_t>(object));
      },
      &places);
  std::sort(places.begin(), places.end());
  ASSERT_EQ(places.size(), pool.populated_size);
  EXPECT_EQ(pool.nb_mem_chunks, 1u);
  const std::size_t size = rte_mempool_calc_obj_size(pool.elt_size, pool.flags, nullptr);
  EXPECT_EQ(places.back() - places.front(), (places.size() - 1) * size);
}

// What a NIC reads and writes packets by: with virtual addresses for its own, where they lie.
void expect_addresses_for_devices(rte_mempool& pool) {
  ASSERT_EQ(rte_eal_iova_mode(), RTE_IOVA_VA);
  EXPECT_EQ(pool.flags & RTE_MEMPOOL_F_NON_IO, 0u);
  rte_mbuf* mbuf = rte_pktmbuf_alloc(&pool);
  ASSERT_NE(mbuf, nullptr);
  EXPECT_EQ(mbuf->buf_iova, reinterpret_cast<rte_iova_t>(mbuf->buf_addr));
  EXPECT_EQ(rte_mempool_virt2iova(mbuf), reinterpret_cast<rte_iova_t>(mbuf));
  rte_pktmbuf_free(mbuf);
}

// One process can start the EAL once, so one test walks the whole life.
TEST(Environment, StartsWithoutHugePagesMakesPoolsAndLeavesNoFiles) {
  std::string runtime_dir;
  {
    auto started = Environment::start(ordinary_memory());
    ASSERT_TRUE(started.ok()) << started.error().message();
    EXPECT_FALSE(started.value()->hugepages());
    EXPECT_TRUE(started.value()->fallback().empty()) << "what was asked for is no fallback";
    runtime_dir = rte_eal_get_runtime_dir();
    EXPECT_TRUE(std::filesystem::exists(runtime_dir));

    auto pool = make_pool("test", 100, 2048, -1);
    ASSERT_TRUE(pool.ok()) << pool.error().message();
    std::vector<rte_mbuf*> taken;
    for (int i = 0; i < 100; ++i) {
      taken.push_back(rte_pktmbuf_alloc(pool.value().get()));
      ASSERT_NE(taken.back(), nullptr) << i;
    }
    for (rte_mbuf* mbuf : taken) rte_pktmbuf_free(mbuf);
    expect_one_piece(*pool.value());
    expect_addresses_for_devices(*pool.value());

    // AF_XDP's kernel side sees the pool as one piece without gaps.
    auto big = make_pool("one_piece", 4000, 2048, -1);
    ASSERT_TRUE(big.ok()) << big.error().message();
    std::uintptr_t first = UINTPTR_MAX;
    std::uintptr_t last = 0;
    taken.clear();
    while (rte_mbuf* mbuf = rte_pktmbuf_alloc(big.value().get())) {
      taken.push_back(mbuf);
      first = std::min(first, reinterpret_cast<std::uintptr_t>(mbuf));
      last = std::max(last, reinterpret_cast<std::uintptr_t>(mbuf));
    }
    const std::uint32_t size =
        rte_mempool_calc_obj_size(big.value()->elt_size, big.value()->flags, nullptr);
    EXPECT_EQ(last - first, std::uint64_t{size} * (taken.size() - 1));
    for (rte_mbuf* mbuf : taken) rte_pktmbuf_free(mbuf);

    const auto too_big = make_pool("big", 10'000'000, 2048, -1);
    ASSERT_FALSE(too_big.ok());
    EXPECT_NE(too_big.error().remedy.find("eal.memory-mb"), std::string::npos);
  }
  EXPECT_FALSE(std::filesystem::exists(runtime_dir));
}

}  // namespace
}  // namespace brink::eal
