import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Method;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.exceptions.InvalidStateException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.fanout.FanOutConfig;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

/**
 * An application of the Kinesis Client Library. Arguments: KINESIS DYNAMODB STREAM APPLICATION polling|fanout. Prints `started SHARD`, `ended SHARD`
 * and, each time that there are new ones, `records N`: how many different records were processed. Ends when its input does.
 */
public final class LibraryCheck {
  private static final Set<String> SEEN = ConcurrentHashMap.newKeySet();
  private static final AtomicInteger REPEATED = new AtomicInteger();

  private static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }

  private static final class Processor implements ShardRecordProcessor {
    private String shard;

    @Override
    public void initialize(InitializationInput input) {
      shard = input.shardId();
      say("started " + shard);
    }

    @Override
    public void processRecords(ProcessRecordsInput input) {
      for (KinesisClientRecord record : input.records()) {
        if (!SEEN.add(StandardCharsets.UTF_8.decode(record.data()).toString())) REPEATED.incrementAndGet();
      }
      if (input.records().isEmpty()) return;
      say("records " + SEEN.size() + " repeated " + REPEATED.get());
      try {
        input.checkpointer().checkpoint();
      } catch (ShutdownException | InvalidStateException lost) {
        say("not checkpointed: " + lost);
      }
    }

    @Override
    public void leaseLost(LeaseLostInput input) {
      say("lost " + shard);
    }

    @Override
    public void shardEnded(ShardEndedInput input) {
      try {
        input.checkpointer().checkpoint();
        say("ended " + shard);
      } catch (ShutdownException | InvalidStateException failure) {
        say("not checkpointed: " + failure);
      }
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {
      try {
        input.checkpointer().checkpoint();
      } catch (ShutdownException | InvalidStateException failure) {
        say("not checkpointed: " + failure);
      }
    }
  }

  /** Makes a setting that not every version of the library has. */
  private static void setWhereKnown(LeaseManagementConfig config, String setting, long value) throws ReflectiveOperationException {
    for (Method method : LeaseManagementConfig.class.getMethods()) {
      if (method.getName().equals(setting) && method.getParameterCount() == 1) method.invoke(config, value);
    }
  }

  public static void main(String[] arguments) throws Exception {
    String stream = arguments[2];
    // As the library's own helper sets it up: HTTP/2.
    KinesisAsyncClient kinesis = KinesisAsyncClient.builder().endpointOverride(URI.create(arguments[0]))
        .httpClientBuilder(NettyNioAsyncHttpClient.builder().protocol(Protocol.HTTP2).maxConcurrency(50)).build();
    DynamoDbAsyncClient leases = DynamoDbAsyncClient.builder().endpointOverride(URI.create(arguments[1])).build();
    CloudWatchAsyncClient metrics = CloudWatchAsyncClient.builder().endpointOverride(URI.create(arguments[1])).build();
    InitialPositionInStreamExtended begin = InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON);
    ConfigsBuilder configs = new ConfigsBuilder(new SingleStreamTracker(stream, begin), arguments[3], kinesis, leases, metrics, UUID.randomUUID().toString(), Processor::new);
    LeaseManagementConfig leaseSettings = configs.leaseManagementConfig().failoverTimeMillis(3000).shardSyncIntervalMillis(1000).leasesRecoveryAuditorExecutionFrequencyMillis(1000);
    // Version 3 chooses a leader with a lock; by default a dead one's holds for minutes.
    setWhereKnown(leaseSettings, "dynamoDbLockBasedLeaderHeartbeatPeriodInMillis", 1000);
    setWhereKnown(leaseSettings, "dynamoDbLockBasedLeaderLeaseDurationInMillis", 4000);
    Scheduler scheduler = new Scheduler(
        configs.checkpointConfig(),
        configs.coordinatorConfig().parentShardPollIntervalMillis(500).shardConsumerDispatchPollIntervalMillis(100),
        leaseSettings,
        configs.lifecycleConfig(),
        configs.metricsConfig().metricsFactory(new NullMetricsFactory()),
        configs.processorConfig(),
        configs.retrievalConfig().retrievalSpecificConfig("fanout".equals(arguments[4])
            ? new FanOutConfig(kinesis).streamName(stream).applicationName(arguments[3])
            : new PollingConfig(stream, kinesis).idleTimeBetweenReadsInMillis(200)));
    Thread thread = new Thread(scheduler);
    thread.setDaemon(true);
    thread.start();
    new BufferedReader(new InputStreamReader(System.in)).readLine();
    System.exit(0);
  }
}
