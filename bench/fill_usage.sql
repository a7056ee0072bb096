-- Usage of one month, spread evenly over customers, meters and four weeks, as if step 1 had derived it from block 1.
INSERT INTO usage
SELECT 'default' AS tenant, {meters:Array(String)}[1 + number % length({meters:Array(String)})] AS meter,
    concat('customer-', leftPad(toString(cityHash64(number) % {customers:UInt64}), 7, '0')) AS subject,
    toDateTime64({first_day:String}, 3, 'UTC') + toIntervalMillisecond(cityHash64(number, 1) % 2419200000) AS time,
    if(meter IN ('api_calls', 'messages'), toDecimal128(1, 9), toDecimal128(cityHash64(number, 2) % 5000, 9) / 1000) AS quantity,
    map() AS dimensions, 1 AS block, number % 4294967295 AS row,
    reinterpretAsUInt128(sipHash128(number)) AS digest, 1 AS step
FROM numbers({first:UInt64}, {events:UInt64})
