#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time_zone.h"
#include "log/log.h"
#include "objects/object_store.h"
#include "sink/internal/planned_object.h"
#include "sink/plan.h"
#include "sink/sink.h"

namespace pinflow::sink::internal {

// One partition whose objects are planned before they are put: several may be open at once, and be put side by side. Each record is
// in exactly one object whatever dies and however many write, since the last plan says which records are in objects (or shall be, under
// which names), and of several writers one makes the next plan, after it has put the objects of the last. A value type of one thread;
// what the constructor takes must outlive it.
class PlannedPartition {
 public:
  PlannedPartition(const SinkOptions& options, objects::ObjectStore& store, log::Log& log, const TimeZone& zone,
                   Partitioner& partitioner, log::TopicPartition name);

  // Begins behind the last plan, once its objects are all there: gathers and puts those that are missing. Without any plan, begins
  // at `start`. Errors leave it to be called again.
  Result<void> locate(std::optional<Plan> last, log::Offset start);

  log::Offset next() const { return next_; }  // Where to read on.
  log::Offset done() const;                   // All records below are in objects.
  std::size_t memory() const;
  bool must_put() const { return !closed_.empty() || !planned_.empty(); }
  std::size_t closed() const { return closed_.size(); }

  void add(const log::StoredRecord& record, SteadyTime now, WallTime wall);
  void pass(log::Offset next);  // Offsets before it hold no more records.
  void close_due(SteadyTime now, WallTime wall);
  void close_all();
  // When an object is due though no record comes.
  SteadyTime due_at(SteadyTime now, WallTime wall) const;

  struct Done {
    std::uint64_t objects = 0, records = 0, bytes = 0;
  };
  // Plans the closed objects and puts them. kConflict: another writer was faster; this one is of no more use and is to be made anew.
  // Other errors: call again.
  Result<Done> put();

 private:
  using Open = std::map<std::string, PlannedObject>;  // By encoded partition.
  bool is_full(const PlannedObject& object) const;
  void close(Open::iterator object);
  WallTime schedule(WallTime wall) const;
  Result<void> write_plan();
  Result<void> put_planned(Done& done);
  Result<std::vector<Plan::Object>> missing_objects(const Plan& plan);
  Result<void> gather(std::vector<Plan::Object> objects);

  const SinkOptions& options_;
  objects::ObjectStore& store_;
  log::Log& log_;
  const TimeZone& zone_;
  Partitioner& partitioner_;
  const log::TopicPartition name_;
  PlanBook book_;
  std::int64_t number_ = 0;  // Of the last plan.
  log::Offset high_;         // Records from it on are new to us, and those of missing_ below it.
  OffsetRuns missing_;
  log::Offset next_;
  Open open_;
  std::vector<PlannedObject> planned_;     // Of plan number_, and not yet put.
  std::unique_ptr<ParquetPacker> packer_;  // Once there is a use for it.
  std::vector<PlannedObject> closed_;      // For the next plan.
};

}  // namespace pinflow::sink::internal
