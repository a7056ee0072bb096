-- The bare GROUP BY: what every design has to pay for a period's sums, and nothing else.
SELECT meter, subject, sum(quantity) AS quantity, count() AS events
FROM usage
WHERE tenant = 'default' AND time >= toDateTime64('2026-10-01 00:00:00', 3, 'UTC')
    AND time < toDateTime64('2026-11-01 00:00:00', 3, 'UTC')
GROUP BY meter, subject
