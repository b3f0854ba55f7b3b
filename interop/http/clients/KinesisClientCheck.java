import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.ConsumerStatus;
import software.amazon.awssdk.services.kinesis.model.GetRecordsResponse;
import software.amazon.awssdk.services.kinesis.model.KinesisException;
import software.amazon.awssdk.services.kinesis.model.PutRecordsRequestEntry;
import software.amazon.awssdk.services.kinesis.model.PutRecordsResponse;
import software.amazon.awssdk.services.kinesis.model.Record;
import software.amazon.awssdk.services.kinesis.model.ResourceInUseException;
import software.amazon.awssdk.services.kinesis.model.ResourceNotFoundException;
import software.amazon.awssdk.services.kinesis.model.Shard;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;
import software.amazon.awssdk.services.kinesis.model.StreamStatus;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardEvent;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardResponseHandler;

/**
 * The AWS SDK for Java v2 against a Kinesis endpoint: the blocking client over HTTP/1.1 and the asynchronous one over HTTP/2, both in CBOR
 * unless AWS_CBOR_DISABLE says otherwise. Arguments: ENDPOINT STREAM. Prints `done ...` or `failed ...`.
 */
public final class KinesisClientCheck {
  private static final int ASYNC_PUTS = 300;
  private final String stream;
  private final KinesisClient client;
  private final KinesisAsyncClient async;

  private KinesisClientCheck(URI endpoint, String stream) {
    this.stream = stream;
    client = KinesisClient.builder().endpointOverride(endpoint).build();
    async = KinesisAsyncClient.builder()
        .endpointOverride(endpoint)
        .httpClientBuilder(NettyNioAsyncHttpClient.builder().protocol(Protocol.HTTP2).maxConcurrency(20))
        .build();
  }

  private static void expect(boolean condition, String what) {
    if (!condition) throw new IllegalStateException(what);
  }

  private int blocking() {
    client.createStream(request -> request.streamName(stream).shardCount(2));
    // The SDK's own waiter asks every ten seconds.
    while (client.describeStreamSummary(request -> request.streamName(stream)).streamDescriptionSummary().streamStatus() != StreamStatus.ACTIVE) Thread.onSpinWait();
    try {
      client.createStream(request -> request.streamName(stream).shardCount(2));
      expect(false, "a stream was made twice");
    } catch (ResourceInUseException wanted) {
      expect(wanted.requestId() != null && wanted.extendedRequestId() != null, "the error has no request id");
    }
    try {
      client.describeStreamSummary(request -> request.streamName("no-such-stream"));
      expect(false, "an unknown stream was described");
    } catch (ResourceNotFoundException wanted) {
      expect(wanted.getMessage().contains("not found"), wanted.getMessage());
    }
    Instant created = client.describeStreamSummary(request -> request.streamName(stream)).streamDescriptionSummary().streamCreationTimestamp();
    expect(Duration.between(created, Instant.now()).abs().toMinutes() < 2, "created at " + created);
    Map<String, ByteBuffer> sent = new HashMap<>();
    for (int number = 0; number < 20; ++number) {
      byte[] data = new byte[number];
      java.util.Arrays.fill(data, (byte) (200 + number));
      String key = "k" + number;
      String sequence = client.putRecord(request -> request.streamName(stream).partitionKey(key).data(SdkBytes.fromByteArray(data))).sequenceNumber();
      sent.put(sequence, ByteBuffer.wrap(data));
    }
    List<PutRecordsRequestEntry> entries = new ArrayList<>();
    for (int number = 0; number < 500; ++number) {
      entries.add(PutRecordsRequestEntry.builder().partitionKey("b" + number).data(SdkBytes.fromUtf8String("record " + number + " Ä")).build());
    }
    PutRecordsResponse batch = client.putRecords(request -> request.streamName(stream).records(entries));
    expect(batch.failedRecordCount() == 0, batch.failedRecordCount() + " records failed");
    for (int number = 0; number < 500; ++number) sent.put(batch.records().get(number).sequenceNumber(), entries.get(number).data().asByteBuffer());
    int read = 0;
    for (Shard shard : client.listShards(request -> request.streamName(stream)).shards()) {
      for (ShardIteratorType type : List.of(ShardIteratorType.TRIM_HORIZON, ShardIteratorType.AT_TIMESTAMP)) {
        String iterator = client.getShardIterator(request -> request.streamName(stream).shardId(shard.shardId()).shardIteratorType(type)
            .timestamp(type == ShardIteratorType.AT_TIMESTAMP ? Instant.now().minusSeconds(60) : null)).shardIterator();
        for (int records = -1; records != 0; ) {
          String from = iterator;
          GetRecordsResponse answer = client.getRecords(request -> request.shardIterator(from));
          for (Record record : answer.records()) {
            expect(record.data().asByteBuffer().equals(sent.get(record.sequenceNumber())), "record " + record.sequenceNumber() + " came back changed");
            expect(Duration.between(record.approximateArrivalTimestamp(), Instant.now()).abs().toMinutes() < 2, "arrived at " + record.approximateArrivalTimestamp());
          }
          records = answer.records().size();
          read += records;
          iterator = answer.nextShardIterator();
        }
      }
    }
    expect(read == 2 * sent.size(), read + " records read, " + 2 * sent.size() + " expected");
    return read;
  }

  private int asynchronous() throws Exception {
    List<CompletableFuture<?>> puts = new ArrayList<>();
    for (int number = 0; number < ASYNC_PUTS; ++number) {
      String text = "async " + number;
      puts.add(async.putRecord(request -> request.streamName(stream).partitionKey("k").explicitHashKey("0").data(SdkBytes.fromUtf8String(text))));
    }
    CompletableFuture.allOf(puts.toArray(CompletableFuture[]::new)).get(30, TimeUnit.SECONDS);
    String arn = async.describeStreamSummary(request -> request.streamName(stream)).get().streamDescriptionSummary().streamARN();
    String consumer = async.registerStreamConsumer(request -> request.streamARN(arn).consumerName("java")).get().consumer().consumerARN();
    while (async.describeStreamConsumer(request -> request.consumerARN(consumer)).get().consumerDescription().consumerStatus() != ConsumerStatus.ACTIVE) Thread.sleep(50);
    AtomicInteger pushed = new AtomicInteger();
    CountDownLatch enough = new CountDownLatch(1);
    SubscribeToShardResponseHandler handler = SubscribeToShardResponseHandler.builder()
        .subscriber(event -> {
          if (!(event instanceof SubscribeToShardEvent records)) return;
          for (Record record : records.records()) {
            if (new String(record.data().asByteArrayUnsafe(), StandardCharsets.ISO_8859_1).startsWith("pushed ")) pushed.incrementAndGet();
          }
          if (pushed.get() >= 100) enough.countDown();
        })
        .build();
    CompletableFuture<Void> subscription = async.subscribeToShard(
        request -> request.consumerARN(consumer).shardId("shardId-000000000000").startingPosition(position -> position.type(ShardIteratorType.TRIM_HORIZON)), handler);
    for (int number = 0; number < 100; ++number) {
      String text = "pushed " + number;
      async.putRecord(request -> request.streamName(stream).partitionKey("k").explicitHashKey("0").data(SdkBytes.fromUtf8String(text))).get(10, TimeUnit.SECONDS);
    }
    boolean all = enough.await(20, TimeUnit.SECONDS);
    expect(all, pushed.get() + " records of 100 were pushed" + (subscription.isCompletedExceptionally() ? ", the subscription failed: " + subscription.handle((v, e) -> e).get() : ""));
    subscription.cancel(true);
    async.deregisterStreamConsumer(request -> request.consumerARN(consumer)).get();
    return pushed.get();
  }

  public static void main(String[] arguments) {
    int code = 0;
    try {
      KinesisClientCheck check = new KinesisClientCheck(URI.create(arguments[0]), arguments[1]);
      int read = check.blocking();
      int pushed = check.asynchronous();
      check.client.deleteStream(request -> request.streamName(check.stream).enforceConsumerDeletion(true));
      System.out.println("done " + read + " records read, " + ASYNC_PUTS + " put over HTTP/2, " + pushed + " pushed");
    } catch (KinesisException refused) {
      System.out.println("failed " + refused.awsErrorDetails());
      code = 1;
    } catch (Exception failure) {
      System.out.println("failed " + String.valueOf(failure).replace('\n', ' '));
      code = 1;
    }
    System.out.flush();
    System.exit(code);
  }
}
