#include "doors/kinesis/stream_book.h"

#include "log/change_topic.h"

namespace pinflow::doors::kinesis {

Result<StreamPtr> StreamBook::find(const std::string& name) {
  auto topic = log_.topic(name);
  if (topic) return read(*topic);
  if (topic.error().code == ErrorCode::kNotFound) {
    const std::scoped_lock lock(mutex_);
    entries_.erase(name);
  }
  return fail(std::move(topic).error());
}

Result<std::pair<StreamPtr, WriteTicket>> StreamBook::find_for_write(const std::string& name) {
  const auto ticket = [&]() -> WriteTicket {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : found->second.generation;
  };
  // The ticket comes first, so that whoever holds one of the newest generation has seen the newest stream.
  WriteTicket held = ticket();
  TRY_ASSIGN(StreamPtr stream, find(name));
  if (held == nullptr) {
    held = ticket();
    TRY_ASSIGN(stream, find(name));
  }
  return std::pair(std::move(stream), std::move(held));
}

Result<StreamPtr> StreamBook::read(const log::Topic& topic) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(topic.name);
  if (found != entries_.end() && found->second.stream->is_of(topic)) return found->second.stream;
  TRY_ASSIGN(StreamPtr stream, Stream::of(topic));
  if (found == entries_.end()) {
    entries_[topic.name].stream = stream;
  } else if (found->second.stream->id() != topic.id) {
    found->second = {};
    found->second.stream = stream;
  } else {
    found->second.stream = stream;
  }
  return stream;
}

std::vector<StreamPtr> StreamBook::all() {
  std::vector<StreamPtr> streams;
  for (const log::Topic& topic : log_.topics())
    if (auto stream = read(topic)) streams.push_back(std::move(*stream));
  return streams;
}

bool StreamBook::is_settled(const Stream& stream) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(stream.name());
  if (found == entries_.end() || found->second.stream->id() != stream.id()) return true;
  Entry& entry = found->second;
  std::erase_if(entry.before, [](const auto& generation) { return generation.expired(); });
  return !entry.reshaping && entry.before.empty();
}

Result<StreamPtr> StreamBook::write(const StreamPtr& stream, StreamState state,
                                    const std::vector<std::pair<std::string, std::string>>& settings) {
  const std::string encoded = encode_state(state);
  // Kafka's clients may change other settings of the topic meanwhile.
  TRY_ASSIGN(const log::Topic altered,
             log::change_topic(log_, stream->name(), [&](const log::Topic& now) -> Result<log::TopicConfigs> {
               if (now.id != stream->id())
                 return fail(ErrorCode::kNotFound, stream->name() + " was deleted and made again");
               auto configs = with_setting(now.configs, kStateSetting, encoded);
               for (const auto& [name, value] : settings) configs = with_setting(std::move(configs), name, value);
               return configs;
             }));
  return read(altered);
}

Result<StreamPtr> StreamBook::change(const StreamPtr& stream, const Change& change,
                                     const std::vector<std::pair<std::string, std::string>>& settings) {
  StreamState state = stream->state();
  change(state);
  return write(stream, std::move(state), settings);
}

Result<StreamPtr> StreamBook::reshape(const StreamPtr& stream, const Change& change) {
  StreamState state = stream->state();
  change(state);
  const auto shards = static_cast<std::int32_t>(state.shards.size());
  TRY_ASSIGN(const log::Topic now, log_.topic(stream->name()));
  if (now.partitions < shards) TRY(log_.add_partitions(stream->name(), shards));
  {
    const std::scoped_lock lock(mutex_);
    if (const auto found = entries_.find(stream->name()); found != entries_.end()) found->second.reshaping = true;
  }
  auto written = write(stream, std::move(state), {});
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(stream->name());
  if (found != entries_.end()) {
    Entry& entry = found->second;
    entry.before.push_back(entry.generation);
    entry.generation = std::make_shared<int>();
    entry.reshaping = false;
  }
  return written;
}

Result<StreamPtr> StreamBook::create(const std::string& name, const StreamState& state,
                                     std::vector<std::pair<std::string, std::string>> settings) {
  settings = with_setting(std::move(settings), kStateSetting, encode_state(state));
  TRY_ASSIGN(const log::Topic topic,
             log_.create_topic({name, static_cast<std::int32_t>(state.shards.size()), std::move(settings)}));
  return read(topic);
}

Result<void> StreamBook::remove(const std::string& name) {
  TRY(log_.delete_topic(name));
  const std::scoped_lock lock(mutex_);
  entries_.erase(name);
  return {};
}

}  // namespace pinflow::doors::kinesis
