# Writes OUTPUT, a C++ source with the text of INPUT. Run by the build whenever INPUT changes:
# cmake -DINPUT=openapi.json -DOUTPUT=embedded_openapi.cc -P embed_openapi.cmake
file(READ ${INPUT} text)
string(FIND "${text}" ")pinflow_json\"" end)
if(NOT end EQUAL -1)
  message(FATAL_ERROR "${INPUT} holds the text that ends a raw string")
endif()
file(WRITE ${OUTPUT} "// Made from openapi.json by embed_openapi.cmake.
#include \"doors/openapi.h\"

namespace pinflow::doors {

std::string_view openapi_document() { return R\"pinflow_json(${text})pinflow_json\"; }

}  // namespace pinflow::doors
")
