-- What `events` says usage must be for a range of blocks, derived again: the other side of usage_image.
SELECT meter, count() AS rows, sum(quantity) AS quantities, sum(digest) AS digests,
    sum(reinterpretAsUInt128(sipHash128(tenant, meter, subject, time, quantity, mapKeys(dimensions),
        mapValues(dimensions), block, row, digest))) AS image
FROM
(
    SELECT
        tenant,
        meter,
        subject,
        fromUnixTimestamp64Milli(event.time, 'UTC') AS time,
        if(position = 0, toDecimal128(1, 9), quantities[position]) AS quantity,
        mapFilter((name, value) -> value != '', mapFromArrays(names, arrayMap(place -> event.dimensions[place], places)))
            AS dimensions,
        block,
        row,
        reinterpretAsUInt128(sipHash128Reference(concat(
            reinterpretAsString(identity), meter, '/', subject, '/', toString(quantity), '/', toString(event.time)))) AS digest
    FROM events AS event
    INNER JOIN
    (
        SELECT tupleElement(measure, 1) AS tenant, tupleElement(measure, 2) AS type, tupleElement(measure, 3) AS meter,
            tupleElement(measure, 4) AS position, tupleElement(measure, 5) AS names, tupleElement(measure, 6) AS places
        FROM
        (
            SELECT arrayJoin({measures:Array(Tuple(String, String, String, UInt8, Array(String), Array(UInt8)))}) AS measure
        )
    ) AS measured ON event.tenant = measured.tenant AND event.type = measured.type
    WHERE block BETWEEN {first:UInt64} AND {last:UInt64} AND outcome = 'accepted'
)
GROUP BY meter ORDER BY meter
