package bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** The scoring job on Kafka Streams (Processor API), until SIGTERM. Arguments are key=value. */
public class App {
  static final double HALF_LIFE_MS = 30.0 * 86_400_000.0;
  static final String[] STAGES = {"lead", "mql", "hot"};
  static final JsonFactory JSON = new JsonFactory();

  static double points(String name) {
    switch (name) {
      case "page_viewed": return 1;
      case "email_opened": return 2;
      case "email_clicked": return 5;
      case "pricing_viewed": return 8;
      case "content_downloaded": return 10;
      case "form_submitted": return 15;
      case "webinar_attended": return 25;
      case "demo_requested": return 40;
      default: return 0;
    }
  }

  static int two(String s, int i) {
    return (s.charAt(i) - '0') * 10 + s.charAt(i + 1) - '0';
  }

  /** The stream's one format of times, as the bare loop reads it: several times faster than Instant.parse. */
  static long parseTime(String s) {
    if (s.length() != 24 || s.charAt(23) != 'Z') return Instant.parse(s).toEpochMilli();
    long y = two(s, 0) * 100 + two(s, 2);
    int m = two(s, 5), d = two(s, 8);
    long y2 = m <= 2 ? y - 1 : y;
    long era = Math.floorDiv(y2, 400L), yoe = y2 - era * 400;
    long doy = (153L * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    long days = era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
    return days * 86_400_000L + two(s, 11) * 3_600_000L + two(s, 14) * 60_000L + two(s, 17) * 1000L
        + (s.charAt(20) - '0') * 100L + two(s, 21);
  }

  static final class State {
    double score;
    long last;
    long count;
    byte stage;
  }

  static final class StateSerde implements Serde<State> {
    public Serializer<State> serializer() {
      return (topic, s) -> s == null ? null
          : ByteBuffer.allocate(25).putDouble(s.score).putLong(s.last).putLong(s.count).put(s.stage).array();
    }

    public Deserializer<State> deserializer() {
      return (topic, bytes) -> {
        if (bytes == null) return null;
        ByteBuffer in = ByteBuffer.wrap(bytes);
        State s = new State();
        s.score = in.getDouble();
        s.last = in.getLong();
        s.count = in.getLong();
        s.stage = in.get();
        return s;
      };
    }
  }

  static final class Scorer implements Processor<String, byte[], String, byte[]> {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream(256);
    private ProcessorContext<String, byte[]> context;
    private KeyValueStore<String, State> store;

    public void init(ProcessorContext<String, byte[]> context) {
      this.context = context;
      store = context.getStateStore("scores");
    }

    public void process(Record<String, byte[]> record) {
      try {
        score(record);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private void score(Record<String, byte[]> record) throws IOException {
      String name = null, type = null, message = null, user = null;
      long time = 0;
      try (JsonParser json = JSON.createParser(record.value())) {
        if (json.nextToken() != JsonToken.START_OBJECT) throw new IOException("not an object");
        String field;
        while ((field = json.nextFieldName()) != null) {
          switch (field) {
            case "type": type = json.nextTextValue(); break;
            case "messageId": message = json.nextTextValue(); break;
            case "userId": user = json.nextTextValue(); break;
            case "event": name = json.nextTextValue(); break;
            case "timestamp": time = parseTime(json.nextTextValue()); break;
            default:
              json.nextToken();
              json.skipChildren();
          }
        }
      }
      if (type == null || message == null || user == null) throw new IOException("a field is missing");
      State s = store.get(record.key());
      if (s == null) s = new State();
      double points = points(name);
      double kept = s.count == 0 ? 0 : s.score * Math.pow(2, -(double) Math.max(0, time - s.last) / HALF_LIFE_MS);
      s.score = kept + points;
      s.last = Math.max(s.last, time);
      s.count++;
      byte from = s.stage;
      s.stage = (byte) (s.score >= 100 ? 2 : s.score >= 50 ? 1 : 0);
      store.put(record.key(), s);
      if (s.stage != from) context.forward(record.withValue(transition(record.key(), from, s, time)));
    }

    private byte[] transition(String lead, byte from, State s, long time) throws IOException {
      out.reset();
      try (JsonGenerator json = JSON.createGenerator(out)) {
        json.writeStartObject();
        json.writeStringField("lead", lead);
        json.writeStringField("from", STAGES[from]);
        json.writeStringField("to", STAGES[s.stage]);
        json.writeNumberField("score", s.score);
        json.writeNumberField("at", time);
        json.writeEndObject();
      }
      return out.toByteArray();
    }
  }

  /** Prints RESTORED once every partition that had anything to restore is. */
  static final class Restores implements StateRestoreListener {
    private final AtomicLong start = new AtomicLong(), records = new AtomicLong();
    private final AtomicInteger open = new AtomicInteger();

    public void onRestoreStart(TopicPartition partition, String store, long from, long to) {
      start.compareAndSet(0, System.nanoTime());
      open.incrementAndGet();
    }

    public void onBatchRestored(TopicPartition partition, String store, long end, long count) {}

    public void onRestoreEnd(TopicPartition partition, String store, long total) {
      records.addAndGet(total);
      if (open.decrementAndGet() == 0) {
        System.out.printf("RESTORED records=%d seconds=%.3f%n", records.get(), (System.nanoTime() - start.get()) / 1e9);
        System.out.flush();
      }
    }
  }

  /** What its own experts would set: larger batches and fetches, compression, a cache that holds all leads. */
  static Properties properties(Map<String, String> args) {
    Properties p = new Properties();
    p.put(StreamsConfig.APPLICATION_ID_CONFIG, args.get("group"));
    p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args.get("brokers"));
    p.put(StreamsConfig.STATE_DIR_CONFIG, args.get("state"));
    boolean exactlyOnce = args.getOrDefault("exactly_once", "1").equals("1");
    p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, exactlyOnce ? StreamsConfig.EXACTLY_ONCE_V2 : StreamsConfig.AT_LEAST_ONCE);
    p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, args.getOrDefault("interval_ms", "100"));
    p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, args.getOrDefault("threads", "2"));
    p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, Long.parseLong(args.getOrDefault("cache_mb", "256")) << 20);
    p.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    p.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
    p.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 5000);
    p.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
    p.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 262144);
    p.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 100);
    p.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), 67108864L);
    p.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    p.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 4 << 20);
    p.put(StreamsConfig.restoreConsumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 4 << 20);
    p.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5000);
    p.put(StreamsConfig.consumerPrefix(ConsumerConfig.CHECK_CRCS_CONFIG), false);
    // It does not leave the group when it ends; its successor waits for the session of the dead member.
    p.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), 6000);
    p.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), 2000);
    return p;
  }

  static Topology topology(Map<String, String> args) {
    KeyValueBytesStoreSupplier supplier = args.getOrDefault("store", "memory").equals("memory")
        ? Stores.inMemoryKeyValueStore("scores") : Stores.persistentKeyValueStore("scores");
    StoreBuilder<KeyValueStore<String, State>> store = Stores.keyValueStoreBuilder(supplier, Serdes.String(), new StateSerde())
        .withCachingEnabled().withLoggingEnabled(Map.of());
    Topology topology = new Topology();
    topology.addSource("source", new StringDeserializer(), new ByteArrayDeserializer(), args.get("input"));
    topology.addProcessor("score", Scorer::new, "source");
    topology.addStateStore(store, "score");
    topology.addSink("sink", args.get("output"), new StringSerializer(), new ByteArraySerializer(), "score");
    return topology;
  }

  public static void main(String[] arguments) {
    Map<String, String> args = new HashMap<>();
    for (String argument : arguments) {
      int equals = argument.indexOf('=');
      args.put(argument.substring(0, equals), argument.substring(equals + 1));
    }
    KafkaStreams streams = new KafkaStreams(topology(args), properties(args));
    streams.setUncaughtExceptionHandler(e -> {
      e.printStackTrace();
      return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
    });
    streams.setGlobalStateRestoreListener(new Restores());
    Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(20))));
    streams.start();
  }
}
