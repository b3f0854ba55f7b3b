import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The Java client of the checks. What it takes and prints is told in README.md. */
public final class Client {
  static final byte[] FILL = "the quick brown fox jumps over the lazy dog; ".getBytes(StandardCharsets.US_ASCII);

  /** The value of record n: "v<n>;" and a filling that depends on n, of size bytes in all (or as long as the number needs). */
  static byte[] value(int n, int size) {
    byte[] head = ("v" + n + ";").getBytes(StandardCharsets.US_ASCII);
    byte[] all = Arrays.copyOf(head, Math.max(size, head.length));
    for (int i = head.length; i < all.length; i++) all[i] = FILL[(i + n) % FILL.length];
    return all;
  }

  static int number(byte[] value) {
    int end = 1;
    while (value[end] != ';') end++;
    return Integer.parseInt(new String(value, 1, end - 1, StandardCharsets.US_ASCII));
  }

  static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }

  static Properties settings(String bootstrap, String[] args, int from) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", bootstrap);
    for (int i = from; i < args.length; i++) {
      int equals = args[i].indexOf('=');
      settings.put(args[i].substring(0, equals), args[i].substring(equals + 1));
    }
    return settings;
  }

  static void produce(String topic, int first, int count, int size, Properties settings) {
    AtomicInteger acked = new AtomicInteger();
    AtomicReference<Exception> failure = new AtomicReference<>();
    int step = Math.max(1, count / 20);
    try (var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      int partitions = producer.partitionsFor(topic).size();
      for (int n = first; n < first + count && failure.get() == null; n++) {
        byte[] key = ("k" + n).getBytes(StandardCharsets.US_ASCII);
        producer.send(new ProducerRecord<>(topic, n % partitions, key, value(n, size)), (metadata, exception) -> {
          if (exception != null) {
            failure.compareAndSet(null, exception);
          } else if (acked.incrementAndGet() % step == 0) {
            say("progress " + acked.get());
          }
        });
      }
    }
    if (failure.get() != null) throw new IllegalStateException(failure.get());
    say("done " + acked.get());
  }

  static void consume(String topic, int expected, Properties settings) {
    int count = 0;
    try (var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions = new ArrayList<>();
      for (var info : consumer.partitionsFor(topic)) partitions.add(new TopicPartition(topic, info.partition()));
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      Map<Integer, Long> next = new HashMap<>();
      Map<Integer, Integer> last = new HashMap<>();
      long quiet_since = System.nanoTime();
      while (!partitions.stream().allMatch(p -> consumer.position(p) >= ends.get(p))) {
        var records = consumer.poll(Duration.ofSeconds(1));
        if (!records.isEmpty()) quiet_since = System.nanoTime();
        if (System.nanoTime() - quiet_since > 30_000_000_000L) throw new IllegalStateException("nothing to read for 30 s after " + count);
        for (ConsumerRecord<byte[], byte[]> record : records) {
          check(record, partitions.size(), next, last);
          count++;
        }
      }
    }
    if (expected >= 0 && count != expected) throw new IllegalStateException(count + " records instead of " + expected);
    say("done " + count);
  }

  static void check(ConsumerRecord<byte[], byte[]> record, int partitions, Map<Integer, Long> next, Map<Integer, Integer> last) {
    int p = record.partition();
    int n = number(record.value());
    String where = " at partition " + p + " offset " + record.offset();
    if (record.offset() != next.getOrDefault(p, record.offset())) throw new IllegalStateException("a gap before offset" + where);
    if (n <= last.getOrDefault(p, -1)) throw new IllegalStateException("record " + n + " after " + last.get(p) + where);
    if (n % partitions != p || !Arrays.equals(record.key(), ("k" + n).getBytes(StandardCharsets.US_ASCII)) ||
        !Arrays.equals(record.value(), value(n, record.value().length))) {
      throw new IllegalStateException("another key or value than was sent" + where);
    }
    next.put(p, record.offset() + 1);
    last.put(p, n);
  }

  /** Tells of each change what the member holds afterwards. */
  record Tell(KafkaConsumer<?, ?> consumer) implements ConsumerRebalanceListener {
    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> added) {
      say("assigned" + held());
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> taken) {
      if (!taken.isEmpty()) say("revoked " + taken.size());
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> lost) {
      say("lost " + lost.size());
    }

    String held() {
      TreeSet<Integer> numbers = new TreeSet<>();
      for (TopicPartition partition : consumer.assignment()) numbers.add(partition.partition());
      StringBuilder text = new StringBuilder();
      for (int number : numbers) text.append(' ').append(number);
      return text.toString();
    }
  }

  static void member(String topic, String group, Properties settings) {
    settings.put("group.id", group);
    settings.putIfAbsent("enable.auto.commit", "false");
    settings.putIfAbsent("auto.offset.reset", "earliest");
    try (var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      Thread listener = new Thread(() -> {
        try {
          new BufferedReader(new InputStreamReader(System.in)).readLine();
        } catch (IOException closed) {
          // The same as an end of input.
        }
        consumer.wakeup();
      });
      listener.setDaemon(true);
      listener.start();
      consumer.subscribe(List.of(topic), new Tell(consumer));
      while (true) {
        var records = consumer.poll(Duration.ofSeconds(1));
        for (var record : records) say("read " + record.partition() + " " + record.offset() + " " + number(record.value()));
        if (records.isEmpty()) continue;
        try {
          consumer.commitSync();
          say("committed");
        } catch (CommitFailedException | RebalanceInProgressException moved) {
          say("not committed: " + moved.getClass().getSimpleName());
        }
      }
    } catch (WakeupException asked) {
      say("left");
    }
  }

  public static void main(String[] args) {
    try {
      switch (args[0]) {
        case "produce" -> produce(args[2], Integer.parseInt(args[3]), Integer.parseInt(args[4]), Integer.parseInt(args[5]), settings(args[1], args, 6));
        case "consume" -> consume(args[2], Integer.parseInt(args[3]), settings(args[1], args, 4));
        case "member" -> member(args[2], args[3], settings(args[1], args, 4));
        default -> throw new IllegalArgumentException("unknown command " + args[0]);
      }
    } catch (Exception failure) {
      say("failed " + failure);
      System.exit(1);
    }
  }
}
