#include "kafka_door/internal/conversation.h"

#include <cstring>

#include <gmock/gmock.h>

namespace pinflow::kafka_door::internal {
namespace {

// Requests are named by a letter; those of Produce have small ones.
class ConversationTest : public testing::Test {
 protected:
  void receive(std::string_view names) {
    std::string bytes;
    for (const char name : names) {
      const bool produce = name >= 'a';
      bytes += std::string("\x00\x00\x00\x09\x00", 5) + (produce ? '\x00' : '\x03') + std::string(6, '\0') + name;
    }
    auto block = std::make_shared<Block>(4096);
    std::memcpy(block->bytes.get(), bytes.data(), bytes.size());
    talk_.reader().receive(block, bytes.size());
  }
  // Starts what may start; gives its names.
  std::string start() {
    std::string names;
    while (auto next = talk_.next()) {
      names += next->frame.bytes.back();
      last_ = next->request;
    }
    talk_.reader().settle();
    return names;
  }
  void answer(std::uint64_t request, std::string text) {
    kafka_wire::EncodedFrame frame;
    frame.bytes = std::move(text);
    talk_.answer(request, Answer::send(std::move(frame)));
  }
  // Sends all output.
  std::string sent() {
    std::string all;
    while (!talk_.output().empty()) {
      const std::string_view piece = talk_.output().front().pieces.front();
      const std::size_t count = std::min<std::size_t>(piece.size(), 2);
      all += piece.substr(0, count);
      talk_.sent(count);
    }
    return all;
  }

  Conversation talk_{1000, 3};
  std::uint64_t last_ = 0;
};

TEST_F(ConversationTest, StartsOneRequestAfterTheOther) {
  receive("ABC");
  EXPECT_EQ(start(), "A");
  EXPECT_FALSE(talk_.wants_bytes());
  answer(0, "one");
  EXPECT_EQ(start(), "") << "its answer has not left yet";
  EXPECT_EQ(sent(), "one");
  EXPECT_EQ(start(), "B");
  answer(1, "two");
  EXPECT_EQ(sent(), "two");
  EXPECT_EQ(start(), "C");
  answer(2, "three");
  EXPECT_EQ(sent(), "three");
  EXPECT_TRUE(talk_.wants_bytes());
  EXPECT_TRUE(talk_.idle());
  EXPECT_EQ(talk_.held_bytes(), 0u);
}

TEST_F(ConversationTest, StartsProduceBesidesProduceUpToItsBound) {
  receive("abcdE");
  EXPECT_EQ(start(), "abc");
  EXPECT_FALSE(talk_.wants_bytes());
  answer(2, "3");
  answer(1, "2");
  EXPECT_EQ(sent(), "") << "the first is not answered";
  EXPECT_EQ(start(), "");
  answer(0, "1");
  EXPECT_EQ(sent(), "123");
  EXPECT_EQ(start(), "d");
  talk_.answer(3, Answer::nothing());
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(start(), "E");
}

TEST_F(ConversationTest, EndsAfterTheAnswersBeforeAClose) {
  receive("abc");
  EXPECT_EQ(start(), "abc");
  talk_.answer(1, Answer::close("why"));
  EXPECT_FALSE(talk_.over());
  answer(0, "1");
  EXPECT_FALSE(talk_.over()) << "the first answer is still to be sent";
  EXPECT_EQ(sent(), "1");
  EXPECT_TRUE(talk_.over());
  EXPECT_EQ(talk_.reason(), "why");
  answer(2, "late");
  EXPECT_EQ(sent(), "");
}

TEST_F(ConversationTest, FinishesWhatIsStarted) {
  receive("AB");
  EXPECT_EQ(start(), "A");
  talk_.finish();
  EXPECT_FALSE(talk_.over());
  answer(0, "1");
  EXPECT_EQ(sent(), "1");
  EXPECT_EQ(start(), "");
  EXPECT_TRUE(talk_.over());
}

TEST_F(ConversationTest, KeepsBorrowedRecordsUntilTheyAreSent) {
  receive("A");
  EXPECT_EQ(start(), "A");
  Answer answer;
  answer.records.emplace_back(2'000, 'r');
  answer.frame.bytes = "<>";
  answer.frame.borrowed.push_back({1, answer.records.back()});
  talk_.answer(0, std::move(answer));
  EXPECT_EQ(talk_.held_bytes(), 2'002u);
  EXPECT_EQ(sent(), "<" + std::string(2'000, 'r') + ">");
  EXPECT_EQ(talk_.held_bytes(), 0u);
}

}  // namespace
}  // namespace pinflow::kafka_door::internal
