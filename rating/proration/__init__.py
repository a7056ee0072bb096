"""Parts of a period: where periods begin, which share of one a stretch of time is, and what that makes of a price."""
