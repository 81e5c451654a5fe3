#include "dataplane/edge/control.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace brink::edge {

using ipc::ControlMessage;
using ipc::MessageType;
using ipc::PublishStatus;

base::Result<std::unique_ptr<Control>> Control::open(const std::string& socket_path,
                                                     const std::string& image_path,
                                                     ImageStore& images) {
  std::unique_ptr<Control> control(new Control(socket_path, image_path, images));
  auto listener = ipc::listen_control(socket_path);
  if (!listener) return listener.error();
  control->listener_ = base::UniqueFd(listener.value());
  return control;
}

Control::~Control() {
  if (job_) job_->image.wait();
  if (listener_.valid()) ::unlink(socket_path_.c_str());
}

std::vector<int> Control::descriptors() const {
  std::vector<int> all = {listener_.get()};
  for (const Client& client : clients_) all.push_back(client.fd.get());
  return all;
}

void Control::poll() {
  accept_clients();
  std::erase_if(clients_, [this](Client& client) { return !serve(client); });
  finish_job();
}

void Control::accept_clients() {
  while (clients_.size() < kControlClientsMax) {
    base::UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) return;
    clients_.push_back({std::move(fd), next_client_++});
  }
}

// False: the client is done with, or speaks another protocol.
bool Control::serve(Client& client) {
  for (;;) {
    auto received = ipc::receive_control(client.fd.get());
    if (!received) {
      spdlog::debug("control client: {}", received.error().message());
      return false;
    }
    if (!received.value()) return true;
    if (!handle(client, *received.value())) return false;
  }
}

bool Control::handle(Client& client, ipc::ReceivedControl received) {
  base::UniqueFd image(received.descriptor);
  const ControlMessage& message = received.message;
  switch (message.type) {
    case MessageType::kHello: {
      ControlMessage welcome;
      welcome.type = MessageType::kWelcome;
      welcome.sequence = message.sequence;
      welcome.snapshot_version = images_.image().header().snapshot_version;
      return ipc::send_control(client.fd.get(), welcome).ok();
    }
    case MessageType::kPublishImage:
      return start_job(client, message, std::move(image));
    case MessageType::kWelcome:
    case MessageType::kPublishReply:
      break;
  }
  spdlog::warn("control client sent a message that only the edge sends");
  return false;
}

bool Control::start_job(Client& client, const ControlMessage& message, base::UniqueFd image) {
  if (job_) return reply(client, message, PublishStatus::kBusy, "another image is being verified");
  if (!image.valid()) {
    ++counts_.refused;
    return reply(client, message, PublishStatus::kRefused, "no descriptor came with the message");
  }
  job_ = std::make_unique<Job>();
  job_->sequence = message.sequence;
  job_->client = client.id;
  job_->image =
      std::async(std::launch::async,
                 [fd = std::move(image), size = message.image_size_bytes, path = image_path_,
                  save_error = &job_->save_error]() -> base::Result<snapshot::Image> {
                   auto received = snapshot::Image::receive(fd.get(), size);
                   if (!received) return received;
                   // Saved before it is served: what was acknowledged survives a restart.
                   const auto saved = received.value().save(path);
                   if (!saved) *save_error = saved.error().message();
                   return received;
                 });
  return true;
}

void Control::finish_job() {
  if (!job_ || job_->image.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
  const std::unique_ptr<Job> job = std::move(job_);
  auto image = job->image.get();
  ControlMessage request;
  request.sequence = job->sequence;
  PublishStatus status = PublishStatus::kPublished;
  std::string reason;
  if (image) {
    if (!job->save_error.empty()) {
      spdlog::error("the image is served but not saved: {}", job->save_error);
    }
    images_.publish(std::move(image).value());
    ++counts_.published;
    const auto& header = images_.image().header();
    spdlog::info("image {} published: {} names, {} bytes", header.snapshot_version,
                 header.name_count, header.total_size_bytes);
  } else {
    status = PublishStatus::kRefused;
    reason = image.error().message();
    ++counts_.refused;
    spdlog::error("image refused: {}", reason);
  }
  const auto client = std::find_if(clients_.begin(), clients_.end(),
                                   [&](const Client& c) { return c.id == job->client; });
  if (client != clients_.end() && !reply(*client, request, status, reason)) clients_.erase(client);
}

bool Control::reply(Client& client, const ControlMessage& request, PublishStatus status,
                    const std::string& reason) {
  ControlMessage answer;
  answer.type = MessageType::kPublishReply;
  answer.sequence = request.sequence;
  answer.snapshot_version = images_.image().header().snapshot_version;
  answer.status = status;
  answer.set_reason(reason);
  return ipc::send_control(client.fd.get(), answer).ok();
}

}  // namespace brink::edge
