#include "dataplane/edge/control.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "dataplane/edge/name_dump.h"

namespace brink::edge {
namespace {

using ipc::ControlMessage;
using ipc::MessageType;
using ipc::ReplyStatus;

// Some hundred microseconds: the kernel's packets wait no longer for a large transaction.
constexpr std::uint32_t kOperationsPerTurn = 512;

}  // namespace

base::Result<std::unique_ptr<Control>> Control::open(const std::string& socket_path,
                                                     ImageStore& images, Disk& disk,
                                                     CookieSecretsStore& cookies) {
  std::unique_ptr<Control> control(new Control(socket_path, images, disk, cookies));
  auto listener = ipc::listen_control(socket_path);
  if (!listener) return listener.error();
  control->listener_ = base::UniqueFd(listener.value());
  return control;
}

Control::~Control() {
  if (applying_) images_.abort({});
  if (listener_.valid()) ::unlink(socket_path_.c_str());
}

std::vector<int> Control::descriptors() const {
  std::vector<int> all = {listener_.get(), disk_.descriptor()};
  for (const Client& client : clients_) {
    if (!client.waiting) all.push_back(client.fd.get());
  }
  return all;
}

void Control::poll(base::Time now) {
  accept_clients();
  std::erase_if(clients_, [&](Client& client) { return !serve(client, now); });
  drop_orphan(now);
  if (busy()) apply(now);
  acknowledge();
  if (!applying_) disk_.poll(now);
}

void Control::accept_clients() {
  while (clients_.size() < kControlClientsMax) {
    base::UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) return;
    clients_.push_back({std::move(fd), next_client_++});
  }
}

// False: the client is done with, or speaks another protocol.
bool Control::serve(Client& client, base::Time now) {
  while (!client.waiting) {
    auto received = ipc::receive_control(client.fd.get());
    if (!received) {
      spdlog::debug("control client: {}", received.error().message());
      return false;
    }
    if (!received.value()) return true;
    if (!handle(client, *received.value(), now)) return false;
  }
  return true;
}

bool Control::handle(Client& client, ipc::ReceivedControl received, base::Time now) {
  base::UniqueFd memfd(received.descriptor);
  const ControlMessage& message = received.message;
  const Asker asker{client.id, message.sequence};
  client.waiting = true;
  switch (message.type) {
    case MessageType::kHello: {
      client.waiting = false;
      ControlMessage welcome;
      welcome.type = MessageType::kWelcome;
      welcome.sequence = message.sequence;
      welcome.snapshot_version = images_.state().version;
      welcome.snapshot_token = images_.state().token;
      return ipc::send_control(client.fd.get(), welcome).ok();
    }
    case MessageType::kPublishImage:
      drop_staged(now);
      start_image(asker, message, std::move(memfd));
      return true;
    case MessageType::kPublishTransaction:
      if (!memfd.valid()) {
        publish_staged(asker, message, now);
        return true;
      }
      drop_staged(now);
      start_transaction(asker, message, std::move(memfd), now);
      if (busy()) apply(now);
      return true;
    case MessageType::kStageTransaction:
      stage_transaction(asker, message, std::move(memfd), now);
      return true;
    case MessageType::kCompact:
    case MessageType::kVerify:
      start_job(asker, message.type);
      return true;
    case MessageType::kShowName:
      show_name(asker, message);
      return true;
    case MessageType::kCookieSecrets:
      step_cookie_secrets(asker, message);
      return true;
    case MessageType::kWelcome:
    case MessageType::kReply:
      break;
  }
  spdlog::warn("control client sent a message that only the edge sends");
  return false;
}

void Control::start_image(const Asker& asker, const ControlMessage& message, base::UniqueFd memfd) {
  if (applying_ || disk_.busy()) {
    return reply(asker, ReplyStatus::kBusy, "an image or a transaction is being dealt with");
  }
  if (!memfd.valid()) {
    ++counts_.refused;
    return reply(asker, ReplyStatus::kRefused, "no descriptor came with the message");
  }
  disk_.receive(std::move(memfd), message.payload_size_bytes, [this, asker](const JobOutcome& o) {
    if (o.done) {
      ++counts_.images;
      spdlog::info("image published: {}", o.text);
    } else {
      ++counts_.refused;
      spdlog::error("image refused: {}", o.text);
    }
    finish(asker, o);
  });
}

void Control::start_job(const Asker& asker, MessageType type) {
  if (applying_ || disk_.busy()) {
    return reply(asker, ReplyStatus::kBusy, "an image or a transaction is being dealt with");
  }
  const auto finished = [this, asker](const JobOutcome& outcome) { finish(asker, outcome); };
  if (type == MessageType::kCompact) {
    disk_.compact(finished);
  } else {
    disk_.verify(finished);
  }
}

void Control::start_transaction(const Asker& asker, const ControlMessage& message,
                                base::UniqueFd memfd, base::Time now) {
  if (applying_ || disk_.replacing()) {
    return reply(asker, ReplyStatus::kBusy, "an image or a transaction is being dealt with");
  }
  auto mapped = ipc::SealedMemory::map(memfd.get(), message.payload_size_bytes);
  if (!mapped) {
    ++counts_.refused;
    return reply(asker, ReplyStatus::kRefused, mapped.error().message());
  }
  const auto header = snapshot::read_transaction(mapped.value().bytes());
  if (header && header.value().from_version != images_.state().version) {
    return reply(asker, ReplyStatus::kOutOfStep,
                 "it changes version " + std::to_string(header.value().from_version) +
                     ", version " + std::to_string(images_.state().version) + " is served");
  }
  auto applying = std::make_unique<Applying>(Applying{std::move(mapped).value(), asker});
  if (auto begun = images_.begin(applying->transaction.bytes(), now); !begun) {
    ++counts_.refused;
    return reply(asker, ReplyStatus::kRefused, begun.error().message());
  }
  applying_ = std::move(applying);
}

void Control::stage_transaction(const Asker& asker, const ControlMessage& message,
                                base::UniqueFd memfd, base::Time now) {
  drop_staged(now);
  if (!memfd.valid()) return reply(asker, ReplyStatus::kDone, "");
  start_transaction(asker, message, std::move(memfd), now);
  // It is applied from the next turn on.
  if (applying_ && applying_->asker.client == asker.client) applying_->is_staged = true;
}

void Control::publish_staged(const Asker& asker, const ControlMessage& message, base::Time now) {
  if (!applying_ || !applying_->is_held || applying_->asker.client != asker.client ||
      !images_.leads_to(message.snapshot_version, message.snapshot_token)) {
    return reply(asker, ReplyStatus::kOutOfStep, "no such transaction is staged");
  }
  applying_->asker = asker;
  images_.resume(now);
  publish_applied(now);
}

void Control::drop_staged(base::Time now) {
  if (!applying_ || !applying_->is_staged) return;
  images_.abort(now);
  const auto dropped = std::exchange(applying_, nullptr);
  if (!dropped->is_held) {
    reply(dropped->asker, ReplyStatus::kRefused, "something else was published meanwhile");
  }
}

// Who staged it is gone.
void Control::drop_orphan(base::Time now) {
  if (!applying_ || !applying_->is_staged) return;
  const bool is_there = std::any_of(clients_.begin(), clients_.end(), [this](const Client& client) {
    return client.id == applying_->asker.client;
  });
  if (!is_there) drop_staged(now);
}

void Control::apply(base::Time now) {
  const auto more = images_.step(kOperationsPerTurn);
  if (!more) {
    const auto status = images_.is_out_of_memory() ? ReplyStatus::kNoRoom : ReplyStatus::kRefused;
    return refuse_transaction(status, more.error().message(), now);
  }
  if (more.value()) return;
  if (!applying_->is_staged) return publish_applied(now);
  applying_->is_held = true;
  reply(applying_->asker, ReplyStatus::kDone, "");
}

// In the log before it is visible: what anybody has seen is there after a crash.
void Control::publish_applied(base::Time now) {
  const auto number = disk_.append(applying_->transaction.bytes());
  if (!number) return refuse_transaction(ReplyStatus::kNoRoom, number.error().message(), now);
  images_.commit(now);
  ++counts_.transactions;
  unkept_.push_back({number.value(), images_.state().version, applying_->asker});
  applying_.reset();
  acknowledge();
}

void Control::refuse_transaction(ReplyStatus status, const std::string& reason, base::Time now) {
  images_.abort(now);
  ++counts_.refused;
  spdlog::error("transaction refused: {}", reason);
  reply(applying_->asker, status, reason);
  applying_.reset();
}

void Control::acknowledge() {
  if (unkept_.empty()) return;
  disk_.journal_event_seen();
  while (!unkept_.empty() && disk_.journal().is_kept(unkept_.front().number)) {
    const Unkept kept = unkept_.front();
    unkept_.pop_front();
    reply(kept.asker, ReplyStatus::kDone, "");
  }
}

void Control::show_name(const Asker& asker, const ControlMessage& message) {
  const auto dump = dump_name(images_.view(0), {message.name, message.name_size});
  if (!dump) return reply(asker, ReplyStatus::kRefused, dump.error().message());
  if (dump.value().transaction.empty()) {
    return reply(asker, ReplyStatus::kDone, dump.value().standing);
  }
  const auto memfd = ipc::SealedMemory::make(dump.value().transaction);
  if (!memfd) return reply(asker, ReplyStatus::kRefused, memfd.error().message());
  reply(asker, ReplyStatus::kDone, dump.value().standing, memfd.value().get(),
        dump.value().transaction.size());
}

void Control::step_cookie_secrets(const Asker& asker, const ControlMessage& message) {
  dns::guard::SipKey secret{};
  const auto step = static_cast<CookieStep>(message.name[0]);
  const std::size_t size = step == CookieStep::kAdd ? 1 + secret.size() : 1;
  if (message.name_size != size || step > CookieStep::kDrop) {
    return reply(asker, ReplyStatus::kRefused, "no step of a rollover that is known here");
  }
  if (step == CookieStep::kAdd) std::memcpy(secret.data(), message.name + 1, secret.size());
  const auto done = cookies_.apply(step, secret);
  if (!done) {
    spdlog::error("secrets of DNS cookies stay as they are: {}", done.error().message());
    return reply(asker, ReplyStatus::kRefused, done.error().message());
  }
  if (step != CookieStep::kShow) spdlog::info("secrets of DNS cookies: {}", done.value());
  reply(asker, ReplyStatus::kDone, done.value());
}

void Control::finish(const Asker& asker, const JobOutcome& outcome) {
  const ReplyStatus failed = outcome.no_room ? ReplyStatus::kNoRoom : ReplyStatus::kRefused;
  reply(asker, outcome.done ? ReplyStatus::kDone : failed, outcome.text);
}

void Control::reply(const Asker& asker, ReplyStatus status, const std::string& reason,
                    int descriptor, std::uint64_t size_bytes) {
  const auto client = std::find_if(clients_.begin(), clients_.end(),
                                   [&](const Client& c) { return c.id == asker.client; });
  if (client == clients_.end()) return;
  client->waiting = false;
  ControlMessage answer;
  answer.type = MessageType::kReply;
  answer.sequence = asker.sequence;
  answer.snapshot_version = images_.state().version;
  answer.payload_size_bytes = size_bytes;
  answer.status = status;
  answer.set_reason(reason);
  if (auto sent = ipc::send_control(client->fd.get(), answer, descriptor); !sent) {
    spdlog::debug("control client: {}", sent.error().message());  // serve() notices its end
  }
}

}  // namespace brink::edge
