#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace pinflow::bench {

// What a run left behind, read as an outsider does.

// One past the last offset of partition 0 of a topic or stream, asked of the REST door.
Result<std::int64_t> end_offset(std::uint16_t port, const std::string& topic);
// One past the last offset that a Delta table holds by the transactions of its latest commit; 0 without any.
std::int64_t committed_end(const std::filesystem::path& table);
// One past the last offset in the objects of partition 0 of a topic; 0 without any.
std::int64_t sunk_end(const std::filesystem::path& data, const std::string& topic);
// Rows of a table, by `pinflow tables`.
Result<std::int64_t> table_rows(const std::filesystem::path& program, const std::filesystem::path& data,
                                const std::string& table);

}  // namespace pinflow::bench
