#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sink/sink.h"

namespace pinflow::sink {

// What a properties file of Confluent's S3 sink connector says (docs/sink.md has each setting).
struct ConnectorSettings {
  SinkOptions options;
  std::string bucket, region, endpoint;  // s3.bucket.name, s3.region, store.url; empty where not given.
  // One line for each setting that is unknown or cannot be obeyed, with its name and what happens instead.
  std::vector<std::string> remarks;
};

// Reads such a file as it is (Java properties: "name=value", '#' and '!' begin remarks, '\' at its end goes on in the next line). What it
// does not say is as the connector has it by default; `base` gives what the connector knows nothing of. kInvalid: a value that no
// connector would take, or without which the objects would be others than asked for; names the setting.
Result<ConnectorSettings> read_connector_properties(std::string_view text, SinkOptions base);

}  // namespace pinflow::sink
