#pragma once

#include <memory>
#include <string>
#include <vector>

#include "batch/remote_engine.h"

namespace pinflow::spark {

struct SubmitOptions {
  std::string program = "spark-submit";  // A path, or a name that is looked for in PATH.
  std::string master = "local[*]";
  std::string packages = {};                 // Maven coordinates with commas between them; empty: none.
  std::string jars = {};                     // Paths with commas between them; empty: none.
  std::vector<std::string> properties = {};  // "spark.driver.memory=4g".
  std::string objects = {}, tables = {};     // Their addresses as Spark reads them, without a slash at the end.
};

// Runs the driver by spark-submit, a child process in client mode. Owned by one thread. kInvalid has the last lines that the child said.
std::unique_ptr<batch::RemoteEngine> make_submit_engine(SubmitOptions options);

}  // namespace pinflow::spark
