#include "doors/kafka_rest/consumer_instance.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/json.h"
#include "doors/kafka_rest/answers.h"

namespace pinflow::doors::kafka_rest {

using groups::GroupError;

namespace {

void ignore(const groups::OffsetsReply&) {}

http::Response no_content() {
  return {.status = 204, .headers = {}, .body = {}, .body_stream = nullptr};
}

Refusal illegal_state(std::string_view what) {
  return {409, 40903, fmt::format("Illegal state: {}", what)};
}

}  // namespace

Refusal refusal_of(GroupError error) {
  switch (error) {
    case GroupError::kUnknownTopicOrPartition:
      return {404, 40403, "This server does not host this topic-partition."};
    case GroupError::kRebalanceInProgress:
      return {500, 50003, "Kafka error: The group is rebalancing, so a rejoin is needed. Try again."};
    case GroupError::kCoordinatorLoadInProgress:
    case GroupError::kCoordinatorNotAvailable:
      return {500, 50003, "Kafka error: The coordinator is not available: the log could not store it now. Try again."};
    case GroupError::kIllegalGeneration:
    case GroupError::kUnknownMemberId:
    case GroupError::kFencedInstanceId:
      return {
          500, 50002,
          "Kafka error: The group has gone on without this consumer, and others may have its partitions. Nothing was "
          "committed; read again from the committed offsets."};
    case GroupError::kOffsetMetadataTooLarge:
      return {500, 50002, "Kafka error: The metadata field of the offset request was too large."};
    case GroupError::kGroupMaxSizeReached:
      return {500, 50002, "Kafka error: The consumer group has reached its max size."};
    case GroupError::kInconsistentGroupProtocol:
      return {500, 50002,
              "Kafka error: The group's members share partitions out by a strategy that is not offered here. Give them "
              "range or roundrobin."};
    case GroupError::kInvalidGroupId:
      return {500, 50002, "Kafka error: The configured groupId is invalid."};
    case GroupError::kNone:
    case GroupError::kUnknownServerError:
    case GroupError::kInvalidSessionTimeout:
    case GroupError::kInvalidRequest:
    case GroupError::kNonEmptyGroup:
    case GroupError::kGroupIdNotFound:
    case GroupError::kMemberIdRequired:
    case GroupError::kGroupSubscribedToTopic:
      break;
  }
  return {500, 50002, fmt::format("Kafka error: The consumer group answered with error {}.", static_cast<int>(error))};
}

http::Response answer_to_commit(const groups::OffsetsReply& reply, const Rules& rules) {
  GroupError error = reply.error;
  for (const GroupError each : reply.partitions) error = error == GroupError::kNone ? each : error;
  if (error != GroupError::kNone) return answer(refusal_of(error), rules);
  if (rules.commit_status == 204) return no_content();
  return http::Response::json(rules.commit_status, "[]", rules.answer_type);
}

ConsumerInstance::ConsumerInstance(InstanceParts parts, InstanceIdentity identity, InstanceSettings settings)
    : parts_(std::move(parts)),
      identity_(std::move(identity)),
      settings_(std::move(settings)),
      idle_since_(parts_.clock.steady_now()),
      committed_at_(parts_.clock.steady_now()) {
  GroupMember::Listener listener{
      [this] { lose_part(); },
      [this](std::vector<log::TopicPartition> partitions) { take_part(std::move(partitions)); }};
  member_ = std::make_shared<GroupMember>(GroupMember::Parts{parts_.coordinator, parts_.log, parts_.clock, parts_.post},
                                          identity_.group, identity_.name, std::move(listener));
}

ConsumerInstance::~ConsumerInstance() = default;

// ---- What it reads.

bool ConsumerInstance::may_read(const std::string& topic) const {
  return access::may(identity_.owner, access::Right::kConsume, topic);
}

Refusal ConsumerInstance::not_allowed(const std::string& topic) const {
  return not_authorized(identity_.owner, access::Right::kConsume, topic);
}

std::vector<std::string> ConsumerInstance::matching_topics() const {
  std::vector<std::string> names;
  for (const log::Topic& topic : parts_.log.topics()) {
    if (pattern_->matches(topic.name) && may_read(topic.name)) names.push_back(topic.name);
  }
  return names;
}

Checked<void> ConsumerInstance::subscribe(SubscriptionRequest request) {
  use();
  if (request.topics && request.pattern) {
    if (parts_.rules.refuses_topics_with_pattern) return refuse(409, 40903, std::string(parts_.rules.illegal_choice));
    request.pattern.reset();
  }
  if (mode_ == Mode::kAssigned || (mode_ == Mode::kTopics && request.pattern) ||
      (mode_ == Mode::kPattern && request.topics))
    return refuse(409, 40903, std::string(parts_.rules.illegal_choice));
  if (request.pattern) {
    auto pattern = TopicPattern::make(*request.pattern);
    if (!pattern) return refuse(422, 422, std::move(pattern).error().message);
    pattern_ = std::move(*pattern);
    mode_ = Mode::kPattern;
    begin_membership(matching_topics());
    return {};
  }
  if (request.topics->empty()) {
    unsubscribe();
    return {};
  }
  for (const std::string& topic : *request.topics) {
    if (!may_read(topic)) return std::unexpected(not_allowed(topic));
  }
  mode_ = Mode::kTopics;
  begin_membership(std::move(*request.topics));
  return {};
}

void ConsumerInstance::begin_membership(std::vector<std::string> topics) {
  topics_ = std::move(topics);
  member_->subscribe(topics_);
}

void ConsumerInstance::follow_pattern() {
  if (mode_ != Mode::kPattern) return;
  if (auto topics = matching_topics(); topics != topics_) begin_membership(std::move(topics));
}

std::vector<std::string> ConsumerInstance::subscription() const {
  return mode_ == Mode::kTopics || mode_ == Mode::kPattern ? topics_ : std::vector<std::string>();
}

void ConsumerInstance::unsubscribe() {
  use();
  if (settings_.auto_commit) store(positions_, ignore);
  processed_.clear();
  member_->leave();
  mode_ = Mode::kNone;
  topics_.clear();
  pattern_.reset();
  positions_.clear();
  if (poll_) finish_read();
  change_positions();
  run_settled();
}

Checked<void> ConsumerInstance::assign(std::vector<log::TopicPartition> partitions) {
  use();
  if (mode_ == Mode::kTopics || mode_ == Mode::kPattern)
    return refuse(409, 40903, std::string(parts_.rules.illegal_choice));
  for (const log::TopicPartition& partition : partitions) {
    if (!may_read(partition.topic)) return std::unexpected(not_allowed(partition.topic));
  }
  if (settings_.auto_commit) store(positions_, ignore);
  Positions next;
  for (log::TopicPartition& partition : partitions) {
    const auto known = positions_.find(partition);  // Who stays keeps its position.
    const auto position = known == positions_.end() ? std::nullopt : known->second;
    next.emplace(std::move(partition), position);
  }
  positions_ = std::move(next);
  processed_.clear();
  mode_ = positions_.empty() ? Mode::kNone : Mode::kAssigned;
  find_positions();
  change_positions();
  return {};
}

void ConsumerInstance::take_part(std::vector<log::TopicPartition> partitions) {
  positions_.clear();
  processed_.clear();
  for (log::TopicPartition& partition : partitions) positions_.emplace(std::move(partition), std::nullopt);
  find_positions();
  change_positions();
  run_settled();
}

void ConsumerInstance::lose_part() {
  if (settings_.auto_commit) store(processed_, ignore);
  processed_.clear();
  positions_.clear();
  change_positions();
}

void ConsumerInstance::when_settled(std::move_only_function<void()> go) {
  use();
  if (settled()) return go();
  waiting_.push_back({parts_.clock.steady_now() + settings_.wait.value_or(parts_.rules.default_wait), std::move(go)});
}

void ConsumerInstance::run_settled() {
  for (auto& waiting : std::exchange(waiting_, {})) waiting.go();
}

void ConsumerInstance::assignments(http::Responder respond) {
  when_settled([this, respond = std::move(respond)]() mutable {
    JsonWriter out;
    out.begin_object().key("partitions").begin_array();
    for (const auto& [partition, position] : positions_) {
      out.begin_object().key("topic").string(partition.topic);
      out.key("partition").integer(partition.partition.value()).end_object();
    }
    out.end_array().end_object();
    respond(http::Response::json(200, std::move(out).take(), parts_.rules.answer_type));
  });
}

// ---- Where it reads.

std::optional<log::Offset> ConsumerInstance::reset_position(const log::TopicPartition& partition) const {
  const auto range = parts_.log.offsets(partition);
  if (!range || settings_.reset == OffsetReset::kNone) return std::nullopt;
  return settings_.reset == OffsetReset::kEarliest ? range->begin : range->end;
}

void ConsumerInstance::find_positions() {
  const auto unknown = [](const auto& entry) { return !entry.second; };
  if (std::ranges::none_of(positions_, unknown)) return;
  for (const log::GroupOffset& committed : parts_.coordinator.committed(identity_.group)) {
    const auto at = positions_.find(committed.partition);
    if (at != positions_.end() && !at->second) at->second = committed.offset;
  }
  for (auto& [partition, position] : positions_) {
    if (!position) position = reset_position(partition);
  }
}

Checked<void> ConsumerInstance::check_assigned(const log::TopicPartition& partition) const {
  if (positions_.contains(partition)) return {};
  return std::unexpected(illegal_state(
      fmt::format("No current assignment for partition {}-{}", partition.topic, partition.partition.value())));
}

void ConsumerInstance::seek(OffsetsRequest request, http::Responder respond) {
  when_settled([this, request = std::move(request), respond = std::move(respond)]() mutable {
    for (const log::GroupOffset& each : request.offsets) {
      if (const auto good = check_assigned(each.partition); !good) return respond(answer(good.error(), parts_.rules));
    }
    for (const PartitionTime& each : request.times) {
      if (const auto good = check_assigned(each.partition); !good) return respond(answer(good.error(), parts_.rules));
    }
    if (request.times.empty()) return seek_now(std::move(request), std::move(respond));
    // Offsets of times lie on the disk.
    auto own = std::make_shared<http::Responder>(std::move(respond));  // Shared with a job that may find no room.
    WorkerPool::Job job = [self = weak_from_this(), post = parts_.post, own, &log = parts_.log, &rules = parts_.rules,
                           request = std::move(request)]() mutable {
      for (const PartitionTime& each : request.times) {
        auto found = log.find_time(each.partition, each.time);
        if (!found) return (*own)(answer(found.error(), rules));
        auto offset = *found ? Result<log::Offset>((*found)->offset) : Result<log::Offset>(log::Offset(0));
        if (!*found) {  // None is as young: what comes next will be.
          const auto range = log.offsets(each.partition);
          if (!range) return (*own)(answer(range.error(), rules));
          offset = range->end;
        }
        request.offsets.push_back({each.partition, *offset, -1, {}});
      }
      post([self, own, request = std::move(request)]() mutable {
        if (const auto instance = self.lock()) instance->seek_now(std::move(request), std::move(*own));
      });
    };
    if (!parts_.readers.try_run(job)) (*own)(answer_busy(parts_.rules));
  });
}

void ConsumerInstance::seek_now(OffsetsRequest request, http::Responder respond) {
  for (const log::GroupOffset& each : request.offsets) {
    const auto at = positions_.find(each.partition);
    if (at != positions_.end()) at->second = each.offset;
  }
  change_positions();
  respond(no_content());
}

void ConsumerInstance::seek_to_edge(std::vector<log::TopicPartition> partitions, bool beginning,
                                    http::Responder respond) {
  when_settled([this, partitions = std::move(partitions), beginning, respond = std::move(respond)]() mutable {
    OffsetsRequest request;
    if (partitions.empty()) {  // All, as Kafka's clients take it.
      for (const auto& [partition, position] : positions_) partitions.push_back(partition);
    }
    for (const log::TopicPartition& partition : partitions) {
      if (const auto good = check_assigned(partition); !good) return respond(answer(good.error(), parts_.rules));
      const auto range = parts_.log.offsets(partition);
      if (!range) return respond(answer(range.error(), parts_.rules));
      request.offsets.push_back({partition, beginning ? range->begin : range->end, -1, {}});
    }
    seek_now(std::move(request), std::move(respond));
  });
}

// ---- What it has committed.

groups::CommitRequest ConsumerInstance::commit_request() const {
  groups::CommitRequest request;
  request.group = identity_.group;
  if (member_->in_group()) {
    request.generation = member_->generation();
    request.member_id = member_->id();
  }
  return request;
}

void ConsumerInstance::store(const Positions& positions, groups::OffsetsDone done) {
  auto request = commit_request();
  for (const auto& [partition, position] : positions) {
    if (position) request.offsets.push_back({partition, *position, -1, {}});
  }
  committed_at_ = parts_.clock.steady_now();
  if (request.offsets.empty()) return done({});
  parts_.coordinator.commit(std::move(request), std::move(done));
}

void ConsumerInstance::commit(OffsetsRequest body, http::Responder respond) {
  for (log::GroupOffset& each : body.offsets) {
    if (!may_read(each.partition.topic)) return respond(answer(not_allowed(each.partition.topic), parts_.rules));
    each.offset = each.offset + parts_.rules.commit_step;
  }
  when_settled([this, body = std::move(body), respond = std::move(respond)]() mutable {
    auto request = commit_request();
    request.offsets = std::move(body.offsets);
    parts_.coordinator.commit(std::move(request), [&rules = parts_.rules, respond = std::move(respond)](
                                                      const groups::OffsetsReply& reply) mutable {
      respond(answer_to_commit(reply, rules));
    });
  });
}

void ConsumerInstance::commit_all(bool wait, http::Responder respond) {
  when_settled([this, wait, respond = std::move(respond)]() mutable {
    if (!wait) {
      store(positions_, ignore);
      return respond(answer_to_commit({}, parts_.rules));
    }
    store(positions_, [&rules = parts_.rules, respond = std::move(respond)](const groups::OffsetsReply& reply) mutable {
      respond(answer_to_commit(reply, rules));
    });
  });
}

void ConsumerInstance::committed(const std::vector<log::TopicPartition>& partitions, http::Responder respond) {
  use();
  std::map<log::TopicPartition, log::GroupOffset> known;
  for (log::GroupOffset& each : parts_.coordinator.committed(identity_.group)) known.emplace(each.partition, each);
  JsonWriter out;
  out.begin_object().key("offsets").begin_array();
  for (const log::TopicPartition& partition : partitions) {
    if (!may_read(partition.topic)) return respond(answer(not_allowed(partition.topic), parts_.rules));
    const auto at = known.find(partition);
    if (at == known.end() && !parts_.rules.uncommitted) continue;
    out.begin_object().key("topic").string(partition.topic).key("partition").integer(partition.partition.value());
    out.key("offset").integer(at == known.end() ? *parts_.rules.uncommitted : at->second.offset.value());
    out.key("metadata").string(at == known.end() ? "" : at->second.metadata).end_object();
  }
  out.end_array().end_object();
  respond(http::Response::json(200, std::move(out).take(), parts_.rules.answer_type));
}

// ---- Its time.

void ConsumerInstance::close(bool commit) {
  if (commit && settings_.auto_commit) store(positions_, ignore);
  processed_.clear();
  if (poll_) refuse_read({404, 40403, "Consumer instance not found."});
  member_->leave();
  run_settled();
}

bool ConsumerInstance::look() {
  const SteadyTime now = parts_.clock.steady_now();
  if (poll_) use();
  if (now >= idle_since_ + parts_.idle_timeout) return false;
  if (now >= member_->next_beat()) {
    member_->beat();
    follow_pattern();
  }
  for (std::size_t i = 0; i < waiting_.size();) {
    if (now < waiting_[i].until) {
      ++i;
      continue;
    }
    auto go = std::move(waiting_[i].go);
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
    go();
  }
  if (poll_ && now >= poll_->until && !poll_->at_work) finish_read();
  return true;
}

SteadyTime ConsumerInstance::next_look() const {
  SteadyTime next = std::min(idle_since_ + parts_.idle_timeout, member_->next_beat());
  for (const Waiting& waiting : waiting_) next = std::min(next, waiting.until);
  if (poll_ && !poll_->at_work) next = std::min(next, poll_->until);
  return next;
}

}  // namespace pinflow::doors::kafka_rest
