#include "app/migration.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "app/kafka_options.h"
#include "app/stream_options.h"
#include "base/random.h"
#include "migrate/state_copy.h"

namespace pinflow::app {

namespace {

constexpr std::string_view kFolders[] = {"schedule", "access", "live"};

bool is_cluster(const Environment& environment) {
  return environment.config().log.engine == "kafka";
}

bool same_folder(const Environment& one, const Environment& other) {
  return std::filesystem::weakly_canonical(one.folder("")) == std::filesystem::weakly_canonical(other.folder(""));
}

migrate::TopicCopyOptions copy_options(const Environment& from) {
  return {.defaults = topic_defaults(from.config())};
}

void add(migrate::CopiedTopic& all, const migrate::CopiedTopic& one) {
  all.records += one.records;
  all.fillers += one.fillers;
  all.compared += one.compared;
}

}  // namespace

Result<std::unique_ptr<Migration>> Migration::open(Environment& from, Environment& to) {
  std::unique_ptr<Migration> migration(new Migration(from, to));
  TRY(migration->open_log());
  const auto& here = from.config().data;
  const auto& there = to.config().data;
  const bool same = same_folder(from, to);
  migration->objects_move_ = here.objects != there.objects || (here.objects.empty() && !same);
  migration->tables_move_ = here.tables != there.tables || (here.tables.empty() && !same);
  migration->state_moves_ = !same;
  if (!migration->log_moves_ && !same) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format(
            "both configurations keep the log on this machine, in {} and in {}: a whole data folder is moved by "
            "moving the folder while pinflow does not run",
            from.config().data.folder.string(), to.config().data.folder.string()));
  }
  TRY_ASSIGN(migration->stores_, open_stores(from));
  TRY_ASSIGN(migration->other_stores_, open_stores(to, true));
  return migration;
}

Result<void> Migration::open_log() {
  if (is_cluster(from_)) {
    return fail(
        ErrorCode::kInvalid,
        "the topics of this configuration are in a cluster already (log.engine = 'kafka'). `pinflow migrate` takes a "
        "machine's own log there: give that machine's settings by --config or --data, and the cluster's by --to");
  }
  if (!from_.disk->describe(from_.folder("log"))) {
    return fail(ErrorCode::kNotFound,
                fmt::format("there is no log in {}: name the data folder that is to move with --data",
                            from_.config().data.folder.string()));
  }
  log_moves_ = is_cluster(to_);
  TRY_ASSIGN(log_, open_pipeline_log(from_));
  if (log_moves_) {
    TRY_ASSIGN(other_log_, open_log_to_read(to_));
  }
  return {};
}

Result<MigrationPlan> Migration::plan() {
  MigrationPlan plan;
  if (log_moves_) {
    TRY(plan_topics(plan));
    TRY(plan_groups(plan));
  }
  if (objects_move_) {
    TRY_ASSIGN(plan.objects, migrate::plan_store(*stores_->objects, migrate::objects_copy()));
  }
  if (tables_move_) {
    TRY_ASSIGN(plan.tables, migrate::plan_store(*stores_->tables, migrate::tables_copy()));
  }
  TRY(plan_state(plan));
  return plan;
}

Result<void> Migration::plan_topics(MigrationPlan& plan) {
  for (const log::Topic& topic : log_.log().topics()) {
    if (topic.name.starts_with("__")) {
      plan.remarks.push_back(
          fmt::format("Topic {} stays behind: names that begin with __ are the brokers' own.", topic.name));
      continue;
    }
    TRY_ASSIGN(auto planned, migrate::plan_topic(log_.log(), other_log_.log(), topic.name));
    plan.topics.push_back(std::move(planned));
    if (std::ranges::any_of(topic.configs, [](const auto& setting) { return log::is_own_setting(setting.first); })) {
      plan.remarks.push_back(fmt::format(
          "Topic {}: what the Kinesis door noted of its shards stays behind; to Kinesis clients they begin anew.",
          topic.name));
    }
  }
  return {};
}

// A group may have gone on there since an earlier call: its positions are never put back.
Result<void> Migration::plan_groups(MigrationPlan& plan) {
  const auto moves = [&](const log::GroupOffset& offset) {
    return std::ranges::any_of(plan.topics,
                               [&](const auto& topic) { return topic.topic.name == offset.partition.topic; });
  };
  for (const std::string& group : log_.groups().groups()) {
    TRY_ASSIGN(auto ours, log_.log().committed_offsets(group));
    TRY_ASSIGN(const auto theirs, other_log_.log().committed_offsets(group));
    std::erase_if(ours, [&](log::GroupOffset& offset) {
      const auto there = std::ranges::find(theirs, offset.partition, &log::GroupOffset::partition);
      offset.leader_epoch = -1;  // Epochs count the leaders of one log.
      return !moves(offset) || (there != theirs.end() && there->offset >= offset.offset);
    });
    if (!ours.empty()) plan.groups.emplace(group, std::move(ours));
  }
  return {};
}

Result<void> Migration::plan_state(MigrationPlan& plan) {
  const auto there = [](Environment& environment, const disk::Path& path) {
    return environment.disk->describe(environment.folder("state") / path).has_value();
  };
  if (state_moves_) {
    for (const std::string_view name : kFolders) {
      if (there(from_, name) && !there(to_, name)) plan.state.emplace_back(name);
    }
  }
  return {};
}

Result<MigrationReport> Migration::run(const MigrationPlan& plan, const MigrationProgress& progress) {
  MigrationReport report;
  // Before anything else of the other side is changed: are these tables ours?
  if (log_moves_) {
    TRY_ASSIGN(const std::string id, pipeline_id(from_));
    TRY(share_pipeline_id(*other_stores_->tables, id));
  }
  TRY_ASSIGN(const auto moved, prepare_topics(plan));
  TRY(copy_stores(plan, progress, report));
  TRY(move_positions(moved, report));
  if (log_moves_) TRY(copy_topics(plan, progress, report));
  for (const auto& [group, offsets] : plan.groups) {
    TRY(other_log_.log().commit_offsets(group, offsets));
    ++report.groups;
  }
  TRY(copy_state(plan, report));
  return report;
}

// The topics, each with its id on both sides: the same where the log stays.
Result<std::vector<migrate::MovedTopic>> Migration::prepare_topics(const MigrationPlan& plan) {
  std::vector<migrate::MovedTopic> moved;
  if (!log_moves_) {
    for (const log::Topic& topic : log_.log().topics()) moved.push_back({topic.name, topic.id, topic.id});
  }
  for (const migrate::TopicPlan& topic : plan.topics) {
    TRY_ASSIGN(const auto there, migrate::prepare_topic(other_log_.log(), topic, copy_options(from_)));
    moved.push_back({topic.topic.name, topic.topic.id, there.id});
  }
  return moved;
}

Result<void> Migration::copy_stores(const MigrationPlan& plan, const MigrationProgress& progress,
                                    MigrationReport& report) {
  const auto told = [&](const char* what, const migrate::StoreTotals& all) -> migrate::StoreProgress {
    return [&progress, what, total = static_cast<std::int64_t>(all.objects)](const migrate::StoreTotals& done) {
      progress(what, static_cast<std::int64_t>(done.objects), total);
    };
  };
  if (plan.objects) {
    TRY_ASSIGN(report.objects, migrate::copy_store(*stores_->objects, *other_stores_->objects, migrate::objects_copy(),
                                                   told("copying objects", *plan.objects), to_.stop));
  }
  if (plan.tables) {
    TRY_ASSIGN(report.tables, migrate::copy_store(*stores_->tables, *other_stores_->tables, migrate::tables_copy(),
                                                  told("copying tables", *plan.tables), to_.stop));
  }
  return {};
}

Result<void> Migration::move_positions(const std::vector<migrate::MovedTopic>& moved, MigrationReport& report) {
  Random random(entropy_seed());
  TRY(migrate::move_sink_identities(*stores_->objects, *other_stores_->objects, moved));
  if (!log_moves_) return {};
  TRY_ASSIGN(report.positions,
             migrate::move_table_positions(
                 {*other_stores_->tables, *other_stores_->engine, to_.clock, random, *to_.logger}, moved));
  return {};
}

Result<void> Migration::copy_topics(const MigrationPlan& plan, const MigrationProgress& progress,
                                    MigrationReport& report) {
  std::int64_t total = 0;
  for (const migrate::TopicPlan& topic : plan.topics) total += topic.records();
  std::int64_t before = 0;
  for (const migrate::TopicPlan& topic : plan.topics) {
    const std::string what = "copying topic " + topic.topic.name;
    TRY_ASSIGN(const auto copied,
               migrate::copy_topic(
                   log_.log(), other_log_.log(), topic, copy_options(from_),
                   [&](std::int64_t done, std::int64_t) { progress(what, before + done, total); }, to_.stop));
    before += topic.records();
    add(report.topics, copied);
  }
  return {};
}

Result<void> Migration::copy_state(const MigrationPlan& plan, MigrationReport& report) {
  const disk::Path from = from_.folder("state");
  const disk::Path to = to_.folder("state");
  if (!plan.state.empty()) TRY(to_.disk->create_folders(to));
  for (const std::string& name : plan.state) {
    auto copied = migrate::copy_folder(*to_.disk, from / name, to / name);
    if (!copied) return fail(std::move(copied.error()).with_context(fmt::format("copying state/{}", name)));
    if (*copied) report.state.push_back(name);
  }
  return {};
}

}  // namespace pinflow::app
