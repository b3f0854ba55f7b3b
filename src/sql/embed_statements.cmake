# Writes OUTPUT, a C++ source with the text of every SQL file below FOLDER. Run by the build whenever one of the files changes:
# cmake -DFOLDER=sql -DOUTPUT=embedded_statements.cc -P embed_statements.cmake
file(GLOB_RECURSE paths RELATIVE ${FOLDER} ${FOLDER}/*.sql)
list(SORT paths)
set(entries "")
foreach(path IN LISTS paths)
  file(READ ${FOLDER}/${path} text)
  string(FIND "${text}" ")pinflow_sql\"" end)
  if(NOT end EQUAL -1)
    message(FATAL_ERROR "${path} holds the text that ends a raw string")
  endif()
  string(APPEND entries "    {\"${path}\", R\"pinflow_sql(${text})pinflow_sql\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Made from sql/ by embed_statements.cmake.
#include \"sql/internal/embedded_statements.h\"

namespace pinflow::sql::internal {
namespace {
constexpr EmbeddedFile kFiles[] = {
${entries}};
}  // namespace

std::span<const EmbeddedFile> embedded_files() { return kFiles; }

}  // namespace pinflow::sql::internal
")
