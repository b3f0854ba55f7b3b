import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.TreeMap;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/** Reads the lines of print_samples with Kafka's own message classes, writes each message again and compares the bytes. */
public class ReadSamples {
    public static void main(String[] args) throws Exception {
        var input = new BufferedReader(new InputStreamReader(System.in));
        var failures = new TreeMap<String, Integer>();
        int equal = 0;
        int skipped = 0;
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] parts = line.split(" ", -1);
            var type = ApiMessageType.fromApiKey(Short.parseShort(parts[0]));
            short version = Short.parseShort(parts[1]);
            if (version < type.lowestSupportedVersion() || version > type.highestSupportedVersion(true)) {
                skipped++;
                continue;
            }
            ApiMessage message = parts[2].equals("request") ? type.newRequest() : type.newResponse();
            String name = type.name + " v" + version + " " + parts[2];
            byte[] ours = HexFormat.of().parseHex(parts[3]);
            String problem = null;
            try {
                var buffer = ByteBuffer.wrap(ours);
                message.read(new ByteBufferAccessor(buffer), version);
                if (buffer.hasRemaining()) problem = "leaves " + buffer.remaining() + " bytes";
                var cache = new ObjectSerializationCache();
                int size = message.size(cache, version);
                var theirs = ByteBuffer.allocate(size);
                message.write(new ByteBufferAccessor(theirs), cache, version);
                if (!ByteBuffer.wrap(ours).equals(theirs.flip())) problem = "writes other bytes";
            } catch (Exception e) {
                problem = e.toString();
            }
            if (problem == null) equal++;
            else if (failures.merge(name, 1, Integer::sum) == 1) System.out.println(name + ": " + problem);
        }
        System.out.println(equal + " messages equal, " + skipped + " of versions that this Kafka does not have, "
                + failures.values().stream().mapToInt(Integer::intValue).sum() + " differ");
        System.exit(failures.isEmpty() && equal > 0 ? 0 : 1);
    }
}
