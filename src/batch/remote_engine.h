#pragma once

#include <stop_token>
#include <string>

#include "base/result.h"
#include "batch/batch_job.h"
#include "disk/disk.h"

namespace pinflow::batch {

// One run of the driver (packaging/spark/pinflow_batch.py). Driver, job and result lie in the store of tables; the addresses are those that
// the engine reads them by.
struct RemoteCall {
  std::string run_id;
  std::string program;            // The driver: s3a://bucket/tables/batch/spark/pinflow_batch.py
  disk::Path local_program = {};  // The same on this machine, for who starts it here.
  std::string job;                // Its two arguments.
  std::string result;
};

// An engine outside this process that does the work of a run. One thread at a time calls it.
class RemoteEngine {
 public:
  virtual ~RemoteEngine() = default;
  // Where the engine finds the stores of objects and of tables, without a slash at the end: "file:///data/objects", "s3a://bucket/prefix".
  virtual std::string objects_address() const = 0;
  virtual std::string tables_address() const = 0;
  // Runs the driver to its end and tells its steps. kCancelled: it was stopped, and so is the driver. kUnavailable: it could not be
  // started. kInvalid: it ended with an error; the message has its last words.
  virtual Result<void> run(const RemoteCall& call, Progress* progress, std::stop_token stop) = 0;
};

}  // namespace pinflow::batch
