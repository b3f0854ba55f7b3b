#include "log/internal/topic_table.h"

#include <algorithm>

#include "base/names.h"
#include "log/internal/topic_manifest.h"

namespace pinflow::log {
namespace {

constexpr std::string_view kManifest = "topic.json";
constexpr std::string_view kDeleted = "topic.deleted";  // What the manifest becomes when the topic is deleted.
constexpr std::int32_t kMostPartitions = 10'000;

// For people who look into the folder; the manifest holds the whole name. A file name has 255 bytes at most.
std::string folder_name(const Topic& topic) {
  constexpr std::size_t kNamePart = 200;
  return fmt::format("{}-{}", std::string_view(topic.name).substr(0, kNamePart), topic.id.to_string());
}

bool holds_bytes(disk::Disk& disk, const disk::Path& folder) {
  const auto entries = disk.list(folder);
  if (!entries) return true;
  return std::ranges::any_of(*entries, [&](const disk::Entry& entry) {
    return entry.is_directory ? holds_bytes(disk, folder / entry.name) : entry.size > 0;
  });
}

}  // namespace

PartitionOptions TopicTable::partition_options(const OpenTopic& topic, std::int32_t partition) const {
  return {options_.disk,
          options_.logger,
          options_.clock,
          topic.folder / std::to_string(partition),
          {topic.topic.name, PartitionId(partition)},
          topic.settings,
          options_.durability,
          options_.read_only,
          options_.requests};
}

// An older program may have taken settings that this one does not: they are kept and passed over.
TopicSettings TopicTable::stored_settings(const Topic& topic) const {
  TopicConfigs good;
  for (const auto& setting : topic.configs) {
    if (const auto alone = read_topic_settings({setting}, options_.defaults)) {
      good.push_back(setting);
    } else {
      options_.logger.warning("a setting of a topic is passed over",
                              {{"topic", topic.name}, {"cause", alone.error().message}});
    }
  }
  if (const auto settings = read_topic_settings(good, options_.defaults)) return *settings;
  return read_topic_settings({}, options_.defaults).value_or(TopicSettings{});
}

Result<void> TopicTable::load(bool new_epochs, RecoveryReport& report) {
  const auto folders = options_.disk.list(options_.folder);
  if (!folders && folders.error().code == ErrorCode::kNotFound) return {};
  TRY(folders);
  for (const disk::Entry& entry : *folders)
    if (entry.is_directory) TRY(load_topic(options_.folder / entry.name, new_epochs, report));
  return {};
}

Result<void> TopicTable::load_topic(const disk::Path& folder, bool new_epochs, RecoveryReport& report) {
  if (options_.disk.describe(folder / kDeleted)) {
    if (options_.read_only) return {};
    options_.logger.info("finish deleting a topic", {{"folder", folder.string()}});
    return remove_files(folder);
  }
  const auto text = options_.disk.read_file(folder / kManifest);
  if (!text && text.error().code == ErrorCode::kNotFound && !holds_bytes(options_.disk, folder)) {
    // The manifest is written last, so nobody was told that this topic exists.
    if (options_.read_only) return {};
    options_.logger.info("drop a topic that was never finished", {{"folder", folder.string()}});
    return options_.disk.remove_tree(folder);
  }
  auto topic = text ? decode_manifest(*text) : Result<Topic>(std::unexpected(text.error()));
  if (topic && topics_.contains(topic->name))
    topic = fail(ErrorCode::kCorrupt, fmt::format("topic {} lies in another folder too", topic->name));
  if (!topic) {
    if (topic.error().code == ErrorCode::kInvalid) return fail(std::move(topic).error().with_context(folder.string()));
    report.damage.push_back(
        fmt::format("{}: the topic cannot be opened: {}", (folder / kManifest).string(), topic.error().message));
    options_.logger.error("a topic cannot be opened", {{"folder", folder.string()}, {"cause", topic.error().message}});
    return {};
  }
  auto open = std::make_shared<OpenTopic>();
  open->topic = std::move(*topic);
  open->folder = folder;
  open->settings = std::make_shared<LiveSettings>(stored_settings(open->topic));
  for (std::int32_t i = 0; i < open->topic.partitions; ++i) {
    TRY_ASSIGN(auto partition, PartitionLog::open(partition_options(*open, i), new_epochs, report));
    open->partitions.push_back(std::move(partition));
  }
  const std::scoped_lock lock(mutex_);
  names_.emplace(open->topic.id.bytes, open->topic.name);
  topics_.emplace(open->topic.name, std::move(open));
  return {};
}

Result<OpenTopicPtr> TopicTable::create(const TopicSpec& spec) {
  TRY(check_name("topic", spec.name));
  if (spec.partitions < 1 || spec.partitions > kMostPartitions)
    return fail(ErrorCode::kInvalid, fmt::format("topic {}: {} partitions, but 1 to {} can be made", spec.name,
                                                 spec.partitions, kMostPartitions));
  const auto settings = read_topic_settings(spec.configs, options_.defaults);
  if (!settings) return fail(Error(settings.error()).with_context(fmt::format("topic {}", spec.name)));
  const std::scoped_lock changing(change_mutex_);
  if (find(spec.name)) return fail(ErrorCode::kConflict, fmt::format("topic {} exists already", spec.name));
  auto open = std::make_shared<OpenTopic>();
  open->topic = {spec.name, Uuid::random(random_), spec.partitions, spec.configs, options_.clock.now()};
  open->folder = options_.folder / folder_name(open->topic);
  open->settings = std::make_shared<LiveSettings>(*settings);
  const auto made = [&]() -> Result<void> {
    TRY(options_.disk.create_folders(open->folder));
    TRY(make_partitions(*open));
    return options_.disk.write_file(open->folder / kManifest, encode_manifest(open->topic));
  }();
  if (!made) {
    // Without a manifest the next opening drops the folder; where even this fails the manifest may be there.
    (void)options_.disk.remove_tree(open->folder);
    return fail(Error(made.error()).with_context(fmt::format("creating topic {}", spec.name)));
  }
  const std::scoped_lock lock(mutex_);
  names_.emplace(open->topic.id.bytes, spec.name);
  topics_.emplace(spec.name, open);
  return open;
}

Result<void> TopicTable::make_partitions(OpenTopic& topic) {
  const auto there = static_cast<std::int32_t>(topic.partitions.size());
  std::vector<std::string> names;
  for (std::int32_t i = there; i < topic.topic.partitions; ++i) names.push_back(std::to_string(i));
  TRY(options_.disk.create_folders_in(topic.folder, names));
  for (std::int32_t i = there; i < topic.topic.partitions; ++i)
    topic.partitions.push_back(PartitionLog::make_new(partition_options(topic, i)));
  return {};
}

Result<OpenTopicPtr> TopicTable::replace(OpenTopicPtr next, std::string_view change) {
  const auto written = options_.disk.write_file(next->folder / kManifest, encode_manifest(next->topic));
  if (!written)
    return fail(Error(written.error()).with_context(fmt::format("writing {} of topic {}", change, next->topic.name)));
  const std::scoped_lock lock(mutex_);
  topics_[next->topic.name] = next;
  return next;
}

Result<OpenTopicPtr> TopicTable::add_partitions(const std::string& name, std::int32_t total) {
  const std::scoped_lock changing(change_mutex_);
  TRY_ASSIGN(const OpenTopicPtr open, find(name));
  if (total <= open->topic.partitions || total > kMostPartitions)
    return fail(ErrorCode::kInvalid,
                fmt::format("topic {} has {} partitions and can get more, up to {} in all, but not {}", name,
                            open->topic.partitions, kMostPartitions, total));
  auto next = std::make_shared<OpenTopic>(
      OpenTopic{open->topic, open->folder, open->settings, open->partitions, open->upkeep, 0});
  next->topic.partitions = total;
  for (std::int32_t i = open->topic.partitions; i < total; ++i) {
    if (const auto entries = options_.disk.list(open->folder / std::to_string(i)); entries && !entries->empty())
      return fail(ErrorCode::kCorrupt,
                  fmt::format("{} holds files, but topic {} has no such partition yet; move them away",
                              (open->folder / std::to_string(i)).string(), name));
  }
  // The folders go first: what the manifest does not count is not looked at, so a crash in between leaves the old state.
  if (const auto made = make_partitions(*next); !made)
    return fail(Error(made.error()).with_context(fmt::format("adding partitions to topic {}", name)));
  return replace(std::move(next), "the number of partitions");
}

Result<OpenTopicPtr> TopicTable::alter(const std::string& name, TopicConfigs configs) {
  const auto settings = read_topic_settings(configs, options_.defaults);
  if (!settings) return fail(Error(settings.error()).with_context(fmt::format("topic {}", name)));
  const std::scoped_lock changing(change_mutex_);
  TRY_ASSIGN(const OpenTopicPtr open, find(name));
  auto next = std::make_shared<OpenTopic>(
      OpenTopic{open->topic, open->folder, open->settings, open->partitions, open->upkeep, 0});
  next->topic.configs = std::move(configs);
  TRY_ASSIGN(OpenTopicPtr replaced, replace(std::move(next), "new settings"));
  replaced->settings->set(*settings);
  return replaced;
}

Result<Uuid> TopicTable::remove(const std::string& name) {
  const std::scoped_lock changing(change_mutex_);
  TRY_ASSIGN(const OpenTopicPtr open, find(name));
  for (const auto& partition : open->partitions) partition->close();
  {
    const std::scoped_lock lock(mutex_);
    topics_.erase(name);
    names_.erase(open->topic.id.bytes);
  }
  open->upkeep->deleted = true;
  const std::scoped_lock no_upkeep(open->upkeep->mutex);
  const auto removed = [&]() -> Result<void> {
    TRY(options_.disk.rename(open->folder / kManifest, open->folder / kDeleted));
    TRY(options_.disk.sync_folder(open->folder));
    return remove_files(open->folder);
  }();
  if (!removed)
    return fail(
        ErrorCode::kUnknownOutcome,
        fmt::format("deleting topic {}: {}. The next start shows whether it is gone", name, removed.error().message));
  return open->topic.id;
}

// Removes a folder whose manifest is marked as deleted; the mark goes last, so that an interrupted removal is
// known.
Result<void> TopicTable::remove_files(const disk::Path& folder) {
  TRY_ASSIGN(const auto entries, options_.disk.list(folder));
  for (const disk::Entry& entry : entries)
    if (entry.is_directory) TRY(options_.disk.remove_tree(folder / entry.name));
  TRY(options_.disk.sync_folder(folder));
  TRY(options_.disk.remove_tree(folder));
  return options_.disk.sync_folder(options_.folder);
}

Result<OpenTopicPtr> TopicTable::find(const std::string& name) const {
  const std::shared_lock lock(mutex_);
  const auto at = topics_.find(name);
  if (at == topics_.end()) return fail(ErrorCode::kNotFound, fmt::format("topic {} does not exist", name));
  return at->second;
}

Result<std::pair<OpenTopicPtr, PartitionLog*>> TopicTable::find(const TopicPartition& partition) const {
  TRY_ASSIGN(OpenTopicPtr open, find(partition.topic));
  const std::int32_t index = partition.partition.value();
  if (index < 0 || index >= open->topic.partitions)
    return fail(ErrorCode::kNotFound, fmt::format("topic {} has partitions 0 to {}, not {}", partition.topic,
                                                  open->topic.partitions - 1, index));
  PartitionLog* log = open->partitions[static_cast<std::size_t>(index)].get();
  return std::pair(std::move(open), log);
}

std::optional<std::string> TopicTable::name_of(const Uuid& id) const {
  const std::shared_lock lock(mutex_);
  const auto at = names_.find(id.bytes);
  return at == names_.end() ? std::nullopt : std::optional(at->second);
}

std::vector<OpenTopicPtr> TopicTable::open_topics() const {
  const std::shared_lock lock(mutex_);
  std::vector<OpenTopicPtr> topics;
  for (const auto& [name, open] : topics_) topics.push_back(open);
  return topics;
}

std::vector<Topic> TopicTable::list() const {
  const std::shared_lock lock(mutex_);
  std::vector<Topic> topics;
  for (const auto& [name, open] : topics_) topics.push_back(open->topic);
  return topics;
}

}  // namespace pinflow::log
