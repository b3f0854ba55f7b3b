#include <cstdint>
#include <string>

#include "base/check.h"
#include "sql/internal/statement_text.h"

// Whatever the text: no crash; a comment ends within the file, and one SELECT found is one SELECT again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pinflow::sql::internal;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string_view rest = text;
  if (const auto comment = parse_front_comment(text)) {
    CHECK(comment->end <= text.size(), "a comment ends within its file");
    CHECK(!comment->description.empty(), "a comment describes");
    for (const std::string& column : comment->columns) CHECK(!column.empty(), "a column has a name");
    rest = text.substr(comment->end);
  }
  if (const auto select = single_select(rest)) {
    const auto again = single_select(*select);
    CHECK(again && *again == *select, "one SELECT is one SELECT again");
  }
  return 0;
}
