-- Raw events in the order they arrived, and everything else a block has to say: one insert is one block is one part.
-- Partitioned by arrival, because an insert over two partitions is not atomic; never by the events' own time.
-- `time` is milliseconds and not DateTime64, because a quarantined event may claim a year no DateTime64 can hold.
CREATE TABLE events
(
    block      UInt64,
    row        UInt32,
    catalog    UInt32,
    received   DateTime64(3, 'UTC'),
    outcome    Enum8('accepted' = 1, 'conflict' = 2, 'quarantined' = 3, 'duplicates' = 4, 'rejected' = 5),
    tenant     LowCardinality(String),
    source     LowCardinality(String),
    id         String,
    type       LowCardinality(String),
    subject    String,
    time       Int64,
    data       String,
    identity   UInt128,
    content    UInt64,
    quantities Array(Decimal(38, 9)),
    dimensions Array(String),
    reason     LowCardinality(String),
    count      UInt32
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(received)
ORDER BY (block, row)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1, non_replicated_deduplication_window = 0;

-- One row per event and meter, ordered for billing: a period's sums read neighbouring rows of the same subject.
-- Derived from `events` in steps, and can be derived again; partitioned by month so that old months come to rest.
CREATE TABLE usage
(
    tenant     LowCardinality(String),
    meter      LowCardinality(String),
    subject    String,
    time       DateTime64(3, 'UTC'),
    quantity   Decimal(38, 9),
    dimensions Map(LowCardinality(String), String),
    block      UInt64,
    row        UInt32,
    digest     UInt128,
    step       UInt32
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (tenant, meter, subject, time)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1, non_replicated_deduplication_window = 0;

-- The marker that makes a block readable, chained to the one before it.
CREATE TABLE blocks
(
    block       UInt64,
    catalog     UInt32,
    received    DateTime64(3, 'UTC'),
    rows        UInt32,
    accepted    UInt64,
    conflicts   UInt64,
    quarantined UInt64,
    duplicates  UInt64,
    rejected    UInt64,
    digest      FixedString(32),
    chain       FixedString(32)
)
ENGINE = MergeTree
ORDER BY block
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1, non_replicated_deduplication_window = 0;

-- The done-record of a step of `usage`: rows of a step without one were cut short and are never read.
CREATE TABLE usage_steps
(
    step        UInt32,
    first_block UInt64,
    last_block  UInt64,
    catalog     UInt32,
    rows        UInt64
)
ENGINE = MergeTree
ORDER BY step
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1, non_replicated_deduplication_window = 0;

-- Rated lines, immutable under the run that made them; the relational row of the run says whether they count.
-- They are written in their order and read by run: parts of a quarter million of them have nothing to gain from merging,
-- and cost a close as much as writing them. Those of small closes still become one.
CREATE TABLE charges
(
    run               UInt64,
    line              UInt32,
    tenant            LowCardinality(String),
    entity            LowCardinality(String),
    customer          String,
    currency          LowCardinality(String),
    contract          String,
    plan              LowCardinality(String),
    product           LowCardinality(String),
    kind              LowCardinality(String),
    meter             LowCardinality(String),
    price_version     UInt32,
    subjects          Array(String),
    window_start      Int64,
    window_end        Int64,
    cutoff            UInt64,
    events            UInt64,
    quantity          Decimal(38, 9),
    digest            UInt128,
    exact_numerator   Decimal(76, 0),
    exact_denominator Decimal(38, 0),
    amount            Int64
)
ENGINE = MergeTree
ORDER BY (run, line)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1, non_replicated_deduplication_window = 0,
    max_bytes_to_merge_at_max_space_in_pool = 8388608;

-- Movements of credit under the run that made them: an amount leaves the account `debit` and enters `credit`, and one of
-- the two is the balance of the grant. Like charges they count once the run's relational row says so.
CREATE TABLE credit_movements
(
    run      UInt64,
    entry    UInt32,
    tenant   LowCardinality(String),
    customer String,
    currency LowCardinality(String),
    grant_id String,
    at       Int64,
    debit    LowCardinality(String),
    credit   LowCardinality(String),
    amount   Int64,
    charge   Int64,
    line     Int64
)
ENGINE = MergeTree
ORDER BY (run, entry)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1, non_replicated_deduplication_window = 0;
