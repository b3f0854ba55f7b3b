#include "app/pipeline_metrics.h"

#include <map>

namespace pinflow::app {

namespace {

using doors::MetricsWriter;
using enum MetricsWriter::Type;

// How many records each group has still to read, of partitions that it has a position in.
void write_group_lag(MetricsWriter& out, log::EmbeddedLog& log,
                     const std::map<log::TopicPartition, log::OffsetRange>& ranges) {
  out.family("pinflow_group_lag_records", kGauge, "Records that a consumer group has still to read.");
  for (const std::string& group : log.groups()) {
    const auto positions = log.committed_offsets(group);
    if (!positions) continue;
    for (const log::GroupOffset& position : *positions) {
      const auto range = ranges.find(position.partition);
      if (range == ranges.end()) continue;
      const std::int64_t lag = range->second.end - std::max(position.offset, range->second.begin);
      out.sample({{"group", group},
                  {"topic", position.partition.topic},
                  {"partition", fmt::format("{}", position.partition.partition)}},
                 std::max<std::int64_t>(lag, 0));
    }
  }
}

}  // namespace

void write_log_metrics(MetricsWriter& out, log::EmbeddedLog& log, const std::string& durability) {
  std::map<log::TopicPartition, log::OffsetRange> ranges;
  for (const log::Topic& topic : log.topics()) {
    for (std::int32_t id = 0; id < topic.partitions; ++id) {
      const log::TopicPartition name{topic.name, log::PartitionId(id)};
      if (const auto range = log.offsets(name)) ranges.emplace(name, *range);
    }
  }
  out.family("pinflow_log_durability", kGauge, "When a record is acknowledged: the level with value 1.");
  for (const std::string_view level : {"power", "interval", "os"})
    out.sample({{"level", level}}, std::int64_t{level == durability});
  const log::RecoveryReport& recovery = log.recovery();
  out.family("pinflow_log_torn_bytes_cut", kGauge, "Bytes of unfinished writes that the last start cut.")
      .sample({}, recovery.torn_bytes_cut);
  out.family("pinflow_log_damage", kGauge, "Places that the last start found damaged; pinflow log verify names them.")
      .sample({}, std::uint64_t{recovery.damage.size()});
  out.family("pinflow_log_begin_offset", kGauge, "First offset that is still in the log.");
  for (const auto& [name, range] : ranges)
    out.sample({{"topic", name.topic}, {"partition", fmt::format("{}", name.partition)}}, range.begin.value());
  out.family("pinflow_log_end_offset", kGauge, "Offset after the last durable record (the high watermark).");
  for (const auto& [name, range] : ranges)
    out.sample({{"topic", name.topic}, {"partition", fmt::format("{}", name.partition)}}, range.end.value());
  write_group_lag(out, log, ranges);
}

void write_sink_metrics(MetricsWriter& out, const sink::SinkStatus& status) {
  out.family("pinflow_sink_objects_total", kCounter, "Objects put since the start.").sample({}, status.objects);
  out.family("pinflow_sink_records_total", kCounter, "Records put since the start.").sample({}, status.records);
  out.family("pinflow_sink_bytes_total", kCounter, "Bytes put since the start.").sample({}, status.bytes);
}

void write_stream_metrics(MetricsWriter& out, const std::vector<stream::TableStatus>& status) {
  const auto family = [&](std::string_view name, MetricsWriter::Type type, std::string_view help, auto value) {
    out.family(name, type, help);
    for (const stream::TableStatus& table : status) out.sample({{"table", table.table}}, value(table));
  };
  family("pinflow_stream_records_total", kCounter, "Records taken into a table since the start.",
         [](const auto& table) { return table.records; });
  family("pinflow_stream_dead_letters_total", kCounter, "Records that could not be rows, since the start.",
         [](const auto& table) { return table.dead_letters; });
  family("pinflow_stream_commits_total", kCounter, "Commits to a table since the start.",
         [](const auto& table) { return table.commits; });
  family("pinflow_stream_rows", kGauge, "Rows of a table.", [](const auto& table) { return table.rows; });
  out.family("pinflow_stream_unknown_members_total", kCounter,
             "Members that no column takes, in records taken in since the start, by name.");
  for (const stream::TableStatus& table : status) {
    for (const records::UnknownMember& member : table.unknown_members)
      out.sample({{"table", table.table}, {"member", member.name}}, member.times);
  }
  family("pinflow_stream_other_unknown_members_total", kCounter,
         "The same under further names, where there are too many to list.",
         [](const auto& table) { return table.other_unknown_members; });
}

void write_kinesis_source_metrics(MetricsWriter& out, const std::vector<kinesis_source::StreamCopyStatus>& status) {
  out.family("pinflow_kinesis_source_records_total", kCounter,
             "Records copied from a stream of Kinesis since the start.");
  for (const auto& stream : status) out.sample({{"stream", stream.stream}}, stream.records);
  out.family("pinflow_kinesis_source_behind_milliseconds", kGauge,
             "How old the next record of a shard is, as Kinesis last said.");
  for (const auto& stream : status) {
    for (const auto& shard : stream.shards) {
      if (!shard.finished)
        out.sample({{"stream", stream.stream}, {"shard", shard.shard}},
                   static_cast<std::int64_t>(shard.behind.count()));
    }
  }
}

void write_refused_metrics(doors::MetricsWriter& out, const doors::RefusedCounts& refused) {
  out.family("pinflow_http_refused_total", kCounter, "Requests turned away before a door saw them, since the start.")
      .sample({{"why", "credentials"}}, refused.credentials)
      .sample({{"why", "guessing"}}, refused.guessing)
      .sample({{"why", "rights"}}, refused.rights)
      .sample({{"why", "rates"}}, refused.rates)
      .sample({{"why", "origins"}}, refused.origins);
}

void write_condenser_metrics(MetricsWriter& out, const live::CondenserStatus& status) {
  out.family("pinflow_live_condensed_partitions", kGauge, "Partitions of the streams that this process condenses.")
      .sample({{"state", "running"}}, std::uint64_t{status.partitions})
      .sample({{"state", "loading"}}, std::uint64_t{status.loading});
  out.family("pinflow_live_condensed_records_total", kCounter, "Records condensed since the start.")
      .sample({}, status.records);
  out.family("pinflow_live_condensed_entries_total", kCounter, "What was stored of them.").sample({}, status.entries);
}

void write_live_metrics(MetricsWriter& out, const live::LiveStatus& status) {
  out.family("pinflow_live_posts_total", kCounter, "Posts counted.").sample({}, status.posts);
  out.family("pinflow_live_passed_over_total", kCounter, "Records that count for nothing, or for no profile.")
      .sample({{"why", "repeat"}}, status.repeats)
      .sample({{"why", "unreadable"}}, status.unreadable)
      .sample({{"why", "without_profile"}}, status.without_profile);
  out.family("pinflow_live_late_total", kCounter, "Records behind the watermark of their partition.")
      .sample({}, status.late);
  out.family("pinflow_live_too_late_total", kCounter, "Records that are too late for any window.")
      .sample({}, status.too_late);
  out.family("pinflow_live_watermark_timestamp_seconds", kGauge, "Watermark of a partition, in seconds since 1970.");
  for (const live::PartitionProgress& partition : status.partitions) {
    if (!partition.watermark) continue;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(partition.watermark->time_since_epoch()).count();
    out.sample({{"topic", partition.partition.topic}, {"partition", fmt::format("{}", partition.partition.partition)}},
               std::int64_t{seconds});
  }
  out.family("pinflow_live_lag_records", kGauge, "Records of a partition that the answers do not have yet.");
  for (const live::PartitionProgress& partition : status.partitions) {
    out.sample({{"topic", partition.partition.topic}, {"partition", fmt::format("{}", partition.partition.partition)}},
               partition.lag());
  }
  out.family("pinflow_live_stalled_partitions", kGauge, "Partitions whose records do not come, as the answers say why.")
      .sample({}, std::ranges::count_if(status.partitions,
                                        [](const auto& partition) { return partition.error.has_value(); }));
  out.family("pinflow_live_joined_total", kCounter, "Posts of which all three records came.").sample({}, status.joined);
  out.family("pinflow_live_held", kGauge, "What is held in memory.")
      .sample({{"what", "profiles"}}, std::uint64_t{status.profiles})
      .sample({{"what", "categories"}}, std::uint64_t{status.categories})
      .sample({{"what", "countries"}}, std::uint64_t{status.countries})
      .sample({{"what", "pairs"}}, std::uint64_t{status.pairs})
      .sample({{"what", "pending_posts"}}, std::uint64_t{status.pending});
  out.family("pinflow_live_evicted_total", kCounter, "What was let go for want of room.")
      .sample({{"what", "profiles"}}, status.evicted)
      .sample({{"what", "names"}}, status.evicted_names)
      .sample({{"what", "pairs"}}, status.evicted_pairs)
      .sample({{"what", "pending_posts"}}, status.evicted_pending)
      .sample({{"what", "seen_pages"}}, status.forgotten_pages);
  out.family("pinflow_live_checkpoints_total", kCounter, "Checkpoints written since the start.")
      .sample({}, status.checkpoint.written);
  out.family("pinflow_live_checkpoint_bytes", kGauge, "Size of the last checkpoint.")
      .sample({}, status.checkpoint.bytes);
  out.family("pinflow_live_checkpoint_failed", kGauge, "1: the last checkpoint could not be written.")
      .sample({}, std::int64_t{status.checkpoint.error.has_value()});
}

void write_event_metrics(MetricsWriter& out, const live::EventCounts& counts) {
  out.family("pinflow_live_event_subscribers", kGauge, "Clients that follow GET /live/events.")
      .sample({}, std::uint64_t{counts.subscribers});
  out.family("pinflow_live_event_subscriptions_total", kCounter, "Subscriptions to live events since the start.")
      .sample({}, counts.subscriptions);
  out.family("pinflow_live_event_refused_total", kCounter, "Subscriptions refused as too many follow already.")
      .sample({}, counts.refused);
  out.family("pinflow_live_event_frames_sent_total", kCounter, "Frames given to subscribers.").sample({}, counts.sent);
  out.family("pinflow_live_event_frames_skipped_total", kCounter,
             "Frames that slow subscribers never got, as newer ones came first.")
      .sample({}, counts.skipped);
}

}  // namespace pinflow::app
