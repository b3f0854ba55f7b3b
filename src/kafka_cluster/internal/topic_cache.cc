#include "kafka_cluster/internal/topic_cache.h"

#include <algorithm>

#include "aws/digest.h"

namespace pinflow::kafka_cluster {
namespace {

constexpr std::chrono::milliseconds kLeastBetweenLooks{500};

}  // namespace

TopicCache::TopicCache(Admin& admin, const Cluster& cluster) : admin_(admin), cluster_(cluster) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

TopicCache::~TopicCache() {
  thread_.request_stop();
  thread_.join();
}

void TopicCache::run(const std::stop_token& stop) {
  bool failing = false;
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, stop, cluster_.options.metadata_interval, [&] { return missed_; });
      // Not more often than this, however often a name is missed.
      wake_.wait_for(lock, stop, kLeastBetweenLooks, [] { return false; });
      missed_ = false;
    }
    if (stop.stop_requested()) return;
    const auto refreshed = refresh();
    if (!refreshed && !failing)
      cluster_.logger.warning("The Kafka cluster does not answer; what was known of its topics stays",
                              {{"error", refreshed.error().message}});
    if (refreshed && failing) cluster_.logger.info("The Kafka cluster answers again");
    failing = !refreshed;
  }
}

Result<void> TopicCache::refresh() {
  const std::scoped_lock one(refreshing_);
  TRY_ASSIGN(const auto shapes, admin_.list_topics());
  if (!cluster_id_) cluster_id_ = admin_.cluster_id();  // Once: ids of topics are made of it.
  adopt(shapes);
  read_settings();
  return {};
}

void TopicCache::adopt(const std::vector<TopicShape>& shapes) {
  const std::scoped_lock lock(mutex_);
  std::map<std::string, Entry, std::less<>> now;
  for (const TopicShape& shape : shapes) {
    const auto known = topics_.find(shape.name);
    // Topics never lose partitions: it was deleted and made again.
    const bool is_same = known != topics_.end() && known->second.topic.partitions <= shape.partitions;
    if (known != topics_.end() && !is_same) ++lives_[shape.name];
    Entry entry = is_same ? known->second : Entry{};
    if (!is_same) {
      entry.topic.name = shape.name;
      entry.topic.id = id_of(shape.name);
    }
    entry.topic.partitions = shape.partitions;
    entry.has_leaders = shape.has_leaders;
    now.emplace(shape.name, std::move(entry));
  }
  for (const auto& [name, entry] : topics_) {
    if (!now.contains(name)) ++lives_[name];
  }
  topics_ = std::move(now);
}

void TopicCache::read_settings() {
  std::vector<std::string> names;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [name, entry] : topics_) {
      if (!entry.has_settings) names.push_back(name);
    }
  }
  if (names.empty()) return;
  const auto settings = admin_.topic_settings(names);
  const std::scoped_lock lock(mutex_);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto entry = topics_.find(names[i]);
    // Who may not see them does without. A topic that came just now is asked for again.
    if (entry == topics_.end() || (settings && !(*settings)[i])) continue;
    entry->second.has_settings = true;
    if (!settings) continue;
    entry->second.topic.configs = (*settings)[i]->own;
    entry->second.max_message_bytes = (*settings)[i]->max_message_bytes;
  }
}

Uuid TopicCache::id_of(const std::string& name) const {
  const auto lives = lives_.find(name);
  const std::string digest =
      aws::sha256(fmt::format("{}\n{}\n{}", cluster_id_.value_or(""), name, lives == lives_.end() ? 0 : lives->second));
  Uuid id;
  std::copy_n(digest.begin(), id.bytes.size(), id.bytes.begin());
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0fU) | 0x80U);  // Version 8: of our own making.
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3fU) | 0x80U);
  return id;
}

Result<log::Topic> TopicCache::topic(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  const auto found = topics_.find(name);
  if (found != topics_.end()) return found->second.topic;
  missed_ = true;
  wake_.notify_all();
  return fail(ErrorCode::kNotFound, fmt::format("there is no topic '{}' on the Kafka cluster", name));
}

std::vector<log::Topic> TopicCache::topics() const {
  const std::scoped_lock lock(mutex_);
  std::vector<log::Topic> all;
  all.reserve(topics_.size());
  for (const auto& [name, entry] : topics_) all.push_back(entry.topic);
  return all;
}

Result<void> TopicCache::check(const log::TopicPartition& partition) {
  const std::scoped_lock lock(mutex_);
  const auto found = topics_.find(partition.topic);
  if (found == topics_.end()) {
    missed_ = true;
    wake_.notify_all();
    return fail(ErrorCode::kNotFound, fmt::format("there is no topic '{}' on the Kafka cluster", partition.topic));
  }
  if (partition.partition >= log::PartitionId(0) && partition.partition.value() < found->second.topic.partitions)
    return {};
  return fail(ErrorCode::kNotFound, fmt::format("topic {} has no partition {}", partition.topic, partition.partition));
}

Result<log::Topic> TopicCache::wait_for(const std::string& name, std::int32_t partitions) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + cluster_.options.call_timeout;
  while (true) {
    TRY(refresh());
    std::unique_lock lock(mutex_);
    const auto found = topics_.find(name);
    if (found != topics_.end() && found->second.has_leaders && found->second.has_settings &&
        found->second.topic.partitions >= partitions)
      return found->second.topic;
    if (std::chrono::steady_clock::now() > deadline) break;
    // The brokers learn of a topic one after the other and say nothing when they have.
    wake_.wait_for(lock, std::chrono::milliseconds(50));
  }
  return fail(ErrorCode::kUnavailable,
              fmt::format("the Kafka cluster took the order, but topic {} is not ready after {} ms", name,
                          cluster_.options.call_timeout.count()));
}

Result<void> TopicCache::wait_until_gone(const std::string& name) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + cluster_.options.call_timeout;
  while (true) {
    TRY(refresh());
    std::unique_lock lock(mutex_);
    if (!topics_.contains(name)) return {};
    if (std::chrono::steady_clock::now() > deadline) break;
    wake_.wait_for(lock, std::chrono::milliseconds(50));
  }
  return fail(ErrorCode::kUnavailable,
              fmt::format("the Kafka cluster took the order, but topic {} is still there after {} ms", name,
                          cluster_.options.call_timeout.count()));
}

void TopicCache::forget_settings(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  if (const auto found = topics_.find(name); found != topics_.end()) found->second.has_settings = false;
}

void TopicCache::doubt_settings(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  const auto found = topics_.find(name);
  if (found == topics_.end()) return;
  found->second.has_settings = false;
  missed_ = true;
  wake_.notify_all();
}

std::optional<std::size_t> TopicCache::max_message_bytes(const std::string& name) const {
  const std::scoped_lock lock(mutex_);
  const auto found = topics_.find(name);
  return found == topics_.end() ? std::nullopt : found->second.max_message_bytes;
}

}  // namespace pinflow::kafka_cluster
