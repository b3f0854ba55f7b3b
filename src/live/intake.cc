#include "live/intake.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "live/record_parser.h"
#include "records/kind.h"

namespace pinflow::live {

namespace {

class StreamIntake final : public Intake {
 public:
  StreamIntake(const StateOptions& options, std::vector<std::string> topics)
      : topics_(std::move(topics)),
        state_(options),
        parsers_{RecordParser(records::Kind::kPin), RecordParser(records::Kind::kGeo),
                 RecordParser(records::Kind::kUser)} {}

  const std::vector<std::string>& topics() const override { return topics_; }
  Result<ReadingPlace> follow(const log::TopicPartition& partition, const log::Topic& topic) override {
    SourceState& source = state_.follow(partition, topic.id);
    return ReadingPlace{&source.next, &source.newest};
  }
  Result<void> read(const log::FetchedPartition& fetched, WallTime now) override {
    const auto kind = records::kind_of(fetched.partition.topic);
    CHECK(kind.has_value(), "topics of live metrics are named after their kind");
    parser_ = &parsers_[static_cast<std::size_t>(*kind)];
    partition_ = fetched.partition;
    parser_->read(fetched, now);
    return {};
  }
  void apply(SteadyTime) override { parser_->apply(state_, state_.source(partition_)); }
  std::size_t records() const override { return parser_->records(); }
  log::Offset go_on(log::Offset next, const log::OffsetRange& range) const override {
    return std::clamp(next, range.begin, range.end);
  }
  std::vector<ShownPartition> shown(std::vector<ShownPartition> read) const override { return read; }

  const LiveState& state() const override { return state_; }
  LiveParts& parts() override { return state_.parts(); }
  std::string save() const override { return state_.save(); }
  Result<void> load(std::string_view bytes) override { return state_.load(bytes); }
  Result<void> load_streams(std::string_view bytes) override { return load(bytes); }

 private:
  const std::vector<std::string> topics_;
  LiveState state_;
  std::array<RecordParser, 3> parsers_;  // By kind.
  // What was read last.
  RecordParser* parser_ = nullptr;
  log::TopicPartition partition_;
};

}  // namespace

std::unique_ptr<Intake> read_streams(const StateOptions& options, std::vector<std::string> topics) {
  return std::make_unique<StreamIntake>(options, std::move(topics));
}

}  // namespace pinflow::live
