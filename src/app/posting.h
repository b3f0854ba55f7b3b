#pragma once

#include <string>

#include "app/environment.h"
#include "app/terminal.h"
#include "base/result.h"
#include "emulator/emulator.h"

namespace pinflow::app {

// The emulator's source unless another is named: source.duckdb of the data folder.
std::string default_source(const Environment& environment);

// The token for the front door, from the variable PINFLOW_TOKEN; empty: none. Never an argument: those are shown to everybody on the machine.
std::string posting_token();

// Posts with a progress line on stderr.
Result<emulator::EmulatorReport> post(Environment& environment, const std::string& source,
                                      emulator::EmulatorOptions options);

// One line a target that was posted to, and the problems there were.
void print_report(const emulator::EmulatorReport& report, const std::vector<emulator::Target>& targets,
                  std::FILE* stream);

}  // namespace pinflow::app
