"""Say which usage a limited grant pays for: usage that carries at least one of the labels the grant is limited to.

A label is a product, a meter, a unit. Few sets of labels occur, on grants as on usage, so the question is answered
once for each two of them, and grants and usage name the row and the column of the answer.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from rating.ratios import Bools


def allowed(limits: Sequence[AbstractSet[str] | None], scopes: Sequence[AbstractSet[str]]) -> Bools:
    """Limits by scopes; None pays for anything."""
    answers = [[limit is None or bool(limit & scope) for scope in scopes] for limit in limits]
    return np.array(answers, dtype=np.bool_).reshape(len(limits), len(scopes))
