#include "sink/internal/planned_partition.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>

namespace pinflow::sink::internal {

namespace {

// Calls `work` for each index below `count`, on several threads where that serves. The first error of each is kept.
template <class Work>
std::vector<Result<void>> side_by_side(std::size_t count, int threads, Work work) {
  std::vector<Result<void>> results(count);
  std::atomic<std::size_t> next{0};
  const auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) results[i] = work(i);
  };
  std::vector<std::jthread> others;
  const std::size_t wanted = std::min(count, static_cast<std::size_t>(std::max(threads, 1)));
  for (std::size_t i = 1; i < wanted; ++i) others.emplace_back(run);
  run();
  others.clear();  // Joins them.
  return results;
}

}  // namespace

PlannedPartition::PlannedPartition(const SinkOptions& options, objects::ObjectStore& store, log::Log& log,
                                   const TimeZone& zone, Partitioner& partitioner, log::TopicPartition name)
    : options_(options),
      store_(store),
      log_(log),
      zone_(zone),
      partitioner_(partitioner),
      name_(std::move(name)),
      book_(store, name_) {}

Result<void> PlannedPartition::locate(std::optional<Plan> last, log::Offset start) {
  if (!last) {
    next_ = high_ = start;
    return {};
  }
  number_ = last->number;
  high_ = last->high;
  missing_ = last->open;
  next_ = missing_.empty() ? high_ : missing_.first();
  TRY_ASSIGN(auto missing, missing_objects(*last));
  if (missing.empty()) return {};
  return gather(std::move(missing));
}

Result<std::vector<Plan::Object>> PlannedPartition::missing_objects(const Plan& plan) {
  std::vector<char> is_missing(plan.objects.size(), 0);
  const auto looked = side_by_side(plan.objects.size(), options_.parallel_puts, [&](std::size_t i) -> Result<void> {
    const auto found = store_.describe(plan.objects[i].name);
    if (!found && found.error().code != ErrorCode::kNotFound) return fail(found.error());
    is_missing[i] = found ? 0 : 1;
    return {};
  });
  std::vector<Plan::Object> missing;
  for (std::size_t i = 0; i < plan.objects.size(); ++i) {
    TRY(looked[i]);
    if (is_missing[i] != 0) missing.push_back(plan.objects[i]);
  }
  return missing;
}

// Reads the records of planned objects again. Those that retention took meanwhile are not to be had; an object of which none is left
// is not made.
Result<void> PlannedPartition::gather(std::vector<Plan::Object> objects) {
  planned_.clear();
  OffsetRuns all;
  for (const Plan::Object& object : objects) {
    const auto packing = parse_ending(object.name);  // The settings may have changed since the plan.
    if (!packing)
      return fail(ErrorCode::kCorrupt, fmt::format("a plan names {}, which is no object's name", object.name));
    PlannedObject& planned = planned_.emplace_back();
    planned.name = object.name;
    planned.format = packing->format;
    planned.compression = packing->compression;
    all.add(object.offsets);
  }
  TRY_ASSIGN(const auto range, log_.offsets(name_));
  log::Offset at = std::max(all.first(), range.begin);
  while (at < all.end()) {
    TRY_ASSIGN(const auto fetched, log_.fetch({.positions = {{name_, at}}}, {}));
    if (fetched.empty()) break;
    if (fetched.front().error) return fail(*fetched.front().error);
    for (const log::StoredRecord& record : fetched.front().records) {
      if (record.offset < at || !all.contains(record.offset)) continue;
      for (std::size_t i = 0; i < objects.size(); ++i) {
        if (objects[i].offsets.contains(record.offset)) planned_[i].add(record);
      }
    }
    if (fetched.front().next <= at) break;
    at = fetched.front().next;
  }
  std::erase_if(planned_, [](const PlannedObject& object) { return object.records == 0; });
  return {};
}

log::Offset PlannedPartition::done() const {
  log::Offset done = next_;
  for (const PlannedObject& object : planned_) done = std::min(done, object.offsets.first());
  for (const PlannedObject& object : closed_) done = std::min(done, object.offsets.first());
  for (const auto& [path, object] : open_) done = std::min(done, object.offsets.first());
  return done;
}

std::size_t PlannedPartition::memory() const {
  std::size_t bytes = 0;
  for (const PlannedObject& object : planned_) bytes += object.memory();
  for (const PlannedObject& object : closed_) bytes += object.memory();
  for (const auto& [path, object] : open_) bytes += object.memory();
  return bytes;
}

bool PlannedPartition::is_full(const PlannedObject& object) const {
  return object.records >= options_.flush_size || object.payload() >= options_.max_object.count();
}

void PlannedPartition::close(Open::iterator object) {
  closed_.push_back(std::move(object->second));
  open_.erase(object);
}

void PlannedPartition::close_all() {
  while (!open_.empty()) close(open_.begin());
}

// The next whole multiple of the interval since local midnight; midnight begins a day anew.
WallTime PlannedPartition::schedule(WallTime wall) const {
  if (!options_.rotate_schedule_interval) return WallTime::max();
  const auto local = zone_.local(wall);
  const auto midnight = std::chrono::floor<std::chrono::days>(local);
  const auto interval = *options_.rotate_schedule_interval;
  const auto passed = local - midnight;
  auto next = midnight + passed - passed % interval + interval;
  if (interval <= std::chrono::days(1)) next = std::min<decltype(next)>(next, midnight + std::chrono::days(1));
  return std::max(zone_.from_local(next), wall + std::chrono::milliseconds(1));
}

void PlannedPartition::add(const log::StoredRecord& record, SteadyTime now, WallTime wall) {
  if (record.offset < next_) return;
  next_ = record.offset + 1;
  if (record.offset < high_ && !missing_.contains(record.offset)) return;
  Partitioner::Place place = partitioner_.place(name_.partition, record, wall);
  auto found = open_.find(place.path);
  if (found != open_.end()) {
    const PlannedObject& object = found->second;
    const bool over =
        options_.rotate_record_interval && place.time - object.first_time >= *options_.rotate_record_interval;
    // Under the default partitioner a line's offset can be told by counting.
    const bool gap = options_.partitioner.kind == PartitionerKind::kDefault && object.offsets.end() != record.offset;
    if (over || gap) {
      close(found);
      found = open_.end();
    }
  }
  if (found == open_.end()) {
    if (open_.size() >= options_.max_open_objects) close_all();
    PlannedObject object;
    object.name =
        object_name({name_, record.offset, place.path, options_.format, options_.compression}, options_.names);
    object.format = options_.format;
    object.compression = options_.compression;
    object.opened = now;
    object.first_time = place.time;
    object.put_at = schedule(wall);
    found = open_.emplace(std::move(place.path), std::move(object)).first;
  }
  found->second.add(record);
  if (is_full(found->second)) close(found);
}

void PlannedPartition::pass(log::Offset next) {
  next_ = std::max(next_, next);
}

void PlannedPartition::close_due(SteadyTime now, WallTime wall) {
  for (auto object = open_.begin(); object != open_.end();) {
    const auto at = object++;
    if (now >= at->second.opened + options_.rotate_interval || wall >= at->second.put_at) close(at);
  }
}

SteadyTime PlannedPartition::due_at(SteadyTime now, WallTime wall) const {
  SteadyTime due = SteadyTime::max();
  for (const auto& [path, object] : open_) {
    due = std::min(due, object.opened + options_.rotate_interval);
    if (object.put_at != WallTime::max()) due = std::min(due, now + (object.put_at - wall));
  }
  return due;
}

Result<void> PlannedPartition::write_plan() {
  Plan plan;
  plan.number = number_ + 1;
  plan.high = std::max(high_, next_);
  plan.open = missing_;
  plan.open.drop_below(next_);
  for (const auto& [path, object] : open_) plan.open.add(object.offsets);
  for (const PlannedObject& object : closed_) plan.objects.push_back({object.name, object.offsets});
  TRY(book_.add(plan));
  number_ = plan.number;
  high_ = plan.high;
  missing_ = std::move(plan.open);
  missing_.drop_below(next_);
  planned_ = std::exchange(closed_, {});
  return {};
}

Result<PlannedPartition::Done> PlannedPartition::put() {
  Done done;
  TRY(put_planned(done));
  if (closed_.empty()) return done;
  if (closed_.back().offsets.end() > kLastOffset + 1)
    return fail(ErrorCode::kInvalid, "offsets past 9999999999 have no object name; begin a new topic");
  TRY(write_plan());
  TRY(put_planned(done));
  return done;
}

Result<void> PlannedPartition::put_planned(Done& done) {
  if (planned_.empty()) return {};
  const bool parquet =
      std::ranges::any_of(planned_, [](const PlannedObject& object) { return object.rows.has_value(); });
  if (parquet && !packer_) {
    TRY_ASSIGN(packer_, ParquetPacker::open());
  }
  std::vector<std::size_t> sizes(planned_.size(), 0);
  // Readers of a folder "partition=N" take its last object to mean that those before it are there.
  const bool in_order = options_.partitioner.kind == PartitionerKind::kDefault;
  std::atomic<bool> failed{false};
  const auto put_one = [&](std::size_t i) -> Result<void> {
    TRY_ASSIGN(const auto bytes, planned_[i].bytes(packer_.get()));
    sizes[i] = bytes.size();
    const auto stored = store_.put_new(planned_[i].name, bytes);
    // Where it is there, it was put by us before, or by another writer of this plan, and so is the same.
    if (!stored && stored.error().code != ErrorCode::kConflict) return fail(stored.error());
    return {};
  };
  const int threads = in_order ? 1 : options_.parallel_puts;
  const auto results = side_by_side(planned_.size(), threads, [&](std::size_t i) -> Result<void> {
    if (in_order && failed) return fail(ErrorCode::kUnavailable, "an object before it could not be put");
    auto put = put_one(i);
    if (!put) failed = true;
    return put;
  });
  std::vector<PlannedObject> left;
  std::optional<Error> error;
  for (std::size_t i = 0; i < planned_.size(); ++i) {
    if (!results[i]) {
      if (!error) error = results[i].error();
      left.push_back(std::move(planned_[i]));
      continue;
    }
    ++done.objects;
    done.records += static_cast<std::uint64_t>(planned_[i].records);
    done.bytes += sizes[i];
  }
  planned_ = std::move(left);
  if (error) return fail(*std::move(error));
  return {};
}

}  // namespace pinflow::sink::internal
