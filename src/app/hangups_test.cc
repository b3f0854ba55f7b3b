#include "app/hangups.h"

#include <gtest/gtest.h>

namespace pinflow::app {
namespace {

TEST(Hangups, DoWhatIsSetAndNothingOnceItIsTakenBack) {
  Hangups hangups;
  int done = 0;
  EXPECT_FALSE(hangups.fire());
  hangups.set([&] { ++done; });
  EXPECT_TRUE(hangups.fire());
  EXPECT_TRUE(hangups.fire());
  hangups.set({});
  EXPECT_FALSE(hangups.fire());
  EXPECT_EQ(done, 2);
}

}  // namespace
}  // namespace pinflow::app
