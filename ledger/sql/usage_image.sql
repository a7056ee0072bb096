-- What usage says of a range of blocks, row by row but for the step, as sums that any difference changes.
SELECT meter, count() AS rows, sum(quantity) AS quantities, sum(digest) AS digests,
    sum(reinterpretAsUInt128(sipHash128(tenant, meter, subject, time, quantity, mapKeys(dimensions),
        mapValues(dimensions), block, row, digest))) AS image
FROM usage
WHERE step = {step:UInt32}
GROUP BY meter ORDER BY meter
