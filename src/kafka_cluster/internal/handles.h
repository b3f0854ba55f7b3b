#pragma once

#include <librdkafka/rdkafka.h>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

// librdkafka's objects with owners, and its errors as ours.
namespace pinflow::kafka_cluster {

template <auto destroy>
struct DestroyBy {
  template <class T>
  void operator()(T* object) const {
    destroy(object);
  }
};

using ConfHandle = std::unique_ptr<rd_kafka_conf_t, DestroyBy<rd_kafka_conf_destroy>>;
using TopicHandle = std::unique_ptr<rd_kafka_topic_t, DestroyBy<rd_kafka_topic_destroy>>;
using QueueHandle = std::unique_ptr<rd_kafka_queue_t, DestroyBy<rd_kafka_queue_destroy>>;
using MessageHandle = std::unique_ptr<rd_kafka_message_t, DestroyBy<rd_kafka_message_destroy>>;
using PartitionListHandle =
    std::unique_ptr<rd_kafka_topic_partition_list_t, DestroyBy<rd_kafka_topic_partition_list_destroy>>;
using ErrorHandle = std::unique_ptr<rd_kafka_error_t, DestroyBy<rd_kafka_error_destroy>>;
using EventHandle = std::unique_ptr<rd_kafka_event_t, DestroyBy<rd_kafka_event_destroy>>;

// What a caller should do about an error that says that nothing was changed.
ErrorCode code_of(rd_kafka_resp_err_t error);
// With what librdkafka says of it; `reason` is its longer text, if there is one.
Error error_of(rd_kafka_resp_err_t error, std::string_view context, const char* reason = nullptr);

}  // namespace pinflow::kafka_cluster
