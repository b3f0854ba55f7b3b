#include <fmt/core.h>

#include "doors/kafka_rest/answers.h"
#include "doors/kafka_rest/consumer_instance.h"

// The reads of an instance. A read visits the log in the pool, and when too little is there, waits for news of any partition: without a
// thread, until its time is over.
namespace pinflow::doors::kafka_rest {

namespace {
constexpr std::chrono::seconds kAutoCommitInterval{5};
}

void ConsumerInstance::read(ReadRequest request, http::Responder respond) {
  use();
  if (poll_) {
    poll_->state = {};
    poll_->has_state = false;
    finish_read();
  }
  if (mode_ == Mode::kNone) {
    return respond(answer(
        Refusal{409, 40903, "Illegal state: Consumer is not subscribed to any topics or assigned any partitions"},
        parts_.rules));
  }
  follow_pattern();
  if (settings_.auto_commit) {
    if (parts_.clock.steady_now() >= committed_at_ + kAutoCommitInterval)
      store(positions_, [](const groups::OffsetsReply&) {});
    processed_ = positions_;
  }
  poll_ = std::make_unique<Poll>();
  poll_->id = ++polls_;
  poll_->respond = std::move(respond);
  poll_->until = parts_.clock.steady_now() + request.wait;
  poll_->max_bytes = request.max_bytes;
  auto tell = [post = parts_.post, self = weak_from_this(), id = poll_->id] {
    post([self, id] {
      const auto instance = self.lock();
      if (instance && instance->poll_ && instance->poll_->id == id) instance->poll_.reset();
    });
  };
  poll_->abandon = std::make_unique<std::stop_callback<Abandon>>(request.abandoned, Abandon{std::move(tell)});
  go_on();
}

// Whoever moved positions has the read that waits begin anew.
void ConsumerInstance::change_positions() {
  ++epoch_;
  if (!poll_) return;
  poll_->watch.reset();
  if (!poll_->at_work) go_on();
}

std::optional<Refusal> ConsumerInstance::why_no_positions() const {
  if (member_->problem() != groups::GroupError::kNone) return refusal_of(member_->problem());
  if (settings_.reset != OffsetReset::kNone) return std::nullopt;
  for (const auto& [partition, position] : positions_) {
    if (!position && parts_.log.offsets(partition))
      return Refusal{
          500, 50002,
          fmt::format("Kafka error: Undefined offset with no reset policy for partitions: [{}-{}]. Commit an "
                      "offset or seek to one.",
                      partition.topic, partition.partition.value())};
  }
  return std::nullopt;
}

void ConsumerInstance::go_on() {
  if (!settled()) {
    if (const auto problem = why_no_positions()) refuse_read(*problem);
    return;  // It goes on when the member has its part.
  }
  find_positions();
  if (const auto problem = why_no_positions()) return refuse_read(*problem);
  for (const auto& [partition, position] : positions_) {
    if (!may_read(partition.topic)) return refuse_read(not_allowed(partition.topic));
  }
  if (!poll_->has_state || poll_->epoch != epoch_) {
    poll_->epoch = epoch_;
    poll_->has_state = true;
    poll_->state = {};
    for (const auto& [partition, position] : positions_) {
      if (position) poll_->state.positions.push_back({partition, *position});
    }
    // Each read begins with another partition, so that a long one does not starve the others.
    auto& all = poll_->state.positions;
    if (!all.empty()) std::ranges::rotate(all, all.begin() + static_cast<std::ptrdiff_t>(polls_ % all.size()));
  }
  if (poll_->state.positions.empty()) return;
  start_job();
}

void ConsumerInstance::start_job() {
  poll_->at_work = true;
  poll_->watch.reset();
  const auto state = std::make_shared<ReadState>(std::move(poll_->state));  // Shared with a job that may find no room.
  WorkerPool::Job job = [&log = parts_.log, post = parts_.post, self = weak_from_this(), id = poll_->id, state,
                         format = settings_.format, most = poll_->max_bytes] {
    auto outcome = read_records(log, format, most, *state);
    post([self, id, state, outcome = std::move(outcome)]() mutable {
      if (const auto instance = self.lock()) instance->job_done(id, std::move(*state), std::move(outcome));
    });
  };
  if (!parts_.readers.try_run(job)) {
    poll_->at_work = false;
    poll_->respond(answer_busy(parts_.rules));
    poll_.reset();
  }
}

void ConsumerInstance::job_done(std::uint64_t id, ReadState state, ReadOutcome outcome) {
  if (!poll_ || poll_->id != id) return;
  poll_->at_work = false;
  if (poll_->epoch != epoch_) {
    poll_->has_state = false;
    if (parts_.clock.steady_now() >= poll_->until) return finish_read();
    return go_on();
  }
  poll_->state = std::move(state);
  take_errors(outcome);
  if (!poll_ || poll_->at_work) return;
  if (outcome.bad_record && poll_->state.text.empty()) {
    const bool json = settings_.format == EmbeddedFormat::kJson;
    const std::string_view why = *outcome.bad_record;  // "key: ..." or "value: ...".
    const auto part = parts_.rules.bad_record_names_part ? why.substr(0, why.find(':')) : std::string_view();
    return refuse_read(
        {parts_.rules.bad_record_status, parts_.rules.bad_record_code,
         fmt::format("{}{}deserialization error for format {}: {}. To go on behind it, POST .../positions with "
                     "the next offset{}",
                     part, part.empty() ? "" : " ", name_of(settings_.format), why,
                     json ? ", or read with an instance of the format binary." : ".")});
  }
  const bool enough =
      outcome.full || outcome.bad_record || poll_->state.bytes >= poll_->max_bytes ||
      (!poll_->state.text.empty() && poll_->state.bytes >= std::min(settings_.min_bytes, poll_->max_bytes));
  if (enough || (settings_.min_bytes <= 1 && !poll_->state.text.empty())) return finish_read();
  if (parts_.clock.steady_now() >= poll_->until) return finish_read();
  await_news();
}

// A partition that is gone is passed over until the group hears of it; an offset that is gone is reset.
void ConsumerInstance::take_errors(ReadOutcome& outcome) {
  auto& positions = poll_->state.positions;
  std::optional<Error> damage = std::move(outcome.failure);
  for (auto& [partition, error] : outcome.errors) {
    if (error.code == ErrorCode::kInvalid) {
      if (const auto reset = reset_position(partition)) {
        positions_[partition] = *reset;
        std::ranges::find(positions, partition, &log::FetchPosition::partition)->offset = *reset;
        continue;
      }
    }
    std::erase_if(positions, [&](const log::FetchPosition& each) { return each.partition == partition; });
    if (error.code != ErrorCode::kNotFound) damage = std::move(error);
  }
  if (damage && poll_->state.text.empty()) {
    auto problem = answer(*damage, parts_.rules);
    auto respond = std::move(poll_->respond);
    poll_.reset();
    respond(std::move(problem));
  }
}

void ConsumerInstance::await_news() {
  if (poll_->state.positions.empty()) return;
  poll_->watch =
      parts_.log.watch(poll_->state.positions, [post = parts_.post, self = weak_from_this(), id = poll_->id] {
        post([self, id] {
          const auto instance = self.lock();
          if (instance && instance->poll_ && instance->poll_->id == id && !instance->poll_->at_work) instance->go_on();
        });
      });
}

// Hands out what the read has, and only now moves the positions.
void ConsumerInstance::finish_read() {
  Poll poll = std::move(*poll_);
  poll_.reset();
  use();
  std::string body = "[";
  if (poll.has_state && !poll.at_work && poll.epoch == epoch_) {
    for (const log::FetchPosition& position : poll.state.positions) {
      if (const auto at = positions_.find(position.partition); at != positions_.end()) at->second = position.offset;
    }
    body += poll.state.text;
  }
  body += ']';
  poll.respond(http::Response::json(200, std::move(body), records_type(settings_.format)));
}

void ConsumerInstance::refuse_read(const Refusal& refusal) {
  Poll poll = std::move(*poll_);
  poll_.reset();
  use();
  poll.respond(answer(refusal, parts_.rules));
}

}  // namespace pinflow::doors::kafka_rest
