#include "kafka_wire/consumer_protocol.h"

#include "kafka_wire/internal/walk.h"

namespace pinflow::kafka_wire {

template <>
struct Table<ConsumerSubscription> {
  using T = ConsumerSubscription;
  static constexpr auto fields = std::tuple(FIELD(topics), FIELD(user_data, .wire = Wire::kBytes));
};
template <>
struct Table<ConsumerAssignment::Topic> {
  using T = ConsumerAssignment::Topic;
  static constexpr auto fields = std::tuple(FIELD(topic), FIELD(partitions));
};
template <>
struct Table<ConsumerAssignment> {
  using T = ConsumerAssignment;
  static constexpr auto fields = std::tuple(FIELD(assigned_partitions), FIELD(user_data, .wire = Wire::kBytes));
};

namespace {

template <class T>
Result<T> read(std::string_view bytes, std::string_view what) {
  T value;
  if (bytes.empty()) return value;
  Reader reader(bytes, 0, false);
  reader.at_field("version");
  if (reader.integer<std::int16_t>() < 0) reader.fail("is negative", 0);
  get_struct(reader, value);
  if (reader.failed()) return fail(reader.error(what));
  return value;
}

template <class T>
std::string write(const T& value) {
  EncodedFrame frame;
  Writer writer(frame, 0, false);
  writer.integer<std::int16_t>(0);
  put_struct(writer, value);
  return std::move(frame.bytes);
}

}  // namespace

Result<ConsumerSubscription> read_subscription(std::string_view bytes) {
  return read<ConsumerSubscription>(bytes, "a group member's subscription");
}

Result<ConsumerAssignment> read_assignment(std::string_view bytes) {
  return read<ConsumerAssignment>(bytes, "a group member's assignment");
}

std::string write_subscription(const ConsumerSubscription& subscription) {
  return write(subscription);
}

std::string write_assignment(const ConsumerAssignment& assignment) {
  return write(assignment);
}

}  // namespace pinflow::kafka_wire
