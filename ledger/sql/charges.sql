-- The lines of one run in order.
SELECT run, line, tenant, entity, customer, currency, contract, plan, product, kind, meter, price_version, subjects,
    window_start, window_end, cutoff, events, quantity, digest, exact_numerator, exact_denominator, amount
FROM charges WHERE run = {run:UInt64}
ORDER BY line
