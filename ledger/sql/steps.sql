-- Every step of usage that is done, in order.
SELECT step, first_block, last_block, catalog, rows FROM usage_steps ORDER BY step
