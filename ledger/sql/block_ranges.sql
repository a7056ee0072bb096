-- Ranges of blocks that accepted about so many events each: at most one block more, and a block of more is its own.
SELECT min(block) AS first, max(block) AS last
FROM
(
    SELECT block, intDiv(sum(accepted) OVER (ORDER BY block), {events:UInt64}) AS part
    FROM blocks WHERE block <= {cutoff:UInt64}
)
GROUP BY part ORDER BY first
