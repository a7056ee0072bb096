"""Rate ranges of lines for another process: terms come in once, then ranges, and the charges of each go out.

Nothing else is known here: no ledger, no settings. It ends with its pipes.
"""

import pickle
import signal
import sys
from contextlib import suppress

from ledger.errors import Refused
from rating.processes import PICKLED
from rating.ranges import charged


def main() -> None:
    """Answer until nobody asks any more."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # nobody is there to answer: that is an end, and no error
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    # A refusal is for whoever asked to come to and to tell: without its answer, they do.
    with suppress(EOFError, pickle.UnpicklingError, Refused):
        terms = pickle.load(asked)  # noqa: S301 - what our parent says
        while True:
            pickle.dump(charged(terms, pickle.load(asked)), answers, PICKLED)  # noqa: S301 - the same
            answers.flush()


if __name__ == "__main__":
    main()
