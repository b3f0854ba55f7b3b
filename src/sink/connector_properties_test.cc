#include "sink/connector_properties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::sink {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kJson = "flush.size=3\nformat.class=io.confluent.connect.s3.format.json.JsonFormat\n";

Result<ConnectorSettings> read(const std::string& text) {
  return read_connector_properties(std::string(kJson) + text, {});
}

std::string refusal(const std::string& text) {
  const auto settings = read(text);
  return settings ? "none" : settings.error().message;
}

TEST(ConnectorProperties, AreTakenAsTheConnectorTakesThem) {
  const auto settings = read(
      "# as in the connector's own example\n"
      "name=s3-sink\nconnector.class=io.confluent.connect.s3.S3SinkConnector\ntasks.max=1\n"
      "topics.regex = pinterest\\\\..*\n"
      "s3.region=us-west-2\ns3.bucket.name: pins\nstore.url http://localhost:9000\n"
      "storage.class=io.confluent.connect.s3.storage.S3Storage\n"
      "schema.compatibility=NONE\ns3.compression.type=gzip\ntopics.dir=raw\n"
      "partitioner.class=io.confluent.connect.storage.partitioner.TimeBasedPartitioner\n"
      "path.format='year'=YYYY/\\\n    "
      "'month'=MM\npartition.duration.ms=3600000\nlocale=en-US\ntimezone=Europe/Berlin\n"
      "timestamp.extractor=RecordField\ntimestamp.field=at\n"
      "rotate.interval.ms=60000\nrotate.schedule.interval.ms=600000\nfile.delim=-\nfilename.offset.zero.pad.width=6\n");
  ASSERT_TRUE(settings) << settings.error().message;
  const SinkOptions& options = settings->options;
  EXPECT_EQ(options.topics_regex, "pinterest\\..*");
  EXPECT_EQ(options.flush_size, 3);
  EXPECT_EQ(options.rotate_record_interval, 60s);
  EXPECT_EQ(options.rotate_schedule_interval, 600s);
  EXPECT_EQ(options.compression, Compression::kGzip);
  EXPECT_EQ(options.names, (NameForm{"raw", "-", 6}));
  EXPECT_EQ(options.partitioner.kind, PartitionerKind::kTimeBased);
  EXPECT_EQ(options.partitioner.path_format, "'year'=YYYY/'month'=MM");
  EXPECT_EQ(options.partitioner.timezone, "Europe/Berlin");
  EXPECT_EQ(options.partitioner.extractor, TimestampExtractor::kRecordField);
  EXPECT_EQ(options.partitioner.timestamp_field, "at");
  EXPECT_EQ(settings->bucket + " " + settings->region + " " + settings->endpoint,
            "pins us-west-2 http://localhost:9000");
  EXPECT_THAT(settings->remarks, IsEmpty());
}

TEST(ConnectorProperties, ThatAreNotObeyedAreTold) {
  const auto settings = read("topics=a,b\nschema.compatibility=BACKWARD\naws.secret.access.key=hush\nflash.size=4\n");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_THAT(settings->options.topics, ElementsAre("a", "b"));
  EXPECT_EQ(settings->remarks.size(), 3u);
  EXPECT_THAT(settings->remarks, Contains(HasSubstr("schema.compatibility = BACKWARD: not obeyed")));
  EXPECT_THAT(settings->remarks, Contains(HasSubstr("flash.size = 4: not known")));
  EXPECT_THAT(settings->remarks, Contains("aws.secret.access.key: not known, and not obeyed"));
}

TEST(ConnectorProperties, ThatCannotBeMeantAreRefusedByName) {
  EXPECT_THAT(refusal(""), HasSubstr("topics, topics.regex"));
  EXPECT_THAT(refusal("topics=a\nflush.size=0\n"), HasSubstr("flush.size"));
  EXPECT_THAT(refusal("topics=a\nformat.class=AvroFormat\n"), HasSubstr("format.class: 'AvroFormat'"));
  EXPECT_THAT(refusal("topics=a\npartitioner.class=MyPartitioner\n"), HasSubstr("partitioner.class: 'MyPartitioner'"));
  EXPECT_THAT(refusal("topics.regex=(\n"), HasSubstr("no regular expression"));
  EXPECT_THAT(refusal("topics=a\npartitioner.class=DailyPartitioner\ntimezone=Mars/North\n"), HasSubstr("Mars/North"));
  EXPECT_THAT(refusal("topics=a\npartitioner.class=FieldPartitioner\n"), HasSubstr("partition.field.name"));
}

}  // namespace
}  // namespace pinflow::sink
