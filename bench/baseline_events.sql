-- The same events, loaded by ClickHouse alone: parsed, with the columns that `usage` is derived from, one block.
-- Hashes are its own; values are taken through the fastest exact way it has.
INSERT INTO events
SELECT 1 AS block, rowNumberInAllBlocks() AS row, 1 AS catalog, toDateTime64('2026-11-21 00:00:00', 3, 'UTC') AS received,
    'accepted' AS outcome, 'default' AS tenant, source, id, type, subject, toUnixTimestamp64Milli(time) AS time, data,
    reinterpretAsUInt128(sipHash128(source, id)) AS identity, xxh3(type, subject, time, data) AS content,
    if(type = 'egress', [toDecimal128(simpleJSONExtractRaw(data, 'gb'), 9)], []) AS quantities,
    if(type = 'api.request', [simpleJSONExtractString(data, 'region')], []) AS dimensions, '' AS reason, 1 AS count
FROM file('{file}', 'JSONEachRow', 'id String, source String, type String, subject String, time DateTime64(3, ''UTC''), data String')
SETTINGS date_time_input_format = 'best_effort', input_format_json_read_objects_as_strings = 1
