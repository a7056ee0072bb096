"""The benches run small, and what they computed is what it must be."""

from bench import drawdowns, rate, what_if
from bench.close import Scale, bench
from bench.ingest import in_process, ingest
from bench.load import Load, bodies, event


def test_ingest_counts_every_event_on_both_sides() -> None:
    report = ingest(events=4_000, batch=500, customers=50, connections=4, rounds=1)
    assert report["meters"] == {
        "api_calls": {"events": 2000, "quantity": "2000"},
        "gb_out": {"events": 2000, "quantity": "4000"},
    }
    assert {"rate_per_second", "baseline_per_second", "ratio", "goal", "peak_rss_bytes"} <= report.keys()


def test_close_gives_the_same_bytes_every_time() -> None:
    first, second = (in_process(bench, Scale(20_000, 100, 5)) for _ in range(2))
    assert (first["charges"], first["documents"]) == (510, 101)
    assert first["output_digest"] == second["output_digest"]


def test_what_if_prices_every_month_at_the_draft() -> None:
    report = in_process(what_if.bench, 20_000, 100, 2)
    assert report["charges"] == 1000
    assert report["totals"] == {
        "EUR": {
            "before": "1687.12", "after": "1644.60", "change": "-42.52", "winners": 80, "losers": 19, "same": 1,
        }
    }  # fmt: skip


def test_drawdowns_are_those_of_a_loop_over_decimals() -> None:
    report = drawdowns.measured(usages=1_000, loop_usages=1_000)
    assert (report["entries"], report["total"]) == (1265, "232505")


def test_rate_prices_every_model_as_the_loop_does() -> None:
    report = rate.bench(lines=300, loop_lines=300)
    totals = {name: figures["total"] for name, figures in report["models"].items()}
    assert len(totals) == 31
    assert report["drawdowns"]["total"] == "69974"
    assert totals["graduated"] == "8586599/100"
    assert totals["capacity"] == "71633/100"
    assert totals["percentage"] == "1472971/20"
    assert totals["rerated"] == "7758/25"
    assert totals["prorated_graduated"] == "6401237/50"


def test_bodies_hold_each_event_once() -> None:
    load = Load("", 0, "", events=10, batch=4, customers=3, connections=1)
    assert b"".join(bodies(load)).count(b'"id"') == 10
    assert len({event(number, 3) for number in range(10)}) == 10
