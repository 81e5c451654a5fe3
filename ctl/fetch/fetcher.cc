#include "ctl/fetch/fetcher.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "ctl/fetch/url.h"

namespace brink::ctl::fetch {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Error = boost::system::error_code;
using Body = http::vector_body<std::uint8_t>;
using Tcp = asio::ip::tcp;

Tcp::endpoint endpoint_of(const base::IpAddress& address, std::uint16_t port) {
  return {asio::ip::make_address(std::string(address.text().view())), port};
}

Answer failed(std::string problem) {
  return {{}, std::move(problem)};
}

// One request, from the first connection to the answer.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(asio::io_context& context, const FetcherOptions& options, const Url& url,
           Question question, Fetcher::Done done)
      : options_(options),
        url_(url),
        deadline_(std::chrono::steady_clock::now() + options.timeout),
        context_(context),
        done_(std::move(done)) {
    request_.method(http::verb::post);
    request_.version(11);
    request_.target(url.target);
    request_.set(http::field::host, url.authority);
    request_.set(http::field::content_type, question.content_type);
    request_.set(http::field::connection, "close");
    request_.body() = std::move(question.body);
    request_.prepare_payload();
  }

  // The addresses one after the other, until one takes the connection.
  void start(std::vector<base::IpAddress> addresses) {
    if (addresses.size() > options_.addresses_max) addresses.resize(options_.addresses_max);
    addresses_ = std::move(addresses);
    connect(0);
  }

 private:
  void connect(std::size_t at);
  void send();
  void receive();
  void take();

  const FetcherOptions& options_;
  const Url url_;
  const std::chrono::steady_clock::time_point deadline_;
  asio::io_context& context_;
  const Fetcher::Done done_;
  std::vector<base::IpAddress> addresses_;
  std::optional<beast::tcp_stream> stream_;
  http::request<Body> request_;
  beast::flat_buffer buffer_;
  std::optional<http::response_parser<Body>> response_;
};

void Exchange::connect(std::size_t at) {
  stream_.emplace(context_);
  stream_->expires_at(deadline_);
  stream_->async_connect(
      endpoint_of(addresses_[at], url_.port), [self = shared_from_this(), at](const Error& error) {
        if (!error) return self->send();
        if (at + 1 < self->addresses_.size() && error != beast::error::timeout) {
          return self->connect(at + 1);
        }
        self->done_(failed("cannot connect to " + std::string(self->addresses_[at].text().view()) +
                           " port " + std::to_string(self->url_.port) + ": " + error.message()));
      });
}

void Exchange::send() {
  http::async_write(*stream_, request_,
                    [self = shared_from_this()](const Error& error, std::size_t) {
                      if (!error) return self->receive();
                      self->done_(failed("the question was not sent: " + error.message()));
                    });
}

void Exchange::receive() {
  response_.emplace();
  response_->body_limit(options_.body_max);
  http::async_read(*stream_, buffer_, *response_,
                   [self = shared_from_this()](const Error& error, std::size_t) {
                     if (!error) return self->take();
                     self->done_(failed("no answer: " + error.message()));
                   });
}

void Exchange::take() {
  const unsigned status = response_->get().result_int();
  if (status != 200) return done_(failed("the answer has status " + std::to_string(status)));
  if (response_->get().body().size() > options_.body_max) {
    return done_(failed("the answer is too large"));
  }
  Answer answer;
  answer.body = std::move(response_->get().body());
  if (answer.body.empty()) answer.problem = "the answer is empty";
  done_(std::move(answer));
}

}  // namespace

class Fetcher::Impl : public std::enable_shared_from_this<Fetcher::Impl> {
 public:
  Impl(FetcherOptions options, Resolve resolve)
      : options_(std::move(options)), resolve_(std::move(resolve)) {}

  void start() {
    thread_ = std::thread([this] { context_.run(); });
  }
  void stop() {
    context_.stop();
    thread_.join();
  }
  void post(Question question, Done done) {
    asio::post(context_, [this, question = std::move(question), done = std::move(done)] {
      begin(question, done);
    });
  }

 private:
  void begin(const Question& question, const Done& done);
  void go_on(const Url& url, const Question& question, const Done& done,
             resolve::Addresses addresses);

  const FetcherOptions options_;
  const Resolve resolve_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_ =
      asio::make_work_guard(context_);
  std::thread thread_;
};

void Fetcher::Impl::begin(const Question& question, const Done& done) {
  const auto url = parse_url(question.url);
  if (!url) return done(failed("no http URL: " + question.url));
  if (const auto address = base::IpAddress::parse(url->host)) {
    if (options_.filter.admits(*address)) return go_on(*url, question, done, {{*address}, {}});
    return go_on(*url, question, done, {{}, "is not public; allow it with origin-allow"});
  }
  const auto name = model::DomainName::parse(url->host);
  if (!name) return done(failed("no host name: " + url->host));
  resolve_(name.value(),
           [weak = weak_from_this(), url = *url, question, done](resolve::Addresses addresses) {
             const auto self = weak.lock();
             if (!self) return;
             asio::post(self->context_,
                        [impl = self.get(), url, question, done, addresses = std::move(addresses)] {
                          impl->go_on(url, question, done, addresses);
                        });
           });
}

void Fetcher::Impl::go_on(const Url& url, const Question& question, const Done& done,
                          resolve::Addresses addresses) {
  if (addresses.admitted.empty()) return done(failed(url.host + " " + addresses.reason));
  std::make_shared<Exchange>(context_, options_, url, question, done)
      ->start(std::move(addresses.admitted));
}

Fetcher::Fetcher(FetcherOptions options, Resolve resolve)
    : impl_(std::make_shared<Impl>(std::move(options), std::move(resolve))) {
  impl_->start();
}

Fetcher::~Fetcher() {
  impl_->stop();
}

void Fetcher::post(Question question, Done done) {
  impl_->post(std::move(question), std::move(done));
}

}  // namespace brink::ctl::fetch
