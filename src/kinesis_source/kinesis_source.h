#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kinesis_source/kinesis_api.h"
#include "kinesis_source/stream_copy.h"

namespace pinflow::kinesis_source {

struct KinesisSourceOptions {
  std::vector<std::string> streams;  // Each a stream in Kinesis and a topic of the log.
  disk::Path folder;                 // Of the positions: state/kinesis.
};

// Streams of Kinesis on their way into the log (stream_copy.h), a thread each from construction to destruction, which saves where it is. What it stands on
// outlives it. status() is safe from any thread.
class KinesisSource final {
 public:
  KinesisSource(const KinesisSourceOptions& options, KinesisApi& kinesis, log::Log& log, disk::Disk& disk,
                const Clock& clock, Logger& logger);
  ~KinesisSource();
  KinesisSource(const KinesisSource&) = delete;
  KinesisSource& operator=(const KinesisSource&) = delete;

  std::vector<StreamCopyStatus> status() const;

 private:
  struct Stream;
  std::vector<std::unique_ptr<Stream>> streams_;
};

}  // namespace pinflow::kinesis_source
