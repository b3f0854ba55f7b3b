// The KafkaJS client of the checks. What it takes and prints is told in README.md.
'use strict';
const { Kafka, CompressionTypes, CompressionCodecs, logLevel } = require('kafkajs');
CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy');

const fill = Buffer.from('the quick brown fox jumps over the lazy dog; ');

// The value of record n: "v<n>;" and a filling that depends on n, of size bytes in all (or as long as the number needs).
function value(n, size) {
  const head = Buffer.from(`v${n};`);
  const all = Buffer.alloc(Math.max(size, head.length));
  head.copy(all);
  for (let i = head.length; i < all.length; i++) all[i] = fill[(i + n) % fill.length];
  return all;
}
const number = data => parseInt(data.toString('latin1', 1, data.indexOf(';')), 10);
const say = line => process.stdout.write(line + '\n');
const wrong = what => { throw new Error(what); };

async function partitionCount(kafka, topic) {
  const admin = kafka.admin();
  await admin.connect();
  const metadata = await admin.fetchTopicMetadata({ topics: [topic] });
  const offsets = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  return { partitions: metadata.topics[0].partitions.length, offsets };
}

async function produce(kafka, topic, first, count, size, settings) {
  const codec = { gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy }[settings['compression.type']] || CompressionTypes.None;
  const { partitions } = await partitionCount(kafka, topic);
  const producer = kafka.producer({ idempotent: settings['enable.idempotence'] === 'true', maxInFlightRequests: 1 });
  await producer.connect();
  let acked = 0;
  const step = Math.max(1, Math.min(1000, Math.floor(500000 / size)));  // A send is a batch: it must not pass the broker's limit.
  for (let n = first; n < first + count; n += step) {
    const messages = [];
    for (let i = n; i < Math.min(n + step, first + count); i++) messages.push({ partition: i % partitions, key: `k${i}`, value: value(i, size) });
    await producer.send({ topic, acks: -1, compression: codec, messages });
    acked += messages.length;
    say(`progress ${acked}`);
  }
  await producer.disconnect();
  say(`done ${acked}`);
}

// KafkaJS reads only as a member of a group; alone in one it has all partitions.
async function consume(kafka, topic, expected) {
  const { partitions, offsets } = await partitionCount(kafka, topic);
  const total = offsets.reduce((sum, p) => sum + Number(p.high) - Number(p.low), 0);
  const consumer = kafka.consumer({ groupId: `reader-${process.pid}-${Date.now()}` });
  const next = new Map(), last = new Map();
  let count = 0;
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise((resolve, reject) => {
    if (total === 0) resolve();
    consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        try {
          for (const message of batch.messages) {
            const p = batch.partition, n = number(message.value), offset = Number(message.offset), where = `at partition ${p} offset ${offset}`;
            if (next.has(p) && offset !== next.get(p)) wrong(`not offset ${next.get(p)} ${where}`);
            if (last.has(p) && n <= last.get(p)) wrong(`record ${n} after ${last.get(p)} ${where}`);
            if (n % partitions !== p || message.key.toString() !== `k${n}` || !message.value.equals(value(n, message.value.length))) wrong(`another key or value than was sent ${where}`);
            next.set(p, offset + 1);
            last.set(p, n);
            count++;
          }
        } catch (error) {
          reject(error);
        }
        if (count >= total) resolve();
      },
    });
  });
  await consumer.disconnect();
  if (expected >= 0 && count !== expected) wrong(`${count} records instead of ${expected}`);
  say(`done ${count}`);
}

async function member(kafka, topic, group, settings) {
  const consumer = kafka.consumer({ groupId: group, sessionTimeout: Number(settings['session.timeout.ms'] || 30000), heartbeatInterval: Number(settings['heartbeat.interval.ms'] || 3000) });
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => say(['assigned', ...(payload.memberAssignment[topic] || []).sort((a, b) => a - b)].join(' ')));
  consumer.on(consumer.events.REBALANCING, () => say('revoked'));
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch, heartbeat }) => {
      for (const message of batch.messages) say(`read ${batch.partition} ${message.offset} ${number(message.value)}`);
      try {
        await consumer.commitOffsets([{ topic, partition: batch.partition, offset: String(Number(batch.lastOffset()) + 1) }]);
        say('committed');
      } catch (error) {
        say(`not committed: ${error.type || error.message}`);
        throw error;
      }
      await heartbeat();
    },
  });
  await new Promise(resolve => process.stdin.once('data', resolve).once('end', resolve));
  await consumer.disconnect();
  say('left');
}

async function main([command, bootstrap, topic, ...rest]) {
  const kafka = new Kafka({ clientId: 'kafkajs', brokers: [bootstrap], logLevel: logLevel.NOTHING });
  const plain = { produce: 3, consume: 1, member: 1 }[command];
  const settings = Object.fromEntries(rest.slice(plain).map(pair => pair.split(/=(.*)/s).slice(0, 2)));
  if (command === 'produce') await produce(kafka, topic, ...rest.slice(0, 3).map(Number), settings);
  else if (command === 'consume') await consume(kafka, topic, Number(rest[0]));
  else await member(kafka, topic, rest[0], settings);
  process.exit(0);
}
main(process.argv.slice(2)).catch(error => { say(`failed ${error.stack}`); process.exit(1); });
