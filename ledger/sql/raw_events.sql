-- Some raw events by where they are.
SELECT block, row, source, id, type, subject, time, data, identity
FROM events
WHERE block IN {blocks:Array(UInt64)} AND (block, row) IN (
    SELECT tupleElement(place, 1), tupleElement(place, 2)
    FROM (SELECT arrayJoin(arrayZip({event_blocks:Array(UInt64)}, {event_rows:Array(UInt32)})) AS place))
ORDER BY block, row
