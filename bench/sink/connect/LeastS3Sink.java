import io.aiven.kafka.connect.common.config.AivenCommonConfig;
import io.aiven.kafka.connect.common.config.CompressionType;
import io.aiven.kafka.connect.common.config.OutputFieldType;
import io.aiven.kafka.connect.common.grouper.RecordGrouper;
import io.aiven.kafka.connect.common.grouper.RecordGrouperFactory;
import io.aiven.kafka.connect.common.output.OutputWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkConnector;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * The least sink of Kafka Connect to S3 that Aiven's library for such connectors makes: records are gathered by topic, partition and number, formatted and compressed by
 * that library, and put to S3, one request an object, whenever Connect wants its offsets committed. Settings have the names that Aiven's connector gives them; credentials
 * are those of the environment.
 */
public class LeastS3Sink extends SinkConnector {
    static final String BUCKET = "aws.s3.bucket.name";
    static final String ENDPOINT = "aws.s3.endpoint";
    static final String REGION = "aws.s3.region";
    static final String PREFIX = "aws.s3.prefix";

    /** Names as in Aiven's connector; what both know of formats and files comes from its library. */
    static final class Settings extends AivenCommonConfig {
        Settings(Map<String, String> given) {
            super(definition(), given);
        }

        static ConfigDef definition() {
            ConfigDef all = new ConfigDef();
            for (String name : List.of(BUCKET, ENDPOINT, REGION)) {
                all.define(name, ConfigDef.Type.STRING, ConfigDef.Importance.HIGH, name);
            }
            all.define(PREFIX, ConfigDef.Type.STRING, "", ConfigDef.Importance.LOW, PREFIX);
            all.define(FILE_NAME_TEMPLATE_CONFIG, ConfigDef.Type.STRING, null, ConfigDef.Importance.LOW, FILE_NAME_TEMPLATE_CONFIG);
            all.define(FILE_MAX_RECORDS, ConfigDef.Type.INT, 0, ConfigDef.Importance.LOW, FILE_MAX_RECORDS);
            all.define(FILE_NAME_TIMESTAMP_TIMEZONE, ConfigDef.Type.STRING, "UTC", ConfigDef.Importance.LOW, FILE_NAME_TIMESTAMP_TIMEZONE);
            all.define(FILE_NAME_TIMESTAMP_SOURCE, ConfigDef.Type.STRING, "wallclock", ConfigDef.Importance.LOW, FILE_NAME_TIMESTAMP_SOURCE);
            addOutputFieldsFormatConfigGroup(all, OutputFieldType.VALUE);
            addCompressionTypeConfig(all, CompressionType.GZIP);
            addKafkaBackoffPolicy(all);
            return all;
        }
    }

    private Map<String, String> given;

    @Override
    public void start(Map<String, String> settings) {
        given = settings;
    }

    @Override
    public Class<? extends Task> taskClass() {
        return Putting.class;
    }

    @Override
    public List<Map<String, String>> taskConfigs(int count) {
        List<Map<String, String>> all = new ArrayList<>();
        for (int i = 0; i < count; ++i) {
            all.add(given);
        }
        return all;
    }

    @Override
    public void stop() {
    }

    @Override
    public ConfigDef config() {
        return Settings.definition();
    }

    @Override
    public String version() {
        return "1";
    }

    /** One task: what it was given since the last flush is in memory. */
    public static class Putting extends SinkTask {
        private Settings settings;
        private RecordGrouper grouper;
        private S3Client s3;

        @Override
        public void start(Map<String, String> given) {
            settings = new Settings(given);
            grouper = RecordGrouperFactory.newRecordGrouper(settings);
            s3 = S3Client.builder().endpointOverride(URI.create(settings.getString(ENDPOINT))).region(Region.of(settings.getString(REGION))).forcePathStyle(true).build();
        }

        @Override
        public void put(Collection<SinkRecord> records) {
            records.forEach(grouper::put);
        }

        @Override
        public void flush(Map<TopicPartition, OffsetAndMetadata> offsets) {
            grouper.records().forEach(this::putObject);
            grouper.clear();
        }

        private void putObject(String name, List<SinkRecord> records) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (OutputWriter writer = OutputWriter.builder().withExternalProperties(settings.originalsStrings()).withOutputFields(settings.getOutputFields())
                    .withCompressionType(settings.getCompressionType()).withEnvelopeEnabled(settings.envelopeEnabled()).build(bytes, settings.getFormatType())) {
                writer.writeRecords(records);
            } catch (IOException failure) {
                throw new ConnectException(failure);
            }
            String key = settings.getString(PREFIX) + name;
            s3.putObject(request -> request.bucket(settings.getString(BUCKET)).key(key), RequestBody.fromBytes(bytes.toByteArray()));
        }

        @Override
        public void stop() {
            if (s3 != null) {
                s3.close();
            }
        }

        @Override
        public String version() {
            return "1";
        }
    }
}
