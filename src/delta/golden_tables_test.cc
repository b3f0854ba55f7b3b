#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "delta/check.h"
#include "delta/fingerprint.h"
#include "delta/table.h"
#include "disk/real_disk.h"
#include "objects/folder_store.h"

// Tables that other writers made, from the delta-kernel-rs project. They are not part of this repository:
// PINFLOW_TEST_DATA names the folder that holds delta-golden/.
namespace pinflow::delta {
namespace {

namespace fs = std::filesystem;

struct Golden {
  const char* name;
  std::size_t files;    // Live files.
  const char* refusal;  // What the error must say; empty where the table is read.
};

constexpr Golden kGolden[] = {
    {"124-decimal-decode-bug", 2, ""},
    {"basic-decimal-table-legacy", 4, ""},
    {"basic-with-inserts-deletes-checkpoint", 7, ""},
    {"basic-with-inserts-overwrite-restore", 4, ""},
    {"basic-with-vacuum-protocol-check-feature", 2, ""},
    {"canonicalized-paths-normal-b", 0, ""},
    {"canonicalized-paths-special-b", 0, ""},
    {"corrupted-last-checkpoint-kernel", 2, ""},
    {"data-reader-array-complex-objects", 2, ""},
    {"data-reader-date-types-America", 2, ""},
    {"data-reader-date-types-Etc", 2, ""},
    {"data-reader-date-types-Jst", 2, ""},
    {"data-reader-date-types-utc", 2, ""},
    {"data-reader-map", 2, ""},
    {"data-reader-nullable-field-invalid-schema-key", 2, ""},
    {"data-reader-primitives", 2, ""},
    {"data-reader-timestamp_ntz-name-mode", 0, "columnMapping"},
    {"data-skipping-basic-stats-all-types-checkpoint", 1, ""},
    {"data-skipping-basic-stats-all-types-columnmapping-name", 0, "columnMapping"},
    {"data-skipping-change-stats-collected-across-versions", 3, ""},
    {"decimal-various-scale-precision", 1, ""},
    {"deltalog-commit-info", 0, "schemaString"},
    {"deltalog-invalid-protocol-version", 0, "protocol reader version 99"},
    {"deltalog-state-reconstruction-from-checkpoint-missing-protocol", 0, "schemaString"},
    {"deltalog-state-reconstruction-without-protocol", 0, "no protocol action"},
    {"dv-with-columnmapping", 0, "deletionVectors"},
    {"kernel-timestamp-int96", 5, ""},
    {"kernel-timestamp-timestamp_micros", 5, ""},
    {"log-replay-dv-key-cases", 0, "deletionVectors"},
    {"log-replay-special-characters", 0, ""},
    {"log-replay-special-characters-a", 0, ""},
    {"no-delta-log-folder", 0, "no Delta table"},
    {"parquet-all-types-legacy-format", 1, ""},
    {"snapshot-data0", 2, ""},
    {"snapshot-data2-deleted", 3, ""},
    {"snapshot-data3", 4, ""},
    {"snapshot-vacuumed", 2, ""},
    {"table-with-columnmapping-mode-name", 0, "columnMapping"},
    {"time-travel-partition-changes-b", 4, ""},
    {"time-travel-schema-changes-b", 4, ""},
    {"time-travel-start-start20", 4, ""},
    {"update-deleted-directory", 0, "schemaString"},
    {"v2-checkpoint-parquet", 0, "v2Checkpoint"},
};

fs::path golden_folder() {
  const char* data = std::getenv("PINFLOW_TEST_DATA");
  return fs::path(data != nullptr ? data : PINFLOW_SOURCE_DIR "/../shared/data") / "delta-golden";
}

// The old form of timestamps is that of many tables of Spark: nothing to complain of.
void expect_right_columns(objects::ObjectStore& store, sql::Engine& engine) {
  const auto report = check_table(store, engine, "delta");
  ASSERT_TRUE(report) << report.error().message;
  for (const CheckFinding& finding : report->findings) ADD_FAILURE() << finding.file << " " << finding.what;
}

class DeltaGolden : public testing::TestWithParam<Golden> {};

TEST_P(DeltaGolden, IsReadOrRefusedByName) {
  const Golden& golden = GetParam();
  const fs::path archive = golden_folder() / (std::string(golden.name) + ".tar.zst");
  if (!fs::exists(archive)) GTEST_SKIP() << archive << " is missing; PINFLOW_TEST_DATA may name its folder";
  std::string pattern = (fs::temp_directory_path() / "pinflow_golden_XXXXXX").string();
  const fs::path folder = ::mkdtemp(pattern.data());
  if (std::system(fmt::format("tar --zstd -xf '{}' -C '{}'", archive.string(), folder.string()).c_str()) != 0) {
    fs::remove_all(folder);
    GTEST_SKIP() << "tar and zstd are needed to unpack the golden tables";
  }
  const auto disk = disk::make_real_disk();
  const auto store = objects::open_folder_store(*disk, folder / golden.name).value();
  const auto engine = sql::open_engine({}).value();

  const auto snapshot = read_snapshot(*store, *engine, "delta");
  if (*golden.refusal != '\0') {
    EXPECT_FALSE(snapshot);
    if (!snapshot)
      EXPECT_NE(snapshot.error().message.find(golden.refusal), std::string::npos) << snapshot.error().message;
  } else if (!snapshot) {
    ADD_FAILURE() << snapshot.error().message;
  } else {
    EXPECT_EQ(snapshot->files.size(), golden.files);
    const auto select = select_all(*store, "delta", *snapshot);
    const fs::path expected = folder / golden.name / "expected";
    if (!select) {
      // Only its log came with it.
      EXPECT_FALSE(fs::exists(expected)) << select.error().message;
    } else if (fs::exists(expected)) {
      // The same rows, counted with their repeats, whatever their order.
      const std::string theirs = "SELECT * FROM read_parquet(" +
                                 sql::quote_text((expected / "**" / "*.parquet").string()) + ", union_by_name = true)";
      const auto difference = engine->connect().value()->query(
          fmt::format("SELECT (SELECT count(*) FROM ({0})), (SELECT count(*) FROM ({1})), "
                      "(SELECT count(*) FROM (({0}) EXCEPT ALL ({1})))",
                      *select, theirs));
      ASSERT_TRUE(difference) << difference.error().message;
      EXPECT_EQ(difference->rows[0][0], difference->rows[0][1]);
      EXPECT_EQ(difference->rows[0][2], sql::Value{std::int64_t{0}});
    }
    if (golden.name == std::string_view("kernel-timestamp-int96")) expect_right_columns(*store, *engine);
  }
  fs::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(Tables, DeltaGolden, testing::ValuesIn(kGolden), [](const auto& test) {
  std::string name = test.param.name;
  std::ranges::replace_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
});

}  // namespace
}  // namespace pinflow::delta
