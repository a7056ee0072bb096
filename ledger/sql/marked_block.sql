-- The chain hash at one block.
SELECT chain FROM blocks WHERE block = {block:UInt64}
