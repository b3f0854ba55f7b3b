#pragma once

#include <functional>

#include "app/environment.h"
#include "base/result.h"

namespace CLI {
class App;
}

namespace pinflow::app {

// Runs a command that was chosen on the command line; gives the exit code, or the error that ended it.
using Action = std::function<Result<ExitCode>(Environment&)>;

// Each adds one command with its options, help and examples to `root`; when the command is chosen, `selected` is set.
// Both outlive the parsing.
void add_demo(CLI::App& root, Action& selected);
void add_up(CLI::App& root, Action& selected);
void add_roles(CLI::App& root, Action& selected);  // serve, sink, stream
void add_source(CLI::App& root, Action& selected);
void add_emulate(CLI::App& root, Action& selected);
void add_batch(CLI::App& root, Action& selected);
void add_schedule(CLI::App& root, Action& selected);
void add_runs(CLI::App& root, Action& selected);
void add_question(CLI::App& root, Action& selected);
void add_sql(CLI::App& root, Action& selected);
void add_tap(CLI::App& root, Action& selected);
void add_tables(CLI::App& root, Action& selected);
void add_dlq(CLI::App& root, Action& selected);
void add_tokens(CLI::App& root, Action& selected);
void add_topics(CLI::App& root, Action& selected);
void add_groups(CLI::App& root, Action& selected);
void add_log(CLI::App& root, Action& selected);
void add_migrate(CLI::App& root, Action& selected);
void add_config(CLI::App& root, Action& selected);

}  // namespace pinflow::app
