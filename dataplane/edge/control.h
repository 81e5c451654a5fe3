// Control: the edge's side of the control socket (dataplane/ipc/control_message.h). An image that
// comes in is copied, verified and saved by a thread of its own, so that the main thread goes on
// moving the kernel's packets meanwhile; then the main thread publishes it and answers. Main
// thread.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/unique_fd.h"
#include "dataplane/edge/image_store.h"
#include "dataplane/ipc/control_message.h"

namespace brink::edge {

inline constexpr std::size_t kControlClientsMax = 8;

// What happened to images since the start; main thread.
struct PublishCounts {
  std::uint64_t published = 0;
  std::uint64_t refused = 0;
};

class Control {
 public:
  // Listens at `socket_path`; images are saved at `image_path`.
  static base::Result<std::unique_ptr<Control>> open(const std::string& socket_path,
                                                     const std::string& image_path,
                                                     ImageStore& images);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  // Accepts, reads, answers, publishes what is ready. Never blocks.
  void poll();

  // Descriptors whose readability means that poll() has something to do.
  [[nodiscard]] std::vector<int> descriptors() const;
  // An image is being verified: poll() soon, whatever the descriptors say.
  [[nodiscard]] bool busy() const { return job_ != nullptr; }
  [[nodiscard]] const PublishCounts& counts() const { return counts_; }

 private:
  struct Job {
    std::future<base::Result<snapshot::Image>> image;
    std::string save_error;  // written before the future is ready
    std::uint64_t sequence = 0;
    std::uint64_t client = 0;
  };
  struct Client {
    base::UniqueFd fd;
    std::uint64_t id = 0;
  };

  Control(const std::string& socket_path, const std::string& image_path, ImageStore& images)
      : socket_path_(socket_path), image_path_(image_path), images_(images) {}
  void accept_clients();
  bool serve(Client& client);
  bool handle(Client& client, ipc::ReceivedControl received);
  bool start_job(Client& client, const ipc::ControlMessage& message, base::UniqueFd image);
  void finish_job();
  bool reply(Client& client, const ipc::ControlMessage& request, ipc::PublishStatus status,
             const std::string& reason);

  std::string socket_path_;
  std::string image_path_;
  ImageStore& images_;
  base::UniqueFd listener_;
  std::vector<Client> clients_;
  std::uint64_t next_client_ = 1;
  std::unique_ptr<Job> job_;
  PublishCounts counts_;
};

}  // namespace brink::edge
