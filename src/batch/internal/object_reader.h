#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "base/queue.h"
#include "base/result.h"
#include "batch/batch_job.h"
#include "batch/internal/sunk_objects.h"

namespace pinflow::batch::internal {

// Parsed records on their way to the SQL engine, and what was read since the reader's slice before. Parts may
// be absent.
struct Slice {
  std::unique_ptr<records::RawBatch> rows;
  std::unique_ptr<records::DeadLetters> dead_letters;
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  std::array<std::uint64_t, records::kKinds.size()> records{};  // By kind.
  std::map<log::TopicPartition, log::Offset> last_offsets;      // Of the objects without plan.
  std::vector<std::pair<std::size_t, std::uint64_t>> lines;     // Of each object, by its place in the list.
  std::vector<std::pair<std::size_t, std::string>> skipped;     // Objects that are none of the sink's, and the reason.
};

// Reads and parses objects on threads of its own and gives slices to one consumer thread. The queue between
// holds as many slices as there are readers; readers wait when it is full. `store` and `objects` must outlive
// it. Destroying it stops the readers.
class ObjectReader {
 public:
  ObjectReader(objects::ObjectStore& store, const std::vector<SunkObject>& objects, const BatchOptions& options);
  ~ObjectReader();
  ObjectReader(const ObjectReader&) = delete;
  ObjectReader& operator=(const ObjectReader&) = delete;

  // Waits for the next slice; empty at the end. The first error of a reader, or kCancelled, ends it.
  Result<std::optional<Slice>> next(std::stop_token stop);

 private:
  class Worker;
  void work(std::stop_token stop);
  Result<void> read_all(Worker& worker, std::stop_token stop);
  Result<void> read_one(Worker& worker, std::size_t place);

  objects::ObjectStore& store_;
  const std::vector<SunkObject>& objects_;
  const BatchOptions options_;
  BoundedQueue<Slice> slices_;
  std::atomic<std::size_t> next_object_{0};
  std::atomic<int> running_;
  std::mutex error_mutex_;
  std::optional<Error> error_;         // The first of all readers.
  std::vector<std::jthread> threads_;  // Last: stops first.
};

}  // namespace pinflow::batch::internal
