# pinflow_module(NAME <name> SOURCES ... [DEPS ...] [PRIVATE_DEPS ...] [TESTS ...] [TEST_DEPS ...] [BENCHES ...]
#                [FUZZERS ...] [PRECOMPILE ...])
#
# Makes the static library pinflow_<name> of one folder under src/, the test program <name>_test (one entry of ctest), and,
# with PINFLOW_FUZZ, one libFuzzer program per file of FUZZERS. A file of BENCHES is a program that is built only when named. DEPS may be seen by users of the module, PRIVATE_DEPS not.
# PRECOMPILE names headers of a module of glue that nearly all its sources read; it is then not optimised in dev builds.

# Standard headers that nearly every file reads, compiled once for sources and once for tests.
add_library(pinflow_pch OBJECT ${CMAKE_SOURCE_DIR}/cmake/pch.cc)
target_link_libraries(pinflow_pch PUBLIC pinflow_flags fmt::fmt)
target_precompile_headers(pinflow_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.h)
add_library(pinflow_test_pch OBJECT ${CMAKE_SOURCE_DIR}/cmake/pch.cc)
set_target_properties(pinflow_test_pch PROPERTIES PINFLOW_UNOPTIMIZED ON)
target_link_libraries(pinflow_test_pch PUBLIC pinflow_flags fmt::fmt GTest::gtest)
target_precompile_headers(pinflow_test_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.h <gtest/gtest.h>)

add_custom_target(fuzzers)  # All libFuzzer programs.

function(pinflow_module)
  cmake_parse_arguments(M "" "NAME" "SOURCES;DEPS;PRIVATE_DEPS;TESTS;TEST_DEPS;BENCHES;FUZZERS;PRECOMPILE" ${ARGN})
  set(lib pinflow_${M_NAME})
  add_library(${lib} STATIC ${M_SOURCES})
  target_link_libraries(${lib} PUBLIC pinflow_flags fmt::fmt ${M_DEPS} PRIVATE ${M_PRIVATE_DEPS})
  if(M_PRECOMPILE)
    set_target_properties(${lib} PROPERTIES PINFLOW_UNOPTIMIZED ON)
    target_precompile_headers(${lib} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.h ${M_PRECOMPILE})
  else()
    target_precompile_headers(${lib} REUSE_FROM pinflow_pch)
  endif()
  if(M_TESTS AND BUILD_TESTING AND NOT PINFLOW_FUZZ)
    add_executable(${M_NAME}_test ${M_TESTS})
    target_link_libraries(${M_NAME}_test PRIVATE ${lib} ${M_TEST_DEPS} GTest::gtest GTest::gmock GTest::gtest_main)
    set_target_properties(${M_NAME}_test PROPERTIES PINFLOW_UNOPTIMIZED ON)
    target_precompile_headers(${M_NAME}_test REUSE_FROM pinflow_test_pch)
    target_compile_definitions(${M_NAME}_test PRIVATE PINFLOW_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_test(NAME ${M_NAME} COMMAND ${M_NAME}_test)
    set_tests_properties(${M_NAME} PROPERTIES TIMEOUT 600)
  endif()
  foreach(source ${M_BENCHES})
    get_filename_component(bench ${source} NAME_WE)
    add_executable(${bench} EXCLUDE_FROM_ALL ${source})
    target_link_libraries(${bench} PRIVATE ${lib} benchmark::benchmark)
    target_precompile_headers(${bench} REUSE_FROM pinflow_pch)
  endforeach()
  if(PINFLOW_FUZZ)
    foreach(source ${M_FUZZERS})
      get_filename_component(fuzzer ${source} NAME_WE)
      add_executable(${fuzzer} ${source})
      target_link_libraries(${fuzzer} PRIVATE ${lib} -fsanitize=fuzzer)
      add_dependencies(fuzzers ${fuzzer})
    endforeach()
  endif()
endfunction()
