// The live answers out of the Delta tables: posts go through the stream lane into tables and through the live metrics, and SQL over
// the tables must give what the live metrics answer. Counts exactly, doubles within 1e-9.
#include <cmath>

#include <gtest/gtest.h>

#include "base/random.h"
#include "disk/memory_disk.h"
#include "live/live_metrics.h"
#include "stream/lane_fixture.h"

namespace pinflow::live {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr double kNear = 1e-9;

class LiveSql : public stream::LaneFixture {
 protected:
  LiveSql() {
    const records::Names names;
    for (const records::Kind kind : records::kKinds) make_topic(names.stream(kind));
    Random random(11);
    WallTime time{milliseconds(1'700'000'000'000)};
    for (int i = 0; i < 3'000; ++i) {
      time += milliseconds(random.below(150'000));
      post(random, random.chance(0.05) ? static_cast<int>(random.below(static_cast<std::uint64_t>(i) + 1)) : i, time);
    }
    for (int i = 3'000; i < 3'040; ++i) post(random, i, time + seconds(i - 3'000));  // A burst at the end.
    now_ = time + seconds(100);
  }

  // Three records at about this time; some minutes or days late, some missing.
  void post(Random& random, int ind, WallTime time) {
    const auto send = [&](records::Kind kind, std::string json) {
      WallTime at = time;
      if (random.chance(0.03)) at -= minutes(random.below(4'000));
      log_.append(records::Names().stream(kind), 0, {std::move(json)}, at);
    };
    const auto who = static_cast<int>(80 * std::pow(random.unit(), 3));
    const std::string name = random.chance(0.03) ? "User Info Error" : fmt::format("profile {}", who);
    constexpr std::array<std::string_view, 6> kFollowers = {"998", "12k", "2M", "User Info Error", "1.5k", "0"};
    constexpr std::array<std::string_view, 5> kCategories = {"art", "travel", "quotes", " ", "mens-fashion"};
    constexpr std::array<std::string_view, 4> kCountries = {"Albania", "Cote d'Ivoire", "Korea", ""};
    send(records::Kind::kPin,
         fmt::format(R"({{"index": {}, "poster_name": "{}", "follower_count": "{}", "category": "{}"}})", ind, name,
                     kFollowers[random.below(6)], kCategories[(static_cast<std::size_t>(who) + random.below(2)) % 5]));
    if (random.chance(0.95)) {
      send(records::Kind::kGeo, fmt::format(R"({{"ind": {}, "timestamp": "2022-10-19 17:54:26", "country": "{}"}})",
                                            ind, kCountries[static_cast<std::size_t>(who) % 4]));
    }
    if (random.chance(0.95)) {
      send(records::Kind::kUser, fmt::format(R"({{"ind": {}, "age": {}}})", ind, random.below(70)));
    }
  }

  void fill_tables() {
    const SystemClock clock;
    Random random(1);
    const stream::StreamContext context{log_, *store_, *engine_, statements_, clock, logger_};
    stream::StreamLane lane({.pipeline_id = "p1"}, context, random);
    const auto waited = lane.wait_until_caught_up(seconds(60), {});
    ASSERT_TRUE(waited) << waited.error().message;
    for (const records::Kind kind : records::kKinds) {
      const std::string table = records::Names().table(kind);
      const auto snapshot = delta::read_snapshot(*store_, *engine_, table);
      ASSERT_TRUE(snapshot) << snapshot.error().message;
      // Of repeats the first counts.
      const auto made = session_->run(
          fmt::format("CREATE TEMP TABLE {} AS SELECT *, epoch_us(arrived_at) // 1000 AS ms FROM ({}) QUALIFY "
                      "row_number() OVER (PARTITION "
                      "BY ind ORDER BY source_offset) = 1",
                      records::to_string(kind) == "user" ? "users" : fmt::format("{}s", records::to_string(kind)),
                      delta::select_all(*store_, table, *snapshot).value()));
      ASSERT_TRUE(made) << made.error().message;
    }
    const auto viewed = session_->run(fmt::format(
        R"(CREATE TEMP MACRO as_of() AS {};
           CREATE TEMP MACRO decayed(ms, h) AS sum(pow(2, -((as_of() - ms) / 3600000.0) / h));
           CREATE TEMP MACRO in_window(ms, pane, panes) AS
             count(*) FILTER (ms // (60000 * pane) > as_of() // (60000 * pane) - panes);
           CREATE TEMP VIEW posts AS
             SELECT pins.*, country, CASE WHEN age BETWEEN 18 AND 24 THEN '18-24' WHEN age BETWEEN 25 AND 35 THEN '25-35'
               WHEN age BETWEEN 36 AND 50 THEN '36-50' WHEN age > 50 THEN '50+' END AS age_group
             FROM pins LEFT JOIN geos USING (ind) LEFT JOIN users USING (ind))",
        now_.time_since_epoch().count()));
    ASSERT_TRUE(viewed) << viewed.error().message;
  }

  void start_live() {
    clock_.jump_wall(now_ - clock_.now());
    LiveOptions options{.topics = {}, .max_wait = milliseconds(100)};
    for (const records::Kind kind : records::kKinds) options.topics.push_back(records::Names().stream(kind));
    live_ = std::make_unique<LiveMetrics>(options, log_, memory_, clock_, logger_);
    for (const std::string& topic : options.topics) {
      const log::TopicPartition partition{topic, log::PartitionId(0)};
      ASSERT_TRUE(live_->wait_until(partition, log_.offsets(partition)->end, seconds(60)));
    }
  }

  std::vector<std::vector<sql::Value>> ask(std::string_view query) {
    const auto answer = session_->query(query);
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? answer->rows : std::vector<std::vector<sql::Value>>();
  }
  template <class Answer>
  Answer live(const Query& query) {
    return std::get<Answer>(live_->answer(query).body);
  }
  static std::uint64_t whole(const sql::Value& value) {
    return static_cast<std::uint64_t>(std::get<std::int64_t>(value.data));
  }
  static double real(const sql::Value& value) { return std::get<double>(value.data); }

  // Columns: name, posts, 5 minutes, 1 hour, 24 hours, posts of the trend, expected, z.
  template <class View>
  void expect_groups(const std::vector<View>& groups, std::string_view column) {
    const auto rows = ask(fmt::format(
        R"(WITH history AS (SELECT (as_of() - min(ms)) / 60000.0 AS age, as_of() % 60000 / 60000.0 AS begun FROM posts),
             counts AS (
               SELECT {0} AS name, count(*) AS posts, in_window(ms, 1, 5) AS m, in_window(ms, 5, 12) AS h,
                 in_window(ms, 60, 24) AS d, in_window(ms, 1, 15) AS n, decayed(ms, 24) AS a
               FROM posts WHERE {0} IS NOT NULL GROUP BY {0}),
             expected AS (
               SELECT *, a / (1440 / ln(2) * (1 - pow(2, -age / 1440))) * least(age, 14 + begun) AS e FROM counts, history)
           SELECT name, posts, m, h, d, n, e, (n - e) / sqrt(e + 1) FROM expected ORDER BY name)",
        column));
    ASSERT_EQ(rows.size(), groups.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto found = std::ranges::find(groups, rows[i][0].to_text(), &View::name);
      ASSERT_NE(found, groups.end()) << rows[i][0].to_text();
      EXPECT_EQ(found->posts_in_all, whole(rows[i][1])) << found->name;
      EXPECT_EQ(found->posts, (std::array{whole(rows[i][2]), whole(rows[i][3]), whole(rows[i][4])})) << found->name;
      EXPECT_EQ(found->trend.posts, whole(rows[i][5])) << found->name;
      EXPECT_NEAR(found->trend.expected, real(rows[i][6]), kNear) << found->name;
      EXPECT_NEAR(found->trend.z, real(rows[i][7]), kNear) << found->name;
    }
  }

  WallTime now_;
  ManualClock clock_;
  disk::MemoryDisk memory_;
  std::unique_ptr<LiveMetrics> live_;
};

TEST_F(LiveSql, GivesTheLiveAnswersFromTheTables) {
  ASSERT_NO_FATAL_FAILURE(fill_tables());
  ASSERT_NO_FATAL_FAILURE(start_live());
  EXPECT_EQ(live_->answer(ProfilesQuery{}).head.as_of, now_);

  // Profiles: counts, windows, followers, activity, velocity, popularity.
  const auto rows = ask(R"(
    WITH sums AS (
           SELECT poster_name AS name, count(*) AS posts, in_window(ms, 1, 5) AS m, in_window(ms, 5, 12) AS h,
             in_window(ms, 60, 24) AS d, decayed(ms, 1) AS a1, decayed(ms, 6) AS a6, decayed(ms, 24) AS a24,
             max(ms) AS last, arg_max(follower_count, ms * 1000000 + source_offset) FILTER (follower_count IS NOT NULL) AS followers
           FROM posts WHERE poster_name IS NOT NULL GROUP BY poster_name),
         flows AS (
           SELECT *, log2(1 + a6) AS activity, (a1 - a24 / 24) / sqrt(a24 / 24 + 1) AS velocity FROM sums),
         medians AS (
           SELECT greatest(list_sort(list(activity))[(count(*) + 1) // 2], 1 / 16) AS activity_median,
             greatest(list_sort(list(greatest(velocity, 0)))[(count(*) + 1) // 2], 1 / 16) AS velocity_median
           FROM flows WHERE last > as_of() - 86400000)
    SELECT name, posts, m, h, d, a6, velocity, followers,
      0.5 * least(1, log10(1 + coalesce(followers, 0)) / 7)
      + 0.35 * activity / (activity + activity_median)
      + 0.15 * greatest(velocity, 0) / (greatest(velocity, 0) + velocity_median)
    FROM flows, medians ORDER BY name)");
  ASSERT_GT(rows.size(), 70u);
  EXPECT_EQ(rows.size(), live_->answer(ProfilesQuery{}).head.profiles);
  for (const auto& row : rows) {
    const auto found = live<ProfileAnswer>(ProfileQuery{row[0].to_text()}).profile;
    ASSERT_TRUE(found) << row[0].to_text();
    EXPECT_EQ(found->posts, whole(row[1])) << found->name;
    EXPECT_EQ(found->window_posts, (std::array{whole(row[2]), whole(row[3]), whole(row[4])})) << found->name;
    EXPECT_NEAR(found->activity, real(row[5]), kNear) << found->name;
    EXPECT_NEAR(found->velocity, real(row[6]), kNear) << found->name;
    EXPECT_EQ(found->followers.has_value(), !row[7].is_null()) << found->name;
    if (found->followers) EXPECT_EQ(static_cast<std::uint64_t>(*found->followers), whole(row[7])) << found->name;
    EXPECT_NEAR(found->popularity, real(row[8]), kNear) << found->name;
  }

  // Categories, countries, age groups.
  expect_groups(live<CategoriesAnswer>(CategoriesQuery{.k = 100}).items, "category");
  expect_groups(live<CountriesAnswer>(CountriesQuery{.k = 100}).items, "country");
  expect_groups(live<AgeGroupsAnswer>(AgeGroupsQuery{}).items, "age_group");

  // Posts a minute over the last day.
  const auto minutes = live<MinutesAnswer>(MinutesQuery{.minutes = kMaxMinutes});
  std::vector<std::uint64_t> expected(kMaxMinutes);
  for (const auto& row :
       ask("SELECT 1439 - (as_of() // 60000 - ms // 60000) AS place, count(*) FROM posts WHERE place >= 0 "
           "GROUP BY place")) {
    expected[whole(row[0])] = whole(row[1]);
  }
  EXPECT_EQ(minutes.posts, expected);

  // The busiest of each category and country.
  for (const std::string_view column : {"category", "country"}) {
    for (const auto& group :
         ask(fmt::format("SELECT DISTINCT {0} FROM posts WHERE {0} IS NOT NULL ORDER BY 1", column))) {
      ProfilesQuery query{.order = ProfileOrder::kPosts, .k = 1'000, .window = Window::k24h};
      (column == "category" ? query.category : query.country) = group[0].to_text();
      const auto items = live<ProfilesAnswer>(query).items;
      const auto best =
          ask(fmt::format("SELECT poster_name, in_window(ms, 60, 24) AS n FROM posts WHERE {} = {} AND poster_name IS "
                          "NOT NULL GROUP BY 1 "
                          "HAVING n > 0 ORDER BY n DESC, poster_name",
                          column, sql::quote_text(group[0].to_text())));
      ASSERT_EQ(items.size(), best.size());
      for (std::size_t i = 0; i < best.size(); ++i) {
        EXPECT_EQ(items[i].name, best[i][0].to_text());
        EXPECT_EQ(items[i].window_posts[2], whole(best[i][1]));
      }
    }
  }
}

}  // namespace
}  // namespace pinflow::live
