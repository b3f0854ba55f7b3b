#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "load.h"
#include "records/kind.h"
#include "records/synthetic.h"

namespace pinflow::bench {

// Invented pins as POST /topics/{topic} takes them, so many in each request, numbered on from `first`. About 640 bytes each, as
// real pins are.
class NumberedPins final : public Requests {
 public:
  NumberedPins(std::string topic, std::int64_t first, int records_per_request)
      : topic_(std::move(topic)), next_(first), records_(records_per_request) {}
  bool next(std::string& out) override;

 private:
  std::string topic_;
  std::int64_t next_;
  int records_;
};

// The synthetic data set, all kinds, 500 records a request: to the topics by the Kafka REST door or to the streams by the Kinesis one.
class SyntheticLoad final : public Requests {
 public:
  enum class To { kTopics, kStreams };
  SyntheticLoad(std::int64_t posts, To to) : source_({.seed = 1, .posts = posts}), to_(to) {}
  bool next(std::string& out) override;

 private:
  records::SyntheticPosts source_;
  To to_;
  std::deque<std::string> ready_;
};

// A pin of one profile, as PUT /streams/{name}/record takes it.
std::string pin_for_stream(std::int64_t ind, std::string_view profile);

}  // namespace pinflow::bench
