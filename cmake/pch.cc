// Carries the precompiled header; see module.cmake.
