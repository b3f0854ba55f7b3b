#include <chrono>
#include <fstream>
#include <sys/resource.h>
#include <thread>

#include <gmock/gmock.h>

#include "kafka_door/door_fixture.h"

namespace pinflow::kafka_door {
namespace {

using kafka_wire::ApiVersionsRequest;
using kafka_wire::FetchRequest;
using kafka_wire::KafkaError;
using testing::HasSubstr;

using KafkaDoorLimits = DoorFixture;

std::int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  statm >> total >> resident;
  return resident * 4096;
}

TEST_F(KafkaDoorLimits, HoldsThousandsOfIdleConnections) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const std::size_t count = std::min<std::size_t>(10'000, (files.rlim_cur - 200) / 2);
  open();
  std::vector<std::unique_ptr<TestClient>> clients;
  const std::int64_t before = resident_bytes();
  const std::string half = std::string("\x00\x00\x00\x40\x00\x03", 6);
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<TestClient>(port()));
    ASSERT_TRUE(clients.back()->connected()) << i;
    if (i % 2 == 0) clients.back()->send(half);
  }
  clients.back()->call(ApiVersionsRequest{"test", "1"}, 3);
  EXPECT_EQ(server_->connections(), count);
  // A few kilobytes each, also under a sanitizer.
  EXPECT_LT(resident_bytes() - before, static_cast<std::int64_t>(count) * 16'000);
}

TEST_F(KafkaDoorLimits, ClosesConnectionsOverTheLimit) {
  door_.limits.max_connections = 2;
  open();
  TestClient first(port());
  TestClient second(port());
  first.call(ApiVersionsRequest{"test", "1"}, 3);
  second.call(ApiVersionsRequest{"test", "1"}, 3);
  TestClient third(port());
  EXPECT_TRUE(third.is_closed());
  EXPECT_THAT(lines_.text(), HasSubstr("kafka.max_connections"));
  first.call(ApiVersionsRequest{"test", "1"}, 3);
}

TEST_F(KafkaDoorLimits, ReadsNothingForThoseWhoDoNotRead) {
  door_.limits.max_fetch = ByteCount(1 << 20);
  door_.loops = 1;
  reopen();
  create("t");
  for (int i = 0; i < 4; ++i) write("t", std::string(900'000, 'x'));
  open();
  // Forty requests for a megabyte each, on connections that read nothing: one answer each at most is in memory.
  std::vector<std::unique_ptr<TestClient>> clients;
  const std::int64_t before = resident_bytes();
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<TestClient>(port(), 4096));
    std::string all;
    for (int k = 0; k < 20; ++k) all += clients.back()->encode(fetch_request("t", 0), 11);
    clients.back()->send(all);
  }
  TestClient quick(port());
  const auto answer = quick.call(fetch_request("t", 3), 11);
  EXPECT_EQ(values_of(*answer.topics[0].partitions[0].records).size(), 1u);
  EXPECT_LT(resident_bytes() - before, 60 << 20);
  for (const auto& client : clients) {
    EXPECT_EQ(values_of(*client->receive_response<FetchRequest>(11, 19).topics[0].partitions[0].records).size(), 1u);
  }
}

TEST_F(KafkaDoorLimits, PausesReadingWhenMemoryIsUsedUpAndFailsNobody) {
  door_.limits.max_memory = ByteCount(1 << 20);
  reopen();
  create("t");
  open();
  const std::string records = batch({std::string(900'000, 'x')});
  std::vector<std::thread> writers;
  std::atomic<int> stored = 0;
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back([&] {
      TestClient client(port());
      for (int k = 0; k < 5; ++k) {
        const auto answer = client.call(produce_request("t", records), 7);
        if (!answer.topics.empty() && answer.topics[0].partitions[0].error_code == KafkaError::kNone) ++stored;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(stored, 40);
}

TEST_F(KafkaDoorLimits, ClosesThoseWhoStopInTheMiddleAndThoseWhoSayNothing) {
  door_.limits.transfer_timeout = std::chrono::milliseconds(50);
  door_.limits.idle_timeout = std::chrono::milliseconds(300);
  open();
  TestClient slow(port());
  slow.send(std::string("\x00\x00\x00\x40\x00\x03", 6));
  EXPECT_TRUE(slow.is_closed());
  EXPECT_THAT(lines_.text(), HasSubstr("no byte of a request"));
  TestClient idle(port());
  idle.call(ApiVersionsRequest{"test", "1"}, 3);
  EXPECT_FALSE(idle.has_bytes(100));
  EXPECT_TRUE(idle.is_closed());
}

TEST_F(KafkaDoorLimits, ClosesThoseWhoDoNotLogIn) {
  door_.users = {{"kate", "secret"}};
  door_.limits.authentication_timeout = std::chrono::milliseconds(50);
  open();
  TestClient client(port());
  client.call(ApiVersionsRequest{"test", "1"}, 3);
  EXPECT_TRUE(client.is_closed());
  EXPECT_THAT(lines_.text(), HasSubstr("did not authenticate"));
}

TEST_F(KafkaDoorLimits, RefusesFramesOverTheLimit) {
  door_.limits.max_request = ByteCount(1'000);
  open();
  TestClient client(port());
  client.send_frame(std::string(1'001, 'x'));
  EXPECT_TRUE(client.is_closed());
  EXPECT_THAT(lines_.text(), HasSubstr("1001"));
}

}  // namespace
}  // namespace pinflow::kafka_door
