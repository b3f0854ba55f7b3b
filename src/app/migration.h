#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/environment.h"
#include "app/pipeline_log.h"
#include "app/stores.h"
#include "base/result.h"
#include "migrate/lane_positions.h"
#include "migrate/store_copy.h"
#include "migrate/topic_copy.h"

namespace pinflow::app {

// What there is to do; nothing of it is done yet.
struct MigrationPlan {
  std::vector<migrate::TopicPlan> topics;                       // Sorted by name. None where the log stays.
  std::map<std::string, std::vector<log::GroupOffset>> groups;  // Positions that are not there yet, or further behind.
  std::optional<migrate::StoreTotals> objects;                  // None: they stay where they are.
  std::optional<migrate::StoreTotals> tables;
  std::vector<std::string> state;    // Folders of state/ to copy: "schedule", "access", "live".
  std::vector<std::string> remarks;  // What stays behind, in sentences.
};

struct MigrationReport {
  migrate::CopiedTopic topics;
  std::uint64_t groups = 0;  // Whose positions were committed.
  migrate::StoreTotals objects;
  migrate::StoreTotals tables;
  migrate::MovedPositions positions;
  std::vector<std::string> state;
};

// What is done just now and how far: records or objects; total 0: unknown. From several threads, never at the same time.
using MigrationProgress = std::function<void(std::string_view what, std::int64_t done, std::int64_t total)>;

// The pipeline of one configuration on its way to that of another (docs/deploy.md, "Moving"). One thread's. Holds the lock of the
// log that it copies, so nothing else runs on it meanwhile.
class Migration {
 public:
  // Opens both sides. kConflict: pinflow runs on the first one. kInvalid: not from a machine's own log to a cluster, or from one place to another
  // for objects or tables under the same log.
  static Result<std::unique_ptr<Migration>> open(Environment& from, Environment& to);

  Result<MigrationPlan> plan();
  // Does what is missing. May be stopped or fail anywhere, and be begun again.
  Result<MigrationReport> run(const MigrationPlan& plan, const MigrationProgress& progress);

 private:
  Migration(Environment& from, Environment& to) : from_(from), to_(to) {}
  Result<void> open_log();
  Result<void> plan_topics(MigrationPlan& plan);
  Result<void> plan_groups(MigrationPlan& plan);
  Result<void> plan_state(MigrationPlan& plan);
  Result<std::vector<migrate::MovedTopic>> prepare_topics(const MigrationPlan& plan);
  Result<void> copy_stores(const MigrationPlan& plan, const MigrationProgress& progress, MigrationReport& report);
  Result<void> move_positions(const std::vector<migrate::MovedTopic>& moved, MigrationReport& report);
  Result<void> copy_topics(const MigrationPlan& plan, const MigrationProgress& progress, MigrationReport& report);
  Result<void> copy_state(const MigrationPlan& plan, MigrationReport& report);

  Environment& from_;
  Environment& to_;
  bool log_moves_ = false;
  bool objects_move_ = false;
  bool tables_move_ = false;
  bool state_moves_ = false;
  PipelineLog log_;        // Of the side that is left.
  PipelineLog other_log_;  // Of the other one, where the log moves.
  std::unique_ptr<Stores> stores_;
  std::unique_ptr<Stores> other_stores_;
};

}  // namespace pinflow::app
