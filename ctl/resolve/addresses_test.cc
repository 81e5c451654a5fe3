#include "ctl/resolve/addresses.h"

#include <gtest/gtest.h>

#include <map>

#include "ctl/model/rdata.h"
#include "ctl/resolve/message_fixture.h"

namespace brink::ctl::resolve {
namespace {

constexpr model::RecordType kA = model::kTypeA, kAaaa = model::kTypeAaaa;

class Answers : public Exchange {
 public:
  void script(const Question& question, const Message& message) {
    replies_[question] = message.reply();
  }
  void ask(const Question& question, Done done) override {
    const auto known = replies_.find(question);
    ready_.push_back([done = std::move(done), reply = known == replies_.end()
                                                          ? Reply{{}, "Timeout"}
                                                          : known->second] { done(reply); });
  }
  void ask_at(const std::vector<base::Endpoint>&, const Question&, Done) override { FAIL(); }
  Addresses find(const std::string& host) {
    const AddressFilter filter({*Prefix::parse("203.0.113.0/24")}, {});
    Addresses found{{}, "not called"};
    find_addresses(*this, filter, name(host), [&](Addresses answer) { found = std::move(answer); });
    while (!ready_.empty()) {
      const auto next = std::move(ready_.front());
      ready_.pop_front();
      next();
    }
    return found;
  }

 private:
  std::map<Question, Reply> replies_;
  std::deque<std::function<void()>> ready_;
};

TEST(Addresses, BothFamiliesAreAskedForAndOnlyWhatIsAdmittedIsGiven) {
  Answers answers;
  const Question v4{name("ocsp.test"), kA}, v6{name("ocsp.test"), kAaaa};
  answers.script(
      v4, Message(v4).answer("ocsp.test. 60 A 203.0.113.9").answer("ocsp.test. 60 A 10.0.0.1"));
  answers.script(v6, Message(v6).answer("ocsp.test. 60 AAAA 2600::1"));
  const Addresses found = answers.find("ocsp.test");
  EXPECT_EQ(found.reason, "");
  ASSERT_EQ(found.admitted.size(), 2U);
  EXPECT_EQ(found.admitted[0], address("203.0.113.9"));
  EXPECT_EQ(found.admitted[1], address("2600::1"));
}

TEST(Addresses, AliasesAreFollowed) {
  Answers answers;
  const Question alias{name("ocsp.test"), kA}, target{name("cdn.test"), kA};
  answers.script(alias, Message(alias).answer("ocsp.test. 60 CNAME cdn.test."));
  answers.script(target, Message(target).answer("cdn.test. 60 A 203.0.113.9"));
  EXPECT_EQ(answers.find("ocsp.test").admitted.size(), 1U);
}

TEST(Addresses, ACircleEnds) {
  Answers answers;
  const Question one{name("one.test"), kA}, two{name("two.test"), kA};
  answers.script(one, Message(one).answer("one.test. 60 CNAME two.test."));
  answers.script(two, Message(two).answer("two.test. 60 CNAME one.test."));
  EXPECT_EQ(answers.find("one.test").reason, "has too long a chain of aliases");
}

TEST(Addresses, WithoutAnyTheReasonIsSaid) {
  Answers answers;
  EXPECT_EQ(answers.find("ocsp.test").reason, "Timeout");
  const Question v4{name("ocsp.test"), kA};
  answers.script(v4, Message(v4).answer("ocsp.test. 60 A 10.0.0.1"));
  EXPECT_EQ(answers.find("ocsp.test").reason,
            "leads to 10.0.0.1, which is not public; allow it with origin-allow");
}

}  // namespace
}  // namespace brink::ctl::resolve
