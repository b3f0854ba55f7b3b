// kill -9 of the whole process at random moments under load, over HTTP and over Kafka: what was acknowledged is there, nothing is
// there twice. The Kafka producers live through the kills and send again what got no answer; HTTP posters do not.

#include <cstdlib>
#include <map>
#include <set>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "kafka_load.h"
#include "posting_load.h"
#include "running_pinflow.h"
#include "stored_data.h"

namespace pinflow::testing {
namespace {

int kills_wanted() {
  const char* text = std::getenv("PINFLOW_KILLS");
  return text != nullptr ? std::atoi(text) : 20;
}

// The post numbers in the values of a topic.
std::multiset<std::int64_t> inds_of(const std::vector<std::string>& values) {
  std::multiset<std::int64_t> inds;
  for (const std::string& value : values) inds.insert(std::stoll(value.substr(value.find(':') + 1)));
  return inds;
}

TEST(KilledAtRandomMoments, NothingAcknowledgedIsLostAndNothingIsDoubled) {
  const char* seed_text = std::getenv("PINFLOW_SEED");
  const std::uint64_t seed = seed_text != nullptr ? std::strtoull(seed_text, nullptr, 10) : entropy_seed();
  fmt::print("PINFLOW_SEED={} repeats the moments\n", seed);
  Random random(seed);
  const TemporaryFolder folder;
  const auto data = folder / "data";
  const records::Names names;

  const std::uint16_t kafka_port = free_port();
  const std::vector<std::string> kafka = {"--set", fmt::format("kafka.port={}", kafka_port)};
  std::vector<std::string> arguments = {"--set", "sink.flush_size=50", "--set", "sink.rotate_interval=300ms"};
  arguments.insert(arguments.end(), kafka.begin(), kafka.end());
  constexpr std::int64_t kFirstOfKafka = 1'000'000'000;
  constexpr std::size_t kPosters = 4;
  constexpr std::size_t kProducers = 4;
  std::optional<KafkaLoad> kafka_load;

  std::map<std::string, std::set<std::int64_t>> acknowledged;
  std::int64_t next_ind = 0;
  for (int kill = 0; kill < kills_wanted(); ++kill) {
    RunningPinflow pinflow(data, arguments);
    PostingLoad load(pinflow.url(), next_ind, kPosters);
    if (!kafka_load) kafka_load.emplace(kafka_port, kFirstOfKafka, kProducers);
    load.wait_for_acknowledged(50 + random.below(1500));
    pinflow.kill_now();
    load.stop();
    next_ind = load.next_ind();
    for (const records::Kind kind : records::kKinds) {
      for (const std::string& topic : {names.topic(kind), names.stream(kind)}) {
        acknowledged[topic].insert(load.acknowledged(topic).begin(), load.acknowledged(topic).end());
      }
    }
  }
  {
    RunningPinflow pinflow(data, kafka);
    kafka_load->finish();
    ASSERT_EQ(kafka_load->failures(), std::vector<std::string>());
    ASSERT_EQ(pinflow.stop_gracefully(), 0) << "the lanes drain before the end";
  }
  const Finished batch = run_pinflow({"batch", "run", "--data", data.string()});
  ASSERT_EQ(batch.exit_code, 0) << batch.err;

  for (auto& [topic, inds] : acknowledged) {
    const auto& more = kafka_load->acknowledged(topic);
    inds.insert(more.begin(), more.end());
  }
  StoredData stored(data);
  for (const records::Kind kind : records::kKinds) {
    const std::string topic = names.topic(kind);
    const std::string stream = names.stream(kind);
    const std::string table = names.table(kind);
    SCOPED_TRACE(topic);
    for (const std::string& name : {topic, stream}) {
      const auto inds = inds_of(stored.topic(name));
      ASSERT_EQ(inds.size(), std::set<std::int64_t>(inds.begin(), inds.end()).size())
          << "a post of " << name << " is doubled";
      for (const std::int64_t ind : acknowledged[name]) {
        ASSERT_EQ(inds.count(ind), 1U) << "post " << ind << " of " << name << " is lost or doubled";
      }
      fmt::print("{}: {} acknowledged, {} in the log\n", name, acknowledged[name].size(), inds.size());
    }
    // Batch lane: each record of the topic in one object, each post in one row.
    const auto lines = stored.sunk(topic);
    EXPECT_EQ(inds_of(lines), inds_of(stored.topic(topic)));
    const std::string batch_table = fmt::format("batch_{}", records::to_string(kind));
    EXPECT_EQ(stored.count("SELECT count(*) FROM {" + batch_table + "}"), static_cast<std::int64_t>(lines.size()));
    // Stream lane: each record of the stream in one row.
    const auto in_log = static_cast<std::int64_t>(stored.topic(stream).size());
    EXPECT_EQ(stored.count("SELECT count(*) FROM {" + table + "}"), in_log);
    EXPECT_EQ(stored.count("SELECT count(DISTINCT (source_partition, source_offset)) FROM {" + table + "}"), in_log);
    EXPECT_EQ(stored.count("SELECT count(DISTINCT ind) FROM {" + table + "}"), in_log);
  }
  EXPECT_EQ(stored.count("SELECT count(*) FROM {dead_letters}"), 0);
}

}  // namespace
}  // namespace pinflow::testing
