#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "log/broker_log.h"
#include "log/internal/committer.h"
#include "log/internal/group_journal.h"
#include "log/internal/topic_table.h"

namespace pinflow::log {

// The consumer groups of a log: checks what callers want to change and hands it to the committer, answers questions from
// memory. Safe from any thread. All references must outlive it. attach() comes before the first change; without a
// committer (read-only logs) all changes are refused with kInvalid.
class GroupStore final {
 public:
  GroupStore(GroupJournal& journal, const TopicTable& topics, const Clock& clock)
      : journal_(journal), topics_(topics), clock_(clock) {}
  void attach(Committer& committer) { committer_ = &committer; }

  // As in log/broker_log.h. A refused change calls `done` at once.
  void commit(std::string group, const std::vector<GroupOffset>& offsets, Done done);
  void delete_offsets(std::string group, const std::vector<TopicPartition>& partitions, Done done);
  void delete_old_offsets(std::string group, WallTime before, Done done);
  void delete_group(std::string group, Done done);
  void store_state(std::string group, std::string state, Done done);
  std::vector<GroupOffset> committed(const std::string& group) const;

 private:
  Result<void> check(const std::string& group) const;
  Result<void> fill(GroupChange& change, const std::vector<GroupOffset>& offsets) const;
  void submit(GroupChange change, Done done);

  GroupJournal& journal_;
  const TopicTable& topics_;
  const Clock& clock_;
  Committer* committer_ = nullptr;
};

}  // namespace pinflow::log
