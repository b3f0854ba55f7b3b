#include "live/event_hub.h"

#include <atomic>
#include <deque>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::live {
namespace {

using http::BodyStream;
using std::chrono::hours;
using testing::ElementsAre;

// A client whose connection asks for pieces when the test says so.
class Follower {
 public:
  explicit Follower(EventHub& hub, std::size_t variant = 0, std::uint64_t seen = 0, SteadyTime since = {})
      : body_(hub.subscribe(variant, seen, since, source_.get_token()).value()) {}

  void ask() {
    waits_ = true;
    body_->next([this](BodyStream::Piece piece) {
      waits_ = false;
      ASSERT_TRUE(piece);
      if (*piece) {
        got_.push_back(**piece);
      } else {
        ended_ = true;
      }
    });
  }
  // What came since the last call.
  std::string take() {
    std::string all;
    for (const std::string& piece : std::exchange(got_, {})) all += piece;
    return all;
  }
  // Past the greeting.
  Follower& greeted() {
    ask();
    take();
    return *this;
  }
  void leave() { body_.reset(); }
  void hang_up() { source_.request_stop(); }
  bool waits() const { return waits_; }
  bool ended() const { return ended_; }

 private:
  std::stop_source source_;
  std::vector<std::string> got_;
  bool waits_ = false;
  bool ended_ = false;
  std::unique_ptr<BodyStream> body_;
};

struct EventHubTest : testing::Test {
  void publish(std::uint64_t id, std::size_t variant = 0) {
    const std::pair<std::size_t, EventFramePtr> frame{
        variant, std::make_shared<const EventFrame>(EventFrame{id, fmt::format("id: {}\n\n", id)})};
    hub->publish({&frame, 1});
  }
  std::shared_ptr<EventHub> hub = std::make_shared<EventHub>(
      EventHubOptions{.variants = 3, .max_subscribers = 4, .retry = std::chrono::seconds(2)});
};

TEST_F(EventHubTest, GreetsAtOnceAndSendsFramesAsTheyCome) {
  Follower follower(*hub);
  follower.ask();
  EXPECT_EQ(follower.take(), "retry: 2000\n\n");
  follower.ask();
  EXPECT_TRUE(follower.waits());
  publish(7);
  EXPECT_EQ(follower.take(), "id: 7\n\n");
  follower.ask();
  EXPECT_EQ(follower.take(), "");
  publish(8);
  EXPECT_EQ(follower.take(), "id: 8\n\n");
  EXPECT_EQ(hub->counts().sent, 2);
}

TEST_F(EventHubTest, BeginsWithTheFrameThereIs) {
  const Follower first(*hub);
  publish(7);
  Follower follower(*hub);
  follower.ask();
  EXPECT_EQ(follower.take(), "retry: 2000\n\nid: 7\n\n");
}

TEST_F(EventHubTest, SendsNothingThatTheClientHasSeenBefore) {
  const Follower first(*hub);
  publish(7);
  Follower follower(*hub, 0, 7);
  follower.greeted().ask();
  EXPECT_TRUE(follower.waits());
  publish(8);
  EXPECT_EQ(follower.take(), "id: 8\n\n");
}

TEST_F(EventHubTest, AnIdFromAClockThatWasAheadHidesNothing) {
  const Follower first(*hub);
  publish(7);
  Follower again(*hub, 0, 900);
  again.ask();
  EXPECT_EQ(again.take(), "retry: 2000\n\nid: 7\n\n");
  again.ask();
  EXPECT_TRUE(again.waits());
}

TEST_F(EventHubTest, ASlowReaderGetsTheNewestFrameAndNoOther) {
  Follower slow(*hub);
  slow.greeted();
  for (std::uint64_t id = 1; id <= 5; ++id) publish(id);
  EXPECT_EQ(slow.take(), "");
  slow.ask();
  EXPECT_EQ(slow.take(), "id: 5\n\n");
  slow.ask();
  EXPECT_TRUE(slow.waits());
  EXPECT_EQ(hub->counts().skipped, 4);
}

TEST_F(EventHubTest, SendsEachVariantToThoseWhoFollowIt) {
  Follower a(*hub, 0);
  Follower b(*hub, 2);
  a.greeted().ask();
  b.greeted().ask();
  EXPECT_THAT(hub->followed(false), ElementsAre(0, 2));
  publish(1, 2);
  EXPECT_EQ(a.take(), "");
  EXPECT_EQ(b.take(), "id: 1\n\n");
  EXPECT_THAT(hub->followed(true), ElementsAre(0));
}

TEST_F(EventHubTest, GivesNobodyAFrameFromBeforeNobodyFollowed) {
  {
    const Follower before(*hub, 1);
    publish(1, 1);
  }
  publish(2, 1);
  Follower after(*hub, 1);
  EXPECT_THAT(hub->followed(true), ElementsAre(1));
  after.greeted().ask();
  EXPECT_TRUE(after.waits());
}

TEST_F(EventHubTest, SendsCommentsToThoseWhoWait) {
  Follower ready(*hub);
  Follower slow(*hub);
  ready.greeted().ask();
  slow.greeted();
  hub->send_comment("still here");
  EXPECT_EQ(ready.take(), ": still here\n\n");
  slow.ask();
  EXPECT_TRUE(slow.waits());
  EXPECT_EQ(hub->counts().sent, 0);
}

TEST_F(EventHubTest, RefusesMoreThanItsBoundUntilOneLeaves) {
  std::deque<Follower> all;
  for (int i = 0; i < 4; ++i) all.emplace_back(*hub);
  const auto fifth = hub->subscribe(0, 0, {}, {});
  ASSERT_FALSE(fifth);
  EXPECT_EQ(fifth.error().code, ErrorCode::kOverloaded);
  EXPECT_THAT(fifth.error().message, testing::HasSubstr("4 clients"));
  EXPECT_EQ(hub->counts().refused, 1);
  all[1].leave();
  EXPECT_EQ(hub->counts().subscribers, 3);
  EXPECT_TRUE(hub->subscribe(0, 0, {}, {}));
}

TEST_F(EventHubTest, ThoseWhoStayAreServedWhenOthersLeaveInAnyOrder) {
  std::deque<Follower> all;
  for (int i = 0; i < 4; ++i) all.emplace_back(*hub).greeted();
  for (auto& each : all) each.ask();
  all[0].leave();
  all[3].leave();
  publish(1);
  EXPECT_EQ(all[1].take(), "id: 1\n\n");
  EXPECT_EQ(all[2].take(), "id: 1\n\n");
  all[2].leave();
  all[1].leave();
  EXPECT_THAT(hub->followed(false), ElementsAre());
}

TEST_F(EventHubTest, EndsWhenTheClientHangsUp) {
  Follower waiting(*hub);
  waiting.greeted().ask();
  waiting.hang_up();
  EXPECT_TRUE(waiting.ended());
  Follower busy(*hub);
  busy.greeted();
  busy.hang_up();
  EXPECT_FALSE(busy.ended());
  busy.ask();
  EXPECT_TRUE(busy.ended());
}

TEST_F(EventHubTest, EndsAllWhenItClosesAndRefusesNewOnes) {
  Follower waiting(*hub);
  Follower busy(*hub);
  waiting.greeted().ask();
  hub->close();
  EXPECT_TRUE(waiting.ended());
  busy.ask();
  EXPECT_TRUE(busy.ended());
  const auto late = hub->subscribe(0, 0, {}, {});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kCancelled);
}

TEST_F(EventHubTest, EndsTheOldOnesOnly) {
  Follower old(*hub, 0, 0, SteadyTime(hours(1)));
  Follower young(*hub, 0, 0, SteadyTime(hours(2)));
  old.greeted().ask();
  young.greeted().ask();
  hub->end_before(SteadyTime(hours(2)));
  EXPECT_TRUE(old.ended());
  EXPECT_FALSE(young.ended());
}

TEST_F(EventHubTest, OutlivesItsMakerInItsSubscriptions) {
  Follower follower(*hub);
  hub.reset();
  follower.greeted().ask();
  EXPECT_TRUE(follower.waits());
}

// Meant for the sanitizers: loop, publisher and closer at once.
TEST_F(EventHubTest, StandsCallsFromManyThreads) {
  hub = std::make_shared<EventHub>(EventHubOptions{.variants = 3, .max_subscribers = 1'000});
  std::atomic<bool> stop = false;
  std::thread publisher([&] {
    for (std::uint64_t id = 1; !stop; ++id) {
      publish(id, id % 3);
      hub->send_comment("x");
    }
  });
  std::vector<std::thread> loops;
  std::atomic<int> pieces = 0;
  for (std::size_t loop = 0; loop < 3; ++loop) {
    loops.emplace_back([&, loop] {
      for (int round = 0; round < 50; ++round) {
        const std::stop_source source;
        auto body = hub->subscribe(loop, 0, {}, source.get_token()).value();
        for (int i = 0; i < 5; ++i) {
          std::atomic<bool> came = false;
          body->next([&](const BodyStream::Piece&) {
            ++pieces;
            came = true;
            came.notify_one();
          });
          came.wait(false);
        }
      }
    });
  }
  for (auto& loop : loops) loop.join();
  stop = true;
  publisher.join();
  EXPECT_EQ(pieces, 3 * 50 * 5);
  EXPECT_EQ(hub->counts().subscribers, 0);
}

}  // namespace
}  // namespace pinflow::live
