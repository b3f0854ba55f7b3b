#include "app/kafka_report.h"

#include <gtest/gtest.h>

namespace pinflow::app {
namespace {

using namespace std::chrono_literals;

TEST(TextTable, AlignsByCharactersAndPutsNumbersToTheRight) {
  TextTable table({"name", ">count", "last"});
  table.add({"a", "1 000", "x"});
  table.add({"äöü", "7", "-"});
  EXPECT_EQ(table.text(),
            "name  count  last\n"
            "a     1 000  x\n"
            "äöü       7  -\n");
}

const TopicDescription kTopic{.name = "orders",
                              .id = "8b6a",
                              .replicas = 1,
                              .partitions = {{.partition = 0, .leader = 1, .begin = 5, .end = 12345}, {.partition = 1}},
                              .settings = {{"cleanup.policy", "compact"}, {"retention.ms", "1000"}}};

TEST(TopicText, ShowsOffsetsAndSettings) {
  EXPECT_EQ(format_topic_descriptions({kTopic}, false),
            "topic orders: 2 partitions, 1 replica, id 8b6a\n"
            "settings: cleanup.policy=compact, retention.ms=1000\n"
            "partition  leader  begin     end  records\n"
            "        0       1      5  12 345   12 340\n"
            "        1    none      -       -        -\n");
  EXPECT_NE(format_topic_descriptions({{.name = "t"}}, false).find("settings: all default"), std::string::npos);
}

TEST(TopicText, IsJsonOnRequest) {
  EXPECT_EQ(
      format_topic_descriptions({kTopic}, true),
      R"([{"topic":"orders","id":"8b6a","replicas":1,"settings":{"cleanup.policy":"compact","retention.ms":"1000"},)"
      R"("partitions":[{"partition":0,"leader":1,"begin_offset":5,"end_offset":12345},)"
      R"({"partition":1,"leader":-1,"begin_offset":null,"end_offset":null}]}])"
      "\n");
  EXPECT_EQ(format_topics({{.name = "a", .partitions = 3}, {.name = "b", .partitions = 12, .internal = true}}, true),
            R"([{"topic":"a","partitions":3,"internal":false},{"topic":"b","partitions":12,"internal":true}])"
            "\n");
  EXPECT_EQ(format_topics({{.name = "a", .partitions = 3}}, false), "topic  partitions\na               3\n");
}

const GroupDescription kGroup{
    .id = "g",
    .state = "Stable",
    .protocol = "range",
    .coordinator = "127.0.0.1:9092",
    .members = {{.id = "m-1", .client_id = "c", .host = "/127.0.0.1", .partitions = {{"t", 0}, {"t", 1}}}},
    .positions = {{.partition = {"t", 0}, .committed = 10, .end = 1510, .member = "m-1"},
                  {.partition = {"t", 1}, .end = 4, .member = "m-1"},
                  {.partition = {"t", 2}, .committed = 9, .end = 4}}};

TEST(GroupText, ShowsMembersAndLag) {
  EXPECT_EQ(format_group_descriptions({kGroup}, false),
            "group g: Stable, 1 member, coordinator 127.0.0.1:9092, assignor range\n"
            "member  instance  client  host        partitions\n"
            "m-1     -         c       /127.0.0.1  t:0, t:1\n"
            "\n"
            "topic  partition  position    end    lag  member\n"
            "t              0        10  1 510  1 500  m-1\n"
            "t              1         -      4      -  m-1\n"
            "t              2         9      4      0  -\n");
  EXPECT_NE(format_group_descriptions({{.id = "g", .state = "Empty"}}, false).find("no committed positions"),
            std::string::npos);
}

TEST(GroupText, IsJsonOnRequest) {
  EXPECT_EQ(
      format_group_descriptions({kGroup}, true),
      R"([{"group":"g","state":"Stable","assignor":"range","coordinator":"127.0.0.1:9092","members":[{"member":"m-1",)"
      R"("instance":null,"client":"c","host":"/127.0.0.1","partitions":[{"topic":"t","partition":0},{"topic":"t","partition":1}]}],)"
      R"("positions":[{"topic":"t","partition":0,"position":10,"end_offset":1510,"lag":1500,"member":"m-1"},)"
      R"({"topic":"t","partition":1,"position":null,"end_offset":4,"lag":null,"member":"m-1"},)"
      R"({"topic":"t","partition":2,"position":9,"end_offset":4,"lag":0,"member":null}]}])"
      "\n");
  EXPECT_EQ(format_groups({{.id = "g", .protocol_type = "consumer"}}, true),
            R"([{"group":"g","state":null,"protocol":"consumer"}])"
            "\n");
  EXPECT_EQ(format_groups({{.id = "g", .state = "Empty"}}, false), "group  state  protocol\ng      Empty  -\n");
}

TEST(ResetText, SaysFromWhereToWhere) {
  const std::vector<ResetLine> lines{{.partition = {"t", 0}, .from = 10, .to = 0},
                                     {.partition = {"t", 1}, .to = 7, .clipped = true}};
  EXPECT_EQ(format_reset("g", lines, false, false),
            "topic  partition  from  to  \n"
            "t              0    10   0  \n"
            "t              1     -   7  nearest that is there\n");
  EXPECT_EQ(format_reset("g", lines, true, true),
            R"({"group":"g","executed":true,"positions":[{"topic":"t","partition":0,"from":10,"to":0,"clipped":false},)"
            R"({"topic":"t","partition":1,"from":null,"to":7,"clipped":true}]})"
            "\n");
}

TEST(ResetTarget, IsAWordAnOffsetOrATime) {
  EXPECT_EQ(parse_reset_target("earliest")->kind, ResetTarget::Kind::kEarliest);
  EXPECT_EQ(parse_reset_target("latest")->kind, ResetTarget::Kind::kLatest);
  EXPECT_EQ(parse_reset_target("0")->offset, 0);
  EXPECT_EQ(parse_reset_target("42")->kind, ResetTarget::Kind::kOffset);
  EXPECT_EQ(parse_reset_target("42")->offset, 42);
  const WallTime day = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22);
  EXPECT_EQ(parse_reset_target("2026-11-22")->kind, ResetTarget::Kind::kTime);
  EXPECT_EQ(parse_reset_target("2026-11-22")->time, day);
  EXPECT_EQ(parse_reset_target("2026-11-22T10:15")->time, day + 10h + 15min);
  EXPECT_EQ(parse_reset_target("2026-11-22 10:15:01")->time, day + 10h + 15min + 1s);
  EXPECT_EQ(parse_reset_target("2026-11-22T10:15:01.250Z")->time, day + 10h + 15min + 1s + 250ms);
  for (const char* wrong : {"", "-1", "soon", "2026-13-01", "2026-02-30", "2026-11-22T", "2026-11-22T25:00",
                            "2026-11-22T10:15:01.25", "2026-11-22T10:15+02:00", "2026-11-22x", "99999999999999999999"})
    EXPECT_FALSE(parse_reset_target(wrong).has_value()) << wrong;
}

TEST(TopicChoice, NamesPartitionsOrAll) {
  EXPECT_EQ(*parse_topic_choice("t"), (std::pair<std::string, std::vector<std::int32_t>>("t", {})));
  EXPECT_EQ(*parse_topic_choice("t:0,12"), (std::pair<std::string, std::vector<std::int32_t>>("t", {0, 12})));
  for (const char* wrong : {"", ":0", "t:", "t:x", "t:0,", "t:-1"})
    EXPECT_FALSE(parse_topic_choice(wrong).has_value()) << wrong;
}

TEST(Setting, IsKeyAndValue) {
  EXPECT_EQ(*parse_setting("a=b=c"), (std::pair<std::string, std::string>("a", "b=c")));
  EXPECT_EQ(parse_setting("a=")->second, "");
  EXPECT_FALSE(parse_setting("a").has_value());
  EXPECT_FALSE(parse_setting("=b").has_value());
}

}  // namespace
}  // namespace pinflow::app
