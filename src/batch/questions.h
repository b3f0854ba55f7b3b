#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "objects/object_store.h"
#include "sql/engine.h"

namespace pinflow::batch {

// Reads the answer that the last published batch run has for a question ("category_by_country"), in the order of the
// question's file. kNotFound: no run has answered it yet, or there is no such question.
Result<sql::ResultTable> read_answer(objects::ObjectStore& tables, sql::Engine& engine, std::string_view question);

// The answer for a terminal: a header, a rule, a line a row; numbers to the right, everything else to the
// left. Widths are those of the characters as terminals show them; control characters are shown as escapes,
// so that no value can move the cursor.
std::string format_table(const sql::ResultTable& table);

// RFC 4180 with a header line and CRLF. A text cell that begins with = + - @ or a tab or carriage return gets
// a ' before it, for spreadsheets would run it as a formula; null is an empty cell, an empty text "".
std::string format_csv(const sql::ResultTable& table);

// An array of objects, one a line; names in the order of the columns.
std::string format_json(const sql::ResultTable& table);

}  // namespace pinflow::batch
