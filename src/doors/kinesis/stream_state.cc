#include "doors/kinesis/stream_state.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/json.h"
#include "doors/json_cursor.h"

namespace pinflow::doors::kinesis {

namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::int32_t kMostShards = 100'000;
constexpr std::array<std::string_view, 6> kKinds{"none", "create", "delete", "split", "merge", "scale"};

std::int64_t milliseconds(WallTime time) {
  return time.time_since_epoch().count();
}

void write_tags(JsonWriter& out, const Tags& tags) {
  out.begin_object();
  for (const auto& [key, value] : tags) out.key(key).string(value);
  out.end_object();
}

// What is not as it was in the beginning.
void write_shards(JsonWriter& out, const StreamState& state) {
  out.key("shards").begin_array();
  for (auto i = static_cast<std::size_t>(state.even); i < state.shards.size(); ++i) {
    const Shard& shard = state.shards[i];
    out.begin_array().raw(to_decimal(shard.range.first)).raw(to_decimal(shard.range.last));
    out.integer(shard.parent).integer(shard.adjacent_parent);
    out.integer(shard.created.time_since_epoch().count()).end_array();
  }
  out.end_array().key("closed").begin_array();
  for (std::size_t i = 0; i < state.shards.size(); ++i) {
    if (const auto closed = state.shards[i].closed)
      out.begin_array().integer(static_cast<std::int64_t>(i)).integer(milliseconds(*closed)).end_array();
  }
  out.end_array();
}

void write_consumers(JsonWriter& out, const std::vector<Consumer>& consumers) {
  out.key("consumers").begin_array();
  for (const Consumer& consumer : consumers) {
    out.begin_array().string(consumer.name).integer(milliseconds(consumer.created));
    write_tags(out, consumer.tags);
    out.string(consumer.policy).end_array();
  }
  out.end_array();
}

void write_pending(JsonWriter& out, const PendingChange& pending) {
  if (pending.kind == PendingChange::Kind::kNone) return;
  out.key("pending").begin_array().string(kKinds[static_cast<std::size_t>(pending.kind)]);
  out.integer(pending.shard).integer(pending.adjacent).raw(to_decimal(pending.at)).integer(pending.target).end_array();
}

// Reads what write_... wrote, with the cursor's own errors.
class Reader {
 public:
  Reader(std::string_view text, StreamState& state) : cursor_(text), state_(state) {}

  Result<void> read(std::chrono::sys_seconds created) {
    created_ = created;
    TRY(cursor_.begin_object());
    bool versioned = false;
    for (;;) {
      TRY_ASSIGN(const auto name, cursor_.next_member());
      if (!name) break;
      if (!versioned && *name != "version") return wrong("it does not begin with its version");
      versioned = true;
      TRY(member(*name));
    }
    TRY(cursor_.end());
    for (const Shard& shard : state_.shards) {
      const auto known = static_cast<std::int32_t>(state_.shards.size());
      if (shard.parent >= known || shard.adjacent_parent >= known) return wrong("a parent is missing");
    }
    return versioned && !state_.shards.empty() ? Result<void>() : wrong("members are missing");
  }

  bool is_newer() const { return is_newer_; }

 private:
  static Result<void> wrong(std::string_view what) {
    return fail(ErrorCode::kCorrupt, fmt::format("the state of a stream: {}", what));
  }

  Result<void> member(std::string_view name) {
    if (name == "version") return version();
    if (name == "even") return even();
    if (name == "shards") return list([this] { return shard(); });
    if (name == "closed") return list([this] { return closed(); });
    if (name == "consumers") return list([this] { return consumer(); });
    if (name == "metrics") return list([this] { return value(state_.metrics.emplace_back()); });
    if (name == "scaled") return list([this] { return value(state_.scaled.emplace_back()); });
    if (name == "tags") return tags(state_.tags);
    if (name == "pending") return pending();
    if (name == "key_id") return value(state_.key_id);
    if (name == "policy") return value(state_.policy);
    if (name == "max_record_kib") return value(state_.max_record_kib);
    if (name == "warm_mib") return value(state_.warm_mib);
    TRY_ASSIGN(const auto slice, cursor_.value());  // Of an unknown name: passed over.
    if (name == "on_demand") state_.on_demand = slice == "true";
    return {};
  }

  Result<void> version() {
    std::int64_t version = 0;
    TRY(value(version));
    if (version <= kVersion) return {};
    is_newer_ = true;
    return wrong(fmt::format("it has version {}, this program knows {}; use a newer program", version, kVersion));
  }
  Result<void> even() {
    std::int32_t count = 0;
    TRY(value(count));
    if (count < 1 || count > kMostShards) return wrong("it begins with no possible number of shards");
    state_.even = count;
    state_.shards = fresh_state(count, created_).shards;
    return {};
  }
  Result<void> shard() {
    if (state_.shards.size() >= static_cast<std::size_t>(kMostShards)) return wrong("it has too many shards");
    Shard& shard = state_.shards.emplace_back();
    std::int64_t created = 0;
    TRY(cursor_.begin_array());
    TRY(element(shard.range.first));
    TRY(element(shard.range.last));
    TRY(element(shard.parent));
    TRY(element(shard.adjacent_parent));
    TRY(element(created));
    shard.created = std::chrono::sys_seconds(std::chrono::seconds(created));
    return close();
  }
  Result<void> closed() {
    std::size_t index = 0;
    TRY(cursor_.begin_array());
    TRY(element(index));
    if (index >= state_.shards.size()) return wrong("a shard that is closed is missing");
    TRY(element(state_.shards[index].closed.emplace()));
    return close();
  }
  Result<void> consumer() {
    Consumer& consumer = state_.consumers.emplace_back();
    TRY(cursor_.begin_array());
    TRY(element(consumer.name));
    TRY(element(consumer.created));
    TRY(next());
    TRY(tags(consumer.tags));
    TRY(element(consumer.policy));
    return close();
  }
  Result<void> pending() {
    PendingChange& pending = state_.pending;
    std::string kind;
    TRY(cursor_.begin_array());
    TRY(element(kind));
    for (std::size_t i = 0; i < kKinds.size(); ++i)
      if (kind == kKinds[i]) pending.kind = static_cast<PendingChange::Kind>(i);
    TRY(element(pending.shard));
    TRY(element(pending.adjacent));
    TRY(element(pending.at));
    TRY(element(pending.target));
    return close();
  }
  Result<void> tags(Tags& into) {
    TRY(cursor_.begin_object());
    for (;;) {
      TRY_ASSIGN(auto name, cursor_.next_member());
      if (!name) return {};
      TRY(value(into[*std::move(name)]));
    }
  }

  template <class Read>
  Result<void> list(Read read) {
    TRY(cursor_.begin_array());
    for (;;) {
      TRY_ASSIGN(const bool more, cursor_.next_element());
      if (!more) return {};
      TRY(read());
    }
  }
  Result<void> next() {
    TRY_ASSIGN(const bool more, cursor_.next_element());
    return more ? Result<void>() : wrong("a list is too short");
  }
  Result<void> close() {
    TRY_ASSIGN(const bool more, cursor_.next_element());
    return more ? wrong("a list is too long") : Result<void>();
  }
  template <class T>
  Result<void> element(T& into) {
    TRY(next());
    return value(into);
  }

  Result<void> value(std::string& into) {
    TRY_ASSIGN(const auto slice, cursor_.value());
    if (!slice.starts_with('"')) return wrong("a text is expected");
    into = JsonCursor::decode_string(slice);
    return {};
  }
  Result<void> value(WallTime& into) {
    std::int64_t count = 0;
    TRY(value(count));
    into = WallTime(std::chrono::milliseconds(count));
    return {};
  }
  Result<void> value(HashKey& into) {
    TRY_ASSIGN(const auto slice, cursor_.value());
    const auto key = parse_hash_key(slice);
    if (!key) return wrong("a hash key is expected");
    into = *key;
    return {};
  }
  template <class Number>
    requires(std::is_integral_v<Number> && sizeof(Number) <= 8)
  Result<void> value(Number& into) {
    TRY_ASSIGN(const auto slice, cursor_.value());
    const auto [end, error] = std::from_chars(slice.data(), slice.data() + slice.size(), into);
    if (error != std::errc{} || end != slice.data() + slice.size()) return wrong("a number is expected");
    return {};
  }

  bool is_newer_ = false;
  JsonCursor cursor_;
  StreamState& state_;
  std::chrono::sys_seconds created_;
};

}  // namespace

StreamState fresh_state(std::int32_t shards, std::chrono::sys_seconds created) {
  StreamState state;
  state.even = shards;
  state.shards.reserve(static_cast<std::size_t>(shards));
  for (std::int32_t i = 0; i < shards; ++i) state.shards.push_back({even_range(shards, i), -1, -1, created});
  return state;
}

std::string encode_state(const StreamState& state) {
  JsonWriter out;
  out.begin_object().key("version").integer(kVersion).key("even").integer(state.even);
  write_shards(out, state);
  out.key("on_demand").boolean(state.on_demand).key("max_record_kib").integer(state.max_record_kib);
  out.key("warm_mib").integer(state.warm_mib).key("tags");
  write_tags(out, state.tags);
  write_consumers(out, state.consumers);
  out.key("key_id").string(state.key_id).key("policy").string(state.policy).key("metrics").begin_array();
  for (const std::string& metric : state.metrics) out.string(metric);
  out.end_array().key("scaled").begin_array();
  for (const WallTime time : state.scaled) out.integer(milliseconds(time));
  out.end_array();
  write_pending(out, state.pending);
  out.end_object();
  return std::move(out).take();
}

Result<StreamState> decode_state(std::string_view text, std::chrono::sys_seconds created) {
  StreamState state;
  state.shards.clear();
  Reader reader(text, state);
  const auto read = reader.read(created);
  if (read) return state;
  return fail(reader.is_newer() ? ErrorCode::kInvalid : ErrorCode::kCorrupt, read.error().message);
}

}  // namespace pinflow::doors::kinesis
