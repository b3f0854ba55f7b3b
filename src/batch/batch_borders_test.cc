// Runs that end at a border between two steps, or on a disk without room, and the runs after them.
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "batch/batch_fixture.h"
#include "objects/testing/forwarding_store.h"
#include "sink/testing/faults.h"

namespace pinflow::batch {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::Post;

constexpr std::array kSteps = {"list", "read", "merge", "model", "check", "ask", "publish"};

// Calls back when a step begins.
class AtStep final : public Progress {
 public:
  AtStep(std::string name, std::function<void()> then) : name_(std::move(name)), then_(std::move(then)) {}
  void step(std::string_view name) override {
    if (name == name_) then_();
  }
  void reading(const ReadProgress&) override {}

 private:
  const std::string name_;
  const std::function<void()> then_;
};

// A store that takes so many objects and has no room for more.
class SmallStore final : public objects::testing::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  void set_room(std::int64_t objects) { room_ = objects; }

  Result<void> put(const std::string& name, std::string_view bytes) override {
    TRY(take_room(name));
    return inner_.put(name, bytes);
  }
  Result<void> put_new(const std::string& name, std::string_view bytes) override {
    TRY(take_room(name));
    return inner_.put_new(name, bytes);
  }
  Result<void> put_file(const std::string& name, const disk::Path& local) override {
    TRY(take_room(name));
    return inner_.put_file(name, local);
  }

 private:
  Result<void> take_room(const std::string& name) {
    if (room_-- > 0) return {};
    return fail(ErrorCode::kUnavailable, fmt::format("writing {}: no space left on device", name));
  }
  std::int64_t room_ = INT64_MAX;
};

class BatchBorders : public BatchFixture {
 protected:
  BatchBorders() { folders_by_field_ = true; }
  // New posts, changed ones and broken records, with a partition in folders by field.
  void sink_day(int day) {
    for (Post post : posts(12 + 4 * day)) {
      if (day > 0 && post.ind < 8 + 4 * day && post.ind % 5 != day % 5) continue;
      post.category = fmt::format("of day {}", day);
      for (const records::Kind kind : records::kKinds)
        sink(kind, {testing::json_of(kind, post)}, static_cast<std::int32_t>(post.ind % 3));
    }
    sink(records::Kind::kGeo, {R"({"ind":"no number"})"}, kByFields);
  }
  void expect_whole() {
    const BatchReport report = run();
    EXPECT_TRUE(report.published);
    for (const CheckResult& check : report.checks) {
      if (check.stops) EXPECT_EQ(check.findings, 0U) << check.check;
    }
    const auto after = published_rows();
    run({.rebuild = true});
    EXPECT_EQ(after, published_rows());
  }
};

// Each run dies where its step begins, so what the step before made is all there, and each next one goes on with new records.
TEST_F(BatchBorders, EachMayBeTheEndOfARun) {
  sink_day(0);
  run();
  const auto published = read_publication(*tables_).value();
  const auto real_tables = std::move(tables_);
  const auto real_objects = std::move(objects_);
  sink::testing::Fuse fuse;
  tables_ = std::make_unique<sink::testing::FusedStore>(*real_tables, fuse);
  objects_ = std::make_unique<sink::testing::FusedStore>(*real_objects, fuse);
  int day = 0;
  for (const char* step : kSteps) {
    SCOPED_TRACE(step);
    sink_day(++day);
    AtStep dies(step, [&] { fuse.set(0, sink::testing::Fuse::Burns::kBefore); });
    const auto died = BatchJob(context(), {}).run(&dies, {});
    fuse.disarm();
    ASSERT_FALSE(died);
    EXPECT_THAT(died.error().message, HasSubstr(fmt::format("step {}", step)));
    EXPECT_EQ(read_publication(*tables_).value(), published);
  }
  expect_whole();
  tables_ = nullptr;
  objects_ = nullptr;
}

TEST_F(BatchBorders, AStopIsObeyedAtEach) {
  sink_day(0);
  int day = 0;
  for (const char* step : {"list", "merge", "ask"}) {
    SCOPED_TRACE(step);
    sink_day(++day);
    std::stop_source stop;
    AtStep stops(step, [&] { stop.request_stop(); });
    const auto stopped = BatchJob(context(), {}).run(&stops, stop.get_token());
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
    EXPECT_EQ(read_publication(*tables_).error().code, ErrorCode::kNotFound);
  }
  expect_whole();
}

TEST_F(BatchBorders, ADiskWithoutRoomFailsTheRunAndTheNextWithRoomGoesOn) {
  sink_day(0);
  run();
  const auto published = read_publication(*tables_).value();
  const auto real_tables = std::move(tables_);
  auto small = std::make_unique<SmallStore>(*real_tables);
  SmallStore& room = *small;
  tables_ = std::move(small);
  sink_day(1);
  // Without room for a file, for the commit of a file, and after some tables were written.
  for (const std::int64_t objects : {0, 1, 9}) {
    room.set_room(objects);
    const auto refused = try_run();
    room.set_room(INT64_MAX);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(refused.error().message, AllOf(HasSubstr("step "), HasSubstr("no space left")));
    EXPECT_EQ(read_publication(*tables_).value(), published);
  }
  expect_whole();
  tables_ = nullptr;
}

}  // namespace
}  // namespace pinflow::batch
