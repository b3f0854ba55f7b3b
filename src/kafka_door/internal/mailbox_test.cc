#include "kafka_door/internal/mailbox.h"

#include <gtest/gtest.h>

namespace pinflow::kafka_door::internal {

namespace {
struct MailboxTest : testing::Test {
  int wakes = 0;
  Mailbox mailbox{[this] { ++wakes; }};
};
}  // namespace

TEST_F(MailboxTest, HandsAnAnswerOfTheRequestInHandBackAtOnce) {
  mailbox.begin_direct(1);
  mailbox.deliver({.connection = 1, .request = 7}, Answer::nothing());
  const auto direct = mailbox.end_direct();
  ASSERT_EQ(direct.size(), 1U);
  EXPECT_EQ(direct[0].ticket.request, 7U);
  EXPECT_EQ(wakes, 0);
  EXPECT_TRUE(mailbox.drain().empty());
}

TEST_F(MailboxTest, SendsTheAnswerOfAnotherConnectionByTheLoopsQueue) {
  mailbox.begin_direct(1);
  mailbox.deliver({.connection = 2, .request = 7}, Answer::nothing());
  EXPECT_TRUE(mailbox.end_direct().empty());
  EXPECT_EQ(wakes, 1);
  const auto waiting = mailbox.drain();
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting[0].ticket.connection, 2U);
}

TEST_F(MailboxTest, WakesOnceForAllThatWaits) {
  mailbox.deliver({.connection = 1, .request = 1}, Answer::nothing());
  mailbox.deliver({.connection = 2, .request = 1}, std::nullopt);
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(mailbox.drain().size(), 2U);
  mailbox.close();
  mailbox.deliver({.connection = 1, .request = 2}, Answer::nothing());
  EXPECT_EQ(wakes, 1);
  EXPECT_TRUE(mailbox.drain().empty());
}

}  // namespace pinflow::kafka_door::internal
