# Compile and link flags of every target of ours, in one interface target.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)

add_library(pinflow_flags INTERFACE)
target_include_directories(pinflow_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(pinflow_flags INTERFACE -Wall -Wextra -Wconversion -Wno-sign-conversion -fno-omit-frame-pointer -fPIE)
target_compile_definitions(pinflow_flags INTERFACE _GLIBCXX_ASSERTIONS PINFLOW_VERSION="${PROJECT_VERSION}")
target_link_options(pinflow_flags INTERFACE -fuse-ld=lld -pie)
if(PINFLOW_WERROR)
  target_compile_options(pinflow_flags INTERFACE -Werror)
endif()
if(PINFLOW_SANITIZE)
  target_compile_options(pinflow_flags INTERFACE -fsanitize=${PINFLOW_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(pinflow_flags INTERFACE -fsanitize=${PINFLOW_SANITIZE})
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  # -O1: sanitized code runs several times faster than at -O0 and still steps well in a debugger. Targets with the property
  # PINFLOW_UNOPTIMIZED, tests and glue that runs once, compile at -O0: in half the time, a third with much inline code.
  target_compile_options(pinflow_flags INTERFACE $<$<NOT:$<BOOL:$<TARGET_PROPERTY:PINFLOW_UNOPTIMIZED>>>:-O1> -g1)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  # Lines and names for stacks, no types: a sixth less to compile, and files a quarter as large.
  target_compile_options(pinflow_flags INTERFACE -g1)
endif()
if(PINFLOW_FUZZ)
  target_compile_options(pinflow_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(PINFLOW_HARDEN)
  target_compile_options(pinflow_flags INTERFACE -fstack-protector-strong -fstack-clash-protection -fcf-protection
                                                 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  target_link_options(pinflow_flags INTERFACE -Wl,-z,relro,-z,now)
endif()

# ccache, where present, also across precompiled headers.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} ${CCACHE})
  target_compile_options(pinflow_flags INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
endif()
