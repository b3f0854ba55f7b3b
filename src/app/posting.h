#pragma once

#include <string>

#include "app/environment.h"
#include "app/terminal.h"
#include "base/result.h"
#include "emulator/emulator.h"

namespace pinflow::app {

// The emulator's source unless another is named: source.duckdb of the data folder.
std::string default_source(const Environment& environment);

// Posts with a progress line on stderr.
Result<emulator::EmulatorReport> post(Environment& environment, const std::string& source,
                                      emulator::EmulatorOptions options);

// One line a target that was posted to, and the problems there were.
void print_report(const emulator::EmulatorReport& report, const std::vector<emulator::Target>& targets,
                  std::FILE* stream);

}  // namespace pinflow::app
