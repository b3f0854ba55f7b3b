#include "doors/kinesis/operations_fixture.h"

namespace pinflow::doors::kinesis {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class SubscribeTest : public KinesisTest {
 protected:
  using Pulled = std::future<EventSource::Event>;

  SubscribeTest() {
    kinesis_->create("s", 1);
    const std::string made = kinesis_->ask(
        "RegisterStreamConsumer",
        {{"StreamARN", text("arn:aws:kinesis:us-east-1:000000000000:stream/s")}, {"ConsumerName", text("c")}});
    arn_ = between(made, "\"ConsumerARN\":\"", "\"");
  }
  std::expected<Answer, Fault> subscribe(std::string_view type = "TRIM_HORIZON", std::string_view number = {}) {
    Value::Structure from;
    from.emplace_back("Type", text(type));
    if (!number.empty()) from.emplace_back("SequenceNumber", text(number));
    return kinesis_
        ->send("SubscribeToShard", structure({{"ConsumerARN", text(arn_)},
                                              {"ShardId", text("shardId-000000000000")},
                                              {"StartingPosition", Value(std::move(from))}}))
        .get();
  }
  std::unique_ptr<EventSource> events(std::string_view type = "TRIM_HORIZON", std::string_view number = {}) {
    auto answer = subscribe(type, number);
    EXPECT_TRUE(answer) << answer.error().message;
    return std::move(answer->events);
  }
  static Pulled pull(EventSource& source) {
    std::promise<EventSource::Event> promise;
    auto future = promise.get_future();
    source.next(
        [promise = std::move(promise)](EventSource::Event event) mutable { promise.set_value(std::move(event)); });
    return future;
  }
  static std::string text_of(Pulled pulled) {
    auto event = pulled.get();
    if (!event) return event.error().type;
    return event->value_or("the end");
  }
  // Waits until the reader waits for news, by asking the one pool for something behind its job.
  void settle() {
    for (int i = 0; i < 8; ++i) (void)kinesis_->get(kinesis_->iterator("s", "0"));
  }
  std::string arn_;
};

TEST_F(SubscribeTest, PushesWhatIsThereAndWhatComes) {
  kinesis_->put("s", "k", "one");
  const auto source = events();
  EXPECT_THAT(text_of(pull(*source)), HasSubstr("\"Data\":\"b25l\""));
  auto waiting = pull(*source);
  kinesis_->put("s", "k", "two");
  const std::string second = text_of(std::move(waiting));
  EXPECT_THAT(second, HasSubstr("\"Data\":\"dHdv\""));
  EXPECT_THAT(second, HasSubstr("\"MillisBehindLatest\":0"));
  EXPECT_THAT(second, Not(HasSubstr("ChildShards")));
}

TEST_F(SubscribeTest, GoesOnBehindTheContinuationNumber) {
  kinesis_->put("s", "k", "one");
  std::string number;
  {
    const auto source = events();
    number = between(text_of(pull(*source)), "ContinuationSequenceNumber\":\"", "\"");
  }
  kinesis_->put("s", "k", "two");
  const auto source = events("AFTER_SEQUENCE_NUMBER", number);
  const std::string event = text_of(pull(*source));
  EXPECT_THAT(event, HasSubstr("dHdv"));
  EXPECT_THAT(event, Not(HasSubstr("b25l")));
}

TEST_F(SubscribeTest, SaysSomethingEveryFiveSeconds) {
  const auto source = events();
  auto waiting = pull(*source);
  settle();
  kinesis_->pass(4999ms);
  settle();
  EXPECT_NE(waiting.wait_for(0s), std::future_status::ready);
  kinesis_->pass(1ms);
  const std::string event = text_of(std::move(waiting));
  EXPECT_THAT(event, HasSubstr(R"("Records":[])"));
  EXPECT_THAT(event, HasSubstr("ContinuationSequenceNumber"));
}

TEST_F(SubscribeTest, EndsAfterFiveMinutes) {
  const auto source = events();
  clock_.advance(5min);
  EXPECT_EQ(text_of(pull(*source)), "the end");
}

TEST_F(SubscribeTest, EndsBehindTheLastRecordWithTheChildren) {
  kinesis_->put("s", "k", "one");
  const auto source = events();
  EXPECT_THAT(text_of(pull(*source)), HasSubstr("b25l"));
  auto waiting = pull(*source);
  kinesis_->ask("SplitShard",
                {{"StreamName", text("s")}, {"ShardToSplit", text("0")}, {"NewStartingHashKey", text("5")}});
  kinesis_->pass(500ms);
  const std::string last = text_of(std::move(waiting));
  EXPECT_THAT(last, HasSubstr(R"("ChildShards":[{"ShardId":"shardId-000000000001")"));
  EXPECT_THAT(last, Not(HasSubstr("ContinuationSequenceNumber")));
  EXPECT_EQ(text_of(pull(*source)), "the end");
}

TEST_F(SubscribeTest, LetsALaterOneTakeOver) {
  const auto first = events();
  auto waiting = pull(*first);
  const auto refused = subscribe();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().type, "ResourceInUseException");
  clock_.advance(5s);
  const auto second = events();
  // After five seconds an event without records is due, too: it may come before the end.
  std::string last = text_of(std::move(waiting));
  if (last != "the end") last = text_of(pull(*first));
  EXPECT_EQ(last, "the end");
  kinesis_->put("s", "k", "one");
  EXPECT_THAT(text_of(pull(*second)), HasSubstr("b25l"));
}

TEST_F(SubscribeTest, IsFreeAgainWhenItsClientLeft) {
  (void)events();
  (void)events();
}

TEST_F(SubscribeTest, EndsWithItsConsumerAndItsStream) {
  const auto source = events();
  auto waiting = pull(*source);
  kinesis_->ask("DeregisterStreamConsumer", {{"ConsumerARN", text(arn_)}});
  EXPECT_EQ(text_of(std::move(waiting)), "ResourceNotFoundException");
  EXPECT_EQ(subscribe().error().type, "ResourceNotFoundException");
}

TEST_F(SubscribeTest, EndsWhenTheStreamIsDeleted) {
  const auto source = events();
  auto waiting = pull(*source);
  settle();
  (void)log_.delete_topic("s");
  EXPECT_EQ(text_of(std::move(waiting)), "ResourceNotFoundException");
}

TEST_F(SubscribeTest, OutlivesTheOperationsHarmlessly) {
  const auto source = events();
  auto waiting = pull(*source);
  kinesis_.reset();
  EXPECT_EQ(text_of(std::move(waiting)), "the end");
  EXPECT_EQ(text_of(pull(*source)), "the end");
}

}  // namespace
}  // namespace pinflow::doors::kinesis
