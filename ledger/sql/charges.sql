-- The lines of one run in order.
SELECT run, line, tenant, entity, customer, currency, contract, plan, product, meter, subjects, window_start, window_end,
    cutoff, events, quantity, digest, unrounded, amount
FROM charges WHERE run = {run:UInt64}
ORDER BY line
