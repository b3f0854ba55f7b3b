# Writes OUTPUT, a C++ source with the text of the driver of the batch on Spark:
# cmake -DDRIVER=packaging/spark/pinflow_batch.py -DOUTPUT=embedded_driver.cc -P embed_driver.cmake
file(READ ${DRIVER} text)
string(FIND "${text}" ")pinflow_py\"" end)
if(NOT end EQUAL -1)
  message(FATAL_ERROR "${DRIVER} holds the text that ends a raw string")
endif()
file(WRITE ${OUTPUT} "// Made from packaging/spark by embed_driver.cmake.
#include \"batch/internal/remote_result.h\"

namespace pinflow::batch::internal {

std::string_view driver_text() { return R\"pinflow_py(${text})pinflow_py\"; }

}  // namespace pinflow::batch::internal
")
