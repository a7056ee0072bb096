-- Which identities are taken, with the content that took them and the block it is in.
SELECT identity, content, toUInt32(block) AS block
FROM events
WHERE outcome = 'accepted' AND block BETWEEN {first:UInt64} AND {last:UInt64}
