// The AWS SDK for JavaScript v3 against a Kinesis endpoint: node kinesis.js ENDPOINT STREAM [http1]
// Streams, records, errors, and fan-out while records are put. Without http1 the client speaks HTTP/2, which is its default for Kinesis.
const {
  KinesisClient, CreateStreamCommand, DeleteStreamCommand, DeregisterStreamConsumerCommand, DescribeStreamConsumerCommand, DescribeStreamSummaryCommand, GetRecordsCommand,
  GetShardIteratorCommand, ListShardsCommand, PutRecordCommand, PutRecordsCommand, RegisterStreamConsumerCommand, SubscribeToShardCommand, waitUntilStreamExists, waitUntilStreamNotExists,
} = require('@aws-sdk/client-kinesis');
const { NodeHttpHandler } = require('@smithy/node-http-handler');

const [endpoint, StreamName, http1] = process.argv.slice(2);
const client = new KinesisClient({ endpoint, maxAttempts: 1, ...(http1 ? { requestHandler: new NodeHttpHandler() } : {}) });

function expect(condition, what) {
  if (!condition) throw new Error(what);
}

async function refused(name, command) {
  try {
    await client.send(command);
  } catch (failure) {
    expect(failure.name === name, `${command.constructor.name}: ${failure.name} (${failure.message}), expected ${name}`);
    return;
  }
  throw new Error(`${command.constructor.name} was accepted, expected ${name}`);
}

async function consumerActive(ConsumerARN) {
  for (let tries = 0; tries < 200; ++tries) {
    const { ConsumerDescription } = await client.send(new DescribeStreamConsumerCommand({ ConsumerARN }));
    if (ConsumerDescription.ConsumerStatus === 'ACTIVE') return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the consumer never became active');
}

async function streamsAndRecords() {
  await client.send(new CreateStreamCommand({ StreamName, ShardCount: 2 }));
  await waitUntilStreamExists({ client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { StreamName });
  await refused('ResourceInUseException', new CreateStreamCommand({ StreamName, ShardCount: 2 }));
  await refused('ResourceNotFoundException', new DescribeStreamSummaryCommand({ StreamName: 'no-such-stream' }));
  const shards = [];
  for (let page = { StreamName, MaxResults: 1 }; page; ) {
    const { Shards, NextToken } = await client.send(new ListShardsCommand(page));
    shards.push(...Shards.map((shard) => shard.ShardId));
    page = NextToken && { NextToken, MaxResults: 1 };
  }
  expect(shards.length === 2, `${shards.length} shards by pages`);
  const sent = new Map();
  for (let i = 0; i < 20; ++i) {
    const Data = Buffer.from(`record ${i} Ä`);
    const said = await client.send(new PutRecordCommand({ StreamName, Data, PartitionKey: `k${i}` }));
    sent.set(said.SequenceNumber, Data.toString());
  }
  // Many at once: over HTTP/2 they share a connection.
  const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => client.send(new PutRecordsCommand({
    StreamName, Records: Array.from({ length: 10 }, (__, i) => ({ Data: Buffer.from(`batch ${n} ${i}`), PartitionKey: `b${i}` })),
  }))));
  answers.forEach((answer, n) => {
    expect(answer.FailedRecordCount === 0, `${answer.FailedRecordCount} records of a request failed`);
    answer.Records.forEach((record, i) => sent.set(record.SequenceNumber, `batch ${n} ${i}`));
  });
  let read = 0;
  for (const ShardId of shards) {
    let { ShardIterator } = await client.send(new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: 'AT_TIMESTAMP', Timestamp: new Date(Date.now() - 60000) }));
    for (;;) {
      const answer = await client.send(new GetRecordsCommand({ ShardIterator, Limit: 100 }));
      for (const record of answer.Records) {
        ++read;
        expect(sent.get(record.SequenceNumber) === Buffer.from(record.Data).toString(), `record ${record.SequenceNumber} came back changed`);
        expect(Math.abs(record.ApproximateArrivalTimestamp - Date.now()) < 120000, `arrived at ${record.ApproximateArrivalTimestamp}`);
      }
      if (answer.Records.length === 0) break;
      ShardIterator = answer.NextShardIterator;
    }
  }
  expect(read === sent.size, `${read} records read of ${sent.size}`);
  return read;
}

async function fanOut() {
  const { StreamDescriptionSummary: { StreamARN } } = await client.send(new DescribeStreamSummaryCommand({ StreamName }));
  const { Consumer: { ConsumerARN } } = await client.send(new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: 'javascript' }));
  await consumerActive(ConsumerARN);
  const { EventStream } = await client.send(new SubscribeToShardCommand({ ConsumerARN, ShardId: 'shardId-000000000000', StartingPosition: { Type: 'LATEST' } }));
  const writing = (async () => {
    for (let i = 0; i < 100; ++i) await client.send(new PutRecordCommand({ StreamName, Data: Buffer.from(String(i)), PartitionKey: 'k', ExplicitHashKey: '0' }));
  })();
  let next = 0;
  for await (const { SubscribeToShardEvent: event } of EventStream) {
    for (const record of event.Records) expect(Number(Buffer.from(record.Data).toString()) === next++, 'pushed records are out of order');
    if (next >= 100) break;
  }
  await writing;
  await client.send(new DeregisterStreamConsumerCommand({ ConsumerARN }));
  return next;
}

(async () => {
  const read = await streamsAndRecords();
  const pushed = await fanOut();
  await client.send(new DeleteStreamCommand({ StreamName, EnforceConsumerDeletion: true }));
  await waitUntilStreamNotExists({ client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { StreamName });
  console.log(`done ${read} records read, ${pushed} pushed`);
  process.exit(0);
})().catch((failure) => {
  console.log(`failed ${failure.name}: ${String(failure.message).replace(/\n/g, ' ')}`);
  process.exit(1);
});
