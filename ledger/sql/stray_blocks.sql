-- Blocks with rows that no marker up to a cutoff speaks of.
SELECT DISTINCT block FROM events WHERE block = 0 OR block > {cutoff:UInt64} ORDER BY block
