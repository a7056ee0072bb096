-- What was priced in the lines of one run, in any order, and what it came to.
SELECT customer, currency, contract, kind, meter, window_start, window_end, events, quantity, amount
FROM charges WHERE run = {run:UInt64}
