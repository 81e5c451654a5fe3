#include "dataplane/port/device.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstring>

namespace brink::port {
namespace {

constexpr const char* kAuto = "auto:";
constexpr const char* kForms = "use auto:IFACE, a PCI address such as 0000:00:04.0, or net_DRIVER";

// DDDD:BB:DD.F in hexadecimal.
bool is_pci_address(const std::string& name) {
  static constexpr char kShape[] = "xxxx:xx:xx.x";
  if (name.size() != sizeof kShape - 1) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool fits = kShape[i] == 'x' ? std::isxdigit(static_cast<unsigned char>(name[i])) != 0
                                       : name[i] == kShape[i];
    if (!fits) return false;
  }
  return true;
}

}  // namespace

std::string auto_interface(const std::string& text) {
  return text.rfind(kAuto, 0) == 0 ? text.substr(std::strlen(kAuto)) : std::string{};
}

base::Result<std::vector<Device>> parse_device(const std::string& text, std::uint32_t queues,
                                               std::uint32_t channels) {
  const std::string interface = auto_interface(text);
  if (!interface.empty()) {
    if (interface.size() >= IFNAMSIZ || interface.find_first_of(",/ ") != std::string::npos) {
      return base::Error{"not an interface name", text, kForms};
    }
    const std::string pairs = std::to_string(std::max(1U, queues));
    const std::string sockets = std::to_string(std::max(1U, std::min(queues, channels)));
    return std::vector<Device>{
        {"vdev", "net_af_xdp0", "iface=" + interface + ",start_queue=0,queue_count=" + sockets},
        {"vdev", "net_af_packet0",
         "iface=" + interface + ",qpairs=" + pairs + ",blocksz=65536,framesz=2048,framecnt=1024"}};
  }
  const std::size_t comma = text.find(',');
  const std::string name = text.substr(0, comma);
  const std::string arguments = comma == std::string::npos ? "" : text.substr(comma + 1);
  if (is_pci_address(name)) return std::vector<Device>{{"pci", name, arguments}};
  if (name.rfind("net_", 0) == 0) return std::vector<Device>{{"vdev", name, arguments}};
  return base::Error{"not a device", text, kForms};
}

std::uint32_t interface_channels(const std::string& interface) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 1;
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  ifreq request{};
  request.ifr_data = reinterpret_cast<char*>(&channels);
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  const int status = ::ioctl(fd, SIOCETHTOOL, &request);
  ::close(fd);
  return status == 0 && channels.combined_count > 0 ? channels.combined_count : 1;
}

}  // namespace brink::port
