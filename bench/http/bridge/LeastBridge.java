import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The least that a bridge from HTTP to Kafka does when it is made of Vert.x's server and Apache Kafka's producer, as Strimzi's is: reads
 * POST /topics/{topic} with JSON records, sends each through one shared producer, answers when all are acknowledged. It validates nothing,
 * so a real bridge is slower. Arguments: PORT BOOTSTRAP.
 */
public final class LeastBridge {
  private static final String TYPE = "application/vnd.kafka.v2+json";

  private static void produce(RoutingContext context, KafkaProducer<byte[], byte[]> producer) {
    JsonArray records = context.body().asJsonObject().getJsonArray("records");
    JsonObject[] offsets = new JsonObject[records.size()];
    AtomicInteger left = new AtomicInteger(offsets.length);
    io.vertx.core.Context loop = Vertx.currentContext();
    for (int number = 0; number < offsets.length; ++number) {
      int place = number;
      byte[] value = Buffer.buffer(records.getJsonObject(number).getJsonObject("value").encode()).getBytes();
      producer.send(new ProducerRecord<>(context.pathParam("topic"), value), (metadata, failure) -> {
        offsets[place] = failure == null ? new JsonObject().put("partition", metadata.partition()).put("offset", metadata.offset())
            : new JsonObject().put("error_code", 500).put("message", failure.getMessage());
        if (left.decrementAndGet() == 0) loop.runOnContext(ignored -> answer(context.response(), offsets));
      });
    }
  }

  private static void answer(HttpServerResponse response, JsonObject[] offsets) {
    JsonArray all = new JsonArray();
    for (JsonObject offset : offsets) all.add(offset);
    response.putHeader("Content-Type", TYPE).end(new JsonObject().put("offsets", all).toBuffer());
  }

  public static void main(String[] arguments) {
    KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(Map.of("bootstrap.servers", arguments[1], "acks", "all"), new ByteArraySerializer(), new ByteArraySerializer());
    Vertx vertx = Vertx.vertx();
    Router router = Router.router(vertx);
    router.post("/topics/:topic").handler(BodyHandler.create(false)).handler(context -> produce(context, producer));
    vertx.createHttpServer().requestHandler(router).listen(Integer.parseInt(arguments[0]), "127.0.0.1").onComplete(done -> {
      System.out.println(done.succeeded() ? "listening" : "failed " + done.cause());
      System.out.flush();
    });
  }
}
