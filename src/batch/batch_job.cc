#include "batch/batch_job.h"

#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/uuid.h"
#include "batch/internal/object_reader.h"
#include "batch/internal/sunk_objects.h"
#include "batch/internal/table_set.h"
#include "batch/internal/workspace.h"
#include "batch/run_ledger.h"

namespace pinflow::batch {

namespace {

using internal::ObjectList;
using internal::TableSet;
using internal::Workspace;

// One run, from the list of objects to the commits.
class Run {
 public:
  Run(const BatchContext& context, const BatchOptions& options, Progress* progress, std::stop_token stop,
      BatchReport& report)
      : context_(context), options_(options), progress_(progress), stop_(std::move(stop)), report_(report) {}

  Result<void> all() {
    TRY(step("list", [&] { return list(); }));
    TRY(step("read", [&] { return read(); }));
    TRY(step("model", [&] { return model(); }));
    TRY(step("check", [&] { return check(); }));
    TRY(step("ask", [&] { return ask(); }));
    TRY(step("write", [&] { return write(); }));
    return step("commit", [&] { return tables_->commit(); });
  }

 private:
  template <class Body>
  Result<void> step(const char* name, Body body) {
    if (stop_.stop_requested())
      return fail(ErrorCode::kCancelled, fmt::format("the batch run was stopped before step {}", name));
    if (progress_ != nullptr) progress_->step(name);
    const SteadyTime begin = context_.tables.clock.steady_now();
    Result<void> done = body();
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(context_.tables.clock.steady_now() - begin);
    report_.steps.emplace_back(name, took);
    if (!done)
      return fail(std::move(done).error().with_context(fmt::format("batch run {}, step {}", report_.run_id, name)));
    return {};
  }

  Result<void> list() {
    TRY_ASSIGN(objects_, internal::list_objects(context_.objects, options_.topics));
    report_.skipped_objects = objects_.skipped;
    if (objects_.skipped > 0) {
      context_.tables.logger.warning("objects that are none of the sink's are left out",
                                     {{"count", objects_.skipped}, {"one of them", objects_.skipped_example}});
    }
    TRY_ASSIGN(workspace_, Workspace::open(context_.tables.engine, context_.statements));
    return {};
  }

  Result<void> read() {
    internal::ObjectReader reader(context_.objects, objects_.objects, options_);
    for (const records::Kind kind : records::kKinds) report_.kinds[kind];
    ReadProgress progress{.objects_total = objects_.objects.size(), .bytes_total = objects_.bytes};
    for (;;) {
      TRY_ASSIGN(const std::optional<internal::Slice> slice, reader.next(stop_));
      if (!slice) break;
      TRY(workspace_->add_slice(*slice));
      progress.objects += slice->objects;
      progress.bytes += slice->bytes;
      for (const records::Kind kind : records::kKinds) {
        report_.kinds[kind].records += slice->records[static_cast<std::size_t>(kind)];
        progress.records += slice->records[static_cast<std::size_t>(kind)];
      }
      if (progress_ != nullptr) progress_->reading(progress);
    }
    report_.objects = progress.objects;
    report_.bytes = progress.bytes;
    return {};
  }

  Result<void> model() {
    tables_ = std::make_unique<TableSet>(context_.tables, workspace_->session());
    TRY(workspace_->build_model([&](const std::string& model, const std::string& select) {
      const std::string kind = model.starts_with("latest_") ? model.substr(model.find('_') + 1) : "";
      const std::string description =
          kind.empty() ? (model == "posts" ? "Every post with its place, time and user" : "One row per person")
                       : fmt::format("Cleaned records of kind {}, one row a post", kind);
      return tables_->write(fmt::format("batch_{}", kind.empty() ? model : kind), description, select);
    }));
    TRY_ASSIGN(const auto letters, workspace_->dead_letters_by_kind());
    for (const auto& [kind, rows] : workspace_->rows()) {
      KindCounts& counts = report_.kinds[kind];
      counts.rows = rows.latest;
      counts.repeats = rows.cleaned - rows.latest;
      const auto found = letters.find(kind);
      counts.dead_letters = found == letters.end() ? 0 : found->second;
    }
    TRY_ASSIGN(report_.reasons, workspace_->dead_letters_by_reason());
    return {};
  }

  Result<void> check() {
    for (const char* folder : {"checks", "checks/raw"}) {
      for (const sql::Statement& statement : context_.statements.in_folder(folder)) {
        TRY_ASSIGN(CheckResult result, workspace_->check(statement));
        report_.checks.push_back(std::move(result));
      }
    }
    return {};
  }

  Result<void> ask() {
    for (const sql::Statement& question : context_.statements.in_folder("questions")) {
      TRY_ASSIGN(Answer answer, workspace_->ask(question));
      report_.answers.push_back(std::move(answer));
    }
    return {};
  }

  Result<void> write() {
    TRY(tables_->write("batch_dead_letters", "Records that could not be rows, with their bytes and the reason",
                       "SELECT * FROM dead_letters ORDER BY source_topic, source_partition, source_offset"));
    for (const Answer& answer : report_.answers) {
      const std::string table = internal::answer_table(answer.question);
      TRY(tables_->write(
          table, answer.description,
          fmt::format("SELECT *, rowid AS {} FROM {} ORDER BY rowid", internal::kAnswerOrder, sql::quote_name(table))));
    }
    report_.tables = tables_->rows();
    return {};
  }

  const BatchContext& context_;
  const BatchOptions& options_;
  Progress* progress_;
  std::stop_token stop_;
  BatchReport& report_;
  ObjectList objects_;
  std::unique_ptr<Workspace> workspace_;
  std::unique_ptr<TableSet> tables_;  // Last: discards its files before the session goes.
};

}  // namespace

BatchJob::BatchJob(const BatchContext& context, BatchOptions options)
    : context_(context), options_(std::move(options)) {}

Result<BatchReport> BatchJob::run(Progress* progress, std::stop_token stop) {
  TRY(context_.disk.create_folders(context_.state / "batch"));
  auto lock = context_.disk.lock_folder(context_.state / "batch");
  if (!lock) {
    const bool busy = lock.error().code == ErrorCode::kConflict;
    return fail(std::move(lock).error().with_context(busy ? "another batch run is at work; wait for it to end"
                                                          : "locking the batch's state"));
  }
  const Clock& clock = context_.tables.clock;
  BatchReport report;
  report.run_id = Uuid::random(context_.tables.random).to_string();
  report.started = clock.now();
  const SteadyTime begin = clock.steady_now();
  const Result<void> done = Run(context_, options_, progress, std::move(stop), report).all();
  report.took = std::chrono::duration_cast<std::chrono::milliseconds>(clock.steady_now() - begin);
  const auto error = done ? std::nullopt : std::optional(done.error());
  // The tables are what counts: a ledger that cannot be written fails no run.
  if (const auto kept = append_to_ledger(context_.disk, context_.state, ledger_line(report, error)); !kept) {
    context_.tables.logger.error("the batch run is not in the ledger",
                                 {{"run", report.run_id}, {"error", kept.error().message}});
  }
  if (error) return fail(*error);
  return report;
}

}  // namespace pinflow::batch
