#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "doors/kinesis/stream.h"
#include "log/log.h"

namespace pinflow::doors::kinesis {

// Held by a record on its way into the log: while one is held that began before a change of the shards, the change is not
// settled, and a shard that it closed may still get records. Shared: copies count uses, nothing is read through it.
using WriteTicket = std::shared_ptr<const int>;

// The streams over a log: reads topics as streams, remembering what it read, and changes them. Reading is safe from any thread and
// answers from memory; change(), reshape() and remove() write to the disk and are called on one thread, so that changes follow one
// another. A Kafka client may change settings of the same topic in the same moment: neither change is lost.
class StreamBook final {
 public:
  explicit StreamBook(log::Log& log) : log_(log) {}

  // kNotFound; kCorrupt, kInvalid: the state of the stream cannot be read.
  Result<StreamPtr> find(const std::string& name);
  // For a record that is put: the ticket is held until the record is stored or refused.
  Result<std::pair<StreamPtr, WriteTicket>> find_for_write(const std::string& name);
  std::vector<StreamPtr> all();  // Sorted by name; those that cannot be read are left out.

  // Can no more records come into shards that are closed? Ask before the end of the shard is read.
  bool is_settled(const Stream& stream);

  using Change = std::function<void(StreamState&)>;
  // Writes a new state, atomically; gives the new stream. `settings` replace those of the topic of the same name.
  Result<StreamPtr> change(const StreamPtr& stream, const Change& change,
                           const std::vector<std::pair<std::string, std::string>>& settings = {});
  // As change(), where shards are added and closed: partitions for the new ones are there before the state tells of them, so a
  // crash in between leaves the old stream, and partitions that the next try takes.
  Result<StreamPtr> reshape(const StreamPtr& stream, const Change& change);
  Result<StreamPtr> create(const std::string& name, const StreamState& state,
                           std::vector<std::pair<std::string, std::string>> settings);
  Result<void> remove(const std::string& name);

 private:
  struct Entry {
    StreamPtr stream;
    std::shared_ptr<int> generation = std::make_shared<int>();
    std::vector<std::weak_ptr<int>> before;  // Generations that may still write.
    bool reshaping = false;
  };
  Result<StreamPtr> read(const log::Topic& topic);
  Result<StreamPtr> write(const StreamPtr& stream, StreamState state,
                          const std::vector<std::pair<std::string, std::string>>& settings);

  log::Log& log_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace pinflow::doors::kinesis
