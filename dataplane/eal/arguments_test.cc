#include "dataplane/eal/arguments.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace brink::eal {
namespace {

bool has(const std::vector<std::string>& arguments, const std::string& wanted) {
  return std::find(arguments.begin(), arguments.end(), wanted) != arguments.end();
}

TEST(EalArguments, BindEveryWorkerToItsCpuBehindTheMainLcore) {
  EalConfig config;
  config.main_cpu = 0;
  config.worker_cpus = {1, 0};
  const auto arguments = eal_arguments(config, true);
  EXPECT_EQ(arguments.front(), "brink-edge");
  EXPECT_TRUE(has(arguments, "--lcores=0@0,1@1,2@0"));
  EXPECT_TRUE(has(arguments, "--main-lcore=0"));
  EXPECT_FALSE(has(arguments, "--no-huge"));
  EXPECT_TRUE(has(arguments, "--no-pci")) << "no PCI device is configured, none is touched";
  EXPECT_TRUE(has(arguments, "--iova-mode=va"));
}

TEST(EalArguments, AllowOnlyTheConfiguredPciDevices) {
  EalConfig config;
  config.pci_devices = {"0000:00:04.0"};
  const auto arguments = eal_arguments(config, false);
  EXPECT_FALSE(has(arguments, "--no-pci"));
  EXPECT_FALSE(has(arguments, "--iova-mode=va")) << "the device may need physical addresses";
  EXPECT_TRUE(has(arguments, "-a"));
  EXPECT_TRUE(has(arguments, "0000:00:04.0"));
  EXPECT_TRUE(has(arguments, "--no-huge"));
}

TEST(EalArguments, PassExtraOnesThroughLast) {
  EalConfig config;
  config.extra = {"--no-shconf", "--iova-mode=va"};
  const auto arguments = eal_arguments(config, true);
  EXPECT_EQ(arguments[arguments.size() - 2], "--no-shconf");
  EXPECT_EQ(arguments.back(), "--iova-mode=va");
}

TEST(HugepagesFree, SumsAllPageSizes) {
  const auto root =
      std::filesystem::temp_directory_path() / ("brink-eal-" + std::to_string(::getpid()));
  for (const auto& [folder, count] :
       {std::pair{"hugepages-2048kB", 10}, std::pair{"hugepages-1048576kB", 2}}) {
    std::filesystem::create_directories(root / folder);
    std::ofstream(root / folder / "free_hugepages") << count << "\n";
  }
  EXPECT_EQ(hugepages_free_mb(root.string()), 20U + 2048U);
  std::filesystem::remove_all(root);
  EXPECT_EQ(hugepages_free_mb(root.string()), 0U);
}

}  // namespace
}  // namespace brink::eal
