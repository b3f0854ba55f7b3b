#pragma once

#include <memory>

#include "app/environment.h"
#include "aws/credentials.h"
#include "aws/http.h"
#include "aws/service_client.h"
#include "base/result.h"
#include "doors/health.h"
#include "doors/kinesis/remote_operations.h"
#include "kinesis_source/kinesis_source.h"
#include "log/log.h"

namespace pinflow::app {

// A client of the Kinesis that a setting names, with all that it stands on; its credentials come from where AWS's tools look for them
// (environment, shared file, container, instance).
struct KinesisRemote {
  std::unique_ptr<aws::HttpTransport> http;
  std::unique_ptr<aws::CredentialSource> credentials;
  std::unique_ptr<aws::ServiceClient> client;
};

// `endpoint` is the value of a setting of that name, for messages. Asks nobody yet. The environment outlives it.
Result<KinesisRemote> open_kinesis_remote(Environment& environment, const std::string& setting,
                                          const std::string& endpoint);

// The streams of posts on their way from the Kinesis of kinesis.read_from into the log.
struct KinesisSourceRole {
  KinesisRemote remote;
  std::unique_ptr<kinesis_source::KinesisApi> api;
  std::unique_ptr<kinesis_source::KinesisSource> source;  // Null where the setting is empty.
};
// The log outlives it.
Result<KinesisSourceRole> start_kinesis_source(Environment& environment, log::Log& log);

// Answers from memory: what keeps records from coming in.
void add_kinesis_source_check(doors::Health& health, const kinesis_source::KinesisSource& source);

// Whether the service of kinesis.forward_to can be asked and takes our credentials: lists one stream.
Result<void> check_kinesis_forward(Environment& environment);
// Whether the streams of kinesis.read_from are there and may be read: does in each what reading takes.
Result<void> check_kinesis_source(Environment& environment);

}  // namespace pinflow::app
