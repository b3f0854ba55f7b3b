#include "live/condensed_intake.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "live/merged_state.h"

namespace pinflow::live {

using log::Offset;
using log::PartitionId;
using log::TopicPartition;

namespace {

class CondensedIntake final : public Intake {
 public:
  CondensedIntake(const StateOptions& options, const CondensedTopic& topic, records::Names names, log::Log& log,
                  Logger& logger)
      : topic_(topic),
        topics_{topic.name},
        names_(names),
        allowed_lateness_(options.allowed_lateness),
        log_(log),
        logger_(logger),
        merged_(options, std::move(names)) {}

  const std::vector<std::string>& topics() const override { return topics_; }

  Result<ReadingPlace> follow(const TopicPartition& partition, const log::Topic& topic) override {
    TRY(check_condensed(topic_, topic));
    if (topic.id != id_)
      places_.clear();  // Made anew: what the old one brought stays, and coming again changes nothing.
    id_ = topic.id;
    Place& place = places_[partition.partition];
    return ReadingPlace{&place.next, &place.newest};
  }

  Result<void> read(const log::FetchedPartition& fetched, WallTime) override {
    read_.clear();
    place_ = &places_[fetched.partition.partition];
    // The texts stay in `fetched`, which outlives apply().
    for (const log::StoredRecord& record : fetched.records) {
      auto what = decode_condensed(record);
      if (what) {
        read_.push_back(*what);
      } else if (what.error().code == ErrorCode::kInvalid) {
        return fail(std::move(what).error());
      } else if (!told_) {
        told_ = true;
        logger_.warning("the topic of condensed streams has records that are none; they are passed over",
                        {{"topic", topic_.name},
                         {"partition", fetched.partition.partition},
                         {"offset", record.offset},
                         {"error", what.error().message}});
      }
    }
    return {};
  }

  void apply(SteadyTime now) override {
    for (const Condensed& what : read_) {
      if (const auto* const entry = std::get_if<CondensedEntry>(&what)) {
        merged_.take(*entry);
        place_->newest = std::max(place_->newest.value_or(entry->time), entry->time);
      } else {
        take(std::get<CondensedMark>(what), now);
      }
    }
  }
  std::size_t records() const override { return read_.size(); }

  // All of it may be read again.
  Offset go_on(Offset, const log::OffsetRange& range) const override { return range.begin; }

  std::vector<ShownPartition> shown(std::vector<ShownPartition> read) const override {
    std::vector<ShownPartition> all;
    for (const records::Kind kind : records::kKinds) {
      const auto topic = log_.topic(names_.stream(kind));
      for (std::int32_t p = 0; topic && p < topic->partitions; ++p) all.push_back(show({kind, p}, read));
    }
    std::ranges::sort(all, {}, [](const ShownPartition& shown) { return shown.progress.partition; });
    return all;
  }

  const LiveState& state() const override { return merged_.state(); }
  LiveParts& parts() override { return merged_.parts(); }

  std::string save() const override {
    StateWriter out;
    out.raw(std::string_view(reinterpret_cast<const char*>(id_.bytes.data()), id_.bytes.size()));
    out.whole(places_.size());
    for (const auto& [partition, place] : places_) {
      out.whole(static_cast<std::uint64_t>(partition.value()));
      out.whole(static_cast<std::uint64_t>(place.next.value()));
    }
    merged_.save(out);
    return std::move(out).take();
  }

  Result<void> load(std::string_view bytes) override {
    StateReader in(bytes);
    std::ranges::copy(in.raw(id_.bytes.size()), id_.bytes.begin());
    for (std::uint64_t left = in.count(2); left > 0 && in.ok(); --left) {
      const PartitionId partition(static_cast<std::int32_t>(in.below(std::uint64_t{1} << 31)));
      places_[partition].next = Offset(static_cast<std::int64_t>(in.below(std::uint64_t{1} << 63)));
    }
    if (!in.ok()) return fail(ErrorCode::kCorrupt, "the positions of a saved state cannot be read");
    TRY(merged_.load(in));
    return in.at_end() ? Result<void>()
                       : Result<void>(fail(ErrorCode::kCorrupt, "a saved state goes on after its end"));
  }
  Result<void> load_streams(std::string_view bytes) override { return merged_.begin_with(bytes); }

 private:
  struct Place {
    Offset next;
    std::optional<WallTime> newest;
  };
  struct Heard {
    SteadyTime news;
    SteadyTime mark;
  };

  void take(const CondensedMark& mark, SteadyTime now) {
    const auto known = merged_.marks().find(mark.source);
    const bool goes_on = known == merged_.marks().end() || known->second.next < mark.next;
    merged_.take(mark);
    Heard& heard = heard_[mark.source];
    heard.mark = now;
    if (goes_on) heard.news = now;
  }

  ShownPartition show(const SourcePartition& source, const std::vector<ShownPartition>& read) const {
    ShownPartition shown;
    shown.progress.partition = {names_.stream(source.kind), PartitionId(source.partition)};
    const PartitionId at = condensed_partition(source, topic_.for_each_kind);
    const auto carrier =
        std::ranges::find_if(read, [&](const ShownPartition& one) { return one.progress.partition.partition == at; });
    if (carrier != read.end()) {
      shown.progress.error = carrier->progress.error;
      shown.last_news = shown.last_heard = carrier->last_heard;
    }
    if (const auto heard = heard_.find(source); heard != heard_.end()) {
      shown.last_news = heard->second.news;
      shown.last_heard = heard->second.mark;
    }
    const auto mark = merged_.marks().find(source);
    if (mark == merged_.marks().end()) return shown;
    shown.progress.next = mark->second.next.offset;
    shown.progress.high_watermark = std::max(mark->second.high_watermark, shown.progress.next);
    shown.progress.newest = mark->second.newest;
    shown.progress.late = mark->second.late;
    shown.progress.too_late = mark->second.too_late;
    if (mark->second.newest) shown.progress.watermark = *mark->second.newest - allowed_lateness_;
    return shown;
  }

  const CondensedTopic topic_;
  const std::vector<std::string> topics_;
  const records::Names names_;
  const std::chrono::milliseconds allowed_lateness_;
  log::Log& log_;
  Logger& logger_;
  MergedState merged_;
  Uuid id_;
  std::map<PartitionId, Place> places_;
  std::map<SourcePartition, Heard> heard_;
  bool told_ = false;
  // What was read last.
  std::vector<Condensed> read_;
  Place* place_ = nullptr;
};

}  // namespace

log::TopicSpec condensed_spec(const CondensedTopic& topic) {
  return {.name = topic.name, .partitions = 3 * topic.for_each_kind, .configs = {{"cleanup.policy", "compact"}}};
}

Result<void> check_condensed(const CondensedTopic& wanted, const log::Topic& found) {
  const auto policy = std::ranges::find(found.configs, "cleanup.policy", &std::pair<std::string, std::string>::first);
  const std::string now = policy == found.configs.end() ? "delete" : policy->second;
  if (now == "delete") {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("topic {} has cleanup.policy=delete, which forgets posts and keeps all marks; live metrics need "
                    "cleanup.policy=compact (or compact,delete with a retention, which bounds how far back they look): "
                    "alter the topic if nothing of it was removed yet, else remove it, and `pinflow stream` writes it "
                    "anew. Or name another by live.topic",
                    found.name));
  }
  if (found.partitions != 3 * wanted.for_each_kind) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("topic {} has {} partitions, and live.topic_partitions = {} for each of three kinds needs {}: "
                    "set live.topic_partitions to what the topic was made with, or remove the topic while no "
                    "`pinflow stream` and `serve` run, and it is written anew",
                    found.name, found.partitions, wanted.for_each_kind, 3 * wanted.for_each_kind));
  }
  return {};
}

Result<void> make_condensed(const CondensedTopic& topic, log::Log& log) {
  auto found = log.topic(topic.name);
  if (!found && found.error().code == ErrorCode::kNotFound) {
    found = log.create_topic(condensed_spec(topic));
    if (!found && found.error().code == ErrorCode::kConflict) found = log.topic(topic.name);  // Another was quicker.
  }
  if (!found) return fail(std::move(found).error().with_context("the topic of condensed streams (live.topic)"));
  return check_condensed(topic, *found);
}

std::unique_ptr<Intake> read_condensed(const StateOptions& options, const CondensedTopic& topic, records::Names names,
                                       log::Log& log, Logger& logger) {
  return std::make_unique<CondensedIntake>(options, topic, std::move(names), log, logger);
}

}  // namespace pinflow::live
