// Control: the edge's side of the control socket (dataplane/ipc/control_message.h). One client's
// requests are served one after the other; a large transaction is applied in steps, a turn of the
// main thread each. Main thread.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/unique_fd.h"
#include "dataplane/edge/cookie_secrets.h"
#include "dataplane/edge/disk.h"
#include "dataplane/edge/image_store.h"
#include "dataplane/ipc/control_message.h"
#include "dataplane/ipc/sealed_memory.h"

namespace brink::edge {

inline constexpr std::size_t kControlClientsMax = 8;

// What happened since the start; main thread.
struct PublishCounts {
  std::uint64_t images = 0;
  std::uint64_t transactions = 0;
  std::uint64_t refused = 0;
};

class Control {
 public:
  // Listens at `socket_path`. Everything given outlives it.
  static base::Result<std::unique_ptr<Control>> open(const std::string& socket_path,
                                                     ImageStore& images, Disk& disk,
                                                     CookieSecretsStore& cookies);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  // Accepts, reads, applies, answers. Never blocks but for the log's write.
  void poll(base::Time now);

  // Descriptors whose readability means that poll() has something to do.
  [[nodiscard]] std::vector<int> descriptors() const;
  // poll() has something to do, whatever the descriptors say.
  [[nodiscard]] bool busy() const { return applying_ != nullptr && !applying_->is_held; }
  // What is served is being changed; nothing else may change it meanwhile.
  [[nodiscard]] bool in_transaction() const { return applying_ != nullptr; }
  [[nodiscard]] const PublishCounts& counts() const { return counts_; }

 private:
  struct Client {
    base::UniqueFd fd;
    std::uint64_t id = 0;
    bool waiting = false;  // for the answer to its last request
  };
  // Whom to answer.
  struct Asker {
    std::uint64_t client = 0;
    std::uint64_t sequence = 0;
  };
  struct Applying {
    ipc::SealedMemory transaction;
    Asker asker;
    bool is_staged = false;  // it is not published before its client says so
    bool is_held = false;    // it is staged, and all of it is applied
  };
  // Committed, but not yet as safe as the operator wants.
  struct Unkept {
    std::uint64_t number = 0;
    std::uint64_t version = 0;
    Asker asker;
  };

  Control(std::string socket_path, ImageStore& images, Disk& disk, CookieSecretsStore& cookies)
      : socket_path_(std::move(socket_path)), images_(images), disk_(disk), cookies_(cookies) {}
  void accept_clients();
  bool serve(Client& client, base::Time now);
  bool handle(Client& client, ipc::ReceivedControl received, base::Time now);
  void start_image(const Asker& asker, const ipc::ControlMessage& message, base::UniqueFd memfd);
  void start_transaction(const Asker& asker, const ipc::ControlMessage& message,
                         base::UniqueFd memfd, base::Time now);
  void stage_transaction(const Asker& asker, const ipc::ControlMessage& message,
                         base::UniqueFd memfd, base::Time now);
  void publish_staged(const Asker& asker, const ipc::ControlMessage& message, base::Time now);
  void drop_staged(base::Time now);
  void drop_orphan(base::Time now);
  void start_job(const Asker& asker, ipc::MessageType type);
  void show_name(const Asker& asker, const ipc::ControlMessage& message);
  void step_cookie_secrets(const Asker& asker, const ipc::ControlMessage& message);
  void apply(base::Time now);
  void publish_applied(base::Time now);
  void refuse_transaction(ipc::ReplyStatus status, const std::string& reason, base::Time now);
  void acknowledge();
  void finish(const Asker& asker, const JobOutcome& outcome);
  void reply(const Asker& asker, ipc::ReplyStatus status, const std::string& reason,
             int descriptor = -1, std::uint64_t size_bytes = 0);

  std::string socket_path_;
  ImageStore& images_;
  Disk& disk_;
  CookieSecretsStore& cookies_;
  base::UniqueFd listener_;
  std::vector<Client> clients_;
  std::uint64_t next_client_ = 1;
  std::unique_ptr<Applying> applying_;
  std::deque<Unkept> unkept_;
  PublishCounts counts_;
};

}  // namespace brink::edge
