"""The demo proves what it says, and says so to scripts."""

from pathlib import Path

from tests.e2e.site import meterline


def test_the_demo_proves_everything_it_claims(tmp_path: Path) -> None:
    done = meterline("demo", "--json", data=tmp_path / "demo")
    assert done.status == 0, done.said
    assert all(done.json["proofs"].values())
    assert Path(done.json["journal"]).exists()


def test_the_demo_leaves_a_directory_alone_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    done = meterline("demo", data=tmp_path)
    assert done.status == 2
    assert (tmp_path / "mine.txt").read_text() == "keep me"
