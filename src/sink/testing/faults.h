#pragma once

#include <atomic>
#include <cstdint>

#include "log/log.h"
#include "log/share.h"
#include "objects/object_store.h"

namespace pinflow::sink::testing {

// Burns at the nth call that passes it; from then on every call fails: the process that made them is dead, or
// the machine behind them away. The burning call itself happens first or not, so that both sides of each step
// are tried.
class Fuse {
 public:
  enum class Burns { kBefore, kAfter };
  // Lets `calls` calls pass.
  void set(std::int64_t calls, Burns burns) {
    left_ = calls;
    burns_ = burns;
  }
  void disarm() { left_ = INT64_MAX; }
  bool burnt() const { return left_ < 0; }

  template <class Call>
  auto pass(Call call) -> decltype(call()) {
    const std::int64_t left = left_.fetch_sub(1);
    if (left > 0) return call();
    if (left == 0 && burns_ == Burns::kAfter) (void)call();
    return fail(ErrorCode::kUnavailable, "the fuse is burnt");
  }

 private:
  std::atomic<std::int64_t> left_{INT64_MAX};
  Burns burns_ = Burns::kBefore;
};

class FusedStore final : public objects::ObjectStore {
 public:
  FusedStore(objects::ObjectStore& inner, Fuse& fuse) : inner_(inner), fuse_(fuse) {}
  Result<void> put(const std::string& name, std::string_view bytes) override {
    return fuse_.pass([&] { return inner_.put(name, bytes); });
  }
  Result<void> put_new(const std::string& name, std::string_view bytes) override {
    return fuse_.pass([&] { return inner_.put_new(name, bytes); });
  }
  Result<void> put_file(const std::string& name, const disk::Path& local) override {
    return fuse_.pass([&] { return inner_.put_file(name, local); });
  }
  Result<std::string> get(const std::string& name) override {
    return fuse_.pass([&] { return inner_.get(name); });
  }
  Result<objects::ObjectInfo> describe(const std::string& name) override {
    return fuse_.pass([&] { return inner_.describe(name); });
  }
  Result<std::vector<objects::ObjectInfo>> list(const std::string& prefix, const std::string& after,
                                                std::size_t limit) override {
    return fuse_.pass([&] { return inner_.list(prefix, after, limit); });
  }
  Result<void> remove(const std::string& name) override {
    return fuse_.pass([&] { return inner_.remove(name); });
  }
  Result<disk::Path> local_copy(const std::string& name) override {
    return fuse_.pass([&] { return inner_.local_copy(name); });
  }
  Result<disk::Path> scratch(std::string_view suffix) override {
    return fuse_.pass([&] { return inner_.scratch(suffix); });
  }

 private:
  objects::ObjectStore& inner_;
  Fuse& fuse_;
};

class FusedLog final : public log::Log {
 public:
  FusedLog(log::Log& inner, Fuse& fuse) : inner_(inner), fuse_(fuse) {}
  Result<log::Topic> create_topic(const log::TopicSpec& spec) override { return inner_.create_topic(spec); }
  Result<void> delete_topic(const std::string& name) override { return inner_.delete_topic(name); }
  Result<log::Topic> add_partitions(const std::string& topic, std::int32_t total) override {
    return inner_.add_partitions(topic, total);
  }
  Result<log::Topic> alter_topic(const std::string& topic,
                                 std::vector<std::pair<std::string, std::string>> configs) override {
    return inner_.alter_topic(topic, std::move(configs));
  }
  Result<log::Offset> delete_records(const log::TopicPartition& partition, log::Offset before) override {
    return inner_.delete_records(partition, before);
  }
  Result<log::Topic> topic(const std::string& name) override { return inner_.topic(name); }
  std::vector<log::Topic> topics() override { return inner_.topics(); }
  void produce(const std::string& topic, log::PartitionId partition, std::vector<log::Record> records,
               log::ProduceDone done) override {
    inner_.produce(topic, partition, std::move(records), std::move(done));
  }
  void produce_once(const std::string& topic, log::RequestMark mark, std::vector<log::Record> records,
                    std::vector<log::PartitionId> partitions, log::ProduceDone done) override {
    inner_.produce_once(topic, mark, std::move(records), std::move(partitions), std::move(done));
  }
  Result<std::vector<log::FetchedPartition>> fetch(const log::FetchRequest& request, std::stop_token stop) override {
    return fuse_.pass([&] { return inner_.fetch(request, stop); });
  }
  Result<log::OffsetRange> offsets(const log::TopicPartition& partition) override {
    return fuse_.pass([&] { return inner_.offsets(partition); });
  }
  Result<std::optional<log::TimedOffset>> find_time(const log::TopicPartition& partition, WallTime time) override {
    return fuse_.pass([&] { return inner_.find_time(partition, time); });
  }
  std::unique_ptr<log::Watch> watch(std::span<const log::FetchPosition> positions,
                                    std::move_only_function<void()> ready) override {
    return inner_.watch(positions, std::move(ready));
  }
  Result<void> commit_offsets(const std::string& group, const std::vector<log::GroupOffset>& offsets) override {
    return fuse_.pass([&] { return inner_.commit_offsets(group, offsets); });
  }
  Result<std::vector<log::GroupOffset>> committed_offsets(const std::string& group) override {
    return fuse_.pass([&] { return inner_.committed_offsets(group); });
  }
  Result<std::unique_ptr<log::Share>> join(const std::string& group, const std::vector<std::string>& topics) override {
    return inner_.join(group, topics);
  }

 private:
  log::Log& inner_;
  Fuse& fuse_;
};

}  // namespace pinflow::sink::testing
