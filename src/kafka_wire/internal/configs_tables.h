#pragma once

#include "kafka_wire/internal/schema.h"
#include "kafka_wire/messages/configs.h"

namespace pinflow::kafka_wire {

template <>
struct Table<DescribeConfigsRequest::Resource> {
  using T = DescribeConfigsRequest::Resource;
  static constexpr auto fields = std::tuple(FIELD(resource_type), FIELD(resource_name), FIELD(configuration_keys));
};
template <>
struct Table<DescribeConfigsRequest> {
  using T = DescribeConfigsRequest;
  static constexpr auto fields =
      std::tuple(FIELD(resources), FIELD(include_synonyms, .first = 1), FIELD(include_documentation, .first = 3));
};
template <>
struct Table<DescribeConfigsResponse::Synonym> {
  using T = DescribeConfigsResponse::Synonym;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(value), FIELD(source));
};
template <>
struct Table<DescribeConfigsResponse::Config> {
  using T = DescribeConfigsResponse::Config;
  static constexpr auto fields =
      std::tuple(FIELD(name), FIELD(value), FIELD(read_only), FIELD(is_default, .last = 0),
                 FIELD(config_source, .first = 1), FIELD(is_sensitive), FIELD(synonyms, .first = 1),
                 FIELD(config_type, .first = 3), FIELD(documentation, .first = 3));
};
template <>
struct Table<DescribeConfigsResponse::Resource> {
  using T = DescribeConfigsResponse::Resource;
  static constexpr auto fields =
      std::tuple(FIELD(error_code), FIELD(error_message), FIELD(resource_type), FIELD(resource_name), FIELD(configs));
};
template <>
struct Table<DescribeConfigsResponse> {
  using T = DescribeConfigsResponse;
  static constexpr auto fields = std::tuple(FIELD(throttle_time_ms), FIELD(resources));
};

template <>
struct Table<IncrementalAlterConfigsRequest::Config> {
  using T = IncrementalAlterConfigsRequest::Config;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(operation), FIELD(value));
};
template <>
struct Table<IncrementalAlterConfigsRequest::Resource> {
  using T = IncrementalAlterConfigsRequest::Resource;
  static constexpr auto fields = std::tuple(FIELD(resource_type), FIELD(resource_name), FIELD(configs));
};
template <>
struct Table<IncrementalAlterConfigsRequest> {
  using T = IncrementalAlterConfigsRequest;
  static constexpr auto fields = std::tuple(FIELD(resources), FIELD(validate_only));
};
template <>
struct Table<IncrementalAlterConfigsResponse::Resource> {
  using T = IncrementalAlterConfigsResponse::Resource;
  static constexpr auto fields =
      std::tuple(FIELD(error_code), FIELD(error_message), FIELD(resource_type), FIELD(resource_name));
};
template <>
struct Table<IncrementalAlterConfigsResponse> {
  using T = IncrementalAlterConfigsResponse;
  static constexpr auto fields = std::tuple(FIELD(throttle_time_ms), FIELD(resources));
};

template <>
struct Table<AlterConfigsRequest::Config> {
  using T = AlterConfigsRequest::Config;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(value));
};
template <>
struct Table<AlterConfigsRequest::Resource> {
  using T = AlterConfigsRequest::Resource;
  static constexpr auto fields = std::tuple(FIELD(resource_type), FIELD(resource_name), FIELD(configs));
};
template <>
struct Table<AlterConfigsRequest> {
  using T = AlterConfigsRequest;
  static constexpr auto fields = std::tuple(FIELD(resources), FIELD(validate_only));
};
template <>
struct Table<AlterConfigsResponse::Resource> {
  using T = AlterConfigsResponse::Resource;
  static constexpr auto fields =
      std::tuple(FIELD(error_code), FIELD(error_message), FIELD(resource_type), FIELD(resource_name));
};
template <>
struct Table<AlterConfigsResponse> {
  using T = AlterConfigsResponse;
  static constexpr auto fields = std::tuple(FIELD(throttle_time_ms), FIELD(resources));
};

}  // namespace pinflow::kafka_wire
