#include "batch/questions.h"

#include <algorithm>
#include <iterator>
#include <memory>

#include <fmt/format.h>

#include "batch/internal/workspace.h"
#include "batch/published.h"
#include "delta/table.h"

namespace pinflow::batch {

Result<sql::ResultTable> read_answer(objects::ObjectStore& tables, sql::Engine& engine, std::string_view question) {
  const std::string table = internal::answer_table(question);
  const auto publication = read_publication(tables);
  if (!publication && publication.error().code != ErrorCode::kNotFound) return fail(publication.error());
  if (!publication || !publication->tables.contains(table)) {
    return fail(ErrorCode::kNotFound,
                fmt::format("no answer to question {} yet; run `pinflow batch run` first", question));
  }
  const auto snapshot = delta::read_snapshot(tables, engine, table, publication->tables.at(table).version);
  if (!snapshot) return fail(snapshot.error());
  TRY_ASSIGN(const std::string select, delta::select_all(tables, table, *snapshot));
  TRY_ASSIGN(const std::unique_ptr<sql::Session> session, engine.connect());
  const std::string order = sql::quote_name(internal::kAnswerOrder);
  return session->query(fmt::format("SELECT * EXCLUDE ({0}) FROM (\n{1}\n) AS answer ORDER BY {0}", order, select));
}

}  // namespace pinflow::batch
